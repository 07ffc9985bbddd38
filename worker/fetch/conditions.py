"""Conditional requests (RFC 9110, 13): ask for a page only if it is not as we know it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.model import Validators


def conditions(validators: Validators | None) -> dict[str, str]:
    """The request headers that make a request conditional on `validators`; none without any.

    Both are sent where both are known: a server that reads ETags ignores the date (RFC 9110, 13.1.3).
    """
    if validators is None:
        return {}
    known = {"If-None-Match": validators.etag, "If-Modified-Since": validators.last_modified}
    return {name: value for name, value in known.items() if value and _is_sendable(value)}


def _is_sendable(value: str) -> bool:
    # What a server sent as bytes beyond ASCII was not kept byte for byte, and would match nothing.
    return value.isascii() and value.isprintable()
