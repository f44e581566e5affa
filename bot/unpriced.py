"""Models that may be asked and whose price nobody knows."""

from collections.abc import Iterable

from bot import price_list


def names(classes: Iterable[str]) -> list[str]:
    """Models of these classes that customers are not answered by while a limit on money binds them."""
    wanted = set(classes)
    return sorted(
        {
            one.model
            for one in price_list.of_models()
            if one.enabled and not one.known and wanted & set(one.classes)
        }
    )
