"""Entropy pooling: the probabilities of scenarios that meet views and are otherwise as near as possible to the prior."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import InputError, finite_array, finite_number, labels_of, observations, with_labels
from riskkit._plain import mapping_of
from riskkit._show import Row, Shown


@dataclass(frozen=True, repr=False, eq=False)
class PooledScenarios(Shown):
    """Probabilities of scenarios under views.

    Attributes
    ----------
    probabilities : (n_scenarios,)
        Of the scenarios, with a sum of 1.
    mean : (n_factors,)
        Mean of each factor under them.
    covariance : (n_factors, n_factors)
        Covariance under them.
    relative_entropy : float
        Distance from the prior, in natural units: zero where the views change nothing.
    effective_scenarios : float
        Exponential of the entropy: about so many scenarios have weight. Few of them means views far from the scenarios.

    Examples
    --------
    >>> from riskkit.stress import entropy_pooling
    >>> entropy_pooling([-1.0, 0.0, 2.0], {0: 0.8}).probabilities.round(3).tolist()
    [0.211, 0.283, 0.506]
    """

    probabilities: Any
    mean: Any
    covariance: Any
    relative_entropy: float
    effective_scenarios: float

    def expected(self, values: Any) -> Any:
        """Mean of values per scenario, such as the P&L of a book.

        Parameters
        ----------
        values : (n_scenarios,) or (n_scenarios, n_series)
            One row per scenario.

        Returns
        -------
        float or (n_series,)
            In the unit of `values`.
        """
        array = observations(values, "values")
        weights = np.asarray(self.probabilities)
        if len(array) != len(weights):
            raise InputError(f"values has {len(array)} rows for {len(weights)} scenarios; give one each")
        answer = weights @ array
        return float(answer) if array.ndim == 1 else with_labels(answer, labels_of(values, 1))

    def _title(self) -> str:
        return f"{len(self.probabilities):,} scenarios under views"

    def _rows(self) -> list[Row]:
        largest = float(np.max(np.asarray(self.probabilities)))
        return [
            ("effective scenarios", self.effective_scenarios, ""),
            ("relative entropy", self.relative_entropy, ""),
            ("largest probability", largest, ""),
        ]

    def plot(self, ax: Any = None) -> Any:
        """Draw the probabilities in the order of the scenarios."""
        ax = plot.axes(ax)
        ax.plot(np.asarray(self.probabilities), lw=1, color=plot.STRONG)
        ax.set_xlabel("scenario")
        ax.set_ylabel("probability")
        plot.dress(ax, f"{self.effective_scenarios:,.0f} of {len(self.probabilities):,} scenarios have weight")
        return ax


def entropy_pooling(
    scenarios: Any,
    means: Mapping[Any, float] | None = None,
    variances: Mapping[Any, float] | None = None,
    *,
    prior: Any = None,
) -> PooledScenarios:
    """Weigh scenarios so that views on means and variances hold, with the least relative entropy to the prior.

    Parameters
    ----------
    scenarios : (n_scenarios, n_factors)
        Moves of the factors, or any numbers per scenario that views are on: returns, their products, P&L.
    means : mapping, optional
        {factor: mean}, by name, or by position where `scenarios` have no names.
    variances : mapping, optional
        {factor: variance}; the mean of a factor without a view on it stays that of the prior.
    prior : (n_scenarios,), optional
        Probabilities before the views, above zero; equal by default.

    Returns
    -------
    PooledScenarios
        With the labels of the scenarios and factors.

    Raises
    ------
    InputError
        NaN, an unknown factor, no view, a variance not above zero, or views that no probabilities of these scenarios meet.

    References
    ----------
    Meucci (2008), Fully flexible views: theory and practice, Risk 21(10), 97-102.

    Examples
    --------
    >>> found = entropy_pooling([[-2.0, 1.0], [-1.0, -1.0], [0.0, 0.5], [1.0, 2.0], [3.0, -0.5]], {0: 0.6}, {0: 2.2})
    >>> found.probabilities.round(3).tolist(), round(float(found.mean[1]), 3)
    ([0.075, 0.159, 0.256, 0.311, 0.199], 0.567)
    """
    array = observations(scenarios, "scenarios", min_obs=2)
    table = array.reshape(len(array), -1)
    labels = labels_of(scenarios, 1)
    names = list(range(table.shape[1])) if labels is None else list(labels)
    before = np.full(len(table), 1.0 / len(table)) if prior is None else _probabilities(prior, len(table))
    conditions = _conditions(table, before, names, mapping_of(means, "means"), mapping_of(variances, "variances"))
    weights = _tilted(before, conditions)
    centre = weights @ table
    deviation = table - centre
    return PooledScenarios(
        probabilities=with_labels(weights, labels_of(scenarios, 0)),
        mean=with_labels(centre, labels),
        covariance=with_labels((deviation * weights[:, None]).T @ deviation, labels, labels),
        relative_entropy=_entropy(weights, before),
        effective_scenarios=float(np.exp(-_entropy(weights, np.ones(len(weights))))),
    )


def _probabilities(prior: Any, n: int) -> np.ndarray:
    array = finite_array(prior, "prior", ndim=1)
    if array.shape != (n,) or array.min() <= 0.0 or abs(array.sum() - 1.0) > 1e-9:
        raise InputError(f"prior is not {n} probabilities above zero with a sum of 1, one for each scenario")
    return array


def _conditions(
    table: np.ndarray, prior: np.ndarray, names: list[Any], means: Mapping[Any, float], variances: Mapping[Any, float]
) -> np.ndarray:
    """Columns (n_scenarios, n_conditions) of which every mean has to be zero, each of the size of 1."""
    views = {**means, **variances}
    unknown = [name for name in views if name not in names]
    if unknown or not views:
        raise InputError(
            f"no factor is called {unknown[0]!r}" if unknown else "no view is given; give means or variances"
        )
    columns = []
    for name in views:
        factor = table[:, names.index(name)]
        target = finite_number(means[name], f"means[{name!r}]") if name in means else float(prior @ factor)
        columns.append(factor - target)
        if name in variances:
            variance = finite_number(variances[name], f"variances[{name!r}]")
            if variance <= 0.0:
                raise InputError(f"variances[{name!r}]={variance:g} is not above zero")
            columns.append((factor - target) ** 2 - variance)
    conditions = np.column_stack(columns)
    size = np.abs(conditions).max(axis=0)
    return conditions / np.where(size > 0.0, size, 1.0)


def _tilted(prior: np.ndarray, conditions: np.ndarray) -> np.ndarray:
    """Probabilities proportional to prior × exp(conditions @ multipliers): Newton steps on the convex dual, halved at need."""
    multipliers = np.zeros(conditions.shape[1])
    height, weights = _dual(prior, conditions, multipliers)
    for _ in range(200):
        gradient = weights @ conditions
        spread = (conditions * weights[:, None]).T @ conditions - np.outer(gradient, gradient)
        step = -np.linalg.lstsq(spread, gradient, rcond=1e-13)[0]
        if -float(gradient @ step) < 1e-24:  # twice what is left to gain
            weights = _dual(prior, conditions, multipliers + step)[1]
            break
        for _ in range(60):
            found, tried = _dual(prior, conditions, multipliers + step)
            if found <= height + 1e-4 * float(gradient @ step):
                break
            step = 0.5 * step
        else:
            break
        multipliers, height, weights = multipliers + step, found, tried
    if np.abs(weights @ conditions).max() < 1e-8:
        return weights
    raise InputError("the views cannot be met: no probabilities of these scenarios have such means and variances")


def _dual(prior: np.ndarray, conditions: np.ndarray, multipliers: np.ndarray) -> tuple[float, np.ndarray]:
    powers = conditions @ multipliers
    highest = powers.max()
    weights = prior * np.exp(powers - highest)
    total = weights.sum()
    return float(highest + np.log(total)), weights / total


def _entropy(weights: np.ndarray, before: np.ndarray) -> float:
    """Sum of p ln(p / q), with 0 ln 0 = 0."""
    some = weights > 0.0
    return float(weights[some] @ np.log(weights[some] / before[some]))
