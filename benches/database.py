"""A fresh database to measure on, and PostgreSQL's own speed as a yardstick."""

import pathlib
import subprocess
import uuid

from account import variables
from processes import cluster_cpu_ms
from run import pgbench

HERE = pathlib.Path(__file__).resolve().parent
POSTGRES = HERE.parent / ".ci/postgres"
# A prepared statement takes every client for an average one and sorts all its rows; along the index
# the busy ones, which are measured, are found at once. The yardstick gets the better plan.
SETTINGS = {"worklist": ["enable_sort=off", "enable_bitmapscan=off", "enable_hashjoin=off"]}
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


class Sqlite:
    """SQLite in a file."""

    name = "SQLite"

    def __init__(self, folder):
        self.folder = folder
        self.url = f"sqlite://{folder}/debrief.sqlite3"

    def settle(self):
        pass

    def cpu_ms(self):
        return 0.0  # it is part of the service's

    def size_mib(self):
        return sum(path.stat().st_size for path in self.folder.glob("debrief.sqlite3*")) / 2**20

    def stop(self):
        pass


class Postgres:
    """PostgreSQL in a cluster of its own."""

    name = "PostgreSQL"

    def __init__(self, folder, settings=("-c", "shared_buffers=512MB", "-c", "max_wal_size=4GB")):
        self.folder, self.cluster = folder, folder / "postgres"
        self.url = subprocess.run(
            [POSTGRES, "start", self.cluster, *settings], check=True, stdout=subprocess.PIPE, text=True
        ).stdout.strip()

    def psql(self, statements):
        command = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", self.url]
        return subprocess.run(command, input=statements, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

    def settle(self):
        """Makes statistics, and does now what the background would do during the measurement."""
        self.psql("VACUUM ANALYZE")
        self.psql("CHECKPOINT")

    def cpu_ms(self):
        return cluster_cpu_ms(self.cluster / "data")

    def size_mib(self):
        return int(self.psql("SELECT pg_database_size(current_database())")) / 2**20

    def stop(self):
        subprocess.run([POSTGRES, "stop", self.cluster], check=True)

    def number_rows(self, people):
        """Makes the lists that the scripts of pgbench pick from; `people` are lines as in feedback.lua."""
        rows = []
        for number, line in enumerate(people, 1):
            debrief, person = line.split()
            contact = r"\N" if person == "candidate" else to_uuid(person)
            rows.append(f"{number}\t{to_uuid(debrief)}\t{contact}")
        self.psql("CREATE TABLE bench_listed (n INTEGER NOT NULL, debrief_id UUID NOT NULL, contact_id UUID)")
        self.psql("COPY bench_listed FROM STDIN;\n" + "\n".join(rows) + "\n\\.\n")
        self.psql((HERE / "sql/prepare.sql").read_text())
        self.counts = {
            "debriefs": int(self.psql("SELECT count(*) FROM bench_debriefs")),
            "clients": int(self.psql("SELECT count(*) FROM bench_clients")),
        }
        self.people = int(self.psql("SELECT count(*) FROM bench_people"))
        self.settle()

    def alone(self, subject, connections, seconds):
        """The same request by pgbench; the rows are as before afterwards."""
        account = variables() if subject == "feedback" else {}
        run = pgbench(self.url, subject, connections, seconds, self.folder, SETTINGS.get(subject, []),
                      **self.counts, **account, turn=0, clients_at_once=connections)
        if subject == "feedback":
            self.psql((HERE / "sql/feedback-reset.sql").read_text())
            if run.requests > self.people - connections:
                raise SystemExit(f"pgbench had only {self.people} people to write for: use more --people")
        return run


def to_uuid(type_id):
    """The UUID of a TypeID: base 32 after the last underscore."""
    number = 0
    for character in type_id.rpartition("_")[2]:
        number = number * 32 + ALPHABET.index(character)
    return uuid.UUID(int=number)
