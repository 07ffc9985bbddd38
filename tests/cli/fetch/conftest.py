"""The sample site, and `ingest fetch` of its URLs."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.chaos.fleet import ROOT
from tests.cli.conftest import Ran, run
from tests.site.routes import COURIER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FERRY = f"http://{COURIER}/vale/2025/04/night-ferry-returns"
fetch: Callable[..., Ran] = partial(run, "fetch")
allowed: Callable[..., Ran] = partial(run, "fetch", allow_networks="127.0.0.0/8", host_spacing_s="0.05")


@pytest.fixture(scope="package")
def port() -> Iterator[str]:
    """The sample site's."""
    site = subprocess.Popen([sys.executable, "-m", "tests.site"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert site.stdout is not None
    yield re.findall(r"http://127\.0\.1\.1:(\d+)/", site.stdout.readline())[0]
    site.terminate()
    site.communicate()


@pytest.fixture
def at(port: str) -> Callable[[str], str]:
    """URLs with the port of the site."""
    return lambda url: re.sub(r"(?<=127\.0\.1\.)(\d+)", rf"\1:{port}", url, count=1)


def screen(ran: Ran, port: str) -> list[str]:
    """The lines, without what differs from run to run."""
    text = re.sub(r"[\d.]+ ms", "T", ran.out.replace(f":{port}", ""))
    text = re.sub(r"server: [^·\n]*", "server: S", text)
    return [line.rstrip() for line in text.splitlines()]


def rows(ran: Ran, port: str, hop: int = 1) -> dict[str, str]:
    """Label → text of a hop, or with 0 of what follows the last; lines without a label are joined."""
    found: dict[int, dict[str, str]] = {0: {}}
    number, label = 0, ""
    for line in screen(ran, port):
        begins = re.fullmatch(r"(?:(\d+)|  (\w+)|(\w+)) +(.*)", line)
        if begins is None:
            found[number][label] += f" / {line.strip()}"
            continue
        head, inner, outer, text = begins.groups()
        number, label = (int(head), "url") if head else (number if inner else 0, inner or outer)
        found.setdefault(number, {})[label] = text
    return found[hop]
