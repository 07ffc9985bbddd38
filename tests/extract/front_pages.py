"""Original fronts that hide it: no link in the headline, or a template that calls every page an article."""

from __future__ import annotations

import json

from tests.extract.no_articles import ENGLISH, GERMAN, LISTING, SITE, SPANISH, NoArticle, page
from tests.extract.notice_pages import HARROW, OG
from tests.extract.pages import PARAGRAPHS


def cards(lines: str, *, closing: str, tag: str = "h3", linked: bool = False) -> str:
    """Cards of headline, summary and a link; the headline itself is none unless it is `linked`."""
    texts = [*PARAGRAPHS, *(f"{text[:-1]}, again." for text in PARAGRAPHS)]
    return "".join(
        f'<div class="card"><{tag}>{f"<a href=/w/{n}>{line.strip()}</a>" if linked else line.strip()}</{tag}>'
        f"<p>{text}</p>{closing.format(n)}</div>"
        for n, (line, text) in enumerate(zip(lines.strip().splitlines(), texts, strict=False))
    )


MORE = '<a href="/w/{0}">More</a>'
LISTED = '<script type="application/ld+json">{}</script>'.format(
    json.dumps(
        [
            {"@type": "NewsArticle", "headline": line.strip(), "url": f"{SITE}/w/{n}"}
            for n, line in enumerate(ENGLISH.splitlines())
        ]
    )
)

FRONTS = {
    "gallery en, og:type": NoArticle(
        page(
            HARROW,
            "<main><h1>The flood in pictures</h1>"
            + "".join(
                f"<figure><img src=/p.jpg><figcaption>{line}.</figcaption></figure>"
                for line in ENGLISH.splitlines()
            )
            + "</main>",
            head=f'{OG}<meta property="og:title" content="{HARROW}">',
        ),
        "/n/1",
        frozenset({"no_body"}),
    ),
    "front en, JSON-LD of others": NoArticle(
        page("World", f"<main><h1>World</h1>{cards(ENGLISH, closing='', linked=True)}</main>", head=LISTED),
        "/world",
        LISTING,
    ),
    "home en, JSON-LD of others": NoArticle(
        page(
            "Example", f"<main><h1>Example</h1>{cards(ENGLISH, closing='', linked=True)}</main>", head=LISTED
        ),
        "/",
        LISTING,
    ),
    "home de, og:type": NoArticle(
        page("Beispiel", f"<main><h1>Beispiel</h1>{cards(GERMAN, closing='')}</main>", lang="de", head=OG),
        "/",
        LISTING,
    ),
    "front en, cards": NoArticle(
        page("World", f"<main><h1>World</h1>{cards(ENGLISH, closing=MORE)}</main>"), "/world", LISTING
    ),
    "front es, cards, og:type": NoArticle(
        page(
            "Ciudad",
            "<main><h1>Ciudad</h1>"
            + cards(SPANISH, closing='<p><a href="/w/{0}">Leer más</a></p>', tag="h2")
            + "</main>",
            lang="es",
            head=OG,
        ),
        "/ciudad",
        LISTING,
    ),
    "front en, linked cards, og:type": NoArticle(
        page("City", f"<main><h1>City</h1>{cards(ENGLISH, closing='', linked=True)}</main>", head=OG),
        "/city",
        LISTING,
    ),
    "search en, cards": NoArticle(
        page(
            "Search results for bridge",
            f"<main><h1>Search results for bridge</h1><p>10 results</p>{cards(ENGLISH, closing=MORE)}</main>",
        ),
        "/search?q=bridge",
        LISTING,
    ),
}
