"""What an operator sees of hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.store.acting import EVENT
from worker.model import Signal
from worker.store import host_states
from worker.store.host_states import read_host, read_hosts
from worker.store.hosts import HostPolicy
from worker.store.keys import Keys

if TYPE_CHECKING:
    from tests.store.acting import Act


async def ended(act: Act, url: str, signal: Signal) -> None:
    """One request for `url`, that went like this; another URL of its host waits."""
    lease = await act.lease(url)
    await act.frontier.finish(lease, EVENT, signal=signal)
    await act.admit(f"{url}/more")


async def test_trouble_comes_first(act: Act) -> None:
    """Open hosts stand above penalised, slowed, busy and waiting ones, each with its figures."""
    await act.frontier.hosts.configure(HostPolicy(spacing_s=1, breaker_failures=1, breaker_s=60))
    await act.frontier.hosts.slow_down("crawl.example", 7)
    await act.admit("http://waiting.example/1")
    await act.claimed()
    await act.admit("http://waiting.example/2")
    await ended(act, "http://crawl.example/1", Signal("ok"))
    await ended(act, "http://slow.example/1", Signal("ok", latency_s=4))
    await ended(act, "http://busy.example/1", Signal("throttled", hold_s=9, reason="http_429"))
    await ended(act, "http://down.example/1", Signal("failed", reason="connect"))
    seen = (await read_hosts(act.connection, act.keys)).hosts
    assert [host.host.partition(".")[0] for host in seen] == ["down", "busy", "slow", "crawl", "waiting"]
    by_name = {host.host: host for host in seen}
    down, busy, slow = by_name["down.example"], by_name["busy.example"], by_name["slow.example"]
    assert (down.breaker, down.opened, down.waiting, down.in_work) == ("open", 1, 1, 0)
    assert down.due_in_s == pytest.approx(60, abs=1)
    assert (busy.strikes, busy.breaker, round(busy.due_in_s)) == (1, "closed", 9)
    assert (slow.slowed, slow.spacing_s, slow.latency_s) == (True, 4, 4)
    assert (by_name["crawl.example"].crawl_delay_s, by_name["crawl.example"].spacing_s) == (7, 7)
    assert (by_name["waiting.example"].in_work, by_name["waiting.example"].waiting) == (1, 1)
    await act.due("down.example")
    (probe,) = [lease for lease in (await act.frontier.claim(9)).leases if lease.probe]
    assert probe.task.host == "down.example"
    (first, *_) = (await read_hosts(act.connection, act.keys)).hosts
    assert (first.host, first.breaker) == ("down.example", "half_open")


async def test_one_host_is_looked_up(act: Act) -> None:
    """A host that is known is as in the list; one that is not has nothing to do and the fleet's policy."""
    await act.frontier.hosts.configure(HostPolicy(spacing_s=3))
    await ended(act, "http://a.example/1", Signal("throttled", hold_s=9, reason="http_429"))
    known = await read_host(act.connection, act.keys, "a.example")
    assert (known.host, known.waiting, known.strikes, round(known.due_in_s)) == ("a.example", 1, 1, 9)
    unknown = await read_host(act.connection, act.keys, "b.example")
    assert (unknown.waiting, unknown.in_work, unknown.due_in_s, unknown.spacing_s) == (0, 0, 0, 3)


async def test_a_look_changes_nothing(act: Act) -> None:
    """Looking writes no key and moves no host."""
    await ended(act, "http://a.example/1", Signal("throttled", hold_s=9))
    before = await act.connection.command("DUMP", act.keys.part(0, "host:a.example"))
    await read_hosts(act.connection, act.keys)
    assert await act.connection.command("DUMP", act.keys.part(0, "host:a.example")) == before


async def test_idle_hosts_are_left_out(act: Act) -> None:
    """A host that is well and has nothing to do is not shown, though its latency is remembered."""
    await act.frontier.finish(await act.lease(), EVENT, signal=Signal("ok", latency_s=30))
    assert (await read_hosts(act.connection, act.keys)).hosts == ()


async def test_the_look_is_bounded(act: Act, monkeypatch: pytest.MonkeyPatch) -> None:
    """With more keys than one look passes over, it says so; and other namespaces are not looked at."""
    for n in range(30):
        await act.connection.command("HSET", act.keys.part(0, f"host:h{n}.example"), "strikes", 1)
    assert len((await read_hosts(act.connection, act.keys)).hosts) == 30
    assert (await read_hosts(act.connection, Keys("other"))).hosts == ()
    monkeypatch.setattr(host_states, "_KEYS_AT_ONCE", 1)
    monkeypatch.setattr(host_states, "_KEYS_PASSED", 2)
    assert not (await read_hosts(act.connection, act.keys)).complete
