"""Extraction in processes that can be killed: no page can stall the event loop or take the worker down.

Why not a kept pool: pebble 5.2 costs 0.27 ms of the parent's CPU a page (this one 0.1), which would do, but
when a child is killed from outside while no page is in work, as the OOM killer may, it declares the whole
pool broken for good. Here each slot has a child and a socket of its own, so a child's death is seen at once
as the end of its stream, and concerns its own page only.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import socket
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeVar

from worker.errors import ExtractCrashed, ExtractionFailed, ExtractTimeout
from worker.extract.article import extract_article
from worker.extract.child import HEAD, LENGTH, Reply
from worker.extract.indexing import Indexing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from types import TracebackType

    from worker.model import Article

_START_TIMEOUT_S = 60.0
_PIECE_BYTES = 262_144
_Answer = TypeVar("_Answer")

_PAGES_A_CHILD = 5_000  # then a new one, against memory that libraries never give back


@dataclass(slots=True)
class PoolStats:
    """Totals since the start. `cpu_s` is the children's CPU time, in seconds, on pages that they answered."""

    pages: int = 0
    cpu_s: float = 0.0
    kills: int = 0  # by the pool: time limit or cancellation
    crashes: int = 0  # by anything else
    starts: int = 0


class ExtractionPool:
    """`processes` children, each working on at most one page at a time.

    `timeout_s` is wall time for one page, `memory_limit_bytes` the private memory of one child. `function` is
    what `extract` calls, with the keyword arguments of `extract_article`. It and the functions of `others`
    must be importable by name, and a child is ready once it has imported them. The children die with the
    thread that runs the event loop, so run it in the main one.
    """

    def __init__(
        self,
        *,
        processes: int,
        timeout_s: float,
        memory_limit_bytes: int,
        function: Callable[..., Article] = extract_article,
        others: Sequence[Callable[..., object]] = (),
    ) -> None:
        self._timeout_s = timeout_s
        self._memory_limit_bytes = memory_limit_bytes
        self._function = function
        self._imports = pickle.dumps((function, *others))
        self._slots = [_Slot() for _ in range(processes)]
        self._idle = list(self._slots)  # a stack: the slot whose child is up and warm is taken again
        self._turns = asyncio.Semaphore(processes)  # first come, first served
        self._reaping: set[asyncio.Task[int]] = set()
        self.stats = PoolStats()

    @property
    def alive(self) -> int:
        """Children that are up."""
        return sum(slot.child is not None and not slot.child.is_dead() for slot in self._slots)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for slot in self._slots:
            self._drop(slot)
        await asyncio.gather(*self._reaping)

    async def warm(self) -> None:
        """Start the children now, not with their first page. Raises ExtractionFailed if one cannot start."""

        async def start_one() -> None:
            async with self._turns:
                slot = self._idle.pop()
                try:
                    await self._child_of(slot)
                finally:
                    self._idle.append(slot)

        started = await asyncio.gather(*(start_one() for _ in self._idle), return_exceptions=True)
        if fault := next((outcome for outcome in started if outcome is not None), None):
            raise fault

    async def extract(
        self,
        page: bytes,
        *,
        url: str,
        subject: str | None = None,
        content_type: str | None = None,
        fetched_at: datetime | None = None,
        hints: Mapping[str, object] | None = None,
        indexing: Indexing = Indexing(),  # noqa: B008 - frozen
    ) -> Article:
        """What `extract_article` makes of `page`. Raises NotAnArticle, and as `call` does."""
        return await self.call(
            self._function,
            page,
            url=url,
            subject=subject,
            content_type=content_type,
            fetched_at=fetched_at,
            hints=dict(hints) if hints else None,
            indexing=indexing,
        )

    async def call(self, function: Callable[..., _Answer], page: bytes, **arguments: object) -> _Answer:
        """What `function(page=page, **arguments)` returns; waits for a free child first.

        Cancelling kills the work. Raises NotAnArticle as the function does; ExtractTimeout after `timeout_s`;
        ExtractCrashed when the child died, ran out of memory or met a fault of ours; plain ExtractionFailed
        when no child could start: not the page's fault.
        """
        async with self._turns:
            slot = self._idle.pop()
            try:
                reply = await self._ask(slot, await self._child_of(slot), (function, arguments), page)
            finally:
                self._idle.append(slot)
        answer: _Answer = self._outcome(reply)
        return answer

    def _drop(self, slot: _Slot) -> asyncio.Task[int] | None:
        """Kill the slot's child, if any; the task waits for the exit code, negative for a signal.

        In a thread, as the kernel may take a tenth of a second to free what a large process held.
        """
        child, slot.child = slot.child, None
        if child is None:
            return None
        reaped = asyncio.get_running_loop().create_task(asyncio.to_thread(child.kill()))
        self._reaping.add(reaped)
        reaped.add_done_callback(self._reaping.discard)
        return reaped

    async def _child_of(self, slot: _Slot) -> _Child:
        if slot.child and (slot.child.is_dead() or slot.child.served >= _PAGES_A_CHILD):
            self._drop(slot)
        if slot.child is None:
            self.stats.starts += 1
            slot.child = await _Child.start(self._imports, self._memory_limit_bytes)
        return slot.child

    async def _ask(self, slot: _Slot, child: _Child, call: tuple[Any, ...], page: bytes) -> Reply:
        try:
            async with asyncio.timeout(self._timeout_s):
                reply = await child.ask(call, page)
        except TimeoutError:
            self.stats.kills += 1
            self._drop(slot)
            raise ExtractTimeout(f"killed after {self._timeout_s:g} s") from None
        except (EOFError, OSError, pickle.UnpicklingError):
            self.stats.crashes += 1
            reaped = self._drop(slot)
            code = await asyncio.shield(reaped) if reaped else None
            raise ExtractCrashed(f"the process ended with code {code}") from None
        except asyncio.CancelledError:
            self.stats.kills += 1
            self._drop(slot)
            raise
        if reply.last:
            self._drop(slot)
        return reply

    def _outcome(self, reply: Reply) -> Any:
        self.stats.pages += 1
        self.stats.cpu_s += reply.cpu_s
        if reply.refusal is not None:
            raise reply.refusal
        if reply.answer is None:
            self.stats.crashes += 1
            raise ExtractCrashed(reply.fault or "an empty reply")
        return reply.answer


@dataclass(slots=True, eq=False)
class _Slot:
    """The place of one child, which comes and goes."""

    child: _Child | None = None


class _Child:
    """One running process and our end of its socket."""

    def __init__(
        self, process: subprocess.Popen[bytes], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self.served = 0

    @classmethod
    async def start(cls, imports: bytes, memory_limit_bytes: int) -> _Child:
        """Start a process and wait until it is ready. Raises ExtractionFailed."""
        ours, theirs = socket.socketpair()
        with theirs, ExitStack() as undo:
            undo.callback(ours.close)
            try:
                process = _spawn(theirs.fileno(), memory_limit_bytes)
            except OSError as error:
                raise ExtractionFailed(f"no process could be started: {error}") from error
            undo.callback(process.wait)
            undo.callback(process.kill)
            theirs.close()  # or our own copy would keep the stream open after the child's death
            try:
                async with asyncio.timeout(_START_TIMEOUT_S):
                    child = cls(process, *await asyncio.open_unix_connection(sock=ours))
                    await child._exchange(imports)
            except (EOFError, OSError) as error:  # TimeoutError is an OSError
                raise ExtractionFailed(f"the process did not come up: {error!r}") from error
            undo.pop_all()
            return child

    async def ask(self, call: tuple[Any, ...], page: bytes) -> Reply:
        """Send one page and wait for what becomes of it. Raises EOFError or OSError when the process dies."""
        self.served += 1
        return await self._exchange(pickle.dumps(call, pickle.HIGHEST_PROTOCOL), page)

    async def _exchange(self, call: bytes, page: bytes = b"") -> Reply:
        self._writer.write(HEAD.pack(len(call), len(page)) + call)
        # In pieces, of which the transport copies what the socket does not take at once.
        for start in range(0, len(page), _PIECE_BYTES):
            self._writer.write(memoryview(page)[start : start + _PIECE_BYTES])
            await self._writer.drain()
        (size,) = LENGTH.unpack(await self._reader.readexactly(LENGTH.size))
        reply = pickle.loads(await self._reader.readexactly(size))  # noqa: S301 - from our own child
        assert isinstance(reply, Reply)  # noqa: S101
        return reply

    def is_dead(self) -> bool:
        """Whether the process ended without being asked to."""
        return self._process.poll() is not None

    def kill(self) -> Callable[[], int]:
        """Send SIGKILL and close the socket; what is returned waits for the exit code."""
        self._process.kill()
        self._writer.close()
        return self._process.wait


def _spawn(descriptor: int, memory_limit_bytes: int) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "worker.extract.child",
        str(descriptor),
        str(os.getpid()),
        str(memory_limit_bytes),
    ]
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # stdout is the parent's log, one JSON object a line
        pass_fds=(descriptor,),
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        start_new_session=True,  # ^C on the terminal is for the parent alone
    )
