"""Signs in, and lists the ids of the records that are there: records.py BASE PASSWORD FILE, prints a token."""

import json
import pathlib
import re
import sys
import urllib.request

base, password, file = sys.argv[1:]
token = None


def call(method, path, body=None):
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(base + path, data, headers, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


token = call("POST", "/v1/auth/login", {"email": "admin@demo.example", "password": password})["access_token"]
call("POST", "/v1/api-clients", {"name": "CRM", "scopes": ["records:read"]})
call("POST", "/v1/webhook-endpoints", {"url": "https://127.0.0.1:9/hook"})

records = {}


def keep(value):
    """Remembers every id, but for those that stand for somebody who must go on signing in."""
    if isinstance(value, dict):
        for name, field in value.items():
            if name == "id" and isinstance(field, str) and re.match(r"^[a-z]{3}_", field):
                records.setdefault(field[:3], []).append(field)
            else:
                keep(field)
    elif isinstance(value, list):
        for item in value:
            keep(item)


for noun in ("users", "api-clients", "webhook-endpoints", "clients", "contacts", "candidates", "job-orders",
             "interviews", "retry-requests", "notes", "events"):
    keep(call("GET", f"/v1/{noun}?limit=200")["data"])
for row in call("GET", "/v1/debriefs?limit=200")["data"]:
    keep(call("GET", f"/v1/debriefs/{row['id']}"))
me = call("GET", "/v1/me")["id"]
records = {prefix: sorted(set(ids) - {me}) for prefix, ids in records.items()}
pathlib.Path(file).write_text(json.dumps(records))
print(token)
