"""Help, wrong words, wrong settings: what a new user meets first."""

from __future__ import annotations

import orjson
import pytest

from tests.cli.conftest import run
from worker import __version__
from worker.cli.entry import COMMANDS
from worker.events.schema import SCHEMAS
from worker.model import SCHEMA_VERSION


@pytest.mark.parametrize(
    "command", [[], *([name] for name in COMMANDS), ["dead", "retry"], ["dead", "purge"]]
)
def test_every_command_explains_itself(command: list[str]) -> None:
    """`--help` of every command exits with 0 and says how to use it."""
    ran = run(*command, "--help")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("Usage: ingest")


def test_version() -> None:
    """`--version` names the version."""
    assert __version__ in run("--version").out


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["rum"], "run"),
        (["run", "--embeded"], "--embedded"),
        (["tail", "--from", "yesterday"], "start"),
        (["dead", "list", "--reason", "boredom"], "boredom"),
        (["dead", "retry"], "--all"),
        (["add"], "stdin"),
        (["add", "--not-before", "nan", "http://a.example/"], "not_before"),
        (["add", "--recrawl-after", "-1", "http://a.example/"], "0 or more"),
        (["add", "--recrawl-after", "nan", "http://a.example/"], "not a number"),
        (["add", "--recrawl-after", "soon", "http://a.example/"], "not a valid float"),
        (["add", "--meta", "", "http://a.example/"], "no JSON"),
        (["tail", "--from", "9" * 30 + "-0"], "start"),
        (["add", "--id", "x", "http://a.example/", "http://b.example/"], "exactly one"),
        (["add", "--meta", "{", "http://a.example/"], "no JSON"),
    ],
)
def test_wrong_words_are_told_with_the_right_ones(words: list[str], hint: str) -> None:
    """A wrong command, option or value exits with 2 and names what was meant."""
    ran = run(*words)
    assert ran.code == 2
    assert hint in ran.err


def test_all_wrong_settings_in_one_message() -> None:
    """Bad values, unknown names and contradictions are all listed at once, with exit code 2."""
    ran = run(
        "run",
        lease_s="abc",
        leese_s="5",
        retry_base_s="100",
        retry_max_s="10",
        redis_url="http://user:hunter2@host",
    )
    assert ran.code == 2
    assert ran.out == ""
    for part in ("INGEST_LEASE_S", "'abc'", "INGEST_LEESE_S", "INGEST_RETRY_BASE_S", "INGEST_REDIS_URL"):
        assert part in ran.err
    assert "hunter2" not in ran.err


@pytest.mark.parametrize("name", ["article", "unchanged", "dead", "item"])
def test_schema_is_printed(name: str) -> None:
    """The JSON Schema of each event, and of a queue item, comes as JSON."""
    ran = run("schema", name)
    assert ran.code == 0
    assert ran.json["$schema"].endswith("2020-12/schema")


def test_asyncapi_is_printed() -> None:
    """The document is the one that is checked in."""
    ran = run("schema", "asyncapi")
    assert ran.code == 0
    assert ran.json == orjson.loads((SCHEMAS / f"asyncapi-{SCHEMA_VERSION}.json").read_bytes())
