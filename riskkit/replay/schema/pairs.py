"""Pairs of currencies, of which exchange rates are given: their labels, and the code that a log has of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from riskkit._check import InputError, shown
from riskkit.replay.schema.columns import CURRENCIES

NO_PAIR = "is not a pair of two currencies, as EURUSD or EUR/USD"


def currencies_of(pair: Any) -> tuple[str, str]:
    """The currencies of a pair: six letters, or two labels with a slash between them.

    Raises
    ------
    InputError
        If it is no pair, or of one currency twice.

    Examples
    --------
    >>> currencies_of("EURUSD"), currencies_of("BTC/USDT")
    (('EUR', 'USD'), ('BTC', 'USDT'))
    """
    text = pair.strip() if isinstance(pair, str) else ""
    first, slash, second = text.partition("/")
    if not slash:
        first, second = text[:3], text[3:]
    if not first.strip() or not second.strip() or first.strip() == second.strip() or not (slash or len(text) == 6):
        raise InputError(f"pair={shown(pair)} {NO_PAIR}")
    return first.strip(), second.strip()


def pair_code(pair: Any, currencies: Sequence[str]) -> int:
    """The code of a pair of these currencies."""
    first, second = currencies_of(pair)
    return currencies.index(first) * CURRENCIES + currencies.index(second)


def pair_text(code: int, currencies: Sequence[str]) -> str:
    """The pair of a code.

    Examples
    --------
    >>> pair_text(pair_code("USD/EUR", ("EUR", "USD")), ("EUR", "USD"))
    'USD/EUR'
    """
    return "/".join(currencies[part] for part in divmod(code, CURRENCIES))
