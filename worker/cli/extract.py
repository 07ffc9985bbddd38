"""`ingest extract`: one article, from a file or fetched."""

from __future__ import annotations

import asyncio
import gzip
import re
import sys
import zlib
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.text import Text

from worker.cli.examples import examples
from worker.cli.failures import Failed
from worker.cli.screen import print_json, printable, results
from worker.clock import SystemClock
from worker.errors import Malformed, NoArticle, NotAnArticle
from worker.extract import extract_article
from worker.fetch.gate import Unshared
from worker.library.alone import opened
from worker.outcomes import outcome
from worker.settings import load_settings
from worker.telemetry.log import configure_logging
from worker.urls import canonicalise

if TYPE_CHECKING:
    from worker.model import Article, Paragraph
    from worker.settings import Settings

_IS_URL = re.compile(r"https?:", re.IGNORECASE)
_GZIP_MAGIC = b"\x1f\x8b"
#: What a saved page is said to have been found at, when nobody says. With a path: a root is a site's front.
_NOWHERE = "http://localhost/page"


@click.command(
    epilog=examples(
        "ingest extract page.html --url https://example.com/news/1",
        "ingest extract https://example.com/news/1 --json | jq .title",
        "curl -s https://example.com/news/1 | ingest extract - --url https://example.com/news/1",
    )
)
@click.argument("source", metavar="FILE|URL|-")
@click.option("--url", help=f"Where a file was found: addresses in it are relative to this. [{_NOWHERE}]")
@click.option("--content-type", metavar="TYPE", help="The Content-Type that a file came with; else a guess.")
@click.option("--json", "as_json", is_flag=True, help="Print the article's fields as JSON.")
def extract(*, source: str, url: str | None, content_type: str | None, as_json: bool) -> None:
    """Extract one article from a file or a URL.

    Files may be gzipped; - is stdin. A URL is fetched as a worker would: robots.txt and the host's spacing
    are obeyed, redirects followed, private addresses refused (INGEST_OBEY_ROBOTS, INGEST_MAX_REDIRECTS,
    INGEST_ALLOW_NETWORKS, INGEST_USER_AGENT). Redis is not needed. A page that holds no article ends with
    exit code 1 and the reason.
    """
    settings = load_settings()
    if _IS_URL.match(source):
        if url or content_type:
            raise click.UsageError("--url and --content-type are for files; a URL says both itself")
        article = asyncio.run(_fetched(source, settings))
    else:
        article = _read(source, url or _NOWHERE, content_type, settings)
    if as_json:
        print_json(article)
    else:
        _show(article)


def _read(source: str, url: str, content_type: str | None, settings: Settings) -> Article:
    try:
        page = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise click.UsageError(f"{source}: {error.strerror}") from error
    try:
        return extract_article(
            _unpacked(page, settings.body_limit_bytes),
            url=canonicalise(url),
            content_type=content_type,
            fetched_at=SystemClock().now(),  # at the latest: when the file was saved, it does not say
        )
    except Malformed as fault:
        raise click.UsageError(f"--url: {fault}") from fault
    except NotAnArticle as refusal:
        raise Failed(f"no article in {source}: {refusal}") from refusal


def _unpacked(page: bytes, limit_bytes: int) -> bytes:
    """The page without gzip around it. Raises Failed for more than `limit_bytes`, and for broken gzip."""
    if page.startswith(_GZIP_MAGIC):
        try:
            with gzip.open(BytesIO(page)) as packed:
                page = packed.read(limit_bytes + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise Failed(f"broken gzip: {error}") from error
    if len(page) > limit_bytes:
        raise Failed(f"over {limit_bytes} bytes (INGEST_BODY_LIMIT_BYTES)")
    return page


async def _fetched(source: str, settings: Settings) -> Article:
    """The article at a URL, by the pipeline of a worker. Raises Failed with the reason when there is none."""
    configure_logging("console", "error", settings.mask_query, sys.stderr.buffer)
    async with opened(settings, Unshared()) as pipeline:
        try:
            return await pipeline.article(source)
        except Malformed as fault:
            raise click.UsageError(str(fault)) from fault
        except NoArticle as end:
            detail = f": {end.detail}" if end.detail != end.reason else ""
            raise Failed(f"{end.reason}: {outcome(end.reason).says}{detail}") from end


def _show(article: Article) -> None:
    console, provenance = results(), article.extraction.provenance
    console.print(Text(printable(article.title), "bold"), Text(), sep="\n")
    for name, text in _facts(article).items():
        if text:
            source = f"  ({provenance[name]})" if name in provenance else ""
            label = name.replace("_", " ")
            console.print(Text.assemble((f"{label:<14}", "dim"), printable(text), (printable(source), "dim")))
    for paragraph in article.paragraphs:
        console.print(Text(), _paragraph(paragraph), sep="\n")


def _paragraph(paragraph: Paragraph) -> Text:
    text = printable(paragraph.text)
    match paragraph.kind:
        case "heading":
            return Text(text, "bold")
        case "list_item":
            return Text(f"• {text}")
        case "quote":
            return Text(f"│ {text}", "italic")
        case _:
            return Text(text)


def _facts(article: Article) -> dict[str, str | None]:
    """Field → what to show, named as in the provenance; empty ones are left out later."""
    extraction = article.extraction
    return {
        "subtitle": article.subtitle,
        "description": article.description,
        "authors": ", ".join(author.name for author in article.authors),
        "agency": article.agency,
        "publisher": article.publisher.name or article.publisher.domain,
        "section": article.section,
        "published_at": article.published_at,
        "modified_at": article.modified_at,
        "language": article.language,
        "keywords": ", ".join(article.keywords),
        "canonical_url": article.canonical_url,
        "kind": f"{article.type}, {article.completeness}, access {article.access.status}",
        "length": f"{article.word_count} words, {len(article.images)} images, {len(article.videos)} videos",
        "confidence": f"{extraction.confidence:.2f}, {extraction.method} rules {extraction.version}",
        "disagreements": "; ".join(extraction.disagreements),
        "warnings": "; ".join(extraction.warnings),
    }
