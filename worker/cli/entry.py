"""The way in: finds the command, loads no other one, and turns its failures into messages and exit codes."""

from __future__ import annotations

import difflib
import importlib
import sys
from dataclasses import dataclass
from io import TextIOWrapper
from typing import Any

import click

from worker import __version__
from worker.cli.examples import examples
from worker.cli.failures import INTERRUPTED, told_plainly


@dataclass(frozen=True, slots=True)
class Known:
    """A command that is imported when it is asked for, so that none pays for another's imports."""

    where: str  # module:attribute
    says: str  # its line in the help

    def load(self) -> click.Command:
        """The command, imported now."""
        module, _, name = self.where.partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


COMMANDS = {
    "run": Known("worker.cli.run:run", "Run a worker until SIGTERM or Ctrl-C."),
    "add": Known("worker.cli.add:add", "Push URLs to the queue, checked one by one."),
    "status": Known("worker.cli.status:status", "Show the ledger: where every accepted URL is."),
    "tail": Known("worker.cli.tail:tail", "Follow the articles as they are published."),
    "sink": Known("worker.cli.sink.command:sink", "Write events to files, a database or a receiver."),
    "dead": Known("worker.cli.dead:dead", "List, show, retry and purge dead letters."),
    "extract": Known("worker.cli.extract:extract", "Extract one article from a file or a URL."),
    "reprocess": Known("worker.cli.reprocess:reprocess", "Read archived pages anew; publish what differs."),
    "fetch": Known("worker.cli.fetch.command:fetch", "Fetch one URL and explain every step."),
    "check": Known("worker.cli.check.command:check", "Check that everything a worker needs is in place."),
    "feed": Known("worker.cli.feed:feed", "Watch feeds, and push the URLs of their new articles."),
    "discover": Known("worker.cli.discover:discover", "Find the feeds and sitemaps of a site."),
    "schema": Known("worker.cli.schema:schema", "Print the contract: JSON Schemas, AsyncAPI."),
    "logs": Known("worker.cli.logs.command:logs", "Summarise log files of workers on one screen."),
    "demo": Known("worker.cli.demo.command:demo", "Run the whole job on a sample site, or on your URLs."),
}
_HIDDEN = {"suspects": Known("worker.cli.run:suspects", "Work off the suspects; a worker starts this.")}


class Ingest(click.Group):
    """A group that imports its commands late."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command, imported now."""
        known = COMMANDS.get(cmd_name) or _HIDDEN.get(cmd_name)
        return known.load() if known else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list in the help, written without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, known.says) for name, known in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest names for a wrong one."""
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            near = difflib.get_close_matches(name, COMMANDS)
            ctx.fail(f"No such command {name!r}." + (f" Did you mean {' or '.join(near)}?" if near else ""))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what it fails by on purpose becomes a message and an exit code."""
        with told_plainly():
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result


@click.group(
    cls=Ingest,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples(
        "ingest demo                            see it work, on a sample site of its own",
        "ingest run --embedded                  a worker with a private Redis under .ingest/",
        "ingest add https://example.com/news    push a URL to the queue",
        "ingest tail                            watch the articles come",
    )
    + "\n\nExit codes: 0 done as asked; 1 it failed, and stderr says why; 2 wrong usage or settings; 130 "
    "interrupted; 141 the reader of the output went away. Results go to stdout, all else to stderr.",
)
@click.version_option(__version__, "-V", "--version", prog_name="ingest", message="%(prog)s %(version)s")
def ingest() -> None:
    """Turn URLs from a Redis queue into clean news-article events, each exactly once.

    Settings are environment variables with the prefix INGEST_; INGEST_REDIS_URL says where Redis is.
    `ingest check` tells whether everything needed is in place.
    """


def main() -> None:
    """Run `ingest` with the process's arguments; never returns."""
    # A page's text may hold half a surrogate pair, which no terminal can show: a "?" beats a traceback.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        ingest(prog_name="ingest")
    except KeyboardInterrupt:  # while the command was still being imported
        sys.exit(INTERRUPTED)
