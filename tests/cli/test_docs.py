"""The generated parts of the docs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from worker.cli.docs import PARTS, docs, reasons_table
from worker.outcomes import OUTCOMES

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout whose documents have places for every part, all empty."""
    for file in {part.file for part in PARTS}:
        places = [f"<!-- {part.marker} -->\n<!-- /{part.marker} -->" for part in PARTS if part.file == file]
        (tmp_path / file).write_text("\n\n".join(("# Title", *places, "The end.\n")))
    return tmp_path


def _docs(root: Path, *args: str) -> Result:
    return CliRunner().invoke(docs, ["--root", str(root), *args])


def test_check_names_what_is_stale_and_writes_nothing(root: Path) -> None:
    """Every stale file is in the message, and still is stale afterwards."""
    before = (root / "README.md").read_text()
    result = _docs(root, "--check")
    assert result.exit_code == 1
    for name in ("README.md", "ARCHITECTURE.md", "article-1.0.json", "dead-letter-1.0.json"):
        assert f"{name} is stale" in result.output
    assert (root / "README.md").read_text() == before


def test_written_docs_pass_the_check(root: Path) -> None:
    """Writing once is enough, and leaves what stands around the parts as it was."""
    assert _docs(root).exit_code == 0
    assert _docs(root, "--check").exit_code == 0
    text = (root / "README.md").read_text()
    assert text.startswith("# Title\n")
    assert text.endswith("The end.\n")
    assert "| `INGEST_REDIS_URL` |" in text


def test_an_edited_table_is_stale(root: Path) -> None:
    """A hand in a generated part is noticed."""
    _docs(root)
    path = root / "ARCHITECTURE.md"
    path.write_text(path.read_text().replace("| `dns` |", "| `d.n.s` |"))
    assert "ARCHITECTURE.md is stale" in _docs(root, "--check").output


def test_missing_places_are_named(root: Path) -> None:
    """A document or a marker that is not there is a fault of its own, by name."""
    (root / "ARCHITECTURE.md").unlink()
    (root / "README.md").write_text("nothing here\n")
    output = _docs(root, "--check").output
    assert "ARCHITECTURE.md is missing: the reasons table has no place" in output
    assert "README.md lacks <!-- settings -->" in output


def test_every_reason_has_a_row() -> None:
    """The table is the whole closed set, with examples of the statuses."""
    table = reasons_table()
    assert all(f"| `{reason}` |" in table for reason in (*OUTCOMES, "http_404", "http_429"))
