"""The word before a number says what the number is: the nearest one decides."""

import re

REACH = 40

PHONE_WORDS = (
    r"phone|telephone|tel\b|mobile|cell|call|text me|ring me|whatsapp|wechat|sms|fax|reach me|contact"
    r"|my number|(?<=your )number is|电话|手机|联系|拨打|致电|微信|号码是|短信"
)
CARD_WORDS = r"card|visa|amex|american express|unionpay|paid with|pay with|卡|银联"
ID_WORDS = (
    r"order|item|product|sku\b|\bid\b|_id\b|tracking|invoice|\bref\b|reference|article|model|part\b|serial|ticket"
    r"|shipment|parcel|barcode|\bean\b|\bupc\b|订单|单号|商品|产品|货号|编号|快递|运单|物流|流水|型号|条码|序列"
)
_WORDS = re.compile(
    f"(?P<phone>{PHONE_WORDS})|(?P<card>{CARD_WORDS})|(?P<id>{ID_WORDS})",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d{3}")
_AFTER_PHONE = re.compile(
    r"\W{0,3}(?:is|that's|这?是)\W{0,3}(?:my|我的?)\s?(?:\w+ )?(?:phone|mobile|cell|number|电话|手机)", re.I
)


def meaning(text: str, start: int, end: int) -> str | None:
    """Tell what the words around a number call it: phone, card, id or nothing."""
    before = text[max(0, start - REACH) : start]
    nearest = None
    for nearest in _WORDS.finditer(before):  # noqa: B007  only the last one is wanted
        pass
    if nearest is None:
        return "phone" if _AFTER_PHONE.match(text, end) else None
    # In "order 10423, 212-555-0123" the first number has used the word up.
    if nearest.lastgroup == "id" and _NUMBER.search(before, nearest.end()):
        return None
    return nearest.lastgroup
