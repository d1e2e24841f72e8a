"""What comes in and how it goes out: a table of returns and a list of confidences, and labels on the answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit._check import InputError, confidence_level, finite_array, labels_of, with_labels

__all__ = ["Confidences", "Sample", "read_confidences", "read_sample"]


@dataclass(frozen=True)
class Confidences:
    """One confidence, or several in the order in which they were asked for."""

    levels: tuple[float, ...]
    single: bool

    @property
    def asked(self) -> float | tuple[float, ...]:
        """As the caller gave it: a number, or a tuple."""
        return self.levels[0] if self.single else self.levels


@dataclass(frozen=True)
class Sample:
    """Returns as a table of one column a portfolio, and what is needed to label an answer about them."""

    table: np.ndarray
    """(n_obs, n_series) float64 in the caller's own memory order; never written to."""
    single: bool
    """One series came in, without a second dimension."""
    rows: Any
    columns: Any
    name: Any

    @property
    def labelled(self) -> bool:
        """A Series or DataFrame came in."""
        return self.rows is not None

    def per_portfolio(self, values: np.ndarray) -> Any:
        """Label (n_series,) values: a float for one series."""
        return float(values[0]) if self.single else with_labels(values, self.columns)

    def per_confidence(self, values: np.ndarray, confidences: Confidences) -> Any:
        """Label (n_confidences, n_series) values, dropping what was asked for singly."""
        if confidences.single:
            return self.per_portfolio(values[0])
        levels = confidence_index(confidences) if self.labelled else None
        return with_labels(values[:, 0] if self.single else values, levels, None if self.single else self.columns)


def confidence_index(confidences: Confidences) -> Any:
    """The confidences as an index."""
    import pandas as pd

    return pd.Index(confidences.levels, name="confidence")


def read_confidences(value: Any) -> Confidences:
    """One confidence or a sequence of them, each strictly between 0 and 1."""
    if np.ndim(value) == 0:
        return Confidences((confidence_level(value),), single=True)
    if np.ndim(value) > 1 or np.size(value) == 0:
        raise InputError(f"confidence has shape {np.shape(value)}; give one number or a sequence of them")
    return Confidences(tuple(confidence_level(level) for level in value), single=False)


def read_sample(returns: Any, *, check: bool = True) -> Sample:
    """Returns of shape (n_obs,) or (n_obs, n_portfolios), without a copy where they are float64 already.

    ``check=False`` leaves NaN and infinity to a reader that meets them anyway (`riskkit.var.order_statistics`).
    """
    dtypes = list(returns.dtypes) if hasattr(returns, "columns") else [getattr(returns, "dtype", None)]
    ready = all(dtype == np.float64 for dtype in dtypes) and dtypes != []
    table = np.asarray(returns) if ready else finite_array(returns, "returns")
    if table.ndim not in (1, 2):
        raise InputError(f"returns has shape {table.shape}; it needs (n_obs,) or (n_obs, n_portfolios)")
    if table.size == 0 or (check and not _finite(table)):
        finite_array(table, "returns")  # says what is wrong
    single = table.ndim == 1
    return Sample(
        table.reshape(len(table), -1) if single else table,
        single,
        labels_of(returns, 0),
        labels_of(returns, 1),
        getattr(returns, "name", None) if single else None,
    )


def _finite(table: np.ndarray) -> bool:
    """One pass without a temporary: a sum is finite unless a number in it is not, or numbers are absurdly large."""
    with np.errstate(all="ignore"):
        return bool(np.isfinite(table.sum())) or bool(np.isfinite(table).all())
