"""What `from worker import …` gives, at which price, and the README's program."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import worker
from tests.chaos.fleet import ROOT, clean_environ
from tests.library.conftest import balance
from worker.settings import Settings

if TYPE_CHECKING:
    from tests.runtime.publisher import Publisher
    from tests.servers import RedisServer
    from worker.store.connection import Connection
    from worker.store.keys import Keys

README = (ROOT / "README.md").read_text("utf-8")


async def test_the_readmes_program_runs(
    redis_server: RedisServer, connection: Connection, keys: Keys, publisher: Publisher
) -> None:
    """It runs as it stands there, but for addresses: some 20 lines that print what they published."""
    (program,) = re.findall(r"^```python program\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert len(program.splitlines()) <= 25
    url = publisher.url("etag")
    for told, real in ((Settings().redis_url, redis_server.url), ("https://example.com/news/1", url)):
        assert program.count(told) == 1
        program = program.replace(told, real)
    ran = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-c", program),
        env=clean_environ() | {"INGEST_ALLOW_NETWORKS": "127.0.0.0/8"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await ran.communicate()
    assert (ran.returncode, out.decode()) == (0, f"article.published.v1 {url}\n")
    assert await balance(connection, keys) == (1, 1, 0)


def test_importing_the_package_is_cheap() -> None:
    """Neither `import worker` nor the command line's way in loads Redis, HTTP or parsers."""
    heavy = "{'redis', 'aiohttp', 'selectolax', 'pydantic'} & set(sys.modules)"
    code = f"import sys, worker, worker.cli; assert not {heavy}, {heavy}"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert all(getattr(worker, name) for name in worker.__all__)
    with pytest.raises(AttributeError, match="Igest"):
        _ = worker.Igest


def test_the_package_is_typed() -> None:
    """Type checkers read the annotations of an installed package by this file."""
    assert (Path(worker.__file__).parent / "py.typed").is_file()
