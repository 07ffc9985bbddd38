"""Tasks, pages and articles to make events of."""

from __future__ import annotations

from datetime import UTC, datetime

from worker.model import (
    Access,
    Article,
    Author,
    DateEvidence,
    Extraction,
    Image,
    NotModified,
    Page,
    Paragraph,
    Publisher,
    Task,
    Video,
)
from worker.urls import article_id

URL = "https://example.com/news/ferry"
NOW = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)

TASK = Task(
    seq=17,
    url=URL,
    host="example.com",
    attempt=1,
    crashes=0,
    accepted_ms=1_767_225_600_250,
    revision=2,
    requested_url="HTTPS://example.com/news/ferry?utm_source=x",
    id="n-17",
    priority="high",
    meta={"feed": ["x", 1, None]},
    redirects=("https://www.example.com/news/ferry",),
)
PLAIN_TASK = Task(
    seq=18,
    url=URL,
    host="example.com",
    attempt=0,
    crashes=0,
    accepted_ms=0,
    revision=1,
    requested_url=URL,
)
PAGE = Page(
    url="https://www.example.com/news/ferry",
    status=200,
    body=b"<html>",
    content_type="text/html; charset=utf-8",
    wire_bytes=4711,
    duration_ms=120,
    etag='"abc"',
    last_modified="Thu, 01 Jan 2026 00:00:00 GMT",
)
NOT_MODIFIED = NotModified(PAGE.url, 304, duration_ms=12, etag='"abc"')
ARTICLE = Article(
    article_id=article_id(URL),
    url=URL,
    canonical_url="https://www.example.com/news/ferry",
    title="The night ferry",
    text="It sails.\n\nAgain.",
    paragraphs=(Paragraph("lead", "It sails."), Paragraph("paragraph", "Again.")),
    word_count=3,
    reading_time_s=1,
    content_hash="0" * 64,
    simhash="f" * 16,
    extraction=Extraction("html", "1", 0.9, {"title": "json_ld"}, ("published_at",), ("short",)),
    subtitle="Back after years",
    description="A ferry returns.",
    authors=(Author("Ada Example", "https://example.com/ada"), Author("Bo Example")),
    agency="Reuters",
    publisher=Publisher("Example News", "example.com"),
    section="Travel",
    keywords=("ferry", "night"),
    language="en-GB",
    direction="ltr",
    published_at="2026-01-01T08:00:00+01:00",
    published_at_evidence=DateEvidence("1 January 2026, 8:00", "minute", "json_ld"),
    modified_at="2026-01-01T00:00:00-00:00",
    modified_at_evidence=DateEvidence("1 January 2026", "day", "body"),
    images=(Image("https://example.com/f.jpg", "The ferry", 800, 600),),
    videos=(Video("https://example.com/f.mp4"),),
    access=Access("free", "json_ld isAccessibleForFree"),
    completeness="full",
    type="news",
    charset="utf-8",
)
BARE_ARTICLE = Article(
    article_id=article_id(URL),
    url=URL,
    canonical_url=URL,
    title="T",
    text="",
    paragraphs=(),
    word_count=0,
    reading_time_s=0,
    content_hash="0" * 64,
    simhash="0" * 16,
    extraction=Extraction("plain_text", "1", 0, {}),
)
