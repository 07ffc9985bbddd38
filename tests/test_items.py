"""Items of the queue: what a producer may write, and what is said of the rest."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.errors import Malformed
from worker.model import Submission
from worker.urls import ID_LIMIT_CHARS, ITEM_LIMIT_BYTES, META_LIMIT_BYTES, parse_item

URL = "https://example.com/a"
PLAIN = Submission(url=URL, host="example.com", requested_url=URL)


def item(**fields: Any) -> bytes:
    return orjson.dumps({"url": URL, **fields})


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "raw", [URL.encode(), f"  {URL}\r\n".encode(), item(), b"\n " + item(meta=None, id=None)]
)
def test_a_bare_url_and_a_bare_object_mean_the_same(raw: bytes) -> None:
    """A URL alone, with space around it or in an object, is a plain submission."""
    assert parse_item(raw) == PLAIN


def test_an_object_with_all_its_keys() -> None:
    """Everything that a producer may say is understood; meta is handed through."""
    raw = item(
        url="HTTPS://example.com:443/a?utm_source=feed",
        id="n-17",
        priority="high",
        meta={"feed": ["x", 1, None]},
        not_before="2026-01-01T01:00:00.250+01:00",
        force=True,
        recrawl_after_s=3600,
    )
    assert parse_item(raw) == Submission(
        url=URL,
        host="example.com",
        requested_url="HTTPS://example.com:443/a?utm_source=feed",
        id="n-17",
        priority="high",
        not_before_ms=1_767_225_600_250,
        force=True,
        recrawl_after_s=3600.0,
        meta={"feed": ["x", 1, None]},
    )


@pytest.mark.parametrize(
    ("not_before", "ms"),
    [
        (0, 0),
        (-5, 0),
        (1.5, 1500),
        ("1970-01-01T00:00:01Z", 1000),
        ("1970-01-01 00:00:01z", 1000),
        ("1969-01-01T00:00:00-00:00", 0),
    ],
)
def test_not_before_in_its_forms(not_before: object, ms: int) -> None:
    """Unix seconds and RFC 3339 both name an instant; one that is past means at once."""
    assert parse_item(item(not_before=not_before)).not_before_ms == ms


@pytest.mark.parametrize(
    ("value", "seconds"), [(None, None), (0, 0.0), (1.5, 1.5), (1e300, 253_402_300_799.0)]
)
def test_recrawl_after_in_its_forms(value: object, seconds: float | None) -> None:
    """Any number of seconds is understood; one beyond all time is as good as that."""
    assert parse_item(item(recrawl_after_s=value)).recrawl_after_s == seconds


def test_an_integer_id_is_handed_through_as_text() -> None:
    """Database keys are ids too."""
    assert parse_item(item(id=17)).id == "17"


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"\xff\xfe", "not UTF-8"),
        (b"hello", "absolute URL"),
        (b"ftp://example.com/a", "not ftp"),
        (b"https://example.com/" + b"a" * 9000, "over 8192 bytes"),
        (b"https://a.example/\nhttps://b.example/", "several lines"),
        (b"x" * 5_000_000, "5000000 bytes"),
        (b"{" + b" " * ITEM_LIMIT_BYTES + b"}", "over 131072"),
        (b'{"url": "https://example.com/a"', "broken JSON"),
        (b"{" * 5000, "broken JSON"),
        (b'["https://example.com/a"]', "absolute URL"),
        (b"{}", "no url"),
        (b'{"url": null}', "no url"),
        (item(url=7), "url is not a string"),
        (item(url="https://a.example/\nhttps://b.example/"), "several lines"),
        (item(priorty="high"), "unknown priorty; known are force, id, "),
        (item(recrawl_after_s=-1), "recrawl_after_s is not a number of seconds"),
        (item(recrawl_after_s="60"), "recrawl_after_s is not a number of seconds"),
        (item(recrawl_after_s=True), "recrawl_after_s is not a number of seconds"),
        (b'{"url": "https://example.com/a", "recrawl_after_s": NaN}', "broken JSON"),
        (item(priority="urgent"), "priority is neither normal nor high"),
        (item(priority=["high"]), "priority is neither"),
        (item(id=True), "id is not a string"),
        (item(id={}), "id is not a string"),
        (item(id="x" * (ID_LIMIT_CHARS + 1)), "id is over 1024"),
        (item(force="yes"), "force is not a boolean"),
        (item(force=1), "force is not a boolean"),
        (item(not_before=False), "not_before is neither"),
        (item(not_before=""), "not_before is neither"),
        (item(not_before="tomorrow"), "not_before is neither"),
        (item(not_before="2026-01-01T00:00:00"), "not_before is neither"),
        (item(not_before="2026-13-01T00:00:00Z"), "not_before is no instant"),
        (item(not_before=1_767_225_600_000), "not milliseconds"),
        (item(not_before=[1]), "not_before is neither"),
        (item(meta="x" * META_LIMIT_BYTES), "meta has 65538 bytes"),
        (
            b'{"url": "https://example.com/a", "meta": %s}' % (b"[" * 300 + b"]" * 300),
            "meta cannot be written",
        ),
    ],
)
def test_what_can_never_be_a_task(raw: bytes, why: str) -> None:
    """Each fault is named, and the whole item quoted, cut to 200 characters."""
    with pytest.raises(Malformed) as refusal:
        parse_item(raw)
    assert why in refusal.value.why
    assert len(refusal.value.item) <= 200
    assert refusal.value.item[:9].lstrip("{") in raw.decode("utf-8", "backslashreplace").replace("\n", "\\n")


def test_the_largest_meta_passes() -> None:
    """The limit is what is still allowed."""
    assert parse_item(item(meta="x" * (META_LIMIT_BYTES - 2))).meta == "x" * (META_LIMIT_BYTES - 2)


def test_a_deep_meta_that_passes_can_be_published() -> None:
    """What is accepted fits into an event, some levels down, within the encoder's 254."""
    meta = parse_item(item(meta=nested(240))).meta
    assert orjson.dumps({"task": {"meta": [meta]}})


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_any_meta_is_handed_through(meta: Any) -> None:
    """The producer's own JSON comes out as it went in."""
    text = orjson.dumps({"url": URL, "meta": meta}) if _encodable(meta) else None
    if text is not None:
        assert parse_item(text).meta == meta


@given(
    st.dictionaries(
        st.sampled_from(["url", "id", "priority", "not_before", "force", "other"]), JSON, max_size=4
    )
)
def test_any_object_is_a_submission_or_malformed(fields: dict[str, Any]) -> None:
    """No object whatever makes the parser fail in another way."""
    with suppress(Malformed, orjson.JSONEncodeError):
        assert parse_item(orjson.dumps(fields)).url.startswith("http")


@given(st.binary(max_size=60) | st.binary(max_size=60).map(lambda tail: b"{" + tail))
def test_any_bytes_are_a_submission_or_malformed(raw: bytes) -> None:
    """No bytes whatever make the parser fail in another way."""
    with suppress(Malformed):
        assert parse_item(raw).url.startswith("http")


def _encodable(value: Any) -> bool:
    try:
        orjson.dumps(value)
    except orjson.JSONEncodeError:
        return False
    return True


@pytest.mark.parametrize("seconds", ["-1e308", "-1", "-0.0", "1e-300"])
def test_not_before_of_any_size_is_read(seconds: str) -> None:
    """An instant before 1970, however far, is at once."""
    assert parse_item(b'{"url": "http://a.example/", "not_before": %s}' % seconds.encode()).not_before_ms == 0
