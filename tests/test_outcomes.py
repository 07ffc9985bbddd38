"""The table of reasons."""

from __future__ import annotations

import pytest

from worker.outcomes import OUTCOMES, outcome


@pytest.mark.parametrize("reason", sorted(OUTCOMES))
def test_each_reason_is_a_word_with_a_sentence(reason: str) -> None:
    """A reason is one snake_case word, found under its own name, and says what it means."""
    row = outcome(reason)
    assert row.reason == reason
    assert reason.replace("_", "").isalpha()
    assert reason == reason.lower()
    assert row.says


@pytest.mark.parametrize(
    ("reason", "again", "hold_host", "says"),
    [
        ("http_404", False, False, "HTTP 404, Not Found"),
        ("http_410", False, False, "HTTP 410, Gone"),
        ("http_429", True, True, "HTTP 429, Too Many Requests"),
        ("http_500", True, False, "HTTP 500, Internal Server Error"),
        ("http_503", True, True, "HTTP 503, Service Unavailable"),
        ("http_599", False, False, "HTTP 599, a status of no standard"),
    ],
)
def test_a_status_is_a_row(reason: str, again: bool, hold_host: bool, says: str) -> None:
    """Throttling and the server's own troubles are worth another try; throttling holds the host."""
    row = outcome(reason)
    assert (row.again, row.hold_host, row.says) == (again, hold_host, says)


@pytest.mark.parametrize(
    "reason", ["", "404", "http_", "http_99", "http_600", "http_abc", "http_²", "DNS", "http404"]
)
def test_the_set_is_closed(reason: str) -> None:
    """Anything else is a KeyError."""
    with pytest.raises(KeyError):
        outcome(reason)


def test_a_held_host_is_asked_again() -> None:
    """To hold a host makes sense only for what may pass."""
    rows = [*OUTCOMES.values(), *(outcome(f"http_{status}") for status in range(100, 600))]
    assert all(row.again for row in rows if row.hold_host)


def test_each_reason_says_how_the_request_went() -> None:
    """A host is throttling where it is held back, failing where it could not answer, and else it is well."""
    rows = [*OUTCOMES.values(), *(outcome(f"http_{status}") for status in range(100, 600))]
    assert all((row.sign == "throttled") is row.hold_host for row in rows)
    signs = {reason: outcome(reason).sign for reason in ("timeout", "http_502", "http_404", "robots")}
    assert signs == {"timeout": "failed", "http_502": "failed", "http_404": "ok", "robots": "none"}
