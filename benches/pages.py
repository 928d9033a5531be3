#!/usr/bin/env python3
"""The last page of a long list against its first, in one run.

Fills a fresh database, finds cursors near the beginning and near the end of the worklist, and asks for
those pages in turn. The exit status tells whether the last page costs more than 1.5 times what the first
does. Needs python3, and PostgreSQL's server for that database; nothing from PyPI.
"""

import json
import statistics
import time

import stage

LISTS = [
    "/v1/debriefs?",
    "/v1/debriefs?sort=interviewed_at",
    "/v1/debriefs?sort=due_at",
    "/v1/debriefs?state=closed",
    "/v1/debriefs?updated_since=2000-01-01T00:00:00Z",
    "/v1/candidates?",
    "/v1/events?",
]
BOUND = 1.5


def cursors(service, path):
    """The cursors of the second page and of the last one that is full, and how many rows were walked."""
    first = last = None
    cursor, rows, separator = "", 0, "" if path.endswith("?") else "&"
    while True:
        page = json.loads(service.get_bytes(f"{path}{separator}limit=200" + (cursor and f"&cursor={cursor}")))
        rows += len(page["data"])
        following = page["next_cursor"]
        if following is None:
            return first, last, rows
        if cursor:
            first, last = first or cursor, cursor
        cursor = following


def millis(service, path):
    start = time.perf_counter()
    service.get_bytes(path)
    return (time.perf_counter() - start) * 1000


def compare(service, path, rounds):
    """The middle time of the first page and of the last, asked for in turn; None if there are too few."""
    first, last, rows = cursors(service, path)
    if first is None:
        return rows, None, None
    bare = path.partition("?")[0]
    paths = [f"{bare}?limit=200&cursor={cursor}" for cursor in (first, last)]
    times = [[], []]
    for number in range(rounds + 5):
        for which in (0, 1):
            taken = millis(service, paths[which])
            if number >= 5:
                times[which].append(taken)
    return rows, *map(statistics.median, times)


def main():
    parser = stage.parser(__doc__)
    parser.add_argument("--databases", default="sqlite,postgres")
    parser.add_argument("--debriefs", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    program, worst = stage.program(options), 0.0
    print(f"{stage.revision(options)}, {options.debriefs:,} debriefs, pages of 200 rows, the middle of {options.rounds}.\n")
    print("| database | list | rows | second page, ms | last full page, ms | ratio |\n| --- | --- | ---: | ---: | ---: | ---: |")
    for kind in options.databases.split(","):
        with stage.service(program, kind, options.debriefs) as (service, _, database):
            for path in LISTS:
                stage.note(f"{database.name}: {path}")
                rows, first, last = compare(service, path, options.rounds)
                told = "– | – | –"
                if first is not None:
                    worst = max(worst, last / first)
                    told = f"{first:.2f} | {last:.2f} | {last / first:.2f}"
                print(f"| {database.name} | `{path.rstrip('?')}` | {rows:,} | {told} |", flush=True)
    print(f"\nAt the most {worst:.2f} times, and {BOUND} are allowed.")
    raise SystemExit(worst > BOUND)


if __name__ == "__main__":
    main()
