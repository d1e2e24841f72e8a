"""Hypothetical scenarios: shocks of factors, conditional moves of the others, and moves of instruments by loadings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np

from riskkit._check import InputError, finite_array, finite_number, labels_of, one_of
from riskkit._plain import mapping_of
from riskkit.covariance.matrices import square_matrix
from riskkit.pnl import in_asset_order, linear
from riskkit.stress.docs import documented
from riskkit.stress.loadings import FactorLoadings

Others = Literal["zero", "expected"]


@documented
def shock_scenarios(
    shocks: Mapping[Any, Mapping[Any, float]],
    factors: Any = None,
    *,
    others: Others = "zero",
    covariance: Any = None,
) -> Any:
    """Scenarios from named shocks, with the other factors unchanged or at their conditional expectation.

    Parameters
    ----------
    shocks : mapping
        Scenario -> {factor: move}, moves in the unit of the returns (-0.2 for a fall of 20 %).
    factors : sequence of labels, optional
        All factors or instruments in order; by default those of `covariance`, else those with a shock.
    others : {"zero", "expected"}
        Moves of factors without a shock: zero, or their expectation given the shocks (regression by `covariance`).
        Zero moves understate the loss of most books.
    covariance : DataFrame (n_factors, n_factors), optional
        Covariance of the moves up to a factor, needed for ``"expected"``.

    Returns
    -------
    DataFrame (n_scenarios, n_factors)
        Moves of all factors, one row per scenario.

    Raises
    ------
    InputError
        An unknown factor, NaN, a scenario without shocks, ``"expected"`` without covariance, or shocks that are
        impossible under it (different moves of two perfectly correlated factors).

    References
    ----------
    Kupiec (1998), Stress Testing in a Value at Risk Framework, Journal of Derivatives 6(1), 7-24.

    Examples
    --------
    >>> shock_scenarios({"crash": {"shares": -0.2}}, ["shares", "bonds"]).to_numpy().tolist()
    [[-0.2, 0.0]]
    >>> import pandas as pd
    >>> names = ["shares", "bonds"]
    >>> covariance = pd.DataFrame([[0.04, -0.005], [-0.005, 0.01]], index=names, columns=names)
    >>> crash = shock_scenarios({"crash": {"shares": -0.2}}, others="expected", covariance=covariance)
    >>> crash.round(6).to_numpy().tolist()
    [[-0.2, 0.025]]
    """
    import pandas as pd

    one_of(others, get_args(Others), "others")
    shocks = {name: mapping_of(moves, f"shocks[{name!r}]") for name, moves in shocks.items()}
    matrix, assets = (None, None) if covariance is None else square_matrix(covariance, "covariance")
    if others == "expected" and (matrix is None or assets is None):
        raise InputError("others='expected' needs the covariance of the factors as a DataFrame")
    if factors is None:
        factors = assets if assets is not None else dict.fromkeys(name for moves in shocks.values() for name in moves)
    columns = pd.Index(list(factors))
    if not len(shocks):
        raise InputError("shocks is empty; give at least one scenario, {name: {factor: move}}")
    table = pd.DataFrame(0.0, index=pd.Index(list(shocks), name="scenario"), columns=columns)
    known = None if matrix is None else pd.DataFrame(matrix, index=assets, columns=assets)
    for name, moves in shocks.items():
        if not isinstance(moves, Mapping) or not moves:
            raise InputError(f"shocks has {moves!r} under {name!r}; give {{factor: move}}")
        unknown = [factor for factor in moves if factor not in columns]
        if unknown:
            raise InputError(f"shocks moves {unknown[0]!r} in {name!r}, which is not one of the factors")
        for factor, move in moves.items():
            table.loc[name, factor] = finite_number(move, f"shocks[{name!r}][{factor!r}]")
        if others == "expected":
            table.loc[name] = _expected(table.loc[name], list(moves), known)
    return table


@documented
def factor_scenarios(loadings: Any, moves: Any, *, specific_moves: Any = None) -> Any:
    """Moves of instruments from moves of factors: loading × move, plus specific moves.

    Parameters
    ----------
    loadings : FactorLoadings or (n_assets, n_factors)
        Move of each instrument per unit move of each factor, for example from `factor_loadings`.
    moves : (n_scenarios, n_factors)
        Moves of the factors, for example from `shock_scenarios`.
    specific_moves : (n_scenarios, n_assets), optional
        Additional moves of single instruments, matched by name; zero for unnamed ones.

    Returns
    -------
    (n_scenarios, n_assets)
        Simple returns of the instruments.

    References
    ----------
    Jorion (2007), Value at Risk, 3rd ed., section 8.2 (index models); chapter 14 (stress).

    Examples
    --------
    >>> factor_scenarios([[1.2, 0.0], [0.8, 0.5]], [[-0.2, 0.01]]).round(6).tolist()
    [[-0.24, -0.155]]
    """
    table = loadings.loadings if isinstance(loadings, FactorLoadings) else loadings
    factors = finite_array(moves, "moves", ndim=2).shape[1]
    known = finite_array(in_asset_order(table, labels_of(moves, 1), "loadings"), "loadings", ndim=2).shape[1]
    if known != factors:
        raise InputError(f"loadings has {known} columns for {factors} factors in moves; give one for each factor")
    answer = linear(table, moves)  # a sum of loading × move per scenario, matched by name
    if specific_moves is None:
        return answer
    rows, assets = labels_of(answer, 0), labels_of(answer, 1)
    if assets is not None and labels_of(specific_moves, 1) is not None:
        unknown = [name for name in specific_moves.columns if name not in assets]
        late = [name for name in specific_moves.index if name not in rows]
        if unknown or late:
            raise InputError(
                f"specific_moves has {(unknown or late)[0]!r}, which is not {'an asset' if unknown else 'a scenario'}"
            )
        specific_moves = specific_moves.reindex(index=rows, columns=assets, fill_value=0.0)
    specific = finite_array(specific_moves, "specific_moves", ndim=2)
    if specific.shape != answer.shape:
        raise InputError(f"specific_moves has shape {specific.shape}; it needs {answer.shape}, scenarios by assets")
    return answer + specific


def _expected(row: Any, moved: list[Any], covariance: Any) -> Any:
    """The scenario with all other factors at their expectation given the moves."""
    among, move = covariance.loc[moved, moved].to_numpy(), row[moved].to_numpy()
    weights = np.linalg.lstsq(among, move)[0]
    if not np.allclose(among @ weights, move, rtol=1e-8, atol=1e-10 * np.abs(move).max()):
        raise InputError(f"shocks of {moved} contradict each other: these moves are impossible under the covariance")
    expected = covariance[moved].to_numpy() @ weights
    filled = row.copy()
    filled[:] = expected if row.index.equals(covariance.index) else _reordered(expected, covariance.index, row.index)
    filled[moved] = move
    return filled


def _reordered(values: np.ndarray, names: Any, wanted: Any) -> np.ndarray:
    """Values in the order of other names."""
    missing = [name for name in wanted if name not in names]
    if missing:
        raise InputError(f"covariance has no {missing[0]!r}; give the covariance of every factor")
    return np.asarray(values[names.get_indexer(wanted)])
