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

from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from worker.events.envelope import ARTICLE_PUBLISHED, ARTICLE_UNCHANGED, URL_DEAD

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from tests.chaos.account import Event
    from tests.chaos.fleet import Fleet
    from worker.store.ledger import Ledger

_WAKING_S = 0.5
_ENDS = {
    "article_published": ARTICLE_PUBLISHED,
    "article_unchanged": ARTICLE_UNCHANGED,
    "url_buried": URL_DEAD,
}


def differences(fleet: Fleet, events: Mapping[str, Event], ledger: Ledger) -> list[str]:
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
    at_work = _at_work(fleet.lines({*fleet.killed, *fleet.drained}))
    found += [
        f"log: it does not tell of {name}, and no worker that ended was at work on it"
        for name in published.keys() - {name for name, _ in told}
        if name.partition(".")[2] not in at_work
    ]
    return found + _intake(lines, ledger)


def begun_asleep(fleet: Fleet, woken: Iterable[tuple[Path, float]]) -> set[tuple[str, str]]:
    """Hosts and paths of requests that a worker had begun when it was stopped, and sent when it woke up.

    Its lease was over by then, but nothing can stop it between its decision and the first byte. No line says
    that a robots.txt is asked for: it is one whose answer came right after the worker woke up.
    """
    begun = set()
    for log, until_s in woken:
        last: dict[str, str] = {}
        for line in fleet.lines([log]):
            at_s = datetime.fromisoformat(line["timestamp"]).timestamp()
            if line["event"] == "robots_fetched" and until_s <= at_s < until_s + _WAKING_S:
                begun.add((line["host"].partition(":")[0], "/robots.txt"))
            elif "task_id" in line and at_s < until_s:
                last[line["task_id"]] = line["target"] if line["event"] == "fetch_started" else ""
        begun |= {(url.hostname or "", url.path) for url in map(urlsplit, filter(None, last.values()))}
    return begun


def _at_work(lines: Iterable[dict[str, Any]]) -> set[str]:
    """Tasks of which the last that these lines say is no end."""
    last = {line["task_id"]: line["event"] for line in lines if "task_id" in line}
    return {task for task, event in last.items() if event not in _ENDS}


def _intake(lines: Iterable[dict[str, Any]], ledger: Ledger) -> list[str]:
    accepted, refused, adopted = set[str](), 0, 0
    for line in lines:
        match line["event"]:
            case "url_accepted":
                accepted.add(line["task_id"])
            case "url_refused":
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
    return found
