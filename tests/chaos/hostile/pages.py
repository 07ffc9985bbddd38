"""Pages that attack whoever reads them: floods, depth, bait for regular expressions, bombs, charset lies."""

from __future__ import annotations

from tests.chaos.hostile.heads import PAGE
from tests.chaos.hostile.wire import Answer, Hostile, Wire, page, says, whole

_TEXT = PAGE.decode()
#: Just below the limit of a body, 10 MB.
_FULL = 9_900_000
#: Reading such a page may end in any of these ways; that it ends, and harms nobody, is what counts.
_UNREADABLE = "not_article|not_html|extract_timeout"
_ANYHOW = f"article|{_UNREADABLE}"
_XML_BOMB = (
    '<?xml version="1.0"?><!DOCTYPE html [<!ENTITY a0 "lol">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    + "]><html><body><p>&a9;</p></body></html>"
)
_XXE = '<?xml version="1.0"?><!DOCTYPE h [<!ENTITY x SYSTEM "http://@CANARY@/x">]><html><p>&x;</p></html>'
_EMBEDS = (
    '<base href="http://@CANARY@/"><link rel=stylesheet href=/s.css><script src=/s.js></script>'
    "<img src=/i.png><iframe src=/f></iframe><object data=/o></object><video src=/v></video>"
    "<link rel=preload href=/p as=font>"
)


def _served(body: str | bytes, *, type: str = "text/html; charset=utf-8") -> Answer:  # noqa: A002
    return says(whole(body if isinstance(body, bytes) else body.encode(), type=type))


def _repeated(
    unit: str,
    size: int = _FULL,
    *,
    before: str = "",
    after: str = "",
    type: str = "text/html",  # noqa: A002
) -> Answer:
    """A page of about `size` bytes, made when it is asked for: the table itself stays small."""

    async def answer(wire: Wire) -> None:
        await wire.send(whole((before + unit * (size // len(unit)) + after).encode(), type=type))

    return answer


def _in_body(added: str) -> Answer:
    return _served(_TEXT.replace("<article>", added + "<article>"))


FLOODS = (
    Hostile("10 MB of <", _UNREADABLE, _repeated("<")),
    Hostile("10 MB of &", _UNREADABLE, _repeated("&")),
    Hostile("10 MB of a letter", _UNREADABLE, _repeated("a")),
    Hostile("20 MB of nested divs", "too_large", _repeated("<div>", 20_000_000)),
    Hostile("10 MB of nested divs", _UNREADABLE, _repeated("<div>")),
    Hostile("200,000 links", _UNREADABLE, _repeated("<a href=/news/1>news</a> ", 5_000_000)),
    Hostile(
        "100,000 paragraphs", _ANYHOW, _repeated("<p>A sentence of six short words here.</p>", 4_300_000)
    ),
    Hostile("300,000 dates", _ANYHOW, _repeated("<time>2024-01-01</time> ", 7_000_000)),
    Hostile("50,000 headings", _ANYHOW, _repeated("<h1>Breaking news of the day</h1>", 1_600_000)),
    Hostile("100,000 metas", _ANYHOW, _repeated('<meta property="og:title" content="x">', 4_000_000)),
    Hostile("a million entities", _UNREADABLE, _repeated("&CounterClockwiseContourIntegral;")),
    Hostile("a million combining marks", _ANYHOW, _in_body("<p>a" + "\u0301" * 1_000_000)),
    Hostile("a line of 10 MB of text", _ANYHOW, _repeated("word ", type="text/plain")),
    Hostile("five million lines", _ANYHOW, _repeated("a\n", type="text/plain")),
)

DEEP = (
    Hostile("100,000 nested tables", _ANYHOW, _repeated("<table><tr><td>", 1_500_000)),
    Hostile("100,000 open formats", _ANYHOW, _repeated("<a><b><i><u><font>", 1_800_000)),
    Hostile("misnested formats", _ANYHOW, _repeated("<b><p></b></p><i>", 1_700_000)),
    Hostile("100,000 nested lists", _ANYHOW, _repeated("<ul><li>", 800_000, after=_TEXT)),
    Hostile("100,000 templates", _ANYHOW, _repeated("<template>", 1_000_000)),
    Hostile("100,000 nested SVGs", _ANYHOW, _repeated("<svg><foreignObject>", 2_000_000)),
    Hostile("nested forms and selects", _ANYHOW, _repeated("<form><select><option><form>", 2_000_000)),
    Hostile("nested buttons in paragraphs", _ANYHOW, _repeated("<button><p>", 1_100_000)),
    Hostile(
        "200,000 attributes",
        _ANYHOW,
        _served("<div " + " ".join(f"a{n}=b" for n in range(200_000)) + ">" + _TEXT),
    ),
    Hostile(
        "an attribute of 9 MB", _ANYHOW, _repeated("x", 9_000_000, before='<div title="', after='">' + _TEXT)
    ),
    Hostile(
        "JSON-LD nested 100,000 deep",
        _ANYHOW,
        _in_body(f'<script type="application/ld+json">{"[" * 100_000}</script>'),
    ),
    Hostile(
        "JSON-LD with a number of 1 MB",
        _ANYHOW,
        _in_body(f'<script type="application/ld+json">{{"wordCount": {"9" * 1_000_000}}}</script>'),
    ),
    Hostile(
        "JSON-LD of 5 MB of authors",
        _ANYHOW,
        _in_body(
            '<script type="application/ld+json">{"@type": "NewsArticle", "author": ['
            + '{"name": "A B"},' * 330_000
            + '"C D"]}</script>'
        ),
    ),
    Hostile(
        "JSON-LD with half surrogates",
        "article",
        _in_body(
            '<script type="application/ld+json">{"@type": "NewsArticle", "headline": "\\ud83d", '
            '"keywords": "\\udead"}</script>'
        ),
    ),
)

UNCLOSED = (
    Hostile("a comment without end", _ANYHOW, _repeated("x -- ", 5_000_000, before="<!--")),
    Hostile("a script without end", _ANYHOW, _repeated("<!--<script>", 5_000_000, before="<script>")),
    Hostile("a title without end", _ANYHOW, _repeated("news ", 5_000_000, before="<title>")),
    Hostile("a textarea without end", _ANYHOW, _repeated("text ", 5_000_000, before="<textarea>")),
    Hostile("a tag without end", _ANYHOW, _repeated('a="', 5_000_000, before="<p ")),
    Hostile("a CDATA section without end", _ANYHOW, _repeated("]] ", 5_000_000, before="<svg><![CDATA[")),
    Hostile("plaintext", _ANYHOW, _repeated("<p>text", 5_000_000, before="<plaintext>")),
)

BAIT = (
    Hostile("a byline of 1 MB", _ANYHOW, _in_body(f'<p class="byline">By {"Aa Bb, " * 150_000}</p>')),
    Hostile("a date of 1 MB", _ANYHOW, _in_body(f"<time>{'1' * 1_000_000}</time>")),
    Hostile("a megabyte of spaces in a heading", _ANYHOW, _in_body(f"<h1>x{' ' * 1_000_000}y</h1>")),
    Hostile("a megabyte of quotes", _ANYHOW, _in_body(f"<p>{'“' * 300_000}</p>")),
    Hostile("a megabyte of dots", _ANYHOW, _in_body(f"<p>{'. ' * 500_000}</p>")),
    Hostile(
        "a class of 1 MB",
        _ANYHOW,
        _served(_TEXT.replace("<article>", f'<article class="{"article-body " * 80_000}">')),
    ),
)

BOMBS = (
    Hostile("an XML bomb as HTML", _UNREADABLE, _served(_XML_BOMB)),
    Hostile("an XML bomb as XHTML", _UNREADABLE, _served(_XML_BOMB, type="application/xhtml+xml")),
    Hostile("an external entity at the canary", _UNREADABLE, page(_XXE, type="application/xhtml+xml")),
    Hostile(
        "an article that embeds the canary",
        "article",
        page(_TEXT.replace("<article>", _EMBEDS + "<article>")),
    ),
)

CHARSETS = (
    Hostile("invalid UTF-8 everywhere", _UNREADABLE, _served(bytes(range(0x80, 0x100)) * 8_000)),
    Hostile("overlong UTF-8", _ANYHOW, _served(PAGE.replace(b" ", b"\xc0\xa0"))),
    Hostile("a megabyte of NUL", _UNREADABLE, _served(bytes(1_000_000))),
    Hostile(
        "NUL after every letter", _UNREADABLE + "|article", _served(b"".join(b"%c\0" % byte for byte in PAGE))
    ),
    Hostile("a UTF-16 label on ASCII", "article", _served(PAGE, type="text/html; charset=utf-16")),
    Hostile("a UTF-8 label on UTF-16", "article", _served(b"\xff\xfe" + _TEXT.encode("utf-16-le"))),
    Hostile(
        "UTF-16 of half a character",
        "article",
        _served(b"\xff\xfe" + _TEXT.encode("utf-16-le") + b"\x00\xd8x"),
    ),
    Hostile(
        "UTF-7",
        "article",
        _served(PAGE.replace(b"<p>", b"<p>+ADw-script+AD4-"), type="text/html; charset=utf-7"),
    ),
    Hostile("UTF-32", _ANYHOW, _served(_TEXT.encode("utf-32"), type="text/html; charset=utf-32")),
    Hostile("EBCDIC", _UNREADABLE, _served(_TEXT.encode("cp500"), type="text/html; charset=ibm500")),
    Hostile(
        "ISO-2022-JP escapes",
        _ANYHOW,
        _served(b"\x1b$B\x1b(B" * 500_000 + PAGE, type="text/html; charset=iso-2022-jp"),
    ),
    Hostile("a charset that nobody knows", "article", _served(PAGE, type="text/html; charset=klingon")),
    Hostile(
        "the replacement charset", "article|not_article", _served(PAGE, type="text/html; charset=hz-gb-2312")
    ),
)

ROWS = (*FLOODS, *DEEP, *UNCLOSED, *BAIT, *BOMBS, *CHARSETS)
