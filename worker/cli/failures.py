"""From errors that are expected to one message on stderr and an exit code. Never a traceback for those."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import click
from click.exceptions import Exit

from worker.errors import IngestError, Misconfigured, first_of

if TYPE_CHECKING:
    from collections.abc import Iterator

INTERRUPTED = 130  # 128 + SIGINT, as shells say it
NO_READER = 141  # 128 + SIGPIPE


class Failed(click.ClickException):
    """The command could not do what was asked."""

    exit_code = 1

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the message."""
        click.echo(f"ingest: {self.message}", file=file or sys.stderr)


class WrongSettings(Failed):
    """It was not even tried."""

    exit_code = 2  # as click's own code for wrong usage


@contextmanager
def told_plainly() -> Iterator[None]:
    """Turn expected errors of the block into `Failed`, and an interruption into its exit code."""
    try:
        yield
    except BrokenPipeError:
        _drop_stdout()
        raise Exit(NO_READER) from None
    except (KeyboardInterrupt, click.Abort):
        raise Exit(INTERRUPTED) from None
    except IngestError as error:
        raise failed(error) from error
    except BaseExceptionGroup as group:
        # A TaskGroup's: when all of its tasks were refused for the same reason, one of them speaks for all.
        expected, rest = group.split(IngestError)
        if expected is None or rest is not None:
            raise
        raise failed(first_of(expected)) from group


def failed(error: IngestError) -> Failed:
    """The error as the end of a command."""
    if not isinstance(error, Misconfigured):
        return Failed(str(error))
    count = len(error.faults)
    head = "a setting is wrong" if count == 1 else f"{count} settings are wrong"
    return WrongSettings("\n  ".join((f"{head}:", *error.faults)))


def _drop_stdout() -> None:
    """Let what is still buffered go nowhere: Python's exit would fail on it again, loudly."""
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
