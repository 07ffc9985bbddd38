"""Each role of deploy/redis/users.acl can do its job, and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from redis import exceptions

from tests.chaos.fleet import ROOT
from tests.cli.conftest import environ, run
from tests.events.streams import fields
from tests.security.roles import ACL_FILE, ROLES, as_documented, commands_of, say
from tests.servers import RedisServer, free_port
from worker.errors import StoreUnusable
from worker.store.connection import Connection
from worker.store.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from redis import Redis

    from tests.security.roles import GuardedRedis

KEYS = Keys()
ARTICLES, DEAD = KEYS.articles(), KEYS.dead()
EVENT = (
    *("id", "e1", "type", "article.published.v1", "time", "2026-01-01T00:00:00.000Z"),
    *(
        "data",
        '{"title": "Pier stays open", "url": "http://a.example/", "published_at": null, "word_count": 9}',
    ),
)
JOBS = (
    ("producer", ("add", "http://127.0.0.1:1/", "http://127.0.0.2:1/")),
    ("worker", ("check",)),
    ("consumer", ("tail", "--no-follow", "--from", "start")),
    ("operator", ("status", "--hosts")),
)
#: MODULE and DEBUG have a lock of their own, in front of this one, since Redis 7.
REFUSED = "no permissions to run|command not allowed"
#: Subcommands of commands that somebody may call: Redis 6.2 does not list them.
SUBCOMMANDS = (
    *("script|flush", "script|kill", "script|exists", "xinfo|stream", "xinfo|consumers"),
    *("xgroup|setid", "xgroup|delconsumer", "xgroup|createconsumer"),
)
#: What a role may call, on keys that are not its own.
FOREIGN_KEYS = [
    *(("producer", f"RPUSH {key} x") for key in (ARTICLES, DEAD, "ingest:queue2", "queue", KEYS.taken("w"))),
    *(("consumer", f"XREAD STREAMS {key} 0") for key in ("{ingest:1}:articles", "{other:0}:articles")),
    *(("consumer", f"XACK {key} g 1-0") for key in ("ingest:queue", KEYS.ledger(), KEYS.part(0, "policy"))),
    ("consumer", "XGROUP CREATE {ingest:0}:wait:a.example g 0 MKSTREAM"),
    ("consumer", f"XREAD STREAMS {ARTICLES} {KEYS.part(0, 'seen:1')} 0 0"),
    *(
        (role, words)
        for role in ("worker", "operator")
        for words in ("HGETALL session", "RPUSH queue x", "EVAL return 1 other", "HSET {ingest:1}:policy a b")
    ),
    ("worker", "DEL {other:0}:articles"),
    ("worker", "EVAL redis.call('DEL','session') 0"),
    ("operator", "EVAL redis.call('HSET','session','a','b') 0"),
    ("scaler", f"LLEN {KEYS.part(0, 'suspects')}"),
    ("scaler", "EVAL redis.call('LLEN','session') 0"),
]


def test_file_as_shipped_lets_nobody_in(tmp_path: Path) -> None:
    """It loads as it is; until passwords are set, no role can log in, nor can anybody without a name."""
    options = ("--aclfile", str(ACL_FILE))
    server = RedisServer(tmp_path / "redis", port=free_port(), options=options).start()
    try:
        for role in ROLES:
            ran = run("status", redis_url=f"redis://{role}:{role}@127.0.0.1:{server.port}/0")
            assert (ran.code, "refuses the credentials" in ran.err) == (1, True), ran.err
        ran = run("status", redis_url=server.tcp_url)
        assert (ran.code, "refuses the credentials" in ran.err) == (1, True), ran.err
    finally:
        server.stop()


def test_documented_recipes_make_a_file_that_lets_each_role_in(tmp_path: Path) -> None:
    """Passwords, another namespace, more partitions, a cluster's commands: as deploy/redis/README.md says."""
    users, passwords = as_documented(tmp_path)
    assert passwords.keys() == set(ROLES)
    options = ("--aclfile", str(users))
    server = RedisServer(tmp_path / "redis", port=free_port(), options=options).start()
    try:
        settings = {"namespace": "news", "partitions": "4", "allow_networks": "127.0.0.0/8"}
        for role, words in JOBS:
            url = f"redis://{role}:{passwords[role]}@127.0.0.1:{server.port}/0"
            ran = run(*words, redis_url=url, **settings)
            assert (ran.code, ran.err) == (0, ""), (role, ran)
    finally:
        server.stop()


@pytest.mark.parametrize("role", ROLES)
def test_role_may_call_no_command_but_its_own(shared_guarded: GuardedRedis, role: str) -> None:
    """Every command that this server knows is refused, but for those in the file."""
    with shared_guarded.client("root") as root, shared_guarded.client(role) as client:
        forbidden = dict.fromkeys(SUBCOMMANDS, 5) | dict(_known_commands(root))
        for name in commands_of(role):
            forbidden.pop(name, None)
        for name, words in forbidden.items():
            command = name.split("|")
            with pytest.raises(exceptions.ResponseError, match=REFUSED):
                say(client, *command, *["x"] * (words - len(command)))
    assert len(forbidden) > 150


def _known_commands(root: Redis) -> Iterator[tuple[str, int]]:
    """Name, with its subcommand where there is one, and the least number of words.

    AUTH and its like are left out: they come before any right.
    """
    for name, about in root.command().items():
        if about.get("subcommands"):
            yield from ((sub[0].decode(), abs(sub[1])) for sub in about["subcommands"])
        elif "no_auth" not in about["flags"]:
            yield name, abs(about["arity"])


@pytest.mark.parametrize(("role", "words"), FOREIGN_KEYS)
def test_role_reaches_no_key_but_its_own(shared_guarded: GuardedRedis, role: str, words: str) -> None:
    """A command of a role's own is refused on any other key, inside of scripts too."""
    match words.split():
        case ["EVAL", *rest] if rest[-1] == "0":
            command = ["EVAL", " ".join(rest[:-1]), "0"]
        case ["EVAL", *rest]:
            command = ["EVAL", " ".join(rest[:-1]), "1", rest[-1]]
        case command:
            pass
    with shared_guarded.client(role) as client, pytest.raises(exceptions.ResponseError) as refused:
        say(client, *command)
    assert "permission" in str(refused.value) or "can't access" in str(refused.value)


async def test_worker_without_a_right_says_which_file_to_look_at(guarded: GuardedRedis) -> None:
    """A command missing from the user's list, inside a script too, is told as that, and not retried."""
    for words in (("GET", "session"), ("EVAL", "return redis.call('GET', 'session')", 0)):
        async with Connection(guarded.url_of("worker")) as connection:
            with pytest.raises(StoreUnusable, match=r"forbids this to the user .* deploy/redis/users\.acl"):
                await connection.command(*words)


def test_producer_pushes(guarded: GuardedRedis) -> None:
    """`ingest add` and a plain RPUSH are all that a producer needs."""
    ran = run("add", "http://a.example/1", redis_url=guarded.url_of("producer"))
    assert (ran.code, ran.err) == (0, "")
    with guarded.client("producer") as producer, guarded.client("root") as root:
        assert producer.rpush(KEYS.queue, "http://a.example/2") == 2
        assert root.lrange(KEYS.queue, 0, -1) == [b"http://a.example/1", b"http://a.example/2"]


def test_scaler_hears_how_long_the_queue_is(guarded: GuardedRedis) -> None:
    """KEDA's redis scaler asks by a script, which looks at the key's type first."""
    script = "local kind = redis.call('type', KEYS[1]).ok; return {kind, redis.call('llen', KEYS[1])}"
    with guarded.client("producer") as producer, guarded.client("scaler") as scaler:
        assert say(scaler, "PING")
        assert say(scaler, "EVAL", script, 1, KEYS.queue) == [b"none", 0]
        producer.rpush(KEYS.queue, "http://a.example/1")
        assert say(scaler, "EVAL", script, 1, KEYS.queue) == [b"list", 1]


def test_consumer_reads_acknowledges_and_takes_over(guarded: GuardedRedis) -> None:
    """README's own consumer runs as `consumer`; so do claiming a dead reader's entries, and `ingest tail`."""
    (recipe,) = re.findall(r"```python\n([^`]* ArticleConsumer\([^`]*)```", (ROOT / "README.md").read_text())
    url = guarded.url_of("consumer")
    event = [word for pair in fields(1).items() for word in pair]
    with guarded.client("root") as root, guarded.client("consumer") as consumer:
        say(root, "XADD", ARTICLES, "*", *event)
        read = subprocess.run(
            [sys.executable, "-c", recipe],
            env=environ(redis_url=url),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (read.returncode, read.stdout) == (0, f"{fields(1)['id']!s} The night ferry\n"), read.stderr
        consumer.xgroup_create(ARTICLES, "archive", id="$")
        say(root, "XADD", ARTICLES, "*", *EVENT)
        assert consumer.xreadgroup("archive", "dead", {ARTICLES: ">"})
        assert consumer.xpending(ARTICLES, "archive")["pending"] == 1
        assert len(consumer.xautoclaim(ARTICLES, "archive", "alive", 0)[1]) == 1
    ran = run("tail", "--from", "start", "--no-follow", redis_url=url)
    assert (ran.code, len(ran.lines), ran.err) == (0, 2, "")


@pytest.mark.slow
def test_operator_looks_retries_purges_and_ends_groups(guarded: GuardedRedis) -> None:
    """Every command of `ingest` that is not a worker runs as `operator`, and so does ending a group."""
    settings = {"redis_url": guarded.url_of("operator"), "allow_networks": "127.0.0.0/8"}
    dead_url = f"http://127.0.0.1:{free_port()}/a"
    assert run("add", "ftp://no", dead_url, f"{dead_url}/b", **settings).code == 1
    with guarded.client("root") as root:
        root.rpush(KEYS.queue, "{broken")
        root.xgroup_create(ARTICLES, "gone", mkstream=True)
    worker = run(
        "run",
        "--until-empty",
        redis_url=guarded.url_of("worker"),
        max_attempts="1",
        allow_networks="127.0.0.0/8",
        host_spacing_s="0",
    )
    assert worker.code == 0, worker.err
    status = run("status", "--hosts", "--json", **settings).json
    assert (status["ledger"]["dead"], status["balanced"]) == (3, True)
    letters = run("dead", "list", "--json", **settings).lines
    entries = {letter["data"]["reason"]: letter["entry"] for letter in letters}
    assert run("dead", "show", entries["connect"], **settings).code == 0
    assert run("dead", "retry", entries["connect"], **settings).code == 0
    assert run("dead", "purge", "--reason", "malformed", "--yes", **settings).code == 0
    assert run("status", "--json", **settings).json["ledger"]["waiting"] == 1
    assert run("tail", "--dead", "--from", "start", "--no-follow", **settings).code == 0
    assert "127.0.0.1" in run("fetch", dead_url, "--redis", **settings).out
    assert run("check", **settings).code == 0
    assert run("feed", "add", "--unchecked", dead_url, **settings).code == 0
    looked = run("feed", "run", "--once", **(settings | {"redis_url": guarded.url_of("worker")}))
    assert (looked.code, looked.lines[-2]["event"]) == (0, "feed_failed")
    assert run("feed", "show", dead_url, "--json", **settings).json["failures"] == 1
    assert [feed["url"] for feed in run("feed", "list", **settings).lines] == [dead_url]
    assert run("feed", "remove", dead_url, **settings).code == 0
    assert run("feed", "list", **settings).lines == []
    with guarded.client("operator") as operator:
        assert operator.xinfo_groups(ARTICLES)[0]["name"] == b"gone"
        assert operator.xgroup_destroy(ARTICLES, "gone") == 1
