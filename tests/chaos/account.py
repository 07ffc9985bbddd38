"""The account of a run: what was sent, and what came of it by the streams, the ledger and the consumer."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import orjson

from tests.chaos.consumer import record_of
from tests.chaos.plan import kinds_of
from tests.chaos.verdict import DOCUMENTED, LASTING
from worker.events.envelope import ARTICLE_PUBLISHED, ARTICLE_UNCHANGED, URL_DEAD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.chaos.plan import Plan
    from worker.store.connection import Connection
    from worker.store.keys import Keys
    from worker.store.ledger import Ledger

Event = dict[str, Any]

#: How a URL of each kind may end; of all others, as an article.
_ENDS = {
    "gone": {"http_404"},
    # The parser says that its memory is at an end, or the process ends; on a busy machine, time is up before.
    "eater": {"not_article", "poison", "extract_timeout"},
    "deadly": {"poison"},
}
_ARTICLE = {"article"}
#: A page whose process is killed or hangs twice is buried; more than so many cannot be.
_BURIES = {"child_killed": "poison", "child_hung": "extract_timeout"}
_LEDGER_NAMES = {ARTICLE_PUBLISHED: "articles", ARTICLE_UNCHANGED: "unchanged", URL_DEAD: "dead"}


async def events_of(connection: Connection, keys: Keys, consumed: Path) -> dict[str, Event]:
    """Every event there was, by stream and entry: what the consumer kept, and what the streams still hold."""
    events = {f"articles {event['entry']}": event for event in consumed_of(consumed)}
    for name, stream in (("articles", keys.articles()), ("dead", keys.dead())):
        for entry, fields in await connection.command("XRANGE", stream, "-", "+"):
            events[f"{name} {entry.decode()}"] = record_of(entry, fields)
    return events


def consumed_of(path: Path) -> Iterator[Event]:
    """What the consumer kept; the line that it was killed in is passed over."""
    for line in path.read_bytes().splitlines(keepends=True) if path.exists() else ():
        if line.endswith(b"\n"):
            yield orjson.loads(line)


def repeats(events: Mapping[str, Event]) -> list[str]:
    """Events, and revisions of an article, that were published more than once, or with a gap before them."""
    ids = Counter(event["id"] for event in events.values())
    found = [f"repeated: event {name} was published {n} times" for name, n in ids.items() if n > 1]
    revisions: dict[str, list[int]] = defaultdict(list)
    for event in events.values():
        if event["type"] == ARTICLE_PUBLISHED:
            revisions[event["article_id"]].append(event["revision"])
    for article, numbers in revisions.items():
        if sorted(numbers) != list(range(1, len(numbers) + 1)):
            found.append(f"repeated: article {article} was published with revisions {sorted(numbers)}")
    return found


def ends(plan: Plan, items: Sequence[bytes], events: Mapping[str, Event], struck: Counter[str]) -> list[str]:
    """URLs that did not end as often as they were sent, or in a way that is not theirs."""
    by_url: dict[str, list[str]] = defaultdict(list)
    for event in events.values():
        by_url[event["subject"]].append(event["reason"] or "article")
    pushed_again = Counter(url_of(item) for item in items if item.startswith(b"{"))
    found, buried, kinds = [], Counter[str](), kinds_of(plan)
    may_bury = {_BURIES[name]: struck[name] // 2 for name in plan.faults if name in _BURIES}
    for url in dict.fromkeys(map(url_of, items)):
        got = by_url.pop(url, [])
        # Once for each time that it was forced: if that came first, the other item was a duplicate.
        if len(got) < max(1, pushed_again[url]):
            found.append(f"lost: {url} ended {len(got)} times, and was forced {pushed_again[url]} times")
        if len(got) > 1 and url not in pushed_again:
            found.append(f"repeated: {url} ended {len(got)} times: {got}")
        for end in got:
            if end in _ENDS.get(kinds[int(url.rpartition("/")[2])], _ARTICLE):
                continue
            buried[end] += 1
            if buried[end] > may_bury.get(end, 0):
                found.append(f"end: {url} ended as {end}")
    return found + [f"repeated: {url} was never sent" for url in by_url]


def contents(plan: Plan, events: Mapping[str, Event]) -> list[str]:
    """Events of another page than their URL's, or of a change where there was none, or the reverse."""
    types: dict[str, Counter[str]] = defaultdict(Counter)
    found, kinds = [], kinds_of(plan)
    for event in events.values():
        url = event["subject"]
        types[url][event["type"]] += 1
        number = int(url.rpartition("/")[2])
        kind = "a" if kinds[number] == "moved" else kinds[number]
        if event["type"] == ARTICLE_PUBLISHED and f"/{kind}/{number} " not in f"{event['title']} ":
            found.append(f"content: the article of {url} is {event['title']!r}")
        # Without a limit it is no article, either.
        if kind == "eater" and event["reason"] == "not_article" and "memory" not in event["error"]:
            found.append(f"content: {url} was read within its memory: {event['error']}")
    for url, of in types.items():
        changes = kinds[int(url.rpartition("/")[2])] == "edited"
        if changes and of[ARTICLE_UNCHANGED]:
            found.append(f"content: {url} changes each time: {dict(of)}")
        if not changes and of[ARTICLE_PUBLISHED] + of[ARTICLE_UNCHANGED] and of[ARTICLE_PUBLISHED] != 1:
            found.append(f"content: {url} never changes, and was not published once: {dict(of)}")
    return found


def url_of(item: bytes) -> str:
    """The URL that a queue item asks for."""
    return str(orjson.loads(item)["url"]) if item.startswith(b"{") else item.decode()


def recount(ledger: Ledger, events: Mapping[str, Event], admitted: int, sent: int) -> list[str]:
    """Where the ledger differs from what the streams held, or from the items that were admitted."""
    counted = Counter(_LEDGER_NAMES[event["type"]] for event in events.values())
    counted.update(f"dead:{event['reason']}" for event in events.values() if event["reason"])
    says = {"articles": ledger.articles, "unchanged": ledger.unchanged, "dead": ledger.dead}
    says |= {name: n for name, n in ledger.reasons.items() if name.startswith("dead:")}
    found = [
        f"ledger: it says {says.get(name, 0)} {name}, the streams had {counted[name]}"
        for name in sorted(says.keys() | counted.keys())
        if says.get(name, 0) != counted[name]
    ]
    if not ledger.balanced or not ledger.settled:
        found.append(f"ledger: not balanced, or work is left: {ledger}")
    if admitted != ledger.accepted + ledger.refused or admitted < sent:
        found.append(f"ledger: {sent} were sent, {admitted} items admitted: {ledger.figures()}")
    return found


def unread(consumed: Path, ledger: Ledger) -> list[str]:
    """Articles that were trimmed before the consumer had them, or never came to it."""
    had = len({event["entry"] for event in consumed_of(consumed)})
    made = ledger.articles + ledger.unchanged
    return [] if had == made else [f"lost: the consumer had {had} of {made} events"]


async def keys_left(connection: Connection) -> list[str]:
    """Keys that should be gone once all is done, and hosts with a request under way."""
    found = []
    for name in await connection.command("KEYS", "*"):
        key = name.decode()
        if not LASTING.fullmatch(key):
            found.append(f"keys: {key} is left over")
        elif ":host:" in key and int(await connection.command("HGET", key, "busy") or 0):
            found.append(f"keys: {key} is busy")
    return found


async def undocumented(connection: Connection) -> set[str]:
    """Keys of this moment that the data model does not name."""
    names = [name.decode() for name in await connection.command("KEYS", "*")]
    return {name for name in names if not DOCUMENTED.fullmatch(name)}
