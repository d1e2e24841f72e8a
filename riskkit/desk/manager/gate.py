"""May this trade be done? Solvency, inventory, then the limits; and VaR before and after, from what is kept."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from riskkit._check import positive
from riskkit.desk.limits import Limits
from riskkit.desk.manager.answers import TradeImpact
from riskkit.desk.manager.ledger import Ledger, Line
from riskkit.desk.manager.portfolio_risk import PortfolioRisk
from riskkit.replay.universe import exact
from riskkit.var.parametric import elliptical_factor

__all__ = ["Gate", "broken_state"]


@dataclass(frozen=True)
class Gate:
    """The limits of a book, and what they are held against.

    Parameters
    ----------
    limits : Limits
    z : float, optional
        Normal quantile to use as it is.
    bars_per_day : float
        VaR is z × volatility of a bar × sqrt(bars per day).
    short_selling : bool
        Whether more may be sold than is held.
    bars_needed : int
        Returns that a ticker needs before a VaR limit lets it be added to.
    """

    limits: Limits
    z: float | None
    bars_per_day: float
    short_selling: bool
    bars_needed: int

    def __post_init__(self) -> None:
        if self.z is not None:
            positive(self.z, "z")

    def with_limits(self, limits: Limits) -> Gate:
        """The same gate with other limits."""
        return dataclasses.replace(self, limits=limits)

    @cached_property
    def factor(self) -> float:
        """What the volatility of a bar is multiplied by."""
        return elliptical_factor(self.limits.confidence, z=self.z) * self.bars_per_day**0.5

    @cached_property
    def size(self) -> Fraction | None:
        """The largest position, exactly as it was written."""
        return None if self.limits.max_position_size is None else exact(self.limits.max_position_size, "size")

    @cached_property
    def depth(self) -> Fraction | None:
        """The deepest drawdown in percent, exactly as it was written."""
        return None if self.limits.max_drawdown_limit is None else exact(self.limits.max_drawdown_limit, "depth")

    def judge(
        self, ledger: Ledger, risk: PortfolioRisk, ticker: str, lots: int, sold: bool, timestamp: Any
    ) -> TradeImpact:
        """The answer to a trade at the last price; nothing changes."""
        line = ledger.lines.get(ticker)
        price = None if line is None else line.price
        old = new = step = None
        broken = broken_state(ledger, risk)
        if broken is not None:
            reason: str | None = f"the state is corrupt: {broken}"
        elif line is None:
            reason = f"{ticker!r} is an unknown ticker"
        elif price is None:
            reason = f"no price of {ticker!r} is known"
        else:
            place = risk.covariance.places[ticker]
            value = line.money(line.holding.lots + (-lots if sold else lots))
            after = risk.after(place, ledger.money(value - line.value))
            before_root, after_root = risk.variance**0.5, after**0.5
            old, new = self.factor * before_root, self.factor * after_root
            # the difference of two roots, without the loss of digits: also right for a tiny trade
            step = (
                self.factor * (after - risk.variance) / (before_root + after_root) if before_root + after_root else 0.0
            )
            reason = self._objection(ledger, line, ticker, lots, sold, value, old, new, risk.covariance.bars[place])
        return TradeImpact._trusted(
            decision="REJECTED" if reason else "APPROVED",
            reason=reason or "within all limits",
            ticker=ticker,
            side="sell" if sold else "buy",
            quantity=ledger.lot.number(lots),
            price=price,
            old_var=old,
            new_var=new,
            incremental_var=step,
            timestamp=timestamp,
            executed=False,
        )

    def _objection(
        self,
        ledger: Ledger,
        line: Line,
        ticker: str,
        lots: int,
        sold: bool,
        value: int,
        old_var: float,
        new_var: float,
        bars: int,
    ) -> str | None:
        """Why a trade may not be done, or None; what only reduces a position is held against no limit."""
        held, money = line.holding.lots, line.money(lots)
        if not sold and money > ledger.cash:
            return f"costs {ledger.money(money):,.2f} and {ledger.money(ledger.cash):,.2f} is in cash"
        if sold and lots > held and not self.short_selling:
            return f"sells {ledger.lot.number(lots):g} and {ledger.lot.number(held):g} is held"
        if held != 0 and (held > 0) == sold and lots <= abs(held):
            return None
        limits = self.limits
        if limits.var_limit is not None:
            if bars < self.bars_needed:
                return f"VaR of {ticker!r} rests on {bars} returns; {self.bars_needed} are needed"
            if new_var > limits.var_limit and new_var > old_var:  # what hedges passes above the limit too
                return f"VaR would be {new_var:,.2f}; at most {limits.var_limit:,.2f} is allowed"
        if self.size is not None and abs(value) > self.size * ledger.equity:
            return f"{ticker} would be more than {100 * float(self.size):g} % of the portfolio"
        if self.depth is not None and 100 * (ledger.peak - ledger.equity) > self.depth * ledger.peak:
            return f"drawdown is {ledger.drawdown:.6g} %; at most {float(self.depth):g} % is allowed"
        return None


def broken_state(ledger: Ledger, risk: PortfolioRisk) -> str | None:
    """What shows at a glance that a state is corrupt, or None."""
    if not ledger.balanced():
        return "cash and cost are not what was paid in and earned"
    return None if risk.sound() else "the variance of the book is no number"
