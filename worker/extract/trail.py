"""The section that a page files itself under: by its metadata, or by the breadcrumbs that lead to it."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from worker.extract import jsonld
from worker.extract.addresses import absolute, is_home
from worker.extract.markup import attribute, node_text
from worker.extract.structured import Candidate
from worker.extract.text import letters, squeeze

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from selectolax.lexbor import LexborHTMLParser

    from worker.extract.structured import Structured

_TRAIL = "[class*=readcrumb]"  # with a capital or without: to compare without case takes twice the time
_MAX_STEPS = 8  # of more, it is a menu
_MAX_STEP_CHARS = 60
_HOME = frozenset(
    map(
        letters,
        (
            *("", "home", "homepage", "frontpage", "startseite", "start", "accueil", "inicio", "início"),
            *("portada", "strona główna", "hlavní stránka", "hem", "hjem", "forside", "etusivu", "anasayfa"),
            *("главная", "головна", "首页", "トップ", "ホーム", "홈", "الرئيسية"),
        ),
    )
)


def section(tree: LexborHTMLParser, facts: Structured, *, url: str, title: str) -> Candidate | None:
    """The section that the page files itself under; of a breadcrumb trail the last step before the page."""
    candidates = chain(
        facts.jsonld("articleSection"),
        facts.metas("article:section"),
        _last_steps(_declared(facts), "jsonld:BreadcrumbList", facts, url, title),
        facts.metas("parsely-section", "articlesection", "dc.subject", "section"),
        facts.microdata("articleSection"),
        _last_steps(_above_the_page(facts.trail), "itemprop:itemListElement", facts, url, title),
        _last_steps(_shown(tree), "markup:breadcrumbs", facts, url, title),
    )
    return next((c for c in candidates if len(c.value) <= 80 and not c.value.startswith("http")), None)


def _last_steps(
    trail: Iterable[tuple[str, str]], source: str, facts: Structured, url: str, title: str
) -> Iterator[Candidate]:
    """The steps of `trail`, pairs of a name and a reference, from the last to the first.

    Without the page itself, by its title or its URL; without the front, by its URL or what fronts are called.
    """
    own = {letters(address) for address in (url, facts.canonical or "")}
    nothing = _HOME.union(map(letters, (title, *facts.site_names())))
    for name, reference in reversed(list(trail)):
        address = absolute(reference, url) or ""
        leads_up = not address or not (is_home(address) or letters(address) in own)
        if leads_up and len(name) <= _MAX_STEP_CHARS and letters(name) not in nothing:
            yield Candidate(name, source)


def _declared(facts: Structured) -> Iterator[tuple[str, str]]:
    for node in facts.of_type("breadcrumblist"):
        steps = [step for step in jsonld.things(node.get("itemListElement")) if isinstance(step, dict)]
        yield from _above_the_page([_step(step) for step in steps])


def _above_the_page(trail: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """`trail` without a last step that leads nowhere, alone in that: it is the page."""
    ends_here = len(trail) > 1 and not trail[-1][1] and all(reference for _, reference in trail[:-1])
    return trail[:-1] if ends_here else trail


def _step(step: jsonld.Node) -> tuple[str, str]:
    item = step.get("item")
    node = item if isinstance(item, dict) else {"@id": item}
    name = next(jsonld.strings(step.get("name") or node.get("name")), "")
    return squeeze(name), next(jsonld.strings(node.get("@id") or node.get("url")), "")


def _shown(tree: LexborHTMLParser) -> Iterator[tuple[str, str]]:
    """The links of the trail that readers see: its last step, the page, is mostly none."""
    trails = (trail.css("a[href]") for trail in tree.css(_TRAIL)[:3])
    links = next(filter(None, trails), [])
    if len(links) <= _MAX_STEPS:
        yield from ((node_text(link), attribute(link, "href")) for link in links)
