"""An event as its readers see it: any entry gives one, or a reason why it is none."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.events.samples import NOW, PAGE, PLAIN_TASK, TASK
from tests.events.streams import fields
from worker.events.envelope import dead_event, unchanged_event
from worker.events.event import UnreadableEventError, event_of, partition_in, rejection
from worker.events.payload import ArticleEvent, DeadEvent, UnchangedEvent
from worker.events.subscription import entry_before
from worker.store.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Mapping

STREAM = "{ingest:3}:articles"


def stored(event: Mapping[str, str | bytes]) -> dict[bytes, bytes]:
    """The fields as Redis gives them back."""
    return {
        name.encode(): value.encode() if isinstance(value, str) else value for name, value in event.items()
    }


def test_every_type_of_event_is_read() -> None:
    """What the worker writes is what its readers get, typed."""
    written = {
        ArticleEvent: fields(1),
        UnchangedEvent: unchanged_event(
            PLAIN_TASK, PAGE, fetched_at=NOW, partition=3, namespace="ingest", now=NOW
        ),
        DeadEvent: dead_event(TASK, "http_404", "gone", partition=3, namespace="ingest", now=NOW),
    }
    for kind, event in written.items():
        read = event_of(STREAM, "1-0", stored(event), 2)
        assert isinstance(read.payload, kind)
        assert (read.article is read.payload, read.dead is read.payload) == (
            kind is ArticleEvent,
            kind is DeadEvent,
        )
        assert (read.partition, read.entry, read.deliveries, read.key) == (3, "1-0", 2, (STREAM, "1-0"))
        assert orjson.loads(read.json())["data"] == orjson.loads(event["data"])


def test_keys_that_came_later_are_passed_over() -> None:
    """New keys may come without a new version: an older reader reads on."""
    event = stored(fields(1))
    event[b"data"] = orjson.dumps({**orjson.loads(event[b"data"]), "mood": "bright"})
    assert event_of(STREAM, "1-0", event | {b"partitionkey": b"x"}).article is not None


def test_values_that_came_later_are_read_as_they_stand() -> None:
    """A value that no Literal of this version has, at the top or deep inside, makes no event unreadable."""
    event = stored(fields(1))
    data = orjson.loads(event[b"data"])
    event[b"data"] = orjson.dumps(data | {"type": "podcast", "task": data["task"] | {"priority": "urgent"}})
    article = event_of(STREAM, "1-0", event).article
    assert article is not None
    assert (article.type, article.task.priority) == ("podcast", "urgent")
    event[b"data"] = orjson.dumps(data | {"type": 7})
    with pytest.raises(UnreadableEventError, match=r"data\.type"):
        event_of(STREAM, "1-0", event)


def test_an_event_of_a_type_that_came_later_is_whole_but_untyped() -> None:
    """Whoever only hands bytes on needs no newer version; data that is no JSON object is no event's."""
    event = stored(fields(1)) | {b"type": b"article.withdrawn.v1", b"data": b'{"why": "asked"}'}
    read = event_of(STREAM, "1-0", event)
    assert (read.payload, read.article, read.dead) == (None, None, None)
    assert (read.type, read.data) == ("article.withdrawn.v1", b'{"why": "asked"}')
    assert orjson.loads(read.json())["data"] == {"why": "asked"}
    for wrong in (b"{", b"[]", b""):
        with pytest.raises(UnreadableEventError):
            event_of(STREAM, "1-0", event | {b"data": wrong})


@given(
    changes=st.dictionaries(st.sampled_from([*stored(fields(1)), b"else"]), st.binary(max_size=40)),
    missing=st.sets(st.sampled_from([*stored(fields(1))])),
)
def test_any_entry_is_an_event_or_says_why_not(changes: dict[bytes, bytes], missing: set[bytes]) -> None:
    """Nothing else is raised, whatever stands in an entry; and all of it can be kept among the rejected."""
    entry = {name: value for name, value in (stored(fields(1)) | changes).items() if name not in missing}
    try:
        says = event_of(STREAM, "1-0", entry).entry
    except UnreadableEventError as error:
        says = str(error)
    assert says
    letter = orjson.loads(rejection("why", "1-0", entry, deliveries=1, now=NOW))
    assert len(letter["fields"]) == len(entry)


@given(namespace=st.text(min_size=1, max_size=20), partition=st.integers(0, 10_000))
def test_a_streams_name_tells_its_partition(namespace: str, partition: int) -> None:
    """Whatever the namespace is made of, but for braces, which a hash tag cannot hold."""
    if "}" not in namespace and "{" not in namespace:
        assert partition_in(Keys(namespace).dead(partition)) == partition


@given(st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_an_instant_stands_before_all_entries_of_its_millisecond(instant: datetime) -> None:
    """Redis' ids are `ms-n`: the one before `ms-0` ends with the highest n."""
    ms, _, n = entry_before(instant).partition("-")
    assert (int(ms), int(n)) == (int(instant.timestamp() * 1000) - 1, 2**64 - 1)


@pytest.mark.parametrize("wrong", ["", "1-", "-1", "1-2-3", "tomorrow", str(2**64), "0x1", "1 "])
def test_what_is_no_place_to_begin_is_refused(wrong: str) -> None:
    """The error names it and says what would do."""
    with pytest.raises(ValueError, match="should be '0', 'now', an entry's id"):
        entry_before(wrong)
