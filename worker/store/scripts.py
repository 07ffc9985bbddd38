"""The Lua scripts, loaded once. Typed methods around them: inbox.py, frontier.py and dead_letters.py."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "lua"

#: Scripts over the inbox's keys, or those of stories; all others run in a partition and share these, in this
#: order.
_ALONE = frozenset({"take", "untake", "beat", "adopt", "leave", "cluster"})
_SHARED = ("clock", "prelude", "hosts", "leases")
#: Scripts over feeds, which are in the inbox's slot, too, share these.
_FEEDS = ("clock", "feeds")


@dataclass(frozen=True, slots=True)
class Script:
    """A script's text and the SHA-1 by which Redis knows it."""

    name: str
    text: str
    sha: str


@cache
def script(name: str) -> Script:
    """The script in `lua/<name>.lua`. Raises FileNotFoundError for a name without a file."""
    shared = _FEEDS if name.startswith("feed_") else () if name in _ALONE else _SHARED
    text = "".join((_FOLDER / f"{part}.lua").read_text() for part in (*shared, name))
    return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


def script_names() -> list[str]:
    """Every script there is, sorted."""
    return sorted(path.stem for path in _FOLDER.glob("*.lua") if path.stem not in {*_SHARED, *_FEEDS})
