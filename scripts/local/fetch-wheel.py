"""Fetches and unpacks one pinned wheel without pip: fetch-wheel.py REQUIREMENTS TARGET.

The checksum in the requirements file decides which of the published files is taken, and is checked again over what
came. PIP_INDEX_URL names another index; proxies and SSL_CERT_FILE are obeyed by urllib itself.
"""

import hashlib
import io
import os
import platform
import re
import sys
import urllib.parse
import urllib.request
import zipfile


def fits(filename):
    """Whether a wheel's platform tag is that of this machine."""
    machine = {"arm64": "(arm64|aarch64)", "aarch64": "(arm64|aarch64)"}.get(platform.machine(), "x86_64")
    system = "macosx" if sys.platform == "darwin" else "manylinux"
    return filename.endswith(".whl") and re.search(system + r"[^-]*" + machine, filename)


def main(requirements, target):
    with open(requirements, encoding="utf-8") as file:
        text = file.read()
    name = re.search(r"^([a-z0-9-]+)==", text, re.M).group(1)
    pinned = set(re.findall(r"--hash=sha256:([0-9a-f]{64})", text))
    index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/") + "/" + name + "/"
    with urllib.request.urlopen(index, timeout=60) as answer:
        links = re.findall(r'href="([^"]+)"', answer.read().decode())
    for link in links:
        url, _, fragment = urllib.parse.urljoin(index, link.replace("&amp;", "&")).partition("#")
        checksum = fragment.rpartition("sha256=")[2]
        if checksum in pinned and fits(url.rsplit("/", 1)[-1]):
            break
    else:
        sys.exit("no pinned wheel of " + name + " for " + sys.platform + " " + platform.machine())
    with urllib.request.urlopen(url, timeout=300) as answer:
        content = answer.read()
    if hashlib.sha256(content).hexdigest() != checksum:
        sys.exit("the checksum of " + url + " differs from the pinned one")
    zipfile.ZipFile(io.BytesIO(content)).extractall(target)


main(sys.argv[1], sys.argv[2])
