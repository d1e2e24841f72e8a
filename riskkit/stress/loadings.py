"""Factor loadings of instruments by least squares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import InputError, labels_of, observations, refuse_other_rows, returns_array, with_labels
from riskkit._docs import counted
from riskkit._excel import Exported
from riskkit._show import Row
from riskkit._types import ReturnsLike
from riskkit.stress.docs import documented


@dataclass(frozen=True, repr=False, eq=False)
class FactorLoadings(Exported):
    """Regression of instrument returns on factors.

    Attributes
    ----------
    loadings : (n_assets, n_factors)
        Move of the instrument per unit move of the factor.
    intercept : (n_assets,)
        Intercept per period, a fraction.
    residual_volatility : (n_assets,)
        Standard deviation of the residuals per period, a fraction.
    r_squared : (n_assets,)
        Explained share of the variance, a fraction; 1 for a constant series.
    n_obs : int
        Number of observations.

    Examples
    --------
    >>> from riskkit.stress import factor_loadings
    >>> fit = factor_loadings([0.02, -0.02, 0.04, 0.0], [0.01, -0.01, 0.02, 0.0])
    >>> fit.loadings.round(6).tolist()
    [[2.0]]
    """

    loadings: Any
    intercept: Any
    residual_volatility: Any
    r_squared: Any
    n_obs: int

    def to_frame(self) -> Any:
        """One row per asset: loadings, intercept, residual volatility and R²."""
        import pandas as pd

        frame = pd.DataFrame(self.loadings).copy()
        frame["intercept"], frame["residual_volatility"] = self.intercept, self.residual_volatility
        frame["r_squared"] = self.r_squared
        return frame

    def plot(self, ax: Any = None) -> Any:
        """Draw the loadings, one row per instrument."""
        table = self.to_frame().iloc[:, : np.shape(self.loadings)[1]]
        largest = float(np.abs(table.to_numpy()).max()) or 1.0
        title = f"{self._title()}, R² of {float(np.mean(np.asarray(self.r_squared))):.0%} on average"
        return plot.signed(table, list(table.columns), list(table.index), max_abs=largest, title=title, ax=ax)

    def _title(self) -> str:
        assets, factors = np.shape(self.loadings)
        return f"Loadings of {assets} instruments on {factors} factors, {self.n_obs:,} periods"

    def _rows(self) -> list[Row]:
        explained = np.asarray(self.r_squared)
        names = labels_of(self.loadings, 0)
        lowest = int(np.argmin(explained))
        return [
            ("R², mean", float(explained.mean()), ""),
            ("R², lowest", float(explained[lowest]), f"of {lowest if names is None else names[lowest]}"),
        ]


@documented
def factor_loadings(returns: ReturnsLike, factors: Any) -> FactorLoadings:
    """Loadings of instruments on factors by least squares, with an intercept.

    Parameters
    ----------
    returns : (n_obs, n_assets) or (n_obs,)
        Returns of the instruments per period.
    factors : (n_obs, n_factors) or (n_obs,)
        Moves of the factors in the same periods.

    Returns
    -------
    FactorLoadings
        Loadings, intercepts, residual volatilities and R².

    References
    ----------
    Jorion (2007), Value at Risk, 3rd ed., section 8.2.

    Examples
    --------
    >>> fit = factor_loadings([0.022, -0.008, 0.012], [0.02, -0.01, 0.01])
    >>> fit.loadings.round(6).tolist(), fit.intercept.round(6).tolist()
    ([[1.0]], [0.002])
    """
    response, drivers = returns_array(returns), observations(factors, "factors")
    response = response[:, None] if response.ndim == 1 else response
    drivers = drivers[:, None] if drivers.ndim == 1 else drivers
    n_obs, n_coefficients = len(drivers), drivers.shape[1] + 1
    refuse_other_rows(returns, "returns", factors, "factors")
    if n_obs < n_coefficients:
        raise InputError(
            f"returns has {counted(n_obs, 'observation')} for {n_coefficients} coefficients; give more observations"
        )
    design = np.column_stack([np.ones(n_obs), drivers])
    solution, _, rank, _ = np.linalg.lstsq(design / np.abs(design).max(axis=0).clip(1e-300), response)
    if rank < n_coefficients:
        raise InputError("factors are constant or combinations of each other; leave some out")
    solution = solution / np.abs(design).max(axis=0)[:, None]
    residual = response - design @ solution
    spread = ((response - response.mean(axis=0)) ** 2).sum(axis=0)
    left = (residual**2).sum(axis=0)
    explained = 1.0 - np.divide(left, spread, out=np.zeros_like(left), where=spread > 0.0)
    assets, names = labels_of(returns, 1), labels_of(factors, 1)
    if assets is None and (name := getattr(returns, "name", None)) is not None:
        assets = [name]
    if names is None and (name := getattr(factors, "name", None)) is not None:
        names = [name]
    return FactorLoadings(
        loadings=with_labels(solution[1:].T.copy(), assets, names),
        intercept=with_labels(solution[0].copy(), assets),
        residual_volatility=with_labels(np.sqrt(left / max(n_obs - n_coefficients, 1)), assets),
        r_squared=with_labels(explained, assets),
        n_obs=n_obs,
    )
