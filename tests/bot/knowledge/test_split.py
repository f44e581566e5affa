"""Articles split into passages."""

from hypothesis import given
from hypothesis import strategies as st

from bot.knowledge import split

TABLE = "| Size | Chest |\n|---|---|\n| S | 90 cm |\n| M | 98 cm |"


def test_headings_lead_their_passages_and_never_share_one() -> None:
    found = split.passages("Intro here.\n\n## Cost\n\nIt is free.\n\n### Late\n\nTell us.\n\nWe ask.")
    assert found == ["Intro here.", "**Cost**\n\nIt is free.", "**Late**\n\nTell us.\n\nWe ask."]


def test_tables_and_lists_stay_whole() -> None:
    steps = "1. Pack it.\n2. Send it."
    assert split.passages(f"## Sizes\n\n{TABLE}\n\n{steps}") == [f"**Sizes**\n\n{TABLE}\n\n{steps}"]


def test_long_paragraphs_are_cut_between_sentences() -> None:
    sentence = "Dry the tent before you put it away, since damp nylon grows mould within a few days. "
    found = split.passages(sentence * 30)
    assert len(found) > 3
    assert all(split.size(text) <= split.MOST and text.endswith("days.") for text in found)
    chinese = split.passages("收起帐篷之前请彻底晾干，潮湿存放的帐篷几天内就会发霉。" * 40)
    assert all(split.size(text) <= split.MOST and text.endswith("。") for text in chinese)


def test_empty_articles_and_bare_headings_have_no_passage() -> None:
    assert split.passages("") == []
    assert split.passages("## Nothing below\n\n---\n") == []


@given(st.text(alphabet=st.sampled_from("ab.。\n#|-1 \t你`<>*"), max_size=400))
def test_no_letter_is_lost_and_none_doubled(markdown: str) -> None:
    def letters(text: str) -> int:
        return sum(text.count(one) for one in "ab你")

    sections = split._sections(markdown)
    body = sum(letters(block) for _, blocks in sections for block in blocks)
    in_passages = sum(letters(text) for text in split.passages(markdown))
    repeated = sum(
        letters(heading) * len(split._join([piece for block in blocks for piece in split._cut(block)]))
        for heading, blocks in sections
    )
    assert in_passages == body + repeated


def test_text_without_any_break_is_cut_by_length() -> None:
    assert [len(text) for text in split.passages("x" * 3000)] == [1200, 1200, 600]
