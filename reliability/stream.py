"""Notes that are written, approved and sometimes recalled through the API while the service dies."""

import dataclasses
import datetime
import random
import threading
import time

from database import to_uuid

CLIENTS = 8
# Whom the notes of one interview are for: each contact gets a message of their own.
PANELS = [[0], [1], [2, 3, 4]]
RECALLED_SHARE = 0.15
LONGEST_HESITATION_SECONDS = 0.03
BODY = ("Thank you for your time today and for the look into how your team works.\n\n"
        "Your question stayed with me: I would read the plan first, and only then think of an index.\n\n"
        "I would very much like to join you.")


def hex_of(record):
    """The id of a record as the database has it."""
    return to_uuid(record["id"]).hex


@dataclasses.dataclass
class Promises:
    """What the API has said yes to."""

    notes: set = dataclasses.field(default_factory=set)
    # Deliveries of approved notes, and those of them that were recalled.
    approved: set = dataclasses.field(default_factory=set)
    recalled: set = dataclasses.field(default_factory=set)
    approvals: int = 0


class Stream:
    """Writes notes from a few threads, which rest a while after each one."""

    def __init__(self, caller, notes, seed, writers=3, rest_seconds=0.0, recalled_share=RECALLED_SHARE):
        self.caller, self.wanted = caller, notes
        self.rest_seconds, self.recalled_share = rest_seconds, recalled_share
        self.promises = Promises()
        self.lock = threading.Lock()
        self.taken = 0
        self.threads = [threading.Thread(target=self.write, args=[random.Random(f"{seed}-{number}")], daemon=True)
                        for number in range(writers)]

    def prepare(self):
        """Makes the people that the notes are about."""
        made = lambda path, body: self.caller.post(path, body)[1]["id"]
        self.candidate = made("/v1/candidates", {
            "name": "Mina Sato", "email": "mina.sato@mail.example", "time_zone": "Europe/Berlin"})
        self.sides = []
        for number in range(CLIENTS):
            client = made("/v1/clients", {"name": f"Client {number}"})
            order = made("/v1/job-orders", {"client_id": client, "title": "Data engineer"})
            contacts = [made("/v1/contacts", {
                "client_id": client, "name": f"Contact {number} {place}", "role": "interviewer",
                "email": f"contact-{place}@client-{number}.example"}) for place in range(5)]
            self.sides.append((order, contacts))

    def start(self):
        for thread in self.threads:
            thread.start()

    def is_under_way(self):
        return any(thread.is_alive() for thread in self.threads)

    def join(self):
        for thread in self.threads:
            thread.join()
        if self.promises.approvals != self.wanted:
            raise SystemExit("a writer gave up")

    def take(self, most):
        """How many notes may still be written, of so many."""
        with self.lock:
            count = min(most, self.wanted - self.taken)
            self.taken += count
            return count

    def write(self, dice):
        while count := self.take(len(PANELS)):
            order, contacts = dice.choice(self.sides)
            interview = self.interview(order, contacts)
            for panel in PANELS[:count]:
                self.note(interview["debrief_id"], [contacts[place] for place in panel], dice)
                time.sleep(dice.uniform(0, 2 * self.rest_seconds))

    def interview(self, order, contacts):
        ended = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
        return self.caller.post("/v1/interviews", {
            "candidate_id": self.candidate, "job_order_id": order, "contact_ids": contacts, "round": 1,
            "format": "video", "time_zone": "Europe/Berlin", "ends_at": ended.isoformat(),
            "starts_at": (ended - datetime.timedelta(hours=1)).isoformat()})[1]

    def note(self, debrief, contacts, dice=random):
        post = self.caller.post
        _, note = post(f"/v1/debriefs/{debrief}/notes", {
            "contact_ids": contacts, "subject": "Thank you for your time", "body": BODY})
        self.promises.notes.add(hex_of(note))
        path = f"/v1/notes/{note['id']}"
        _, note = post(f"{path}/submit", {}, note["version"])
        _, note = post(f"{path}/approve", {"content_hash": note["content_hash"]}, note["version"])
        self.promises.approved.update(hex_of(delivery) for delivery in note["deliveries"])
        with self.lock:
            self.promises.approvals += 1
        if dice.random() < self.recalled_share:
            time.sleep(dice.uniform(0, LONGEST_HESITATION_SECONDS))
            # 409: everything had left, or had come to its end.
            status, note = post(f"{path}/recall", {}, note["version"], accept=[409])
            if status == 200:
                self.promises.recalled.update(
                    hex_of(delivery) for delivery in note["deliveries"] if delivery["state"] == "recalled")
