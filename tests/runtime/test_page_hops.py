"""Hops that pages ask for, through the frontier: each waits its turn and is known again when it comes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.runtime.conftest import HTML
from worker.model import Page

if TYPE_CHECKING:
    from tests.runtime.conftest import Bench

HEAD = "<h1>Our story</h1><p>Read it there.</p><link rel=canonical href='/{}'>"


def page(url: str, body: bytes) -> Page:
    return Page(url, 200, body, "text/html", len(body), 1, robots_tag=("noindex",))


async def test_canonical_hop_waits_and_is_the_only_one(bench: Bench) -> None:
    """The stub's canonical page is the task's next request, and what that calls canonical is not followed."""
    lease = await bench.lease("http://a.example/1")
    bench.web.answer = page(lease.task.url, HEAD.format("two").encode())
    await bench.work.run(lease)
    (second,) = (await bench.frontier.claim(1)).leases
    assert (second.task.target, second.task.canonical) == ("http://a.example/two", True)
    bench.web.answer = page(second.task.target, HEAD.format("three").encode())
    await bench.work.run(second)
    assert await bench.lengths() == (0, 1)
    (followed,) = [line for line in bench.lines() if line["event"] == "redirect_followed"]
    assert (followed["by"], followed["status"], followed["hops"]) == ("canonical", 200, 1)


async def test_article_behind_a_refresh_is_published_under_the_first_url(bench: Bench) -> None:
    """The article that a stub sends its readers to is the article of the URL that was asked for."""
    lease = await bench.lease("http://a.example/1")
    bench.web.answer = page(lease.task.url, b"<meta http-equiv=refresh content='0;url=//b.example/2'>")
    await bench.work.run(lease)
    (second,) = (await bench.frontier.claim(1)).leases
    assert (second.task.host, second.task.canonical) == ("b.example", False)
    bench.web.answer = page(second.task.target, HTML)
    await bench.work.run(second)
    assert await bench.lengths() == (1, 0)
    (told,) = [line for line in bench.lines() if line["event"] == "noindex_found"]
    assert (told["url"], told["target"], told["refused"]) == (lease.task.url, "http://b.example/2", False)


async def test_retry_begins_anew(bench: Bench) -> None:
    """A task that is tried again has followed no canonical URL."""
    lease = await bench.lease("http://a.example/1")
    lease = replace(lease, task=lease.task.hop("http://a.example/2", "a.example", canonical=True))
    await bench.frontier.retry(lease, delay_s=0)
    (again,) = (await bench.frontier.claim(1)).leases
    assert (again.task.target, again.task.canonical) == ("http://a.example/1", False)
