from __future__ import annotations

import asyncio
import socket
import threading

import pytest

from worker.fetch.resolver import ThreadedResolver


async def test_it_resolves_as_the_system_does() -> None:
    """A name becomes the addresses that the system's resolver knows, with the port asked for."""
    resolver = ThreadedResolver(threads=1)
    found = await resolver.resolve("localhost", 8080, family=socket.AF_INET)
    await resolver.close()
    assert [(result["hostname"], result["host"], result["port"]) for result in found] == [
        ("localhost", "127.0.0.1", 8080)
    ]


async def test_an_unknown_name_is_an_error_of_the_resolver() -> None:
    """What does not resolve raises socket.gaierror."""
    resolver = ThreadedResolver(threads=1)
    with pytest.raises(socket.gaierror):
        await resolver.resolve("nothing.invalid")
    await resolver.close()


async def test_hung_lookups_delay_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """While dozens of name servers hang, another host resolves; the loop's own threads are not used up."""
    answered, system = threading.Event(), socket.getaddrinfo

    def hangs(host: str, *args: object, **options: object) -> object:
        if host == "hung.example":
            answered.wait()
            raise socket.gaierror(socket.EAI_AGAIN, "timed out")
        return system(host, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    resolver = ThreadedResolver()
    hung = [asyncio.create_task(resolver.resolve("hung.example")) for _ in range(40)]
    try:
        async with asyncio.timeout(5):
            assert await resolver.resolve("localhost")
            assert await asyncio.to_thread(lambda: "free") == "free"
    finally:
        answered.set()
        outcomes = await asyncio.gather(*hung, return_exceptions=True)
        await resolver.close()
    assert all(isinstance(outcome, socket.gaierror) for outcome in outcomes)
