"""What alerts about limits and money say."""

from bot.desk.said import Said

_CALLS = ("Upstream calls", "accounts_usageentry")
_TIERS = ("Tiers and limits", "accounts_tier")
_SWITCH = ("Deployment", "accounts_deployment")
_WINDOWS = ("Windows", "accounts_window")

WORDS: dict[str, Said] = {
    "budget": Said(
        "{limit}: {percent} % used",
        "{used} of {amount} used ({share} %)",
        "{at}, {percent} %",
        "{next} It begins anew on {ends}. One e-mail tells of the highest percent that was crossed since the "
        "last look, and of those below it.",
        "Wait if there is enough for the rest of the time, or raise the limit. If somebody uses far more "
        "than others, look at the calls, or lower what each customer may use. If something runs away, stop "
        'all spending: `manage.py spending stop --reason "…"`, or the switch.',
        *_TIERS,
        over=False,
    ),
    "overrun": Said(
        "{limit}: more was used than was held",
        "{over} too much in {whose}",
        "anything above what was held",
        "Before each call its dearest outcome is held, so that no limit is passed. Here a provider counted "
        "more than that, or an answer went on after what it held had expired. It is counted as it was used.",
        "See whether settled is above the limit, and which calls were charged more tokens than the model's "
        "longest answer or context allows. Lower these in the model, or tell the provider.",
        *_WINDOWS,
        over=False,
    ),
    "many_refused": Said(
        "{limit}: many are refused",
        "{refused} of {active} customers of {tier} in the last hour, {value:.0f} %",
        "more than {bound:.0f} %, at least 5",
        "They used up what this limit allows, and got an answer without a model. It was the one used "
        "furthest of all that bind them.",
        "If the limit is meant so, nothing is wrong. Otherwise raise it, or let the next cheaper class "
        "answer when it is full; a single customer can be given an extra allowance.",
        *_TIERS,
    ),
    "call_cost": Said(
        "A call of {subject} cost {cost}",
        "{cost} for one call, {times} times what is usual",
        "more than 10 times {usual}, and above $0.05",
        "95 % of this model's calls of the last 7 days cost {usual} at most. A very long conversation, a "
        "large result of a tool or a long answer makes a call dear; so does a price that is not right.",
        "See how many tokens it read and wrote, and by which price it was charged. A tier's ceilings keep a "
        "turn from costing more: tokens of the prompt and of the answer, rounds, and dollars.",
        *_CALLS,
        over=False,
    ),
    "hour_cost": Said(
        "Unusual costs: {spent} in an hour",
        "{spent} in the last 60 minutes",
        "more than {at}: 3 times the {usual} that are usual at this hour, and $0.50 at least",
        "Usual is the median of the same hour of the last 14 days. More customers, longer conversations, a "
        "dearer model, or something that runs in a circle.",
        "See which models and customers the calls are of. If it should not go on, stop all spending: "
        '`manage.py spending stop --reason "…"`, or the switch.',
        *_CALLS,
    ),
    "unpriced": Said(
        "No known price: {models}",
        "{models} {are} no known price",
        "the first one",
        "A limit counts money, and what these models cost is not known: customers whom such a limit binds "
        "are answered by other models, or by none.",
        "Set what you pay for them, or take them out of use.",
        "Prices",
        "bot_price",
        over=False,
    ),
    "stopped": Said(
        "All spending is stopped",
        "{by} stopped it on {since}: {reason}",
        "any stop",
        "No model is asked. Customers get prepared answers, help pages, and a person where they ask for one.",
        "Allow it again when the reason is gone: the switch, or `manage.py spending allow`.",
        *_SWITCH,
    ),
    "ledger": Said(
        "The ledger does not agree",
        "{count} as of tonight: {kinds}",
        "the first one",
        "What windows and grants count is not the sum of what they hold and have settled, or a call was not "
        "counted as it was charged. Limits may refuse too early or too late.",
        "`manage.py check_ledger` lists each difference. Somebody may have written to the database, or "
        "an older backup was restored. Tomorrow night it is checked again.",
        *_WINDOWS,
    ),
}
