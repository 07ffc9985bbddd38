"""The settings of the archive of what was fetched."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from worker.settings.store_fields import StoreSettings


class ArchiveSettings(StoreSettings):
    """Whether every response is kept, and in files of which size."""

    archive_dir: Path | None = Field(
        default=None,
        description="folder in which every response is kept as WARC 1.1; without one, nothing is",
    )
    archive_file_bytes: int = Field(
        default=1_000_000_000,
        ge=1,
        description="bytes after which a file of the archive is complete, and another one begun",
    )
