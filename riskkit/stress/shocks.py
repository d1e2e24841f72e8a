"""Scenarios made by hand: shocks of instruments, of factors that reach the instruments, and what the rest then does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from riskkit._check import InputError, finite_array, finite_number, labels_of, one_of
from riskkit.covariance.matrices import square_matrix
from riskkit.pnl import in_asset_order, linear_pnl
from riskkit.stress.loadings import FactorLoadings

__all__ = ["factor_scenarios", "shock_scenarios"]


def shock_scenarios(
    shocks: Mapping[Any, Mapping[Any, float]],
    factors: Any = None,
    *,
    others: str = "zero",
    covariance: Any = None,
) -> Any:
    """Scenarios from named shocks; what is not shocked stays, or moves as it is expected to.

    Parameters
    ----------
    shocks : mapping
        Scenario -> {factor: move}, moves in the unit of the returns (-0.2 for a fall by 20 %).
    factors : sequence of labels, optional
        Every factor or instrument, in order; by default those of `covariance`, else those that are shocked.
    others : {"zero", "expected"}
        Factors without a shock do not move; or move by their expectation given those that do, covariance with them
        over their covariance. A crash of shares alone, all else still, flatters most books.
    covariance : DataFrame (n_factors, n_factors), optional
        Of the moves, needed for ``"expected"``; its scale does not matter.

    Returns
    -------
    DataFrame (n_scenarios, n_factors)

    Raises
    ------
    InputError
        An unknown factor, NaN, a scenario without shocks, ``"expected"`` without covariance, or shocks that contradict
        each other under it (two factors that always move together, moved apart).

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

    one_of(others, ("zero", "expected"), "others")
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
            raise InputError(f"shocks moves {unknown[0]!r} in {name!r}, which is none of the factors")
        for factor, move in moves.items():
            table.loc[name, factor] = finite_number(move, f"shocks[{name!r}][{factor!r}]")
        if others == "expected":
            table.loc[name] = _expected(table.loc[name], list(moves), known)
    return table


def factor_scenarios(loadings: Any, moves: Any, *, own_moves: Any = None) -> Any:
    """Moves of instruments from moves of factors: loading × move, plus moves of their own.

    Parameters
    ----------
    loadings : FactorLoadings or (n_assets, n_factors)
        Move of each instrument per unit of move of each factor: the answer of `factor_loadings`, or numbers.
    moves : (n_scenarios, n_factors)
        Moves of the factors, such as `shock_scenarios` gives.
    own_moves : (n_scenarios, n_assets), optional
        What is added for single instruments, matched by name; an instrument that is not named gets nothing.

    Returns
    -------
    (n_scenarios, n_assets)
        Simple returns of the instruments.

    Raises
    ------
    InputError
        NaN, shapes or names that do not fit.

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
    answer = linear_pnl(table, moves)  # a sum of loading × move per scenario, matched by name
    if own_moves is None:
        return answer
    rows, assets = labels_of(answer, 0), labels_of(answer, 1)
    if assets is not None and labels_of(own_moves, 1) is not None:
        unknown = [name for name in own_moves.columns if name not in assets]
        late = [name for name in own_moves.index if name not in rows]
        if unknown or late:
            raise InputError(
                f"own_moves has {(unknown or late)[0]!r}, which is no {'asset' if unknown else 'scenario'}"
            )
        own_moves = own_moves.reindex(index=rows, columns=assets, fill_value=0.0)
    own = finite_array(own_moves, "own_moves", ndim=2)
    if own.shape != answer.shape:
        raise InputError(f"own_moves has shape {own.shape}; it needs {answer.shape}, scenarios by assets")
    return answer + own


def _expected(row: Any, moved: list[Any], covariance: Any) -> Any:
    """The scenario of a row with every other factor at its expectation given the moves."""
    own, move = covariance.loc[moved, moved].to_numpy(), row[moved].to_numpy()
    weights = np.linalg.lstsq(own, move)[0]
    if not np.allclose(own @ weights, move, rtol=1e-8, atol=1e-10 * np.abs(move).max()):
        raise InputError(f"shocks of {moved} contradict each other: under the covariance they cannot move so together")
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
    return values[names.get_indexer(wanted)]
