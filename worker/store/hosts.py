"""Hosts: the policy that the fleet shares, what each request tells it, and what it made of that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.telemetry.log import get_logger
from worker.urls import partition_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from worker.model import Signal
    from worker.settings import HostOverride
    from worker.store.connection import Connection, Word
    from worker.store.keys import Keys


@dataclass(frozen=True, slots=True)
class HostPolicy:
    """How the fleet treats a host. `lua/hosts.lua` has what follows from it."""

    spacing_s: float = 1.0
    slots: int = 1
    delay_factor: float = 1.0  # least rest after a request, in latencies of the host
    delay_max_s: float = 30.0
    penalty_s: float = 10.0  # doubled with each strike
    penalty_max_s: float = 3600.0
    breaker_failures: int = 5  # in a row; 0: there is no breaker
    breaker_s: float = 60.0  # doubled each time that the probe fails
    breaker_max_s: float = 3600.0
    address_slots: int = 0  # 0: any number

    def words(self) -> str:
        """The policy as it stands in Redis, in the order of RULES in `lua/hosts.lua`."""
        return (
            f"{_ms(self.spacing_s)} {self.slots} {self.delay_factor:g} {_ms(self.delay_max_s)} "
            f"{_ms(self.penalty_s)} {_ms(self.penalty_max_s)} {self.breaker_failures} "
            f"{_ms(self.breaker_s)} {_ms(self.breaker_max_s)} {self.address_slots}"
        )


class Hosts:
    """The policy as all workers read it. A host in one partition knows nothing of another's."""

    #: The IP address that a URL's host was last reached at; needed only where addresses have slots.
    address_of: Callable[[str], str | None] | None = None

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection = connection
        self._keys = keys

    async def configure(
        self, policy: HostPolicy, overrides: Mapping[str, HostOverride] | None = None
    ) -> None:
        """Set the fleet's policy, and what differs for single hosts: who calls last decides for all.

        Readers are told first how many partitions there are, before any of them holds an event.
        """
        words: list[Word] = []
        for host, override in (overrides or {}).items():
            words += [host, _override_words(override)]
        words += ["*", policy.words()]
        for partition in range(self._keys.partitions):
            told = 0 if partition else self._keys.partitions
            await self._connection.run("configure", [self._keys.tag(partition)], [told, *words])

    async def slow_down(self, host: str, delay_s: float | None) -> None:
        """Keep a host's Crawl-delay for the whole fleet, or drop it."""
        key = self._keys.part(partition_of(host, self._keys.partitions), "crawl_delay")
        if delay_s is None:
            await self._connection.command("HDEL", key, host)
        else:
            await self._connection.command("HSET", key, host, _ms(delay_s))

    def words_of(self, signal: Signal, url: str) -> str:
        """How a request for `url` went, as one argument of a script: `hold_ms sign latency_ms[ address]`."""
        words = f"{_ms(signal.hold_s)} {signal.sign} {_ms(signal.latency_s)}"
        address = self.address_of(url) if self.address_of else None
        return f"{words} {address}" if address else words


def tell(host: str, changes: bytes, rest_ms: int, signal: Signal) -> None:
    """Log what a request changed for its host, as the scripts' settle() says."""
    log, rest_s = get_logger(), rest_ms / 1000
    for change in changes.decode().split():
        match change:
            case "held":
                log.warning("host_penalised", host=host, reason=signal.reason, hold_s=rest_s)
            case "opened":
                log.warning("host_opened", host=host, reason=signal.reason, hold_s=rest_s)
            case "closed":
                log.info("host_closed", host=host)


def _override_words(override: HostOverride) -> str:
    spacing = "-" if override.spacing_s is None else str(_ms(override.spacing_s))
    slots = "-" if override.slots is None else str(override.slots)
    factor = "-" if override.delay_factor is None else f"{override.delay_factor:g}"
    return f"{spacing} {slots} {factor}"


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
