"""Tests of what `deploy/` holds, by the programs that read it."""
