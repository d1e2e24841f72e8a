"""Square-root-of-time scaling of volatility, and the variance ratio test of its validity."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import (
    InputError,
    constant,
    finite_array,
    finite_number,
    labels_of,
    positive,
    probability,
    refuse_prices,
    shown,
    single_series,
    whole_number,
)
from riskkit._docs import counted
from riskkit._excel import Exported
from riskkit._show import Row
from riskkit._types import ReturnsLike
from riskkit.returns.docs import documented


class SqrtTimeWarning(UserWarning):
    """Square-root-of-time scaling of a volatility whose returns reject it.

    Examples
    --------
    >>> from riskkit.returns import SqrtTimeWarning
    >>> issubclass(SqrtTimeWarning, UserWarning)
    True
    """


@documented
def scale_volatility(volatility: Any, periods: float, *, returns: ReturnsLike | None = None) -> Any:
    """Volatility over `periods` periods by the square root of time: volatility × sqrt(periods).

    For example ``scale_volatility(vol, 390)`` scales one-minute volatility to a trading day of 390 minutes. The scaling
    is valid only for uncorrelated returns; with `returns` it is tested (`sqrt_time_test`).

    Parameters
    ----------
    volatility : number, array, Series or DataFrame
        Standard deviation per period.
    periods : float
        Length of the horizon in periods, above zero.
    returns : (n_obs,), optional
        Returns per period; a `SqrtTimeWarning` is issued if they reject the scaling.

    Returns
    -------
    The same type as `volatility`
        Standard deviation over the horizon.

    References
    ----------
    Diebold, Hickman, Inoue and Schuermann (1998), Converting 1-Day Volatility to h-Day Volatility: Scaling by
    sqrt(h) Is Worse Than You Think, section 2.

    Examples
    --------
    >>> round(scale_volatility(0.0005, 390), 6)
    0.009874
    """
    array = finite_array(volatility, "volatility")
    if (array < 0).any():
        raise InputError(f"volatility holds {array.min():g}; a standard deviation is at least zero")
    factor = math.sqrt(positive(periods, "periods"))
    if returns is not None:
        check = sqrt_time_test(returns, whole_number(periods, "periods", at_least=2))
        if check.misleads:
            warnings.warn(check.sentence, SqrtTimeWarning, stacklevel=2)
    if np.ndim(volatility) == 0:
        return float(volatility) * factor
    return volatility * factor if labels_of(volatility, 0) is not None else array * factor


@documented
def sqrt_time_ratio(autocorrelation: float, horizon: int) -> float:
    """Volatility of the sum of `horizon` AR(1) returns over its square-root-of-time value.

    Parameters
    ----------
    autocorrelation : float
        First autocorrelation of the returns, between -1 and 1.

    Returns
    -------
    float
        Above 1 if the square root of time understates the volatility.

    References
    ----------
    Alexander (2008), Market Risk Analysis IV: Value-at-Risk Models, section IV.2.2 (scaling under an AR(1)).

    Examples
    --------
    >>> round(sqrt_time_ratio(0.1, 10), 6)
    1.094318
    """
    rho = finite_number(autocorrelation, "autocorrelation")
    if not -1.0 < rho < 1.0:
        raise InputError(f"autocorrelation={shown(autocorrelation)} is not between -1 and 1")
    h = whole_number(horizon, "horizon")
    lags = np.arange(1, h)
    return math.sqrt(1.0 + 2.0 * float((1.0 - lags / h) @ rho**lags))


@dataclass(frozen=True, repr=False)
class SqrtTimeTest(Exported):
    """Variance ratio test of square-root-of-time scaling.

    Attributes
    ----------
    horizon : int
        Horizon in periods.
    n_obs : int
        Number of returns.
    variance_ratio : float
        Variance of `horizon`-period sums over `horizon` × the variance of one; 1 under uncorrelated returns.
    z : float
        Lo-MacKinlay statistic, robust to heteroskedasticity; standard normal under uncorrelated returns.
    p_value : float
        Two-sided p-value.
    autocorrelation : float
        First autocorrelation.
    significance : float
        Size of the test as a fraction; `misleads` is true for smaller p-values.

    Examples
    --------
    >>> from riskkit.returns import sqrt_time_test
    >>> check = sqrt_time_test([0.01, -0.01] * 50, 2)
    >>> check.misleads, round(check.autocorrelation, 2), check.n_obs
    (True, -0.99, 100)
    """

    horizon: int
    n_obs: int
    variance_ratio: float
    z: float
    p_value: float
    autocorrelation: float
    significance: float

    @property
    def volatility_ratio(self) -> float:
        """Estimated volatility of the horizon over its square-root-of-time value."""
        return math.sqrt(max(self.variance_ratio, 0.0))

    @property
    def misleads(self) -> bool:
        """True if uncorrelated returns are rejected at `significance`."""
        return self.p_value < self.significance

    @property
    def sentence(self) -> str:
        """The finding in words."""
        off = self.volatility_ratio - 1.0
        if not self.misleads:
            return (
                f"Square-root time is not contradicted: over {self.horizon} periods volatility is measured "
                f"{abs(off):.1%} {'above' if off >= 0 else 'below'} it, within sampling error (p = {self.p_value:.3g})."
            )
        return (
            f"Square-root time misleads: it {'understates' if off > 0 else 'overstates'} the {self.horizon}-period "
            f"volatility, which is {self.volatility_ratio:.3g} times the scaled one (first autocorrelation "
            f"{self.autocorrelation:+.3f}, p = {self.p_value:.3g}); estimate the risk from {self.horizon}-period "
            "returns instead (horizon_returns)."
        )

    def _title(self) -> str:
        return f"Square-root time over {self.horizon} periods: " + ("misleads" if self.misleads else "not contradicted")

    def plot(self, ax: Any = None) -> Any:
        """Draw the estimated volatility over the horizon beside the one scaled by the square root of time."""
        sizes = {"square root of time": 1.0, "measured": float(self.volatility_ratio)}
        verdict = "misleads" if self.misleads else "is not refuted"
        return plot.bars(
            {"": list(sizes.values())},
            list(sizes),
            label=f"volatility over {self.horizon} periods, in multiples of {math.sqrt(self.horizon):.3g} times that of one",
            title=f"Square-root time {verdict} (p = {self.p_value:.2g})",
            ax=ax,
        )

    def _rows(self) -> list[Row]:
        return [
            ("horizon", self.horizon, "periods"),
            ("observations", self.n_obs, ""),
            ("variance ratio", self.variance_ratio, ""),
            ("volatility ratio", self.volatility_ratio, "x sqrt(horizon)"),
            ("first autocorrelation", self.autocorrelation, ""),
            ("z, robust", self.z, ""),
            ("p-value, two-sided", self.p_value, ""),
            ("misleads", self.misleads, f"at {self.significance:.0%}"),
            ("in words", "", self.sentence),
        ]

    def to_frame(self) -> Any:
        """All values as a frame of one row."""
        import pandas as pd

        columns = ("variance_ratio", "volatility_ratio", "autocorrelation", "z", "p_value", "misleads")
        return pd.DataFrame({name: [getattr(self, name)] for name in columns}, index=[self.horizon]).rename_axis(
            "horizon"
        )


@documented
def sqrt_time_test(returns: ReturnsLike, horizon: int, *, significance: float = 0.05) -> SqrtTimeTest:
    """Variance ratio test of square-root-of-time scaling to a horizon.

    Parameters
    ----------
    returns : (n_obs,)
        Returns per period, oldest first: log returns, or simple ones as an approximation.
    horizon : int
        Horizon in periods, from 2 to half the number of observations.
    significance : float
        Size of the test as a fraction: 0.05 for 5 %.

    Returns
    -------
    SqrtTimeTest
        Variance ratio, robust z and p-value, first autocorrelation, and a conclusion in words.

    References
    ----------
    Lo and MacKinlay (1988), Stock Market Prices Do Not Follow Random Walks, Review of Financial Studies 1, 41-66:
    eq. 12a-12b (overlapping, bias-corrected), section 1.2 (heteroskedastic increments).

    Examples
    --------
    >>> check = sqrt_time_test([0.01, -0.01] * 50, 2)
    >>> check.misleads, round(check.autocorrelation, 2), round(check.variance_ratio, 3)
    (True, -0.99, 0.0)
    """
    array = single_series(returns, "returns", ordered=True)
    refuse_prices(array, "returns")
    horizon = whole_number(horizon, "horizon", at_least=2)
    significance = probability(significance, "significance")
    n = len(array)
    if n < 2 * horizon:
        raise InputError(
            f"returns has {counted(n, 'observation')}; a horizon of {horizon} needs at least {2 * horizon}"
        )
    deviation = array - array.mean()
    deviation /= np.abs(deviation).max() or 1.0  # no ratio below depends on the unit, and fourth powers may overflow
    square = deviation**2
    total = float(square.sum())
    if constant(array) or total == 0.0:
        raise InputError("returns is constant; its autocorrelation is undefined")
    sums = np.lib.stride_tricks.sliding_window_view(deviation, horizon).sum(axis=1)
    unbiased = horizon * (n - horizon + 1) * (1.0 - horizon / n)
    ratio = float(sums @ sums) / unbiased / (total / (n - 1))
    lags = range(1, horizon)
    weights = 2.0 * (1.0 - np.arange(1, horizon) / horizon)
    theta = float(weights**2 @ [n * float(square[lag:] @ square[:-lag]) / total**2 for lag in lags])
    z = math.sqrt(n) * (ratio - 1.0) / math.sqrt(theta)
    return SqrtTimeTest(
        horizon=horizon,
        n_obs=n,
        variance_ratio=ratio,
        z=z,
        p_value=math.erfc(abs(z) / math.sqrt(2.0)),
        autocorrelation=float(deviation[1:] @ deviation[:-1]) / total,
        significance=significance,
    )
