"""Which class of models answers, and which models of it are asked in which order."""

from dataclasses import dataclass
from functools import cached_property

from django.conf import settings
from django.db import connection

from accounts.limits import Binding
from accounts.models import CLASSES, Limit, Tier
from accounts.prices import Overrides
from bot.llm.base import Deadlines, Settings
from bot.llm.errors import UnknownModel
from bot.models import Model, Provider
from bot.models.rows import columns, made
from bot.steps import need as needs
from bot.steps import picking
from bot.steps import room as rooms
from bot.steps.difficulty import Need
from bot.steps.picking import Classes, NoneLeft
from bot.steps.work import Work

__all__ = ["Choice", "NoneLeft", "Unpriced", "choose", "deadlines", "settings_of"]

_ENABLED = f"""
SELECT {columns("model", Model)}, {columns("provider", Provider)},
       price.input, price.cached, price.output, price.call
  FROM bot_model model JOIN bot_provider provider ON provider.id = model.provider_id
  LEFT JOIN LATERAL (
      SELECT * FROM bot_price own
       WHERE own.provider_id = provider.id AND own.model = model.name AND own.starts_at <= now()
       ORDER BY own.starts_at DESC LIMIT 1) price ON true
 WHERE model.enabled AND provider.enabled
 ORDER BY model."order"
"""  # noqa: S608  column names of ours


class Unpriced(Exception):
    """A limit counts money and no model that could answer has a known price."""


@dataclass(frozen=True)
class Choice:
    """The models to try, best first, and why this class."""

    models: list[Model]
    model_class: str
    reason: str

    @cached_property
    def first(self) -> Model:
        return self.models[0]

    @property
    def context_tokens(self) -> int:
        """A prompt that fits every model of the list."""
        return min(model.context_tokens for model in self.models)

    @property
    def seconds(self) -> float:
        """How long a turn may take: as long as the most patient model of the list."""
        return max(settings.TURN_DEADLINE, *(model.whole_deadline or 0 for model in self.models))


def choose(work: Work, binding: Binding, without: frozenset[str] = frozenset()) -> Choice:
    """The class that answers, and its models; `without` the classes that limits have just refused.

    1. Classes of the tier that have a model which is enabled and whose price is known where money counts.
    2. Of these the first of the tier's order, or the cheapest that can do the job, as its pick says.
    3. A cheaper one, where a limit is full or nearly used up.

    Raises UnknownModel where no model is enabled, Unpriced where none has a known price, NoneLeft where
    nothing is left that may answer instead.
    """
    tier = work.conversation.customer.effective_tier
    enabled = _by_class(_enabled(), tier.classes)
    usable = {name: some for name, of_class in enabled.items() if (some := _priced(of_class, binding))}
    _check(enabled, usable)
    classes = Classes([*enabled], [*usable], [name for name in usable if name not in without])
    needed = _need(work, tier, classes)
    room = rooms.read(binding, {name: usable[name] for name in picking.candidates(classes, needed)})
    reason = picking.pick(classes, needed, room)
    models = usable[reason.model_class]
    with_room = [model for model in models if room.takes(model)]
    return Choice(with_room or models, reason.model_class, str(reason))


def _need(work: Work, tier: Tier, classes: Classes) -> Need | None:
    """What the question takes; None where that changes nothing."""
    if tier.pick == Tier.Pick.FIRST:
        return None
    if len(classes.usable) == 1:
        return Need()
    return needs.of(work, picking.cheapest(classes.usable, CLASSES[-1]))


def _by_class(models: list[Model], classes: list[str]) -> dict[str, list[Model]]:
    """The models of each class of the tier, in its order; a class without any is left out."""
    found = {name: [model for model in models if model.model_class == name] for name in classes}
    return {name: of_class for name, of_class in found.items() if of_class}


def _priced(models: list[Model], binding: Binding) -> list[Model]:
    """Those that may answer: where a limit counts their money, what they cost must be known."""
    return [model for model in models if not _needs_price(model, binding) or _has_price(model)]


def _needs_price(model: Model, binding: Binding) -> bool:
    rules = binding.for_model(model.model_class, model.name)
    return any(rule.metric == Limit.Metric.MONEY for rule in rules)


def _has_price(model: Model) -> bool:
    rates = model.terms.rates(0)
    return rates is not None and None not in (rates.input, rates.cached, rates.output)


def _check(enabled: dict[str, list[Model]], usable: dict[str, list[Model]]) -> None:
    if not enabled:
        raise UnknownModel("No model of the tier's classes is enabled: add one in the admin")
    if not usable:
        names = ", ".join(model.name for models in enabled.values() for model in models)
        raise Unpriced(f"A limit counts money and no price is known of {names}")


def _enabled() -> list[Model]:
    """Models that may be asked, best first."""
    with connection.cursor() as cursor:
        cursor.execute(_ENABLED)
        rows = cursor.fetchall()
    models = []
    for row in rows:
        values = iter(row)
        model = made(Model, values)
        model.provider = made(Provider, values)
        model.paid = Overrides(*values)
        models.append(model)
    return models


def deadlines(model: Model) -> Deadlines:
    """The model's deadlines, else the deployment's."""
    return Deadlines(
        connect=model.provider.connect_deadline,
        first_token=model.first_token_deadline or settings.FIRST_TOKEN_DEADLINE,
        silence=model.silence_deadline or settings.SILENCE_DEADLINE,
        whole=model.whole_deadline or settings.TURN_DEADLINE,
    )


def settings_of(model: Model) -> Settings:
    """What is sent with each request; sampling only to a model that takes it."""
    if not model.sampling:
        return Settings(max_tokens=model.answer_tokens)
    return Settings(
        max_tokens=model.answer_tokens,
        temperature=model.temperature,
        top_p=model.top_p,
        presence_penalty=model.presence_penalty,
        frequency_penalty=model.frequency_penalty,
    )
