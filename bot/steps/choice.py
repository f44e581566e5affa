"""Which class of models answers, and which models of it are asked in which order."""

from dataclasses import dataclass
from functools import cached_property

from django.conf import settings

from bot.llm.base import Deadlines
from bot.llm.errors import UnknownModel
from bot.models import Model
from bot.steps.work import Work


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
    def answer_tokens(self) -> int:
        return min(model.answer_tokens for model in self.models)

    @property
    def seconds(self) -> float:
        """How long a turn may take: as long as the most patient model of the list."""
        return max(settings.TURN_DEADLINE, *(model.whole_deadline or 0 for model in self.models))


def choose(work: Work) -> Choice:
    """The class of the customer's tier; a smaller one where the deployment has no model of it."""
    tier = work.conversation.customer.effective_tier
    models = list(
        Model.objects.filter(enabled=True, provider__enabled=True)
        .select_related("provider")
        .order_by("order")
    )
    for model_class in dict.fromkeys([tier.model_class, "small", "large", "reasoning"]):
        of_class = [model for model in models if model.model_class == model_class]
        if of_class:
            return Choice(of_class, model_class, f"tier {tier.slug}")
    raise UnknownModel("No model is enabled: add one in the admin")


def deadlines(model: Model, seconds_left: float) -> Deadlines:
    """The model's deadlines, else the deployment's; never past the end of the turn."""
    return Deadlines(
        connect=model.provider.connect_deadline,
        first_token=model.first_token_deadline or settings.FIRST_TOKEN_DEADLINE,
        silence=model.silence_deadline or settings.SILENCE_DEADLINE,
        whole=max(0.1, min(model.whole_deadline or settings.TURN_DEADLINE, seconds_left)),
    )
