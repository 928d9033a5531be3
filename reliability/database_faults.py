#!/usr/bin/env python3
"""Lets the database fail while notes are relayed, and holds what is left against the mailboxes.

PostgreSQL is restarted at once, as after a crash, with the disk waited for as always. SQLite's disk is filled to
the brim and freed again. What was acknowledged must be there, and the relay must go on by itself.

docs/reliability.md says what is promised. Needs python3, Postfix, PostgreSQL's server, and root.
"""

import argparse
import random
import resource
import signal
import subprocess
import sys
import time

from trial import DATABASES, ROOT, Trial, common_arguments, note, settle, tell

SMALL_DISK_MIB = 64
BLOCK = bytes(64 * 1024)
# The service tries again after so long, at the most, to write down what came of an attempt.
LONGEST_WRITE_WAIT_SECONDS = 20


class FullDisk(Trial):
    """A trial whose database is on a small disk of its own; where none can be mounted, no file may grow."""

    def make_data_folder(self, stack):
        disk = self.folder / "disk"
        disk.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_MIB}m,mode=755", "debrief-trial", disk]
        self.is_mounted = subprocess.run(mount, stderr=subprocess.DEVNULL).returncode == 0
        if self.is_mounted:
            stack.callback(subprocess.run, ["umount", "--lazy", disk], check=True)
        else:
            note("no disk can be mounted: the size of files is limited instead")
            # Then a write fails, as on a full disk, and is not the end of the process.
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        return disk

    def fail(self, dice):
        """Leaves no room for a while."""
        if self.is_mounted:
            self.fill(dice)
            return
        small = 4096, resource.RLIM_INFINITY
        before = resource.prlimit(self.service.process.pid, resource.RLIMIT_FSIZE, small)
        time.sleep(dice.uniform(1, 3))
        resource.prlimit(self.service.process.pid, resource.RLIMIT_FSIZE, before)

    def fill(self, dice):
        ballast = self.data / "ballast"
        with ballast.open("wb", buffering=0) as file:
            try:
                while file.write(BLOCK) == len(BLOCK):
                    pass
            except OSError:
                pass  # it is full to the last page
            time.sleep(dice.uniform(1, 3))
        ballast.unlink()


class Restart(Trial):
    """A trial whose database is restarted."""

    def fail(self, dice):
        """Ends PostgreSQL without a word to anybody; it starts again from its log of changes."""
        subprocess.run([ROOT / ".ci/postgres", "restart", self.records.cluster], check=True, stdout=subprocess.DEVNULL)
        time.sleep(dice.uniform(0, 1))


KINDS = {"sqlite": FullDisk, "postgres": Restart}


def is_sound(options, database):
    dice = random.Random(f"{options.seed}-{database}")
    settings = {"MAIL__RELAY__WORKERS": 8, "MAIL__SMTP__MAX_CONNECTIONS": 8, "DATABASE__ACQUIRE_TIMEOUT_SECONDS": 1}
    with KINDS[database](options, database, **settings) as trial:
        trial.service.start()
        stream = trial.stream(options.notes)
        stream.start()
        began = time.monotonic()
        for number in range(options.faults):
            target = options.notes * (number + dice.random()) / options.faults
            while stream.promises.approvals < target and stream.is_under_way():
                time.sleep(0.001)
            trial.fail(dice)
        stream.join()
        if trial.service.has_died():
            raise SystemExit(f"the service did not live through it; its log is {trial.service.log}")
        # The service has lived, and so knows what the mail server said: it writes that down as soon as it can, even
        # where its lease has ended meanwhile and the recruiter was asked.
        trial.records.drain(trial.mail)
        deadline = time.monotonic() + LONGEST_WRITE_WAIT_SECONDS
        while trial.records.count("deliveries", "state = 'unconfirmed'") and time.monotonic() < deadline:
            time.sleep(0.2)
        found = trial.reconcile(stream)
        if unsure := found.states["unconfirmed"]:
            found.wrong.append(f"{unsure} stayed in doubt, although whoever had sent them knew")
        print(f"{trial.records.name}: {options.faults} faults in {time.monotonic() - began:.0f} s; "
              f"{len(stream.promises.notes)} notes to {sum(found.states.values())} contacts; "
              f"{trial.caller.unanswered} requests were asked again; {found.attempts} attempts")
        tell(found)
        trial.service.stop()
        return found.is_sound()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--databases", default=",".join(DATABASES))
    parser.add_argument("--faults", type=int, default=10, help="for each database")
    parser.add_argument("--notes", type=int, default=500, help="for each database")
    common_arguments(parser)
    options = parser.parse_args()
    settle(options)
    sound = [is_sound(options, database) for database in options.databases.split(",")]
    sys.exit(0 if all(sound) else 1)


if __name__ == "__main__":
    main()
