"""What sites say to a reader in the place of an article: no such page, sign in, consent, prove yourself.

The phrases speak to the reader, as news hardly does, in the languages that sites are written in.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from worker.extract.text import fold, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.model import Paragraph

#: Patterns, parted by slashes and lines. These are titles of error pages, and stand in their text as well.
_ERRORS = r"""
    page (?:can(?:no|')t be|could(?: not|n't) be|was not|is not|not) (?:found|available) / not found
    page (?:does(?: not|n't) exist|(?:is )?(?:no longer available|unavailable|gone)) / access denied
    something went wrong / internal server error / bad gateway / an error (?:has )?occurred
    (?:service|content|site|temporarily) (?:is )?unavailable / (?:down for|under) maintenance
    seite (?:wurde |konnte )?(?:leider )?nicht gefunden / nicht gefunden / seite existiert nicht
    zugriff verweigert / interner serverfehler / page (?:non|pas) trouvée / page (?:est )?introuvable
    page n'existe (?:pas|plus) / accès refusé / página no (?:encontrada|existe|disponible)
    no (?:se )?(?:ha |hemos )?(?:encontr|podido encontr)\w+ (?:la|esta) página / acceso denegado
    página não (?:foi )?(?:encontrada|existe) / acesso negado / pagina non (?:è stata )?(?:trovata|esiste)
    pagina non (?:è )?disponibile / accesso negato / pagina (?:is )?niet (?:gevonden|beschikbaar)
    pagina (?:\w+ ){0,3}bestaat niet / toegang geweigerd / nie znaleziono(?: takiej)? strony
    strona (?:\w+ ){0,2}nie (?:została znaleziona|istnieje) / brak dostępu
    sidan (?:kunde inte hittas|hittades inte|finns inte) / siden (?:ble|blev|kunne|findes|finnes) ikke
    fant ikke siden / sivua ei löy / stránka (?:nebyla nalezena|neexistuje|sa nenašla|nebola nájdená)
    oldal nem található / pagina nu (?:a fost găsită|există|poate fi găsită) / sayfa bulunamadı
    σελίδα δεν (?:βρέθηκε|υπάρχει) / страница не (?:найдена|существует) / доступ (?:запрещ[её]н|закрыт)
    сторінк[ау] не (?:знайдено|знайдена|існує) / страницата не (?:е намерена|съществува)
    الصفحة غير (?:موجودة|متوفرة) / لم يتم العثور على الصفحة / صفحه (?:مورد نظر )?(?:شما )?(?:یافت|پیدا) نشد
    (?:הדף|העמוד) (?:\w+ )?לא נמצא / (?:पृष्ठ|पेज) नहीं मिला / (?:পৃষ্ঠা|পাতা)\w* (?:খুঁজে )?পাওয়া যায়নি
    ページ(?:は|が)?(?:見つかり|存在し|ございま|ありま)\w* / (?:页面|頁面|网页)(?:不存在|未找到|找不到)
    ไม่พบหน้า / 找不到\w{0,6}(?:页面|頁面|网页)
    페이지를 찾을 수 없 / 존재하지 않는 페이지 / halaman tidak ditemukan / không tìm thấy trang
    trang (?:\w+ )?không tồn tại / صفحہ نہیں ملا / ukurasa haukupatikana
"""
_ERROR_TEXTS = r"""
    page (?:that )?you (?:are|were|have)\b / requested (?:page|url) / page you requested
    (?:mis)?typed the (?:address|url) / link (?:you followed|that brought you)
    please (?:try|check) (?:again|the)
    (?:gesuchte|angeforderte|aufgerufene) seite / page (?:que vous|demandée|recherchée)
    página (?:que (?:buscas?|está|estás|intenta|você|procura)|solicitada)
    pagina (?:che (?:stai|cerc)|richiesta) / pagina die (?:je|u)\b / stron[ay],? której szuka
    sid(?:an|en) (?:som )?du (?:leter|letar|leder|søger|söker) / etsimääsi sivua / запрашиваем\w+ страниц
    страниц\w+,? котор\w+ вы
    сторінк\w+,? як\w+ ви / aradığınız sayfa / الصفحة التي (?:تبحث|طلبت|تحاول) / お探しの(?:ページ|記事)
    (?:您|你)(?:访问|查找|请求|要找|所?訪問)的(?:页面|网页|頁面) / 요청하신 페이지 / halaman yang anda
    stránk\w+,? kter\w+ hledáte
    keresett oldal / pagina pe care
"""
_LOGINS = r"""
    (?:sign|log) ?in / login
    (?:sign up|sign in|log in|subscribe|register) to (?:continue|keep|read|unlock).* / inicia sesión para .*
    (?:for )?subscribers? only / anmelden / anmeldung / se connecter / connexion / iniciar sesión
    inicia sesión / acceso / entrar / accedi / inloggen / zaloguj się / logowanie / войти / вход / увійти
    giriş(?: yap)? / logga in / logg inn / log ind / přihlášení / ログイン / 请?登录 / 登入 / 로그인
    تسجيل الدخول
    ورود
"""
_LOGIN_TEXTS = r"""
    (?:sign|log) in (?:to|with|or|here|below|now)
    already (?:a (?:subscriber|member)|have an? (?:account|subscription)|registered|subscribed)
    for(?:got|gotten) (?:your )?password / subscribe (?:now )?to (?:continue|read|keep|unlock|get)
    to (?:continue|keep) reading / start your (?:free )?trial
    (?:create|register for) (?:a|an|your) (?:free )?account / (?:get|have) (?:full|unlimited) access
    (?:for|to|reserved for) (?:our )?(?:subscribers|members)(?: only|\.) / (?:melden sie sich|melde dich)
    (?:loggen sie sich|logge dich) / um weiterzulesen / um den (?:ganzen |vollständigen )?artikel
    passwort vergessen / bereits (?:\w+)?(?:abonnent|registriert|kund)
    jetzt (?:kostenlos )?(?:anmelden|registrieren|abonnieren|testen) / nur für (?:\w+)?abonnent
    connectez-vous / identifiez-vous / abonnez-vous / inscrivez-vous
    pour (?:lire la suite|(?:continuer|poursuivre) (?:votre |la )?lecture) / déjà abonné
    réservé (?:à nos|aux) abonné
    mot de passe oublié / inici[ae] sesión / para (?:seguir|continuar) leyendo / suscríb(?:ete|ase)
    regístr(?:ate|ese) / para (?:nuestros )?suscriptores
    ¿(?:ya|no) (?:eres|tienes|es|tiene) (?:suscriptor|cuenta|una cuenta)
    olvid\w+ (?:mi|tu|su|la) (?:clave|contraseña) / faça (?:o )?(?:seu )?login
    para continuar (?:lendo|a l(?:er|eitura))
    para assinantes / já é assinante / assine (?:para|já|agora|e ) / cadastre-se / inici[ae] sessão
    accedi (?:per|con|al|o ) / abbonati (?:per|ora|subito|e ) / per continuare a leggere
    riservat\w+ agli abbonati / già (?:abbonat|un account) / registrati (?:per|gratis|ora)
    log in (?:om|met) / om (?:verder|door) te lezen / al een (?:account|abonnement) / voor abonnees
    wachtwoord vergeten / zaloguj się / zarejestruj się
    aby (?:czytać dalej|kontynuować czytanie|przeczytać cały) / masz już (?:konto|prenumeratę|subskrypcję)
    wykup (?:dostęp|prenumeratę) / войдите / авторизуйтесь / зарегистрируйтесь
    чтобы (?:продолжить чтение|дочитать|читать (?:далее|дальше)) / оформите подписку / забыли пароль
    (?:для|по) подпис(?:чик|ке)
    увійдіть / щоб (?:продовжити читання|читати далі) / передплат(?:іть|ник) / giriş yap(?:ın|arak|manız)
    (?:okumaya devam etmek|devamını okumak) için / (?:abone|üye) ol(?:un|arak) / şifremi unuttum
    şifrenizi / logga in (?:för|med|här)
    för att (?:läsa (?:vidare|hela|mer)|fortsätta läsa) / (?:redan|allerede) (?:prenumerant|abonnent|kund)
    logg? inn? (?:for|med|her) / log ind (?:for|med|her) / for (?:å lese|at læse) (?:videre|hele)
    (?:bli|bliv) abonnent / kirjaudu / tilaajille / přihla[sš]te se / pro předplatitele / předplaťte si
    συνδεθείτε / για να συνεχίσετε / jelentkezzen be / ログイン(?:して|すると|が必要|後|の上)
    会員(?:限定|登録) / 続きを(?:読|お読)
    有料(?:会員|記事) / 请先?(?:登录|注册) / 登录(?:后|以|即可) / (?:登入|訂閱)(?:後|以)
    订阅(?:后|以|即可) / 로그인(?: 후|하세요|하시|하면|해|이 필요|하고) / 회원 ?(?:가입|전용)
    구독자 전용 / (?:تسجيل|سجل|بتسجيل) (?:الدخول|دخولك) / للمشتركين / اشترك (?:الآن|لقراءة)
    وارد (?:شوید|حساب)
    لاگ ?ان / लॉग ?इन करें / (?:आगे|पूरा|पूरी) (?:\S+ )?पढ़ने के लिए / सब्सक्राइब करें
    silakan (?:masuk|login) / melanjutkan membaca
    đăng nhập (?:để|vào)
"""
_CONSENTS = r"""
    we value your privacy / your privacy(?: choices| settings)? / privacy settings
    cookies?(?: settings| consent)? / datenschutzeinstellungen / cookie-einstellungen
    vos choix (?:\w+ ){0,3}cookies / ihre privatsphäre
"""
_CONSENT_TEXTS = r"""
    we value your privacy / we and our (?:\S+ )?partners / (?:we|(?:web)?site|and) uses? (?:of )?cookies
    such as cookies / (?:accept|reject) (?:all|cookies) / (?:click|may) (?:to )?consent
    with your (?:consent|permission) / your consent
    (?:manage|change|your) (?:privacy |cookie )?(?:preferences|choices|settings)
    personali[sz]ed (?:ads|adverti|content)
    (?:cookie|privacy) (?:policy|settings|notice|centre|center|button) / legitimate interest
    process personal data / (?:wir|website|seite) (?:\w+ )?(?:verwende[nt]|nutz\w+|setz\w+) (?:\w+ )?cookies
    wir und unsere / unsere[rn]? partner / (?:ihre|ihrer|deine|deiner) (?:einwilligung|zustimmung)
    (?:alle|cookies|allen?) (?:akzeptieren|zustimmen) / personalisierte (?:werbung|anzeigen)
    (?:datenschutz|cookie|privatsphäre)-?einstellungen / datenschutzerklärung / berechtigte[sn]? interesse
    utilis(?:ons|e|ent) des cookies / nos (?:\S+ )?partenaires / votre (?:consentement|accord)
    (?:tout|tous) (?:accepter|refuser) / accepter (?:les cookies|et) / publicités? personnalisée
    vos (?:choix|préférences) / politique de (?:confidentialité|cookies) / intérêt légitime
    (?:utiliz|us)a(?:mos)? (?:\w+ )?cookies / nuestros (?:\S+ )?socios / (?:su|tu) consentimiento
    (?:aceptar|rechazar|aceitar|rejeitar) (?:tod|cookies|y ) / publici?dade? personalizad
    política de (?:cookies|priva) / nossos (?:\S+ )?parceiros / seu consentimento
    (?:utilizz|us)(?:iamo|a) (?:i )?cookie / nostri (?:\S+ )?partner / tuo consenso
    (?:accett|rifiut)a(?:re)? (?:tutt|e continua) / informativa sui?  / cookie policy
    gebruik(?:en|t)? (?:van )?cookies / onze (?:\S+ )?partners / (?:je|uw|jouw) toestemming
    alles accepteren / cookie-?beleid / (?:plik\w+|używa\w*|korzysta\w*) (?:z )?(?:plików )?cookie
    nasz\w+ (?:zaufan\w+ )?partner / (?:twoj\w+|wyraż\w+) zgod / polityk\w+ (?:prywatności|cookie)
    использу\w+ (?:файлы )?(?:cookie|куки) / файл\w+ cookie / согласи\w+ на обработку
    политик\w+ конфиденциальности / çerez\w* (?:kullan|politika|ayar) / tümünü kabul
    vi använder (?:cookies|kakor) / (?:dit|ditt|deres) samtyc?k
    vi (?:bruger|bruker) (?:cookies|informasjonskapsler) / v(?:ores|åre|åra) (?:\S+ )?partner
    (?:godta|godkänn|accept[eé]r) all / (?:použív|využív)á(?:me|ní) (?:soubor\w+ )?cookie / váš souhlas
    přijmout vše / sütiket / partenerii noștri / (?:folosim|utilizăm) (?:\w+ )?cookie / käytämme evästeitä
    χρησιμοποιούμε cookies / (?:クッキー|cookie).{0,12}(?:使用|利用|同意) / 使用.{0,6}cookie
    cookie.{0,10}同意
    쿠키.{0,12}(?:사용|동의) / ملفات تعريف الارتباط / سياسة الخصوصية / کوکی‌?ها / menggunakan cookie
    sử dụng cookie / कुकीज़? का (?:उपयोग|इस्तेमाल)
"""
_CHECKS = r"""
    just a moment / attention required / (?:are you|i'm not|not) a robot / security check / one more step
    verif(?:y|ying)(?: that)? you are (?:a )?human / kein roboter / vous n'êtes pas un robot
    no eres un robot / pardon our interruption / checking your browser(?: before accessing.*)? / 非ロボット
    ロボットではありません / 安全验证 / 人机验证
"""
_CHECK_TEXTS = r"""
    (?:complete|solve) the (?:captcha|security|puzzle|challenge)
    unusual (?:traffic|activity) (?:from|on) your
    enable cookies / (?:security of|checking) your (?:connection|browser) / site connection is secure
    you have been blocked / ray id / не робот / robot olmadığ / (?:soy|eres|sono|suis pas) un robot
    sou um robô / jesteś robotem / 로봇이 아
    ungewöhnliche\w* (?:datenverkehr|aktivität)
"""
#: Titles that may be of anything else, but for the text below them.
_FAILURES = r"""
    error / erreur / fehler / erro / errore / fout / błąd / fel / feil / fejl / chyba / hiba
    hata / ошибка / помилка / エラー / 错误 / 錯誤 / 오류 / خطأ
"""
#: What a page without its story offers instead; news may name it.
_PLACES = r"""
    404 / search / (?:home|front) ?page / startseite / suche / page d'accueil / recherche / buscador
    página (?:principal|de inicio|inicial) / portada / pagina iniziale / home / voorpagina / startpagina
    stron\w+ główn / главн\w+ страниц / поиск / головн\w+ сторінк / пошук / ana ?sayfa / startsida / forsid
    etusivu / hlavní stránk / főoldal / αρχική / トップ / 首页 / 首頁 / 홈 / الرئيسية / صفحه اصلی
    beranda / trang chủ
    होम / মূলপাতা / หน้าแรก / דף הבית
"""
#: Words for allowing JavaScript and for lacking it, which stand before or behind its name.
_SWITCH = r"""
    enabl / activat / turn on / turned on / allow / support / disabled / requires? / aktivier / einschalten
    activ / désactiv / habilit / ativ / attiv / abilit / schakel / włącz / wyłącz / включ / отключ / увімкн
    вимкн / etkinleştir / kapalı / aktiver / povol / zapn / engedély / käyttöön / ενεργοποι / bật / aktifkan
    有効 / 無効 / 启用 / 啟用 / 开启 / 禁用 / 활성화 / تفعيل / تمكين / فعال / सक्षम
"""
#: What the title of a notice may have besides: numbers and marks, an apology, an article.
_FILLER = r"""
    oh no / oops / oups / ups / hoppla / whoops / sorry / http / please / leider / this / that / the / diese
    die / cette / la / esta / az / deze / de / a
"""
_SITE_NAME = r"\s[-–—|·•]\s\S+(?:\s\S+){0,3}"
_MAX_TITLE_CHARS = 100
_MAX_CHARS = 5_000
_SPOKEN_WORDS = 25  # of a paragraph, for each phrase in it
_FEW_WORDS = 8


@dataclass(frozen=True, slots=True)
class _Kind:
    why: str
    title: re.Pattern[str]
    beside_title: re.Pattern[str]
    text: re.Pattern[str]
    plain: bool = False  # one phrase is enough where it fills the text


def _any_of(*tables: str) -> str:
    listed = "|".join(re.split(r"\s*[/\n]\s*", "\n".join(table.strip() for table in tables)))
    return unicodedata.normalize("NFKC", listed)


def _kind(why: str, titles: str, texts: str, *, beside_title: str = "", plain: bool = False) -> _Kind:
    filler = rf"(?:[\W\d_]|(?:{_any_of(_FILLER, _FAILURES)})\b)*"
    title = re.compile(rf"{filler}(?:{titles})\w*{filler}(?:{_SITE_NAME})?")
    return _Kind(why, title, re.compile(beside_title or texts), re.compile(texts), plain)


@cache  # made when the first short page comes: compiling takes longer than reading a page
def _kinds() -> tuple[_Kind, ...]:
    switch = _any_of(_SWITCH)
    scripts = rf"(?:{switch}).{{0,40}}\bjavascript|\bjavascript\b.{{0,40}}(?:{switch})"
    return (
        _kind(
            "error_page",
            _any_of(_ERRORS, _FAILURES, r"[45]\d\d"),
            _any_of(_ERRORS, _ERROR_TEXTS),
            beside_title=_any_of(_ERRORS, _ERROR_TEXTS, _PLACES),
        ),
        _kind("login_wall", _any_of(_LOGINS), _any_of(_LOGIN_TEXTS)),
        _kind("consent_page", _any_of(_CONSENTS), _any_of(_CONSENT_TEXTS)),
        _kind("bot_check", _any_of(_CHECKS), _any_of(_CHECKS, _CHECK_TEXTS)),
        _kind("no_body", rf"(?:{scripts}).*", scripts, plain=True),
    )


def notice(title: str, paragraphs: Sequence[Paragraph], *, claimed: bool) -> str | None:
    """The `why` to refuse a short page for where it is a notice and no article; None where it is none.

    Its title is one and most of its text too, or several phrases of one kind fill the text: most of it, or
    all but a few words where the page is `claimed` to be an article, as a wall may follow a teaser.
    """
    if sum(len(paragraph.text) for paragraph in paragraphs) > _MAX_CHARS:
        return None  # patterns take quadratic time over a word of megabytes
    folded_title = fold(title[:_MAX_TITLE_CHARS])
    texts = [(text, len(words(text))) for text in (fold(paragraph.text) for paragraph in paragraphs)]
    count = sum(size for _, size in texts)
    for kind in _kinds():
        if kind.title.fullmatch(folded_title) and 2 * _spoken(texts, kind.beside_title)[0] >= count:
            return kind.why
        spoken, phrases = _spoken(texts, kind.text)
        few_left = count - spoken < _FEW_WORDS
        if phrases > 1 and (few_left or (not claimed and 2 * spoken >= count)):
            return kind.why
        if phrases and few_left and kind.plain:
            return kind.why
    return None


def _spoken(texts: Sequence[tuple[str, int]], pattern: re.Pattern[str]) -> tuple[int, int]:
    """How many of the words the phrases of `pattern` speak for, and how many different ones there are."""
    found = [pattern.findall(text) for text, _ in texts]
    spoken = sum(min(size, _SPOKEN_WORDS * len(some)) for (_, size), some in zip(texts, found, strict=True))
    return spoken, len(set().union(*found))
