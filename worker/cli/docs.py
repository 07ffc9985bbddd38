"""`python -m worker.cli.docs`: writes the generated parts of the docs anew, or says which are stale.

In README.md and ARCHITECTURE.md they stand between markers such as `<!-- settings -->` and
`<!-- /settings -->`; the JSON Schemas are whole files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from worker.cli.failures import Failed, told_plainly
from worker.events.schema import schema_files
from worker.outcomes import OUTCOMES, Outcome, outcome
from worker.settings import settings_table
from worker.telemetry.catalogue import catalogue_table
from worker.urls import tracking_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ROOT = Path(__file__).parents[2]
_SCHEMAS = "worker/events/schemas"
#: Statuses that show how the rows `http_<status>` differ.
_SHOWN_STATUSES = (404, 429, 503)


@dataclass(frozen=True, slots=True)
class Part:
    """A generated part of a document."""

    file: str
    marker: str
    table: Callable[[], str]

    def renewed(self, text: str) -> str | None:
        """The document's text with this part anew; None when it has no place for it."""
        begin, end = f"<!-- {self.marker} -->", f"<!-- /{self.marker} -->"
        place = re.compile(rf"(?<={re.escape(begin)}\n).*?(?={re.escape(end)})", re.DOTALL)
        # A function, as a backslash in the table is none of the pattern's business.
        renewed, count = place.subn(lambda _: f"\n{self.table()}\n", text, count=1)
        return renewed if count else None


def reasons_table() -> str:
    """A markdown table of `worker.outcomes`."""
    rows: list[Outcome] = [*OUTCOMES.values(), *(outcome(f"http_{status}") for status in _SHOWN_STATUSES)]
    lines = (f"| `{row.reason}` | {row.says} | {_yes(row.again)} | {_yes(row.hold_host)} |" for row in rows)
    head = ("| reason | meaning | tried again | holds the host |", "|---|---|---|---|")
    return "\n".join((*head, *lines)) + "\n"


def _yes(fact: bool) -> str:
    return "yes" if fact else "no"


PARTS = (
    Part("README.md", "settings", settings_table),
    Part("README.md", "tracking", tracking_table),
    Part("ARCHITECTURE.md", "log events", catalogue_table),
    Part("ARCHITECTURE.md", "reasons", reasons_table),
)


def renewed_files(root: Path) -> tuple[dict[Path, bytes], list[str]]:
    """What each file should hold, and a sentence for each part that has no place."""
    files = {root / _SCHEMAS / name: content for name, content in schema_files().items()}
    homeless: list[str] = []
    for part in PARTS:
        path = root / part.file
        if not path.is_file():
            homeless.append(f"{part.file} is missing: the {part.marker} table has no place")
            continue
        before = files[path].decode() if path in files else path.read_text("utf-8")
        after = part.renewed(before)
        if after is None:
            homeless.append(f"{part.file} lacks <!-- {part.marker} --> … <!-- /{part.marker} -->")
        files[path] = (after or before).encode()
    return files, homeless


def _stale(root: Path, files: dict[Path, bytes]) -> Iterator[Path]:
    for path, content in files.items():
        if not path.is_file() or path.read_bytes() != content:
            yield path.relative_to(root)


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit 1 naming what is stale.")
@click.option(
    "--root", type=click.Path(path_type=Path, exists=True, file_okay=False), default=_ROOT, hidden=True
)
def docs(*, check: bool, root: Path) -> None:
    """Write the generated parts of the docs anew."""
    with told_plainly():
        files, faults = renewed_files(root)
        stale = list(_stale(root, files))
        if check:
            faults += [f"{path} is stale: run make docs" for path in stale]
        else:
            for path in stale:
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_bytes(files[root / path])
                click.echo(f"wrote {path}")
        if faults:
            raise Failed("\n  ".join(("the generated docs:", *faults)))


if __name__ == "__main__":
    docs(prog_name="python -m worker.cli.docs")
