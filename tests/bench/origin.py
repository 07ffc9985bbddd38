"""`python -m tests.bench.origin HOSTS [FOLDER [PERIOD_S]] [--delay-ms MS]`: pages over loopback, not counted.

Serves `/<n>` on 127.0.3.1 … 127.0.3.HOSTS; prints the port once it listens, and ends with its stdin. An
empty FOLDER is our own sample site. With a period, every URL has another page after each so many seconds;
with a delay, every answer comes that much later.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import uvloop

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_OWN_PAGES = Path(__file__).parents[1] / "site" / "pages"


@dataclass(frozen=True, slots=True)
class BenchPage:
    """A page as it is on the wire, and the URL that it had when it was public."""

    url: str
    wire: bytes
    is_gzip: bool

    @property
    def body(self) -> bytes:
        """The page as a browser would see it."""
        return gzip.decompress(self.wire) if self.is_gzip else self.wire


def pages(folder: Path | None) -> list[BenchPage]:
    """The real pages of `folder`, or those of our own sample site."""
    if folder is None:
        return [
            BenchPage(f"http://sample.example/{path.stem}", path.read_bytes(), is_gzip=False)
            for path in sorted(_OWN_PAGES.rglob("*.html"))
        ]
    with (folder / "expected.jsonl").open() as rows:
        expected = [json.loads(row) for row in rows]
    return [BenchPage(row["url"], (folder / row["file"]).read_bytes(), is_gzip=True) for row in expected]


def bound(networks: Mapping[str, int]) -> list[socket.socket]:
    """A socket for each host, NETWORK.1 to NETWORK.HOSTS, all at one port."""
    sockets: list[socket.socket] = []
    for network, hosts in networks.items():
        for number in range(1, hosts + 1):
            listener = socket.socket()
            listener.bind((f"{network}.{number}", port_of(sockets) if sockets else 0))
            sockets.append(listener)
    return sockets


def port_of(sockets: Sequence[socket.socket]) -> int:
    """The one port of all of them."""
    return int(sockets[0].getsockname()[1])


class _Answers(asyncio.Protocol):
    """One connection of a client that asks for `/<n>` and waits for each answer, as all do that are measured.

    As lean as can be, since it runs on the cores that are measured: a framework took a sixth of them.
    """

    def __init__(self, served: Sequence[bytes], period_s: float, delay_s: float) -> None:
        self._served = served
        self._period_s = period_s
        self._delay_s = delay_s
        self._asked = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The client is here."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one by its methods alone

    def data_received(self, data: bytes) -> None:
        """Answers each request that is whole."""
        *requests, self._asked = (self._asked + data).split(b"\r\n\r\n")
        for request in requests:
            turn = int(time.monotonic() / self._period_s) if self._period_s else 0
            number = int(request.split(b" ", 2)[1][1:])
            answer = self._served[(number + turn) % len(self._served)]
            if self._delay_s:
                asyncio.get_running_loop().call_later(self._delay_s, self._transport.write, answer)
            else:
                self._transport.write(answer)


def _answer(page: BenchPage) -> bytes:
    coded = "Content-Encoding: gzip\r\n" if page.is_gzip else ""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{coded}Content-Length: {len(page.wire)}\r\n\r\n"
    return head.encode() + page.wire


async def serve(hosts: int, folder: Path | None, period_s: float = 0, delay_s: float = 0) -> None:
    """Serve until stdin ends."""
    served = [_answer(page) for page in pages(folder)]
    loop = asyncio.get_running_loop()
    for listener in (listeners := bound({"127.0.3": hosts})):
        await loop.create_server(lambda: _Answers(served, period_s, delay_s), sock=listener, backlog=512)
    print(port_of(listeners), flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="origin")
    parser.add_argument("hosts", type=int)
    parser.add_argument("folder", nargs="?", default="")
    parser.add_argument("period_s", nargs="?", type=float, default=0)
    parser.add_argument("--delay-ms", type=float, default=0)
    given = parser.parse_args()
    known = Path(given.folder) if given.folder else None
    uvloop.run(serve(given.hosts, known, given.period_s, given.delay_ms / 1000))
