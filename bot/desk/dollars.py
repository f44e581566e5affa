"""Money as admins read it."""

from decimal import Decimal

_LEAST = Decimal("0.0001")


def dollars(amount: Decimal) -> str:
    """$1,234.50, $0.0042, or less than $0.0001; whoever needs every digit looks at the entry."""
    if 0 < amount < _LEAST:
        return f"less than ${_LEAST}"
    if amount >= 1 or amount == 0:
        return f"${amount:,.2f}"
    cents, parts = f"{amount:.2f}", f"{amount:.4f}"
    return f"${cents if Decimal(cents) == Decimal(parts) else parts}"
