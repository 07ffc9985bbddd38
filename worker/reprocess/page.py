"""From an archived response to a page that can be read, or to why it is none. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from worker.errors import FetchFailed, Malformed
from worker.fetch.coding import Decoder, parse_codings
from worker.fetch.response import is_page_type, why_no_page
from worker.model import Page
from worker.urls import canonicalise

if TYPE_CHECKING:
    from worker.archive.reader import Archived

_PARTIAL_CONTENT = 206


class NoPage(Exception):
    """The response is nothing to read; its text says why in a word or two."""


def page_of(archived: Archived, *, limit_bytes: int) -> tuple[str, Page]:
    """The canonical URL whose article the page may hold, and the page, decompressed. Raises NoPage.

    The rules are those of `worker.fetch.session`: what a worker would not have read is not read here.
    """
    if not 200 <= archived.status < 300 or archived.status == _PARTIAL_CONTENT:
        raise NoPage("status")
    if urlsplit(archived.url).path == "/robots.txt":
        raise NoPage("robots.txt")
    if archived.truncated:
        raise NoPage("truncated")
    content_type = archived.header("content-type")
    if is_page_type(content_type) is False:
        raise NoPage("not_html")
    try:
        subject = canonicalise(archived.subject or archived.url)
    except Malformed:
        raise NoPage("malformed") from None
    body = _decoded(archived, limit_bytes)
    if not body:
        raise NoPage("empty")
    if why_no_page(content_type, body):
        raise NoPage("not_html")
    return subject, Page(
        url=archived.url,
        status=archived.status,
        body=body,
        content_type=content_type,
        wire_bytes=len(archived.body or b""),
        duration_ms=0,
        etag=archived.header("etag"),
        last_modified=archived.header("last-modified"),
        robots_tag=archived.values("x-robots-tag"),
        record=archived.record,
    )


def _decoded(archived: Archived, limit_bytes: int) -> bytes:
    if archived.body is None:
        raise NoPage("too_large")
    try:
        decoder = Decoder(parse_codings(archived.header("content-encoding") or ""), limit_bytes=limit_bytes)
        body = b"".join(decoder.feed(archived.body))
        decoder.finish()
    except FetchFailed as failure:
        if failure.reason == "too_large":
            raise NoPage("too_large") from None
        # Some crawlers undo the coding and leave the header; then the bytes are the page.
        return archived.body
    return body
