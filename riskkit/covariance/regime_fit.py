"""Regimes of volatility, fitted: the variances and the chances of a change by maximum likelihood."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import labels_of, whole_number, with_labels
from riskkit._excel import Exported
from riskkit._show import Row, percent
from riskkit._types import ReturnsLike
from riskkit.covariance.garch import DECIMALS, ConvergenceWarning, sample_of
from riskkit.covariance.regimes import expectation, long_run_probabilities, regime_filter

PERSISTENCE = (0.9, 0.98)
"""Chances to stay in a regime from which the search starts."""
MOST_STEPS, TOLERANCE = 500, 1e-7
"""Of the EM algorithm, from whose end the likelihood is climbed: steps, and the gain of its mean that ends it."""
LARGEST_LOGIT, STEP = 12.0, 1e-5
"""Bound of the logarithm of the chance of a change over that to stay; and the step of a numerical derivative."""
FLAT = 1e-6
"""Gradient of the mean log-likelihood at a maximum."""
SMALLEST_SHARE = 1e-3
"""Floor of the variance of a regime, as a share of that of the returns: a regime of a few equal returns has no maximum."""


@dataclass(frozen=True, repr=False, eq=False)
class RegimeFit(Exported):
    """Regimes of normal returns with one mean, fitted by maximum likelihood; the calmest regime is the first.

    Attributes
    ----------
    mean : float
        Mean return per period, of all regimes.
    variances : (n_regimes,)
        Variance of the returns in each regime, ascending, in the square of the unit of the returns.
    transition : (n_regimes, n_regimes)
        Row i: probabilities of each regime in the period after one in regime i.
    log_likelihood : float
        Of the returns.
    converged : bool
        True if the search found a maximum.
    filtered : (n_obs, n_regimes)
        Probability of each regime, given the returns up to and with that of the period.
    smoothed : (n_obs, n_regimes)
        The same, given all returns.
    predicted : (n_regimes,)
        Probability of each regime in the period after the last.

    Examples
    --------
    >>> import numpy as np
    >>> from riskkit.covariance import fit_regimes
    >>> returns = np.repeat([0.01, 0.03, 0.01], 200) * np.random.default_rng(1).standard_normal(600)
    >>> np.sqrt(fit_regimes(returns).variances).round(3).tolist()
    [0.01, 0.03]
    """

    mean: float
    variances: np.ndarray
    transition: np.ndarray
    log_likelihood: float
    converged: bool
    filtered: Any
    smoothed: Any
    predicted: np.ndarray

    @property
    def next_volatility(self) -> float:
        """Forecast for the period after the last return."""
        return math.sqrt(float(self.forecast(1)[0]))

    @property
    def durations(self) -> np.ndarray:
        """Mean number of periods that each regime lasts."""
        with np.errstate(divide="ignore"):
            return 1.0 / (1.0 - np.diag(self.transition))

    def forecast(self, horizon: int) -> np.ndarray:
        """Variance of each of the next periods, (horizon,).

        Parameters
        ----------
        horizon : int
            Number of periods.
        """
        chances, path = self.predicted, np.empty(whole_number(horizon, "horizon"))
        for period in range(len(path)):
            path[period] = chances @ self.variances
            chances = chances @ self.transition
        return path

    def _title(self) -> str:
        return f"{len(self.variances)} regimes of volatility" + (
            "" if self.converged else " - the search did not converge"
        )

    def _rows(self) -> list[Row]:
        rows: list[Row] = [("mean", self.mean, "per period")]
        for i, variance in enumerate(self.variances):
            lasts = f"lasts {self.durations[i]:.3g} periods, now {percent(round(float(self.predicted[i]), 3))}"
            rows.append((f"volatility of regime {i}", math.sqrt(variance), lasts))
        return [
            *rows,
            ("log-likelihood", self.log_likelihood, ""),
            ("next volatility", self.next_volatility, "per period"),
        ]

    def to_frame(self) -> Any:
        """One row per regime: volatility, mean duration, probability in the long run and in the next period."""
        import pandas as pd

        columns = {
            "volatility": np.sqrt(self.variances),
            "duration": self.durations,
            "long_run": long_run_probabilities(self.transition),
            "next": self.predicted,
        }
        return pd.DataFrame(columns, index=pd.RangeIndex(len(self.variances), name="regime"))

    def plot(self, ax: Any = None) -> Any:
        """Draw the probability of the most volatile regime over time, given all returns."""
        ax = plot.axes(ax)
        rows = labels_of(self.smoothed, 0)
        index = np.arange(len(self.smoothed)) if rows is None else rows
        ax.fill_between(index, np.asarray(self.smoothed)[:, -1], lw=0, color=plot.WARM)
        ax.set_ylim(0.0, 1.0)
        ax.set_ylabel("probability of the most volatile regime")
        plot.dress(ax, self._title())
        return ax


def fit_regimes(returns: ReturnsLike, n_regimes: int = 2) -> RegimeFit:
    """Fit regimes of volatility: normal returns whose variance changes with an unseen Markov chain.

    Parameters
    ----------
    returns : (n_obs,) or (n_obs, 1)
        Returns per period, oldest first, at least 50; in any unit.
    n_regimes : int
        Number of regimes, at least 2. More regimes always raise the likelihood: compare n log-likelihoods less
        0.5 k ln(n_obs), with k = n_regimes² + 1 parameters.

    Returns
    -------
    RegimeFit
        The EM algorithm from several starts, then a quasi-Newton search from the best: EM does not see that the first regime
        depends on the chances of a change. A `ConvergenceWarning` is issued if no maximum was found.

    Raises
    ------
    InputError
        NaN, infinity, constant returns, fewer than 50, or dates out of order.

    References
    ----------
    Hamilton (1990), Analysis of time series subject to changes in regime, J. Econometrics 45, 39-70 (EM). Kim (1994), Dynamic
    linear models with Markov-switching, J. Econometrics 60, 1-22 (smoothed probabilities).

    Examples
    --------
    >>> returns = np.repeat([0.01, 0.03, 0.01], 200) * np.random.default_rng(1).standard_normal(600)
    >>> fit = fit_regimes(returns)
    >>> fit.smoothed[[100, 300, 500], 1].round(2).tolist(), round(fit.next_volatility, 3)
    ([0.0, 1.0, 0.0], 0.01)
    """
    array, unit = sample_of(returns, "a fit of regimes")
    count = whole_number(n_regimes, "n_regimes", at_least=2)
    scaled = np.round(array / unit, DECIMALS)
    best = max((_expectation_maximisation(scaled, count, stay) for stay in PERSISTENCE), key=lambda fit: fit[0])
    converged, mean, variances, transition = _climb(scaled, *best[1:])
    if not converged:
        warnings.warn(
            f"the fit of {count} regimes to {len(array)} returns found no maximum of the likelihood",
            ConvergenceWarning,
            stacklevel=2,
        )
    order = np.argsort(variances)
    variances, transition = variances[order], transition[np.ix_(order, order)]
    smoothed = expectation(scaled - mean, variances, transition, long_run_probabilities(transition))[3]
    found = regime_filter(returns, transition, variances * unit**2, mean=mean * unit)
    rows = labels_of(returns, 0)
    return RegimeFit(
        mean=mean * unit,
        variances=variances * unit**2,
        transition=transition,
        log_likelihood=found.log_likelihood,
        converged=converged,
        filtered=found.filtered,
        smoothed=with_labels(smoothed, rows, None if rows is None else range(count)),
        predicted=found.predicted,
    )


def _expectation_maximisation(
    scaled: np.ndarray, count: int, stay: float
) -> tuple[float, float, np.ndarray, np.ndarray]:
    """Log-likelihood, mean, variances and transition, from the squares in order of size and a chance to stay."""
    squares = np.sort((scaled - scaled.mean()) ** 2)
    variances = np.array([part.mean() for part in np.array_split(squares, count)]) + SMALLEST_SHARE
    transition = np.full((count, count), (1.0 - stay) / (count - 1))
    np.fill_diagonal(transition, stay)
    mean, height = float(scaled.mean()), -math.inf
    for _ in range(MOST_STEPS):
        start = long_run_probabilities(transition)
        total, _, _, smoothed, moves = expectation(scaled - mean, variances, transition, start)
        gain, height = (total - height) / len(scaled), total
        if gain < TOLERANCE:
            break
        weights = smoothed / variances
        mean = float((weights * scaled[:, None]).sum() / weights.sum())
        shares = smoothed.sum(axis=0)
        variances = np.maximum((smoothed * (scaled - mean)[:, None] ** 2).sum(axis=0) / shares, SMALLEST_SHARE)
        transition = moves / moves.sum(axis=1)[:, None]
    return height, mean, variances, transition


def _climb(
    scaled: np.ndarray, mean: float, variances: np.ndarray, transition: np.ndarray
) -> tuple[bool, float, np.ndarray, np.ndarray]:
    """Whether there is a maximum near, and the mean, variances and transition there."""
    from scipy.optimize import minimize

    count = len(variances)
    apart = ~np.eye(count, dtype=bool)

    def chances_of(logits: np.ndarray) -> np.ndarray:
        """Transition of the logarithms of chances of a change, over those to stay."""
        odds = np.ones((count, count))
        odds[apart] = np.exp(logits)
        return odds / odds.sum(axis=1)[:, None]

    def minus_mean(point: np.ndarray) -> tuple[float, np.ndarray]:
        """Minus the mean log-likelihood and its gradient: the expected gradient of that of known regimes (Fisher)."""
        spreads, logits = np.exp(point[1 : 1 + count]), point[1 + count :]
        chances = chances_of(logits)
        shocks = scaled - point[0]
        total, _, _, smoothed, moves = expectation(shocks, spreads, chances, long_run_probabilities(chances))
        ratios = smoothed * shocks[:, None] / spreads
        in_chances = (moves - moves.sum(axis=1)[:, None] * chances)[apart]
        for i, step in enumerate(STEP * np.eye(len(logits))):  # of the first regime, by differences
            starts = [long_run_probabilities(chances_of(logits + sign * step)) for sign in (1.0, -1.0)]
            in_chances[i] += smoothed[0] @ (np.log(starts[0]) - np.log(starts[1])) / (2.0 * STEP)
        in_spreads = 0.5 * ((ratios * shocks[:, None]).sum(axis=0) - smoothed.sum(axis=0))
        gradient = np.concatenate([[ratios.sum()], in_spreads, in_chances])
        return -total / len(scaled), -gradient / len(scaled)

    stay = np.repeat(np.diag(transition), count - 1)
    logits = np.clip(np.log(np.maximum(transition[apart], 1e-300) / stay), -LARGEST_LOGIT, LARGEST_LOGIT)
    least = [(None, None), *[(math.log(SMALLEST_SHARE), None)] * count]
    found = minimize(
        minus_mean,
        np.concatenate([[mean], np.log(variances), logits]),
        jac=True,
        method="L-BFGS-B",
        bounds=least + [(-LARGEST_LOGIT, LARGEST_LOGIT)] * len(logits),
        options={"ftol": 1e-15, "gtol": 1e-8, "maxiter": 1000},
    )
    converged = (
        found.success or np.abs(found.jac).max() < FLAT
    )  # a line search may end at the precision of the likelihood
    return bool(converged), float(found.x[0]), np.exp(found.x[1 : 1 + count]), chances_of(found.x[1 + count :])
