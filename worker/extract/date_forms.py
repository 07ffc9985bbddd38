"""One written date to an instant: ISO 8601, RFC 5322, epochs, and what people print in a dozen languages."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from worker.extract.month_names import MONTHS

if TYPE_CHECKING:
    from worker.model import Precision

_MAX_CHARS = 120
_YEARS = range(1900, 2101)

#: What nearly all structured data holds; an offset of -00:00 says that it is not known.
_RFC_3339 = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|(?!-00:?00)[+-]\d\d:?\d\d)")
_ISO = re.compile(r"(?<!\d)(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)")
_COMPACT = re.compile(r"(?<!\d)(\d{4})(\d\d)(\d\d)(?:T?(\d\d)(\d\d)(\d\d)?)?(?!\d)")
_CJK = re.compile(r"(\d{4})\s?[年년]\s?(\d{1,2})\s?[月월]\s?(\d{1,2})\s?[日일]")
_NUMERIC = re.compile(r"(?<!\d)(\d{1,2})([-/.])\s?(\d{1,2})\2\s?(\d{4})(?!\d)")
_SHORT_YEAR = re.compile(r"(?<![\d.])(\d{1,2})\.(\d{1,2})\.(\d\d)(?![\d.])")
_DAY_NAME_YEAR = re.compile(
    r"(?<!\d)(\d{1,2})(?:\.|st|nd|rd|th|er|º|ª)?\s*(?:de\s+|-)?([^\W\d]{3,}\.?)[,\s-]+(?:de\s+|del\s+)?(\d{4})(?!\d)"
)
_NAME_DAY_YEAR = re.compile(r"([^\W\d]{3,}\.?)\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})(?!\d)")
#: What programs print: `Sun Mar 10 10:00:00 UTC 2024` (C's and Java's), `Sun Mar 10 10:00:00 +0000 2024`.
_YEAR_LAST = re.compile(
    r"([^\W\d]{3})\s+(\d{1,2})\s+(\d\d:\d\d:\d\d(?:\s+[A-Z]{1,5}|\s+(?:GMT|UTC)?[+-]\d\d:?\d\d)?)\s+(\d{4})(?!\d)"
)
#: Not in `1.234 views` nor `12.30 Euro`: with a full stop in it, a clock time is not an amount.
_CLOCK = re.compile(
    r"(?<![\d.])(?P<noon_before>午前|午後|오전|오후|上午|下午)?\s?(?P<h>[01]?\d|2[0-4])"
    r"(?:[:.]|\s?[hH]\s?|\s?[時시点]\s?)(?P<m>[0-5]\d)(?!\d)(?!\s?(?:%|€|\$|£|Euro?\b|EUR\b|Prozent|percent))"
    r"(?:[:.](?P<s>\d\d)(?:[.,]\d{1,9})?)?\s*[分분]?\s*(?P<noon>[ap]\.?m\b\.?)?"
    r"\s*\(?(?P<zone>Z\b|[+-]\d\d:?\d\d|[+-]\d\d\b|(?:GMT|UTC)\s?[+-]\d{1,2}(?::?\d\d)?\b|[A-Z]{3,4}\b)?",
    re.IGNORECASE,
)
_EPOCH = re.compile(r"\d{10}(?:\d{3})?")
#: Abbreviations that mean one offset (in hours) wherever they are printed; IST, CST and BST mean several.
_ZONES = {
    "z": 0.0,
    "gmt": 0.0,
    "utc": 0.0,
    "wet": 0.0,
    "cet": 1.0,
    "cest": 2.0,
    "mez": 1.0,
    "mesz": 2.0,
    "eet": 2.0,
    "eest": 3.0,
    "msk": 3.0,
    "edt": -4.0,
    "est": -5.0,
    "cdt": -5.0,
    "mdt": -6.0,
    "mst": -7.0,
    "pdt": -7.0,
    "pst": -8.0,
    "jst": 9.0,
    "kst": 9.0,
    "hkt": 8.0,
    "sgt": 8.0,
    "aest": 10.0,
    "aedt": 11.0,
    "sast": 2.0,
}
_AFTERNOON = ("午後", "오후", "下午", "p")


@dataclass(frozen=True, slots=True)
class Instant:
    """A point in time as exactly as it was written. `when` is aware; with an unknown offset it is in UTC."""

    when: datetime
    precision: Precision

    def rfc3339(self) -> str:
        """RFC 3339 text; an unknown offset is written `-00:00` (section 4.3)."""
        if self.precision in ("day", "local_unknown"):
            return self.when.replace(tzinfo=None).isoformat() + "-00:00"
        return self.when.isoformat()


def parse_instant(raw: str, *, language: str | None = None) -> Instant | None:
    """The instant that `raw` begins with or holds, or None.

    `language` (BCP 47) decides whether `04/05/2023` is in April or May; where it does not, such a date
    is refused, as it would be a guess.
    """
    if found := _RFC_3339.fullmatch(raw):
        try:
            when = datetime.fromisoformat(f"{found[1]}{found[2]}")
        except ValueError:
            pass  # a leap second, or hour 24
        else:
            return Instant(when, "second") if when.year in _YEARS else None
    text = _ascii_digits(raw[:_MAX_CHARS])
    if _EPOCH.fullmatch(text.strip()):
        when = datetime.fromtimestamp(int(text.strip()[:10]), UTC)
        return Instant(when, "second") if when.year in _YEARS else None
    if found := _ISO.search(text):
        return _instant(found[1], found[3], found[4], text[found.end() :], text[: found.start()])
    if found := _COMPACT.search(text):
        clock = f"{found[4]}:{found[5]}:{found[6] or '00'}" if found[4] else ""
        return _instant(found[1], found[2], found[3], clock + text[found.end() :], "")
    if found := _CJK.search(text):
        return _instant(found[1], found[2], found[3], text[found.end() :], "")
    if found := _NUMERIC.search(text):
        if order := _day_and_month(int(found[1]), int(found[3]), found[2], language):
            return _instant(found[4], order[1], order[0], text[found.end() :], text[: found.start()])
        return None
    if found := _SHORT_YEAR.search(text):
        return _instant(f"20{found[3]}", found[2], found[1], text[found.end() :], text[: found.start()])
    return _named_month(text)


def _named_month(text: str) -> Instant | None:
    for found in _DAY_NAME_YEAR.finditer(text):
        if month := MONTHS.get(_name(found[2])):
            return _instant(found[3], month, found[1], text[found.end() :], text[: found.start()])
    for found in _NAME_DAY_YEAR.finditer(text):
        if month := MONTHS.get(_name(found[1])):
            return _instant(found[3], month, found[2], text[found.end() :], text[: found.start()])
    for found in _YEAR_LAST.finditer(text):
        if month := MONTHS.get(_name(found[1])):
            return _instant(found[4], month, found[2], found[3], "")
    return None


def _name(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word.rstrip(".").casefold())
    return "".join(char for char in plain if not unicodedata.combining(char))


def _day_and_month(first: int, second: int, mark: str, language: str | None) -> tuple[int, int] | None:
    if first > 12 or mark == ".":
        return first, second
    if second > 12:
        return second, first
    language = (language or "").casefold()
    if language in ("en-us", "en-ph"):
        return second, first
    if first == second or (language and language != "en"):
        return first, second
    return None


def _instant(year: str, month: str | int, day: str | int, after: str, before: str) -> Instant | None:
    if int(year) not in _YEARS:
        return None
    try:
        midnight = datetime(int(year), int(month), int(day), tzinfo=UTC)
        # The clock stands behind the date, seldom before it (`13:39, 9 May 2023`).
        clock = _CLOCK.search(after[:40]) or _CLOCK.search(before[-20:])
        return _with_clock(midnight, clock) if clock else Instant(midnight, "day")
    except (ValueError, OverflowError):
        return None


def _with_clock(midnight: datetime, clock: re.Match[str]) -> Instant:
    hour, minute, second = int(clock["h"]), int(clock["m"]), int(clock["s"] or 0)
    if noon := clock["noon"] or clock["noon_before"]:
        hour = hour % 12 + 12 * noon.casefold().startswith(_AFTERNOON)
    # ISO 8601-1:2019 has 24:00:00 again, as the end of the day.
    day, hour = (midnight + timedelta(days=1), 0) if hour == 24 else (midnight, hour)
    local = day.replace(hour=hour, minute=minute, second=min(second, 59))
    offset = _offset(clock["zone"])
    if offset is None:
        return Instant(local, "local_unknown")
    return Instant(local.replace(tzinfo=timezone(offset)), "second" if clock["s"] else "minute")


def _offset(zone: str | None) -> timedelta | None:
    name = (zone or "").casefold()
    if name in _ZONES:
        return timedelta(hours=_ZONES[name])
    numeric = re.fullmatch(r"(?:gmt|utc)?\s?([+-])(\d{1,2}):?(\d\d)?", name)
    if not numeric or numeric[0] == "-00:00":  # RFC 3339, section 4.3: the offset is not known
        return None
    size = timedelta(hours=int(numeric[2]), minutes=int(numeric[3] or 0))
    return -size if numeric[1] == "-" else size


def _ascii_digits(text: str) -> str:
    """`text` with the digits of every script (Arabic, Persian, Bengali, …) as ASCII; wide forms narrow."""
    if text.isascii():
        return text
    return "".join(
        str(unicodedata.decimal(char)) if char.isdecimal() and not char.isascii() else char
        for char in unicodedata.normalize("NFKC", text)
    )
