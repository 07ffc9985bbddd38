"""Events as signed requests to a receiver, from an outbox."""

from __future__ import annotations

import asyncio
import random
import socket
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import aiohttp
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random
from yarl import URL

from worker import __version__
from worker.clock import Clock, SystemClock
from worker.errors import SinkUnavailable, SinkUnusable
from worker.fetch.response import retry_after_s
from worker.fetch.transport import trusting
from worker.runtime.pause import pause
from worker.sinks.files import in_thread
from worker.sinks.outbox import Letter, Outbox
from worker.sinks.replies import Again, Answer, Delivered, Gone, Refused, judge
from worker.sinks.signing import signed_headers
from worker.sinks.sink import Written, json_of, key_of
from worker.telemetry.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from worker.events.event import Event
    from worker.sinks.replies import Verdict

_QUICK_TRIES = 3
_QUICK_PAUSE_S = (0.02, 0.2)
#: How long nothing is looked at while nothing is due, nothing comes and nothing ends.
_IDLE_S = 60.0
#: Before the outbox is asked again after it could not be written.
_DISK_REST_S = 5.0
_SAID_BYTES = 200
_T = TypeVar("_T")


class WebhookSink:
    """Takes events into the outbox, and sends up to `concurrency` of them at a time.

    An event is sent once more whenever it is not sure that the receiver has it: at least once, under the same
    `webhook-id`. What the receiver refuses is set aside in the outbox, the last `refused_limit` of it;
    `retry_refused` sends it once more. `ca_file` holds authorities to trust beside the system's.
    """

    def __init__(
        self,
        url: str,
        outbox: Path,
        *,
        keys: Sequence[bytes] = (),
        concurrency: int = 8,
        timeout_s: float = 15.0,
        max_attempts: int = 5,
        outbox_limit: int = 10_000,
        refused_limit: int = 10_000,
        retry_refused: bool = False,
        ca_file: Path | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._url = URL(url)
        self.where = str(self._url.with_user(None).with_query(None))
        self._outbox = Outbox(outbox)
        self._keys = tuple(keys)
        self._concurrency = concurrency
        self._timeout_s = timeout_s
        self._max_attempts = max_attempts
        self._outbox_limit = outbox_limit
        self._refused_limit = refused_limit
        self._retry_refused = retry_refused
        self._ca_file = ca_file
        self._clock = clock or SystemClock()
        self._session: aiohttp.ClientSession | None = None
        self._using_outbox = asyncio.Lock()
        self._sending: dict[str, asyncio.Task[None]] = {}  # by the event's key
        self._wake = asyncio.Event()
        self._fault: BaseException | None = None
        self._failures_in_row = 0
        self._rest_until = 0.0  # monotonic

    @property
    def owed(self) -> int:
        """Events that the receiver has not got yet."""
        return self._outbox.count

    async def open(self) -> None:
        """Take the outbox. Raises SinkUnusable where the URL's host has no address at all."""
        try:
            await asyncio.get_running_loop().getaddrinfo(self._url.host, self._url.port)
        except socket.gaierror as error:
            if error.errno == socket.EAI_NONAME:
                raise SinkUnusable(f"{self._url.host}: {error.strerror}; is the URL right?") from error
        await asyncio.to_thread(self._open_outbox)
        tls = trusting(self._ca_file) if self._ca_file else True
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._concurrency, ssl=tls),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=self._timeout_s),
            headers={
                "content-type": "application/cloudevents+json; charset=utf-8",
                "user-agent": f"ingest/{__version__}",
            },
        )

    async def write(self, events: Sequence[Event]) -> Written:
        """Put the events into the outbox. Raises SinkUnavailable while that is full."""
        if self._outbox.count >= self._outbox_limit:
            raise SinkUnavailable(
                f"{self._outbox.count:,} events wait in {self._outbox.path} for {self.where}, as many as may"
            )
        letters = [Letter(key_of(event), event.stream, event.entry, json_of(event)) for event in events]
        added = await self._with_outbox(self._outbox.add, letters, self._clock.now().timestamp())
        self._wake.set()
        return Written(added, len(events) - added)

    async def attend(self) -> None:
        """Send what is due. Raises SinkUnusable when the receiver wants no more events at all."""
        while True:
            self._wake.clear()
            wait_s = await self._send_due()
            await pause(self._wake, wait_s)

    async def close(self) -> None:
        """Wait for what is being sent, and let go of the outbox."""
        if self._sending:
            await asyncio.wait(self._sending.values(), timeout=self._timeout_s * _QUICK_TRIES)
        if self._session is not None:
            await self._session.close()
        async with self._using_outbox:
            self._outbox.close()

    def _open_outbox(self) -> None:
        self._outbox.open()
        if self._retry_refused:
            self._outbox.retry_refused(self._clock.now().timestamp())
            self._retry_refused = False
        if self._outbox.refused:
            get_logger().warning(
                "sink_keeps_refused",
                where=self.where,
                outbox=str(self._outbox.path),
                set_aside=self._outbox.refused,
            )

    async def _send_due(self) -> float:
        """Begin to send as many as may be sent now; after how many seconds to look again.

        Raises what a task that sends has ended by.
        """
        if self._fault is not None:
            raise self._fault
        if (rest_s := self._rest_until - self._clock.monotonic()) > 0:
            return rest_s
        if (room := self._concurrency - len(self._sending)) <= 0:
            return _IDLE_S
        now_s = self._clock.now().timestamp()
        due = await self._with_outbox(self._outbox.due, now_s, room, set(self._sending))
        if self._fault is not None:
            raise self._fault
        for letter in due:
            task = asyncio.create_task(self._send(letter))
            self._sending[letter.event_key] = task
            task.add_done_callback(partial(self._sent, letter.event_key))
        due_s = await self._with_outbox(self._outbox.next_due_s, set(self._sending))
        return _IDLE_S if due_s is None else min(max(due_s - now_s, 0.0), _IDLE_S)

    def _sent(self, event_key: str, task: asyncio.Task[None]) -> None:
        del self._sending[event_key]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fault = error
        self._wake.set()

    async def _send(self, letter: Letter) -> None:
        answer = await self._post(letter)
        verdict = judge(
            answer,
            attempts=letter.attempts,
            failures_in_row=self._failures_in_row,
            max_attempts=self._max_attempts,
            random=random.random,
        )
        try:
            await self._settle(letter, answer, verdict)
        except SinkUnavailable:  # sent twice rather than lost
            self._rest(_DISK_REST_S)

    async def _settle(self, letter: Letter, answer: Answer, verdict: Verdict) -> None:
        match verdict:
            case Delivered():
                self._failures_in_row = 0
                await self._with_outbox(self._outbox.remove, letter.event_key)
            case Again(delay_s, rest_s):
                if rest_s:
                    # Of several that fail together, the first one counts.
                    self._failures_in_row += self._clock.monotonic() >= self._rest_until
                    self._rest(rest_s)
                due_s = self._clock.now().timestamp() + delay_s
                await self._with_outbox(self._outbox.postpone, letter.event_key, due_s, answer.says)
            case Refused():
                await self._refuse(letter, answer)
            case Gone():
                raise SinkUnusable(
                    f"{self.where} answered {answer.says}: it wants no more events; "
                    f"{self._outbox.count:,} are kept in {self._outbox.path}"
                )

    async def _refuse(self, letter: Letter, answer: Answer) -> None:
        now_s = self._clock.now().timestamp()
        refuse = partial(self._outbox.refuse, keep=self._refused_limit)
        dropped = await self._with_outbox(refuse, letter.event_key, now_s, answer.says)
        get_logger().warning(
            "event_refused",
            where=self.where,
            outbox=str(self._outbox.path),
            id=letter.event_id,
            attempts=letter.attempts + 1,
            reason=answer.says,
            dropped=dropped,
        )

    def _rest(self, seconds: float) -> None:
        self._rest_until = max(self._rest_until, self._clock.monotonic() + seconds)

    async def _post(self, letter: Letter) -> Answer:
        attempts = AsyncRetrying(
            retry=retry_if_exception_type(aiohttp.ClientConnectionError),
            wait=wait_random(*_QUICK_PAUSE_S),
            stop=stop_after_attempt(_QUICK_TRIES),
            reraise=True,
        )
        try:
            return await attempts(self._post_once, letter)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return Answer(None, f"{type(error).__name__}: {error}")

    async def _post_once(self, letter: Letter) -> Answer:
        assert self._session is not None  # noqa: S101 - `open` comes first
        now = self._clock.now()
        headers = signed_headers(letter.event_id, letter.body, at_s=int(now.timestamp()), keys=self._keys)
        async with self._session.post(
            self._url, data=letter.body, headers=headers, allow_redirects=False
        ) as response:
            says = f"{response.status} {response.reason or ''}".strip()
            if response.status >= 300:
                body = (await response.content.read(_SAID_BYTES)).decode("utf-8", "replace").strip()
                says = f"{says}: {body}" if body else says
            return Answer(response.status, says, retry_after_s(response.headers, now))

    async def _with_outbox(self, call: Callable[..., _T], *args: object) -> _T:
        async with self._using_outbox:
            return await in_thread(call, *args)
