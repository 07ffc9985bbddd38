"""Original pages for the tests: a news page whose every part can be replaced, pages without an article."""

from __future__ import annotations

import json
from typing import Any

PARAGRAPHS = tuple(
    " ".join(paragraph.split())
    for paragraph in """
The old swing bridge at Harrow Quay will stay closed until spring, the harbour board said on Monday, after
divers found cracks in two of the seven iron piers that carry its eastern span.

Ferries will run every ten minutes from the fish market instead, and the board promised that nobody would
be asked to pay more for the crossing than the bridge toll of forty pence.

"We would rather apologise to commuters now than to their families later," chief engineer Ada Quill told
reporters on the north bank, where a crane had already lifted the first damaged plate.

Shopkeepers on the island, who lost a third of their trade during the last closure nine years ago, want
the city to waive their rents for as long as the barriers stand across Mill Street.

The repair is expected to cost eleven million, of which the region has agreed to pay half, and divers will
go down again in December to see whether the western piers have suffered too.
""".strip().split("\n\n")
)
TITLE = "Harrow Quay bridge to stay closed until spring"
URL = "https://news.example.com/city/2024/03/11/harrow-quay-bridge-closed.html"

JSONLD: dict[str, Any] = {
    "@context": "https://schema.org",
    "@type": "NewsArticle",
    "headline": TITLE,
    "datePublished": "2024-03-11T08:15:00+01:00",
    "dateModified": "2024-03-11T10:40:00+01:00",
    "author": [{"@type": "Person", "name": "Mara Tidewell", "url": "/authors/mara"}],
    "publisher": {"@type": "Organization", "name": "The Example Courier"},
    "articleSection": "City",
    "keywords": "bridges, harbour, ferries",
    "image": {"url": "/img/bridge.jpg", "width": 1200, "height": "800", "caption": "The bridge"},
    "isAccessibleForFree": True,
}


def news_page(
    *,
    head: str = "",
    jsonld: object = JSONLD,
    h1: str = TITLE,
    title: str = f"{TITLE} - The Example Courier",
    body: str | None = None,
    lang: str = "en-GB",
    before: str = "",
) -> str:
    """An article page with a menu, a related list and a footer. `jsonld` may be a string as it is."""
    written = jsonld if isinstance(jsonld, str) else json.dumps(jsonld)
    block = f'<script type="application/ld+json">{written}</script>' if jsonld else ""
    text = body if body is not None else "".join(f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS)
    return f"""<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{title}</title>
{head}{block}</head>
<body><nav><a href="/">Home</a> <a href="/city">City</a> <a href="/sport">Sport</a></nav>
<main><article><h1>{h1}</h1>{before}{text}</article></main>
<aside><h2>More news</h2><ul><li><a href="/a">Ferry captain retires after forty years at sea</a></li>
<li><a href="/b">Council votes on new tram line to the airport</a></li></ul></aside>
<footer>Imprint. All rights reserved.</footer></body></html>"""


def encoded(page: str, encoding: str = "utf-8") -> bytes:
    """The page's bytes."""
    return page.encode(encoding)


_TEASERS = "\n".join(
    f"""<article><h2><a href="/city/{number}">Headline number {number} about a thing in the city</a></h2>
<p><a href="/city/{number}">A teaser of story {number}: what happened, in brief.</a></p></article>"""
    for number in range(30)
)
SECTION_FRONT = f"""<html><head><title>City news | The Example Courier</title>
<meta property="og:type" content="website"></head><body><h1>City</h1><main>{_TEASERS}</main></body></html>"""
LOGIN_PAGE = """<html><head><title>Sign in</title></head><body><h1>Sign in</h1>
<form action="/in"><label>E-mail <input name="mail"></label><label>Password <input type="password"></label>
<button>Sign in</button></form><p>Forgot your password?</p>
<p>New here? Create an account to read the paper.</p></body></html>"""
SCRIPT_SHELL = """<html><head><title>The Example Courier</title><script src="/app.js"></script></head>
<body><div id="root"></div><noscript>You need to enable JavaScript to run this.</noscript></body></html>"""
