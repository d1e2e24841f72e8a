"""Sequential tests by e-processes, valid under daily monitoring with optional stopping.

An e-process is the wealth of a gambler who bets against the model at fair odds, starting with 1. Under a correct model
the probability that it *ever* reaches 1/significance is at most `significance` (Ville's inequality), whatever the
monitoring and stopping rule. Bets for day t use only days before t.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from riskkit._check import InputError, labels_of, one_of, positive, probability, with_labels
from riskkit._excel import Exported
from riskkit._show import Row, percent, short_label
from riskkit._tail import DEFAULT_CONFIDENCE, tail_probability
from riskkit._types import ReturnsLike
from riskkit.plot import STRONG, WARM, axes, literal
from riskkit.var_backtest.core.docs import documented
from riskkit.var_backtest.core.hits import es_sample, hit_array

HIT_ODDS = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
CLUSTER_ODDS = (3.0, 10.0, 30.0)
ES_BETS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0)
MAX_BET = 0.5


@dataclass(frozen=True, repr=False)
class EProcess(Exported):
    """Evidence against a forecast, day by day.

    Attributes
    ----------
    name : str
        Name of the test.
    null : str
        Null hypothesis, in words.
    log_e : (n_obs,) array
        Natural logarithm of the e-process after each day.
    significance : float
        Size of the test as a fraction; the alarm is raised when the evidence reaches 1/significance.
    index : Index or None
        Labels of the days, if the returns have any.

    Examples
    --------
    >>> process = EProcess("VaR", "VaR is not too small", np.log([1.0, 2.0, 25.0]), 0.05)
    >>> process.alarm, round(process.p_value, 4)
    (2, 0.04)
    """

    name: str
    null: str
    log_e: np.ndarray
    significance: float
    index: Any = None

    @property
    def e_process(self) -> Any:
        """Evidence after each day: array, or Series with the labels of the input."""
        return with_labels(np.exp(np.minimum(self.log_e, 700.0)), self.index, name="e_process")

    @property
    def alarm(self) -> int | None:
        """First day (position from 0) on which the evidence reached 1/significance, or None."""
        reached = np.flatnonzero(self.log_e >= -np.log(self.significance))
        return int(reached[0]) if reached.size else None

    @property
    def p_value(self) -> float:
        """Anytime-valid p-value: 1 over the largest evidence so far, at most 1."""
        return float(np.exp(-max(float(self.log_e.max()), 0.0)))

    @property
    def reject(self) -> bool:
        """True if the evidence ever reached 1/significance."""
        return self.alarm is not None

    @property
    def verdict(self) -> str:
        """Alarm and p-value in one sentence."""
        if self.alarm is None:
            return f"no alarm in {self.log_e.size:,} days; anytime p = {self.p_value:.3g}"
        day = f"day {self.alarm + 1:,}" if self.index is None else short_label(self.index[self.alarm])
        return f"ALARM on {day} at {percent(self.significance)}; anytime p = {self.p_value:.3g}"

    def to_frame(self) -> Any:
        """Return a frame by day: evidence, largest evidence so far, anytime p-value, alarm."""
        import pandas as pd

        largest = np.maximum.accumulate(np.maximum(self.log_e, 0.0))
        columns = {
            "e_process": np.exp(np.minimum(self.log_e, 700.0)),
            "largest": np.exp(np.minimum(largest, 700.0)),
            "p_value": np.exp(-largest),
            "alarm": largest >= -np.log(self.significance),
        }
        return pd.DataFrame(columns, index=self.index)

    def plot(self, ax: Any = None) -> Any:
        """Draw the evidence on a logarithmic axis, and the line at which it rejects."""
        ax = axes(ax, width=9, height=3)
        days = np.arange(1, self.log_e.size + 1) if self.index is None else self.index
        ax.plot(days, self.log_e / np.log(10.0), color=STRONG, label=literal(self.name))
        label = f"rejects at {percent(self.significance)}"
        ax.axhline(-np.log10(self.significance), color=WARM, ls="--", label=label)
        ax.axhline(0.0, color="0.7", lw=0.8)
        ax.set_ylabel("evidence, power of ten")
        ax.set_title(literal(self.verdict), loc="left", fontsize="medium")
        ax.legend(loc="best", frameon=False)
        return ax

    def _title(self) -> str:
        return self.name

    def _rows(self) -> Iterable[Row]:
        yield "null hypothesis", "", self.null
        yield "days", self.log_e.size, ""
        yield "evidence now", float(np.exp(min(self.log_e[-1], 700.0))), ""
        yield "largest evidence", float(np.exp(min(self.log_e.max(), 700.0))), f"rejects at {1 / self.significance:g}"
        yield "anytime p-value", self.p_value, ""
        yield "verdict", "", self.verdict


@documented
def var_e_process(
    hits: Any,
    confidence: float = DEFAULT_CONFIDENCE,
    *,
    hit_odds: Sequence[float] = HIT_ODDS,
    cluster_odds: Sequence[float] = CLUSTER_ODDS,
    significance: float = 0.05,
) -> EProcess:
    """Sequential test that VaR is not understated, valid at any day.

    Parameters
    ----------
    hit_odds : sequence of float
        Bets that the odds of a hit are this multiple of p/(1-p) on every day. A multiple below 1 bets on too few hits;
        the null is then that hits have exactly probability p.
    cluster_odds : sequence of float
        Bets that the odds of a hit are this multiple of p/(1-p) on the day after a hit, and p/(1-p) on other days.

    Returns
    -------
    EProcess
        Mean wealth of all bets: likelihood ratios of the alternative to p.

    References
    ----------
    .. [1] Ville (1939), Etude critique de la notion de collectif.
    .. [2] Shafer (2021), Testing by Betting: A Strategy for Statistical and Scientific Communication.

    Examples
    --------
    >>> process = var_e_process([True] * 5, 0.99)
    >>> process.alarm, round(process.p_value, 5)
    (2, 2e-05)
    """
    array, p = hit_array(hits), tail_probability(confidence)
    odds = np.array([positive(value, "hit_odds") for value in hit_odds], dtype=float)
    after = np.array([positive(value, "cluster_odds") for value in cluster_odds], dtype=float)
    if odds.size + after.size == 0:
        raise InputError("hit_odds and cluster_odds are both empty; give at least one bet")
    # Odds o times as high: P(hit) = o p/(1 - p + o p). The gain of a bet is the likelihood ratio of the outcome.
    every_day = np.where(array, odds[:, None], 1.0) / (1.0 - p + odds[:, None] * p)
    yesterday = np.concatenate([[False], array[:-1]])
    next_day = np.where(yesterday, np.where(array, after[:, None], 1.0) / (1.0 - p + after[:, None] * p), 1.0)
    log_wealth = np.cumsum(np.log(np.vstack([every_day, next_day])), axis=1)
    exactly = "exactly" if min(*odds, *after, 1.0) < 1.0 else "at most"
    return EProcess(
        "E-process of VaR hits",
        f"whatever happened before, the next hit has probability {exactly} {percent(p)}",
        _log_mean(log_wealth),
        probability(significance, "significance"),
        labels_of(hits, 0),
    )


@documented
def es_e_process(
    returns: ReturnsLike,
    var: Any,
    es: Any,
    confidence: float = DEFAULT_CONFIDENCE,
    *,
    method: Literal["mixture", "gree"] = "mixture",
    significance: float = 0.05,
) -> EProcess:
    """Sequential test that ES is not understated, valid at any day.

    Parameters
    ----------
    method : {"mixture", "gree"}
        Bets on the e-values e = (loss - VaR)+/(p (ES - VaR)): the mean of constant bets, or the bet with the largest
        growth rate so far (GREE, by its Taylor approximation, at most 1/2).

    Returns
    -------
    EProcess
        Product of 1 - bet + bet × e. Where ES equals VaR, a loss beyond VaR rejects for certain.

    References
    ----------
    .. [1] Wang, Wang and Ziegel (2022), E-backtesting: the e-statistic of ES with VaR, and GREE.

    Examples
    --------
    >>> process = es_e_process([-0.05] * 4, 0.02, 0.025, 0.975)
    >>> process.reject
    True
    """
    checked, p = es_sample(returns, var, es, positive_es=False), tail_probability(confidence)
    one_of(method, ("mixture", "gree"), "method")
    margin = checked.es - checked.var
    if (margin < 0.0).any():
        day = int(np.argmax(margin < 0.0))
        raise InputError(f"es is below var at position {day}; expected shortfall is at least VaR")
    beyond = np.maximum(-checked.returns - checked.var, 0.0)
    e_values = np.full(beyond.size, 1.0)
    np.divide(beyond, p * margin, out=e_values, where=margin > 0.0)
    e_values[(margin == 0.0) & (beyond > 0.0)] = np.inf
    if method == "mixture":
        bets = np.minimum(p * np.array(ES_BETS), MAX_BET)[:, None]
        log_e = _log_mean(np.cumsum(np.log(1.0 - bets + bets * e_values), axis=1))
    else:
        bet = _growth_optimal(e_values)
        # A bet of zero gains nothing, even on an infinite e-value.
        gain = np.where(bet > 0.0, 1.0 - bet + bet * np.where(bet > 0.0, e_values, 1.0), 1.0)
        log_e = np.cumsum(np.log(gain))
    return EProcess(
        f"E-process of ES ({method})",
        "whatever happened before, losses beyond VaR are on average no larger than ES",
        log_e,
        probability(significance, "significance"),
        checked.index,
    )


def _growth_optimal(e_values: np.ndarray) -> np.ndarray:
    """Bet of each day from the e-values before it: sum(e - 1)/sum((e - 1)^2), between 0 and 1/2."""
    gain = np.where(np.isfinite(e_values), e_values, 1e12) - 1.0
    first = np.concatenate([[0.0], np.cumsum(gain)[:-1]])
    second = np.concatenate([[0.0], np.cumsum(gain**2)[:-1]])
    bet = np.divide(first, second, out=np.zeros(gain.size), where=second > 0.0)
    return np.asarray(np.clip(bet, 0.0, MAX_BET))


def _log_mean(log_values: np.ndarray) -> np.ndarray:
    """Logarithm of the mean over rows of exp(log_values)."""
    largest = log_values.max(axis=0)
    finite = np.where(np.isfinite(largest), largest, 0.0)
    with np.errstate(over="ignore"):
        return np.asarray(
            np.where(np.isfinite(largest), finite + np.log(np.mean(np.exp(log_values - finite), axis=0)), largest)
        )
