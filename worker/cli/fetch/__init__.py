"""`ingest fetch`: the whole story of a URL."""
