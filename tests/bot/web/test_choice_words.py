"""Staff read in plain words why a class of models has answered; a code that nobody knows stays as it is."""

import pytest
from django.template import Context, Template
from django.utils import translation

from bot.steps import reasons
from bot.steps.difficulty import SIGNS
from bot.steps.reasons import Reason
from bot.web import choice_words, desk_words

SAID = [
    (
        "large: tools, long",
        "Large model: the question probably needs a lookup or a change and is long",
        "大模型：问题可能需要查询或办理、较长",
    ),
    ("small: simple", "Small model: the question is simple", "小模型：问题简单"),
    (
        "small: near large 92",
        "Small model: large is nearly used up (92%)",
        "小模型：大模型额度即将用完（92%）",
    ),
    ("large: full reasoning", "Large model: reasoning is used up", "大模型：推理模型额度已用完"),
    ("small: unpriced large", "Small model: no price is known for large", "小模型：大模型没有已知价格"),
    ("large: first", "Large model: the first that the tier names", "大模型：等级中排在首位"),
    ("small: only", "Small model: the only one that the tier can use", "小模型：该等级唯一可用"),
    ("usage_limit", "Allowance used up", "额度用完"),
    ("unpriced", "No model of known price", "没有已知价格的模型"),
    ("ceiling of rounds", "Cut: asked as often as one answer may", "已中止：达到单次回答的询问次数上限"),
    ("huge: tools", "huge: tools", "huge: tools"),
]


@pytest.mark.parametrize(("code", "english", "chinese"), SAID)
def test_reason_is_said_in_the_language_of_the_desk(code: str, english: str, chinese: str) -> None:
    template = Template("{% load desk %}{% why code %}")
    for language, said in (("en", english), ("zh-hans", chinese)):
        with translation.override(language):
            assert template.render(Context({"w": desk_words.table(), "code": code})) == said


def test_every_sign_has_words_and_all_of_them_fit() -> None:
    assert {f"sign_{sign}" for sign in SIGNS} <= {*choice_words.WORDS}
    assert len(str(Reason("reasoning", SIGNS))) <= 160


@pytest.mark.parametrize(
    "reason",
    [
        Reason("large", ("tools", "long")),
        Reason("small", ("simple",)),
        Reason("small", cause="near", instead_of="large", percent=92),
        Reason("small", cause="full", instead_of="large"),
    ],
)
def test_code_is_read_as_it_was_written(reason: Reason) -> None:
    assert reasons.read(str(reason)) == reason
