"""What tests that run the documents' commands put in the place of the documents' addresses."""

from __future__ import annotations

import re
import threading
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from tests.sinks.postgres_server import PostgresServer, binaries

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: As they stand in the documents.
DSN = "postgresql://me@127.0.0.1:5432/news"
HOOK = "http://127.0.0.1:8080/hook"


class _Takes(BaseHTTPRequestHandler):
    """Takes every request."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def places() -> Iterator[dict[str, str]]:
    """The documents' addresses, and real ones in their place. Without PostgreSQL there is none for DSN."""
    with ExitStack() as stack:
        hook = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), _Takes))
        thread = threading.Thread(target=hook.serve_forever)
        thread.start()
        stack.callback(thread.join)
        stack.callback(hook.shutdown)
        found = {HOOK: f"http://127.0.0.1:{hook.server_address[1]}/hook"}
        if binaries() is not None:
            server = PostgresServer()
            stack.callback(server.remove)
            server.start()
            server.make_database("news")
            found[DSN] = server.dsn("news")
        yield found


def as_run(block: str, addresses: Mapping[str, str]) -> str:
    """The block without `make`, with workers that end, and with the addresses of what the test has."""
    lines = [
        f"{line} --until-empty" if re.fullmatch(r"ingest run( --embedded)?", line) else line
        for line in block.splitlines()
        if not line.startswith("make ") and (DSN in addresses or "sink postgres --all" not in line)
    ]
    script = "\n".join(lines)
    for written, real in addresses.items():
        script = script.replace(written, f"'{real}'" if written == DSN else real)
    return script
