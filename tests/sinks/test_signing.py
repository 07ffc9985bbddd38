"""Signatures, as others verify them; and the setting that they are made by."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from tests.test_settings import faults
from worker.settings import load_settings
from worker.sinks.signing import signed_headers

OLD, NEW = bytes(range(24)), bytes(range(64))


def text(key: bytes) -> str:
    """A key as it is written in settings."""
    return f"whsec_{base64.b64encode(key).decode()}"


@given(
    body=st.text().map(str.encode),
    key=st.binary(min_size=24, max_size=64),
    other=st.binary(min_size=24, max_size=64),
)
def test_the_reference_library_verifies_them(body: bytes, key: bytes, other: bytes) -> None:
    """By each of the keys, so that they can be changed; not by another one, nor for another id or body."""
    now_s = int(datetime.now(UTC).timestamp())
    headers = signed_headers("3f2a.17", body, at_s=now_s, keys=(key, other))
    for each in (key, other):
        Webhook(text(each)).verify(body, headers, json_parse=False)
    for wrong_headers, wrong_body in ((headers, body + b"x"), (headers | {"webhook-id": "3f2a.18"}, body)):
        with pytest.raises(WebhookVerificationError):
            Webhook(text(key)).verify(wrong_body, wrong_headers, json_parse=False)


def test_without_a_key_nothing_is_signed() -> None:
    """The id and the time are there all the same."""
    assert signed_headers("a.1", b"{}", at_s=17, keys=()) == {"webhook-id": "a.1", "webhook-timestamp": "17"}


def test_the_setting_takes_two_keys() -> None:
    """The new one and the old one; and it is shown nowhere."""
    settings = load_settings({"INGEST_WEBHOOK_SECRET": f"{text(NEW)} {text(OLD)}"})
    assert settings.webhook_secret == (NEW, OLD)
    assert text(NEW) not in repr(settings)
    assert repr(NEW) not in repr(settings)


@pytest.mark.parametrize(
    "secret", ["hunter2", text(b"short"), text(bytes(65)), "whsec_?", base64.b64encode(NEW).decode()]
)
def test_a_secret_that_is_none_is_refused_and_not_shown(secret: str) -> None:
    """With how to make one."""
    [fault] = faults({"INGEST_WEBHOOK_SECRET": secret})
    assert "INGEST_WEBHOOK_SECRET is '***'" in fault
    assert "openssl rand" in fault
    assert secret not in fault
