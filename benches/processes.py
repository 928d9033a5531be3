"""Starting programs, and reading from /proc what they cost."""

import os
import pathlib
import socket
import subprocess
import time

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Process:
    """A program that runs as long as the `with` block does."""

    def __init__(self, command, environment, log):
        self.command, self.environment, self.log = command, environment, log

    def __enter__(self):
        self.started = time.monotonic()
        with open(self.log, "wb") as log:
            self.child = subprocess.Popen(
                self.command, env=self.environment, stdout=log, stderr=subprocess.STDOUT
            )
        self.pid = self.child.pid
        return self

    def __exit__(self, *_):
        self.child.terminate()
        self.child.wait(timeout=60)

    def must_be_alive(self):
        if self.child.poll() is not None:
            raise SystemExit(f"{self.command[0]} stopped:\n{pathlib.Path(self.log).read_text()}")

    def wait_for_port(self, port):
        for _ in range(300):
            self.must_be_alive()
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.1)
        raise SystemExit(f"{self.command[0]} does not listen on port {port}")

    def cpu_ms(self):
        """CPU time of all its threads so far, in milliseconds."""
        return cpu_ticks(self.pid)[0] * 1000 / TICKS_PER_SECOND


def cpu_ticks(pid):
    """The CPU time of a process, that of its children that have ended, and its parent."""
    # The name in parentheses may hold anything; the fields after it are numbers (proc(5)).
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14]), int(fields[1])


def cluster_cpu_ms(data):
    """CPU time of a PostgreSQL cluster so far."""
    return family_cpu_ms(int((data / "postmaster.pid").read_text().splitlines()[0]))


def family_cpu_ms(pid):
    """CPU time of a process so far, and of its children, living and dead."""
    own, dead, _ = cpu_ticks(pid)
    total = own + dead
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                ticks, _, parent = cpu_ticks(entry.name)
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has ended since
            if parent == pid:
                total += ticks
    return total * 1000 / TICKS_PER_SECOND


def memory_mib(pid, field):
    """The memory of a process: `VmRSS` is what is resident, `RssAnon` its own part of that, `VmHWM` the most there was."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    return 0.0


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
