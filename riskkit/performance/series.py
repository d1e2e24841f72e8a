"""Input checks and parameter descriptions that the measures of a track record share."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from riskkit._check import InputError, constant, finite_array, finite_number, labels_of, returns_array, with_labels
from riskkit._docs import shared_parameters
from riskkit._types import ReturnsLike

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
        "risk_free": "float or (n_obs,)\n    Risk-free return per period.",
        "ddof": "int\n    The divisor of the variance is n_obs - ddof: 1 for the sample, 0 for the population.",
        "divisor": '{"all", "below"}\n    Number of all periods, or only of those below the threshold. The latter '
        "decreases when small losses are added to large\n    ones.",
    }
)


def per_series(answer: Any, source: Any) -> Any:
    """Return a float for one series, else one number per column with the column labels of `source`."""
    return float(answer) if np.ndim(answer) == 0 else with_labels(np.asarray(answer), labels_of(source, 1))


def above_total_loss(array: np.ndarray, name: str = "returns") -> np.ndarray:
    """Check simple returns to be compounded: none below -1."""
    if (array < -1.0).any():
        where = int(np.argwhere(array < -1.0)[0][0])
        raise InputError(
            f"{name} holds {array.min():g} (first at row {where}); a compounded return cannot lose more than -1, "
            "so give fractions rather than percent, or sum them"
        )
    return array


def refuse_constant(array: np.ndarray, source: Any, measure: str) -> None:
    """Refuse a constant series for a measure that divides by its spread."""
    flat = np.atleast_1d(constant(array, np.abs(returns_array(source)).max(axis=0)))
    if flat.any():
        names = labels_of(source, 1) if array.ndim == 2 else None
        first = int(np.argmax(flat))
        which = "" if array.ndim == 1 else f" in column {first if names is None else repr(names[first])}"
        raise InputError(f"returns is constant{which}; {measure} is undefined without a spread")


def without_risk_free(returns: ReturnsLike, risk_free: Any) -> np.ndarray:
    """Return the returns less the risk-free return, one number or one per period."""
    array = returns_array(returns)
    if np.ndim(risk_free) == 0:
        return array - finite_number(risk_free, "risk_free")
    rate = finite_array(risk_free, "risk_free", ndim=1)
    rows, dates = labels_of(returns, 0), labels_of(risk_free, 0)
    if len(rate) != len(array) or not (rows is None or dates is None or rows.equals(dates)):
        raise InputError(f"risk_free has {len(rate)} periods for {len(array)} returns; give one rate for each period")
    return np.asarray(array - (rate if array.ndim == 1 else rate[:, None]))


def gain_over_risk(gain: Any, risk: Any, refusal: str) -> Any:
    """Return gain/risk, infinite with the sign of the gain if risk is zero; refuse two zeros."""
    gain, risk = np.asarray(gain), np.asarray(risk)
    if np.any((risk == 0.0) & (gain == 0.0)):
        raise InputError(refusal)
    unbounded = np.asarray(np.copysign(np.inf, gain))
    return np.divide(gain, risk, out=unbounded, where=risk != 0.0)
