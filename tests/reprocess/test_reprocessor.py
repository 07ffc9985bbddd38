"""Archives read anew over a real Redis: what goes out, what does not, and that nothing goes out twice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import orjson
import pytest

from tests.reprocess.warcs import URL, Own, foreign, html
from tests.runtime.conftest import InProcess
from worker.archive.reader import Damaged
from worker.capture import Subject
from worker.clock import SystemClock
from worker.errors import ExtractCrashed
from worker.reprocess.reprocessor import Reprocessor, Result
from worker.runtime.stories import stories_of
from worker.settings import Settings
from worker.store.headroom import Headroom
from worker.store.ledger import read_ledger
from worker.store.reprocessing import Reprocessing
from worker.urls import article_id

if TYPE_CHECKING:
    from pathlib import Path

    from worker.extract.pool import ExtractionPool
    from worker.model import Article
    from worker.store.connection import Connection
    from worker.store.keys import Keys

SETTINGS = Settings(extract_processes=2)


class NextRules(InProcess):
    """Another version of the rules: it finds a section where none was found."""

    async def extract(self, page: bytes, **known: Any) -> Article:
        article = await super().extract(page, **known)
        return replace(article, section="Ferries", extraction=replace(article.extraction, version="next"))


class Crashing(InProcess):
    """A page that kills its process."""

    async def extract(self, page: bytes, **known: Any) -> Article:
        raise ExtractCrashed("the process ended with code -9")


@dataclass
class Desk:
    """Reprocesses files, and looks at what came of it."""

    connection: Connection
    keys: Keys
    folder: Path
    settings: Settings = SETTINGS

    def reprocessor(self, rules: InProcess | None = None, **wishes: bool) -> Reprocessor:
        """One run of the command."""
        clock = SystemClock()
        return Reprocessor(
            self.settings,
            Reprocessing(self.connection, self.keys, visit_days=30, max_backlog=self.settings.max_backlog),
            cast("ExtractionPool", rules or InProcess()),
            Headroom(self.connection, share=1, clock=clock),
            stories=stories_of(self.settings, self.connection, self.keys),
            clock=clock,
            **wishes,
        )

    async def run(self, path: Path, rules: InProcess | None = None, **wishes: bool) -> list[tuple[str, int]]:
        """The kind and revision of each result."""
        results = [result async for result in self.reprocessor(rules, **wishes).run(path)]
        return [(result.kind, result.revision) for result in results]

    async def events(self) -> list[dict[str, Any]]:
        """The data of every event, with its id; the ledger's counter must be the recount's."""
        entries = await self.connection.command("XRANGE", self.keys.articles(), "-", "+")
        events = [{**orjson.loads(each[b"data"]), "event_id": each[b"id"].decode()} for _, each in entries]
        ledger = await read_ledger(self.connection, self.keys)
        assert ledger.balanced
        recounted = sum(".warc-" in event["event_id"] for event in events)
        assert (ledger.traffic.get("reprocessed", 0), ledger.articles) == (recounted, len(events) - recounted)
        assert len({event["event_id"] for event in events}) == len(events)
        return events


@pytest.fixture
def desk(connection: Connection, keys: Keys, tmp_path: Path) -> Desk:
    """Over the emptied Redis."""
    return Desk(connection, keys, tmp_path)


def own(folder: Path, *titles: str, **wishes: Any) -> Path:
    """An archive of one article, an hour between its pages."""
    archive = Own()
    for hour, title in enumerate(titles):
        archive.add(html(title), hour=hour, **wishes)
    return archive.write(folder / f"{len(list(folder.iterdir()))}.warc.gz")


async def test_an_unknown_article_is_revision_1(desk: Desk) -> None:
    """Its event is like any other, but for what stands for the task; and it is published once."""
    path = foreign(desk.folder / "wget.warc.gz", (URL, html(), 3))
    assert await desk.run(path) == [("new", 1)]
    assert await desk.run(path) == [("unchanged", 1)]
    (event,) = await desk.events()
    assert (event["article_id"], event["url"], event["revision"], event["change"]) == (
        article_id(URL),
        URL,
        1,
        "new",
    )
    assert event["event_id"] == f"{article_id(URL)}.{event['task']['task_id']}"
    assert event["task"]["task_id"].startswith("warc-")
    assert event["fetch"]["fetched_at"] == event["task"]["accepted_at"] == "2026-01-02T03:00:00.000Z"
    assert (event["fetch"]["final_url"], event["fetch"]["redirects"]) == (URL, [])


async def test_new_rules_make_the_next_revision_once(desk: Desk) -> None:
    """The same record read by other rules: what differs is named, and a second run has nothing to say."""
    path = own(desk.folder, "A title of some words")
    assert await desk.run(path) == [("new", 1)]
    assert await desk.run(path, NextRules()) == [("updated", 2)]
    assert await desk.run(path, NextRules()) == [("unchanged", 2)]
    first, second = await desk.events()
    assert second["changed_fields"] == ["section"]
    assert (second["article_id"], second["revision"], second["change"]) == (first["article_id"], 2, "updated")
    assert second["event_id"] != first["event_id"]
    assert await desk.run(path) == [("updated", 3)]  # back to the old rules


async def test_pages_of_one_article_follow_one_another(desk: Desk) -> None:
    """In the file's order; what a later one has superseded is passed over when it comes again."""
    path = own(desk.folder, "First title of words", "Second title of words", "Second title of words")
    assert await desk.run(path) == [("new", 1), ("updated", 2), ("unchanged", 2)]
    assert await desk.run(path) == [("superseded", 2), ("unchanged", 2), ("unchanged", 2)]
    assert await desk.run(path, NextRules()) == [("superseded", 2), ("updated", 3), ("unchanged", 3)]
    assert [event["revision"] for event in await desk.events()] == [1, 2, 3]


async def test_an_older_page_overrules_no_newer_one(desk: Desk) -> None:
    """An archive that turns up late changes nothing about what was seen after it."""
    archive = Own()
    archive.add(html("Late title of words"), hour=9)
    assert await desk.run(archive.write(desk.folder / "late")) == [("new", 1)]
    assert await desk.run(own(desk.folder, "Early title of words")) == [("superseded", 1)]


async def test_the_accepted_url_is_the_articles(desk: Desk) -> None:
    """After a redirect the record is the last URL's, and the article that of the first."""
    path = own(desk.folder, "A title of some words", subject=Subject("http://b.example/moved"))
    assert await desk.run(path) == [("new", 1)]
    (event,) = await desk.events()
    assert (event["url"], event["article_id"]) == (
        "http://b.example/moved",
        article_id("http://b.example/moved"),
    )
    assert (event["fetch"]["final_url"], event["fetch"]["redirects"]) == (URL, [URL])


async def test_hints_of_the_producer_still_count(desk: Desk) -> None:
    """Without them, the same page would be read otherwise than it was."""
    subject = Subject(URL, {"published_at": "2026-01-01T08:00:00Z"})
    await desk.run(own(desk.folder, "A title of some words", subject=subject))
    (event,) = await desk.events()
    assert event["published_at_evidence"]["source"].startswith("hint")


async def test_a_dry_run_says_the_same_and_writes_nothing(desk: Desk) -> None:
    """Also of two pages of one article, where the second one is compared with the first."""
    path = own(desk.folder, "First title of words", "Second title of words", "Second title of words")
    expected = [("new", 1), ("updated", 2), ("unchanged", 2)]
    assert await desk.run(path, dry_run=True) == expected
    assert await desk.events() == []
    names = [name async for page in desk.connection.scan("*", count=100) for name in page]
    assert names == []
    assert await desk.run(path) == expected


async def test_what_redis_has_forgotten_waits_for_a_word(desk: Desk) -> None:
    """With nothing to compare with, an article that was published once is published anew on demand only."""
    path = own(desk.folder, "A title of some words")
    await desk.run(path)
    await desk.connection.command("DEL", desk.keys.part(0, f"visit:{article_id(URL)}"))
    assert await desk.run(path) == [("forgotten", 1)]
    assert await desk.run(path, forgotten=True) == [("updated", 2)]
    assert await desk.run(path, forgotten=True) == [("unchanged", 2)]
    assert (await desk.events())[-1]["changed_fields"] == []


async def test_what_is_no_article_is_counted(desk: Desk) -> None:
    """Every response has a result, whatever it is."""
    archive = Own()
    archive.add(b"<html><p>Nothing.</p>")
    archive.add(html(), status=404)
    archive.add(html(), x_robots_tag="noindex")
    path = archive.write(desk.folder / "own")
    desk.settings = Settings(extract_processes=2, noindex="refuse")
    reprocessor = desk.reprocessor()
    found = [(result.kind, result.why) async for result in reprocessor.run(path)]
    assert [kind for kind, _ in found] == ["no_article", "no_page", "no_article"]
    assert [why for _, why in found][1:] == ["status", "noindex"]
    assert reprocessor.counts == {"no_article": 2, "no_page": 1}
    assert await desk.run(path, Crashing()) == [("failed", 0), ("no_page", 0), ("failed", 0)]
    assert await desk.events() == []


async def test_damage_comes_after_what_is_whole(desk: Desk) -> None:
    """All records before it are published, and then it is told."""
    path = own(desk.folder, "First title of words", "Second title of words")
    path.write_bytes(path.read_bytes() + b"nothing of an archive\n" * 9)
    found: list[Result] = []

    async def collect() -> None:
        async for result in desk.reprocessor().run(path):
            found.append(result)  # noqa: PERF401 - the error comes in between

    with pytest.raises(Damaged):
        await collect()
    assert [result.kind for result in found] == ["new", "updated"]


async def test_a_full_stream_is_waited_for(desk: Desk) -> None:
    """As a worker pauses at the backlog's limit, and goes on once consumers have caught up."""
    desk.settings = Settings(extract_processes=2, max_backlog=1)
    reprocessor = desk.reprocessor()
    path = own(desk.folder, "First title of words", "Second title of words")
    found: list[str] = []
    results = reprocessor.run(path)
    found.append((await anext(results)).kind)

    async def catch_up(seconds: float) -> None:
        assert seconds > 0
        await desk.connection.command("XTRIM", desk.keys.articles(), "MAXLEN", 0)

    reprocessor._clock.sleep = catch_up  # type: ignore[method-assign]
    found += [result.kind async for result in results]
    assert (found, reprocessor.waits) == (["new", "updated"], 1)


async def test_copies_in_an_archive_have_one_cluster(desk: Desk) -> None:
    """That of the first; a dry run looks for none, and a later revision keeps it."""
    other = "http://b.example/copy"
    path = foreign(desk.folder / "wget.warc.gz", (URL, html(), 3), (other, html("Another title"), 4))
    await desk.run(path, dry_run=True)
    assert await desk.connection.command("DBSIZE") == 0
    assert await desk.run(path) == [("new", 1), ("new", 1)]
    assert await desk.run(path, NextRules()) == [("updated", 2), ("updated", 2)]
    assert [event["cluster_id"] for event in await desk.events()] == [article_id(URL)] * 4
