"""The service under test, which dies and is started again, and a caller who does not give up."""

import http.client
import json
import os
import resource
import signal
import socket
import subprocess
import threading
import time
import uuid

from processes import free_port

ADMINISTRATOR = "ada@agency.example"
PASSWORD = "correct horse battery staple"
# An access token is good for 15 minutes: it is fetched anew well before.
TOKEN_SECONDS = 300
# Longer than anything here may take.
PATIENCE_SECONDS = 120

# Leases that end soon, so that a test need not wait for them; what they do is the same.
LEASE_SECONDS = 2
SETTINGS = {
    "SERVER__METRICS": "off",
    "RATE_LIMITS__CREDENTIAL__REQUESTS": 0,
    "RATE_LIMITS__SIGN_IN__REQUESTS": 0,
    "LOG__FORMAT": "json",
    "MAIL__TRANSPORT": "smtp",
    "MAIL__SMTP__TLS": "none",
    "MAIL__UNDO_WINDOW_SECONDS": 0,
    "MAIL__RELAY__POLL_INTERVAL_SECONDS": 1,
    "MAIL__RELAY__LEASE_SECONDS": LEASE_SECONDS,
    "MAIL__RELAY__RENEW_SECONDS": 1,
    "MAIL__RELAY__SWEEP_SECONDS": 1,
}

# A process that is made to abort leaves no core behind.
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Service:
    """One process of the service, again and again: always the same port, database and settings."""

    def __init__(self, binary, folder, data, database_url, mail, *, command="serve", **settings):
        self.command = [binary, *command.split()]
        self.port = free_port()
        self.log = folder / f"service-{self.port}.log"
        named = {
            "DATABASE__URL": database_url,
            "SERVER__DATA_DIR": data,
            "SERVER__PORT": self.port,
            "MAIL__SMTP__HOST": "127.0.0.1",
            "MAIL__SMTP__PORT": mail.port,
            **SETTINGS,
            **settings,
        }
        self.environment = {**os.environ, **{f"DEBRIEF__{key}": str(value) for key, value in named.items()}}
        self.process = None

    def found_agency(self):
        """Makes the agency whose administrator is the caller."""
        command = [self.command[0], "admin", "create-agency", "--name", "Harbour Staffing",
                   "--email", ADMINISTRATOR, "--password-stdin"]
        subprocess.run(command, env=self.environment, input=PASSWORD.encode(), check=True, stdout=subprocess.DEVNULL)

    def start(self, *failpoints):
        """Starts it, and returns when it answers, or has died of a failpoint already."""
        environment = {**self.environment, "DEBRIEF_FAILPOINT": ",".join(failpoints)}
        with self.log.open("ab") as log:
            # A signal that is ignored here is ignored there.
            self.process = subprocess.Popen(self.command, env=environment, stdout=log, stderr=log, restore_signals=False)
        if self.command[1] != "serve":
            return
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.has_died() and not self.answers():
            if time.monotonic() > deadline:
                raise SystemExit(f"the service does not answer; its log is {self.log}")
            time.sleep(0.002)
        if self.has_died() and self.process.returncode != -signal.SIGABRT:
            raise SystemExit(f"the service did not start:\n{self.log.read_text()[-2000:]}")

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def has_died(self):
        return self.process.poll() is not None

    def wait_for_death(self):
        self.process.wait(PATIENCE_SECONDS)

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()

    def stop(self):
        """Stops it as an operator would."""
        self.process.terminate()
        if self.process.wait(PATIENCE_SECONDS) != 0:
            raise SystemExit(f"the service left with status {self.process.returncode}; its log is {self.log}")


class Caller:
    """Asks the service again until it has answered; usable from several threads.

    Each request that changes something carries an Idempotency-Key, so asking again is no second request.
    """

    def __init__(self, port):
        self.port = port
        self.local = threading.local()
        self.signed_in_at = self.access_token = None
        self.unanswered = 0

    def get(self, path):
        return self.call("GET", path)[1]

    def post(self, path, body, version=None, *, accept=()):
        """The status and the body of the answer, which is good or one of those that are accepted."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        return self.call("POST", path, body, headers, accept=accept)

    def call(self, method, path, body=None, headers=None, *, accept=(), signed_in=True):
        headers = {"Content-Type": "application/json", **(headers or {})}
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            if signed_in:
                headers["Authorization"] = f"Bearer {self.token()}"
            status, answer = self.attempt(method, path, body and json.dumps(body), headers)
            if status is not None and status < 500:
                break
            self.unanswered += 1
            if time.monotonic() > deadline:
                raise SystemExit(f"{method} {path} is not answered: {status} {answer}")
            time.sleep(0.01)
        if status >= 300 and status not in accept:
            raise SystemExit(f"{method} {path} was answered with {status}: {answer.decode()}")
        return status, json.loads(answer)

    def attempt(self, method, path, body, headers):
        """One request; no status if there is no answer."""
        connection = getattr(self.local, "connection", None)
        if connection is None:
            connection = self.local.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            return None, repr(error).encode()

    def token(self):
        if self.signed_in_at is None or time.monotonic() - self.signed_in_at > TOKEN_SECONDS:
            credentials = {"email": ADMINISTRATOR, "password": PASSWORD}
            _, answer = self.call("POST", "/v1/auth/login", credentials, signed_in=False)
            self.access_token, self.signed_in_at = answer["access_token"], time.monotonic()
        return self.access_token

    def all_of(self, path):
        """Every record of a list."""
        cursor = ""
        while cursor is not None:
            page = self.get(f"{path}&limit=200" + (cursor and f"&cursor={cursor}"))
            yield from page["data"]
            cursor = page["next_cursor"]
