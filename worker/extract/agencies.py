"""News agencies: they are a source of the text, not its authors."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from worker.extract.text import letters

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Display name, then other names and signatures, as in bylines and datelines.
_AGENCIES = (
    ("Reuters", "Thomson Reuters", "rtr"),
    ("AP", "Associated Press", "The Associated Press"),
    ("AFP", "Agence France-Presse", "Agence France Presse"),
    ("dpa", "Deutsche Presse-Agentur", "dpa-infocom", "dpa/lno", "dpa-tmn"),
    ("Xinhua", "Xinhua News Agency", "新华社"),
    ("ANSA",),
    ("EFE", "Agencia EFE"),
    ("Europa Press",),
    ("PA Media", "Press Association", "PA"),
    ("TASS", "ТАСС", "Interfax-TASS"),
    ("Interfax", "Интерфакс"),
    ("Kyodo", "Kyodo News", "共同通信", "共同"),
    ("Jiji Press", "時事通信", "時事"),
    ("Yonhap", "Yonhap News Agency", "연합뉴스"),
    ("Newsis", "뉴시스"),
    ("Anadolu", "Anadolu Agency", "Anadolu Ajansı", "AA"),
    ("DHA", "Demirören Haber Ajansı"),
    ("IHA", "İhlas Haber Ajansı"),
    ("SID", "Sport-Informations-Dienst"),
    ("epd", "Evangelischer Pressedienst"),
    ("KNA", "Katholische Nachrichten-Agentur"),
    ("APA", "Austria Presse Agentur"),
    ("Keystone-SDA", "SDA", "ATS"),
    ("Belga",),
    ("ANP", "Algemeen Nederlands Persbureau"),
    ("NTB",),
    ("Ritzau",),
    ("TT", "TT Nyhetsbyrån"),
    ("STT",),
    ("Lusa", "Agência Lusa"),
    ("PAP", "Polska Agencja Prasowa"),
    ("ČTK", "CTK"),
    ("MTI",),
    ("Agerpres",),
    ("BNS",),
    ("ELTA",),
    ("Tanjug",),
    ("Ukrinform",),
    ("PTI", "Press Trust of India"),
    ("ANI", "Asian News International"),
    ("IANS",),
    ("UPI", "United Press International"),
    ("AAP", "Australian Associated Press"),
    ("Canadian Press", "The Canadian Press"),
    ("Bernama",),
    ("Antara",),
    ("NAN", "News Agency of Nigeria"),
    ("MENA", "Middle East News Agency"),
    ("WAM",),
    ("Petra",),
    ("NNA", "National News Agency"),
    ("DPA International",),
    ("RIA Novosti", "РИА Новости"),
)
_BY_LETTERS = {letters(name): names[0] for names in _AGENCIES for name in names}
_DATELINE = re.compile(r"^[^()]{0,80}\(([^()]{2,40})\)\s*[-–—:,]")
_SIGNED = re.compile(r"\(([^()]{2,40})\)\.?$")
_MIXED = re.compile(r"[/,]|\s+-\s+")


def agency_named(text: str) -> str | None:
    """The agency that `text` names and nothing else, or None. Case counts where the name is a common word."""
    found = _BY_LETTERS.get(letters(text))
    if found and len(letters(text)) <= 3 and not (text.isupper() or text.strip() == found):
        return None  # "Pa" and "Aa" are names; PA and AA are agencies
    return found


def agency_signing(line: str) -> str | None:
    """The agency that a short signature line such as `Reuters`, `(AFP)` or `dpa/ab` names, or None."""
    bare = line.strip(" ()[]–—-.·")
    if len(bare) > 40:
        return None
    return next(
        (found for part in (bare, *_MIXED.split(bare)) if (found := agency_named(part.strip()))), None
    )


def agency_of(paragraphs: Sequence[str]) -> str | None:
    """The agency in a dateline (`TOKYO, May 9 (Reuters) -`) or signed on one of the last lines, or None."""
    for paragraph in paragraphs[:2]:
        if (dateline := _DATELINE.match(paragraph)) and (found := agency_signing(dateline[1])):
            return found
    for paragraph in reversed(paragraphs[-3:]):
        signature = _SIGNED.search(paragraph)
        if found := agency_signing(signature[1] if signature else paragraph):
            return found
    return None
