"""The store: it knows Redis, and nothing else does."""
