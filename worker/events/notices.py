"""What the library for consumers has to tell, in a process that is not ours."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import structlog

from worker.telemetry.log import get_logger

if TYPE_CHECKING:
    from typing import Literal

_PLAIN = logging.getLogger("ingest.consumer")


def notice(level: Literal["info", "warning"], event: str, **fields: object) -> None:
    """A line of the catalogue, by structlog where the process has set it up, else by `logging`.

    structlog as it is out of the box prints to stdout, which belongs to the program.
    """
    if structlog.is_configured():
        getattr(get_logger(), level)(event, **fields)
        return
    says = " ".join(f"{name}={value}" for name, value in fields.items())
    _PLAIN.log(logging.getLevelNamesMapping()[level.upper()], "%s %s", event, says)
