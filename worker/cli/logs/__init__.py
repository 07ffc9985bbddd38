"""`ingest logs`: what a worker's log files add up to."""
