"""Settings: the environment's `INGEST_…` variables, checked all at once into one frozen value."""

from worker.settings.fields import PREFIX, HostOverride, Settings
from worker.settings.hosts_file import host_rules
from worker.settings.load import load_settings, settings_lines, settings_table

__all__ = [
    "PREFIX",
    "HostOverride",
    "Settings",
    "host_rules",
    "load_settings",
    "settings_lines",
    "settings_table",
]
