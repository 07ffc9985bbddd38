"""The commonest words of languages, by which a text tells what it is written in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import chain

_WORDS = {
    "en": (
        "the of and to in is that for it was with on as be at by from are this have has not but were his "
        "they he she will or we you said who an their been which more would about its after up out one"
    ),
    "de": (
        "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an "
        "werden bei wird sind hat zum zur wie aus noch um aber nach am war so einen einem einer dass sie "
        "er wir ich nur oder über"
    ),
    "fr": "de la le et les des en un une du dans est que pour qui par sur pas au plus avec ce il sont ne",
    "es": "de la que el en y los del se las por un para con una su al lo como más pero es sus no ha",
    "it": "di e il la che in un per è una del della non con si da dei le sono al nel alla anche ha gli",
    "pt": "de a que o e do da em um para com não uma os no se na por mais as dos como foi ao das",
    "gl": "de a que o e do da en un para con non unha os no se na por máis as dos como foi ao das polo",
    "ca": "de la que el i en els del per les un amb una es al ha va no més dels com són aquest aquesta pel",
    "ro": "de și în a la cu că pe din care nu o un mai pentru este au fost sunt ce sau lui prin după fi",
    "nl": (
        "de het een van en in is dat op te zijn met voor niet aan er om ook als bij naar maar door over hij"
    ),
    "sv": (
        "och i att det som en på är av för med till den har de inte om ett han var men sig från vi ska "
        "hon kommer vid mot efter nu vara enligt"
    ),
    "da": "og i at det er en til på som af for med den de ikke har der et han var men sig fra blev",
    "no": "og i det er en til på som av for med at den de ikke har et han var men seg fra ble etter også",
    "is": "og að í á er sem til um við það ekki en var af með hann fyrir því eru frá segir hefur eftir ég",
    "fi": (
        "ja on ei että se oli hän mukaan myös kun ovat mutta sekä joka tai kuin ole vain olla noin jo vuoden"
    ),
    "et": "ja on ei et see oli ka ta kui mis oma aga või selle kes siis seda nii välja veel mille pärast",
    "pl": (
        "i w na z się do nie że jest o to po za od jak przez dla są ale tym przed czy już oraz był które "
        "ze może roku jednak tego była ma"
    ),
    "cs": (
        "a v se na je že s z do to o i ve ale jako za by pro k jsou po který byl také když podle jeho "
        "nebo od až které má před může této"
    ),
    "sk": "a v sa na je že s z do to o aj vo ale ako za by pre k sú po ktorý bol tiež keď podľa",
    "sl": "in je v na za se da so ki z pa s tudi bi po ne kot ni od pri do bo še ali zaradi",
    "hr": "i je u na da se za su od s a o koji će ne iz po kako bi nije što kao ali te",
    "hu": "a az és hogy nem is egy meg volt ez de csak már szerint mint azt még vagy el lesz ami pedig",
    "tr": (
        "ve bir bu da de için ile olarak çok daha olan gibi ise kadar sonra en ancak olduğu dedi var ne "
        "göre o dan diye yeni ya üzere etti yaptığı tarafından ilgili yıl"
    ),
    "lt": (
        "ir kad į su iš yra ne bet tai kaip buvo apie nuo jis už dėl po tik ar jau savo bus dar kurie "
        "pagal tačiau kuris metų"
    ),
    "lv": "un ir ar ka no par uz kas bet arī pēc lai kā to tas pie nav ne vai gan jau tika līdz",
    "id": (
        "yang dan di dengan untuk dari ini dalam itu pada tidak akan ke oleh juga tersebut sebagai "
        "karena kata"
    ),
    "vi": (
        "của và là có được trong cho không một các với người này đã những ở khi tại về ra đến năm hai "
        "theo trên từ đang sẽ nhiều vào bị như sau nhưng việc phải còn thì nên lại tôi"
    ),
    "uk": "і в на що не з у та до за це як від по його але про для є ще або який також",
    "ru": "и в на не что с по к он как это из за его от для но о у же а также был было",
    "bg": "и на в за да се от по с не че е са като ще до най при но а към след това или",
    "sr": "и је у на да се за су од са који ће не из по како би није што као али те",
    "mk": "и на во да се од за со не е што ќе а како до ги при по но го или тоа кој ја",
    "be": "і ў на што з не у да за як гэта па а яго але пра для ад каб ці якія таксама было быў",
    "af": "die van en in is het dat te nie wat vir om met op aan hy sy word was ook as deur sal by ’n",
    "tl": "ng sa ang na mga at ay ito si para kung hindi niya ni kay nang siya may rin pa ayon kanyang",
    "sw": "ya na wa kwa ni katika za la kuwa hiyo huo kama hata baada lakini wake hii cha hilo alisema pia",
    "sq": "të e në dhe një për me i nga që se është nuk si ka ky kjo u ishte do por më janë së",
    "az": (
        "və bu bir üçün ilə də ki olan olub daha isə sonra edib bildirib bildirilib onun görə kimi var ən həm"
    ),
    "ar": (
        "في من على إلى أن عن التي الذي هذا مع كان هذه ما لا بعد قد بين كما لم ذلك كل أنه وقد وفي قال "
        "خلال عند حيث كانت إن منذ أو يوم"
    ),
    "fa": "در به از که این را با است برای آن یک می شود تا خود بر هم کرد شده بود های او",
    "ur": "کے میں کی ہے اور سے کا کو نے اس کہ پر ہیں یہ بھی کر ایک نہیں تھا کیا گیا",
}
#: Languages too near each other for a page to be wrong that declares the one for the other.
_KIN = (
    *({"no", "nb", "nn", "da"}, {"hr", "sr", "bs", "sh", "sl", "me"}, {"id", "ms"}, {"bg", "mk", "sr"}),
    *({"cs", "sk"}, {"pt", "gl", "es", "ca"}, {"nl", "af"}),
)
_SAMPLE_CHARS = 600
_MIN_HITS = 5
#: Of all words: enough without comparing, enough if they are most, enough if they are by far the most.
_ITS_OWN, _MANY, _SOME = 0.22, 0.1, 0.04
_BY_FAR = 1.5
_CLEARLY = 2
_MANY_WORDS = 60

_LANGUAGES: dict[str, list[str]] = {}
for _language, _listed in _WORDS.items():
    for _word in set(_listed.split()):
        _LANGUAGES.setdefault(_word, []).append(_language)


_SETS = {language: frozenset(listed.split()) for language, listed in _WORDS.items()}


@dataclass(frozen=True, slots=True)
class Spoken:
    """How many of a text's words are among the commonest of each language."""

    hits: Counter[str]
    words: int

    @property
    def language(self) -> str | None:
        """The language with the most of them, if that tells."""
        (best, count), (_, following) = (*self.hits.most_common(2), ("", 0), ("", 0))[:2]
        share = count / max(1, self.words)
        tells = share >= _MANY or (share >= _SOME and count >= _BY_FAR * following)
        return best if tells and count >= _MIN_HITS and count > following else None

    def contradicts(self, declared: str) -> bool:
        """Whether the text is clearly not in `declared`, nor in a language akin to it."""
        mine, said = self.hits[_known(declared)], self.language
        if _known(declared) not in _SETS:
            return False
        if said is None:
            return mine == 0 and self.words >= _MANY_WORDS
        akin = said == _known(declared) or any({said, declared} <= kin for kin in _KIN)
        return not akin and self.hits[said] >= max(_CLEARLY * mine, _MANY * self.words)


def sounds_like(language: str, text: str) -> bool:
    """Whether so many words of `text` are among the commonest of `language` that it need be no other."""
    words = text[:_SAMPLE_CHARS].split()  # in lower case they would be some more, for twice the time
    return sum(map(_SETS.get(_known(language), frozenset()).__contains__, words)) >= _ITS_OWN * len(words) > 0


def spoken(text: str) -> Spoken:
    """Look up the words that `text` begins with in all languages."""
    words = text[:_SAMPLE_CHARS].lower().split()
    return Spoken(Counter(chain.from_iterable(filter(None, map(_LANGUAGES.get, words)))), len(words))


def _known(language: str) -> str:
    return "no" if language in ("nb", "nn") else language
