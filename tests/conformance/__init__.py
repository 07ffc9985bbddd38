"""The same tests of the store over every server that ingest supports."""
