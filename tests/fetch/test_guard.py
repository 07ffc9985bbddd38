from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.errors import FetchFailed
from worker.fetch.guard import AddressGuard

PRIVATE_V4 = ["10.0.0.1", "127.0.0.1", "169.254.169.254", "192.168.1.1", "172.16.0.1", "100.64.0.1"]
#: Prefixes whose own addresses stand for a v4 address: there, only the embedded address decides.
TRANSLATED = [IPv6Network(net) for net in ("::ffff:0:0/96", "64:ff9b::/96", "2002::/16")]


def refused(address: str, guard: AddressGuard | None = None) -> str | None:
    """The refusal's detail, or None."""
    try:
        (guard or AddressGuard()).check(address)
    except FetchFailed as failure:
        return failure.detail if failure.reason == "blocked_address" else f"wrong reason: {failure.reason}"
    return None


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("0.0.0.0", "unspecified"),
        ("0.1.2.3", "unspecified"),
        ("10.255.255.255", "private"),
        ("100.64.0.0", "carrier-grade NAT"),
        ("100.127.255.255", "carrier-grade NAT"),
        ("100.100.100.200", "metadata"),
        ("127.0.0.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("168.63.129.16", "host service"),
        ("169.254.1.1", "link-local"),
        ("169.254.169.254", "metadata"),
        ("169.254.170.2", "metadata"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("192.0.0.1", "protocols"),
        ("192.0.0.192", "metadata"),
        ("192.0.2.1", "documentation"),
        ("192.88.99.1", "relay"),
        ("192.168.255.255", "private"),
        ("198.18.0.1", "benchmarking"),
        ("198.19.255.255", "benchmarking"),
        ("198.51.100.1", "documentation"),
        ("203.0.113.1", "documentation"),
        ("224.0.0.1", "multicast"),
        ("239.255.255.255", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "broadcast"),
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("::127.0.0.1", "reserved"),
        ("64:ff9b:1::1", "NAT64"),
        ("100::1", "reserved"),
        ("2001::1", "Teredo"),
        ("2001:10::1", "protocols"),
        ("2001:db8::1", "documentation"),
        ("3fff::1", "documentation"),
        ("4000::1", "reserved"),
        ("5f00::1", "reserved"),
        ("fc00::1", "private"),
        ("fd00:ec2::254", "metadata"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("::1%1", "loopback"),
        ("fec0::1", "site-local"),
        ("ff02::1", "multicast"),
        ("::ffff:10.0.0.1", "a way to 10.0.0.1, private"),
        ("::ffff:127.0.0.1%eth0", "a way to 127.0.0.1, loopback"),
        ("::ffff:169.254.169.254", "metadata"),
        ("64:ff9b::192.168.0.1", "a way to 192.168.0.1, private"),
        ("64:ff9b::a9fe:a9fe", "metadata"),
        ("2002:7f00:1::", "a way to 127.0.0.1, loopback"),
        ("2002:a9fe:a9fe::1", "metadata"),
        ("", "not an IP address"),
        ("localhost", "not an IP address"),
        ("127.1", "not an IP address"),
        ("0x7f000001", "not an IP address"),
    ],
)
def test_what_is_not_public_is_refused_by_name(address: str, kind: str) -> None:
    """Each special-purpose range is refused, and the refusal says which it is."""
    assert kind in (refused(address) or "let pass")


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.1",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2606:4700::1111",
        "2a00:1450:4001::1",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2002:808:808::1",
    ],
)
def test_public_addresses_pass(address: str) -> None:
    """The neighbours of every refused range, and ways to public IPv4 addresses, are let pass."""
    assert refused(address) is None


@pytest.mark.parametrize(
    ("network", "address"),
    [
        ("127.0.0.0/8", "127.0.0.1"),
        ("127.0.0.0/8", "::ffff:127.0.0.1"),
        ("127.0.0.0/8", "64:ff9b::127.0.0.1"),
        ("10.0.0.0/8", "2002:a00:1::"),
        ("169.254.169.254/32", "169.254.169.254"),
        ("fd00::/8", "fd12::1"),
        ("fe80::/10", "fe80::1%eth0"),
        ("::1/128", "::1"),
        ("::ffff:0:0/96", "::ffff:10.0.0.1"),
    ],
)
def test_allowed_networks_pass(network: str, address: str) -> None:
    """What the operator allows passes, also when written inside an IPv6 address."""
    assert refused(address, AddressGuard([ip_network(network)])) is None


def test_allowing_one_network_allows_no_other() -> None:
    """An allowed network opens itself alone."""
    guard = AddressGuard([ip_network("10.1.0.0/16"), ip_network("fd00::/16")])
    assert [refused(address, guard) is None for address in ("10.1.2.3", "10.2.0.1", "fd00::1", "::1")] == [
        True,
        False,
        True,
        False,
    ]


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_whatever_is_not_global_is_refused(ip: IPv4Address | IPv6Address) -> None:
    """Nothing that Python's registry calls private, reserved or multicast gets past ours."""
    translated = ip.version == 6 and any(ip in network for network in TRANSLATED)
    if not translated and (not ip.is_global or ip.is_multicast or ip.is_reserved):
        assert refused(str(ip))


@given(
    st.one_of(st.ip_addresses(v=4), st.sampled_from([IPv4Address(a) for a in PRIVATE_V4])),
    st.integers(0, 2**80 - 1),
)
def test_an_embedded_address_is_judged_like_itself(inner: IPv4Address, rest: int) -> None:
    """v4-mapped, NAT64 and 6to4 forms of an address are refused exactly when the address is."""
    verdict = refused(str(inner)) is None
    packed = int(inner)
    mapped, nat64 = (int(IPv6Address(prefix)) | packed for prefix in ("::ffff:0:0", "64:ff9b::"))
    sixtofour = 0x2002 << 112 | packed << 80 | rest
    assert [refused(str(IPv6Address(n))) is None for n in (mapped, nat64, sixtofour)] == [verdict] * 3


@given(st.sampled_from(PRIVATE_V4), st.ip_addresses(v=4), st.integers(0, 2**32 - 1))
def test_teredo_never_passes(client: str, server: IPv4Address, flags: int) -> None:
    """A Teredo address is refused whoever its server and client are."""
    bits = 0x2001_0000 << 96 | int(server) << 64 | flags << 32 | (int(IPv4Address(client)) ^ 0xFFFF_FFFF)
    assert refused(str(IPv6Address(bits)))


def test_repr_names_what_is_allowed() -> None:
    """A guard in a log line says what it lets pass."""
    assert repr(AddressGuard([ip_network("10.0.0.0/8")])) == "AddressGuard(allow_networks=['10.0.0.0/8'])"


def test_every_form_of_loopback_that_python_reads_is_refused() -> None:
    """Long, short and mixed spellings of one address share one verdict."""
    for text in ("0:0:0:0:0:0:0:1", "::0001", "::ffff:7f00:1", "0:0:0:0:0:ffff:127.0.0.1"):
        assert "loopback" in (refused(text) or "")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("localhost", "a name of this machine"),
        ("LOCALHOST.", "a name of this machine"),
        ("printer.localhost", "a name of this machine"),
        ("a.b.localhost.", "a name of this machine"),
        ("localhost6", "a name of this machine"),
        ("localhost.localdomain", "a name of this machine"),
        ("ip6-loopback", "a name of this machine"),
        ("metadata.google.internal", "a cloud's metadata service"),
        ("metadata.google.internal.", "a cloud's metadata service"),
        ("metadata", "a cloud's metadata service"),
        ("instance-data.ec2.internal", "a cloud's metadata service"),
        ("localhost.example", None),
        ("notlocalhost", None),
        ("metadata.example", None),
        ("example.com", None),
    ],
)
def test_names_that_are_local_by_themselves(name: str, kind: str | None) -> None:
    """`localhost` and what is below it, and metadata services by their names, are refused unresolved."""
    if kind is None:
        AddressGuard().check_name(name)
    else:
        with pytest.raises(FetchFailed, match=f"blocked_address: {re.escape(name)} is {kind}"):
            AddressGuard().check_name(name)


def test_local_names_are_allowed_with_their_addresses() -> None:
    """Who allows loopback has `localhost` too, but no metadata service."""
    guard = AddressGuard([ip_network("127.0.0.0/8")])
    guard.check_name("localhost")
    with pytest.raises(FetchFailed):
        guard.check_name("metadata.google.internal")
    AddressGuard([ip_network("169.254.0.0/16")]).check_name("metadata.google.internal")
