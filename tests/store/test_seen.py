"""What is remembered of URLs for dedupe stays packed, and known, however many come in a week."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.store.acting import WEEK_MS
from worker.urls import url_digest

if TYPE_CHECKING:
    from tests.store.acting import Act

_PACKED = {b"ziplist", b"listpack"}
_DEEPEST = 5
_URLS = [f"http://a.example/{level}" for level in range(_DEEPEST + 1)]


async def _hash(act: Act, url: str, level: int) -> str:
    """The key of the hash that a URL of this week has on a level."""
    bits = int.from_bytes(url_digest(url)[:3], "big")
    bucket = f"{bits >> 10:04x}" if level == 0 else f"{level}:{bits >> 2 * (5 - level):x}"
    return act.keys.part(0, f"seen:{await act.now_ms() // WEEK_MS}:{bucket}")


async def _admit_as_last(act: Act, url: str, level: int) -> str:
    """Let all but one of the fields that a hash may have be there, and then the URL; returns the key."""
    key = await _hash(act, url, level)
    await act.connection.command("HSET", key, *(word for n in range(459) for word in (f"{n:07}", n)))
    (admission,) = await act.admit(url)
    assert admission.seq is not None
    return key


async def test_full_hashes_give_way_to_more(act: Act) -> None:
    """The URL that fills one is the last on its level; what comes then goes to four times as many hashes."""
    full = [await _admit_as_last(act, url, level) for level, url in enumerate(_URLS)]
    for key in full:
        assert await act.connection.command("HLEN", key) == 460
        assert await act.connection.command("OBJECT", "ENCODING", key) in _PACKED
    again = await act.admit(*_URLS)
    assert [admission.seq for admission in again] == [None] * len(_URLS)


async def test_level_lasts_as_long_as_its_hashes(act: Act) -> None:
    """Or what stands on it would be unknown."""
    await _admit_as_last(act, _URLS[0], 0)
    level = act.keys.part(0, f"seen:{await act.now_ms() // WEEK_MS}")
    assert await act.connection.command("GET", level) == b"1"
    assert 14 * 86_400 < await act.connection.command("TTL", level) <= 15 * 86_400


async def test_the_later_of_two_times_counts(act: Act) -> None:
    """A URL of an early level that is taken once more stands on a later one, too."""
    early = await _admit_as_last(act, _URLS[0], 0)
    await act.connection.command("HSET", early, url_digest(_URLS[0])[1:], 0)  # when the week began
    await act.admit(_URLS[0], force=True)
    (again,) = await act.admit(_URLS[0], recrawl_after_s=0.5 + await act.now_ms() % WEEK_MS / 2000)
    assert again.seq is None


async def test_buried_urls_are_known_on_their_level(act: Act) -> None:
    """What ends as a dead letter is remembered like what is accepted."""
    await _admit_as_last(act, _URLS[0], 0)
    lease = await act.claimed()
    await act.frontier.bury(lease, "http_404", {"id": "d", "data": b"{}"})
    later = await _hash(act, _URLS[0], 1)
    assert await act.connection.command("HLEN", later) == 1
