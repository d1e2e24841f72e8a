"""Which forecast is better, and could it be luck? Diebold-Mariano for two models, the confidence set for many."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import InputError, confidence_level, finite_array, labels_of, one_of, whole_number
from riskkit._show import Row, Shown, percent
from riskkit.var_backtest.distributions import student_t_two_sided
from riskkit.var_backtest.outcome import Outcome, undefined
from riskkit.var_backtest.simulated_hits import generator

__all__ = ["ConfidenceSet", "diebold_mariano", "model_confidence_set"]


def diebold_mariano(losses: Any, losses_b: Any, *, horizon: int = 1) -> Outcome:
    """Diebold and Mariano's test that two forecasts are equally good, with the small-sample correction.

    Parameters
    ----------
    losses, losses_b : (n_obs,) array or Series
        Losses (scores) of the two models on the same days, for example from `fz0_loss`.
    horizon : int
        Forecast horizon in periods: autocovariances up to horizon - 1 enter the variance.

    Returns
    -------
    Outcome
        statistic = mean d/sqrt(var/n), d = losses - losses_b, var with divisor n, times
        sqrt((n + 1 - 2h + h(h-1)/n)/n); Student t with n-1 df, two-sided. Negative: the first model is better.
        Undefined with fewer than two days or a variance that is not above zero; models with equal losses on every day
        are equally good (statistic 0).

    Raises
    ------
    InputError
        Lengths differ, or something is not finite.

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
    first, second = finite_array(losses, "losses", ndim=1), finite_array(losses_b, "losses_b", ndim=1)
    if first.shape != second.shape:
        raise InputError(f"losses has {first.size} days and losses_b {second.size}; they need the same days")
    horizon = whole_number(horizon, "horizon")
    difference = first - second
    n_obs, mean = difference.size, float(difference.mean())
    name, null = "Diebold-Mariano", "the two models have equal expected losses"
    if n_obs < 2 or horizon >= n_obs:
        return undefined(name, null, f"{n_obs} day(s), and horizon {horizon} needs more")
    if not difference.any():
        return Outcome(name, null, "equal losses on every day", 0.0, f"Student t, {n_obs - 1} df", 1.0, df=n_obs - 1)
    centred = difference - mean
    variance = float(centred @ centred) / n_obs
    for lag in range(1, horizon):
        variance += 2.0 * float(centred[lag:] @ centred[:-lag]) / n_obs
    if variance <= (1e-14 * np.abs(difference).max()) ** 2:
        return undefined(name, null, "the difference in losses does not vary")
    correction = (n_obs + 1 - 2 * horizon + horizon * (horizon - 1) / n_obs) / n_obs
    statistic = mean / math.sqrt(variance / n_obs) * math.sqrt(max(correction, 0.0))
    better = "first" if mean < 0 else "second"
    return Outcome(
        name,
        null,
        f"the {better} model's losses are lower by {abs(mean):.4g} a day",
        statistic,
        f"Student t, {n_obs - 1} df, two-sided",
        student_t_two_sided(statistic, n_obs - 1),
        df=n_obs - 1,
        details={"mean_difference": mean},
    )


CHUNK = 2_000_000


@dataclass(frozen=True, repr=False)
class ConfidenceSet(Shown):
    """Models ranked by loss, and those that no test can tell from the best.

    Attributes
    ----------
    models : tuple of str
        Best first.
    mean_losses : tuple of float
        Mean loss of each model, in the unit of the losses.
    p_values : tuple of float
        Level down to which each model stays in the set.
    confidence : float
        0.9 means that the set holds the best model in 90 % of samples.
    statistic : str
        "range" or "max".

    Examples
    --------
    >>> ConfidenceSet(("ewma", "flat"), (0.1, 0.2), (1.0, 0.03), 0.9, "range").included
    ('ewma',)
    """

    models: tuple[str, ...]
    mean_losses: tuple[float, ...]
    p_values: tuple[float, ...]
    confidence: float
    statistic: str

    @property
    def included(self) -> tuple[str, ...]:
        """Models that contain the best one with the stated confidence."""
        return tuple(m for m, p in zip(self.models, self.p_values, strict=True) if p > 1.0 - self.confidence)

    def to_frame(self) -> Any:
        """Return a frame indexed by model: mean loss, p-value, whether included."""
        import pandas as pd

        frame = pd.DataFrame({"mean_loss": self.mean_losses, "p_value": self.p_values}, index=list(self.models))
        frame["included"] = frame["p_value"] > 1.0 - self.confidence
        return frame.rename_axis("model")

    def plot(self, ax: Any = None) -> Any:
        """Draw the p-value of each model, with the line above which it is in the set."""
        among = len(self.included)
        title = f"{among} of {len(self.models)} models may be the best ({percent(self.confidence)} set)"
        ax = plot.bars({"": self.p_values}, list(self.models), label="p-value", title=title, ax=ax)
        ax.axvline(1.0 - self.confidence, color=plot.WARM, ls="--", lw=1)
        return ax

    def _title(self) -> str:
        return f"Model confidence set, {percent(self.confidence)}"

    def _rows(self) -> Iterable[Row]:
        kept = self.included
        for model, loss, p_value in zip(self.models, self.mean_losses, self.p_values, strict=True):
            yield model, loss, f"p = {p_value:.3g}{', in the set' if model in kept else ''}"


def model_confidence_set(
    losses: Any,
    *,
    confidence: float = 0.9,
    statistic: str = "range",
    block: int | None = None,
    n_bootstrap: int = 1_000,
    rng: np.random.Generator | None = None,
) -> ConfidenceSet:
    """Hansen, Lunde and Nason's model confidence set: the models that may be the best.

    Parameters
    ----------
    losses : (n_obs, n_models) array or DataFrame
        Losses of every model on the same days.
    confidence : float
        Probability that the set contains the best model.
    statistic : {"range", "max"}
        Largest t of a pair of models (T_R), or of a model against the average (T_max).
    block : int, optional
        Mean block length of the stationary bootstrap; by default the cube root of n_obs, rounded up.
    n_bootstrap : int
        Number of resamples.
    rng : numpy.random.Generator, optional
        Source of the draws; by default one with the fixed seed `DEFAULT_SEED`.

    Returns
    -------
    ConfidenceSet
        Models are taken out one by one, the worst first, until equality is not rejected.

    Raises
    ------
    InputError
        `losses` is not a table of finite numbers, or an option does not fit.

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
    table = finite_array(losses, "losses", ndim=2)
    labels = labels_of(losses, 1)
    names = [str(name) for name in (range(table.shape[1]) if labels is None else labels)]
    one_of(statistic, ("range", "max"), "statistic")
    level = confidence_level(confidence)
    n_obs, n_models = table.shape
    block = math.ceil(n_obs ** (1 / 3)) if block is None else whole_number(block, "block")
    n_bootstrap = whole_number(n_bootstrap, "n_bootstrap")
    means = table.mean(axis=0)
    resampled = _stationary_bootstrap_means(table, block, n_bootstrap, generator(rng)) - means
    alive = list(range(n_models))
    removed: list[tuple[int, float]] = []
    p_value = 0.0
    while len(alive) > 1:
        worst, own_p_value = _equality(means[alive], resampled[:, alive], statistic)
        p_value = max(p_value, own_p_value)
        removed.append((alive.pop(worst), p_value))
    by_model = dict([*removed, (alive[0], 1.0)])
    # By loss; models of equal loss in the order given.
    order = sorted(range(n_models), key=lambda model: (means[model], model))
    return ConfidenceSet(
        models=tuple(names[model] for model in order),
        mean_losses=tuple(float(means[model]) for model in order),
        p_values=tuple(float(by_model[model]) for model in order),
        confidence=level,
        statistic=statistic,
    )


def _equality(means: np.ndarray, resampled: np.ndarray, statistic: str) -> tuple[int, float]:
    """Return which model to take out if the models are not equal, and the p-value of their equality."""
    if statistic == "max":
        gap, gap_resampled = means - means.mean(), resampled - resampled.mean(axis=1, keepdims=True)
        t, t_resampled = _studentised(gap, gap_resampled)
        return int(np.argmax(t)), float(np.mean(t_resampled.max(axis=1) >= t.max()))
    i, j = np.triu_indices(means.size, 1)
    t, t_resampled = _studentised(means[i] - means[j], resampled[:, i] - resampled[:, j])
    p_value = float(np.mean(np.abs(t_resampled).max(axis=1) >= np.abs(t).max()))
    worst = np.full(means.size, -np.inf)
    np.maximum.at(worst, i, t)
    np.maximum.at(worst, j, -t)
    return int(np.argmax(worst)), p_value


def _studentised(gap: np.ndarray, resampled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Divide by the bootstrap standard error; a gap that never varies is nothing, or everything."""
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

    A resample is a handful of blocks of consecutive days on a circle, so its mean comes from differences of one
    cumulative sum.
    """
    n_obs, n_models = table.shape
    total = np.vstack([np.zeros(n_models), np.cumsum(np.vstack([table, table]), axis=0)])
    most = int(n_obs / block + 8.0 * math.sqrt(n_obs / block) + 16.0)
    means = np.empty((n_bootstrap, n_models))
    step = max(1, CHUNK // (most * n_models))
    for first in range(0, n_bootstrap, step):
        rows = min(step, n_bootstrap - first)
        ends = np.minimum(np.cumsum(rng.geometric(1.0 / block, size=(rows, most)), axis=1), n_obs)
        ends[:, -1] = n_obs
        lengths = np.diff(ends, axis=1, prepend=0)
        starts = rng.integers(0, n_obs, size=(rows, most))
        # A block as long as the sample goes once round the circle.
        means[first : first + rows] = (total[starts + lengths] - total[starts]).sum(axis=1) / n_obs
    return means
