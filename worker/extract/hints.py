"""The words by which pages name their parts, in the languages that sites' authors write them in.

All of them are general: words of markup's trade and of newsrooms, never the name of a site.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import lru_cache
from itertools import pairwise

from worker.extract.text import SENTENCE_ENDS

#: `word` is a whole word, `word*` any that begins so, `one-two` two in a row, however they are parted.
_BOX_WORDS = """
    share sharing partage paylas social breadcrumb breadcrumbs newsletter newsletters infolettre
    nyhetsbrev ad ads adv advert* anzeige publicidad sponsor* promo* banner readalso readmore
    readnext read-also read-more read-next a-lire lire-aussi related* relacionad* recommend* recirc*
    most-read most-viewed most-popular popular trending teaser teasers outbrain taboola comment
    comments kommentar kommentare disqus cookie cookies consent gdpr cmp byline author* autor*
    auteur bio caption captions credit credits copyright tag tags taglist topic topics themen
    keywords timestamp date* meta toolbar tools sidebar widget subscri* paywall-banner paywall-offer
    paywall-promo paywall-box paywall-overlay paywall-message paywall-barrier regwall signup login
    modal popup overlay tooltip sr-only visuallyhidden visually-hidden screen-reader pagination
    pager menu nav* footer carousel slider gallery slideshow photo photos foto* image images imagen
    picture mediabox whatsapp* donat* spende* offer offers affiliate* toc table-of-contents aktie
    more-on more-from more-news more-stories see-also leia-mais leia-tambem vejatambem lees-ook
    les-ogsa lesmer box infobox factbox faktabox fakta* accordion disclaimer correction bookmark
    print rating poll quiz live-ticker liveticker player video* audio* podcast* embed* tweet
    twitter* instagram* facebook*
"""
_NO_BOX_WORDS = "sidebar-grid sidebar-layout sidebar-container sidebar-wrap sidebar-page"
_LEAD_WORDS = """
    lead lede standfirst summary chapo excerpt intro* dek subtitle sub-title subhead* sub-head
    abstract sapo ingress entradilla bajada copete sommario occhiello deck strapline synopsis
    underline spot manchet description anons vorspann teasertext teaser-text preamble kicker-text
    resumo linha-fina linhafina zajawka
"""
_BODY = re.compile(
    r"article-?_?(?:body|content|text|main|copy|detail|entry)|(?:story|entry|post|news|page|content|detail|text)"
    r"-?_?(?:body|content|text|copy|article)|articlebody|storybody|body-?(?:text|copy|content)|"
    r"richtext|rich-text|artikel|articulo|noticia|(?<![a-z])(?:article|story|prose|wysiwyg)(?![a-z])",
    re.IGNORECASE,
)
#: What the class and the id of an element may say it is: beside the article, its body, its lead.
BOX, BODY, LEAD = 1, 2, 4
_MODIFIERS = frozenset(
    "has is no not with without js desktop mobile hide show text bg font mt mb px py col".split()  # noqa: SIM905
)
_HIDDEN = frozenset(("hidden", "d-none", "is-hidden", "u-hidden", "invisible", "hide"))
_MAX_TOKEN_CHARS = 40  # longer ones are slugs made of headlines, whose words say nothing of the element
_MAX_TOKENS = 60

_LABELS = (
    *("read more", "read also", "read next", "see also", "more on", "more from", "related", "czytaj więcej"),
    *("czytaj też", "czytaj także", "zobacz też", "zobacz także", "lesen sie auch", "lesen sie mehr"),
    *("lesetipp", "mehr zum thema", "auch interessant"),
    *("das könnte", "weitere artikel", "weitere nachrichten"),
    *("weitere themen", "lire aussi", "à lire", "a lire", "lees ook", "lees meer", "leggi anche"),
    *("leia também", "leia mais", "leia tambem", "lea también", "lee también", "te puede interesar"),
    *("les også", "læs også", "läs också", "läs mer"),
    *("číst dál", "čtěte také", "přečtěte si", "ilgili haber"),
    *("最新", "関連記事", "あわせて読みたい", "관련기사"),
    *("相关", "читайте также", "читати також", "اقرأ أيضا"),
)
#: Where a line begins with a clause, or ends as sentences do: `相关部门表示，…`.
_SENTENCE_MARKS = frozenset(".,，。、")
_LABEL_STARTS = frozenset(label[:2] for label in _LABELS)
_CREDIT = re.compile(
    r"(?:^|[\s(\[|/.])(?:©|\(c\)|(?:image|photo|foto|bild|picture|credit|photograph|fotografía|immagine|crédit)s?"
    r"\s?(?:by|credit|von)?\s?[:：©|/])[^!?]{2,40}[)\]]?$"
    r"|[|/©]\s?(?:getty|reuters|ap|afp|shutterstock|dpa|imago)[^.]{0,40}[)\].]?$",
    re.IGNORECASE,
)
_FURNITURE = re.compile(
    r"^(?:\d+ (?:min(?:ute)?|hour|day)s? ago)?\s?\d?\d[:.]\d\d(?:\s?[-|•]|[A-Z]|$)"
    r"|^\d+ min(?:\.|utes?)? (?:read|lesezeit)|^\d{1,2}[./]\s?\d{1,2}[./]\s?\d{4}\b.{0,20}$|^\d+\s?/\s?\d+$"
    r"|^(?:advertisement|werbung|anzeige|publicidad|publicité|reklama|reklame|annonse|annonce|pubblicità|広告|광고)\b"
    r"|^(?:von|by|par|por|di) (?-i:(?:[A-ZÀ-Þ][\w.-]+ ?){2,4})$"
    r"|^(?:mit|sendung|redaktion|quelle|source|foto|text)\s?[:：]|^(?:author|autor(?:in)?|auteur|autore)\s?[:：]"
    r"|^mit (?:dpa|afp|reuters)\W*$",
    re.IGNORECASE,
)
_REQUESTS = (
    *("sign up to", "sign up for", "subscribe to", "subscribe for"),
    *("subscribe now to", "register for", "register to"),
    *("download the app", "download our app", "follow us on", "join us on", "subscribers only", "©"),
    *("all rights reserved", "有料会員", "有料記事", "会員登録"),
)
_RIGHTS = ("©", "all rights reserved", "会員限定")
#: What an article may be about; a line without a sentence, or with a link, that has one asks for something.
_ASKING = re.compile(r"newsletter|whatsapp|click here|ログイン", re.IGNORECASE)
_ENDS = tuple(SENTENCE_ENDS)
_MAX_LINE_CHARS = 200
_MAX_CREDIT_CHARS = 80
_MAX_LABEL_CHARS = 40


#: What words may be besides: the sign of no box, the first of two in a row, perhaps the name of a body.
_NO_BOX, _FIRST, _MAYBE_BODY = 8, 16, 32
_BODY_STARTS = frozenset(
    "arti stor entr post news page cont deta text body rich noti pros wysi".split()  # noqa: SIM905
)
_WORD = re.compile("[a-z]+")
_WHOLE: dict[str, int] = {}
_BEGINNINGS: dict[str, dict[str, int]] = defaultdict(dict)  # by their first three letters
_PAIRS: dict[tuple[str, ...], int] = {}


def _list(bit: int, words: str) -> None:
    """Note `words`, parted by white space, as what `bit` means."""
    for word in words.split():
        if word.endswith("*"):
            _BEGINNINGS[word[:3]][word[:-1]] = bit
        elif "-" in word:
            pair = tuple(word.split("-")[:2])
            _PAIRS[pair] = _PAIRS.get(pair, 0) | bit
            _WHOLE[pair[0]] = _WHOLE.get(pair[0], 0) | _FIRST
        else:
            _WHOLE[word] = _WHOLE.get(word, 0) | bit


_list(BOX, _BOX_WORDS)
_list(_NO_BOX, _NO_BOX_WORDS)
_list(LEAD, _LEAD_WORDS)


@lru_cache(maxsize=16_384)
def _meaning(word: str) -> int:
    """What is listed of `word`; a pattern of all that is listed takes ten times as long."""
    found = _WHOLE.get(word, 0) | (_MAYBE_BODY if word[:4] in _BODY_STARTS else 0)
    if (beginnings := _BEGINNINGS.get(word[:3])) is not None:
        for beginning, bit in beginnings.items():
            if word.startswith(beginning):
                found |= bit
    return found


@lru_cache(maxsize=4_096)
def hints_of(classes: str, identity: str) -> int:
    """BOX, BODY and LEAD as far as they hold, in one number, for an element of these `class` and `id`."""
    name = f"{classes} {identity}"
    tokens = name.split()[:_MAX_TOKENS]
    if not _HIDDEN.isdisjoint(tokens) and ":" not in name:
        return BOX
    hints = 0
    for token in tokens:
        if len(token) <= _MAX_TOKEN_CHARS:
            hints |= _hints_of_token(token)
    return hints & ~BOX if hints & BODY else hints


@lru_cache(maxsize=16_384)
def _hints_of_token(token: str) -> int:
    # Such as `menu--open`, `md:hidden`, `has-sidebar`: which variant it is, not what it is.
    if "--" in token or ":" in token or "[" in token:
        return 0
    token = token.lower()
    words = _WORD.findall(token)
    if not words or (words[0] in _MODIFIERS and len(words) > 1):
        return 0
    found = 0
    for word in words:
        found |= _meaning(word)
    if found & _FIRST:
        for pair in pairwise(words):
            found |= _PAIRS.get(pair, 0)
    if found & BOX and not found & _NO_BOX:
        return found & (BOX | LEAD)
    return found & LEAD | (BODY if found & _MAYBE_BODY and _BODY.search(token) else 0)


def is_label(line: str) -> bool:
    """Whether `line` is the heading of a box of links: `Read more`, `Lire aussi`."""
    if len(line) >= _MAX_LABEL_CHARS or line[:2].lower() not in _LABEL_STARTS:
        return False
    return line.lower().startswith(_LABELS) and _SENTENCE_MARKS.isdisjoint(line[-1:] + line[:12])


def is_credit(line: str) -> bool:
    """Whether `line` ends as captions of pictures do: `(Image: …)`, `© …`."""
    if len(line) >= _MAX_LINE_CHARS:
        return False
    end = line[-_MAX_CREDIT_CHARS:]
    marked = ":" in end or "©" in end or "|" in end or "/" in end or "：" in end
    return marked and _CREDIT.search(end) is not None


def is_furniture(line: str, *, plain_prose: bool) -> bool:
    """Whether `line` is a clock, a byline, a request or an advertisement's label.

    `plain_prose` says that it is made of sentences without a link; then words that articles use as well
    do not count.
    """
    if len(line) >= _MAX_LINE_CHARS:
        return False
    lowered = line.lower()
    if plain_prose and line.endswith(_ENDS):
        return any(map(lowered.__contains__, _RIGHTS))
    asked = any(map(lowered.__contains__, _REQUESTS))
    return asked or _FURNITURE.match(line) is not None or (not plain_prose and bool(_ASKING.search(line)))
