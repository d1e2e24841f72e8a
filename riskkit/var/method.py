"""Interface of a VaR method."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, TypeAlias

import numpy as np

from riskkit._check import InputError
from riskkit._types import TailMeasure

CHUNK = 4_000_000
"""Numbers in a chunk of windows laid side by side: 32 MB."""

VAR_ES: tuple[TailMeasure, TailMeasure] = ("var", "es")

VarEs: TypeAlias = tuple[np.ndarray, np.ndarray]
"""VaR and ES, arrays of equal shape."""


class Fit(NamedTuple):
    """VaR and ES (n_confidences, n_series) of a table, and the fitted parameters (n_series,) by name.

    A refused column has NaN, and its reason in `refusals`.
    """

    var: np.ndarray
    es: np.ndarray
    parameters: dict[str, np.ndarray]
    refusals: Mapping[int, str] = MappingProxyType({})


class Method(ABC):
    """Estimator of VaR and ES. A subclass is a frozen dataclass whose fields are the options of the method.

    `title` and `fit` are required. The defaults of the other members are right for independent returns without a faster
    algorithm for windows and without formulas for standard errors.
    """

    default_models: ClassVar[dict[str, dict[str, Any]]] = {}
    """Entries of `riskkit.var.DEFAULT_MODELS`: options of `rolling_var` by label."""

    @property
    @abstractmethod
    def title(self) -> str:
        """Name of the method in print."""

    @abstractmethod
    def fit(self, table: np.ndarray, confidences: tuple[float, ...]) -> Fit:
        """Estimate VaR and ES of each column of (n_obs, n_series)."""

    def of_column(self, column: int) -> Method:
        """The method for one column of the table, where an option has a value per column."""
        return self

    def fit_each(self, table: np.ndarray, confidences: tuple[float, ...]) -> Fit:
        """`fit`, with NaN and the reason for each column that it refuses; it raises where no column can be fitted."""
        try:
            return self.fit(table, confidences)
        except InputError:
            if table.shape[1] == 1:
                raise
        fits: dict[int, Fit] = {}
        refusals: dict[int, str] = {}
        for j in range(table.shape[1]):
            try:
                fits[j] = self.of_column(j).fit(table[:, j : j + 1], confidences)
            except InputError as refusal:
                refusals[j] = str(refusal)
        if not fits:
            raise InputError(refusals[0])
        columns = list(fits)
        var, es = (np.full((len(confidences), table.shape[1]), np.nan) for _ in range(2))
        var[:, columns] = np.concatenate([fit.var for fit in fits.values()], axis=1)
        es[:, columns] = np.concatenate([fit.es for fit in fits.values()], axis=1)
        parameters = {name: np.full(table.shape[1], np.nan) for name in fits[columns[0]].parameters}
        for name, values in parameters.items():
            values[columns] = np.concatenate([fit.parameters[name] for fit in fits.values()])
        return Fit(var, es, parameters, refusals)

    @property
    def horizon(self) -> float:
        """Horizon of the estimate, in periods."""
        return 1.0

    @property
    def ordered(self) -> bool:
        """The estimate depends on the order of the returns, which therefore cannot be resampled one by one."""
        return False

    @property
    def var_is_order_statistic(self) -> bool:
        """VaR is an order statistic of equally weighted losses, for which exact intervals exist."""
        return False

    @property
    def es_is_tail_mean(self) -> bool:
        """ES is the mean of exactly n p of the worst losses, equally weighted."""
        return False

    def standard_errors(self, table: np.ndarray, fit: Fit, confidences: tuple[float, ...]) -> VarEs | None:
        """Asymptotic standard errors (n_confidences, n_series) of VaR and ES, or None without a formula."""
        return None

    def roll(self, table: np.ndarray, window: int, confidences: tuple[float, ...]) -> VarEs:
        """Estimate VaR and ES (n_confidences, n_obs - window + 1, n_series) of every window of rows.

        By default windows are laid side by side as the columns of `fit`. A window that is refused has NaN.
        """
        n_windows, n_series = len(table) - window + 1, table.shape[1]
        views = np.lib.stride_tricks.sliding_window_view(table, window, axis=0)
        shape = (len(confidences), n_windows, n_series)
        var, es = np.empty(shape), np.empty(shape)
        step = max(1, CHUNK // (window * n_series))
        for first in range(0, n_windows, step):
            part = slice(first, first + step)
            fit = self._fit_windows(views[part].reshape(-1, window).T, confidences)
            var[:, part] = fit.var.reshape(len(confidences), -1, n_series)
            es[:, part] = fit.es.reshape(len(confidences), -1, n_series)
        return var, es

    def _fit_windows(self, table: np.ndarray, confidences: tuple[float, ...]) -> Fit:
        try:
            return self.fit_each(table, confidences)
        except InputError:
            nothing = np.full((len(confidences), table.shape[1]), np.nan)
            return Fit(nothing, nothing, {})
