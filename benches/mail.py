"""Mail servers to measure with: Postfix's test programs, and a Postfix of one's own."""

import os
import pathlib
import re
import shutil
import subprocess
import time

from processes import Process, family_cpu_ms, free_port

# Debian's programs of Postfix are where only root looks for them.
PATH = os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin"
CONNECTIONS = 10
# As every Postfix that relays to one next server, and as fast as its settings make it: it holds nothing back
# (in_flow_delay), and uses as many connections as the other.
MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
myhostname = postfix.bench.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
relayhost = [127.0.0.1]:{sink}
alias_maps =
alias_database =
in_flow_delay = 0
initial_destination_concurrency = {connections}
smtp_destination_concurrency_limit = {connections}
"""
WAIT_SECONDS = 120


class Sink(Process):
    """smtp-sink, which takes every message and forgets it."""

    def __init__(self, folder, name, port=None, options=()):
        self.port = port or free_port()
        command = ["smtp-sink", "-c", *options, f"127.0.0.1:{self.port}", "1000"]
        if os.getuid() == 0:
            command[1:1] = ["-u", "nobody"]
        super().__init__(command, {**os.environ, "PATH": PATH}, folder / f"{name}.log")

    def __enter__(self):
        super().__enter__()
        self.wait_for_port(self.port)
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait(timeout=60)

    def messages(self):
        """How many messages it has taken."""
        # The counters are written over each other: the last ones count.
        with open(self.log, "rb") as log:
            log.seek(max(0, os.path.getsize(self.log) - 200))
            counts = re.findall(rb"mesg=(\d+)", log.read())
        return int(counts[-1]) if counts else 0

    def wait_for(self, messages, alive):
        """Waits until it has taken so many; `alive` stops the wait when there is nothing to wait for."""
        end = time.monotonic() + WAIT_SECONDS
        while self.messages() < messages:
            alive()
            if time.monotonic() > end:
                raise SystemExit(f"only {self.messages()} of {messages} messages arrived in {WAIT_SECONDS} s")
            time.sleep(0.01)


class Postfix:
    """A Postfix with configuration and queue of its own, that relays everything to a sink."""

    def __init__(self, folder, sink):
        self.folder, self.port, self.sink = folder / "postfix", free_port(), sink

    def __enter__(self):
        config = self.folder / "config"
        config.mkdir(parents=True)
        self.folder.chmod(0o755)
        for name, owner in [("queue", "root"), ("data", "postfix")]:
            (self.folder / name).mkdir()
            shutil.chown(self.folder / name, owner)
        main = MAIN_CF.format(folder=self.folder, sink=self.sink.port, connections=CONNECTIONS)
        (config / "main.cf").write_text(main)
        services = []
        for line in pathlib.Path("/usr/share/postfix/master.cf.dist").read_text().splitlines():
            fields = line.split()
            if line[:1].isalpha() and len(fields) == 8 and fields[7] != "pipe":
                if fields[1] == "inet":
                    fields[0] = f"127.0.0.1:{self.port}"
                fields[4] = "n"  # not confined to a folder that would have to be filled first
                services.append(" ".join(fields))
        (config / "master.cf").write_text("\n".join(services) + "\n")
        self.run("start")
        self.master = int((self.folder / "queue/pid/master.pid").read_text())
        return self

    def __exit__(self, *_):
        self.run("stop")

    def run(self, verb):
        done = subprocess.run(["postfix", "-c", self.folder / "config", verb], env={**os.environ, "PATH": PATH},
                              capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"postfix {verb} failed:\n{done.stderr}")

    def cpu_ms(self):
        return family_cpu_ms(self.master)

    def send(self, messages, size):
        """Gives it so many messages, of `size` bytes, over as many connections as it uses itself."""
        command = ["smtp-source", "-d", "-s", CONNECTIONS, "-m", messages, "-l", size, "-f", "notes@bench.example",
                   "-t", "contact@client.example", f"127.0.0.1:{self.port}"]
        return subprocess.Popen([str(part) for part in command], env={**os.environ, "PATH": PATH})
