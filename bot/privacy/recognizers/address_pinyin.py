"""Addresses of China, Hong Kong and Taiwan in Latin letters, from the room to the city."""

import re
from typing import Any

from presidio_analyzer import RecognizerResult

from .kind import KindRecognizer

# Without one of these a text costs a single search.
_HINT = re.compile(
    r"\bNo\.? ?\d|\b(?:Room|Rm\.?|Flat|Unit|Building|Block|Lane) \d|\d/?F\b|\d [A-Z][a-z]+ (?:Lu|Jie|Dadao)\b"
)
# Atomic and bounded throughout: a text of a thousand gardens must not take longer than one of other words.
_WORD = r"[A-Z][A-Za-z'’-]{0,15}+"
_UNIT = (
    r"(?:(?:Room|Rm\.?|Flat|Unit|Suite|Building|Bldg\.?|Block|Tower|Floor|Apt\.?|House) ?[A-Z]?\d{1,5}[A-Z]?"
    r"|\d{1,2}/?F|\d{1,2}(?:st|nd|rd|th) Floor|\d{1,3}-\d{1,4}(?:-\d{1,4})?)"
)
_NUMBER = r"(?:No\.? ?\d{1,5}(?:-\d{1,4})?|Lane \d{1,4}|Alley \d{1,4})"
_SIDE = r"(?: \(?(?:East|West|North|South|Middle|[EWNS])\.?\)?)?"
_STREET = r"(?:Road|Rd\b\.?|Street|St\b\.?|Avenue|Ave\b\.?|Lu|Jie|Dadao|Boulevard|Blvd\b\.?)"
_ROAD = rf"(?>(?:{_WORD} ){{1,4}}{_STREET}{_SIDE})"
_PREMISES = (
    "(?:Gardens?|Plaza|Tower|Mansion|Community|Residences?|Village|Court|Cent(?:re|er)|Building|Park|Estate"
    "|Apartments?)"
)
_ESTATE = rf"(?>(?:{_WORD} ){{1,4}}{_PREMISES})"
_CITY = (
    "Beijing|Shanghai|Tianjin|Chongqing|Guangzhou|Shenzhen|Hangzhou|Nanjing|Suzhou|Wuhan|Chengdu|Xi['’]?an"
    "|Changsha|Zhengzhou|Qingdao|Jinan|Ningbo|Wuxi|Xiamen|Fuzhou|Dongguan|Foshan|Zhuhai|Dalian|Shenyang|Harbin"
    "|Changchun|Kunming|Guiyang|Nanning|Haikou|Sanya|Hefei|Nanchang|Taiyuan|Shijiazhuang|Lanzhou|Urumqi"
    "|Kowloon|New Territories|Hong Kong|Macau|Taipei|New Taipei|Taichung|Tainan|Kaohsiung|Hsinchu|Taoyuan"
    "|P\\.?R\\.? ?China|China|Taiwan"
)
_AREA = (
    rf"(?>(?:{_WORD} ){{1,3}}(?:District|Dist\b\.?|Town(?:ship)?|County|City|Province|New Area)"
    rf"|(?:{_CITY})(?: City)?|{_WORD}(?: {_WORD})?(?=, ?(?:{_CITY})))"
)
_ADDRESS = re.compile(
    rf"(?<![A-Za-z0-9])(?:(?:{_UNIT}|{_ESTATE}),? ?){{0,4}}"
    rf"(?:(?:{_NUMBER},? ?){{1,3}}{_ROAD}|{_UNIT},? ?(?:\d{{1,5}} )?(?:{_ROAD}|{_ESTATE})"
    rf"|\d{{1,5}} (?:{_WORD} ){{1,3}}(?:Lu|Jie|Dadao))(?![a-z])"
    rf"(?:,? ?(?:{_UNIT}|{_NUMBER}|{_ESTATE}|{_AREA})){{0,8}}+(?:,? ?\d{{3,6}}(?!\d))?"
)


class PinyinAddressRecognizer(KindRecognizer):
    """The number may stand before the road or behind it, and rooms come first."""

    kind = "ADDRESS"

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        if not _HINT.search(text):
            return []
        return [
            RecognizerResult(self.kind, match.start(), match.end(), 0.9) for match in _ADDRESS.finditer(text)
        ]
