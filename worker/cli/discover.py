"""`ingest discover`: the feeds and sitemaps of a site."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from worker.cli.examples import examples
from worker.cli.failures import Failed
from worker.cli.feed import watch
from worker.cli.feed_show import found_as_json, table_of_found
from worker.cli.screen import on_terminal, print_json_line, printable, results
from worker.cli.store import opened
from worker.errors import FetchFailed, Malformed
from worker.outcomes import outcome
from worker.runtime.discovery import explorer_of
from worker.settings import load_settings
from worker.telemetry.log import configure_logging
from worker.urls import canonicalise

if TYPE_CHECKING:
    from worker.runtime.discovery import Discovery, Found
    from worker.settings import Settings


@click.command(
    epilog=examples(
        "ingest discover example.com",
        "ingest discover https://example.com/sport --json",
        "ingest discover example.com --add --new-only     watch those of news",
    )
)
@click.argument("site", metavar="SITE")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines, as in a pipe.")
@click.option("--add", "add_them", is_flag=True, help="Watch those that are of news.")
@click.option("--new-only", is_flag=True, help="With --add: do not push what they hold already.")
def discover(*, site: str, as_json: bool, add_them: bool, new_only: bool) -> None:
    """Find the feeds and sitemaps of a site.

    SITE is a host or a URL. Looked at are the page's own links, the Sitemap lines of robots.txt, a few usual
    places where those name none, and the likeliest sitemaps of an index. All feeds count as news, and
    those sitemaps that say so. At most 24 requests are made, each in its host's time; the fleet does not
    count them, and Redis is needed for --add only.

    The exit code is 1 if nothing is found. Settings: INGEST_HOST_SPACING_S, INGEST_USER_AGENT, and for --add
    INGEST_REDIS_URL.
    """
    if new_only and not add_them:
        raise click.UsageError("--new-only goes with --add")
    url = _canonical(site)
    settings = load_settings()
    asyncio.run(
        _discover(url, settings, as_json=as_json or not on_terminal(), add_them=add_them, new_only=new_only)
    )


async def _discover(url: str, settings: Settings, *, as_json: bool, add_them: bool, new_only: bool) -> None:
    configure_logging("console", "error", settings.mask_query, sys.stderr.buffer)
    async with explorer_of(settings) as explorer:
        try:
            discovery = await explorer.discover(url)
        except FetchFailed as failure:
            raise Failed(
                f"{printable(url)} cannot be had: {failure}: {outcome(failure.reason).says}"
            ) from failure
    _tell(discovery, as_json=as_json)
    if not discovery.feeds:
        raise Failed(f"no feed or sitemap was found at {printable(url)}")
    if add_them:
        await _add(discovery.feeds, settings, new_only=new_only)


def _tell(discovery: Discovery, *, as_json: bool) -> None:
    if discovery.page_error:
        click.echo(f"the page itself cannot be had: {printable(discovery.page_error)}", err=True)
    if as_json:
        for each in discovery.feeds:
            print_json_line(found_as_json(each))
    elif discovery.feeds:
        results().print(table_of_found(discovery.feeds, datetime.now(UTC)))
    for each in discovery.faults:
        click.echo(
            f"named by {each.by}, but no feed: {printable(each.url)}: {printable(each.error)}", err=True
        )


async def _add(found: list[Found], settings: Settings, *, new_only: bool) -> None:
    chosen = [each for each in found if each.feed and each.feed.is_news and not each.same_as]
    if not chosen:
        raise Failed("none of them is of news: choose by `ingest feed add URL`")
    async with opened(settings) as store:
        for each in chosen:
            click.echo(await watch(each.url, each.feed, store, new_only=new_only), err=True)


def _canonical(site: str) -> str:
    try:
        return canonicalise(site if "://" in site else f"https://{site}/")
    except Malformed as fault:
        raise click.UsageError(str(fault)) from fault
