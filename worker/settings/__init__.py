"""Settings: the environment's `INGEST_…` variables, checked all at once into one frozen value."""

from worker.settings.fields import PREFIX, HostOverride, Settings
from worker.settings.load import load_settings, settings_table

__all__ = ["PREFIX", "HostOverride", "Settings", "load_settings", "settings_table"]
