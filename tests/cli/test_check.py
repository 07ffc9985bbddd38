"""What `ingest check` says of settings that are valid."""

from __future__ import annotations

import pytest

from worker.cli.check.findings import of_log
from worker.settings import Settings


@pytest.mark.parametrize(
    ("settings", "level", "says"),
    [
        (Settings(), "ok", "level info"),
        (Settings(stats_interval_s=120), "ok", "every 120 s"),
        (Settings(stats_interval_s=301), "warn", "INGEST_STATS_INTERVAL_S is 301"),
        (Settings(log_level="warning"), "warn", "INGEST_LOG_LEVEL is warning"),
        (Settings(log_level="error", stats_interval_s=301), "warn", "INGEST_LOG_LEVEL is error"),
    ],
)
def test_a_log_in_which_workers_seem_gone_is_told(settings: Settings, level: str, says: str) -> None:
    """Alerts on the log take a worker that writes nothing for gone."""
    finding = of_log(settings)
    assert (finding.level, says in finding.says) == (level, True)
