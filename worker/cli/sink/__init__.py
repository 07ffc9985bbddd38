"""`ingest sink`: events from the streams into files, a database, or a receiver."""
