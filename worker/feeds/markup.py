"""XML as publishers write it, made harmless and then read as a stream of elements, however broken it is."""

from __future__ import annotations

import html.entities
import re
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Namespaces by the prefix that their elements have here; those of the formats themselves have none.
_PREFIXES = {
    "http://purl.org/rss/1.0/": "",
    "http://my.netscape.com/rdf/simple/0.9/": "",
    "http://channel.netscape.com/rdf/simple/0.9/": "",
    "http://backend.userland.com/rss2": "",
    "http://www.w3.org/2005/atom": "",
    "http://purl.org/atom/ns#": "",
    "http://www.sitemaps.org/schemas/sitemap/0.9": "",
    "http://www.google.com/schemas/sitemap/0.84": "",
    "http://www.google.com/schemas/sitemap/0.9": "",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://purl.org/rss/1.0/modules/syndication/": "sy",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "http://rssnamespace.org/feedburner/ext/1.0": "feedburner",
    "http://www.pheedo.com/namespace/pheedo": "pheedo",
    "http://www.google.com/schemas/sitemap-news/0.9": "news",
    "http://www.w3.org/1999/xhtml": "xhtml",
}
_PARTS = re.compile(r"(<!\[CDATA\[.*?(?:\]\]>|\Z))", re.DOTALL)
#: Where the document begins: before it stand its declarations, and the warnings of broken servers.
_ROOT = re.compile(r"<(?:[\w-]{1,20}:)?(?:rss|rdf|channel|feed|urlset|sitemapindex)[\s>]", re.IGNORECASE)
_PROLOGUE_CHARS = 100_000
_NO_XML_CHARS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")  # XML 1.0, 2.2
_AMPERSAND = re.compile(r"&(?:(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|amp|lt|gt|quot|apos)|([a-zA-Z]\w{1,30}))?(;?)")
#: A `<` that begins no tag, comment or declaration.
_LESS_THAN = re.compile(r"<(?![a-zA-Z_:/!?\x80-\U0010ffff])")
_XML_BASE = "{http://www.w3.org/XML/1998/namespace}base"


def elements(text: str, troubles: list[str]) -> Iterator[tuple[str, Any]]:
    """Each element's start and end, `start` or `end` and an lxml element, as far as the document can be read.

    Whoever asks clears what it has read. Why the document could not be read to its end goes into `troubles`.
    No entity of the document's own is ever expanded, nothing is loaded, and nesting is bounded by libxml2.
    """
    source = BytesIO(_harmless(text).encode())
    events = etree.iterparse(
        source,
        events=("start", "end"),
        recover=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        encoding="utf-8",
    )
    try:
        yield from events
    except etree.XMLSyntaxError as error:
        troubles.append(str(error)[:200])
        return
    ends = ("starttag: invalid", "premature end", "extra content", "huge", "excessive depth", "nested")
    troubles += [entry.message[:200] for entry in events.error_log if entry.message.lower().startswith(ends)][
        :1
    ]


@lru_cache(maxsize=4096)
def name_of(tag: object) -> str:
    """`title`, `dc:creator`: a tag in lower case, with the prefix that its namespace is known by here.

    A prefix whose declaration is missing counts as meant, and one of a namespace that is not known is none.
    """
    if not isinstance(tag, str):
        return ""
    namespace, _, local = tag.rpartition("}")
    local = local.lower()
    if not namespace:
        prefix, _, name = local.rpartition(":")
        return name if prefix in {"atom", "rss"} else local
    prefix = _PREFIXES.get(namespace[1:].lower(), "other")
    return f"{prefix}:{local}" if prefix else local


def bases_of(element: Any) -> list[str]:
    """The values of `xml:base` that hold for the element, the outermost first."""
    found = [each.get(_XML_BASE) for each in (element, *element.iterancestors())]
    return [base for base in reversed(found) if base]


def text_of(element: Any) -> str:
    """All text within the element."""
    return "".join(element.itertext())


def _harmless(text: str) -> str:
    """The document without what it may not have, what stands before it, and its references to entities.

    A document's own entities are how a kilobyte grows to gigabytes; without references none can. Ampersands
    that begin nothing would cost a link its query, since libxml2 drops them with the word behind, and a `<`
    that begins nothing all that follows.
    """
    text = _NO_XML_CHARS.sub("", text)
    root = _ROOT.search(text, 0, _PROLOGUE_CHARS)
    # A cut document must not end in half a link: what follows the last whole tag goes.
    text = text[root.start() if root else max(text.find("<"), 0) : text.rfind(">") + 1]
    parts = _PARTS.split(text)
    parts[::2] = [_AMPERSAND.sub(_reference, _LESS_THAN.sub("&lt;", part)) for part in parts[::2]]
    return "".join(parts)


def _reference(found: re.Match[str]) -> str:
    of_xml, name, end = found.groups()
    if of_xml:
        return found[0] if end else f"&amp;{of_xml}"
    known = html.entities.html5.get(f"{name};") if name and end else None
    # As references, not as characters: &lt; of HTML is a `<` that must stay text.
    return "".join(f"&#{ord(char)};" for char in known) if known else f"&amp;{name or ''}{end}"
