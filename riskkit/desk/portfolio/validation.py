"""`validate`: may this trade be done, as things stand? One trade in a few microseconds, millions of them in a batch.

Percentages are in percent, as their names say (a position_size_pct of 12.5 is 12.5 % of the portfolio value); only
`max_position_size` is a fraction. A trade that only reduces a position always passes, as it does under riskkit's
rules of exposure and loss; one that flips it is a new position.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from riskkit._check import InputError, finite_number, one_of, positive, returns_array
from riskkit._show import Row
from riskkit.desk.fields import (
    Problem,
    Record,
    RequestError,
    as_side,
    as_text,
    as_time,
    as_truth,
    at_least_zero,
    checked,
    optionally,
)
from riskkit.desk.limits import Limits, limits_of
from riskkit.desk.portfolio.evaluation import fall_of, size_beyond
from riskkit.desk.portfolio.holdings import Positions, agree, positions_of
from riskkit.desk.portfolio.risk_state import RiskState
from riskkit.replay.universe import exact
from riskkit.var import historical_risk
from riskkit.var.parametric import normal_var

__all__ = ["APPROVED", "NEAR", "Trade", "Validation", "only_reduces", "size_sentence", "trade_var", "validate"]

APPROVED = "approved"
NEAR = 0.999999
"""From this part of a limit on, sizes are compared exactly; below it a float decides, faster and as surely."""
ESTIMATES = ("current", "var")
UP = float("inf")


@dataclass(frozen=True, repr=False, eq=False)
class Trade(Record):
    """A trade that is asked for.

    Parameters
    ----------
    ticker : str
    side : {"buy", "sell"}
        Or any spelling that an event log takes (B, BUY, +1, ...).
    quantity, price : float
        Above zero.
    value : float, optional
        In money; refused where it is not quantity × price (up to a billionth). Without it, it is that product.

    Raises
    ------
    RequestError
        With every field that does not fit.

    Examples
    --------
    >>> Trade("AAPL", "BUY", 10, 150.0).to_dict()
    {'ticker': 'AAPL', 'side': 'buy', 'quantity': 10.0, 'price': 150.0, 'value': 1500.0}
    """

    ticker: str
    side: str
    quantity: float
    price: float
    value: float | None = None

    signed_value: ClassVar[float]
    """quantity × price, negative for a sale."""
    _checks: ClassVar = {
        "ticker": as_text,
        "side": as_side,
        "quantity": positive,
        "price": positive,
        "value": optionally(finite_number),
    }

    def __post_init__(self) -> None:
        """Check the fields, and put down what `validate` reads."""
        super().__post_init__()
        worth = checked(finite_number, self.quantity * self.price, "value")
        value = worth if self.value is None else self.value
        self.__dict__.update(value=value, signed_value=worth if self.side == "buy" else -worth)

    def _disagreement(self) -> Problem | None:
        if self.value is not None:
            try:
                agree(self.value, self.quantity, self.price, f"trade in {self.ticker}")
            except InputError as error:
                return Problem("value", str(error))
        return None


@dataclass(frozen=True, repr=False, eq=False)
class Validation(Record):
    """The answer of `validate`; sizes and drawdowns in percent.

    Examples
    --------
    >>> answer = validate({"ticker": "AAPL", "side": "buy", "quantity": 100, "price": 150.0}, {}, 20_000.0)
    >>> answer.approved, answer.position_size_pct
    (False, 75.0)
    """

    approved: bool
    reason: str
    """"approved", or one sentence that names what is exceeded."""
    risk_score: float | None
    """min(1, estimated drawdown / limit), at least 0; None without a drawdown limit."""
    position_size_pct: float
    """Of the position after the trade, in percent of the portfolio value."""
    estimated_drawdown: float
    """In percent."""
    timestamp: Any = None

    _checks: ClassVar = {
        "approved": as_truth,
        "reason": as_text,
        "risk_score": optionally(at_least_zero),
        "position_size_pct": at_least_zero,
        "estimated_drawdown": finite_number,
        "timestamp": optionally(as_time),
    }

    def _title(self) -> str:
        return "Trade approved" if self.approved else "Trade refused"

    def _rows(self) -> list[Row]:
        return [
            ("reason", self.reason, ""),
            ("risk score", self.risk_score, "of the drawdown limit"),
            ("position size", self.position_size_pct, "% of the portfolio"),
            ("estimated drawdown", self.estimated_drawdown, "%"),
        ]

    def to_frame(self) -> Any:
        """One row with every field."""
        import pandas as pd

        return pd.DataFrame([self.__dict__])


def validate(
    trade: Any,
    current_positions: Any,
    portfolio_value: float,
    max_position_size: float = 0.40,
    max_drawdown_limit: float = 10.0,
    *,
    limits: Limits | None = None,
    state: RiskState | None = None,
    estimate: str = "current",
    returns: Any = None,
    volatility: float | None = None,
    timestamp: Any = None,
) -> Validation:
    """Whether a trade keeps its position and the drawdown within their limits.

    Parameters
    ----------
    trade : Trade or dict
        What is asked for; a dict is read by `Trade.from_dict`.
    current_positions : Positions, or what makes them
        Money held of each ticker. `Positions` are checked once when they are made, a mapping at every call.
    portfolio_value : float
        Money, above zero.
    max_position_size : float
        Size of the position after the trade, as a fraction of the portfolio value. What equals a limit passes, exactly.
    max_drawdown_limit : float
        In percent.
    limits : Limits, optional
        In the place of the two.
    state : RiskState, optional
        Says the current drawdown; without it, it is 0.
    estimate : {"current", "var"}
        The estimated drawdown is the current one; or that plus the one-day VaR at 95 % of the trade by itself, in
        percent of the portfolio value.
    returns : (n_obs,), optional
        With ``estimate="var"``: simple daily returns of the ticker, for a historical VaR. It is not floored at 0.
    volatility : float, optional
        Instead: its daily volatility, for a normal VaR.
    timestamp : int, datetime or ISO text, optional
        Handed on as it came.

    Returns
    -------
    Validation

    Raises
    ------
    RequestError
        A field that does not fit: types, NaN, infinity, a value at or below zero, a stated value that is not
        quantity × price.

    Examples
    --------
    >>> trade = {"ticker": "AAPL", "side": "buy", "quantity": 100, "price": 150.0}
    >>> answer = validate(trade, {"AAPL": 30_000.0}, 100_000.0)
    >>> answer.approved, answer.position_size_pct, answer.risk_score
    (False, 45.0, 0.0)
    >>> answer.reason
    'AAPL would be 45 % of the portfolio; at most 40 % is allowed'
    """
    if type(trade) is not Trade:
        trade = Trade.from_dict(trade)
    if type(current_positions) is not Positions:
        current_positions = positions_of(current_positions, "current_positions")
    if type(portfolio_value) is not float or not 0.0 < portfolio_value < UP:
        portfolio_value = checked(positive, portfolio_value, "portfolio_value")
    if limits is not None:
        limits = limits_of(limits)
        max_position_size, max_drawdown_limit = limits.max_position_size, limits.max_drawdown_limit  # type: ignore[assignment]
    else:
        if type(max_position_size) is not float or not 0.0 < max_position_size < UP:
            max_position_size = checked(positive, max_position_size, "max_position_size")
        if type(max_drawdown_limit) is not float or not 0.0 < max_drawdown_limit < UP:
            max_drawdown_limit = checked(positive, max_drawdown_limit, "max_drawdown_limit")
    if timestamp is not None:
        checked(as_time, timestamp, "timestamp")
    fall = 0.0 if state is None else state.reading.current_drawdown
    if estimate != "current":
        fall += 100.0 * trade_var(trade, estimate, returns, volatility) / portfolio_value
    held = current_positions.values.get(trade.ticker, 0.0)
    after = held + trade.signed_value
    size = after if after >= 0.0 else -after
    reason = APPROVED
    if max_position_size is not None and size >= NEAR * max_position_size * portfolio_value:
        if _beyond(trade, held, portfolio_value, max_position_size) and not only_reduces(held, trade.signed_value):
            reason = size_sentence(trade.ticker, size, portfolio_value, max_position_size)
    score = None
    if max_drawdown_limit is not None:
        if fall > max_drawdown_limit and reason is APPROVED and not only_reduces(held, trade.signed_value):
            reason = f"estimated {fall_of(fall, max_drawdown_limit)}"
        score = min(1.0, max(0.0, fall / max_drawdown_limit))
    answer = object.__new__(Validation)
    answer.__dict__.update(
        approved=reason is APPROVED,
        reason=reason,
        risk_score=score,
        position_size_pct=100.0 * size / portfolio_value,
        estimated_drawdown=fall,
        timestamp=timestamp,
    )
    return answer


def only_reduces(held: float, signed_value: float) -> bool:
    """Whether a trade is against a position and within it; exactly flat is."""
    return held * signed_value < 0.0 and abs(signed_value) <= abs(held)


def size_sentence(ticker: str, size: float, portfolio_value: float, limit: float) -> str:
    """The sentence about a position that would be too large."""
    return f"{ticker} would be {100.0 * size / portfolio_value:.6g} % of the portfolio; at most {100.0 * limit:g} % is allowed"


def trade_var(trade: Trade, estimate: str, returns: Any, volatility: float | None) -> float:
    """One-day VaR at 95 % of a trade by itself, in money."""
    checked(lambda value, name: one_of(value, ESTIMATES, name), estimate, "estimate")
    if (returns is None) == (volatility is None):
        raise RequestError([Problem("returns", "estimate='var' needs one of returns and volatility of the ticker")])
    if volatility is not None:
        return abs(trade.signed_value) * float(np.asarray(normal_var(checked(at_least_zero, volatility, "volatility"))))
    array = checked(returns_array, returns, "returns")
    if array.ndim != 1:
        raise RequestError([Problem("returns", f"returns has shape {array.shape}; give those of the ticker, (n_obs,)")])
    return float(np.asarray(historical_risk(trade.signed_value * array).var))


def _beyond(trade: Trade, held: float, portfolio_value: float, limit: float) -> bool:
    """The exact answer in the decimals that came: 0.1 + 0.2 is 30 % of 1, not more."""
    value = exact(trade.quantity, "quantity") * exact(trade.price, "price")
    signed = value if trade.side == "buy" else -value
    return size_beyond(signed + exact(held, "position"), portfolio_value, limit)
