"""Hosts as an operator wants to see them: those that are asked, waited for, slowed or left alone."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from worker.urls import partition_of

if TYPE_CHECKING:
    from worker.store.connection import Connection
    from worker.store.keys import Keys

#: Keys that one look passes over at most: a frontier may hold millions, and Redis serves workers meanwhile.
_KEYS_PASSED = 200_000
_KEYS_AT_ONCE = 1_000
_HOSTS_AT_ONCE = 200
#: By `slowest_hosts`, in each partition, at either end.
_LOOKED_AT = 100

Breaker = Literal["closed", "open", "half_open"]
Condition = Literal["open", "half-open", "penalised", "slowed", "busy", "waiting"]


@dataclass(frozen=True, slots=True)
class HostState:
    """The fleet's view of one host."""

    host: str
    waiting: int  # URLs
    in_work: int  # requests under way
    due_in_s: float  # until its next request, as far as a slot is free
    spacing_s: float  # what it rests between two requests now
    slowed: bool  # longer than the fleet's setting
    slots: int
    strikes: int
    failures: int  # in a row
    breaker: Breaker
    opened: int  # how often in a row
    crawl_delay_s: float
    latency_s: float
    address: str | None

    @property
    def matters(self) -> tuple[bool, bool, bool, bool, int]:
        """What puts one host above another: trouble first, then work."""
        slowed = self.slowed and self.waiting + self.in_work > 0
        return self.breaker != "closed", self.strikes > 0, slowed, self.in_work > 0, self.waiting

    @property
    def condition(self) -> Condition:
        """How the host fares, in a word."""
        if self.breaker != "closed":
            return "open" if self.breaker == "open" else "half-open"
        if self.strikes:
            return "penalised"
        if self.slowed:
            return "slowed"
        return "busy" if self.in_work else "waiting"


@dataclass(frozen=True, slots=True)
class HostStates:
    """The hosts that matter most; `complete` is False where there were too many keys to pass over."""

    hosts: tuple[HostState, ...]
    complete: bool


async def read_hosts(connection: Connection, keys: Keys, limit: int = 50) -> HostStates:
    """The hosts that matter most, and those whose turn is next."""
    names, complete = await _remembered(connection, keys)
    for partition in range(keys.partitions):
        names[partition].update(
            await connection.command("ZRANGE", keys.part(partition, "ready"), 0, limit - 1)
        )
    states = [
        state
        for partition, hosts in names.items()
        for state in await _inspected(connection, keys.tag(partition), sorted(hosts))
        if any(state.matters)
    ]
    states.sort(key=lambda state: ([-int(mark) for mark in state.matters], state.due_in_s, state.host))
    return HostStates(tuple(states[:limit]), complete)


async def slowest_hosts(connection: Connection, keys: Keys, limit: int) -> list[HostState]:
    """Of the hosts with work, those in trouble and then the slowest, without a pass over all keys.

    A host that is left alone is the last in line for its next request; one that is slow to answer holds the
    oldest leases. So a look at both ends finds them, whatever the size of the frontier.
    """
    states: list[HostState] = []
    for partition in range(keys.partitions):
        last = await connection.command("ZRANGE", keys.part(partition, "ready"), 0, _LOOKED_AT - 1, "REV")
        tokens = await connection.command("ZRANGE", keys.part(partition, "leases"), 0, _LOOKED_AT - 1)
        lines = await connection.command("HMGET", keys.part(partition, "leased"), *tokens) if tokens else []
        busy = {line.split(b" ", 2)[1] for line in lines if line}
        states += await _inspected(connection, keys.tag(partition), sorted({*last, *busy}))
    states.sort(key=lambda state: ([-int(mark) for mark in state.matters[:3]], -state.latency_s, state.host))
    return states[:limit]


async def read_host(connection: Connection, keys: Keys, host: str) -> HostState:
    """One host key, which the fleet need not know."""
    tag = keys.tag(partition_of(host, keys.partitions))
    (state,) = await _inspected(connection, tag, [host.encode()])
    return state


async def _remembered(connection: Connection, keys: Keys) -> tuple[defaultdict[int, set[bytes]], bool]:
    """Hosts by partition that Redis knows something of, and whether that is all of them."""
    found: defaultdict[int, set[bytes]] = defaultdict(set)
    namespace = re.sub(r"([*?\[\]\\^])", r"\\\1", keys.namespace)
    form = re.compile(rb"\{%s:(\d+)\}:host:(.+)" % re.escape(keys.namespace.encode()), re.DOTALL)
    pages = 0
    async for page in connection.scan(f"{{{namespace}:*}}:host:*", count=_KEYS_AT_ONCE):
        if pages == _KEYS_PASSED // _KEYS_AT_ONCE:
            return found, False
        pages += 1
        for match in filter(None, map(form.fullmatch, page)):
            found[int(match[1])].add(match[2])
    return found, True


async def _inspected(connection: Connection, tag: str, hosts: list[bytes]) -> list[HostState]:
    states: list[HostState] = []
    for start in range(0, len(hosts), _HOSTS_AT_ONCE):
        batch = hosts[start : start + _HOSTS_AT_ONCE]
        rows = await connection.run("inspect", [tag], batch)
        states += [_state(host.decode(), row) for host, row in zip(batch, rows, strict=True)]
    return states


def _state(host: str, row: list[int | bytes]) -> HostState:
    *numbers, address = row
    (
        waiting,
        busy,
        next_ms,
        spacing,
        set_spacing,
        slots,
        strikes,
        failures,
        opened,
        probing,
        crawl,
        latency,
    ) = (int(number) for number in numbers)
    return HostState(
        host=host,
        waiting=waiting,
        in_work=busy,
        due_in_s=next_ms / 1000,
        spacing_s=spacing / 1000,
        slowed=spacing > set_spacing,
        slots=slots,
        strikes=strikes,
        failures=failures,
        breaker="closed" if not opened else "half_open" if probing else "open",
        opened=opened,
        crawl_delay_s=crawl / 1000,
        latency_s=latency / 1000,
        address=address.decode() if isinstance(address, bytes) and address else None,
    )
