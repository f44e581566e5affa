"""Names and addresses in Chinese messages, and the words that only look like them."""

import time

import pytest

from bot.privacy import rules
from bot.privacy.characters import HALF_WIDTH
from bot.privacy.detect import PrivateValueDetector, _without_overlaps
from bot.privacy.recognizers.address_pinyin import PinyinAddressRecognizer
from bot.privacy.recognizers.address_zh import ChineseAddressRecognizer
from bot.privacy.recognizers.person_zh import ChinesePersonRecognizer
from tests.bench.chinese import sentences

RECOGNIZERS = (ChinesePersonRecognizer(), ChineseAddressRecognizer())


def found(text: str) -> list[tuple[str, str]]:
    plain = text.translate(HALF_WIDTH)
    results = [result for one in RECOGNIZERS for result in one.analyze(plain, one.supported_entities)]
    return [(span.kind, text[span.start : span.end]) for span in _without_overlaps(results, plain)]


def in_latin_letters(text: str) -> list[str]:
    return [text[one.start : one.end] for one in PinyinAddressRecognizer().analyze(text, ["ADDRESS"])]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("我叫王小明，想退货", "王小明"),
        ("姓名：赵敏", "赵敏"),
        ("收件人 诸葛清风 电话13812345678", "诸葛清风"),
        ("我是孙丽，昨天下的单", "孙丽"),
        ("称呼我周婷就行", "周婷"),
        ("麻烦给郑小燕补发一份", "郑小燕"),
        ("包裹写何建平收", "何建平"),
        ("许文强本人来取", "许文强"),
        ("我同事罗琳也买了", "罗琳"),
        ("我爱人谢芳签的字", "谢芳"),
        ("彭德福先生您好", "彭德福"),
        ("王小明 13812345678", "王小明"),
        ("13812345678，王小明", "王小明"),
        ("这事麻烦了。\n韩雪梅", "韩雪梅"),
        ("黄晓明", "黄晓明"),
        ("我是艾合买提·买买提", "艾合买提·买买提"),
        ("我叫陳美麗，想查訂單", "陳美麗"),
        ("聯絡人：張國華", "張國華"),
        ("我姓欧阳", "欧阳"),
        ("上次是吕经理处理的", "吕"),
        ("找钱总，他知道这事", "钱"),
    ],
)
def test_a_name_is_found_where_people_put_it(text: str, name: str) -> None:
    assert ("PERSON", name) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "我是高级会员，请问有优惠吗",
        "黄色和白色外套有货吗",
        "金额不对",
        "周末能送吗",
        "马上处理",
        "什么时候方便",
        "何时发货",
        "任何时间都行",
        "单号查不到",
        "高兴",
        "谢谢",
        "方案发给我",
        "我是老顾客了",
        "和经理说了",
        "关于老师的课程",
        "对于总价有疑问",
        "开车师傅迷路了",
        "小姐姐帮我看下",
        "找时间再说",
        "给金牌会员打折吗",
        "李宁的鞋",
        "老板在吗",
    ],
)
def test_a_word_that_begins_like_a_name_is_kept(text: str) -> None:
    assert found(text) == []


def test_a_name_is_found_again_wherever_it_stands() -> None:
    text = "我叫林志远。昨天林志远打过电话"

    assert found(text) == [("PERSON", "林志远"), ("PERSON", "林志远")]


@pytest.mark.parametrize(
    "address",
    [
        "浙江省杭州市西湖区文三路 90 号",
        "杭州市西湖区文三路90号东部软件园3号楼502室",
        "西湖区文三路90号",
        "文三路90号",
        "文三路９０号",
        "北京市海淀区中关村大街二十七号",
        "上海市静安区延平路123弄5号302室",
        "成都市锦江区春熙路18号附3号",
        "丽水花园12栋2单元801",
        "桂花新村3幢402室",
        "江苏省南京市江宁区将军大道29号翠屏国际城6-2-1103",
        "湖南省邵阳市隆回县桃花坪镇东风村三组15号",
        "杨家村5组",
        "香港九龍旺角彌敦道688號旺角中心12樓B室",
        "台北市信義區松仁路100號5樓之2",
        "新北市板橋區文化路一段188巷12弄3號",
    ],
)
def test_an_address_with_a_door_is_found_whole(address: str) -> None:
    assert found(f"请送到{address}，谢谢") == [("ADDRESS", address)]


@pytest.mark.parametrize(
    "text",
    [
        "你们送货到杭州市吗",
        "我在浙江省杭州市西湖区",
        "文三路的店还开着吗",
        "坐地铁2号线怎么走",
        "3号楼和5号楼的快递能一起取吗",
        "万达广场3楼的店几点关门",
        "12月5号下的单",
        "高速公路12号出口",
        "中山路2号线",
        "一路88折",
        "第12号商品",
        "小区不让进",
    ],
)
def test_a_place_without_a_door_is_kept(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "王小明 13812345678 浙江省杭州市西湖区文三路 90 号",
        "王小明，13812345678，浙江省杭州市西湖区文三路 90 号",
        "浙江省杭州市西湖区文三路 90 号 王小明 13812345678",
        "浙江省杭州市西湖区文三路 90 号\n王小明\n13812345678",
        "收件人：王小明\n电话：13812345678\n地址：浙江省杭州市西湖区文三路 90 号",
        "王小明浙江省杭州市西湖区文三路 90 号",
    ],
)
def test_pasted_delivery_details_come_apart(text: str) -> None:
    assert sorted(found(text)) == [("ADDRESS", "浙江省杭州市西湖区文三路 90 号"), ("PERSON", "王小明")]


@pytest.mark.parametrize(
    "address",
    [
        "Room 502, No. 90 Wensan Road, Xihu District, Hangzhou",
        "Building 3, Unit 2, Room 1801, Jinxiu Garden, Tianhe District, Guangzhou",
        "Flat 12B, 688 Nathan Road, Mong Kok, Kowloon, Hong Kong",
        "No.12, Lane 345, Huashan Road, Jing'an, Shanghai",
    ],
)
def test_an_address_in_latin_letters_is_found_whole(address: str) -> None:
    assert in_latin_letters(f"Send it to {address}, thanks") == [address]


def test_rooms_and_numbers_without_a_road_are_kept() -> None:
    assert in_latin_letters("Unit 3 of the course, No. 5 on the list, Room 12 is cold") == []


@pytest.mark.parametrize("text", ["文三路" + " " * 10_000 + "1号", "Abc Garden " * 1_400, "姓名：" * 5_000])
def test_a_long_odd_text_is_read_in_time(text: str) -> None:
    began = time.process_time()
    found(text)
    in_latin_letters(text)

    assert time.process_time() - began < 1


def test_english_is_left_to_others() -> None:
    assert found("My name is John Smith, 90 Wensan Road") == []


@pytest.fixture(scope="module")
def detector() -> PrivateValueDetector:
    return PrivateValueDetector()


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (
            "我叫王小明，电话１３８ １２３４ ５６７８",
            {("PERSON", "王小明"), ("PHONE", "１３８ １２３４ ５６７８")},
        ),
        ("收件人王小明（13812345678）", {("PERSON", "王小明"), ("PHONE", "13812345678")}),
        ("快递到了请先拨13812345678", {("PHONE", "13812345678")}),
        ("短信没收到，11010519491231002X", {("NATIONAL_ID", "11010519491231002X")}),
        ("我1990年5月20日出生", {("BIRTHDATE", "1990年5月20日")}),
        ("卡号6222021234567890128，户名李秀英", {("CARD", "6222021234567890128"), ("PERSON", "李秀英")}),
        ("单号SF1234567890123，3月5日下的单，一共299元", set()),
    ],
)
def test_numbers_are_found_in_chinese_sentences(
    detector: PrivateValueDetector, text: str, values: set[tuple[str, str]]
) -> None:
    spans = detector.detect(text, "zh", rules.of())

    assert {(span.kind, text[span.start : span.end]) for span in spans} == values


def test_messages_of_strangers_are_masked_well_and_plain_ones_left_alone() -> None:
    """A floor under what the bench measures: names and addresses of the held-out sentences."""
    named = wrong = total = 0
    for sample in sentences("held-out"):
        kinds = {"PERSON": "PERSON", "STREET_ADDRESS": "ADDRESS"}
        marked = [span for span in sample["spans"] if span["entity_type"] in kinds]
        finds = found(sample["full_text"])
        total += len(marked)
        named += sum((kinds[span["entity_type"]], span["entity_value"]) in finds for span in marked)
        wrong += bool(finds and not sample["spans"])

    assert named / total > 0.8
    assert wrong <= 2
