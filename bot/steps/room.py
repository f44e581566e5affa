"""How much room the limits leave each class of models, as far as what was counted until now can tell.

What is decided here only saves a refusal: whether there is room is decided by the hold before each call.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from accounts import allowance, limits, quota
from accounts.limits import Binding, Rule
from accounts.models import Limit
from accounts.quota import Standing
from bot.models import Model

# From this share on a window is nearly used up, in percent.
NEAR = 90


@dataclass(frozen=True)
class Room:
    """What a customer's windows leave."""

    binding: Binding = field(default_factory=Binding)
    standings: list[Standing] = field(default_factory=list)

    def steps_down(self, model_class: str) -> bool:
        """Whether the class is full by a limit that lets the next one answer."""
        return any(
            one.rule.when_full == Limit.WhenFull.NEXT
            for one in self._counting(model_class)
            if allowance.full(one, self.binding.grants, model_class)
        )

    def takes(self, model: Model) -> bool:
        """Whether the limits of this one model have room, or refuse in their own words."""
        return not any(
            allowance.full(one, self.binding.grants, model.model_class)
            for one in self.standings
            if one.rule.model == model.name and one.rule.when_full == Limit.WhenFull.NEXT
        )

    def has(self, model_class: str) -> bool:
        return allowance.has_room(self.binding, self.standings, model_class)

    def near(self, model_class: str, instead: str) -> int | None:
        """The percent used of a window that is nearly used up and that `instead` would spare; else None."""
        return self._nearest(one for one in self._counting(model_class) if _spared(one.rule, instead))

    def eases(self, model_class: str, other: str) -> bool:
        """Whether the class has room and no window that is nearly used up, but for those of the other."""
        own = (one for one in self._counting(model_class) if not one.rule.counts(other, ""))
        return self.has(model_class) and self._nearest(own) is None

    def _counting(self, model_class: str) -> Iterable[Standing]:
        return (one for one in self.standings if one.rule.counts(model_class, ""))

    def _nearest(self, standings: Iterable[Standing]) -> int | None:
        percents = map(self._percent, standings)
        return max((percent for percent in percents if percent >= NEAR), default=None)

    def _percent(self, one: Standing) -> int:
        granted = sum(grant.left for grant in self.binding.grants if grant.helps(one.rule))
        whole = one.rule.amount + granted
        return min(100, int(100 * one.used / whole)) if whole else 100


def read(binding: Binding, by_class: dict[str, list[Model]]) -> Room:
    """By one statement, or none where nothing of it can change what is chosen."""
    counting = limits.ordered(rule for rule in binding.rules if _matters(rule, by_class))
    return Room(binding, quota.standing(counting))


def _matters(rule: Rule, by_class: dict[str, list[Model]]) -> bool:
    """Whether there is another class, or another model of the class, for when the rule has no room."""
    if rule.metric == Limit.Metric.ACTIONS:
        return False
    if rule.model:
        return any(_has_another(rule.model, models) for models in by_class.values())
    return len(by_class) > 1 and any(rule.counts(name, "") for name in by_class)


def _has_another(name: str, models: Iterable[Model]) -> bool:
    names = {model.name for model in models}
    return name in names and len(names) > 1


def _spared(rule: Rule, instead: str) -> bool:
    """Whether a cheaper class uses less of it: a message is a message to whom all count alike."""
    return rule.metric == Limit.Metric.MONEY or not rule.counts(instead, "")
