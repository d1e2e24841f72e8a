"""`PreTradeCheck`: the answer to the question whether a trade may be done, of `validate`, `RiskManager` and `LiveDesk`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from riskkit._check import one_line
from riskkit._show import Row
from riskkit.desk.core.exact import Step
from riskkit.desk.core.records import (
    CheckedRecord,
    Flag,
    FreeFraction,
    Money,
    NonNegativeFraction,
    NonNegativeMoney,
    Price,
    Quantity,
    Side,
    Text,
    Time,
    in_percent,
    plain,
)

APPROVED = "within all limits"


def failure(error: Exception) -> str:
    """The reason of a check that could not be finished: what is not known to be within the limits is refused."""
    return f"the check failed: {one_line(f'{type(error).__name__}: {error}')}"


@dataclass(frozen=True, repr=False, eq=False)
class PreTradeCheck(CheckedRecord):
    """Answer to a trade: approved or rejected, and its effect on the portfolio; None where it was not computed.

    Attributes
    ----------
    approved
        True if no limit speaks against it.
    reason
        "within all limits", or one sentence that names the limit exceeded.
    ticker
        The instrument.
    side
        "buy" or "sell".
    quantity
        Units, above zero.
    price
        At which the trade is valued.
    position_size
        Absolute value of the position after the trade, as a fraction of the portfolio value (`validate`).
    estimated_drawdown
        As a fraction of the highest portfolio value (`validate`).
    risk_score
        min(1, estimated drawdown / limit), at least 0; None without a drawdown limit (`validate`).
    old_var
        One-day VaR before the trade (`RiskManager`).
    new_var
        One-day VaR after it.
    incremental_var
        The change of VaR, without the loss of digits of a difference.
    timestamp
        Time of the answer, as given.
    executed
        True if the trade was booked.

    Examples
    --------
    >>> from riskkit.desk import RiskManager
    >>> desk = RiskManager(10_000, bars_per_day=1)
    >>> desk.add_ticker("AAPL", price=100.0, volatility=0.02)
    >>> check = desk.check_trade_impact("AAPL", 200, "buy")
    >>> check.decision, check.reason
    ('REJECTED', 'costs 20,000.00 and 10,000.00 is in cash')
    """

    approved: Flag
    reason: Text
    ticker: Text
    side: Side
    quantity: Quantity
    price: Price | None = None
    position_size: NonNegativeFraction | None = None
    estimated_drawdown: FreeFraction | None = None
    risk_score: NonNegativeFraction | None = None
    old_var: NonNegativeMoney | None = None
    new_var: NonNegativeMoney | None = None
    incremental_var: Money | None = None
    timestamp: Time | None = None
    executed: Flag = False

    @property
    def decision(self) -> str:
        """APPROVED or REJECTED."""
        return "APPROVED" if self.approved else "REJECTED"

    def rejected(self, reason: str) -> PreTradeCheck:
        """The same check, rejected for another reason."""
        return replace(self, approved=False, reason=reason, executed=False)

    def to_service(self) -> dict[str, Any]:
        """The answer of a REST service to a validation: sizes and drawdowns in percent (10.0 is 10 %)."""
        return {
            "approved": self.approved,
            "reason": self.reason,
            "risk_score": self.risk_score,
            "position_size_pct": in_percent(self.position_size),
            "estimated_drawdown": in_percent(self.estimated_drawdown),
            "timestamp": plain(self.timestamp),
        }

    def _title(self) -> str:
        return f"{self.decision}: {self.side} {self.quantity:g} {self.ticker}{', executed' if self.executed else ''}"

    def _rows(self) -> list[Row]:
        rows: list[Row] = [("reason", self.reason, ""), ("price", self.price, "")]
        if self.position_size is not None:
            rows.append(("position size", 100.0 * self.position_size, "% of the portfolio"))
        if self.estimated_drawdown is not None:
            rows.append(("estimated drawdown", 100.0 * self.estimated_drawdown, "%"))
            rows.append(("risk score", self.risk_score, "of the drawdown limit"))
        if self.old_var is not None:
            rows.append(("VaR before", self.old_var, "money a day"))
            rows.append(("VaR after", self.new_var, "money a day"))
            rows.append(("incremental VaR", self.incremental_var, "money a day"))
        return rows


def failed_check(error: Exception, ticker: str, lots: int, lot: Step, timestamp: Any) -> PreTradeCheck:
    """The answer to a trade of signed lots whose check could not be finished."""
    side, quantity = "sell" if lots < 0 else "buy", lot.number(abs(lots))
    return PreTradeCheck._trusted(
        approved=False, reason=failure(error), ticker=ticker, side=side, quantity=quantity, timestamp=timestamp
    )
