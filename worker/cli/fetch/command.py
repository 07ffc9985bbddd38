"""`ingest fetch`: fetch one URL as a worker would, and explain every step."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.exceptions import Exit

from worker.cli.examples import examples
from worker.cli.failures import Failed
from worker.cli.fetch.document import document
from worker.cli.fetch.show import shown
from worker.cli.fetch.story import Fleet, story_of
from worker.cli.screen import print_json, results, talk
from worker.cli.store import opened
from worker.errors import Malformed
from worker.settings import load_settings
from worker.store.host_states import read_host
from worker.store.robots_cache import RobotsCache
from worker.telemetry.log import configure_logging
from worker.verdict import Failed as PageFailed

if TYPE_CHECKING:
    from worker.cli.fetch.story import Story
    from worker.settings import Settings


@click.command(
    epilog=examples(
        "ingest fetch https://example.com/news/1",
        "ingest fetch https://example.com/news/1 --redis        with what the fleet knows of the host",
        "ingest fetch https://example.com/news/1 --json | jq .hops[0].robots",
    )
)
@click.argument("url", metavar="URL")
@click.option("--redis", "ask_redis", is_flag=True, help="Show what the fleet knows of the host.")
@click.option("--headers", "all_headers", is_flag=True, help="Show every response header.")
@click.option(
    "--body",
    "body_file",
    metavar="FILE",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Save the page, decompressed.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; its keys are always the same.")
def fetch(*, url: str, ask_redis: bool, all_headers: bool, body_file: Path | None, as_json: bool) -> None:
    """Fetch one URL and explain every step.

    It is fetched as a worker would fetch it. For each hop: the addresses and what the guard says of them,
    robots.txt and the rule that decides, the host's policy, times, connection and headers; then the charset,
    and what becomes of the page. Nothing is written anywhere, and Redis is not needed.

    All is obeyed as a worker obeys it, by the same settings (INGEST_…), the spacing between hops included;
    but the fleet does not count these requests. The exit code is 1 if the URL becomes no article.
    """
    settings = load_settings()
    try:
        story = asyncio.run(_story(url, settings, ask_redis=ask_redis))
    except Malformed as fault:
        raise click.UsageError(str(fault)) from fault
    if as_json:
        print_json(document(story, settings, all_headers=all_headers))
    else:
        results().print(shown(story, settings, all_headers=all_headers))
    if body_file:
        _save(story, body_file)
    if isinstance(story.end, PageFailed):
        raise Exit(1)


async def _story(url: str, settings: Settings, *, ask_redis: bool) -> Story:
    configure_logging("console", "error", settings.mask_query, sys.stderr.buffer)
    async with AsyncExitStack() as stack:
        if not ask_redis:
            return await story_of(url, settings)
        store = await stack.enter_async_context(opened(settings))
        robots = RobotsCache(
            store.connection, store.keys, ttl_s=settings.robots_ttl_s, grouping=settings.host_grouping
        )
        return await story_of(url, settings, Fleet(robots, partial(read_host, store.connection, store.keys)))


def _save(story: Story, file: Path) -> None:
    if story.page is None:
        talk().print(f"no page came: nothing is written to {file}")
        return
    try:
        file.write_bytes(story.page.body)
    except OSError as error:
        raise Failed(f"{file}: {error.strerror}") from error
