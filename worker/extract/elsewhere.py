"""Of a page that was refused: where its article is instead, and whether only scripts would show it.

All of this is asked of refused pages alone, which are few.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urldefrag

from ada_url import URL

from worker.errors import Malformed, NotAnArticle
from worker.extract.addresses import absolute, is_home, site_of
from worker.extract.markup import attribute
from worker.extract.text import word_count
from worker.urls import canonicalise

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

    from worker.extract.structured import Structured

#: A refresh that comes later than this is for readers who stay.
_SOON_S = 5
#: HTML, 4.2.5.3: the shared declarative refresh steps. `url=` and the quotes may be missing.
_REFRESH = re.compile(
    r"\s*(\d*)(?:\.[\d.]*)?(?>\s*[;,]|\s)\s*+(?:url\s*=\s*+)?+(?:'([^']*)|\"([^\"]*)|(.+))",
    re.IGNORECASE | re.DOTALL,
)
_SCANT = frozenset({"no_body", "too_short", "no_title"})
#: Where frameworks put what their scripts make.
_MOUNTS = (
    "#root, #app, #__next, #__nuxt, #___gatsby, #svelte, #main-app, app-root, [ng-app], [data-reactroot]"
)
_UNSEEN = ["script", "style", "noscript", "template", "svg"]
_FEW_WORDS = 20
_HARDLY_A_WORD = 5
_MANY_SCRIPTS = 5
_OPENING_CHARS = 2_000  # more than so few words have


def with_more(refusal: NotAnArticle, tree: LexborHTMLParser, facts: Structured, *, url: str) -> NotAnArticle:
    """`refusal` of the page at `url`, with what else can be said of it: a better URL, or a truer why.

    A refresh within five seconds is followed by browsers whatever the page is. A canonical URL counts where
    the page has hardly any text, on the same site; an AMP page, which must name one, may lie elsewhere, as in
    a cache.
    """
    # In the form that is requested: robots.txt would allow `/a/../private`, and the server serve `/private`.
    if refreshed := _resolved(_refresh(tree, url)):
        return NotAnArticle(refusal.why, refusal.detail, refreshed, "refresh")
    if canonical := _resolved(_canonical(refusal.why, tree, facts, url)):
        return NotAnArticle(refusal.why, refusal.detail, canonical, "canonical")
    if refusal.why in _SCANT and _is_shell(tree):
        return NotAnArticle("javascript_shell", f"scripts would write the text; {refusal.detail}")
    return refusal


def _resolved(url: str | None) -> str | None:
    try:
        return URL(url).href if url else None
    except ValueError:
        return None


def _refresh(tree: LexborHTMLParser, url: str) -> str | None:
    base = tree.css_first("base[href]")
    base_url = (absolute(attribute(base, "href"), url) if base is not None else None) or url
    for meta in tree.css("meta[http-equiv='refresh' i]"):
        found = _REFRESH.match(attribute(meta, "content")[:4_096])
        if found is None or int(found[1][:9] or 0) > _SOON_S:
            continue
        target = absolute(next(filter(None, found.groups()[1:]), ""), base_url)
        if target and not _same(target, url):
            return target
    return None


def _canonical(why: str, tree: LexborHTMLParser, facts: Structured, url: str) -> str | None:
    canonical = absolute(facts.canonical or "", url)
    if canonical is None or is_home(canonical) or _same(canonical, url):
        return None
    if tree.root is not None and not {"amp", "⚡"}.isdisjoint(tree.root.attributes):
        return urldefrag(canonical)[0]
    elsewhere_here = why in _SCANT and site_of(canonical) == site_of(url)
    return urldefrag(canonical)[0] if elsewhere_here else None


def _same(one: str, other: str) -> bool:
    """Whether two URLs ask for the same page: as little may tell them apart as tells two of the queue."""
    try:
        return canonicalise(one) == canonicalise(other)
    except Malformed:
        return True  # not to be asked for either


def _is_shell(tree: LexborHTMLParser) -> bool:
    """Whether there is hardly a word, and one more sign that scripts would write the rest.

    Signs are a <noscript> about JavaScript, an empty element where frameworks put their work, and many
    scripts on a page without a word to speak of. Takes the tree apart.
    """
    if tree.body is None:
        return False
    scripts = len(tree.css("script:not([type*='json' i])"))
    asks = any("javascript" in node.text().casefold() for node in tree.css("noscript"))
    awaits = scripts > 0 and any(not node.text().strip() for node in tree.css(_MOUNTS))
    if not (asks or awaits or scripts >= _MANY_SCRIPTS):
        return False
    tree.strip_tags(_UNSEEN)
    words = word_count(tree.body.text(separator=" ").lstrip()[:_OPENING_CHARS])
    return words < (_FEW_WORDS if asks or awaits else _HARDLY_A_WORD)
