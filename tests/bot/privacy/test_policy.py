"""What a site keeps stays, what it refuses is dropped, the rest is masked."""

import re
from collections.abc import Sequence
from typing import Any

import pytest

from accounts import masking
from accounts.models import Site
from bot import words
from bot.privacy import policy, refusal, rules, scrub
from bot.privacy.known import Index, Known
from bot.privacy.memory_vault import MemoryVault
from bot.privacy.placeholders import KINDS, Span
from bot.privacy.rules import Rules
from bot.privacy.scrub import Done, Scrubber
from bot.web import desk_words

CARD = "4111 1111 1111 1111"
_FINDS = {
    "EMAIL": r"[\w.]+@[\w.]+\w",
    "CARD": r"\d{4} \d{4} \d{4} \d{4}",
    "SECRET": r"(?<=password is )[\w.]+",
    "PERSON": r"Zoe Quill|Bob Berg|Bob|Mia",
}


class Patterns:
    """Detection as simple as can be, which tells of each kind that it finds."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def detect(self, texts: Sequence[str], language: str, site: Rules) -> list[list[Span]]:
        self.calls.append(list(texts))
        return [
            sorted(Span(*m.span(), kind) for kind, find in _FINDS.items() for m in re.finditer(find, text))
            for text in texts
        ]


def scrubber(kept: str = "", **options: Any) -> Scrubber:
    return Scrubber(MemoryVault(), Patterns(), "en", rules.of(kept=kept.split()), **options)


def read(text: str, by: Scrubber) -> Done:
    return scrub.said(by, [text])[0]


REFUSING = {"refused": frozenset({"CARD", "SECRET"})}


def test_policy_of_a_site_is_the_usual_where_it_has_chosen_nothing(site: Site) -> None:
    usual = policy.of(site)
    assert usual.kinds("refuse") == {"CARD", "SECRET"}
    assert usual.kinds("mask") == set(KINDS) - {"CARD", "SECRET"}
    site.masking = {"EMAIL": "keep", "CARD": "mask"}
    site.id_patterns, site.phone_regions = [r"TRK\d{10}"], ["GB"]
    chosen = policy.of(site)
    assert (chosen.kinds("keep"), chosen.kinds("refuse")) == ({"EMAIL"}, {"SECRET"})
    assert chosen.rules.kept == {"EMAIL"}
    assert (chosen.rules.ids[-1], chosen.rules.regions) == (r"TRK\d{10}", ("GB",))


def test_refused_value_is_nowhere_afterwards() -> None:
    by = scrubber(**REFUSING)
    done = read(f"Card {CARD}, mail a@b.de. My password is hunter22! Again: hunter22", by)
    left = "Card [card number removed], mail {}. My password is [password or code removed]"
    assert done.masked.startswith(left.format("<EMAIL_1>"))
    assert done.said.startswith(left.format("a@b.de"))
    assert done.refused == {"CARD", "SECRET"}
    assert by.vault.values() == {"<EMAIL_1>": "a@b.de"}
    for text in (done.masked, done.said, str(done.found), str(by.vault.values())):
        assert CARD not in text
        assert "hunter22" not in text


def test_refused_value_speaks_the_customers_language() -> None:
    by = scrubber(**REFUSING)
    by.language = "zh"
    assert read(f"卡号{CARD}", by).masked == "卡号[卡号已删除]"


def test_refused_value_in_a_tools_result_is_dropped_unless_the_tool_declared_it() -> None:
    by = scrubber(**REFUSING)
    by.known.add([Known("SECRET", "PICK-UP-77")])
    told = scrub.told(by, {"card": CARD, "note": "Code PICK-UP-77"})
    assert told == (
        {"card": "[card number removed]", "note": "Code <SECRET_1>"},
        [("SECRET", "PICK-UP-77")],
    )


def test_kept_kind_stays_and_is_found() -> None:
    by = scrubber("EMAIL")
    done = read("I am Zoe Quill, a@b.de", by)
    assert (done.masked, done.refused) == ("I am <PERSON_1>, a@b.de", frozenset())
    assert ("EMAIL", "a@b.de") in done.found


@pytest.mark.parametrize(
    ("kept", "text", "masked"),
    [
        ("PERSON", "Zoe Quill: Mia@example.com", "Zoe Quill: <EMAIL_1>"),
        ("EMAIL", "write to 4111 1111 1111 1111@example.com", "write to <CARD_1>@example.com"),
    ],
)
def test_kept_kind_does_not_expose_a_masked_value(kept: str, text: str, masked: str) -> None:
    assert read(text, scrubber(kept)).masked == masked


def test_kept_kind_does_not_expose_a_known_value() -> None:
    by = scrubber("EMAIL", known=Index([Known("PERSON", "Quill")]))
    assert read("It is quill@example.com", by).masked == "It is <PERSON_1>@example.com"


def test_own_numbers_are_found_and_stay() -> None:
    by = scrubber()
    by.rules = rules.of([r"TRK\d{10}"])
    done = read("Where are HP-10423 and TRK0123456789?", by)
    assert done.masked == "Where are HP-10423 and TRK0123456789?"
    assert sorted(value for kind, value in done.found if kind == scrub.OWN) == ["HP-10423", "TRK0123456789"]


def test_agents_name_is_no_secret_but_a_customers_is() -> None:
    by = scrubber(public={"Bob Berg"})
    assert read("Bob here. Ask Mia or Bob Berg.", by).masked == "Bob here. Ask <PERSON_1> or Bob Berg."
    by.known.add([Known("PERSON", "Bob")])
    assert read("Bob here.", by).masked == "<PERSON_2> here."


def test_value_once_private_is_private_everywhere() -> None:
    by = scrubber()
    done = scrub.said(by, ["My password is hunter22.x", "so hunter22.x does not work"])
    assert [one.masked for one in done] == ["My password is <SECRET_1>", "so <SECRET_1> does not work"]
    assert read("I said hunter22.x, not HUNTER22.X", by).masked == "I said <SECRET_1>, not HUNTER22.X"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "refuse" in masking.choices(kind)])
def test_every_kind_has_its_words(kind: str) -> None:
    for locale in ("en", "zh"):
        assert refusal.removed(kind, locale) != refusal.removed("PRIVATE", locale)
        assert words.say(f"things.{kind}", locale)
    assert kind in desk_words.kinds()
