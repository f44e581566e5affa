"""Names as the English model sees them, checked for their shape, and names people introduce themselves by."""

import re
from collections.abc import Iterator
from typing import Any

from presidio_analyzer import LocalRecognizer, RecognizerResult

# Words of a shop that the small model takes for people, alone or as part of a product's name.
NOT_NAMES = frozenset(
    """
    alipay alpine amazon android apple backpack bag base beanie boot boots bottle camp cart changing
    checkout coat compass cooler credit debit delivery dhl down dry email explorer express fedex fleece
    frontdesk gift glove gloves goretex gps hat helmet hoodie iphone jacket jersey keyboard klarna
    lantern laptop large layer lite looking mastercard max medium merino mini mitten mug order pack
    paddle pant pants parka paypal phone plus poncho premium pro rain refund return returns rope sandal
    sandals shell shirt shoe shoes shop short shorts size ski sleeping small sock socks store stove
    summit support sweater tee tent thermos tote trail trailhead trouser trousers ultra ups usps vest
    visa wallet watch water wax windbreaker wool xl xs xxl zip
    """.split()  # noqa: SIM905  words read better as a text
)
_GREETINGS = frozenset(
    "hi hello hey dear thanks thank regards cheers hola bonjour mr mrs ms miss mx dr sir madam".split()  # noqa: SIM905
)
_WORD = re.compile(r"[^\W\d_]+(?:['’.-][^\W\d_]+)*\.?")
_ONE_WORD = r"[^\W\d_]+(?:['’-][^\W\d_]+)*"
_INTRODUCED = re.compile(
    r"\b(?:my (?:full )?name(?: is|['’]s|:)|i am called|the name on (?:the|my) (?:order|card|account) is)\s+"
    rf"(?P<name>{_ONE_WORD}(?: {_ONE_WORD}){{0,2}})",
    re.IGNORECASE,
)
_ENDS_A_NAME = frozenset(
    """
    a an and are as at but can could did different do does for from had has have how i i'd i'm in
    incorrect is it it's missing misspelled my not of on or please printed so spelled spelt that the
    then there to was what when where which who why will with would wrong you your
    """.split()  # noqa: SIM905  words read better as a text
)


class PersonRecognizer(LocalRecognizer):
    """The model's opinion alone raises false alarms on products, so every name must look like one."""

    def __init__(self) -> None:
        super().__init__(supported_entities=["PERSON"])

    def load(self) -> None:
        pass

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        seen = [(ent.start_char, ent.end_char) for ent in nlp_artifacts.entities if ent.label_ == "PERSON"]
        results = [
            RecognizerResult("PERSON", begin, finish, 0.6)
            for start, end in seen
            for begin, finish in _names_in(text, start, end)
        ]
        return results + [RecognizerResult("PERSON", start, end, 0.65) for start, end in _introduced(text)]


def _names_in(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield what of a model's entity is a name: one line, no greeting, no possessive."""
    for line in re.finditer(r"[^\n\r]+", text[start:end]):
        words = list(_WORD.finditer(text, start + line.start(), start + line.end()))
        while words and words[0][0].lower().rstrip(".") in _GREETINGS:
            words.pop(0)
        if not words:
            continue
        begin, finish = words[0].start(), words[-1].end()
        for tail in ("'s", "’s", "."):
            finish -= len(tail) if text[begin:finish].endswith(tail) else 0
        if looks_like_name(text[begin:finish]):
            yield begin, finish


def looks_like_name(text: str) -> bool:
    """Letters only, capitalised, no shop word, and no lone abbreviation."""
    words = [match[0].rstrip(".") for match in _WORD.finditer(text)]
    if len(text) < 2 or any(char.isdigit() or char in "_<>@#/&" for char in text) or len(words) > 5:
        return False
    if not any(word[0].isupper() for word in words) or any(word.lower() in NOT_NAMES for word in words):
        return False
    inside_capital = any(re.search(r"[a-z]{2}[A-Z]", word) and not word.startswith("Mc") for word in words)
    return not inside_capital and not (len(words) == 1 and text.isupper())


def _introduced(text: str) -> Iterator[tuple[int, int]]:
    """Yield names that follow "my name is", also when they are not capitalised."""
    for match in _INTRODUCED.finditer(text):
        start, end = match.start("name"), match.start("name")
        capitalised = match["name"][0].isupper()
        for word in re.finditer(r"[^ ]+", match["name"]):
            if word[0].lower() in _ENDS_A_NAME or (capitalised and not word[0][0].isupper()):
                break
            end = start + word.end()
        if end > start:
            yield start, end
