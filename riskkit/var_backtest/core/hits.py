"""Checked samples of returns and forecasts, their hits, and the transitions and times between hits.

Returns are signed; VaR and ES are positive losses. A hit is a day with return < -VaR (strictly). Numbers of any unit
are accepted up to 1e100, and below 1e-100 count as zero, so that no square leaves floating point.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from riskkit._check import (
    InputError,
    as_pandas,
    constant,
    finite_array,
    labels_of,
    refuse_disorder,
    refuse_other_rows,
    refuse_prices,
    single_series,
    whole_number,
    with_labels,
)
from riskkit._docs import with_described_fields
from riskkit._types import ReturnsLike
from riskkit.var_backtest.core.docs import documented

SMALLEST, LARGEST = 1e-100, 1e100
NEGLIGIBLE = 1e-12  # share of the largest number in the sample below which losses are not divided by an ES


class Sample(NamedTuple):
    """Checked arrays of equal length: returns, VaR, ES (or None), and the labels of the days (or None)."""

    returns: np.ndarray
    var: np.ndarray
    es: Any
    index: Any

    @property
    def hits(self) -> np.ndarray:
        """(n_obs,) True on days with a loss beyond VaR."""
        return self.returns < -self.var


@with_described_fields
class HitTransitions(NamedTuple):
    """Number of days in state j after a day in state i (1 = hit), over the n_obs - 1 pairs of days.

    Attributes
    ----------
    n00 : int
        Days without a hit after a day without.
    n01 : int
        Days with a hit after a day without.
    n10 : int
        Days without a hit after a hit.
    n11 : int
        Days with a hit after a hit.

    Examples
    --------
    >>> sum(HitTransitions(n00=240, n01=5, n10=4, n11=1))
    250
    """

    n00: int
    n01: int
    n10: int
    n11: int


def sample(returns: ReturnsLike, var: Any, es: Any = None) -> Sample:
    """Check returns and forecasts together; a single number is a constant forecast."""
    values = _measurable(_returns(returns), "returns")
    index = labels_of(returns, 0)
    checked: dict[str, np.ndarray | None] = {}
    for name, given in (("var", var), ("es", es)):
        if given is None and name == "es":
            checked[name] = None
            continue
        forecast = _measurable(finite_array(given, name) if np.ndim(given) == 0 else single_series(given, name), name)
        if np.ndim(given) == 0:
            forecast = np.full(values.shape, forecast.item())
        if forecast.shape != values.shape:
            raise InputError(
                f"{name} has shape {forecast.shape} and returns {values.shape}; they need one value per day"
            )
        if np.ndim(given):
            refuse_other_rows(given, name, returns, "returns")
        checked[name] = forecast
    var_array = checked["var"]
    assert var_array is not None
    _refuse_misread(values, var_array)
    return Sample(values, var_array, checked["es"], index)


def _refuse_misread(returns: np.ndarray, var: np.ndarray) -> None:
    """Refuse a confidence in place of VaR, and VaR with the wrong sign, where no forecast can be meant."""
    largest = float(np.abs(returns).max())
    if constant(var) and 0.9 <= var[0] < 1.0 and 0.0 < 5.0 * largest < var[0]:
        raise InputError(
            f"var={var[0]:g} on every day is far above every return (at most {largest:.3g} in size) and looks like a "
            f"confidence; the order is returns, var, es, confidence: give the VaR forecasts, and confidence={var[0]:g}"
        )
    hits = int((returns < -var).sum())
    if len(var) >= 20 and (var < 0.0).all() and 2 * hits > len(var):
        raise InputError(
            f"var is negative on every day and {hits:,} of {len(var):,} returns are below -var; VaR is a loss above "
            "zero: give -var"
        )


def _returns(returns: Any) -> np.ndarray:
    array = single_series(returns, "returns", ordered=True)
    refuse_prices(array, "returns")
    return array


def _measurable(values: np.ndarray, name: str) -> np.ndarray:
    """Set values too small to be squared to zero, and refuse those too large."""
    sizes = np.abs(values)
    if sizes.max() > LARGEST:
        raise InputError(f"{name} holds {values.flat[sizes.argmax()]:g}; give it in a unit that keeps it below 1e100")
    return np.where(sizes < SMALLEST, 0.0, values)


def can_divide(es: np.ndarray, *others: np.ndarray | None) -> bool:
    """True if losses can be divided by ES (or sd): above zero, and not negligible beside the other numbers."""
    largest = max(float(np.abs(values).max()) for values in (es, *others) if values is not None)
    return bool((es > NEGLIGIBLE * largest).all())


def es_sample(returns: ReturnsLike, var: Any, es: Any, *, positive_es: bool = True) -> Sample:
    """Check returns, VaR and ES together; a ratio to ES needs ES above zero."""
    checked = sample(returns, var, es)
    if checked.es is None:
        raise InputError("es is missing; give expected shortfall forecasts as positive losses")
    if positive_es and not can_divide(checked.es, checked.returns, checked.var):
        day = int(np.argmin(checked.es))
        raise InputError(
            f"es holds {checked.es[day]:g} at position {day}; this statistic needs ES above zero, and not negligible "
            "beside returns and VaR"
        )
    return checked


def sd_array(sd: Any, checked: Sample) -> np.ndarray:
    """Check forecast standard deviations: one per day or a constant, above zero, not negligible beside the sample."""
    given = finite_array(sd, "sd")
    shape = checked.returns.shape
    if np.ndim(sd) and given.shape != shape:
        raise InputError(f"sd has shape {given.shape} and returns {shape}; they need one value per day")
    if not (given > 0.0).all():
        raise InputError("sd holds a value that is not above zero")
    _measurable(given, "sd")
    if not can_divide(given, *checked[:3]):
        raise InputError(
            f"sd holds {given.min():g}, which is negligible beside returns, VaR or ES; losses are divided by it"
        )
    return np.broadcast_to(given, shape)


@documented
def var_hits(returns: ReturnsLike, var: Any) -> Any:
    """Days with a loss beyond VaR.

    Returns
    -------
    (n_obs,) boolean array, or Series with the labels of `returns`
        True where return < -VaR.

    References
    ----------
    .. [1] Christoffersen (1998), Evaluating Interval Forecasts (the hit indicator).

    Examples
    --------
    >>> var_hits([0.01, -0.03, -0.01], 0.02).tolist()
    [False, True, False]
    """
    checked = sample(returns, var)
    return with_labels(checked.hits, checked.index, name="hit")


def hit_array(hits: Any, name: str = "hits") -> np.ndarray:
    """Return hits (booleans, or zeros and ones) as a boolean array of one dimension."""
    given = np.asarray(hits) if isinstance(hits, (list, tuple)) else as_pandas(hits)
    is_boolean = getattr(getattr(given, "dtype", None), "kind", "") == "b"
    array = single_series(given.astype(float) if is_boolean else given, name)
    if not np.isin(array, (0.0, 1.0)).all():
        raise InputError(f"{name} holds values other than 0 and 1; var_hits(returns, var) returns them")
    refuse_disorder(hits, name)
    return array.astype(bool)


def hit_count(n_hits: Any, n_obs: int) -> int:
    """Return a number of hits from 0 to the number of days."""
    hits = whole_number(n_hits, "n_hits", at_least=0)
    if hits > n_obs:
        raise InputError(f"n_hits={hits} does not fit; it needs to be between 0 and {n_obs}, the number of days")
    return hits


@documented
def hit_transitions(hits: Any) -> HitTransitions:
    """Transition counts of hits from day to day.

    Returns
    -------
    Transitions
        n00, n01, n10, n11 over the n_obs - 1 pairs of days.

    References
    ----------
    .. [1] Christoffersen (1998), Evaluating Interval Forecasts, section 4.

    Examples
    --------
    >>> hit_transitions([0, 1, 1, 0, 0])
    HitTransitions(n00=1, n01=1, n10=1, n11=1)
    """
    array = hit_array(hits)
    before, after = array[:-1], array[1:]
    n11 = int(np.count_nonzero(before & after))
    n10 = int(np.count_nonzero(before)) - n11
    n01 = int(np.count_nonzero(after)) - n11
    return HitTransitions(before.size - n11 - n10 - n01, n01, n10, n11)


def hit_times(hits: Any) -> np.ndarray:
    """Return the waits between hits in days, the first counted from the start of the sample.

    Examples
    --------
    >>> hit_times([0, 0, 1, 1, 0, 1]).tolist()
    [3, 1, 2]
    """
    days = np.flatnonzero(hit_array(hits)) + 1
    return np.diff(days, prepend=0)
