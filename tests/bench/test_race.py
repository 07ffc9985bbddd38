"""The table of `make bench`, its picture, and each peer's program over ten pages."""

from __future__ import annotations

import ast
import asyncio
import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import psutil
import pytest

from tests.bench import __main__ as command
from tests.bench import peer_venv, race
from tests.bench.race_picture import draw
from tests.bench.standings import FIGURES, OURS, SCRIPT, Ratio, Run, as_json, medians, ratios, table
from tests.servers import RedisServer
from worker.store.connection import Connection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

HOSTS, PAGES = 3, 10
RUNS = {
    OURS: [Run(100, 99, 1.0, 0.5, 0.02, 200_000_000)],
    "slow": [Run(100, 90, 10.0, 4.0, 0.04, 100_000_000)],
    "dear": [Run(100, 90, 4.0, 5.0, 0.01, 400_000_000)],
    SCRIPT: [Run(100, 90, 0.5, 0.1)],
}


@pytest.fixture
async def course(tmp_path: Path) -> AsyncIterator[race.Course]:
    """Ten pages of the sample site over three hosts, and two to warm up on."""
    origin = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.origin", str(HOSTS), "", "--delay-ms=5"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=peer_venv.ROOT,
    )
    assert origin.stdin is not None
    assert origin.stdout is not None
    server = RedisServer(tmp_path / "r").start()
    try:
        port = int(await origin.stdout.readline())
        urls = [f"http://127.0.3.{n % HOSTS + 1}:{port}/{n}" for n in range(PAGES + 2)]
        async with Connection(server.url, patience_s=10) as connection:
            yield race.Course(server, connection, urls[:PAGES], urls[PAGES:], tmp_path, processes=2)
    finally:
        server.stop()
        origin.stdin.close()
        await origin.wait()


@pytest.mark.slow
@pytest.mark.parametrize("peer", race.PEERS, ids=lambda peer: peer.name)
async def test_peer_reads_every_page_once(peer: race.Peer, course: race.Course) -> None:
    """Each program leaves one record for each URL, with its text, and nothing of it runs on."""
    if why := peer_venv.missing():
        pytest.skip(why)
    found = await race.run(peer, course)
    assert found.pages == PAGES
    assert found.articles >= PAGES // 2
    assert min(found.wall_s, found.cpu_s, found.redis_s or 0, found.peak_rss_bytes or 0) > 0
    assert not [
        process.pid for process in psutil.process_iter() if course.server.url in _environ(process).values()
    ]


def _environ(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return {}


async def test_peer_that_cannot_start_is_told(course: race.Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message has what the program said."""
    monkeypatch.setattr(race, "PYTHON", sys.executable)
    with pytest.raises(race.PeerFailed, match=r"absent could not queue: .*absent_peer"):
        await race.run(race.Peer("absent", "absent"), course)


async def test_lap_ends_with_its_program_or_its_time() -> None:
    """Neither a program that ended nor one that stands still is waited for."""

    async def nothing() -> None:
        return

    async def never() -> bool:
        return False

    ended = await asyncio.create_subprocess_exec("true")
    await ended.wait()
    with pytest.raises((ProcessLookupError, psutil.NoSuchProcess)):
        await race.lap([ended.pid], nothing, never, 30)
    still = await asyncio.create_subprocess_exec("sleep", "60")
    try:
        with pytest.raises(TimeoutError):
            await race.lap([still.pid], nothing, never, 0.1)
    finally:
        still.kill()
        await still.wait()


@pytest.mark.parametrize("path", sorted((peer_venv.ROOT / "tests/bench/peers").glob("*.py")))
def test_peers_import_nothing_of_ours(path: Path) -> None:
    """What they share with the rest of the project is their folder."""
    tree = ast.parse(path.read_text("utf-8"))
    named = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    named += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    assert not [name for name in named if name.partition(".")[0] == "worker"]
    assert not [n for n in named if n.startswith("tests") and not n.startswith("tests.bench.peers.")]


def test_medians_are_of_each_figure_alone() -> None:
    """A figure that was not measured has none."""
    runs = [Run(100, 1, wall_s, cpu_s, 0.01) for wall_s, cpu_s in ((1, 3), (2, 1), (4, 2))]
    assert medians(runs) == {
        "pages/s": 50.0,
        "CPU ms a page": 20.0,
        "Redis CPU µs a page": 100.0,
        "peak RSS MB": None,
    }
    assert set(medians([]).values()) == {None}


def test_ratio_is_to_the_best_peer_of_each_figure() -> None:
    """More pages, less of all else; the script is no peer."""
    found = ratios({name: medians(runs) for name, runs in RUNS.items()})
    assert found == [
        Ratio("pages/s", 4.0, "dear"),
        Ratio("CPU ms a page", 0.125, "slow"),
        Ratio("Redis CPU µs a page", 2.0, "dear"),
        Ratio("peak RSS MB", 2.0, "slow"),
    ]
    assert ratios({name: medians(RUNS[name]) for name in (OURS, SCRIPT)}) == []


def test_table_has_a_line_for_each_and_the_ratios() -> None:
    """Columns stand under their names; without peers there is no ratio."""
    head, *rows = table(RUNS)
    assert [row.split()[0] for row in rows] == [*RUNS, OURS, "the"]
    assert rows[0].split() == [OURS, "100.0", "5.00", "200", "200", "99"]
    assert rows[3].split() == [SCRIPT, "200.0", "1.00", "-", "-", "90"]
    assert rows[4].split()[-4:] == ["4.00", "0.12", "2.00", "2.00"]
    assert rows[5].split()[-4:] == ["dear", "slow", "dear", "slow"]
    ends = [head.index(figure.name) + len(figure.name) for figure in FIGURES]
    assert all(row[end - 1] != " " for row in rows for end in ends)
    assert len(list(table({OURS: RUNS[OURS]}))) == 2


def test_json_has_every_run() -> None:
    """Runs, medians and ratios, by the names that the table has."""
    found = as_json(RUNS | {OURS: RUNS[OURS] * 3})
    assert isinstance(found["runs"], dict)
    assert len(found["runs"][OURS]) == 3
    assert found["ratios"] == {
        ratio.figure: {"value": ratio.value, "best_peer": ratio.best}
        for ratio in ratios({name: medians(runs) for name, runs in RUNS.items()})
    }
    assert found["medians"] == {name: medians(runs) for name, runs in RUNS.items()}


def test_picture_has_a_bar_for_every_figure() -> None:
    """The longest bar of a panel is the panel's width; all that is drawn is spoken too."""
    drawn = draw({name: medians(runs) for name, runs in RUNS.items()}, "100 pages & <more>")
    tree = ElementTree.fromstring(drawn)  # noqa: S314 - our own
    ns = "{http://www.w3.org/2000/svg}"
    widths = [float(bar.attrib["width"]) for bar in tree.iter(f"{ns}rect")]
    assert len(widths) == len(RUNS) * len(FIGURES)
    for number in range(len(FIGURES)):
        assert max(widths[number * len(RUNS) : (number + 1) * len(RUNS)]) == max(widths)
    spoken = tree.findtext(f"{ns}desc") or ""
    assert spoken.startswith("100 pages & <more>. ingest: pages/s 100.0, CPU ms a page 5.00")


def test_venv_of_another_lock_is_made_anew(tmp_path: Path) -> None:
    """What is not there, or is of other versions, is told with its remedy."""
    mark, lock = tmp_path / "mark", tmp_path / "some.lock"
    lock.write_text("arq==1\n")
    assert peer_venv.missing(mark, lock) == "the peers are not here: make bench fetches them"
    mark.write_text("another")
    assert (
        peer_venv.missing(mark, lock) == "the peers are not those of some.lock: make bench fetches them anew"
    )
    mark.write_text(peer_venv.digest(lock))
    assert peer_venv.missing(mark, lock) is None


def test_bench_goes_on_without_an_index(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A machine that reaches no index measures what it can, and says why."""
    monkeypatch.setattr(peer_venv, "fetch", lambda: "uv pip sync: no route to host")
    assert command.peers_here(wanted=True) == []
    assert capsys.readouterr().out == (
        "without peers, since their packages could not be fetched: uv pip sync: no route to host\n"
    )


def test_every_peer_is_locked() -> None:
    """The line that names the versions has one for each."""
    assert {"scrapy", "trafilatura", *race.PACKAGES} <= peer_venv.releases().keys()
