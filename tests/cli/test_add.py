"""`ingest add`: what reaches the queue, byte for byte; test_queue_commands.py tells the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Ran
    from worker.store.connection import Connection


async def _queue(connection: Connection) -> list[bytes]:
    return list(await connection.command("LRANGE", "ingest:queue", 0, -1))


async def test_arguments_are_pushed_as_given(ingest: Callable[..., Ran], connection: Connection) -> None:
    """URLs of the command line stand in the queue in their order, unwrapped."""
    ran = ingest("add", "http://a.example/1", "http://b.example/2")
    assert (ran.code, ran.out, ran.err) == (0, "pushed 2, refused 0\n", "")
    assert await _queue(connection) == [b"http://a.example/1", b"http://b.example/2"]


async def test_a_repeat_alone_is_no_failure(ingest: Callable[..., Ran], connection: Connection) -> None:
    """A list with doubles is told of them, and all is well."""
    ran = ingest("add", "http://a.example/1", "http://a.example/1")
    assert (ran.code, ran.out.splitlines()[0]) == (0, "pushed 1, refused 1")


async def test_json_holds_every_refusal(ingest: Callable[..., Ran], connection: Connection) -> None:
    """--json prints the refusals as data, and nothing on stderr."""
    ran = ingest("add", "-", "--json", stdin="http://a.example/1\nfoo")
    why = "not an absolute URL such as https://example.com/news"
    assert (ran.code, ran.err) == (1, "")
    assert ran.json == {"pushed": 1, "refused": [{"line": 2, "item": "foo", "why": why}]}


async def test_every_option_travels_with_the_url(ingest: Callable[..., Ran], connection: Connection) -> None:
    """Options make the item an object that holds them."""
    options = ["--force", "--priority", "high", "--id", "a1", "--meta", "[7]", "--not-before", "1893456000"]
    options += ["--recrawl-after", "3600"]
    assert ingest("add", *options, "http://a.example/1").code == 0
    (item,) = await _queue(connection)
    assert orjson.loads(item) == {
        "url": "http://a.example/1",
        "force": True,
        "recrawl_after_s": 3600.0,
        "priority": "high",
        "id": "a1",
        "meta": [7],
        "not_before": 1893456000,
    }


@pytest.mark.parametrize(
    "args",
    [
        ["--not-before", "tomorrow", "http://a.example/"],
        ["--id", "x", "-"],
        ["-f", "no such file", "http://a.example/"],
    ],
)
async def test_wrong_usage_pushes_nothing(
    ingest: Callable[..., Ran], connection: Connection, args: list[str]
) -> None:
    """A mistake in the options exits 2 before anything is pushed."""
    assert ingest("add", *args).code == 2
    assert await _queue(connection) == []


async def test_a_long_input_arrives_whole(ingest: Callable[..., Ran], connection: Connection) -> None:
    """Thousands of lines through a pipe are pushed once each, in order."""
    urls = [f"http://a.example/{number}" for number in range(5000)]
    assert ingest("add", "-", stdin="\n".join(urls)).out == "pushed 5,000, refused 0\n"
    assert await _queue(connection) == [url.encode() for url in urls]


async def test_what_no_replica_confirms_is_pushed_all_the_same(
    ingest: Callable[..., Ran], connection: Connection
) -> None:
    """Asked to wait for a replica where there is none, it fails, and says what stands in the queue."""
    ran = ingest("add", "http://a.example/1", durability="wait", redis_timeout_s="1")
    assert (ran.code, ran.out) == (1, "pushed 1, refused 0\n")
    assert "no replica has confirmed" in ran.err
    assert "stands in Redis" in ran.err
    assert await _queue(connection) == [b"http://a.example/1"]
