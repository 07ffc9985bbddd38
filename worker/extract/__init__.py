"""Pages become articles: pure functions, and the processes that run them under hard limits."""

from worker.extract.article import extract_article

__all__ = ["extract_article"]
