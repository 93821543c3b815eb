"""Divide an amount so that its parts add up to it, to the last digit. Pure."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from playlog_cli.reporting.rate_card import EXACT


def split(amount: Decimal, weights: Sequence[Fraction]) -> list[Decimal]:
    """Divides an amount by weights, by the method of the largest remainder.

    Each part is its exact value, cut to the decimal places of the amount. The units that are left go one each to the
    parts that lost most; of equal ones, to the first. https://en.wikipedia.org/wiki/Quota_method describes it.

    Args:
        amount: 0 or more, with the decimal places that the parts have too.
        weights: 0 or more; at least one is above 0 if the amount is.

    Returns:
        A part for each weight. They add up to the amount.

    Example:
        >>> split(Decimal("1.00"), [Fraction(1, 3)] * 3)
        [Decimal('0.34'), Decimal('0.33'), Decimal('0.33')]
    """
    unit = Decimal(1).scaleb(int(amount.as_tuple().exponent))
    units = int(EXACT.divide(amount, unit))
    whole = sum(weights, Fraction(0))
    if not whole:
        return [amount * 0 for _ in weights]
    quotas = [units * weight / whole for weight in weights]
    parts = [int(quota) for quota in quotas]
    lost_most = sorted(range(len(quotas)), key=lambda number: (parts[number] - quotas[number], number))
    for number in lost_most[: units - sum(parts)]:
        parts[number] += 1
    return [EXACT.multiply(Decimal(part), unit) for part in parts]
