"""`make bench-latency`: its figures, and a short run of all of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.bench import latency
from tests.bench.latency import Field, Figures, Probe, figures, table
from tests.bench.served import Served

if TYPE_CHECKING:
    from pathlib import Path

    from worker.store.connection import Connection


def test_figures_are_beyond_the_servers_own_time() -> None:
    """The server's seconds are taken off each, those of its robots.txt only where that was waited for."""
    origin = Served(80, {"http://a:80/1": 0.010, "http://b:80/1": 0.020, "http://b:80/robots.txt": 0.1})
    probes = [Probe("known", f"http://{host}:80/1", 5.0) for host in "ab"]
    probes.append(Probe("new", "http://b:80/1", 5.0, robots=True))
    arrived_at = {"http://a:80/1": 5.015, "http://b:80/1": 5.130}
    known, new = figures(probes, arrived_at, origin)
    assert (known.kind, known.count) == ("known", 2)
    assert (known.p50, known.longest, known.server_p50) == pytest.approx((5, 110, 10))
    assert (new.p50, new.server_p50) == pytest.approx((10, 120))


def test_table_has_a_line_for_each_kind() -> None:
    """Each number stands under its name."""
    head, row = table([Figures("idle", 200, 1.25, 2, 3, 4, server_p50=0.5)])
    assert row.split() == ["idle", "200", "1.2", "2.0", "3.0", "4.0", "0.5"]
    assert len(head) == len(row)


async def test_every_url_is_of_a_page_with_an_article(connection: Connection) -> None:
    """However many pages the origin serves, and whichever of them hold one."""
    field = Field(connection, Served(80), [2, 3, 5], 7)
    urls = [field.url("127.0.4", 1) for _ in range(20)]
    assert len(set(urls)) == 20
    assert {int(url.rpartition("/")[2]) % 7 for url in urls} == {2, 3, 5}


@pytest.mark.slow
def test_short_run_times_every_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An idle fleet and a loaded one: every URL that was pushed is timed."""
    monkeypatch.setattr(latency, "_KNOWN_HOSTS", 3)
    monkeypatch.setattr(latency, "_CROWD_HOSTS", 2)
    monkeypatch.setattr(latency, "_WARM_UPS", 1)
    monkeypatch.setattr(latency, "_REST_S", 0)
    monkeypatch.setattr(latency, "_SETTINGS", latency._SETTINGS | {"INGEST_EXTRACT_PROCESSES": "1"})
    monkeypatch.setenv("INGEST_SHARED", str(tmp_path))
    out = tmp_path / "found.json"
    words = ["--urls", "3", "--new-hosts", "1", "--crowd", "10", "--workers", "1", "--delay-ms", "5"]
    latency.main([*words, "--json", str(out)])
    rows = json.loads(out.read_text())
    assert [row["count"] for row in rows] == [3, 1, 3, 3, 3]
    assert all(0 < row["p50"] <= row["p99"] <= row["longest"] for row in rows)
    assert all(row["server_p50"] >= 5 for row in rows)
