"""`evaluate`: the risk of a portfolio now, and whether it is within the limits of its desk.

Numbers are in percent, as their names say on a desk: a drawdown of 2.5 is 2.5 % of the highest portfolio value, a
var_95 of 1.2 is 1.2 % of the portfolio value in a day. Only `max_position_size` is a fraction (0.40) and `risk_score`
runs from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from riskkit._check import InputError, finite_number, labels_of, positive, returns_array
from riskkit._show import Row
from riskkit.desk.fields import Record, as_text, as_time, as_truth, at_least_zero, checked, optionally
from riskkit.desk.limits import Limits, limits_of
from riskkit.desk.portfolio.holdings import Positions, positions_of
from riskkit.desk.portfolio.risk_state import RiskState, drawdown_percent
from riskkit.performance import max_drawdown, risk_score
from riskkit.pnl import linear_pnl
from riskkit.replay.universe import exact
from riskkit.returns import simple_returns
from riskkit.var import historical_risk

__all__ = ["Evaluation", "evaluate", "fall_of", "shortfall", "size_beyond"]

CONFIDENCES = [0.95, 0.99]


def _reasons(value: Any, name: str) -> tuple[str, ...]:
    if isinstance(value, (str, bytes, Mapping)) or not hasattr(value, "__iter__"):
        raise InputError(f"{name}={value!r} is no list of sentences")
    return tuple(as_text(sentence, name) for sentence in value)


@dataclass(frozen=True, repr=False, eq=False)
class Evaluation(Record):
    """The answer of `evaluate`; drawdowns and VaR in percent, losses positive, None where nothing is known.

    Examples
    --------
    >>> answer = evaluate({"AAPL": 30_000.0, "TLT": 60_000.0}, 97_500.0, history=[98_000.0, 100_000.0, 99_000.0])
    >>> Evaluation.from_dict(answer.to_dict()).drawdown
    2.5
    """

    drawdown: float
    max_drawdown: float
    var_95: float | None
    var_99: float | None
    cvar_95: float | None
    risk_score: float | None
    """min(1, drawdown / limit); None without a drawdown limit."""
    approved: bool
    reasons: tuple[str, ...] = ()
    """One sentence for each limit that is exceeded."""
    timestamp: Any = None

    _checks: ClassVar = {
        "drawdown": at_least_zero,
        "max_drawdown": at_least_zero,
        "var_95": optionally(finite_number),
        "var_99": optionally(finite_number),
        "cvar_95": optionally(finite_number),
        "risk_score": optionally(at_least_zero),
        "approved": as_truth,
        "reasons": _reasons,
        "timestamp": optionally(as_time),
    }

    def to_frame(self) -> Any:
        """One row with every field."""
        import pandas as pd

        return pd.DataFrame([{name: getattr(self, name) for name in self._checks}])

    def plot(self, ax: Any = None) -> Any:
        """Bars of what is known, in percent; returns the axes."""
        from riskkit.plot import axes

        ax = axes(ax, height=2.4)
        known = [(name, getattr(self, name)) for name in ("drawdown", "max_drawdown", "var_95", "var_99", "cvar_95")]
        known = [(name.replace("_", " "), value) for name, value in known if value is not None]
        ax.barh([name for name, _ in known], [value for _, value in known])
        ax.invert_yaxis()
        ax.set_xlabel("% of the portfolio")
        ax.set_title(self._title())
        return ax

    def _title(self) -> str:
        return "Portfolio within its limits" if self.approved else "Portfolio beyond its limits"

    def _rows(self) -> list[Row]:
        return [
            ("drawdown", self.drawdown, "% of the peak"),
            ("maximum drawdown", self.max_drawdown, "% of the peak"),
            ("VaR 95%", self.var_95, "% of the portfolio"),
            ("VaR 99%", self.var_99, "% of the portfolio"),
            ("ES 95%", self.cvar_95, "% of the portfolio"),
            ("risk score", self.risk_score, "of the drawdown limit"),
            *((f"reason {place}", "", reason) for place, reason in enumerate(self.reasons, 1)),
        ]


def evaluate(
    positions: Any,
    portfolio_value: float,
    history: Any = None,
    timestamp: Any = None,
    *,
    returns: Any = None,
    max_position_size: float = 0.40,
    max_drawdown_limit: float = 10.0,
    limits: Limits | None = None,
    state: RiskState | None = None,
) -> Evaluation:
    """Drawdown, VaR and ES of a portfolio, and whether it is within its limits.

    Parameters
    ----------
    positions : mapping, Series, DataFrame or list
        Money of each ticker (negative when short), or its quantity and price: whatever `Positions` takes.
    portfolio_value : float
        Money, above zero: positions and cash.
    history : (n_obs,), optional
        Portfolio values before this one, a day apart, oldest first, without deposits in between. Drawdown and
        maximum drawdown are those of this curve (and of what `state` remembers); VaR and ES are historical, of its
        simple returns to this day. Without it VaR and ES are None.
    timestamp : int, datetime or ISO text, optional
        Handed on as it came.
    returns : DataFrame (n_obs, n_tickers), optional
        Simple returns per day of the tickers: VaR and ES are then those of the positions as they are held now.
    max_position_size : float
        Largest position as a fraction of the portfolio value. What equals a limit passes.
    max_drawdown_limit : float
        In percent.
    limits : Limits, optional
        In the place of the two, as `limits_from_rules` reads them; its VaR limit, in money, holds `var_95` (or the
        VaR at its confidence) where there is one.
    state : RiskState, optional
        What is remembered of this portfolio; it is updated.

    Returns
    -------
    Evaluation

    Raises
    ------
    RequestError
        A field that does not fit: NaN, infinity, texts, a value at or below zero, a stated value that is not
        quantity × price, a time that is none, a position that `returns` do not have.

    References
    ----------
    Of drawdown and VaR: `riskkit.performance.max_drawdown`, `riskkit.historical_risk`.

    Examples
    --------
    >>> answer = evaluate({"AAPL": 30_000.0, "TLT": 60_000.0}, 97_500.0, history=[98_000.0, 100_000.0, 99_000.0])
    >>> answer.drawdown, answer.approved, answer.reasons
    (2.5, False, ('TLT is 61.5385 % of the portfolio; at most 40 % is allowed',))
    >>> answer.risk_score
    0.25
    """
    held = positions_of(positions)
    value = checked(positive, portfolio_value, "portfolio_value")
    when = None if timestamp is None else checked(as_time, timestamp, "timestamp")
    limits = Limits(max_position_size, max_drawdown_limit) if limits is None else limits_of(limits)
    past = None if history is None else checked(_curve, history, "history")
    peak, deepest = (0.0, 0.0) if past is None else (float(past.max()), 100.0 * max_drawdown(past, of="prices"))
    changes = _daily_changes(held, value, past, returns)
    var_95, var_99, cvar_95 = (None, None, None) if changes is None else shortfall(changes)
    fall = drawdown_percent(value, max(value, peak))
    if state is not None:
        fall = state.fall_to(
            value, peak=peak, deepest=deepest, var_95=var_95, var_99=var_99, cvar_95=cvar_95, timestamp=when
        )
        deepest = max(deepest, state.max_drawdown)
    reasons = [*_too_large(held, value, limits), *_too_deep(fall, limits), *_too_risky(changes, value, limits)]
    return Evaluation._trusted(
        drawdown=fall,
        max_drawdown=max(fall, deepest),
        var_95=var_95,
        var_99=var_99,
        cvar_95=cvar_95,
        risk_score=None if limits.max_drawdown_limit is None else risk_score(fall, limits.max_drawdown_limit),
        approved=not reasons,
        reasons=tuple(reasons),
        timestamp=when,
    )


def shortfall(changes: Any) -> tuple[float, float, float]:
    """(VaR 95%, VaR 99%, ES 95%) in percent of historical changes, fractions of the portfolio value."""
    risk = historical_risk(changes, CONFIDENCES)
    var, es = np.asarray(risk.var), np.asarray(risk.es)
    return 100.0 * float(var[0]), 100.0 * float(var[1]), 100.0 * float(es[0])


def size_beyond(size: Any, value: Any, limit: float) -> bool:
    """Whether |size| is more than the fraction `limit` of `value`, in the decimals that people wrote, not in floats."""
    return abs(size if hasattr(size, "denominator") else exact(size, "size")) > exact(limit, "limit") * exact(
        value, "value"
    )


def fall_of(fall: float, limit: float | None) -> str | None:
    """The sentence about a drawdown that is beyond its limit, or None."""
    if limit is None or fall <= limit:
        return None
    return f"drawdown is {fall:.6g} %; at most {limit:g} % is allowed"


def _too_large(held: Positions, value: float, limits: Limits) -> list[str]:
    if limits.max_position_size is None:
        return []
    most, found = limits.max_position_size, []
    for ticker, money in held.values.items():
        if abs(money) >= 0.999999 * most * value and size_beyond(money, value, most):  # only what is near is exact
            found.append(
                f"{ticker} is {100.0 * abs(money) / value:.6g} % of the portfolio; at most {100.0 * most:g} % is allowed"
            )
    return found


def _too_deep(fall: float, limits: Limits) -> list[str]:
    sentence = fall_of(fall, limits.max_drawdown_limit)
    return [] if sentence is None else [sentence]


def _too_risky(changes: Any, value: float, limits: Limits) -> list[str]:
    if limits.var_limit is None:
        return []
    if changes is None:
        return ["the VaR limit cannot be checked without history or returns"]
    var = value * float(np.asarray(historical_risk(changes, limits.confidence).var))
    if var <= limits.var_limit:
        return []
    return [f"VaR {limits.confidence * 100:g}% is {var:,.2f} in money; at most {limits.var_limit:,.2f} is allowed"]


def _daily_changes(held: Positions, value: float, past: Any, returns: Any) -> Any:
    """Returns of the portfolio, (n_obs,): of the positions as held, else of the curve of values; None without either."""
    if returns is not None:
        return checked(lambda table, name: _of_positions(held, table, name) / value, returns, "returns")
    return None if past is None else simple_returns(np.append(past, value))


def _of_positions(held: Positions, table: Any, name: str) -> np.ndarray:
    import pandas as pd

    if labels_of(table, 1) is None:
        raise InputError(f"{name} has no tickers; give a DataFrame with one column of returns for each")
    return np.asarray(linear_pnl(pd.Series(held.values, dtype=float), table))


def _curve(values: Any, name: str) -> np.ndarray:
    curve = returns_array(values, name)
    if curve.ndim != 1:
        raise InputError(f"{name} has shape {curve.shape}; give one curve of portfolio values, (n_obs,)")
    if (curve <= 0.0).any():
        raise InputError(f"{name} holds {curve.min():g}; a portfolio value is above zero")
    return curve
