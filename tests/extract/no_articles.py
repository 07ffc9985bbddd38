"""Original pages that are no article, though they have text: what a crawler meets among the stories."""

from __future__ import annotations

from dataclasses import dataclass

SITE = "https://www.example.org"


@dataclass(frozen=True, slots=True)
class NoArticle:
    """A page to refuse, and the reasons that would be right: any where it is empty."""

    page: str
    path: str
    whys: frozenset[str] = frozenset()


def page(title: str, body: str, *, lang: str = "en", head: str = "") -> str:
    """A page with nothing but `body`."""
    return (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{title}</title>{head}</head>'
        f"<body>{body}</body></html>"
    )


def teasers(lines: str, *, summary: str = "", linked: bool = True, tag: str = "h2") -> str:
    """A headline for each line, each with the same kind of summary, and links to its story."""
    blocks = []
    for number, line in enumerate(lines.strip().splitlines()):
        text = summary.format(number + 2)
        teaser = f'<p><a href="/n/{number}">{text}</a></p>' if linked else f"<p>{text}</p>"
        blocks.append(
            f'<div class="item"><{tag}><a href="/n/{number}">{line.strip()}</a></{tag}>'
            f"{teaser if summary else ''}</div>"
        )
    return "".join(blocks)


LISTING = frozenset({"listing"})
NO_TEXT = frozenset({"no_body", "too_short"})
SHELL = frozenset({"javascript_shell"})
ERROR, LOGIN = frozenset({"error_page"}), frozenset({"login_wall"})

ENGLISH = """Tram line nine returns after two years of works
Orchard owners count the cost of a late frost
Swimmers ask the council for a longer season
Lighthouse keeper's diary found behind a stove
School kitchen wins a prize for its lentil soup
Ferry crews vote on a new winter timetable
Night market moves to the old tannery yard
Rowing club lifts its boats out before the storm"""
GERMAN = """Rathaus sperrt die Treppe zum Ratskeller
Imker zählen mehr Völker als im Vorjahr
Neue Buslinie fährt bis zum Waldfriedhof
Hallenbad öffnet erst nach den Ferien
Müllabfuhr kommt eine Woche früher
Feuerwehr rettet Storch aus Schornstein"""
FRENCH = """Le marché couvert rouvre ses portes samedi
Une école plante mille arbres en une matinée
Le pont suspendu fermé pour trois semaines
Les pêcheurs réclament un nouveau quai
La bibliothèque prête désormais des outils
Un boulanger invente le pain aux algues"""
SPANISH = """El tranvía vuelve a la avenida del puerto
La cosecha de almendra cae por la sequía
Vecinos limpian la ribera del río en domingo
El museo abre de noche durante el verano
Una escuela estrena huerto en la azotea
Cierran el túnel por obras de ventilación"""
JAPANESE = """港の橋、春まで通行止めに
りんご園で収穫始まる、霜の影響も
市営プール、営業延長を検討
灯台の日記、暖炉の裏から発見
路面電車九号線が二年ぶりに再開
夜市が旧工場の広場へ移転"""
ARABIC = """إعادة فتح الجسر القديم في الربيع
مزارعو الزيتون يشكون من قلة المطر
المكتبة العامة تمدد ساعات العمل
الصيادون يطالبون برصيف جديد
مدرسة تزرع ألف شجرة في يوم واحد
المتحف يفتح أبوابه ليلا في الصيف"""

_EN_SUMMARY = (
    "After {0} months of talks the two sides agreed on a plan that nobody had expected to see this year."
)
_DE_SUMMARY = (
    "Nach {0} Monaten einigten sich die Beteiligten auf einen Plan, mit dem kaum noch jemand gerechnet hatte."
)
_FR_SUMMARY = (
    "Après {0} mois de discussions, les deux parties ont trouvé un accord que personne n'attendait plus."
)
_FORM = '<form action="/s"><input name="q"><button>OK</button></form>'
_PRICES = "".join(
    f'<li><a href="/p/{n}"><img src="/{n}.jpg" alt="">{what}</a> '
    f"<b>{n * 7}.90 €</b> <button>Add to basket</button></li>"
    for n, what in enumerate(
        ("Oak stool", "Pine shelf", "Ash bench", "Elm desk", "Beech chair", "Walnut tray") * 4, 1
    )
)
_PICTURES = "".join(
    f'<figure><img src="/g/{n}.jpg" alt=""><figcaption>Picture {n} of 24</figcaption></figure>'
    for n in range(1, 25)
)
_NOT_FOUND_NL = (
    "<h1>Pagina niet gevonden</h1><p>De pagina die u zoekt bestaat niet meer of is verplaatst.</p>"
    '<p>Ga terug naar de <a href="/">voorpagina</a> of gebruik het zoekveld.</p>'
)
_COOKIES = """<div role="dialog"><h1>We value your privacy</h1><p>We and our 412 partners store and read
information on your device, such as cookies, and process personal data, such as unique identifiers, for
personalised advertising and content, measurement of both, audience research and the development of services.
With your permission we may use precise location data. You may click to consent to the processing described
above, or refuse, or change your choice at any time in the privacy centre.</p>
<button>Accept all</button><button>Reject all</button><button>More options</button></div>"""
_IMPRESSUM = """<h1>Impressum</h1><p>Angaben gemäß § 5 DDG</p><p>Beispiel Verlag GmbH<br>Lindenallee 4<br>
01234 Musterstadt</p><p>Telefon: 01234 5678<br>E-Mail: post@beispiel.example</p>
<p>Geschäftsführerin: Rike Tannhof<br>Registergericht: Amtsgericht Musterstadt, HRB 9912<br>
USt-IdNr.: DE000000000</p><p>Verantwortlich für den Inhalt: Jost Ahlers, Anschrift wie oben.</p>"""
_CONTACT = """<h1>Contact us</h1><p>Newsroom: 555 0100</p><p>Subscriptions: 555 0101</p>
<p>Advertising: 555 0102</p><p>Post: 4 Quay Street, Harrow</p><p>Open Monday to Friday, nine to five</p>"""
_WALL_ES = """<h1>Inicia sesión para seguir leyendo</h1><p>Este contenido es solo para suscriptores.</p>
<form><input name="correo"><input type="password"><button>Entrar</button></form>
<p>¿No tienes cuenta? <a href="/alta">Regístrate gratis</a>. <a href="/clave">He olvidado mi clave</a>.</p>"""
_WEBSITE = '<meta property="og:type" content="website"><meta property="og:title" content="City">'

NO_ARTICLES = {
    "home en": NoArticle(page("The Example", teasers(ENGLISH)), "/", LISTING),
    "home de, unlinked summaries": NoArticle(
        page("Das Beispiel", teasers(GERMAN, summary=_DE_SUMMARY, linked=False), lang="de"), "/", LISTING
    ),
    "home fr": NoArticle(page("L'Exemple", teasers(FRENCH, tag="h3"), lang="fr"), "/index.html", LISTING),
    "home ar": NoArticle(page("المثال", teasers(ARABIC), lang="ar"), "/", LISTING),
    "front en, linked": NoArticle(
        page("City", "<h1>City</h1>" + teasers(ENGLISH, summary=_EN_SUMMARY)), "/city", LISTING
    ),
    "front en, unlinked": NoArticle(
        page("City", "<h1>City</h1>" + teasers(ENGLISH, summary=_EN_SUMMARY, linked=False), head=_WEBSITE),
        "/city",
        LISTING,
    ),
    "front de, unlinked": NoArticle(
        page("Lokales", "<h1>Lokales</h1>" + teasers(GERMAN, summary=_DE_SUMMARY, linked=False), lang="de"),
        "/lokales",
        LISTING,
    ),
    "front fr, linked": NoArticle(
        page("Région", "<h1>Région</h1>" + teasers(FRENCH, summary=_FR_SUMMARY), lang="fr"),
        "/region",
        LISTING,
    ),
    "front ja": NoArticle(
        page("地域ニュース", "<h1>地域</h1>" + teasers(JAPANESE), lang="ja"), "/local", LISTING
    ),
    "search en": NoArticle(
        page(
            "Search: bridge", f"<h1>8 results for bridge</h1>{_FORM}" + teasers(ENGLISH, summary=_EN_SUMMARY)
        ),
        "/search?q=bridge",
        LISTING,
    ),
    "search es, unlinked": NoArticle(
        page(
            "Buscar",
            f"<h1>Resultados</h1>{_FORM}" + teasers(SPANISH, summary="Hace {0} días", linked=False),
            lang="es",
        ),
        "/buscar?q=puerto",
    ),
    "search without hits de": NoArticle(
        page("Suche", f"<h1>Suche</h1>{_FORM}<p>Zu Ihrer Suche wurde nichts gefunden.</p>", lang="de"),
        "/suche?q=xy",
        NO_TEXT,
    ),
    "tag es": NoArticle(page("Puerto", "<h1>#puerto</h1>" + teasers(SPANISH), lang="es"), "/tag/p", LISTING),
    "tag ar": NoArticle(page("الجسر", "<h1>الجسر</h1>" + teasers(ARABIC), lang="ar"), "/tag/bridge", LISTING),
    "not found en": NoArticle(
        page("Page not found", "<h1>Page not found</h1><p>Sorry, that page is gone. Try the search.</p>"),
        "/2024/03/x",
        ERROR,
    ),
    "not found nl": NoArticle(page("Niet gevonden", _NOT_FOUND_NL, lang="nl"), "/nieuws/x", ERROR),
    "not found ja": NoArticle(
        page(
            "ページが見つかりません",
            "<h1>404</h1><p>お探しのページは見つかりませんでした。削除されたか、移動した可能性があります。</p>",
            lang="ja",
        ),
        "/news/1",
        ERROR,
    ),
    "not found ru, with og:type": NoArticle(
        page(
            "Страница не найдена",
            "<h1>Ошибка 404</h1><p>Страница не найдена.</p>",
            lang="ru",
            head='<meta property="og:type" content="article">',
        ),
        "/novosti/1",
        ERROR,
    ),
    "not found pt, among stories": NoArticle(
        page(
            "Página não encontrada",
            "<h1>Página não encontrada</h1><p>Leia também:</p>" + teasers(SPANISH),
            lang="pt",
        ),
        "/n/9",
    ),
    "server error en": NoArticle(
        page("Error", "<h1>Something went wrong</h1><p>Our engineers know. Please try again in a while.</p>"),
        "/a",
        ERROR,
    ),
    "login wall es": NoArticle(page("Acceso", _WALL_ES, lang="es"), "/economia/nota", LOGIN),
    "login wall zh": NoArticle(
        page("登录", "<h1>请登录</h1><form><input><button>登录</button></form><p>登录后可阅读全文。</p>"),
        "/a/1",
        LOGIN,
    ),
    "shell": NoArticle(page("Example", '<div id="app"></div><script src="/a.js"></script>'), "/a/b", SHELL),
    "shell with its state": NoArticle(
        page(
            "Example", '<div id="__next"></div><script>window.S={"story":"' + "word, " * 300 + '"}</script>'
        ),
        "/a/b",
        SHELL,
    ),
    "shell with noscript fr": NoArticle(
        page(
            "Exemple",
            "<div id=root></div><noscript><p>Activez JavaScript pour lire cette page.</p></noscript>",
            lang="fr",
        ),
        "/a/b",
        SHELL,
    ),
    "gallery": NoArticle(page("In pictures", f"<h1>In pictures</h1>{_PICTURES}"), "/pictures/9"),
    "products": NoArticle(page("Furniture", f"<h1>Furniture</h1><ul>{_PRICES}</ul>"), "/shop/furniture"),
    "imprint de": NoArticle(page("Impressum", _IMPRESSUM, lang="de"), "/impressum"),
    "contact en": NoArticle(page("Contact", _CONTACT), "/contact"),
    "cookie wall en": NoArticle(page("Example", _COOKIES), "/2024/03/story"),
}
