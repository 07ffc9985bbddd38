"""What a demo needs around it: an environment, a sample site, and real worker processes."""

from __future__ import annotations

import asyncio
import importlib
import os
import signal
import sys
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from worker.errors import IngestError
from worker.lifeline import die_with_parent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from tests.site.server import SampleSite

_LAST_WORDS_S = 15.0
_LOG_LINES_SHOWN = 5

_RETRY_SOON = {"INGEST_RETRY_BASE_S": "1", "INGEST_RETRY_MAX_S": "3"}


class StageFailed(IngestError):
    """The demo could not be set up or carried on; nothing is wrong with the URLs."""


def sample_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """For the sample site's workers: default settings, for which its outcomes hold, and its network."""
    kept = {
        name: value
        for name, value in environ.items()
        if not name.startswith("INGEST_") or name == "INGEST_DATA_DIR"
    }
    return kept | _RETRY_SOON | {"INGEST_ALLOW_NETWORKS": "127.0.1.0/24"}


def own_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """For the user's own URLs: the user's settings, with retries that are worth waiting for."""
    return dict(environ) if _RETRY_SOON.keys() & environ.keys() else {**environ, **_RETRY_SOON}


@asynccontextmanager
async def sample_site() -> AsyncIterator[SampleSite]:
    """The sample site, served. Raises StageFailed where it is not there, or its addresses are not."""
    try:
        module: Any = importlib.import_module("tests.site.server")
    except ImportError as error:
        raise StageFailed(
            f"the sample site is part of the repository, not of the installed package ({error}). "
            "Run this in a checkout, or give URLs: ingest demo https://…"
        ) from error
    site: SampleSite = module.SampleSite()
    try:
        await site.__aenter__()
    except OSError as error:
        raise StageFailed("\n  ".join((str(error), *getattr(error, "__notes__", ())))) from error
    try:
        yield site
    finally:
        await site.__aexit__(None, None, None)


@asynccontextmanager
async def worker_process(environ: Mapping[str, str], log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """`ingest run` as a process of its own that logs to the end of `log`; drained at the block's end."""
    with log.open("ab") as out:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "worker", "run"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=asyncio.subprocess.STDOUT,
            env=environ,
            # Ctrl-C is for the demo, which then stops its workers once: twice would cut their drain short.
            start_new_session=True,
            preexec_fn=partial(die_with_parent, os.getpid(), signal.SIGTERM),
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), _LAST_WORDS_S)
            except TimeoutError:
                process.kill()
                await process.wait()


def refuse_a_dead_worker(workers: list[asyncio.subprocess.Process], log: Path) -> None:
    """Raise StageFailed with the end of the log when a worker is gone."""
    for worker in workers:
        if worker.returncode is not None:
            last = log.read_text("utf-8", "replace").splitlines()[-_LOG_LINES_SHOWN:]
            raise StageFailed("\n  ".join((f"a worker ended with exit code {worker.returncode}:", *last)))
