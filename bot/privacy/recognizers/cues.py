"""What the words around a name say for it or against it."""

import re

REACH = 48

TITLES = (
    r"mr|mrs|ms|miss|mx|dr|prof|professor|sir|madam|herr|frau|se[nñ]ora?|sra?|monsieur|madame|mme|sig|signora"
)
_RELATIVES = (
    r"husband|wife|spouse|partner|son|daughter|child|brother|sister|mother|father|mom|mum|dad|parent|uncle|aunt"
    r"|nephew|niece|cousin|grand(?:mother|father|son|daughter)|girlfriend|boyfriend|fianc[eé]e?|friend"
    r"|neighbou?r|colleague|co-?worker|roommate|flatmate"
)
_ROLES = (
    r"boss|manager|agent|assistant|representative|rep|driver|courier|advisor|adviser|technician|doctor|lawyer"
    r"|producer|author|writer|singer|actor|actress|director|president|minister|senator|commenter|customer|buyer"
)
_ACCOUNT = r"name(?: (?:on|of|for) (?:the|my|this) [\w ]{3,20}| there)?\s?(?:is|was|to|['’]s|:|=|\?)"
_CALLED = r"(?:i am|i['’]m|they|people|friends|you can|please|just|is|was) called?(?: me| him| her)?"
_GREETED = r"signed(?: by)?|sincerely|regards|yours(?: truly| faithfully)?|dear|hi(?:ya)?|hello|hey"
_FIELDS = (
    r"recipient|attn|attention|c/o|care of|customer|contact|passenger|guest|sender|deliver(?:ed)? to"
    r"|addressed to|from|to|cc|by|owner|holder|beneficiary|payee"
)
_PEOPLE_ACT = (
    r"sp(?:eak|oke|eaking|oken) (?:to|with)|talk(?:ed|ing)? (?:to|with)|says?|said|asks?|asked|tells?|told"
    r"|follow(?:ed)? up with|met|starring|directed by|written by"
)
_THIS_IS = r"this is|i am|i['’]m|(?:under|in) (?:the )?name(?: of)?|it['’]s(?: under)?|thanks|thank you"


def _ends_with(words: str, after: str = r"[,:]?\s+") -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_])(?:{words}){after}$", re.IGNORECASE)


# The name begins where these end; the first that fits decides.
_BEFORE = (
    (4, _ends_with(TITLES, r"\.?\s+")),
    (4, _ends_with(_ACCOUNT, r"\s*(?:user:\s*)?")),
    (4, _ends_with(rf"{_CALLED}|call(?:s|ed)? me|(?:nick)?named(?: him| her| me)?|maiden name|{_GREETED}")),
    (3, _ends_with(_FIELDS, r"\s?:\s*")),
    (3, _ends_with(rf"{_RELATIVES}|{_ROLES}", r",?\s+")),
    (2.5, _ends_with(_PEOPLE_ACT)),
    (2, _ends_with(_THIS_IS)),
)
_OWNS = rf"{_RELATIVES}|account|address|order|phone|number|e-?mail|birthday|name"
_DOES = (
    r"here|speaking|says?|said|asks|asked|told|wrote|called|replied|shouted|explained|lives?|lived|works"
    r"|spent|was born|had given|is (?:from|a|an|very|so|my|our)|and i|and my|has been|will be"
)
_AFTER = (
    (3, re.compile(rf"['’]s\s+(?:{_OWNS})\b", re.IGNORECASE)),
    (2, re.compile(rf",?\s+(?:{_DOES})\b", re.IGNORECASE)),
    (2, re.compile(r"\s*[<(\[]?\s*[\w.+-]+@\w")),
    (1, re.compile(r"\s*:\s*[\\\"“']")),
)
_AGAINST = (
    (-4, _ends_with(r"the|a|an|this|that|these|those|any|some|each|every|new", r"\s+")),
    (-2, _ends_with(r"in|near|around|across|via|visit|visiting|brand|model|size|colou?r", r"\s+")),
    (-1, _ends_with(r"from|at|into|through|on|of|using|by|buy|bought|ordered|wear", r"\s+")),
)
_COMPANIES = (
    r"inc|ltd|llc|llp|plc|corp|gmbh|oy|spa|srl|pty|group|holdings?|bank|labs?|systems|solutions|technologies"
    r"|partners|associates|foundation|university|institute|college|school|hospital|hotel|airlines?|airport"
    r"|museum|church|store|shop|company|incorporated|limited|office"
)
_COMPANY = re.compile(rf",? (?:(?i:{_COMPANIES})|Co|AG|SA|BV|AB|AS)\b| (?:&|(?i:and sons|und)\b)")
_TITLE = re.compile(rf"(?<![^\W_])(?:{TITLES})\.? ?$", re.IGNORECASE)
_ALONE = re.compile(r"[\s>?*|\-–•\d.]*")


def before(text: str, start: int) -> float:
    """Points for a name from what stands before it."""
    words = text[max(0, start - REACH) : start]
    return next((points for points, pattern in _BEFORE if pattern.search(words)), 0)


def after(text: str, end: int) -> float:
    if _COMPANY.match(text, end):
        return -3
    return next((points for points, pattern in _AFTER if pattern.match(text, end)), 0)


def against(text: str, start: int) -> int:
    """Points off: articles stand before things, "in" before places."""
    words = text[max(0, start - REACH) : start]
    return next((points for points, pattern in _AGAINST if pattern.search(words)), 0)


def alone_on_line(text: str, start: int, end: int) -> bool:
    """It fills one of several lines, as names do above an address or under a letter."""
    begin = text.rfind("\n", 0, start) + 1
    finish = text.find("\n", end)
    finish = len(text) if finish < 0 else finish
    if begin == 0 and finish == len(text):
        return False
    return bool(_ALONE.fullmatch(text, begin, start)) and not text[end:finish].strip(" ,.:;\\")


def with_title(text: str, start: int) -> int:
    """Where the title before a name begins: "Mrs. Hill" is one value."""
    match = _TITLE.search(text, max(0, start - REACH), start)
    return match.start() if match else start
