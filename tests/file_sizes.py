"""`make check`: no source file may pass 300 lines. One that does holds two things."""

from __future__ import annotations

import sys
from pathlib import Path

LIMIT = 300
ROOT = Path(__file__).parents[1]


def main() -> int:
    """Name every file over the limit; 1 if there is one."""
    sources = [
        path
        for folder in ("worker", "tests", "deploy")
        for pattern in ("*.py", "*.lua", "*.sh")
        for path in sorted((ROOT / folder).rglob(pattern))
    ]
    long = [(path, lines) for path in sources if (lines := len(path.read_text().splitlines())) > LIMIT]
    for path, lines in long:
        print(f"{path.relative_to(ROOT)} has {lines} lines; split it ({LIMIT} at most)")
    return 1 if long else 0


if __name__ == "__main__":
    sys.exit(main())
