#!/usr/bin/env python3
"""Lets Postfix's smtp-sink misbehave at every step of the conversation, and looks where the note ends.

For each fault a note is relayed to an smtp-sink that hangs up, answers 421, 4xx or 5xx, or says nothing, at one step.
Afterwards the service is started again beside an smtp-sink that takes everything, and only what certainly had not
left, and may still be wanted, goes there.

docs/reliability.md says what is promised. Needs python3, Postfix, and PostgreSQL's server.
"""

import argparse
import sys
import time

from trial import DATABASES, Trial, common_arguments, settle

from mail import Sink
from processes import free_port

BEFORE_THE_MESSAGE = ["CONNECT", "EHLO"]
ABOUT_THE_MESSAGE = ["MAIL", "RCPT", "DATA"]
BEFORE_THE_DOT = BEFORE_THE_MESSAGE + ABOUT_THE_MESSAGE
DOT = ["."]

# What it does, how smtp-sink is told, at which steps, and where the note is then.
FAULTS = [
    ("hangs up", ["-q", "{}"], BEFORE_THE_DOT, "deferred"),
    ("hangs up", ["-q", "{}"], DOT, "unconfirmed"),
    ("answers 421 and hangs up", ["-Q", "{}"], BEFORE_THE_DOT + DOT, "deferred"),
    ("answers 4xx", ["-r", "{}"], BEFORE_THE_DOT + DOT, "deferred"),
    # Who turns everybody away at the door says nothing about this message.
    ("answers 5xx", ["-f", "{}"], BEFORE_THE_MESSAGE, "deferred"),
    ("answers 5xx", ["-f", "{}"], ABOUT_THE_MESSAGE + DOT, "failed"),
    # Silence after the dot is waited out for ten minutes: tests/api/relay/peers.rs has it with less patience.
    ("says nothing", ["-p", "-W", "{}:3600"], BEFORE_THE_DOT, "deferred"),
    # Of several commands at once it passes over one, and answers those behind it.
    ("answers the next ones", ["-W", "{}:3600"], ["MAIL", "RCPT"], "deferred"),
]
# What a good peer makes of it: the state, and how many copies it gets.
AT_LAST = {"deferred": ("sent", 1), "unconfirmed": ("unconfirmed", 0), "failed": ("failed", 0)}
PATIENCE_SECONDS = 60
# Longer than it takes until the relay has looked at everything: its poll and its sweep come every second.
REST_SECONDS = 2.5
# Where an attempt ends that a fault stops at a step. Of commands that went out together the first one may have been
# answered or not.
STEPS = {
    "CONNECT": {"connect", "greeting"}, "EHLO": {"greeting"}, "MAIL": {"mail"}, "RCPT": {"mail", "recipient"},
    "DATA": {"mail", "recipient", "data"}, ".": {"content"},
}


class Sinks:
    """smtp-sinks on one port, one after the other."""

    def __init__(self, folder):
        self.folder, self.port, self.sink = folder, free_port(), None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self, *options):
        self.stop()
        self.sink = Sink(self.folder.parent, "sink", port=self.port, options=options)
        self.sink.__enter__()

    def stop(self):
        if self.sink:
            self.sink.__exit__()
            self.sink = None

    def messages(self):
        """How many messages the present one has taken."""
        return self.sink.messages()


def wait_for(trial, delivery, states):
    """Waits until a delivery is in one of some states; answers in which one, or None."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        state = trial.records.deliveries()[delivery].state
        if state in states:
            return state
        if "deferred" not in states:
            trial.records.hurry()
        time.sleep(0.05)
    return None


def try_out(trial, stream, options):
    """Sends a note to a bad peer, and then to a good one if it still goes out. Answers where it was, at which steps it was
    stopped, how many copies the bad one has, where it ended, and how many copies the good one has."""
    trial.mail.start(*options)
    trial.service.start()
    before = set(trial.records.deliveries())
    order, contacts = stream.sides[0]
    stream.note(stream.interview(order, contacts)["debrief_id"], contacts[:1])
    [delivery] = set(trial.records.deliveries()) - before
    first = wait_for(trial, delivery, ["deferred", "unconfirmed", "failed", "sent"])
    trial.service.stop()
    rows = trial.records.rows("SELECT step FROM delivery_attempts "
                              f"WHERE {trial.records.hex('delivery_id')} = '{delivery}' ORDER BY number")
    steps, taken = [step for [step] in rows], trial.mail.messages()
    trial.mail.start()
    trial.service.start()
    wait_for(trial, delivery, ["unconfirmed", "failed", "sent"])
    time.sleep(REST_SECONDS)
    trial.service.stop()
    return first, steps, taken, trial.records.deliveries()[delivery].state, trial.mail.messages()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--databases", default=",".join(DATABASES))
    common_arguments(parser)
    options = parser.parse_args()
    settle(options)
    is_sound = True
    print("| database | smtp-sink | at | the note is then | and at last | copies sent again | |\n| --- | --- | --- | --- | --- | ---: | --- |")
    for database in options.databases.split(","):
        with Trial(options, database, server=Sinks, MAIL__SMTP__STEP_TIMEOUT_SECONDS=1) as trial:
            trial.mail.start()
            trial.service.start()
            stream = trial.stream(0, recalled_share=0)
            trial.service.stop()
            for what, told, steps, state in FAULTS:
                for step in steps:
                    first, stopped, taken, last, copies = try_out(trial, stream, [word.format(step) for word in told])
                    good = (first, last, copies) == (state, *AT_LAST[state])
                    # One attempt, and it ended where the fault is.
                    good &= len(stopped) == 1 and stopped[0] in STEPS[step] and taken <= (step == ".")
                    is_sound &= good
                    print(f"| {DATABASES[database].name} | {what} | {step} | {first} | {last} | {copies} | "
                          f"{'' if good else f'must be {state}; it stopped at {stopped}, and {taken} were taken'} |", flush=True)
    sys.exit(0 if is_sound else 1)


if __name__ == "__main__":
    main()
