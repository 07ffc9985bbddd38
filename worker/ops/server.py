"""The HTTP server of the ops port, in the worker's own event loop: an answer shows that it turns."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web

from worker.errors import Misconfigured
from worker.ops.dashboard import Dashboard
from worker.ops.door import KEEP_ALIVE_S, bounded, door
from worker.ops.fleet import Fleet
from worker.ops.health import not_live, not_ready
from worker.ops.metrics import Metrics
from worker.telemetry.log import get_logger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from worker.ops.vitals import Vitals

#: Of a request: nobody sends us more than a token and an id.
_BODY_LIMIT_BYTES = 4096


@asynccontextmanager
async def ops_port(vitals: Vitals) -> AsyncIterator[None]:
    """Serve at `INGEST_OPS_ADDRESS`, if there is one, until the block ends.

    Raises Misconfigured where that address cannot be had.
    """
    settings = vitals.settings
    address = settings.ops_address
    if address is None:
        yield
        return
    async with Fleet(settings, settings.ops_redis_url or settings.redis_url) as fleet:
        runner = web.AppRunner(
            application(vitals, fleet), access_log=None, shutdown_timeout=0.5, keepalive_timeout=KEEP_ALIVE_S
        )
        await runner.setup()
        try:
            async with await _listening(runner, *address):
                yield
        finally:
            await runner.cleanup()


def application(vitals: Vitals, fleet: Fleet) -> web.Application:
    """All that the port serves."""
    settings = vitals.settings
    own = {settings.ops_address[0]} if settings.ops_address else set()
    app = web.Application(client_max_size=_BODY_LIMIT_BYTES, middlewares=[door(settings.ops_hosts | own)])
    probes = _Probes(vitals, fleet)
    app.router.add_get("/livez", probes.live)
    app.router.add_get("/readyz", probes.ready)
    app.router.add_get("/metrics", probes.metrics)
    Dashboard(vitals, fleet).add_to(app)
    return app


class _Probes:
    """What machines ask."""

    def __init__(self, vitals: Vitals, fleet: Fleet) -> None:
        self._vitals = vitals
        self._fleet = fleet
        self._metrics = Metrics(vitals)

    async def live(self, _request: web.Request) -> web.Response:
        return _verdict(not_live(self._vitals))

    async def ready(self, _request: web.Request) -> web.Response:
        return _verdict(await not_ready(self._vitals, self._fleet))

    async def metrics(self, request: web.Request) -> web.Response:
        look = await self._fleet.look()
        text, content_type = self._metrics.text(look, request.headers.get("Accept", ""))
        return web.Response(body=text, headers={"Content-Type": content_type})


def _verdict(faults: list[str]) -> web.Response:
    return web.Response(text="\n".join(faults or ["ok"]) + "\n", status=503 if faults else 200)


async def _listening(runner: web.AppRunner, host: str, port: int) -> asyncio.Server:
    assert runner.server is not None  # noqa: S101 - it is set up
    try:
        server = await asyncio.get_running_loop().create_server(bounded(runner.server), host, port)
    except OSError as error:
        raise Misconfigured(
            [f"INGEST_OPS_ADDRESS is {host}:{port}, where nothing can listen: {error.strerror or error}"]
        ) from error
    host, port = server.sockets[0].getsockname()[:2]
    get_logger().info("ops_listening", address=f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    return server
