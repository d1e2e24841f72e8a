"""Basel traffic light: zones, plus factors and FRTB multipliers, for any window and confidence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from riskkit._check import whole_number
from riskkit._show import Row, Shown, percent
from riskkit._tail import tail_probability
from riskkit.var_backtest.core.distributions import binomial_cdf, binomial_pmf, binomial_upper_tail, normal_quantile
from riskkit.var_backtest.core.docs import documented
from riskkit.var_backtest.core.hits import hit_count

YELLOW_FROM, RED_FROM = 0.95, 0.9999
BASEL_WINDOW, BASEL_CONFIDENCE = 250, 0.99
# Basel Committee (1996), table 2, and MAR99.20: printed constants for 250 days at 99 %, by number of hits.
BASEL_PLUS = {5: 0.40, 6: 0.50, 7: 0.65, 8: 0.75, 9: 0.85}
FRTB_MULTIPLIERS = {5: 1.70, 6: 1.76, 7: 1.83, 8: 1.88, 9: 1.92}
BASEL_BASE, FRTB_BASE, FRTB_MAX = 3.0, 1.5, 2.0


Zone = Literal["green", "yellow", "red"]


class ZoneStarts(NamedTuple):
    """Smallest numbers of hits that are yellow and red."""

    yellow: int
    red: int


@dataclass(frozen=True, repr=False)
class TrafficLight(Shown):
    """Zone and capital multipliers of a number of hits in the Basel scheme.

    Attributes
    ----------
    n_hits, n_obs : int
        Number of hits and of days.
    confidence : float
        Confidence of VaR as a fraction: 0.99 for 99 %.
    zone : {"green", "yellow", "red"}
        Basel zone.
    cumulative_probability : float
        P(X <= x) of a correct model.
    type1 : float
        P(X >= x) of a correct model: the type 1 error of rejecting from this number of hits on.
    plus_factor : float
        Addition to the multiplier, from 0 in green to 1 in red.
    basel_multiplier : float
        3 + plus factor (Basel 1996).
    frtb_multiplier : float
        1.5 to 2 (MAR99).

    Examples
    --------
    >>> light = traffic_light(10)
    >>> light.zone, light.basel_multiplier, light.frtb_multiplier
    ('red', 4.0, 2.0)
    """

    n_hits: int
    n_obs: int
    confidence: float
    zone: Zone
    cumulative_probability: float
    type1: float
    plus_factor: float
    basel_multiplier: float
    frtb_multiplier: float

    @property
    def verdict(self) -> str:
        """Zone, number of hits and multipliers in one sentence."""
        return (
            f"{self.zone.upper()}: {self.n_hits:,} hits in {self.n_obs:,} days at {percent(self.confidence)}; "
            f"multiplier {self.basel_multiplier:g} (FRTB {self.frtb_multiplier:g})"
        )

    def _title(self) -> str:
        return "Basel traffic light"

    def _rows(self) -> Iterable[Row]:
        starts = traffic_light_bounds(self.n_obs, self.confidence)
        yield "hits", self.n_hits, f"in {self.n_obs:,} days at {percent(self.confidence)}"
        yield "zone", self.zone, f"yellow from {starts.yellow}, red from {starts.red}"
        yield "P(X <= x)", 100.0 * self.cumulative_probability, "%"
        yield "P(X >= x), type 1 error", 100.0 * self.type1, "%"
        yield "plus factor", self.plus_factor, ""
        yield "multiplier", self.basel_multiplier, "Basel 1996"
        yield "multiplier", self.frtb_multiplier, "FRTB, MAR99"


@documented
def traffic_light(n_hits: int, n_obs: int = BASEL_WINDOW, confidence: float = BASEL_CONFIDENCE) -> TrafficLight:
    """Basel traffic light of a number of hits.

    Returns
    -------
    TrafficLight
        Yellow from P(X <= x) = 95 %, red from 99.99 %. The plus factor is the printed one for 250 days at 99 %; for
        other windows and levels it is the value from which the printed ones were rounded: 3 (z/z_observed - 1),
        z_observed the normal quantile of the observed coverage, between 0 and 1; 0 in green and 1 in red. In a window
        so short that one hit is unlikely (5 days at 99 %) even no hit is yellow, with plus factor 0.

    References
    ----------
    .. [1] Basel Committee (1996), Supervisory Framework for the Use of "Backtesting", tables 1 and 2.
    .. [2] Basel Committee (2019), Minimum capital requirements for market risk, MAR99.

    Examples
    --------
    >>> light = traffic_light(6)
    >>> light.zone, light.plus_factor, light.basel_multiplier
    ('yellow', 0.5, 3.5)
    >>> traffic_light(20, 1000, 0.99).zone, round(traffic_light(20, 1000, 0.99).plus_factor, 4)
    ('yellow', 0.3982)
    """
    n_obs = whole_number(n_obs, "n_obs")
    n_hits = hit_count(n_hits, n_obs)
    p = tail_probability(confidence)
    below = binomial_cdf(n_hits, n_obs, p)
    zone = _zone(below)
    plus = _plus_factor(zone, n_hits, n_obs, confidence)
    return TrafficLight(
        n_hits=n_hits,
        n_obs=n_obs,
        confidence=float(confidence),
        zone=zone,
        cumulative_probability=below,
        type1=binomial_upper_tail(n_hits, n_obs, p),
        plus_factor=plus,
        basel_multiplier=BASEL_BASE + plus,
        frtb_multiplier=frtb_multiplier(n_hits, n_obs, confidence),
    )


@documented
def frtb_multiplier(n_hits: int, n_obs: int = BASEL_WINDOW, confidence: float = BASEL_CONFIDENCE) -> float:
    """Backtesting multiplier of the FRTB internal models approach.

    Returns
    -------
    float
        The printed constants for 250 days at 99 %: 1.5 up to 4 hits, 1.70, 1.76, 1.83, 1.88, 1.92, and 2 from 10. For
        other windows and levels: 1.5 in green, 2 in red, and 1.5 z/z_observed between (see `traffic_light`).

    References
    ----------
    .. [1] Basel Committee (2019), Minimum capital requirements for market risk, MAR99, table 2.

    Examples
    --------
    >>> [frtb_multiplier(x) for x in (4, 5, 9, 10)]
    [1.5, 1.7, 1.92, 2.0]
    """
    n_obs = whole_number(n_obs, "n_obs")
    n_hits = hit_count(n_hits, n_obs)
    zone = _zone(binomial_cdf(n_hits, n_obs, tail_probability(confidence)))
    if zone != "yellow":
        return FRTB_BASE if zone == "green" else FRTB_MAX
    if _is_basel(n_obs, confidence):
        return FRTB_MULTIPLIERS[n_hits]
    return float(min(FRTB_BASE * _quantile_ratio(n_hits, n_obs, confidence), FRTB_MAX))


@documented
def traffic_light_bounds(n_obs: int = BASEL_WINDOW, confidence: float = BASEL_CONFIDENCE) -> ZoneStarts:
    """Smallest numbers of hits that are yellow and red.

    Returns
    -------
    ZoneStarts
        `yellow` and `red`: smallest x with P(X <= x) of 95 % and of 99.99 %.

    References
    ----------
    .. [1] Basel Committee (1996), Supervisory Framework for the Use of "Backtesting", table 2.

    Examples
    --------
    >>> traffic_light_bounds(250, 0.99), traffic_light_bounds(750, 0.995)
    (ZoneStarts(yellow=5, red=10), ZoneStarts(yellow=7, red=13))
    """
    n_obs = whole_number(n_obs, "n_obs")
    p = tail_probability(confidence)

    def first_at(level: float) -> int:
        low, high = -1, n_obs
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if binomial_cdf(middle, n_obs, p) >= level else (middle, high)
        return high

    return ZoneStarts(first_at(YELLOW_FROM), first_at(RED_FROM))


@documented
def basel_tables(n_hits: Any = range(16), n_obs: int = BASEL_WINDOW, true_coverage: float = BASEL_CONFIDENCE) -> Any:
    """Type 1 and type 2 errors of a supervisor who rejects from k hits on (table 1 of Basel 1996).

    Parameters
    ----------
    n_hits : sequence of int
        Numbers of hits k.
    true_coverage : float
        True coverage of the model as a fraction: 0.99 for a correct 99 % model, 0.97 for one that covers too little.

    Returns
    -------
    DataFrame
        index k; columns `exact` P(X = k), `type1` P(X >= k), `type2` P(X < k), as fractions.

    References
    ----------
    .. [1] Basel Committee (1996), Supervisory Framework for the Use of "Backtesting", table 1.

    Examples
    --------
    >>> (100 * basel_tables([4, 5, 6])).round(1)
       exact  type1  type2
    k
    4   13.4   24.2   75.8
    5    6.7   10.8   89.2
    6    2.7    4.1   95.9
    """
    import pandas as pd

    n_obs = whole_number(n_obs, "n_obs")
    hits = np.array([hit_count(k, n_obs) for k in n_hits])
    p = tail_probability(true_coverage)
    type2 = np.array([binomial_cdf(int(k) - 1, n_obs, p) for k in hits])
    type1 = np.array([binomial_upper_tail(int(k), n_obs, p) for k in hits])
    columns = {"exact": binomial_pmf(n_obs, p)[hits], "type1": type1, "type2": type2}
    return pd.DataFrame(columns, index=pd.Index(hits, name="k"))


def _zone(cumulative: float) -> Zone:
    if cumulative >= RED_FROM:
        return "red"
    return "yellow" if cumulative >= YELLOW_FROM else "green"


def _is_basel(n_obs: int, confidence: float) -> bool:
    return n_obs == BASEL_WINDOW and abs(confidence - BASEL_CONFIDENCE) < 1e-12


def _plus_factor(zone: Zone, n_hits: int, n_obs: int, confidence: float) -> float:
    if zone != "yellow":
        return 0.0 if zone == "green" else 1.0
    if _is_basel(n_obs, confidence):
        return BASEL_PLUS[n_hits]
    return float(min(max(BASEL_BASE * (_quantile_ratio(n_hits, n_obs, confidence) - 1.0), 0.0), 1.0))


def _quantile_ratio(n_hits: int, n_obs: int, confidence: float) -> float:
    """Factor on VaR that restores the coverage under normal losses; infinite if half of the days were hits."""
    observed = normal_quantile(1.0 - n_hits / n_obs)
    return float("inf") if observed <= 0.0 else max(normal_quantile(confidence) / observed, 1.0)
