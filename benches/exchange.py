#!/usr/bin/env python3
"""Imports a large file and exports it again, and looks at the service's memory meanwhile.

Makes a CSV file of candidates, imports it as a job, exports what there is then, and compares. Prints the
resident memory before, at its peak during each, and after. Needs python3, and PostgreSQL's server for that
database; nothing from PyPI.
"""

import csv
import http.client
import io
import json
import pathlib
import threading
import time

import stage

KIND = "candidates"


def resident_mib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


class Peak:
    """The most resident memory that a process has while the `with` block runs."""

    def __init__(self, pid):
        self.pid, self.mib, self.done = pid, 0.0, threading.Event()

    def __enter__(self):
        self.watch = threading.Thread(target=self.look)
        self.start = time.monotonic()
        self.watch.start()
        return self

    def look(self):
        while not self.done.wait(0.1):
            self.mib = max(self.mib, resident_mib(self.pid))

    def __exit__(self, *_):
        self.done.set()
        self.watch.join()
        self.seconds = time.monotonic() - self.start


def file(rows):
    """A CSV file of so many candidates, piece by piece."""
    yield b"external_id,name,email,phone,time_zone\r\n"
    for first in range(0, rows, 1000):
        text = io.StringIO()
        writer = csv.writer(text)
        for number in range(first, min(first + 1000, rows)):
            writer.writerow([f"B{number}", f"Ada {number} Lindt", f"ada{number}@home.example", "+49 30 1234567", "Europe/Berlin"])
        yield text.getvalue().encode()


def upload(service, rows):
    """Sends the file, and returns the import's path."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=600)
    headers = {"Authorization": "Bearer " + service.token(), "Content-Type": "text/csv", "Prefer": "respond-async"}
    path = f"/v1/imports?kind={KIND}&external_system=bullhorn"
    connection.request("POST", path, file(rows), headers, encode_chunked=True)
    response = connection.getresponse()
    answer = response.read()
    if response.status != 202:
        raise SystemExit(f"the upload was answered with {response.status}: {answer.decode()}")
    return response.headers["Location"]


def wait_for(service, path):
    while True:
        state = json.loads(service.get_bytes(path))
        if state["state"] not in ("queued", "running"):
            return state
        time.sleep(0.5)


def download(service):
    """Reads the export, and returns its bytes and the rows of the import in it."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=600)
    headers = {"Authorization": "Bearer " + service.token(), "Accept": "text/csv"}
    connection.request("GET", f"/v1/exports/{KIND}?external_system=bullhorn", headers=headers)
    response = connection.getresponse()
    if response.status != 200:
        raise SystemExit(f"the export was answered with {response.status}: {response.read().decode()}")
    size = ours = 0
    mark, rest = b"@home.example,", b""
    while piece := response.read(1 << 20):
        size += len(piece)
        ours += (rest + piece).count(mark)
        rest = piece[1 - len(mark):]
    return size, ours


def main():
    parser = stage.parser(__doc__)
    parser.add_argument("--database", default="sqlite", choices=stage.DATABASES)
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    with stage.service(stage.program(options), options.database, 20) as (service, process, database):
        before = resident_mib(process.pid)
        with Peak(process.pid) as arriving:
            path = upload(service, options.rows)
        stage.note(f"the file has arrived after {arriving.seconds:.0f} s")
        with Peak(process.pid) as working:
            state = wait_for(service, path)
        stage.note(f"the rows were worked off after {working.seconds:.0f} s")
        with Peak(process.pid) as leaving:
            size, ours = download(service)
        after = resident_mib(process.pid)
        print(f"{stage.revision(options)}, {database.name}, {options.rows:,} rows: the file arrived in {arriving.seconds:.0f} s "
              f"(peak {arriving.mib:.0f} MiB), was worked off in {working.seconds:.0f} s (peak {working.mib:.0f} MiB), and "
              f"{size / 2**20:.0f} MiB were exported in {leaving.seconds:.0f} s (peak {leaving.mib:.0f} MiB); before "
              f"{before:.0f} MiB, after {after:.0f} MiB; the database has {database.size_mib():.0f} MiB.")
        if (state["state"], state["rows_created"], ours) != ("done", options.rows, options.rows):
            raise SystemExit(f"rows are missing: {state}, and {ours} in the export")


if __name__ == "__main__":
    main()
