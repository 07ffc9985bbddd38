"""The URLs of the sample site and what should become of each, in the order in which they are queued."""

from __future__ import annotations

from tests.site.articles import ARTICLES
from tests.site.expected import DUPLICATE, Expected
from tests.site.routes import (
    ANZEIGER,
    CELLAR,
    COURIER,
    FARO,
    LEDGER,
    POLDER,
    SHORTENER,
    TIDEWIRE,
)

_FERRY = "/vale/2025/04/night-ferry-returns"
_LIGHTHOUSE = "/story/lighthouse-dark-night"

DEAD = (
    Expected(COURIER, "/", "dead:not_article", "a section front: nothing but teasers"),
    Expected(TIDEWIRE, "/story/88", "dead:not_article", "an empty shell that scripts would fill"),
    Expected(TIDEWIRE, "/login?next=%2Fstory%2F88", "dead:not_article", "a login form with status 200"),
    Expected(ANZEIGER, "/kreis/faehre-a4811.html", "dead:http_404", "not found"),
    Expected(FARO, "/agenda/feria-de-otono", "dead:http_410", "gone for good"),
    Expected(LEDGER, "/towns/blank", "dead:empty", "status 200 and no body"),
    Expected(LEDGER, "/farming/garbled", "dead:bad_encoding", "said to be gzip, and is not"),
    Expected(SHORTENER, "/r/round", "dead:redirect_loop", "two redirects that point at each other"),
    Expected(SHORTENER, "/r/inside", "dead:blocked_address", "a redirect to an address inside the machine"),
    Expected(SHORTENER, "/r/nowhere", "dead:bad_redirect", "a redirect without a Location"),
    Expected(POLDER, "/archief/molens", "dead:robots", "an article that robots.txt forbids"),
    Expected(CELLAR, "/files/whole-archive", "dead:too_large", "64 MiB, and says so"),
    Expected(CELLAR, "/files/endless-shelf", "dead:too_large", "64 MiB, and does not say so"),
    Expected(CELLAR, "/files/small-parcel", "dead:too_large", "200 KB of gzip that unpack to 200 MiB"),
    Expected(CELLAR, "/files/minutes.pdf", "dead:not_html", "a PDF"),
)

REFUSED = (
    Expected(
        COURIER,
        f"{_FERRY}?utm_source=morning-tide&utm_medium=email&utm_campaign=ferry",
        DUPLICATE,
        "the night ferry, as linked from a newsletter",
    ),
    Expected(TIDEWIRE, f"{_LIGHTHOUSE}?fbclid=IwAR0sample", DUPLICATE, "the lighthouse, as shared"),
    Expected(TIDEWIRE, f"{_LIGHTHOUSE}#comments", DUPLICATE, "the lighthouse, by a link into the page"),
)

CATALOGUE = (*ARTICLES, *DEAD, *REFUSED)

__all__ = ["CATALOGUE", "Expected"]
