"""How well near-duplicates are found: precision and recall over thresholds, and what it costs in Redis.

    python -m tests.bench.clusters

Copies are made of real articles (INGEST_SHARED, where it is at hand) and of those of the sample site. What
must not be found are pairs of different articles, and of reports that programs write by a template.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from tests.bench.cluster_texts import copies, market_report, reports, texts_of, weather_report
from tests.bench.extract_pages import real_pages, sample_pages
from tests.servers import RedisServer
from worker.extract.fingerprints import COUNT, SHARED_BY_COPIES, fingerprints
from worker.extract.text import measured
from worker.store.clusters import Clusters
from worker.store.connection import Connection
from worker.store.keys import Keys
from worker.urls import article_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.bench.cluster_texts import Text

_ROOT = Path(__file__).parents[2]
_SHARED = Path(os.environ.get("INGEST_SHARED", _ROOT.parent / "shared")) / "pages"
_REPORTS = 100
_STORIES = 50_000
_BITS = (3, 6, 10, 14)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts, in figures."""

    shared: int  # fingerprints
    bits: int  # that differ between their simhashes


@dataclass(frozen=True, slots=True)
class Score:
    """What a threshold finds."""

    recall: float
    precision: float


@dataclass
class Pairs:
    """All pairs that were looked at: copies by their kind, and pairs of different texts by theirs."""

    alike: dict[str, list[Pair]] = field(default_factory=dict)
    different: dict[str, list[Pair]] = field(default_factory=dict)

    def score(self, *, shared: int) -> Score:
        """What `shared` common fingerprints find."""
        return self._score([[each.shared >= shared for each in pairs] for pairs in self._all()])

    def simhash_score(self, *, bits: int) -> Score:
        """What simhashes within `bits` bits find."""
        return self._score([[each.bits <= bits for each in pairs] for pairs in self._all()])

    def _all(self) -> list[list[Pair]]:
        return [[each for pairs in kind.values() for each in pairs] for kind in (self.alike, self.different)]

    @staticmethod
    def _score(found: list[list[bool]]) -> Score:
        right, wrong = map(sum, found)
        return Score(right / len(found[0]), right / (right + wrong) if right else 1.0)


def pair(one: str, other: str) -> Pair:
    """Two texts compared."""
    return _pair(_figures(one), _figures(other))


def pairs_of(texts: Sequence[Text]) -> Pairs:
    """Each text beside its copies, all texts beside each other, and reports beside each other."""
    found = Pairs()
    long = [text for text in texts if fingerprints(text.text)]
    words = [word for text in long for word in text.text.split()]
    for number, text in enumerate(long):
        own = _figures(text.text)
        for kind, copy in copies(text, words, Random(number)).items():
            found.alike.setdefault(kind, []).append(_pair(own, _figures(copy)))
    figures = [(text.publisher, _figures(text.text)) for text in long]
    for (publisher, one), (other_publisher, other) in combinations(figures, 2):
        kind = "articles of one publisher" if publisher == other_publisher else "articles of two publishers"
        found.different.setdefault(kind, []).append(_pair(one, other))
    for kind, write in (("market reports", market_report), ("weather reports", weather_report)):
        each = map(_figures, reports(write, _REPORTS))
        found.different[kind] = [_pair(one, other) for one, other in combinations(each, 2)]
    return found


def _figures(text: str) -> tuple[frozenset[bytes], int]:
    return frozenset(fingerprints(text)), int(measured(text).simhash, 16)


def _pair(one: tuple[frozenset[bytes], int], other: tuple[frozenset[bytes], int]) -> Pair:
    return Pair(len(one[0] & other[0]), (one[1] ^ other[1]).bit_count())


def report(found: Pairs) -> Iterable[str]:
    """The lines of the tables."""
    yield f"{'shared of ' + str(COUNT):<14} recall  precision"
    for shared in range(3, 13):
        score = found.score(shared=shared)
        mark = "  <- ours" if shared == SHARED_BY_COPIES else ""
        yield f"{shared:<14} {score.recall:6.1%}  {score.precision:9.1%}{mark}"
    yield f"\n{'simhash bits':<14} recall  precision"
    for bits in _BITS:
        score = found.simhash_score(bits=bits)
        yield f"{bits:<14} {score.recall:6.1%}  {score.precision:9.1%}"
    yield f"\nfound as copies at {SHARED_BY_COPIES} of {COUNT}; by simhash within 3 and 10 bits"
    for kind, pairs in (*found.alike.items(), *found.different.items()):
        ours = statistics.fmean(each.shared >= SHARED_BY_COPIES for each in pairs)
        near, far = (statistics.fmean(each.bits <= bits for each in pairs) for bits in (3, 10))
        yield f"  {kind:<30} {len(pairs):>6} pairs  {ours:7.2%}  {near:7.2%}  {far:7.2%}"


async def costs(connection: Connection, stories: int) -> Iterable[str]:
    """What `stories` stories take in Redis, and how long a call does: for a first article, and for a copy."""
    clusters = Clusters(connection, Keys(), days=3, least=SHARED_BY_COPIES)
    random = Random(1)
    made = [tuple(random.randbytes(6) for _ in range(COUNT)) for _ in range(stories)]
    before = await _memory(connection)
    for number, prints in enumerate(made):
        await clusters.of(article_id(str(number)), prints)
    used = await _memory(connection) - before
    first_us = await _usec_per_call(connection)
    await connection.command("CONFIG", "RESETSTAT")
    for number, prints in enumerate(made[:5_000]):
        await clusters.of(article_id(f"copy {number}"), prints)
    copy_us = await _usec_per_call(connection)
    return (
        f"Redis: {used / stories:.0f} bytes a story with {stories:,} of them",
        f"{first_us:.0f} µs for its first article, {copy_us:.0f} µs for a copy, which takes no room",
    )


async def _memory(connection: Connection) -> int:
    info = await connection.command("INFO", "memory")
    return int(info["used_memory"])


async def _usec_per_call(connection: Connection) -> float:
    info = await connection.command("INFO", "commandstats")
    return float(info["cmdstat_evalsha"]["usec_per_call"])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.clusters")
    parser.add_argument("--pages", type=Path, default=_SHARED, help="a folder of real pages")
    parser.add_argument(
        "--stories", type=int, default=_STORIES, help=f"stories to put into Redis ({_STORIES})"
    )
    given = parser.parse_args()
    there = (given.pages / "expected.jsonl").is_file()
    texts = texts_of([*(real_pages(given.pages) if there else ()), *sample_pages()])
    print(f"{len(texts)} articles" + ("" if there else f"; no real pages, as {given.pages} is not there"))
    print(*report(pairs_of(texts)), sep="\n")
    began = time.process_time()
    for text in texts:
        fingerprints(text.text)
    print(f"\nfingerprints: {(time.process_time() - began) / len(texts) * 1e6:.0f} µs an article")
    with tempfile.TemporaryDirectory(prefix="ingest-bench-") as folder:
        server = RedisServer(Path(folder)).start()
        try:
            print(*asyncio.run(_costs(server.url, given.stories)), sep="\n")
        finally:
            server.stop()


async def _costs(url: str, stories: int) -> Iterable[str]:
    async with Connection(url) as connection:
        return await costs(connection, stories)


if __name__ == "__main__":
    main()
