"""Texts that are near-duplicates of an article, and texts that only look like it, made by fixed rules."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from worker.errors import NotAnArticle
from worker.extract import extract_article

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tests.bench.extract_pages import KnownPage

_BOILERPLATE = (
    "Follow us on our app for the latest headlines, pictures and live reports.",
    "Sign up for our morning newsletter and never miss a story again.",
    "This article was translated by a machine and edited by the staff of our newsroom.",
    "Read also: what the decision means for readers in our region.",
)
_NEWSPAPERS = ("Harbour Courier", "Vale Ledger", "Polder Post", "Tidewire")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
_UP_AND_DOWN = ("rose", "fell", "climbed", "slipped")
_FIRMS = ("Northwind", "Acme Steel", "Vale Foods", "Orbit Air", "Harbor Bank", "Globex")
_TOWNS = ("Port Ellery", "Lindmoor", "Skerry Bay", "Saltmarsh", "Valmora", "Serrana")
_SKIES = ("partly cloudy", "clear", "cloudy with light rain", "stormy")


@dataclass(frozen=True, slots=True)
class Text:
    """An article's paragraphs, and where they are from."""

    name: str
    publisher: str
    paragraphs: tuple[str, ...]

    @property
    def text(self) -> str:
        """As in an event."""
        return "\n\n".join(self.paragraphs)


def texts_of(pages: Iterable[KnownPage]) -> list[Text]:
    """What extraction makes of the pages that are articles."""
    found = []
    for page in pages:
        try:
            article = extract_article(page.body, url=page.url, content_type=page.content_type)
        except NotAnArticle:
            continue
        if page.is_article:
            found.append(Text(page.name, page.publisher, tuple(each.text for each in article.paragraphs)))
    return found


def without_end(paragraphs: Sequence[str], share: float) -> list[str]:
    """The last `share` of the words cut off."""
    left = round(sum(len(each.split()) for each in paragraphs) * (1 - share))
    kept: list[str] = []
    for each in paragraphs:
        if left <= 0:
            break
        kept.append(" ".join(each.split()[:left]))
        left -= len(each.split())
    return kept


def without_start(paragraphs: Sequence[str], share: float) -> list[str]:
    """The first `share` of the words cut off."""
    return _reversed_all(without_end(_reversed_all(paragraphs), share))


def with_agency(paragraphs: Sequence[str]) -> list[str]:
    """A dateline before it, and the agency's credits behind."""
    names = "(Reporting by Ada Morrow and Lin Tao; Editing by Kit Farrow)"
    return [f"SALTMARSH, June 3 (Tidewire) - {paragraphs[0]}", *paragraphs[1:], names]


def with_boilerplate(paragraphs: Sequence[str], count: int, random: Random) -> list[str]:
    """So many sentences of a template between the paragraphs."""
    mixed = list(paragraphs)
    for sentence in random.sample(_BOILERPLATE, count):
        mixed.insert(random.randrange(len(mixed) + 1), sentence)
    return mixed


def reworded(paragraphs: Sequence[str], share: float, random: Random, others: Sequence[str]) -> list[str]:
    """So many of the words replaced by words of other articles."""
    return [
        " ".join(random.choice(others) if random.random() < share else word for word in each.split())
        for each in paragraphs
    ]


def copies(text: Text, others: Sequence[str], random: Random) -> dict[str, str]:
    """What newspapers make of a wire's article, by what they did to it. `others` are words to put in."""
    own = text.paragraphs
    edited = with_agency(with_boilerplate(without_end(own, 0.2), 2, random))
    made = {
        "headline edited": [f"{random.choice(_NEWSPAPERS)}: a new headline over the same story", *own],
        "agency line and credits": with_agency(own),
        **{f"last {share} % cut": without_end(own, share / 100) for share in (10, 20, 30, 40)},
        **{f"first {share} % cut": without_start(own, share / 100) for share in (10, 20, 30, 40)},
        "2 sentences inserted": with_boilerplate(own, 2, random),
        "4 sentences inserted": with_boilerplate(own, 4, random),
        **{
            f"{share} % of words replaced": reworded(own, share / 100, random, others) for share in (2, 5, 10)
        },
        "agency, 20 % cut, 2 inserted": edited,
    }
    return {name: "\n\n".join(paragraphs) for name, paragraphs in made.items()}


def market_report(random: Random) -> str:
    """One of the reports that a program writes of every share on every day."""
    pick, went = random.choice, _UP_AND_DOWN

    def figure(low: float, high: float) -> str:
        return f"{random.uniform(low, high):.2f}"

    firm, (other, third) = pick(_FIRMS), random.sample(_FIRMS, 2)
    sentences = (
        f"Shares of {firm} {pick(went)} {figure(0.1, 6)} percent to ${figure(10, 400)} on {pick(_DAYS)},",
        f"as the index {pick(went)} {figure(0.1, 2)} percent to {figure(4000, 6000)}.",
        f"It was the stock's {pick(('second', 'third'))} consecutive day of {pick(('gains', 'losses'))}.",
        f"{firm} closed ${figure(1, 90)} below its high of the year of ${figure(90, 500)},",
        f"which the company reached on March {random.randrange(1, 32)}.",
        f"The stock's trading volume of {figure(1, 90)} million shares was {pick(('above', 'below'))}",
        f"its 50-day average volume of {figure(1, 90)} million shares.",
        f"{other} {pick(went)} {figure(0.1, 5)} percent to ${figure(10, 300)},",
        f"and {third} {pick(went)} {figure(0.1, 5)} percent to ${figure(10, 300)}.",
        f"Analysts expect earnings of {figure(0.1, 9)} per share for the quarter,",
        f"on revenue of {figure(1, 60)} billion dollars.",
    )
    return " ".join(sentences)


def weather_report(random: Random) -> str:
    """One of the reports of a weather service."""
    pick, number = random.choice, random.randrange

    def degrees(low: int, high: int) -> str:
        return f"between {number(low, high)} and {number(high, high + 15)} degrees"

    sentences = (
        f"The weather in {pick(_TOWNS)} will be {pick(_SKIES)} on {pick(_DAYS)},",
        f"with temperatures {degrees(3, 15)}, according to the meteorological department.",
        f"On the coast temperatures range {degrees(8, 18)}, in the mountains {degrees(0, 8)},",
        f"and in the valley {degrees(0, 10)}.",
        f"Surface winds are {pick(('westerly', 'northerly', 'variable'))}",
        f"at {number(5, 20)} to {number(21, 60)} kilometres per hour.",
        f"Visibility is {pick(('good', 'moderate'))} and the sea is {pick(('calm', 'rough', 'moderate'))},",
        f"its surface {number(10, 22)} degrees warm. Humidity is {number(40, 95)} percent,",
        f"and the atmospheric pressure {number(750, 770)} millimetres.",
        f"The sun rises at {number(5, 8)}:{number(10, 60)} and sets at {number(16, 20)}:{number(10, 60)}.",
    )
    return " ".join(sentences)


def reports(write: Callable[[Random], str], count: int) -> list[str]:
    """So many reports of one kind, of different days."""
    return [write(Random(number)) for number in range(count)]


def _reversed(paragraph: str) -> str:
    return " ".join(reversed(paragraph.split()))


def _reversed_all(paragraphs: Sequence[str]) -> list[str]:
    return [_reversed(each) for each in reversed(paragraphs)]
