"""The settings of the ops port."""

from __future__ import annotations

import pytest

from tests.test_settings import faults
from worker.settings import load_settings


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("9464", ("127.0.0.1", 9464)),
        ("127.0.0.1:0", ("127.0.0.1", 0)),
        ("0.0.0.0:9464", ("0.0.0.0", 9464)),
        ("[::1]:9464", ("::1", 9464)),
    ],
)
def test_an_ops_address_without_a_host_is_loopback(text: str, address: tuple[str, int]) -> None:
    """Nobody opens the port to a network without saying so."""
    assert load_settings({"INGEST_OPS_ADDRESS": text}).ops_address == address


@pytest.mark.parametrize(
    "text", ["localhost", ":9464", "a:b", "127.0.0.1:99999", "http://h:1", "u@h:1", "h:1/x"]
)
def test_an_ops_address_without_a_port_is_refused(text: str) -> None:
    """What is no address is told with what one looks like."""
    [fault] = faults({"INGEST_OPS_ADDRESS": text})
    assert "it should look like 9464, 127.0.0.1:9464 or [::1]:9464" in fault


def test_a_short_ops_token_is_refused_and_not_shown() -> None:
    """A token that can be guessed is none, and a fault does not quote it."""
    [fault] = faults({"INGEST_OPS_TOKEN": "hunter2"})
    assert "INGEST_OPS_TOKEN is '***'" in fault
    assert "hunter2" not in repr(load_settings({"INGEST_OPS_TOKEN": "hunter2hunter2hunter2"}))
