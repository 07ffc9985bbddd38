"""In Vector's place, where that is not to be had: the workers' stdout to files, one for each container.

Run as `python -m tests.deploy.compose.shipper PROJECT FOLDER`, with Docker's socket.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import IO, Any

import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout, UnixConnector

_SOCKET = "/var/run/docker.sock"
_LOOK_EVERY_S = 1.0
#: Docker's frame around what a container without a terminal writes: stream, padding, length.
_HEAD_BYTES = 8


async def _follow(client: ClientSession, container: str, file: IO[bytes]) -> None:
    """Copy all that it has written and will write; after it was started anew, what comes then."""
    written = 0
    options = {"stdout": "1", "follow": "1"}
    while True:
        try:
            async with client.get(f"http://docker/containers/{container}/logs", params=options) as answer:
                if answer.status != 200:
                    return
                passed = 0
                while True:
                    head = await answer.content.readexactly(_HEAD_BYTES)
                    line = await answer.content.readexactly(int.from_bytes(head[4:], "big"))
                    passed += len(line)
                    if passed > written:
                        written = passed
                        file.write(line)
                        file.flush()
        except (asyncio.IncompleteReadError, ClientError):
            await asyncio.sleep(_LOOK_EVERY_S)  # it has ended: for good, or to start again


async def main(project: str, folder: str) -> None:
    """Follow every container that says that its log is ours, until cancelled."""
    labels = ["ingest.log=json", f"com.docker.compose.project={project}"]
    known: dict[str, asyncio.Task[None]] = {}
    connector = UnixConnector(_SOCKET)
    async with ClientSession(connector=connector, timeout=ClientTimeout(total=None)) as client:
        while True:
            params = {"all": "1", "filters": orjson.dumps({"label": labels}).decode()}
            async with client.get("http://docker/containers/json", params=params) as answer:
                found: list[dict[str, Any]] = await answer.json()
            for container in (str(each["Id"]) for each in found):
                if container not in known:
                    file = (Path(folder) / f"{container[:12]}.log").open("wb")
                    known[container] = asyncio.create_task(_follow(client, container, file))
            await asyncio.sleep(_LOOK_EVERY_S)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
