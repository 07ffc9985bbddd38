"""`ingest status --watch` on a terminal: the dashboard's figures, anew until Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from rich.live import Live

from worker.cli.watch_screen import Heading, screen
from worker.clock import SystemClock
from worker.errors import StoreUnavailable
from worker.ops.board import LISTED, Board
from worker.ops.fleet import Fleet

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from worker.cli.watch_screen import Figures
    from worker.settings import Settings

_WIDE = 120
#: More than a terminal has lines.
_HOSTS = 100


async def watch(settings: Settings, console: Console, *, every_s: float, hosts_only: bool) -> None:
    """Show it until cancelled. Raises StoreUnusable where Redis refuses us from the start."""
    async with Fleet(settings, settings.redis_url, look_every_s=every_s) as fleet:
        with suppress(StoreUnavailable):  # the screen says so, and when that is over
            await fleet.connection.of_primaries("PING")
        view = _View(settings, fleet, every_s=every_s, hosts_only=hosts_only)
        with Live(console=console, screen=True, auto_refresh=False) as live:

            def show() -> None:
                live.update(view.screen(console.width), refresh=True)

            asyncio.get_running_loop().add_signal_handler(signal.SIGWINCH, show)
            while True:
                await view.look()
                show()
                await asyncio.sleep(every_s)


class _View:
    """The last figures that there were, and since when there are no others."""

    def __init__(self, settings: Settings, fleet: Fleet, *, every_s: float, hosts_only: bool) -> None:
        hosts = _HOSTS if hosts_only else LISTED
        self._board = Board(fleet, settings.host_grouping, hosts=hosts)
        self._namespace = settings.namespace
        self._every_s = every_s
        self._hosts_only = hosts_only
        self._clock = SystemClock()
        self._seen_at = self._clock.monotonic()
        self._figures: Figures = {}
        self._fault: str | None = None

    async def look(self) -> None:
        """Look anew. What Redis does not tell stays as it was."""
        figures = await self._board.figures()
        self._fault = figures.pop("fault", None)
        if figures:
            self._seen_at = self._clock.monotonic()
            none_yet: Figures = {"hosts": [], "silent": [], "articles": [], "dead": []}
            self._figures = {**none_yet, **self._figures, **figures}

    def screen(self, width: int) -> RenderableType:
        """What to show now."""
        heading = Heading(
            namespace=self._namespace,
            time=f"{self._clock.now():%H:%M:%S} UTC",
            every_s=self._every_s,
            fault=self._fault,
            stale_s=self._clock.monotonic() - self._seen_at,
        )
        return screen(heading, self._figures, wide=width >= _WIDE, hosts_only=self._hosts_only)
