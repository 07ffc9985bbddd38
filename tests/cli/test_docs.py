"""The generated parts of the documents."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from worker.cli.docs import PARTS, ROOT, docs, markers, reasons_table
from worker.events.schema import SCHEMAS, schema_files
from worker.outcomes import OUTCOMES

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what is generated."""
    for name in PARTS:
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(SCHEMAS, tmp_path / SCHEMAS.relative_to(ROOT))
    return tmp_path


def run(root: Path, *options: str) -> Result:
    return CliRunner().invoke(docs, [*options, "--root", str(root)])


def changed(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


def test_this_checkout_is_fresh() -> None:
    """What is generated here is what the code says now."""
    result = run(ROOT, "--check")
    assert (result.exit_code, result.output) == (0, "")


@pytest.mark.parametrize(("name", "part"), [(name, part) for name, parts in PARTS.items() for part in parts])
def test_a_stale_part_is_named_and_mended(checkout: Path, name: str, part: str) -> None:
    """A part that was changed by hand fails the check by its name; writing the parts restores it."""
    before = (checkout / name).read_text("utf-8")
    first, _ = markers(name, part)
    changed(checkout / name, f"{first}\n", f"{first}\n\nby hand\n")
    result = run(checkout, "--check")
    assert result.exit_code == 1
    assert f"{name}: the part `{part}` is stale" in result.output
    assert run(checkout).exit_code == 0
    assert (checkout / name).read_text("utf-8") == before


@pytest.mark.parametrize("marker", ["<!-- settings -->", "<!-- /settings -->"])
@pytest.mark.parametrize("instead", ["", "{0}{0}"])
def test_a_marker_that_is_not_there_once_is_named(checkout: Path, marker: str, instead: str) -> None:
    """Without exactly one of each marker nothing is written and the marker is named."""
    changed(checkout / "README.md", marker, instead.format(marker))
    before = (checkout / "README.md").read_text("utf-8")
    for options in ([], ["--check"]):
        result = run(checkout, *options)
        assert result.exit_code == 1
        assert f"README.md lacks one {marker}" in result.output
    assert (checkout / "README.md").read_text("utf-8") == before


def test_markers_in_the_wrong_order_are_told(checkout: Path) -> None:
    """An end before its beginning is no part."""
    for old, new in (
        ("<!-- settings -->", "<!-- x -->"),
        ("<!-- /settings -->", "<!-- settings -->"),
        ("<!-- x -->", "<!-- /settings -->"),
    ):
        changed(checkout / "README.md", old, new)
    result = run(checkout, "--check")
    assert result.exit_code == 1
    assert "<!-- /settings --> after <!-- settings -->" in result.output


def test_stale_schemas_are_named_and_mended(checkout: Path) -> None:
    """A schema that was changed or is missing fails the check; writing restores it."""
    folder = checkout / SCHEMAS.relative_to(ROOT)
    first, second, *_ = sorted(schema_files())
    (folder / first).write_bytes(b"{}")
    (folder / second).unlink()
    result = run(checkout, "--check")
    assert result.exit_code == 1
    assert result.output.count("is stale") == 2
    assert run(checkout).exit_code == 0
    assert run(checkout, "--check").exit_code == 0


def test_a_folder_without_documents_is_told(tmp_path: Path) -> None:
    """Outside a checkout the command says what it misses."""
    result = run(tmp_path, "--check")
    assert result.exit_code == 1
    assert "README.md: No such file or directory" in result.output


def test_every_reason_has_a_row() -> None:
    """The table holds each reason once, and each status that is tried again."""
    table = reasons_table()
    for reason in (*OUTCOMES, "http_429", "http_500", "http_<status>"):
        assert table.count(f"`{reason}`") == 1
    assert "`http_404`" not in table
