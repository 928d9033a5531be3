"""One run of a load generator: wrk for HTTP, pgbench for the database alone."""

import dataclasses
import os
import pathlib
import re
import statistics
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass
class Run:
    """What one run found."""

    requests: int
    rate: float  # per second
    p50_ms: float
    p99_ms: float
    used: int = 0  # lines of the list that are used up, where a list can be
    service_cpu_ms: float = 0.0  # per thousand requests
    database_cpu_ms: float = 0.0

    def beside(self, other):
        """Rate, p50, p99 and CPU time as multiples of another run's."""
        own, others = ((run.rate, run.p50_ms, run.p99_ms, run.service_cpu_ms + run.database_cpu_ms) for run in (self, other))
        return [mine / theirs for mine, theirs in zip(own, others)]


def wrk(script, base, connections, seconds, **environment):
    """Puts load on `base` with the Lua script of that name."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", f"{script}.lua", base]
    environment = {**os.environ, **{key: str(value) for key, value in environment.items()}}
    output = subprocess.run(command, cwd=HERE, env=environment, check=True, capture_output=True, text=True).stdout
    found = dict(line.split(" ", 1) for line in output.splitlines() if line.startswith(("RESULT ", "USED ")))
    requests, micros, p50, p99, errors = map(int, found["RESULT"].split())
    if errors or not requests:
        raise SystemExit(f"{errors} of {requests} requests failed, so this is no measurement:\n{output}")
    return Run(requests, requests / (micros / 1e6), p50 / 1e3, p99 / 1e3, int(found.get("USED", 0)))


def pgbench(url, subject, connections, seconds, folder, settings, **variables):
    """Runs the script sql/SUBJECT.sql against the database at `url`, with PostgreSQL's `settings`."""
    for old in folder.glob("pgbench_log*"):
        old.unlink()
    command = ["pgbench", "-n", "-M", "prepared", "-c", connections, "-j", 1, "-T", seconds, "-l", "--log-prefix",
               folder / "pgbench_log", "-f", HERE / f"sql/{subject}.sql"]
    for name, value in variables.items():
        command += ["-D", f"{name}={value}"]
    environment = {**os.environ, "PGOPTIONS": " ".join(f"-c {setting}" for setting in settings)}
    output = subprocess.run(
        [*map(str, command), url], env=environment, check=True, capture_output=True, text=True
    ).stdout
    # PostgreSQL counts the CPU time of connections that have ended a moment later.
    time.sleep(0.5)
    millis = [int(line.split()[2]) / 1000 for log in folder.glob("pgbench_log*") for line in log.open()]
    cuts = statistics.quantiles(millis, n=100)
    return Run(len(millis), float(re.search(r"tps = ([0-9.]+)", output)[1]), cuts[49], cuts[98])
