"""No secret that passes through ingest stands in a log line, a message or a traceback of it."""

from __future__ import annotations

import asyncio
import gzip
import signal
import time
from base64 import b64encode
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import orjson
import pytest
from aiohttp import web

from tests.chaos.fleet import Fleet
from tests.chaos.origin import article
from tests.cli.conftest import run
from tests.fetch.proxy_servers import HttpProxy
from tests.security.roles import GuardedRedis, say
from tests.servers import free_port
from worker.store.connection import Connection
from worker.store.keys import Keys
from worker.store.ledger import read_ledger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

KEYS = Keys()
USER, QUERY, COOKIE, REDIS, PROXY = (
    f"canary-{name}" for name in ("user", "query", "cookie", "redis", "proxy")
)
#: As they are sent: Authorization holds them encoded.
ENCODED = [b64encode(f"reader:{USER}".encode()).decode(), b64encode(f"reader:{PROXY}".encode()).decode()]
SECRETS = (USER, QUERY, COOKIE, REDIS, PROXY, *ENCODED)
#: What producers own and gave us: it comes back to them in events as they sent it.
OURS = (COOKIE, REDIS, PROXY, *ENCODED)
HOST, PROXIED, UNPROXIED = "127.0.2.1", "127.0.2.2", "127.0.2.3"


def leaks(text: str, secrets: tuple[str, ...] = SECRETS) -> list[str]:
    """The lines of `text` that hold a secret."""
    return [line for line in text.splitlines() if any(secret in line for secret in secrets)]


def items(port: int) -> list[str]:
    """URLs with secrets in them, and what is none, in the spellings that browsers understand."""
    login, token = f"reader:{USER}", f"page=1&token={QUERY}"
    there = f"{HOST}:{port}"
    return [
        *(
            f"http://{login}@{there}/{path}?{token}"
            for path in ("a", "500", "404", "cut", "loop", "empty", "pdf")
        ),
        *(f"http://{there}/{path}?{token}" for path in ("b", "to-login", "cookie", "nowhere", "badheader")),
        f"http://{login}@{PROXIED}:{port}/a?{token}",
        f"http://{login}@{UNPROXIED}:{port}/a?{token}",
        f"http://{login}@10.0.0.1/a?{token}",
        f"https://{login}@{there}/a?{token}",
        f"http://{login}@no-such-host.invalid/a?{token}",
        f"http://{login}@{there}:99999/a?{token}",
        f"ftp://{login}@{there}/a?{token}",
        f"http:{login}@{there}:port/?{token}",
        f"HTTP:\\\\{login}@{there}:port\\?{token}",
        f"http://reader:pa@ss{USER}@{there}:port/",
        f"http://reader:pa ss{USER}@{there}:port/",
        f'http://reader:pa"ss{USER}@{there}:port/',
        f"http://reader:pa/ss{USER}@{there}:port/",
        f'{{"url": "http://{login}@{there}/a?{token}"',
        f'{{"url": "http:\\/\\/{login}@{there}\\/a?{token}", "unknown": 1}}',
        f'{{"url": "http://{login}@{there}/c?{token}", "id": "i1", "meta": {{"title": "x"}}}}',
        f"http://{login}@{there}/a?{token}",
    ]


@asynccontextmanager
async def publisher() -> AsyncIterator[int]:
    """The port of a server that sets cookies and answers as badly as its path says."""

    async def answer(request: web.Request) -> web.StreamResponse:
        kind, there = request.path.strip("/"), f"{HOST}:{request.url.port}"
        token = f"token={QUERY}"
        ways = {
            "to-login": f"http://reader:{USER}@{there}/d?{token}",
            "loop": f"http://reader:{USER}@{there}/loop?page=1&{token}",
            "nowhere": f"http://reader:{USER}@10.0.0.1/?{token}",
            "cookie": f"/e?{token}",
        }
        if kind in ways:
            headers = {"Location": ways[kind], "Set-Cookie": f"session={COOKIE}; Path=/"}
            return web.Response(status=302, headers=headers)
        if kind in {"500", "404"}:
            return web.Response(status=int(kind), text=f"{USER} {COOKIE}")
        if kind == "pdf":
            return web.Response(body=b"%PDF-1.4", content_type="application/pdf")
        if kind in {"cut", "badheader"}:
            assert request.transport is not None
            garbage = (
                f"Content-Length: 99\r\nSet-Cookie: a={COOKIE}\r\n" if kind == "cut" else f"{COOKIE}\r\n"
            )
            request.transport.write(f"HTTP/1.1 200 OK\r\n{garbage}\r\nx".encode())
            request.transport.close()
            return web.Response()
        text = "" if kind in {"empty", "robots.txt"} else article(HOST, "/a/1")
        response = web.Response(text=text, content_type="text/html")
        response.set_cookie("session", COOKIE)
        return response

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    port = free_port()
    try:
        for host in (HOST, PROXIED, UNPROXIED):
            await web.TCPSite(runner, host, port).start()
        yield port
    finally:
        await runner.cleanup()


@pytest.mark.slow
@pytest.mark.parametrize("form", ["json", "console"])
async def test_no_line_of_a_worker_holds_a_secret(guarded: GuardedRedis, tmp_path: Path, form: str) -> None:
    """Logins, tokens, cookies, the passwords of Redis and of proxies: through every kind of end, an outage of
    Redis, and a refusal of the credentials, none is printed; events hold none but the producer's own, and the
    archive none but tokens in queries.
    """
    with guarded.client("root") as root:
        say(root, "ACL", "SETUSER", "worker", "resetpass", f">{REDIS}")
        say(root, "ACL", "SETUSER", "operator", "resetpass", f">{REDIS}")
        say(root, "ACL", "SAVE")
    url = guarded.url_of("worker").replace("worker:worker", f"worker:{REDIS}")
    async with publisher() as port, HttpProxy(port, credentials="someone:else") as proxy:
        proxies = {
            PROXIED: f"http://reader:{PROXY}@127.0.0.1:{proxy.port}",
            UNPROXIED: f"socks5://reader:{PROXY}@127.0.0.1:{free_port()}",
        }
        fleet = Fleet(
            tmp_path,
            {
                "INGEST_REDIS_URL": url,
                "INGEST_PROXIES": orjson.dumps(proxies).decode(),
                "INGEST_ALLOW_NETWORKS": "127.0.2.0/24",
                "INGEST_HOST_SPACING_S": "0",
                "INGEST_BREAKER_FAILURES": "0",
                "INGEST_MAX_ATTEMPTS": "2",
                "INGEST_RETRY_BASE_S": "0.1",
                "INGEST_RETRY_MAX_S": "0.1",
                "INGEST_EXTRACT_PROCESSES": "1",
                "INGEST_LOG_LEVEL": "debug",
                "INGEST_LOG_FORMAT": form,
                "INGEST_LEASE_S": "3",
                "INGEST_REDIS_TIMEOUT_S": "1",
                "INGEST_ARCHIVE_DIR": str(tmp_path / "archive"),
            },
        )
        try:
            with guarded.client("producer") as producer:
                producer.rpush(KEYS.queue, *items(port))
            fleet.start()
            await _settled(guarded)
            with guarded.client("root") as root:
                events = b"".join(
                    field
                    for stream in (KEYS.articles(), KEYS.dead())
                    for _, fields in say(root, "XRANGE", stream, "-", "+")
                    for field in fields
                )
            guarded.stop(signal.SIGKILL)
            await _wait_for(tmp_path, "redis_unavailable")
            guarded.start()
            await _wait_for(tmp_path, "redis_restored")
            # In a thread: this one's server must see its visitors leave.
            assert await asyncio.to_thread(fleet.stop) == [0]
        finally:
            fleet.end()
    printed = _printed(tmp_path)
    assert printed.count("***@") > 20
    assert printed.count("token=***") > 20
    assert leaks(printed) == []
    assert leaks(events.decode(), OURS) == []
    archive = b"".join(gzip.decompress(file.read_bytes()) for file in (tmp_path / "archive").iterdir())
    assert archive.count(b"WARC-Type: response") >= 5
    assert leaks(archive.decode("latin-1"), (USER, *OURS)) == []


async def _settled(guarded: GuardedRedis) -> None:
    url = guarded.url_of("operator").replace("operator:operator", f"operator:{REDIS}")
    deadline = time.monotonic() + 60
    async with Connection(url) as connection:
        while True:
            ledger = await read_ledger(connection, KEYS)
            if ledger.settled and ledger.accepted + ledger.refused >= len(items(1)):
                assert ledger.articles >= 4
                assert len(ledger.reasons) >= 10
                return
            assert time.monotonic() < deadline, ledger
            await asyncio.sleep(0.1)


def _printed(folder: Path) -> str:
    """All that the worker wrote, to stdout and to stderr."""
    return "".join(path.read_text() for path in sorted(folder.glob("worker-*")))


async def _wait_for(folder: Path, word: str) -> None:
    deadline = time.monotonic() + 30
    while word not in _printed(folder):
        assert time.monotonic() < deadline, word
        await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    "words",
    [
        ["run"],
        ["status"],
        ["check"],
        ["add", "http://a.example/"],
        ["dead", "list"],
        ["tail"],
        ["reprocess", "LICENSE"],
    ],
    ids=lambda words: words[0],
)
def test_no_command_prints_the_password_of_redis(shared_guarded: GuardedRedis, words: list[str]) -> None:
    """Neither when Redis refuses it, nor when nobody answers, nor when the address is wrong."""
    port = shared_guarded.port
    wrong = [f"redis://worker:{REDIS}@127.0.0.1:{port}/0", f"redis:/worker:{REDIS}@127.0.0.1:{port}/0"]
    if words != ["run"]:  # it would wait
        wrong.append(f"rediss://worker:{REDIS}@127.0.0.1:{free_port()}/0?password={REDIS}")
    for url in wrong:
        ran = run(*words, redis_url=url, redis_timeout_s="1")
        assert ran.code in {1, 2}
        assert leaks(ran.out + ran.err) == []


def test_wrong_settings_are_told_without_their_secrets() -> None:
    """A proxy's password is no part of the message that its address is wrong."""
    ran = run("check", proxy=f"ftp://reader:{PROXY}@host", proxies=f'{{"a.example": "http://reader:{PROXY}@"')
    assert ran.code == 2
    assert leaks(ran.out + ran.err) == []
