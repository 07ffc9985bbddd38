"""Redirects: loops, endless ways, schemes, private addresses in odd notations, Locations that are none."""

from __future__ import annotations

from tests.chaos.hostile.heads import PAGE
from tests.chaos.hostile.wire import Answer, Hostile, Wire, fills, floods, head, page, says, whole

_GROWTH = "further/" * 100


def leads(location: str, status: str = "302 Found", *fields: str) -> Answer:
    """A redirect; the tokens of `Wire.fill` may stand in `location`."""
    return fills(
        "\r\n".join((f"HTTP/1.1 {status}", f"Location: {location}", "Content-Length: 0", *fields, "", ""))
    )


async def _count_on(wire: Wire) -> None:
    """To the next of URLs without end; the query tells the number."""
    number = int(wire.target.partition("?")[2] or 0)
    await wire.send(wire.fill(f"HTTP/1.1 302 On\r\nLocation: /hop?{number + 1}\r\nContent-Length: 0\r\n\r\n"))


async def _alternate(wire: Wire) -> None:
    """From `/news/1` to `/b` and back."""
    await leads("/news/1" if wire.target == "/b" else "/b")(wire)


async def _grow(wire: Wire) -> None:
    """To a URL that is longer by a kilobyte."""
    await leads(wire.target + _GROWTH)(wire)


async def _with_cookies(wire: Wire) -> None:
    """Thirty cookies on each of five hops, then an article."""
    number = int(wire.target.partition("?")[2] or 0)
    if number == 5:
        await wire.send(whole(PAGE))
        return
    cookies = [f"Set-Cookie: c{number}x{n}={'v' * 500}; Path=/; Domain=1" for n in range(30)]
    await leads(f"/hop?{number + 1}", "302 Found", *cookies)(wire)


async def _flood_and_leave(wire: Wire) -> None:
    """A redirect to an honest page, with a body without end."""
    await floods(
        wire.fill("HTTP/1.1 302 Found\r\nLocation: http://@GOOD@/after-a-flood\r\n\r\n"), b"x" * 65_536
    )(wire)


LOOPS = (
    Hostile("a redirect to itself", "redirect_loop", leads("http://@SELF@/news/1")),
    Hostile("a redirect to its fragment", "redirect_loop|too_many_redirects", leads("/news/1#again")),
    Hostile("a loop of two URLs", "redirect_loop", _alternate),
    Hostile("a loop over two hosts", "redirect_loop", leads("http://@ASIDE@/to?http://@SELF@/news/1")),
    Hostile(
        "a scheme without slashes, which is relative",
        "redirect_loop|too_many_redirects",
        leads("http:@CANARY@/../"),
    ),
    Hostile(
        "a redirect to https where there is none",
        "tls|connect|timeout|robots_unreachable",
        leads("https://@SELF@/news/1"),
    ),
    Hostile("30 hops and more", "too_many_redirects", _count_on),
    Hostile("hops that grow", "too_many_redirects|bad_redirect|bad_response", _grow),
    Hostile("cookies on every hop", "article", _with_cookies),
    Hostile("a redirect with a body without end", "article", _flood_and_leave),
)

#: How the name of a place that is off limits may be written. The canary is 127.9.9.9, 0x7f090909.
ELSEWHERE = {
    "the canary": "http://@CANARY@/",
    "the canary by two hosts": "http://@ASIDE@/to?http://@CANARY@/",
    "the canary without a scheme": "//@CANARY@/",
    "the canary by backslashes": "\\\\@CANARY@\\",
    "the canary behind a user": "http://@GOOD@@@CANARY@/",
    "decimal": "http://2131298569:@PORT@/",
    "octal": "http://0177.011.011.011:@PORT@/",
    "hex": "http://0x7f.0x9.0x9.0x9:@PORT@/",
    "one number of hex": "http://0x7f090909:@PORT@/",
    "a short form": "http://127.9.2313:@PORT@/",
    "full-width digits": "http://１２７.9.9.9:@PORT@/",
    "ideographic full stops": "http://127。9。9。9:@PORT@/",
    "percent-encoding": "http://%31%32%37.9.9.9:@PORT@/",
    "a v4-mapped address": "http://[::ffff:127.9.9.9]:@PORT@/",
    "NAT64": "http://[64:ff9b::7f09:909]:@PORT@/",
    "6to4": "http://[2002:7f09:909::1]:@PORT@/",
    "IPv6 loopback": "http://[::1]:@PORT@/",
    "no address": "http://0:@PORT@/",
    "localhost": "http://localhost:@PORT@/",
    "cloud metadata": "http://169.254.169.254/latest/meta-data/",
    "a private network": "http://10.0.0.1/",
}
PRIVATE = tuple(
    Hostile(f"a redirect to {name}", "blocked_address", leads(to)) for name, to in ELSEWHERE.items()
)

SCHEMES = tuple(
    Hostile(f"a redirect to {to.partition(':')[0]}:", "bad_redirect", leads(to))
    for to in (
        "file:///etc/passwd",
        "data:text/html,<h1>x</h1>",
        "javascript:alert(1)",
        "ftp://@GOOD@/",
        "gopher://@CANARY@/_GET",
        "about:blank",
        "ws://@CANARY@/",
        "unix:///run/docker.sock",
    )
)

LOCATIONS = (
    Hostile("no Location", "bad_redirect", says(whole(b"", status="302 Found"))),
    Hostile("300 without a Location", "bad_redirect|http_300", says(whole(PAGE, status="300 Choices"))),
    Hostile("an empty Location", "bad_redirect", leads("")),
    Hostile("a Location of spaces", "bad_redirect", leads("   ")),
    Hostile("a Location without a host", "bad_redirect", leads("http://")),
    Hostile("a Location of port 99999", "bad_redirect", leads("http://127.1.0.1:99999/")),
    Hostile("a Location of 20 KB", "bad_redirect", leads("/" + "x" * 20_000)),
    Hostile("a Location of 100 KB", "bad_response", leads("/" + "x" * 100_000)),
    Hostile("a Location with a tab", "blocked_address|bad_redirect", leads("http://127.9\t.9.9:@PORT@/")),
    Hostile("a Location with NUL", "bad_redirect|bad_response", leads("http://@GOOD@/\0x")),
    Hostile(
        "a Location with an escape code",
        "article|bad_redirect|bad_response",
        leads("http://@GOOD@/\x1b[2J\x7f"),
    ),
    Hostile(
        "a Location with a bare CR",
        "article|bad_redirect|bad_response",
        leads("http://@GOOD@/\rX-Injected: 1"),
    ),
    Hostile(
        "a Location with encoded CR LF", "article", leads("http://@GOOD@/%0d%0aHost:%20@CANARY@%0d%0a%0d%0a")
    ),
    Hostile(
        "two Locations",
        "blocked_address|article|bad_redirect|bad_response",
        leads("http://@GOOD@/two", "302 Found", "Location: http://@CANARY@/"),
    ),
    Hostile(
        "a Location of invalid UTF-8",
        "redirect_loop|too_many_redirects",
        says(head("Location: /@", "Content-Length: 0", status="302 X").replace(b"@", b"\xff\xfe\xc0\xaf")),
    ),
)

#: Ways to lead on that are no redirects of HTTP. What they lead to must not be asked.
SOFT = (
    Hostile(
        "Refresh to the canary",
        "article|not_article|blocked_address",
        fills(
            "HTTP/1.1 200 OK\r\nRefresh: 0; url=http://@CANARY@/\r\nContent-Type: text/html\r\n"
            "Content-Length: 9\r\n\r\n<p>on</p>"
        ),
    ),
    Hostile(
        "meta refresh to the canary",
        "article|not_article|blocked_address",
        page('<title>On</title><meta http-equiv=refresh content="0; url=http://@CANARY@/">'),
    ),
    Hostile(
        "meta refresh to a file",
        "article|not_article|bad_redirect",
        page('<title>On</title><meta http-equiv=refresh content="0;url=file:///etc/passwd">'),
    ),
    Hostile(
        "meta refresh to itself",
        "article|not_article|redirect_loop",
        page('<title>On</title><meta http-equiv=refresh content="0">'),
    ),
    Hostile(
        "canonical of a stub at the canary",
        "article|not_article|blocked_address",
        page('<html amp><link rel=canonical href="http://@CANARY@/"><title>Stub</title><p>Read on.'),
    ),
    Hostile(
        "amphtml of a stub at the canary",
        "article|not_article|blocked_address",
        page('<link rel=amphtml href="http://@CANARY@/"><title>Stub</title><p>Read on.'),
    ),
)

#: The honest page behind a robots.txt that is not.
ROBOTS = (
    Hostile(
        "robots.txt without end",
        "article",
        says(whole(PAGE)),
        robots=floods(head(type="text/plain"), b"Disallow: /a*b*c\n" * 3_000),
    ),
    Hostile(
        "robots.txt at the canary",
        "article|robots_unreachable|blocked_address|robots",
        says(whole(PAGE)),
        robots=leads("http://@CANARY@/robots.txt"),
    ),
    Hostile("robots.txt that redirects without end", "article", says(whole(PAGE)), robots=_count_on),
    Hostile(
        "robots.txt of wildcards",
        "article|robots",
        says(whole(PAGE)),
        robots=says(
            whole(b"User-agent: *\n" + (b"Disallow: /" + b"*a" * 500 + b"$\n") * 100, type="text/plain")
        ),
    ),
    Hostile(
        "robots.txt of 50,000 groups",
        "article|robots",
        says(whole(PAGE)),
        robots=says(
            whole(
                b"".join(b"User-agent: a%d\n" % n for n in range(30_000)) + b"Disallow: /x\n" * 9_000,
                type="text/plain",
            )
        ),
    ),
    Hostile(
        "robots.txt with a delay of 10^300",
        "article|robots",
        says(whole(PAGE)),
        robots=says(
            whole(
                b"User-agent: nobody\nCrawl-delay: 1e300\nUser-agent: *\nCrawl-delay: nan\nRequest-rate: 1/0",
                type="text/plain",
            )
        ),
    ),
    Hostile(
        "robots.txt of noise",
        "article|robots",
        says(whole(PAGE)),
        robots=says(whole(bytes(range(256)) * 1_000, type="text/plain")),
    ),
)

ROWS = (*LOOPS, *PRIVATE, *SCHEMES, *LOCATIONS, *SOFT, *ROBOTS)
