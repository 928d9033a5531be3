"""Holds the database, the mailboxes and what the API said yes to against each other."""

import collections
import dataclasses

# How many copies may lie in the mailbox when the database says so.
COPIES = {"sent": {1}, "unconfirmed": {0, 1}, "failed": {0}, "recalled": {0}}
KINDS = ["lost", "duplicates", "hidden", "wrong"]


@dataclasses.dataclass
class Reconciliation:
    """What was found; it is sound when nothing is wrong."""

    states: collections.Counter
    attempts: int
    # Unconfirmed deliveries of which a copy arrived, and of which none did.
    arrived: int
    missing: int
    lost: list = dataclasses.field(default_factory=list)
    duplicates: list = dataclasses.field(default_factory=list)
    # Doubts that were put to nobody.
    hidden: list = dataclasses.field(default_factory=list)
    wrong: list = dataclasses.field(default_factory=list)

    def is_sound(self):
        return not any(getattr(self, kind) for kind in KINDS)

    def complaints(self):
        for kind in KINDS:
            for line in getattr(self, kind)[:5]:
                yield f"{kind}: {line}"


def reconcile(records, copies, promises, caller):
    deliveries = records.deliveries()
    unsure = [delivery for delivery in deliveries.values() if delivery.state == "unconfirmed"]
    found = Reconciliation(
        states=collections.Counter(delivery.state for delivery in deliveries.values()),
        attempts=sum(len(delivery.attempts) for delivery in deliveries.values()),
        arrived=sum(copies[delivery.message_id] > 0 for delivery in unsure),
        missing=sum(copies[delivery.message_id] == 0 for delivery in unsure),
    )
    for delivery in deliveries.values():
        judge(delivery, copies[delivery.message_id], found)
    known = {delivery.message_id for delivery in deliveries.values()}
    found.wrong += [f"{message_id} lies in a mailbox and in no database" for message_id in copies.keys() - known]

    # What was acknowledged is there, and nothing is there twice because it was asked for twice.
    found.lost += [f"the approved {id} is not in the database" for id in promises.approved - deliveries.keys()]
    found.wrong += [f"nobody has approved {id}" for id in deliveries.keys() - promises.approved]
    for id in promises.recalled & deliveries.keys():
        if deliveries[id].state != "recalled":
            found.wrong.append(f"{id} was recalled, and is {deliveries[id].state}")
    if (notes := records.count("notes")) != len(promises.notes):
        found.wrong.append(f"{notes} notes were made of {len(promises.notes)}")

    # Everything that is unsure is put to the recruiter.
    shown = {note["id"] for note in caller.all_of("/v1/notes?delivery_state=unconfirmed")}
    if len(shown) != len({delivery.note for delivery in unsure}):
        found.hidden.append(f"the API shows {len(shown)} notes with something unconfirmed")
    return found


def judge(delivery, copies, found):
    line = f"{delivery.id} is {delivery.state}, {copies} copies, attempts {[a.outcome for a in delivery.attempts]}"
    if delivery.state not in COPIES:
        found.lost.append(f"{line}: it did not come to an end")
    elif copies > 1:
        found.duplicates.append(line)
    elif copies < min(COPIES[delivery.state]):
        found.lost.append(line)
    elif copies not in COPIES[delivery.state]:
        found.wrong.append(line)
    if delivery.state == "failed" and not delivery.reply:
        found.wrong.append(f"{line}: nobody says why")
    if any(attempt.outcome is None for attempt in delivery.attempts):
        found.wrong.append(f"{line}: an attempt has no end")
    # An attempt of which nobody knows what came of it is the last one, until a person has decided.
    if "unconfirmed" in [attempt.outcome for attempt in delivery.attempts[:-1]]:
        found.hidden.append(f"{line}: it was tried again in spite of a doubt")
