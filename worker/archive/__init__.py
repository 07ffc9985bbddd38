"""Knows WARC (ISO 28500:2017, WARC 1.1): writes what was fetched, and reads what anybody has fetched."""
