"""Hosts, ports and schemes that the settings deny."""

from __future__ import annotations

import pytest
from ada_url import URL

from tests.fetch.conftest import LIMITS, LOOPBACK, USER_AGENT, RawServer
from worker.errors import FetchFailed
from worker.fetch.session import Fetcher
from worker.fetch.targets import Targets


def refused(url: str, targets: Targets | None = None) -> str | None:
    """Why the URL is `denied`, or None."""
    try:
        (targets or Targets()).check(URL(url))
    except FetchFailed as refusal:
        return refusal.detail if refusal.reason == "denied" else refusal.reason
    return None


@pytest.mark.parametrize(
    ("url", "detail"),
    [
        ("http://evil.example/", "evil.example is a denied host"),
        ("https://a.b.EVIL.example:8443/", "a.b.evil.example is a denied host"),
        ("http://evil.example./", "evil.example. is a denied host"),
        ("http://notevil.example/", None),
        ("http://example/", None),
        ("http://93.184.215.14/", "93.184.215.14 is a denied host"),
        ("http://0x5db8d70e/", "93.184.215.14 is a denied host"),
        ("http://xn--bse-sna.example/", "xn--bse-sna.example is a denied host"),
        ("http://BÖSE.example/", "xn--bse-sna.example is a denied host"),
        ("http://[2001:db8::1]/", "2001:db8::1 is a denied host"),
    ],
)
def test_denied_hosts(url: str, detail: str | None) -> None:
    """A denied name stands for the hosts below it too, in whatever way a URL spells them."""
    denied = frozenset({"evil.example", "93.184.215.14", "xn--bse-sna.example", "2001:db8::1"})
    assert refused(url, Targets(deny_hosts=denied)) == detail


@pytest.mark.parametrize("port", [22, 25, 6379, 11211, 6667, 10080])
def test_ports_of_other_protocols_are_refused(port: int) -> None:
    """No URL makes us speak to a mail server or a Redis; the ports that sites use are open."""
    assert refused(f"http://example.com:{port}/") == f"port {port} is another protocol's"
    assert refused(f"http://example.com:{port}/", Targets(allow_ports=frozenset({port}))) is None
    for open_port in (80, 443, 8080, 8443, 3000, 65_535):
        assert refused(f"http://example.com:{open_port}/") is None


def test_allowed_ports_are_the_only_ones() -> None:
    """The scheme's own port counts as if it were written."""
    targets = Targets(allow_ports=frozenset({443, 8443}))
    assert refused("https://example.com/", targets) is None
    assert refused("https://example.com:8443/", targets) is None
    assert refused("http://example.com/", targets) == "port 80 is not among the allowed ones"


def test_allowed_schemes() -> None:
    """An operator may insist on https."""
    targets = Targets(allow_schemes=frozenset({"https"}))
    assert refused("https://example.com/", targets) is None
    assert refused("http://example.com/", targets) == "http is not among the allowed schemes"


@pytest.mark.parametrize(
    "targets",
    [
        Targets(deny_hosts=frozenset({"127.0.0.1"})),
        Targets(allow_ports=frozenset({443})),
        Targets(allow_schemes=frozenset({"https"})),
    ],
)
async def test_what_is_denied_is_not_asked(server: RawServer, targets: Targets) -> None:
    """The request ends as `denied`, before a connection is made."""
    async with Fetcher(limits=LIMITS, guard=LOOPBACK, user_agent=USER_AGENT, targets=targets) as fetcher:
        with pytest.raises(FetchFailed) as refusal:
            await fetcher.request(server.url())
    assert (refusal.value.reason, server.connections) == ("denied", 0)
