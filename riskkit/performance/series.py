"""Input checks and parameter descriptions that the measures of a track record share."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from riskkit._check import (
    InputError,
    OnRefusal,
    finite_array,
    finite_number,
    float_array,
    labels_of,
    positive,
    refuse_columns,
    refuse_other_rows,
    returns_array,
    with_labels,
)
from riskkit._docs import shared_parameters
from riskkit._types import ReturnsLike

UNDEFINED = "the measure is undefined"
Input = Literal["returns", "summed_returns", "prices", "pnl"]
documented = shared_parameters(
    {
        "values": "(n_obs,) or (n_obs, n_series)\n    Simple returns per period, or prices or P&L (see `input`); oldest "
        "first.",
        "input": '{"returns", "summed_returns", "prices", "pnl"}\n    Meaning of `values`: returns compounded from a '
        "wealth of 1, returns added to a wealth of 1, wealth itself, or P&L\n    per period in money; then the drawdown "
        "is in money too.",
        "returns": "(n_obs,) or (n_obs, n_series)\n    Simple returns per period as fractions, oldest first.",
        "pnl": "(n_trades,) or (n_trades, n_series)\n    P&L of each trade in money, or return; gains positive, oldest "
        "first.",
        "periods_per_year": "float, optional\n    252 for daily, 52 for weekly, 12 for monthly returns; without it the "
        "result is per period.",
        "threshold": "float\n    Minimum acceptable return per period.",
        "risk_free": "float or (n_obs,)\n    Risk-free return per period, not per year: 0.03 / 252 for 3 % a year and daily returns.",
        "on_refusal": '{"nan", "raise"}\n    A column of a table for which the measure is undefined has NaN, with the '
        'reason in `attrs["refusals"]` of the Series; or is refused\n    with all others, as a single series is.',
        "ddof": "int\n    The divisor of the variance is n_obs - ddof: 1 for the sample, 0 for the population.",
        "divisor": '{"all", "below"}\n    Number of all periods, or only of those below the threshold. The latter '
        "decreases when small losses are added to large\n    ones.",
    }
)

USUAL = (252, 365, 52, 12, 4, 1)  # periods per year
NEAR = 0.06  # holidays, and the ends of months
FEWEST_DATES = 25
YEAR = 365.25 * 86_400  # seconds


def per_series(answer: Any, source: Any, why: Any = UNDEFINED, on_refusal: OnRefusal = "nan") -> Any:
    """Return a float for one series, else one number per column with the column labels of `source`.

    A column without an answer has NaN. Its reason, of `why` (one, or one per column), is in `attrs["refusals"]` of a
    Series. A single series, and a table without any answer, are refused with it.
    """
    answer = np.asarray(answer)
    reasons = np.broadcast_to(why, answer.shape)
    if np.isnan(answer).all():
        raise InputError(str(reasons.flat[0]))
    if answer.ndim == 0:
        return float(answer)
    names = labels_of(source, 1)
    refusals = {j if names is None else names[j]: str(reasons[j]) for j in map(int, np.flatnonzero(np.isnan(answer)))}
    refuse_columns(refusals, on_refusal)
    labelled = with_labels(answer, names)
    if refusals and names is not None:
        labelled.attrs["refusals"] = refusals
    return labelled


def above_total_loss(array: np.ndarray, name: str = "returns") -> np.ndarray:
    """Check simple returns to be compounded: none below -1."""
    if (array < -1.0).any():
        where = int(np.argwhere(array < -1.0)[0][0])
        raise InputError(
            f"{name} holds {array.min():g} (first at row {where}); a compounded return cannot lose more than -1, "
            "so give fractions rather than percent, or sum them"
        )
    return array


def without_spread(measure: str) -> str:
    """Reason of a measure that divides by the spread of constant returns."""
    return f"returns is constant; {measure} is undefined without a spread"


def without_risk_free(returns: ReturnsLike, risk_free: Any) -> np.ndarray:
    """Return the returns less the risk-free return, one number or one per period."""
    array = returns_array(returns)
    if np.ndim(risk_free) == 0:
        return array - finite_number(risk_free, "risk_free")
    rate = finite_array(risk_free, "risk_free", ndim=1)
    refuse_other_rows(risk_free, "risk_free", returns, "returns")
    return np.asarray(array - (rate if array.ndim == 1 else rate[:, None]))


def refuse_yearly_rate(rate: Any, name: str, returns: ReturnsLike, periods_per_year: float | None) -> None:
    """Refuse a rate per year where one per period is needed: beyond 100 % a year, and far beyond what the returns earn."""
    if periods_per_year is None:
        return
    periods = positive(periods_per_year, "periods_per_year")
    level = float(np.mean(float_array(rate, name)))
    earned = float(np.abs(returns_array(returns).mean(axis=0)).max())
    if abs(level) * periods > 1.0 and abs(level) > 2.0 * earned:
        raise InputError(
            f"{name} is per period, and {level:g} in each of {periods:g} periods makes {level * periods:.0%} a year; "
            f"for {level:.4g} a year give {name}={level:g} / {periods:g}"
        )


def periods_of(returns: ReturnsLike, given: float | None, otherwise: str = "") -> float:
    """Periods per year, given or told by the dates of returns: 252 of working days, 365 of all days, 52 of weeks, 12, 4 or 1.

    Raises
    ------
    InputError
        If they have no dates, fewer than 25, or dates of another spacing.

    Examples
    --------
    >>> import pandas as pd
    >>> periods_of(pd.Series(0.01, index=pd.bdate_range("2024-01-01", periods=60)), None)
    252.0
    """
    if given is not None:
        return positive(given, "periods_per_year")
    days = labels_of(returns, 0)
    lacks = f"periods_per_year is missing; give 252 for daily, 52 for weekly, 12 for monthly returns{otherwise}"
    if getattr(days, "dtype", np.dtype(object)).kind != "M" or len(days) < FEWEST_DATES:
        raise InputError(lacks)
    rate = (len(days) - 1) / ((days[-1] - days[0]).total_seconds() / YEAR)
    near = [known for known in USUAL if abs(rate / known - 1.0) < NEAR]
    if not near:
        raise InputError(f"{lacks}; the dates have {rate:.4g} a year")
    return float(near[0])


def gain_over_risk(gain: Any, risk: Any) -> Any:
    """Return gain/risk, infinite with the sign of the gain if risk is zero, and NaN if both are."""
    gain, risk = np.asarray(gain), np.asarray(risk)
    unbounded = np.where(gain == 0.0, np.nan, np.copysign(np.inf, gain))
    return np.divide(gain, risk, out=unbounded, where=risk != 0.0)
