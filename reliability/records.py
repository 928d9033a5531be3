"""The database as the service leaves it: what became of each delivery, and of each attempt."""

import collections
import dataclasses
import sqlite3
import time

import database

# What is not at its end yet.
UNDER_WAY = "state IN ('queued', 'deferred', 'sending')"


@dataclasses.dataclass
class Delivery:
    """One message to one contact, with its attempts."""

    id: str
    note: str
    state: str
    transmitting: bool
    message_id: str
    reply: str | None
    attempts: list = dataclasses.field(default_factory=list)


# `finished`, in seconds, and `outcome` are none while it runs.
Attempt = collections.namedtuple("Attempt", "host finished outcome")


def is_true(text):
    return text in ("1", "t")


class Records:
    """What both databases are asked."""

    def deliveries(self):
        """Every delivery by its id."""
        rows = self.rows(f"SELECT {self.hex('id')}, {self.hex('note_id')}, state, transmitting, message_id, last_text "
                         "FROM deliveries")
        found = {
            id: Delivery(id, note, state, is_true(transmitting), message_id.strip("<>"), reply)
            for id, note, state, transmitting, message_id, reply in rows
        }
        for (id, _), attempt in self.attempts().items():
            found[id].attempts.append(attempt)
        return found

    def attempts(self):
        """Every attempt by its delivery and number, the first of each delivery first."""
        rows = self.rows(f"SELECT {self.hex('delivery_id')}, number, host, {self.seconds('finished_at')}, outcome "
                         "FROM delivery_attempts ORDER BY number")
        return {(id, number): Attempt(host, finished and float(finished), outcome)
                for id, number, host, finished, outcome in rows}

    def count(self, table, condition="true"):
        return int(self.rows(f"SELECT count(*) FROM {table} WHERE {condition}")[0][0])

    def under_way(self):
        """The attempts that a worker is at, by delivery and number, each with whether it is past the commit
        point."""
        rows = self.rows(f"SELECT {self.hex('id')}, attempts, transmitting FROM deliveries WHERE state = 'sending'")
        return {(id, number): is_true(transmitting) for id, number, transmitting in rows}

    def is_drained(self):
        return self.count("deliveries", UNDER_WAY) == 0

    def hurry(self):
        """Lets the waits of all deferred deliveries be over: a retry comes a minute later at the earliest."""
        self.run(f"UPDATE deliveries SET next_attempt_at = {self.now()} WHERE state = 'deferred'")

    def drain(self, mail, patience_seconds=120):
        """Waits until nothing is under way; gives up with a word if that never comes."""
        deadline = time.monotonic() + patience_seconds
        while not self.is_drained() and time.monotonic() < deadline:
            self.hurry()
            time.sleep(0.1)
        if not self.is_drained():
            raise SystemExit(f"{self.count('deliveries', UNDER_WAY)} deliveries never come to an end")
        mail.wait_until_delivered()


class Sqlite(Records, database.Sqlite):
    """SQLite in a file."""

    def rows(self, statement):
        return [[None if value is None else str(value) for value in row] for row in self.run(statement)]

    def run(self, statement):
        connection = sqlite3.connect(self.folder / "debrief.sqlite3", timeout=60, isolation_level=None)
        try:
            return connection.execute(statement).fetchall()
        finally:
            connection.close()

    def let_go(self):
        """A dead service has let go of it already."""

    @staticmethod
    def hex(column):
        return f"lower(hex({column}))"

    @staticmethod
    def seconds(column):
        return f"{column} / 1e6"

    @staticmethod
    def now():
        return time.time_ns() // 1000


class Postgres(Records, database.Postgres):
    """PostgreSQL in a cluster of its own, which waits for the disk as it does by default."""

    def __init__(self, folder):
        super().__init__(folder, [])

    def rows(self, statement):
        text = self.psql(f"\\pset fieldsep '\\t'\n\\pset null '\\\\N'\n{statement};")
        return [[None if cell == r"\N" else cell for cell in line.split("\t")] for line in text.splitlines()]

    def run(self, statement):
        self.psql(statement)

    def let_go(self):
        """Waits until what a dead service had asked for is done: the server may still be committing it."""
        others = "backend_type = 'client backend' AND pid <> pg_backend_pid()"
        while self.count("pg_stat_activity", others):
            time.sleep(0.005)

    @staticmethod
    def hex(column):
        return f"replace({column}::text, '-', '')"

    @staticmethod
    def seconds(column):
        return f"extract(epoch FROM {column})"

    @staticmethod
    def now():
        return "now()"


DATABASES = {"sqlite": Sqlite, "postgres": Postgres}
