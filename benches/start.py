#!/usr/bin/env python3
"""How long the released service takes from its start to its first answer, and what it holds when it is idle.

Starts it several times on a SQLite database with a few debriefs, with the HTTP threads that it has by default, and
reads its resident memory six seconds later, and again after some people have signed in at once. The exit status
tells whether every start was answered within 300 ms, with at most 40 MiB resident before. Needs python3; nothing
from PyPI.
"""

import concurrent.futures
import os
import time
import urllib.error
import urllib.request

import stage
from api import Service
from processes import Process, free_port, memory_mib

MOST_MS = 300
MOST_MIB = 40
IDLE_SECONDS = 6
SIGN_INS = 8


def first_answer_ms(process, port):
    """From the start of the process to a good answer of `/readyz`."""
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).read()
            return (time.monotonic() - process.started) * 1000
        except (urllib.error.URLError, ConnectionError):
            process.must_be_alive()
            time.sleep(0.001)


def idle(process):
    """Resident memory in MiB after a while without requests, and how much of it is the process's own."""
    time.sleep(IDLE_SECONDS)
    return memory_mib(process.pid, "VmRSS"), memory_mib(process.pid, "RssAnon")


def main():
    parser = stage.parser(__doc__)
    parser.add_argument("--starts", type=int, default=5)
    options = parser.parse_args()
    program = stage.program(options)
    kept = True
    with stage.place("sqlite") as database, concurrent.futures.ThreadPoolExecutor(SIGN_INS) as people:
        stage.fill(program, 20, stage.environment(database))
        for _ in range(options.starts):
            port = free_port()
            environment = stage.environment(database, DEBRIEF__SERVER__PORT=str(port))
            with Process([program], environment, database.folder / "server.log") as process:
                taken = first_answer_ms(process, port)
                whole, own = idle(process)
                list(people.map(lambda _: Service(port).token(), range(SIGN_INS)))
                whole_then, own_then = idle(process)
            kept &= taken <= MOST_MS and whole <= MOST_MIB
            print(f"first answer after {taken:.0f} ms; idle with {whole:.1f} MiB resident, {own:.1f} of its own; after "
                  f"{SIGN_INS} sign-ins {whole_then:.1f} and {own_then:.1f}", flush=True)
    print(f"{stage.revision(options)}; {os.cpu_count()} cores.")
    raise SystemExit(0 if kept else 1)


if __name__ == "__main__":
    main()
