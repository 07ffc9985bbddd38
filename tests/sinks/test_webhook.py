"""Events as requests to a real receiver."""

from __future__ import annotations

import asyncio
import sqlite3
import ssl
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, Any

import orjson
import pytest
import trustme
from standardwebhooks import Webhook

from tests.events.cloudevents_sdk import from_request, whole
from tests.servers import free_port
from tests.sinks.receiver import Receiver
from tests.sinks.records import elsewhere, records
from tests.sinks.test_signing import NEW, OLD, text
from worker.errors import SinkUnavailable, SinkUnusable
from worker.sinks.sink import Written
from worker.sinks.webhook import WebhookSink

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver that takes everything."""
    async with Receiver() as receiver:
        yield receiver


@asynccontextmanager
async def sending(receiver: Receiver, tmp_path: Path, **options: Any) -> AsyncIterator[WebhookSink]:
    """A sink that is open and attended to."""
    sink = WebhookSink(receiver.url, tmp_path / "outbox", **options)
    await sink.open()
    try:
        async with asyncio.TaskGroup() as group:
            attending = group.create_task(sink.attend())
            yield sink
            attending.cancel()
    finally:
        await sink.close()


def refused(tmp_path: Path) -> list[tuple[str, str, int]]:
    """What is set aside in the outbox: id, the receiver's words, attempts."""
    with closing(sqlite3.connect(tmp_path / "outbox")) as outbox:
        found = outbox.execute("select event_key, said, attempts from refused order by seq")
        return [(key.rpartition(" ")[2], said, attempts) for key, said, attempts in found]


async def until(true: Callable[[], bool]) -> None:
    """Return once it is so."""
    async with asyncio.timeout(30):
        while True:
            if true():
                return
            await asyncio.sleep(0.01)


async def delivered(sink: WebhookSink) -> None:
    """Return once nothing is owed."""
    await until(lambda: not sink.owed)


async def test_a_request_is_the_signed_event(receiver: Receiver, tmp_path: Path) -> None:
    """In CloudEvents' JSON form, with the headers of Standard Webhooks; both by their own libraries."""
    (event,) = records(1, 1)
    async with sending(receiver, tmp_path, keys=(NEW, OLD)) as sink:
        assert await sink.write([event]) == Written(1)
        await delivered(sink)
    (request,) = receiver.requests
    for key in (NEW, OLD):
        Webhook(text(key)).verify(request.body, dict(request.headers))
    assert request.id == event.id
    assert request.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert request.event == {**event.attributes, "entry": event.entry, "data": orjson.loads(event.data)}
    assert whole(from_request(request.headers, request.body)) == request.event


async def test_ids_are_those_of_a_source(receiver: Receiver, tmp_path: Path) -> None:
    """Another namespace's event of the same id is sent, too."""
    (one,) = records(1, 1)
    receiver.answer = lambda _: (500, {})
    async with sending(receiver, tmp_path) as sink:
        assert await sink.write([one, elsewhere(one)]) == Written(2)
        assert await sink.write([elsewhere(one)]) == Written(0, repeats=1)
        await receiver.until(lambda all_: len(all_.requests) == 2)
    assert {request.event["source"] for request in receiver.requests} == {"/ingest/ingest", "/ingest/other"}


async def test_one_bad_event_holds_up_no_other(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the receiver fails at comes again later, under its id; all others go through meanwhile."""
    monkeypatch.setattr("worker.sinks.replies.EVENT_BACKOFF_S", (0.1, 0.2))
    events = records(1, 30)
    bad = events[0].id
    receiver.answer = lambda request: (500 if request.id == bad else 204, {})
    async with sending(receiver, tmp_path, concurrency=2) as sink:
        await sink.write(events)
        await receiver.until(lambda all_: len(set(all_.ids)) == 30)
        await until(lambda: sink.owed == 1)
    assert refused(tmp_path) == []
    receiver.answer = lambda _: (200, {})
    receiver.requests.clear()
    async with sending(receiver, tmp_path) as again:  # after a restart, from the disk
        assert again.owed == 1
        await delivered(again)
    assert receiver.ids == [bad]


async def test_what_is_refused_is_set_aside(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After so many attempts, with the receiver's last words; whoever asks has it sent again."""
    monkeypatch.setattr("worker.sinks.replies.EVENT_BACKOFF_S", (0.01, 0.02))
    events = records(1, 3)
    bad = events[1].id
    receiver.answer = lambda request: (422 if request.id == bad else 204, {})
    receiver.says = " no such field\n"
    async with sending(receiver, tmp_path, max_attempts=3) as sink:
        await sink.write(events)
        await delivered(sink)
    assert refused(tmp_path) == [(bad, "422 Unprocessable Entity: no such field", 3)]
    assert sorted(receiver.ids) == sorted([events[0].id, *[bad] * 3, events[2].id])
    receiver.answer = lambda _: (204, {})
    receiver.requests.clear()
    async with sending(receiver, tmp_path) as sink:
        assert sink.owed == 0
    async with sending(receiver, tmp_path, retry_refused=True) as sink:
        await receiver.until(lambda all_: all_.ids == [bad])
        await delivered(sink)
    assert refused(tmp_path) == []


async def test_of_what_is_refused_the_last_is_kept(receiver: Receiver, tmp_path: Path) -> None:
    """As many as may be: nothing grows without bound."""
    events = records(1, 5)
    receiver.answer = lambda _: (400, {})
    async with sending(receiver, tmp_path, max_attempts=1, refused_limit=2, concurrency=1) as sink:
        await sink.write(events)
        await delivered(sink)
    assert refused(tmp_path) == [(event.id, "400 Bad Request", 1) for event in events[3:]]


@pytest.mark.parametrize("status", [301, 401, 403, 404, 408, 425])
async def test_a_receiver_that_is_set_up_wrongly_loses_nothing(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """However often it answers so, what it was sent comes again once it is mended."""
    for name in ("EVENT_BACKOFF_S", "RECEIVER_BACKOFF_S"):
        monkeypatch.setattr(f"worker.sinks.replies.{name}", (0.01, 0.02))
    events = records(1, 3)
    receiver.answer = lambda _: (status, {})
    async with sending(receiver, tmp_path, max_attempts=1) as sink:
        await sink.write(events)
        await receiver.until(lambda all_: len(all_.requests) > 9)
        assert sink.owed == 3
        receiver.answer = lambda _: (204, {})
        await delivered(sink)
    assert {event.id for event in events} <= set(receiver.ids)
    assert refused(tmp_path) == []


async def test_a_busy_receiver_is_left_alone(receiver: Receiver, tmp_path: Path) -> None:
    """By Retry-After, for all events; the ids of later attempts are those of the first ones."""
    loop = asyncio.get_running_loop()
    began: list[float] = []

    def busy_once(_: object) -> tuple[int, dict[str, str]]:
        began.append(loop.time())
        return (503, {"Retry-After": "1"}) if len(began) == 1 else (204, {})

    receiver.answer = busy_once
    async with sending(receiver, tmp_path, concurrency=1) as sink:
        await sink.write(records(1, 3))
        await receiver.until(lambda all_: len(all_.requests) == 3)
        assert sink.owed >= 1
    assert began[1] - began[0] >= 0.99
    assert len(set(receiver.ids[1:])) == 2


async def test_a_receiver_that_is_away_is_waited_for(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens, then somebody does, and has them all."""
    for name in ("EVENT_BACKOFF_S", "RECEIVER_BACKOFF_S"):
        monkeypatch.setattr(f"worker.sinks.replies.{name}", (0.05, 0.2))
    events = records(1, 5)
    await receiver.stop()
    async with sending(receiver, tmp_path) as sink:
        await sink.write(events)
        await until(lambda: sink._failures_in_row > 2)
        assert sink.owed == 5
        await receiver.start()
        await delivered(sink)
        assert sink._failures_in_row == 0
    assert sorted(receiver.ids) == sorted(event.id for event in events)
    assert refused(tmp_path) == []


async def test_authorities_of_our_own_are_trusted(tmp_path: Path) -> None:
    """With INGEST_CA_FILE; without it the certificate is refused, and the event kept."""
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    async with Receiver(tls) as receiver:
        async with sending(receiver, tmp_path) as sink:
            await sink.write(records(1, 1))
            await until(lambda: sink._failures_in_row > 0)
            assert sink.owed == 1
        async with sending(receiver, tmp_path, ca_file=tmp_path / "ca.pem") as sink:
            await sink.write(records(2, 2))
            await receiver.until(lambda all_: len(all_.requests) > 0)


async def test_a_receiver_that_never_answers_is_a_failure(receiver: Receiver, tmp_path: Path) -> None:
    """After the time that it is given."""
    receiver.answer = lambda _: (0, {})
    async with sending(receiver, tmp_path, timeout_s=0.2) as sink:
        await sink.write(records(1, 1))
        await until(lambda: sink._failures_in_row > 0)
        assert sink.owed == 1


async def test_gone_ends_it(receiver: Receiver, tmp_path: Path) -> None:
    """410: nothing more is sent; what is left is kept, and the message says where."""
    receiver.answer = lambda _: (410, {})

    async def send() -> None:
        async with sending(receiver, tmp_path, concurrency=1) as sink:
            await sink.write(records(1, 5))
            await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as ended:
        await send()
    assert ended.group_contains(SinkUnusable, match=r"410 Gone.* 5 are kept in .*outbox")
    assert len(receiver.requests) == 1


async def test_a_full_outbox_takes_no_more(receiver: Receiver, tmp_path: Path) -> None:
    """Then events wait in the stream, as with any consumer that is slow."""
    receiver.answer = lambda _: (500, {})
    async with sending(receiver, tmp_path, outbox_limit=3) as sink:
        await sink.write(records(1, 3))
        with pytest.raises(SinkUnavailable, match="3 events wait in"):
            await sink.write(records(4, 4))


async def test_redirects_are_not_followed(receiver: Receiver, tmp_path: Path) -> None:
    """The signed body goes where the operator said, and nowhere else."""
    receiver.answer = lambda _: (307, {"Location": f"http://127.0.0.1:{free_port()}/elsewhere"})
    async with sending(receiver, tmp_path) as sink:
        await sink.write(records(1, 1))
        await until(lambda: sink._failures_in_row > 0)
        assert sink.owed == 1
    assert len(receiver.requests) == 1


async def test_a_host_that_is_none_is_told(tmp_path: Path) -> None:
    """Before anything is read; without the password of the URL."""
    with pytest.raises(SinkUnusable, match="is the URL right") as told:
        await WebhookSink("http://u:hunter2@no-such-host.invalid/", tmp_path / "outbox").open()
    assert "hunter2" not in str(told.value)
