"""Tests of `ingest logs`."""
