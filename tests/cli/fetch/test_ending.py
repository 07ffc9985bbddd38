"""What a person can do about the end of a URL."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from tests.cli.fetch.conftest import fetch, rows
from worker.cli.fetch.ending import REMEDIES
from worker.outcomes import outcome
from worker.settings import PREFIX, Settings


@pytest.mark.parametrize(
    ("url", "guard", "network"),
    [
        ("http://0x7f.1:1/", "127.0.0.1 is loopback: refused", "127.0.0.1/32"),
        ("http://[::1]:1/", "::1 is loopback: refused", "::1/128"),
        ("http://localhost:1/", "localhost is a name of this machine: refused", "127.0.0.0/8"),
        ("http://169.254.169.254/", "169.254.169.254 is a cloud's metadata service: refused", None),
    ],
)
def test_a_blocked_address_is_told_with_how_to_allow_it(url: str, guard: str, network: str | None) -> None:
    """The guard's own words, and the narrowest setting; nobody is told how to reach a cloud's secrets."""
    ran = fetch(url)
    hop, end = rows(ran, "none"), rows(ran, "none", 0)
    assert ran.code == 1
    assert hop["guard"] == guard
    assert end["end"].startswith("blocked_address, ")
    remedy = f"if that network is meant, this lets every URL reach it: INGEST_ALLOW_NETWORKS={network}"
    assert end.get("remedy") == (network and remedy)


def test_remedies_name_real_reasons_and_settings() -> None:
    """Each remedy belongs to a row of the outcomes, and each setting in one exists."""
    settings = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    for reason, remedy in REMEDIES.items():
        assert outcome(reason).reason == reason
        assert set(re.findall(rf"{PREFIX}[A-Z0-9_]*[A-Z]", remedy)) <= settings
        assert {name for _, name, _, _ in Formatter().parse(remedy) if name} <= {"host", "url", "user_agent"}
