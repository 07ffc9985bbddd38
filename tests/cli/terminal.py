"""A command on a terminal of its own, and what it shows there."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import signal
import termios
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.chaos.fleet import ROOT
from tests.cli.conftest import COMMAND, environ

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

#: All that rich may send: colours, home, the cursor, and the second screen.
_KNOWN = re.compile(r"\x1b\[(?:[\d;]*m|H|2J|\?25[lh]|\?1049[lh])")
_HOME = "\x1b[H"


@dataclass
class Terminal:
    """What was written to it so far, and the process that writes."""

    master: int
    process: asyncio.subprocess.Process
    written: bytes = b""

    @property
    def text(self) -> str:
        return self.written.decode(errors="ignore")

    @property
    def frame(self) -> list[str]:
        """The lines of the last whole screen, without colours."""
        frames = self.text.split(_HOME)[:-1]
        return _KNOWN.sub("", frames[-1]).replace("\r", "").split("\n") if frames else []

    @property
    def strange(self) -> list[str]:
        """Whatever steers the terminal and did not come from rich."""
        return re.findall(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f].{,9}", _KNOWN.sub("", self.text))

    async def until(self, holds: Callable[[list[str]], bool]) -> list[str]:
        """The first screen of which that holds."""
        deadline = time.monotonic() + 30
        while not holds(frame := self.frame):
            assert time.monotonic() < deadline, "\n".join(frame) or self.text
            await asyncio.sleep(0.05)
        return frame

    def resize(self, lines: int, columns: int) -> None:
        """Make the window that large, of which the process is told."""
        termios.tcsetwinsize(self.master, (lines, columns))
        self.process.send_signal(signal.SIGWINCH)

    async def end(self, signum: signal.Signals) -> int:
        """Send the signal; returns the exit code, once all is read."""
        self.process.send_signal(signum)
        code = await asyncio.wait_for(self.process.wait(), 20)
        await asyncio.sleep(0)  # what it wrote last is there already: the kernel holds it
        self.read()
        return code

    def read(self) -> None:
        """Take what is there."""
        try:
            while piece := os.read(self.master, 65_536):
                self.written += piece
        except (BlockingIOError, OSError):
            return  # nothing more now, or for good: the other side is closed


@asynccontextmanager
async def on_terminal(*words: str, lines: int, columns: int, **settings: str) -> AsyncIterator[Terminal]:
    """The command, running; killed where the block leaves it."""
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (lines, columns))
    os.set_blocking(master, False)
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND, *words),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        cwd=ROOT,
        env=environ(**settings) | {"TERM": "xterm-256color"},
    )
    os.close(slave)
    terminal = Terminal(master, process)
    loop = asyncio.get_running_loop()
    loop.add_reader(master, terminal.read)
    try:
        yield terminal
    finally:
        loop.remove_reader(master)
        if process.returncode is None:
            process.kill()
            await process.wait()
        os.close(master)
