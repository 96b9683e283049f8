"""Fetches and unpacks one pinned wheel without pip: fetch-wheel.py REQUIREMENTS TARGET.

For machines whose Python has no pip. The index is the one that pip would use: PIP_INDEX_URL, or index-url in pip's
configuration files; none is built in. The checksum in the requirements file decides which of the published files is
taken, and is checked again over what came. Proxies and SSL_CERT_FILE are obeyed by urllib itself.
"""

import configparser
import hashlib
import io
import os
import platform
import re
import sys
import urllib.parse
import urllib.request
import zipfile


def configured_index():
    """The index that pip's environment or files name, in pip's order of precedence, or None."""
    if os.environ.get("PIP_INDEX_URL"):
        return os.environ["PIP_INDEX_URL"]
    home = os.path.expanduser("~")
    files = [
        os.environ.get("PIP_CONFIG_FILE", ""),
        os.path.join(os.environ.get("XDG_CONFIG_HOME", os.path.join(home, ".config")), "pip", "pip.conf"),
        os.path.join(home, "Library", "Application Support", "pip", "pip.conf"),
        os.path.join(home, ".pip", "pip.conf"),
        "/etc/pip.conf",
    ]
    for file in files:
        parser = configparser.RawConfigParser()
        if file and parser.read(file) and parser.has_option("global", "index-url"):
            return parser.get("global", "index-url")
    return None


def fits(filename):
    """Whether a wheel's platform tag is that of this machine."""
    machine = {"arm64": "(arm64|aarch64)", "aarch64": "(arm64|aarch64)"}.get(platform.machine(), "x86_64")
    system = "macosx" if sys.platform == "darwin" else "manylinux"
    return filename.endswith("-none-any.whl") or filename.endswith(".whl") and re.search(system + r"[^-]*" + machine, filename)


def main(requirements, target):
    index = configured_index()
    if index is None:
        sys.exit("Python has no pip here: install it (Debian and Ubuntu: python3-pip), or set PIP_INDEX_URL.")
    with open(requirements, encoding="utf-8") as file:
        text = file.read()
    name = re.search(r"^([a-z0-9-]+)==", text, re.M).group(1)
    pinned = set(re.findall(r"--hash=sha256:([0-9a-f]{64})", text))
    index = index.rstrip("/") + "/" + name + "/"
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
