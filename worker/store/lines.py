"""Tasks as the compact lines that wait in Redis.

    seq attempt crashes accepted_ms revision priority url[ json]

The host is not in the line: the key it waits under names it. `json` is there only when the task has more
to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from worker.model import Submission, Task

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def _extras(item: Submission | Task) -> dict[str, Any]:
    extras: dict[str, Any] = {}
    if item.requested_url != item.url:
        extras["requested"] = item.requested_url
    if item.id is not None:
        extras["id"] = item.id
    if item.meta is not None:
        extras["meta"] = item.meta
    if due_ms := item.due_ms if isinstance(item, Task) else item.not_before_ms:
        extras["due"] = due_ms
    if isinstance(item, Task):
        if item.redirects:
            extras["redirects"] = item.redirects
        if item.cookies:
            extras["cookies"] = item.cookies
        if item.canonical:
            extras["canonical"] = True
    return extras


def tail_of(item: Submission | Task) -> str:
    """What follows the priority in a line: the URL, and the extras if there are any."""
    extras = _extras(item)
    return f"{item.url} {orjson.dumps(extras).decode()}" if extras else item.url


def encode(task: Task) -> str:
    """The task as a line."""
    high = int(task.priority == "high")
    head = f"{task.seq} {task.attempt} {task.crashes} {task.accepted_ms} {task.revision} {high}"
    return f"{head} {tail_of(task)}"


def decode(line: bytes, host: str) -> Task:
    """The task that `encode` or `admit.lua` wrote. Raises ValueError for anything else."""
    seq, attempt, crashes, accepted_ms, revision, high, url, *rest = line.decode().split(" ", 7)
    extras = orjson.loads(rest[0]) if rest else {}
    return Task(
        seq=int(seq),
        url=url,
        host=host,
        attempt=int(attempt),
        crashes=int(crashes),
        accepted_ms=int(accepted_ms),
        revision=int(revision),
        requested_url=extras.get("requested", url),
        id=extras.get("id"),
        priority="high" if high == "1" else "normal",
        meta=extras.get("meta"),
        redirects=tuple(extras.get("redirects", ())),
        cookies=tuple((set_by, cookie) for set_by, cookie in extras.get("cookies", ())),
        canonical=extras.get("canonical", False),
        due_ms=extras.get("due", 0),
    )


def joined(numbers: Sequence[int]) -> str:
    """Numbers as one argument of a script."""
    return " ".join(map(str, numbers))


def flat(fields: Mapping[str, str | bytes]) -> list[str | bytes]:
    """A stream entry's fields as arguments of a script."""
    return [part for pair in fields.items() for part in pair]
