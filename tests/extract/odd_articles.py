"""Original articles that look like something else: about notices, before a wall, or in rare scripts."""

from __future__ import annotations

import json

from tests.extract.no_articles import SITE, page
from tests.extract.pages import PARAGRAPHS


def _story(title: str, *texts: str, lang: str = "en", head: str = "") -> str:
    body = f"<article><h1>{title}</h1>{''.join(f'<p>{text}</p>' for text in texts)}</article>"
    return page(title, body, lang=lang, head=head)


def _described(title: str, *others: str, url: str | None = None) -> str:
    nodes = [{"@type": "NewsArticle", "headline": title, "datePublished": "2024-03-11T08:15:00Z"}]
    nodes[0] |= {"url": url} if url else {}
    nodes += [
        {"@type": "NewsArticle", "headline": other, "url": f"{SITE}/w/{n}"} for n, other in enumerate(others)
    ]
    return f'<script type="application/ld+json">{json.dumps(nodes)}</script>'


def _numbered(text: str, *numbers: str, end: str) -> tuple[str, ...]:
    return tuple(f"{text} {number}{end}" for number in numbers)


_OG = '<meta property="og:type" content="article">'
_URDU = (
    "کونسل نے منگل کے روز پرانے پل کو دوبارہ تعمیر کرنے پر اتفاق کیا جو پچھلے سال کے "
    "سیلاب میں بہہ گیا تھا اور جس کے بغیر لوگوں کو بہت مشکل پیش آ رہی تھی"
)
_ARMENIAN = (
    "Քաղաքային խորհուրդը երեքշաբթի օրը համաձայնել է վերակառուցել հին կամուրջը, որը նախորդ ձմռան ջրհեղեղը "
    "տարել էր, և որի բացակայությունը խանգարում էր բոլորին"
)
_AMHARIC = (
    "የሰሜኑ ከተማ ምክር ቤት ባለፈው ክረምት ጎርፍ የወሰደውን አሮጌውን ድልድይ እንደገና ለመገንባት ማክሰኞ ዕለት ተስማምቷል ሥራውም ሁለት ዓመት ያህል "
    "እንደሚወስድ መሐንዲሶች ተናግረዋል"
)
_THAI = (
    ""
    "สภาเมืองทางเหนือตกลงเมื่อวันอังคารที่จะสร้างสะพานเก่าขึ้นใหม่หลังจากที่น้ำท่วมเมื่อฤดูหนาวที่แล้วพัดพาไป "
    "และวิศวกรกล่าวว่างานจะใช้เวลาประมาณสองปี"
)
_LAO = (
    "ສະພາເມືອງທາງເໜືອໄດ້ຕົກລົງໃນວັນອັງຄານທີ່ຈະສ້າງຂົວເກົ່າຄືນໃໝ່ ຫຼັງຈາກນ້ຳຖ້ວມໃນລະດູໜາວປີກາຍໄດ້ພັດພາໄປ "
    "ແລະ ວິສະວະກອນກ່າວວ່າວຽກງານຈະໃຊ້ເວລາປະມານສອງປີ"
)
_BURMESE = (
    "မြောက်ပိုင်းမြို့၏ ကောင်စီသည် ပြီးခဲ့သော ဆောင်းရာသီ ရေကြီးမှုတွင် မျောပါသွားသော တံတားဟောင်းကို ပြန်လည်တည်ဆောက်ရန် အင်္ဂါနေ့တွင် သဘောတူခဲ့သည်"
)
_KHMER = (
    "ក្រុមប្រឹក្សាទីក្រុងភាគខាងជើងបានយល់ព្រមនៅថ្ងៃអង្គារក្នុងការសាងសង់ស្ពានចាស់ឡើងវិញ "
    "ដែលទឹកជំនន់កាលពីរដូវរងាមុនបានបំផ្លាញ "
    "ហើយវិស្វករនិយាយថាការងារនេះនឹងចំណាយពេលប្រហែលពីរឆ្នាំ"
)
_COOKIES = (
    "Sites may no longer greet readers with a box that only says yes, the data authority ruled on Tuesday.",
    "A court had asked whether a click on a green button is consent. It is not, it found last week.",
    "The ruling binds every site that sells to readers in the region, whatever country it is run from.",
    "Publishers warn that without cookies their income from advertising would fall by a third within a year.",
)
_JAVASCRIPT = (
    "JavaScript turned thirty this week. Its author wrote the first version in ten days, in a hurry.",
    "No other language runs on so many machines, and hardly any is so often cursed by those who write it.",
    "The birthday was kept at Harrow Quay, where two hundred programmers crossed the bridge on foot.",
)
_TEASER = (
    "The old swing bridge at Harrow Quay will stay closed until spring, the harbour board said on Monday.",
    "To continue reading, sign in or subscribe to get full access. Already a subscriber? Log in.",
)
_DENIED = (
    "The harbour board denied reporters access to the damaged piers on Monday. Divers were at work, it said.",
    "Photographers had waited on the quay since dawn.",
)
_GUIDE = "".join(
    f'<h3>Bridge {n}</h3><p>{text}</p><p><a href="/b/{n}">Read more</a></p>'
    for n, text in enumerate(PARAGRAPHS)
)
_HARROW = "Harrow Quay bridge to stay closed until spring"

ODD_ARTICLES = {
    "Urdu": _story(
        "شہر پرانے پل کو دوبارہ تعمیر کرے گا",
        *_numbered(_URDU, "پہلا", "دوسرا", "تیسرا", "چوتھا", end="۔"),
        lang="ur",
    ),
    "Armenian": _story(
        "Քաղաքը վերակառուցում է հին կամուրջը",
        *_numbered(_ARMENIAN, "մեկ", "երկու", "երեք", "չորս", end="։"),
        lang="hy",
    ),
    "Amharic": _story(
        "ከተማዋ አሮጌውን ድልድይ ትገነባለች", *_numbered(_AMHARIC, "አንድ", "ሁለት", "ሦስት", "አራት", end="።"), lang="am"
    ),
    "Thai": _story(
        "เมืองจะสร้างสะพานเก่าขึ้นใหม่หลังน้ำท่วม",
        *_numbered(_THAI, "หนึ่ง", "สอง", "สาม", "สี่", end=""),
        lang="th",
    ),
    "Lao": _story("ເມືອງຈະສ້າງຂົວເກົ່າຄືນໃໝ່", *_numbered(_LAO, "ໜຶ່ງ", "ສອງ", "ສາມ", "ສີ່", end=""), lang="lo"),
    "Burmese": _story(
        "မြို့က တံတားဟောင်းကို ပြန်ဆောက်မည်",
        *_numbered(_BURMESE, "တစ်", "နှစ်", "သုံး", "လေး", end="။"),
        lang="my",
    ),
    "Khmer": _story(
        "ទីក្រុងនឹងសាងសង់ស្ពានចាស់ឡើងវិញ",
        *_numbered(_KHMER, "មួយ", "ពីរ", "បី", "បួន", end="។"),
        lang="km",
    ),
    "cookies as a topic": _story("Court bans the cookie box with one button", *_COOKIES),
    "cookies as a topic, og:type": _story("Court bans the cookie box with one button", *_COOKIES, head=_OG),
    "JavaScript as a topic": _story("JavaScript turns thirty", *_JAVASCRIPT, head=_OG),
    "teaser before a wall": _story(_HARROW, *_TEASER, head=_described(_HARROW)),
    "access denied as a topic": _story("Access denied: reporters kept off the bridge", *_DENIED, head=_OG),
    "one of several described": _story(
        _HARROW, *PARAGRAPHS, head=_described(_HARROW, "Ferry", "Tram", "Crane", "Storm")
    ),
    "one of several described by URL": _story(
        _HARROW,
        *PARAGRAPHS,
        head=_described(_HARROW, "Ferry", "Tram", "Crane", url=f"{SITE}/city/harrow-quay?utm_source=x"),
    ),
    "guide of five parts": page(
        _HARROW, f"<article><h1>{_HARROW}</h1>{_GUIDE}</article>", head=_described(_HARROW)
    ),
}
