"""Broken, cut, huge and hostile documents: something is read of them, or they are refused, soon."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.feeds.documents import URL, atom, links, read, rss, sitemap
from worker.feeds import Feed, NotAFeed, parse_feed

ITEM = "<title>T</title><link>https://news.example/{}</link>"


def test_entity_bomb() -> None:
    """A billion laughs are not told: the document's own entities are never expanded."""
    laughs = "".join(
        f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' if n else '<!ENTITY l0 "ha">' for n in range(12)
    )
    item = "<title>&l11;</title><link>https://news.example/&l11;1</link>"
    document = f"<!DOCTYPE rss [{laughs}]>{rss(item)[21:]}"
    began = time.process_time()
    (entry,) = read(document).entries
    assert time.process_time() - began < 5
    assert entry.title == "&l11;"
    assert len(entry.url) < 100


@pytest.mark.parametrize(
    "entity",
    [
        '<!ENTITY x SYSTEM "file:///etc/passwd">',
        '<!ENTITY x SYSTEM "http://127.0.0.1:9/x">',
        '<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;',
        '<!ENTITY x "]>"><!ENTITY y "z">',
    ],
)
def test_outside_entity(entity: str) -> None:
    """Nothing is loaded from anywhere."""
    inside = "<channel><title>&x;</title><item><link>/1</link></item></channel>"
    feed = read(f"<!DOCTYPE rss [{entity}]><rss>{inside}</rss>")
    assert "root" not in (feed.title or "")
    assert [entry.url for entry in feed.entries] == ["https://news.example/1"]


@pytest.mark.parametrize(
    "whole",
    [
        rss(*(ITEM.format(n) for n in range(6))),
        atom(*(f'<link href="https://news.example/{n}"/>' for n in range(6))),
        sitemap(*(f"<loc>https://news.example/{n}</loc>" for n in range(6))),
    ],
    ids=["rss", "atom", "sitemap"],
)
def test_cut_document(whole: str) -> None:
    """Wherever a document is cut, what comes out is a beginning of what was in it, never half a link."""
    expected = [f"https://news.example/{n}" for n in range(6)]
    for end in range(len(whole)):
        try:
            found = links(whole[:end])
        except NotAFeed:
            continue
        assert found == expected[: len(found)]
    assert links(whole) == expected


def test_cut_document_says_so() -> None:
    """It is known of a document that was cut, and not of a whole one."""
    whole = rss(ITEM.format(1), ITEM.format(2))
    assert read(whole).broken is None
    cut = read(whole[: whole.rindex("/2")])
    assert [entry.url for entry in cut.entries] == ["https://news.example/1"]
    assert cut.broken is not None


def test_broken_markup_in_the_midst() -> None:
    """An item that is no XML costs itself, not its neighbours."""
    feed = read(
        rss(ITEM.format(1), "<title>a < b <b>c</title><link>https://news.example/2</link>", ITEM.format(3))
    )
    urls = [entry.url for entry in feed.entries]
    assert urls[0] == "https://news.example/1"
    assert urls[-1] == "https://news.example/3"


@pytest.mark.parametrize(
    "filler",
    [
        "<a>" * 100_000,
        "<a/>" * 100_000,
        "<item>" * 100_000,
        "<item/>" * 30_000,
        "<![CDATA[" * 300_000,
        "<!--" * 300_000,
        "&" * 1_000_000,
        "<title>" + "&lt;b" * 300_000 + "</title>",
        "<description><![CDATA[" + "<p>x</p>" * 1_000_000 + "]]></description>",
    ],
)
def test_much_of_one_thing(filler: str) -> None:
    """Documents made to keep a parser busy are done with in seconds, and give what stands before."""
    began = time.process_time()
    document = rss(ITEM.format(1)).replace("</channel>", filler)
    assert links(document)[:1] == ["https://news.example/1"]
    assert time.process_time() - began < 20


def test_twenty_megabytes() -> None:
    """A large feed is read whole, its texts cut."""
    body = f"<description><![CDATA[{'<p>Harbour &amp; pier</p>' * 180}]]></description>"
    document = rss(*(ITEM.format(n) + body for n in range(5000)))
    assert len(document) > 20_000_000
    feed = read(document)
    assert len(feed.entries) == 5000
    assert feed.broken is None


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (b"", "empty"),
        (b" \n\t", "empty"),
        (b"<!DOCTYPE html><title>News</title>", "HTML page"),
        (b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">', "HTML page"),
        (b"<svg/>", "root is <svg>"),
        (b"<opml><body/></opml>", "root is <opml>"),
        (b"<", "without any element"),
        (b"%PDF-1.7 \xff\xfe", "plain text"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "plain text"),
    ],
)
def test_what_is_no_feed(document: bytes, why: str) -> None:
    """The refusal says what it is instead."""
    with pytest.raises(NotAFeed, match=why):
        read(document)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("é€".encode(), None),
        ("é€".encode(), "text/xml; charset=iso-8859-1"),
        (b"\xef\xbb\xbf" + "é€".encode(), None),
        ("é€".encode("windows-1252"), None),
        ("é€".encode("windows-1252"), "application/rss+xml; charset=utf-8"),
        ("é€".encode("iso8859-15"), "application/rss+xml; charset=iso-8859-15"),
    ],
)
def test_encoding(body: bytes, content_type: str | None) -> None:
    """Text comes out right though servers and declarations lie about it."""
    before, after = rss("<link>/1</link><title>@</title>").encode().split(b"@")
    (entry,) = read(before + body + after, content_type).entries
    assert entry.title == "é€"


@pytest.mark.parametrize(
    "encoding", ["utf-16", "utf-16-le", "utf-16-be", "koi8-r", "shift_jis", "iso-2022-jp"]
)
def test_declared_encoding(encoding: str) -> None:
    """What a declaration says holds where the text is no UTF-8."""
    title = (
        "日本" if encoding.startswith(("shift", "iso")) else "Привет" if encoding == "koi8-r" else "Zürich"
    )
    document = rss(f"<link>/1</link><title>{title}</title>").replace(
        '"1.0"', f'"1.0" encoding="{encoding}"', 1
    )
    (entry,) = read(document.encode(encoding)).entries
    assert entry.title == title


@given(
    st.binary(max_size=300)
    | st.text(alphabet="<>/!&;[]CDATitemlnk:rss=\"' \x00é", max_size=300).map(str.encode)
)
@example(b"<rss\x00")
@example(b"<rss><channel><item></rss></item>")
@example(b"\xff\xfe<\x00")
def test_total(document: bytes) -> None:
    """Whatever the bytes, there is a feed or a refusal."""
    for body in (document, b"<rss><channel>" + document, b"<feed><entry><link href='" + document):
        try:
            found: object = parse_feed(body, url=URL)
        except NotAFeed as refusal:
            found = refusal
        assert isinstance(found, Feed | NotAFeed)
