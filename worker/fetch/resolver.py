"""Where names are looked up: by c-ares, which tells how long an answer holds, or on threads by the system."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

import aiodns
import pycares
from aiodns import error as ares

from worker.telemetry.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Sequence

_CODES = {
    # What a second question may find answered: no server was reached, or it had troubles of its own.
    ares.ARES_ETIMEOUT: socket.EAI_AGAIN,
    ares.ARES_ESERVFAIL: socket.EAI_AGAIN,
    ares.ARES_ECONNREFUSED: socket.EAI_AGAIN,
    ares.ARES_EREFUSED: socket.EAI_AGAIN,
    ares.ARES_ECANCELLED: socket.EAI_AGAIN,
    ares.ARES_ENOTFOUND: socket.EAI_NONAME,
    ares.ARES_ENODATA: socket.EAI_NONAME,
    ares.ARES_EBADNAME: socket.EAI_NONAME,
    ares.ARES_ENONAME: socket.EAI_NONAME,
}
_LOOKUP_TIMEOUT_S = 2.0  # of the first question; c-ares waits longer for its later ones
_LOOKUP_TRIES = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """The addresses of a name, in the order to be tried."""

    addresses: tuple[tuple[socket.AddressFamily, str], ...]
    ttl_s: float | None = None  # how long they hold; None: unknown


class Lookup(Protocol):
    """Asks for addresses."""

    async def lookup(self, host: str, family: socket.AddressFamily) -> Answer:
        """Raises socket.gaierror (EAI_AGAIN where that may pass), or UnicodeError for an impossible name."""
        ...

    async def close(self) -> None:
        """Take no more lookups, and wait for none."""
        ...


class AresLookup:
    """c-ares: /etc/hosts first, then the name servers of resolv.conf or the given ones, by UDP and TCP.

    The search list of resolv.conf is not used: a URL's host is a full name, and for a host that does not
    exist each entry would cost a question. Must be made within a running event loop. Raises
    pycares.AresError where c-ares cannot start.
    """

    def __init__(self, servers: Sequence[str] | None = None) -> None:
        self._resolver = aiodns.DNSResolver(
            servers, timeout=_LOOKUP_TIMEOUT_S, tries=_LOOKUP_TRIES, flags=pycares.ARES_FLAG_NOSEARCH
        )

    async def lookup(self, host: str, family: socket.AddressFamily) -> Answer:
        """The addresses of `host`; the answer holds as long as the shortest TTL in it says."""
        try:
            found = await self._resolver.getaddrinfo(host, family, type=socket.SOCK_STREAM)
        except ares.DNSError as exc:
            raise _gaierror(exc) from exc
        if not found.nodes:
            raise socket.gaierror(socket.EAI_NONAME, "no addresses")
        addresses = tuple((socket.AddressFamily(node.family), node.addr[0].decode()) for node in found.nodes)
        ttls = (*(node.ttl for node in found.nodes), *(cname.ttl for cname in found.cnames))
        return Answer(addresses, float(min(ttls)))

    async def close(self) -> None:
        """End the questions that are open."""
        await self._resolver.close()


class ThreadedLookup:
    """The system's resolver, on enough threads that hosts whose name servers hang delay no other host.

    The loop's own `getaddrinfo` shares a handful of threads (uvloop: four) with everything else, and each
    hung lookup holds one for ten seconds or more.
    """

    def __init__(self, threads: int = 64) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="dns")

    async def lookup(self, host: str, family: socket.AddressFamily = socket.AF_UNSPEC) -> Answer:
        """The addresses of `host`; how long they hold the system does not tell."""
        ask = partial(socket.getaddrinfo, host, 0, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        infos = await asyncio.get_running_loop().run_in_executor(self._pool, ask)
        return Answer(tuple((found, str(address[0])) for found, _, _, _, address in infos))

    async def close(self) -> None:
        """Take no more lookups, and wait for none."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def system_lookup() -> Lookup:
    """c-ares where it starts, else the system's resolver. Must be called within a running event loop."""
    try:
        return AresLookup()
    except (pycares.AresError, RuntimeError, OSError) as exc:
        get_logger().warning("dns_fallback", error=str(exc))
        return ThreadedLookup()


def _gaierror(exc: ares.DNSError) -> socket.gaierror:
    code = exc.args[0]
    return socket.gaierror(_CODES.get(code, socket.EAI_FAIL), pycares.errno.strerror(code))
