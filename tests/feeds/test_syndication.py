"""RSS 0.9x, 1.0 and 2.0 and Atom, as publishers write them: links, titles, dates, authors."""

from __future__ import annotations

import pytest

from tests.feeds.documents import NAMESPACES, URL, atom, links, read, rss

LINK = "<link>https://news.example/1</link>"
ONE = ["https://news.example/1"]


def test_rss_2() -> None:
    """All that an item says of an article, and its feed of all."""
    feed = read(
        rss(
            f"<title>Pier stays open</title>{LINK}<guid>n1</guid><dc:creator>Ann Bell</dc:creator>"
            "<dc:creator>Bo Carr</dc:creator><pubDate>Wed, 04 Mar 2026 05:06:07 +0100</pubDate>",
            channel="<title>News</title><language>en-GB</language><link>https://news.example/</link>",
        )
    )
    (entry,) = feed.entries
    assert (feed.kind, feed.title, feed.language, feed.broken) == ("rss", "News", "en-GB", None)
    assert entry.meta(feed, URL) == {
        "feed": URL,
        "feed_title": "News",
        "feed_kind": "rss",
        "entry_id": "n1",
        "title": "Pier stays open",
        "published_at": "2026-03-04T05:06:07+01:00",
        "author": "Ann Bell, Bo Carr",
        "authors": ["Ann Bell", "Bo Carr"],
        "language": "en-GB",
    }


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(
            '<?xml version="1.0"?><!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" '
            '"http://my.netscape.com/publish/formats/rss-0.91.dtd"><rss version="0.91"><channel>'
            f"<title>News</title><item><title>T</title>{LINK}</item></channel></rss>",
            id="0.91",
        ),
        pytest.param(
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
            'xmlns="http://my.netscape.com/rdf/simple/0.9/"><channel><title>News</title></channel>'
            f"<item><title>T</title>{LINK}</item></rdf:RDF>",
            id="0.90",
        ),
        pytest.param(
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
            'xmlns="http://purl.org/rss/1.0/"><channel rdf:about="https://news.example/"><title>News</title>'
            '<items><rdf:Seq><rdf:li resource="https://news.example/1"/></rdf:Seq></items></channel>'
            f'<item rdf:about="https://news.example/1"><title>T</title>{LINK}</item></rdf:RDF>',
            id="1.0",
        ),
        pytest.param(
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
            'xmlns="http://purl.org/rss/1.0/"><channel><title>News</title></channel>'
            '<item rdf:about="https://news.example/1"><title>T</title></item></rdf:RDF>',
            id="1.0 without links",
        ),
        pytest.param(
            '<rss version="2.0" xmlns="http://backend.userland.com/rss2"><channel><title>News</title>'
            f"<item><title>T</title>{LINK}</item></channel></rss>",
            id="2.0 in a namespace",
        ),
        pytest.param(
            f"<RSS><CHANNEL><TITLE>News</TITLE><ITEM><TITLE>T</TITLE>{LINK}</ITEM></CHANNEL></RSS>",
            id="shouted",
        ),
        pytest.param(
            f"<br />\n<b>Warning</b>: fopen() in <b>/x.php</b> {rss(f'<title>T</title>{LINK}')}", id="warned"
        ),
        pytest.param(
            f"\n\n  \ufeff<?xml version='1.0'?>{rss(f'<title>T</title>{LINK}')[21:]}", id="late declaration"
        ),
        pytest.param(
            '<feed version="0.3" xmlns="http://purl.org/atom/ns#"><title>News</title><entry><title>T</title>'
            '<link rel="alternate" type="text/html" href="https://news.example/1"/></entry></feed>',
            id="Atom 0.3",
        ),
        pytest.param(
            '<a:feed xmlns:a="http://www.w3.org/2005/Atom"><a:title>News</a:title><a:entry><a:title>T</a:title>'
            '<a:link href="https://news.example/1"/></a:entry></a:feed>',
            id="Atom with a prefix",
        ),
    ],
)
def test_versions(document: str) -> None:
    """Whatever its version, a feed has its title, and its entries a link and a title."""
    feed = read(document)
    assert feed.title == "News"
    assert [(entry.url, entry.title) for entry in feed.entries] == [("https://news.example/1", "T")]


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("<guid>https://news.example/1</guid>", ONE),
        ('<guid isPermaLink="true">https://news.example/1</guid>', ONE),
        ('<guid isPermaLink="false">https://news.example/1</guid>', []),
        ("<guid>n1</guid>", []),
        ("<link/><guid>https://news.example/1</guid>", ONE),
        (f"{LINK}<guid>https://news.example/2</guid>", ONE),
        ("<link> \n https://news.example/1\n</link>", ONE),
        ("<link><![CDATA[https://news.example/1?a=1&b=2]]></link>", ["https://news.example/1?a=1&b=2"]),
        ("<link>https://news.example/1?a=1&b=2&amp;copy=3</link>", ["https://news.example/1?a=1&b=2&copy=3"]),
        ("<link>/1</link>", ONE),
        ("<link>//news.example/1</link>", ONE),
        ('<atom:link rel="self" href="https://news.example/1.json"/>' + LINK, ONE),
        ('<atom:link href="https://news.example/1"/>', ONE),
        (
            "<link>https://fb.example/~r/1</link><feedburner:origLink>https://news.example/1</feedburner:origLink>",
            ONE,
        ),
        ("<link>ftp://news.example/1</link>", []),
        ("<link>javascript:alert(1)</link>", []),
        ('<media:content url="https://news.example/1.jpg"/>', []),
        ('<enclosure url="https://news.example/1.mp3"/>' + LINK, ONE),
    ],
)
def test_link_of_an_item(item: str, expected: list[str]) -> None:
    """An item's page is told from what else has an address; an item without one is passed over."""
    feed = read(rss(item))
    assert [entry.url for entry in feed.entries] == expected
    assert feed.passed_over == (not expected)


@pytest.mark.parametrize(
    ("entry", "attributes", "expected"),
    [
        ('<link href="https://news.example/1"/>', "", ONE),
        ('<link rel="self" href="/s"/><link rel="alternate" href="/1"/>', "", ONE),
        (
            '<link rel="alternate" type="application/json" href="/j"/><link type="text/html" href="/1"/>',
            "",
            ONE,
        ),
        ('<link rel="enclosure" href="/1.mp3"/><link href="/1"/><link href="/2"/>', "", ONE),
        ('<link href="1"/>', 'xml:base="https://news.example/"', ONE),
        ('<link xml:base="deep/" href="../1"/>', 'xml:base="https://news.example/"', ONE),
        ('<link href="/1?a=1&amp;b=2"/>', "", ["https://news.example/1?a=1&b=2"]),
        ("<id>https://news.example/1</id>", "", ONE),
        ("<id>tag:news.example,2026:1</id>", "", []),
        ('<link rel="replies" href="/1#comments"/>', "", []),
    ],
)
def test_link_of_an_entry(entry: str, attributes: str, expected: list[str]) -> None:
    """Of several links the alternate counts, one to a page first; xml:base holds where it stands."""
    assert links(atom(entry, attributes=attributes)) == expected


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("<title>Fish &amp; chips</title>", "Fish & chips"),
        ("<title>Fish &amp;amp; chips</title>", "Fish & chips"),
        ("<title>Fish & chips</title>", "Fish & chips"),
        ("<title><![CDATA[Fish &amp; <em>chips</em>]]></title>", "Fish & chips"),
        ("<title>&lt;b&gt;Fish&lt;/b&gt;</title>", "Fish"),
        ("<title>Caf&eacute;&nbsp;noir &hellip;</title>", "Café noir …"),
        ("<title>1 &lt; 2</title>", "1 < 2"),
        ("<title>\n  Two\n  lines </title>", "Two lines"),
        ("<title>&unknown; &#x1F41F;</title>", "&unknown; 🐟"),
        ("<title>a\x0bb</title>", "ab"),
        ("<title></title>", None),
        ("<media:title>Picture</media:title>", None),
        ("<title>First</title><title>Second</title>", "First"),
        ("<dc:title>From Dublin</dc:title>", "From Dublin"),
        (f"<title>{'x' * 9_000}</title>", "x" * 500),
    ],
)
def test_title(title: str, expected: str | None) -> None:
    """Titles come out as text, though they went in as HTML, escaped once or twice."""
    (entry,) = read(rss(LINK + title)).entries
    assert entry.title == expected


def test_title_of_an_entry_in_xhtml() -> None:
    """Elements within a title are its markup."""
    title = (
        '<title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">Fish <em>and</em> chips</div></title>'
    )
    (entry,) = read(atom(f'{title}<link href="/1"/>')).entries
    assert entry.title == "Fish and chips"


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("<pubDate>Wed, 04 Mar 2026 05:06:07 GMT</pubDate>", "2026-03-04T05:06:07+00:00"),
        ("<pubDate>Wed, 4 Mar 2026 05:06 EST</pubDate>", "2026-03-04T05:06:00-05:00"),
        ("<pubDate>4 March 2026 05:06:07 +0200</pubDate>", "2026-03-04T05:06:07+02:00"),
        ("<pubDate>2026-03-04T05:06:07Z</pubDate>", "2026-03-04T05:06:07+00:00"),
        ("<pubDate>2026-03-04 05:06:07</pubDate>", "2026-03-04T05:06:07-00:00"),
        ("<pubDate>1772600767</pubDate>", "2026-03-04T05:06:07+00:00"),
        ("<dc:date>2026-03-04</dc:date>", "2026-03-04T00:00:00-00:00"),
        ("<dcterms:issued>2026-03-04T05:06:07.123+01:00</dcterms:issued>", "2026-03-04T05:06:07+01:00"),
        ("<pubDate>yesterday</pubDate>", None),
        ("<pubDate/>", None),
    ],
)
def test_date(date: str, expected: str | None) -> None:
    """Dates in the forms that are met; what is no date is none, and not a guess."""
    (entry,) = read(rss(LINK + date)).entries
    assert entry.published_at == expected


def test_dates_of_an_entry() -> None:
    """Publication and change are two things, and the later one is when it was new."""
    dates = "<published>2026-03-04T05:00:00Z</published><updated>2026-03-05T05:00:00Z</updated>"
    feed = read(atom(f'<link href="/1"/>{dates}'))
    (entry,) = feed.entries
    assert entry.published_at == "2026-03-04T05:00:00+00:00"
    assert entry.updated_at == "2026-03-05T05:00:00+00:00"
    assert feed.newest == entry.when


@pytest.mark.parametrize(
    ("authors", "expected"),
    [
        ("<author>desk@news.example (Ann Bell)</author>", ("Ann Bell",)),
        ("<author>desk@news.example</author>", ()),
        ("<author>Ann Bell</author>", ("Ann Bell",)),
        ("<author><name>Ann Bell</name><uri>/ann</uri></author>", ("Ann Bell",)),
        ("<author>x</author><dc:creator><![CDATA[Ann &amp; Bo]]></dc:creator>", ("Ann & Bo",)),
        ("<dc:creator>Ann</dc:creator><dc:creator>Ann</dc:creator>", ("Ann",)),
        ("<dc:creator> </dc:creator>", ()),
    ],
)
def test_authors(authors: str, expected: tuple[str, ...]) -> None:
    """Names of persons, without their addresses."""
    (entry,) = read(rss(LINK + authors)).entries
    assert entry.authors == expected


def test_author_of_a_whole_feed() -> None:
    """Atom: the feed's author is that of the entries that name none (RFC 4287, 4.1.2)."""
    own = "<author><name>Bo</name></author>"
    head = "<title>News</title><author><name>Ann</name></author>"
    feed = read(atom('<link href="/1"/>', f'<link href="/2"/>{own}', head=head))
    assert [entry.authors for entry in feed.entries] == [("Ann",), ("Bo",)]


def test_prefix_without_a_declaration() -> None:
    """What a prefix means is plain without its declaration."""
    document = (
        f"<rss><channel><title>N</title><item>{LINK}<dc:creator>Ann</dc:creator></item></channel></rss>"
    )
    (entry,) = read(document).entries
    assert entry.authors == ("Ann",)


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        ("<ttl>60</ttl>", 3600),
        ("<ttl>0</ttl>", None),
        ("<ttl>often</ttl>", None),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency>", 1800),
        ("<sy:updatePeriod>\n weekly </sy:updatePeriod>", 604_800),
        ("<sy:updateFrequency>24</sy:updateFrequency>", 3600),
        ("<sy:updatePeriod>now and then</sy:updatePeriod>", None),
        ("<ttl>10</ttl><sy:updatePeriod>hourly</sy:updatePeriod>", 3600),
        ("", None),
    ],
)
def test_how_long_a_feed_asks_to_be_left_alone(channel: str, expected: float | None) -> None:
    """By ttl in minutes, or by sy:updatePeriod over sy:updateFrequency; the longer counts."""
    assert read(rss(channel=channel)).refresh_s == expected


def test_duplicate_guids_keep_their_entries() -> None:
    """Entries are told apart by their links: a guid that all share is a publisher's mistake."""
    items = [f"<guid isPermaLink='false'>0</guid><link>https://news.example/{n}</link>" for n in range(3)]
    assert links(rss(*items)) == [f"https://news.example/{n}" for n in range(3)]


def test_titles_of_inner_elements_are_not_the_items() -> None:
    """An item's own elements count, not those of markup within them."""
    content = "<content:encoded><div><link>/9</link><title>No</title></div></content:encoded>"
    feed = read(rss(f"{content}<title>T</title><link>/2</link>"))
    assert [(entry.url, entry.title) for entry in feed.entries] == [("https://news.example/2", "T")]


def test_channel_elements_after_the_items() -> None:
    """A channel may say what it is at its end, and its image's title is not its own."""
    document = (
        f"<rss {NAMESPACES}><channel><image><title>Logo</title></image><item>{LINK}</item>"
        "<title>News</title><ttl>5</ttl></channel></rss>"
    )
    feed = read(document)
    assert (feed.title, feed.refresh_s, len(feed.entries)) == ("News", 300, 1)
