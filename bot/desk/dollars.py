"""Money as admins read it."""

from decimal import Decimal

_CENT = Decimal("0.01")


def dollars(amount: Decimal) -> str:
    """$1,234.50, $0.0042 or $0.000013; whoever needs every digit looks at the entry."""
    if 0 < amount < _CENT:
        return f"${two_digits(amount)}"
    if amount >= 1 or amount == 0:
        return f"${amount:,.2f}"
    cents, parts = f"{amount:.2f}", f"{amount:.4f}"
    return f"${cents if Decimal(cents) == Decimal(parts) else parts}"


def two_digits(amount: Decimal) -> str:
    """Less than a cent, by the two digits that tell how much: 0.0075, 0.000013."""
    return f"{round(amount, 1 - amount.adjusted()):f}".rstrip("0").rstrip(".")
