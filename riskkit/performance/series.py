"""What the measures of a track record share: one answer per series, and the refusals."""

from __future__ import annotations

from typing import Any

import numpy as np

from riskkit._check import InputError, finite_array, finite_number, labels_of, returns_array, with_labels

__all__ = ["above_total_loss", "gain_over_risk", "per_series", "refuse_constant", "single_series", "without_risk_free"]


def per_series(answer: Any, source: Any) -> Any:
    """A float for one series, else one number per column, labelled as the columns of `source`."""
    return float(answer) if np.ndim(answer) == 0 else with_labels(np.asarray(answer), labels_of(source, 1))


def single_series(values: Any, name: str) -> np.ndarray:
    """Finite values of one series, (n_obs,) or (n_obs, 1)."""
    array = returns_array(values, name)
    if array.ndim == 2:
        if array.shape[1] != 1:
            raise InputError(f"{name} has shape {array.shape}; give one series at a time, (n_obs,)")
        array = array[:, 0]
    return array


def above_total_loss(array: np.ndarray, name: str = "returns") -> np.ndarray:
    """Simple returns that can be compounded: none below -1."""
    if (array < -1.0).any():
        where = int(np.argwhere(array < -1.0)[0][0])
        raise InputError(
            f"{name} holds {array.min():g} (first at row {where}); a compounded return cannot lose more than -1, "
            "so give fractions rather than percent, or sum them"
        )
    return array


def refuse_constant(array: np.ndarray, source: Any, measure: str) -> None:
    """Say which series never moves, where a measure divides by its spread."""
    flat = np.atleast_1d(np.ptp(array, axis=0) == 0.0)
    if flat.any():
        names = labels_of(source, 1) if array.ndim == 2 else None
        first = int(np.argmax(flat))
        which = "" if array.ndim == 1 else f" in column {first if names is None else repr(names[first])}"
        raise InputError(f"returns is constant{which}; {measure} is undefined without a spread")


def without_risk_free(returns: Any, risk_free: Any) -> np.ndarray:
    """Returns less the risk-free return of the period: a number, or one per period."""
    array = returns_array(returns)
    if np.ndim(risk_free) == 0:
        return array - finite_number(risk_free, "risk_free")
    rate = finite_array(risk_free, "risk_free", ndim=1)
    rows, own = labels_of(returns, 0), labels_of(risk_free, 0)
    if len(rate) != len(array) or not (rows is None or own is None or rows.equals(own)):
        raise InputError(f"risk_free has {len(rate)} periods for {len(array)} returns; give one rate for each period")
    return array - (rate if array.ndim == 1 else rate[:, None])


def gain_over_risk(gain: Any, risk: Any, refusal: str) -> Any:
    """Gain over risk: infinite with the sign of the gain where there is no risk, refused where there is neither."""
    gain, risk = np.asarray(gain), np.asarray(risk)
    if np.any((risk == 0.0) & (gain == 0.0)):
        raise InputError(refusal)
    endless = np.full(gain.shape, np.inf)
    return np.divide(gain, risk, out=np.copysign(endless, gain, out=endless), where=risk != 0.0)
