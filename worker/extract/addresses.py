"""The URLs that a page names, made absolute, and the one that it calls its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urldefrag, urljoin, urlsplit

from worker.extract.text import squeeze

if TYPE_CHECKING:
    from worker.extract.structured import Structured

#: Second-level labels under which the public registers names (`example.co.uk`).
_PUBLIC_SECOND = frozenset(
    {"co", "com", "org", "net", "ac", "gov", "edu", "or", "ne", "go", "gob", "web", "mil"}
)
_MAX_CHARS = 2_048
#: Most references; they need no parser.
_PLAIN = re.compile(r"https?://[a-z0-9.-]*[a-z0-9](?::\d{1,5})?(?:[/?#]\S*)?", re.ASCII)


def absolute(reference: str, base: str) -> str | None:
    """`reference` as an absolute http(s) URL, or None."""
    reference = squeeze(reference)
    if not reference or len(reference) > _MAX_CHARS or reference.startswith(("data:", "#")):
        return None
    if _PLAIN.fullmatch(reference):
        return reference
    try:
        url = urljoin(base, reference)
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.hostname and " " not in url else None


def site_of(url: str) -> str:
    """The registrable domain of `url`, nearly: without the public suffix list; "" without a host."""
    try:
        labels = (urlsplit(url).hostname or "").split(".")
    except ValueError:
        return ""
    count = 3 if len(labels) > 2 and labels[-2] in _PUBLIC_SECOND and len(labels[-1]) == 2 else 2
    return ".".join(labels[-count:])


def is_home(url: str) -> bool:
    """Whether `url` is a site's front: no path, or only an index or a language."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    path = parts.path.strip("/").casefold()
    return not parts.query and (not path or path.startswith("index.") or (len(path) == 2 and path.isalpha()))


def canonical_url(facts: Structured, url: str) -> tuple[str, str]:
    """The URL that the page calls its own, and the source; `url` if that is none, elsewhere or a front."""
    named = [(facts.canonical or "", "link:canonical")]
    named += [(candidate.value, candidate.source) for candidate in facts.metas("og:url")]
    for reference, source in named:
        found = absolute(reference, url)
        if found and site_of(found) == site_of(url) and (not is_home(found) or is_home(url)):
            return urldefrag(found)[0], source
    return urldefrag(url)[0], "url"
