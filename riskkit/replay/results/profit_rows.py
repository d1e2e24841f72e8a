"""Rows of profit in a print: one for each currency, and words in place of a sum where accounts mix several."""

from __future__ import annotations

import math
from collections.abc import Mapping

from riskkit._show import Row

NOT_ADDED = "not added, for it is in several currencies; replay the instruments of each currency as a log of their own"


def profit_rows(label: str, profits: Mapping[str, float]) -> list[Row]:
    """The rows of profits by currency; NaN is that of accounts which mix several.

    Examples
    --------
    >>> profit_rows("profit", {"USD": 2.5})
    [('profit', 2.5, 'USD')]
    """
    return [(label, NOT_ADDED if math.isnan(profit) else profit, name) for name, profit in profits.items()]
