"""How well private values are found: `python -m tests.bench.privacy --data FILE [--language en|zh]`.

The file is a list of samples as presidio-research writes them (full_text; spans with entity_type,
start_position, end_position). Every text goes through the detecting process, as in production, with no vault.
"""

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.privacy import rules
from bot.privacy.engine import Engine
from bot.privacy.placeholders import KINDS, Span
from tests.bench import detecting
from tests.bench.figures import milliseconds, percentile

# What others call the kinds of the policy; whatever is not here is kept by it.
POLICY_KINDS = {
    "EMAIL_ADDRESS": "EMAIL",
    "PHONE_NUMBER": "PHONE",
    "CREDIT_CARD": "CARD",
    "IBAN_CODE": "BANK",
    "US_BANK_NUMBER": "BANK",
    "BANK_ACCOUNT": "BANK",
    "US_SSN": "NATIONAL_ID",
    "UK_NINO": "NATIONAL_ID",
    "CN_ID": "NATIONAL_ID",
    "US_DRIVER_LICENSE": "NATIONAL_ID",
    "IP_ADDRESS": "IP",
    "PERSON": "PERSON",
    "ADDRESS": "ADDRESS",
    "STREET_ADDRESS": "ADDRESS",
    "DATE_OF_BIRTH": "BIRTHDATE",
    "PASSWORD": "SECRET",
    "API_KEY": "SECRET",
} | {kind: kind for kind in KINDS}
COVERED = 0.9
HEADER = (
    "found   at least 90% of the span's characters are masked, whatever the mask is called\n"
    "whole   every character of it is masked\n"
    "named   at least 90% are masked as the right kind\n"
    "touched at least one character is masked\n"
    "precise of our masks of this kind, how many overlap a span of this kind or of another private kind\n"
    "strict  of our masks of this kind, how many overlap a span of this very kind"
)
TIMES = 200


@dataclass(frozen=True)
class Sample:
    text: str
    # Places with the data's own names of kinds.
    marked: list[Span]
    masked: list[Span]


@dataclass
class Recall:
    """How many spans of one kind were masked, by each reading of "masked"."""

    count: int = 0
    found: int = 0
    whole: int = 0
    named: int = 0
    touched: int = 0

    def add(self, mark: Span, masked: Sequence[Span], kind: str | None) -> None:
        places = set(range(mark.start, mark.end))
        share = len(places & _places(masked)) / len(places)
        of_kind = len(places & _places(span for span in masked if span.kind == kind)) / len(places)
        self.count += 1
        self.found += share >= COVERED
        self.whole += share == 1
        self.named += of_kind >= COVERED
        self.touched += share > 0


@dataclass
class Precision:
    count: int = 0
    precise: int = 0
    strict: int = 0


def main() -> None:
    """1. Read the samples. 2. Mask each. 3. Print recall and precision. 4. Print what it costs."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.privacy", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--language", choices=("en", "zh"), default="en")
    parser.add_argument("--half", choices=("even", "odd"), help="only every second sample")
    options = parser.parse_args()
    with detecting.running(Engine(call_limit=10)) as engine:
        samples = list(_masked(engine, _read(options.data, options.half), options.language))
        print(f"{len(samples)} texts of {options.data.name}\n\n{HEADER}\n")
        print("\n".join(_table(samples)))
        print("\n".join(_latency(engine, samples, options.language)))


def _read(file: Path, half: str | None) -> list[tuple[str, list[Span]]]:
    samples = json.loads(file.read_text(encoding="utf-8"))
    if half:
        samples = samples[half == "odd" :: 2]
    return [
        (
            sample["full_text"],
            [Span(s["start_position"], s["end_position"], s["entity_type"]) for s in sample["spans"]],
        )
        for sample in samples
    ]


def _masked(engine: Engine, samples: Iterable[tuple[str, list[Span]]], language: str) -> Iterator[Sample]:
    for text, marked in samples:
        yield Sample(text, marked, engine.detect([text], language, rules.of())[0])


def _table(samples: Sequence[Sample]) -> Iterator[str]:
    recalls, kept, precisions = _count(samples)
    yield " " * 30 + "  count   found   whole   named  touched   masks  precise  strict"
    for kind in KINDS:
        if recalls[kind].count or precisions[kind].count:
            yield _recall_row(kind, recalls[kind]) + _precision_columns(precisions[kind])
    yield "kept by the policy; what is masked of these is masked without need"
    for kind in sorted(kept):
        yield _recall_row(kind, kept[kind])
    yield from _needless(samples)


def _count(
    samples: Sequence[Sample],
) -> tuple[dict[str, Recall], dict[str, Recall], dict[str, Precision]]:
    recalls: dict[str, Recall] = defaultdict(Recall)
    kept: dict[str, Recall] = defaultdict(Recall)
    precisions: dict[str, Precision] = defaultdict(Precision)
    for sample in samples:
        for mark in sample.marked:
            kind = POLICY_KINDS.get(mark.kind)
            (recalls[kind] if kind else kept[mark.kind]).add(mark, sample.masked, kind)
        for span in sample.masked:
            hit = {POLICY_KINDS.get(mark.kind) for mark in sample.marked if _overlap(span, mark)}
            precision = precisions[span.kind]
            precision.count += 1
            precision.precise += bool(hit - {None})
            precision.strict += span.kind in hit
    return recalls, kept, precisions


def _recall_row(kind: str, recall: Recall) -> str:
    columns = (recall.found, recall.whole, recall.named)
    shares = "".join(f"{_share(part, recall.count):>8}" for part in columns)
    return f"  {kind:28}{recall.count:>7}{shares}{_share(recall.touched, recall.count):>9}"


def _precision_columns(precision: Precision) -> str:
    precise, strict = _share(precision.precise, precision.count), _share(precision.strict, precision.count)
    return f"{precision.count:>8}{precise:>9}{strict:>8}"


def _needless(samples: Sequence[Sample]) -> Iterator[str]:
    everything = sum(len(sample.text) for sample in samples)
    masked = needless = 0
    for sample in samples:
        places = _places(sample.masked)
        private = _places(mark for mark in sample.marked if mark.kind in POLICY_KINDS)
        masked += len(places)
        needless += len(places - private)
    yield (
        f"characters: {everything}, masked {masked}, masked without need {needless} "
        f"({_share(needless, everything)} of all, {_share(needless, masked)} of the masked)"
    )


def _latency(engine: Engine, samples: Sequence[Sample], language: str) -> Iterator[str]:
    for count in (15, 100):
        times = []
        for text in _texts_of(count, samples, language):
            began = time.perf_counter()
            engine.detect([text], language, rules.of())
            times.append(time.perf_counter() - began)
        middle, slow = (milliseconds(percentile(times, share)) for share in (0.5, 0.95))
        yield f"latency at {count:3} words: p50 {middle}, p95 {slow}"


def _texts_of(count: int, samples: Sequence[Sample], language: str) -> Iterator[str]:
    """Yield pieces of the data of so many words; a Chinese word has 1.7 characters and no spaces."""
    pieces = list("".join(sample.text for sample in samples))
    between, length = "", int(count * 1.7)
    if language == "en":
        pieces, between, length = [word for sample in samples for word in sample.text.split()], " ", count
    for turn in range(TIMES):
        start = turn * 113 % max(1, len(pieces) - length)
        yield between.join(pieces[start : start + length])


def _places(spans: Iterable[Span]) -> set[int]:
    return {place for span in spans for place in range(span.start, span.end)}


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.3f}" if whole else "-"


if __name__ == "__main__":
    main()
