"""Components of VaR and ES from observed or simulated scenarios, which sum exactly, with standard errors."""

from __future__ import annotations

import math
from typing import Any, NamedTuple, get_args

import numpy as np

from riskkit._check import (
    InputError,
    confidence_level,
    constant,
    finite_number,
    labels_of,
    one_of,
    positive,
    returns_array,
    shown,
    with_labels,
)
from riskkit._exposure import scenarios_of
from riskkit._show import worded
from riskkit._tail import DEFAULT_CONFIDENCE
from riskkit._types import PositionsLike, ReturnsLike, TailMeasure
from riskkit.attribution.order_weights import OrderWeights, order_weights
from riskkit.attribution.result import Attribution
from riskkit.var._inputs import DEFINITIONS
from riskkit.var.historical_simulation import historical as historical_risk

SMOOTH = ("harrell_davis", "kernel")
ESTIMATORS = {"var": (*SMOOTH, *DEFINITIONS), "es": ("tail_mass",)}


def historical(
    positions: PositionsLike | None,
    returns: ReturnsLike,
    confidence: float = DEFAULT_CONFIDENCE,
    *,
    measure: TailMeasure = "var",
    estimator: str | None = None,
    bandwidth: float | None = None,
    match: str | None = None,
) -> Attribution:
    """Components of historical VaR or ES: the weighted mean loss of each position near (or beyond) the VaR.

    A component is the weighted mean of -position × return over the scenarios near the VaR (beyond it, for ES). With the
    same weights the mean loss of the portfolio is the VaR, so that the components sum exactly; losses are positive.

    Parameters
    ----------
    positions : (n_assets,) or None
        Money held, negative when short, matched by name where both sides are labelled; None when `returns` is the
        P&L of each position (for instance of a full revaluation).
    returns : (n_obs, n_assets)
        Simple returns per scenario, observed or simulated; the components have their horizon.
    confidence : float
        0.95 for 95 %.
    measure : {"var", "es"}
        Risk measure.
    estimator : str
        Weights of the sorted scenarios. For VaR "harrell_davis" (the default) or "kernel", which spread them around the
        quantile; or a quantile definition of `riskkit.var.historical`, whose components are those of one day
        ("inverted_cdf", the ceil(n p)-th worst) or two ("linear"). For ES "tail_mass".
    bandwidth : float, optional
        Width of the kernel as a fraction of the number of scenarios; sqrt(c (1-c) / (n+1)) by default.
    match : str, optional
        A quantile definition of `riskkit.var.historical`, such as "linear": the components are multiplied by a
        common factor, so that they sum to that VaR.

    Returns
    -------
    Attribution
        Money, losses positive. The standard errors are for independent scenarios, and too small for overlapping or
        clustered ones; None for a quantile definition, as one or two days do not determine them.

    Raises
    ------
    InputError
        NaN, infinity, fewer than two scenarios, shapes or labels that do not fit, an unknown estimator, or a `match`
        of the opposite sign.

    References
    ----------
    Epperlein and Smillie (2006), Cracking VaR with kernels, Risk 19(8), 70-74. Tasche (1999), Risk contributions and
    performance measurement, section 5 (conditional means). `riskkit.attribution.order_weights` for the weights.

    Examples
    --------
    >>> returns = [[0.02, 0.01], [-0.03, 0.01], [-0.01, -0.04], [0.01, 0.00]]
    >>> split = historical([100.0, 50.0], returns, 0.75, estimator="inverted_cdf")
    >>> split.component.tolist(), split.total
    ([1.0, 2.0], 3.0)
    >>> split = historical([100.0, 50.0], returns, 0.5, measure="es")
    >>> split.component.round(6).tolist(), round(split.total, 6)
    ([2.0, 0.75], 2.75)
    """
    one_of(measure, get_args(TailMeasure), "measure")
    estimator = one_of(ESTIMATORS[measure][0] if estimator is None else estimator, ESTIMATORS[measure], "estimator")
    confidence = confidence_level(confidence)
    if bandwidth is not None:
        bandwidth = positive(bandwidth, "bandwidth")
    book = _book(positions, returns)
    tail = _tail(book, order_weights(len(book.losses), confidence, estimator, bandwidth))
    component = tail.component
    total = float(component.sum())
    if measure == "es":
        near_var = _tail(book, order_weights(len(book.losses), confidence, SMOOTH[0])).component
        errors = _shortfall_errors(tail, near_var)
    elif estimator in SMOOTH:
        fewer = order_weights(len(book.losses) - 1, confidence, estimator, bandwidth)
        errors = _quantile_errors(book, tail, _jackknife(np.sort(book.losses), fewer))
    else:
        errors = None
    scale = 1.0 if match is None else _scale(-book.losses, confidence, match, total)
    return Attribution(
        measure=measure,
        method=f"historical, {worded(estimator)}" + ("" if match is None else f" matched to {match}"),
        confidence=confidence,
        total=total * scale,
        component=with_labels(component * scale, book.labels),
        positions=None if book.positions is None else with_labels(book.positions, book.labels),
        standard_error=None if errors is None else with_labels(errors.component * scale, book.labels),
        total_standard_error=None if errors is None else errors.total * scale,
        n_obs=len(book.losses),
        effective_scenarios=1.0 / float(tail.mass @ tail.mass),
    )


def scenarios(positions: PositionsLike | None, returns: ReturnsLike, threshold: float) -> Attribution:
    """Components of the mean loss over the scenarios with a loss above a threshold.

    Parameters
    ----------
    positions, returns
        As in `riskkit.attribution.historical`.
    threshold : float
        Loss in the money of the positions, positive: a VaR from another model, or a critical loss.

    Returns
    -------
    Attribution
        Components of the mean of -position × return over scenarios with P&L < -threshold; `effective_scenarios` is
        their number. The standard error is for a known threshold; None with a single scenario.

    Raises
    ------
    InputError
        No loss above the threshold, NaN, infinity, or shapes and labels that do not fit.

    References
    ----------
    Boudt, Peterson and Croux (2008), Estimation and decomposition of downside risk for portfolios with non-normal
    returns, Journal of Risk 11(2), 79-103.

    Examples
    --------
    >>> split = scenarios([100.0, 50.0], [[0.02, 0.01], [-0.03, 0.01], [-0.01, -0.04], [0.01, 0.00]], 2.0)
    >>> split.component.round(6).tolist(), split.effective_scenarios
    ([2.0, 0.75], 2.0)
    """
    book = _book(positions, returns)
    beyond = book.losses > finite_number(threshold, "threshold")
    count = int(beyond.sum())
    if count == 0:
        raise InputError(f"threshold={shown(threshold)} is not exceeded; the largest loss is {book.losses.max():g}")
    parts = book.parts(np.flatnonzero(beyond))
    component = parts.mean(axis=0)
    single = count == 1
    return Attribution(
        measure="es",
        method=f"mean loss beyond {threshold:g}",
        confidence=None,
        total=float(component.sum()),
        component=with_labels(component, book.labels),
        positions=None if book.positions is None else with_labels(book.positions, book.labels),
        standard_error=None if single else with_labels(parts.std(axis=0, ddof=1) / math.sqrt(count), book.labels),
        total_standard_error=None if single else float(parts.sum(axis=1).std(ddof=1)) / math.sqrt(count),
        n_obs=len(book.losses),
        effective_scenarios=float(count),
    )


class _Book(NamedTuple):
    positions: np.ndarray | None
    returns: np.ndarray
    losses: np.ndarray
    """(n_obs,) of the portfolio."""
    labels: Any

    def parts(self, rows: np.ndarray) -> np.ndarray:
        """(n_rows, n_assets) losses of the positions in these scenarios."""
        chosen: np.ndarray = -self.returns[rows]
        return chosen if self.positions is None else chosen * self.positions


def _book(positions: Any, returns: Any) -> _Book:
    if positions is None:
        array = returns_array(returns, min_obs=2)
        array = array[:, None] if array.ndim == 1 else array
        return _Book(None, array, -array.sum(axis=1), labels_of(returns, 1))
    held, array, labels = scenarios_of(positions, returns, min_obs=2)
    return _Book(held, array, -(array @ held), labels)


class _Tail(NamedTuple):
    """Scenarios with weight in an estimate, by ascending loss of the portfolio."""

    n_obs: int
    mass: np.ndarray
    """(n_tail,) weights; tied losses share theirs equally, so that the order of the rows does not matter."""
    parts: np.ndarray
    """(n_tail, n_assets) losses of the positions."""

    @property
    def component(self) -> np.ndarray:
        """(n_assets,) weighted mean of the parts."""
        mean: np.ndarray = self.mass @ self.parts
        return mean


class _Errors(NamedTuple):
    component: np.ndarray
    total: float


def _tail(book: _Book, weights: OrderWeights) -> _Tail:
    order = np.argsort(book.losses, kind="stable")
    losses = book.losses[order]
    start = int(np.searchsorted(losses, losses[weights.first], "left"))
    stop = int(np.searchsorted(losses, losses[weights.last - 1], "right"))
    starts = np.concatenate(([0], np.flatnonzero(np.diff(losses[start:stop])) + 1))
    edges = np.append(starts, stop - start)
    sizes = np.diff(edges)
    mass = np.repeat(np.diff(weights.cumulative(edges + start)) / sizes, sizes)
    return _Tail(len(losses), mass, book.parts(order[start:stop]))


def _quantile_errors(book: _Book, tail: _Tail, total_error: float) -> _Errors:
    """Standard errors of components from two sources: the error of the VaR, and the choice of scenarios near it.

    A jackknife of the component would overstate the second by half, since leaving out one scenario shifts all weights
    by one rank. So the error of the VaR is multiplied by the regression slope of each position on the portfolio, and
    the residuals near the VaR are averaged with the weights.
    """
    centred = book.losses - book.losses.mean()
    slope = -(centred @ book.returns) * (1.0 if book.positions is None else book.positions)
    slope /= float(centred @ centred) if not constant(book.losses) else np.inf
    away = tail.parts.sum(axis=1) - float(tail.component.sum())
    residual = tail.parts - tail.component - np.outer(away, slope)
    squared = float(tail.mass @ tail.mass)
    noise = tail.mass**2 @ residual**2 / (1.0 - squared if squared < 1.0 else 1.0)
    return _Errors(np.sqrt(noise + (slope * total_error) ** 2), total_error)


def _shortfall_errors(tail: _Tail, near_var: np.ndarray) -> _Errors:
    """Standard errors of a mean over the tail beyond an estimated VaR.

    An additional scenario in the tail removes one at the VaR, so the errors are those of the losses in the tail in
    excess of the losses near the VaR.
    """
    n = tail.n_obs
    beyond = n * tail.mass[:, None] * (tail.parts - near_var)

    def error(values: np.ndarray) -> np.ndarray:
        variance = (values**2).sum(axis=0) / n - (values.sum(axis=0) / n) ** 2
        deviation: np.ndarray = np.sqrt(np.maximum(variance, 0.0) / (n - 1))
        return deviation

    return _Errors(error(beyond), float(error(beyond.sum(axis=1))))


def _jackknife(losses: np.ndarray, fewer: OrderWeights) -> float:
    """Jackknife standard error of a weighted sum of ascending losses (Harrell and Davis, section 3).

    Without the loss of rank r, those below keep their ranks among the other n - 1, and those above move down by one; so
    two running sums give all leave-one-out estimates.
    """
    n = len(losses)
    first, last = fewer.first, min(fewer.last + 1, n)  # no other loss has weight, shifted or not
    mass = np.diff(fewer.cumulative(np.arange(first - 1, last + 1)))
    near = losses[first:last]
    if_below = np.concatenate(([0.0], np.cumsum(mass[1:] * near)))
    if_above = np.concatenate((np.cumsum((mass[:-1] * near)[::-1])[::-1], [0.0]))
    without = if_below[:-1] + if_above[1:]
    outside, counts = np.array([if_above[0], if_below[-1]]), np.array([first, n - last])
    centre = (without.sum() + counts @ outside) / n
    squares = ((without - centre) ** 2).sum() + counts @ (outside - centre) ** 2
    return math.sqrt(squares * (n - 1) / n)


def _scale(pnl: np.ndarray, confidence: float, match: str, total: float) -> float:
    target = float(np.asarray(historical_risk(pnl, confidence, quantile=match).var))
    if total == 0.0 or target / total < 0.0:
        raise InputError(
            f"match={shown(match)} is a VaR of {target:g} and the components sum to {total:g}; no factor fits"
        )
    return target / total
