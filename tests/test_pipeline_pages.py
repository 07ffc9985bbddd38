"""What pages say of themselves, from a real loopback server to the verdict: hops, shells, noindex, types."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.extract.pages import PARAGRAPHS, TITLE, news_page
from tests.fetch.conftest import LIMITS, LOOPBACK, USER_AGENT, RawServer, http
from worker.clock import SystemClock
from worker.fetch.session import Fetcher
from worker.model import Task
from worker.outcomes import outcome
from worker.pipeline import Pipeline
from worker.retry import Bury, RetryPolicy
from worker.telemetry.log import get_logger
from worker.urls import host_key
from worker.verdict import Failed, Hop, Publish, Verdict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


ARTICLE = news_page().encode()
STUB = "<h1>Our story</h1><p>Read this story on our site.</p>"


class InProcess:
    """Reads pages here."""

    async def call(self, function: Callable[..., Any], page: bytes, **arguments: Any) -> Any:
        return function(page=page, **arguments)


@dataclass
class Bench:
    """A pipeline over real requests to `server`."""

    server: RawServer
    pipeline: Pipeline

    def task(self, path: str = "/story") -> Task:
        url = self.server.url(path)
        return Task(1, url, host_key(url), 0, 0, 0, 1, url)

    async def visit(self, *replies: bytes, task: Task | None = None) -> Verdict:
        """What follows from the last of `replies`, after the hops that the ones before it ask for."""
        self.server.replies = list(replies)
        task = task or self.task()
        for number in range(len(replies)):
            verdict = await self.pipeline.process(task, get_logger())
            if number < len(replies) - 1:
                assert isinstance(verdict, Hop), verdict
                by = verdict.redirect.by
                cookies = verdict.redirect.set_cookies
                task = task.hop(verdict.location, verdict.host, cookies, canonical=by == "canonical")
        return verdict

    def paths(self) -> list[str]:
        return [seen.path for seen in self.server.seen]


@pytest.fixture
async def bench(server: RawServer) -> AsyncIterator[Bench]:
    clock = SystemClock()
    policy = RetryPolicy(max_attempts=3, base_s=1, max_s=10)
    async with Fetcher(limits=LIMITS, guard=LOOPBACK, user_agent=USER_AGENT) as fetcher:
        pipeline = Pipeline(fetcher, None, InProcess(), policy, max_redirects=3, clock=clock, whole=True)
        yield Bench(server, pipeline)


@pytest.fixture
async def server() -> AsyncIterator[RawServer]:
    server = RawServer()
    await server.start()
    yield server
    await server.stop()


def stub(head: str = "", body: str = STUB, root: str = "<html>") -> bytes:
    return http(f"<!doctype html>{root}<head>{head}</head><body>{body}</body></html>".encode())


def refresh(content: str) -> str:
    return f'<meta http-equiv="Refresh" content="{content}">'


def canonical(href: str) -> str:
    return f'<link rel="canonical" href="{href}">'


def refusal(verdict: Verdict) -> tuple[str, str]:
    """The reason that the URL is buried for, and the first word of its error."""
    assert isinstance(verdict, Failed), verdict
    assert isinstance(verdict.next, Bury)
    assert outcome(verdict.next.reason).reason == verdict.next.reason
    return verdict.next.reason, verdict.error.partition(":")[0]


async def test_refresh_is_a_redirect(bench: Bench) -> None:
    """A page without an article that sends its reader on at once is a hop, cookies and all."""
    page = stub(refresh("0; url=/there?a=1"))
    page = page.replace(b"\r\n\r\n", b"\r\nSet-Cookie: wall=1; Path=/\r\n\r\n", 1)
    verdict = await bench.visit(page, http(ARTICLE))
    assert isinstance(verdict, Publish)
    assert bench.paths() == ["/story", "/there?a=1"]
    assert bench.server.seen[1].headers["Cookie"] == "wall=1"


@pytest.mark.parametrize(
    "content",
    ["600; url=/there", "0", "0; url=", "0; url=javascript:alert(1)", "0; url=/story#top", "6;/there"],
)
async def test_refresh_to_nowhere_or_later_is_none(bench: Bench, content: str) -> None:
    """A reload, a script, and a refresh for readers who stay, are not followed."""
    assert refusal(await bench.visit(stub(refresh(content)))) == ("not_article", "too_short")


async def test_article_is_kept_whatever_it_refreshes_to(bench: Bench) -> None:
    """A whole article is published where it stands, though it names another URL and will move on."""
    page = news_page(head=refresh("0; url=/ads") + canonical("/other"))
    assert isinstance(await bench.visit(http(page.encode())), Publish)


async def test_refresh_in_a_circle_is_a_loop(bench: Bench) -> None:
    """Refreshes are checked for loops with all other redirects."""
    pages = stub(refresh("0; url=/b")), stub(refresh("0; url=/story"))
    assert refusal(await bench.visit(*pages))[0] == "redirect_loop"


async def test_refreshes_count_as_redirects(bench: Bench) -> None:
    """More of them than redirects are allowed end the URL."""
    pages = [stub(refresh(f"0; url=/{number}")) for number in range(4)]
    assert refusal(await bench.visit(*pages))[0] == "too_many_redirects"


async def test_stub_leads_to_its_canonical_article(bench: Bench) -> None:
    """A page with hardly any text is replaced by the article that it calls canonical."""
    verdict = await bench.visit(stub(canonical("/full/story")), http(ARTICLE))
    assert isinstance(verdict, Publish)
    assert bench.paths() == ["/story", "/full/story"]


@pytest.mark.parametrize(
    "href", ["/", "/story", "/story?utm_source=x", "https://other.example/a", "mailto:a@b.example", ""]
)
async def test_canonical_of_a_stub_that_leads_nowhere(bench: Bench, href: str) -> None:
    """Itself, a front, another site or no URL at all: the stub is just no article."""
    assert refusal(await bench.visit(stub(canonical(href)))) == ("not_article", "too_short")


async def test_canonical_is_followed_once(bench: Bench) -> None:
    """A canonical page that is a stub too is no article, whatever it calls canonical."""
    pages = stub(canonical("/two")), stub(canonical("/three"))
    assert refusal(await bench.visit(*pages)) == ("not_article", "too_short")
    assert bench.paths() == ["/story", "/two"]


async def test_canonical_that_sent_us_here_is_no_loop(bench: Bench) -> None:
    """A wall that calls the article it stands before canonical is no article, and not a loop."""
    moved = http(status="302 Found", location="/wall")
    assert refusal(await bench.visit(moved, stub(canonical("/story")))) == ("not_article", "too_short")


async def test_listing_does_not_lead_to_its_canonical(bench: Bench) -> None:
    """The second page of a section is no stub of the first."""
    links = "".join(f"<p><a href='/{n}'>A headline of some words, number {n}</a></p>" for n in range(9))
    assert refusal(await bench.visit(stub(canonical("/city"), links))) == ("not_article", "listing")


@pytest.mark.parametrize("root", ["<html amp>", "<html ⚡>"])
async def test_amp_stub_leads_to_its_canonical_on_any_site(bench: Bench, root: str) -> None:
    """An AMP page must name its canonical page, which is elsewhere where a cache serves it."""
    verdict = await bench.visit(stub(canonical("https://news.example/story"), root=root))
    assert isinstance(verdict, Hop)
    assert (verdict.location, verdict.host) == ("https://news.example/story", "news.example")
    assert (verdict.redirect.by, verdict.redirect.status) == ("canonical", 200)


async def test_whole_amp_article_is_kept(bench: Bench) -> None:
    """An AMP page that holds the article is read as it is, and its canonical URL is told."""
    page = news_page(head=canonical(bench.server.url("/full"))).replace("<html", "<html amp", 1)
    verdict = await bench.visit(http(page.encode()))
    assert isinstance(verdict, Publish)
    assert verdict.article.canonical_url == bench.server.url("/full")
    assert len(bench.paths()) == 1


@pytest.mark.parametrize(
    "body",
    [
        '<div id="app"></div><script src="/a.js"></script>',
        '<div id="__next"></div><script>window.S = {"a": "some words of no use to anybody"}</script>',
        "<app-root></app-root><script src='/a.js'></script><footer>Imprint</footer>",
        "<noscript>You need to enable JavaScript to run this app.</noscript><div id='x'></div>",
        "<script src='/a.js'></script>" * 6,
    ],
)
async def test_shell_of_scripts_is_named(bench: Bench, body: str) -> None:
    """A page whose text scripts would write ends as `not_article`, and says so."""
    verdict = await bench.visit(stub("<title>News</title>", body))
    assert refusal(verdict) == ("not_article", "javascript_shell")


async def test_page_with_text_of_its_own_is_no_shell(bench: Bench) -> None:
    """A server's own error page may have scripts and a <noscript> beside its words."""
    words = "<h1>Page not found</h1><p>Sorry, the page that you asked for is gone, or it has moved.</p>"
    menu = "<nav>" + " ".join(f"<a href='/{n}'>Section {n}</a>" for n in range(12)) + "</nav>"
    noscript = "<noscript>Please enable JavaScript</noscript>"
    verdict = await bench.visit(stub("", menu + words + noscript + "<script src='/a.js'></script>" * 8))
    assert refusal(verdict)[1] != "javascript_shell"


@pytest.mark.parametrize(
    ("headers", "head", "asks"),
    [
        ({"x_robots_tag": "noindex"}, "", True),
        ({"x_robots_tag": "all"}, "", False),
        ({}, '<meta name="robots" content="nofollow, NOINDEX">', True),
        ({}, '<meta name="ingesttest" content="none">', True),
        ({}, "", False),
    ],
)
async def test_noindex_warns_or_refuses(bench: Bench, headers: dict[str, str], head: str, asks: bool) -> None:
    """A page that asks not to be indexed is published with a warning, or buried where the settings say so."""
    page = http(news_page(head=head).encode(), **headers)
    bench.pipeline = replace(bench.pipeline, robot="ingesttest")
    verdict = await bench.visit(page)
    assert isinstance(verdict, Publish)
    assert ("noindex" in verdict.article.extraction.warnings) is asks
    bench.pipeline = replace(bench.pipeline, noindex="refuse")
    verdict = await bench.visit(page)
    assert (refusal(verdict)[0] == "noindex") if asks else isinstance(verdict, Publish)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"%PDF-1.7\n%\xe2\xe3", "text/html"),
        (b"\x89PNG\r\n\x1a\n\0\0", "text/html; charset=utf-8"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", ""),
        (b"PK\x03\x04\x14\0", "text/plain"),
        (b"<?xml version='1.0'?><rss version='2.0'><channel/></rss>", "text/html"),
        (ARTICLE, "application/json"),
        (ARTICLE, "application/octet-stream"),
        (b"<?xml version='1.0'?><svg/>", "application/xml"),
    ],
)
async def test_what_is_no_page_is_not_html(bench: Bench, body: bytes, content_type: str) -> None:
    """A picture, a document or a feed is `not_html` whatever it is called, and so is what is called one."""
    assert refusal(await bench.visit(http(body, content_type=content_type)))[0] == "not_html"


@pytest.mark.parametrize(
    "content_type", ["", "unknown/unknown", "*/*", "text/plain", "application/xhtml+xml"]
)
async def test_html_under_a_lesser_type_is_read(bench: Bench, content_type: str) -> None:
    """HTML without a type, or under the type of plain text, is read as HTML."""
    verdict = await bench.visit(http(ARTICLE, content_type=content_type))
    assert isinstance(verdict, Publish)
    assert (verdict.article.title, verdict.article.extraction.method) == (TITLE, "html")


async def test_xhtml_called_xml_is_read(bench: Bench) -> None:
    """XHTML under a type of XML is a page, in the encoding that its declaration names."""
    text = "".join(f"<p>{paragraph} Żółć.</p>" for paragraph in PARAGRAPHS)
    page = f'<?xml version="1.0" encoding="iso-8859-2"?><html><body><h1>{TITLE}</h1>{text}</body></html>'
    verdict = await bench.visit(http(page.encode("iso-8859-2"), content_type="application/xml"))
    assert isinstance(verdict, Publish)
    assert (verdict.article.charset, "Żółć" in verdict.article.text) == ("iso-8859-2", True)
