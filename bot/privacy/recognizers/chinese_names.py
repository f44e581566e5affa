"""What Chinese names look like: which characters begin them, and which words only begin like one."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

_DATA: dict[str, str] = tomllib.loads(
    (Path(__file__).parent / "words" / "chinese_names.toml").read_text("utf-8")
)
_GIVEN = frozenset("".join(_DATA["given"].split()))
_NEVER_GIVEN = frozenset("".join(_DATA["never_given"].split()))
_COMMON = frozenset("".join(_DATA["common"].split()))
_WORDS = frozenset(_DATA["words"].split())
_ENDINGS = frozenset(_DATA["endings"].split())
_SIMPLIFIED = str.maketrans("".join(_DATA["traditional"].split()), "".join(_DATA["simplified"].split()))

COMPOUND = (
    "欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|长孙|宇文|司徒|南宫|夏侯|端木|百里|东郭|西门|独孤"
)
# By how many people bear them, the hundred most frequent first.
FREQUENT = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖萧田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范"
    "金石廖贾夏韦付傅方白邹孟熊秦邱江尹薛闫阎段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
RARE = (
    "温康施牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游"
    "辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂佟应臧闵苟邬边卞姬"
    "师仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝常文赖代"
)
# Family names that are everyday words by themselves: alone they say nothing.
EVERYDAY = frozenset("于向从时任车成单常应明关安包师方代路边管解查景沙麻古项商费边冷温游苗米水")
FAMILY = re.compile(f"{COMPOUND}|[{FREQUENT}{RARE}]")
HAN = "一-鿿㐀-䶿"
# Characters that go on with the sentence and stand in no name.
_NOT_IN_NAMES = frozenset("的了吗吧呢啊呀哦嘛你您他她它我们这那哪请是没不给把被问打买退姓总")
# 徐汇区 is not somebody called Xu.
_PLACES = frozenset("区县镇街路号楼站园店村市省港湾岛线山江河")
_LONGEST_WORD = 4


def read(text: str) -> str:
    """Traditional characters as simplified ones, one for one; nothing of a text in ASCII, to be done soon."""
    return "" if text.isascii() else text.translate(_SIMPLIFIED)


def candidates(text: str) -> Iterator[tuple[int, int, float]]:
    """Yield what might be names: places in a simplified text, and how much they look like names (-2 to 3)."""
    for family in FAMILY.finditer(text):
        start, rest = family.start(), family.end()
        like_word = begins_word(text, start)
        inside = 1.5 if ends_word(text, start) else 0.0
        for end in (rest + 2, rest + 1):
            given = text[rest:end]
            if len(given) == end - rest and all(_may_be_given(char) for char in given):
                word = 3.0 if like_word else 0.0
                yield (
                    start,
                    end,
                    looks(family[0], given) - word - inside - (1.5 if text[end - 1] in _PLACES else 0),
                )


def begins_word(text: str, start: int) -> str:
    """Return the common word that begins here instead of a name, if there is one."""
    for length in range(2, _LONGEST_WORD + 1):
        if text[start : start + length] in _WORDS:
            return text[start : start + length]
    return ""


def ends_word(text: str, start: int) -> bool:
    """Whether the character here ends a common word, such as 于 in 关于."""
    return start > 0 and text[start - 1 : start + 1] in _ENDINGS


def looks(family: str, given: str) -> float:
    points = 0.0 if family in EVERYDAY else 1.0 if len(family) == 2 or family in FREQUENT else 0.6
    return points + sum(_looks_given(char) for char in given) * (1.0 if len(given) == 2 else 1.3)


def _looks_given(char: str) -> float:
    if char in _GIVEN:
        return 1.0
    if char in _NEVER_GIVEN:
        return -0.9
    return 0.3 if char in _COMMON else 0.9


def _may_be_given(char: str) -> bool:
    return ("一" <= char <= "鿿" or "㐀" <= char <= "䶿") and char not in _NOT_IN_NAMES
