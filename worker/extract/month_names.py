"""The months' names in the languages of the press, without diacritics and in lower case."""

from __future__ import annotations

import unicodedata

#: Twelve names a language, January to December; `/` separates spellings.
_NAMES = """
january/jan february/feb march/mar april/apr may june/jun july/jul august/aug september/sep/sept
october/oct november/nov december/dec

januar/janner/jan februar/feber/feb marz/mar april/apr mai juni/jun juli/jul august/aug september/sep/sept
oktober/okt november/nov dezember/dez

janvier/janv fevrier/fevr/fev mars avril/avr mai juin juillet/juil aout septembre/sept octobre/oct
novembre/nov decembre/dec

enero/ene febrero/feb marzo/mar abril/abr mayo/may junio/jun julio/jul agosto/ago
septiembre/setiembre/sep/set octubre/oct noviembre/nov diciembre/dic

gennaio/gen febbraio/feb marzo/mar aprile/apr maggio/mag giugno/giu luglio/lug agosto/ago settembre/set
ottobre/ott novembre/nov dicembre/dic

janeiro/jan fevereiro/fev marco/mar abril/abr maio/mai junho/jun julho/jul agosto/ago setembro/set
outubro/out novembro/nov dezembro/dez

januari/jan februari/feb maart/mrt april/apr mei juni/jun juli/jul augustus/aug september/sep oktober/okt
november/nov december/dec

ocak/oca subat/sub mart/mar nisan/nis mayıs/may haziran/haz temmuz/tem agustos/agu eylul/eyl ekim/eki
kasım/kas aralık/ara

januari/jan februari/feb mars/mar april/apr maj juni/jun juli/jul augusti/aug september/sep oktober/okt
november/nov december/dec

januar/jan februar/feb marts/mars april/apr mai/maj juni/jun juli/jul august/aug september/sep oktober/okt
november/nov desember/des

stycznia lutego marca kwietnia maja czerwca lipca sierpnia wrzesnia pazdziernika listopada grudnia

ledna unora brezna dubna kvetna cervna cervence srpna zari rijna listopadu prosince

января/янв февраля/фев марта/мар апреля/апр мая июня/июн июля/июл августа/авг сентября/сен октября/окт
ноября/ноя декабря/дек

січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня

يناير فبراير مارس ابريل/أبريل مايو يونيو يوليو اغسطس/أغسطس سبتمبر اكتوبر/أكتوبر نوفمبر ديسمبر

- شباط آذار/اذار نيسان أيار/ايار حزيران تموز آب/اب أيلول/ايلول - - -
"""


def _plain(word: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKD", word) if not unicodedata.combining(char))


#: Name → month, 1 to 12. No name here means two months.
MONTHS: dict[str, int] = {
    _plain(name): position % 12 + 1
    for position, names in enumerate(_NAMES.split())
    for name in names.split("/")
    if name != "-"
}
