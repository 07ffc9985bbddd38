"""What is no article is refused, and what is one is not, however short or odd."""

from __future__ import annotations

import json
import time

import pytest

from tests.extract.front_pages import FRONTS
from tests.extract.no_articles import NO_ARTICLES, SITE, page
from tests.extract.notice_pages import NOTICES
from tests.extract.odd_articles import ODD_ARTICLES
from tests.extract.pages import PARAGRAPHS, TITLE
from worker.errors import NotAnArticle
from worker.extract import extract_article
from worker.extract.judgement import WHYS
from worker.model import Article

TITLED = f"<h1>{TITLE}</h1>"
NEWS = '<script type="application/ld+json">{}</script>'.format(
    json.dumps({"@type": "NewsArticle", "headline": TITLE, "datePublished": "2024-03-11T08:15:00Z"})
)
OG_ARTICLE = '<meta property="og:type" content="article">'
LIVE = "".join(
    f"<section><h3>{hour}.{minute}</h3><p>{text}</p></section>"
    for hour, minute, text in (
        (9, 10, "Divers are back in the water. The harbour master says the first dive will take an hour."),
        (9, 42, "Two plates are loose, we hear from the quay, and a third is being measured now."),
        (10, 5, "The ferry will sail every ten minutes from noon, the board has just confirmed."),
        (10, 31, "A crane is on its way from the shipyard. Mill Street is closed to cars until it arrives."),
    )
)
INTERVIEW = "".join(
    f"<p><b>{question}</b></p><p>{answer}</p>"
    for question, answer in (
        ("When did you know?", "On Sunday night. The divers rang me."),
        ("Were you surprised?", "No. We had asked for money for years."),
        ("And the shops?", "They will suffer. I am sorry for that."),
        ("What comes first?", "The eastern span. Then we look at the rest."),
        ("Who pays?", "Half of it the region, half of it us."),
        ("Will it be safe?", "It will be safe when I walk across it with my children."),
    )
)
LISTED = "<p>Five things to know about the closure of the bridge, which starts on Monday morning.</p><ol>" + (
    "".join(f"<li><b>Point {n}.</b> {text}</li>" for n, text in enumerate(PARAGRAPHS, 1)) + "</ol>"
)
POEM = (
    "<p>"
    + "<br>".join(
        """The bridge is shut, the river runs,
the ferry waits with idle guns,
a gull has taken up the rail
and reads the weather like a tale.
The board has met, the board has said
that spring will come with paint of red,
and all the shops along the quay
will count the days, and so will we.
Who crosses now must cross by boat
and turn the collar of the coat,
and think of iron, cracked and old,
that held us up through years of cold.""".splitlines()
    )
    + ("</p>")
)
CJK = "".join(
    f"<p>{text}</p>"
    for text in (
        "港湾局は月曜日、古い旋回橋を春まで閉鎖すると発表した。潜水士が橋脚の二か所に亀裂を見つけたためだ。",
        "その間は魚市場から十分ごとに渡し船が運航される。運賃は橋の通行料と同じに据え置くという。",
        "島の商店主らは、前回の閉鎖で売り上げが三割減ったとして、家賃の免除を市に求めている。",
        "修理費は一千百万と見込まれ、その半分を県が負担する。十二月には再び調査が行われる予定だ。",
    )
)
ARABIC = "".join(
    f"<p>{text}</p>"
    for text in (
        "قالت هيئة الميناء يوم الاثنين إن الجسر القديم سيبقى مغلقا حتى الربيع بعد العثور على شقوق في دعائمه.",
        "وستعمل العبارات كل عشر دقائق من سوق السمك، ووعدت الهيئة بألا يدفع أحد أكثر من رسم عبور الجسر.",
        "ويطالب أصحاب المتاجر في الجزيرة المدينة بإعفائهم من الإيجار ما دامت الحواجز قائمة في الشارع.",
        "ومن المتوقع أن تبلغ كلفة الإصلاح أحد عشر مليونا، وافقت المنطقة على دفع نصفها.",
    )
)
SHORT = "The old swing bridge at Harrow Quay was closed on Monday. Nobody was hurt, the police said."
REFUSED = NO_ARTICLES | NOTICES | FRONTS
ARTICLES = ODD_ARTICLES | {
    "two sentences": page(TITLE, f"{TITLED}<p>{SHORT}</p>", head=NEWS),
    "two sentences in a div": page(TITLE, f"{TITLED}<div>{SHORT}</div>", head=NEWS),
    "three sentences with og:type": page(
        TITLE, f"{TITLED}<p>{SHORT}</p><p>More follows when we have it.</p>", head=OG_ARTICLE
    ),
    "live blog": page(TITLE, f"<main>{TITLED}{LIVE}</main>", head=OG_ARTICLE),
    "live blog without data": page(TITLE, f"<main>{TITLED}{LIVE}</main>"),
    "interview": page(TITLE, f"<article>{TITLED}{INTERVIEW}</article>", head=OG_ARTICLE),
    "interview without data": page(TITLE, f"<article>{TITLED}{INTERVIEW}</article>"),
    "numbered list": page(TITLE, f"{TITLED}{LISTED}"),
    "poem": page(TITLE, f"<article>{TITLED}{POEM}</article>", head=OG_ARTICLE),
    "poem without data": page(TITLE, f"<article>{TITLED}{POEM}</article>"),
    "divs and br": page(TITLE, f"<div>{TITLED}</div><div>{'<br><br>'.join(PARAGRAPHS)}</div>"),
    "one div a paragraph": page(TITLE, TITLED + "".join(f"<div>{text}</div>" for text in PARAGRAPHS)),
    "table": page(
        TITLE,
        '<table><tr><td width=120><a href="/">Home</a><br><a href="/s">Sport</a></td><td><font size=5><b>'
        f"{TITLE}</b></font><br><br>{'<br><br>'.join(PARAGRAPHS)}</td></tr></table>",
    ),
    "Japanese": page("港の橋、春まで閉鎖", f"<h1>港の橋、春まで閉鎖</h1>{CJK}", lang="ja"),
    "Arabic": page("إغلاق الجسر حتى الربيع", f"<h1>إغلاق الجسر حتى الربيع</h1>{ARABIC}", lang="ar"),
    "no data, 90 words": page(TITLE, TITLED + "".join(f"<p>{text}</p>" for text in PARAGRAPHS[:3])),
    "no data, 120 words, linked": page(
        TITLE,
        "".join(f'<p>{text} <a href="/{n}">Background</a></p>' for n, text in enumerate(PARAGRAPHS[:4])),
    ),
    "quotes": page(TITLE, TITLED + "".join(f"<blockquote>{text}</blockquote>" for text in PARAGRAPHS)),
    "pre": page(TITLE, f"{TITLED}<pre>{chr(10).join(PARAGRAPHS)}</pre>"),
    "error as a topic": page(
        "Why 'page not found' still costs shops money",
        "<h1>Why 'page not found' still costs shops money</h1>"
        + "".join(f"<p>{text}</p>" for text in PARAGRAPHS),
    ),
}


def extracted(text: str, path: str) -> Article | NotAnArticle:
    """What becomes of the page: its article, or why there is none."""
    try:
        return extract_article(text.encode(), url=SITE + path)
    except NotAnArticle as refused:
        return refused


def refusal(name: str) -> str | None:
    """Why the page is refused; None when it is taken for an article."""
    outcome = extracted(REFUSED[name].page, REFUSED[name].path)
    return outcome.why if isinstance(outcome, NotAnArticle) else None


@pytest.mark.parametrize("name", REFUSED)
def test_no_article_is_refused(name: str) -> None:
    """Fronts, searches, tags, errors, walls, shells, galleries, shops and imprints make no event."""
    assert refusal(name) in WHYS


@pytest.mark.parametrize("name", [name for name, case in REFUSED.items() if case.whys])
def test_refusal_says_why(name: str) -> None:
    """Who reads the dead letters learns what kind of page it was."""
    assert refusal(name) in REFUSED[name].whys


@pytest.mark.parametrize("name", ARTICLES)
def test_odd_article_is_read(name: str) -> None:
    """Short, listed, sung, divided by br or laid out in tables: an article is one, with its title."""
    article = extracted(ARTICLES[name], "/city/harrow-quay")
    assert isinstance(article, Article)
    assert article.title in ARTICLES[name]
    assert article.word_count > 8


@pytest.mark.parametrize(
    "title", ["404 " * 24 + "x", "error oops 404 " * 6 + "x", "page not found - " * 6 + "!"]
)
def test_title_of_repeated_words_is_judged_at_once(title: str) -> None:
    """Each word of it can be read as one thing only; two would double the time with every word."""
    started = time.process_time()
    extracted(page(title, f"<h1>{title}</h1><p>{SHORT}</p>", head=OG_ARTICLE), "/n/1")
    assert time.process_time() - started < 1.0
