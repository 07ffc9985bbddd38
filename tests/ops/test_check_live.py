"""`ingest check --live` beside a real worker: what a container's health check runs."""

from __future__ import annotations

import asyncio
import signal
from functools import partial
from typing import TYPE_CHECKING

from tests.cli.conftest import Ran, http_port, run
from tests.servers import free_port

if TYPE_CHECKING:
    from tests.ops.conftest import Watched

__all__ = ["http_port"]  # a fixture of the commands' tests


async def live(address: str) -> Ran:
    """The command, run beside this event loop, in which the site is served."""
    return await asyncio.to_thread(partial(run, "check", "--live", "--json", ops_address=address))


async def test_a_worker_that_gets_on_is_live(watched: Watched) -> None:
    """Its own `/livez` says so, and the exit code is 0; listening everywhere, it is asked by loopback."""
    await watched.start(ops_address=f"0.0.0.0:{free_port()}")
    ran = await live(watched.address)
    assert (ran.code, ran.json[0]["level"]) == (0, "ok")
    assert ran.json[0]["says"] == f"http://{watched.address}/livez says ok"


async def test_a_worker_that_hangs_or_is_gone_is_not_live(watched: Watched) -> None:
    """No answer within some seconds, or none at all, is exit code 1."""
    await watched.start()
    assert watched.worker is not None
    watched.worker.send_signal(signal.SIGSTOP)
    hung = await live(watched.address)
    watched.worker.send_signal(signal.SIGCONT)
    watched.fleet.kill(watched.worker)
    gone = await live(watched.address)
    assert [(ran.code, ran.json[0]["level"]) for ran in (hung, gone)] == [(1, "fail"), (1, "fail")]
    assert "timed out" in hung.json[0]["says"]
    assert "Connection refused" in gone.json[0]["says"]


def test_another_program_at_the_port_is_not_live(http_port: int) -> None:
    """Anything but 200 is a failure, and what it said is told."""
    ran = run("check", "--live", ops_address=f"127.0.0.1:{http_port}")
    assert ran.code == 1
    assert f"http://127.0.0.1:{http_port}/livez says 400" in ran.out


def test_without_a_port_nothing_can_be_asked() -> None:
    """No ops address, or one with a port that only the worker knows, is a failure with its remedy."""
    for settings in ({}, {"ops_address": "127.0.0.1:0"}):
        ran = run("check", "--live", **settings)
        assert (ran.code, "set INGEST_OPS_ADDRESS" in ran.out) == (1, True)
