"""`ingest feed`: the feeds that are watched: added, listed, shown, removed, and looked at."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from worker.cli.examples import examples
from worker.cli.failures import Failed
from worker.cli.feed_show import as_json as feed_as_json
from worker.cli.feed_show import details_of, table_of
from worker.cli.screen import on_terminal, print_json, print_json_line, printable, results
from worker.cli.store import opened
from worker.errors import FetchFailed, Malformed
from worker.feeds import NotAFeed
from worker.outcomes import outcome
from worker.runtime.discovery import explorer_of
from worker.runtime.feeding import run_feeder
from worker.runtime.supervisor import Stop
from worker.settings import host_rules, load_settings
from worker.store.feeds import Added, Feeds, feed_id
from worker.telemetry.log import configure_logging
from worker.urls import canonicalise

if TYPE_CHECKING:
    from worker.cli.store import Store
    from worker.feeds import Feed
    from worker.runtime.discovery import Explorer
    from worker.settings import Settings
    from worker.store.feeds import WatchedFeed

_FOUND_TOLD = 10


@click.group(
    epilog=examples(
        "ingest feed add https://example.com/rss.xml",
        "ingest feed add --new-only https://example.com/sitemap.xml   not what it holds already",
        "ingest feed list",
        "ingest feed run                                              look at them, until SIGTERM",
    )
)
def feed() -> None:
    """Watch feeds, and push the URLs of their new articles.

    Feeds are RSS, Atom, JSON Feed, news sitemaps, sitemaps and their indexes. FEED is the URL of a watched
    feed, or its id as `list` shows it. `ingest discover SITE` finds the feeds of a site.
    Settings: INGEST_REDIS_URL, INGEST_NAMESPACE, INGEST_FEED_…
    """


@feed.command()
@click.argument("urls", nargs=-1, required=True, metavar="URL...")
@click.option("--new-only", is_flag=True, help="Do not push what the feed holds already.")
@click.option("--unchecked", is_flag=True, help="Do not ask for it first.")
def add(*, urls: tuple[str, ...], new_only: bool, unchecked: bool) -> None:
    """Watch feeds.

    Each is asked for first, and refused if it is no feed; then the feeds that its page names are told. This
    request is as polite as a worker's, but the fleet does not count it.
    """
    asyncio.run(_add(urls, load_settings(), new_only=new_only, unchecked=unchecked))


@feed.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines, as in a pipe.")
def list_(*, as_json: bool) -> None:
    """List the watched feeds, the next due first. In a pipe, or with --json, a JSON line each."""
    asyncio.run(_list(load_settings(), as_json=as_json or not on_terminal()))


@feed.command()
@click.argument("which", metavar="FEED")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(*, which: str, as_json: bool) -> None:
    """Show all that is known of a feed."""
    asyncio.run(_show(which, load_settings(), as_json=as_json))


@feed.command()
@click.argument("which", nargs=-1, required=True, metavar="FEED...")
def remove(*, which: tuple[str, ...]) -> None:
    """Watch feeds no longer, nor the sitemaps of an index; their URLs in the queue stay there."""
    asyncio.run(_remove(which, load_settings()))


@feed.command()
@click.option("--once", is_flag=True, help="Look at what is due now, then end.")
def run(*, once: bool) -> None:
    """Look at the feeds when they are due, until SIGTERM or Ctrl-C.

    Any number may run, on any number of machines, beside workers: each feed is looked at by one of them, and
    if that one is killed by another. Workers do it, too, by `ingest run --feeds`. Hosts are asked in
    turn with the workers' requests, by the same rules.
    """
    settings = load_settings()
    host_rules(settings)
    asyncio.run(_run(settings, once=once))


@dataclass(frozen=True, slots=True)
class _Checked:
    """A feed that may be watched: its canonical address and, if it was asked for, what it is."""

    url: str
    feed: Feed | None


async def _add(urls: tuple[str, ...], settings: Settings, *, new_only: bool, unchecked: bool) -> None:
    addresses = [_canonical(url) for url in urls]
    faults: list[str] = []
    if unchecked:
        checked = [_Checked(url, None) for url in addresses]
    else:
        configure_logging("console", "error", settings.mask_query, sys.stderr.buffer)
        async with explorer_of(settings) as explorer:
            checked = [each for url in addresses if (each := await _checked(url, explorer, faults))]
    async with opened(settings) as store:
        for each in checked:
            click.echo(await watch(each.url, each.feed, store, new_only=new_only))
    if faults:
        raise Failed("\n".join(faults))


async def watch(url: str, found: Feed | None, store: Store, *, new_only: bool) -> str:
    """Watch the feed, and say so in a line."""
    fields: dict[str, str | int] = {"kind": found.kind, "title": found.title or ""} if found else {}
    if new_only:
        fields["skip_present"] = 1
    added = await Feeds(store.connection, store.keys).add(url, fields=fields)
    if added is Added.KNOWN:
        return f"{feed_id(url)}  watched already  {printable(url)}"
    what = "unchecked"
    if found is not None:
        things = f"{len(found.sitemaps):,} sitemaps" if found.sitemaps else f"{len(found.entries):,} entries"
        what = f"{found.kind}, {things}"
        if not (found.is_news or new_only):
            what += "; all that it holds will be pushed: with --new-only none of that is"
    return f"{feed_id(url)}  watched from now on  {printable(url)}  ({what})"


async def _checked(url: str, explorer: Explorer, faults: list[str]) -> _Checked | None:
    try:
        address, found = await explorer.look(url)
        return _Checked(canonicalise(address), found)
    except FetchFailed as failure:
        says = outcome(failure.reason).says
        faults.append(
            f"{printable(url)} cannot be had: {failure}: {says}; with --unchecked it is watched all the same"
        )
    except NotAFeed as refusal:
        faults.append(f"{printable(url)} is no feed: it is {refusal.why}\n  {await _instead(url, explorer)}")
    return None


async def _instead(url: str, explorer: Explorer) -> str:
    """What to watch instead of a page."""
    try:
        found = (await explorer.discover(url)).feeds
    except FetchFailed as failure:
        return f"looking for feeds there failed: {failure}"
    if not found:
        return "no feed or sitemap was found there either"
    lines = [f"ingest feed add {printable(each.url)}" for each in found if not each.same_as][:_FOUND_TOLD]
    return "\n    ".join(("`ingest discover` found there:", *lines))


async def _list(settings: Settings, *, as_json: bool) -> None:
    async with opened(settings) as store:
        feeds = [each async for each in Feeds(store.connection, store.keys).all()]
        now_ms = await _now_ms(store)
    if as_json:
        for each in feeds:
            print_json_line(feed_as_json(each))
    elif feeds:
        results().print(table_of(feeds, now_ms))
    else:
        click.echo("no feed is watched: add one by `ingest feed add URL`", err=True)


async def _show(which: str, settings: Settings, *, as_json: bool) -> None:
    async with opened(settings) as store:
        known = await _known(which, Feeds(store.connection, store.keys))
        now_ms = await _now_ms(store)
    if as_json:
        print_json(feed_as_json(known))
    else:
        results().print(details_of(known, now_ms))


async def _remove(which: tuple[str, ...], settings: Settings) -> None:
    async with opened(settings) as store:
        feeds = Feeds(store.connection, store.keys)
        chosen = [await _known(each, feeds) for each in which]
        parents = {each.id for each in chosen if each.kind == "sitemap-index"}
        if parents:
            chosen += [each async for each in feeds.all() if parents & {each.parent, each.root}]
        for each in chosen:
            if await feeds.remove(each.id):
                click.echo(f"{each.id}  removed  {printable(each.url)}")


async def _run(settings: Settings, *, once: bool) -> None:
    stop = Stop()
    stop.on_signals()
    await run_feeder(settings, stop, once=once)


async def _known(which: str, feeds: Feeds) -> WatchedFeed:
    """The feed of that id or URL. Raises Failed where there is none."""
    identity = which if "://" not in which else feed_id(_canonical(which))
    if known := await feeds.find(identity):
        return known
    raise Failed(f"{printable(which)} is not watched: `ingest feed list` shows what is")


def _canonical(url: str) -> str:
    try:
        return canonicalise(url)
    except Malformed as fault:
        raise click.UsageError(str(fault)) from fault


async def _now_ms(store: Store) -> int:
    seconds, micros = await store.connection.command("TIME")
    return int(seconds) * 1000 + int(micros) // 1000
