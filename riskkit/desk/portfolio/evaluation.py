"""`evaluate`: the risk of a portfolio now, and whether it is within its limits.

Drawdowns, VaR and sizes are fractions: a drawdown of 0.025 is 2.5 % of the highest portfolio value, a var_95 of 0.012 is
1.2 % of the portfolio value in a day. `Evaluation.to_service` gives them in percent, as the imitated REST service does,
whose argument `max_drawdown_limit` is in percent as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from riskkit._check import InputError, labels_of, observations, positive, shown
from riskkit._show import Row
from riskkit.desk.core.limits import DeskLimits, chosen_limits
from riskkit.desk.core.records import (
    CheckedRecord,
    Field,
    Flag,
    FreeFraction,
    NonNegativeFraction,
    Time,
    UnitFraction,
    as_text,
    as_time,
    checked,
)
from riskkit.desk.portfolio.position_values import PositionValues, position_values
from riskkit.desk.portfolio.risk_state import RiskState, drawdown_of, percent
from riskkit.performance import max_drawdown, risk_score
from riskkit.pnl import linear
from riskkit.replay.schema.universe import exact
from riskkit.returns import simple_returns
from riskkit.var import historical

CONFIDENCES = [0.95, 0.99]
NEAR = 0.999999
"""From this fraction of a limit on, sizes are compared exactly; below it a float decides, faster and with certainty."""


def _reasons(value: Any, name: str) -> tuple[str, ...]:
    if isinstance(value, (str, bytes, Mapping)) or not hasattr(value, "__iter__"):
        raise InputError(f"{name}={shown(value)} is not a list of sentences")
    return tuple(as_text(sentence, name) for sentence in value)


@dataclass(frozen=True, repr=False, eq=False)
class Evaluation(CheckedRecord):
    """Answer of `evaluate`; fractions, losses positive, None where nothing is known.

    Attributes
    ----------
    drawdown
        Fall from the highest portfolio value, as a fraction of it.
    max_drawdown
        Largest fall so far.
    var_95
        One-day VaR at 95 %, as a fraction of the portfolio value.
    var_99
        One-day VaR at 99 %, as a fraction of the portfolio value.
    cvar_95
        One-day expected shortfall at 95 %, as a fraction of the portfolio value.
    risk_score
        min(1, drawdown / limit); None without a drawdown limit.
    approved
        True if no limit is exceeded.
    reasons
        One sentence for each limit exceeded.
    timestamp
        Time of the answer, as given.

    Examples
    --------
    >>> answer = evaluate({"AAPL": 30_000.0, "TLT": 60_000.0}, 97_500.0, history=[98_000.0, 100_000.0, 99_000.0])
    >>> Evaluation.from_dict(answer.to_dict()).drawdown, answer.to_service()["drawdown"]
    (0.025, 2.5)
    """

    drawdown: UnitFraction
    max_drawdown: UnitFraction
    var_95: FreeFraction | None
    var_99: FreeFraction | None
    cvar_95: FreeFraction | None
    risk_score: NonNegativeFraction | None
    approved: Flag
    reasons: Annotated[tuple[str, ...], Field(_reasons)] = ()
    timestamp: Time | None = None

    def to_service(self) -> dict[str, Any]:
        """The answer of a REST service: drawdowns and VaR in percent (2.5 is 2.5 %)."""
        return percent(self)

    def plot(self, ax: Any = None) -> Any:
        """Plot the known numbers as bars, in percent; return the axes."""
        from riskkit.plot import axes

        ax = axes(ax, height=2.4)
        shown = percent(self)
        known = {name: shown[name] for name in ("drawdown", "max_drawdown", "var_95", "var_99", "cvar_95")}
        known = {name.replace("_", " "): value for name, value in known.items() if value is not None}
        ax.barh(list(known), list(known.values()))
        ax.invert_yaxis()
        ax.set_xlabel("% of the portfolio")
        ax.set_title(self._title())
        return ax

    def _title(self) -> str:
        return "Portfolio within its limits" if self.approved else "Portfolio beyond its limits"

    def _rows(self) -> list[Row]:
        shown = percent(self)
        return [
            ("drawdown", shown["drawdown"], "% of the peak"),
            ("maximum drawdown", shown["max_drawdown"], "% of the peak"),
            ("VaR 95%", shown["var_95"], "% of the portfolio"),
            ("VaR 99%", shown["var_99"], "% of the portfolio"),
            ("ES 95%", shown["cvar_95"], "% of the portfolio"),
            ("risk score", self.risk_score, "of the drawdown limit"),
            *((f"reason {number}", "", reason) for number, reason in enumerate(self.reasons, 1)),
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
    limits: DeskLimits | None = None,
    state: RiskState | None = None,
) -> Evaluation:
    """Compute drawdown, VaR and ES of a portfolio, and check its limits.

    Parameters
    ----------
    positions : mapping, Series, DataFrame or list
        Value of each position in money (negative when short), or its quantity and price: any input of
        `PositionValues`.
    portfolio_value : float
        Money, above zero: positions and cash.
    history : (n_obs,), optional
        Earlier portfolio values in money, a day apart, oldest first, without deposits in between. Drawdown and
        maximum drawdown are those of this curve (and of `state`); VaR and ES are historical, of its simple returns up
        to this day. Without it VaR and ES are None.
    timestamp : int, datetime or ISO text, optional
        Copied to the answer.
    returns : DataFrame (n_obs, n_tickers), optional
        Simple daily returns of the tickers: VaR and ES are then those of the present positions.
    max_position_size : float
        Largest position as a fraction of the portfolio value. A size equal to the limit passes.
    max_drawdown_limit : float
        In percent, from 1 to 100, as the imitated REST service names it; `DeskLimits.max_drawdown` is a fraction.
    limits : DeskLimits, optional
        Replaces the two, as `limits_from_rules` reads them; its VaR limit, in money, is checked at its confidence.
    state : RiskState, optional
        Earlier drawdowns of this portfolio; updated.

    Returns
    -------
    Evaluation

    Raises
    ------
    RequestError
        An invalid field: NaN, infinity, texts, a value at or below zero, a fraction above 1, a percentage below 1, a
        stated value that is not quantity × price, an invalid time, a position without a column in `returns`.

    References
    ----------
    Of drawdown and VaR: `riskkit.performance.max_drawdown`, `riskkit.var.historical`.

    Examples
    --------
    >>> answer = evaluate({"AAPL": 30_000.0, "TLT": 60_000.0}, 97_500.0, history=[98_000.0, 100_000.0, 99_000.0])
    >>> answer.drawdown, answer.approved, answer.reasons
    (0.025, False, ('TLT is 61.5385 % of the portfolio; at most 40 % is allowed',))
    >>> answer.risk_score
    0.25
    """
    values = position_values(positions)
    value = checked(positive, portfolio_value, "portfolio_value")
    when = None if timestamp is None else checked(as_time, timestamp, "timestamp")
    limits = chosen_limits(limits, max_position_size, max_drawdown_limit)
    past = None if history is None else checked(_curve, history, "history")
    peak, largest = (0.0, 0.0) if past is None else (float(past.max()), max_drawdown(past, input="prices"))
    changes = _daily_changes(values, value, past, returns)
    var_95, var_99, cvar_95 = (None, None, None) if changes is None else _historical(changes)
    drawdown = drawdown_of(value, max(value, peak))
    if state is not None:
        drawdown = state.update(
            value, peak=peak, max_drawdown=largest, var_95=var_95, var_99=var_99, cvar_95=cvar_95, timestamp=when
        )
        largest = max(largest, state.reading.max_drawdown)
    reasons = [*_too_large(values, value, limits), *_too_deep(drawdown, limits), *_too_risky(changes, value, limits)]
    return Evaluation._trusted(
        drawdown=drawdown,
        max_drawdown=max(drawdown, largest),
        var_95=var_95,
        var_99=var_99,
        cvar_95=cvar_95,
        risk_score=None if limits.max_drawdown is None else risk_score(drawdown, limits.max_drawdown),
        approved=not reasons,
        reasons=tuple(reasons),
        timestamp=when,
    )


def exceeds_size(size: Any, value: Any, limit: float) -> bool:
    """Return True if |size| > limit × value, computed in the decimals as written and not in floats."""
    magnitude = abs(size if hasattr(size, "denominator") else exact(size, "size"))
    return bool(magnitude > exact(limit, "limit") * exact(value, "value"))


def size_sentence(ticker: str, verb: str, size: float, limit: float) -> str:
    """The sentence about a position that is too large; sizes as fractions of the portfolio value."""
    return f"{ticker} {verb} {100.0 * size:.6g} % of the portfolio; at most {100.0 * limit:.6g} % is allowed"


def drawdown_sentence(drawdown: float, limit: float | None) -> str | None:
    """The sentence about a drawdown beyond its limit, or None."""
    if limit is None or drawdown <= limit:
        return None
    return f"drawdown is {100.0 * drawdown:.6g} %; at most {100.0 * limit:.6g} % is allowed"


def _historical(changes: Any) -> tuple[float, float, float]:
    """(VaR 95%, VaR 99%, ES 95%) of historical changes, as fractions of the portfolio value."""
    risk = historical(changes, CONFIDENCES)
    var, es = np.asarray(risk.var), np.asarray(risk.es)
    return float(var[0]), float(var[1]), float(es[0])


def _too_large(values: PositionValues, value: float, limits: DeskLimits) -> list[str]:
    limit = limits.max_position_size
    if limit is None:
        return []
    return [
        size_sentence(ticker, "is", abs(money) / value, limit)
        for ticker, money in values.values.items()
        if abs(money) >= NEAR * limit * value and exceeds_size(money, value, limit)
    ]


def _too_deep(drawdown: float, limits: DeskLimits) -> list[str]:
    sentence = drawdown_sentence(drawdown, limits.max_drawdown)
    return [] if sentence is None else [sentence]


def _too_risky(changes: Any, value: float, limits: DeskLimits) -> list[str]:
    if limits.var_limit is None:
        return []
    if changes is None:
        return ["the VaR limit cannot be checked without history or returns"]
    var = value * float(np.asarray(historical(changes, limits.confidence).var))
    if var <= limits.var_limit:
        return []
    return [f"VaR {limits.confidence * 100:g}% is {var:,.2f} in money; at most {limits.var_limit:,.2f} is allowed"]


def _daily_changes(values: PositionValues, value: float, past: Any, returns: Any) -> Any:
    """Portfolio returns (n_obs,) of the present positions, else of the curve of values; None without either."""
    if returns is not None:
        return checked(lambda table, name: _of_positions(values, table, name) / value, returns, "returns")
    return None if past is None else simple_returns(np.append(past, value))


def _of_positions(values: PositionValues, table: Any, name: str) -> Any:
    import pandas as pd

    if labels_of(table, 1) is None:
        raise InputError(f"{name} has no tickers; give a DataFrame with one column of returns for each")
    return np.asarray(linear(pd.Series(values.values, dtype=float), table))


def _curve(values: Any, name: str) -> Any:
    curve = observations(values, name, ordered=True)
    if curve.ndim != 1:
        raise InputError(f"{name} has shape {curve.shape}; give one curve of portfolio values, (n_obs,)")
    if (curve <= 0.0).any():
        raise InputError(f"{name} contains {curve.min():g}; a portfolio value is above zero")
    return curve
