#!/usr/bin/env python3
"""Measures the released service as a whole, beside yardsticks, and prints Markdown tables.

benches/README.md says what is measured and how to read it. Needs python3, wrk, and for PostgreSQL its
server and pgbench; nothing from PyPI.
"""

import os
import platform
import random
import statistics
import time

import stage
from api import Service
from database import Postgres
from processes import Process, free_port, memory_mib
from run import wrk
from stage import note

SUBJECTS = {
    "debrief": "`GET /v1/debriefs/{id}`, a random one",
    "worklist": "`GET /v1/debriefs?client_id=…&limit=50`, a random client",
    "feedback": "`POST /v1/debriefs/{id}/feedback` with three points, another person each time",
}


class Measurement:
    """All runs against one database. In every round the service and its yardsticks have their turns one after the
    other, so that what else happens on the machine happens to all of them."""

    def __init__(self, options, program, constant, database):
        self.options, self.program, self.constant = options, program, constant
        self.database, self.folder = database, database.folder
        self.runs = {}  # (subject, "service" | "constant" | "database", connections) -> Run
        self.beside = {}  # (subject, "constant" | "database", connections) -> the middle of what Run.beside found
        self.facts = []
        self.environment = stage.environment(database)

    def everything(self):
        note(f"{self.database.name}: filling {self.options.debriefs} debriefs")
        start = time.monotonic()
        stage.fill(self.program, self.options.debriefs, self.environment)
        seconds = time.monotonic() - start
        self.database.settle()
        self.facts.append(f"filled in {seconds:.0f} s, {self.database.size_mib():.0f} MiB")
        port = free_port()
        environment = {**self.environment, "DEBRIEF__SERVER__PORT": str(port)}
        with Process([self.program], environment, self.folder / "server.log") as process:
            service = Service(port)
            service.wait_until_ready(process)
            debriefs, clients = service.debriefs_and_busy_clients()
            note(f"{self.database.name}: making interviews for {self.options.people} accounts")
            people = service.people_without_account(self.options.people)
            kept = 0
            if isinstance(self.database, Postgres):
                # For the database alone.
                kept = len(people) // 4
                self.database.number_rows(people[:kept])
            self.database.settle()
            self.read("debrief", [f"/v1/debriefs/{debrief}" for debrief in debriefs], service, process)
            self.read("worklist", [f"/v1/debriefs?client_id={client}&limit=50" for client in clients], service, process)
            self.write(people[kept:], service, process)
            self.facts.append(f"the service held at most {memory_mib(process.pid, 'VmHWM'):.0f} MiB")

    def read(self, subject, paths, service, process):
        listed = self.file(f"{subject}.paths", "\n".join(paths) + "\n")
        some = [service.get_bytes(path) for path in random.sample(paths, min(25, len(paths)))]
        answer = sorted(some, key=len)[len(some) // 2]
        self.facts.append(f"{subject}: {len(paths)} different requests, an answer is about {len(answer)} bytes")
        port = free_port()
        command = [self.constant, str(port), self.file(f"{subject}.json", answer.decode())]

        def get(port, token):
            return lambda connections, seconds: wrk(
                "get", f"http://127.0.0.1:{port}", connections, seconds, PATHS=listed, TOKEN=token())

        with Process(command, os.environ, self.folder / "constant.log") as constant:
            constant.wait_for_port(port)
            self.measure(subject, {
                "service": (get(service.port, service.token), process),
                "constant": (get(port, lambda: "none"), constant),
            })

    def write(self, people, service, process):
        listed = self.file("people", "\n".join(people) + "\n")
        used = 0

        def load(connections, seconds):
            nonlocal used
            run = wrk("feedback", f"http://127.0.0.1:{service.port}", connections, seconds, PEOPLE=listed,
                      TOKEN=service.token(), OFFSET=used)
            used = run.used
            return run

        self.measure("feedback", {"service": (load, process)})
        self.facts.append(f"feedback: {used} accounts written")

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def measure(self, subject, loads):
        """Runs each `load(connections, seconds)` in its turn a few times, with the CPU time that it took beside it."""
        if isinstance(self.database, Postgres):
            loads["database"] = (lambda *run: self.database.alone(subject, *run), None)
        for connections in self.options.connections:
            note(f"{self.database.name}: {subject}, {connections} connections")
            runs = {what: [] for what in loads}
            for load, _ in loads.values():
                load(connections, self.options.warm_up)
            for _ in range(self.options.rounds):
                for what, (load, process) in loads.items():
                    runs[what].append(self.run(load, connections, process))
            for what, several in runs.items():
                pairs = [run.beside(other) for run, other in zip(runs["service"], several)]
                self.beside[subject, what, connections] = [statistics.median(values) for values in zip(*pairs)]
                self.runs[subject, what, connections] = sorted(several, key=lambda run: run.rate)[len(several) // 2]

    def run(self, load, connections, process):
        service_before, database_before = process and process.cpu_ms(), self.database.cpu_ms()
        run = load(connections, self.options.seconds)
        run.database_cpu_ms = (self.database.cpu_ms() - database_before) / run.requests * 1000
        run.service_cpu_ms = (process.cpu_ms() - service_before) / run.requests * 1000 if process else 0.0
        return run


def table(measurements, subject, connection_counts):
    """The lines of a Markdown table: a row per database and number of connections."""
    yield f"### {SUBJECTS[subject]}\n"
    yardsticks = ["database"] if subject == "feedback" else ["constant", "database"]
    titles = {"constant": "constant route, per s", "database": "database alone, per s"}
    head = ["database", "connections", "per s", "p50 ms", "p99 ms", "CPU ms per 1000 in the service", "in PostgreSQL"]
    for yardstick in yardsticks:
        head += [titles[yardstick], "rate, p50, p99, CPU beside it"]
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
                if other:
                    rate, *costs = measurement.beside[subject, yardstick, connections]
                    cells += [f"{other.rate:,.0f}", ", ".join([f"{rate:.0%}", *(f"{cost:.1f}×" for cost in costs)])]
                else:
                    cells += ["–", "–"]
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
    program, constant = options.binary or found["debrief"], found["constant"]
    measurements = []
    for kind in options.databases:
        with stage.place(kind) as database:
            measurements.append(Measurement(options, program, constant, database))
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
