"""What the dashboard shows: one look at Redis for all who watch, as JSON."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import orjson

from worker.clock import Clock, SystemClock
from worker.errors import StoreUnavailable, StoreUnusable
from worker.ops.fleet import LOOK_EVERY_S, Look
from worker.ops.shared_answer import SharedAnswer
from worker.store.dead_letters import DeadLetters
from worker.store.host_states import slowest_hosts
from worker.store.latest import latest_articles

if TYPE_CHECKING:
    from worker.ops.fleet import Fleet
    from worker.ops.vitals import Vitals
    from worker.store.dead_letters import DeadLetter
    from worker.store.host_states import HostState

_HOSTS, _ARTICLES, _LETTERS = 12, 12, 12
#: Looks of which the curve of throughput is made: five minutes.
_LOOKS = int(300 / LOOK_EVERY_S)
#: A page decides how long its title is, and a producer its URL.
_LONGEST_TEXT = 300


class Board:
    """The dashboard's figures. Nothing is read while nobody watches."""

    def __init__(self, vitals: Vitals, fleet: Fleet, clock: Clock | None = None) -> None:
        self._vitals = vitals
        self._fleet = fleet
        self._clock = clock or SystemClock()
        self.letters = DeadLetters(fleet.connection, fleet.keys, vitals.settings.host_grouping)
        self._ended: deque[tuple[float, int]] = deque(maxlen=_LOOKS)
        self._shown = SharedAnswer(self._gathered, max_age_s=LOOK_EVERY_S, clock=self._clock)

    async def shown(self) -> bytes:
        """The figures as JSON; the same bytes for all who ask within two seconds."""
        return await self._shown.get()

    async def _gathered(self) -> bytes:
        look = await self._fleet.look()
        head = {
            "time": self._clock.now(),
            "worker": self._vitals.worker,
            "namespace": self._fleet.keys.namespace,
            "may_retry": self._vitals.settings.ops_token is not None,
        }
        if not isinstance(look, Look):
            return orjson.dumps(head | {"fault": look.why})
        return orjson.dumps(head | self._figures(look) | await self._lists())

    def _figures(self, look: Look) -> dict[str, Any]:
        ledger = look.ledger
        self._ended.append((self._clock.monotonic(), ledger.articles + ledger.unchanged + ledger.dead))
        return {
            "ledger": ledger.figures(),
            "balanced": ledger.balanced,
            "reasons": ledger.reasons,
            "traffic": ledger.traffic,
            "depths": {
                "queue": look.depths.inbox,
                "taken": look.depths.taken,
                "later": look.depths.later,
                "suspects": look.depths.suspects,
                "leases": look.depths.leases,
                "ready_hosts": look.depths.ready_hosts,
                "articles": look.depths.articles_stream,
                "dead": look.depths.dead_stream,
            },
            "overdue_s": round(look.overdue_s, 1),
            "workers": len(look.workers),
            "per_minute": per_minute(self._ended),
            "rate_per_minute": latest_rate(self._ended),
        }

    async def _lists(self) -> dict[str, Any]:
        connection, keys = self._fleet.connection, self._fleet.keys
        try:
            return {
                "hosts": [_host(host) for host in await slowest_hosts(connection, keys, _HOSTS)],
                "articles": [_article(data) for data in await latest_articles(connection, keys, _ARTICLES)],
                "dead": [_letter(letter) for letter in await self.letters.latest(_LETTERS)],
            }
        except (StoreUnavailable, StoreUnusable) as error:
            return {"fault": str(error)}


def per_minute(looks: deque[tuple[float, int]]) -> list[float]:
    """URLs ended per minute between one look and the next; `looks` are (monotonic seconds, ended so far)."""
    pairs = zip(looks, list(looks)[1:], strict=False)
    return [
        round(max(0, after - before) / (end - begin) * 60, 1)
        for (begin, before), (end, after) in pairs
        if end > begin
    ]


def latest_rate(looks: deque[tuple[float, int]]) -> int:
    """URLs ended per minute over the last minute, or over as much of it as was looked at."""
    recent = [look for look in looks if look[0] >= looks[-1][0] - 60]
    (begin, before), (end, after) = recent[0], recent[-1]
    return round(max(0, after - before) / (end - begin) * 60) if end > begin else 0


def _host(host: HostState) -> dict[str, Any]:
    return {
        "host": host.host,
        "condition": host.condition,
        "waiting": host.waiting,
        "in_work": host.in_work,
        "latency_ms": round(host.latency_s * 1000),
        "spacing_s": host.spacing_s,
        "due_in_s": round(host.due_in_s, 1),
    }


def _article(data: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"{data['article_id']}.{data['task']['task_id']}",
        "title": _cut(data.get("title")),
        "url": _cut(data["url"]),
        "time": data["time"],
        "revision": data["revision"],
        "words": data.get("word_count"),
    }


def _letter(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "reason": letter.reason,
        "url": _cut(letter.url),
        "item": _cut(letter.data.get("item")),
        "error": _cut(letter.data.get("error")),
        "time": letter.event["time"],
    }


def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
