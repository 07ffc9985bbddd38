"""`ingest sink`: the commands."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime
from functools import wraps
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from worker.cli.examples import examples
from worker.cli.sink.running import Wishes, run_sink, sink_of
from worker.settings import load_settings
from worker.sinks.tables import is_identifier, schema_sql

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.events.subscription import Stream

_ENTRY_ID = re.compile(r"\d{1,20}(-\d{1,20})?")
_STREAMS: dict[str, tuple[Stream, ...]] = {
    "articles": ("articles",),
    "dead": ("dead",),
    "all": ("articles", "dead"),
}


@click.group(
    epilog=examples(
        "ingest sink jsonl out/articles.jsonl --rotate-every 3600",
        "ingest sink parquet lake/ --until-empty",
        "ingest sink postgres postgresql://me@db/news",
        "INGEST_WEBHOOK_SECRET=whsec_… ingest sink webhook https://example.com/hook",
    )
)
def sink() -> None:
    """Write events to files, a database or a receiver.

    Each sink is a consumer group: it goes on where it stopped, and an event counts as read once it is written
    for good. What comes again after a crash is known by source and id. Run as many sinks as you like, each
    with a group of its own; two of one group share its events.

    Ctrl-C ends it after the batch at hand. While Redis or the sink's own place is away, it waits. What can be
    no row goes to the hash {ingest:0}:rejected:GROUP, with the reason. Log lines go to stdout,
    progress to stderr. Settings: INGEST_REDIS_URL, INGEST_NAMESPACE, INGEST_PARTITIONS, INGEST_LOG_FORMAT.
    """


def _start(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | datetime | None:
    if value is None or value == "now":
        return value
    if value == "start":
        return "0"
    if _ENTRY_ID.fullmatch(value):
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise click.BadParameter(
            "it should be start, now, an entry's id such as 1735689600000-0, or a time with its offset such "
            "as 2026-01-02T03:04:05Z"
        )
    return moment


def _common(group: str, batch: int, wait_s: float) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The options of all sinks, with these defaults."""
    options = (
        click.option("--group", default=group, help=f"The consumer group. [{group}]"),
        click.option(
            "--from",
            "start",
            callback=_start,
            metavar="start|now|ID|TIME",
            help="Where a new group begins; one that is there goes on where it was. [start]",
        ),
        click.option("--articles", "kind", flag_value="articles", default=True, help="Articles. [this]"),
        click.option("--dead", "kind", flag_value="dead", help="Dead letters instead."),
        click.option("--all", "kind", flag_value="all", help="Both."),
        click.option("--moved", is_flag=True, help="The group's place is this one from now on."),
        click.option("--until-empty", is_flag=True, help="End once nothing is left to write."),
        click.option(
            "--batch",
            type=click.IntRange(1, 10_000),
            default=batch,
            help=f"Events at once, at most. [{batch}]",
        ),
        click.option(
            "--wait",
            "wait_s",
            type=click.FloatRange(0.0, 3600.0),
            default=wait_s,
            metavar="SECONDS",
            help=f"How long a batch waits for more events. [{wait_s:g}]",
        ),
        click.option(
            "--idle",
            "idle_s",
            type=click.FloatRange(0.1, 86_400.0),
            default=15.0,
            metavar="SECONDS",
            help="What a sink of the group had that gave no sign for so long goes to another one. [15]",
        ),
    )

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def with_wishes(*, group: str, kind: str, **rest: Any) -> None:
            names = ("start", "batch", "wait_s", "idle_s", "until_empty", "moved")
            wishes = Wishes(group=group, streams=_STREAMS[kind], **{name: rest.pop(name) for name in names})
            command(wishes=wishes, **rest)

        for option in reversed(options):
            with_wishes = option(with_wishes)
        return with_wishes

    return decorate


@sink.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--rotate-bytes",
    type=click.IntRange(min=0),
    default=1 << 28,
    help="Begin a new file before this one is longer; 0 is never. [268435456]",
)
@click.option(
    "--rotate-every",
    "rotate_s",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="SECONDS",
    help="Begin a new file in each such period, counted from midnight UTC; 0 is never. [0]",
)
@_common("sink-jsonl", 200, 1.0)
def jsonl(*, path: Path, rotate_bytes: int, rotate_s: float, wishes: Wishes) -> None:
    """Append events to the file PATH, a line of JSON each, as `ingest tail` prints them.

    A file that is long or old enough becomes NAME.20260102T030405Z-001.SUFFIX beside it and is not touched
    again. A line that a crash left half is cut off at the next start. One process writes to a PATH; an event
    is there once, known by its id among the last 100,000.
    """
    settings = load_settings()
    made = sink_of("jsonl")(path, rotate_bytes=rotate_bytes, rotate_s=rotate_s)
    asyncio.run(run_sink(settings, "jsonl", made, wishes, str(path.resolve())))


@sink.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@_common("sink-parquet", 5000, 60.0)
def parquet(*, folder: Path, wishes: Wishes) -> None:
    """Write events as Parquet files under DIR, by type and day.

    DIR/articles/day=2026-01-02/….parquet, and so for unchanged and dead; the day is the event's, in UTC. A
    file is written whole, under a name that tells its span of time, and so an event that comes again is
    looked up in the files of its time. One process writes to a DIR. Needs pyarrow:
    pip install 'ingest-worker[parquet]'.
    """
    settings = load_settings()
    made = sink_of("parquet")(folder)
    asyncio.run(run_sink(settings, "parquet", made, wishes, str(folder.resolve())))


def _schema(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    if not is_identifier(value):
        raise click.BadParameter(
            "it should be a name of small letters, digits and _, not beginning with a digit, "
            "and no word of SQL"
        )
    return value


@sink.command()
@click.argument("dsn", required=False)
@click.option("--schema", default="ingest", callback=_schema, help="The schema of the tables. [ingest]")
@click.option("--create/--no-create", default=True, help="Make schema and tables if there are none. [create]")
@click.option("--print-schema", is_flag=True, help="Print the SQL that makes them, and end.")
@_common("sink-postgres", 200, 1.0)
def postgres(*, dsn: str | None, schema: str, create: bool, print_schema: bool, wishes: Wishes) -> None:
    """Write events into PostgreSQL (14 or later).

    Table events has every event by its id; table articles the newest revision of each article, with a
    full-text index in its language; view dead_letters those that became none. An older revision never
    overwrites a newer one, in whatever order they come.

    DSN is postgresql://user@host:5432/database; without one, INGEST_POSTGRES_DSN. Keep passwords out of
    arguments, which others can read: that setting, PGPASSWORD and ~/.pgpass are for them. Needs asyncpg:
    pip install 'ingest-worker[postgres]'.
    """
    if print_schema:
        click.echo(schema_sql(schema), nl=False)
        return
    settings = load_settings()
    address = dsn or settings.postgres_dsn
    if address is None:
        raise click.UsageError(
            "give a DSN such as postgresql://user@host:5432/database, or INGEST_POSTGRES_DSN"
        )
    if dsn and re.match(r"\w+://[^/@]*:[^/]+@", dsn):
        click.echo("the DSN's password stands among the arguments, which others can read", err=True)
    made = sink_of("postgres")(address, schema=schema, create=create)
    asyncio.run(run_sink(settings, "postgres", made, wishes, f"{made.where}, schema {schema}"))


def _url(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    try:
        parts = urlsplit(value)
        is_whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_whole = False
    if not is_whole:
        raise click.BadParameter("it should look like https://example.com/hook")
    return value


@sink.command()
@click.argument("url", callback=_url)
@click.option(
    "--outbox",
    type=click.Path(path_type=Path),
    help="File of what is not delivered yet. [INGEST_DATA_DIR/GROUP.outbox]",
)
@click.option("--outbox-limit", type=click.IntRange(min=1), default=10_000, help="Events in it. [10000]")
@click.option("--concurrency", type=click.IntRange(1, 256), default=8, help="Requests at a time. [8]")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(0.1, 600.0),
    default=15.0,
    metavar="SECONDS",
    help="What an answer may take. [15]",
)
@click.option(
    "--max-attempts",
    type=click.IntRange(min=1),
    default=5,
    help="Attempts before an event that is refused (400, 413, 415, 422) is set aside. [5]",
)
@click.option(
    "--refused-limit", type=click.IntRange(min=1), default=10_000, help="Events set aside, the last. [10000]"
)
@click.option("--retry-refused", is_flag=True, help="Send again what was set aside, to begin with.")
@_common("sink-webhook", 100, 0.2)
def webhook(*, url: str, outbox: Path | None, wishes: Wishes, **options: Any) -> None:
    """POST each event to URL, as CloudEvents JSON, signed by INGEST_WEBHOOK_SECRET (Standard Webhooks).

    The headers are webhook-id (the event's id, the same at each attempt), webhook-timestamp and
    webhook-signature. 2xx is delivered; anything else is tried again, rarer and rarer, without holding up
    other events: it is kept in the outbox meanwhile. What the receiver finds wrong with an event (400, 413,
    415, 422) is set aside there after some attempts, with the answer, for --retry-refused. All other answers
    but 500 and its like give the receiver a rest, as long as Retry-After says. 410 ends the sink. Delivered
    at least once, in no strict order.
    """
    settings = load_settings()
    if not settings.webhook_secret:
        click.echo("INGEST_WEBHOOK_SECRET is not set: requests go out unsigned", err=True)
    made = sink_of("webhook")(
        url,
        outbox or settings.data_dir / f"{wishes.group}.outbox",
        keys=settings.webhook_secret,
        ca_file=settings.ca_file,
        **options,
    )
    # The path of a receiver's URL may be its secret.
    place = f"{urlsplit(url).hostname} (URL {sha256(made.where.encode()).hexdigest()[:8]})"
    asyncio.run(run_sink(settings, "webhook", made, wishes, place))
