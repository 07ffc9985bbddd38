"""Which host answers what: fourteen loopback hosts, each a publisher (or a troublemaker) of its own."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from tests.site.answers import Bomb, BrokenOff, Dripped, First, Fixed, Late, Moved, Oversized, Page, gzip_bomb

if TYPE_CHECKING:
    from tests.site.answers import Answer

COURIER = "127.0.1.1"  # English, laid out like the seed
ANZEIGER = "127.0.1.2"  # German
GAZETTE = "127.0.1.3"  # French
FARO = "127.0.1.4"  # Spanish
POSTA = "127.0.1.5"  # Turkish
WAHA = "127.0.1.6"  # Arabic, right to left
TODAI = "127.0.1.7"  # Japanese
VALMORA = "127.0.1.8"  # Italian, slow
LEDGER = "127.0.1.9"  # English, out of order
SERRANA = "127.0.1.10"  # Portuguese, throttling
SHORTENER = "127.0.1.11"  # nothing but redirects
POLDER = "127.0.1.12"  # Dutch, with a robots.txt that forbids and slows
CELLAR = "127.0.1.13"  # hostile bodies
TIDEWIRE = "127.0.1.14"  # English, plain text and pages without an article

HOSTS = (
    *(COURIER, ANZEIGER, GAZETTE, FARO, POSTA, WAHA, TODAI, VALMORA, LEDGER, SERRANA),
    *(SHORTENER, POLDER, CELLAR, TIDEWIRE),
)

SLOW_S = 1.5
RETRY_AFTER_S = 1
CRAWL_DELAY_S = 2  # above the default spacing of one second, so that obeying it shows

PLAIN = "text/plain; charset=utf-8"
RSS = "application/rss+xml; charset=utf-8"

_ERROR_PAGE = (
    b"<!doctype html><title>Error</title><h1>Something went wrong</h1><p>Please try again later.</p>"
)
_GONE_PAGE = b"<!doctype html><title>Gone</title><h1>Esta p\xc3\xa1gina ya no existe</h1>"
_SOFT_404 = b"<!doctype html><html><title>Tidewire</title><h1>Oops! We could not find that page</h1></html>"
_PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]>>endobj\n%%EOF\n"
_COURIER_ROBOTS = b"User-agent: GreedyBot\nDisallow: /\n\nUser-agent: *\nDisallow: /signin\n"
_POLDER_ROBOTS = f"User-agent: *\nDisallow: /archief/\nCrawl-delay: {CRAWL_DELAY_S}\n".encode()

NOT_FOUND = Fixed(404, b"<!doctype html><title>404</title><h1>Not found</h1><p>No such page.</p>")


@cache
def routes() -> dict[str, dict[str, Answer]]:
    """Host, then path without its query, to the answer. What is not here is a 404, robots.txt included."""
    return {
        COURIER: {
            "/robots.txt": Fixed(body=_COURIER_ROBOTS, content_type="text/plain"),
            "/": Page("courier/front.html"),
            "/world/port-ellery-edges-closer-to-opening-a-tide-office-in-lindmoor/en": Page(
                "courier/harbour-office.html"
            ),
            "/vale/2025/04/night-ferry-returns": Page("courier/night-ferry.html", coding="gzip"),
        },
        ANZEIGER: {
            "/lokales/stadtbad-wird-bibliothek-a4711.html": Page("anzeiger/stadtbad.html"),
            "/kreis/bruecke-gesperrt-a4820.html": Page(
                "anzeiger/bruecke.html", content_type="text/html; charset=iso-8859-1"
            ),
        },
        GAZETTE: {
            "/vie-locale/marche-couvert-saint-aubrac": Page("gazette/marche.html", coding="br"),
            "/2024/11/16/verger-communal": Page("gazette/verger.html"),
            "/montagne/refuge-de-brame": Page("gazette/refuge.html"),
        },
        FARO: {
            "/costa/2025/02/12/desaladora-montesoria-averia": Page("faro/desaladora.html", coding="zstd"),
            "/sierra/trashumancia-calle-mayor": Page("faro/trashumancia.html"),
            "/agenda/feria-de-otono": Fixed(410, _GONE_PAGE),
        },
        POSTA: {
            "/gundem/eski-tramvay-yeniden-raylarda": Page("posta/tramvay.html", "text/html", "windows-1254"),
            "/ekonomi/zeytin-hasadi.txt": Page("posta/zeytin.txt", PLAIN),
        },
        WAHA: {
            "/local/qanat-nasim": Page("waha/qanat.html"),
            "/economy/mina-rimal": Page("waha/mina.html"),
        },
        TODAI: {
            "/local/kitano-shokudo": Page("todai/shokudo.html", "text/html; charset=Shift_JIS", "cp932"),
            "/local/takanomisaki-todai": Page("todai/todai.html"),
        },
        VALMORA: {
            "/montagna/funivia-riparte": Late(SLOW_S, Page("valmora/funivia.html")),
            "/cronaca/campana-san-brizio": Dripped(Page("valmora/campana.html"), pieces=6, pause_s=0.05),
        },
        LEDGER: {
            "/towns/reservoir-fills": First(Fixed(500, _ERROR_PAGE), Page("ledger/reservoir.html")),
            "/towns/weir-in-oak": First(BrokenOff(Page("ledger/weir.html")), Page("ledger/weir.html")),
            "/towns/blank": Fixed(),
            "/farming/garbled": Fixed(body=b"this is not gzip", headers=(("Content-Encoding", "gzip"),)),
        },
        SERRANA: {
            "/cidade/calcamento-de-pedra": First(
                Fixed(429, _ERROR_PAGE, headers=(("Retry-After", str(RETRY_AFTER_S)),)),
                Page("serrana/calcamento.html"),
            ),
            "/campo/biblioteca-sobre-rodas": Page("serrana/biblioteca.html"),
        },
        SHORTENER: {
            "/robots.txt": Moved(301, "/robots-moved.txt"),
            "/robots-moved.txt": Fixed(body=b"User-agent: *\nAllow: /\n", content_type="text/plain"),
            "/r/refuge": Moved(301, "refuge-2"),
            "/r/refuge-2": Moved(302, f"http://{TIDEWIRE}:@PORT@/go/refuge"),
            "/r/round": Moved(302, "/r/and-round"),
            "/r/and-round": Moved(302, "/r/round"),
            "/r/inside": Moved(302, "http://[::1]:@PORT@/admin"),
            "/r/nowhere": Moved(302, None),
        },
        POLDER: {
            "/robots.txt": Fixed(body=_POLDER_ROBOTS, content_type="text/plain"),
            "/regio/molenaars-opleiding": Page("polder/molen.html"),
            "/water/nieuw-gemaal": Page("polder/gemaal.html"),
            "/archief/molens": Page("polder/molen.html"),
        },
        CELLAR: {
            "/files/whole-archive": Oversized(),
            "/files/endless-shelf": Oversized(announced=False),
            "/files/small-parcel": Bomb(gzip_bomb()),
            "/files/minutes.pdf": Fixed(body=_PDF, content_type="application/pdf"),
        },
        TIDEWIRE: {
            "/robots.txt": Fixed(body=_SOFT_404),
            "/articles.xml": Page("tidewire/articles.xml", RSS),
            "/economy/saltmarsh-fish-market.txt": Page("tidewire/harbour.txt", PLAIN),
            "/story/lighthouse-dark-night": Page("tidewire/lighthouse.html"),
            "/story/88": Page("tidewire/app.html"),
            "/login": Page("tidewire/login.html"),
            "/go/refuge": Moved(307, f"http://{GAZETTE}:@PORT@/montagne/refuge-de-brame"),
        },
    }
