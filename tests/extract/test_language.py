"""Declared languages against the text's script and its commonest words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.extract.pages import JSONLD, PARAGRAPHS, URL, encoded, news_page
from worker.extract import extract_article
from worker.extract.language import DISAGREEMENT, Language, choose_language, script_of
from worker.extract.structured import Candidate

ENGLISH = " ".join(PARAGRAPHS)
#: Original lines, each in its language.
TEXTS = {
    "de": (
        "Die alte Brücke am Hafen bleibt bis zum Frühjahr geschlossen, weil Taucher in den Pfeilern Risse "
        "fanden und die Stadt nicht für die Sicherheit der Menschen auf dem Weg zur Insel bürgen will, "
        "wie sie mitteilte."
    ),
    "fr": (
        "Le vieux pont du port restera fermé jusqu'au printemps, car des plongeurs ont trouvé des "
        "fissures dans les piliers et la ville ne veut pas que les habitants de l'île prennent un risque "
        "pour aller au marché."
    ),
    "es": (
        "El viejo puente del puerto seguirá cerrado hasta la primavera, porque los buzos encontraron "
        "grietas en los pilares y la ciudad no quiere que los vecinos de la isla corran un riesgo para ir "
        "al mercado."
    ),
    "it": (
        "Il vecchio ponte del porto resta chiuso fino alla primavera, perché i sub hanno trovato delle "
        "crepe nei piloni e la città non vuole che gli abitanti dell'isola corrano un rischio per andare "
        "al mercato."
    ),
    "pt": (
        "A velha ponte do porto vai continuar fechada até à primavera, porque os mergulhadores "
        "encontraram fendas nos pilares e a cidade não quer que os moradores da ilha corram um risco para "
        "ir ao mercado."
    ),
    "nl": (
        "De oude brug in de haven blijft tot het voorjaar dicht, omdat duikers scheuren in de pijlers "
        "vonden en de stad niet wil dat de mensen van het eiland een risico lopen om naar de markt te "
        "gaan."
    ),
    "sv": (
        "Den gamla bron i hamnen är stängd till våren, eftersom dykare har hittat sprickor i pelarna och "
        "staden inte vill att de som bor på ön ska ta en risk för att komma till torget, säger en "
        "talesman."
    ),
    "pl": (
        "Stary most w porcie pozostanie zamknięty do wiosny, bo nurkowie znaleźli pęknięcia w filarach i "
        "miasto nie chce, żeby mieszkańcy wyspy po drodze na targ się narażali, ale to nie jest koniec "
        "prac."
    ),
    "tr": (
        "Limandaki eski köprü bahara kadar kapalı kalacak, çünkü dalgıçlar ayaklarda çatlaklar buldu ve "
        "belediye bir kaza olsun istemiyor; bu nedenle daha sonra yeni bir karar için toplanacak ve en az "
        "üç ay bekleyecek."
    ),
    "ru": (
        "Старый мост в порту останется закрыт до весны, потому что водолазы нашли трещины в опорах и "
        "город не хочет, чтобы жители острова рисковали по дороге на рынок, но это не конец работ, как "
        "сказал мэр."
    ),
    "uk": (
        "Старий міст у порту буде закритий до весни, бо водолази знайшли тріщини в опорах і місто не "
        "хоче, щоб мешканці острова ризикували по дорозі на ринок, але це ще не кінець робіт, як сказав "
        "мер."
    ),
    "ar": (
        "سيبقى الجسر القديم في الميناء مغلقا حتى الربيع بعد أن عثر الغواصون على شقوق في الأعمدة ولا تريد "
        "المدينة أن يخاطر سكان الجزيرة من أجل الذهاب إلى السوق كما قال رئيس البلدية هذا اليوم"
    ),
    "fa": (
        "پل قدیمی بندر تا بهار بسته می ماند که غواصان در پایه های آن ترک پیدا کرده اند و شهر نمی خواهد که "
        "مردم جزیره برای رفتن به بازار خطر کنند و این را شهردار به خبرنگاران گفت"
    ),
    "ur": (
        "بندرگاہ کا پرانا پل بہار تک بند رہے گا کیونکہ غوطہ خوروں نے اس کے ستونوں میں دراڑیں پائی ہیں اور "
        "شہر نہیں چاہتا کہ جزیرے کے لوگ بازار جانے کے لیے خطرہ مول لیں یہ بات میئر نے کہی ہے"
    ),
}


def chosen(text: str, *declared: str) -> Language:
    return choose_language([Candidate(tag, "html:lang") for tag in declared], text, script_of(text))


@pytest.mark.parametrize("language", TEXTS)
def test_a_text_tells_its_language_where_the_page_does_not(language: str) -> None:
    """The commonest words are enough, and the source says so."""
    assert chosen(TEXTS[language]) == Language(language, "text")


@pytest.mark.parametrize("language", [language for language in TEXTS if language != "en"])
def test_a_text_betrays_a_template_that_says_english(language: str) -> None:
    """The text's own language is taken, with a warning."""
    found = chosen(TEXTS[language], "en")
    assert (found.tag, found.warnings) == (language, (DISAGREEMENT,))


def test_a_declaration_that_the_text_bears_out_is_believed() -> None:
    """With its region, and without a warning; of two that disagree the one that is right."""
    assert chosen(ENGLISH, "en-GB") == Language("en-GB", "html:lang")
    assert chosen(TEXTS["de"], "en", "de-AT") == Language("de-AT", "html:lang", disagrees=True)


@pytest.mark.parametrize(
    ("declared", "text"), [("es", TEXTS["pt"]), ("ms", "yang dan di itu tidak " * 20), ("cy", ENGLISH)]
)
def test_a_kindred_or_an_unknown_declared_language_is_believed(declared: str, text: str) -> None:
    """Common words tell neighbours apart too seldom to overrule the page, and strangers never."""
    assert chosen(text, declared) == Language(declared, "html:lang")


def test_a_text_without_any_word_of_the_declared_language_warns() -> None:
    """Though nothing better is known."""
    found = chosen("umfowethu ubonile izinyoni ezintathu " * 20, "en")
    assert (found.tag, found.disagrees) == ("en", True)


def test_a_declared_language_must_fit_the_script() -> None:
    """English is not written in Hangul, whatever a template says."""
    korean = "다리는 봄까지 폐쇄된다"
    assert chosen(korean, "en", "ko-KR") == Language("ko-KR", "html:lang", disagrees=True)
    assert chosen(korean, "en") == Language("ko", "script", disagrees=True)
    assert chosen("The bridge is closed", "en") == Language("en", "html:lang")
    assert chosen("The bridge is closed") == Language(None, None)
    assert chosen("橋將關閉至春天", "en") == Language(None, None, disagrees=True)


@given(st.text(max_size=300), st.lists(st.text(max_size=8), max_size=3))
def test_any_text_has_a_language_or_none(text: str, declared: list[str]) -> None:
    """Choosing is total."""
    found = chosen(text, *declared)
    assert (found.tag is None) == (found.source is None)


def test_http_equiv_declares_a_language() -> None:
    """HTML, 4.2.5.3: `content-language`, as old pages have it; and the warning reaches the article."""
    head = '<meta http-equiv="Content-Language" content="en-ZA">'
    article = extract_article(encoded(news_page(head=head, lang="", jsonld=None)), url=URL)
    assert (article.language, article.extraction.provenance["language"]) == ("en-ZA", "meta:content-language")
    article = extract_article(encoded(news_page(jsonld=JSONLD | {"inLanguage": "de"})), url=URL)
    assert article.language == "en-GB"
    assert DISAGREEMENT in article.extraction.warnings
