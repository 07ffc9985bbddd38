"""Cookies within one chain of redirects, and never beyond: who may see one is aiohttp's jar to say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import aiohttp
import yarl

from worker.grouping import group_of

if TYPE_CHECKING:
    from collections.abc import Sequence


#: The date by which servers delete cookies is 0 to the jar, which takes that for no date at all.
_EPOCH = re.compile(r"1970 00:00:00")


def cookie_header(url: yarl.URL, cookies: Sequence[tuple[str, str]]) -> str | None:
    """The Cookie header for `url` after `cookies`, each the URL that set it and its Set-Cookie; None: none.

    Domain, path, Secure and expiry are obeyed (RFC 6265, 5.3 and 5.4); the last of one name, domain and path
    counts. Must be called within a running event loop.
    """
    if not cookies:
        return None
    # "unsafe" is the jar's word for hosts that are addresses, which RFC 6265 gives host-only cookies.
    jar = aiohttp.CookieJar(unsafe=True)
    for set_by, set_cookie in cookies:
        dated = _EPOCH.sub("1970 00:00:01", set_cookie)
        jar.update_cookies_from_headers([dated], yarl.URL(set_by, encoded=True))
    jar.clear(lambda cookie: cookie["domain"] != url.raw_host and _is_public_suffix(cookie["domain"]))
    # The jar quotes values anew. Servers expect them as they were, with quotes or without.
    as_set = {(cookie.key, cookie.value): cookie.coded_value for cookie in jar}
    sent = jar.filter_cookies(url).values()
    return "; ".join(f"{cookie.key}={as_set[cookie.key, cookie.value]}" for cookie in sent) or None


def _is_public_suffix(domain: str) -> bool:
    """Whether hosts below `domain` are different people's (RFC 6265, 5.3, step 5); the jar does not ask."""
    below = f"x.{domain}"
    return group_of(below, "domain") == below
