"""Values that stand in Chinese support messages: names, addresses and numbers with true checksums."""

import random
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).parent / "zh"

_FULL_WIDTH = {ord(char): ord(char) + 0xFEE0 for char in "0123456789"}
_CHINESE = "零一二三四五六七八九"
_MOBILE = (
    "134 135 136 137 138 139 147 150 151 152 157 158 159 "
    "170 176 177 178 180 181 182 183 185 186 187 188 189 191 198"
)
_AREAS = (
    "010 021 022 023 024 025 027 028 029 0311 0351 0411 0512 "
    "0532 0571 0574 0591 0592 0731 0755 0757 0769 0871 0991"
)
_ID_AREAS = (
    "110105 120104 310115 320506 330212 350203 370212 410105 420111 440306 440605 500112 510107 610113"
)
_CARD_HEADS = "622202 621700 622848 621661 625955 622588 436742 524094 370285"


class Values:
    """Draws values from one part of the words; the same seed draws the same ones."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        words: dict[str, str] = tomllib.loads((FOLDER / "words.toml").read_text())
        self._words = {name: text.split()[seed % 2 :: 2] for name, text in words.items()}

    def value(self, slot: str) -> str:
        """Make a value for a slot such as {mobile}; {mobile2} is another one of its kind."""
        make: Callable[[], str] = getattr(self, f"_{slot.rstrip('2')}")
        return make()

    def _pick(self, name: str) -> str:
        return self._random.choice(self._words[name])

    def _of(self, words: str) -> str:
        return self._random.choice(words.split())

    def _digits(self, count: int) -> str:
        return "".join(self._random.choices("0123456789", k=count))

    def _maybe(self, share: float) -> bool:
        return self._random.random() < share

    def _name(self) -> str:
        return self._pick("surnames") + self._pick("given")

    def _surname(self) -> str:
        return self._pick("surnames")

    def _minority(self) -> str:
        return self._pick("minority")

    def _traditional(self) -> str:
        return self._pick("traditional")

    def _product(self) -> str:
        return self._pick("products")

    def _mobile(self) -> str:
        head, middle, tail = self._of(_MOBILE), self._digits(4), self._digits(4)
        separator = self._random.choices(["", " ", "-"], [75, 15, 10])[0]
        number = separator.join((head, middle, tail))
        if self._maybe(0.06):
            return number.translate(_FULL_WIDTH)
        return self._random.choice(["+86 ", "+86", "86-"]) + number if self._maybe(0.06) else number

    def _landline(self) -> str:
        area = self._of(_AREAS)
        number = self._random.choice("2345678") + self._digits(
            6 if len(area) == 4 and self._maybe(0.4) else 7
        )
        shape = self._random.choice(["{}-{}", "{}{}", "({}){}", "{} {}", "（{}）{}"])
        return shape.format(area, number) + (f"转{self._digits(3)}" if self._maybe(0.1) else "")

    def _email(self) -> str:
        number = self._digits(2) if self._maybe(0.3) else ""
        return f"{self._pick('mail_names')}{number}@{self._pick('mail_hosts')}"

    def _card(self) -> str:
        head = self._of(_CARD_HEADS)
        body = head + self._digits(
            (14 if head[0] == "3" else 18 if head.startswith("62") else 15) - len(head)
        )
        number = body + _luhn_digit(body)
        if head[0] != "3" and self._maybe(0.4):
            return " ".join(re.findall(r"\d{1,4}", number))
        return number

    def _id(self) -> str:
        born = f"{self._random.randint(1950, 2007)}{self._month()}{self._day()}"
        body = self._of(_ID_AREAS) + born + self._digits(3)
        weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
        check = "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]
        return body + (check.lower() if self._maybe(0.2) else check)

    def _ip(self) -> str:
        first = self._random.choice([36, 58, 101, 114, 117, 180, 183, 202, 218, 223])
        return ".".join(str(n) for n in (first, *(self._random.randint(1, 254) for _ in range(3))))

    def _month(self) -> str:
        return f"{self._random.randint(1, 12):02}"

    def _day(self) -> str:
        return f"{self._random.randint(1, 28):02}"

    def _birth(self) -> str:
        year, month, day = self._random.randint(1955, 2019), int(self._month()), int(self._day())
        shapes = [
            "{0}年{1}月{2}日",
            "{0}-{1:02}-{2:02}",
            "{0}/{1}/{2}",
            "{0}.{1:02}.{2:02}",
            "{0}年{1}月{2}号",
        ]
        return self._random.choice(shapes).format(year, month, day)

    def _region(self) -> str:
        province, city, district = self._pick("regions").split("|")
        parts = [[province, city, district], [city, district], [district]]
        return "".join(self._random.choices(parts, [60, 30, 10])[0])

    def _city(self) -> str:
        return self._pick("regions").split("|")[1]

    def _number(self, most: int) -> str:
        number = self._random.randint(1, most)
        if most < 20 and self._maybe(0.15):
            return _CHINESE[number] if number < 10 else "十" + _CHINESE[number - 10].replace("零", "")
        return str(number).translate(_FULL_WIDTH) if self._maybe(0.04) else str(number)

    def _room(self) -> str:
        return f"{self._random.randint(1, 28)}0{self._random.randint(1, 6)}"

    def _door(self) -> str:
        """The part of an address below the district."""
        road, estate, village = self._pick("roads"), self._pick("estates"), self._pick("villages")
        n, building, unit, room = self._number(999), self._number(19), self._number(4), self._room()
        shapes = [
            f"{road}{n}号",
            f"{road}{n}号{estate}",
            f"{road}{n}号{estate}{building}栋{room}",
            f"{road}{n}号{estate}{building}幢{unit}单元{room}室",
            f"{road} {n} 号",
            f"{road}{n}弄{building}号{room}室",
            f"{road}{n}号附{unit}号",
            f"{road}{n}号院{building}号楼{unit}单元{room}",
            f"{estate}{building}栋{unit}单元{room}",
            f"{estate}{building}号楼{room}室",
            f"{estate}{building}-{unit}-{room}",
            f"{estate} {building}座{room}",
            f"{road}{estate}{building}栋{room}",
            f"{village}{unit}组{n}号",
            f"{village}{building}号",
            f"{road}与{self._pick('roads')}交叉口{estate}{building}号楼",
        ]
        return self._random.choices(shapes, [3, 3, 3, 3, 1, 1, 1, 1, 2, 2, 1, 1, 2, 2, 1, 1])[0]

    def _address(self) -> str:
        region, door = self._region(), self._door()
        return self._random.choices([region + door, f"{region} {door}", door], [80, 10, 10])[0]

    def _overseas(self) -> str:
        n, m, k = (self._random.randint(1, most) for most in (400, 40, 9))
        return self._pick("overseas").format(
            n=n, m=m, k=k, f=self._random.randint(2, 20), r=self._random.choice("ABC")
        )

    def _order(self) -> str:
        shapes = [
            f"#W{self._digits(7)}",
            f"HP-{self._digits(5)}",
            f"DD2026{self._digits(8)}",
            f"2026{self._digits(10)}",
        ]
        return self._random.choice(shapes)

    def _tracking(self) -> str:
        return self._random.choice(["SF", "YT", "JDVA0", "ZTO"]) + self._digits(12)

    def _barcode(self) -> str:
        return "69" + self._digits(11)

    def _model(self) -> str:
        return f"{self._of('KX MT BSH QD')}-{self._digits(4)}{self._of('A B Pro Plus')}"

    def _version(self) -> str:
        return ".".join(str(self._random.randint(0, 20)) for _ in range(3))

    def _staff(self) -> str:
        return self._digits(4)

    def _sum(self) -> str:
        return f"{self._random.randint(9, 3000)}{self._random.choice(['元', '块', '.90元'])}"

    def _date(self) -> str:
        return f"{int(self._month())}月{int(self._day())}{self._random.choice('日号')}"


def _luhn_digit(body: str) -> str:
    digits = [int(char) for char in reversed(body)]
    total = sum(sum(divmod(2 * digit, 10)) for digit in digits[::2]) + sum(digits[1::2])
    return str(-total % 10)
