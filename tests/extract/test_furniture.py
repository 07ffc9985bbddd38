"""What surrounds an article goes; what belongs to it stays, headings included."""

from __future__ import annotations

from worker.extract.furniture import with_headings, without_furniture
from worker.extract.markup import parse
from worker.model import Paragraph

FIRST = "The ferry left the quay at nine and came back at noon, with all of its passengers on deck."
SECOND = "Nobody had expected it, the harbour master said, and nobody was sorry that it came true at last."


def lines(*texts: str) -> tuple[Paragraph, ...]:
    return tuple(Paragraph("paragraph", text) for text in texts)


def kept(html: str, *texts: str) -> list[str]:
    return [paragraph.text for paragraph in without_furniture(lines(*texts), parse(html))]


def test_lines_of_the_head_go() -> None:
    """Short lines before the first real paragraph are dates, counters and menus, in any language."""
    head = ("High views", "2min", "٩ يناير ٢٠٢٥", "Home > World")
    assert kept("<p>", *head, FIRST, SECOND) == [FIRST, SECOND]


def test_a_short_first_sentence_stays() -> None:
    """An article may begin with a short sentence."""
    assert kept("<p>", "It rained.", FIRST) == ["It rained.", FIRST]


def test_short_lines_within_the_article_stay() -> None:
    """After the first real paragraph, a short line is the article's."""
    assert kept("<p>", FIRST, "Late in May", SECOND) == [FIRST, "Late in May", SECOND]


def test_small_boxes_of_a_telling_name_go() -> None:
    """A share row, a teaser or a newsletter box goes, whole or by its parts."""
    html = (
        "<div class='story share-box'><ul><li>Print</li><li>Mail it</li></ul></div>"
        "<p class=a-lire><em>À lire aussi :</em> <a href=/x>La fontaine</a></p>"
        "<div class=newsletter-promo><p>Every morning in your mail, free of charge.</p></div>"
    )
    texts = (
        FIRST,
        "Mail it",
        "À lire aussi : La fontaine",
        "Every morning in your mail, free of charge.",
        SECOND,
    )
    assert kept(html, *texts) == [FIRST, SECOND]


def test_a_box_that_holds_the_article_is_no_box() -> None:
    """A wrapper named after the share buttons in it takes no paragraph with it."""
    html = f"<div class=has-share-buttons><p>{FIRST}</p><p>{SECOND}</p><p>{FIRST} {SECOND}</p></div>"
    assert kept(html, FIRST, SECOND) == [FIRST, SECOND]


def test_nothing_but_furniture_is_left_alone() -> None:
    """Where nothing would remain, everything stays, for others to judge."""
    assert kept("<nav>Home</nav>", "Home") == ["Home"]


def test_lost_heading_comes_back_in_its_place() -> None:
    """A heading between two paragraphs that were found belongs there."""
    tree = parse(f"<h2>Before</h2><p>{FIRST}</p>\n<h2>A turn</h2>\n<p>{SECOND}</p><h2>Most read</h2><p>x</p>")
    found = with_headings(lines(FIRST, SECOND), tree)
    assert [(paragraph.kind, paragraph.text) for paragraph in found] == [
        ("paragraph", FIRST),
        ("heading", "A turn"),
        ("paragraph", SECOND),
    ]
