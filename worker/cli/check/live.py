"""Whether the worker of this machine gets on, by its own word: `/livez` of its ops port."""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING

from worker.cli.check.finding import Finding

if TYPE_CHECKING:
    from worker.settings import Settings

#: The port answers from memory: later than that, the worker's event loop hangs.
_PATIENCE_S = 5.0
_LONGEST_ANSWER_BYTES = 4096
#: Where to ask a worker that listens everywhere.
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - asked of, and never listened on


def liveness(settings: Settings) -> Finding:
    """What `/livez` at `INGEST_OPS_ADDRESS` says; anything but 200 is a failure."""
    if settings.ops_address is None or settings.ops_address[1] == 0:
        return Finding("live", "fail", "no port to ask at", "set INGEST_OPS_ADDRESS as the worker has it")
    host, port = settings.ops_address
    where = f"http://{f'[{host}]' if ':' in host else host}:{port}/livez"
    try:
        status, said = _answer(_LOOPBACK.get(host, host), port)
    except (OSError, http.client.HTTPException) as error:
        return Finding("live", "fail", f"no answer from {where}: {error}", "is the worker running?")
    if status == http.HTTPStatus.OK:
        return Finding("live", "ok", f"{where} says {said}")
    return Finding("live", "fail", f"{where} says {status}: {said}", "start the worker anew")


def _answer(host: str, port: int) -> tuple[int, str]:
    asking = http.client.HTTPConnection(host, port, timeout=_PATIENCE_S)
    try:
        asking.request("GET", "/livez")
        answer = asking.getresponse()
        text = answer.read(_LONGEST_ANSWER_BYTES).decode("utf-8", "replace")
    finally:
        asking.close()
    return answer.status, "; ".join(text.split("\n")).rstrip("; ")
