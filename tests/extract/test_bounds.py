"""Extraction is total and quick: hostile sizes, and pages broken in every way a transfer breaks them."""

from __future__ import annotations

import gc
import time
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.extract.pages import TITLE, URL, news_page
from worker.errors import NotAnArticle
from worker.extract import extract_article
from worker.extract.judgement import WHYS

if TYPE_CHECKING:
    from worker.model import Article

Edit = tuple[str, int, int, int, bytes]
#: Of processor time. It takes under a second; the machine may be slow and watched.
MOST_S = 20
HEAD = f"<title>{TITLE}</title><h1>{TITLE}</h1>"
TEXT = "<p>" + "The old bridge will stay closed until spring, the board said on Monday. " * 3 + "</p>"
PATHOLOGICAL = {
    "bold": "<b>" * 100_000 + TEXT * 5,
    "anchors": "<a href=x>" * 100_000 + TEXT * 5,
    "bold in paragraphs": "<p><b>" * 50_000 + TEXT * 5,
    "linked paragraphs": TEXT * 10 + "<p><a href=/x>link to it, and more words</a></p>" * 100_000,
    "paragraphs": TEXT * 20_000,
    "entities": "<p>" + "&amp;&lt;&nbsp;" * 300_000,
    "labels": ("<div><p>Read more</p>" + TEXT) * 15_000,
    "classes": "".join(f"<div class='a{n} share-b{n} x-{n}'>{TEXT}</div>" for n in range(15_000)),
    "long class": "<div class='" + "share-x " * 400_000 + "'>" + TEXT * 10,
    "declared body": '<script type="application/ld+json">{"@type":"NewsArticle","headline":"x y z",'
    '"articleBody":"' + "word, " * 500_000 + '"}</script>' + TEXT * 4_000,
    "line breaks": "word, more words here<br><br>" * 150_000,
    "headings": "<h1>Some title here that is long</h1>" * 80_000 + TEXT * 10,
    "Japanese": "<p>" + "橋を閉鎖、" * 250_000,
    "digits": "<p>" + "1" * 3_000_000,
    "times": "<p>" + "12:34 " * 500_000,
    "credits": "<p>" + "Foto: " * 30 + "</p>" + ("<p>" + "| " * 90 + "</p>") * 15_000,
    "comments": "<!-- x -->" * 400_000 + TEXT * 5,
    "stray ends": "<div></x>" * 100_000 + TEXT * 5,
    "bold of their own": "<p>"
    + "".join(f"<b id=b{n}>" for n in range(1_200))
    + "<p>x</p>" * 20_000
    + TEXT * 5,
    "author boxes": "<div class=author>" * 190 + TEXT * 5 + "<a>x</a>" * 100_000,
    "named boxes": "<div itemprop=name>" * 1_000 + TEXT * 2_000,
    "labels in a well": "<div>" * 4_500 + "<p>read more</p>" * 20_000 + TEXT * 5,
    "dated boxes": "<div class=meta>" * 190 + TEXT * 8_000,
    "captions": "<figure><figcaption>Fig, of it. </figcaption></figure>" * 50_000 + TEXT * 9,
}
PAGE = news_page().encode()
#: What is put between the bytes of a page: markup, halves of markup, and bytes of no encoding.
PIECES = st.one_of(
    st.sampled_from(
        [
            *(
                b"<%b>" % tag
                for tag in (b"p", b"/p", b"div", b"/div", b"table", b"td", b"li", b"/article", b"svg")
            ),
            *(
                b"<%b>" % tag
                for tag in (b"script", b"style", b"template", b"textarea", b"title", b"plaintext")
            ),
            *(b"<%b" % half for half in (b"!--", b"![CDATA[", b"a href='", b"/", b"?xml", b'p class="x')),
            *(
                b"&%b" % half
                for half in (b"#x", b"#xD800;", b"#0;", b"amp", b"nbsp", b"#99999999;", b"NotEqualTilde")
            ),
            *(
                b"\0",
                b"\xff",
                b"\xc3",
                b"\xed\xa0\x80",
                b"\xef\xbb\xbf",
                b"\xf4\x90\x80\x80",
                b"\x1b$B",
                b"\x85",
            ),
            *(
                "\u2028\u2029".encode(),
                "\u202e\u200b".encode(),
                b"\r",
                b"\x0b\x0c",
                b'"',
                b"}",
                b"\\ud800",
                b"\\",
            ),
        ]
    ),
    st.binary(min_size=1, max_size=12),
)
PLACE = st.integers(0, len(PAGE))
EDITS = st.one_of(
    st.tuples(st.just("delete"), PLACE, st.integers(1, 400), PLACE, st.just(b"")),
    st.tuples(st.just("double"), PLACE, st.integers(1, 900), PLACE, st.just(b"")),
    st.tuples(st.just("swap"), PLACE, st.integers(1, 400), PLACE, st.just(b"")),
    st.tuples(st.just("insert"), PLACE, st.just(0), PLACE, PIECES),
)


def edited(page: bytes, edit: Edit) -> bytes:
    """`page` with one slice deleted, doubled elsewhere, or changed for another, or with `piece` in it."""
    kind, start, size, other, piece = edit
    end = start + size
    match kind:
        case "delete":
            return page[:start] + page[end:]
        case "double":
            return page[:other] + page[start:end] + page[other:]
        case "swap":
            first, second = sorted((start, other))
            size = min(size, second - first)
            one, two = page[first : first + size], page[second : second + size]
            return page[:first] + two + page[first + size : second] + one + page[second + size :]
        case _:
            return page[:start] + piece + page[start:]


def outcome(page: bytes, content_type: str | None = None) -> Article | None:
    """The article, or None for a refusal, which must be a documented one."""
    try:
        return extract_article(page, url=URL, content_type=content_type)
    except NotAnArticle as caught:
        refused = caught
    assert refused.why in WHYS
    return None


def strings(value: object) -> list[str]:
    """Every string within `value`, keys too."""
    match value:
        case str():
            return [value]
        case dict():
            return [text for pair in value.items() for item in pair for text in strings(item)]
        case list() | tuple():
            return [text for item in value for text in strings(item)]
        case _:
            return []


def assert_well_formed(article: Article) -> None:
    """The promises of an Article's strings, whatever the page was."""
    for text in strings(asdict(article)):
        text.encode("utf-8")
    assert article.paragraphs
    assert article.text == "\n\n".join(paragraph.text for paragraph in article.paragraphs)
    assert article.title == article.title.strip() != ""
    for paragraph in article.paragraphs:
        assert paragraph.text == paragraph.text.strip() != ""
        assert paragraph.kind == "preformatted" or len(paragraph.text.splitlines()) == 1


@pytest.mark.parametrize("name", PATHOLOGICAL)
def test_pathological_page_ends_in_bounded_time(name: str) -> None:
    """No repetition of markup or text makes extraction quadratic, or raise anything but a refusal."""
    page = (HEAD + PATHOLOGICAL[name]).encode()
    started = time.process_time()
    article = outcome(page)
    assert time.process_time() - started < MOST_S
    if article is not None:
        assert_well_formed(article)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=250)
@given(
    st.lists(EDITS, min_size=1, max_size=10),
    st.sampled_from(
        [None, "text/html", "text/html; charset=shift_jis", "text/html; charset=utf-16", "text/plain"]
    ),
)
def test_broken_page_still_gives_well_formed_strings(edits: list[Edit], content_type: str | None) -> None:
    """Slices lost, doubled and exchanged, odd bytes and half tags: strings encode, paragraphs are lines."""
    page = PAGE
    for edit in edits:
        page = edited(page, edit)
    if (article := outcome(page, content_type)) is not None:
        assert_well_formed(article)


@settings(deadline=None, max_examples=100)
@given(PLACE)
def test_page_cut_anywhere(length: int) -> None:
    """A transfer that ends early, in a tag, an entity or a character, leaves an article or a refusal."""
    if (article := outcome(PAGE[:length])) is not None:
        assert_well_formed(article)


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=60), st.text(max_size=60))
def test_any_characters_in_fields(title: str, author: str) -> None:
    """Titles and names of any characters, surrogates and controls too, come out as clean strings."""
    page = news_page(
        h1=title, jsonld={"@type": "NewsArticle", "headline": title, "author": author, "description": author}
    )
    if (article := outcome(page.encode("utf-8", "surrogatepass"))) is not None:
        assert_well_formed(article)


@pytest.mark.parametrize("author", ["Ann\0 Bee", "Ann Bee 0\0", "Ann Bee 0\ud800"])
def test_escaped_character_that_is_none_does_not_come_out(author: str) -> None:
    """U+0000 and lone surrogates, which JSON-LD can escape and no database or encoder takes, are gone."""
    article = outcome(
        news_page(jsonld={"@type": "NewsArticle", "headline": TITLE, "author": author}).encode()
    )
    assert article is not None
    assert not set("\0\ud800") & set("".join(strings(asdict(article))))


@pytest.mark.parametrize("page", [PAGE, b"<p>" + b"A word to the wise. " * 9])
def test_no_page_waits_for_the_garbage_collector(page: bytes) -> None:
    """What a page took, article or not, is free again when it is done: nothing of it is in a cycle."""

    def extract() -> None:
        with suppress(NotAnArticle):
            extract_article(page, url=URL)

    extract()
    gc.collect()
    gc.disable()
    try:
        extract()
        assert gc.collect() == 0
    finally:
        gc.enable()
