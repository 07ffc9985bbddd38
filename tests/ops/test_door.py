"""Who is let in at the ops port, and what becomes of clients that mean it no good."""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import orjson
import pytest

from tests.ops.conftest import TOKEN
from worker.ops.door import MOST_CONNECTIONS, is_ours

if TYPE_CHECKING:
    from tests.ops.conftest import Watched

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def raw(watched: Watched, request: str) -> str:
    """The answer to these bytes; the connection is closed afterwards."""
    reader, writer = await asyncio.open_connection(*watched.address.split(":"))
    try:
        writer.write(request.encode())
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)).decode()
        length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
        return head + (await reader.readexactly(int(length[1]))).decode() if length else head
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        *(("127.0.0.1:9464", True), ("10.1.2.3", True), ("[::1]:9464", True), ("[fe80::1]", True)),
        *(("localhost:9464", True), ("LocalHost", True), ("ops.example:80", True), ("a.ops.example.", True)),
        *(("evil.example", False), ("localhost.evil.example", False), ("xops.example", False)),
        *(("", False), ("2130706433", False), ("127.0.0.1.evil.example", False), ("[::1", False)),
        *(("evil.example@127.0.0.1.nip.example", False), ("127.1", False)),
    ],
)
def test_an_address_localhost_and_known_names_are_ours(host: str, ours: bool) -> None:
    """A name that somebody else may point at us is not."""
    assert is_ours(host, frozenset({"ops.example"})) is ours


async def test_a_name_that_was_pointed_at_us_is_misdirected(watched: Watched) -> None:
    """DNS rebinding gets 421, which names the setting, on every path; probes by address are answered."""
    await watched.start(ops_hosts="ops.example")
    for path in ("/", "/board", "/events", "/metrics", "/livez", "/nowhere"):
        status, text = await watched.get(path, headers={"Host": "evil.example:9464"})
        assert (status, "INGEST_OPS_HOSTS" in text) == (421, True)
    for host in (watched.address, "10.1.2.3:9464", "[fd00::1]:9464", "localhost", "ops.example"):
        assert await watched.get("/livez", headers={"Host": host}) == (200, "ok\n")
    assert (await raw(watched, "GET /livez HTTP/1.0\r\n\r\n")).startswith("HTTP/1.0 200")
    twice = await raw(watched, "GET /board HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
    assert twice.split()[1] in {"400", "421"}


async def test_another_sites_page_gets_nothing_and_a_followed_link_does(watched: Watched) -> None:
    """By what browsers say of a request: no script, frame or picture of another site, nor its POST."""
    await watched.start(ops_token=TOKEN)
    for site in ("cross-site", "same-site"):
        for dest in ("empty", "image", "iframe", "script"):
            headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Dest": dest}
            assert (await watched.get("/events", headers=headers))[0] == 403
        link = {"Sec-Fetch-Site": site, "Sec-Fetch-Dest": "document"}
        assert (await watched.get("/", headers=link))[0] == 200
    url, token = f"http://{watched.address}/dead/retry", {"Authorization": f"Bearer {TOKEN}"}
    letter = orjson.dumps({"id": "1-0"})
    for foreign, status in (
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"}, 403),
        ({"Origin": f"http://{watched.address}"}, 404),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://behind.a.proxy"}, 404),
    ):
        async with watched.client.post(url, data=letter, headers=token | foreign) as response:
            assert response.status == status, foreign


async def test_errors_have_the_policy_too_and_no_version_is_told(watched: Watched) -> None:
    """404, 405 and 421 carry the same headers as the page, and none says what we are made of."""
    await watched.start()
    for path, headers in (("/nowhere", {}), ("/dead/retry", {}), ("/", {"Host": "evil.example"})):
        async with watched.client.get(f"http://{watched.address}{path}", headers=headers) as response:
            assert response.status in {404, 405, 421}
            assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["Server"] == "ingest"


async def test_a_large_body_is_refused_unread(watched: Watched) -> None:
    """Nobody has more to say than an id; with the token, too, and however it is sent."""
    await watched.start(ops_token=TOKEN)
    url, token = f"http://{watched.address}/dead/retry", {"Authorization": f"Bearer {TOKEN}"}
    async with watched.client.post(url, data=b"x" * 5000, headers=token) as response:
        assert response.status == 413
    async with watched.client.post(url, data=b"x" * 5000, headers=token, chunked=True) as response:
        assert response.status == 413


async def test_probes_get_in_however_many_connections_say_nothing(watched: Watched) -> None:
    """Those that were there first make room, so that file descriptors are bounded."""
    await watched.start()
    async with AsyncExitStack() as stack:
        mute: list[Stream] = []
        for _ in range(2 * MOST_CONNECTIONS):
            mute.append(await asyncio.open_connection(*watched.address.split(":")))
            stack.callback(mute[-1][1].close)
            mute[-1][1].write(b"GET / HTTP/1.1\r\nHost: ")  # and never the rest
        assert await watched.get("/livez") == (200, "ok\n")
        for reader, _ in mute[: MOST_CONNECTIONS - 1]:
            assert await asyncio.wait_for(reader.read(), 20) == b""


@pytest.mark.slow
async def test_a_head_that_never_ends_is_cut_off(watched: Watched) -> None:
    """A client that sends a byte a second has half a minute for its first head."""
    await watched.start()
    reader, writer = await asyncio.open_connection(*watched.address.split(":"))
    began = time.monotonic()
    try:
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
        ended = asyncio.create_task(reader.read())
        while not ended.done() and time.monotonic() - began < 60:
            writer.write(b"x")
            await asyncio.sleep(1)
        assert await ended == b""
        assert 25 < time.monotonic() - began < 45
    finally:
        writer.close()
