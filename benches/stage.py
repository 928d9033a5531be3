"""A released service on a fresh database, for measurements that look at one thing."""

import argparse
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from api import PASSWORD, Service
from database import Postgres, Sqlite
from processes import Process, free_port

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATABASES = {"sqlite": Sqlite, "postgres": Postgres}


def note(text):
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def program(options):
    """The service that the options name, or else the one that is built here."""
    return options.binary or build()


def build():
    """Builds the service, and says where it is."""
    command = ["cargo", "build", "--release", "--locked", "--bin", "debrief", "--message-format", "json"]
    output = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    items = [json.loads(line) for line in output.splitlines()]
    return next(item["executable"] for item in items if item.get("executable"))


@contextlib.contextmanager
def service(program, kind, debriefs, **settings):
    """Runs the service on a database of this kind with so many debriefs; yields it, its process and the
    database. `settings` go into its environment."""
    with tempfile.TemporaryDirectory(prefix="debrief-bench-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)  # PostgreSQL's user has to get to its folder inside
        database = DATABASES[kind](folder)
        try:
            port = free_port()
            environment = {
                **os.environ,
                "DEBRIEF__DATABASE__URL": database.url,
                "DEBRIEF__SERVER__DATA_DIR": str(folder),
                "DEBRIEF__SERVER__METRICS": "off",
                "DEBRIEF__SERVER__PORT": str(port),
                # One credential asks for everything.
                "DEBRIEF__RATE_LIMITS__CREDENTIAL__REQUESTS": "0",
                "DEBRIEF__MAIL__TRANSPORT": "discard",
                # Nothing that was filled in is forgotten meanwhile.
                "DEBRIEF__EVENTS__RETENTION_DAYS": "0",
                "DEBRIEF_DEMO_PASSWORD": PASSWORD,
                **settings,
            }
            note(f"{database.name}: filling {debriefs} debriefs")
            command = [program, "demo-data", "--seed", "1", "--debriefs", str(debriefs)]
            subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
            database.settle()
            with Process([program], environment, folder / "server.log") as process:
                running = Service(port)
                running.wait_until_ready(process)
                yield running, process, database
        finally:
            database.stop()


def revision(options):
    """What was measured."""
    if options.binary:
        return options.binary
    found = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True)
    return "Revision " + found.stdout.strip()


def parser(description):
    """The options that every measurement has."""
    options = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--binary", help="a service that was built already")
    return options
