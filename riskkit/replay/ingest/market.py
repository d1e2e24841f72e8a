"""The market as it stands where an order comes in: the prices at which a market order is counted before anything judges it.

Bid, ask and last trade are those of the price events so far, in new units after a split, as in the book of a replay; fills and closes
are none. A buy looks at the ask and a sell at the bid, else at the last trade.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np

from riskkit.replay.ingest.frame import Frame
from riskkit.replay.kernels.book import quote
from riskkit.replay.kernels.splits import scale_quotes
from riskkit.replay.schema.columns import MISSING, EventKind, RowFlag

PRICES = ("bid", "ask", "last", "mark", "estimate", "close")
DECLARED = {"times_numerator": 0, "times_denominator": 0}  # no change of the multiplier yet


def touch(market: Any, side: int) -> int:
    """Price step of the ask (buy) or the bid (sell), else of the last trade; MISSING before any, or without a market."""
    if market is None:
        return MISSING
    best = int(market.ask if side > 0 else market.bid)
    return best if best != MISSING else int(market.last)


def present(market: Any) -> Fraction:
    """The present multiplier of a market over the declared one."""
    changed = market is not None and market.times_numerator
    return Fraction(int(market.times_numerator), int(market.times_denominator)) if changed else Fraction(1)


def markets_at(
    frame: Frame,
    columns: Mapping[str, np.ndarray],
    ratios: Mapping[int, Fraction],
    asked: np.ndarray,
    times: Mapping[int, Fraction] | None = None,
) -> Iterator[tuple[int, Any]]:
    """Each of the rows `asked` (a mask), and the market of its instrument before it; prices are in steps."""
    if not asked.any():
        return
    code, traded = columns["instrument"], set(columns["instrument"][asked].tolist())
    moves = frame.rows_of(EventKind.PRICE, EventKind.SPLIT, EventKind.MULTIPLIER) & (
        columns["flags"] & int(RowFlag.BAD_TS) == 0
    )
    markets = {one: SimpleNamespace(priced=0, **DECLARED, **dict.fromkeys(PRICES, MISSING)) for one in traded}
    for row in np.flatnonzero(asked | (moves & np.isin(code, list(traded)))).tolist():
        market = markets[int(code[row])]
        if asked[row]:
            yield row, market
        elif row in ratios:
            scale_quotes(market, ratios[row].numerator, ratios[row].denominator)
        elif times and row in times:
            market.times_numerator, market.times_denominator = times[row].numerator, times[row].denominator
        else:
            found = (int(columns[name][row]) if name in columns else MISSING for name in ("price", "bid", "ask"))
            quote(market, *found)
