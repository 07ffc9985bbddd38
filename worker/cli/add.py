"""`ingest add`: URLs into the queue, from arguments, files and pipes."""

from __future__ import annotations

import asyncio
import math
import os
import stat
import sys
from contextlib import AsyncExitStack, contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any, Self, cast

import click
import orjson
from click.exceptions import Exit
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from worker.cli.examples import examples
from worker.cli.intake import DUPLICATE, Intake, Refusal, lines_of
from worker.cli.screen import print_json, talk
from worker.cli.store import opened
from worker.errors import Malformed
from worker.settings import load_settings
from worker.store.durability import Unconfirmed
from worker.urls import parse_item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from worker.cli.intake import Bytes
    from worker.settings import Settings

#: Refusals told one by one; those after them are only counted.
_TOLD = 20
_REASONS_SHOWN = 20


@click.command(
    epilog=examples(
        "ingest add https://example.com/a https://example.com/b",
        "ingest add -f urls.txt                        a URL or a JSON object a line",
        "zcat urls.gz | ingest add -                   from a pipe",
        "ingest add --force --priority high URL        again, and before all others of its host",
        "ingest add --recrawl-after 86400 -f urls.txt  again, what was last visited a day ago or longer",
        """ingest add --meta '{"feed": 7}' --id a1 URL   handed through to the event""",
    )
)
@click.argument("urls", nargs=-1, metavar="[URL]... [-]")
@click.option(
    "-f", "--file", "files", multiple=True, type=click.File("rb"), help="Read lines from a file; - is stdin."
)
@click.option("--force", is_flag=True, help="Take URLs even if they were seen just now.")
@click.option(
    "--recrawl-after",
    type=float,
    metavar="SECONDS",
    help="Take URLs that were seen, if their last visit is so long ago.",
)
@click.option(
    "--priority", type=click.Choice(("normal", "high")), help="high goes before others of its host."
)
@click.option("--id", "producer_id", metavar="ID", help="Your own name for the one URL given.")
@click.option("--meta", metavar="JSON", help="Any JSON, handed through to the event as task.meta.")
@click.option("--not-before", metavar="WHEN", help="Not before: RFC 3339 with an offset, or Unix seconds.")
@click.option("--json", "as_json", is_flag=True, help='Print {"pushed": N, "refused": [{line, item, why}]}.')
def add(
    *,
    urls: tuple[str, ...],
    files: tuple[IO[bytes], ...],
    force: bool,
    recrawl_after: float | None,
    priority: str | None,
    producer_id: str | None,
    meta: str | None,
    not_before: str | None,
    as_json: bool,
) -> None:
    """Push URLs to the queue, checked one by one.

    Each line is a URL, or a JSON object with url and, if you like, id, priority, meta, not_before,
    recrawl_after_s and force; what a line says itself wins over the options here. Empty lines and lines that
    start with # are skipped.

    What can never become an article (not a URL, not http, broken JSON) is refused here with its line
    number, and the exit code is then 1; all good lines are pushed nevertheless. A URL that comes twice in the
    input is pushed once, unless --force is given; that alone is no failure. Whether a URL was seen earlier
    (INGEST_SEEN_DAYS, --recrawl-after) is decided by the worker that admits it, and not known here: see
    `refused` in `ingest status`.

    When Redis (INGEST_REDIS_URL) goes away in the middle, add everything again: workers refuse what they
    have already. Only with --force could a URL be fetched twice then.
    """
    if producer_id is not None and (files or len(urls) != 1 or urls == ("-",)):
        raise click.UsageError("--id names one URL: give exactly one")
    if not urls and not files:
        raise click.UsageError("give URLs, a file with -f, or - for stdin")
    intake = Intake(
        _wishes(
            force=force,
            recrawl_after_s=recrawl_after,
            priority=priority,
            id=producer_id,
            meta=meta,
            not_before=not_before,
        )
    )
    with _pushing(load_settings()) as push, _Report(intake, as_json=as_json, files=files) as report:
        for source in _sources(urls, files):
            intake.line = 0
            for items in source:
                pushable, refusals = intake.sift(items)
                report.refused(refusals)
                try:
                    if pushable:
                        push(pushable)
                except Unconfirmed:
                    report.pushed(len(pushable), read_bytes=0)  # they stand in the queue all the same
                    raise
                report.pushed(len(pushable), read_bytes=sum(len(item) + 1 for item in items))
    if intake.refused.total() > intake.refused[DUPLICATE]:
        raise Exit(1)


def _wishes(**given: Any) -> dict[str, Any]:
    """The fields that the options ask for. Raises UsageError for what no item may hold."""
    wishes = {name: value for name, value in given.items() if value is not None and value is not False}
    try:
        if "meta" in wishes:
            wishes["meta"] = orjson.loads(wishes["meta"])
        if not math.isfinite(wishes.get("recrawl_after_s", 0)):  # JSON would make a null of it
            raise click.UsageError("--recrawl-after is not a number of seconds")
        with suppress(ValueError):
            if math.isfinite(seconds := float(wishes.get("not_before", ""))):
                wishes["not_before"] = seconds
        parse_item(orjson.dumps({"url": "http://localhost/", **wishes}))
    except orjson.JSONDecodeError as error:
        raise click.UsageError(f"--meta is no JSON: {error}") from error
    except orjson.JSONEncodeError as error:
        raise click.UsageError(f"an option is not UTF-8: {error}") from error
    except Malformed as fault:
        raise click.UsageError(fault.why) from fault
    return wishes


def _sources(urls: tuple[str, ...], files: tuple[IO[bytes], ...]) -> Iterator[Iterable[list[bytes]]]:
    if arguments := [os.fsencode(url) for url in urls if url != "-"]:
        yield [arguments]
    for file in files:
        yield lines_of(cast("Bytes", file))  # click opens it buffered
    if "-" in urls:
        yield lines_of(cast("Bytes", sys.stdin.buffer))


@contextmanager
def _pushing(settings: Settings) -> Iterator[Callable[[list[bytes]], None]]:
    """A function that pushes. Reading stays outside of the loop, where Ctrl-C can end a read that waits."""
    with asyncio.Runner() as runner:
        closing = AsyncExitStack()
        store = runner.run(closing.enter_async_context(opened(settings)))
        try:
            # No more than that: a producer needs no right to Redis' INFO.
            runner.run(store.connection.command("PING"))
            yield lambda items: runner.run(store.inbox.push(items))
        finally:
            runner.run(closing.aclose())


class _Report:
    """Tells of refusals and progress as they come, and the sums at the end, however it ends."""

    def __init__(self, intake: Intake, *, as_json: bool, files: tuple[IO[bytes], ...]) -> None:
        self._intake = intake
        self._as_json = as_json
        self._pushed = 0
        self._refusals: list[Refusal] = []  # with as_json: all; else those that were told
        self._console = talk()
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.fields[pushed]:,} pushed, {task.fields[refused]:,} refused"),
            BarColumn(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._bar = self._progress.add_task("", total=_total_bytes(files), pushed=0, refused=0)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def refused(self, refusals: list[Refusal]) -> None:
        """Note refusals, and tell the first ones."""
        room = len(refusals) if self._as_json else _TOLD - len(self._refusals)
        self._refusals += refusals[:room]
        if not self._as_json:
            for refusal in refusals[:room]:
                self._console.print(f"line {refusal.line}: {refusal.why}: {refusal.item}", soft_wrap=True)

    def pushed(self, count: int, *, read_bytes: int) -> None:
        """Note what Redis has now."""
        self._pushed += count
        refused = self._intake.refused.total()
        self._progress.update(self._bar, advance=read_bytes, pushed=self._pushed, refused=refused)

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
        if self._as_json:
            print_json({"pushed": self._pushed, "refused": self._refusals})
            return
        click.echo(f"pushed {self._pushed:,}, refused {self._intake.refused.total():,}")
        for why, count in self._intake.refused.most_common(_REASONS_SHOWN):
            click.echo(f"  {count:,} × {why}")


def _total_bytes(files: tuple[IO[bytes], ...]) -> int | None:
    """What there is to read, or None where a pipe does not say."""
    modes = [os.fstat(file.fileno()) for file in files if file is not sys.stdin.buffer]
    if not files or len(modes) < len(files) or not all(stat.S_ISREG(mode.st_mode) for mode in modes):
        return None
    return sum(mode.st_size for mode in modes)
