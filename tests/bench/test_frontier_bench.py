"""`make bench-frontier` at a small size: its URLs, its figures, its table and its picture."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from tests.bench import frontier
from tests.bench import frontier_report as report
from tests.bench.frontier_fill import GIANT, URL_BYTES, Shape, url_of
from tests.bench.frontier_measure import Use
from tests.bench.frontier_picture import draw
from tests.bench.frontier_tier import Tier, percentile
from tests.bench.frontier_workers import admission
from worker.store.scripts import script
from worker.urls import canonicalise, host_key

if TYPE_CHECKING:
    from pathlib import Path


def _tier(waiting: int, **figures: float) -> Tier:
    known = {
        "bytes_a_url": 100.0,
        "claim_p50_ms": 1.0,
        "claim_p99_ms": 2.0,
        "claim_p99_us": 1500.0,
        "claim_p99_cpu_us": 1000.0,
        "finish_p50_ms": 0.2,
        "finish_p99_ms": 0.4,
        "finish_p99_us": 90.0,
        "redis_us": 200.0,
        "admit_redis_us": 40.0,
    }
    return Tier(report.CROWDED, waiting, 64, known | figures, {"laps": "EVALSHA 1.0 ms"})


def test_urls_are_canonical_and_of_one_length() -> None:
    """As they would be admitted; and no two are alike, or the second would be refused."""
    shape = Shape.crowded(5000, 50)
    urls = [url_of(shape.host_of(number), number) for number in range(5010)]
    assert {len(url) for url in urls} == {URL_BYTES}
    assert len(set(urls)) == 5010
    assert [canonicalise(url) for url in urls[::500]] == urls[::500]
    assert host_key(urls[7]) == shape.host_of(7)


def test_a_shape_has_hosts_enough_for_a_claim() -> None:
    """In the least frontier too; what is numbered behind the shape's URLs is the giant's."""
    assert Shape.crowded(1000, 50).hosts == 64
    assert Shape.crowded(10**7, 50).hosts == 200_000
    shape = Shape(100, 10)
    assert [shape.host_of(number) for number in (0, 10, 9, 100)] == [
        *("h0000000.example", "h0000000.example", "h0000009.example"),
        GIANT,
    ]


def test_percentile_is_a_value_that_was_measured() -> None:
    """None of no values, and never one beyond the last."""
    assert percentile([], 0.5) == 0
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile(list(range(1, 101)), 0.99) == 100
    assert percentile([5], 1.0) == 5


def test_use_tells_scripts_apart() -> None:
    """By their digests; the bench's own commands are no one's longest."""
    use = Use()
    claim = script("claim").sha.encode()
    use.add(
        [(3, 0, 70, [b"EVALSHA", claim]), (2, 0, 900, [b"SCAN", b"0"]), (1, 0, 5000, [b"SLOWLOG", b"GET"])]
    )
    assert use.us("claim", 2) == [70, 15]  # one was too quick for the log
    assert use.us("finish", 0) == []
    assert use.longest == (0.9, "SCAN")


def test_verdicts_compare_the_least_and_the_greatest() -> None:
    """Whatever their order; with its limit a figure is still met."""
    tiers = [_tier(10**7, claim_p99_ms=3.0, claim_p99_us=2300, bytes_a_url=121), _tier(10**5), _tier(1000)]
    around, within, spent, held = report.verdicts(tiers)
    assert (around.value, around.met) == (1.5, True)
    assert (round(within.value, 2), within.met) == (1.53, False)
    assert (spent.value, spent.met) == (1.0, True)
    assert (held.value, held.met) == (121, False)
    assert str(held) == "bytes a waiting URL at 10,000,000: 121.00, at most 120: MISSED"


def test_picture_has_a_curve_for_each_figure() -> None:
    """And a dot for each size; of the tail there is none here."""
    drawn = draw([_tier(1000), _tier(10**6)], "A <caption>", "a verdict")
    picture = ElementTree.fromstring(drawn)  # noqa: S314 - our own
    tag = "{http://www.w3.org/2000/svg}"
    curves = 3 + 3 + 2 + 1
    assert len(picture.findall(f"{tag}path")) == curves
    assert len(picture.findall(f"{tag}circle")) == curves * 2
    texts = [text.text for text in picture.findall(f"{tag}text")]
    assert {"A <caption>", "a verdict", "1 k", "1 M"} <= set(texts)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The JSON of a whole run, with its picture beside it."""
    folder = tmp_path_factory.mktemp("b")
    written = folder / "deep" / "frontier.json"
    frontier.main(
        [
            *("--sizes=1000", "--tail=0", "--giant=200", "--claims=200", "--reaped=40", "--producers=1"),
            "--workers=",
            *(f"--json={written}", f"--picture={folder / 'frontier.svg'}"),
        ]
    )
    return written


def test_run_measures(measured: Path) -> None:
    """Every row of the table has a figure, and the figures fit each other."""
    (tier,) = [Tier(**row) for row in json.loads(measured.read_text())["tiers"]]
    figures = tier.figures
    assert (tier.waiting, tier.hosts) == (1000, 64)
    assert re.fullmatch(r"Redis [\d.]+, \S+", tier.server)
    assert set(report._ROWS) <= set(figures)
    assert figures["reaped"] >= 40
    assert figures["trimmed"] >= 200 + 50
    assert 0 < figures["claim_p50_us"] <= figures["claim_p99_us"] <= figures["claim_max_ms"] * 1000
    assert figures["bytes_a_url"] > URL_BYTES


def test_run_draws(measured: Path) -> None:
    """A picture that parses, where it was asked for."""
    ElementTree.parse(measured.parents[1] / "frontier.svg")  # noqa: S314 - our own


def test_worker_passes_over_no_keys(measured: Path) -> None:
    """Neither at its start nor later; `status --hosts` does, so it would be seen."""
    (tier,) = [Tier(**row) for row in json.loads(measured.read_text())["tiers"]]
    scans = {
        phase.removesuffix("_scans"): count for phase, count in tier.figures.items() if "_scans" in phase
    }
    assert scans.pop("status_hosts") > 0
    assert {"start", "laps", "reap", "trim", "status"} <= set(scans)
    assert set(scans.values()) == {0}


async def test_real_workers_admit_a_queue(tmp_path: Path) -> None:
    """All of it, while they claim nothing; and what they and Redis spend on it is counted."""
    found = await admission(1, 600, tmp_path / "r", persistent=False)
    assert 0 < found.urls < 600
    assert min(found.wall_s, found.worker_cpu_s, found.redis_cpu_s) > 0
    assert str(found).startswith("1 workers admit ")


def test_shapes_of_the_tail_stop_at_its_own_size() -> None:
    """And the giant stands beside the greatest frontier alone."""
    given = frontier.given_by(["--sizes=1e5,1e3,1e4", "--tail=1e4", "--giant=2e6"])
    assert frontier.shapes(given) == [
        (report.CROWDED, Shape(1000, 64), 0),
        (report.CROWDED, Shape(10_000, 200), 0),
        (report.CROWDED, Shape(100_000, 2000), 2_000_000),
        (report.TAIL, Shape(1000, 1000), 0),
        (report.TAIL, Shape(10_000, 10_000), 0),
    ]
