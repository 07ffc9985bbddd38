"""The `ingest` command: `main` is its way in, and each of its commands has a file of its own."""

from worker.cli.entry import main

__all__ = ["main"]
