"""Portfolio, marginal, component and incremental VaR of weights × portfolio value, under the names of a risk service.

The closed forms of `riskkit.attribution`; ``z=1.65`` gives the numbers of desks that round the quantile of 95 %.
"""

from __future__ import annotations

from typing import Any

from riskkit._check import positive
from riskkit._docs import shared_parameters
from riskkit._types import PositionsLike, Vector
from riskkit.attribution import component, incremental, marginal, portfolio

documented = shared_parameters(
    {
        "weights": "(n_assets,)\n    Fractions of the portfolio value, negative when short; they need not sum to one.",
        "cov_matrix": "(n_assets, n_assets)\n    Covariance of simple returns over the horizon of the VaR.",
        "portfolio_value": "float\n    Money, at least zero.",
        "confidence": "float\n    0.95 for 95 %.",
        "z": "float, optional\n    Standard normal quantile to use as given, such as 1.65; the exact one of `confidence` by default.",
    }
)


@documented
def get_portfolio_var(
    weights: PositionsLike, cov_matrix: Any, portfolio_value: float, *, confidence: float = 0.95, z: float | None = None
) -> tuple[float, float]:
    """VaR in money and volatility as a fraction: (z sqrt(w'Cw) × portfolio value, sqrt(w'Cw)).

    Returns
    -------
    (float, float)
        VaR, a positive loss, and the standard deviation of the portfolio return.

    References
    ----------
    Jorion (2007), Value at Risk, 3rd ed., section 7.1.

    Examples
    --------
    >>> var, volatility = get_portfolio_var([0.6, 0.4], [[0.0001, 0.0], [0.0, 0.0004]], 1_000_000, z=1.65)
    >>> round(var, 2), round(volatility, 6)
    (16500.0, 0.01)
    """
    value = positive(portfolio_value, "portfolio_value", zero=True)
    volatility = portfolio(weights, cov_matrix, measure="volatility")
    return portfolio(weights, cov_matrix, confidence, z=z) * value, volatility


@documented
def calculate_marginal_var(
    weights: PositionsLike, cov_matrix: Any, *, confidence: float = 0.95, z: float | None = None
) -> Vector:
    """Change of VaR per unit of money added to each asset: z Cw / sqrt(w'Cw), for every portfolio value.

    Returns
    -------
    (n_assets,)
        Money per money; weight × portfolio value × this is `calculate_component_var`.

    References
    ----------
    Jorion (2007), Value at Risk, 3rd ed., section 7.2.1.

    Examples
    --------
    >>> calculate_marginal_var([0.6, 0.4], [[0.0001, 0.0], [0.0, 0.0004]], z=1.65).round(6).tolist()
    [0.0099, 0.0264]
    """
    return marginal(weights, cov_matrix, confidence, z=z)


@documented
def calculate_component_var(
    weights: PositionsLike, cov_matrix: Any, portfolio_value: float, *, confidence: float = 0.95, z: float | None = None
) -> Vector:
    """Contribution of each asset to VaR, in money; the components sum to `get_portfolio_var`.

    Returns
    -------
    (n_assets,)
        Money, positive where the asset adds to VaR, negative for a hedge; over the horizon of `cov_matrix`.

    References
    ----------
    Jorion (2007), Value at Risk, 3rd ed., section 7.2.3.

    Examples
    --------
    >>> calculate_component_var([0.6, 0.4], [[0.0001, 0.0], [0.0, 0.0004]], 1_000_000, z=1.65).round(2).tolist()
    [5940.0, 10560.0]
    """
    value = positive(portfolio_value, "portfolio_value", zero=True)
    return component(weights, cov_matrix, confidence, z=z) * value


@documented
def calculate_incremental_var(
    current_weights: PositionsLike,
    trade_weights: Any,
    cov_matrix: Any,
    portfolio_value: float,
    *,
    confidence: float = 0.95,
    z: float | None = None,
) -> float | Vector:
    """VaR after a trade less VaR before it, in money.

    Parameters
    ----------
    current_weights : (n_assets,)
        Fractions of the portfolio value.
    trade_weights : (n_assets,) or (n_trades, n_assets)
        Change of the weights by the trade, one trade per row; paid from cash, so that the portfolio value
        is unchanged.

    Returns
    -------
    float or (n_trades,)
        Money; negative when the trade lowers VaR.

    References
    ----------
    Jorion (2007), Value at Risk, 3rd ed., section 7.2.2.

    Examples
    --------
    >>> covariance = [[0.0001, 0.0], [0.0, 0.0004]]
    >>> round(calculate_incremental_var([0.6, 0.4], [0.0, 0.1], covariance, 1_000_000, z=1.65), 2)
    2742.14
    """
    value = positive(portfolio_value, "portfolio_value", zero=True)
    return incremental(current_weights, cov_matrix, trade_weights, confidence, z=z) * value
