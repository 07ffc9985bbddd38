"""`ingest demo`: the whole job, with a Redis, workers and (unless URLs are given) a site of its own."""
