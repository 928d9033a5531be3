"""A Postfix of one's own: on loopback, in a folder that can be thrown away, delivering into a Maildir."""

import collections
import email.parser
import os
import pathlib
import pwd
import subprocess
import time

from processes import free_port

# Whoever mail is delivered as: Postfix refuses to do it as root.
OWNER = pwd.getpwnam("nobody")
# Where Postfix keeps what it has taken and not yet delivered.
QUEUES = ["maildrop", "incoming", "active", "deferred", "hold"]

MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.client.example
mydestination =
inet_interfaces = loopback-only
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
local_recipient_maps =
alias_maps =
virtual_mailbox_domains = static:every
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = static:everybody/
virtual_mailbox_limit = 0
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
"""

SERVICES = """
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """Runs as long as the `with` block does, and takes mail for every domain; needs root."""

    def __init__(self, folder, listeners=None):
        """`listeners` are addresses, each with settings of Postfix of its own."""
        self.folder = pathlib.Path(folder)
        self.port = free_port()
        self.listeners = listeners or {"127.0.0.1": {}}

    def __enter__(self):
        for name in ["config", "queue", "data", "mail"]:
            (self.folder / name).mkdir(parents=True)
        os.chown(self.folder / "data", pwd.getpwnam("postfix").pw_uid, -1)
        os.chown(self.folder / "mail", OWNER.pw_uid, OWNER.pw_gid)
        settings = MAIN.format(folder=self.folder, uid=OWNER.pw_uid, gid=OWNER.pw_gid)
        (self.folder / "config/main.cf").write_text(settings)
        (self.folder / "config/master.cf").write_text("".join(self.doors()) + SERVICES)
        self.command("start")
        return self

    def __exit__(self, *_):
        self.command("abort")
        while self.command("status", check=False).returncode == 0:
            time.sleep(0.05)

    def doors(self):
        for host, settings in self.listeners.items():
            options = "".join(f" -o {{ {name} = {value} }}" for name, value in settings.items())
            yield f"{host}:{self.port} inet n - n - 100 smtpd{options}\n"

    def command(self, what, check=True):
        command = ["/usr/sbin/postfix", "-c", self.folder / "config", what]
        return subprocess.run(command, check=check, capture_output=True)

    def wait_until_delivered(self):
        """Waits until everything that was taken lies in the Maildir."""
        while any(self.undelivered()):
            time.sleep(0.05)

    def undelivered(self):
        for queue in QUEUES:
            for _, _, files in os.walk(self.folder / "queue" / queue):
                yield from files

    def copies(self):
        """How often each Message-ID lies in the Maildir, but for the notices that it sends of what it delivered."""
        headers = email.parser.BytesHeaderParser()
        found = collections.Counter()
        for path in (self.folder / "mail/everybody").glob("new/*"):
            with path.open("rb") as file:
                message = headers.parse(file)
            if message["Return-Path"] != "<>":
                found[message["Message-ID"].strip("<>")] += 1
        return found
