"""One page twice: as the plain-text dump that a naive scraper makes of it, and as HTML of the same layout."""

from __future__ import annotations

from pathlib import Path

from worker.extract import extract_article

DUMP = Path(__file__).parents[1] / "site" / "pages" / "tidewire" / "harbour.txt"
URL = "https://tidewire.example.com/news/harbour"
SHARE = "".join(f"<a href='#{name}'>{name}</a>" for name in ("Whatsapp", "facebook", "Twitter", "print"))
TEASER = (
    "<a href='/n/{0}'><h3>Another story of the coast, number {0}</h3></a><span>2025-02-0{0} | 08:30</span>"
)


def as_html(dump: str) -> str:
    """The dump's article in the layout that such dumps come from."""
    article = extract_article(dump.encode(), url=URL, content_type="text/plain")
    paragraphs = "".join(f"<p>{paragraph.text}</p>" for paragraph in article.paragraphs)
    teasers = "".join(f"<li>{TEASER.format(number)}</li>" for number in range(1, 6))
    return f"""<!doctype html><html lang=en><head><title>{article.title}</title></head><body>
<div class=top><span>{article.section}</span><span>2025-02-03 | 09:12</span><div>High views</div>
<div class=share-bar><span>Share</span>{SHARE}</div></div><h1>{article.title}</h1>
<div class=share-bar>{SHARE}</div><div>2min</div><div class=text>{paragraphs}</div>
<div class=tags>{"".join(f"<a href='/t/{word}'>{word}</a>" for word in article.keywords)}</div>
<div><h2>Related Articles</h2><ul>{teasers}</ul></div><div><h2>Most read</h2><ul>{teasers}</ul></div>
</body></html>"""


def test_html_of_the_dump_s_layout_gives_the_dump_s_article() -> None:
    """The same headline, date and paragraphs, and nothing of the boxes around them."""
    dump = DUMP.read_text(encoding="utf-8")
    plain = extract_article(dump.encode(), url=URL, content_type="text/plain")
    html = extract_article(as_html(dump).encode(), url=URL, content_type="text/html")
    assert html.title == plain.title
    assert html.published_at == plain.published_at
    assert [p.text for p in html.paragraphs] == [p.text for p in plain.paragraphs]
    assert len(html.paragraphs) > 4
