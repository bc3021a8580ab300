"""Fetch the single header of Catch2 from the package index, for machines that can reach nothing else.

Catch2 is on no Python index by itself, but the source distribution of ``highspy`` carries its header (and licence). The
archive is pinned by its SHA-256, so that what is extracted is known. Usage: ``python get_catch.py DIRECTORY``.
"""

from __future__ import annotations

import hashlib
import html
import io
import os
import re
import subprocess
import sys
import tarfile
import urllib.parse
import urllib.request
from pathlib import Path

PROJECT = "highspy"
ARCHIVE = "highspy-1.16.0.tar.gz"
SHA256 = "83519368321b1ac0ed508b8562b335928b6fd249e2ab42ff0218491e1486d985"
MEMBER = "highspy-1.16.0/extern/catch/catch.hpp"


def index_url() -> str:
    """Return the simple index that pip is configured to use, by environment or by file, or PyPI's."""
    if "PIP_INDEX_URL" in os.environ:
        return os.environ["PIP_INDEX_URL"]
    for key in ("global.index-url", "install.index-url", "download.index-url"):
        answer = subprocess.run([sys.executable, "-m", "pip", "config", "get", key], capture_output=True, text=True)
        if answer.returncode == 0 and answer.stdout.strip():
            return answer.stdout.strip()
    return "https://pypi.org/simple"


def download(url: str) -> bytes:
    """Return the body of a URL, with the index's HTML form asked for."""
    request = urllib.request.Request(url, headers={"Accept": "text/html, */*"})
    with urllib.request.urlopen(request, timeout=120) as response:
        return response.read()


def archive_url(index: str) -> str:
    """Return the address of the archive on the project's page of the index."""
    page = index.rstrip("/") + f"/{PROJECT}/"
    links = re.findall(r'href="([^"]+)"', download(page).decode())
    for link in map(html.unescape, links):
        if urllib.parse.urlsplit(link).path.endswith("/" + ARCHIVE):
            return urllib.parse.urljoin(page, link)
    raise SystemExit(f"{page} does not offer {ARCHIVE}; install Catch2 instead (e.g. the package catch2 of your system)")


def extract(archive: bytes) -> bytes:
    """Return the header out of the archive, refusing one that is not the pinned one."""
    found = hashlib.sha256(archive).hexdigest()
    if found != SHA256:
        raise SystemExit(f"{ARCHIVE} has SHA-256 {found}, expected {SHA256}")
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        member = files.extractfile(MEMBER)
        assert member is not None
        return member.read()


def main(directory: Path) -> None:
    """Write DIRECTORY/catch2/catch.hpp unless it is there already."""
    target = directory / "catch2" / "catch.hpp"
    if target.exists():
        return
    header = extract(download(archive_url(index_url())))
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".part")
    partial.write_bytes(header)
    partial.replace(target)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
