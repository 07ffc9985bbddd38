"""The ways in which the sample site answers a request: well, late, in pieces, in ruins, or elsewhere.

Answers are stateless; what a server remembers (how often a path was asked for) comes in with the `Ask`.
"""

from __future__ import annotations

import asyncio
import gzip
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import brotli
from aiohttp import web

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGES = Path(__file__).parent / "pages"
UTF8_HTML = "text/html; charset=utf-8"

Coding = Literal["gzip", "br", "zstd"]

CHUNK_BYTES = 64 * 1024
BOMB_MIB = 200
OVERSIZED_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Ask:
    """A request, where it arrived, and how often the same path was asked for before."""

    request: web.Request
    host: str
    port: int
    earlier: int

    def fill(self, text: str) -> str:
        """`text` with this server's origin and port in the places left for them."""
        return text.replace("@ORIGIN@", f"http://{self.host}:{self.port}").replace("@PORT@", str(self.port))

    def accepts(self, coding: Coding) -> bool:
        """Whether the client named this content coding (RFC 9110, 12.5.3; weights are not read)."""
        offered = self.request.headers.get("Accept-Encoding", "").split(",")
        return coding in {entry.partition(";")[0].strip() for entry in offered}


class Answer(Protocol):
    """Anything that makes a response; the server sends what is left of it and closes it."""

    async def respond(self, ask: Ask) -> web.StreamResponse:
        """The response, unsent, or sent up to its end. Raises ConnectionError when the client is gone."""
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """A file of `pages/`, in the charset and content coding asked for.

    `content_type` is the header, which need not tell the truth about `charset`, the encoding of the bytes.
    """

    file: str
    content_type: str = UTF8_HTML
    charset: str = "utf-8"
    coding: Coding | None = None

    def body(self, ask: Ask) -> bytes:
        """The bytes before any content coding."""
        return ask.fill((PAGES / self.file).read_text("utf-8")).encode(self.charset)

    async def respond(self, ask: Ask) -> web.StreamResponse:
        """200 with the page, compressed if the client takes the coding."""
        body, headers = self.body(ask), {"Content-Type": self.content_type}
        if self.coding:
            headers["Vary"] = "Accept-Encoding"
            if ask.accepts(self.coding):
                headers["Content-Encoding"] = self.coding
                body = compress(body, self.coding)
        return web.Response(body=body, headers=headers)


@dataclass(frozen=True, slots=True)
class Fixed:
    """A small response given outright. Its parts go out as they are."""

    status: int = 200
    body: bytes = b""
    content_type: str = UTF8_HTML
    headers: tuple[tuple[str, str], ...] = ()

    async def respond(self, ask: Ask) -> web.StreamResponse:
        """The response as given."""
        return web.Response(
            status=self.status,
            body=self.body,
            headers={"Content-Type": self.content_type, **dict(self.headers)},
        )


@dataclass(frozen=True, slots=True)
class Moved:
    """A redirect. `location` may be relative and may hold `@PORT@`; None leaves the header out."""

    status: int
    location: str | None

    async def respond(self, ask: Ask) -> web.StreamResponse:
        """The redirect."""
        headers = {} if self.location is None else {"Location": ask.fill(self.location)}
        return web.Response(status=self.status, headers=headers)


@dataclass(frozen=True, slots=True)
class First:
    """`trouble` for the first request, `then` for every later one."""

    trouble: Answer
    then: Answer

    async def respond(self, ask: Ask) -> web.StreamResponse:
        """Whichever is due."""
        return await (self.then if ask.earlier else self.trouble).respond(ask)


@dataclass(frozen=True, slots=True)
class Late:
    """An answer whose headers come after `delay_s`."""

    delay_s: float
    then: Answer

    async def respond(self, ask: Ask) -> web.StreamResponse:
        """The answer, after the delay."""
        await asyncio.sleep(self.delay_s)
        return await self.then.respond(ask)


@dataclass(frozen=True, slots=True)
class Dripped:
    """A page sent in chunks with pauses: its length is not announced, and characters are cut in two."""

    page: Page
    pieces: int
    pause_s: float

    async def respond(self, ask: Ask) -> web.StreamResponse:
        """The page, sent piece by piece."""
        body = self.page.body(ask)
        response = web.StreamResponse(headers={"Content-Type": self.page.content_type})
        await response.prepare(ask.request)
        step = -(-len(body) // self.pieces)
        for at in range(0, len(body), step):
            await response.write(body[at : at + step])
            await asyncio.sleep(self.pause_s)
        return response


@dataclass(frozen=True, slots=True)
class BrokenOff:
    """A page whose connection closes half-way through the length that was announced."""

    page: Page

    async def respond(self, ask: Ask) -> web.StreamResponse:
        """Half a response, and the connection closed under it."""
        body = self.page.body(ask)
        headers = {"Content-Type": self.page.content_type, "Content-Length": str(len(body))}
        response = web.StreamResponse(headers=headers)
        await response.prepare(ask.request)
        await response.write(body[: len(body) // 2])
        if ask.request.transport is not None:
            ask.request.transport.close()
        return response


@dataclass(frozen=True, slots=True)
class Oversized:
    """A page of `OVERSIZED_BYTES`, sent from one small buffer, its length `announced` or not."""

    announced: bool = True

    async def respond(self, ask: Ask) -> web.StreamResponse:
        """The flood, for as long as the client stays. Raises ConnectionError when it leaves."""
        response = web.StreamResponse(headers={"Content-Type": UTF8_HTML})
        if self.announced:
            response.content_length = OVERSIZED_BYTES
        await response.prepare(ask.request)
        line = b"<p>The archive goes on and on and on and on and on, shelf after shelf.</p>\n"
        chunk = (line * (CHUNK_BYTES // len(line) + 1))[:CHUNK_BYTES]
        for _ in range(OVERSIZED_BYTES // CHUNK_BYTES):
            await response.write(chunk)
        return response


@dataclass(frozen=True, slots=True)
class Bomb:
    """A small gzip body that unpacks to `BOMB_MIB` MiB, whatever the client accepts."""

    packed: bytes

    async def respond(self, ask: Ask) -> web.StreamResponse:
        """The bomb."""
        headers = {"Content-Type": UTF8_HTML, "Content-Encoding": "gzip"}
        return web.Response(body=self.packed, headers=headers)


def compress(body: bytes, coding: Coding) -> bytes:
    """`body` in one of the content codings of RFC 9110, RFC 7932 and RFC 8878."""
    if coding == "gzip":
        return gzip.compress(body, mtime=0)
    if coding == "br":
        return bytes(brotli.compress(body))
    return zstd.compress(body)


def gzip_bomb(mib: int = BOMB_MIB) -> bytes:
    """One gzip member (RFC 1952) of `mib` MiB of zero bytes, made without ever holding them.

    A deflate block ended by a full flush depends on nothing before it, so one compressed MiB is
    repeated; only the checksum has to see all of the data.
    """
    return b"".join(_bomb_pieces(mib))


def _bomb_pieces(mib: int) -> Iterator[bytes]:
    block = bytes(1024 * 1024)
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = deflate.compress(block) + deflate.flush(zlib.Z_FULL_FLUSH)
    checksum = 0
    yield b"\x1f\x8b\x08" + bytes(6) + b"\xff"
    for _ in range(mib):
        checksum = zlib.crc32(block, checksum)
        yield packed
    yield deflate.flush(zlib.Z_FINISH)
    yield checksum.to_bytes(4, "little") + (mib * len(block)).to_bytes(4, "little")
