#!/usr/bin/env python3
"""Kills the service while it relays notes, and holds what is left against the mailboxes.

    reliability/kills.py                    kills it at random instants under load
    reliability/kills.py --failpoints       the same, and every other time at the boundary of a phase
    reliability/kills.py --phases           kills it once at each boundary, and says what became of the note
    reliability/kills.py --control          takes the commit point out, and is content if that is noticed

docs/reliability.md says what is promised. Needs python3, Postfix, for PostgreSQL its server, and root.
"""

import argparse
import random
import sys
import time

from trial import Trial, common_arguments, note, settle, tell

# The boundaries of an attempt's phases, and what becomes of a delivery whose worker dies there: the state
# that it comes to by itself, and the copies in the mailbox.
PHASES = {
    "claimed": ("sent", 1),
    "connected": ("sent", 1),
    "mail": ("sent", 1),
    "recipient": ("sent", 1),
    "ready": ("sent", 1),
    "marked": ("unconfirmed", 0),
    "content_sent": ("unconfirmed", 1),
    "answered": ("unconfirmed", 1),
    "written_down": ("sent", 1),
}
# Where a death leaves a message that has arrived and a database that does not know.
UNSURE = ["content_sent", "answered"]


def kill_under_load(options, database, failpoints=(), always=()):
    """Kills the service again and again while notes are written, approved, recalled and sent."""
    dice = random.Random(f"{options.seed}-{database}")
    with Trial(options, database, MAIL__RELAY__WORKERS=8, MAIL__SMTP__MAX_CONNECTIONS=8) as trial:
        service, records = trial.service, trial.records
        service.start(*always)
        stream = trial.stream(options.notes)
        began = time.monotonic()
        stream.start()
        died, left = 0, {}
        for number in range(options.kills):
            target = options.notes * (number + dice.random()) / options.kills
            while stream.promises.approvals < target and stream.is_under_way() and not service.has_died():
                time.sleep(0.001)
            if service.has_died():
                died += 1
            else:
                time.sleep(dice.uniform(0, 0.03))
                service.kill()
            records.let_go()
            left.update(records.under_way())
            records.hurry()
            armed = failpoints and dice.random() < 0.5
            service.start(*always, *([f"{dice.choice(failpoints)}:{dice.randint(1, 20)}"] if armed else []))
            if (number + 1) % 100 == 0:
                note(f"{records.name}: {number + 1} kills, {stream.promises.approvals} notes approved")
        if failpoints:
            # The present one may still die of its own.
            service.kill()
            service.start(*always)
        stream.join()
        found = trial.reconcile(stream)
        attempts = records.attempts()
        found.hidden += [f"attempt {number} at {id} was past the commit point, and came to {attempts[id, number].outcome}"
                         for (id, number), past in left.items() if past and attempts[id, number].outcome != "unconfirmed"]
        print(f"{records.name}: {options.kills} kills, {died} of them at the boundary of a phase, in "
              f"{time.monotonic() - began:.0f} s; {len(stream.promises.notes)} notes to {sum(found.states.values())} "
              f"contacts, {len(stream.promises.recalled)} recalled in time")
        print(f"  {trial.caller.unanswered} requests were asked again; of {found.attempts} attempts {len(left)} were "
              f"left half-way, {sum(left.values())} of them past the commit point")
        tell(found)
        if not always and (odd := trial.resolve()):
            found.wrong.append("not arrived exactly once")
            print(f"  once every doubt was decided, {odd} notes had not arrived exactly once")
        service.stop()
        return found


def kill_at_each_phase(options, database):
    """One note for each boundary, and a death there. Answers whether all came to what they must."""
    sound = True
    print(f"| dies when ({database}) | the delivery is | copies |\n| --- | --- | ---: |")
    with Trial(options, database, MAIL__RELAY__WORKERS=1) as trial:
        service, records = trial.service, trial.records
        for phase, expected in PHASES.items():
            service.start()
            stream = trial.stream(1, writers=1, recalled_share=0)
            service.stop()
            before = records.deliveries().keys()
            service.start(phase)
            stream.start()
            service.wait_for_death()
            records.hurry()
            service.start()
            stream.join()
            records.drain(trial.mail)
            service.stop()
            [delivery] = [found for id, found in records.deliveries().items() if id not in before]
            came_to = delivery.state, trial.mail.copies()[delivery.message_id]
            remark = "" if came_to == expected else f" (it must be {expected})"
            sound = sound and came_to == expected
            print(f"| {phase} | {delivery.state} | {came_to[1]}{remark} |", flush=True)
    return sound


def is_sound(options, database):
    if options.phases:
        return kill_at_each_phase(options, database)
    if options.control:
        duplicates = kill_under_load(options, database, UNSURE, ["mark_ignored"]).duplicates
        verdict = "that is noticed" if duplicates else "NOBODY NOTICES"
        print(f"  without the commit point {len(duplicates)} were sent twice in silence, and {verdict}")
        return bool(duplicates)
    return kill_under_load(options, database, list(PHASES) if options.failpoints else []).is_sound()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--failpoints", action="store_true")
    kind.add_argument("--phases", action="store_true")
    kind.add_argument("--control", action="store_true")
    parser.add_argument("--databases", default="sqlite,postgres")
    parser.add_argument("--kills", type=int, default=50, help="for each database")
    parser.add_argument("--notes", type=int, default=500, help="for each database")
    common_arguments(parser)
    options = parser.parse_args()
    settle(options, failpoints=options.failpoints or options.phases or options.control)
    sound = [is_sound(options, database) for database in options.databases.split(",")]
    sys.exit(0 if all(sound) else 1)


if __name__ == "__main__":
    main()
