"""The real queue and the real admission under hostile items: each ends once, and takes no good one along."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import TYPE_CHECKING

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cli.conftest import run
from worker.clock import SystemClock
from worker.runtime.admitter import Admitter
from worker.store.headroom import Headroom
from worker.store.inbox import Inbox
from worker.store.ledger import read_ledger
from worker.telemetry.stats import Stats
from worker.urls import ITEM_LIMIT_BYTES

if TYPE_CHECKING:
    from tests.servers import RedisServer
    from worker.store.connection import Connection
    from worker.store.keys import Keys

URL = "https://example.com/a"
FIELDS = ("url", "id", "priority", "meta", "not_before", "recrawl_after_s", "force", "other")
#: What JSON can say and no field wants, as text: much of it is beyond what an encoder would write.
ODD_VALUES = (
    *(
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        "-1e999",
        "1e308",
        "9" * 400,
        "-" + "9" * 400,
        "0.1" + "0" * 400,
    ),
    *('"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\\u202e"', '""', '"' + "x" * 70_000 + '"', '"\ufffe"'),
    *("null", "true", "[]", "{}", "[[]]", '{"url": {}}', "-0", "-0.0", "1e-400", "18446744073709551616"),
    *("[" * 300 + "]" * 300, '{"a":' * 300 + "1" + "}" * 300, "[" * 100_000, '{"a":' * 20_000),
    *(
        '"2026-02-30T00:00:00Z"',
        '"9999-12-31T23:59:60+23:59"',
        '"0000-00-00T00:00:00Z"',
        '"0001-01-01T00:00:00+14:00"',
    ),
)
ODD_URLS = (
    *(
        "http://",
        "http://[::1",
        "http://[fe80::1%25eth0]/",
        "http://0x7f.1/",
        "http://a..b/",
        "http://xn--a/",
    ),
    *("http://" + "a" * 64 + ".example/", "http://a.example:0/", "http://a.example:65536/", "javascript:1"),
    *(
        "http://\ud800.example/",
        "http://a.example/\ud800",
        "http://\u3002/",
        "//a.example/",
        "http:a.example",
    ),
    *("http://a.example/" + "%" * 9_000, "http://a.example/\x00", "http://a b/", "http://a.example/ {1} x"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def _object(pairs: list[tuple[str, str]]) -> bytes:
    """An object of these fields in this order, a field that comes twice included; values are JSON text."""
    body = ", ".join(f'"{name}": {value}' for name, value in pairs)
    return f"{{{body}}}".encode("utf-8", "surrogatepass")


ODD_ITEMS = [
    *(_object([("url", f'"{URL}"'), (field, value)]) for field in FIELDS for value in ODD_VALUES),
    *(_object([("url", f'"{URL}"'), (field, "1"), (field, '"x"')]) for field in FIELDS),
    *(url.encode("utf-8", "surrogatepass") for url in ODD_URLS),
    *(b"", b" ", b"\n", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xef\xbb\xbf" + URL.encode(), b"[]", b"null"),
    *(b"{", b"{}", b"{}{}", b"{\xff}", b"{\0}", b'{"url"', b'{"\xed\xa0\x80": 1}', b"{'url': 1}"),
    *(b"x" * 1_000_000, b"{" * 1_000_000, b'{"url": "' + b"a" * 1_000_000 + b'"}', b" " * 1_000_000),
    b'{"url": "https://example.com/a"' + b" " * ITEM_LIMIT_BYTES + b"}",
    *(URL.encode() + b"\n" + URL.encode(), b"1 " + URL.encode(), b"999999999999 x"),
]


async def _admitted(connection: Connection, keys: Keys, items: list[bytes]) -> None:
    """Push the items between two good URLs and admit all as a worker does; each must have ended once."""
    await connection.command("FLUSHALL")
    inbox = Inbox(connection, keys, worker="fuzzed")
    pushed = [b"https://good.example/first", *items, b"https://good.example/last"]
    for start in range(0, len(pushed), 50):
        await inbox.push(pushed[start : start + 50])
    admitter = Admitter(
        connection,
        keys,
        inbox,
        frontier_limit=10**9,
        headroom=Headroom(connection, share=1, clock=SystemClock()),
        beat_ttl_s=60,
        admitted=asyncio.Event(),
        stats=Stats(SystemClock()),
        clock=SystemClock(),
    )
    while await admitter.admit_batch():
        pass
    assert await inbox.length() == await inbox.taken() == 0
    await _each_ended_once(connection, keys, len(pushed))


async def _each_ended_once(connection: Connection, keys: Keys, pushed: int) -> None:
    ledger = await read_ledger(connection, keys)
    letters = await connection.command("XRANGE", keys.dead(), "-", "+")
    assert ledger.balanced
    assert ledger.accepted + ledger.refused == pushed
    assert ledger.dead == ledger.reasons.get("dead:malformed", 0) == len(letters)
    for _, fields in letters:
        letter = orjson.loads(fields[b"data"])
        assert len(letter["item"]) <= 200
        assert "a fault of ours" not in letter["error"]
    good = await connection.command("LRANGE", keys.part(0, "wait:good.example"), 0, -1)
    assert [line.rpartition(b"/")[2] for line in good] == [b"first", b"last"]


async def test_every_odd_item_ends_once(connection: Connection, keys: Keys) -> None:
    """Items made by hand to break parsers: huge numbers, depth, half characters, a megabyte of nothing."""
    await _admitted(connection, keys, ODD_ITEMS)


FUZZED = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZED
@given(
    items=st.lists(st.binary(max_size=80) | st.binary(max_size=80).map(lambda tail: b"{" + tail), max_size=60)
)
async def test_any_bytes_end_once(connection: Connection, keys: Keys, items: list[bytes]) -> None:
    """Whatever a client pushes."""
    await _admitted(connection, keys, items)


@FUZZED
@given(
    objects=st.lists(
        st.lists(
            st.tuples(st.sampled_from(FIELDS), JSON.map(json.dumps) | st.sampled_from(ODD_VALUES)), max_size=5
        ),
        max_size=60,
    )
)
async def test_any_object_ends_once(
    connection: Connection, keys: Keys, objects: list[list[tuple[str, str]]]
) -> None:
    """Any value in any field, in any order, twice too; with a URL in front, so that the others count."""
    await _admitted(connection, keys, [_object([("url", f'"{URL}"'), *pairs]) for pairs in objects])


@pytest.mark.slow
async def test_a_worker_outlives_them_all(
    redis_server: RedisServer, connection: Connection, keys: Keys
) -> None:
    """A real worker ends every odd item and the good ones after them, with no word of a fault of its own."""
    for start in range(0, len(ODD_ITEMS), 50):
        await connection.command("RPUSH", keys.queue, *ODD_ITEMS[start : start + 50])
    worker = await asyncio.to_thread(
        partial(run, "run", "--until-empty", redis_url=redis_server.url, allow_ports="1", host_spacing_s="0")
    )
    ledger = await read_ledger(connection, keys)
    assert (worker.code, worker.err) == (0, "")
    assert "internal_error" not in worker.out
    assert ledger.balanced
    assert ledger.accepted + ledger.refused == len(ODD_ITEMS)
    ends = {reason for reason in ledger.reasons if reason.startswith("dead:")}
    assert ends == {"dead:malformed", "dead:denied", "dead:blocked_address"}
    assert ledger.dead == ledger.accepted
