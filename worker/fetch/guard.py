"""Which addresses may be connected to: those of the public internet, and what the operator allows.

A queue item, a redirect or a DNS answer may point anywhere: unless each address is judged, a crawler is a
proxy into the network it runs in. The ranges come from the IANA special-purpose address registries
(RFC 6890). They are written out because `ipaddress.is_global` differs between Python releases, and takes
multicast and the ways to private space (NAT64, 6to4) for global.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

from worker.errors import FetchFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def _table(*rows: tuple[str, str]) -> tuple[tuple[Network, str], ...]:
    return tuple((ip_network(network), kind) for network, kind in rows)


#: Single addresses first, so that the refusal names them and not the range around them.
_REFUSED_V4 = _table(
    ("169.254.169.254/32", "a cloud's metadata service"),
    ("169.254.170.2/32", "a cloud's metadata service"),
    ("100.100.100.200/32", "a cloud's metadata service"),
    ("192.0.0.192/32", "a cloud's metadata service"),
    ("168.63.129.16/32", "a cloud's host service"),  # Azure's, on an address that looks public
    ("255.255.255.255/32", "broadcast"),
    ("0.0.0.0/8", "unspecified"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "carrier-grade NAT"),
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link-local"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "reserved for protocols"),
    ("192.0.2.0/24", "documentation"),
    ("192.88.99.0/24", "a 6to4 relay"),
    ("192.168.0.0/16", "private"),
    ("198.18.0.0/15", "benchmarking"),
    ("198.51.100.0/24", "documentation"),
    ("203.0.113.0/24", "documentation"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
)

_REFUSED_V6 = _table(
    ("fd00:ec2::254/128", "a cloud's metadata service"),
    ("fd20:ce::254/128", "a cloud's metadata service"),
    ("::/128", "unspecified"),
    ("::1/128", "loopback"),
    # Its prefix length is the operator's choice (RFC 8215), so the address inside cannot be told.
    ("64:ff9b:1::/48", "local-use NAT64"),
    ("2001::/32", "Teredo"),
    ("2001::/23", "reserved for protocols"),
    ("2001:db8::/32", "documentation"),
    ("3fff::/20", "documentation"),
    ("fc00::/7", "private"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "site-local"),
    ("ff00::/8", "multicast"),
)

#: Names whose addresses are known without asking, and may be asked of a proxy: what they stand for. Those of
#: metadata services are a cloud's own, and some of them resolve to addresses that look public.
_LOOPBACK_NAMES = (
    "localhost",
    "localhost.localdomain",
    "localhost4",
    "localhost4.localdomain4",
    "localhost6",
    "localhost6.localdomain6",
    "ip6-localhost",
    "ip6-loopback",
)
_METADATA_NAMES = (
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "metadata.tencentyun.com",
    "metadata.packet.net",
    "metadata.platformequinix.com",
    "instance-data",
    "instance-data.ec2.internal",
)
_REFUSED_NAMES = {
    **dict.fromkeys(_LOOPBACK_NAMES, (ip_address("127.0.0.1"), "a name of this machine")),
    **dict.fromkeys(_METADATA_NAMES, (ip_address("169.254.169.254"), "a cloud's metadata service")),
}

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")


class AddressGuard:
    """Tells public addresses from all others; pure, so one may serve every connection."""

    def __init__(self, allow_networks: Sequence[Network] = ()) -> None:
        self._allowed = tuple(allow_networks)

    def __repr__(self) -> str:
        return f"AddressGuard(allow_networks={[str(network) for network in self._allowed]})"

    def check(self, address: str) -> None:
        """Return if `address` (an IP address, a scope id allowed) may be connected to.

        Raises FetchFailed("blocked_address"), also for text that is no address.
        """
        try:
            # A scope id would make `fe80::1%eth0` differ from `fe80::1`; the range is the same.
            ip = ip_address(address.partition("%")[0])
        except ValueError:
            raise FetchFailed("blocked_address", "not an IP address") from None
        if kind := self._refusal(ip):
            raise FetchFailed("blocked_address", f"{ip} is {kind}")

    def check_name(self, name: str) -> None:
        """Return unless `name`, as an URL has it, is one that can only mean this machine or its cloud.

        `localhost` and all below it (RFC 6761, 6.3), and the names of metadata services: a proxy or an odd
        resolver may know an address for them. They are allowed where the address they stand for is. Raises
        FetchFailed("blocked_address").
        """
        labels = name.lower().rstrip(".").split(".")
        for start in range(len(labels)):
            address, kind = _REFUSED_NAMES.get(".".join(labels[start:]), (None, ""))
            if address is not None and not self._allows(address):
                raise FetchFailed("blocked_address", f"{name[:80]} is {kind}")

    def _refusal(self, ip: Address) -> str | None:
        """What makes `ip` off limits, or None."""
        inner = embedded_v4(ip)
        if self._allows(ip) or (inner is not None and self._allows(inner)):
            return None
        if kind := _listed(ip):
            return kind
        if inner is not None:
            kind = _listed(inner)
            return kind and f"a way to {inner}, {kind}"
        if ip.version == 6 and ip not in _GLOBAL_UNICAST:
            return "reserved"
        # The registries grow, and Python's copy may know a range that ours does not.
        return None if ip.is_global else "not globally reachable"

    def _allows(self, ip: Address) -> bool:
        return any(ip in network for network in self._allowed)


def embedded_v4(ip: Address) -> IPv4Address | None:
    """The IPv4 address that a packet to `ip` ends at, or None.

    v4-mapped (RFC 4291, 2.5.5.2), NAT64 by the well-known prefix (RFC 6052, 2.1), 6to4 (RFC 3056, 2), and the
    client of Teredo (RFC 4380, 4).
    """
    if isinstance(ip, IPv4Address):
        return None
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFF_FFFF)
    if ip.teredo:
        return ip.teredo[1]
    return ip.ipv4_mapped or ip.sixtofour


def _listed(ip: Address) -> str | None:
    rows = _REFUSED_V4 if ip.version == 4 else _REFUSED_V6
    return next((kind for network, kind in rows if ip in network), None)
