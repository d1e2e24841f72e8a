"""P&L attribution test: whether the risk model sees what moves the books of a desk."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from riskkit import plot
from riskkit._check import InputError, constant, finite_number, refuse_other_rows, single_series
from riskkit._excel import Exported
from riskkit._show import Row
from riskkit.frtb.docs import documented

Zone = Literal["green", "amber", "red"]
SPEARMAN, KOLMOGOROV = (0.80, 0.70), (0.09, 0.12)
"""Beyond the first a metric is green, beyond the second red, on or between them amber (MAR32.41, table 2)."""


@dataclass(frozen=True, repr=False, eq=False)
class AttributionTest(Exported):
    """Outcome of a P&L attribution test.

    Attributes
    ----------
    spearman : float
        Rank correlation of hypothetical and risk-theoretical P&L, equal values at their mean rank.
    kolmogorov_smirnov : float
        Largest distance of their distribution functions.
    zone : {"green", "amber", "red"}
        The worse of the two metrics.
    n_obs : int
        Number of days.
    hypothetical, risk_theoretical : (n_obs,)
        The P&L compared, in money.

    Examples
    --------
    >>> from riskkit.frtb import attribution_test
    >>> attribution_test([1.0, -2.0, 3.0, -4.0], [1.1, -2.1, 2.9, -4.2]).zone
    'red'
    """

    spearman: float
    kolmogorov_smirnov: float
    zone: Zone
    n_obs: int
    hypothetical: np.ndarray
    risk_theoretical: np.ndarray

    def _title(self) -> str:
        return f"P&L attribution test: {self.zone}"

    def _rows(self) -> list[Row]:
        return [
            ("Spearman correlation", self.spearman, "green above 0.80, red below 0.70"),
            ("Kolmogorov-Smirnov", self.kolmogorov_smirnov, "green below 0.09, red above 0.12"),
            ("observations", self.n_obs, "" if self.n_obs >= 250 else "the rules take 250 days"),
        ]

    def to_frame(self) -> Any:
        """The two metrics with their zones."""
        import pandas as pd

        index = pd.Index(["spearman", "kolmogorov_smirnov"], name="metric")
        zones = [attribution_zone(self.spearman, 0.0), attribution_zone(1.0, self.kolmogorov_smirnov)]
        return pd.DataFrame({"value": [self.spearman, self.kolmogorov_smirnov], "zone": zones}, index=index)

    def plot(self, ax: Any = None) -> Any:
        """Draw both distribution functions."""
        ax = plot.axes(ax)
        levels = np.arange(1, self.n_obs + 1) / self.n_obs
        for values, colour, label in (
            (self.hypothetical, plot.STRONG, "hypothetical"),
            (self.risk_theoretical, plot.WARM, "risk-theoretical"),
        ):
            ax.step(np.sort(values), levels, where="post", color=colour, label=label)
        ax.set_xlabel(plot.unit_axis(ax.xaxis, [*self.hypothetical, *self.risk_theoretical]))
        ax.set_ylabel("share of days")
        ax.legend(frameon=False)
        plot.dress(ax, self._title())
        return ax


def attribution_test(hypothetical: Any, risk_theoretical: Any) -> AttributionTest:
    """Test of the P&L of a risk model against that of full revaluation of the same positions.

    Parameters
    ----------
    hypothetical : (n_obs,)
        Hypothetical P&L: yesterday's positions revalued by the front office, in money; the rules take 250 days.
    risk_theoretical : (n_obs,)
        P&L of the same positions by the risk model, for the same days.

    Returns
    -------
    AttributionTest
        Both metrics and the zone.

    Raises
    ------
    InputError
        NaN, infinity, other days, or constant P&L, which has no rank correlation.

    References
    ----------
    Basel Framework, MAR32.34 to 32.44.

    Examples
    --------
    >>> import numpy as np
    >>> actual = np.random.default_rng(1).normal(0.0, 1.0, 250)
    >>> attribution_test(actual, 0.9 * actual).zone
    'green'
    """
    refuse_other_rows(hypothetical, "hypothetical", risk_theoretical, "risk_theoretical")
    ours, model = (
        single_series(hypothetical, "hypothetical", min_obs=2),
        single_series(risk_theoretical, "risk_theoretical"),
    )
    for values, name in ((ours, "hypothetical"), (model, "risk_theoretical")):
        if constant(values):
            raise InputError(f"{name} is constant; it has no rank correlation")
    spearman, distance = _metrics(ours, model)
    return AttributionTest(spearman, distance, attribution_zone(spearman, distance), len(ours), ours, model)


@documented
def attribution_zone(spearman: float, kolmogorov_smirnov: float) -> Zone:
    """Zone of a desk by the two metrics; one that is exactly on a threshold is amber.

    Parameters
    ----------
    spearman : float
        Rank correlation.
    kolmogorov_smirnov : float
        Largest distance of the distribution functions.

    Returns
    -------
    {"green", "amber", "red"}
        Green if both metrics are, red if one is.

    References
    ----------
    Basel Framework, MAR32.41, table 2.

    Examples
    --------
    >>> attribution_zone(0.85, 0.05), attribution_zone(0.80, 0.05), attribution_zone(0.85, 0.13)
    ('green', 'amber', 'red')
    """
    correlation, distance = finite_number(spearman, "spearman"), finite_number(kolmogorov_smirnov, "kolmogorov_smirnov")
    if correlation < SPEARMAN[1] or distance > KOLMOGOROV[1]:
        return "red"
    return "green" if correlation > SPEARMAN[0] and distance < KOLMOGOROV[0] else "amber"


def _metrics(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Spearman's correlation and the distance of Kolmogorov and Smirnov, from the places in the two sorted samples."""
    sorted_x, sorted_y, n = np.sort(x), np.sort(y), len(x)
    x_in_x, y_in_y = sorted_x.searchsorted(x, "right"), sorted_y.searchsorted(y, "right")
    ranks = sorted_x.searchsorted(x) + x_in_x - n, sorted_y.searchsorted(y) + y_in_y - n  # twice, about their mean
    spearman = float(ranks[0] @ ranks[1]) / math.sqrt(float(ranks[0] @ ranks[0]) * float(ranks[1] @ ranks[1]))
    gaps = x_in_x - sorted_y.searchsorted(x, "right"), y_in_y - sorted_x.searchsorted(y, "right")
    return spearman, max(int(np.abs(gap).max()) for gap in gaps) / n
