"""The word before a number says what the number is: the nearest one decides."""

import re
from functools import lru_cache

REACH = 60

# A phone's case is a thing with a number of its own.
_THING = (
    r" ?(?:case|cover|charger|holder|stand|mount|screen|cable|strap|ring|model)|[壳套膜屏架线]|充电|支架|型号"
)
PHONE_WORDS = (
    rf"(?:(?:tele|cell ?|mobile ?)?phones?|mobile|手机)(?!{_THING})|tel(?![a-z])|cell(?![a-z])"
    r"|ph(?![a-z])|mob(?![a-z])"
    r"|call(?:ing|ed|s)?(?![a-z])"
    r"|text(?:ing)? (?:me|us|him|her|them)|ring (?:me|us|him|her)|dial|answering at|whatsapp|wechat"
    r"|sms(?![a-z])"
    r"|fax|reach(?:able| me| us| him| her| them)|contact|callback|(?:my|our|his|her|their) number"
    r"|(?<=your )number is|telefon|handy(?:nummer)?(?![a-z])|t[ée]l[ée]phone|tel[ée]fono|rufnummer"
    r"|电话|联系|拨打|致电|微信|(?<=的)号码|(?<![一-鿿])号码|qq(?![a-z])|短信|座机|传真|来电|回电|打给|打我|热线"
    r"|拨(?!款)|[我他她]的号|老号|新号|旧号"
)
CARD_WORDS = (
    r"cards?(?![a-z])|visa|amex|american express|master ?card|unionpay|maestro|diners|discover(?![a-z])"
    r"|cc(?![a-z])|paid with|pay with|charge(?![a-z])|卡|银联"
)
BANK_WORDS = (
    r"iban|(?:bank |checking |savings |current |giro)?accounts?(?: ?(?:number|num|no\.?|nr\.?|#))(?![a-z])"
    r"|bank accounts?|account(?=[\s:#]{0,3}\Z)|(?:checking|savings) accounts?|acct"
    r"|a/c(?![a-z])|routing|sort ?code|aba(?![a-z])"
    r"|bsb(?![a-z])|kontonummer|konto(?![a-z])|账号|帐号|账户|帐户|银行账|银行卡|卡号|开户|汇款"
)
NATIONAL_WORDS = (
    r"ssn|social (?:security|insurance)|my social(?! media)|itin(?![a-z])|national (?:insurance|id)"
    r"|nino(?![a-z])"
    r"|nhs (?:number|no)|identity (?:card|number|no)|id card|(?:personal|government|citizen)(?:'?s)? id"
    r"|(?:identification|personal identity) (?:number|code)"
    r"|tax(?:payer)?(?: id| number| file| code| ?ident)[a-z]*"
    r"|passports?|driv(?:er|ing)['’]?s? ?licen[cs]es?|dl number|steuer-?id[a-z]*"
    r"|steuer(?:liche)? ?ident[a-z]*"
    r"|steuernummer|idnr|sozialversicherung[a-z]*|ausweis[a-z]*|reisepass|personalausweis"
    r"|num[ée]ro de s[ée]cu[a-zé]*"
    r"|s[ée]curit[ée] sociale|nir(?![a-z])|insee|dni(?![a-z])|nie(?![a-z])|codice fiscale|bsn(?![a-z])"
    r"|burgerservicenummer|pesel|dow[óo]d|rijksregister[a-z]*|registre national|personnummer|hetu(?![a-z])"
    r"|henkil[öo]tunnus|cpr(?![a-z])|f[øo]dselsnummer|nif(?![a-z])|contribuinte|pps(?:n| number)"
    r"|cpf(?![a-z])"
    r"|aadhaar|aadhar|pan (?:card|number)|nric|medicare|resident registration"
    r"|身份证|护照|驾照|驾驶证|港澳通行证|社保|居民证|证件号|通行证|军官证"
)
ID_WORDS = (
    r"orders?(?![a-z])|items?(?![a-z])|products?(?![a-z])|skus?(?![a-z])|ids?(?![a-z])|tracking|invoices?"
    r"|refs?(?![a-z])|reference|articles?|models?(?![a-z])|parts?(?![a-z])|serial|tickets?|cases?(?![a-z])"
    r"|shipments?|parcels?|packages?|barcode|gtin|imei|amount|balance|ean(?![a-z])"
    r"|upc(?![a-z])|isbn|variants?|waybill|awb(?![a-z])"
    r"|(?:customer|member|client|booking|confirmation|transaction) (?:number|no|id|code)|voucher|coupon"
    r"|gift ?card|订单|单号|商品|产品|货号|编号|快递|运单|物流|流水|型号|条码|序列|包裹|会员号|款号|余额|金额"
)
_LEADS = {
    "national": NATIONAL_WORDS,
    "bank": BANK_WORDS,
    "id": ID_WORDS,
    "phone": PHONE_WORDS,
    "card": CARD_WORDS,
}
# For lower-case texts: without the flag to ignore case the search is three times as fast.
_WORDS = re.compile(
    "(?<![a-z])(?:" + "|".join(f"(?P<{kind}>{words})" for kind, words in _LEADS.items()) + ")"
)
_NUMBER = re.compile(r"\d{3}")
_SENTENCE_GOES_ON = re.compile(r"[.!?;,。！？、\n](?<!no\.)(?<!nr\.)", re.IGNORECASE)
# Between two numbers of a kind, as in "call 212-555-0123 or 212-555-0124".
_JOINS = re.compile(
    r"[\d\W]*(?:(?:and|or|und|ou|at|home|work|mobile|office|ext|x|和|或|或者|与)[\d\W]*)*", re.I
)
_TOPIC = re.compile(
    r"(?<![a-z])(?:about|regarding|concerning|re:|because of|due to)(?![a-z])|关于|有关|询问|咨询",
    re.IGNORECASE,
)
_AFTER_NAMED = re.compile(
    r"\W{0,3}(?:is|are|was|as|that's|这?是)\W{0,3}(?:(?:my|our|the|his|her|an?)(?![a-z])|[我他她]的?)\s?",
    re.I,
)
_ONE_WORD = re.compile(r"\w+ ")
_AFTER_PHONE = re.compile(
    r"[\s\-(,]{0,3}(?:office|fax|mobile|cell|home|work|landline|tel|phone|whatsapp|手机|电话)"
    r"(?=[\s\W]*(?:[.,;:)\n\\-]|$))",
    re.I,
)


def meaning(text: str, start: int, end: int) -> str | None:
    """Tell what the words around a number call it: phone, card, bank, national, id or nothing."""
    before = text[max(0, start - REACH) : start]
    return _before(before.lower()) or _after(text[end : end + REACH].lower())


def called_phone_after(text: str, end: int) -> bool:
    """Whether a word such as "office" stands behind a number, as in lists of contacts."""
    return bool(_AFTER_PHONE.match(text, end))


@lru_cache(maxsize=256)
def _before(text: str) -> str | None:
    nearest = None
    for nearest in _WORDS.finditer(text):  # noqa: B007  only the last one is wanted
        pass
    if nearest is None:
        return None
    kind, between = nearest.lastgroup, text[nearest.end() :]
    number = _NUMBER.search(between)
    if kind == "id":
        # In "order 10423, 212-555-0123" the first number has used the word up.
        return None if number or _SENTENCE_GOES_ON.search(between) else kind
    # In "call me about 1008292230" the number is what the call is about.
    if kind == "phone" and _TOPIC.search(between):
        return None
    return None if number and not _JOINS.fullmatch(between, number.start()) else kind


@lru_cache(maxsize=256)
def _after(text: str) -> str | None:
    if _AFTER_PHONE.match(text):
        return "phone"
    named = _AFTER_NAMED.match(text)
    if not named:
        return None
    second = _ONE_WORD.match(text, named.end())
    word = _WORDS.match(text, named.end()) or (second and _WORDS.match(text, second.end()))
    return word.lastgroup if word else None
