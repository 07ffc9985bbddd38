"""Original pages with a notice to the reader, most of which their template calls an article."""

from __future__ import annotations

import json

from tests.extract.no_articles import ERROR, LOGIN, NoArticle, page

OG = '<meta property="og:type" content="article">'
CONSENT, CHECK, NO_BODY = frozenset({"consent_page"}), frozenset({"bot_check"}), frozenset({"no_body"})


def dated(title: str) -> str:
    """The head of a template that gives every page the data of an article."""
    node = {"@type": "NewsArticle", "headline": title, "datePublished": "2024-03-11T08:15:00Z"}
    return f'{OG}<script type="application/ld+json">{json.dumps(node)}</script>'


def says(title: str, *texts: str, lang: str = "en", head: str = "", path: str = "/n/1") -> tuple[str, str]:
    """A page of paragraphs, and its path."""
    body = f"<main><h1>{title}</h1>{''.join(f'<p>{text}</p>' for text in texts)}</main>"
    return page(title, body, lang=lang, head=head), path


HARROW = "Harrow Quay bridge to stay closed until spring"

NOTICES = {
    "login wall en, og:type": NoArticle(
        *says(
            HARROW,
            "Please sign in to continue reading this story. Already a subscriber? Log in with your "
            "account to get full access.",
            head=OG,
        ),
        LOGIN,
    ),
    "login wall de, JSON-LD": NoArticle(
        *says(
            "Brücke bleibt bis zum Frühjahr gesperrt",
            "Melden Sie sich an, um weiterzulesen. Dieser Inhalt ist nur für Abonnenten.",
            "Bereits Digitalabonnent? Jetzt anmelden. Passwort vergessen?",
            lang="de",
            head=dated("Brücke bleibt bis zum Frühjahr gesperrt"),
        ),
        LOGIN,
    ),
    "login wall fr, JSON-LD": NoArticle(
        *says(
            "Le pont fermé jusqu'au printemps",
            "Cet article est réservé aux abonnés. Connectez-vous pour lire la suite.",
            "Vous êtes déjà abonné ? Mot de passe oublié ?",
            lang="fr",
            head=dated("Le pont fermé jusqu'au printemps"),
        ),
        LOGIN,
    ),
    "login wall pt, og:type": NoArticle(
        *says(
            "Ponte fechada até a primavera",
            "Conteúdo exclusivo para assinantes. Faça seu login para continuar lendo.",
            "Já é assinante? Inicie sessão. Ainda não? Assine agora por um euro ao mês.",
            lang="pt",
            head=OG,
        ),
        LOGIN,
    ),
    "login wall ru, JSON-LD": NoArticle(
        *says(
            "Мост закрыт до весны",
            "Чтобы дочитать материал, войдите в свой аккаунт или зарегистрируйтесь.",
            "Текст доступен только по подписке. Оформите подписку за одну минуту.",
            lang="ru",
            head=dated("Мост закрыт до весны"),
        ),
        LOGIN,
    ),
    "login wall ja, JSON-LD": NoArticle(
        *says(
            "港の橋、春まで閉鎖",
            "この記事は会員限定です。ログインすると続きをお読みいただけます。",
            "有料会員の方はログインしてください。",
            lang="ja",
            head=dated("港の橋、春まで閉鎖"),
        ),
        LOGIN,
    ),
    "login wall sv, long": NoArticle(
        *says(
            "Logga in",
            "Logga in för att läsa vidare. Har du glömt lösenordet kan du beställa ett nytt till den "
            "adress som du angav när du blev kund hos oss.",
            "Redan prenumerant? Då ingår allt innehåll på sajten och i appen i din prenumeration, och du "
            "behöver bara logga in med samma uppgifter som tidigare.",
            "Kundtjänst svarar på frågor om din prenumeration varje vardag mellan klockan åtta och "
            "sexton, och på helger mellan nio och tolv.",
            lang="sv",
        ),
        LOGIN,
    ),
    "asks for JavaScript en, og:type": NoArticle(
        *says(HARROW, "You need to enable JavaScript to run this app. Please enable it and reload.", head=OG),
        NO_BODY,
    ),
    "asks for JavaScript de, og:type": NoArticle(
        *says(HARROW, "Bitte aktivieren Sie JavaScript in Ihrem Browser, um diese Seite zu sehen.", head=OG),
        NO_BODY,
    ),
    "asks for JavaScript es, JSON-LD": NoArticle(
        *says(
            HARROW,
            "Es necesario activar JavaScript en el navegador para ver esta página.",
            head=dated(HARROW),
        ),
        NO_BODY,
    ),
    "asks for JavaScript pl, JSON-LD": NoArticle(
        *says(HARROW, "Włącz obsługę JavaScript w swojej przeglądarce i odśwież stronę.", head=dated(HARROW)),
        NO_BODY,
    ),
    "asks for JavaScript zh, og:type": NoArticle(
        *says(HARROW, "请在浏览器中启用 JavaScript 后刷新页面再继续浏览。", head=OG), NO_BODY
    ),
    "not found en, og:type": NoArticle(
        *says(
            "Page not found",
            "Sorry, the page that you were looking for does not exist or has been moved.",
            head=OG,
        ),
        ERROR,
    ),
    "not found en, long": NoArticle(
        *says(
            "Page not found",
            "Sorry, we could not find the page that you were looking for. It may have been moved or "
            "deleted, or you may have typed the address wrongly.",
            "Please check the address for mistakes, or use the search box at the top of the page to find "
            "what you want. If you followed a link from another site, please tell its owner about it.",
            "You can also go back to our front page and look at the latest news from there. We are sorry "
            "for the trouble.",
        ),
        ERROR,
    ),
    "not found de, JSON-LD, signed": NoArticle(
        *says(
            "Fehler 404: Seite nicht gefunden | Der Kurier",
            "Die angeforderte Seite wurde leider nicht gefunden. Zurück zur Startseite oder zur Suche.",
            lang="de",
            head=dated("Fehler 404: Seite nicht gefunden | Der Kurier"),
        ),
        ERROR,
    ),
    "not found fr, long": NoArticle(
        *says(
            "Oups ! Page introuvable",
            "La page que vous recherchez n'existe plus, a changé d'adresse ou n'a peut-être jamais "
            "existé, et nous en sommes sincèrement désolés.",
            "Vérifiez que l'adresse a été saisie sans faute, ou utilisez le moteur de recherche qui se "
            "trouve en haut de chaque page du site.",
            "Vous pouvez aussi revenir à la page d'accueil, où toutes les nouvelles de la journée vous "
            "attendent, rubrique par rubrique.",
            lang="fr",
        ),
        ERROR,
    ),
    "not found tr, og:type": NoArticle(
        *says(
            "Sayfa bulunamadı",
            "Aradığınız sayfa kaldırılmış ya da taşınmış olabilir. Ana sayfaya dönün.",
            lang="tr",
            head=OG,
        ),
        ERROR,
    ),
    "not found ar, JSON-LD": NoArticle(
        *says(
            "الصفحة غير موجودة",
            "عذرا، الصفحة التي تبحث عنها غير متاحة أو تم نقلها. عد إلى الصفحة الرئيسية.",
            lang="ar",
            head=dated("الصفحة غير موجودة"),
        ),
        ERROR,
    ),
    "not found ko, og:type": NoArticle(
        *says(
            "페이지를 찾을 수 없습니다",
            "요청하신 페이지가 삭제되었거나 주소가 변경되었습니다. 홈으로 이동해 주세요.",
            lang="ko",
            head=OG,
        ),
        ERROR,
    ),
    "bot check en": NoArticle(
        *says(
            "Just a moment...",
            "Verifying you are human. This may take a few seconds. The site needs to review the security "
            "of your connection before proceeding, and you will be sent on as soon as that has been done.",
            "If you are stuck on this page, please enable cookies and complete the CAPTCHA below, or "
            "write to the owner of the site and tell what you were doing when this page came up.",
        ),
        CHECK,
    ),
    "consent en": NoArticle(
        page(
            HARROW,
            '<div class="cookie-consent"><h2>We value your privacy</h2><p>We and our partners store and '
            "access information on your device, such as cookies, and process personal data for ads and "
            "content measurement.</p><p>With your permission we and our partners may use precise location "
            "data and identification through device scanning. You may click to consent to our processing as "
            "described above.</p><p>Your preferences will apply to this website only. You can change them "
            "at any time by returning to this site and clicking the privacy button.</p></div>",
        ),
        "/n/1",
        CONSENT,
    ),
    "consent de, JSON-LD": NoArticle(
        *says(
            HARROW,
            "Wir verwenden Cookies. Mit Ihrer Einwilligung zeigen wir und unsere 180 Partner "
            "personalisierte Werbung.",
            "Sie können die Cookie-Einstellungen jederzeit ändern. Alle akzeptieren oder ablehnen?",
            lang="de",
            head=dated(HARROW),
        ),
        CONSENT,
    ),
    "consent it": NoArticle(
        *says(
            "Il ponte resta chiuso",
            "Noi e i nostri 92 partner utilizziamo cookie e tecnologie simili per archiviare informazioni "
            "sul dispositivo e mostrare annunci in base agli interessi di chi legge.",
            "Con il tuo consenso possiamo usare dati di posizione precisi. Puoi accettare tutto, "
            "rifiutare tutto o scegliere le singole voci, come spiega la cookie policy del sito.",
            "Le scelte valgono soltanto per questo sito e si possono cambiare in ogni momento dal piè di "
            "pagina.",
            lang="it",
        ),
        CONSENT,
    ),
}
