"""`LimitChecker`: checks a trade against cash, inventory and limits, with VaR before and after it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import positive
from riskkit.desk.core.limits import DeskLimits, state_of
from riskkit.desk.core.pre_trade_check import APPROVED, PreTradeCheck
from riskkit.desk.manager.ledger import Holding, Ledger
from riskkit.desk.manager.risk import IncrementalRisk
from riskkit.replay.schema.universe import exact
from riskkit.var.parametric import quantile_multiplier


class LimitUse(NamedTuple):
    """A limit of a book and what it limits at the last prices, both in money."""

    rule: str
    key: str
    observed: float
    limit: float
    headroom: float
    state: str


def limit_frame(uses: list[LimitUse]) -> Any:
    """A DataFrame with one row per limit."""
    import pandas as pd

    return pd.DataFrame(uses, columns=list(LimitUse._fields))


class CorruptStateError(RuntimeError):
    """An inconsistent state: money was created or lost, or a number is not finite.

    Examples
    --------
    >>> from riskkit.desk import RiskManager
    >>> desk = RiskManager(10_000)
    >>> desk._ledger.cash += 1
    >>> desk.verify()
    Traceback (most recent call last):
        ...
    riskkit.desk.manager.limit_check.CorruptStateError: cash and cost are not what was paid in and earned
    """


@dataclass(frozen=True)
class LimitChecker:
    """Limits of a book and the settings of their check.

    Parameters
    ----------
    limits : DeskLimits
    z : float, optional
        Normal quantile, instead of that of the confidence.
    bars_per_day : float
        One-day VaR is z × volatility per bar × sqrt(bars per day).
    short_selling : bool
        Allow sales of more than is held.
    bars_needed : int
        Returns that a ticker needs before a VaR limit allows it to grow.
    """

    limits: DeskLimits
    z: float | None
    bars_per_day: float
    short_selling: bool
    bars_needed: int

    def __post_init__(self) -> None:
        if self.z is not None:
            positive(self.z, "z")

    def with_limits(self, limits: DeskLimits) -> LimitChecker:
        """The same settings with other limits."""
        return dataclasses.replace(self, limits=limits)

    @cached_property
    def factor(self) -> float:
        """One-day VaR per unit of volatility of a bar."""
        return quantile_multiplier(self.limits.confidence, z=self.z) * self.bars_per_day**0.5

    @cached_property
    def max_size(self) -> Fraction | None:
        """The largest position as a fraction, in its decimals as written."""
        return None if self.limits.max_position_size is None else exact(self.limits.max_position_size, "size")

    @cached_property
    def max_drawdown(self) -> Fraction | None:
        """The largest drawdown as a fraction, in its decimals as written."""
        return None if self.limits.max_drawdown is None else exact(self.limits.max_drawdown, "drawdown")

    def check(self, ledger: Ledger, risk: IncrementalRisk, ticker: str, lots: int, timestamp: Any) -> PreTradeCheck:
        """Check a trade of signed lots at the last price; nothing changes."""
        holding = ledger.holdings.get(ticker)
        price = None if holding is None else holding.price
        old = new = change = None
        corrupt = corruption(ledger, risk)
        if corrupt is not None:
            reason: str | None = f"the state is corrupt: {corrupt}"
        elif holding is None:
            reason = f"{ticker!r} is an unknown ticker"
        elif price is None:
            reason = f"no price of {ticker!r} is known"
        else:
            row = risk.covariance.index[ticker]
            value = holding.money(holding.basis.lots + lots)
            after = risk.after(row, ledger.money(value - holding.value))
            roots = risk.variance**0.5, after**0.5
            old, new = self.factor * roots[0], self.factor * roots[1]
            # a - b = (a² - b²) / (a + b): no loss of digits for a small trade
            change = self.factor * (after - risk.variance) / sum(roots) if any(roots) else 0.0
            reason = self._insolvent(ledger, holding, lots)
            if reason is None and not _reduces(holding.basis.lots, lots):
                reason = self._var_exceeded(ticker, risk.covariance.bars[row], old, new)
                reason = reason or self._size_exceeded(ledger, ticker, value) or self._drawdown_exceeded(ledger)
        return PreTradeCheck._trusted(
            approved=reason is None,
            reason=reason or APPROVED,
            ticker=ticker,
            side="sell" if lots < 0 else "buy",
            quantity=ledger.lot.number(abs(lots)),
            price=None if price is None else price.price,
            old_var=old,
            new_var=new,
            incremental_var=change,
            timestamp=timestamp,
        )

    def usage(self, ledger: Ledger, risk: IncrementalRisk) -> list[LimitUse]:
        """Use of cash and of each limit that is set, compared as `check` compares them."""
        sizes = {ticker: abs(holding.value) for ticker, holding in ledger.holdings.items()}
        largest = max(sizes, key=sizes.__getitem__, default="")
        step, limits = ledger.quantum.step, self.limits
        found = [_use("cash", "", ledger.value, ledger.equity, step)]
        if limits.var_limit is not None:
            var = self.factor * risk.variance**0.5
            found.append(_use(f"VaR {100 * limits.confidence:g} %, a day", "", var, limits.var_limit, 1))
        if self.max_size is not None:
            rule = f"largest position, {100 * float(self.max_size):g} % of the value"
            found.append(_use(rule, largest, sizes.get(largest, 0), self.max_size * ledger.equity, step))
        if self.max_drawdown is not None:
            rule = f"drawdown, {100 * float(self.max_drawdown):g} % of the peak"
            found.append(_use(rule, "", ledger.peak - ledger.equity, self.max_drawdown * ledger.peak, step))
        return found

    def _insolvent(self, ledger: Ledger, holding: Holding, lots: int) -> str | None:
        held, money = holding.basis.lots, holding.money(abs(lots))
        if lots > 0 and money > ledger.cash:
            return f"costs {ledger.money(money):,.2f} and {ledger.money(ledger.cash):,.2f} is in cash"
        if lots < 0 and -lots > held and not self.short_selling:
            return f"sells {ledger.lot.number(-lots):g} and {ledger.lot.number(held):g} is held"
        return None

    def _var_exceeded(self, ticker: str, bars: int, old_var: float, new_var: float) -> str | None:
        limit = self.limits.var_limit
        if limit is None:
            return None
        if bars < self.bars_needed:
            return f"VaR of {ticker!r} rests on {bars} returns; {self.bars_needed} are needed"
        if not (new_var <= limit or new_var <= old_var):  # a hedge passes above the limit too
            return f"VaR would be {new_var:,.2f}; at most {limit:,.2f} is allowed"
        return None

    def _size_exceeded(self, ledger: Ledger, ticker: str, value: int) -> str | None:
        if self.max_size is not None and abs(value) > self.max_size * ledger.equity:
            return f"{ticker} would be more than {100 * float(self.max_size):g} % of the portfolio"
        return None

    def _drawdown_exceeded(self, ledger: Ledger) -> str | None:
        if self.max_drawdown is not None and ledger.peak - ledger.equity > self.max_drawdown * ledger.peak:
            return f"drawdown is {100 * ledger.drawdown:.6g} %; at most {100 * float(self.max_drawdown):g} % is allowed"
        return None


def _use(rule: str, key: str, observed: Any, limit: Any, step: Any) -> LimitUse:
    """A use in money, of numbers in steps; the state is that of the exact numbers."""
    headroom = limit - observed
    used, most, left = (float(number * step) for number in (observed, limit, headroom))
    return LimitUse(rule, key, used, most, left, state_of(headroom, limit))


def corruption(ledger: Ledger, risk: IncrementalRisk) -> str | None:
    """Describe a corrupt state, as far as a quick check shows, or None."""
    if not ledger.balanced():
        return "cash and cost are not what was paid in and earned"
    return None if risk.is_valid() else "the variance of the book is not a number"


def verify(ledger: Ledger, risk: IncrementalRisk) -> None:
    """Recompute every cached number; an inconsistent state raises `CorruptStateError`."""
    corrupt = corruption(ledger, risk)
    if corrupt is not None:
        raise CorruptStateError(corrupt)
    if ledger.value != sum(holding.money(holding.basis.lots) for holding in ledger.holdings.values()):
        raise CorruptStateError("the value of the book is not the sum of its holdings")
    variance, gradient = risk.variance, risk.gradient
    risk = risk.draft()
    risk.refresh()
    near = np.allclose(gradient, risk.gradient, rtol=1e-6, atol=1e-9 * np.abs(risk.gradient).max(initial=0.0))
    unhedged = float(risk.positions**2 @ np.diag(risk.covariance.matrix))
    if not near or not np.isclose(variance, risk.variance, rtol=1e-6, atol=1e-9 * unhedged):
        raise CorruptStateError("the cached variance is not that of the positions")


def _reduces(held: int, lots: int) -> bool:
    """Return True if a trade of signed lots is opposite to the position and at most as large."""
    return held * lots < 0 and abs(lots) <= abs(held)
