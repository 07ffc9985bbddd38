"""The environments of a demo's workers."""

from __future__ import annotations

from worker.cli.demo.stage import own_environment, sample_environment
from worker.settings import load_settings


def test_the_sample_site_runs_with_defaults() -> None:
    """The user's own settings change no outcome of the sample; only the data folder is theirs."""
    environ = sample_environment(
        {"PATH": "/bin", "INGEST_OBEY_ROBOTS": "false", "INGEST_DATA_DIR": "/data", "INGEST_RETRY_MAX_S": "9"}
    )
    settings = load_settings(environ)
    assert (environ["PATH"], str(settings.data_dir), settings.obey_robots) == ("/bin", "/data", True)
    assert [str(network) for network in settings.allow_networks] == ["127.0.1.0/24"]
    assert settings.retry_max_s == 3


def test_own_urls_run_with_own_settings() -> None:
    """No network is opened that the user did not open, and no retry setting of the user's is overruled."""
    assert load_settings(own_environment({})).allow_networks == ()
    assert load_settings(own_environment({})).retry_max_s == 3
    assert load_settings(own_environment({"INGEST_RETRY_BASE_S": "20"})).retry_base_s == 20
