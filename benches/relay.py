#!/usr/bin/env python3
"""Measures the relay beside Postfix, and prints a Markdown table.

On each database: approved notes wait in the queue, the released binary hands them to smtp-sink over ten
connections, and a Postfix that was given as many messages of that size relays them to an equal smtp-sink, in
turns. Then notes are approved one by one, and the time from due to accepted is taken. benches/README.md
says how to read it. Needs python3, Postfix and, for PostgreSQL, its server; run as root, like Postfix.
"""

import datetime
import json
import os
import platform
import sqlite3
import statistics
import time

import stage
from api import Service
from database import Postgres
from mail import CONNECTIONS, Postfix, Sink
from processes import Process, free_port
from stage import note

# So many deliveries come from a debrief of the demonstration, at least.
DELIVERIES_PER_DEBRIEF = 0.7
# The undo window of the notes that are approved one by one.
UNDO_SECONDS = 1


class Queue:
    """The deliveries of a database."""

    def __init__(self, database):
        self.database = database

    def ask(self, question):
        if isinstance(self.database, Postgres):
            return [line.split("|") for line in self.database.psql(question).splitlines()]
        with sqlite3.connect(self.database.folder / "debrief.sqlite3", timeout=60) as connection:
            return list(connection.execute(question))

    def trim(self, wanted):
        """Leaves so many that wait. Answers the mean size of their messages, in bytes."""
        self.ask(f"""UPDATE deliveries SET state = 'recalled', next_attempt_at = NULL WHERE state = 'queued'
            AND id NOT IN (SELECT id FROM deliveries WHERE state = 'queued' ORDER BY next_attempt_at, id LIMIT {wanted})""")
        found, size = self.ask("SELECT count(*), avg(length(message)) FROM deliveries WHERE state = 'queued'")[0]
        if int(found) != wanted:
            raise SystemExit(f"{found} deliveries wait where there were to be {wanted}")
        return round(float(size))

    def states(self):
        counted = self.ask("SELECT state, count(*) FROM deliveries WHERE lease_token > 0 GROUP BY state")
        return {state: int(count) for state, count in counted}

    def wait_until_sent(self, wanted, before):
        """Waits until the outcome of every message is written down as it has to be."""
        for _ in range(600):
            states = self.states()
            if sum(states.values()) - sum(before.values()) == wanted and "sending" not in states:
                break
            time.sleep(0.05)
        sent = states.get("sent", 0) - before.get("sent", 0)
        if sent != wanted:
            raise SystemExit(f"{sent} of {wanted} were sent: {states}")

    def destinations(self):
        """How many domains were sent to."""
        sent = self.ask("SELECT envelope_to FROM deliveries WHERE state = 'sent' AND lease_token > 0")
        return len({address.rpartition("@")[2] for address, in sent})


class Measurement:
    """All runs against one database."""

    def __init__(self, options, program, database):
        self.options, self.program = options, program
        self.database, self.folder = database, database.folder
        self.queue = Queue(database)
        settings = {
            "DEBRIEF__MAIL__TRANSPORT": "smtp",
            "DEBRIEF__MAIL__SMTP__HOST": "127.0.0.1",
            "DEBRIEF__MAIL__SMTP__TLS": "none",
            "DEBRIEF__MAIL__SMTP__MAX_CONNECTIONS": str(CONNECTIONS),
            "DEBRIEF__MAIL__UNDO_WINDOW_SECONDS": str(UNDO_SECONDS),
            **dict(setting.split("=", 1) for setting in options.set),
        }
        self.environment = stage.environment(database, **settings)

    def everything(self):
        self.fill()
        self.postfix()
        self.drain()
        if self.options.alone:
            self.one_by_one()

    def fill(self):
        note(f"{self.database.name}: queueing {self.options.messages} notes")
        debriefs = int(self.options.messages / DELIVERIES_PER_DEBRIEF) + 20
        stage.fill(self.program, debriefs, self.environment, "--unsent")
        self.size = self.queue.trim(self.options.messages)
        self.before = self.queue.states()
        self.database.settle()

    def postfix(self):
        with Sink(self.folder, "postfix-sink") as sink, Postfix(self.folder, sink) as postfix:
            note(f"{self.database.name}: Postfix, {self.options.messages} messages of {self.size} bytes")
            began, cpu = time.monotonic(), postfix.cpu_ms()
            source = postfix.send(self.options.messages, self.size)
            sink.wait_for(self.options.messages, lambda: None)
            self.postfix_rate = self.options.messages / (time.monotonic() - began)
            self.postfix_cpu_ms = (postfix.cpu_ms() - cpu) / self.options.messages * 1000
            if source.wait():
                raise SystemExit("smtp-source failed")

    def drain(self):
        with Sink(self.folder, "sink") as sink:
            note(f"{self.database.name}: the relay")
            environment = {**self.environment, "DEBRIEF__MAIL__SMTP__PORT": str(sink.port)}
            began, cpu = time.monotonic(), self.database.cpu_ms()
            with Process([self.program, "worker"], environment, self.folder / "worker.log") as worker:
                sink.wait_for(self.options.messages, worker.must_be_alive)
                self.queue.wait_until_sent(self.options.messages, self.before)
                self.rate = self.options.messages / (time.monotonic() - began)
                self.cpu_ms = worker.cpu_ms() / self.options.messages * 1000
                self.database_cpu_ms = (self.database.cpu_ms() - cpu) / self.options.messages * 1000
            if sink.messages() != self.options.messages:
                raise SystemExit(f"{sink.messages()} messages arrived where {self.options.messages} were sent")
            self.destinations = self.queue.destinations()

    def one_by_one(self):
        """How long after its time each of some notes is accepted, while nothing else is to be done."""
        note(f"{self.database.name}: {self.options.alone} notes, one by one")
        port = free_port()
        with Sink(self.folder, "sink-alone") as sink:
            environment = {**self.environment, "DEBRIEF__SERVER__PORT": str(port),
                           "DEBRIEF__MAIL__SMTP__PORT": str(sink.port)}
            with Process([self.program], environment, self.folder / "server.log") as process:
                service = Service(port)
                service.wait_until_ready(process)
                people = [line.split() for line in service.people_without_account(self.options.alone * 6)]
                # Some people cannot be written to.
                blocked = {contact["id"] for contact in service.all_of("/v1/contacts")
                           if contact["off_limits"] or contact["email_status"] != "ok"}
                first_of = {debrief: contact for debrief, contact in people
                            if contact != "candidate" and contact not in blocked}
                drafts = [submitted(service, *pair) for pair in list(first_of.items())[:self.options.alone]]
                notes = []
                for draft in drafts:
                    notes.append(approve(service, draft))
                    time.sleep(0.05)
                time.sleep(UNDO_SECONDS + 3)
                waits = [wait_of(service, note["id"]) for note in notes]
        cuts = statistics.quantiles(waits, n=100)
        self.p50_ms, self.p99_ms, self.longest_ms = cuts[49], cuts[98], max(waits)


def submitted(service, debrief, contact):
    """A note that waits for approval."""
    text = {"contact_ids": [contact], "subject": "Thank you", "language": "en",
            "body": "Dear all,\n\nthank you for the conversation, and for the time that you took.\n\nSincerely"}
    draft = json.loads(service.call("POST", f"/v1/debriefs/{debrief}/notes", text))
    return act(service, draft, "submit", {})


def approve(service, draft):
    return act(service, draft, "approve", {"content_hash": draft["content_hash"]})


def act(service, draft, transition, body):
    headers = {"If-Match": f'"{draft["version"]}"'}
    return json.loads(service.call("POST", f"/v1/notes/{draft['id']}/{transition}", body, headers=headers))


def wait_of(service, note_id):
    """The milliseconds from the time at which a note was due to that at which it was accepted."""
    delivery = json.loads(service.get_bytes(f"/v1/notes/{note_id}"))["deliveries"][0]
    if delivery["state"] != "sent":
        raise SystemExit(f"a note that was approved is {delivery}")
    created, sent = (datetime.datetime.fromisoformat(delivery[at]) for at in ("created_at", "sent_at"))
    return (sent - created).total_seconds() * 1000 - UNDO_SECONDS * 1000


def arguments():
    parser = stage.parser(__doc__)
    parser.add_argument("--databases", default="sqlite,postgres")
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--alone", type=int, default=200, help="how many notes are approved one by one")
    parser.add_argument("--set", action="append", default=[], metavar="DEBRIEF__KEY=VALUE", help="another setting")
    options = parser.parse_args()
    options.databases = options.databases.split(",")
    return options


def table(measurements, options):
    """The lines of a Markdown table: a row per database."""
    head = ["database", "relay, per s", "Postfix, per s", "ratio", "CPU ms per 1000 in the service", "in PostgreSQL",
            "in Postfix", "bytes a message", "destinations"]
    if options.alone:
        head += ["due to accepted, p50 ms", "p99 ms", "longest ms"]
    yield "| " + " | ".join(head) + " |"
    yield "| --- |" + " ---: |" * (len(head) - 1)
    for run in measurements:
        database_cpu = f"{run.database_cpu_ms:,.0f}" if isinstance(run.database, Postgres) else "–"
        cells = [run.database.name, f"{run.rate:,.0f}", f"{run.postfix_rate:,.0f}", f"{run.rate / run.postfix_rate:.2f}",
                 f"{run.cpu_ms:,.0f}", database_cpu, f"{run.postfix_cpu_ms:,.0f}", str(run.size), str(run.destinations)]
        if options.alone:
            cells += [f"{run.p50_ms:.0f}", f"{run.p99_ms:.0f}", f"{run.longest_ms:.0f}"]
        yield "| " + " | ".join(cells) + " |"


def main():
    options = arguments()
    program = stage.program(options)
    measurements = []
    for kind in options.databases:
        with stage.place(kind) as database:
            measurements.append(Measurement(options, program, database))
            measurements[-1].everything()
    print(f"{stage.revision(options)}; {os.cpu_count()} cores ({platform.machine()}) for everything together; "
          f"{options.messages} messages over {CONNECTIONS} connections.\n")
    print("\n".join(table(measurements, options)))


if __name__ == "__main__":
    main()
