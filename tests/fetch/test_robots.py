from __future__ import annotations

import gzip
import time
import zlib
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protego import Protego

from tests.fetch.conftest import LIMITS, LOOPBACK, USER_AGENT, RawServer, Reply, http, then_close, then_hang
from worker.clock import FakeClock
from worker.errors import FetchFailed
from worker.fetch.guard import AddressGuard
from worker.fetch.robots import RobotsFile, RobotsRules, fetch_robots, origin_of
from worker.fetch.session import Fetcher, FetchLimits

RULES = "User-agent: *\nDisallow: /private\n"
TXT = "text/plain"


def moved(location: str) -> bytes:
    return http(status="301 Moved Permanently", location=location)


def rules(text: str, user_agent: str = USER_AGENT) -> RobotsRules:
    return RobotsRules.from_file(RobotsFile("rules", text), user_agent)


@pytest.mark.parametrize(
    ("reply", "file"),
    [
        (http(RULES.encode(), content_type=TXT), RobotsFile("rules", RULES)),
        (http(RULES.encode(), content_type="application/octet-stream"), RobotsFile("rules", RULES)),
        (http(gzip.compress(RULES.encode()), content_encoding="gzip"), RobotsFile("rules", RULES)),
        (http(b"\xef\xbb\xbf" + RULES.encode()), RobotsFile("rules", RULES)),
        (http(b"Disallow: /\xe4"), RobotsFile("rules", "Disallow: /\ufffd")),
        (http(b""), RobotsFile("rules")),
        (http(status="204 No Content"), RobotsFile("rules")),
        (http(status="401 Unauthorized"), RobotsFile("allow_all")),
        (http(status="403 Forbidden"), RobotsFile("allow_all")),
        (http(status="404 Not Found"), RobotsFile("allow_all")),
        (http(status="410 Gone"), RobotsFile("allow_all")),
        (http(status="302 Found"), RobotsFile("allow_all")),
        (moved("javascript:alert(1)"), RobotsFile("allow_all")),
        (http(status="429 Too Many Requests"), RobotsFile("unreachable")),
        (http(status="500 Internal Server Error"), RobotsFile("unreachable")),
        (http(status="503 Service Unavailable"), RobotsFile("unreachable")),
        (then_hang(b""), RobotsFile("unreachable")),
        (then_hang(http(b"x" * 9)[:-1]), RobotsFile("unreachable")),
        (b"no HTTP at all\r\n\r\n", RobotsFile("unreachable")),
    ],
)
async def test_what_an_answer_means(
    server: RawServer, fetcher: Fetcher, reply: Reply, file: RobotsFile
) -> None:
    """2xx are rules, 4xx but 429 no restriction, and all other trouble forbids crawling for now."""
    server.replies = [reply]
    assert await fetch_robots(fetcher, server.url("")) == file
    assert [seen.path for seen in server.seen] == ["/robots.txt"]


async def test_five_redirects_are_followed(server: RawServer, fetcher: Fetcher) -> None:
    """The file behind a fifth redirect counts (RFC 9309, 2.3.1.2)."""
    server.replies = [*(moved(f"/{hop}") for hop in range(5)), http(RULES.encode())]
    assert await fetch_robots(fetcher, server.url("")) == RobotsFile("rules", RULES)
    assert [seen.path for seen in server.seen] == ["/robots.txt", "/0", "/1", "/2", "/3", "/4"]


async def test_a_sixth_redirect_is_not_followed(server: RawServer, fetcher: Fetcher) -> None:
    """A file behind more redirects is as good as none."""
    server.replies = [moved("/robots.txt")]
    assert await fetch_robots(fetcher, server.url("")) == RobotsFile("allow_all")
    assert len(server.seen) == 6


async def test_hops_to_the_same_host_are_spaced(server: RawServer) -> None:
    """Before a redirect within a host the pause is kept; another host owes it nothing."""
    clock = FakeClock()
    server.replies = [moved("/a"), moved(f"http://localhost:{server.port}/b"), http(RULES.encode())]
    guard = AddressGuard([ip_network("127.0.0.0/8"), ip_network("::1/128")])
    async with Fetcher(limits=LIMITS, guard=guard, user_agent=USER_AGENT, clock=clock) as fetcher:
        assert await fetch_robots(fetcher, server.url(""), pause_s=2.5) == RobotsFile("rules", RULES)
    assert clock.monotonic() == 2.5


async def test_a_host_that_cannot_be_had_is_named(server: RawServer, fetcher: Fetcher) -> None:
    """A refused or broken connection, or a name that does not resolve, is told as what it is."""
    server.replies = [then_close(b"")]
    with pytest.raises(FetchFailed, match="connect"):
        await fetch_robots(fetcher, server.url(""))
    with pytest.raises(FetchFailed, match="dns"):
        await fetch_robots(fetcher, "http://no-such-host.invalid")


async def test_a_blocked_address_is_no_answer(server: RawServer, fetcher: Fetcher) -> None:
    """An address that is off limits is an error, and not an unreachable file."""
    with pytest.raises(FetchFailed, match="blocked_address"):
        await fetch_robots(fetcher, "http://10.0.0.1")


@pytest.mark.parametrize("location", ["http://169.254.169.254/x", "http://no-such-host.invalid/x"])
async def test_trouble_of_another_host_is_not_told_of_this_one(
    server: RawServer, fetcher: Fetcher, location: str
) -> None:
    """Its robots.txt is out of reach for now; its URLs are not buried for where it redirects to."""
    server.replies = [moved(location)]
    assert (await fetch_robots(fetcher, server.url(""))).verdict == "unreachable"


async def test_a_long_file_counts_to_its_500th_kibibyte(server: RawServer) -> None:
    """What is beyond 500 KiB is ignored, and the limits for pages do not apply."""
    server.replies = [http(b"#" * 512_000 + b"\nUser-agent: *\nDisallow: /")]
    limits = FetchLimits(body_limit_bytes=1000)
    async with Fetcher(limits=limits, guard=LOOPBACK, user_agent=USER_AGENT) as fetcher:
        assert await fetch_robots(fetcher, server.url("")) == RobotsFile("rules", "#" * 512_000)


@given(st.sampled_from(["rules", "allow_all", "unreachable"]), st.text(max_size=50))
def test_files_survive_a_cache(verdict: str, text: str) -> None:
    """What is encoded for the cache is decoded to an equal file."""
    file = RobotsFile(verdict, text)  # type: ignore[arg-type]
    assert RobotsFile.decode(file.encode()) == file


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        b"[]",
        *map(zlib.compress, (b"", b"[]", b'{"verdict": "maybe", "text": ""}', b'{"verdict": "rules"}')),
    ],
)
def test_other_bytes_are_no_file(encoded: bytes) -> None:
    """A cache that holds something else is told so."""
    with pytest.raises(ValueError):
        RobotsFile.decode(encoded)


def test_rules_bind_the_crawler_they_name() -> None:
    """The group that names us counts, in any case and with a version, and else the one for all."""
    text = "User-agent: ingesttest\nDisallow: /a\nAllow: /a/b\n\nUser-agent: *\nDisallow: /c\n"
    ours, others = rules(text), rules(text, "Other/2.0")
    assert [ours.allows(f"https://example.com{path}") for path in ("/a/x", "/a/b", "/c")] == [
        False,
        True,
        True,
    ]
    assert [others.allows(f"https://example.com{path}") for path in ("/a/x", "/c/x?y")] == [True, False]


@pytest.mark.parametrize(
    ("group", "bound"),
    [
        ("IngestTest", True),
        ("ingesttest/1.0", True),
        ("INGESTTEST*", True),
        ("ingest", False),
        ("ingesttest-images", False),
        ("example", False),
        ("https", False),
        ("bot", False),
        ("Mozilla", False),
    ],
)
def test_a_group_binds_the_crawler_of_its_whole_name(group: str, bound: bool) -> None:
    """Our name is the product in the User-Agent, also behind Mozilla's; no part of it, nor the address."""
    text = f"User-agent: {group}\nDisallow: /\n"
    assert rules(text).allows("https://example.com/") is not bound
    mozilla = f"Mozilla/5.0 (compatible; {USER_AGENT.split()[0]}; +https://example.com/bot)"
    assert rules(text, mozilla).allows("https://example.com/") is not bound


def test_verdicts_without_rules() -> None:
    """No file allows everything; an unreachable one nothing (RFC 9309, 2.3.1.3 and 2.3.1.4)."""
    for verdict, allowed in (("allow_all", True), ("unreachable", False), ("rules", True)):
        robots = RobotsRules.from_file(RobotsFile(verdict), USER_AGENT)  # type: ignore[arg-type]
        assert robots.allows("https://example.com/robots.html") is allowed
        assert robots.crawl_delay_s is None


@pytest.mark.parametrize(
    ("lines", "delay_s"),
    [
        ("Crawl-delay: 2.5", 2.5),
        ("Crawl-delay: 0", 0.0),
        ("Request-rate: 1/10", 10.0),
        ("Request-rate: 30/1m", 2.0),
        ("Crawl-delay: 1\nRequest-rate: 1/5s", 5.0),
        ("Crawl-delay: 9\nRequest-rate: 1/5s", 9.0),
        ("Request-rate: 1/5 0600-0845", 5.0),
        ("Crawl-delay: 86400", 300.0),
        ("Request-rate: 1/1d", 300.0),
        ("Crawl-delay: soon", None),
        ("Crawl-delay: -1", None),
        ("Crawl-delay: inf", None),
        ("Disallow: /x", None),
    ],
)
def test_delays(lines: str, delay_s: float | None) -> None:
    """The slower of Crawl-delay and Request-rate is honoured, up to five minutes."""
    assert rules(f"User-agent: *\n{lines}\n").crawl_delay_s == delay_s


@pytest.mark.parametrize("name", ["bot{}", "{:x}*", "*i*n*{}"])
def test_many_names_over_many_rules_cost_little(name: str) -> None:
    """A file that repeats its rules for thousands of crawlers is read at once, in little memory."""
    names = "".join(f"User agent {name.format(n)}\n" for n in range(12_000))
    paths = "".join(f"Disallow: /{n}\n" for n in range(12_000))
    began = time.perf_counter()
    robots = rules(f"{names}User-agent: ingesttest\n{paths}")
    assert time.perf_counter() - began < 5
    assert not robots.allows("https://example.com/11999")


_LINES = st.one_of(
    st.sampled_from(["*", "IngestTest", "ingest*test", "other", "**", "", "test"]).flatmap(
        lambda name: st.sampled_from(
            [f"User-agent: {name}", f"useragent {name} # us", f" USER agent : {name}"]
        )
    ),
    st.sampled_from(
        ["Disallow: /a", "Allow: /a/b", "Disallow: /", "Crawl-delay: 3", "Sitemap: x", "", "# x"]
    ),
)


@given(st.lists(_LINES, max_size=12).map("\n".join))
def test_leaving_others_out_changes_nothing(text: str) -> None:
    """Our rules are those that the library reads from the whole file."""
    whole, agent = Protego.parse(text), "ingesttest"
    for url in ("https://example.com/a", "https://example.com/a/b", "https://example.com/c"):
        assert rules(text).allows(url) == whole.can_fetch(url, agent)
    assert rules(text).crawl_delay_s == whole.crawl_delay(agent)


@given(st.text(max_size=200), st.text(max_size=20))
def test_any_text_parses(text: str, path: str) -> None:
    """No robots.txt makes the reading of it fail."""
    robots = rules(f"User-agent: *\n{text}")
    assert robots.allows(f"https://example.com/{path}") in {True, False}
    assert 0 <= (robots.crawl_delay_s or 0) <= 300


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://example.com/a?b", "https://example.com"),
        ("HTTP://Example.com:80/", "http://example.com"),
        ("https://user:secret@example.com:8443/", "https://example.com:8443"),
        ("https://bücher.example/", "https://xn--bcher-kva.example"),
        ("http://[::1]:8000/x", "http://[::1]:8000"),
    ],
)
def test_origins(url: str, origin: str) -> None:
    """The origin is scheme, host and the port that is not the scheme's own; never the userinfo."""
    assert origin_of(url) == origin


@pytest.mark.parametrize("url", ["", "example.com", "mailto:a@example.com", "file:///etc/passwd"])
def test_what_has_no_origin(url: str) -> None:
    """Text without an http(s) origin is refused."""
    with pytest.raises(ValueError, match=r"http|Invalid"):
        origin_of(url)
