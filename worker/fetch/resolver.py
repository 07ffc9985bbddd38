"""DNS on threads of its own."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from aiohttp.abc import AbstractResolver, ResolveResult

_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class ThreadedResolver(AbstractResolver):
    """The system's resolver, on enough threads that hosts whose name servers hang delay no other host.

    The loop's own `getaddrinfo` shares a handful of threads (uvloop: four) with everything else, and each
    hung lookup holds one for ten seconds or more.
    """

    def __init__(self, threads: int = 64) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="dns")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of `host`. Raises socket.gaierror, or UnicodeError for a name that cannot exist."""
        lookup = partial(
            socket.getaddrinfo, host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
        )
        infos = await asyncio.get_running_loop().run_in_executor(self._pool, lookup)
        return [
            ResolveResult(
                hostname=host, host=str(address[0]), port=port, family=found, proto=proto, flags=_NUMERIC
            )
            for found, _, proto, _, address in infos
        ]

    async def close(self) -> None:
        """Take no more lookups, and wait for none."""
        self._pool.shutdown(wait=False, cancel_futures=True)
