"""Whether it is an article, whether it is the whole one, and how sure we are."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Literal

from worker.errors import NotAnArticle
from worker.extract.addresses import is_home
from worker.extract.notices import notice
from worker.extract.sniff import FEW_WORDS
from worker.extract.text import CLOSING_MARKS, SENTENCE_ENDS, is_unstopped, word_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.extract.body import Body
    from worker.extract.dates import Dates
    from worker.extract.structured import Structured
    from worker.extract.titles import Title
    from worker.model import Access, Paragraph

#: Every `why` of NotAnArticle, and what it means.
WHYS = {
    "empty": "there are no bytes but white space",
    "not_text": "the bytes are an image, an archive or another binary",
    "no_title": "nothing on the page could be its title",
    "no_body": "no text was found: a form, or pictures only",
    "javascript_shell": "scripts would write the text, and none was sent with the page",
    "too_short": "there is some text, too little for an article",
    "listing": "the text is mostly links to other pages: a front, a section, a search result",
    "error_page": "the text says that there is no such page, or that something failed",
    "login_wall": "the text asks the reader to sign in or to subscribe",
    "consent_page": "the text asks for consent to cookies and the like",
    "bot_check": "the text asks the reader to prove that they are no program",
}

_FULL_WORDS = 250  # confidence grows with length up to here
_MIN_CLAIMED_WORDS = 8  # a page that says it is an article may be a caption to a picture
_MIN_UNCLAIMED_WORDS = 60
_MAX_LINK_DENSITY = 0.5
_MAX_CLAIMED_LINK_DENSITY = 0.75
_MAX_NOTICE_WORDS = 400
_MAX_CLAIMED_NOTICE_WORDS = 150
_MIN_PROSE_WORDS = 15
_MIN_ENDED_WORDS = 5
_MIN_UNSTOPPED_CHARS = 80
_MIN_CARDS = 4
_MAX_MORE_CHARS = 25
_SENTENCE = re.compile(rf"[{SENTENCE_ENDS}][{re.escape(CLOSING_MARKS)}]*(?:\s|$)")
_TEASER_END = re.compile(r"(?:…|\.\.\.|\[…\]|\[\.\.\.\])[\"'”»)\]]*$")


def refuse_unless_article(
    title: Title | None,
    paragraphs: Sequence[Paragraph],
    *,
    count: int,
    density: float,
    facts: Structured,
    url: str,
) -> None:
    """Raise NotAnArticle for fronts, forms, shells and scraps.

    A page that claims to be an article (JSON-LD, `og:type`, a publication time) is believed if it has any
    body that is not mostly links or a notice; one that does not must have prose. Templates set `og:type` on
    every page of a site: a front, or cards one below the other, are believed only with JSON-LD of their own.
    """
    described = facts.describes_article(url)
    claims = described or facts.claims_article()
    # What claims to be an article and has prose may well stand among more links than text of its own.
    most = 1.0 if described else _MAX_CLAIMED_LINK_DENSITY
    if density > (most if claims and count >= _MIN_UNCLAIMED_WORDS else _MAX_LINK_DENSITY):
        raise NotAnArticle("listing", f"{density:.0%} of the text is links")
    if count == 0:
        raise NotAnArticle("no_body", "no paragraph of text")
    if title is None:
        raise NotAnArticle("no_title", "no headline, og:title, h1 or title")
    if not described and is_home(url):
        raise NotAnArticle("listing", "the front of a site")
    if not described and (cards := _cards(paragraphs)) >= _MIN_CARDS:
        raise NotAnArticle("listing", f"{cards} headings, each with a text and the same link")
    most_words = _MAX_CLAIMED_NOTICE_WORDS if claims else _MAX_NOTICE_WORDS
    if count <= most_words and (why := notice(title.text, paragraphs, claimed=claims)):
        raise NotAnArticle(why, f"{count} words to the reader")
    if count < (_MIN_CLAIMED_WORDS if claims else _MIN_UNCLAIMED_WORDS):
        raise NotAnArticle("too_short", f"{count} words")
    if not claims and _prose_share(paragraphs, count) < 0.5:
        raise NotAnArticle("listing", "short lines instead of sentences")


def _prose_share(paragraphs: Sequence[Paragraph], count: int) -> float:
    """The share of words in paragraphs of at least 15 that hold a sentence's end, or of 5 that end so."""
    sizes = [(paragraph.text, word_count(paragraph.text)) for paragraph in paragraphs]
    return sum(size for text, size in sizes if _is_prose(text, size)) / count


def _is_prose(text: str, size: int) -> bool:
    if not _SENTENCE.search(text):
        return size >= _MIN_UNSTOPPED_CHARS and is_unstopped(text)
    ended = _SENTENCE.match(text, len(text.rstrip(CLOSING_MARKS)) - 1)
    return size >= (_MIN_ENDED_WORDS if ended else _MIN_PROSE_WORDS)


def _cards(paragraphs: Sequence[Paragraph]) -> int:
    """How often the same short line closes what stands below a heading: `More`, on the cards of a front."""
    closing = Counter(
        line.text
        for line, following in zip(paragraphs, (*paragraphs[1:], None), strict=True)
        if len(line.text) <= _MAX_MORE_CHARS and (following is None or following.kind == "heading")
    )
    return max((closing[text] for text in closing if not _SENTENCE.search(text)), default=0)


def completeness(
    text: str, count: int, facts: Structured, access: Access
) -> Literal["full", "partial", "unknown"]:
    """Whether `text` is the whole article, by the page's own data; `unknown` where that is not settled.

    Full: as long as the declared `articleBody` or `wordCount`, within 15 %. Partial: paid for, and much
    shorter than declared, or short and breaking off.
    """
    declared = _declared_words(facts, count / max(1, len(text)))
    if declared >= FEW_WORDS and 0.85 * declared <= count and access.status != "paid":
        return "full"
    breaks_off = count < 150 and bool(_TEASER_END.search(text[-20:]))
    if access.status == "paid" and (breaks_off or count < 120 or (declared and count < 0.6 * declared)):
        return "partial"
    return "partial" if breaks_off and declared > 2 * count else "unknown"


def _declared_words(facts: Structured, words_per_char: float) -> float:
    written = len(facts.written or "") * words_per_char
    number = facts.article.get("wordCount")
    counted = re.match(r"\d{1,6}", str(number)) if isinstance(number, str | int | float) else None
    return max(written, int(counted[0]) if counted else 0)


def confidence(count: int, body: Body, title: Title, dates: Dates) -> float:
    """0 to 1: 0.4 for length (full at 250 words), 0.2 for being free of links, 0.4 for sources that agree.

    Agreement is the mean of: two sources agree on the title; the page states its publication date; how
    far the body agrees with the declared `articleBody` (only where there is one).
    """
    signs = [title.agreeing > 1, dates.published is not None and dates.published.evidence.source != "url"]
    agreement: list[float] = [float(sign) for sign in signs]
    if body.declared is not None:
        agreement.append(body.declared)
    length = min(1.0, count / _FULL_WORDS)
    return round(0.4 * length + 0.2 * (1 - body.linked) + 0.4 * sum(agreement) / len(agreement), 2)
