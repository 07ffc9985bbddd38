"""The events of a real run, as the official SDK of CloudEvents reads them."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import orjson

from tests.cli.conftest import run
from tests.events.cloudevents_sdk import from_entry, from_json, whole

if TYPE_CHECKING:
    from tests.e2e.conftest import Scene


async def test_every_event_is_a_cloudevent(scene: Scene) -> None:
    """An article, a visit without news, dead letters: in the stream, and as `ingest tail` prints them."""
    host = f"http://{scene.origin.hosts[0]}:{scene.origin.port}"
    await scene.push(f"{host}/a/1?q=%25%20ü", f"{host}/tagged/2", f"{host}/gone/3", "not a url")
    scene.fleet.start()
    await scene.ledger_when("ended == 4")
    await scene.push(json.dumps({"url": f"{host}/tagged/2", "force": True}))
    await scene.ledger_when("unchanged == 1")

    seen: list[str] = []
    for stream, words in ((scene.keys.articles(), ()), (scene.keys.dead(), ("--dead",))):
        entries = await scene.connection.command("XRANGE", stream, "-", "+")
        settings = {"redis_url": scene.server.url}
        printed = await asyncio.to_thread(run, "tail", "--from", "start", "--no-follow", *words, **settings)
        lines = printed.out.splitlines()
        assert len(lines) == len(entries)
        for (entry_id, fields), line in zip(entries, lines, strict=True):
            written: dict[str, Any] = {
                name.decode(): value.decode() for name, value in fields.items() if name != b"data"
            }
            written["data"] = orjson.loads(fields[b"data"])
            assert whole(from_entry(fields)) == written
            assert whole(from_json(line)) == written | {"entry": entry_id.decode()}
            seen.append(written["type"])
    assert sorted(seen) == ["article.published.v1"] * 2 + ["article.unchanged.v1"] + ["url.dead.v1"] * 2
