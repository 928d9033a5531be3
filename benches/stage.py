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
    return options.binary or built("--bin", "debrief")["debrief"]


def built(*targets):
    """Builds these targets, and says where each is."""
    command = ["cargo", "build", "--release", "--locked", *targets, "--message-format", "json"]
    output = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    items = [json.loads(line) for line in output.splitlines()]
    return {item["target"]["name"]: item["executable"] for item in items if item.get("executable")}


@contextlib.contextmanager
def place(kind):
    """A folder with a fresh database of this kind, until the `with` block ends; yields the database."""
    with tempfile.TemporaryDirectory(prefix="debrief-bench-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)  # the users of PostgreSQL and Postfix have to get to their folders inside
        database = DATABASES[kind](folder)
        try:
            yield database
        finally:
            database.stop()


def environment(database, **settings):
    """What the service is set to on a database; `settings` go over it."""
    return {
        **os.environ,
        "DEBRIEF__DATABASE__URL": database.url,
        "DEBRIEF__SERVER__DATA_DIR": str(database.folder),
        "DEBRIEF__SERVER__METRICS": "off",
        # One credential asks for everything.
        "DEBRIEF__RATE_LIMITS__CREDENTIAL__REQUESTS": "0",
        "DEBRIEF__MAIL__TRANSPORT": "discard",
        "DEBRIEF_DEMO_PASSWORD": PASSWORD,
        **settings,
    }


def fill(program, debriefs, settings, *more):
    """Fills the database of these settings with so many debriefs."""
    command = [program, "demo-data", "--seed", "1", "--debriefs", str(debriefs), *more]
    subprocess.run(command, env=settings, check=True, stdout=subprocess.DEVNULL)


@contextlib.contextmanager
def service(program, kind, debriefs, **settings):
    """Runs the service on a database of this kind with so many debriefs; yields it, its process and the
    database. `settings` go into its environment."""
    with place(kind) as database:
        port = free_port()
        # Nothing that was filled in is forgotten meanwhile.
        keep = {"DEBRIEF__SERVER__PORT": str(port), "DEBRIEF__EVENTS__RETENTION_DAYS": "0"}
        settings = environment(database, **keep, **settings)
        note(f"{database.name}: filling {debriefs} debriefs")
        fill(program, debriefs, settings)
        database.settle()
        with Process([program], settings, database.folder / "server.log") as process:
            running = Service(port)
            running.wait_until_ready(process)
            yield running, process, database


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
