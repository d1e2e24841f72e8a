"""What could this backtest have detected? The power of every test for the sample at hand.

Each test is asked about what it is made for: tests of coverage about a wrong hit rate, tests of independence about
clustered hits at the right rate, tests of ES about losses larger than forecast. Exact where a sum gives it, else by
simulation.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit._check import confidence_level, positive, whole_number
from riskkit._show import Row, Shown, percent
from riskkit._tail import tail_mass
from riskkit.plot import STRONG, WARM
from riskkit.var_backtest.distributions import binomial_pmf, binomial_upper_tail
from riskkit.var_backtest.duration import simulated_tbfi, simulated_weibull
from riskkit.var_backtest.dynamic_quantile import simulated_dynamic_quantile
from riskkit.var_backtest.exact_coverage import pof_exact_p_values
from riskkit.var_backtest.exact_independence import ENUMERATED_WHOLLY, christoffersen_critical, markov_cells
from riskkit.var_backtest.independence import simulated_christoffersen
from riskkit.var_backtest.simulated_hits import generator, simulate_hit_days, simulate_markov_hit_days
from riskkit.var_backtest.tail_simulation import draw_tails, tail_draws
from riskkit.var_backtest.traffic_light import zone_starts

__all__ = ["Power", "backtest_power", "detectable_hit_rate"]

DAYS_TO_DRAW = 10_000_000


@dataclass(frozen=True, repr=False)
class Power(Shown):
    """Probability that each test rejects if the alternative is true.

    Attributes
    ----------
    n_obs : int
        Number of days.
    confidence : float
        0.99 means 99 % VaR.
    significance : float
        Level of the tests: 0.05 for 5 %.
    powers : tuple of (str, float, str)
        Test, power and alternative.
    detectable_hit_rate : float
        Smallest hit rate above 1 - confidence that the binomial tail test finds in 80 % of samples.

    Examples
    --------
    >>> Power(250, 0.99, 0.05, (("Kupiec POF", 0.5, "hits twice as frequent"),), 0.03).of("Kupiec POF")
    (0.5, 'hits twice as frequent')
    """

    n_obs: int
    confidence: float
    significance: float
    powers: tuple[tuple[str, float, str], ...]
    detectable_hit_rate: float

    def of(self, test: str) -> tuple[float, str] | None:
        """Power of a test and the alternative, or None if the test has none."""
        return next(((power, against) for name, power, against in self.powers if name == test), None)

    def to_frame(self) -> Any:
        """Return a frame indexed by test: power, alternative."""
        import pandas as pd

        return pd.DataFrame(list(self.powers), columns=["test", "power", "against"]).set_index("test")

    def plot(self, ax: Any = None) -> Any:
        """Draw the power of each test as a bar."""
        import matplotlib.pyplot as plt

        ax = plt.subplots(figsize=(8, 4))[1] if ax is None else ax
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


def backtest_power(
    n_obs: int,
    confidence: float = 0.99,
    *,
    hit_rate: float | None = None,
    after_hit: float = 0.2,
    loss_scale: float = 1.25,
    null: str = "normal",
    significance: float = 0.05,
    n_draws: int | None = None,
    rng: np.random.Generator | None = None,
) -> Power:
    """Power of the tests of this package for a sample of this length.

    Parameters
    ----------
    n_obs : int
        Number of days.
    confidence : float
        0.99 means 99 % VaR and ES.
    hit_rate : float, optional
        Alternative for tests of coverage: true hit probability; by default twice 1 - confidence.
    after_hit : float
        Alternative for tests of independence: probability of a hit on the day after a hit, the overall rate being
        right.
    loss_scale : float
        Alternative for tests of ES: true losses over forecast ones (VaR and ES both too small by that factor).
    null : str
        Distribution of losses for the ES tests: "normal" or "t3", "t5", ...
    significance : float
        Size of the tests.
    n_draws : int, optional
        Number of simulated samples; by default 999, fewer beyond 10,000 days.
    rng : numpy.random.Generator, optional
        Source of the draws; by default one with the fixed seed `DEFAULT_SEED`.

    Returns
    -------
    Power
        Exact p-values decide where the test has them.

    Raises
    ------
    InputError
        An argument does not fit.

    References
    ----------
    .. [1] Christoffersen and Pelletier (2004), Backtesting Value-at-Risk: A Duration-Based Approach, section 4.

    Examples
    --------
    >>> power = backtest_power(250, 0.99, n_draws=99)
    >>> round(power.of("Kupiec POF")[0], 3)
    0.384
    """
    n_obs, p = whole_number(n_obs, "n_obs"), tail_mass(confidence)
    size = confidence_level(significance, "significance")
    rate = min(2.0 * p, (1.0 + p) / 2.0) if hit_rate is None else confidence_level(hit_rate, "hit_rate")
    after_hit, loss_scale = confidence_level(after_hit, "after_hit"), positive(loss_scale, "loss_scale")
    if after_hit <= p:
        # Hits this frequent are not clustered at the probability asked for: ask for half-way to certainty instead.
        after_hit = (1.0 + p) / 2.0
    n_draws = (
        int(np.clip(DAYS_TO_DRAW / n_obs, 99, 999))
        if n_draws is None
        else whole_number(n_draws, "n_draws", at_least=19)
    )
    rng = generator(rng)
    powers = [
        *_coverage(n_obs, p, rate, size, confidence),
        *_independence(n_obs, p, after_hit, size, confidence, n_draws, rng),
        *_expected_shortfall(n_obs, p, loss_scale, size, null, n_draws, rng),
    ]
    return Power(n_obs, float(confidence), size, tuple(powers), detectable_hit_rate(n_obs, confidence, nominal=size))


def detectable_hit_rate(n_obs: int, confidence: float = 0.99, *, power: float = 0.8, nominal: float = 0.05) -> float:
    """Smallest true hit rate that the exact binomial tail test of `nominal` size finds with probability `power`.

    Parameters
    ----------
    n_obs : int
        Number of days.
    confidence : float
        0.99 means 99 % VaR: hits have probability 0.01.
    power : float
        Wanted probability of a rejection: 0.8 for 80 %.
    nominal : float
        Level of the test: 0.05 for 5 %.

    Returns
    -------
    float
        A hit rate; NaN where the sample is too short for the test ever to reject.

    Raises
    ------
    InputError
        An argument does not fit.

    References
    ----------
    .. [1] Kupiec (1995), Techniques for Verifying the Accuracy of Risk Measurement Models.

    Examples
    --------
    >>> round(detectable_hit_rate(250, 0.99), 4)
    0.0313
    """
    n_obs, p = whole_number(n_obs, "n_obs"), tail_mass(confidence)
    power = confidence_level(power, "power")
    first = _first_rejected(n_obs, p, confidence_level(nominal, "nominal"))
    if first > n_obs:
        return math.nan
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if binomial_upper_tail(first, n_obs, middle) >= power else (middle, high)
    return high


def _first_rejected(n_obs: int, p: float, size: float) -> int:
    """Smallest number of hits with P(X >= x) <= size; n_obs + 1 if there is none."""
    low, high = 0, n_obs + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if binomial_upper_tail(middle, n_obs, p) <= size else (middle, high)
    return high


def _coverage(n_obs: int, p: float, rate: float, size: float, confidence: float) -> list[tuple[str, float, str]]:
    against = f"if the hit rate is {percent(rate)}"
    pmf = binomial_pmf(n_obs, rate)
    rejected = pof_exact_p_values(n_obs, p, "likelihood") <= size
    starts = zone_starts(n_obs, confidence)
    return [
        ("Binomial tail", binomial_upper_tail(_first_rejected(n_obs, p, size), n_obs, rate), against),
        ("Kupiec POF", float(min(pmf[rejected].sum(), 1.0)), against),
        ("Basel yellow or red", binomial_upper_tail(starts.yellow, n_obs, rate), against),
    ]


def _independence(
    n_obs: int, p: float, after_hit: float, size: float, confidence: float, n_draws: int, rng: np.random.Generator
) -> list[tuple[str, float, str]]:
    against = f"if {percent(after_hit)} of hits are followed by a hit"
    clustered = simulate_markov_hit_days(n_obs, p, after_hit, n_draws, rng)
    independent = simulate_hit_days(n_obs, p, n_draws, rng)
    constant = np.full((1, max(n_obs - 4, 1)), 1.0 / math.sqrt(max(n_obs - 4, 1)))
    found = []
    for name, test in (("Christoffersen independence", "independence"), ("Christoffersen conditional coverage", "cc")):
        critical = christoffersen_critical(n_obs, confidence, nominal=size, test=test)
        if n_obs <= ENUMERATED_WHOLLY:
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
    """Share of alternative draws that the Monte Carlo test of `size` rejects; undefined draws (NaN) never are."""
    known = np.sort(null[~np.isnan(null)])
    allowed = math.floor(size * (known.size + 1)) - 1
    if allowed < 0 or not known.size:
        return 0.0
    # At most `allowed` null draws may be as extreme: beyond the next one, ties included.
    return float(np.mean(np.nan_to_num(alternative, nan=-np.inf) > known[known.size - 1 - allowed] + 1e-9))


def _expected_shortfall(
    n_obs: int, p: float, scale: float, size: float, null: str, n_draws: int, rng: np.random.Generator
) -> list[tuple[str, float, str]]:
    against = f"if losses are {scale:g} times as large"
    true = tail_draws(n_obs, p, null, None if n_draws > 999 else n_draws)
    larger = draw_tails(n_obs, p, null, n_draws, rng, scale)
    found: list[tuple[str, float, str]] = []
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
