"""Articles in 22 encodings, declared in every way or in none, with labels that conflict: each reads right."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

import pytest

from tests.extract.articles_abroad import ARTICLES, BY_ENCODING, Abroad
from worker.extract.article import extract_article
from worker.extract.charset import declared_encodings, decode

if TYPE_CHECKING:
    from worker.model import Article

URL = "https://news.example.com/2024/03/11/harrow-quay-bridge-closed.html"
UTF_16 = {"utf-16le", "utf-16be"}
BOMS = {"utf-8": codecs.BOM_UTF8, "utf-16le": codecs.BOM_UTF16_LE, "utf-16be": codecs.BOM_UTF16_BE}
SCRIPT = f"<script>{'var a = {b: 1};' * 300}</script>"
LABELLED = [article for article in ARTICLES if article.encoding not in UTF_16]
#: Whose bytes are not ASCII, and so tell legacy encodings from UTF-8.
EIGHT_BIT = [article for article in LABELLED if article.encoding != "iso-2022-jp"]
LEGACY = [article for article in EIGHT_BIT if article.encoding != "utf-8"]


def read(page: bytes, content_type: str | None = "text/html") -> Article:
    return extract_article(page, url=URL, content_type=content_type)


def assert_reads(read: Article, written: Abroad, charset: str | None = None) -> None:
    assert read.title == written.headline
    assert tuple(paragraph.text for paragraph in read.paragraphs) == written.paragraphs
    assert read.charset == (charset or written.encoding)


def names(article: Abroad) -> str:
    return article.encoding


@pytest.mark.parametrize("article", ARTICLES, ids=names)
def test_declared_by_the_header(article: Abroad) -> None:
    """The label of the Content-Type is honoured."""
    assert_reads(read(article.encoded(), f"text/html; charset={article.encoding}"), article)


@pytest.mark.parametrize(
    "form", ["text/html;charset={}", 'text/html; Charset="{}"', "text/html; a=b; charset = {} "]
)
@pytest.mark.parametrize("article", LABELLED, ids=names)
def test_declared_by_a_header_in_another_form(article: Abroad, form: str) -> None:
    """Case, quotes, spaces and other parameters change nothing."""
    assert_reads(read(article.encoded(), form.format(article.encoding.upper())), article)


META = (
    '<meta charset="{}">',
    "<meta charset='{}'>",
    "<META CHARSET={}>",
    "<meta charset={} />",
    "<meta\n  charset = {} >",
    '<meta name="x" charset="{}">',
    '<meta http-equiv="Content-Type" content="text/html; charset={}">',
    "<meta content='text/html;charset={}' http-equiv=content-type>",
    "<!-- <meta charset=koi8-u> --><meta charset={}>",
    '<meta name="charset" content="koi8-u"><meta charset="{}">',
)


@pytest.mark.parametrize("form", META)
@pytest.mark.parametrize("article", LABELLED, ids=names)
def test_declared_by_a_meta(article: Abroad, form: str) -> None:
    """A <meta> within the first 1,024 bytes is honoured, in each form (HTML, 13.2.3.2)."""
    assert_reads(read(article.encoded(form.format(article.encoding))), article)


@pytest.mark.parametrize("declared", ["windows-1251", "shift_jis", "utf-8", None])
@pytest.mark.parametrize("encoding", sorted(BOMS))
def test_declared_by_a_bom(encoding: str, declared: str | None) -> None:
    """A byte order mark beats the header and the meta, whatever they say (Encoding, 6)."""
    article = BY_ENCODING[encoding]
    head = f"<meta charset={declared}>" if declared else ""
    content_type = f"text/html; charset={declared}" if declared else None
    assert_reads(read(BOMS[encoding] + article.encoded(head), content_type), article)


@pytest.mark.parametrize("meta", ["utf-8", "windows-1252", "euc-jp", "koi8-u"])
@pytest.mark.parametrize("article", LEGACY, ids=names)
def test_the_header_beats_the_meta(article: Abroad, meta: str) -> None:
    """Where header and meta conflict, and the bytes fit the header, the header decides."""
    page = article.encoded(f"<meta charset={meta}>")
    assert_reads(read(page, f"text/html; charset={article.encoding}"), article)


@pytest.mark.parametrize("article", EIGHT_BIT, ids=names)
def test_utf_8_behind_a_legacy_label(article: Abroad) -> None:
    """UTF-8 that a server calls by an old name is UTF-8 all the same: our departure from the standard."""
    page = article.encoded("<meta charset=utf-8>", codec="utf-8")
    assert_reads(read(page, f"text/html; charset={article.encoding}"), article, "utf-8")


@pytest.mark.parametrize("article", LEGACY, ids=names)
def test_legacy_bytes_behind_a_utf_8_header(article: Abroad) -> None:
    """A header that says UTF-8, which the bytes are not, yields to the meta that fits."""
    page = article.encoded(f"<meta charset={article.encoding}>")
    assert_reads(read(page, "text/html; charset=utf-8"), article)


LABELS = {
    "utf-8": ("utf8", "UTF-8", "unicode-1-1-utf-8", "x-unicode20utf8"),
    "windows-1250": ("cp1250", "x-cp1250"),
    "windows-1251": ("cp1251", "x-cp1251"),
    "windows-1252": ("latin1", "iso-8859-1", "ascii", "us-ascii", "l1", "cp819", "iso_8859-1:1987"),
    "windows-1254": ("latin5", "iso-8859-9", "l5"),
    "windows-874": ("tis-620", "iso-8859-11", "dos-874"),
    "iso-8859-2": ("latin2", "l2", "iso88592"),
    "iso-8859-15": ("l9", "iso_8859-15", "csisolatin9"),
    "koi8-r": ("koi", "koi8", "cskoi8r"),
    "shift_jis": ("x-sjis", "sjis", "shift-jis", "ms_kanji", "windows-31j", "ms932"),
    "euc-jp": ("x-euc-jp", "cseucpkdfmtjapanese"),
    "iso-2022-jp": ("csiso2022jp",),
    "gbk": ("gb2312", "x-gbk", "chinese", "gb_2312-80", "csgb2312"),
    "big5": ("big5-hkscs", "cn-big5", "x-x-big5", "csbig5"),
    "euc-kr": ("ks_c_5601-1987", "windows-949", "korean", "ksc5601"),
}


@pytest.mark.parametrize(
    ("encoding", "label"), [(encoding, label) for encoding, labels in LABELS.items() for label in labels]
)
def test_labels_mean_what_the_standard_says(encoding: str, label: str) -> None:
    """A label stands for an encoding by the table of the Encoding standard (4.2), by header and by meta."""
    article = BY_ENCODING[encoding]
    assert_reads(read(article.encoded(), f"text/html; charset={label}"), article)
    assert_reads(read(article.encoded(f"<meta charset=' {label} '>")), article)


@pytest.mark.parametrize("label", ["utf-16", "utf-16le", "utf-16be", "iso-10646-ucs-2"])
def test_a_meta_of_utf_16_means_utf_8(label: str) -> None:
    """What can be read as ASCII cannot be UTF-16 (HTML, 13.2.3.2)."""
    article = BY_ENCODING["utf-8"]
    assert_reads(read(article.encoded(f"<meta charset={label}>")), article)


@pytest.mark.parametrize("label", ["klingon", "", "utf_8_sig", "none", "ibm437"])
def test_an_unknown_label_is_as_good_as_none(label: str) -> None:
    """An unknown label in the header leaves the word to the meta."""
    article = BY_ENCODING["koi8-r"]
    assert_reads(read(article.encoded("<meta charset=koi8-r>"), f"text/html; charset={label}"), article)


@pytest.mark.parametrize("padding", [900, 1_023, 1_024])
def test_the_prescan_ends_after_1024_bytes(padding: int) -> None:
    """A label that stands further down, or is cut off there, does not overrule a header (HTML, 13.2.3.2)."""
    article = BY_ENCODING["windows-1251"]
    page = article.encoded(f"<!--{'x' * padding}--><meta charset=windows-1251>")
    read_as = read(page, "text/html; charset=utf-8").charset
    assert read_as == "windows-1251"
    assert declared_encodings(page) == ({"meta": "windows-1251"} if padding == 900 else {})


@pytest.mark.parametrize("article", EIGHT_BIT, ids=names)
def test_a_late_meta_is_better_than_a_guess(article: Abroad) -> None:
    """With no other sign, a <meta> behind the first 1,024 bytes decides, as in browsers (HTML, 13.2.3.5)."""
    assert_reads(read(article.encoded(f"{SCRIPT}<meta charset={article.encoding}>")), article)


def guessed(article: Abroad) -> str:
    # Of gbk and gb18030 the one reads whatever the other wrote.
    return "gb18030" if article.encoding == "gbk" else article.encoding


@pytest.mark.parametrize("head", ["", SCRIPT], ids=["at once", "behind a script"])
@pytest.mark.parametrize("article", LABELLED, ids=names)
def test_detected_without_any_label(article: Abroad, head: str) -> None:
    """Without header, meta and BOM the text and its language tell, however much markup stands before them."""
    assert_reads(read(article.encoded(head), None), article, guessed(article))


#: Which their language must tell from windows-1250.
BY_LANGUAGE = {"windows-1257", "iso-8859-2"}


@pytest.mark.parametrize("said", [b'lang="en"', b'class="no-js"'], ids=["en", "none"])
@pytest.mark.parametrize(
    "article", [article for article in LABELLED if article.encoding not in BY_LANGUAGE], ids=names
)
def test_a_template_in_english_spoils_no_guess(article: Abroad, said: bytes) -> None:
    """Text that is not English is no worse guessed for a page that says that it is, or says nothing."""
    page = article.encoded().replace(f'lang="{article.language}"'.encode(), said)
    assert said in page
    assert_reads(read(page, None), article, guessed(article))


@pytest.mark.parametrize("encoding", ["windows-1250", "windows-1252", "windows-1257"])
def test_the_language_tells_a_single_line(encoding: str) -> None:
    """One line of text leaves several encodings as good; the page's language says which."""
    article = BY_ENCODING[encoding]
    line = article.paragraphs[-1][:90]
    page = f"<html xml:lang='{article.language}'><p>{line}".encode(article.codec)
    assert line in decode(page).text
