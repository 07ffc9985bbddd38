"""What counts as one host."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.grouping import group_of
from worker.urls import host_key, parse_item

LABELS = st.lists(st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True), min_size=1, max_size=5)


@pytest.mark.parametrize(
    ("host", "group"),
    [
        ("www.example.com", "example.com"),
        ("a.b.news.example.co.uk", "example.co.uk"),
        ("example.com:8080", "example.com:8080"),
        ("www.example.com:8080", "example.com:8080"),
        ("one.github.io", "one.github.io"),
        ("www.one.github.io", "one.github.io"),
        ("github.io", "github.io"),
        ("xn--fiq228c.xn--55qx5d.cn", "xn--fiq228c.xn--55qx5d.cn"),
        ("www.xn--fiq228c.xn--55qx5d.cn", "xn--fiq228c.xn--55qx5d.cn"),
        ("localhost", "localhost"),
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1:8080", "127.0.0.1:8080"),
        ("[2001:db8::1]", "[2001:db8::1]"),
        ("[2001:db8::1]:8080", "[2001:db8::1]:8080"),
        ("www.example", "www.example"),
    ],
)
def test_the_registrable_domain(host: str, group: str) -> None:
    """By domain, a host is in the group of the domain that somebody registered; addresses stand alone."""
    assert group_of(host, "domain") == group
    assert group_of(host, "host") == host


@given(LABELS)
def test_a_group_is_in_its_own_group(labels: list[str]) -> None:
    """Grouping a group changes nothing, and a group is the end of each host in it."""
    host = ".".join(labels)
    group = group_of(host, "domain")
    assert group_of(group, "domain") == group
    assert f".{host}".endswith(f".{group}")


def test_items_and_keys_are_grouped() -> None:
    """A submission's host is its group, and the URL stays as it is."""
    submission = parse_item(b"http://www.example.com/1", "domain")
    assert (submission.host, submission.url) == ("example.com", "http://www.example.com/1")
    assert host_key("http://www.example.com/1") == "www.example.com"
