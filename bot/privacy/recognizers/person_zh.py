"""Chinese names, told by what they look like together with the words on both sides."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from presidio_analyzer import RecognizerResult

from . import chinese_names
from .chinese_names import EVERYDAY, FAMILY, HAN
from .kind import KindRecognizer

# Points that a name needs from its looks (up to 3), what stands before it (4) and after it (3).
ENOUGH = 4.5
_LOOKS = 1.5
_HOPELESS = -2.0
_CERTAIN = 5.0
REACH = 14

_LABELS = (
    "姓名|名字|真名|全名|大名|收[件货]人?|寄件人?|签收人|联[系络]人|户主|户名|持卡人|抬头|称呼|实名|签名|署名|刻字|收款人|开户人"
    r"|机主|车主|[申投反下付经委代当报预入订]\w人|学员|乘客|住客|患者|客人|本人"
)
_KIN = (
    "爱人|老婆|老公|妻子|丈夫|太太|女儿|儿子|孩子|闺女|宝宝|妈妈?|母亲|爸爸?|父亲|哥哥?|姐姐?|弟弟?|妹妹?|奶奶|爷爷|外婆|外公|姥姥|姥爷"
    "|岳[父母]|婆婆|公公|叔叔?|阿姨|舅舅?|同事|朋友|同学|室友|舍友|房东|邻居|助理|秘书|客户|顾客|会员|业主|员工|客服|师傅|经理|店员"
    "|快递员|骑手|司机|老板|主管|负责人|代购|学生|家长|家属|律师|医生|教练|导游|店长|主播|名单"
)
_CUES = (
    "我|叫|这边|这是|找|跟|和|与|让|请|由|为|帮|替|代|写|写的|转告|转接|联系|委托|给|问|于|写着"
    "|在|对|向|被|把|到|喊|感谢|谢谢|多谢|表扬|投诉|自称|是|一下|查下|改[成为]|换成"
)
_FILLER = r"(?:信息)?(?:是|为|叫做?|写的?是?|写成|就写|填|应该?[是为]|改[成为]|换成)?[\s:：]*"
_TITLES = (
    "先生|女士|小姐(?!姐)|太太|老师|经理|师傅|阿姨|大[哥姐妈爷叔]|同[学志]|医生|主任|律师|教授|总监|主管|店长"
)
_THINGS = "[妈爸父母]|家长|孩子|订?单|电话|手机|地址|账|身份|卡|名|包裹|快递|货|信息|维修"
_GOES_ON = (
    "[一的在来说打跟和与女男帮那也就要想买付收刚吧吗呢是接代名用问补发寄换转签写上不没都还再去已给反提有这拿开因从把被看]"
    "|下单|推荐|承诺|申请|通知|生日|同学|家"
)
_CONTACT = r"(?:联系|手机|电话|电邮|mobile|phone|tel)?(?:方式|电话|号码?)?[:：]?\s{0,3}\(?\+?(?:\d[- ]?){7}"

# What stands before a name and after it, and how much it says; the first that fits decides.
_BEFORE = (
    (re.compile(f"(?:{_LABELS}){_FILLER}$"), 4.0),
    (re.compile(r"(?:我叫|名叫|叫做|名字[是叫]|我是|这里是)\s?$"), 3.0),
    (re.compile(f"(?:{_KIN})(?:叫|是|[:：])?$"), 3.0),
    (re.compile(f"[{HAN}][人员师]{_FILLER}$"), 2.5),
    (re.compile(r"(?:\d{4}[\s,;/|、)\]]*|[号室楼栋座层村组][\s,;/|、)\]]+)$"), 2.5),
    (re.compile("(?:^|[\n\r]|——|--)[ \t\\[(【]*$"), 2.0),
    (re.compile(f"(?:{_CUES}|[^{HAN}0-9])$"), 1.5),
    (re.compile("[的了过]$"), 1.0),
)
_AFTER = (
    (re.compile(f"{_TITLES}|\\((?:{_TITLES}|收)\\)|收(?![到货款件藏费入购])"), 3.0),
    (re.compile(f"本人|代收|签收|名下|亲[启收]|此致|敬上|的(?:那个|这个)?(?:{_THINGS})"), 3.0),
    (re.compile(rf"[\s,;:/|、()\[\]]{{0,6}}{_CONTACT}", re.IGNORECASE), 3.0),
    (re.compile("[ \t\\])】]*(?:$|[\n\r])"), 2.0),
    (re.compile(f"[^{HAN}]"), 1.5),
    (re.compile(_GOES_ON), 1.0),
)
_NOTHING_BEFORE, _NOTHING_AFTER = -0.5, -1.0

_TITLE = re.compile(_TITLES)
_SURNAME_ONLY = re.compile(f"(?P<name>{FAMILY.pattern})(?={_TITLES}|总(?=[^{HAN}]|$)|总[说跟和让给答])")
_MAY_COME_BEFORE = frozenset("我给找叫是姓请让跟由员的到上天,，。 \n")
_CALLED = re.compile(
    f"(?:(?:[我他她您贵]|师傅|老师|先生|女士|小姐|人)姓|叫[我他她][小老阿])(?P<name>{FAMILY.pattern})(?![名氏])"
)
_FOREIGN_CHAR = f"(?![的了你您他她它我们这那请是给把被和跟在叫为名人])[{HAN}]"
_FOREIGN = re.compile(
    f"(?:(?:{_LABELS}|{_KIN}){_FILLER})?"
    f"(?P<name>{_FOREIGN_CHAR}{{1,7}}(?:[·•・‧]{_FOREIGN_CHAR}{{1,8}}){{1,3}})"
)


class _Find(NamedTuple):
    points: float
    start: int
    end: int


class ChinesePersonRecognizer(KindRecognizer):
    """No Chinese model is installed: characters, common words and context must agree on a name."""

    kind = "PERSON"

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        plain = chinese_names.read(text)
        finds = _best([*_full_names(plain), *_partial_names(plain)])
        return [
            RecognizerResult(self.kind, find.start, find.end, min(0.85, 0.45 + find.points / 20))
            for find in (*finds, *_said_again(plain, finds))
        ]


def _best(finds: list[_Find]) -> list[_Find]:
    """Of names that overlap, the likeliest and then the longest."""
    kept: list[_Find] = []
    for find in sorted(finds, key=lambda f: (-f.points, f.start - f.end, f.start)):
        if not any(find.start < other.end and other.start < find.end for other in kept):
            kept.append(find)
    return kept


def _full_names(text: str) -> Iterator[_Find]:
    for start, end, looks in chinese_names.candidates(text):
        if looks < _HOPELESS or _TITLE.match(text, end - 2) or _TITLE.match(text, end - 1):
            continue
        points = _LOOKS * looks + _before(text, start) + _after(text, end)
        if points >= ENOUGH:
            yield _Find(points, start, end)


def _before(text: str, start: int) -> float:
    window = text[max(0, start - REACH) : start]
    return next((points for pattern, points in _BEFORE if pattern.search(window)), _NOTHING_BEFORE)


def _after(text: str, end: int) -> float:
    return next((points for pattern, points in _AFTER if pattern.match(text, end)), _NOTHING_AFTER)


def _partial_names(text: str) -> Iterator[_Find]:
    """Yield family names alone, before a title or after 姓, and names written with a dot."""
    for match in _SURNAME_ONLY.finditer(text):
        start = match.start()
        unsure = match["name"] in EVERYDAY or chinese_names.ends_word(text, start)
        if chinese_names.begins_word(text, start):
            continue
        if not unsure or start == 0 or text[start - 1] in _MAY_COME_BEFORE:
            yield _Find(_CERTAIN, *match.span("name"))
    for pattern, points in ((_CALLED, _CERTAIN), (_FOREIGN, 2 * _CERTAIN)):
        for match in pattern.finditer(text):
            yield _Find(points, *match.span("name"))


def _said_again(text: str, finds: list[_Find]) -> Iterator[_Find]:
    """A name that was found once is the same name everywhere else."""
    for name in {text[find.start : find.end] for find in finds if find.end - find.start > 2}:
        for match in re.finditer(re.escape(name), text):
            yield _Find(0, *match.span())
