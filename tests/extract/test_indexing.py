"""Who asks not to be indexed: X-Robots-Tag and robots <meta>, for all robots and for one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.extract.indexing import NOINDEX, Indexing

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("tags", "forbidden"),
    [
        ((), False),
        (("noindex",), True),
        ((" NoIndex ",), True),
        (("none",), True),
        (("nofollow, noindex",), True),
        (("all", "noindex"), True),
        (("nofollow, noarchive, max-snippet:-1",), False),
        (("ingest: noindex",), True),
        (("Ingest : nofollow, none",), True),
        (("googlebot: noindex",), True),
        (("otherbot: noindex",), False),
        (("otherbot: noindex, nofollow, ingest: nofollow",), False),
        (("otherbot: nofollow, ingest: noindex",), True),
        (("otherbot: noindex", "noindex"), True),
        (("noindexed",), False),
        (("max-image-preview: none",), False),
        (("unavailable_after: 30 Apr 2026 23:59:59 GMT",), True),
        (("unavailable_after: Thu, 30 Apr 2026 23:59:59 GMT, nofollow",), True),
        (("ingest: unavailable_after: 2026-04-30",), True),
        (("unavailable_after: 2026-05-01T13:00:00+02:00",), True),
        (("unavailable_after: 2026-05-02",), False),
        (("unavailable_after: Saturday, 02-May-26 12:00:00 GMT",), False),
        (("unavailable_after: soon",), False),
        (("otherbot: unavailable_after: 2026-04-30",), False),
        ((": noindex, ",), False),
    ],
)
def test_header(tags: tuple[str, ...], forbidden: bool) -> None:
    """Rules for all robots and for ours count, those of another robot's name do not, and dates pass."""
    assert Indexing(tags, "ingest", NOW).warnings({}) == ((NOINDEX,) if forbidden else ())


@pytest.mark.parametrize(
    ("name", "content", "forbidden"),
    [
        ("robots", "noindex", True),
        ("googlebot", "none", True),
        ("googlebot-news", "noindex", True),
        ("acme-bot", "noindex", True),
        ("otherbot", "noindex", False),
        ("robots", "index, follow", False),
        ("robots", "unavailable_after: 2026-04-30", True),
    ],
)
def test_meta(name: str, content: str, forbidden: bool) -> None:
    """A <meta> counts that is for all robots, for Google's, or for ours."""
    found = Indexing((), "Acme-Bot", NOW).warnings({name: [content]})
    assert found == ((NOINDEX,) if forbidden else ())


def test_nothing_is_past_at_no_time() -> None:
    """Without the time of the visit no date has passed."""
    assert Indexing(("unavailable_after: 1999-01-01",)).warnings({}) == ()


@given(st.text(max_size=200))
def test_any_value_is_read(value: str) -> None:
    """No header makes the reading of it fail."""
    assert Indexing((value, f"unavailable_after:{value}"), "ingest", NOW).warnings({}) in {(), (NOINDEX,)}
