"""The dashboard: a page of three files, a stream of figures, and one thing to do, which needs a token."""

from __future__ import annotations

import asyncio
import hmac
from importlib.resources import files
from typing import TYPE_CHECKING

import orjson
from aiohttp import hdrs, web

from worker.clock import SystemClock
from worker.errors import StoreUnavailable, StoreUnusable
from worker.ops.board import Board
from worker.ops.door import refusal
from worker.ops.fleet import LOOK_EVERY_S
from worker.ops.refusals import Refusals
from worker.ops.shared_answer import SharedAnswer
from worker.telemetry.log import get_logger

if TYPE_CHECKING:
    from worker.ops.fleet import Fleet
    from worker.ops.vitals import Vitals

#: Each holds a connection and gets the same bytes; more than these is no team but a mistake.
MOST_WATCHERS = 16
#: A watcher that takes nothing for so long is gone.
_WRITE_TIMEOUT_S = 10.0
_REMEDY = " (INGEST_OPS_REDIS_URL gives this page a user of its own, such as the operator's)"
_FILES = {
    "/": ("dashboard.html", "text/html"),
    "/dashboard.js": ("dashboard.js", "text/javascript"),
    "/dashboard.css": ("dashboard.css", "text/css"),
}
#: Titles and URLs are text of strangers. Even if one became markup, nothing of it would run or load.
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": "ingest",  # and not which versions of what
}


class Dashboard:
    """Its handlers."""

    def __init__(self, vitals: Vitals, fleet: Fleet) -> None:
        self._token = vitals.settings.ops_token
        self._clock = SystemClock()
        remedy = "" if vitals.settings.ops_redis_url else _REMEDY
        self._board = Board(fleet, vitals.settings.host_grouping, remedy=remedy)
        self._shown = SharedAnswer(self._gathered, max_age_s=LOOK_EVERY_S, clock=self._clock)
        self._about = {
            "worker": vitals.worker,
            "namespace": fleet.keys.namespace,
            "may_retry": self._token is not None,
        }
        self._watchers = 0
        self._refusals = Refusals(self._clock)
        folder = files("worker.ops").joinpath("page")
        self._files = {path: (folder / name).read_bytes() for path, (name, _) in _FILES.items()}

    def add_to(self, app: web.Application) -> None:
        """Serve the dashboard."""
        for path in _FILES:
            app.router.add_get(path, self._file)
        app.router.add_get("/board", self._figures)
        app.router.add_get("/events", self._events)
        app.router.add_post("/dead/retry", self._retry)
        app.on_response_prepare.append(_secure)

    async def _gathered(self) -> bytes:
        return orjson.dumps({"time": self._clock.now(), **self._about, **await self._board.figures()})

    async def _file(self, request: web.Request) -> web.Response:
        content_type = _FILES[request.path][1]
        return web.Response(body=self._files[request.path], content_type=content_type, charset="utf-8")

    async def _figures(self, _request: web.Request) -> web.Response:
        return web.Response(body=await self._shown.get(), content_type="application/json")

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events (HTML standard, 9.2): the figures, anew every two seconds."""
        if self._watchers >= MOST_WATCHERS:
            return refusal(503, "too many watch already")
        response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: "text/event-stream; charset=utf-8"})
        self._watchers += 1
        try:
            await response.prepare(request)
            sent = b""
            while True:
                if (shown := await self._shown.get()) is not sent:
                    async with asyncio.timeout(_WRITE_TIMEOUT_S):
                        await response.write(b"data: " + shown + b"\n\n")
                    sent = shown
                await asyncio.sleep(LOOK_EVERY_S / 2)
        except (ConnectionError, TimeoutError):
            pass  # the watcher went away, as watchers do
        finally:
            self._watchers -= 1
        return response

    async def _retry(self, request: web.Request) -> web.Response:
        """Put one dead letter's URL back to work.

        A page of another origin cannot send our header without asking first (CORS), and is not answered then.
        """
        if self._token is None:
            return refusal(403, "retrying is off: INGEST_OPS_TOKEN is not set")
        given = request.headers.get(hdrs.AUTHORIZATION, "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, f"Bearer {self._token}".encode()):
            self._refusals.note(request.remote or "unknown")
            return refusal(401, "the token is wrong")
        try:
            letter_id = str(orjson.loads(await request.read())["id"])
            letter = await self._board.letters.find(letter_id)
            seq = letter and await self._board.letters.retry(letter)
        except (ValueError, KeyError, TypeError) as error:
            return refusal(400, str(error))
        except (StoreUnavailable, StoreUnusable) as error:
            return refusal(503, str(error))
        if letter is None or seq is None:
            return refusal(404, f"there is no dead letter {letter_id}")
        get_logger().info("dead_retried", count=1, event_id=letter.event["id"], url=letter.url)
        return web.json_response({"retried": letter_id})


async def _secure(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(SECURITY_HEADERS)
