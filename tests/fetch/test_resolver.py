from __future__ import annotations

import asyncio
import socket
import threading

import pycares
import pytest

from tests.fetch.nameserver import Nameserver
from worker.fetch.resolver import Answer, AresLookup, ThreadedLookup, system_lookup


async def test_it_resolves_as_the_system_does() -> None:
    """A name becomes the addresses that the system's resolver knows, which tells no TTL."""
    lookup = ThreadedLookup(threads=1)
    found = await lookup.lookup("localhost", socket.AF_INET)
    await lookup.close()
    assert found == Answer(((socket.AF_INET, "127.0.0.1"),), None)


async def test_an_unknown_name_is_an_error_of_the_resolver() -> None:
    """What does not resolve raises socket.gaierror."""
    lookup = ThreadedLookup(threads=1)
    with pytest.raises(socket.gaierror):
        await lookup.lookup("nothing.invalid")
    await lookup.close()


async def test_hung_lookups_delay_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """While dozens of name servers hang, another host resolves; the loop's own threads are not used up."""
    answered, system = threading.Event(), socket.getaddrinfo

    def hangs(host: str, *args: object, **options: object) -> object:
        if host == "hung.example":
            answered.wait()
            raise socket.gaierror(socket.EAI_AGAIN, "timed out")
        return system(host, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    lookup = ThreadedLookup()
    hung = [asyncio.create_task(lookup.lookup("hung.example")) for _ in range(40)]
    try:
        async with asyncio.timeout(5):
            assert (await lookup.lookup("localhost")).addresses
            assert await asyncio.to_thread(lambda: "free") == "free"
    finally:
        answered.set()
        outcomes = await asyncio.gather(*hung, return_exceptions=True)
        await lookup.close()
    assert all(isinstance(outcome, socket.gaierror) for outcome in outcomes)


async def test_an_answer_holds_as_long_as_its_shortest_record() -> None:
    """Of an alias and several addresses the shortest TTL counts, and all addresses are there."""
    names = {"cdn.example": (["192.0.2.1", "192.0.2.2"], 40)}
    async with Nameserver(names, aliases={"news.example": ("cdn.example", 300)}) as dns:
        lookup = AresLookup([dns.address])
        found = await lookup.lookup("news.example", socket.AF_UNSPEC)
        await lookup.close()
    assert {address for _, address in found.addresses} == {"192.0.2.1", "192.0.2.2"}
    assert found.ttl_s == 40


@pytest.mark.parametrize(
    ("host", "errno"),
    [
        ("nothing.example", socket.EAI_NONAME),
        ("empty.example", socket.EAI_NONAME),
        ("a" * 64 + ".example", socket.EAI_NONAME),
    ],
)
async def test_names_without_addresses(host: str, errno: int) -> None:
    """A name that does not exist, one that has no addresses, and one that cannot be asked for."""
    async with Nameserver({"empty.example": ([], 40)}) as dns:
        lookup = AresLookup([dns.address])
        with pytest.raises(socket.gaierror) as failed:
            await lookup.lookup(host, socket.AF_UNSPEC)
        await lookup.close()
    assert failed.value.errno == errno


async def test_the_search_list_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name of one label is asked for as it is, and no other name is."""
    monkeypatch.setenv("LOCALDOMAIN", "corp.example")
    async with Nameserver({}) as dns:
        lookup = AresLookup([dns.address])
        with pytest.raises(socket.gaierror):
            await lookup.lookup("news", socket.AF_INET)
        await lookup.close()
    assert {name for name, _ in dns.questions} == {"news"}


async def test_without_c_ares_the_system_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where c-ares cannot start, lookups go on threads."""

    def fails(*_: object, **__: object) -> None:
        raise pycares.AresError("Failed to initialize c-ares channel")

    monkeypatch.setattr(pycares, "Channel", fails)
    lookup = system_lookup()
    await lookup.close()
    assert isinstance(lookup, ThreadedLookup)
