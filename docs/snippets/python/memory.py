"""Requests to semantic-memory, with the standard library alone."""

import json
import os
import time
import urllib.error
import urllib.request

# Where the service is, and the token for it; `make up` prints both.
URL = os.environ.get("SEMANTIC_MEMORY_URL", "http://127.0.0.1:8080")
TOKEN = os.environ.get("SEMANTIC_MEMORY_TOKEN", "")

# How often a request is repeated that the service cannot take just now.
MOST_ATTEMPTS = 5


class ServiceError(Exception):
    """What the service answered instead, in its own words."""


def call(path, body=None, headers=None, method=None):
    """Sends a request below /api/v1/memory and returns the open response.

    429 and 503 say when to come again; a 503 has stored nothing. `body` is bytes, or what becomes JSON.
    """
    headers = {"Authorization": f"Bearer {TOKEN}", **(headers or {})}
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        headers["Content-Type"] = "application/json"
    request = urllib.request.Request(f"{URL}/api/v1/memory{path}", body, headers, method=method)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        try:
            return urllib.request.urlopen(request)
        except urllib.error.HTTPError as refused:
            if refused.code not in (429, 503) or attempt == MOST_ATTEMPTS:
                raise ServiceError(reason(refused)) from None
            refused.close()
            time.sleep(float(refused.headers.get("Retry-After", 1)))


def call_json(path, body=None):
    """Sends JSON, or nothing, and reads JSON."""
    with call(path, body) as response:
        return json.load(response)


def reason(refused):
    text = refused.read().decode()
    try:
        error = json.loads(text)["error"]
    except (ValueError, KeyError, TypeError):
        return f"{refused.code} {text}"
    return f"{refused.code} {error['code']}: {error['message']} {error.get('hint', '')}".strip()
