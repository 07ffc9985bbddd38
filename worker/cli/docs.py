"""`make docs`: writes the generated parts of the documents anew; `make check` asks whether they are stale.

A part stands between `<!-- name -->` and `<!-- /name -->`; in files whose comments begin with #, between
`# <name>` and `# </name>`. For people who work on ingest, in a checkout.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.exceptions import Exit

from worker.cli.failures import Failed
from worker.events.schema import SCHEMAS, schema_files, write_schemas
from worker.outcomes import OUTCOMES, Outcome, outcome
from worker.settings import settings_lines, settings_table
from worker.telemetry.catalogue import catalogue_table
from worker.urls import tracking_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
_SCHEMAS = SCHEMAS.relative_to(ROOT)


def reasons_table() -> str:
    """A markdown table of all reasons: what each means, and what follows from it."""
    statuses = [outcome(f"http_{status}") for status in range(100, 600)]
    again = [row for row in statuses if row.again]
    rows = [
        *OUTCOMES.values(),
        Outcome(_listed(again, hold=True), True, True, "the server asks all clients to hold back"),
        Outcome(_listed(again, hold=False), True, False, "the server has a trouble that may pass"),
        Outcome("http_<status>", False, False, "any other status, 206 (half a page) included"),
    ]
    head = ("| reason | tried again | host held back | what it means |", "|---|---|---|---|")
    lines = (
        f"| {_code(row.reason)} | {_yes(row.again)} | {_yes(row.hold_host)} | {row.says} |" for row in rows
    )
    return "\n".join((*head, *lines)) + "\n"


def _listed(rows: list[Outcome], *, hold: bool) -> str:
    return " ".join(row.reason for row in rows if row.hold_host is hold)


def _code(reasons: str) -> str:
    return ", ".join(f"`{reason}`" for reason in reasons.split())


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def settings_of_compose() -> str:
    """An entry for each setting that docker-compose hands through."""
    return "".join(f"  {name}:\n" for name, _, _ in settings_lines() if name not in GIVEN_BY_COMPOSE)


def settings_of_env() -> str:
    """Each of them with what it is and its default, commented out."""
    return "".join(
        f"# {says}\n#{name}={OF_COMPOSE.get(name, default)}\n"
        for name, default, says in settings_lines()
        if name not in GIVEN_BY_COMPOSE
    )


#: Settings that follow from docker-compose.yml and from the image.
GIVEN_BY_COMPOSE = frozenset({"INGEST_REDIS_URL", "INGEST_OPS_ADDRESS", "INGEST_DATA_DIR"})
#: What docker-compose.yml says instead of a setting's own default: bounded memory, and a mount.
OF_COMPOSE = {
    "INGEST_EXTRACT_PROCESSES": "2",
    "INGEST_EXTRACT_MEMORY_LIMIT_BYTES": str(256 * 2**20),
    "INGEST_HOSTS_FILE": "/etc/ingest/hosts.toml",
}
PARTS: dict[str, dict[str, Callable[[], str]]] = {
    "README.md": {"settings": settings_table, "tracking": tracking_table},
    "ARCHITECTURE.md": {"log events": catalogue_table, "reasons": reasons_table},
    "docker-compose.yml": {"settings": settings_of_compose},
    ".env.example": {"settings": settings_of_env},
}


@dataclass(slots=True)
class Document:
    """A file's text as it is and as it should be, and what keeps it from being so."""

    name: str
    text: str
    wanted: str
    stale: list[str] = field(default_factory=list)  # parts
    missing: list[str] = field(default_factory=list)  # markers that are not there, or there twice

    @property
    def faults(self) -> list[str]:
        """A sentence each."""
        missing = [f"{self.name} lacks one {marker}" for marker in self.missing]
        return missing + [f"{self.name}: the part `{part}` is stale" for part in self.stale]


def documents(root: Path = ROOT) -> Iterator[Document]:
    """Every document with generated parts, those made anew. Raises OSError for one that is not there."""
    for name, parts in PARTS.items():
        text = (root / name).read_text("utf-8")
        document = Document(name, text, text)
        for part, table in parts.items():
            _renew(document, part, table())
        yield document


def markers(name: str, part: str) -> tuple[str, str]:
    """The lines before and after a part of the document `name`."""
    if name.endswith(".md"):
        return f"<!-- {part} -->", f"<!-- /{part} -->"
    return f"# <{part}>", f"# </{part}>"


def _renew(document: Document, part: str, table: str) -> None:
    first, last = markers(document.name, part)
    found = re.search(f"{re.escape(first)}(.*?)( *{re.escape(last)})", document.wanted, re.DOTALL)
    missing = [marker for marker in (first, last) if document.wanted.count(marker) != 1]
    if found is None or missing:
        document.missing += missing or [f"{last} after {first}"]
        return
    generated = f"\n\n{table}\n" if document.name.endswith(".md") else f"\n{table}"
    if found[1] != generated:
        document.stale.append(part)
        document.wanted = document.wanted[: found.start(1)] + generated + document.wanted[found.end(1) :]


def stale_schemas(root: Path = ROOT) -> list[str]:
    """The checked-in schemas that differ from what the code generates, a sentence each."""
    folder = root / _SCHEMAS
    return [
        f"{_SCHEMAS / name} is stale"
        for name, content in schema_files().items()
        if not (folder / name).is_file() or (folder / name).read_bytes() != content
    ]


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 names what is stale.")
@click.option("--root", type=click.Path(path_type=Path), default=ROOT, help="The checkout. [this one]")
def docs(*, check: bool, root: Path) -> None:
    """Write the generated parts of README.md, ARCHITECTURE.md and the JSON Schemas anew."""
    try:
        found = list(documents(root))
    except OSError as error:
        raise Failed(f"{error.filename}: {error.strerror}; this runs in a checkout") from error
    if check:
        faults = [fault for document in found for fault in document.faults] + stale_schemas(root)
        for fault in faults:
            click.echo(fault)
        if faults:
            click.echo("`make docs` writes the generated parts anew")
            raise Exit(1)
        return
    if missing := [
        f"{document.name} lacks one {marker}" for document in found for marker in document.missing
    ]:
        raise Failed("\n  ".join(missing))
    for document in found:
        (root / document.name).write_text(document.wanted, "utf-8")
    write_schemas(root / _SCHEMAS)


if __name__ == "__main__":
    docs(prog_name="python -m worker.cli.docs")
