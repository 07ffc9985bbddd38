"""The smaller fields: keywords, pictures, access, kind; each with the page's evidence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from worker.extract import jsonld
from worker.extract.addresses import absolute, host_of
from worker.extract.belonging import belongings
from worker.extract.markup import attribute, node_text
from worker.extract.text import letters, squeeze
from worker.model import Access, Image, Publisher, Video

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from selectolax.lexbor import LexborHTMLParser, LexborNode

    from worker.extract.structured import Structured
    from worker.model import Paragraph

ArticleType = Literal["news", "live", "opinion", "video", "review", "interview", "unknown"]  # as in the model

_MAX_KEYWORDS = 50
_MAX_IMAGES = 20
_MIN_PIXELS = 60
_PIXELS = re.compile(r"\d{1,5}(?!\d)")
_COMMAS = re.compile(r"[,;、،]")
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
#: The letters of genres and sections that hold nothing else.
_INTERVIEWS = frozenset(
    """interview interviews dasinterview entrevista entrevistas intervista interviste entretien entretiens
    intervju intervjuer wywiad wywiady rozhovor rozhovory haastattelu interjú interjúk interviu
    röportaj söyleşi интервью інтервю интервю συνέντευξη مقابلة مقابلات حوار حوارات گفتگو
    インタビュー 인터뷰 专访 專訪 wawancara""".split()  # noqa: SIM905
)


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
            for word in _COMMAS.split(candidate.value) if len(candidates) == 1 else [candidate.value]:
                if (word := squeeze(word)) and len(word) <= 100 and not word.startswith("http"):
                    words.setdefault(letters(word), word)
        if words:
            return tuple(words.values())[:_MAX_KEYWORDS], candidates[0].source
    return (), None


def images(
    tree: LexborHTMLParser, facts: Structured, *, url: str, title: str, paragraphs: Sequence[Paragraph]
) -> tuple[Image, ...]:
    """The pictures that structured data names, once each, with their captions and sizes in pixels.

    Where it names none, those that the article shows as figures.
    """
    found: dict[str, Image] = {}
    for item in jsonld.things(facts.article.get("image")):
        node = item if isinstance(item, dict) else {"url": item}
        _add(found, node.get("url") or node.get("contentUrl") or node.get("@id"), url, node)
    sizes = {
        key: next((c.value for c in facts.metas(f"og:image:{key}")), None) for key in ("width", "height")
    }
    for candidate in facts.metas("og:image", "og:image:url", "og:image:secure_url", "twitter:image"):
        _add(found, candidate.value, url, sizes)
    if not found:
        for figure in belongings(tree, "figure", title=title, paragraphs=paragraphs).elements:
            _add_figure(found, figure, url)
    return tuple(found.values())[:_MAX_IMAGES]


def _add_figure(found: dict[str, Image], figure: LexborNode, url: str) -> None:
    picture, caption = figure.css_first("img"), figure.css_first("figcaption")
    if picture is None:
        return
    size = {key: attribute(picture, key) for key in ("width", "height")}
    if any((_pixels(value) or _MIN_PIXELS) < _MIN_PIXELS for value in size.values()):
        return  # an icon, or what counts visits
    references = (attribute(picture, name) for name in ("data-src", "data-original", "data-lazy-src", "src"))
    named = next((reference for reference in references if absolute(reference, url)), "")
    text = node_text(caption) if caption is not None else ""
    _add(
        found, named or attribute(picture, "srcset").strip().partition(" ")[0], url, {**size, "caption": text}
    )


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
    found = _PIXELS.match(str(value)) if isinstance(value, str | int | float) else None
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
    return Publisher(name, host_of(url).removeprefix("www.") or None)


def access(facts: Structured) -> Access:
    """Free or paid as the page declares it (schema.org isAccessibleForFree, Open Graph's content tier).

    The first declaration counts; free is unknown where another says that the page, or a part of it, is paid.
    """
    declared = list(_tiers(facts))
    if not declared:
        return Access()
    status, evidence = declared[0]
    paid = next((other for tier, other in declared if tier == "paid"), None)
    return Access("unknown", f"{evidence}, {paid}") if status == "free" and paid else Access(status, evidence)


def _tiers(facts: Structured) -> Iterator[tuple[Literal["free", "paid", "unknown"], str]]:
    """What each place says of access, and that place."""
    values = [("jsonld:isAccessibleForFree", facts.article.get("isAccessibleForFree"))]
    values += [(c.source, c.value) for c in facts.microdata("isAccessibleForFree")]
    for source, value in values:
        word = _truth(value)
        if word:
            yield "free" if word == "true" else "paid", f"{source} {word}"
    for candidate in facts.metas("article:content_tier", "og:article:content_tier"):
        tier = candidate.value.casefold()
        yield _TIERS.get(tier, "unknown"), f"{candidate.source} {tier[:20]}"
    for part in jsonld.things(facts.article.get("hasPart")):
        if isinstance(part, dict) and _truth(part.get("isAccessibleForFree")) == "false":
            yield "paid", "jsonld:hasPart.isAccessibleForFree false"


def _truth(value: object) -> str:
    word = str(value).rpartition("/")[2].strip().casefold() if isinstance(value, bool | str) else ""
    return word if word in ("true", "false") else ""


def kind(facts: Structured) -> ArticleType:
    """What sort of article the page declares itself to be."""
    types = jsonld.types(facts.article)
    found = next((_KINDS[name] for name in _KINDS if name in types), None)
    # schema.org has no type for it. Titles and keywords do not count: the news tells of interviews too.
    filed = (*facts.jsonld("genre", "articleSection"), *facts.metas("article:section"))
    if found in (None, "news") and any(letters(candidate.value) in _INTERVIEWS for candidate in filed):
        return "interview"
    if found:
        return found
    og_types = [candidate.value.casefold() for candidate in facts.metas("og:type")]
    return "video" if any(name.startswith("video") for name in og_types) else "unknown"
