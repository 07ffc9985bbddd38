"""What the dashboard shows, and `ingest status --watch`: figures of the fleet, and how they move."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from worker.errors import StoreUnavailable, StoreUnusable
from worker.ops.fleet import Look
from worker.ops.silent_sources import silent_sources
from worker.store.dead_letters import DeadLetters
from worker.store.host_states import slowest_hosts
from worker.store.latest import latest_articles

if TYPE_CHECKING:
    from worker.grouping import Grouping
    from worker.ops.fleet import Fleet
    from worker.store.dead_letters import DeadLetter
    from worker.store.host_states import HostState

#: Of each list, so many.
LISTED = 12
#: Looks of which the curve of throughput is made: ten minutes on the page.
_LOOKS = 300
#: A page decides how long its title is, and a producer its URL.
_LONGEST_TEXT = 300


class Board:
    """The figures. Nothing is read while nobody asks."""

    def __init__(self, fleet: Fleet, grouping: Grouping, *, hosts: int = LISTED, remedy: str = "") -> None:
        self._fleet = fleet
        self._hosts = hosts
        self._remedy = remedy  # for a list that Redis refuses to us
        self.letters = DeadLetters(fleet.connection, fleet.keys, grouping)
        self._where = (fleet.connection, fleet.keys)
        self._ended: deque[tuple[float, int]] = deque(maxlen=_LOOKS)

    async def figures(self) -> dict[str, Any]:
        """The figures, fit for JSON; `fault` says what Redis does not tell, and what is missing then."""
        look = await self._fleet.look()
        if not isinstance(look, Look):
            return {"fault": look.why}
        return self._figures(look) | await self._lists()

    def _figures(self, look: Look) -> dict[str, Any]:
        ledger = look.ledger
        if not self._ended or self._ended[-1][0] < look.at_s:
            self._ended.append((look.at_s, ledger.articles + ledger.unchanged + ledger.dead))
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
                "silent": look.depths.silent_sources,
            },
            "overdue_s": round(look.overdue_s, 1),
            "workers": len(look.workers),
            "per_minute": per_minute(self._ended),
            "rate_per_minute": latest_rate(self._ended),
            "shown_s": round(self._ended[-1][0] - self._ended[0][0]),
        }

    async def _lists(self) -> dict[str, Any]:
        """The lists that Redis tells; each by itself, for a user may have rights to some of them."""
        gathers = {
            "hosts": self._hosts_now,
            "silent": self._silent,
            "articles": self._articles,
            "dead": self._letters,
        }
        gathered: dict[str, Any] = {}
        missing: defaultdict[str, list[str]] = defaultdict(list)
        for name, gather in gathers.items():
            try:
                gathered[name] = await gather()
            except StoreUnusable as error:
                missing[f"{error}{self._remedy}"].append(name)
            except StoreUnavailable as error:
                missing[str(error)].append(name)
                break  # nor would it answer to the others
        faults = [f"not shown: {', '.join(names)}. {why}" for why, names in missing.items()]
        return gathered | ({"fault": "; ".join(faults)} if faults else {})

    async def _hosts_now(self) -> list[dict[str, Any]]:
        return [_host(host) for host in await slowest_hosts(*self._where, self._hosts)]

    async def _silent(self) -> list[dict[str, Any]]:
        return [asdict(source) for source in await silent_sources(*self._where, LISTED)]

    async def _articles(self) -> list[dict[str, Any]]:
        return [_article(data) for data in await latest_articles(*self._where, LISTED)]

    async def _letters(self) -> list[dict[str, Any]]:
        return [_letter(letter) for letter in await self.letters.latest(LISTED)]


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
