"""First example: twenty trend-following strategies on real daily prices, run by vectorbt, one account each.

Buy 50,000 USD worth of whole shares when the 50-day average is above the 200-day average, again every 63 trading days
while it stays above, and sell all when it falls below. Signals of one close are traded at the next. Sizes do not
depend on past profit, so a replay without some of the trades is a path that the strategy could have had.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit._check import optional
from riskkit.datasets import load_stocks
from riskkit.replay.log.event_log import EventLog

if TYPE_CHECKING:
    import pandas as pd

OPENING_CASH = 1_000_000.0
ORDER_VALUE = 50_000.0
FAST, SLOW, AGAIN = 50, 200, 63  # trading days
FEES = 0.0005  # of an order's value
ORDERS = "simulated by vectorbt: trend following, whole shares, fees of 0.05 %, no slippage"


def event_log() -> EventLog:
    """Event log of the twenty strategies: orders, fills and closes, with the metadata of the prices."""
    prices = load_stocks()
    return EventLog.from_vectorbt(trend_portfolio(prices), lot=1, about=metadata_of(prices))


def metadata_of(prices: pd.DataFrame) -> dict[str, Any]:
    """Metadata of the prices and orders, for an event log."""
    facts = ("kind", "adjusted", "survivors_only", "source", "licence", "rights", "defects")
    about = {"title": "Twenty trend-following strategies on 20 US stocks, 1990-2022", "orders": ORDERS}
    return {**about, **{fact: prices.attrs[fact] for fact in facts}}


def trend_portfolio(prices: pd.DataFrame) -> Any:
    """Simulate one strategy per column of daily closes.

    Parameters
    ----------
    prices : DataFrame of shape (n_days, n_stocks)
        Closes in dollars per share.

    Returns
    -------
    vectorbt.Portfolio
        One column per stock, each with separate cash.

    Raises
    ------
    ImportError
        If vectorbt is not installed.
    """
    vbt = optional("vectorbt", "notebooks")
    # averages of integer thousandths of a dollar, so that ties are exact on every machine
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
