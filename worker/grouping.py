"""What counts as one host for politeness: each host, or all hosts of a registrable domain."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Literal

from publicsuffixlist import PublicSuffixList

Grouping = Literal["host", "domain"]


def group_of(host: str, by: Grouping) -> str:
    """The group of a host key, which is a host key too: `news.example.co.uk` is in `example.co.uk`.

    Domains are told by the public suffix list that the library brings along; hosts under a suffix that people
    share (`a.github.io`) stay apart. Addresses and single labels are groups of their own. The port stays.
    """
    return host if by == "host" else _registrable(host)


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


@lru_cache(maxsize=100_000)
def _registrable(host: str) -> str:
    name, colon, port = host.partition(":")
    # A host whose last label is a number is an IPv4 address (WHATWG URL, 3.5).
    if host.startswith("[") or name.rpartition(".")[2].isdigit():
        return host
    return f"{_suffixes().privatesuffix(name) or name}{colon}{port}"
