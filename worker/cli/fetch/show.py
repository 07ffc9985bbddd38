"""The story of a URL on one screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from worker.cli.fetch.document import told_headers
from worker.cli.fetch.ending import ending_of
from worker.cli.screen import printable
from worker.model import Page
from worker.verdict import Publish

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from worker.cli.fetch.ending import Ending
    from worker.cli.fetch.story import Charset, Robots, Story, Turn
    from worker.fetch.observation import Exchange
    from worker.settings import Settings
    from worker.store.host_states import HostState

_SOURCES = {
    "bom": "its byte order mark",
    "header": "the Content-Type header",
    "meta": "its <meta> tag",
    "bytes": "its bytes",
}
_PACE_SOURCES = {
    "default": "INGEST_HOST_SPACING_S",
    "override": "an override for this host",
    "crawl_delay": "its robots.txt's Crawl-delay",
}
_ROBOTS_FROM = {"asked": "asked now", "before": "as asked above", "fleet": "the fleet's copy in Redis"}


def shown(story: Story, settings: Settings, *, all_headers: bool) -> RenderableType:
    """The whole of it."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for number, turn in enumerate(story.turns, 1):
        table.add_row(f"{number}", _headline(turn))
        for label, text in _rows(turn, settings, all_headers=all_headers):
            table.add_row(f"  {label}", text)
    if charset := story.charset:
        table.add_row("charset", _charset(charset))
    ending = ending_of(story, settings)
    for label, text in _failure(ending, settings) if ending else _article(story):
        table.add_row(label, text)
    canonical = [] if story.url == story.requested_url else [Text(f"canonical form: {printable(story.url)}")]
    return Group(*canonical, table)


def _headline(turn: Turn) -> Text:
    request = turn.request
    text = Text(printable(turn.url), "bold")
    if request is None:
        return text.append("  not requested", "yellow")
    if request.status is not None:
        good = request.failure is None
        text.append(f"  {request.status}", "green" if good else "bold red")
    if turn.location:
        text.append(f" → {printable(turn.location)}", "bold")
    return text


def _rows(turn: Turn, settings: Settings, *, all_headers: bool) -> Iterator[tuple[str, Text]]:
    yield "guard", _guard(turn)
    yield "robots", _robots(turn, settings)
    yield "policy", _policy(turn, settings)
    if turn.fleet:
        yield "fleet", _fleet(turn.fleet)
    label = "timing"
    for exchange in (*turn.robots_requests, *([turn.request] if turn.request else [])):
        if exchange.status is not None or exchange.connect_s is not None:
            what = "page" if exchange is turn.request else "robots.txt"
            yield label, Text(f"{what} {_timing(exchange)}; {_connection(exchange)}")
            label = ""
    if (request := turn.request) is None or request.status is None:
        return
    if all_headers:
        for number, (name, value) in enumerate(told_headers(request, everything=True)):
            yield "" if number else "headers", Text(printable(f"{name}: {value}"))
    elif headers := told_headers(request, everything=False):
        yield "headers", Text(printable(" · ".join(f"{name}: {value}" for name, value in headers)))
    if isinstance(request.answer, Page):
        yield "body", _body(request.answer, request)


def _guard(turn: Turn) -> Text:
    if (lookup := turn.lookup) is None:
        return Text("passed, on a connection from above")
    if not turn.judged:
        return Text(
            f"no address to judge: {printable(lookup.failure.detail)}" if lookup.failure else "passed"
        )
    return Text(" · ").join(
        Text(f"{printable(judged.refusal)}: refused", "red")
        if judged.refusal
        else Text(f"{judged.address} allowed")
        for judged in turn.judged
    )


def _robots(turn: Turn, settings: Settings) -> Text:
    if not settings.obey_robots:
        return Text("not obeyed (INGEST_OBEY_ROBOTS)", "yellow")
    if (robots := turn.robots) is None:
        asked = turn.robots_requests[-1] if turn.robots_requests else None
        status = asked.status if asked else None
        return Text("could not be had" + (f": status {status}" if status else ""), "red")
    verdict = Text("allowed") if robots.allowed else Text("disallowed", "red")
    verdict.append(f" {printable(_because(robots))}")
    if robots.crawl_delay_s is not None:
        verdict.append(f"; a request every {robots.crawl_delay_s:g} s")
    return verdict.append(f" ({robots.origin}/robots.txt, {_ROBOTS_FROM[robots.came_from]})", "dim")


def _because(robots: Robots) -> str:
    if robots.verdict == "allow_all":
        return "since there is no robots.txt"
    return f"by “{robots.rule}”" if robots.rule else "since no rule is about it"


def _policy(turn: Turn, settings: Settings) -> Text:
    pace, whose = turn.pace, f"{'all of ' if settings.host_grouping == 'domain' else ''}{turn.host}"
    slots = "one at a time" if pace.slots == 1 else f"{pace.slots} at once"
    return Text(f"{whose}: a request every {pace.spacing_s:g} s, {slots} ({_PACE_SOURCES[pace.source]})")


def _fleet(host: HostState) -> Text:
    text = Text(
        f"{host.in_work} of {host.slots} in work, {host.waiting:,} waiting, "
        f"the next in {host.due_in_s:.1f} s, one every {host.spacing_s:g} s"
    )
    if host.slowed and host.latency_s:
        text.append(f" as answers take {_ms(host.latency_s)}")
    if host.strikes:
        text.append(f"; {host.strikes} strikes", "yellow")
    if host.breaker != "closed":
        text.append(f"; breaker {host.breaker.replace('_', '-')}: only a probe may pass", "red")
    elif host.failures:
        text.append(f"; {host.failures} failures in a row", "yellow")
    return text


def _timing(exchange: Exchange) -> str:
    steps = {
        "DNS": exchange.dns_s,
        "connect with TLS" if exchange.url.startswith("https:") else "connect": exchange.connect_s,
        "first byte": exchange.first_byte_s,
        "body": exchange.body_s,
    }
    told = ", ".join(f"{name} {_ms(seconds)}" for name, seconds in steps.items() if seconds is not None)
    tries = f", at try {exchange.tries}" if exchange.tries > 1 else ""
    return f"{_ms(exchange.total_s)} = {told}{tries}"


def _connection(exchange: Exchange) -> str:
    words = ["kept alive" if exchange.reused else "new connection"]
    if exchange.peer:
        words.append(f"to {_endpoint(*exchange.peer)}")
    if exchange.proxy:
        words.append(f"through {exchange.proxy}")
    return " ".join(words) + (f", HTTP/{exchange.http_version}" if exchange.http_version else "")


def _endpoint(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _body(page: Page, exchange: Exchange) -> Text:
    if not (coding := exchange.header("Content-Encoding")):
        return Text(f"{page.wire_bytes:,} bytes, not compressed")
    sizes = f"{page.wire_bytes:,} bytes on the wire, {len(page.body):,} decompressed"
    return Text(f"{sizes} ({printable(coding)})")


def _charset(charset: Charset) -> Text:
    text = Text(f"{charset.encoding}, by {_SOURCES[charset.source]}")
    agreeing = [_SOURCES[source] for source, label in charset.declared.items() if label == charset.encoding]
    if len(agreeing) > 1:
        text.append(f"; {' and '.join(agreeing[1:])} agree{'s' if len(agreeing) == 2 else ''}")
    for source, label in charset.declared.items():
        if label != charset.encoding:
            text.append(f"; {_SOURCES[source]} says {label}", "yellow")
    return text


def _article(story: Story) -> Iterator[tuple[str, Text]]:
    if not isinstance(story.end, Publish):
        return
    article = story.end.article
    yield "end", Text.assemble(("an article: ", "green"), (printable(article.title), "bold"))
    facts = [
        f"{article.word_count} words",
        article.language,
        article.published_at and f"published {article.published_at}",
        f"confidence {article.extraction.confidence:.2f}",
        f"read in {story.end.extract_ms} ms",
        *article.extraction.warnings,
    ]
    yield "", Text(printable(", ".join(fact for fact in facts if fact)))


def _failure(ending: Ending, settings: Settings) -> Iterator[tuple[str, Text]]:
    error = f": {ending.error}" if ending.error and ending.reason != "robots" else ""
    yield "end", Text.assemble((ending.reason, "bold red"), f", {ending.says}{printable(error)}")
    if ending.again:
        asked = f", not before {ending.retry_after_s:g} s" if ending.retry_after_s else ""
        held = "; the host is left alone meanwhile" if ending.hold_host else ""
        first_s = min(settings.retry_base_s, settings.retry_max_s)
        yield "", Text(f"{ending.attempts} tries in all, the second within {first_s:g} s{asked}{held}")
    else:
        yield "", Text("not tried again: a dead letter")
    if ending.remedy:
        yield "remedy", Text(printable(ending.remedy))


def _ms(seconds: float) -> str:
    milliseconds = seconds * 1000
    return f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{milliseconds:.1f} ms"
