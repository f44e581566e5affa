"""Streams what a model says to the customer; a piece never ends inside a placeholder."""

from bot.privacy.restore import DeltaBuffer
from bot.steps.work import Work


class Voice:
    """Everything said in a turn, round by round; `text` is what the screen shows."""

    def __init__(self, work: Work) -> None:
        self.text = ""
        self._work = work
        # What earlier rounds have said: a failed round is taken back to here.
        self._kept = ""

    def start(self) -> None:
        """The beginning of one round, with the placeholders that tools have added."""
        self._kept = self.text
        self._listen()

    def say(self, text: str) -> None:
        self._send(self._buffer.feed(text))

    def stop(self) -> None:
        """The end of one round: what was held back goes out."""
        self._send(self._buffer.flush())

    def restart(self) -> None:
        """Take this round's words back: the screen is emptied and shows again what came before them."""
        if self.text != self._kept:
            self.text = self._kept
            self._work.log.reset()
            self._work.log.text(self.text)
            for card in self._work.shown.cards:
                self._work.log.card(card["kind"], card["data"])
        self._listen()

    def _listen(self) -> None:
        self._gap = bool(self._kept)
        self._buffer = DeltaBuffer(self._work.veil.known_placeholders())

    def _send(self, text: str) -> None:
        if text and self._gap:
            # Each round is a paragraph of its own.
            text, self._gap = f"\n\n{text.lstrip()}", False
        if text:
            self.text += text
            self._work.log.text(text)
