"""A short article in each of the languages that legacy encodings were made for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Abroad:
    """An article. `encoding` is the standard's name, `codec` is Python's."""

    encoding: str
    codec: str
    language: str
    headline: str
    paragraphs: tuple[str, ...]

    def page(self, head: str = "") -> str:
        """A page of it, with `head` first in its head."""
        body = "".join(f"<p>{paragraph}</p>" for paragraph in self.paragraphs)
        return (
            f'<!doctype html><html lang="{self.language}"><head>{head}<title>{self.headline}</title>'
            '<meta property="og:type" content="article"></head>'
            f"<body><article><h1>{self.headline}</h1>{body}</article></body></html>"
        )

    def encoded(self, head: str = "", *, codec: str | None = None) -> bytes:
        """The page's bytes. Raises UnicodeEncodeError where the codec has no such letter."""
        return self.page(head).encode(codec or self.codec)


def _paragraphs(text: str, joint: str = " ") -> tuple[str, ...]:
    return tuple(joint.join(paragraph.splitlines()) for paragraph in text.strip().split("\n\n"))


_ENGLISH = _paragraphs(
    """
The “old” bridge at Harrow Quay – closed since March – stays shut until spring, the harbour board’s
chief engineer said on Monday, after divers found cracks in two of its piers…

Repairs will cost €11 million, of which the region pays half; the cafés on the island want their rents
waived, and the naïve hope of a quick reopening is gone, Ms Brontë told reporters.
"""
)
_POLISH = _paragraphs(
    """
Zarząd portu ogłosił w poniedziałek, że stary most na wyspę pozostanie zamknięty aż do wiosny, ponieważ
nurkowie znaleźli głębokie pęknięcia w dwóch żelaznych filarach.

Naprawa będzie kosztować jedenaście milionów złotych, a połowę zapłaci województwo; sklepikarze żądają
obniżenia czynszów, gdyż stracili już trzecią część swoich dochodów.
"""
)
_CZECH = _paragraphs(
    """
Správa přístavu v pondělí oznámila, že starý most na ostrov zůstane uzavřen až do jara, protože potápěči
našli hluboké trhliny ve dvou železných pilířích.

Oprava bude stát jedenáct milionů korun a polovinu zaplatí kraj; obchodníci žádají nižší nájemné, neboť
už přišli o třetinu svých tržeb, řekla včera jejich mluvčí.
"""
)
_RUSSIAN = _paragraphs(
    """
Управление порта сообщило в понедельник, что старый мост на остров останется закрытым до весны, потому
что водолазы нашли глубокие трещины в двух железных опорах.

Ремонт обойдётся в одиннадцать миллионов рублей, половину из которых заплатит область; владельцы
магазинов просят снизить аренду, поскольку уже потеряли треть своей выручки.
"""
)
_GREEK = _paragraphs(
    """
Η διοίκηση του λιμανιού ανακοίνωσε τη Δευτέρα ότι η παλιά γέφυρα προς το νησί θα μείνει κλειστή μέχρι
την άνοιξη, επειδή δύτες βρήκαν βαθιές ρωγμές σε δύο από τους σιδερένιους στύλους της.

Η επισκευή θα κοστίσει έντεκα εκατομμύρια ευρώ και τα μισά θα πληρώσει η περιφέρεια· οι καταστηματάρχες
ζητούν χαμηλότερα ενοίκια, αφού έχασαν ήδη το ένα τρίτο των εσόδων τους.
"""
)
_TURKISH = _paragraphs(
    """
Liman yönetimi pazartesi günü yaptığı açıklamada, dalgıçların iki demir ayağında derin çatlaklar bulması
üzerine adaya giden eski köprünün ilkbahara kadar kapalı kalacağını bildirdi.

Onarım on bir milyon liraya mal olacak ve yarısını bölge ödeyecek; gelirlerinin üçte birini yitiren
dükkân sahipleri ise kiraların düşürülmesini istiyor, dedi ağabeyi ölen şoför.
"""
)
_HEBREW = _paragraphs(
    """
הנהלת הנמל הודיעה ביום שני כי הגשר הישן אל האי יישאר סגור עד האביב, לאחר שצוללנים מצאו סדקים עמוקים
בשניים מעמודי הברזל שלו.

התיקון יעלה אחד עשר מיליון שקלים, ומחציתם ישלם המחוז; בעלי החנויות מבקשים להפחית את דמי השכירות, משום
שכבר איבדו שליש מהכנסותיהם בחודש האחרון.
"""
)
_ARABIC = _paragraphs(
    """
أعلنت إدارة الميناء يوم الاثنين أن الجسر القديم المؤدي إلى الجزيرة سيبقى مغلقا حتى الربيع، بعد أن عثر
الغواصون على شقوق عميقة في اثنين من أعمدته الحديدية.

وستبلغ كلفة الإصلاح أحد عشر مليون دينار تدفع المنطقة نصفها، بينما يطالب أصحاب المتاجر بتخفيض الإيجارات
بعد أن فقدوا ثلث دخلهم خلال الشهر الماضي.
"""
)
_LITHUANIAN = _paragraphs(
    """
Uosto valdyba pirmadienį pranešė, kad senasis tiltas į salą liks uždarytas iki pavasario, nes narai rado
gilių įtrūkimų dviejose geležinėse jo atramose.

Remontas kainuos vienuolika milijonų eurų, o pusę sumokės apskritis; parduotuvių savininkai prašo
mažinti nuomą, nes jau neteko trečdalio savo pajamų, sakė jų atstovė Žydrūnė.
"""
)
_VIETNAMESE = _paragraphs(
    """
Ban quản lý cảng cho biết hôm thứ hai rằng cây cầu cũ ra đảo sẽ đóng cửa đến mùa xuân, vì thợ lặn đã tìm
thấy những vết nứt sâu ở hai trụ sắt của cầu.

Việc sửa chữa sẽ tốn mười một triệu đồng và tỉnh sẽ trả một nửa; các chủ cửa hàng xin giảm tiền thuê vì
họ đã mất một phần ba doanh thu, người đại diện nói.
"""
)
_THAI = _paragraphs(
    """
คณะกรรมการท่าเรือแถลงเมื่อวันจันทร์ว่าสะพานเก่าที่ข้ามไปยังเกาะจะปิดต่อไปจนถึงฤดูใบไม้ผลิ เพราะนักปร
ะดาน้ำพบรอยร้าวลึกในเสาเหล็กสองต้น

การซ่อมแซมจะใช้เงินสิบเอ็ดล้านบาท โดยจังหวัดจะจ่ายครึ่งหนึ่ง ส่วนเจ้าของร้านค้าขอให้ลดค่าเช่าลง เพรา
ะสูญเสียรายได้ไปแล้วหนึ่งในสาม
""",
    joint="",
)
_FRENCH = _paragraphs(
    """
La direction du port a annoncé lundi que le vieux pont de l’île resterait fermé jusqu’au printemps, des
plongeurs ayant trouvé de profondes fissures dans deux de ses piles de fer.

La réparation coûtera onze millions d'euros, dont la région paiera la moitié ; au cœur de l'île, les
commerçants, à qui un tiers des recettes a échappé, réclament des loyers plus bas.
"""
)
_JAPANESE = _paragraphs(
    """
港湾局は月曜日、島に通じる古い橋を春まで閉鎖すると発表した。潜水士が二本の鉄の橋脚に深い亀裂を見つけたた
めで、専門家が原因を調べている。

修理には十一億円かかり、その半分を県が負担する。島の商店主たちは売り上げの三分の一を失ったとして、家賃の
引き下げを市に求めている。
""",
    joint="",
)
_CHINESE = _paragraphs(
    """
港务局星期一宣布，通往岛上的旧桥将关闭到明年春天，因为潜水员在两座铁桥墩上发现了很深的裂缝，专家正在调查
原因。

修理费用为一千一百万元，其中一半由省政府承担。岛上的店主们说他们已经失去了三分之一的收入，要求市政府降低
租金。
""",
    joint="",
)
_TAIWANESE = _paragraphs(
    """
港務局星期一宣布，通往島上的舊橋將關閉到明年春天，因為潛水員在兩座鐵橋墩上發現了很深的裂縫，專家正在調查
原因。

修理費用為一千一百萬元，其中一半由縣政府承擔。島上的店主們說他們已經失去了三分之一的收入，要求市政府降低
租金。
""",
    joint="",
)
_KOREAN = _paragraphs(
    """
항만청은 월요일 섬으로 가는 오래된 다리를 봄까지 폐쇄한다고 발표했다. 잠수부들이 쇠로 된
교각 두 곳에서 깊은 균열을 발견했기 때문이다.

수리에는 백십억 원이 들며 그 절반을 도가 부담한다. 섬의 상인들은 이미 매출의 삼분의 일을
잃었다며 임대료를 내려 달라고 시에 요구하고 있다.
"""
)
_PLAIN = tuple(paragraph.replace("’", "'") for paragraph in _FRENCH)
ARTICLES = (
    Abroad("utf-8", "utf-8", "en", "Old bridge at Harrow Quay – “closed until spring”", _ENGLISH),
    Abroad("utf-16le", "utf-16-le", "cs", "Starý most na ostrov zůstane zavřený", _CZECH),
    Abroad("utf-16be", "utf-16-be", "ja", "島の古い橋、春まで閉鎖へ", _JAPANESE),
    Abroad("windows-1250", "cp1250", "pl", "Stary most na wyspę zamknięty aż do wiosny", _POLISH),
    Abroad("windows-1251", "cp1251", "ru", "Старый мост на остров закрыт до весны", _RUSSIAN),
    Abroad("windows-1252", "cp1252", "en", "Old bridge at Harrow Quay – “closed until spring”", _ENGLISH),
    Abroad("windows-1253", "cp1253", "el", "Η παλιά γέφυρα του νησιού μένει κλειστή", _GREEK),
    Abroad("windows-1254", "cp1254", "tr", "Adanın eski köprüsü ilkbahara kadar kapalı", _TURKISH),
    Abroad("windows-1255", "cp1255", "he", "הגשר הישן אל האי נשאר סגור עד האביב", _HEBREW),
    Abroad("windows-1256", "cp1256", "ar", "الجسر القديم يبقى مغلقا حتى الربيع", _ARABIC),
    Abroad("windows-1257", "cp1257", "lt", "Senasis tiltas į salą uždarytas iki pavasario", _LITHUANIAN),
    Abroad("windows-874", "cp874", "th", "สะพานเก่าไปเกาะปิดถึงฤดูใบไม้ผลิ", _THAI),
    Abroad("iso-8859-2", "iso8859-2", "cs", "Starý most na ostrov zůstane zavřený", _CZECH),
    Abroad("iso-8859-15", "iso8859-15", "fr", "Le vieux pont de l'île fermé jusqu'au printemps", _PLAIN),
    Abroad("koi8-r", "koi8-r", "ru", "Старый мост на остров закрыт до весны", _RUSSIAN),
    Abroad("shift_jis", "shift_jis", "ja", "島の古い橋、春まで閉鎖へ", _JAPANESE),
    Abroad("euc-jp", "euc-jp", "ja", "島の古い橋、春まで閉鎖へ", _JAPANESE),
    Abroad("iso-2022-jp", "iso2022-jp", "ja", "島の古い橋、春まで閉鎖へ", _JAPANESE),
    Abroad("gbk", "gbk", "zh", "通往岛上的旧桥关闭到春天", _CHINESE),
    Abroad("gb18030", "gb18030", "zh", "通往岛上的旧桥关闭到春天", _CHINESE),
    Abroad("big5", "big5", "zh-TW", "通往島上的舊橋關閉到春天", _TAIWANESE),
    Abroad("euc-kr", "euc-kr", "ko", "섬으로 가는 옛 다리 봄까지 폐쇄", _KOREAN),
)
BY_ENCODING = {article.encoding: article for article in ARTICLES}
