"""Sources that fall silent or change their layout, told by real workers: once for the fleet, no other one."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.conftest import Scene

pytestmark = pytest.mark.slow

#: A week is five seconds here, and an hour is three.
_HASTENED = {"INGEST_SILENCE_LEARN_S": "5", "INGEST_SILENCE_AFTER_S": "3", "INGEST_HOST_SPACING_S": "0.02"}
_TOLD = ("source_silent", "source_back", "field_lost", "field_found")
_PATIENCE_ROUNDS = 120
_ROUND_S = 0.25


class Feed:
    """Pushes three URLs for each of the hosts four times a second, of the kind that each is given."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._numbers: Iterator[int] = count()

    async def rounds(self, kinds: dict[str, str], number: int) -> None:
        """So many rounds."""
        for _ in range(number):
            await self._scene.push(
                *(
                    f"http://{host}/{kind}/{next(self._numbers)}"
                    for host, kind in kinds.items()
                    for _ in range(3)
                )
            )
            await asyncio.sleep(_ROUND_S)  # the pace of the feed

    async def until(self, kinds: dict[str, str], *told: tuple[str, str]) -> None:
        """Until the log has these pairs of event and host."""
        for _ in range(_PATIENCE_ROUNDS):
            await self.rounds(kinds, 1)
            if {(line["event"], line["host"]) for line in findings(self._scene)} >= set(told):
                return
        raise AssertionError(f"{findings(self._scene)} has not all of {told}\n{self._scene.fleet.errors()}")


def hosts(scene: Scene) -> list[str]:
    """The host keys of all hosts."""
    return [f"{host}:{scene.origin.port}" for host in scene.origin.hosts]


def findings(scene: Scene) -> list[dict[str, Any]]:
    """The lines of all workers that tell of sources."""
    return [line for line in scene.fleet.lines() if line["event"] in _TOLD]


async def test_a_silent_source_and_a_lost_field_are_told_once(scene: Scene) -> None:
    """Of three alike hosts one has no news, one answers 404, one loses its date; a fourth stays as it was."""
    quiet, failing, changed, steady = hosts(scene)[:4]
    scene.fleet.settings |= _HASTENED
    for _ in range(2):
        scene.fleet.start()
    feed, usual = Feed(scene), dict.fromkeys((quiet, failing, changed, steady), "a")
    await scene.logged("worker_started")
    await feed.rounds(usual, 40)
    assert findings(scene) == []

    troubled = {failing: "gone", changed: "bare", steady: "a"}
    await feed.until(troubled, ("source_silent", quiet), ("source_silent", failing), ("field_lost", changed))
    await feed.rounds(troubled, 12)
    told = {line["host"]: line for line in findings(scene)}
    assert len(told) == len(findings(scene)) == 3
    assert (told[quiet]["why"], told[quiet]["ended"]) == ("quiet", {})
    assert told[failing]["why"] == "failing"
    assert told[failing]["ended"]["http_404"] >= 10
    assert told[changed]["field"] == "published_at"
    assert told[changed]["learnt"] > 0.9
    assert "/bare/" in told[changed]["url"]

    await feed.until(usual, ("source_back", quiet), ("source_back", failing), ("field_found", changed))
    assert len(findings(scene)) == 6
    assert scene.fleet.stop() == [0, 0]


async def test_an_outage_of_ours_is_nobodys_silence(scene: Scene) -> None:
    """While no worker runs no source falls silent, however long that takes."""
    host = hosts(scene)[0]
    scene.fleet.settings |= _HASTENED
    worker = scene.fleet.start()
    feed = Feed(scene)
    await scene.logged("worker_started")
    await feed.rounds({host: "a"}, 40)
    scene.fleet.kill(worker)
    # As if they had been away for a day.
    await scene.connection.command("HINCRBY", scene.keys.part(0, "clock"), "watched_at", -86_400_000)
    scene.fleet.start()
    await feed.rounds({host: "a"}, 20)
    assert scene.fleet.stop() == [0]
    assert findings(scene) == []
