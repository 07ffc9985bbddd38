"""Bytes to text, by the WHATWG order, with labels that lie."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.extract.charset import DISAGREEMENT, decode

CZECH = "Příliš žluťoučký kůň úpěl ďábelské ódy. " * 20
GERMAN = "Über den Fluß führt keine Brücke mehr, hieß es später. " * 20


@pytest.mark.parametrize(
    ("bom", "codec", "name"),
    [
        (b"\xef\xbb\xbf", "utf-8", "utf-8"),
        (b"\xff\xfe", "utf-16-le", "utf-16le"),
        (b"\xfe\xff", "utf-16-be", "utf-16be"),
    ],
)
def test_byte_order_mark_wins_over_every_label(bom: bytes, codec: str, name: str) -> None:
    """A BOM decides, whatever header and meta say."""
    decoded = decode(bom + GERMAN.encode(codec), "text/html; charset=windows-1251")
    assert (decoded.text, decoded.encoding) == (GERMAN, name)


def test_header_label_wins_over_meta() -> None:
    """The transport's label comes before the document's."""
    page = f"<meta charset='iso-8859-1'>{CZECH}".encode("windows-1250")
    decoded = decode(page, 'text/html; charset="windows-1250"')
    assert CZECH in decoded.text
    assert decoded.encoding == "windows-1250"


def test_meta_label_is_read_within_the_first_1024_bytes_only() -> None:
    """A later meta element is no declaration (HTML, 13.2.3.2)."""
    page = f"<meta http-equiv=content-type content='text/html; charset=windows-1250'>{CZECH}".encode(
        "windows-1250"
    )
    assert decode(page).encoding == "windows-1250"
    assert decode(b" " * 1024 + page).encoding != "utf-8"


def test_latin_1_label_means_windows_1252() -> None:
    """Labels mean what the Encoding standard says they mean."""
    decoded = decode("“Genau”".encode("windows-1252"), "text/html; charset=iso-8859-1")
    assert (decoded.text, decoded.encoding) == ("“Genau”", "windows-1252")


def test_valid_utf_8_under_a_latin_1_label_is_utf_8_and_says_so() -> None:
    """A server's default label does not turn umlauts into mojibake."""
    decoded = decode(GERMAN.encode(), "text/html; charset=iso-8859-1")
    assert (decoded.text, decoded.encoding, decoded.warnings) == (GERMAN, "utf-8", (DISAGREEMENT,))


def test_invalid_utf_8_under_a_utf_8_label_yields_to_the_meta_label() -> None:
    """The label that the bytes fit is believed."""
    page = f"<meta charset=windows-1250>{CZECH}".encode("windows-1250")
    decoded = decode(page, "text/html; charset=utf-8")
    assert CZECH in decoded.text
    assert decoded.warnings == (DISAGREEMENT,)


def test_few_wrong_bytes_leave_utf_8_in_place() -> None:
    """One stray byte does not spoil a page of right sequences."""
    decoded = decode(GERMAN.encode() + b"\xff" + GERMAN.encode(), "text/html; charset=utf-8")
    assert decoded.encoding == "utf-8"
    assert decoded.text.count("\ufffd") == 1
    assert decoded.warnings == ("charset_errors",)


def test_character_cut_at_the_end_is_forgiven() -> None:
    """A body limit may cut a character in two; the page is UTF-8 all the same."""
    decoded = decode("Grüße aus Köln ä".encode()[:-1])
    assert (decoded.text, decoded.encoding, decoded.warnings) == ("Grüße aus Köln ", "utf-8", ())


@pytest.mark.parametrize(
    ("text", "codec", "names"),
    [
        ("Совет закрыл мост до весны из-за трещин в опорах. " * 10, "windows-1251", {"windows-1251"}),
        ("市議会は橋を春まで閉鎖すると発表した。" * 20, "shift_jis", {"shift_jis"}),
        ("시의회는 봄까지 다리를 폐쇄한다고 발표했다. " * 20, "euc_kr", {"euc-kr"}),
    ],
)
def test_unlabelled_legacy_encodings_are_detected(text: str, codec: str, names: set[str]) -> None:
    """Without any label the bytes themselves tell."""
    decoded = decode(text.encode(codec))
    assert decoded.encoding in names
    assert decoded.text == text


def test_label_from_iso_2022_jp_is_honoured_for_ascii_bytes() -> None:
    """An encoding that writes in ASCII bytes is not mistaken for UTF-8."""
    assert decode("橋".encode("iso2022_jp"), "text/html; charset=iso-2022-jp").text == "橋"


@given(st.binary(max_size=2_000), st.none() | st.text(max_size=40))
def test_any_bytes_become_text(page: bytes, content_type: str | None) -> None:
    """Decoding is total."""
    assert isinstance(decode(page, content_type).text, str)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_utf_8_is_read_back_exactly(text: str) -> None:
    """What is valid UTF-8 and carries no other sign is read as such."""
    if not text.startswith("\ufeff"):
        assert decode(text.encode()).text == text


RUSSIAN = "Совет закрыл мост до весны. " * 4


@pytest.mark.parametrize(
    "declaration",
    [
        "<meta charset=koi8-r>",
        "<meta\ncharset = 'KOI8-R' />",
        "<meta/charset=koi8-r>",
        '<meta content="text/html; charset=koi8-r" http-equiv="Content-Type">',
        "<meta http-equiv=content-type content=text/html;charset=koi8-r>",
        "<!-- <meta charset=windows-1251> --><meta charset=koi8-r>",
        "<!--><meta charset=koi8-r>-->",
        '<meta name=description content="charset=windows-1251"><meta charset=koi8-r>',
        '<a title="<meta charset=windows-1251>"><meta charset=koi8-r>',
        '<meta content="a>b" name=x><meta charset=koi8-r>',
        "<meta charset=no-such-thing><meta charset=koi8-r>",
        "<metadata charset=windows-1251><meta charset=koi8-r>",
        '<?xml version="1.0" encoding="koi8-r"?>',
        "<?xml version='1.0' encoding='windows-1251'?><meta charset=koi8-r>",
    ],
)
def test_prescan_finds_what_browsers_find(declaration: str) -> None:
    """HTML, 13.2.3.2: comments, attributes and other elements declare nothing; XML comes last."""
    decoded = decode(f"{declaration}<p>{RUSSIAN}".encode("koi8-r"))
    assert (decoded.encoding, RUSSIAN in decoded.text) == ("koi8-r", True)


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("opening", ["<!doctype html>", "<?xml version='1.0'?>"])
def test_utf_16_without_a_byte_order_mark(codec: str, opening: str) -> None:
    """The header's label is believed, and XML's own opening without one."""
    label = "text/html; charset=" + codec.replace("-le", "le").replace("-be", "be")
    decoded = decode((opening + RUSSIAN).encode(codec), label if "xml" not in opening else None)
    assert decoded.text == opening + RUSSIAN


@pytest.mark.parametrize(
    ("page", "label", "text"),
    [
        (b"\x80\xd6\xec\xe9F", "gb2312", "€朱镕"),
        ("镕㐀".encode("gb18030"), "gbk", "镕㐀"),
        (b"\xad\xa1\xad\xea\xfc\xe2\xb6\xb6", "euc-jp", "①㈱髙橋"),
        ("①㈱髙".encode("cp932"), "shift_jis", "①㈱髙"),
        ("똠방각하".encode("cp949"), "euc-kr", "똠방각하"),
        ("嘅嘢喺".encode("big5hkscs"), "big5", "嘅嘢喺"),
        (b"\x81\xe9", "windows-1252", "\x81é"),
        (b"\xaa\xc1", "windows-1253", "\ufffdΑ"),
        (b"\x1b$)C\x0eabc", "iso-2022-kr", "\ufffd"),
        ("שלום".encode("cp1255"), "iso-8859-8-i", "שלום"),
    ],
)
def test_encodings_are_as_wide_as_the_standard_has_them(page: bytes, label: str, text: str) -> None:
    """What Python's codecs of the same name cannot read, and browsers can, is read."""
    assert decode(page, f"text/html; charset={label}").text == text
