"""`ingest reprocess`: archives read anew by today's rules."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.exceptions import Exit

from worker.archive.reader import Damaged
from worker.cli.examples import examples
from worker.cli.screen import print_json_line, printable, results, talk
from worker.cli.store import opened
from worker.clock import SystemClock
from worker.reprocess.reprocessor import KINDS, Reprocessor
from worker.runtime.parts import pool_of
from worker.runtime.stories import stories_of
from worker.settings import load_settings
from worker.store.headroom import Headroom
from worker.store.reprocessing import Reprocessing
from worker.telemetry.log import configure_logging

if TYPE_CHECKING:
    from worker.reprocess.reprocessor import Result
    from worker.settings import Settings

_TOLD = frozenset({"new", "updated", "failed"})


@click.command(
    epilog=examples(
        "ingest reprocess --dry-run archive/*.warc.gz",
        "ingest reprocess archive/*.warc.gz",
        "ingest reprocess --json crawl.warc.gz | jq -r .url",
    )
)
@click.argument(
    "files",
    metavar="FILE…",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
)
@click.option("--dry-run", is_flag=True, help="Say what would be published, and write nothing.")
@click.option(
    "--forgotten",
    is_flag=True,
    help="Publish also what was published once and whose last visit is older than INGEST_VISIT_DAYS.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each change, then the counts.")
def reprocess(*, files: tuple[Path, ...], dry_run: bool, forgotten: bool, as_json: bool) -> None:
    """Read archived pages anew; publish what differs.

    FILEs are WARC, gzipped or not, of INGEST_ARCHIVE_DIR or of any other crawler. Each page is read by
    today's rules. Where the article differs from the last one known, its next revision goes to the articles
    stream; what was never published is revision 1. A page that a later visit has superseded is passed over.

    Killed and run again, it publishes nothing twice. These events are no end of an accepted URL: the ledger
    counts them apart, as `reprocessed`. It needs the rights of a worker in Redis, and waits where one would:
    INGEST_MAX_BACKLOG, INGEST_REDIS_MEMORY_SHARE. The exit code is 1 if a file is damaged.
    """
    settings = load_settings()
    configure_logging("console", "warning", settings.mask_query, sys.stderr.buffer)
    if asyncio.run(_reprocess(files, settings, dry_run=dry_run, forgotten=forgotten, as_json=as_json)):
        raise Exit(1)


async def _reprocess(
    files: tuple[Path, ...], settings: Settings, *, dry_run: bool, forgotten: bool, as_json: bool
) -> int:
    """How many files could not be read to their end."""
    damaged = 0
    async with opened(settings) as store, pool_of(settings) as pool:
        await store.connection.check()
        reprocessor = Reprocessor(
            settings,
            Reprocessing(
                store.connection, store.keys, visit_days=settings.visit_days, max_backlog=settings.max_backlog
            ),
            pool,
            Headroom(store.connection, share=settings.redis_memory_share, clock=SystemClock()),
            stories=stories_of(settings, store.connection, store.keys),
            clock=SystemClock(),
            dry_run=dry_run,
            forgotten=forgotten,
        )
        for file in files:
            try:
                async for result in reprocessor.run(file):
                    _tell(result, as_json=as_json)
            except (Damaged, OSError) as error:
                talk().print(f"ingest: {file}: not read any further: {printable(str(error))}", soft_wrap=True)
                damaged += 1
    _tell_counts(reprocessor, dry_run=dry_run, as_json=as_json)
    return damaged


def _tell(result: Result, *, as_json: bool) -> None:
    if result.kind not in _TOLD:
        return
    title = result.article.title if result.article else result.why
    if as_json:
        line = {name: value for name, value in asdict(result).items() if name != "article"}
        print_json_line(line | {"title": title})
        return
    fields = f" ({', '.join(result.changed_fields)})" if result.changed_fields else ""
    results().print(
        printable(f"{result.kind:<9} {result.revision:>4}  {result.url}{fields}  {title}"), soft_wrap=True
    )


def _tell_counts(reprocessor: Reprocessor, *, dry_run: bool, as_json: bool) -> None:
    counts = {kind: reprocessor.counts[kind] for kind in KINDS}
    if as_json:
        print_json_line({"counts": counts, "dry_run": dry_run})
        return
    done = "would be published" if dry_run else "published"
    rest = ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in list(counts.items())[2:])
    total = f"{sum(counts.values()):,} responses: "
    click.echo(f"{total}{counts['new']:,} new and {counts['updated']:,} updated {done}; {rest}")
    if counts["forgotten"]:
        talk().print("--forgotten publishes those whose last visit Redis does not know any more")
