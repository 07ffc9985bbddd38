"""Which hosts, ports and schemes requests may go to at all, whatever their address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.errors import FetchFailed

if TYPE_CHECKING:
    from ada_url import URL

_DEFAULT_PORTS = {"http": 80, "https": 443}

#: Ports that browsers never speak HTTP to (WHATWG Fetch, 2.9, "bad port"), so that a URL cannot make them say
#: something to a mail server.
_OF_OTHER_PROTOCOLS = frozenset(
    [
        *(0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95),
        *(101, 102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179),
        *(389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636),
        *(989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566),
        *(6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080),
    ]
)
#: Databases, caches, queues and remote desktops, which browsers leave open and a server room should not.
_OF_STORES = frozenset([1433, 1521, 2375, 3306, 3389, 5432, 5672, 5900, 6379, 9042, 11211, 27017])
REFUSED_PORTS = _OF_OTHER_PROTOCOLS | _OF_STORES


def covers(name: str, host: str) -> bool:
    """Whether `host` is `name` or below it, both in the URL standard's form."""
    host = host.rstrip(".")
    return host == name or host.endswith(f".{name}")


@dataclass(frozen=True, slots=True)
class Targets:
    """What may be asked. Each of `deny_hosts` also stands for the hosts below it.

    Without `allow_ports` all are allowed but REFUSED_PORTS.
    """

    deny_hosts: frozenset[str] = frozenset()
    allow_ports: frozenset[int] = frozenset()
    allow_schemes: frozenset[str] = frozenset({"http", "https"})

    def check(self, url: URL) -> None:
        """Return if `url` may be requested. Raises FetchFailed("denied")."""
        scheme = url.protocol.rstrip(":")
        if scheme not in self.allow_schemes:
            raise FetchFailed("denied", f"{scheme} is not among the allowed schemes")
        port = int(url.port or _DEFAULT_PORTS[scheme])
        if self.allow_ports and port not in self.allow_ports:
            raise FetchFailed("denied", f"port {port} is not among the allowed ones")
        if not self.allow_ports and port in REFUSED_PORTS:
            raise FetchFailed("denied", f"port {port} is another protocol's")
        host = url.hostname.strip("[]")
        if any(covers(name, host) for name in self.deny_hosts):
            raise FetchFailed("denied", f"{host[:80]} is a denied host")
