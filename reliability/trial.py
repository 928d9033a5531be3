"""A service with a database and a mail server of its own, and a stream of notes through it."""

import contextlib
import pathlib
import random
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "benches"))

from postfix import Postfix
from reconcile import reconcile
from records import DATABASES
from service import Caller, Service
from stream import Stream


def note(text):
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


class Trial:
    """Everything that a test needs, in a folder that is removed at the end."""

    def __init__(self, options, database, *, command="serve", server=Postfix, mail=None, **settings):
        self.options, self.database, self.command = options, database, command
        self.server, self.mail_options, self.settings = server, mail or {}, settings

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="debrief-trial-")))
            self.folder.chmod(0o755)  # other users have to get to their folders inside
            self.data = self.make_data_folder(stack)
            self.records = DATABASES[self.database](self.data)
            stack.callback(self.records.stop)
            self.mail = stack.enter_context(self.server(self.folder / "mail", **self.mail_options))
            self.service = self.another(self.command)
            stack.callback(self.service.kill)
            self.service.found_agency()
            self.caller = Caller(self.service.port)
            self.at_the_end = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.at_the_end.close()

    def make_data_folder(self, _):
        return self.folder

    def another(self, command, **settings):
        """A service on the same database, which is not started yet."""
        return Service(self.options.binary, self.folder, self.data, self.records.url, self.mail, command=command,
                       **{**self.settings, **settings})

    def stream(self, notes, **options):
        stream = Stream(self.caller, notes, self.options.seed, **options)
        stream.prepare()
        return stream

    def reconcile(self, stream):
        self.records.drain(self.mail)
        return reconcile(self.records, self.mail.copies(), stream.promises, self.caller)

    def resolve(self):
        """Decides every doubt as a recruiter would who has looked into the mailbox. Answers how many of the
        notes that were sent have not arrived exactly once in the end."""
        copies = self.mail.copies()
        for shown in list(self.caller.all_of("/v1/notes?delivery_state=unconfirmed")):
            for delivery in shown["deliveries"]:
                if delivery["state"] == "unconfirmed":
                    arrived = copies[delivery["message_id"].strip("<>")] > 0
                    resolution = {"resolution": "sent" if arrived else "resend"}
                    # 409: the note was recalled meanwhile, and is not sent again.
                    self.caller.post(f"/v1/deliveries/{delivery['id']}/resolve", resolution, accept=[409])
        self.records.drain(self.mail)
        copies = self.mail.copies()
        sent = [delivery for delivery in self.records.deliveries().values() if delivery.state == "sent"]
        return sum(copies[delivery.message_id] != 1 for delivery in sent)


def common_arguments(parser):
    """What every program here can be told."""
    parser.add_argument("--seed", help="makes the instants and recalls the same as in another run")
    parser.add_argument("--binary", help="use this program instead of building one; it must have failpoints if "
                                         "they are used")


def settle(options, failpoints=False):
    """Fills in what was not given: a seed, and a program, which is built."""
    options.seed = options.seed or str(random.randrange(10**6))
    note(f"seed {options.seed}")
    if not options.binary:
        kind = ["--features", "failpoints"] if failpoints else ["--release"]
        subprocess.run(["cargo", "build", "--locked", "--bin", "debrief", *kind], cwd=ROOT, check=True)
        options.binary = ROOT / "target" / ("debug" if failpoints else "release") / "debrief"


def tell(found):
    """Prints what a reconciliation has found."""
    print("  " + ", ".join(f"{count} {state}" for state, count in sorted(found.states.items()))
          + f"; of the unconfirmed {found.arrived} had arrived and {found.missing} had not")
    print(f"  lost: {len(found.lost)}, sent twice: {len(found.duplicates)}, doubts that were put to nobody: "
          f"{len(found.hidden)}, otherwise wrong: {len(found.wrong)}")
    for line in found.complaints():
        print(f"  {line}")
    sys.stdout.flush()
