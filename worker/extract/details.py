"""The smaller fields: section, keywords, pictures, access, kind; each with the page's evidence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from worker.extract import jsonld
from worker.extract.addresses import absolute
from worker.extract.structured import Candidate
from worker.extract.text import letters, squeeze
from worker.model import Access, Image, Publisher, Video

if TYPE_CHECKING:
    from collections.abc import Iterable

    from worker.extract.structured import Structured

ArticleType = Literal["news", "live", "opinion", "video", "review", "interview", "unknown"]  # as in the model

_MAX_KEYWORDS = 50
_MAX_IMAGES = 20
_TIERS: dict[str, Literal["free", "paid"]] = {
    "free": "free",
    "locked": "paid",
}  # and metered, which is either
_KINDS: dict[str, ArticleType] = {
    "liveblogposting": "live",
    "opinionnewsarticle": "opinion",
    "reviewnewsarticle": "review",
    "review": "review",
    "criticreview": "review",
    "newsarticle": "news",
    "reportagenewsarticle": "news",
    "analysisnewsarticle": "news",
}


def section(facts: Structured, title: str) -> Candidate | None:
    """The section that the page files itself under; of a breadcrumb trail the last step."""
    trail = [squeeze(step) for node in facts.of_type("breadcrumblist") for step in _trail(node)]
    steps = [
        step
        for step in trail
        if letters(step) not in (letters(title), "home", "startseite", "") and len(step) <= 60
    ]
    candidates = [
        *facts.jsonld("articleSection"),
        *facts.metas("article:section"),
        *(Candidate(step, "jsonld:BreadcrumbList") for step in reversed(steps[1:] or steps)),
        *facts.metas("parsely-section", "articlesection", "dc.subject", "section"),
        *facts.microdata("articleSection"),
    ]
    return next((c for c in candidates if len(c.value) <= 80 and not c.value.startswith("http")), None)


def _trail(node: jsonld.Node) -> Iterable[str]:
    for step in jsonld.things(node.get("itemListElement")):
        if isinstance(step, dict):
            item = step.get("item")
            name = step.get("name") or (item.get("name") if isinstance(item, dict) else None)
            yield from list(jsonld.strings(name))[:1]


def keywords(facts: Structured) -> tuple[tuple[str, ...], str | None]:
    """The page's keywords and the first source that has any; a single string is split at its commas."""
    sources = (
        list(facts.jsonld("keywords")),
        list(facts.metas("news_keywords")),
        list(facts.metas("article:tag", "og:article:tag")),
        list(facts.metas("parsely-tags", "sailthru.tags", "keywords")),
    )
    for candidates in sources:
        words: dict[str, str] = {}
        for candidate in candidates:
            for word in re.split(r"[,;、،]", candidate.value) if len(candidates) == 1 else [candidate.value]:
                if (word := squeeze(word)) and len(word) <= 100 and not word.startswith("http"):
                    words.setdefault(letters(word), word)
        if words:
            return tuple(words.values())[:_MAX_KEYWORDS], candidates[0].source
    return (), None


def images(facts: Structured, url: str) -> tuple[Image, ...]:
    """The pictures that structured data names, once each, with their captions and sizes in pixels."""
    found: dict[str, Image] = {}
    for item in jsonld.things(facts.article.get("image")):
        node = item if isinstance(item, dict) else {"url": item}
        _add(found, node.get("url") or node.get("contentUrl") or node.get("@id"), url, node)
    sizes = {
        key: next((c.value for c in facts.metas(f"og:image:{key}")), None) for key in ("width", "height")
    }
    for candidate in facts.metas("og:image", "og:image:url", "og:image:secure_url", "twitter:image"):
        _add(found, candidate.value, url, sizes)
    return tuple(found.values())[:_MAX_IMAGES]


def _add(found: dict[str, Image], reference: object, base: str, node: jsonld.Node) -> None:
    for value in jsonld.strings(reference):
        if image := absolute(value, base):
            caption = next(jsonld.strings(node.get("caption") or node.get("description")), None)
            key = image.partition("?")[0].partition(":")[2]
            found.setdefault(
                key, Image(image, caption, _pixels(node.get("width")), _pixels(node.get("height")))
            )
        return


def _pixels(value: object) -> int | None:
    found = re.match(r"\d{1,5}(?!\d)", str(value)) if isinstance(value, str | int | float) else None
    return int(found[0]) or None if found else None


def videos(facts: Structured, url: str) -> tuple[Video, ...]:
    """The videos that the article's structured data names."""
    found: dict[str, Video] = {}
    for item in jsonld.things(facts.article.get("video")):
        node = item if isinstance(item, dict) else {"url": item}
        for value in jsonld.strings(node.get("contentUrl") or node.get("embedUrl") or node.get("url")):
            if address := absolute(value, url):
                found.setdefault(address, Video(address, next(jsonld.strings(node.get("name")), None)))
    return tuple(found.values())[:_MAX_IMAGES]


def publisher(facts: Structured, url: str) -> Publisher:
    """Who publishes: by the article's own data, else by the site's name."""
    names = [*facts.jsonld("publisher"), *facts.metas("og:site_name", "application-name", "dc.publisher")]
    name = next((c.value for c in names if len(c.value) <= 100 and not c.value.startswith("http")), None)
    return Publisher(name, (urlsplit(url).hostname or "").removeprefix("www.") or None)


def access(facts: Structured) -> Access:
    """Free or paid as the page declares it (schema.org isAccessibleForFree, Open Graph's content tier)."""
    declared = facts.article.get("isAccessibleForFree")
    word = str(declared).rpartition("/")[2].casefold() if isinstance(declared, bool | str) else ""
    if word in ("true", "false"):
        return Access("free" if word == "true" else "paid", f"jsonld:isAccessibleForFree {word}")
    for candidate in facts.metas("article:content_tier", "og:article:content_tier"):
        tier = candidate.value.casefold()
        return Access(_TIERS.get(tier, "unknown"), f"{candidate.source} {tier[:20]}")
    return Access()


def kind(facts: Structured) -> ArticleType:
    """What sort of article the page declares itself to be."""
    types = jsonld.types(facts.article)
    if found := next((_KINDS[name] for name in _KINDS if name in types), None):
        return found
    og_types = [candidate.value.casefold() for candidate in facts.metas("og:type")]
    return "video" if any(name.startswith("video") for name in og_types) else "unknown"
