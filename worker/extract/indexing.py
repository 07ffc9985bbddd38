"""Whether a page asks not to be indexed: by X-Robots-Tag, or by a robots <meta>.

No standard has these rules; they are the ones that search engines publish, and that sites write for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NOINDEX = "noindex"

_FORBIDS = frozenset({"noindex", "none"})
#: Google News reads its rules here, and who keeps a story from it does not mean to give it to us.
_NEWS_ROBOTS = frozenset({"robots", "googlebot", "googlebot-news"})
#: Rules that have a value, and are no robot's name.
_VALUED = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})
_NAMED = re.compile(r"([a-z0-9_*.-]+)\s*:\s*(.*)", re.IGNORECASE | re.DOTALL)
_MAX_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class Indexing:
    """What the response said by X-Robots-Tag, to whom, and when: `robot` is our product token."""

    tags: tuple[str, ...] = ()
    robot: str = "ingest"
    now: datetime | None = None  # aware; without it nothing has become unavailable

    def warnings(self, meta: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
        """(`noindex`,) where the header or `meta` (lower-case name → contents) forbids, and () elsewhere."""
        robots = _NEWS_ROBOTS | {self.robot.lower()}
        forbidden = any(self._forbids(tag, robots) for tag in self.tags) or any(
            self._forbids(content, robots) for name in robots for content in meta.get(name, ())
        )
        return (NOINDEX,) if forbidden else ()

    def _forbids(self, value: str, robots: frozenset[str]) -> bool:
        """Of `[robot:] rule, rule, …`: a robot's name stands for all rules up to the next one."""
        ours, parts = True, value[:_MAX_CHARS].split(",")
        for place, part in enumerate(parts):
            rule = part.strip()
            if (named := _NAMED.fullmatch(rule)) and named[1].lower() not in _VALUED:
                ours, rule = named[1].lower() in robots, named[2].strip()
                named = _NAMED.fullmatch(rule)
            if not ours:
                continue
            if rule.lower() in _FORBIDS:
                return True
            if named and named[1].lower() == "unavailable_after":
                # A date of RFC 822 may have a comma after its day of the week.
                dates = named[2], ",".join([named[2], *parts[place + 1 : place + 2]])
                if any(map(self._is_past, dates)):
                    return True
        return False

    def _is_past(self, date: str) -> bool:
        if self.now is None:
            return False
        try:
            due = datetime.fromisoformat(date.strip())
        except ValueError:
            try:
                due = parsedate_to_datetime(date)
            except (ValueError, OverflowError):
                return False
        return (due if due.tzinfo else due.replace(tzinfo=UTC)) < self.now
