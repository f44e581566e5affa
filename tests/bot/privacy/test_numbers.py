"""What is told by shape, checksum or a telling word: found whole, however it is written, and nothing else."""

import time
from collections.abc import Iterator, Sequence

import pytest
import spacy

from bot.privacy import rules, scrub
from bot.privacy.detect import PrivateValueDetector
from bot.privacy.memory_vault import MemoryVault
from bot.privacy.placeholders import Span
from bot.privacy.rules import Rules

NUMBERS = {"EMAIL", "PHONE", "CARD", "BANK", "NATIONAL_ID", "IP", "BIRTHDATE", "SECRET"}

# Kind, and texts in which «» are around what has to be found.
FOUND = {
    "EMAIL": [
        "Mail me at «alice.b+shop@mail.example.co.uk».",
        "我的邮箱是«alice@example.com»谢谢",
        "QQ邮箱«13812345678@qq.com»",
        "邮箱：«ａｌｉｃｅ＠ｅｘａｍｐｌｅ．ｃｏｍ»",
        "«alice@\nexample.com» is where to write",
        "write to «alice at example dot com» please",
        "it is «alice[at]example[dot]co[dot]uk»",
        "邮箱 «alice 艾特 example 点 com»",
        "reach me at «alice at gmail.com»",
        "ALICE: «ALICE@EXAMPLE.COM», BOB: «b_o-b@x.io»",
    ],
    "PHONE": [
        "call me at «2125551234»",
        "«2125551234» is my phone number",
        "«(212) 555-0123» or «+44 20 7946 0958»",
        "Reach me on «212.555.0123 x123», or «212-555-0123 ext. 5».",
        "«1-212-555-0123»",
        "my fax: «001-668-040-8670»",
        "from abroad «0044 20 7946 0958» works, «+1 (415) 555-2671» too",
        "«020 7946 0958», «01 42 68 53 00», «030 123456»",
        "我的电话«13812345678»谢谢",
        "电话«１３８１２３４５６７８»",
        "«138-1234-5678»，下午打",
        "手机号«+86 138 0013 8000»",
        "手机«008613800138000»",
        "座机：«010-62345678»，深圳«0755-83456789»",
        "总机«010-62345678转801»",
        "order 10423, phone «138 1234 5678»",
        "我的订单10423 «13812345678»",
        "my phone is «138 1234\n5678»",
        "my number is «212 555\n0123»",
        "Sure, «2125552368», thanks",
        "My order is late. «212-555-0123»",
        "I lost my card, «212-555-0123»",
        "They're not answering at «92 34 70»",
        "ph «2125550123»",
        "tel:«02079460958»",
        "Tel.«0755-83456789»",
        "«212-555-0123» and «212-555-0124»",
        "call «138 then 1234 5678»",
        "my phone is «two one two five five five oh one two three»",
        "call me: «five five five, double two three, four four five six»",
        "电话是«一三八零零一三八零零零»",
        "电话«幺三八零零幺三八零零零»",
        "手机号«一三八，零零一三，八零零零»",
        "电话«138两个零13八零零零»",
        "WhatsApp «+49 (0)30 901820»",
        "«+49-30-901820»",
        "phone:«+442079460958»",
        "I am at «０２０ ７９４６ ０９５８»",
        "My phone number, should you need it for the delivery, is «2125551234»",
        "Telefon «0171 1234567»",
        "Tanzania 53144\n«06-10446904»-Office",
        "phone: «020 7946\n0958»",
        "phones: «2125550123»,«2125550124»/«2125550125»",
        "my number is plus «one two one two five five five zero one two three»",
        "QQ：«123456789»",
    ],
    "CARD": [
        "card «4111 1111 1111 1111»",
        "卡号«4111111111111111»到期",
        "my card number is «4111111111111112»",
        "Amex «378282246310005»",
        "Amex «3782 822463 10005» 12/27 1234",
        "«4111-1111-1111-1111» exp 12/27",
        "«4111 1111 1111 1111» 12/27 123",
        "«4111.1111.1111.1111»",
        "«4111 1111\n1111 1111»",
        "«４１１１　１１１１　１１１１　１１１１»",
        "«4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1»",
        "Maestro «6759649826438453», Diners «30569309025904», JCB «3530111333300000» and «180000000000002»",
        "«4111 1111 1111 1112» was declined",
        "order 10423 «5555555555554444»",
        "«4111 dot 1111 dash 1111 1111»",
        "my card is «four one one one, one one one one, one one one one, one one one one»",
        "卡号«四一一一 一一一一 一一一一 一一一一»",
        "my visa4111111111111111".replace("visa", "visa «") + "»",
        "«4111 1111 1111 1111 123»",
        "卡号是«6217 0000 1000 1234 567»",
        "银联卡«6222021234567890128»",
    ],
    "BANK": [
        "My IBAN is «GB92ZRLW85742620649975»",
        "my iban is «gb12spfc66723974480868»",
        "«DE89 3704 0044 0532 0130 00» please",
        "refund to «FR7630006000011234567890189» thanks",
        "«NL91-ABNA-0417-1643-00»",
        "«DE89 3704 0044\n0532 0130 00»",
        "IBAN: «ＤＥ８９３７０４００４４０５３２０１３０００»",
        "IBAN «DE89 3704 0044 0532 0130 01» (mistyped)",
        "my account number is «12345678», sort code «12-34-56»",
        "routing number «021000021», account number «000123456789»",
        "routing «021000021» and account «1234567890»",
        "账号«6217000010001234567»",
        "银行账户：«1234 5678 9012»",
        "my account number is «one two three four five six seven eight»",
    ],
    "NATIONAL_ID": [
        "Here's my SSN: «536-32-3065»",
        "«455-99-6622»",
        "social security number «455 99 6622»",
        "my SSN is «455996622»",
        "ssn «four five five, nine nine, six six two two»",
        "ITIN «912-71-1234»",
        "NI number «AB 12 34 56 C», also «ab123456c»",
        "身份证号«11010519491231002X»",
        "«11010519491231002x»是我的",
        "身份证 «110105 19491231 002X»",
        "身份证号码：«110105491231002»",
        "«12345678Z» es mi DNI, «X1234567L» mi NIE",
        "codice fiscale «RSSMRA85T10A562S»",
        "«1 85 05 78 006 084 91»",
        "Steuer-ID «36 574 261 809»",
        "BSN «111222333»",
        "PESEL «44051401359»",
        "rijksregisternummer «85.07.30-033.28»",
        "«811228-9874» is my personnummer",
        "«131052-308T»",
        "NIF «123456789»",
        "my passport number is «AB1234567»",
        "my driver's license number is «A125325867»",
        "护照号«E12345678»",
        "«A12345678» is my passport",
        "身份证号码是«1101011990 03074258»",
        "my tax ID is «12-3456789»",
    ],
    "IP": [
        "my address is «207.155.150.156»",
        "blocked: «10.0.0.1:8080», «192.168.0.0/16».",
        "«d80:e4b5:79da:6cf6:71f3:51f7:9161:c319» and «2001:db8::1»",
        "我的IP是«192.168.1.20»吗",
        "«fe80::1%eth0»",
        "Server «127.0.0.1:8000» is down",
        "[«2001:db8::ff00:42:8329»]:443",
    ],
    "BIRTHDATE": [
        "She was born on «5/10/1963».",
        "Please tell me your date of birth. It's «11/25/1959»",
        "DOB «1990-05-01», order HP-10423",
        "my birthday is «May 5, 1990»",
        "My birthday is the «5th of May 1990»",
        "born «3 March 1985» in Leeds",
        "出生日期：«1990年5月1日»",
        "我«1990年5月1日»出生",
        "我的生日是«1990.5.1»",
        "生日«19900501»",
        "DOB «12121980»",
        "I was born in «1985»",
        "né le «3 mars 1990», geboren am «3. März 1990»",
        "我是«90年5月»出生的",
        "«1990-05-01» is my date of birth",
    ],
    "SECRET": [
        "my password is «hunter2»",
        "My password is «sunshine», can you log in for me?",
        "password: «correcthorse»",
        "the password I use is «'Tr0ub4dor&3'»".replace("«'", "'«").replace("'»", "»'"),
        "use «S3cret!pw» as my password",
        "PIN «4821»",
        "my pin is «four eight two one»",
        "the verification code is «482113»",
        "one-time code: «482 113»",
        "CVV «123»",
        "我的密码是«hunter2»，帮我登录",
        "密码：«ａｂｃ１２３»",
        "密码«123456»不对",
        "验证码«482113»",
        "验证码是 «4821»",
        "«sk-proj-abcdefghijklmnop1234»",
        "key «ghp_abcdefghijklmnopqrstuvwxyz0123456789»",
        "«AKIAIOSFODNN7EXAMPLE»",
        "xoxb: «xoxb-123456789012-abcdefghijkl»",
        "«eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N»",
        "Authorization: Bearer «mF_9.B5f-4.1JqM1x2y3z»",
        "«-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\n-----END RSA PRIVATE KEY-----»",
        "api key = «9f8a7b6c5d4e3f2a1b0c»",
        "see https://«bob:hunter2@example.com»/",
        "the code is «839201»",
        "my password's «hunter2»",
        "login: bob / pass: «s3cr3t»",
        "my passphrase is «correct horse battery staple»",
        "I forgot my password, it was either «fluffy99»",
        "API密钥：«9f8a7b6c5d4e3f2a1b0c»",
    ],
}

NOTHING = [
    "Where is my order HP-10423?",
    "订单HP-10423到哪了？",
    "Please cancel order #W2378156",
    "I want to exchange item 1008292230 for 9523456873, then 452137894512",
    "Is 9523456873 in stock?",
    "订单13812345678在哪",
    "tracking number 9400110200881234567890",
    "order 4111111111111111",
    "运单号 SF1234567890123",
    "Can I call you about order 1008292230?",
    "I cancelled 1008292230 yesterday",
    "shipped 2024-05-12 10:30:45, on 12.05.2024, total 1,299.00",
    "two one-day passes, three of them for four people",
    "they sent 2 of 3 on 2024-05-12 2024-05-13",
    "My password is wrong",
    "my password isn't working and I forgot the PIN",
    "the password is not accepted, it says the code is invalid",
    "How do I reset my passcode?",
    "密码错误，怎么办？",
    "验证码收不到",
    "密码是多少位？",
    "Version 10.0.19041.1 of Windows, firmware v1.2.3.4",
    "固件版本1.2.3.4有问题",
    "std::vector and 10:30:45 and 00:1A",
    "for her birthday I ordered on 12/06/2025",
    "I bought it on May 5, 1990",
    "it arrives at 5 or at 6, size 38/40, 12-14 days",
    "一共一百二十三块，二零二四年五月买的",
    "三个八百的和两个零食",
    "I ordered one, two or three of each",
    "the code SUMMER24 does not work, my confirmation code is AB12CD",
    "promo code SUMMER24 is not accepted, discount code is SAVE20, zip code 90210, error code 500123",
    "Is the passcode 4 digits?",
    "I bought it at harbor.com, the dotted one",
    "happy birthday! ordered 2024-12-01",
    "my card ends in 4242, customer number 12345678",
    "article GB-204 and model DE8900",
    "<EMAIL_1> wrote to <PHONE_2> at <CARD_3>",
    "the API key field is empty",
    "ISBN 9780306406157, EAN 4006381333931",
    "Could you call the courier about 103439696012?",
    "orders 41111111\n11111111, items 411111 111111 1111",
    "My parcel 500530764322 never arrived",
    "It is 2 x Smartphone, 5311660992, at 1161.04 each.",
    "GTIN 04006381333931, mobile charger 5511223344, phone case 1008292230",
    "手机壳 1008292230 坏了，账户余额 12345.67，生日礼物 2024-12-01 送到",
    "section 1.2.3.4 says so",
    "access key of the door, order 123456",
    "I have 3 cards ending in 4821",
    "paid 4821 with credit_card_7815826",
    "look at the 1080p 2160p model, 3840 x 2160",
]


@pytest.fixture(scope="module")
def detector() -> Iterator[PrivateValueDetector]:
    """Without the language model, which is slow and has no say in numbers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spacy, "load", lambda *args, **kwargs: spacy.blank("en"))
        yield PrivateValueDetector()


def found(detector: PrivateValueDetector, text: str, site: Rules) -> list[tuple[str, str]]:
    spans = detector.detect(text, "en", site)
    return [(span.kind, text[span.start : span.end]) for span in spans if span.kind in NUMBERS]


def marked(text: str) -> tuple[str, list[str]]:
    """The text without its marks, and what was marked."""
    values = [piece.split("»")[0] for piece in text.split("«")[1:]]
    return text.replace("«", "").replace("»", ""), values


@pytest.mark.parametrize("kind", FOUND)
def test_detect_finds_all_of_it(detector: PrivateValueDetector, kind: str) -> None:
    examples = [marked(example) for example in FOUND[kind]]
    got = {text: found(detector, text, rules.of()) for text, _ in examples}
    assert got == {text: [(kind, value) for value in values] for text, values in examples}


def test_detect_leaves_alone_what_is_nobodys(detector: PrivateValueDetector) -> None:
    got = {text: found(detector, text, rules.of()) for text in NOTHING}
    assert got == {text: [] for text in NOTHING}


def test_detect_masks_the_rest_of_what_another_find_overlaps(detector: PrivateValueDetector) -> None:
    text = "password: a1@example.com/b2"
    assert found(detector, text, rules.of()) == [("EMAIL", "a1@example.com"), ("SECRET", "b2")]


def test_detect_knows_the_numbers_of_a_sites_regions(detector: PrivateValueDetector) -> None:
    text = "Write to me or 612 34 56 78"
    assert found(detector, text, rules.of(regions=["ES"])) == [("PHONE", "612 34 56 78")]
    assert found(detector, text, rules.of(regions=["US"])) == []


def test_detect_never_masks_what_matches_a_sites_pattern(detector: PrivateValueDetector) -> None:
    text = "Call me on 452137894512 or 452137894513"
    assert found(detector, text, rules.of(ids=[r"4521\d{8}"])) == []
    assert len(found(detector, text, rules.of())) == 2


def test_detect_masks_a_card_though_a_sites_pattern_matches_some_of_it(
    detector: PrivateValueDetector,
) -> None:
    site = rules.of(ids=[r"\d{10}"])
    assert found(detector, "4111111111111111", site) == [("CARD", "4111111111111111")]


def test_detect_keeps_item_ids_that_are_the_keys_of_a_tools_result(detector: PrivateValueDetector) -> None:
    class Here:
        def detect(self, texts: Sequence[str], language: str, site: Rules) -> list[list[Span]]:
            return [detector.detect(text, language, site) for text in texts]

    def scrubbed(value: object) -> object:
        return scrub.scrub_json(value, MemoryVault(), Here(), "en", rules.of())

    variants = {"variants": {"2125552368": {"price": 10}}}
    assert scrubbed(variants) == variants
    assert scrubbed({"phones": {"2125552368": "home"}}) == {"phones": {"<PHONE_1>": "home"}}


def test_rules_do_without_a_pattern_that_is_slow_or_wrong() -> None:
    site = rules.of(ids=[r"(a|aa)+$", "[unclosed", r"ticket-\d+"])
    text = "a" * 60 + "! ticket-7"
    for _ in range(rules.DELAYS + 1):
        assert text.index("ticket") in [start for start, _ in site.own(text)]
    began = time.monotonic()
    site.own(text)
    assert time.monotonic() - began < rules.PATTERN_SECONDS
