"""add, status, dead, tail, check: against a real Redis."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.conftest import SINCE
from worker.clock import SystemClock
from worker.events.envelope import dead_event, malformed_event
from worker.store.frontier import Frontier, FrontierLimits
from worker.store.hosts import HostPolicy
from worker.store.inbox import Inbox
from worker.urls import parse_item

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Ran
    from worker.store.connection import Connection
    from worker.store.keys import Keys

NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def bury(connection: Connection, keys: Keys, *urls: str) -> None:
    """Dead letters of these URLs, by http_404, and one of a malformed item."""
    inbox = Inbox(connection, keys, worker="w")
    frontier = Frontier(connection, keys, worker="w", limits=FrontierLimits(), clock=SystemClock())
    await frontier.hosts.configure(HostPolicy(spacing_s=0, slots=9))
    await inbox.admit([(n, parse_item(url.encode())) for n, url in enumerate(urls, start=1)])
    while leases := (await frontier.claim(10)).leases:
        for lease in leases:
            event = dead_event(lease.task, "http_404", "gone", partition=0, namespace="ingest", now=NOW)
            await frontier.bury(lease, "http_404", event)
    event = malformed_event(item="no url", why="not a URL", number=99, namespace="ingest", now=NOW)
    await inbox.reject(99, event)


async def queued(connection: Connection, keys: Keys) -> list[bytes]:
    """What stands in the queue."""
    items: list[bytes] = await connection.command("LRANGE", keys.queue, 0, -1)
    return items


async def test_add_pushes_the_good_and_tells_the_bad(
    ingest: Callable[..., Ran], connection: Connection, keys: Keys, tmp_path: Path
) -> None:
    """From a file: good lines are pushed, bad ones told with their numbers, repeats skipped; exit code 1."""
    file = tmp_path / "urls.txt"
    file.write_text(
        "# a comment\nhttp://a.example/1\n\nftp://a.example/\nnonsense\nhttp://a.example/1#again\n"
        '{"url": "http://a.example/2", "priority": "high"}\n{"url": 7}\n'
    )
    ran = ingest("add", "-f", str(file))
    assert ran.code == 1
    assert "pushed 2, refused 4" in ran.out
    for line in ("line 4", "line 5", "line 8"):
        assert line in ran.err
    assert len(await queued(connection, keys)) == 2


async def test_add_from_a_pipe_with_wishes(
    ingest: Callable[..., Ran], connection: Connection, keys: Keys
) -> None:
    """From stdin, with options: each item carries what was asked for; --json says what happened."""
    ran = ingest(
        "add",
        "-",
        "--force",
        "--meta",
        '{"feed": 7}',
        "--json",
        stdin="http://a.example/1\nhttp://a.example/2",
    )
    assert (ran.code, ran.json) == (0, {"pushed": 2, "refused": []})
    (first, _) = [parse_item(item) for item in await queued(connection, keys)]
    assert (first.url, first.force, first.meta) == ("http://a.example/1", True, {"feed": 7})


async def test_status_has_the_promised_shape(
    ingest: Callable[..., Ran], connection: Connection, keys: Keys
) -> None:
    """`status --json` prints the ledger, whether it balances, and the queue."""
    await bury(connection, keys, "http://a.example/1")
    ingest("add", "http://b.example/")
    seen = ingest("status", "--json", "--hosts").json
    assert seen["ledger"] == {
        "accepted": 2,
        "articles": 0,
        "unchanged": 0,
        "dead": 2,
        "waiting": 0,
        "leased": 0,
        "refused": 0,
    }
    assert (seen["balanced"], seen["queue"], seen["hosts"], seen["silent"]) == (True, 1, [], [])
    assert seen["reasons"] == {"dead:http_404": 1, "dead:malformed": 1}


async def test_status_of_a_broken_ledger_fails(
    ingest: Callable[..., Ran], connection: Connection, keys: Keys
) -> None:
    """A ledger that does not balance is an error, and says what that means."""
    await connection.command("HSET", keys.ledger(), "accepted", 5)
    ran = ingest("status")
    assert ran.code == 1
    assert "does not balance" in ran.err


async def test_dead_letters_are_listed_shown_retried_purged(
    ingest: Callable[..., Ran], connection: Connection, keys: Keys
) -> None:
    """The whole life of dead letters in an operator's hands."""
    await bury(connection, keys, "http://a.example/1", "http://a.example/2")
    listed = ingest("dead", "list", "--reason", "http_404").lines
    assert [letter["data"]["url"] for letter in listed] == ["http://a.example/1", "http://a.example/2"]
    shown = ingest("dead", "show", listed[0]["entry"])
    assert "http_404: HTTP 404, Not Found" in shown.out
    assert f"ingest dead retry {listed[0]['entry']}" in shown.out
    assert ingest("dead", "retry", listed[0]["entry"]).out == "retried 1\n"
    assert ingest("dead", "retry", listed[0]["entry"]).code == 1
    every = ingest("dead", "retry", "--all")
    assert (every.code, every.out) == (0, "retried 1\n")
    assert "malformed item" in every.err
    assert ingest("dead", "purge", "--all", "--yes").out == "purged 1\n"
    assert ingest("dead", "list").lines == []
    assert ingest("dead", "show", "latest").code == 1
    figures = ingest("status", "--json").json
    assert (figures["ledger"]["waiting"], figures["ledger"]["dead"], figures["balanced"]) == (2, 1, True)


async def test_tail_prints_whole_events(
    ingest: Callable[..., Ran], connection: Connection, keys: Keys
) -> None:
    """In a pipe, each event is a JSON line, from the start or after an entry."""
    await bury(connection, keys, "http://a.example/1", "http://a.example/2")
    first, second, third = ingest("tail", "--dead", "--from", "start", "--count", "3").lines
    assert (first["type"], first["data"]["reason"]) == ("url.dead.v1", "http_404")
    assert third["data"]["item"] == "no url"
    after = ingest("tail", "--dead", "--from", first["entry"], "--no-follow").lines
    assert [event["id"] for event in after] == [second["id"], third["id"]]
    assert ingest("tail", "--from", "start", "--no-follow").out == ""


async def test_check_names_what_is_in_place(ingest: Callable[..., Ran]) -> None:
    """With a good Redis everything is ok, but for the user agent that names nobody."""
    ran = ingest("check", "--json")
    assert ran.code == 0
    levels = {finding["check"]: finding["level"] for finding in ran.json}
    assert levels.pop("user agent") == "warn"
    assert set(levels.values()) == {"ok"}
    assert {"settings", "hosts", "log", "redis", "persistence", "scripts", "extraction"} == set(levels)


async def test_status_names_silent_sources(ingest: Callable[..., Ran], silent_source: str) -> None:
    """Whose articles stopped coming, since when, why, and what was usual."""
    assert f"{silent_source} since 2026-01-02T03:04:05Z (quiet)" in ingest("status").out
    assert ingest("status", "--json").json["silent"] == [
        {"source": silent_source, "since": SINCE, "why": "quiet", "per_hour": 1.0, "ended": {}}
    ]
