"""What surrounds an article goes; what belongs to it stays, headings and lead included."""

from __future__ import annotations

import pytest

from tests.extract.pages import PARAGRAPHS, TITLE
from worker.extract.body import read_body
from worker.extract.markup import parse

TEXT = "".join(f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS)
FIRST, SECOND, THIRD, *_ = PARAGRAPHS


def body_of(
    html: str, *, summaries: tuple[str, ...] = (), written: str | None = None
) -> list[tuple[str, str]]:
    found = read_body(parse(html.encode()), title=TITLE, summaries=summaries, written=written)
    return [(paragraph.kind, paragraph.text) for paragraph in found.paragraphs]


def texts_of(html: str) -> list[str]:
    return [text for _, text in body_of(html)]


def between(*pieces: str) -> str:
    """An article whose first two paragraphs have `pieces` between them."""
    rest = "".join(f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS[1:])
    return f"<main><article><h1>{TITLE}</h1><p>{FIRST}</p>{''.join(pieces)}{rest}</article></main>"


BOXES = (
    "<div class='share-row'><span>Share</span> <span>Mail it to a friend who likes bridges.</span></div>",
    "<aside><p>Another story, about the trams, which nobody here had asked for at all.</p></aside>",
    "<figure><img src=a.png><figcaption>The bridge, seen from the fish market at noon.</figcaption></figure>",
    "<div class='c-newsletter__promo'><p>Every morning in your mail, free of charge, and no spam.</p></div>",
    "<div class=x><p>Read more</p><p>Trams will run again, the council said, in May.</p></div>",
    "<div class=x><p>À lire aussi</p><p>La fontaine de la place est enfin réparée, dit la ville.</p></div>",
    "<div><h3><a href=/a>Ferry captain retires after forty years at sea</a></h3><span>4 May</span></div>",
    "<ul><li><a href=/a>Ferry captain retires after forty years</a></li><li><a href=/b>Trams</a></li></ul>",
    "<p><a href=/a>Ferry captain retires after forty years at sea, and a whole town says good-bye</a></p>",
    "<p>The bridge at dawn. (Image: A. Quill)</p>",
    "<p>Subscribe now to our paper, every day.</p>",
    "<div hidden><p>To read on, please sign in, or become a member of our club of readers.</p></div>",
    "<div style='display: none'><p>To read on, please sign in, or become a member of our club.</p></div>",
    "<form><p>Your address, please, and a word about yourself, so that we may write to you.</p></form>",
    "<p>ADVERTISEMENT</p>",
)


@pytest.mark.parametrize("box", BOXES)
def test_boxes_between_paragraphs_go(box: str) -> None:
    """Share rows, captions, teasers, requests and what is hidden are no part of the text."""
    assert texts_of(between(box)) == list(PARAGRAPHS)


@pytest.mark.parametrize(
    "kept",
    [
        ("heading", "<h2>Late in May</h2>", "Late in May"),
        ("paragraph", "<p>It rained.</p>", "It rained."),
        ("quote", "<blockquote><p>We waited for an hour.</p></blockquote>", "We waited for an hour."),
        ("list_item", "<ul><li>Pier one is closed, too.</li></ul>", "Pier one is closed, too."),
        ("preformatted", "<pre>09:15 first boat, then every hour</pre>", "09:15 first boat, then every hour"),
        ("paragraph", "<p>See <a href=/x>the plan</a> of the board.</p>", "See the plan of the board."),
    ],
)
def test_parts_of_the_article_stay_with_their_kinds(kept: tuple[str, str, str]) -> None:
    """Headings, lists, quotes and short paragraphs within the text are the text."""
    kind, html, text = kept
    assert body_of(between(html))[:2] == [("paragraph", FIRST), (kind, text)]


def test_inline_markup_does_not_part_words() -> None:
    """A capital set apart by a span is the first letter of its word."""
    html = between("<p><span>T</span>he <b>first</b> crane, that is,<br>came on Monday.</p>")
    assert texts_of(html)[1] == "The first crane, that is, came on Monday."


def test_two_line_breaks_part_paragraphs() -> None:
    """Pages of old write their paragraphs so."""
    html = f"<div id=text>{'<br><br>'.join(PARAGRAPHS)}</div>"
    assert texts_of(html) == list(PARAGRAPHS)


def test_lines_above_the_first_paragraph_go() -> None:
    """The byline, the date and the counter stand there, in any language."""
    head = "<p>Mara Tidewell</p><p>٩ يناير ٢٠٢٥</p><p>2 min</p><p>High views</p>"
    assert texts_of(f"<article><h1>{TITLE}</h1>{head}{TEXT}</article>") == list(PARAGRAPHS)


def test_a_signature_below_the_last_paragraph_goes() -> None:
    """A name or an agency's mark ends no sentence."""
    assert texts_of(f"<article>{TEXT}<p>mit dpa</p><h3>More</h3></article>") == list(PARAGRAPHS)


def test_lead_above_the_body_is_kept_once() -> None:
    """A summary that the page also tells machines, or one whose class says so, is the article's lead."""
    summary = "Divers found cracks in two piers, and ferries will run from the fish market."
    for mark in ("class=x", "class=article__standfirst"):
        html = f"<article><header><h1>{TITLE}</h1><p {mark}>{summary}</p></header><div>{TEXT}</div></article>"
        assert body_of(html, summaries=(summary,))[:2] == [("lead", summary), ("paragraph", FIRST)]
    html = f"<article><header><h1>{TITLE}</h1><p>{summary}</p></header><div>{TEXT}</div></article>"
    assert body_of(html)[0] == ("paragraph", FIRST)


def test_a_list_is_not_the_whole_article() -> None:
    """The paragraph before a list that is most of the text stays."""
    items = "".join(f"<li>{paragraph}</li>" for paragraph in PARAGRAPHS[1:])
    assert texts_of(f"<article><h1>{TITLE}</h1><p>{FIRST}</p><ol>{items}</ol></article>") == list(PARAGRAPHS)


def test_a_box_that_holds_the_article_is_no_box() -> None:
    """A wrapper named after the share buttons in it takes no paragraph with it."""
    assert texts_of(f"<body><div class='share related'>{TEXT}</div></body>") == list(PARAGRAPHS)


def test_article_of_the_headline_wins_over_a_longer_one_below() -> None:
    """Pages that scroll on hold several articles; the page's own is the one with its headline."""
    other = "".join(f"<p>{paragraph} And so on, and on.</p>" for paragraph in PARAGRAPHS)
    second = f"<article><h2>Trams will run again</h2>{other}{other.replace('the', 'a')}</article>"
    assert texts_of(f"<main><article><h1>{TITLE}</h1>{TEXT}</article>{second}</main>") == list(PARAGRAPHS)


def test_article_wins_over_a_wall_of_legal_text() -> None:
    """A cookie dialogue may be longer than the news."""
    wall = "".join(f"<p>We store, number {n}, what we need to know, and more, of you.</p>" for n in range(60))
    html = f"<div class=page><article class=story><h1>{TITLE}</h1>{TEXT}</article></div><div>{wall}</div>"
    assert texts_of(html) == list(PARAGRAPHS)


def test_written_body_replaces_what_is_not_on_the_page() -> None:
    """Structured data may hold a text that scripts would show."""
    found = read_body(parse(b"<p>Loading, please wait.</p>"), title=TITLE, written="\n\n".join(PARAGRAPHS))
    assert (found.method, [p.text for p in found.paragraphs]) == ("jsonld", list(PARAGRAPHS))


def test_declared_paragraph_in_a_box_stays() -> None:
    """What the page's own `articleBody` holds is its text, wherever it stands."""
    html = between(f"<div class=infobox><p>{SECOND} Twice.</p></div>")
    written = "\n".join((FIRST, f"{SECOND} Twice.", *PARAGRAPHS[1:]))
    assert ("paragraph", f"{SECOND} Twice.") in body_of(html, written=written)
    assert ("paragraph", f"{SECOND} Twice.") not in body_of(html)


def test_boxes_without_an_article_are_left_alone() -> None:
    """Where every element is called a box, the names say nothing."""
    html = "".join(f"<div class='share-{n}'><p>{p}</p></div>" for n, p in enumerate(PARAGRAPHS))
    assert texts_of(html) == list(PARAGRAPHS)


def test_page_of_nothing_has_no_body() -> None:
    """No element, no text: no paragraph and no failure."""
    for html in ("", "<html></html>", "<frameset></frameset>", "<script>var a</script>", "<p> </p>"):
        assert body_of(html) == []


@pytest.mark.parametrize("gap", ["</p>", "<p></p>", "<div class=spacer></div>", "<nav>Home</nav>", "<hr>"])
def test_empty_blocks_and_menus_part_paragraphs(gap: str) -> None:
    """Text that is parted on the screen is parted in the event."""
    assert texts_of(f"<h1>{TITLE}</h1><div class=body>{gap.join(PARAGRAPHS)}</div>") == list(PARAGRAPHS)


def test_what_is_not_seen_in_a_line_is_not_read() -> None:
    """Spans that are hidden, or there for screen readers, are no part of the sentence."""
    unseen = '<span style="display: none"> AD</span><a href=/x><span class=sr-only> opens a window</span></a>'
    page = f"<h1>{TITLE}</h1><article>{''.join(f'<p>{text}{unseen}</p>' for text in PARAGRAPHS)}</article>"
    assert texts_of(page) == list(PARAGRAPHS)


@pytest.mark.parametrize(
    "line",
    [
        "Anzeige erstattete die Polizei am Montag gegen den Fahrer des Wagens.",
        "Publicité mensongère : le tribunal a condamné la société.",
        "Residents can register for the vaccine at the town hall on Monday.",
        "10.45am: Police confirm that the road is closed.",
        "By then nobody cared.",
        "Related deaths rose to 12 on Sunday.",
        "相关部门表示，将继续调查此事。",
    ],
)
def test_sentences_that_begin_like_furniture_stay(line: str) -> None:
    """A word that heads boxes may also open a sentence."""
    assert line in texts_of(between(f"<p>{line}</p>"))
