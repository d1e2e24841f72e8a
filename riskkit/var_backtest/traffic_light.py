"""The supervisor's view: Basel zones, plus factors and FRTB multipliers, for any window and confidence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import whole_number
from riskkit._show import Row, Shown, percent
from riskkit._tail import tail_mass
from riskkit.var_backtest.distributions import binomial_cdf, binomial_pmf, binomial_upper_tail, normal_quantile
from riskkit.var_backtest.hits import hit_count

__all__ = ["TrafficLight", "ZoneStarts", "basel_tables", "frtb_multiplier", "traffic_light", "zone_starts"]

YELLOW_FROM, RED_FROM = 0.95, 0.9999
BASEL_WINDOW, BASEL_CONFIDENCE = 250, 0.99
# Basel Committee (1996), table 2, and MAR99.20: printed constants for 250 days at 99 %, by number of hits.
BASEL_PLUS = {5: 0.40, 6: 0.50, 7: 0.65, 8: 0.75, 9: 0.85}
FRTB_MULTIPLIERS = {5: 1.70, 6: 1.76, 7: 1.83, 8: 1.88, 9: 1.92}
BASEL_BASE, FRTB_BASE, FRTB_MOST = 3.0, 1.5, 2.0


class ZoneStarts(NamedTuple):
    """Smallest numbers of hits that are yellow and red."""

    yellow: int
    red: int


@dataclass(frozen=True, repr=False)
class TrafficLight(Shown):
    """Where a number of hits falls in the Basel scheme.

    Attributes
    ----------
    n_hits, n_obs : int
        Number of hits and of days.
    confidence : float
        0.99 means 99 % VaR.
    zone : str
        "green", "yellow" or "red".
    cumulative_probability : float
        P(X <= x) of a correct model.
    type1 : float
        P(X >= x): the error of a supervisor who rejects from here on.
    plus_factor : float
        0 in green to 1 in red.
    multiplier : float
        3 + plus factor (Basel 1996).
    frtb_multiplier : float
        1.5 to 2 (MAR99).

    Examples
    --------
    >>> light = traffic_light(10)
    >>> light.zone, light.multiplier, light.frtb_multiplier
    ('red', 4.0, 2.0)
    """

    n_hits: int
    n_obs: int
    confidence: float
    zone: str
    cumulative_probability: float
    type1: float
    plus_factor: float
    multiplier: float
    frtb_multiplier: float

    @property
    def verdict(self) -> str:
        """One sentence."""
        return (
            f"{self.zone.upper()}: {self.n_hits:,} hits in {self.n_obs:,} days at {percent(self.confidence)}; "
            f"multiplier {self.multiplier:g} (FRTB {self.frtb_multiplier:g})"
        )

    def _title(self) -> str:
        return "Basel traffic light"

    def _rows(self) -> Iterable[Row]:
        starts = zone_starts(self.n_obs, self.confidence)
        yield "hits", self.n_hits, f"in {self.n_obs:,} days at {percent(self.confidence)}"
        yield "zone", self.zone, f"yellow from {starts.yellow}, red from {starts.red}"
        yield "P(X <= x)", 100.0 * self.cumulative_probability, "%"
        yield "P(X >= x), type 1 error", 100.0 * self.type1, "%"
        yield "plus factor", self.plus_factor, ""
        yield "multiplier", self.multiplier, "Basel 1996"
        yield "multiplier", self.frtb_multiplier, "FRTB, MAR99"


def traffic_light(n_hits: int, n_obs: int = BASEL_WINDOW, confidence: float = BASEL_CONFIDENCE) -> TrafficLight:
    """Basel traffic light of a number of hits.

    Parameters
    ----------
    n_hits, n_obs : int
        Number of hits and of days.
    confidence : float
        0.99 means 99 % VaR.

    Returns
    -------
    TrafficLight
        Yellow from P(X <= x) = 95 %, red from 99.99 %. The plus factor is the printed one for 250 days at 99 %; for
        other windows and levels it is what the printed ones were rounded from: 3 (z/z_seen - 1), z_seen the normal
        quantile at the coverage seen, between 0 and 1; 0 in green and 1 in red. A window so short that even one hit is
        unlikely is yellow by that rule without a hit (5 days at 99 %), with plus factor 0.

    Raises
    ------
    InputError
        An argument does not fit.

    References
    ----------
    .. [1] Basel Committee (1996), Supervisory Framework for the Use of "Backtesting", tables 1 and 2.
    .. [2] Basel Committee (2019), Minimum capital requirements for market risk, MAR99.

    Examples
    --------
    >>> light = traffic_light(6)
    >>> light.zone, light.plus_factor, light.multiplier
    ('yellow', 0.5, 3.5)
    >>> traffic_light(20, 1000, 0.99).zone, round(traffic_light(20, 1000, 0.99).plus_factor, 4)
    ('yellow', 0.3982)
    """
    n_obs = whole_number(n_obs, "n_obs")
    n_hits = hit_count(n_hits, n_obs)
    p = tail_mass(confidence)
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
        multiplier=BASEL_BASE + plus,
        frtb_multiplier=frtb_multiplier(n_hits, n_obs, confidence),
    )


def frtb_multiplier(n_hits: int, n_obs: int = BASEL_WINDOW, confidence: float = BASEL_CONFIDENCE) -> float:
    """Backtesting multiplier of the FRTB internal models approach.

    Parameters
    ----------
    n_hits : int
        Number of hits, from 0 to `n_obs`.
    n_obs : int
        Number of days.
    confidence : float
        0.99 means 99 % VaR: hits have probability 0.01.

    Returns
    -------
    float
        The printed constants for 250 days at 99 %: 1.5 up to 4 hits, 1.70, 1.76, 1.83, 1.88, 1.92, and 2 from 10. For
        other windows and levels: 1.5 in green, 2 in red, and 1.5 z/z_seen between (see `traffic_light`).

    Raises
    ------
    InputError
        An argument does not fit.

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
    zone = _zone(binomial_cdf(n_hits, n_obs, tail_mass(confidence)))
    if zone != "yellow":
        return FRTB_BASE if zone == "green" else FRTB_MOST
    if _is_basel(n_obs, confidence):
        return FRTB_MULTIPLIERS[n_hits]
    return float(min(FRTB_BASE * _quantile_ratio(n_hits, n_obs, confidence), FRTB_MOST))


def zone_starts(n_obs: int = BASEL_WINDOW, confidence: float = BASEL_CONFIDENCE) -> ZoneStarts:
    """Smallest numbers of hits that are yellow and red.

    Parameters
    ----------
    n_obs : int
        Number of days.
    confidence : float
        0.99 means 99 % VaR: hits have probability 0.01.

    Returns
    -------
    ZoneStarts
        `yellow` and `red`: smallest x with P(X <= x) of 95 % and of 99.99 %.

    Raises
    ------
    InputError
        An argument does not fit.

    References
    ----------
    .. [1] Basel Committee (1996), Supervisory Framework for the Use of "Backtesting", table 2.

    Examples
    --------
    >>> zone_starts(250, 0.99), zone_starts(750, 0.995)
    (ZoneStarts(yellow=5, red=10), ZoneStarts(yellow=7, red=13))
    """
    n_obs = whole_number(n_obs, "n_obs")
    p = tail_mass(confidence)

    def first_at(level: float) -> int:
        low, high = -1, n_obs
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if binomial_cdf(middle, n_obs, p) >= level else (middle, high)
        return high

    return ZoneStarts(first_at(YELLOW_FROM), first_at(RED_FROM))


def basel_tables(n_hits: Any = range(16), n_obs: int = BASEL_WINDOW, true_coverage: float = BASEL_CONFIDENCE) -> Any:
    """Tabulate, as Basel's table 1 does, what a supervisor gets wrong who rejects from k hits on.

    Parameters
    ----------
    n_hits : sequence of int
        The numbers k.
    n_obs : int
        Number of days.
    true_coverage : float
        What the model really covers: 0.99 for a correct 99 % model, 0.97 for one that covers too little.

    Returns
    -------
    DataFrame
        index k; columns `exact` P(X = k), `type1` P(X >= k), `type2` P(X < k), as fractions.

    Raises
    ------
    InputError
        An argument does not fit.

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
    p = tail_mass(true_coverage)
    type2 = np.array([binomial_cdf(int(k) - 1, n_obs, p) for k in hits])
    type1 = np.array([binomial_upper_tail(int(k), n_obs, p) for k in hits])
    columns = {"exact": binomial_pmf(n_obs, p)[hits], "type1": type1, "type2": type2}
    return pd.DataFrame(columns, index=pd.Index(hits, name="k"))


def _zone(cumulative: float) -> str:
    if cumulative >= RED_FROM:
        return "red"
    return "yellow" if cumulative >= YELLOW_FROM else "green"


def _is_basel(n_obs: int, confidence: float) -> bool:
    return n_obs == BASEL_WINDOW and abs(confidence - BASEL_CONFIDENCE) < 1e-12


def _plus_factor(zone: str, n_hits: int, n_obs: int, confidence: float) -> float:
    if zone != "yellow":
        return 0.0 if zone == "green" else 1.0
    if _is_basel(n_obs, confidence):
        return BASEL_PLUS[n_hits]
    return float(min(max(BASEL_BASE * (_quantile_ratio(n_hits, n_obs, confidence) - 1.0), 0.0), 1.0))


def _quantile_ratio(n_hits: int, n_obs: int, confidence: float) -> float:
    """By how much VaR must grow, were losses normal, to restore the coverage; infinite if half the days were hits."""
    seen = normal_quantile(1.0 - n_hits / n_obs)
    return float("inf") if seen <= 0.0 else max(normal_quantile(confidence) / seen, 1.0)
