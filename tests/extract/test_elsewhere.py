"""What a refused page names instead of itself, as its markup has it."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.errors import NotAnArticle
from worker.extract import extract_article

URL = "https://news.example.com/2026/story"


def refused(head: str, body: str = "<h1>Moved</h1><p>Read it there.</p>") -> NotAnArticle:
    """Why a page with this head is refused."""
    with pytest.raises(NotAnArticle) as caught:
        extract_article(f"<head>{head}</head>{body}".encode(), url=URL)
    return caught.value


@pytest.mark.parametrize(
    ("content", "target"),
    [
        ("0;url=/a", "https://news.example.com/a"),
        ("0; URL='https://other.example/a b'", None),
        ("0; URL='https://other.example/a'", "https://other.example/a"),
        (' 5 , url = "b"rest', "https://news.example.com/2026/b"),
        ("0 /a", "https://news.example.com/a"),
        (".5;url=/a", "https://news.example.com/a"),
        ("4.9;/a", "https://news.example.com/a"),
        (";url=/a", "https://news.example.com/a"),
        ("0;url=//cdn.example/a", "https://cdn.example/a"),
        ("0;uri=/a", "https://news.example.com/2026/uri=/a"),
        ("6;url=/a", None),
        ("99999999999999999999;url=/a", None),
        ("soon;url=/a", None),
        ("0;url=", None),
        ("0 ; url=''", None),
        ("0;url=#top", None),
        ("0;url=ftp://a.example/", None),
        ("", None),
    ],
)
def test_refresh_is_read_as_browsers_do(content: str, target: str | None) -> None:
    """HTML, shared declarative refresh steps; what is no http(s) URL, or comes late, is none."""
    quoted = content.replace('"', "&quot;")
    refusal = refused(f'<meta http-equiv=refresh content="{quoted}">')
    assert (refusal.elsewhere, refusal.named_by) == ((target, "refresh") if target else (None, None))


def test_base_counts() -> None:
    """A refresh is relative to the document's base."""
    head = '<base href="/deep/er/"><meta http-equiv="refresh" content="0;url=a">'
    assert refused(head).elsewhere == "https://news.example.com/deep/er/a"


def test_refresh_of_a_page_without_scripts_counts() -> None:
    """Who runs no scripts is sent on from within <noscript> too."""
    head = '<noscript><meta http-equiv="refresh" content="0;url=/plain"></noscript>'
    assert refused(head).elsewhere == "https://news.example.com/plain"


def test_refresh_comes_before_canonical() -> None:
    """A page that does both sends its readers by the refresh."""
    head = '<link rel=canonical href="/c"><meta http-equiv=refresh content="0;url=/r">'
    assert refused(head).named_by == "refresh"


def test_canonical_of_a_subdomain_is_of_the_same_site() -> None:
    """A mobile site's stub leads to the main site, its fragment left out."""
    refusal = refused('<link rel=canonical href="https://www.example.com/full#main">')
    assert (refusal.elsewhere, refusal.named_by) == ("https://www.example.com/full", "canonical")


def test_refusal_survives_the_way_between_processes() -> None:
    """The better URL reaches the parent of the process that read the page."""
    refusal = pickle.loads(pickle.dumps(refused('<link rel=canonical href="/c">')))  # noqa: S301
    assert (refusal.why, refusal.elsewhere) == ("too_short", "https://news.example.com/c")
    assert refusal.named_by == "canonical"


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_content_is_read(content: str, canonical: str) -> None:
    """No refresh and no canonical URL make the reading of a page fail."""
    head = f'<meta http-equiv=refresh content="0;{content}"><link rel=canonical href="{canonical}">'
    elsewhere = refused(head, "").elsewhere
    assert elsewhere is None or elsewhere.startswith(("http://", "https://"))
