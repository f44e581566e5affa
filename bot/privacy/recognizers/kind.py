"""What recognizers of a single kind of value share: they say which, and have nothing to load."""

from typing import ClassVar

from presidio_analyzer import LocalRecognizer


class KindRecognizer(LocalRecognizer):
    """Finds one kind; its module loads what it needs when it is imported."""

    kind: ClassVar[str]

    def __init__(self) -> None:
        super().__init__(supported_entities=[self.kind])

    def load(self) -> None:
        pass
