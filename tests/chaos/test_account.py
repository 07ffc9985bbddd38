"""Each check of a run's account can fail: what is lost, repeated, mixed up or untold is found."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import orjson

from tests.chaos import account
from tests.chaos.fleet import Fleet
from tests.chaos.logbook import begun_asleep, differences
from tests.chaos.origin import Origin, Request
from tests.chaos.plan import Plan, Strike, items_of, kinds_of
from tests.chaos.scene import Waking
from worker.events.envelope import ARTICLE_PUBLISHED, ARTICLE_UNCHANGED, URL_DEAD
from worker.store.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_PLAN = Plan(urls=20, hosts=4)
_NOTHING = Counter[str]()


def _event(number: int, *, task: int | None = None, kind: str = ARTICLE_PUBLISHED) -> account.Event:
    task = number if task is None else task
    of = kinds_of(_PLAN)[number]
    dead = kind == URL_DEAD
    return {
        "id": f"article{number}.{task}",
        "type": kind,
        "subject": _url(number),
        "article_id": f"article{number}",
        "revision": 1,
        "reason": "http_404" if dead else None,
        "title": f"Pier /{'a' if of == 'moved' else of}/{number} stays open",
    }


def _url(number: int) -> str:
    return _items()[number].decode()


def _items() -> list[bytes]:
    return items_of(_PLAN, Origin(_PLAN.hosts))


def _good() -> dict[str, account.Event]:
    kinds = kinds_of(_PLAN)
    return {
        str(number): _event(number, kind=URL_DEAD if kinds[number] == "gone" else ARTICLE_PUBLISHED)
        for number in range(_PLAN.urls)
    }


def _of(kind: str) -> int:
    return kinds_of(_PLAN).index(kind)


def _found(events: dict[str, account.Event], items: Sequence[bytes] = ()) -> list[str]:
    found = account.repeats(events) + account.ends(_PLAN, items or _items(), events, _NOTHING)
    return found + account.contents(_PLAN, events)


def test_a_good_run_has_no_faults() -> None:
    """One event for each URL, and of its own page."""
    assert _found(_good()) == []


def test_a_url_without_an_event_is_lost() -> None:
    """One event fewer is found, and which."""
    events = _good()
    del events["3"]
    assert _found(events) == [f"lost: {_url(3)} ended 0 times, and was forced 0 times"]


def test_a_second_event_of_a_task_is_a_repeat() -> None:
    """The same id twice is found, though the URL was forced and may end more than once."""
    number = _of("tagged")
    again = orjson.dumps({"url": _url(number), "force": True})
    events = _good() | {"again": _event(number, kind=ARTICLE_UNCHANGED)}
    assert _found(events, [*_items(), again]) == [
        f"repeated: event article{number}.{number} was published 2 times"
    ]


def test_an_article_with_anothers_page_is_found() -> None:
    """The answer to one page must not be published as that of another."""
    events = _good()
    events["0"]["title"] = events["1"]["title"]
    assert [fault.partition(":")[0] for fault in _found(events)] == ["content"]


def test_an_unchanged_event_without_an_article_is_found() -> None:
    """A first visit that ends as unchanged has lost its article."""
    events = _good()
    events["0"] = _event(_of("a"), kind=ARTICLE_UNCHANGED)
    assert any(fault.startswith("content") for fault in _found(events))


def test_a_buried_url_that_should_have_been_an_article_is_found() -> None:
    """A reason that is not the page's own is an end that should not be."""
    number = _of("a")
    events = _good() | {str(number): _event(number, kind=URL_DEAD)}
    assert _found(events) == [f"end: {_url(number)} ended as http_404"]


def _told(tmp_path: Path, lines: Sequence[dict[str, Any]]) -> Fleet:
    fleet = Fleet(tmp_path, {})
    log = tmp_path / "worker-0.log"
    log.write_bytes(b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in lines))
    fleet._logs.append(log)  # as if it had been started
    return fleet


def _ledger(accepted: int) -> Ledger:
    return Ledger(accepted, accepted, 0, 0, 0, 0, 0, {}, {})


def _accepted(task: int) -> dict[str, Any]:
    return {"event": "url_accepted", "task_id": str(task), "url": _url(task)}


def _published(task: int) -> dict[str, Any]:
    return {"event": "article_published", "task_id": str(task), "event_id": f"article{task}.{task}"}


def test_an_accepted_task_without_an_event_is_lost(tmp_path: Path) -> None:
    """Counts that agree hide nothing: which tasks were accepted is compared with which have ended."""
    fleet = _told(tmp_path, [_accepted(0), _accepted(1), _published(0), _published(2)])
    found = differences(fleet, _items()[:2], {"a": _event(0), "b": _event(2)}, _ledger(2))
    assert found == [
        "lost: task 1 was accepted and has no event",
        "repeated: task 2 has an event, and was never accepted",
    ]


def test_an_item_that_nobody_answered_is_lost(tmp_path: Path) -> None:
    """A URL that was sent twice is accepted or refused twice, and not just once."""
    fleet = _told(tmp_path, [_accepted(0), _published(0)])
    again = orjson.dumps({"url": _url(0), "force": True})
    found = differences(fleet, [_items()[0], again], {"a": _event(0)}, _ledger(1))
    assert found == [f"lost: 1 items of {_url(0)} were neither accepted nor refused"]


def test_having_accepted_a_task_is_no_work_on_it(tmp_path: Path) -> None:
    """A worker that was killed is no excuse for an end that another one should have told."""
    fleet = _told(tmp_path, [_accepted(0)])
    fleet.killed.append(tmp_path / "worker-0.log")
    found = differences(fleet, _items()[:1], {"a": _event(0)}, _ledger(1))
    assert found == [
        "log: it does not tell of article0.0, and no worker that ended was at work on it",
    ]
    began = {"event": "fetch_started", "task_id": "0"}
    at_work = _told(tmp_path, [_accepted(0), began])
    at_work.killed.append(tmp_path / "worker-0.log")
    assert differences(at_work, _items()[:1], {"a": _event(0)}, _ledger(1)) == []


def test_only_the_request_of_the_waking_is_excused(tmp_path: Path) -> None:
    """Not those of the same page that others make, nor the spacing between its neighbours."""
    fleet = _told(
        tmp_path,
        [
            {
                "event": "fetch_started",
                "task_id": "0",
                "target": "http://127.0.2.1/a/0",
                "timestamp": "2026-01-01T00:00:00.000Z",
            }
        ],
    )
    woken = Waking(tmp_path / "worker-0.log", at_s=1_800_000_000.0, monotonic_s=10.0)
    excused = begun_asleep(fleet, [woken])
    origin = Origin(1)
    host = origin.hosts[0]
    origin.log = [Request(host, "/a/1", 9.9, 9.91), Request(host, "/a/0", 10.01, 10.02)]
    assert origin.breaches(0.15, excused=excused) == []
    origin.log.append(Request(host, "/a/2", 10.03, 10.04))
    assert origin.breaches(0.15, excused=excused) == [f"{host}: /a/2 came 0.130 s after /a/1"]
    origin.log = [Request(host, "/a/0", 20.0, 20.1), Request(host, "/a/3", 20.05, 20.2)]
    assert origin.breaches(0.15, excused=excused) == [f"{host}: /a/0 and /a/3 at once"]


def test_faults_that_strike_nothing_excuse_nothing() -> None:
    """A page may be buried for a child's death only as often as children were killed twice."""
    plan = Plan(urls=_PLAN.urls, hosts=_PLAN.hosts, strikes=(Strike("child_killed", 1.0),))
    number = _of("a")
    events = _good()
    events[str(number)] = _event(number, kind=URL_DEAD) | {"reason": "poison"}
    for struck, faults in ((1, 1), (2, 0)):
        assert len(account.ends(plan, _items(), events, Counter(child_killed=struck))) == faults
