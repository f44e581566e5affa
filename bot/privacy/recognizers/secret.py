"""Passwords, codes and keys: told by the words before them, or by the prefixes of services' keys."""

import re
from collections.abc import Iterator
from typing import Any

from presidio_analyzer import RecognizerResult

from .kind import KindRecognizer
from .secret_keys import keys_in

_WORD_FOR_IT = (
    r"(?:pass ?(?:word|code|phrase)|passwd|pwd|p/?w|pass(?=\s*[:=])"
    r"|kennwort|passwort|mot de passe|contraseña)s?"
)
_CODE = (
    r"(?:otp|(?:one|1)[- ]time (?:pass)?(?:code|password|pin)|passcode|cvv2?|cvc2?|csc|tan"
    r"|(?:verification|security|auth(?:entication|orization)?|access|login|log-in|sms|2fa|mfa|unlock|activation)"
    r" (?:code|pin)|card verification number)"
)
# A shop's coupons are codes too, so these have digits only.
_PLAIN_CODE = (
    r"(?:(?<![a-z])pins?(?: ?(?:code|number|no\.?))?|(?:the|my|this|that|your|confirmation) code"
    r"|code (?:i|you|they) (?:got|sent)(?: me)?)"
)
# "my password for the shop is", "password on that account:", "the code you sent me was".
_ASIDE = (
    r"(?:\s+(?:for|on|to|of|at|in|from|that|which|i|you|we|they|use[ds]?|sent|got|me)(?![a-z])"
    r"[^\n.!?:=,\"]{0,40}?)?"
)
_SAYS = (
    r"(?:\s*(?:[:=]|->|=>)\s*|['’]s\s+"
    r"|,\s*(?:it(?:['’]s| is| was)|which (?:is|was))\s+(?:either\s+)?"
    r"|\s+(?:is|was|are|equals|should be|used to be|will be|ist|est|es)\s*:?\s+(?:now\s+)?)"
)
_QUOTED = r"[\"'“‘`«「]([^\"'”’`»」\n]{3,64})[\"'”’`»」]"

_TOLD_WORD = re.compile(
    rf"(?<![a-z]){_WORD_FOR_IT}(?:{_ASIDE}{_SAYS}|\s+)(?:{_QUOTED}|([^\s,;，；。]{{3,64}}))", re.IGNORECASE
)
_PHRASE = re.compile(rf"passphrase{_SAYS}([a-z]+(?: [a-z]+){{2,9}})(?![a-z])", re.IGNORECASE)
_SAID = re.compile(rf"{_SAYS}\Z", re.IGNORECASE)
_DIGITS = r"(?:[0-9]{3}[ -][0-9]{3}|[0-9](?:[ -][0-9]){3,7}|[0-9]{3,8})"
_ALONE = r"(?![A-Za-z0-9@]|[.,-][0-9])"
_TOLD_CODE = re.compile(
    rf"(?<![a-z])(?:{_PLAIN_CODE}(?:{_ASIDE}{_SAYS}|[\s#]+)[\"'“]?({_DIGITS})"
    rf"|{_CODE}(?:{_ASIDE}{_SAYS}|[\s#]+)[\"'“]?({_DIGITS}{_ALONE}|(?=[A-Z]*[0-9])[A-Z0-9]{{4,10}})){_ALONE}",
    re.IGNORECASE,
)
_AS_MY = re.compile(
    r"(?<![^\s\"'“])([^\s\"'“”,;]{4,64})[\"'”]?\s+(?:is|was|as)\s+(?:my|our|the)\s+(?:\w+\s+)?"
    rf"(?:{_WORD_FOR_IT}|{_CODE}|pin)(?![a-z])",
    re.IGNORECASE,
)
_CHINESE = re.compile(
    r"(?:密码|口令|暗号|密钥|秘钥)(?P<strong>\s*(?:现在|就)?\s*(?:是|为|[:=]|设为|设成|改[成为]|叫)?\s*)[\"'“「]?"
    r"(?P<word>[!-~]{3,64})"
    r"|(?:验证码|校验码|动态码|确认码|安全码|激活码|PIN码?|CVV|CVC)\s*(?:现在|就)?\s*(?:是|为|[:=])?\s*[\"'“「]?"
    r"(?P<code>[A-Za-z0-9]{3,10})(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_TELLING = (
    *("pass", "pwd", "p/w", "pw", "pin", "otp", "code", "cvv", "cvc", "csc", "tan", "kennwort", "contrase"),
    *("密", "码", "令", "暗号"),
)
# What people say of a password rather than what it is.
_STATES = frozenset(
    """
    a about above accepted again all allowed also always an and any are as at back bad because been
    being both broken but by can compromised correct could did do does easy empty enough even exactly
    expired fine for from gone good hacked had hard has have here hidden how i if impossible in
    incorrect insecure invalid is it its just known leaked like long longer lost me might missing mine
    must my needed needs never new no not nothing now of off ok okay old on only or our out over please
    private probably protected required right safe same saved secret secure sent set should simple so
    something somewhere still stolen stored strong stuck such supposed that the their them then there
    these they this to too unknown unsafe until up used useless valid very visible was weak well were
    what when where which who why will with without won't working would wrong you your yours forgotten
    reset manager managers field page link email protection box request screen
    """.split()  # noqa: SIM905  words read better as a text
)
_STATE_ENDS = ("ed", "ing", "n't", "ly", "able", "n’t")
_SENTENCE_END = re.compile(r"[.!?)\]}>'\"”’]+\Z")
_UNLIKE_A_WORD = re.compile(r"\d|[^\W\d_][^\w\s.'’/-]|[a-z][A-Z]|_")
_ENDS_CLAUSE = re.compile(
    r"\s*(?:[.,;!?\n)]|\Z|(?:and|but|so|can|could|please|it|why)(?![a-z]))", re.IGNORECASE
)


class SecretRecognizer(KindRecognizer):
    """People type their passwords into chats; a text without a telling word costs next to nothing."""

    kind = "SECRET"

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        found = [RecognizerResult(self.kind, start, end, 1.0) for start, end in keys_in(text)]
        lower = text.lower()
        if any(word in lower for word in _TELLING):
            found += [RecognizerResult(self.kind, start, end, 0.9) for start, end in _told(text)]
        return found


def _told(text: str) -> Iterator[tuple[int, int]]:
    for match in _TOLD_WORD.finditer(text):
        if match[1]:
            yield match.span(1)
        elif place := _password(text, match):
            yield place
    yield from (match.span(1) for match in _PHRASE.finditer(text))
    for match in _TOLD_CODE.finditer(text):
        yield match.span(1 if match[1] else 2)
    for match in _AS_MY.finditer(text):
        if _unlike_a_word(match[1]):
            yield match.span(1)
    yield from _told_in_chinese(text)


def _password(text: str, match: re.Match[str]) -> tuple[int, int] | None:
    """What follows "password": anything odd; a plain word only after "is" and at the end of a clause."""
    start, end = match.span(2)
    ending = _SENTENCE_END.search(match[2])
    word = match[2][: ending.start()] if ending and ending.start() >= 3 else match[2]
    if _unlike_a_word(word):
        # "hunter2!" may end with its sentence or with itself; a full stop is the sentence's.
        return start, end - (len(match[2]) - len(match[2].rstrip(".\"'”’)?")))
    said = _SAID.search(text, match.start(), start)
    plain = word.lower() not in _STATES and not word.lower().endswith(_STATE_ENDS) and word.isascii()
    if said and plain and _ENDS_CLAUSE.match(text, start + len(word)):
        return start, start + len(word)
    return None


def _told_in_chinese(text: str) -> Iterator[tuple[int, int]]:
    for match in _CHINESE.finditer(text):
        if match["code"]:
            if any(char.isdigit() for char in match["code"]):
                yield match.span("code")
            continue
        word = match["word"].rstrip(".,!?;:)\"'")
        if len(word) >= 3 and (match["strong"].strip() or _unlike_a_word(word)):
            yield match.start("word"), match.start("word") + len(word)


def _unlike_a_word(word: str) -> bool:
    return len(word) >= 3 and bool(_UNLIKE_A_WORD.search(word)) and not word.startswith("<")
