"""Private values that are nobody's, planted to be searched for; the same again for the same seed."""

import random
import string
from collections.abc import Callable
from dataclasses import dataclass

# What has a form of its own, which no trace may hold; names and addresses are only counted.
STRUCTURED = ("EMAIL", "PHONE", "CARD", "BANK", "NATIONAL_ID", "IP", "BIRTHDATE", "SECRET")
COUNTED = ("PERSON", "ADDRESS")

_FIRST = (
    *("Harriet", "Oliver", "Beatrice", "Malcolm", "Priya", "Fergus"),
    *("Ingrid", "Desmond", "Yolanda", "Cedric", "Noreen", "Tobias"),
)
_LAST = (
    *("Whitfield", "Okafor", "Lindqvist", "Castellanos", "Hargreaves"),
    *("Pemberton", "Novak", "Delacroix", "Thorpe", "Iwu"),
)
_STREETS = ("Maple Street", "Orchard Road", "Kingsley Avenue", "Birch Lane", "Harbour Drive", "Elmwood Court")
_TOWNS = ("Springfield, IL 62704", "Leeds LS1 4AP", "Portland, OR 97205", "Bristol BS8 1TH")
_SURNAMES, _GIVEN = "陈林黄赵吴周徐孙马朱胡郭何罗梁宋郑谢韩唐", "志强国华建军丽娜秀英海燕文博雨欣子轩晓东"
_ROADS = (
    *("北京市朝阳区建国路", "上海市浦东新区世纪大道"),
    *("广东省深圳市南山区科技园路", "浙江省杭州市西湖区文三路"),
)
_MONTHS = ["January", "March", "April", "June", "July", "September", "October", "November"]


@dataclass(frozen=True)
class Planted:
    kind: str
    text: str


def _digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choice(string.digits) for _ in range(count))


def email(rng: random.Random, zh: bool) -> str:
    return f"{rng.choice(_FIRST).lower()}.{_digits(rng, 5)}@mail{_digits(rng, 4)}.com"


def phone(rng: random.Random, zh: bool) -> str:
    if zh:
        return f"1{rng.choice(('38', '59', '86', '77'))}{_digits(rng, 8)}"
    area, line = rng.choice(("212", "415", "617", "303")), _digits(rng, 4)
    exchange = f"{rng.randint(222, 998)}".replace("11", "12")
    return rng.choice(
        (f"({area}) {exchange}-{line}", f"+1 {area} {exchange} {line}", f"{area}-{exchange}-{line}")
    )


def card(rng: random.Random, zh: bool) -> str:
    body = f"4{_digits(rng, 14)}"
    number = body + str(-_luhn(body) % 10)
    return rng.choice((number, " ".join(number[at : at + 4] for at in range(0, 16, 4))))


def _luhn(body: str) -> int:
    """The sum of the digits of a number whose check digit is still to come."""
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(body))]
    return sum(digit - 9 * (digit > 9) for digit in doubled)


def bank(rng: random.Random, zh: bool) -> str:
    account = _digits(rng, 18)
    check = 98 - int(f"{account}131400") % 97  # D and E are 13 and 14
    number = f"DE{check:02d}{account}"
    return rng.choice((number, " ".join(number[at : at + 4] for at in range(0, 22, 4))))


def national_id(rng: random.Random, zh: bool) -> str:
    if not zh:
        area = rng.choice([*range(100, 666), *range(667, 900)])
        return f"{area}-{rng.randint(10, 99)}-{rng.randint(1000, 9999)}"
    body = f"110101{rng.randint(1950, 2004)}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}{_digits(rng, 3)}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]


def ip(rng: random.Random, zh: bool) -> str:
    rest = ".".join(str(rng.randint(10, 250)) for _ in range(3))
    return f"{rng.choice((81, 93, 185, 203))}.{rest}"


def birthdate(rng: random.Random, zh: bool) -> str:
    year, month, day = rng.randint(1941, 2005), rng.randrange(1, 9), rng.randint(10, 28)
    if zh:
        return f"{year}年{month}月{day}日"
    return rng.choice((f"{day} {_MONTHS[month - 1]} {year}", f"{year}-{month:02d}-{day}"))


def secret(rng: random.Random, zh: bool) -> str:
    letters = string.ascii_letters + string.digits
    if rng.random() < 0.5:
        return "sk-" + "".join(rng.choice(letters) for _ in range(40))
    return f"{rng.choice(_LAST)}{_digits(rng, 4)}!{''.join(rng.choice(letters) for _ in range(4))}"


def person(rng: random.Random, zh: bool) -> str:
    if zh:
        return rng.choice(_SURNAMES) + "".join(rng.sample(_GIVEN, 2))
    return f"{rng.choice(_FIRST)} {rng.choice(_LAST)}"


def address(rng: random.Random, zh: bool) -> str:
    if zh:
        return f"{rng.choice(_ROADS)}{rng.randint(10, 999)}号{rng.randint(2, 30)}栋{rng.randint(101, 2909)}室"
    return f"{rng.randint(100, 9999)} {rng.choice(_STREETS)}, {rng.choice(_TOWNS)}"


MAKERS: dict[str, Callable[[random.Random, bool], str]] = {
    "EMAIL": email,
    "PHONE": phone,
    "CARD": card,
    "BANK": bank,
    "NATIONAL_ID": national_id,
    "IP": ip,
    "BIRTHDATE": birthdate,
    "SECRET": secret,
    "PERSON": person,
    "ADDRESS": address,
}
# How people come to say such a thing: in English, in Chinese.
SAID: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "EMAIL": (
        ("You can write to {}.", "E-mail: {}", "{} is where you can reach me."),
        ("我的邮箱是{}。", "发到{}就行。"),
    ),
    "PHONE": (("Please call me on {}.", "my number's {} btw", "Tel: {}"), ("请打我的电话{}。", "手机号{}")),
    "CARD": (
        ("I paid with my card {}.", "charged {} twice", "visa {}, exp 04/27"),
        ("我用信用卡{}付的款。", "卡号：{}"),
    ),
    "BANK": (("Refund it to my IBAN {} please.", "wire it to {}"), ("请退款到我的银行账户 {}。", "转到{}")),
    "NATIONAL_ID": (("My social security number is {}.", "SSN {}"), ("我的身份证号是{}。", "身份证{}")),
    "IP": (
        ("My IP address {} is blocked.", "logged in from {}"),
        ("网页说我的IP地址 {} 被封了。", "从{}登录的。"),
    ),
    "BIRTHDATE": (("I was born on {}.", "DOB {}", "my birthday is {}"), ("我的出生日期是{}。", "生日{}")),
    "SECRET": (
        ("My password is {} and it does not work.", "password: {}"),
        ("我的密码是 {} ，登录不了。", "密码：{}"),
    ),
    "PERSON": (("My name is {}.", "{} here, hi.", "Ordered under the name {}."), ("我叫{}。", "收件人{}")),
    "ADDRESS": (("Please send it to {}.", "I live at {}.", "address: {}"), ("请寄到{}。", "收货地址：{}")),
}
_ASKED = ("What about my order {}?", "我的订单{}怎么样了？")


def one(kind: str, rng: random.Random, zh: bool = False) -> Planted:
    return Planted(kind, MAKERS[kind](rng, zh))


def sentence(value: Planted, zh: bool = False) -> str:
    """Said in one of the ways there are: in the same way again for the same value."""
    return random.Random(value.text).choice(SAID[value.kind][zh]).format(value.text)


def message(rng: random.Random, order: str, zh: bool) -> tuple[str, list[Planted]]:
    """What a customer may write about an order, with up to three private values, each after the other."""
    values = [one(kind, rng, zh) for kind in rng.sample(list(MAKERS), rng.randint(1, 3))]
    said = [_ASKED[zh].format(order), *(sentence(value, zh) for value in values)]
    rng.shuffle(said)
    return ("，" if zh else " ").join(said), values


@dataclass(frozen=True)
class Person:
    """What the site knows of one customer; every process makes the same of the same `sub`."""

    name: Planted
    email: Planted
    phone: Planted
    address: Planted
    # What stands in the free text of the site's records.
    note: tuple[Planted, ...]

    @property
    def values(self) -> list[Planted]:
        return [self.name, self.email, self.phone, self.address, *self.note]


def known_as(sub: str) -> Person:
    rng = random.Random(f"known {sub}")
    told = [one(kind, rng) for kind in ("PERSON", "EMAIL", "PHONE", "ADDRESS")]
    noted = [one(kind, rng) for kind in rng.sample(STRUCTURED, 2)]
    return Person(*told, note=tuple(noted))
