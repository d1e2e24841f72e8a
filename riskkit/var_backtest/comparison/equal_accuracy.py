"""Tests of equal forecast accuracy: Diebold-Mariano for two models, the model confidence set for many."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from riskkit import plot
from riskkit._check import (
    InputError,
    finite_array,
    labels_of,
    one_of,
    probability,
    refuse_disorder,
    refuse_overflow,
    single_series,
    whole_number,
)
from riskkit._excel import Exported
from riskkit._show import Row, brief, percent
from riskkit.var_backtest.core.distributions import student_t_two_sided
from riskkit.var_backtest.core.docs import documented
from riskkit.var_backtest.core.outcome import TestResult, undefined
from riskkit.var_backtest.core.simulated_hits import generator

CHUNK = 2_000_000


@documented
def diebold_mariano(scores_a: Any, scores_b: Any, *, horizon: int = 1) -> TestResult:
    """Diebold and Mariano's test that two forecasts are equally good, with the small-sample correction.

    Parameters
    ----------
    scores_a, scores_b : (n_obs,) array or Series
        Scores of the two models on the same days, smaller is better, for example from `fz0_loss`.
    horizon : int
        Forecast horizon in periods: autocovariances up to horizon - 1 enter the variance.

    Returns
    -------
    Outcome
        statistic = mean d/sqrt(var/n), d = scores_a - scores_b, var with divisor n, times
        sqrt((n + 1 - 2h + h(h-1)/n)/n); Student t with n-1 df, two-sided. Negative: the first model is better.
        Undefined with fewer than two days or a variance that is not above zero; models with equal scores on every day
        are equally good (statistic 0).

    References
    ----------
    .. [1] Diebold and Mariano (1995), Comparing Predictive Accuracy.
    .. [2] Harvey, Leybourne and Newbold (1997), Testing the Equality of Prediction Mean Squared Errors.

    Examples
    --------
    >>> outcome = diebold_mariano([1.0, 2.0, 1.5, 1.0], [1.5, 2.0, 2.5, 1.5])
    >>> round(outcome.statistic, 4), round(outcome.p_value, 4)
    (-2.4495, 0.0917)
    """
    first, second = single_series(scores_a, "scores_a", ordered=True), single_series(scores_b, "scores_b", ordered=True)
    if first.shape != second.shape:
        raise InputError(f"scores_a has {first.size} days and scores_b {second.size}; they need the same days")
    horizon = whole_number(horizon, "horizon")
    difference = first - second
    n_obs, mean = difference.size, float(difference.mean())
    name, null = "Diebold-Mariano", "the two models have equal expected scores"
    if n_obs < 2 or horizon >= n_obs:
        return undefined(name, null, f"{n_obs} day(s), and horizon {horizon} needs more")
    if not difference.any():
        return TestResult(name, null, "equal scores on every day", 0.0, f"Student t, {n_obs - 1} df", 1.0, df=n_obs - 1)
    centered = difference - mean
    variance = float(centered @ centered) / n_obs
    for lag in range(1, horizon):
        variance += 2.0 * float(centered[lag:] @ centered[:-lag]) / n_obs
    if variance <= (1e-14 * np.abs(difference).max()) ** 2:
        return undefined(name, null, "the difference in scores does not vary")
    correction = (n_obs + 1 - 2 * horizon + horizon * (horizon - 1) / n_obs) / n_obs
    statistic = mean / math.sqrt(variance / n_obs) * math.sqrt(max(correction, 0.0))
    better = "first" if mean < 0 else "second"
    return TestResult(
        name,
        null,
        f"the {better} model's scores are lower by {brief(abs(mean))} a day",
        statistic,
        f"Student t, {n_obs - 1} df, two-sided",
        student_t_two_sided(statistic, n_obs - 1),
        df=n_obs - 1,
        details={"mean_difference": mean},
    )


@dataclass(frozen=True, repr=False)
class ConfidenceSet(Exported):
    """Model confidence set: models ranked by mean score, and those that cannot be distinguished from the best.

    Attributes
    ----------
    models : tuple of str
        Names, best first.
    mean_scores : tuple of float
        Mean score of each model, smaller is better.
    p_values : tuple of float
        P-value of each model; those above 1 - confidence are in the set.
    confidence : float
        Probability as a fraction that the set contains the best model: 0.9 for 90 %.
    statistic : {"range", "max"}
        Test statistic.

    Examples
    --------
    >>> ConfidenceSet(("ewma", "flat"), (0.1, 0.2), (1.0, 0.03), 0.9, "range").included
    ('ewma',)
    """

    models: tuple[str, ...]
    mean_scores: tuple[float, ...]
    p_values: tuple[float, ...]
    confidence: float
    statistic: str

    @property
    def included(self) -> tuple[str, ...]:
        """Models of the set, which contains the best model with the stated confidence."""
        return tuple(m for m, p in zip(self.models, self.p_values, strict=True) if p > 1.0 - self.confidence)

    def to_frame(self) -> Any:
        """Return a frame indexed by model: mean_score, p_value, included."""
        import pandas as pd

        frame = pd.DataFrame({"mean_score": self.mean_scores, "p_value": self.p_values}, index=list(self.models))
        frame["included"] = frame["p_value"] > 1.0 - self.confidence
        return frame.rename_axis("model")

    def plot(self, ax: Any = None) -> Any:
        """Draw the p-value of each model, and the line above which it is in the set."""
        n_included = len(self.included)
        title = f"{n_included} of {len(self.models)} models may be the best ({percent(self.confidence)} set)"
        ax = plot.bars({"": self.p_values}, list(self.models), label="p-value", title=title, ax=ax)
        ax.axvline(1.0 - self.confidence, color=plot.WARM, ls="--", lw=1)
        return ax

    def _title(self) -> str:
        return f"Model confidence set, {percent(self.confidence)}"

    def _rows(self) -> Iterable[Row]:
        included = self.included
        for model, score, p_value in zip(self.models, self.mean_scores, self.p_values, strict=True):
            yield model, score, f"p = {p_value:.3g}{', in the set' if model in included else ''}"


@documented
def model_confidence_set(
    scores: Any,
    set_confidence: float = 0.9,
    *,
    statistic: Literal["range", "max"] = "range",
    block: int | None = None,
    n_bootstrap: int = 1_000,
    rng: np.random.Generator | None = None,
) -> ConfidenceSet:
    """Hansen, Lunde and Nason's model confidence set.

    Parameters
    ----------
    scores : (n_obs, n_models) array or DataFrame
        Scores of every model on the same days, smaller is better.
    set_confidence : float
        Probability as a fraction that the set contains the best model: 0.9 for 90 %.
    statistic : {"range", "max"}
        Largest t of a pair of models (T_R), or of a model against the average (T_max).
    block : int, optional
        Mean block length of the stationary bootstrap in days; by default the cube root of n_obs, rounded up.

    Returns
    -------
    ConfidenceSet
        Models are eliminated one by one, the worst first, until equal accuracy is not rejected.

    References
    ----------
    .. [1] Hansen, Lunde and Nason (2011), The Model Confidence Set, section 3.
    .. [2] Politis and Romano (1994), The Stationary Bootstrap.

    Examples
    --------
    >>> noise = np.random.default_rng(1).standard_normal((500, 2))
    >>> table = np.column_stack([noise, noise[:, 0] + 1.0 + 0.1 * noise[:, 1]])
    >>> model_confidence_set(table).included
    ('0',)
    """
    table = finite_array(scores, "scores", ndim=2)
    refuse_overflow(table, "scores")
    refuse_disorder(scores, "scores")
    labels = labels_of(scores, 1)
    names = [str(name) for name in (range(table.shape[1]) if labels is None else labels)]
    one_of(statistic, ("range", "max"), "statistic")
    level = probability(set_confidence, "set_confidence")
    n_obs, n_models = table.shape
    block = math.ceil(n_obs ** (1 / 3)) if block is None else whole_number(block, "block")
    n_bootstrap = whole_number(n_bootstrap, "n_bootstrap")
    means = table.mean(axis=0)
    resampled = _stationary_bootstrap_means(table, block, n_bootstrap, generator(rng)) - means
    remaining = list(range(n_models))
    removed: list[tuple[int, float]] = []
    p_value = 0.0
    while len(remaining) > 1:
        worst, p_value_of_step = _equality(means[remaining], resampled[:, remaining], statistic)
        p_value = max(p_value, p_value_of_step)
        removed.append((remaining.pop(worst), p_value))
    by_model = dict([*removed, (remaining[0], 1.0)])
    # By score; models of equal score in the order given.
    order = sorted(range(n_models), key=lambda model: (means[model], model))
    return ConfidenceSet(
        models=tuple(names[model] for model in order),
        mean_scores=tuple(float(means[model]) for model in order),
        p_values=tuple(float(by_model[model]) for model in order),
        confidence=level,
        statistic=statistic,
    )


def _equality(means: np.ndarray, resampled: np.ndarray, statistic: str) -> tuple[int, float]:
    """Return the model to eliminate if the models are not equal, and the p-value of their equality."""
    if statistic == "max":
        gap, gap_resampled = means - means.mean(), resampled - resampled.mean(axis=1, keepdims=True)
        t, t_resampled = _studentized(gap, gap_resampled)
        return int(np.argmax(t)), float(np.mean(t_resampled.max(axis=1) >= t.max()))
    i, j = np.triu_indices(means.size, 1)
    t, t_resampled = _studentized(means[i] - means[j], resampled[:, i] - resampled[:, j])
    p_value = float(np.mean(np.abs(t_resampled).max(axis=1) >= np.abs(t).max()))
    worst = np.full(means.size, -np.inf)
    np.maximum.at(worst, i, t)
    np.maximum.at(worst, j, -t)
    return int(np.argmax(worst)), p_value


def _studentized(gap: np.ndarray, resampled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Divide by the bootstrap standard error; a constant gap becomes zero or infinite."""
    error = np.sqrt(np.mean(resampled**2, axis=0))
    flat = error <= 1e-14 * np.maximum(np.abs(gap), 1e-300)
    safe = np.where(flat, 1.0, error)
    t = gap / safe
    t[flat & (gap != 0.0)] = np.copysign(np.inf, gap[flat & (gap != 0.0)])
    return t, resampled / safe


def _stationary_bootstrap_means(
    table: np.ndarray, block: int, n_bootstrap: int, rng: np.random.Generator
) -> np.ndarray:
    """Means of stationary bootstrap resamples, shape (n_bootstrap, n_models).

    A resample is a few blocks of consecutive days on a circle, so its mean follows from differences of one cumulative
    sum.
    """
    n_obs, n_models = table.shape
    total = np.vstack([np.zeros(n_models), np.cumsum(np.vstack([table, table]), axis=0)])
    max_blocks = int(n_obs / block + 8.0 * math.sqrt(n_obs / block) + 16.0)
    means = np.empty((n_bootstrap, n_models))
    step = max(1, CHUNK // (max_blocks * n_models))
    for first in range(0, n_bootstrap, step):
        rows = min(step, n_bootstrap - first)
        ends = np.minimum(np.cumsum(rng.geometric(1.0 / block, size=(rows, max_blocks)), axis=1), n_obs)
        ends[:, -1] = n_obs
        lengths = np.diff(ends, axis=1, prepend=0)
        starts = rng.integers(0, n_obs, size=(rows, max_blocks))
        means[first : first + rows] = (total[starts + lengths] - total[starts]).sum(axis=1) / n_obs
    return means
