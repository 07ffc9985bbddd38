"""The story of a URL on the screen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.cli.fetch.conftest import FERRY, allowed, fetch, rows, screen
from tests.site.routes import ANZEIGER, CELLAR, GAZETTE, LEDGER, POLDER, SHORTENER, TIDEWIRE

if TYPE_CHECKING:
    from collections.abc import Callable

FERRY_HEADERS = (
    "content-type: text/html; charset=utf-8 · content-encoding: gzip · content-length: {size} · "
    "vary: Accept-Encoding · server: S"
)


def test_an_article_on_one_screen(at: Callable[[str], str], port: str) -> None:
    """Guard, robots.txt, policy, times, headers, sizes, charset and end of the simplest URL, word by word."""
    ran = allowed(at(FERRY))
    assert (ran.code, ran.err) == (0, "")
    (size,) = re.findall(r"content-length: (\d+)", ran.out)  # another one for each version of zlib
    assert screen(ran, port) == [
        f"1          {FERRY}  200",
        "  guard    127.0.1.1 allowed",
        "  robots   allowed since no rule is about it (http://127.0.1.1/robots.txt, asked now)",
        "  policy   127.0.1.1: a request every 0.05 s, one at a time (INGEST_HOST_SPACING_S)",
        "  timing   robots.txt T = connect T, first byte T, body T; new connection to 127.0.1.1, HTTP/1.1",
        "           page T = first byte T, body T; kept alive, HTTP/1.1",
        f"  headers  {FERRY_HEADERS.format(size=size)}",
        f"  body     {int(size):,} bytes on the wire, 5,381 decompressed (gzip)",
        "charset    utf-8, by the Content-Type header; its <meta> tag agrees",
        "end        an article: Night ferry returns to Port Ellery after nine years",
        "           206 words, en-GB, published 2025-04-03T06:10:00+01:00, confidence 0.92, read in T",
    ]


def test_redirects_over_hosts_are_told_hop_by_hop(at: Callable[[str], str], port: str) -> None:
    """Each hop has Location, its host's robots.txt and its connection; one to the same host reuses it."""
    ran = allowed(at(f"http://{SHORTENER}/r/refuge"))
    assert ran.code == 0
    first, second, third, last = (rows(ran, port, hop) for hop in (1, 2, 3, 4))
    assert first["url"] == f"http://{SHORTENER}/r/refuge  301 → http://{SHORTENER}/r/refuge-2"
    assert "allowed by “Allow: /”" in first["robots"]
    assert first["timing"].count("robots.txt") == 2  # it moved
    assert second["guard"] == "passed, on a connection from above"
    assert "as asked above" in second["robots"]
    assert second["timing"] == "page T = first byte T, body T; kept alive, HTTP/1.1"
    assert third["url"].endswith(f"307 → http://{GAZETTE}/montagne/refuge-de-brame")
    assert last["guard"] == f"{GAZETTE} allowed"
    assert rows(ran, port, 0)["end"].startswith("an article: Le refuge de Brame")


def test_the_rule_that_disallows_is_quoted(at: Callable[[str], str], port: str) -> None:
    """Only robots.txt was asked for; its line and its Crawl-delay are there, and who may change them."""
    ran = allowed(at(f"http://{POLDER}/archief/molens"))
    assert ran.code == 1
    hop, end = rows(ran, port), rows(ran, port, 0)
    assert hop["url"].endswith("not requested")
    assert hop["robots"].startswith("disallowed by “Disallow: /archief/”; a request every 2 s")
    assert hop["policy"] == f"{POLDER}: a request every 2 s, one at a time (its robots.txt's Crawl-delay)"
    assert end["end"] == "robots, robots.txt disallows the URL / not tried again: a dead letter"
    assert "INGEST_OBEY_ROBOTS" in end["remedy"]


@pytest.mark.parametrize(
    ("url", "status", "end"),
    [
        (f"http://{ANZEIGER}/kreis/faehre-a4811.html", "404", "http_404, HTTP 404, Not Found"),
        (f"http://{LEDGER}/farming/garbled", "200", "bad_encoding, the body does not decompress"),
        (f"http://{CELLAR}/files/minutes.pdf", "200", "not_html, the content is neither HTML nor plain"),
        (f"http://{TIDEWIRE}/login", "200", "not_article, the page was read and holds no article"),
    ],
)
def test_what_makes_no_article_is_told_with_its_headers(
    at: Callable[[str], str], port: str, url: str, status: str, end: str
) -> None:
    """The status, the headers and the outcome's row; the exit code is 1, and stderr has nothing to add."""
    ran = allowed(at(url))
    assert (ran.code, ran.err) == (1, "")
    assert rows(ran, port)["url"] == f"{url}  {status}"
    assert "content-type: " in rows(ran, port)["headers"]
    assert rows(ran, port, 0)["end"].startswith(end)


def test_an_unknown_host_is_told() -> None:
    """What the resolver said, how often a worker would try, and how to look closer."""
    ran = fetch("http://nowhere.invalid/a")
    hop, end = rows(ran, "1"), rows(ran, "1", 0)
    assert ran.code == 1
    assert hop["guard"].startswith("no address to judge: ")
    assert end["end"].endswith("5 tries in all, the second within 5 s")
    assert "getent hosts nowhere.invalid" in end["remedy"]


def test_sources_that_disagree_about_the_charset_are_named(at: Callable[[str], str], port: str) -> None:
    """What was believed, and who says otherwise."""
    ran = allowed(at(f"http://{ANZEIGER}/kreis/bruecke-gesperrt-a4820.html"))
    assert (
        rows(ran, port, 0)["charset"] == "utf-8, by its <meta> tag; the Content-Type header says windows-1252"
    )
