"""What the shared values compute."""

from __future__ import annotations

from worker.model import Task

TASK = Task(
    seq=1,
    url="http://a.example/1",
    host="a.example",
    attempt=0,
    crashes=0,
    accepted_ms=0,
    revision=1,
    requested_url="http://a.example/1",
)


def test_a_hop_leads_on_and_keeps_cookies_with_their_source() -> None:
    """The next target, its host, and each cookie beside the URL whose response set it."""
    hop = TASK.hop("http://b.example/2", "b.example", ["a=1"]).hop("http://c.example/3", "c.example", ["b=2"])
    assert (hop.url, hop.host, hop.target) == (TASK.url, "c.example", "http://c.example/3")
    assert hop.redirects == ("http://b.example/2", "http://c.example/3")
    assert hop.cookies == (("http://a.example/1", "a=1"), ("http://b.example/2", "b=2"))


def test_cookies_of_a_chain_are_bounded() -> None:
    """The newest 20 cookies are kept, and of those no more than 4 KB; one that is larger alone is not."""
    many = TASK.hop("http://b.example/", "b.example", [f"c{n}=x" for n in range(30)])
    assert [cookie for _, cookie in many.cookies] == [f"c{n}=x" for n in range(10, 30)]
    large = many.hop("http://c.example/", "c.example", ["large=" + "x" * 4085])
    assert [cookie for _, cookie in large.cookies] == ["c29=x", "large=" + "x" * 4085]
    assert large.hop("http://d.example/", "d.example", ["x" * 4097]).cookies == ()
