"""The way in: the bytes of a page become an Article, or NotAnArticle says why not.

Pure and total: no I/O, no state, and for any bytes one of the two and nothing else. Steps: read the bytes
as text, parse once, read the structured data once, then each field chooses among its candidates.
"""

from __future__ import annotations

from bisect import bisect_right
from hashlib import sha256
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from worker.errors import NotAnArticle
from worker.extract import details, sniff
from worker.extract.addresses import canonical_url
from worker.extract.agencies import agency_of
from worker.extract.body import read_body
from worker.extract.charset import decode
from worker.extract.dates import find_dates, plain_date
from worker.extract.elsewhere import with_more
from worker.extract.indexing import Indexing
from worker.extract.judgement import completeness, confidence, refuse_unless_article
from worker.extract.language import choose_language, direction_of, script_of
from worker.extract.markup import bounded, parse
from worker.extract.people import agency_names, find_people, newsroom_of, signature_of
from worker.extract.plain_text import read_plain
from worker.extract.structured import Candidate, read_structured
from worker.extract.text import letters, measured, reading_time_s, squeeze
from worker.extract.titles import choose_title, known_names, signed_with
from worker.extract.trail import section
from worker.model import Access, Article, Extraction, Publisher

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from worker.extract.charset import Decoded
    from worker.extract.structured import Structured
    from worker.extract.text import Measures
    from worker.model import Paragraph

#: Of the rules as a whole. It goes up whenever the same page may give another article.
VERSION = "3"
#: Longer texts are cut here.
_MAX_TEXT_CHARS = 500_000  # as long as a novel: such a page is copied on its way in many memories
_MAX_PLAIN_CHARS = 1_000_000


def extract_article(
    page: bytes,
    *,
    url: str,
    content_type: str | None = None,
    fetched_at: datetime | None = None,
    hints: Mapping[str, object] | None = None,
    subject: str | None = None,
    indexing: Indexing = Indexing(),  # noqa: B008 - frozen
) -> Article:
    """Read the article of `page`, which was found at `url` (the last one, after redirects).

    `content_type` is the header's value; `fetched_at` (aware) refuses dates of the future; `url` is the one
    that answered, and `subject` (by default `url`) the task's canonical URL: the article's `url`, of which
    `article_id` is made. `hints` are a producer's
    `title`, `published_at`, `author` and `language`: strings, believed only where the page says nothing.
    `indexing` is what the response said by X-Robots-Tag: the warning `noindex` tells of it.
    Raises NotAnArticle, whose `why` is a row of `worker.extract.judgement.WHYS`.
    """
    sniff.refuse_binary(page, content_type)
    decoded = decode(page, content_type)
    known = {key: squeeze(value) for key, value in (hints or {}).items() if isinstance(value, str)}
    read = _from_plain_text if sniff.is_plain_text(decoded.utf8, content_type) else _from_html
    subject = subject or url
    return read(decoded, url=url, subject=subject, fetched_at=fetched_at, hints=known, indexing=indexing)


def _from_html(
    decoded: Decoded,
    *,
    url: str,
    subject: str,
    fetched_at: datetime | None,
    hints: dict[str, str],
    indexing: Indexing,
) -> Article:
    page, cuts = bounded(decoded.utf8)
    tree = parse(page)
    facts = read_structured(tree, url=url)
    names = known_names(facts, url)
    title = choose_title(facts, url=url, names=names, hint=hints.get("title"))
    description = next(iter(facts.descriptions()), None)
    body = read_body(
        tree,
        title=title.text if title else None,
        summaries=facts.summaries(),
        written=facts.written,
    )
    people = find_people(tree, facts, url=url, site_names=names, hint=hints.get("author"))
    authors, author_source, paragraphs = people.authors, people.source, body.paragraphs
    nobody = names | agency_names(people)
    if title:
        nobody |= signed_with(facts, title.text) | {letters(title.text)}
    if not authors and (authors := newsroom_of(facts, as_person=True)):
        author_source = "jsonld:author"
    if not authors:
        authors, line = signature_of(body, site_names=nobody, tree=tree)
        author_source = "text" if authors else None
        paragraphs = tuple(paragraph for paragraph in paragraphs if paragraph is not line)
    if not authors and (authors := newsroom_of(facts)):
        author_source = "jsonld:author"
    paragraphs, shortened = _bounded(paragraphs)
    cuts += shortened
    joined, measures = _measured(paragraphs)
    count, script = measures.word_count, script_of(joined)
    try:
        refuse_unless_article(title, paragraphs, count=count, density=body.linked, facts=facts, url=url)
    except NotAnArticle as refusal:
        raise with_more(refusal, tree, facts, url=url) from None
    assert title is not None  # noqa: S101 - refused above
    language = choose_language(_languages(facts, hints), joined, script)
    dates = find_dates(
        tree,
        facts,
        title=title.text,
        body=body,
        url=url,
        language=language.tag,
        fetched_at=fetched_at,
        hint=hints.get("published_at"),
    )
    canonical, canonical_source = canonical_url(facts, url)
    filed = section(tree, facts, url=url, title=title.text)
    keywords, keywords_source = details.keywords(facts)
    subtitle = next((c for c in _subtitles(facts) if letters(c.value) != letters(title.text)), None)
    agency = people.agency or agency_of([paragraph.text for paragraph in paragraphs])
    access = details.access(facts)
    return Article(
        article_id=_identity(subject),
        url=subject,
        canonical_url=canonical,
        title=title.text,
        subtitle=subtitle.value if subtitle else None,
        description=description.value if description else None,
        authors=authors,
        agency=agency,
        publisher=details.publisher(facts, url),
        section=filed.value if filed else None,
        keywords=keywords,
        language=language.tag,
        direction=direction_of(facts.direction, script),
        published_at=dates.published.at if dates.published else None,
        published_at_evidence=dates.published.evidence if dates.published else None,
        modified_at=dates.modified.at if dates.modified else None,
        modified_at_evidence=dates.modified.evidence if dates.modified else None,
        images=details.images(tree, facts, url=url, title=title.text, paragraphs=paragraphs),
        videos=details.videos(facts, url),
        access=access,
        completeness=completeness(joined, count, facts, access),
        type=details.kind(facts),
        charset=decoded.encoding,
        **_text_fields(paragraphs, joined, measures),
        extraction=Extraction(
            method="html",
            version=VERSION,
            confidence=confidence(count, body, title, dates),
            provenance=_sources(
                title=title.source,
                text=body.method,
                canonical_url=canonical_source,
                subtitle=subtitle.source if subtitle else None,
                description=description.source if description else None,
                authors=author_source,
                agency=(people.agency_source or "text") if agency else None,
                section=filed.source if filed else None,
                keywords=keywords_source,
                language=language.source,
                published_at=dates.published.evidence.source if dates.published else None,
                modified_at=dates.modified.evidence.source if dates.modified else None,
            ),
            disagreements=(*_title_disagreements(title.others), *dates.disagreements),
            warnings=(
                *(*decoded.warnings, *cuts, *facts.warnings, *language.warnings),
                *indexing.warnings(facts.meta),
            ),
        ),
    )


def _from_plain_text(
    decoded: Decoded,
    *,
    url: str,
    subject: str,
    fetched_at: datetime | None,
    hints: dict[str, str],
    indexing: Indexing,
) -> Article:
    whole = decoded.text
    text = whole[:_MAX_PLAIN_CHARS].replace("\0", "\ufffd")
    cuts = ("page_cut",) if len(whole) > _MAX_PLAIN_CHARS else ()
    plain = read_plain(text, language=hints.get("language"))
    joined, measures = _measured(plain.paragraphs)
    script = script_of(joined)
    if (count := measures.word_count) < sniff.FEW_WORDS:
        raise NotAnArticle("too_short" if count else "no_body", f"{count} words of prose")
    if plain.title is None:
        raise NotAnArticle("no_title", "plain text without a line above its prose")
    declared = [Candidate(hints["language"], "hint:language")] if "language" in hints else []
    language = choose_language(declared, joined, script)
    dated = plain_date(plain.published, fetched_at=fetched_at)
    return Article(
        article_id=_identity(subject),
        url=subject,
        canonical_url=url.partition("#")[0],
        title=plain.title,
        authors=plain.authors,
        agency=plain.agency,
        publisher=Publisher(None, sniff.domain(url)),
        section=plain.section,
        keywords=plain.keywords,
        language=language.tag,
        direction=direction_of(None, script),
        published_at=dated.at if dated else None,
        published_at_evidence=dated.evidence if dated else None,
        access=Access(),
        charset=decoded.encoding,
        **_text_fields(plain.paragraphs, joined, measures),
        extraction=Extraction(
            method="plain_text",
            version=VERSION,
            confidence=round(0.4 * min(1.0, count / 250) + 0.3 * bool(dated), 2),
            provenance=_sources(
                title="text",
                text="prose",
                canonical_url="url",
                authors="text" if plain.authors else None,
                agency="text" if plain.agency else None,
                section="text" if plain.section else None,
                keywords="text" if plain.keywords else None,
                language=language.source,
                published_at="text" if dated else None,
            ),
            warnings=(*decoded.warnings, *cuts, *language.warnings, *indexing.warnings({})),
        ),
    )


def _identity(subject: str) -> str:
    return sha256(subject.encode("utf-8", "replace")).hexdigest()[:32]


def _text_fields(paragraphs: tuple[Paragraph, ...], text: str, measures: Measures) -> dict[str, Any]:
    return {
        "text": text,
        "paragraphs": paragraphs,
        "word_count": measures.word_count,
        "reading_time_s": reading_time_s(measures.word_count),
        "content_hash": measures.content_hash,
        "simhash": measures.simhash,
    }


def _bounded(paragraphs: tuple[Paragraph, ...]) -> tuple[tuple[Paragraph, ...], tuple[str, ...]]:
    """The first 500,000 characters of `paragraphs`, and a warning if there are more."""
    ends = list(accumulate([len(paragraph.text) for paragraph in paragraphs]))
    kept = bisect_right(ends, _MAX_TEXT_CHARS)
    return (paragraphs, ()) if kept == len(paragraphs) else (paragraphs[:kept], ("text_cut",))


def _measured(paragraphs: Iterable[Paragraph]) -> tuple[str, Measures]:
    """The text of `paragraphs`, and its figures: of one line, which need not be squeezed."""
    texts = [paragraph.text for paragraph in paragraphs]
    return "\n\n".join(texts), measured(" ".join(texts))


def _languages(facts: Structured, hints: dict[str, str]) -> Iterable[Candidate]:
    yield from facts.jsonld("inLanguage")
    if facts.language:
        yield Candidate(facts.language, "html:lang")
    yield from facts.metas("og:locale", "content-language", "language", "dc.language")
    if "language" in hints:
        yield Candidate(hints["language"], "hint:language")


def _subtitles(facts: Structured) -> Iterable[Candidate]:
    yield from facts.jsonld("alternativeHeadline", "alternateName")
    yield from facts.microdata("alternativeHeadline")


def _title_disagreements(others: Iterable[Candidate]) -> Iterable[str]:
    return (f"title: {other.source} {other.value}" for other in others)


def _sources(**sources: str | None) -> dict[str, str]:
    return {field: source for field, source in sources.items() if source}
