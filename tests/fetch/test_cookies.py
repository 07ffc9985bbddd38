"""Which cookies of a chain are sent where."""

from __future__ import annotations

import pytest
import yarl
from hypothesis import given
from hypothesis import strategies as st

from tests.fetch.conftest import LIMITS, LOOPBACK, USER_AGENT, RawServer, http
from tests.fetch.test_outcome import Resolves
from worker.fetch.cookies import cookie_header
from worker.fetch.session import Fetcher
from worker.model import Page, Redirect, Task
from worker.urls import host_key

A = "https://www.a.example/login/start"


async def sent(url: str, *cookies: tuple[str, str]) -> str | None:
    return cookie_header(yarl.URL(url), cookies)


@pytest.mark.parametrize(
    ("set_cookie", "url", "header"),
    [
        ("s=1", "https://www.a.example/login/", "s=1"),
        ("s=1", "https://www.a.example/", None),
        ("s=1; Path=/", "https://www.a.example/", "s=1"),
        ("s=1; Path=/", "https://a.example/", None),
        ("s=1; Path=/", "https://sub.www.a.example/", None),
        ("s=1; Path=/; Domain=a.example", "https://news.a.example/x", "s=1"),
        ("s=1; Path=/; Domain=.a.example", "https://a.example/", "s=1"),
        ("s=1; Path=/; Domain=b.example", "https://b.example/", None),
        ("s=1; Path=/; Domain=b.example", "https://www.a.example/", None),
        ("s=1; Path=/; Domain=example", "https://b.example/", None),
        ("s=1; Path=/; Secure", "https://www.a.example/", "s=1"),
        ("s=1; Path=/; Secure", "http://www.a.example/", None),
        ("s=1; Path=/; HttpOnly", "http://www.a.example/", "s=1"),
        ("s=1; Path=/; Max-Age=0", "https://www.a.example/", None),
        ("s=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "https://www.a.example/", None),
        ('s="a b"; Path=/', "https://www.a.example/", 's="a b"'),
        ("s=a=b==; Path=/", "https://www.a.example/", "s=a=b=="),
        ("nonsense", "https://www.a.example/login/", None),
        ("", "https://www.a.example/", None),
    ],
)
async def test_the_rules_of_a_cookie(set_cookie: str, url: str, header: str | None) -> None:
    """Host or domain, path, Secure and expiry decide; the value goes back as it came."""
    assert await sent(url, (A, set_cookie)) == header


async def test_a_cookie_of_a_public_suffix_goes_to_its_own_host_only() -> None:
    """Nobody sets cookies for all of `co.uk`, where hosts belong to different people."""
    cookie = ("https://evil.co.uk/", "s=1; Path=/; Domain=co.uk")
    assert await sent("https://news.co.uk/", cookie) is None
    assert await sent("https://github.io/", ("https://github.io/", "s=1; Path=/")) == "s=1"


async def test_an_address_has_cookies_of_its_own() -> None:
    """A host that is an address gets its cookies back, and no other host does."""
    cookie = ("http://127.0.0.1:8080/", "s=1; Path=/")
    assert await sent("http://127.0.0.1:8080/x", cookie) == "s=1"
    assert await sent("http://127.0.0.2:8080/x", cookie) is None


async def test_a_later_cookie_replaces_or_deletes_an_earlier_one() -> None:
    """In the order in which they were set."""
    first, other = (A, "s=1; Path=/"), (A, "t=2; Path=/")
    assert await sent("https://www.a.example/", first, other, (A, "s=3; Path=/")) == "s=3; t=2"
    assert await sent("https://www.a.example/", first, other, (A, "s=; Path=/; Max-Age=0")) == "t=2"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=60))
async def test_no_set_cookie_breaks_the_request(set_cookie: str) -> None:
    """Whatever a server sets, the header that comes of it is one line, or none."""
    header = await sent("https://www.a.example/login/", (A, set_cookie))
    assert header is None or not {"\r", "\n", "\0"} & set(header)


async def test_a_chain_over_two_hosts(server: RawServer) -> None:
    """A login on one host and the page on another get back what they set; the next task sends nothing."""
    login = server.url("/login", host="login.a.example")
    page = server.url("/page", host="news.b.example")
    server.replies = [
        http(status="302 Found", location=login),
        http(status="302 Found", location=page, set_cookie="session=1; Path=/"),
        http(status="302 Found", location=login, set_cookie="seen=2; Path=/"),
        http(status="302 Found", location=f"{page}?in"),
        http(b"the page"),
    ]
    task = Task(1, page, host_key(page), 0, 0, 0, 1, page)
    resolver = Resolves("127.0.0.1")
    async with Fetcher(limits=LIMITS, guard=LOOPBACK, user_agent=USER_AGENT, resolver=resolver) as fetcher:
        hop, answer = task, await fetcher.request(page)
        while isinstance(answer, Redirect):
            hop = hop.hop(answer.location, host_key(answer.location), answer.set_cookies)
            answer = await fetcher.request(hop.target, cookies=hop.cookies)
        assert isinstance(answer, Page)
        await fetcher.request(page, cookies=task.cookies)
    assert [seen.headers.get("Cookie") for seen in server.seen] == [
        None,
        None,
        None,
        "session=1",
        "seen=2",
        None,
    ]
