"""Functions for the pool to run in place of the extraction. What they do is written in the page."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.extract.pages import URL, encoded, news_page
from worker.errors import NotAnArticle
from worker.extract import extract_article

if TYPE_CHECKING:
    from worker.model import Article


def burn_cpu(seconds: float) -> None:
    """Be busy."""
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def obey(page: bytes, **arguments: Any) -> Article:
    """Do what the page says, and extract a good article otherwise. Its `url` is the child's process id."""
    order, _, detail = page.decode().partition(" ")
    match order:
        case "spin":
            Path(detail).write_text(str(os.getpid()))
            burn_cpu(float("inf"))
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "exit":
            os._exit(3)
        case "segfault":
            ctypes.string_at(0)
        case "eat":
            hoard = [bytearray(b"x") * (1 << 24) for _ in range(1_000)]
            assert hoard
        case "fault":
            raise KeyError(detail)
        case "refuse":
            raise NotAnArticle("listing", detail)
        case "burn":
            burn_cpu(0.05)
        case "print":
            print("this must not reach the parent's log")
    return extract_article(encoded(news_page()), **(arguments | {"url": f"{URL}#{os.getpid()}"}))
