"""`validate`: a pre-trade check of position size and drawdown. One trade takes a few microseconds.

A trade that only reduces a position always passes, as under riskkit's rules of exposure and loss; a trade that flips
the position counts as a new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from riskkit._check import InputError, finite_number, one_of, positive, returns_array
from riskkit.desk.core.limits import DeskLimits, fraction_of_percent, limits_of, percentage
from riskkit.desk.core.pre_trade_check import APPROVED, PreTradeCheck
from riskkit.desk.core.records import (
    CheckedRecord,
    Money,
    Price,
    Problem,
    Quantity,
    RequestError,
    Side,
    Text,
    as_time,
    checked,
    non_negative,
    positive_fraction,
)
from riskkit.desk.portfolio.evaluation import NEAR, drawdown_sentence, exceeds_size, size_sentence
from riskkit.desk.portfolio.position_values import PositionValues, check_value, position_values
from riskkit.desk.portfolio.risk_state import RiskState
from riskkit.replay.schema.universe import exact
from riskkit.var import historical
from riskkit.var.parametric import normal_var

ESTIMATES = ("current", "var")
INFINITY = float("inf")


@dataclass(frozen=True, repr=False, eq=False)
class TradeRequest(CheckedRecord):
    """A requested trade.

    Parameters
    ----------
    ticker : str
    side : {"buy", "sell"}
        Or any spelling that an event log accepts (B, BUY, +1, ...).
    quantity, price : float
        Above zero.
    value : float, optional
        In money; refused if it is not quantity × price (up to 1e-9 of it). By default that product.

    Raises
    ------
    RequestError
        With every invalid field.

    Examples
    --------
    >>> TradeRequest("AAPL", "BUY", 10, 150.0).to_dict()
    {'ticker': 'AAPL', 'side': 'buy', 'quantity': 10.0, 'price': 150.0, 'value': 1500.0}
    """

    ticker: Text
    side: Side
    quantity: Quantity
    price: Price
    value: Money | None = None
    signed_value: ClassVar[float]
    """quantity × price, negative for a sale."""

    def __post_init__(self) -> None:
        """Check the fields and compute the value."""
        super().__post_init__()
        product = checked(finite_number, self.quantity * self.price, "value")
        value = product if self.value is None else self.value
        self.__dict__.update(value=value, signed_value=product if self.side == "buy" else -product)

    def _inconsistency(self) -> Problem | None:
        if self.value is not None:
            try:
                check_value(self.value, self.quantity, self.price, f"trade in {self.ticker}")
            except InputError as error:
                return Problem("value", str(error))
        return None


def validate(
    trade: Any,
    current_positions: Any,
    portfolio_value: float,
    max_position_size: float = 0.40,
    max_drawdown_limit: float = 10.0,
    *,
    limits: DeskLimits | None = None,
    state: RiskState | None = None,
    estimate: str = "current",
    returns: Any = None,
    volatility: float | None = None,
    timestamp: Any = None,
) -> PreTradeCheck:
    """Check a trade against the limits of position size and drawdown.

    Parameters
    ----------
    trade : TradeRequest or dict
        A dict is read by `TradeRequest.from_dict`.
    current_positions : PositionValues, or its input
        Value of each position in money. `PositionValues` are checked once when they are made, a mapping at every call.
    portfolio_value : float
        Money, above zero.
    max_position_size : float
        Size of the position after the trade, as a fraction of the portfolio value. A size equal to the limit passes,
        exactly.
    max_drawdown_limit : float
        In percent, from 1 to 100, as the imitated REST service names it; `DeskLimits.max_drawdown` is a fraction.
    limits : DeskLimits, optional
        Replaces the two.
    state : RiskState, optional
        Current drawdown; without it, 0.
    estimate : {"current", "var"}
        The estimated drawdown is the current one; or that plus the one-day VaR at 95 % of the trade by itself, as a
        fraction of the portfolio value.
    returns : (n_obs,), optional
        With ``estimate="var"``: simple daily returns of the ticker, for a historical VaR, which may be negative.
    volatility : float, optional
        Instead: its daily volatility, as a fraction, for a normal VaR.
    timestamp : int, datetime or ISO text, optional
        Copied to the answer.

    Returns
    -------
    PreTradeCheck

    Raises
    ------
    RequestError
        An invalid field: types, NaN, infinity, a value at or below zero, a fraction above 1, a percentage below 1, a
        stated value that is not quantity × price.

    Examples
    --------
    >>> trade = {"ticker": "AAPL", "side": "buy", "quantity": 100, "price": 150.0}
    >>> check = validate(trade, {"AAPL": 30_000.0}, 100_000.0)
    >>> check.approved, check.position_size, check.risk_score, check.to_service()["position_size_pct"]
    (False, 0.45, 0.0, 45.0)
    >>> check.reason
    'AAPL would be 45 % of the portfolio; at most 40 % is allowed'
    """
    if type(trade) is not TradeRequest:
        trade = TradeRequest.from_dict(trade)
    if type(current_positions) is not PositionValues:
        current_positions = position_values(current_positions, "current_positions")
    if type(portfolio_value) is not float or not 0.0 < portfolio_value < INFINITY:
        portfolio_value = checked(positive, portfolio_value, "portfolio_value")
    max_size: float | None
    max_drawdown: float | None
    if limits is not None:
        limits = limits_of(limits)
        max_size, max_drawdown = limits.max_position_size, limits.max_drawdown
    else:
        max_size = max_position_size
        if type(max_position_size) is not float or not 0.0 < max_position_size <= 1.0:
            max_size = checked(positive_fraction, max_position_size, "max_position_size")
        if type(max_drawdown_limit) is float and 1.0 <= max_drawdown_limit <= 100.0:
            max_drawdown = fraction_of_percent(max_drawdown_limit)
        else:
            max_drawdown = checked(percentage, max_drawdown_limit, "max_drawdown_limit")
    if timestamp is not None:
        checked(as_time, timestamp, "timestamp")
    drawdown = 0.0 if state is None else state.reading.current_drawdown
    if estimate != "current":
        drawdown += trade_var(trade, estimate, returns, volatility) / portfolio_value
    held = current_positions.values.get(trade.ticker, 0.0)
    after = held + trade.signed_value
    size = after if after >= 0.0 else -after
    reason = APPROVED
    if max_size is not None and not size < NEAR * max_size * portfolio_value:
        if _too_large(trade, held, portfolio_value, max_size) and not only_reduces(held, trade.signed_value):
            reason = size_sentence(trade.ticker, "would be", size / portfolio_value, max_size)
    score = None
    if max_drawdown is not None:
        if not drawdown <= max_drawdown and reason is APPROVED and not only_reduces(held, trade.signed_value):
            reason = f"estimated {drawdown_sentence(drawdown, max_drawdown)}"
        score = min(1.0, max(0.0, drawdown / max_drawdown))
    check = object.__new__(PreTradeCheck)  # checked values: as `_trusted`, without a call
    check.__dict__.update(
        approved=reason is APPROVED,
        reason=reason,
        ticker=trade.ticker,
        side=trade.side,
        quantity=trade.quantity,
        price=trade.price,
        position_size=size / portfolio_value,
        estimated_drawdown=drawdown,
        risk_score=score,
        timestamp=timestamp,
    )
    return check


def only_reduces(held: float, signed_value: float) -> bool:
    """Return True if a trade is opposite to the position and at most as large."""
    return held * signed_value < 0.0 and abs(signed_value) <= abs(held)


def trade_var(trade: TradeRequest, estimate: str, returns: Any, volatility: float | None) -> float:
    """One-day VaR at 95 % of a trade by itself, in money."""
    checked(lambda value, name: one_of(value, ESTIMATES, name), estimate, "estimate")
    if (returns is None) == (volatility is None):
        raise RequestError([Problem("returns", "estimate='var' needs one of returns and volatility of the ticker")])
    if volatility is not None:
        return abs(trade.signed_value) * float(np.asarray(normal_var(checked(non_negative, volatility, "volatility"))))
    array = checked(returns_array, returns, "returns")
    if array.ndim != 1:
        raise RequestError([Problem("returns", f"returns has shape {array.shape}; give those of the ticker, (n_obs,)")])
    return float(np.asarray(historical(trade.signed_value * array).var))


def _too_large(trade: TradeRequest, held: float, portfolio_value: float, limit: float) -> bool:
    """The exact answer in the decimals as written: 0.1 + 0.2 is 30 % of 1, not more."""
    value = exact(trade.quantity, "quantity") * exact(trade.price, "price")
    signed = value if trade.side == "buy" else -value
    return exceeds_size(signed + exact(held, "position"), portfolio_value, limit)
