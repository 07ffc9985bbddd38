"""`ingest tail`: the articles, or the dead letters, as they come."""

from __future__ import annotations

import asyncio
import re

import click
from rich.text import Text

from worker.cli.examples import examples
from worker.cli.following import FROM_START, Entry, Follower
from worker.cli.screen import on_terminal, print_json_line, printable, results
from worker.cli.store import opened
from worker.events.envelope import ARTICLE_UNCHANGED
from worker.settings import Settings, load_settings

_ENTRY_ID = re.compile(r"\d+(-\d+)?")


def _place(_ctx: click.Context, _param: click.Parameter, value: str) -> str | None:
    if value == "now":
        return None
    if value == "start":
        return FROM_START
    if _ENTRY_ID.fullmatch(value) and all(int(part) < 2**64 for part in value.split("-")):
        return value
    raise click.BadParameter("it should be start, now, or an entry's id such as 1735689600000-0")


@click.command(
    epilog=examples(
        "ingest tail --from start               everything there is, and then what comes",
        "ingest tail --count 1 | jq .data.title",
        "ingest tail --dead                     what became no article, and why",
    )
)
@click.option(
    "--from", "after", default="now", callback=_place, metavar="start|now|ID", help="Where to begin. [now]"
)
@click.option("--count", type=click.IntRange(min=1), help="End after so many events.")
@click.option("--no-follow", is_flag=True, help="End at the last event there is.")
@click.option("--dead", is_flag=True, help="Follow the dead letters instead.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines on a terminal, too.")
def tail(*, after: str | None, count: int | None, no_follow: bool, dead: bool, as_json: bool) -> None:
    """Follow the articles as they are published.

    Visits that found an article as it was are events, too. On a terminal, a line each; in a pipe, a JSON line
    each with the whole event: the CloudEvent's attributes, its data, and entry, the id from which --from goes
    on after it. Reading takes nothing away from the consumers of the stream. Settings: INGEST_REDIS_URL,
    INGEST_NAMESPACE, INGEST_PARTITIONS.
    """
    as_json = as_json or not on_terminal()
    asyncio.run(_tail(load_settings(), after, count, follow=not no_follow, dead=dead, as_json=as_json))


async def _tail(
    settings: Settings, after: str | None, count: int | None, *, follow: bool, dead: bool, as_json: bool
) -> None:
    async with opened(settings) as store:
        name = store.keys.dead if dead else store.keys.articles
        streams = {name(partition): partition for partition in range(settings.partitions)}
        follower = Follower(store.connection, streams, after=after)
        # A wait as long as the connection's own patience would look like a silent Redis.
        wait_s = min(1.0, settings.redis_timeout_s / 2) if follow else 0
        console, shown = results(), 0
        while (entries := await follower.read(wait_s=wait_s)) or follow:
            for entry in entries[: None if count is None else count - shown]:
                if as_json:
                    print_json_line(entry.whole)
                else:
                    console.print(_line(entry), no_wrap=True, overflow="ellipsis")
                shown += 1
            if count is not None and shown >= count:
                return


def _line(entry: Entry) -> Text:
    time, data = entry.attributes["time"][11:19], entry.data
    if "reason" in data:
        subject = data["url"] or data["item"]
        parts = [(f"{data['reason']:<20} ", "red"), (printable(subject), ""), (f"  {entry.id}", "dim")]
    elif entry.attributes["type"] == ARTICLE_UNCHANGED:
        parts = [
            (f"{'unchanged':<10} revision {data['revision']:<5} ", "dim"),
            (printable(data["url"]), ""),
        ]
    else:
        date = (data["published_at"] or "no date")[:10]
        parts = [
            (f"{date:<10} {data['word_count']:>5} words  ", "cyan"),
            (printable(data["title"]), "bold"),
            (f"  {printable(data['url'])}", "dim"),
        ]
    return Text.assemble((f"{time}  ", "dim"), *parts)
