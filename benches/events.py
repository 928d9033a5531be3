#!/usr/bin/env python3
"""Eight writers and four readers of the change feed on PostgreSQL, for a minute.

Each reader follows the feed from the event at which it began. Afterwards: no event is missing, none came
twice, none out of the order in which its writer wrote, and all readers saw the same order. The exit status
says so. Needs python3 and PostgreSQL's server; nothing from PyPI.
"""

import json
import threading
import time

import stage


def write(service, until, made, failures):
    """Makes a client and changes it, again and again; notes its id after each."""
    number = 0
    try:
        while time.monotonic() < until:
            number += 1
            client = json.loads(service.call("POST", "/v1/clients", {"name": f"Client {number}"}))["id"]
            made.append((client, 1))
            service.call("PATCH", f"/v1/clients/{client}", {"notes": str(number)})
            made.append((client, 2))
    except SystemExit as failure:
        failures.append(str(failure))


def read(service, after, done, seen, failures):
    """Follows the feed until nothing comes any more after the writers are done."""
    try:
        while True:
            finished = done.is_set()
            page = json.loads(service.get_bytes(f"/v1/events?limit=200&after={after}"))["data"]
            seen += [(event["id"], event["data"]["id"], event["data"].get("version")) for event in page]
            if page:
                after = page[-1]["id"]
            elif finished:
                return
            else:
                time.sleep(0.005)
    except SystemExit as failure:
        failures.append(str(failure))


def last_event(service):
    after = ""
    while True:
        page = json.loads(service.get_bytes("/v1/events?limit=200" + (after and f"&after={after}")))["data"]
        if not page:
            return after
        after = page[-1]["id"]


def faults(made_by, seen_by):
    """What is wrong, in sentences."""
    made = {change for writer in made_by for change in writer}
    for number, seen in enumerate(seen_by, 1):
        changes = [change for _, *change in seen]
        changes = [tuple(change) for change in changes]
        if len(set(changes)) != len(changes):
            yield f"reader {number} saw {len(changes) - len(set(changes))} events twice"
        if set(changes) != made:
            yield f"reader {number} missed {len(made - set(changes))} events, and saw {len(set(changes) - made)} that nobody wrote"
        place = {change: at for at, change in enumerate(changes)}
        for writer in made_by:
            places = [place.get(change, -1) for change in writer]
            if places != sorted(places):
                yield f"reader {number} saw events of a writer out of order"
        if [event for event, *_ in seen] != [event for event, *_ in seen_by[0]]:
            yield f"reader {number} saw another order than reader 1"


def main():
    parser = stage.parser(__doc__)
    parser.add_argument("--database", default="postgres", choices=stage.DATABASES)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--readers", type=int, default=4)
    options = parser.parse_args()
    with stage.service(stage.program(options), options.database, 20) as (service, _, database):
        start, done, failures = last_event(service), threading.Event(), []
        made_by = [[] for _ in range(options.writers)]
        seen_by = [[] for _ in range(options.readers)]
        stage.note(f"{database.name}: {options.writers} writers and {options.readers} readers for {options.seconds} s")
        until = time.monotonic() + options.seconds
        writers = [threading.Thread(target=write, args=(service, until, made, failures)) for made in made_by]
        readers = [threading.Thread(target=read, args=(service, start, done, seen, failures)) for seen in seen_by]
        for thread in [*writers, *readers]:
            thread.start()
        for thread in writers:
            thread.join()
        done.set()
        for thread in readers:
            thread.join()
    found = [*failures, *faults(made_by, seen_by)]
    print(f"{stage.revision(options)}, {database.name}: {sum(map(len, made_by))} events by {options.writers} writers in "
          f"{options.seconds} s; {options.readers} readers saw {', '.join(str(len(seen)) for seen in seen_by)}.")
    print("\n".join(found) or "None was missed, none came twice, none came out of order.")
    raise SystemExit(bool(found))


if __name__ == "__main__":
    main()
