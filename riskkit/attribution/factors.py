"""Risk and P&L by factor: what each factor, what is specific, and what each position adds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import (
    InputError,
    as_pandas,
    finite_array,
    labels_of,
    refuse_other_rows,
    refuse_prices,
    shown,
    with_labels,
)
from riskkit._excel import Exported
from riskkit._exposure import by_name
from riskkit._show import Row, percent
from riskkit._tail import DEFAULT_CONFIDENCE
from riskkit._types import Measure, PositionsLike, ReturnsLike
from riskkit.attribution.docs import documented
from riskkit.covariance import FactorCovariance
from riskkit.var.parametric.elliptical import cached_factor


@dataclass(frozen=True, repr=False, eq=False)
class FactorAttribution(Exported):
    """Risk of a portfolio and its parts; those of the factors and the specific one add up to it, those of the positions too.

    Attributes
    ----------
    total : float
        Risk, money.
    by_factor : (n_factors,)
        Part of each factor, money; negative for one that hedges.
    specific : float
        Part that no factor explains, money.
    by_position : (n_assets,)
        Part of each position, money.
    measure : str
        "var", "es" or "volatility".
    confidence : float
        0.99 for 99 %.

    Examples
    --------
    >>> from riskkit.attribution import by_factor
    >>> from riskkit.covariance import FactorCovariance
    >>> parts = by_factor([100.0, -50.0], FactorCovariance([[1.0], [0.5]], [[0.0004]], [0.0001, 0.0001], 0.7))
    >>> round(float(parts.by_factor.sum() + parts.specific - parts.total), 12)
    0.0
    """

    total: float
    by_factor: Any
    specific: float
    by_position: Any
    measure: str
    confidence: float

    def _title(self) -> str:
        level = "" if self.measure == "volatility" else f" {percent(self.confidence)}"
        return f"{'volatility' if self.measure == 'volatility' else self.measure.upper()}{level} by factor"

    def _rows(self) -> list[Row]:
        return [
            ("total", self.total, ""),
            *((str(name), value, f"{value / self.total:.1%}" if self.total else "") for name, value in self._parts()),
        ]

    def _parts(self) -> list[tuple[Any, float]]:
        names = labels_of(self.by_factor, 0)
        values = np.asarray(self.by_factor).tolist()
        names = [f"factor {i}" for i in range(len(values))] if names is None else list(names)
        return [*zip(names, values, strict=True), ("specific", self.specific)]

    def to_frame(self) -> Any:
        """One row per factor, and the specific part."""
        import pandas as pd

        return pd.DataFrame({"contribution": dict(self._parts())})

    def plot(self, ax: Any = None) -> Any:
        """Draw the parts as bars."""
        ax = plot.axes(ax)
        names, values = zip(*self._parts(), strict=True)
        ax.barh(plot.names_beside(ax, names)[::-1], values[::-1], color=plot.STRONG)
        plot.dress(ax, self._title())
        return ax


@documented
def by_factor(
    positions: PositionsLike,
    model: FactorCovariance,
    confidence: float = DEFAULT_CONFIDENCE,
    *,
    measure: Measure = "var",
    df: float | None = None,
) -> FactorAttribution:
    """Normal (or Student t) risk of a portfolio, attributed to factors by Euler's rule.

    Parameters
    ----------
    model : FactorCovariance
        From `riskkit.covariance.factor_covariance`, or made of its parts.
    confidence : float
        0.99 for 99 %.
    df : float, optional
        Degrees of freedom of a Student t scaled to the volatility, above 2; normal by default.

    Returns
    -------
    FactorAttribution
        Money; factors and the specific part add up to the total.

    References
    ----------
    Menchero and Davis (2011), Risk contribution is exposure times volatility times correlation, J. Portfolio Management
    37(2), 97-106, eq. 6. Tasche (1999), Risk contributions and performance measurement, section 4.

    Examples
    --------
    >>> from riskkit.covariance import FactorCovariance
    >>> model = FactorCovariance([[1.1, 0.2], [0.8, -0.3]], [[4e-4, 1e-4], [1e-4, 2e-4]], [1e-4, 2e-4], 0.7)
    >>> by_factor([1_000.0, 500.0], model).by_factor.round(2).tolist()
    [64.68, 0.57]
    """
    loadings, matrix, own = (
        finite_array(part, name)
        for part, name in (
            (model.loadings, "loadings"),
            (model.factor_covariance, "factor_covariance"),
            (model.specific_variance, "specific_variance"),
        )
    )
    assets = labels_of(model.loadings, 0)
    held = finite_array(by_name(positions, assets, "positions"), "positions", ndim=1)
    if len(held) != len(loadings):
        raise InputError(f"positions has {len(held)} entries for {len(loadings)} assets; give one for each")
    exposure = held @ loadings
    factors, specific = exposure * (matrix @ exposure), held * held * own
    volatility = math.sqrt(max(0.0, float(factors.sum() + specific.sum())))
    scale = cached_factor(confidence, measure, None, df) / volatility if volatility > 0.0 else 0.0
    positions_share = held * (loadings @ (matrix @ exposure)) + specific
    return FactorAttribution(
        total=scale * volatility * volatility,
        by_factor=with_labels(scale * factors, labels_of(model.loadings, 1)),
        specific=scale * float(specific.sum()),
        by_position=with_labels(scale * positions_share, assets if assets is not None else labels_of(positions, 0)),
        measure=measure,
        confidence=float(confidence),
    )


@documented
def pnl_by_factor(positions: PositionsLike, returns: ReturnsLike, loadings: Any, factors: ReturnsLike) -> Any:
    """P&L of a portfolio period by period, attributed to factors: exposure × move of the factor, and what is left.

    Parameters
    ----------
    returns : (n_obs, n_assets)
        Simple returns of the assets per period as fractions.
    loadings : (n_assets, n_factors)
        Move of each asset per unit move of each factor, as of `riskkit.covariance.factor_covariance` or
        `riskkit.stress.factor_loadings`.
    factors : (n_obs, n_factors)
        Moves of the factors in the same periods. Columns with names are matched by name.

    Returns
    -------
    DataFrame (n_obs, n_factors + 2)
        Money: a column for each factor, then `specific` and `total`, the P&L of the positions; the parts add up to it.

    References
    ----------
    Grinold and Kahn (1999), Active Portfolio Management, 2nd ed., chapter 17.

    Examples
    --------
    >>> pnl_by_factor([100.0, 50.0], [[0.02, 0.01], [-0.01, 0.00]], [[1.0], [0.5]], [[0.018], [-0.009]]).round(3)
           0  specific  total
    0  2.250     0.250   2.50
    1 -1.125     0.125  -1.00
    """
    import pandas as pd

    sensitivity = finite_array(loadings, "loadings", ndim=2)
    assets, names = labels_of(loadings, 0), labels_of(loadings, 1)
    refuse_other_rows(returns, "returns", factors, "factors")
    held = finite_array(by_name(positions, assets, "positions"), "positions", ndim=1)
    asset_moves, moves = _columns(returns, assets, "returns"), _columns(factors, names, "factors")
    refuse_prices(asset_moves, "returns")
    for name, size, needed in (
        ("positions", len(held), len(sensitivity)),
        ("returns", asset_moves.shape[1], len(sensitivity)),
        ("factors", moves.shape[1], sensitivity.shape[1]),
    ):
        if size != needed:
            raise InputError(f"{name} has {size} columns or entries, and loadings is of {needed}")
    parts = moves * (held @ sensitivity)
    total = asset_moves @ held
    labels = list(range(moves.shape[1])) if names is None else list(names)
    table = pd.DataFrame(parts, labels_of(as_pandas(returns), 0), labels)
    return table.assign(specific=total - parts.sum(axis=1), total=total)


def _columns(table: Any, labels: Any, name: str) -> np.ndarray:
    """Numbers of a table, in the order of the labels where both have names."""
    columns, array = labels_of(table, 1), finite_array(table, name, ndim=2)
    if labels is None or columns is None:
        return array
    missing = [label for label in labels if label not in columns]
    if missing:
        raise InputError(f"{name} has no column {shown(missing[0])}, which loadings names")
    return array[:, [columns.get_loc(label) for label in labels]]
