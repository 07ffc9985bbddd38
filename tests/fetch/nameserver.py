"""A name server on loopback, by UDP, which says what it is told and remembers what it was asked."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

_A, _CNAME = 1, 5
_NO_ERROR, _SERVFAIL, _NXDOMAIN = 0, 2, 3
#: A name to its IPv4 addresses and their TTL in seconds; or to the name that it is another name for.
Names = dict[str, tuple[list[str], int]]


class Nameserver(asyncio.DatagramProtocol):
    """Listens on 127.0.0.1 within its block. RFC 1035, 4; without a name's addresses it is unknown."""

    def __init__(self, names: Names, *, aliases: dict[str, tuple[str, int]] | None = None) -> None:
        self.names = names
        self.aliases = aliases or {}
        self.broken = False  # SERVFAIL to everything
        self.questions: list[tuple[str, int]] = []
        self._transport: Any = None

    @property
    def address(self) -> str:
        """Where it listens, as resolvers are told."""
        host, port = self._transport.get_extra_info("sockname")
        return f"{host}:{port}"

    def asked_for(self, name: str) -> int:
        """How often the name's IPv4 addresses were asked for."""
        return self.questions.count((name, _A))

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, ("127.0.0.1", 0))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transport.close()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        labels, end = [], 12
        while length := data[end]:
            labels.append(data[end + 1 : end + 1 + length].decode())
            end += 1 + length
        name, question = ".".join(labels).lower(), data[12 : end + 5]
        (kind,) = struct.unpack("!H", question[-4:-2])
        self.questions.append((name, kind))
        records, code = self._records(name, kind)
        head = struct.pack("!2sHHHHH", data[:2], 0x8180 | code, 1, len(records), 0, 0)
        self._transport.sendto(head + question + b"".join(records), addr)

    def _records(self, name: str, kind: int) -> tuple[list[bytes], int]:
        if self.broken:
            return [], _SERVFAIL
        if name in self.aliases:
            target, ttl = self.aliases[name]
            chain, code = self._records(target, kind)
            return [_record(name, _CNAME, ttl, _encoded(target)), *chain], code
        if name not in self.names:
            return [], _NXDOMAIN
        addresses, ttl = self.names[name]
        if kind != _A:
            return [], _NO_ERROR
        return [_record(name, _A, ttl, socket.inet_aton(address)) for address in addresses], _NO_ERROR


def _record(name: str, kind: int, ttl: int, data: bytes) -> bytes:
    return _encoded(name) + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data


def _encoded(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
