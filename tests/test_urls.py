"""Canonical URLs, host keys, digests and partitions."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from worker.errors import Malformed
from worker.urls import (
    TRACKING_PARAMETERS,
    URL_LIMIT_BYTES,
    article_id,
    canonicalise,
    host_key,
    partition_of,
    quoted,
    tracking_table,
    url_digest,
)

#: Text that is often nearly a URL: schemes, hosts, dots, escapes, and whatever hypothesis thinks of.
WORDS = """
    http:// https:// HTTP: // / a B.example . .. : 80 443 @ u:p@ ? # & = utm_source=x fbclid % %2e %zz
    [::1] [ xn-- ß \u0130 \ud800 \x00 \\ 1.2.3 0x7f ; + ' < | 日本
"""
PIECES = st.sampled_from([*WORDS.split(), " ", "\t", "\n"])
NEARLY_URLS = st.lists(PIECES | st.text(max_size=3), max_size=12).map("".join)
SOME_URLS = st.builds("http://h{}/{}".format, st.sampled_from(["", ".", ":80", ":81"]), NEARLY_URLS)


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        ("https://example.com", "https://example.com/"),
        ("HTTPS://Example.COM:443/News", "https://example.com/News"),
        ("http://example.com:8080/", "http://example.com:8080/"),
        ("  https://example.com/a\n", "https://example.com/a"),
        ("https://example.com/a#comments", "https://example.com/a"),
        ("https://example.com/a?#top", "https://example.com/a"),
        ("https://example.com./a", "https://example.com/a"),
        ("https://example.com/a/../b/./c", "https://example.com/b/c"),
        ("https://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4"),
        ("https://example.com/a?b=2&a=1", "https://example.com/a?b=2&a=1"),
        ("https://example.com/?q=%7e+x&&r", "https://example.com/?q=%7e+x&&r"),
        ("https://example.com/a?utm_source=x&id=7&fbclid=y", "https://example.com/a?id=7"),
        ("https://example.com/a?UTM_Medium=x&GCLID=y", "https://example.com/a"),
        ("https://example.com/a?page=utm_source=x", "https://example.com/a?page=utm_source=x"),
        ("https://user:pa%40ss@example.com/a", "https://user:pa%40ss@example.com/a"),
        ("http://[::FFFF:7f00:1]:80/", "http://[::ffff:7f00:1]/"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
    ],
)
def test_the_canonical_form(raw: str, canonical: str) -> None:
    """Spellings of one address become one, and nothing that can change the page is lost."""
    assert canonicalise(raw) == canonical


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("", "absolute"),
        ("example.com/a", "absolute"),
        ("/a/b", "absolute"),
        ("http://", "absolute"),
        ("http://[::1/", "absolute"),
        ("https://exa mple.com/", "absolute"),
        ("https://h/\ud800", "absolute"),
        ("ftp://example.com/a", "not ftp"),
        ("javascript:alert(1)", "not javascript"),
        ("https://a..example/", "label"),
        ("https://.../", "label"),
        (f"https://{'a' * 64}.example/", "label"),
        (f"https://{'.'.join(['a' * 60] * 5)}/", "over 253"),
        ("https://example.com/" + "a" * URL_LIMIT_BYTES, "over 8192 bytes"),
        ("https://example.com/" + "ä" * 2000, "once encoded"),
    ],
)
def test_what_is_no_url_of_ours(raw: str, why: str) -> None:
    """A refusal says what is wrong and quotes the text, cut."""
    with pytest.raises(Malformed, match=why) as refusal:
        canonicalise(raw)
    assert len(refusal.value.item) <= 200


@given(NEARLY_URLS | SOME_URLS | st.text())
@example("http://0./")
@example("http://a./?utm_x=1&")
def test_canonicalising_again_changes_nothing(raw: str) -> None:
    """For any text at all: Malformed, or a form that is its own canonical form and has a host."""
    try:
        canonical = canonicalise(raw)
    except Malformed:
        return
    assert canonicalise(canonical) == canonical
    assert canonical.isascii()
    assert "#" not in canonical
    assert canonical.partition("?")[1:] != ("?", "")
    assert host_key(canonical) == host_key(raw) != ""


@given(
    st.lists(st.sampled_from(["a=1", "b=%7E", "c", "", "d=ü", "utm_id=3", "gclid", "xutm_=1"]), max_size=8)
)
def test_the_rest_of_the_query_stays_in_order(parts: list[str]) -> None:
    """Only tracking parameters leave the query; the others keep their order and their bytes."""
    query = canonicalise("https://example.com/?" + "&".join(parts)).partition("?")[2]
    kept = [part.replace("ü", "%C3%BC") for part in parts if part not in {"utm_id=3", "gclid"}]
    assert query == "&".join(kept)


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://Example.COM/a", "example.com"),
        ("https://example.com.:443/a", "example.com"),
        ("https://example.com:80/a", "example.com:80"),
        ("http://example.com:80/a", "example.com"),
        ("http://u:p@127.0.0.1:8081/", "127.0.0.1:8081"),
        ("http://[::1]:8081/", "[::1]:8081"),
    ],
)
def test_the_host_key(url: str, key: str) -> None:
    """Politeness is counted by host, and by port where it is not the scheme's own."""
    assert host_key(url) == key


def test_ids_and_digests_never_change() -> None:
    """What is stored by them must be found again by a later version."""
    url = "https://example.com/"
    assert article_id(url) == "0f115db062b7c0dd030b16878c99dea5"
    assert url_digest(url).hex() == "14ba2eb79c27555b"
    assert partition_of("example.com", 64) == 57


@given(st.text(min_size=1), st.integers(1, 4096))
def test_a_host_lives_in_one_partition(host: str, partitions: int) -> None:
    """Every host has a partition, among those there are."""
    host = host.encode("utf-8", "replace").decode()
    assert 0 <= partition_of(host, partitions) < partitions
    assert partition_of(host, 1) == 0


@given(st.text() | st.binary())
def test_a_quotation_is_printable_and_short(item: str | bytes) -> None:
    """Whatever came in, what is quoted can stand on one line of a log."""
    assert quoted(item).isprintable()
    assert len(quoted(item)) <= 200


def test_a_quotation_keeps_what_can_be_read() -> None:
    """Text stays as it is, and what is not text is escaped; a cut shows."""
    assert quoted(b"https://example.com/\xff\x00") == "https://example.com/\\xff\\x00"
    assert quoted("ä\n日本") == "ä\\n日本"
    assert quoted("a" * 201) == "a" * 199 + "…"
    assert quoted("a" * 200) == "a" * 200


def test_the_tracking_table_is_complete() -> None:
    """The docs list every parameter that is left out."""
    table = tracking_table()
    assert all(f"`{name}`" in table for name in TRACKING_PARAMETERS)
    assert "`utm_*`" in table
    assert all(name == name.lower() for name in TRACKING_PARAMETERS)
