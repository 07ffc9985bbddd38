"""Headers of a response as aiohttp has them, made fit for what we do with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import aiohttp


def header_of(response: aiohttp.ClientResponse, name: str) -> str | None:
    """The header, or the first of several; None where there is none."""
    value = response.headers.get(name)
    return None if value is None else _well_formed(value)


def headers_of(response: aiohttp.ClientResponse, name: str) -> tuple[str, ...]:
    """All headers of that name."""
    return tuple(map(_well_formed, response.headers.getall(name, ())))


def location_of(response: aiohttp.ClientResponse) -> bytes | None:
    """The Location, as it came."""
    value = response.headers.get("Location")
    return None if value is None else value.encode("utf-8", "surrogateescape")


def _well_formed(value: str) -> str:
    """A header as text fit for JSON: aiohttp keeps bytes that are no UTF-8 as lone surrogates."""
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
