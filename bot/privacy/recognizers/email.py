"""E-mail addresses, also between Chinese characters and without asking any list on the network."""

from typing import Any

import regex
from presidio_analyzer import RecognizerResult

from .kind import KindRecognizer

_NAME = r"[\p{Latin}\p{N}_%+](?:[\p{Latin}\p{N}._%+'-]{0,62}[\p{Latin}\p{N}_%+-])?"
_LABEL = r"[\p{Latin}\p{N}](?:[\p{Latin}\p{N}-]{0,61}[\p{Latin}\p{N}])?"
_ADDRESS = regex.compile(
    rf"(?<![\p{{Latin}}\p{{N}}._%+'-]){_NAME}\s?@\s?(?:{_LABEL}\.){{1,8}}\p{{Latin}}{{2,24}}"
    r"(?![\p{Latin}\p{N}-]|\.\p{Latin}{2})"
)
# "alice at example dot com", "alice[at]example.com", "alice 艾特 example 点 com", "alice at gmail.com".
_SAID_AT = r"\s+at\s+"
_AT = r"(?:\s?[\[({<]\s?(?:at|@)\s?[\])}>]\s?|\s?艾特\s?)"
_SAID_DOT = r"(?:\s?[\[({<]\s?(?:dot|\.)\s?[\])}>]\s?|\s+dot\s+|\s?点\s?)"
_DOT = rf"(?:{_SAID_DOT}|\.)"
_ENDS = r"(?:com|net|org|edu|gov|info|io|co|cn|me|uk|de|fr|eu|us|ca|au|nl|es|it|ch|at|be|pl|se|jp|in|br)"
_HOSTS = (
    r"(?:gmail|googlemail|hotmail|outlook|live|yahoo|icloud|aol|proton(?:mail)?|gmx|web|qq|163|126|foxmail)"
)
_SPELLED = regex.compile(
    rf"(?<![\p{{Latin}}\p{{N}}._%+'-])[\p{{Latin}}\p{{N}}_%+-]+(?:{_DOT}[\p{{Latin}}\p{{N}}_%+-]+){{0,3}}"
    rf"(?:{_AT}(?:{_LABEL}{_DOT}){{1,4}}{_ENDS}|{_SAID_AT}(?:{_LABEL}{_SAID_DOT}){{1,4}}{_ENDS}"
    rf"|{_SAID_AT}{_HOSTS}\.{_ENDS})(?![\p{{Latin}}\p{{N}}])",
    regex.IGNORECASE,
)
_AT_SIGNS = ("[at]", "(at)", "[@]", "(@)", "[ at", "( at", "艾特")
_SAID = regex.compile(rf"\sdot\s|\sat\s+{_HOSTS}\.")


class EmailRecognizer(KindRecognizer):
    """Shape alone decides: presidio's own recognizer downloads the list of domains."""

    kind = "EMAIL"

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        written = [match.span() for match in _ADDRESS.finditer(text)] if "@" in text else []
        lower = text.lower()
        if any(sign in lower for sign in _AT_SIGNS) or _SAID.search(lower):
            written += [match.span() for match in _SPELLED.finditer(text)]
        return [RecognizerResult(self.kind, start, end, 1.0) for start, end in written]
