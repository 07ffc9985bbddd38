"""The Lua scripts, loaded once. Typed methods around them: inbox.py, frontier.py and dead_letters.py."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "lua"

#: Scripts over the inbox's keys; all others run in a partition and share the prelude.
_INBOX = frozenset({"take", "untake", "beat", "adopt", "leave"})


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
    if name not in _INBOX:
        text = (_FOLDER / "prelude.lua").read_text() + text
    return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


def script_names() -> list[str]:
    """Every script there is, sorted."""
    return sorted(path.stem for path in _FOLDER.glob("*.lua") if path.stem != "prelude")
