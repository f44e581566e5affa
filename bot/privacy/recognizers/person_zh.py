"""Chinese names: a family name in a place where people put their names."""

import re
from typing import Any

from presidio_analyzer import LocalRecognizer, RecognizerResult

_COMPOUND = "欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|长孙|宇文|司徒|南宫|夏侯"
_SINGLE = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范"
    "金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施牛樊葛邢安齐易乔伍庞颜倪庄聂章"
    "鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解"
    "牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑"
    "郎甄丛仲虞敖巩明佘池查麻苑迟邝"
)
_FAMILY = f"(?:{_COMPOUND}|[{_SINGLE}])"
# Characters that go on with the sentence after a name rather than belong to it.
_GOES_ON = "的了想要在是和也有没不吗呢吧请来"
_GOES_ON += "我你您他她它们这那能会可就买订退换收到查问给把被从对跟与或而但，。,.!！?？"
_GIVEN = f"(?![{_GOES_ON}])[一-鿿]"
_NAME = f"(?P<name>{_FAMILY}{_GIVEN}(?:{_GIVEN})?)"

_LABELLED = re.compile(
    rf"(?:姓名|名字|收件人|收货人|联系人|户主|持卡人|签收人)(?:是|为|叫)?\s?[:：]?\s?{_NAME}(?![一-鿿])"
)
_INTRODUCED = re.compile(rf"(?:我叫|名叫|叫做|我的名字是|我名字是|名字叫|本人叫?|收[件货]人是?){_NAME}")
_I_AM = re.compile(rf"(?:我是|这里是){_NAME}")
_ADDRESSED = re.compile(rf"(?:(?<![一-鿿])|(?<=[给找叫是请])){_NAME}(?=先生|女士|小姐|太太)")

# "我是高级会员" introduces nobody.
_NOT_NAMES = re.compile(
    "高级|高中|高端|金牌|金卡|黄金|白金|会员|客户|用户|顾客|商家|商务|马上|方便|安全|安装|成年|成都|成功|全部|全家|和他|应该"
    "|时候|单位|单身|单独|于是|从来|明天|明白|连续|解决|关于|关注|向来|路过|时间|管理|简单|常客|老师|学生|何时|何地|任何|包裹|华为"
    "|江苏|江西|湖|海|石家|温州|武汉|宁波|广"
)
_PATTERNS = ((_LABELLED, 0.9), (_INTRODUCED, 0.85), (_ADDRESSED, 0.8), (_I_AM, 0.7))


class ChinesePersonRecognizer(LocalRecognizer):
    """No Chinese model is installed, so only names in plain sight are found."""

    def __init__(self) -> None:
        super().__init__(supported_entities=["PERSON"])

    def load(self) -> None:
        pass

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        return [
            RecognizerResult("PERSON", match.start("name"), match.end("name"), score)
            for pattern, score in _PATTERNS
            for match in pattern.finditer(text)
            if not _NOT_NAMES.search(match["name"])
        ]
