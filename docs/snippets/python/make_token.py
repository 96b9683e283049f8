"""Makes a token for a tenant: python3 make_token.py TENANT [SCOPE...]

JWT_SECRET is the service's own (under `make up` .data/jwt-secret). Keep it on your servers, and hand out tokens that
end soon.
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import time


def part(value):
    return encode(json.dumps(value).encode())


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def make_token(secret, tenant, scopes):
    now = int(time.time())
    claims = {"sub": "snippet", "tenant": tenant, "scope": " ".join(scopes), "iat": now, "exp": now + 3600}
    signed = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims)}"
    return f"{signed}.{encode(hmac.digest(secret.encode(), signed.encode(), hashlib.sha256))}"


if __name__ == "__main__":
    if len(sys.argv) < 2 or not os.environ.get("JWT_SECRET"):
        sys.exit(__doc__)
    wanted = sys.argv[2:] or ["memory:read", "memory:write"]
    print(make_token(os.environ["JWT_SECRET"], sys.argv[1], wanted))
