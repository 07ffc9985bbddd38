"""`ingest dead`: the dead letters, listed, shown, sent round again, and deleted."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
import orjson
from click.exceptions import Exit
from rich.table import Table
from rich.text import Text

from worker.cli.examples import examples
from worker.cli.failures import Failed
from worker.cli.screen import on_terminal, print_json, print_json_line, printable, results
from worker.cli.store import opened
from worker.outcomes import outcome
from worker.settings import Settings, load_settings
from worker.store.dead_letters import DeadLetter, DeadLetters

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

_PURGED_AT_ONCE = 500
_PROBLEMS_TOLD = 20


@click.group(
    epilog=examples(
        "ingest dead list --reason http_404",
        "ingest dead show 1735689600000-0",
        "ingest dead retry --reason connect     once the host is back",
        "ingest dead purge --all --yes",
    )
)
def dead() -> None:
    """List, show, retry and purge dead letters.

    A dead letter is the end of an accepted URL that became no article. ID is the id of its entry, as `list`
    shows it. REASON is one of those in `ingest status`, such as http_404, robots, timeout or not_article.
    Settings: INGEST_REDIS_URL, INGEST_NAMESPACE, INGEST_PARTITIONS.
    """


def _reason(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    try:
        return value and outcome(value).reason
    except KeyError as error:
        raise click.BadParameter(f"{value!r} is no reason: `ingest status` shows those there are") from error


_reason_option = click.option(
    "--reason", callback=_reason, metavar="REASON", help="Those that died of REASON."
)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@dataclass(frozen=True, slots=True)
class _Choice:
    """Which letters a command is about: those named, those of a reason, or all."""

    ids: tuple[str, ...]
    reason: str | None
    all: bool

    def check(self) -> None:
        """Raise UsageError unless exactly one way of choosing was used."""
        if bool(self.ids) + bool(self.reason) + self.all != 1:
            raise click.UsageError("give ids, or --reason REASON, or --all")

    def confirm(self, verb: str) -> None:
        """Have the user confirm --all where there is one to ask. Raises Exit when the answer is no."""
        if self.all and sys.stdin.isatty() and not click.confirm(f"{verb} all dead letters?", err=True):
            raise Exit(1)

    async def of(self, letters: DeadLetters, now_ms: int, missing: list[str]) -> AsyncIterator[DeadLetter]:
        """The letters that were there at `now_ms`; ids that name none are added to `missing`."""
        for letter_id in self.ids:
            try:
                letter = await letters.find(letter_id)
            except ValueError as error:
                missing.append(str(error))
                continue
            if letter is None:
                missing.append(f"there is no dead letter {letter_id}")
            else:
                yield letter
        if not self.ids:
            async for letter in letters.all():
                # A URL that dies again meanwhile comes back at the end, and would never let us finish.
                if _died_ms(letter) <= now_ms and self.reason in {None, letter.reason}:
                    yield letter


def _choosing(command: Callable[..., None]) -> Callable[..., None]:
    """The ways of choosing letters, for commands that change them."""
    for decorate in (
        click.option("--all", "everything", is_flag=True, help="All of them."),
        _reason_option,
        click.argument("ids", nargs=-1, metavar="[ID]..."),
    ):
        command = decorate(command)
    return command


@dead.command("list")
@_reason_option
@click.option("--limit", type=click.IntRange(min=1), help="At most so many.")
@_json_option
def list_(*, reason: str | None, limit: int | None, as_json: bool) -> None:
    """List dead letters, oldest first: id, reason, tries, time, URL.

    In a pipe, or with --json, a JSON line each, as from `ingest tail --dead`.
    """
    asyncio.run(_list(load_settings(), reason, limit, as_json=as_json or not on_terminal()))


@dead.command()
@click.argument("letter_id", metavar="ID")
@_json_option
def show(*, letter_id: str, as_json: bool) -> None:
    """Show one dead letter: why, after how many tries, and what to do."""
    asyncio.run(_show(load_settings(), letter_id, as_json=as_json))


@dead.command()
@_choosing
def retry(*, ids: tuple[str, ...], reason: str | None, everything: bool) -> None:
    """Let URLs wait again, with all their tries before them.

    The letter leaves the stream, and its URL ends once more, as an article or in another letter. Malformed
    items have no URL to retry: mend them, and `ingest add` them.
    """
    choice = _Choice(ids, reason, everything)
    choice.check()
    choice.confirm("Retry")
    asyncio.run(_retry(load_settings(), choice))


@dead.command()
@_choosing
@click.option("--yes", is_flag=True, help="Do not ask.")
def purge(*, ids: tuple[str, ...], reason: str | None, everything: bool, yes: bool) -> None:
    """Delete dead letters for good. The ledger goes on counting them as dead: so they ended."""
    choice = _Choice(ids, reason, everything)
    choice.check()
    if not yes:
        choice.confirm("Delete")
    asyncio.run(_purge(load_settings(), choice))


@asynccontextmanager
async def _letters(settings: Settings) -> AsyncIterator[tuple[DeadLetters, int]]:
    """The letters, and Redis' time in ms."""
    async with opened(settings) as store:
        seconds, micros = await store.connection.command("TIME")
        letters = DeadLetters(store.connection, store.keys, settings.host_grouping)
        yield letters, int(seconds) * 1000 + int(micros) // 1000


async def _list(settings: Settings, reason: str | None, limit: int | None, *, as_json: bool) -> None:
    console, shown = results(), 0
    async with _letters(settings) as (letters, now_ms):
        async for letter in _Choice((), reason, all=reason is None).of(letters, now_ms, []):
            if as_json:
                print_json_line(_whole(letter))
            else:
                console.print(_line(letter), soft_wrap=True)
            shown += 1
            if shown == limit:
                return
    if not shown and not as_json:
        click.echo("no dead letters", err=True)


async def _show(settings: Settings, letter_id: str, *, as_json: bool) -> None:
    missing: list[str] = []
    async with _letters(settings) as (letters, now_ms):
        async for letter in _Choice((letter_id,), None, all=False).of(letters, now_ms, missing):
            if as_json:
                print_json(_whole(letter))
            else:
                results().print(_details(letter))
    if missing:
        raise Failed(missing[0])


async def _retry(settings: Settings, choice: _Choice) -> None:
    retried, problems = 0, list[str]()
    async with _letters(settings) as (letters, now_ms):
        async for letter in choice.of(letters, now_ms, problems):
            if letter.url is None:
                problems.append(f"{letter.id} is a malformed item: mend it and add it again")
            elif await letters.retry(letter) is None:
                problems.append(f"there is no dead letter {letter.id}")
            else:
                retried += 1
    _tell(f"retried {retried:,}", choice, problems)


async def _purge(settings: Settings, choice: _Choice) -> None:
    purged, problems, batch = 0, list[str](), list[DeadLetter]()
    async with _letters(settings) as (letters, now_ms):
        async for letter in choice.of(letters, now_ms, problems):
            batch.append(letter)
            if len(batch) == _PURGED_AT_ONCE:
                purged += await letters.purge(batch)
                batch.clear()
        purged += await letters.purge(batch)
    _tell(f"purged {purged:,}", choice, problems)


def _tell(done: str, choice: _Choice, problems: list[str]) -> None:
    """Say what was done and what was not. Raises Failed when a letter that was named could not be had."""
    click.echo(done)
    told = "\n  ".join(problems[:_PROBLEMS_TOLD])
    if len(problems) > _PROBLEMS_TOLD:
        told += f"\n  and {len(problems) - _PROBLEMS_TOLD:,} more"
    if choice.ids and problems:
        raise Failed(told)
    if problems:
        click.echo(told, err=True)


def _died_ms(letter: DeadLetter) -> int:
    return int(letter.entry.partition("-")[0])


def _whole(letter: DeadLetter) -> dict[str, Any]:
    return {**letter.event, "entry": letter.id, "data": letter.data}


def _line(letter: DeadLetter) -> Text:
    data = letter.data
    return Text.assemble(
        f"{letter.id}  ",
        (f"{letter.reason:<18} ", "red"),
        (f"{data['attempts']} tries  {data['died_at'][:19]}  ", "dim"),
        printable(letter.url or data["item"]),
    )


def _details(letter: DeadLetter) -> Table:
    data = letter.data
    task = data["task"] or {}
    rows = {
        "id": letter.id,
        "reason": f"{letter.reason}: {data['says']}",
        "error": data["error"],
        "url": letter.url,
        "requested": data["requested_url"] if data["requested_url"] != letter.url else None,
        "item": data["item"],
        "redirects": " → ".join(data["redirects"]),
        "tries": str(data["attempts"]),
        "accepted": data["accepted_at"],
        "died": data["died_at"],
        "task": task.get("task_id"),
        "your id": task.get("id"),
        "your meta": orjson.dumps(task["meta"]).decode() if task.get("meta") is not None else None,
        "to retry": f"ingest dead retry {letter.id}" if letter.url else data["how_to_retry"],
    }
    table = Table.grid(padding=(0, 2))
    for name, text in rows.items():
        if text:
            table.add_row(Text(name, "dim"), Text(printable(text), overflow="fold"))
    return table
