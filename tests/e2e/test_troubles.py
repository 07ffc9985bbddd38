"""What goes wrong in production, done on purpose to real processes: nothing is lost, nothing comes twice."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import pytest

from tests.chaos.verdict import faults

if TYPE_CHECKING:
    from tests.e2e.conftest import Scene

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


async def test_redis_away_for_20_s(scene: Scene) -> None:
    """Redis is killed in the middle and comes back after 20 s with its data: work goes on by itself."""
    urls = [scene.origin.url(number) for number in range(80)]
    await scene.push(*urls)
    scene.fleet.start()
    await scene.ledger_when("articles >= 20")
    scene.server.stop(signal.SIGTERM)
    await scene.logged("redis_unavailable")
    await asyncio.sleep(20)  # the length of the outage is what is tested
    scene.server.start()
    ledger = await scene.ledger_when("ended == 80")
    assert ledger.articles == 80
    assert await scene.logged("redis_restored")
    assert await asyncio.to_thread(scene.fleet.stop) == [0]
    assert await faults(scene.connection, scene.keys, urls) == []


async def test_sigterm_under_load(scene: Scene) -> None:
    """SIGTERM ends what is in work, gives back nothing half-done, and the next worker does the rest."""
    urls = [scene.origin.url(number) for number in range(80)]
    await scene.push(*urls)
    scene.fleet.start()
    await scene.ledger_when("articles >= 20")
    assert await asyncio.to_thread(scene.fleet.stop) == [0]
    between = await scene.ledger_when("leased == 0", patience_s=1)
    assert between.balanced
    assert between.waiting > 0
    assert "reaped" not in between.traffic
    scene.fleet.start()
    await scene.ledger_when("ended == 80")
    assert await asyncio.to_thread(scene.fleet.stop) == [0]
    assert await faults(scene.connection, scene.keys, urls) == []


async def test_second_signal_gives_leases_back_at_once(scene: Scene) -> None:
    """A second SIGTERM waits for no slow page: their URLs go back uncounted, none as a suspect."""
    scene.fleet.settings["INGEST_HOST_SPACING_S"] = "0"
    slow = [
        f"http://{host}:{scene.origin.port}/hang/{number}" for number, host in enumerate(scene.origin.hosts)
    ]
    await scene.push(*slow)
    worker = scene.fleet.start()
    await scene.ledger_when("leased == 8")
    for _ in slow:
        await scene.origin.hanging.acquire()
    worker.send_signal(signal.SIGTERM)
    await scene.logged("worker_stopping")
    worker.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(worker.wait, 10) == 0
    ledger = await scene.ledger_when("leased == 0", patience_s=1)
    assert ledger.waiting == 8
    assert "reaped" not in ledger.traffic
    assert (await scene.logged("leases_released"))["count"] == 8


async def test_stopped_worker_publishes_nothing_later(scene: Scene) -> None:
    """A worker that slept past its leases (SIGSTOP, SIGCONT) is a zombie: others do its URLs, once."""
    urls = [scene.origin.url(number) for number in range(60)]
    await scene.push(*urls)
    zombie = scene.fleet.start()
    await scene.ledger_when("articles >= 10")
    zombie.send_signal(signal.SIGSTOP)
    scene.fleet.start()
    await scene.ledger_when("ended == 60")
    zombie.send_signal(signal.SIGCONT)
    await scene.push(scene.origin.url(60))
    await scene.ledger_when("ended == 61")
    assert await asyncio.to_thread(scene.fleet.stop) == [0, 0]
    assert await faults(scene.connection, scene.keys, [*urls, scene.origin.url(60)]) == []


async def test_clock_stepped_by_an_hour(scene: Scene) -> None:
    """Redis' clock jumps ahead by an hour, then back by one: nothing is lost, repeated, or stuck."""
    urls = [scene.origin.url(number) for number in range(60)]
    await scene.push(*urls)
    scene.fleet.start()
    for step_ms, articles in ((3_600_000, 15), (-3_600_000, 30)):
        await scene.ledger_when(f"articles >= {articles}")
        await scene.step_clock(step_ms)
    await scene.ledger_when("ended == 60")
    assert await asyncio.to_thread(scene.fleet.stop) == [0]
    assert await faults(scene.connection, scene.keys, urls) == []


async def test_malformed_items_are_buried_and_quoted(scene: Scene) -> None:
    """Whatever stands in the queue, the worker goes on, and each bad item is a dead letter that quotes it."""
    bad = [
        b"",
        b"\xff\xfe\x00",
        b"not a url",
        b"ftp://a.example/",
        b"http://a.example/" + b"x" * 9000,
        b'{"url": "http://a.example/"',
        b'{"url": 7}',
        b'["http://a.example/"]',
        b'{"link": "http://a.example/"}',
        b"{" + b" " * 5_000_000,
    ]
    await scene.push(*bad, scene.origin.url(0))
    scene.fleet.start()
    ledger = await scene.ledger_when(f"ended == {len(bad) + 1}")
    assert ledger.reasons == {"dead:malformed": len(bad)}
    assert ledger.articles == 1
    letters = await scene.dead_letters()
    assert len(letters) == len(bad)
    for letter, item in zip(letters, bad, strict=True):
        assert letter["reason"] == "malformed"
        assert letter["error"]
        assert len(letter["item"]) <= 200
        assert letter["item"][:9] == item[:9].decode("ascii", "backslashreplace").replace("\x00", "\\x00")[:9]


async def test_worker_that_dies_is_followed_by_suspects_alone(scene: Scene) -> None:
    """What a killed worker held runs next in a process of its own, and is published there."""
    urls = [scene.origin.url(number) for number in range(40)]
    await scene.push(*urls)
    victim = scene.fleet.start()
    await scene.ledger_when("articles >= 5 and leased > 0")
    await asyncio.to_thread(scene.fleet.kill, victim)
    held = (await scene.ledger_when("leased > 0", patience_s=1)).leased
    scene.fleet.start()
    await scene.ledger_when("ended == 40")
    assert await asyncio.to_thread(scene.fleet.stop) == [0]
    lines = list(scene.fleet.lines())
    events = [line["event"] for line in lines]
    alone = {line["worker"] for line in lines if line["event"] == "suspect_started"}
    assert alone <= {line["worker"] for line in lines if line["event"] == "worker_stopped"}, "no last words"
    assert events.count("lease_reaped") == held
    assert events.count("suspect_started") >= held
    assert await faults(scene.connection, scene.keys, urls) == []
