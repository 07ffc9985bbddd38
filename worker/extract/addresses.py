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
#: Domains whose subdomains are the sites of different people.
_SHARED = frozenset(
    re.findall(
        r"\S+",
        "github.io gitlab.io blogspot.com wordpress.com tumblr.com substack.com medium.com livejournal.com "
        "typepad.com ghost.io weebly.com wixsite.com webflow.io over-blog.com canalblog.com hatenablog.com "
        "neocities.org netlify.app vercel.app pages.dev workers.dev web.app firebaseapp.com herokuapp.com "
        "azurewebsites.net appspot.com onrender.com translate.goog",
    )
)
_MAX_CHARS = 2_048
#: A segment of a path that leads to a front: an index, a language, a country's edition.
_FRONT = re.compile(r"(?:index|default|home)(?:\.\w+)?|[a-z]{2}(?:[-_][a-z]{2})?")
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


def host_of(url: str) -> str:
    """The host of `url`, or "" without one."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def path_of(url: str) -> str:
    """The path of `url`, or "" if it cannot be read."""
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def site_of(url: str) -> str:
    """The registrable domain of `url`, nearly: without the public suffix list; "" without a host."""
    labels = host_of(url).split(".")
    two = ".".join(labels[-2:])
    public = (labels[-2] if len(labels) > 2 else "") in _PUBLIC_SECOND and len(labels[-1]) == 2
    shared = two in _SHARED or (public and labels[-3] == "blogspot")
    return ".".join(labels[-2 - public - shared :])


def _same_site(one: str, other: str) -> bool:
    return one.split("/", 3)[:3] == other.split("/", 3)[:3] or site_of(one) == site_of(other)


def is_home(url: str) -> bool:
    """Whether `url` is a site's front: no path, or only an index or a language, and no query."""
    return "?" not in url and _is_front(url)


def _is_front(url: str) -> bool:
    segments = path_of(url).casefold().split("/")
    return all(_FRONT.fullmatch(segment) for segment in segments if segment)


def canonical_url(facts: Structured, url: str) -> tuple[str, str]:
    """The URL that the page calls its own, and the source; `url` if that is none, elsewhere or a front."""
    named = [(facts.canonical or "", "link:canonical")]
    named += [(candidate.value, candidate.source) for candidate in facts.metas("og:url")]
    for reference, source in named:
        found = absolute(reference, url)
        if found and _same_site(found, url) and not _leads_to_front(found, url):
            return urldefrag(found)[0], source
    return urldefrag(url)[0], "url"


def _leads_to_front(canonical: str, url: str) -> bool:
    """Whether `canonical` is a front and `url` none; only without a path of its own is `/?p=7` an article."""
    if _is_front(url):
        return is_home(canonical) and not is_home(url)
    return _is_front(canonical)
