"""All that the fleet has learnt of a source, as it is kept, and what new sightings make of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import astuple, dataclass, replace
from typing import TYPE_CHECKING

import orjson

from worker.habits.rhythm import Rhythm, Span
from worker.habits.shares import Share, Shares, Turn

if TYPE_CHECKING:
    from worker.habits.rhythm import Rules
    from worker.habits.sightings import Seen

#: How a habit is written; raised with each change of that.
_FORMAT = 2
#: The one before, which had no `told_ms`.
_UNTOLD = 1
#: Of why URLs ended otherwise, so many reasons are kept; the rest is `other`.
_REASONS = 6
_OTHER = "other"
#: Troubles that last are told anew once a day: what counts alarms may have been started since.
_AGAIN_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Silence:
    """No article for too long: `failing`, URLs end otherwise; or `quiet`, none or too few come."""

    failing: bool
    per_hour: float
    articles: int  # that the rate was learnt from
    silent_ms: int
    limit_ms: int
    last_article_s: int  # Unix time
    ended: dict[str, int]  # what became of URLs since: dead letters by reason
    again: bool = False


@dataclass(frozen=True, slots=True)
class Return:
    """Articles again, after a silence that was told."""

    silent_ms: int


Finding = Silence | Return | Turn


@dataclass(frozen=True, slots=True)
class Habit:
    """A source."""

    rhythm: Rhythm
    shares: Shares
    ended: dict[str, int]  # since the last article: dead letters by reason
    last_article_s: int  # Unix time
    told_ms: int = 0  # when its troubles were told last, by the watch's time; 0: it has none

    def due_ms(self, rules: Rules) -> int | None:
        """When there will be something to tell if nothing is seen before; None: never."""
        dues = [self.rhythm.due_ms(rules), self.told_ms + _AGAIN_MS if self.is_troubled else None]
        return min((due for due in dues if due is not None), default=None)

    @property
    def is_troubled(self) -> bool:
        """Whether an alarm of it was told that has not ended."""
        return bool(self.rhythm.silent_ms) or any(share.lost for share in self.shares.fields.values())

    def encoded(self) -> bytes:
        """As it is kept in Redis."""
        rhythm, shares = self.rhythm, self.shares
        fields = {
            name: [round(share.found, 2), share.recent, *([round(share.lost, 3)] if share.lost else [])]
            for name, share in shares.fields.items()
            if share != Share()
        }
        return orjson.dumps(
            [
                _FORMAT,
                [rhythm.began_ms, rhythm.last_ms, rhythm.failed, rhythm.silent_ms],
                [astuple(rhythm.now), astuple(rhythm.before)],
                [shares.recent, shares.learnt, fields],
                [self.ended, self.last_article_s, self.told_ms],
            ]
        )


def begun(now_ms: int, wall_s: int) -> Habit:
    """That of a source of which nothing is known."""
    return Habit(Rhythm(now_ms, now_ms), Shares(), {}, wall_s)


def decoded(kept: bytes) -> Habit | None:
    """What `encoded` has made; None for that of a release that writes it otherwise."""
    written, *parts = orjson.loads(kept)
    if written not in {_FORMAT, _UNTOLD}:
        return None
    rhythm, spans, (recent, learnt, fields), (ended, last_article_s, *told_ms) = parts
    shares = {name: Share(*words) for name, words in fields.items()}
    now, before = (Span(*span) for span in spans)
    began_ms, last_ms, failed, silent_ms = rhythm
    known = Rhythm(began_ms, last_ms, failed, silent_ms, now, before)
    return Habit(known, Shares(recent, learnt, shares), ended, last_article_s, *told_ms)


def watched(
    habit: Habit | None, seen: Seen, *, now_ms: int, wall_s: int, rules: Rules
) -> tuple[Habit | None, list[Finding]]:
    """The habit with what was seen until now, and what that tells. Without an article there is no habit."""
    if habit is None:
        if not seen.articles:
            return None, []
        habit = begun(now_ms, wall_s)
    findings: list[Finding] = []
    if seen.articles and habit.rhythm.silent_ms:
        findings.append(Return(now_ms - habit.rhythm.last_ms))
    shares = habit.shares
    for found, url in seen.articles:
        shares, turns = shares.with_article(found, url)
        findings += turns
    rhythm = habit.rhythm.heard(seen, now_ms, rules)
    ended = seen.dead if seen.articles else Counter(habit.ended) + seen.dead
    last_article_s = wall_s if seen.articles else habit.last_article_s
    habit = Habit(rhythm, shares, _few(ended), last_article_s, habit.told_ms)
    due_ms = rhythm.due_ms(rules)
    if due_ms is not None and now_ms >= due_ms:
        findings.append(_silence(habit, now_ms, due_ms))
        habit = replace(habit, rhythm=replace(rhythm, silent_ms=now_ms))
    return _told(habit, findings, now_ms)


def _told(habit: Habit, findings: list[Finding], now_ms: int) -> tuple[Habit, list[Finding]]:
    """The habit with when its troubles were told, and the findings with those to be told again."""
    if not habit.is_troubled:
        return replace(habit, told_ms=0), findings
    if any(isinstance(each, Silence) or (isinstance(each, Turn) and each.lost) for each in findings):
        return replace(habit, told_ms=now_ms), findings
    if now_ms < habit.told_ms + _AGAIN_MS:
        return habit, findings
    again: list[Finding] = [*habit.shares.lost()]
    if silent_ms := habit.rhythm.silent_ms:
        again.append(replace(_silence(habit, now_ms, silent_ms), again=True))
    return replace(habit, told_ms=now_ms), [*findings, *again]


def _silence(habit: Habit, now_ms: int, due_ms: int) -> Silence:
    rhythm = habit.rhythm
    return Silence(
        failing=rhythm.is_failing(),
        per_hour=rhythm.per_hour,
        articles=rhythm.articles,
        silent_ms=now_ms - rhythm.last_ms,
        limit_ms=due_ms - rhythm.last_ms,
        last_article_s=habit.last_article_s,
        ended=habit.ended,
    )


def _few(ended: Counter[str]) -> dict[str, int]:
    if len(ended) <= _REASONS:
        return dict(ended)
    few = Counter(dict(ended.most_common(_REASONS)))
    few[_OTHER] += ended.total() - few.total()
    return dict(few)
