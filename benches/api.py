"""What the measurement asks of the service before it measures."""

import collections
import concurrent.futures
import datetime
import http.client
import itertools
import json
import random
import threading
import time

# What `debrief demo-data` makes, with this password.
ADMINISTRATOR = "admin@demo.example"
PASSWORD = "correct horse battery staple"
# A page of the worklist.
FULL_PAGE = 50
# An access token is good for 15 minutes: it is fetched anew well before.
TOKEN_SECONDS = 300
# A connection is kept for 75 seconds.
IDLE_SECONDS = 30


class Service:
    """A client of the running service, usable from several threads."""

    def __init__(self, port):
        self.port = port
        self.local = threading.local()
        self.signed_in_at = self.access_token = None

    def call(self, method, path, body=None, token=True, headers=()):
        connection = getattr(self.local, "connection", None)
        # One that rested for long the service has closed.
        if connection is None or time.monotonic() - self.local.used_at > IDLE_SECONDS:
            connection = self.local.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        self.local.used_at = time.monotonic()
        headers = {"Accept": "application/json", "Content-Type": "application/json", **dict(headers)}
        if token:
            headers["Authorization"] = "Bearer " + self.token()
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        answer = response.read()
        if response.status >= 300:
            raise SystemExit(f"{method} {path} answered {response.status}: {answer.decode()}")
        return answer

    def get_bytes(self, path):
        return self.call("GET", path)

    def all_of(self, path):
        """Every record of a list."""
        cursor = ""
        while cursor is not None:
            page = json.loads(self.get_bytes(f"{path}?limit=200" + (cursor and f"&cursor={cursor}")))
            yield from page["data"]
            cursor = page["next_cursor"]

    def wait_until_ready(self, process):
        process.wait_for_port(self.port)
        self.call("GET", "/readyz", token=False)

    def token(self):
        if self.signed_in_at is None or time.monotonic() - self.signed_in_at > TOKEN_SECONDS:
            credentials = {"email": ADMINISTRATOR, "password": PASSWORD}
            answer = json.loads(self.call("POST", "/v1/auth/login", credentials, token=False))
            self.access_token, self.signed_in_at = answer["access_token"], time.monotonic()
        return self.access_token

    def debriefs_and_busy_clients(self):
        """The ids of all debriefs, and those of the clients that have a full page of them."""
        rows = list(self.all_of("/v1/debriefs"))
        of_client = collections.Counter(row["client_id"] for row in rows)
        return [row["id"] for row in rows], [client for client, count in of_client.items() if count >= FULL_PAGE]

    def people_without_account(self, wanted):
        """Makes interviews that have ended, and returns `debrief contact` and `debrief candidate` for
        everybody who could give an account of one, in random order."""
        contacts = collections.defaultdict(list)
        for contact in self.all_of("/v1/contacts"):
            contacts[contact["client_id"]].append(contact["id"])
        job_orders = [order for order in self.all_of("/v1/job-orders") if contacts[order["client_id"]]]
        candidates = [candidate["id"] for candidate in self.all_of("/v1/candidates")]
        ended = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=2)

        def interview(number):
            order = job_orders[number % len(job_orders)]
            panel = contacts[order["client_id"]][:4]
            answer = json.loads(self.call("POST", "/v1/interviews", {
                "candidate_id": random.choice(candidates), "job_order_id": order["id"], "contact_ids": panel,
                "round": 1, "format": "video", "time_zone": "Europe/Berlin",
                "starts_at": (ended - datetime.timedelta(hours=1)).isoformat(), "ends_at": ended.isoformat(),
            }))
            return [f"{answer['debrief_id']} {person}" for person in [*panel, "candidate"]]

        people = []
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for first in itertools.count(0, 500):
                for some in pool.map(interview, range(first, first + 500)):
                    people += some
                if len(people) >= wanted:
                    break
        random.shuffle(people)
        return people
