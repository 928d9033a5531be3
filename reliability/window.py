#!/usr/bin/env python3
"""Measures for how long it cannot be known whether a message has arrived: from the mark of its commit point to the
answer of the mail server in the database. A death in between makes it unconfirmed; no other moment does.

Triggers in the database note when either is written. A message's two moments are taken alike, each just before its
commit, so their distance is that of the commits. SQLite's clock has a resolution of a millisecond.

Needs python3, Postfix, PostgreSQL's server, and root.
"""

import argparse
import statistics

from trial import DATABASES, Trial, common_arguments, settle

# Where the triggers write: the delivery, and the seconds at which it was marked and settled.
TABLE = "CREATE TABLE doubts (delivery {blob} PRIMARY KEY, marked {number}, settled {number})"
MARK = "INSERT INTO doubts (delivery, marked) VALUES (NEW.id, {now})"
SETTLE = "UPDATE doubts SET settled = {now} WHERE delivery = NEW.id"
MARKED = "NEW.transmitting AND NOT OLD.transmitting"
SETTLED = "OLD.state = 'sending' AND NEW.state = 'sent'"

MOMENTS = [("marked", MARKED, MARK), ("settled", SETTLED, SETTLE)]

SQLITE = [
    TABLE.format(blob="BLOB", number="REAL"),
    *(f"CREATE TRIGGER doubt_{name} AFTER UPDATE ON deliveries WHEN {condition} "
      f"BEGIN {statement}; END".format(now="julianday('now') * 86400")
      for name, condition, statement in MOMENTS),
]
POSTGRES = [
    TABLE.format(blob="UUID", number="DOUBLE PRECISION"),
    *(f"CREATE FUNCTION doubt_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {statement}; RETURN NULL; END $$; "
      f"CREATE TRIGGER doubt_{name} AFTER UPDATE ON deliveries FOR EACH ROW WHEN ({condition}) "
      f"EXECUTE FUNCTION doubt_{name}()".format(now="extract(epoch FROM clock_timestamp())")
      for name, condition, statement in MOMENTS),
]
TRIGGERS = {"sqlite": SQLITE, "postgres": POSTGRES}

# How the notes come: from how many writers, and how long each rests after a note.
LOADS = {"one note at a time": (1, 0.05), "as fast as three writers can": (3, 0.0)}


def measure(options, database, writers, rest_seconds):
    """The doubts of one run, in milliseconds."""
    with Trial(options, database, MAIL__RELAY__WORKERS=8, MAIL__SMTP__MAX_CONNECTIONS=8) as trial:
        trial.service.start()
        for statement in TRIGGERS[database]:
            trial.records.run(statement)
        stream = trial.stream(options.notes, writers=writers, rest_seconds=rest_seconds, recalled_share=0)
        stream.start()
        stream.join()
        trial.records.drain(trial.mail)
        rows = trial.records.rows("SELECT settled - marked FROM doubts WHERE settled IS NOT NULL")
        trial.service.stop()
        return [float(seconds) * 1000 for [seconds] in rows]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--databases", default=",".join(DATABASES))
    parser.add_argument("--notes", type=int, default=1000, help="for each database and load")
    common_arguments(parser)
    options = parser.parse_args()
    settle(options)
    print("| database | notes come | messages | p50 ms | p99 ms | longest ms |\n| --- | --- | ---: | ---: | ---: | ---: |")
    for database in options.databases.split(","):
        for load, (writers, rest_seconds) in LOADS.items():
            doubts = measure(options, database, writers, rest_seconds)
            cuts = statistics.quantiles(doubts, n=100)
            print(f"| {DATABASES[database].name} | {load} | {len(doubts)} | {cuts[49]:.1f} | {cuts[98]:.1f} | "
                  f"{max(doubts):.1f} |", flush=True)


if __name__ == "__main__":
    main()
