"""A consumer: reads the articles stream in a group, keeps each event on disk, and only then acknowledges it.

Run as `python -m tests.chaos.consumer REDIS_URL STREAM GROUP FILE`. FILE gets a JSON object a line: the
entry's id and what tells the event. Started again, it reads first what it took and did not acknowledge.
SIGTERM: it ends once there is nothing more to read.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import IO, Any

import orjson
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from worker.lifeline import die_with_parent

_READER = "reader-1"


def record_of(entry: bytes, fields: dict[bytes, bytes]) -> dict[str, Any]:
    """What is kept of an entry of either stream."""
    data = orjson.loads(fields[b"data"])
    return {
        "entry": entry.decode(),
        "id": fields[b"id"].decode(),
        "type": fields[b"type"].decode(),
        "subject": fields.get(b"subject", b"").decode(),
        "article_id": data.get("article_id"),
        "revision": data.get("revision"),
        "reason": data.get("reason"),
        "title": data.get("title"),
        "error": data.get("error"),
    }


class Consumer:
    """One reader of one group."""

    def __init__(self, url: str, stream: str, group: str, file: IO[bytes]) -> None:
        self._store = redis.Redis.from_url(
            url, socket_timeout=1, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0), retry_on_error=[]
        )
        self._stream, self._group, self._file = stream, group, file
        self.ending = False

    def run(self) -> None:
        """Read until asked to end and there is nothing left."""
        after = ""  # the group may not be there yet
        while True:
            try:
                if not after:
                    self._join()
                    after = "0"
                batch = self._read(after)
                if not batch and after == ">" and self.ending:
                    return
                if not batch:
                    after = ">"
            except (redis.RedisError, OSError):
                # What was delivered and not acknowledged is read again, by the same name.
                after = ""
                time.sleep(0.1)

    def _join(self) -> None:
        try:
            self._store.xgroup_create(self._stream, self._group, id="0", mkstream=True)
        except redis.ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    def _read(self, after: str) -> int:
        reply: Any = self._store.xreadgroup(
            self._group, _READER, {self._stream: after}, count=20, block=200 if after == ">" else None
        )
        entries = reply[0][1] if reply else []
        for entry, fields in entries:
            self._file.write(orjson.dumps(record_of(entry, fields), option=orjson.OPT_APPEND_NEWLINE))
        self._file.flush()
        if entries:
            self._store.xack(self._stream, self._group, *(entry for entry, _ in entries))
        return len(entries)


def main(url: str, stream: str, group: str, file: str) -> None:
    """Consume."""
    die_with_parent(os.getppid())
    with Path(file).open("ab") as kept:
        consumer = Consumer(url, stream, group, kept)

        def end(*_: object) -> None:
            consumer.ending = True

        signal.signal(signal.SIGTERM, end)
        consumer.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
