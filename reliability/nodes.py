#!/usr/bin/env python3
"""Freezes nodes of a service that runs on one PostgreSQL, and holds what is left against the mailboxes.

One process serves the API and four relay. Again and again one or two of the four are stopped (SIGSTOP) for longer
than their leases last, and let go on (SIGCONT): what they had in hand must have been taken over by then, within
90 s for leases of 60 s and in proportion here, and no note may arrive twice.

docs/reliability.md says what is promised. Needs python3, Postfix, PostgreSQL's server, and root.
"""

import argparse
import random
import signal
import sys
import time

from trial import Trial, common_arguments, settle, tell

NODES = 4
# The defaults scaled down: a lease of 60 s, renewed and swept every 15 s; 90 s until another has taken over.
SCALE = 1 / 15
SETTINGS = {
    "MAIL__RELAY__LEASE_SECONDS": round(60 * SCALE),
    "MAIL__RELAY__RENEW_SECONDS": round(15 * SCALE),
    "MAIL__RELAY__SWEEP_SECONDS": round(15 * SCALE),
    "MAIL__RELAY__WORKERS": 8,
    "MAIL__SMTP__MAX_CONNECTIONS": 8,
}
PROMISED_SECONDS = 90 * SCALE
# A mail server that takes its time, before the content or after it: so a node that is stopped has something in
# hand, on either side of the commit point.
SLOW = [{"smtpd_data_restrictions": "sleep 1"}, {"smtpd_end_of_data_restrictions": "sleep 1"}]
# Notes for as long as the rounds last, and not so many that the slow mail server lags behind.
NOTES_PER_ROUND, REST_SECONDS = 60, 0.3


def host(number):
    """Where a node finds the mail server: its attempts are known by it."""
    return f"127.0.0.{2 + number}"


def freeze(records, nodes, dice):
    """Stops one or two nodes until others must have taken over; answers how long that took for each delivery that
    they had in hand, and the deliveries that were not taken over."""
    chosen = dice.sample(sorted(nodes), dice.choice([1, 2]))
    for name in chosen:
        nodes[name].process.send_signal(signal.SIGSTOP)
    stopped = time.time()
    in_hand = {key for key, attempt in records.attempts().items()
               if attempt.host.partition(":")[0] in chosen and attempt.finished is None}
    time.sleep(PROMISED_SECONDS + dice.uniform(0.2, 1.5))
    attempts = records.attempts()
    for name in chosen:
        nodes[name].process.send_signal(signal.SIGCONT)
    left = [key for key in in_hand if attempts[key].finished is None]
    return [attempts[key].finished - stopped for key in in_hand.difference(left)], left


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    common_arguments(parser)
    options = parser.parse_args()
    settle(options)
    dice = random.Random(options.seed)
    mail = {"listeners": {host(number): SLOW[number % len(SLOW)] for number in range(NODES)}}
    with Trial(options, "postgres", command="serve --no-worker", mail=mail, **SETTINGS) as trial:
        # A transaction whose node is frozen is ended by PostgreSQL: after 15 s, and in proportion here.
        trial.records.run(f"ALTER DATABASE postgres SET idle_in_transaction_session_timeout = '{15 * SCALE:.0f}s'")
        trial.service.start()
        stream = trial.stream(options.rounds * NOTES_PER_ROUND, rest_seconds=REST_SECONDS)
        nodes = {host(number): trial.another("worker", MAIL__SMTP__HOST=host(number)) for number in range(NODES)}
        for node in nodes.values():
            trial.at_the_end.callback(node.kill)
            node.start()
        stream.start()
        seconds, left = [], []
        for _ in range(options.rounds):
            time.sleep(dice.uniform(0.3, 1.5))
            taken_over, not_taken_over = freeze(trial.records, nodes, dice)
            seconds += taken_over
            left += not_taken_over
        stream.join()
        found = trial.reconcile(stream)
        print(f"{options.rounds} rounds, {len(nodes)} nodes: {len(seconds)} deliveries were taken over, the last one "
              f"after {max(seconds, default=0):.1f} s; promised are {PROMISED_SECONDS:.0f} s with these leases, and "
              f"{len(left)} were not taken over by then")
        tell(found)
        if odd := trial.resolve():
            print(f"  once every doubt was decided, {odd} notes had not arrived exactly once")
        for node in nodes.values():
            node.stop()
    sys.exit(0 if found.is_sound() and seconds and not left and not odd else 1)


if __name__ == "__main__":
    main()
