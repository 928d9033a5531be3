#!/usr/bin/env python3
"""Measures the released service as a whole, beside yardsticks, and prints Markdown tables.

benches/README.md says what is measured and how to read it. Needs python3, wrk, and for PostgreSQL its
server and pgbench; nothing from PyPI.
"""

import os
import platform
import random
import time

import stage
from api import Service
from database import Postgres
from processes import Process, free_port, peak_memory_mib
from run import wrk
from stage import note

SUBJECTS = {
    "debrief": "`GET /v1/debriefs/{id}`, a random one",
    "worklist": "`GET /v1/debriefs?client_id=…&limit=50`, a random client",
    "feedback": "`POST /v1/debriefs/{id}/feedback` with three points, another person each time",
}


class Measurement:
    """All runs against one database."""

    def __init__(self, options, database):
        self.options, self.database, self.folder = options, database, database.folder
        self.runs = {}  # (subject, "service" | "constant" | "database", connections) -> Run
        self.facts = []
        self.environment = stage.environment(database)

    def everything(self):
        note(f"{self.database.name}: filling {self.options.debriefs} debriefs")
        start = time.monotonic()
        stage.fill(self.options.binary, self.options.debriefs, self.environment)
        seconds = time.monotonic() - start
        self.database.settle()
        self.facts.append(f"filled in {seconds:.0f} s, {self.database.size_mib():.0f} MiB")
        people = self.service()
        if isinstance(self.database, Postgres):
            self.database.number_rows(people)
            for subject in SUBJECTS:
                self.measure(subject, "database", lambda connections, seconds: self.database.alone(
                    subject, connections, seconds))

    def service(self):
        """Measures the service; returns people who have not given an account, for the database alone."""
        port = free_port()
        base = f"http://127.0.0.1:{port}"
        environment = {**self.environment, "DEBRIEF__SERVER__PORT": str(port)}
        with Process([self.options.binary], environment, self.folder / "server.log") as process:
            service = Service(port)
            service.wait_until_ready(process)
            debriefs, clients = service.debriefs_and_busy_clients()
            note(f"{self.database.name}: making interviews for {self.options.people} accounts")
            people = service.people_without_account(self.options.people)
            self.database.settle()
            self.read("debrief", [f"/v1/debriefs/{debrief}" for debrief in debriefs], base, service, process)
            self.read("worklist", [f"/v1/debriefs?client_id={client}&limit=50" for client in clients],
                      base, service, process)
            kept = len(people) // 4 if isinstance(self.database, Postgres) else 0
            self.write(people[kept:], base, service, process)
            self.facts.append(f"the service held at most {peak_memory_mib(process.pid):.0f} MiB")
        return people[:kept]

    def read(self, subject, paths, base, service, process):
        listed = self.file(f"{subject}.paths", "\n".join(paths) + "\n")
        self.measure(subject, "service", lambda connections, seconds: wrk(
            "get", base, connections, seconds, PATHS=listed, TOKEN=service.token()), process)
        some = [service.get_bytes(path) for path in random.sample(paths, min(25, len(paths)))]
        answer = sorted(some, key=len)[len(some) // 2]
        self.facts.append(f"{subject}: {len(paths)} different requests, an answer is about {len(answer)} bytes")
        port = free_port()
        command = [self.options.constant, str(port), self.file(f"{subject}.json", answer.decode())]
        with Process(command, os.environ, self.folder / "constant.log") as constant:
            constant.wait_for_port(port)
            self.measure(subject, "constant", lambda connections, seconds: wrk(
                "get", f"http://127.0.0.1:{port}", connections, seconds, PATHS=listed, TOKEN="none"), constant)

    def write(self, people, base, service, process):
        listed = self.file("people", "\n".join(people) + "\n")
        used = 0

        def load(connections, seconds):
            nonlocal used
            run = wrk("feedback", base, connections, seconds, PEOPLE=listed, TOKEN=service.token(), OFFSET=used)
            used = run.used
            return run

        self.measure("feedback", "service", load, process)
        self.facts.append(f"feedback: {used} accounts written")

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def measure(self, subject, what, load, process=None):
        """Runs `load(connections, seconds)` a few times, with the CPU time that it took beside it."""
        for connections in self.options.connections:
            note(f"{self.database.name}: {subject}, {what}, {connections} connections")
            load(connections, self.options.warm_up)
            runs = []
            for _ in range(self.options.rounds):
                service_before, database_before = process and process.cpu_ms(), self.database.cpu_ms()
                run = load(connections, self.options.seconds)
                run.database_cpu_ms = (self.database.cpu_ms() - database_before) / run.requests * 1000
                run.service_cpu_ms = (process.cpu_ms() - service_before) / run.requests * 1000 if process else 0.0
                runs.append(run)
            runs.sort(key=lambda run: run.rate)
            self.runs[subject, what, connections] = runs[len(runs) // 2]


def table(measurements, subject, connection_counts):
    """The lines of a Markdown table: a row per database and number of connections."""
    yield f"### {SUBJECTS[subject]}\n"
    yardsticks = ["database"] if subject == "feedback" else ["constant", "database"]
    titles = {"constant": "constant route, per s", "database": "database alone, per s"}
    head = ["database", "connections", "per s", "p50 ms", "p99 ms", "CPU ms per 1000 in the service", "in PostgreSQL"]
    for yardstick in yardsticks:
        head += [titles[yardstick], "reached"]
    yield "| " + " | ".join(head) + " |"
    yield "| --- |" + " ---: |" * (len(head) - 1)
    for measurement in measurements:
        postgres = isinstance(measurement.database, Postgres)
        for connections in connection_counts:
            run = measurement.runs[subject, "service", connections]
            cells = [measurement.database.name, str(connections), f"{run.rate:,.0f}", f"{run.p50_ms:.2f}",
                     f"{run.p99_ms:.2f}", f"{run.service_cpu_ms:,.0f}", f"{run.database_cpu_ms:,.0f}" if postgres else "–"]
            for yardstick in yardsticks:
                other = measurement.runs.get((subject, yardstick, connections))
                cells += [f"{other.rate:,.0f}", f"{run.rate / other.rate:.0%}"] if other else ["–", "–"]
            yield "| " + " | ".join(cells) + " |"
    yield ""


def arguments():
    parser = stage.parser(__doc__)
    parser.add_argument("--databases", default="sqlite,postgres")
    parser.add_argument("--debriefs", type=int, default=50_000)
    parser.add_argument("--people", type=int, default=80_000, help="how many accounts can be given at the most")
    parser.add_argument("--connections", default="1,8,64")
    parser.add_argument("--seconds", type=int, default=5, help="length of a run")
    parser.add_argument("--warm-up", type=int, default=2, help="length of the run before it, which does not count")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each, of which the middle one is shown")
    options = parser.parse_args()
    options.databases = options.databases.split(",")
    options.connections = [int(count) for count in options.connections.split(",")]
    return options


def main():
    random.seed(1)
    options = arguments()
    found = stage.built("--bench", "constant", *([] if options.binary else ["--bin", "debrief"]))
    options.binary, options.constant = options.binary or found["debrief"], found["constant"]
    measurements = []
    for kind in options.databases:
        with stage.place(kind) as database:
            measurements.append(Measurement(options, database))
            measurements[-1].everything()
    print(f"{stage.revision(options)}; {os.cpu_count()} cores ({platform.machine()}) for the service, the "
          f"database and the load together; {options.debriefs} debriefs; the middle one of {options.rounds} runs of "
          f"{options.seconds} s.\n")
    for subject in SUBJECTS:
        print("\n".join(table(measurements, subject, options.connections)))
    for measurement in measurements:
        print(f"- {measurement.database.name}: " + "; ".join(measurement.facts) + ".")


if __name__ == "__main__":
    main()
