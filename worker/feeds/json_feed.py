"""JSON Feed 1 and 1.1 (jsonfeed.org), read leniently: a wrong type counts as nothing said."""

from __future__ import annotations

from typing import Any

import orjson

from worker.feeds.model import Feed, NotAFeed
from worker.feeds.records import Entries, Raw, absolute, title_of
from worker.feeds.text import squeezed

_VERSION = "jsonfeed.org/version/"


def read(text: str, url: str) -> Feed:
    """The feed. Raises NotAFeed for JSON of another kind, and for broken JSON."""
    try:
        said: Any = orjson.loads(text.encode("utf-8", "replace"))
    except orjson.JSONDecodeError as error:
        raise NotAFeed(f"broken JSON: {str(error)[:120]}") from error
    if not isinstance(said, dict) or not isinstance(items := said.get("items"), list):
        raise NotAFeed("JSON of another kind: it has no list of items")
    if _VERSION not in str(said.get("version")):
        raise NotAFeed("JSON of another kind: its version names no JSON Feed")
    entries, shared = Entries(), _authors(said)
    for item in items:
        entries.add(_entry(item, url, shared) if isinstance(item, dict) else Raw(url=None))
    return Feed(
        kind="json",
        title=title_of(_text(said, "title")),
        language=squeezed(_text(said, "language"), 35),
        entries=tuple(entries.kept),
        expired=said.get("expired") is True,
        passed_over=entries.passed_over,
    )


def _entry(item: dict[str, Any], url: str, shared: list[str]) -> Raw:
    number = item.get("id")  # to be read as text (1.1, "items")
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    identity = str(number) if is_number else _text(item, "id")
    links = (_text(item, "url"), _text(item, "external_url"))
    found = next((whole for link in links if (whole := absolute(link, (url,)))), None)
    return Raw(
        url=found or absolute(identity, ()),
        id=identity,
        title=_text(item, "title"),
        published=_text(item, "date_published"),
        updated=_text(item, "date_modified"),
        authors=_authors(item) or shared,
        language=_text(item, "language"),
    )


def _text(said: dict[str, Any], name: str) -> str | None:
    value = said.get(name)
    return value if isinstance(value, str) else None


def _authors(said: dict[str, Any]) -> list[str]:
    """Of 1.1's `authors`, or version 1's `author`."""
    people = said.get("authors")
    people = people if isinstance(people, list) else [said.get("author")]
    return [name for each in people if isinstance(each, dict) and (name := _text(each, "name"))]
