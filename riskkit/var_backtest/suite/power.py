"""Power of the tests for a given sample length.

The alternative of coverage tests is a wrong hit rate, that of independence tests clustered hits at the correct rate,
that of ES tests losses larger than forecast. Exact by enumeration if possible, else by simulation.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit._check import positive, probability, whole_number
from riskkit._excel import Exported
from riskkit._show import Row, percent
from riskkit._tail import DEFAULT_CONFIDENCE, tail_probability
from riskkit.plot import STRONG, WARM, axes
from riskkit.var_backtest.core.distributions import binomial_pmf, binomial_upper_tail
from riskkit.var_backtest.core.docs import documented
from riskkit.var_backtest.core.simulated_hits import (
    default_n_draws,
    generator,
    simulate_hit_days,
    simulate_markov_hit_days,
)
from riskkit.var_backtest.core.tail_simulation import draw_tails, tail_draws
from riskkit.var_backtest.coverage.traffic_light import traffic_light_bounds
from riskkit.var_backtest.exact.coverage import pof_p_values
from riskkit.var_backtest.exact.markov import MAX_FULL_ENUMERATION, MarkovTest, christoffersen_critical, markov_cells
from riskkit.var_backtest.independence.christoffersen import simulated_christoffersen
from riskkit.var_backtest.independence.duration import simulated_tbfi, simulated_weibull
from riskkit.var_backtest.independence.dynamic_quantile import simulated_dynamic_quantile

PowerOf = tuple[str, float, str]
"""Test, power and alternative."""


@dataclass(frozen=True, repr=False)
class PowerCurve(Exported):
    """Probability that each test rejects if the alternative is true.

    Attributes
    ----------
    n_obs : int
        Number of days.
    confidence : float
        Confidence of VaR as a fraction: 0.99 for 99 %.
    significance : float
        Size of the tests as a fraction: 0.05 for 5 %.
    powers : tuple of (str, float, str)
        Test, power and alternative.
    detectable_hit_rate : float
        Smallest hit rate above 1 - confidence that the binomial tail test finds in 80 % of samples.

    Examples
    --------
    >>> PowerCurve(250, 0.99, 0.05, (("Kupiec POF", 0.5, "hits twice as frequent"),), 0.03).of("Kupiec POF")
    (0.5, 'hits twice as frequent')
    """

    n_obs: int
    confidence: float
    significance: float
    powers: tuple[PowerOf, ...]
    detectable_hit_rate: float

    def of(self, test: str) -> tuple[float, str] | None:
        """Power and alternative of a test; None for a test without either."""
        return next(((power, against) for name, power, against in self.powers if name == test), None)

    def to_frame(self) -> Any:
        """Return a frame indexed by test: power, alternative."""
        import pandas as pd

        return pd.DataFrame(list(self.powers), columns=["test", "power", "against"]).set_index("test")

    def plot(self, ax: Any = None) -> Any:
        """Draw the power of each test as a bar."""
        ax = axes(ax, width=8, height=4)
        names = [f"{name} ({against})" for name, _, against in self.powers][::-1]
        ax.barh(names, [power for _, power, _ in self.powers][::-1], color=STRONG)
        ax.axvline(self.significance, color=WARM, ls="--", lw=1)
        ax.set_xlim(0.0, 1.0)
        ax.set_xlabel("probability of rejecting")
        ax.set_title(self._title(), loc="left", fontsize="medium")
        return ax

    def _title(self) -> str:
        return f"Power of {self.n_obs:,} days at {percent(self.confidence)}, tests at {percent(self.significance)}"

    def _rows(self) -> Iterable[Row]:
        for name, power, against in self.powers:
            yield name, 100.0 * power, f"% {against}"
        yield "detectable hit rate", 100.0 * self.detectable_hit_rate, "% found in 80% of samples (binomial tail)"


@documented
def backtest_power(
    n_obs: int,
    confidence: float = DEFAULT_CONFIDENCE,
    *,
    hit_rate: float | None = None,
    after_hit: float = 0.2,
    loss_scale: float = 1.25,
    null: str = "normal",
    significance: float = 0.05,
    n_draws: int | None = None,
    rng: np.random.Generator | None = None,
) -> PowerCurve:
    """Power of the tests of this package for a sample of this length.

    Parameters
    ----------
    hit_rate : float, optional
        Alternative of coverage tests: true hit probability as a fraction; by default twice 1 - confidence.
    after_hit : float
        Alternative of independence tests: probability of a hit on the day after a hit, at the correct overall rate.
    loss_scale : float
        Alternative of ES tests: ratio of true to forecast losses (VaR and ES are both too small by this factor).
    n_draws : int, optional
        Number of simulated samples, at least 19; by default 999, fewer beyond 10,000 days.

    Returns
    -------
    Power
        Rejections are by exact p-value if the test has one.

    References
    ----------
    .. [1] Christoffersen and Pelletier (2004), Backtesting Value-at-Risk: A Duration-Based Approach, section 4.

    Examples
    --------
    >>> power = backtest_power(250, 0.99, n_draws=99)
    >>> round(power.of("Kupiec POF")[0], 3)
    0.384
    """
    n_obs, p = whole_number(n_obs, "n_obs"), tail_probability(confidence)
    size = probability(significance, "significance")
    rate = min(2.0 * p, (1.0 + p) / 2.0) if hit_rate is None else probability(hit_rate, "hit_rate")
    after_hit, loss_scale = probability(after_hit, "after_hit"), positive(loss_scale, "loss_scale")
    if after_hit <= p:
        # Hits this frequent are not clustered at the given probability: take half-way to certainty instead.
        after_hit = (1.0 + p) / 2.0
    n_draws = default_n_draws(n_obs) if n_draws is None else whole_number(n_draws, "n_draws", at_least=19)
    rng = generator(rng)
    powers = [
        *_coverage(n_obs, p, rate, size, confidence),
        *_independence(n_obs, p, after_hit, size, confidence, n_draws, rng),
        *_expected_shortfall(n_obs, p, loss_scale, size, null, n_draws, rng),
    ]
    return PowerCurve(
        n_obs, float(confidence), size, tuple(powers), detectable_hit_rate(n_obs, confidence, significance=size)
    )


@documented
def detectable_hit_rate(
    n_obs: int, confidence: float = DEFAULT_CONFIDENCE, *, power: float = 0.8, significance: float = 0.05
) -> float:
    """Smallest true hit rate that the exact binomial tail test detects with a given power.

    Parameters
    ----------
    power : float
        Probability of a rejection as a fraction: 0.8 for 80 %.

    Returns
    -------
    float
        A hit rate as a fraction; NaN if the sample is too short for the test to reject at all.

    References
    ----------
    .. [1] Kupiec (1995), Techniques for Verifying the Accuracy of Risk Measurement Models.

    Examples
    --------
    >>> round(detectable_hit_rate(250, 0.99), 4)
    0.0313
    """
    n_obs, p = whole_number(n_obs, "n_obs"), tail_probability(confidence)
    power = probability(power, "power")
    first = _first_rejected(n_obs, p, probability(significance, "significance"))
    if first > n_obs:
        return math.nan
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if binomial_upper_tail(first, n_obs, middle) >= power else (middle, high)
    return high


def _first_rejected(n_obs: int, p: float, size: float) -> int:
    """Smallest number of hits with P(X >= x) <= size, or n_obs + 1."""
    low, high = 0, n_obs + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if binomial_upper_tail(middle, n_obs, p) <= size else (middle, high)
    return high


def _coverage(n_obs: int, p: float, rate: float, size: float, confidence: float) -> list[PowerOf]:
    against = f"if the hit rate is {percent(rate)}"
    pmf = binomial_pmf(n_obs, rate)
    rejected = pof_p_values(n_obs, p, "probability") <= size
    starts = traffic_light_bounds(n_obs, confidence)
    return [
        ("Binomial tail", binomial_upper_tail(_first_rejected(n_obs, p, size), n_obs, rate), against),
        ("Kupiec POF", float(min(pmf[rejected].sum(), 1.0)), against),
        ("Basel yellow or red", binomial_upper_tail(starts.yellow, n_obs, rate), against),
    ]


def _independence(
    n_obs: int, p: float, after_hit: float, size: float, confidence: float, n_draws: int, rng: np.random.Generator
) -> list[PowerOf]:
    against = f"if {percent(after_hit)} of hits are followed by a hit"
    clustered = simulate_markov_hit_days(n_obs, p, after_hit, n_draws, rng)
    independent = simulate_hit_days(n_obs, p, n_draws, rng)
    constant = np.full((1, max(n_obs - 4, 1)), 1.0 / math.sqrt(max(n_obs - 4, 1)))
    found = []
    markov_tests: tuple[tuple[str, MarkovTest], ...] = (
        ("Christoffersen independence", "independence"),
        ("Christoffersen conditional coverage", "cc"),
    )
    for name, test in markov_tests:
        critical = christoffersen_critical(n_obs, confidence, significance=size, test=test)
        if n_obs <= MAX_FULL_ENUMERATION:
            cells = markov_cells(n_obs, p, p, p * (1.0 - after_hit) / (1.0 - p), after_hit)
            power = cells.probability[getattr(cells, test) >= critical].sum()
        else:
            power = np.mean(simulated_christoffersen(clustered, n_obs, p, test) >= critical)
        found.append((name, float(min(power, 1.0)), against))
    for name, with_coverage in (("Haas TBFI", False), ("Haas TBF", True)):
        null, alternative = (simulated_tbfi(days, n_obs, p, with_coverage) for days in (independent, clustered))
        found.append((name, _share_rejected(null, alternative, size), against))
    null, alternative = (simulated_weibull(days, n_obs) for days in (independent, clustered))
    found.append(("Christoffersen-Pelletier duration", _share_rejected(null, alternative, size), against))
    if n_obs > 4:
        null, alternative = (
            simulated_dynamic_quantile(days, constant, n_obs, 4, p) for days in (independent, clustered)
        )
        found.append(("Dynamic quantile", _share_rejected(null, alternative, size), against))
    return found


def _share_rejected(null: np.ndarray, alternative: np.ndarray, size: float) -> float:
    """Share of alternative draws that the Monte Carlo test of `size` rejects; undefined draws (NaN) are not."""
    known = np.sort(null[~np.isnan(null)])
    allowed = math.floor(size * (known.size + 1)) - 1
    if allowed < 0 or not known.size:
        return 0.0
    # Reject beyond the null draw that at most `allowed` others exceed, ties included.
    return float(np.mean(np.nan_to_num(alternative, nan=-np.inf) > known[known.size - 1 - allowed] + 1e-9))


def _expected_shortfall(
    n_obs: int, p: float, scale: float, size: float, null: str, n_draws: int, rng: np.random.Generator
) -> list[PowerOf]:
    against = f"if losses are {scale:g} times as large"
    true = tail_draws(n_obs, p, null, None if n_draws > 999 else n_draws)
    larger = draw_tails(n_obs, p, null, n_draws, rng, scale)
    found: list[PowerOf] = []
    for name, kind in (
        ("Acerbi-Szekely Z1", "z1"),
        ("Acerbi-Szekely Z2", "z2"),
        ("Minimally biased ES", "minimally_biased"),
    ):
        null_values, values = getattr(true, kind), getattr(larger, kind)
        if null_values.size:
            rejected = np.count_nonzero(values < np.quantile(null_values, size))
            found.append((name, float(rejected / n_draws), against))
    return found
