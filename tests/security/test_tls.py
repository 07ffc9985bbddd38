"""TLS to Redis: `rediss://` with a private authority, certificates verified on both sides.

Not every redis-server is built with TLS, so a terminator of the standard library's stands in front of one: to
our client that is the same.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest
import trustme

from tests.cli.conftest import Ran, run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.servers import RedisServer
    from worker.store.connection import Connection

AUTHORITY = trustme.CA()


@pytest.fixture
def ca_file(tmp_path: Path) -> Path:
    """The authority that signed the server's certificate."""
    path = tmp_path / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(str(path))
    return path


@asynccontextmanager
async def tls_in_front_of(server: RedisServer, *, named: str, mutual: bool = False) -> AsyncIterator[int]:
    """The port of a TLS terminator whose certificate is for `named`; `mutual` asks clients for theirs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(named).configure_cert(context)
    if mutual:
        AUTHORITY.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, to_redis = await asyncio.open_unix_connection(server.folder / "redis.sock")
        async with asyncio.TaskGroup() as group:
            group.create_task(_pump(reader, to_redis))
            group.create_task(_pump(behind, writer))

    terminator = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with terminator:
        yield terminator.sockets[0].getsockname()[1]


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while piece := await source.read(65_536):
            sink.write(piece)
            await sink.drain()
    except OSError:
        pass  # a client that leaves in the middle: what the test is about is on its side
    finally:
        sink.close()


async def ran(*words: str, url: str) -> Ran:
    """`ingest` as a process, while this one serves."""
    return await asyncio.to_thread(partial(run, *words, redis_url=url))


async def test_whole_job_over_tls(redis_server: RedisServer, connection: Connection, ca_file: Path) -> None:
    """`add`, a worker and `status` work through TLS to a server of a private authority."""
    async with tls_in_front_of(redis_server, named="127.0.0.1") as port:
        url = f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={ca_file}"
        assert (await ran("add", "http://127.0.0.1/a", url=url)).code == 0
        worker = await ran("run", "--until-empty", url=url)
        assert (worker.code, worker.err) == (0, "")
        status = await ran("status", "--json", url=url)
    assert status.json["reasons"] == {"dead:blocked_address": 1}


@pytest.mark.parametrize(
    ("named", "authority", "says"),
    [
        ("127.0.0.1", None, "unable to get local issuer"),
        ("127.0.0.1", trustme.CA(), "certificate verify failed"),
        ("redis.example", AUTHORITY, "not valid for '127.0.0.1'"),
    ],
    ids=["no authority", "another authority", "another host"],
)
async def test_wrong_certificate_is_refused(
    redis_server: RedisServer, tmp_path: Path, named: str, authority: trustme.CA | None, says: str
) -> None:
    """An unknown authority or name ends a worker at once; it says why, and which setting to mend."""
    query = ""
    if authority is not None:
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        query = f"?ssl_ca_certs={tmp_path / 'ca.pem'}"
    async with tls_in_front_of(redis_server, named=named) as port:
        worker = await ran("run", url=f"rediss://worker:hush@127.0.0.1:{port}/0{query}")
    assert worker.code == 1
    for word in (says, "INGEST_REDIS_URL", "ssl_ca_certs"):
        assert word in worker.err
    assert "hush" not in worker.out + worker.err


async def test_client_shows_its_certificate(redis_server: RedisServer, ca_file: Path, tmp_path: Path) -> None:
    """Where Redis asks clients for a certificate, as it does by default, the URL names ours."""
    mine = AUTHORITY.issue_cert("worker.example")
    mine.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    mine.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    async with tls_in_front_of(redis_server, named="127.0.0.1", mutual=True) as port:
        url = f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={ca_file}"
        assert (await ran("status", url=url)).code == 1
        url += f"&ssl_certfile={tmp_path / 'cert.pem'}&ssl_keyfile={tmp_path / 'key.pem'}"
        assert (await ran("status", url=url)).code == 0
