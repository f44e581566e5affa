"""Make Chinese support messages with their private values marked, in the JSON format of presidio-research.

`python -m tests.bench.chinese > file.json` gives the development part, `--part held-out` sentences, names and
places that the recognizers were not built with. The same part always comes out the same.
"""

import argparse
import json
import re
import sys
from typing import Any

from tests.bench.chinese_values import FOLDER, Values

# Seed, sentences with private values, sentences without.
PARTS = {"development": (1, "development"), "held-out": (2, "held_out")}
COUNT = 800
PLAIN_SHARE = 0.28

KINDS = {
    "name": "PERSON",
    "name2": "PERSON",
    "surname": "PERSON",
    "minority": "PERSON",
    "traditional": "PERSON",
    "mobile": "PHONE_NUMBER",
    "mobile2": "PHONE_NUMBER",
    "landline": "PHONE_NUMBER",
    "email": "EMAIL_ADDRESS",
    "email2": "EMAIL_ADDRESS",
    "card": "CREDIT_CARD",
    "id": "CN_ID",
    "ip": "IP_ADDRESS",
    "birth": "DATE_OF_BIRTH",
    "address": "STREET_ADDRESS",
    "address2": "STREET_ADDRESS",
    "door": "STREET_ADDRESS",
    "overseas": "STREET_ADDRESS",
}
_SLOT = re.compile(r"\{(\w+)\}")


def sentences(part: str, count: int = COUNT) -> list[dict[str, Any]]:
    """All sentences of a part: plain ones without a slot stand in it once, the others as often as needed."""
    seed, name = PARTS[part]
    values = Values(seed)
    private, plain = _templates(f"{name}.txt"), _templates(f"plain_{name}.txt")
    open_plain = [template for template in plain if _SLOT.search(template)]
    plain_count = max(len(plain), round(count * PLAIN_SHARE))
    plain += [open_plain[i % len(open_plain)] for i in range(plain_count - len(plain))]
    chosen = plain + [private[i % len(private)] for i in range(count - len(plain))]
    return [_sentence(template, number, values) for number, template in enumerate(chosen)]


def _sentence(template: str, number: int, values: Values) -> dict[str, Any]:
    """Fill one template and mark where its private values lie."""
    text, spans, used = "", [], 0
    for slot in _SLOT.finditer(template):
        text += template[used : slot.start()]
        value = values.value(slot[1])
        if kind := KINDS.get(slot[1]):
            spans.append(
                {
                    "entity_type": kind,
                    "entity_value": value,
                    "start_position": len(text),
                    "end_position": len(text) + len(value),
                }
            )
        text += value
        used = slot.end()
    return {"full_text": text + template[used:], "spans": spans, "template_id": number}


def _templates(name: str) -> list[str]:
    return [line.replace("\\n", "\n") for line in (FOLDER / name).read_text().splitlines() if line]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=PARTS, default="development")
    parser.add_argument("--count", type=int, default=COUNT)
    chosen = parser.parse_args()
    print(f"part {chosen.part}, seed {PARTS[chosen.part][0]}, {chosen.count} sentences", file=sys.stderr)
    json.dump(sentences(chosen.part, chosen.count), sys.stdout, ensure_ascii=False, indent=1)


if __name__ == "__main__":
    main()
