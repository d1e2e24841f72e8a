"""Money that a file states beside quantity and price: where they contradict each other, one of them is wrong or was misread."""

from __future__ import annotations

from decimal import Decimal

NEAR = Decimal("0.0001")  # of the money: fees in it and prices that are means have more digits than are written
HALF = Decimal("0.5")  # of money that is written without decimals


def contradicts(
    stated: Decimal, quantity: Decimal, price: Decimal, *, fee: Decimal | None = None, size: Decimal = Decimal(1)
) -> bool:
    """True if money is not quantity times price times the size of one, with or without the fee.

    The last written decimal of each number may be rounded.

    Examples
    --------
    >>> total, quantity, price = Decimal("-5267.58"), Decimal(2), Decimal("2633.04")
    >>> contradicts(total, quantity, price, fee=Decimal("1.5")), contradicts(total, quantity, price * 10)
    (False, True)
    """
    worth = abs(quantity * price * size)
    room = worth * NEAR + (_last(stated) or HALF) + size * (abs(price) * _last(quantity) + abs(quantity) * _last(price))
    known = [worth] if fee is None else [worth, abs(worth + fee), abs(worth - fee)]
    return all(abs(abs(stated) - money) > room for money in known)


def _last(number: Decimal) -> Decimal:
    """Half of the last decimal of a number; 0 of a whole one."""
    exponent = number.as_tuple().exponent
    return Decimal(5).scaleb(exponent - 1) if isinstance(exponent, int) and exponent < 0 else Decimal(0)
