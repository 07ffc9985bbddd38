"""`ingest check`: whether a worker could work here, and whether one that runs gets on."""
