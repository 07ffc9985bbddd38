"""The NetworkPolicy of `deploy/k8s`: the public internet and three neighbours, and no address besides."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.deploy.manifests import the
from worker.errors import FetchFailed
from worker.fetch import guard

if TYPE_CHECKING:
    from tests.deploy.manifests import Manifest

EDGES = [
    edge
    for network, _ in (*guard._REFUSED_V4, *guard._REFUSED_V6)
    for edge in (network.network_address, network.broadcast_address)
]
WAYS_TO_PRIVATE = (
    "64:ff9b::a00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:a00:1::",
    "2001::f5ff:fffe",
    "::ffff:10.0.0.1",
)
PUBLIC = (
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "172.15.255.255",
    "2606:4700:4700::1111",
    "2a00:1450:4001::1",
)


def blocks(policy: Manifest) -> list[dict[str, Any]]:
    """The blocks of addresses that a worker may reach."""
    peers = [peer for rule in policy["spec"]["egress"] for peer in rule["to"]]
    return [peer["ipBlock"] for peer in peers if "ipBlock" in peer]


def reaches(policy: Manifest, address: IPv4Address | IPv6Address) -> bool:
    """Whether a packet to that address leaves the pod."""
    return any(
        address in ip_network(block["cidr"])
        and not any(address in ip_network(hole) for hole in block["except"])
        for block in blocks(policy)
    )


def refused(address: str) -> bool:
    """Whether the worker's own guard refuses it."""
    try:
        guard.AddressGuard().check(address)
    except FetchFailed:
        return True
    return False


@given(address=st.ip_addresses())
@example(address=IPv4Address("168.63.129.16"))
def test_what_the_guard_refuses_does_not_leave_the_pod(base: list[Manifest], address: Any) -> None:
    """Any address, and above all those of the registries of special ranges."""
    assert not (refused(str(address)) and reaches(the("NetworkPolicy", base), address))


@pytest.mark.parametrize("address", [*EDGES, *map(IPv6Address, WAYS_TO_PRIVATE)], ids=str)
def test_edges_of_refused_ranges_do_not_leave_the_pod(base: list[Manifest], address: Any) -> None:
    """First and last of each range in the guard's tables, and IPv6 addresses that lead to private ones."""
    assert refused(str(address))
    assert not reaches(the("NetworkPolicy", base), address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_leave_the_pod(base: list[Manifest], address: str) -> None:
    """A policy that refuses all would be safe, and useless."""
    assert not refused(address)
    found = IPv6Address(address) if ":" in address else IPv4Address(address)
    assert reaches(the("NetworkPolicy", base), found)


def test_exceptions_lie_within_their_block(base: list[Manifest]) -> None:
    """The API server refuses others, though the schema does not say so."""
    for block in blocks(the("NetworkPolicy", base)):
        whole = ip_network(block["cidr"])
        assert all(ip_network(hole).subnet_of(whole) for hole in block["except"])  # type: ignore[arg-type]


def test_neighbours_are_dns_redis_and_prometheus(base: list[Manifest]) -> None:
    """Nobody else comes in, and nothing else of the cluster is reached."""
    spec = the("NetworkPolicy", base)["spec"]
    assert sorted(spec["policyTypes"]) == ["Egress", "Ingress"]
    ((came_in,), ports) = spec["ingress"][0]["from"], spec["ingress"][0]["ports"]
    assert len(spec["ingress"]) == 1
    assert came_in["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "prometheus"}
    assert [port["port"] for port in ports] == ["ops"]
    neighbours = [rule for rule in spec["egress"] if all("ipBlock" not in peer for peer in rule["to"])]
    assert [[port["port"] for port in rule["ports"]] for rule in neighbours] == [[53, 53], [6379]]
    assert all(len(rule["to"]) == 1 for rule in neighbours)


def test_overlay_opens_one_more_port_of_one_network(in_production: list[Manifest]) -> None:
    """Redis elsewhere replaces Redis beside the worker, and adds no way to other private addresses."""
    (redis,) = [
        rule
        for rule in the("NetworkPolicy", in_production)["spec"]["egress"]
        if any("except" not in peer.get("ipBlock", {"except": ()}) for peer in rule["to"])
    ]
    assert [port["port"] for port in redis["ports"]] == [6379]
    assert len(redis["to"]) == 1
