"""Inputs and outputs of every model: returns as a table, confidences, quantile definitions, and labelled results."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import (
    InputError,
    confidence_level,
    finite_array,
    float_array,
    labels_of,
    one_of,
    refuse_disorder,
    refuse_overflow,
    refuse_prices,
    with_labels,
)
from riskkit._tail import n_tail, tail_probability
from riskkit._types import Quantity


@dataclass(frozen=True)
class Confidences:
    """One confidence, or several in the order given."""

    levels: tuple[float, ...]
    single: bool

    @property
    def given(self) -> float | tuple[float, ...]:
        """The number, or a tuple of the numbers."""
        return self.levels[0] if self.single else self.levels


@dataclass(frozen=True)
class Sample:
    """Returns as a table with one column per portfolio, and the labels of the results."""

    table: np.ndarray
    """(n_obs, n_series) float64 in the memory order of the input; never written to."""
    single: bool
    """A single series was given, without a second dimension."""
    rows: Any
    columns: Any
    name: Any

    @classmethod
    def of_portfolios(cls, labels: Any, *, single: bool) -> Sample:
        """Labels of results that were computed without a table of returns."""
        return cls(np.empty((0, 0)), single, labels, labels, None)

    @property
    def labelled(self) -> bool:
        """A Series or a table with names was given."""
        return self.rows is not None or self.columns is not None

    def by_column(self, values: Mapping[int, Any]) -> dict[Any, Any]:
        """Values of single columns by the labels of these."""
        return {j if self.columns is None else self.columns[j]: value for j, value in values.items()}

    def per_portfolio(self, values: np.ndarray) -> Any:
        """Label (n_series,) values: a float for a single series."""
        return float(values[0]) if self.single else with_labels(values, self.columns)

    def per_confidence(self, values: np.ndarray, confidences: Confidences) -> Quantity:
        """Label (n_confidences, n_series) values, without the dimension of a single series or confidence."""
        if confidences.single:
            value: Quantity = self.per_portfolio(values[0])
            return value
        levels = confidence_index(confidences) if self.labelled else None
        table: Quantity = with_labels(
            values[:, 0] if self.single else values, levels, None if self.single else self.columns
        )
        return table


def confidence_index(confidences: Confidences) -> Any:
    """Return the confidences as an index."""
    import pandas as pd

    return pd.Index(confidences.levels, name="confidence")


def read_confidences(value: Any) -> Confidences:
    """Read one confidence or a sequence of them, each at least 0.5 and below 1."""
    if np.ndim(value) == 0:
        return Confidences((confidence_level(value),), single=True)
    if np.ndim(value) > 1 or np.size(value) == 0:
        raise InputError(f"confidence has shape {np.shape(value)}; give one number or a sequence of them")
    return Confidences(tuple(map(confidence_level, value)), single=False)


def read_sample(returns: Any, *, ordered: bool) -> Sample:
    """Read returns of shape (n_obs,) or (n_obs, n_portfolios), without a copy where they are float64 already.

    With ``ordered=True`` the dates must rise, for what depends on the order of the returns.
    """
    table = float_array(returns, "returns")
    if table.ndim not in (1, 2):
        raise InputError(f"returns has shape {table.shape}; it needs (n_obs,) or (n_obs, n_portfolios)")
    if table.size == 0 or not _finite(table):
        finite_array(returns, "returns")  # raises with the place
    refuse_overflow(table, "returns")
    if ordered:
        refuse_disorder(returns, "returns")
    refuse_prices(table, "returns")
    single = table.ndim == 1
    return Sample(
        table.reshape(len(table), -1) if single else table,
        single,
        labels_of(returns, 0),
        labels_of(returns, 1),
        getattr(returns, "name", None) if single else None,
    )


def _finite(table: np.ndarray) -> bool:
    """One pass without a temporary: a sum is finite unless a number in it is not, or the numbers are huge."""
    with np.errstate(all="ignore"):
        return bool(np.isfinite(table.sum())) or bool(np.isfinite(table).all())


class Quantile(NamedTuple):
    """Sample quantile ``sorted[rank] + weight * (sorted[rank + 1] - sorted[rank])``, worst observation first."""

    rank: int
    weight: float


def quantile_position(definition: str, n_obs: int, confidence: float) -> Quantile:
    """Position of the (1 - confidence)-quantile of `n_obs` sorted returns under a definition.

    ``"inverted_cdf"`` is the ceil(n p)-th worst return, the VaR that belongs to the tail-mass ES. The nine definitions
    of Hyndman and Fan, and "lower", "higher", "midpoint", "nearest", have numpy's names; ``"floor_index"`` is
    sorted[int(n p)]. Ranks are exact: 7 % of 100 observations is the seventh.

    Raises
    ------
    InputError
        An unknown definition.

    References
    ----------
    Hyndman and Fan (1996), Sample quantiles in statistical packages, American Statistician 50, 361-365.

    Examples
    --------
    >>> quantile_position("inverted_cdf", 100, 0.95), quantile_position("linear", 100, 0.95)
    (Quantile(rank=4, weight=0.0), Quantile(rank=4, weight=0.95))
    """
    one_of(definition, tuple(DEFINITIONS), "quantile")
    index = DEFINITIONS[definition](n_obs, tail_probability(confidence), n_tail(n_obs, confidence))
    index = max(index, 0.0)  # and never beyond the last: a tail is at most a half
    return Quantile(int(index), index - int(index))


# n observations, p tail mass, size = n p exactly -> position as a real number, 0 for the worst observation


def _averaged_inverted_cdf(n: int, p: float, size: float) -> float:
    return size - 0.5 if size.is_integer() else float(math.floor(size))


def _closest_observation(n: int, p: float, size: float) -> float:
    below = math.floor(size - 1.5)
    return below if size - 1.5 == below and below % 2 == 1 else below + 1.0


def _rounded(rounding: Callable[[float], float]) -> Callable[[int, float, float], float]:
    """Round (n - 1) p, computed so that integers are exact."""
    return lambda n, p, size: float(rounding(n_tail(n - 1, 1.0 - p))) if n > 1 else 0.0


DEFINITIONS: dict[str, Callable[[int, float, float], float]] = {
    "inverted_cdf": lambda n, p, size: math.ceil(size) - 1.0,
    "averaged_inverted_cdf": _averaged_inverted_cdf,
    "closest_observation": _closest_observation,
    "interpolated_inverted_cdf": lambda n, p, size: size - 1.0,
    "hazen": lambda n, p, size: size - 0.5,
    "weibull": lambda n, p, size: size + p - 1.0,
    "linear": lambda n, p, size: (n - 1) * p,
    "median_unbiased": lambda n, p, size: size + (1.0 + p) / 3.0 - 1.0,
    "normal_unbiased": lambda n, p, size: size + 0.375 + p / 4.0 - 1.0,
    "lower": _rounded(math.floor),
    "higher": _rounded(math.ceil),
    "midpoint": _rounded(lambda index: 0.5 * (math.floor(index) + math.ceil(index))),
    "nearest": _rounded(round),
    "floor_index": lambda n, p, size: float(math.floor(size)),
}
