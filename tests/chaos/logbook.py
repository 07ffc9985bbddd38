"""The ledger once more, from nothing but the workers' log lines, and where it differs from Redis' own.

What the lines can prove. A line is written after the reply of Redis, so

- whatever a line says has happened, always;
- acceptances and refusals are told before the item leaves the taken list: who adopts it from a worker that
  was killed tells them, too, so none is missing, and a refusal may be told twice;
- an end is told by the worker whose call it was, or by nobody, if that one was killed between what Redis did
  and the line, or its time to drain was over before it had the reply: then the last that its log says of the
  task is that it was at work on it.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.chaos.account import url_of
from worker.events.envelope import ARTICLE_PUBLISHED, ARTICLE_UNCHANGED, URL_DEAD

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.chaos.account import Event
    from tests.chaos.fleet import Fleet
    from tests.chaos.scene import Waking
    from worker.store.ledger import Ledger

_WAKING_S = 0.5
_ENDS = {
    "article_published": ARTICLE_PUBLISHED,
    "article_unchanged": ARTICLE_UNCHANGED,
    "url_buried": URL_DEAD,
}


#: What a worker that had begun with a task, and was killed before it told how that ended, can have said last.
_AT_WORK = {
    *("fetch_started", "page_fetched", "fetch_failed", "noindex_found"),
    *("extract_killed", "suspect_started", "lease_lost"),
}


def differences(
    fleet: Fleet, items: Iterable[bytes], events: Mapping[str, Event], ledger: Ledger
) -> list[str]:
    """Where the log and Redis disagree beyond what a kill explains."""
    lines = list(fleet.lines())
    published = {event["id"]: event["type"] for event in events.values()}
    told = [(line["event_id"], _ENDS[line["event"]]) for line in lines if line["event"] in _ENDS]
    found = [
        f"log: it tells of {name}, {kind}, and no stream does"
        for name, kind in told
        if published.get(name) != kind
    ]
    if len(told) != len(set(told)):
        found.append("log: an end is told twice")
    at_work = {task for log in {*fleet.killed, *fleet.drained} for task in _at_work(fleet.lines([log]))}
    found += [
        f"log: it does not tell of {name}, and no worker that ended was at work on it"
        for name in published.keys() - {name for name, _ in told}
        if name.partition(".")[2] not in at_work
    ]
    return found + _intake(lines, items, ledger) + _unended(lines, published)


def begun_asleep(fleet: Fleet, woken: Iterable[Waking]) -> set[tuple[str, str, float]]:
    """Hosts and paths of requests that a stopped worker had begun, and when it woke up (monotonic).

    Its lease was over by then, but nothing can stop it between its decision and the first byte. No line says
    that a robots.txt is asked for: it is one whose answer came right after the worker woke up.
    """
    begun = set()
    for waking in woken:
        last: dict[str, str] = {}
        for line in fleet.lines([waking.log]):
            at_s = datetime.fromisoformat(line["timestamp"]).timestamp()
            if line["event"] == "robots_fetched" and waking.at_s <= at_s < waking.at_s + _WAKING_S:
                begun.add((line["host"].partition(":")[0], "/robots.txt", waking.monotonic_s))
            elif "task_id" in line and at_s < waking.at_s:
                last[line["task_id"]] = line["target"] if line["event"] == "fetch_started" else ""
        begun |= {
            (url.hostname or "", url.path, waking.monotonic_s)
            for url in map(urlsplit, filter(None, last.values()))
        }
    return begun


def _at_work(lines: Iterable[dict[str, Any]]) -> set[str]:
    """Tasks of which the last that one worker's lines say is that somebody is at work on them."""
    last = {line["task_id"]: line["event"] for line in lines if "task_id" in line}
    return {task for task, event in last.items() if event in _AT_WORK}


def _unended(lines: Iterable[dict[str, Any]], published: Iterable[str]) -> list[str]:
    """Tasks that were accepted and have no event, or the reverse. One task has one event's id at most."""
    accepted = {line["task_id"] for line in lines if line["event"] == "url_accepted"}
    ended = {name.partition(".")[2] for name in published}
    found = [f"lost: task {task} was accepted and has no event" for task in sorted(accepted - ended)]
    return found + [
        f"repeated: task {task} has an event, and was never accepted" for task in ended - accepted
    ]


def _intake(lines: Iterable[dict[str, Any]], items: Iterable[bytes], ledger: Ledger) -> list[str]:
    accepted, answered, refused, adopted = set[str](), Counter[str](), 0, 0
    for line in lines:
        match line["event"]:
            case "url_accepted":
                answered[line["url"]] += line["task_id"] not in accepted
                accepted.add(line["task_id"])
            case "url_refused":
                answered[line["url"]] += 1
                refused += 1
            case "taken_adopted":
                adopted += line["count"]
    found = []
    if len(accepted) != ledger.accepted:
        found.append(f"log: it tells of {len(accepted)} acceptances, the ledger of {ledger.accepted}")
    if not ledger.refused <= refused <= ledger.refused + adopted:
        found.append(
            f"log: it tells of {refused} refusals and {adopted} adopted, the ledger of {ledger.refused}"
        )
    missing = Counter(map(url_of, items)) - answered
    return found + [
        f"lost: {n} items of {url} were neither accepted nor refused" for url, n in missing.items()
    ]
