"""Keys for programs: by the prefixes of the services, and random strings that words call keys."""

import re
from collections.abc import Iterator

_PREFIXED = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    r"(?:sk|pk|rk)[-_](?:live|test|proj|ant|or|svcacct)[-_][A-Za-z0-9_-]{8,}|sk-[A-Za-z0-9_-]{16,}"
    r"|gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,}|glpat-[A-Za-z0-9_-]{16,}"
    r"|(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,}|AIza[A-Za-z0-9_-]{30,}|ya29\.[A-Za-z0-9_-]{16,}"
    r"|GOCSPX-[A-Za-z0-9_-]{16,}"
    r"|xox[abeoprs]-[A-Za-z0-9-]{8,}|xapp-[A-Za-z0-9-]{8,}|hf_[A-Za-z0-9]{16,}|npm_[A-Za-z0-9]{16,}"
    r"|pypi-[A-Za-z0-9_-]{16,}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|whsec_[A-Za-z0-9+/=]{16,}"
    r"|shp(?:at|ca|pa|ss)_[A-Za-z0-9]{16,}|dop_v1_[a-f0-9]{32,}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"
    r")(?![A-Za-z0-9])"
)
_PEM = re.compile(
    r"-----BEGIN [A-Z ]{0,30}(?:PRIVATE KEY|CERTIFICATE)[A-Z ]{0,10}-----"
    r".{0,8000}?(?:-----END [A-Z ]{3,50}-----|\Z)",
    re.S,
)
_BEARER = re.compile(r"(?:bearer|(?<=authorization:) ?basic)\s+([A-Za-z0-9._~+/=-]{12,})", re.IGNORECASE)
_IN_URL = re.compile(
    r"[a-z][a-z0-9+]{1,12}://([^\s/:@]{0,64}:[^\s/@]{1,128}@[A-Za-z0-9.-]{1,253})", re.IGNORECASE
)
_CALLED_KEY = re.compile(
    r"(?:api|access|secret|private|auth|license|licence|encryption|session|refresh)?[ _-]?"
    r"(?:keys?|tokens?|secrets?)(?![a-z])"
    r"(?:\s*(?:[:=]|是|为)\s*|\s+(?:is|was|are)\s*:?\s*|\s+)[\"'“`]?([A-Za-z0-9_./+=~-]{12,256})"
    r"|(?:密钥|秘钥|令牌|口令)(?:\s*(?:是|为|[:=])?\s*)[\"'“`]?([A-Za-z0-9_./+=~-]{12,256})",
    re.IGNORECASE,
)
_HINTS = ("key", "token", "secret", "密钥", "秘钥", "令牌", "口令")
_PREFIX_SIGNS = (
    *(
        "sk",
        "pk_",
        "rk_",
        "gh",
        "glpat",
        "AKIA",
        "ASIA",
        "AROA",
        "AIDA",
        "AIza",
        "ya29",
        "GOCSPX",
        "xox",
        "xapp",
    ),
    *("hf_", "npm_", "pypi-", "SG.", "whsec_", "shp", "dop_v1_", "eyJ"),
)


def keys_in(text: str) -> Iterator[tuple[int, int]]:
    """Yield the places of keys; what is cheap to rule out is ruled out first."""
    if any(sign in text for sign in _PREFIX_SIGNS):
        yield from (match.span() for match in _PREFIXED.finditer(text))
    if "-----BEGIN" in text:
        yield from (match.span() for match in _PEM.finditer(text))
    if "://" in text:
        yield from (match.span(1) for match in _IN_URL.finditer(text))
    lower = text.lower()
    if "bearer" in lower or "basic" in lower:
        yield from (match.span(1) for match in _BEARER.finditer(text) if _random(match[1]))
    if any(hint in lower for hint in _HINTS):
        for match in _CALLED_KEY.finditer(text):
            if _random(match[1] or match[2]):
                yield match.span(1 if match[1] else 2)


def _random(token: str) -> bool:
    """Neither a word nor a date: letters and digits mixed, in more than a few different characters."""
    mixed = any(char.isdigit() for char in token) and any(char.isalpha() for char in token)
    cases = token != token.lower() and token != token.upper() and not token.istitle()
    return len(set(token)) >= 8 and (mixed or (cases and len(token) >= 20))
