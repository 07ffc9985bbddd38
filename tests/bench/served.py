"""The timed origin as a process of its own, for as long as a block lasts."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.chaos.fleet import ROOT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping


@dataclass(slots=True)
class Served:
    """Where it listens; `took_s` is filled once the block has ended."""

    port: int
    took_s: dict[str, float] = field(default_factory=dict)

    def url(self, network: str, host: int, page: int) -> str:
        """A page of the host with that number, from 1 on."""
        return f"http://{network}.{host}:{self.port}/{page}"

    def seconds(self, url: str, *, robots: bool = False) -> float:
        """The server's own time for this page, with its host's robots.txt if asked."""
        origin = url.rpartition("/")[0]
        return self.took_s[url] + (self.took_s.get(f"{origin}/robots.txt", 0.0) if robots else 0.0)


@asynccontextmanager
async def served(networks: Mapping[str, int], *options: str) -> AsyncIterator[Served]:
    """Start it on so many hosts of each network."""
    process = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-m",
            "tests.bench.timed_origin",
            *(f"{n}={count}" for n, count in networks.items()),
        ),
        *options,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        limit=2**26,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    where = Served(int(await process.stdout.readline()))
    try:
        yield where
    finally:
        process.stdin.close()
        where.took_s |= json.loads(await process.stdout.readline())
        await process.wait()


def shared_pages() -> Path | None:
    """The folder of real pages, where it is here."""
    folder = Path(os.environ.get("INGEST_SHARED", ROOT.parent / "shared")) / "pages"
    return folder if folder.is_dir() else None
