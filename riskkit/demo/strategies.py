"""Act one: twenty trend-following strategies on real daily prices, run by vectorbt, one account each.

Buy 50,000 USD worth of whole shares when the 50-day average is above the 200-day one, again every 63 trading days
while it stays there, and sell all when it falls below. Signals are taken from one close and traded at the next.
Sizes do not depend on what was earned, so a replay without some of the trades is one that the strategy could have had.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit._check import optional
from riskkit.datasets import load_stocks
from riskkit.replay.events import EventLog

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["event_log", "trend_portfolio", "what_to_know"]

OPENING_CASH = 1_000_000.0
ORDER_VALUE = 50_000.0
FAST, SLOW, AGAIN = 50, 200, 63  # trading days
FEES = 0.0005  # of an order's value
ORDERS = "simulated by vectorbt: trend following, whole shares, fees of 0.05 %, no slippage"


def event_log() -> EventLog:
    """The orders, fills and closes of the twenty strategies, with what must be known of the prices."""
    prices = load_stocks()
    return EventLog.from_vectorbt(trend_portfolio(prices), lot=1, about=what_to_know(prices))


def what_to_know(prices: pd.DataFrame) -> dict[str, Any]:
    """What a reader must know of these prices and orders, as an event log keeps it."""
    facts = ("kind", "adjusted", "survivors_only", "source", "licence", "rights", "defects")
    about = {"title": "Twenty trend-following strategies on 20 US stocks, 1990-2022", "orders": ORDERS}
    return {**about, **{fact: prices.attrs[fact] for fact in facts}}


def trend_portfolio(prices: pd.DataFrame) -> Any:
    """Simulate one strategy for each column of daily closes.

    Parameters
    ----------
    prices : DataFrame of shape (n_days, n_stocks)
        Closes in dollars a share.

    Returns
    -------
    vectorbt.Portfolio
        One column a stock, each with its own cash.

    Raises
    ------
    ImportError
        Where vectorbt is not installed; the sentence says what to install.
    """
    vbt = optional("vectorbt", "notebooks")
    # averages of whole thousandths of a dollar, as the prices are given: a tie is a tie on every machine
    mills = (prices * 1_000).round()
    rising = mills.rolling(FAST).sum() * SLOW > mills.rolling(SLOW).sum() * FAST
    falls = ~rising
    days_up = rising.apply(lambda up: up.groupby((~up).cumsum()).cumsum())
    buys = rising & (days_up % AGAIN == 1)
    sells = falls & rising.shift(fill_value=False)
    return vbt.Portfolio.from_signals(
        prices,
        buys.shift(fill_value=False),
        sells.shift(fill_value=False),
        size=np.floor(1_000 * ORDER_VALUE / mills),
        size_granularity=1,
        accumulate="addonly",  # a sale sells everything
        direction="longonly",
        init_cash=OPENING_CASH,
        fees=FEES,
    )
