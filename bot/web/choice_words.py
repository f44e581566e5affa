"""What the desk says about why a class of models has answered."""

from bot import words
from bot.steps import reasons
from bot.steps.reasons import Reason

WORDS: dict[str, tuple[str, str]] = {
    "why_small": ("Small model", "小模型"),
    "why_large": ("Large model", "大模型"),
    "why_reasoning": ("Reasoning model", "推理模型"),
    "why_class_small": ("small", "小模型"),
    "why_class_large": ("large", "大模型"),
    "why_class_reasoning": ("reasoning", "推理模型"),
    "why_question": ("{}: the question {}", "{}：问题{}"),
    "why_first": ("{}: the first that the tier names", "{}：等级中排在首位"),
    "why_only": ("{}: the only one that the tier can use", "{}：该等级唯一可用"),
    "why_full": ("{}: {} is used up", "{}：{}额度已用完"),
    "why_near": ("{}: {} is nearly used up ({}%)", "{}：{}额度即将用完（{}%）"),
    "why_unpriced": ("{}: no price is known for {}", "{}：{}没有已知价格"),
    # What one turn may come to was reached.
    "reason_ceiling of rounds": (
        "Cut: asked as often as one answer may",
        "已中止：达到单次回答的询问次数上限",
    ),
    "reason_ceiling of tool calls": ("Cut: too many lookups in one answer", "已中止：单次回答的查询次数过多"),
    "reason_ceiling of same call": ("Cut: the same lookup again and again", "已中止：反复进行同一查询"),
    "reason_ceiling of tokens": (
        "Cut: as many tokens as one answer may take",
        "已中止：达到单次回答的词元上限",
    ),
    "reason_ceiling of prompt tokens": ("Longer than the tier's prompts", "超过该等级的提示长度上限"),
    "reason_ceiling of cost": ("Cut: as dear as one answer may be", "已中止：达到单次回答的费用上限"),
    # What the question does.
    "sign_simple": ("is simple", "简单"),
    "sign_wish": ("asks for more thought", "要求认真思考"),
    "sign_many_steps": ("asks for many things to be done", "要求办理多件事"),
    "sign_steps": ("asks for several things to be done", "要求办理几件事"),
    "sign_conditions": ("makes one thing depend on another", "带有前提条件"),
    "sign_sums": ("needs something worked out", "需要计算"),
    "sign_figures": ("has several figures", "含有多个数字"),
    "sign_tools": ("probably needs a lookup or a change", "可能需要查询或办理"),
    "sign_weighs": ("has options to weigh", "需要比较选择"),
    "sign_unhappy": ("sounds unhappy", "语气不满"),
    "sign_several": ("is several questions", "包含多个提问"),
    "sign_long": ("is long", "较长"),
    "sign_language": ("is in another language", "使用其他语言"),
    "sign_failed": ("follows an answer that failed", "此前的回答失败"),
    "sign_disliked": ("follows an answer rated unhelpful", "此前的回答被评为无帮助"),
    "sign_again": ("was asked before", "重复提出"),
    "sign_goes_on": ("goes on from a harder one", "延续了较难的问题"),
}


def plain(code: str, table: dict[str, str], locale: str) -> str | None:
    """A stored reason in plain words; None where it is not about the choice of a class."""
    reason = reasons.read(code)
    if reason is None:
        return None
    return _for_a_cause(reason, table) if reason.cause else _for_signs(reason, table, locale)


def _for_a_cause(reason: Reason, table: dict[str, str]) -> str:
    facts = [table[f"why_class_{reason.instead_of}"], reason.percent]
    return table[f"why_{reason.cause}"].format(table[f"why_{reason.model_class}"], *facts)


def _for_signs(reason: Reason, table: dict[str, str], locale: str) -> str:
    answers = table[f"why_{reason.model_class}"]
    for sign in ("first", "only"):
        if sign in reason.signs:
            return table[f"why_{sign}"].format(answers)
    told = [table.get(f"sign_{sign}", sign) for sign in reason.signs]
    return table["why_question"].format(answers, words.all_of(told, locale))
