"""Which class of models answers, and which models of it are asked in which order."""

from dataclasses import dataclass
from functools import cached_property

from django.conf import settings
from django.db import connection

from accounts.prices import Overrides
from bot.llm.base import Deadlines, Settings
from bot.llm.errors import UnknownModel
from bot.models import Model, Provider
from bot.models.rows import columns, made
from bot.steps.work import Work

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


def choose(work: Work) -> Choice:
    """The first class of the customer's tier that the deployment has a model of."""
    tier = work.conversation.customer.effective_tier
    models = _enabled()
    for model_class in tier.classes:
        of_class = [model for model in models if model.model_class == model_class]
        if of_class:
            return Choice(of_class, model_class, f"tier {tier.slug}")
    raise UnknownModel("No model of the tier's classes is enabled: add one in the admin")


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
