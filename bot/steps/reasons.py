"""Why a class of models answers: as a code that is stored with the turn, such as `large: tools, long`."""

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from accounts.models import CLASSES

# Why it is another class than the first, or the best for the job.
Cause: TypeAlias = Literal["full", "near", "unpriced"]

_CLASS = f"({'|'.join(CLASSES)})"
_CODE = re.compile(rf"{_CLASS}: (?:(full|near|unpriced) {_CLASS}(?: (\d+))?|([a-z_]+(?:, [a-z_]+)*))")


@dataclass(frozen=True)
class Reason:
    """Either `signs`, or the `cause` for which this class answers in place of another."""

    model_class: str
    signs: tuple[str, ...] = ()
    cause: Cause | None = None
    instead_of: str = ""
    percent: int | None = None

    def __str__(self) -> str:
        if self.cause is None:
            return f"{self.model_class}: {', '.join(self.signs)}"
        percent = "" if self.percent is None else f" {self.percent}"
        return f"{self.model_class}: {self.cause} {self.instead_of}{percent}"


def read(code: str) -> Reason | None:
    """What a code says; None where a turn has ended for another reason."""
    found = _CODE.fullmatch(code)
    if found is None:
        return None
    model_class, cause, instead_of, percent, signs = found.groups()
    if cause is None:
        return Reason(model_class, tuple(signs.split(", ")))
    used = None if percent is None else int(percent)
    return Reason(model_class, (), cast("Cause", cause), instead_of, used)
