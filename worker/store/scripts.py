"""The Lua scripts, loaded once. Typed methods around them: inbox.py, frontier.py and dead_letters.py."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_FOLDER = Path(__file__).parent / "lua"

#: Scripts over the inbox's keys, or those of stories; all others run in a partition and share these, in this
#: order.
_ALONE = frozenset({"take", "untake", "beat", "adopt", "leave", "cluster"})
_SHARED = ("clock", "prelude", "hosts", "leases")
#: Scripts over feeds, which are in the inbox's slot, too, share these.
_FEEDS = ("clock", "feeds")


#: What a script has begun is written even where it fails.
_COMMITTED = """
local function run()
{}
end
local is_well, reply = pcall(run)
commit_leases()
commit_counts()
if not is_well then
  return {{err = reply}}
end
return reply
"""


@dataclass(frozen=True, slots=True)
class Script:
    """A script's text and the SHA-1 by which Redis knows it."""

    name: str
    text: str
    sha: str


@cache
def script(name: str) -> Script:
    """The script in `lua/<name>.lua`. Raises FileNotFoundError for a name without a file."""
    text = (_FOLDER / f"{name}.lua").read_text()
    if name.startswith("feed_"):
        text = _shared(_FEEDS) + text
    elif name not in _ALONE:
        text = _shared(_SHARED) + _COMMITTED.format(text)
    return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


def _shared(names: Iterable[str]) -> str:
    return "".join((_FOLDER / f"{name}.lua").read_text() for name in names)


def script_names() -> list[str]:
    """Every script there is, sorted."""
    return sorted(path.stem for path in _FOLDER.glob("*.lua") if path.stem not in {*_SHARED, *_FEEDS})
