"""The limits of Eurex."""

from __future__ import annotations

from typing import Any

from riskkit._check import Amount
from riskkit.presets.entries import entry, rule_set
from riskkit.replay.rules.ruleset import RuleSet


def eurex(
    *,
    volume: Amount = 100,
    number: Amount | None = None,
    move: Amount | None = None,
    window: Any = "1s",
    long_move: Amount | None = None,
    long_window: Any = "1min",
    auction: Any = "5min",
) -> RuleSet:
    """Eurex: order-to-trade ratios of a trading day, ordered / traded - 1, and the volatility interruption.

    A ratio may equal its limit. What is accepted counts as ordered, what is deleted counts once more, and a modification is a deletion
    followed by an order. The exchange concludes at the end of the day and refuses nothing, so that these rules alert. Of the document
    are not here: floors of the traded volume (a day without a trade has one lot), the rest of an IOC order as a deletion (of a log that
    has its cancel it is one), and limits that grow with the quotes of a market maker. A ratio is by instrument, the document's by product.

    Parameters
    ----------
    volume, number : ratio, optional
        Limits of the ratios in volume and in number of messages; by type of product at Eurex.
    move, long_move : money, optional
        Largest distance from the trades of `window` and of `long_window`; beyond it the instrument goes to an auction.
    window, long_window, auction : length of time
        The look-backs, and how long the instrument takes nothing but cancels; Eurex publishes none of them.

    References
    ----------
    Eurex, Order-to-Trade Ratio (in force from 1 January 2021): calculation in volume and in number; Volatility Interruption Functionality.

    Examples
    --------
    >>> [rule.id for rule in eurex(number=50, move=10)]
    ['otr_volume', 'otr_number', 'volatility']
    """
    far = {"long_max_move": long_move, "long_window_ns": long_window} if long_move is not None else {}
    day = {"action": "ALERT", "tz": "Europe/Berlin"}
    return rule_set(
        entry("otr_volume", "unexecuted_volume", "account_instrument", limit=volume, **day),
        entry("otr_number", "unexecuted_orders", "account_instrument", limit=number, **day)
        if number is not None
        else None,
        entry("volatility", "velocity", "instrument", max_move=move, window_ns=window, pause_ns=auction, **far)
        if move is not None
        else None,
    )
