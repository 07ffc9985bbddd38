"""Hostile URLs, as a producer might push them: they lead nowhere, or to the honest publisher."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HostileUrl:
    """A row: `@CANARY@`, `@GOOD@` and `@PORT@` are put into `url`, `@ID@` tells rows apart.

    `ends` are reasons of `worker.outcomes`, or `article`; several are joined by `|`.
    """

    name: str
    ends: str
    url: str
    fault: str | None = None


_BLOCKED = "blocked_address"

#: What leads a careless parser to the canary, and a careful one elsewhere, or nowhere.
PARSERS = (
    HostileUrl("an allowed host as user", _BLOCKED, "http://@GOOD@@@CANARY@/@ID@"),
    HostileUrl("an allowed host as user and password", _BLOCKED, "http://@GOOD@:80@@CANARY@/@ID@"),
    HostileUrl("two at signs", _BLOCKED, "http://a@@GOOD@@@CANARY@/@ID@"),
    HostileUrl("a user of 7 KB", _BLOCKED, "http://" + "u" * 7_000 + "@@CANARY@/@ID@"),
    HostileUrl("an encoded at sign", "malformed", "http://@GOOD@%40@CANARY@/@ID@"),
    HostileUrl("a backslash before the at sign", "article", "http://@GOOD@\\@@CANARY@/@ID@"),
    HostileUrl("a question mark before the at sign", "article", "http://@GOOD@?@ID@@@CANARY@/"),
    HostileUrl("a number sign before the at sign", "article", "http://@GOOD@/@ID@#@@CANARY@/"),
    HostileUrl("backslashes", _BLOCKED, "http:\\\\@CANARY@\\@ID@"),
    HostileUrl("no slashes", _BLOCKED, "http:@CANARY@/@ID@"),
    HostileUrl("one slash", _BLOCKED, "http:/@CANARY@/@ID@"),
    HostileUrl("five slashes", _BLOCKED, "http://///@CANARY@/@ID@"),
    HostileUrl("capital letters", _BLOCKED, "HTTP://@CANARY@/@ID@"),
    HostileUrl("https", _BLOCKED, "https://@CANARY@/@ID@"),
    HostileUrl("tabs inside", _BLOCKED, "ht\ttp://127.\t9.9.9:@PORT@/@ID@"),
    HostileUrl("a line break inside", "malformed", "http://127.9.\n9.9:@PORT@/@ID@"),
    HostileUrl("CR LF and a header", "malformed", "http://@GOOD@/ HTTP/1.1\r\nHost: @CANARY@\r\n\r\n@ID@"),
    HostileUrl("encoded CR LF and a header", "article", "http://@GOOD@/%0d%0aHost:%20@CANARY@%0d%0a/@ID@"),
    HostileUrl("control characters around", _BLOCKED, "\x01\x1f http://@CANARY@/@ID@\x00"),
    HostileUrl("NUL in the host", "malformed", "http://127.9.9.9\0.example:@PORT@/@ID@"),
    HostileUrl("a space in the host", "malformed", "http://@CANARY@ .example/@ID@"),
    HostileUrl("dots upwards", "article", "http://@GOOD@/../../../../etc/passwd?@ID@"),
    HostileUrl("encoded dots upwards", "article", "http://@GOOD@/%2e%2e/%2e%2e/etc/passwd?@ID@"),
    HostileUrl("half a surrogate pair", "malformed|article", "http://@GOOD@/@ID@\\ud83d"),
    HostileUrl("a URL of 20 KB", "malformed", "http://@GOOD@/@ID@/" + "x" * 20_000),
    HostileUrl("a URL of 8,000 bytes", "article", "http://@GOOD@/@ID@/" + "x" * 7_900),
    HostileUrl("a URL that grows when encoded", "malformed", "http://@GOOD@/@ID@/" + "é" * 3_000),
)

#: 127.9.9.9 and other addresses that are off limits, as the URL standard reads them.
NOTATIONS = (
    HostileUrl("decimal", _BLOCKED, "http://2131298569:@PORT@/@ID@"),
    HostileUrl("octal", _BLOCKED, "http://0177.011.011.011:@PORT@/@ID@"),
    HostileUrl("octal of many zeros", _BLOCKED, "http://00000000177.0000011.011.011:@PORT@/@ID@"),
    HostileUrl("hex", _BLOCKED, "http://0x7f.0x09.0X9.0x9:@PORT@/@ID@"),
    HostileUrl("one number of hex", _BLOCKED, "http://0x7f090909:@PORT@/@ID@"),
    HostileUrl("three notations at once", _BLOCKED, "http://127.0x9.011.9:@PORT@/@ID@"),
    HostileUrl("three parts", _BLOCKED, "http://127.9.2313:@PORT@/@ID@"),
    HostileUrl("two parts", _BLOCKED, "http://127.592137:@PORT@/@ID@"),
    HostileUrl("127.1", _BLOCKED, "http://127.1:@PORT@/@ID@"),
    HostileUrl("2^32 and more", "malformed", "http://6426265865:@PORT@/@ID@"),
    HostileUrl("256 in a part", "malformed", "http://127.9.9.265:@PORT@/@ID@"),
    HostileUrl("five parts", "malformed", "http://127.9.9.9.9:@PORT@/@ID@"),
    HostileUrl("0", _BLOCKED, "http://0:@PORT@/@ID@"),
    HostileUrl("0.0.0.0", _BLOCKED, "http://0.0.0.0:@PORT@/@ID@"),
    HostileUrl("0x", _BLOCKED, "http://0x:@PORT@/@ID@"),
    HostileUrl("a final dot", _BLOCKED, "http://127.9.9.9.:@PORT@/@ID@"),
    HostileUrl("two final dots", "malformed|blocked_address", "http://127.9.9.9..:@PORT@/@ID@"),
    HostileUrl("full-width digits", _BLOCKED, "http://１２７．９．９．９:@PORT@/@ID@"),
    HostileUrl("ideographic full stops", _BLOCKED, "http://127。9。9｡9:@PORT@/@ID@"),
    HostileUrl("digits in circles", _BLOCKED, "http://①②⑦.⑨.⑨.⑨:@PORT@/@ID@"),
    HostileUrl("mathematical digits", _BLOCKED, "http://𝟙𝟚𝟟.𝟡.𝟡.𝟡:@PORT@/@ID@"),
    HostileUrl("a soft hyphen", _BLOCKED, "http://127\u00ad.9.9.9:@PORT@/@ID@"),
    HostileUrl("a space of no width", _BLOCKED, "http://127.9.9\u200b.9:@PORT@/@ID@"),
    HostileUrl("percent-encoding", _BLOCKED, "http://%31%32%37%2e9.9.9:@PORT@/@ID@"),
    HostileUrl("percent-encoding twice", "malformed", "http://%2531%2532%2537.9.9.9:@PORT@/@ID@"),
    HostileUrl("v4-mapped", _BLOCKED, "http://[::ffff:127.9.9.9]:@PORT@/@ID@"),
    HostileUrl("v4-mapped in hex", _BLOCKED, "http://[0:0:0:0:0:FFFF:7f09:0909]:@PORT@/@ID@"),
    HostileUrl("v4-compatible", _BLOCKED, "http://[::127.9.9.9]:@PORT@/@ID@"),
    HostileUrl("NAT64", _BLOCKED, "http://[64:ff9b::127.9.9.9]:@PORT@/@ID@"),
    HostileUrl("NAT64 for local use", _BLOCKED, "http://[64:ff9b:1::7f09:909]:@PORT@/@ID@"),
    HostileUrl("6to4", _BLOCKED, "http://[2002:7f09:909::]:@PORT@/@ID@"),
    HostileUrl("Teredo", _BLOCKED, "http://[2001:0:808:808::80f6:f6f6]:@PORT@/@ID@"),
    HostileUrl("[::1]", _BLOCKED, "http://[::1]:@PORT@/@ID@"),
    HostileUrl("[::]", _BLOCKED, "http://[::]:@PORT@/@ID@"),
    HostileUrl("link-local", _BLOCKED, "http://[fe80::1]:@PORT@/@ID@"),
    HostileUrl("a zone id", "malformed|blocked_address", "http://[fe80::1%25lo]:@PORT@/@ID@"),
    HostileUrl("a bare zone id", "malformed|blocked_address", "http://[::1%lo]:@PORT@/@ID@"),
    HostileUrl("unique local", _BLOCKED, "http://[fd12:3456::1]:@PORT@/@ID@"),
    HostileUrl("IPv6 without an end", "malformed", "http://[::1:@PORT@/@ID@"),
    HostileUrl("an IPvFuture", "malformed", "http://[v1.fe80::a]:@PORT@/@ID@"),
)

PLACES = (
    HostileUrl("localhost", _BLOCKED, "http://localhost:@PORT@/@ID@"),
    HostileUrl("LOCALHOST and a dot", _BLOCKED, "http://LOCALHOST.:@PORT@/@ID@"),
    HostileUrl("a name under localhost", f"dns|{_BLOCKED}", "http://news.localhost:@PORT@/@ID@"),
    HostileUrl("localhost.localdomain", f"dns|{_BLOCKED}", "http://localhost.localdomain:@PORT@/@ID@"),
    HostileUrl("ip6-localhost", f"dns|{_BLOCKED}", "http://ip6-localhost:@PORT@/@ID@"),
    HostileUrl("AWS metadata", _BLOCKED, "http://169.254.169.254/latest/meta-data/?@ID@"),
    HostileUrl("AWS metadata by IPv6", _BLOCKED, "http://[fd00:ec2::254]/latest/?@ID@"),
    HostileUrl("ECS credentials", _BLOCKED, "http://169.254.170.2/v2/credentials?@ID@"),
    HostileUrl("Alibaba metadata", _BLOCKED, "http://100.100.100.200/latest/?@ID@"),
    HostileUrl("Azure's host", _BLOCKED, "http://168.63.129.16/machine/?@ID@"),
    HostileUrl("Google's metadata by name", f"dns|{_BLOCKED}", "http://metadata.google.internal/?@ID@"),
    HostileUrl("10.0.0.1", _BLOCKED, "http://10.0.0.1/@ID@"),
    HostileUrl("172.16.0.1", _BLOCKED, "http://172.16.0.1/@ID@"),
    HostileUrl("192.168.1.1", _BLOCKED, "http://192.168.1.1/@ID@"),
    HostileUrl("100.64.0.1", _BLOCKED, "http://100.64.0.1/@ID@"),
    HostileUrl("multicast", _BLOCKED, "http://224.0.0.251:5353/@ID@"),
    HostileUrl("broadcast", _BLOCKED, "http://255.255.255.255/@ID@"),
    HostileUrl("SSH at the canary", f"denied|{_BLOCKED}", "http://127.9.9.9:22/@ID@"),
    HostileUrl("Redis at the canary", f"denied|{_BLOCKED}", "http://127.9.9.9:6379/@ID@"),
)

HOSTS = (
    HostileUrl("no host", "malformed", "http://?@ID@"),
    HostileUrl("a port and no host", "malformed", "http://:@PORT@/@ID@"),
    HostileUrl("a user and no host", "malformed", "http://user@/@ID@"),
    HostileUrl("only slashes", "malformed", "http:////"),
    HostileUrl("a host of dots", "malformed", "http://.../@ID@"),
    HostileUrl("SSH at an allowed host", "denied", "http://127.1.0.1:22/@ID@"),
    HostileUrl("SMTP at an allowed host", "denied", "http://127.1.0.1:25/@ID@"),
    HostileUrl("Redis at an allowed host", "denied|connect", "http://127.1.0.1:6379/@ID@"),
    HostileUrl("port 0", "denied|connect|malformed", "http://127.1.0.1:0/@ID@"),
    HostileUrl("port 65536", "malformed", "http://127.1.0.1:65536/@ID@"),
    HostileUrl("a negative port", "malformed", "http://127.1.0.1:-1/@ID@"),
    HostileUrl("a port of letters", "malformed", "http://127.1.0.1:http/@ID@"),
    HostileUrl("punycode that is none", "malformed|dns", "http://xn--a.example/@ID@"),
    HostileUrl("punycode of 5 KB", "malformed", "http://xn--" + "a" * 5_000 + "/@ID@"),
    HostileUrl("a letter that becomes 18", "malformed", "http://" + "\ufdfa" * 100 + ".example/@ID@"),
    HostileUrl("a label of 64", "malformed", "http://" + "a" * 64 + ".invalid/@ID@"),
    HostileUrl("a host of 254", "malformed", "http://" + "a." * 126 + "inv/@ID@"),
    HostileUrl("2,000 labels", "malformed", "http://" + "a." * 2_000 + "invalid/@ID@"),
    HostileUrl("a name with an underscore", "dns", "http://a_b.invalid/@ID@"),
    HostileUrl("no such name", "dns", "http://nothing.invalid/@ID@"),
)

SCHEMES = tuple(
    HostileUrl(f"the scheme {url.partition(':')[0]}", "malformed", url)
    for url in (
        "file:///etc/passwd?@ID@",
        "ftp://@CANARY@/@ID@",
        "gopher://@CANARY@/_GET%20/@ID@",
        "javascript:fetch('http://@CANARY@/@ID@')",
        "data:text/html,<p>@ID@",
        "dict://@CANARY@/@ID@",
        "ws://@CANARY@/@ID@",
        "unix:///run/docker.sock?@ID@",
        "jar:http://@CANARY@/@ID@!/",
        "view-source:http://@CANARY@/@ID@",
        "blob:http://@CANARY@/@ID@",
        "//@CANARY@/@ID@",
        "@CANARY@/@ID@",
    )
)

URLS = (*PARSERS, *NOTATIONS, *PLACES, *HOSTS, *SCHEMES)
