"""What Chinese addresses are made of: names of places, and numbers that lead to a door."""

import re
import tomllib
from pathlib import Path

_DATA: dict[str, str] = tomllib.loads(
    (Path(__file__).parent / "words" / "chinese_places.toml").read_text("utf-8")
)


def _any(words: str) -> str:
    """A pattern for any of these words, the longest first."""
    return f"(?:{'|'.join(sorted(words.split(), key=len, reverse=True))})"


# Provinces and cities, where an address begins; 南京路 is a road.
KNOWN = re.compile(
    f"{_any(' '.join(_DATA.values()))}(?![东西南北中]?[一二三四五六七八九十]?(?:路|街|大街|大道|道|巷))"
)
# Little words that sentences are made of and names of places are not.
BREAKS = frozenset("的了吗呢吧啊嘛是在我你您他她它们这那哪请给把被寄送到没不就很还也怎么住找收")
# After these an address may go on behind a space.
AREA_ENDS = frozenset("省市区县州盟旗镇乡道村")
_CHAR = f"[^\\W\\d_a-zA-Z{''.join(sorted(BREAKS))}]"

_DIGITS = "(?:[0-9]{1,5}|[一二三四五六七八九十百零〇两]{1,5})"
_NUMBER = f"(?:[甲乙丙丁A-Za-z]?-?{_DIGITS}(?:[-—~/]{_DIGITS}){{0,3}}[A-Za-z]?)"
_ANNEX = f"(?:[附之]{_NUMBER}号?)"

# The patterns below fit the end of what precedes a number.
ROAD = re.compile(
    f"{_CHAR}{_any('大道 大街 道 路 街 巷 胡同 弄堂 里弄')}"
    r"(?:[东西南北中上下内外前后]|[东西南北]?[一二三四五六七八九十中东西南北上下]段)?\s?$"
)
NO_ROAD = re.compile(
    r"(?:[公马道线网铁走半思套出后问上条带来回逛老]路|高速路|[频通渠管轨味知报]道|[逛条上]街)\s?$"
)
ESTATE = re.compile(
    _CHAR
    + "{2}"
    + _any(
        "小区 社区 新村 公寓 大厦 广场 中心 新城 府邸 名邸 山庄 别墅 宿舍 大院 大楼 写字楼 商务楼"
        " 工业区 校区 园区 医院 酒店 宾馆 商城 花园 家园 苑 园"
    )
    + r"\s?$"
)
SHORT_ESTATE = re.compile(_CHAR + r"{2}[府庭城湾里郡轩阁居台墅岛港舍邸馆坊岸楼区]\s?$")
VILLAGE = re.compile(_CHAR + r"(?:[村屯庄寨堡]|[^城市]社区)\s?$")
# After the name of a road or an area any name may be an estate's.
AFTER_AREA = re.compile(f"(?:[路街道省市区县镇乡]|号(?!楼))\\s?{_CHAR}{{2,12}}\\s?$")
SOME_NAME = re.compile(_CHAR + r"{2}\s?$")

NUMBERED = re.compile(
    f"(?<![A-Za-z0-9.#第])(?:{_NUMBER}|[A-Za-z](?=\\s?[座栋幢]))\\s?"
    "(?P<unit>号楼|号院|号|弄|巷|栋|幢|座|单元|室|房|组|队|社|期|区|#|F)?"
)
# 2号线 is no door, and 88元 no house.
NO_DOOR = re.compile("[线店机仓柜码]|车厢|出口|门(?![卫岗口])")
NO_HOUSE = re.compile(
    r"\s?[年月日天元块折件个家米站路线楼层度公点分号岁次条包箱双套张瓶%:.多周毛万千百几港美0-9A-Za-z]"
)

_UNITS = _any("号楼 号院 栋 幢 座 期 区 组 队 社 单元 梯 层 楼 室 房 户 号 弄 巷 门 #")
_UNIT = f"{_NUMBER}\\s?[A-Z]?{_UNITS}(?![口店禁卫岗]){_ANNEX}?"
_LETTERED = r"[A-Za-z东西南北中]\s?(?:座|栋|幢|塔|区|室|楼|单元|门)"
# 502, B1203 or 3-2-501, but no telephone number.
_ROOM = "[A-Z]?[0-9]{2,5}[A-Z]?|(?!1[3-9][0-9]-)[0-9]{1,4}(?:-[0-9]{1,4}){1,3}"
_BARE = f"[\\s-]?(?:{_ROOM})室?(?![0-9A-Za-z年月日元块件号.-])"
_PREMISES = _any(
    "小区 花园 公寓 大厦 广场 中心 家园 新村 写字楼 大楼 社区 宿舍 医院 酒店 宾馆 学校 大学 学院"
    " 公司 超市 驿站 商店 商行 药店 药房 茶庄 工厂 银行 门卫 门卫室 前台 收发室 传达室"
    " 苑 园 城 府 湾 庭 里 郡 轩 阁 居 台 岸"
)
_NEXT_PLACE = (
    f"(?!{_any('附近 旁边 对面 门口 隔壁 楼下 电话 手机')}){_CHAR}{{1,12}}?{_PREMISES}"
    f"(?=\\s?(?:{_NUMBER}|[A-Z东西南北]座)|[\\s,。;)]|$)"
)
_NEXT_NAME = f"{_CHAR}{{2,10}}?(?=\\s?(?:{_NUMBER}|[A-Z])(?:号楼|[栋幢座]))"
# What may follow the first number: estate, building, floor and room.
REST = re.compile(f"(?:\\s?(?:{_ANNEX}|{_UNIT}|{_LETTERED})|{_NEXT_PLACE}|{_NEXT_NAME}|{_BARE}){{0,8}}")

_LEADS = (
    "地址 住址 门牌 改成 改为 换成 换为 变更为 位于 居于 搬家 现居 家住 老家 公司 单位 上门 快递 送货 发货"
    " 安装 维修 导航 完整 如下 以及 或者 然后 麻烦 直接 尽量 至 往"
)
# Words that an address does not begin with though they touch it.
LEAD_IN = re.compile(f".*{_any(_LEADS)}|从(?!化)|和(?![平田县睦兴顺谐])|[用放去取有]")
