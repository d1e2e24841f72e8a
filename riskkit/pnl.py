"""P&L of books in scenarios, and its aggregation over a book -> desk -> firm hierarchy.

`riskkit.pnl.scenario` accepts a book in four forms:

- positions in money, whose P&L is position × return,
- P&L per scenario,
- a `DeltaGamma` approximation: first and second order sensitivities,
- ``revalue(scenarios)``: a pricing function, for options and other non-linear books.

P&L is money, gains positive. Labels of the inputs are kept in the results.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit._check import (
    InputError,
    as_pandas,
    finite_array,
    finite_number,
    float_array,
    labels_of,
    observations,
    refuse_prices,
    shown,
    with_labels,
)
from riskkit._names import suggest_names
from riskkit._show import Row, Shown

__all__ = ["DeltaGamma", "aggregate", "linear", "full_revaluation", "scenario"]


def scenario(book: Any, scenarios: Any = None) -> Any:
    """P&L of a book in every scenario.

    Parameters
    ----------
    book : positions, DeltaGamma, callable, or P&L
        With `scenarios`: positions in money, (n_assets,) or (n_books, n_assets); a `DeltaGamma`; or a function
        ``revalue(scenarios)`` that returns P&L (use `full_revaluation` if it returns values). Without `scenarios`: P&L per
        scenario, (n_obs,) or (n_obs, n_books).
    scenarios : (n_obs, n_factors), optional
        Returns or moves of the risk factors per scenario.

    Returns
    -------
    (n_obs,) or (n_obs, n_books)
        Money per scenario, gains positive.

    Raises
    ------
    InputError
        NaN or infinity, shapes or labels that do not match, a function or a `DeltaGamma` without scenarios.

    Examples
    --------
    >>> scenarios = [[0.01, -0.02], [-0.03, 0.01]]
    >>> scenario([100.0, 50.0], scenarios).round(6).tolist()
    [0.0, -2.5]
    >>> scenario(DeltaGamma([100.0, 50.0], [200.0, 0.0]), scenarios).round(6).tolist()
    [0.01, -2.41]
    >>> scenario(lambda moves: [max(a, 0.0) * 100.0 for a, b in moves], scenarios).tolist()
    [1.0, 0.0]
    >>> scenario([3.0, -2.5]).tolist()
    [3.0, -2.5]
    """
    if scenarios is None:
        if isinstance(book, DeltaGamma) or callable(book):
            raise InputError("book is a DeltaGamma or a function; give the scenarios in which to value it")
        return with_labels(
            observations(book, "book").copy(), labels_of(book, 0), labels_of(book, 1), getattr(book, "name", None)
        )
    if isinstance(book, DeltaGamma):
        return book.pnl(scenarios)
    if callable(book):
        return full_revaluation(book, scenarios)
    return linear(book, scenarios)


def linear(positions: Any, returns: Any) -> Any:
    """P&L of linear positions: position × return.

    Parameters
    ----------
    positions : (n_assets,) or (n_books, n_assets)
        Position in each asset, money, negative if short. Labelled positions are matched to labelled returns by name;
        assets without a position may be missing, positions without returns are refused.
    returns : (n_obs, n_assets), or (n_obs,) for one asset
        Simple returns per scenario.

    Returns
    -------
    (n_obs,) or (n_obs, n_books)
        Money per scenario, gains positive.

    Raises
    ------
    InputError
        NaN, infinity, or assets that do not match.

    References
    ----------
    Jorion (2007), Value at Risk, 3rd ed., section 10.2 (local valuation).

    Examples
    --------
    >>> linear([[100.0, 0.0], [0.0, 50.0]], [[0.01, -0.02]]).tolist()
    [[1.0, -1.0]]
    """
    moves = _scenario_matrix(returns, "returns")
    refuse_prices(moves, "returns")
    amounts = finite_array(in_asset_order(positions, labels_of(returns, 1), "positions"), "positions")
    if amounts.ndim not in (1, 2) or amounts.shape[-1] != moves.shape[1]:
        raise InputError(
            f"positions has shape {amounts.shape} and returns {moves.shape}; "
            "positions needs (n_assets,) or (n_books, n_assets) with one asset per column of returns"
        )
    books = labels_of(positions, 0) if amounts.ndim == 2 else None
    return _per_scenario(moves @ amounts.T, returns, books)


@dataclass(frozen=True, repr=False, eq=False)
class DeltaGamma(Shown):
    """Delta-gamma approximation of a book: P&L = theta + delta'x + x'gamma x / 2 for moves x of the risk factors.

    Parameters
    ----------
    delta : (n_factors,)
        Money per unit move of each factor (per 1.00 of return if the moves are returns).
    gamma : (n_factors, n_factors) or (n_factors,)
        Change of delta per unit move: the full matrix with cross gammas, or its diagonal. Only the symmetric part of a
        matrix matters.
    theta : float
        P&L over the horizon without a move, money.

    Raises
    ------
    InputError
        NaN or infinity, or shapes that do not fit each other.

    References
    ----------
    Jorion (2007), Value at Risk, 3rd ed., section 10.3; Dowd (2005), Measuring Market Risk, 2nd ed., chapter 10.

    Examples
    --------
    >>> straddle = DeltaGamma(delta=[0.0], gamma=[[400.0]], theta=-0.05)
    >>> straddle.pnl([[0.01], [-0.05]]).round(6).tolist()
    [-0.03, 0.45]
    """

    delta: Any
    gamma: Any
    theta: float = 0.0

    def __post_init__(self) -> None:
        delta = finite_array(self.delta, "delta", ndim=1)
        gamma = finite_array(self.gamma, "gamma")
        if gamma.shape not in ((len(delta),), (len(delta), len(delta))):
            raise InputError(
                f"gamma has shape {gamma.shape} for {len(delta)} deltas; give one per factor, or a square matrix"
            )
        for axis in range(gamma.ndim):
            if not _same_labels(self.delta, self.gamma, axis):
                raise InputError("gamma and delta are labelled differently; give the same factors in the same order")
        finite_number(self.theta, "theta")

    def pnl(self, scenarios: Any) -> Any:
        """P&L per scenario of moves (n_obs, n_factors), matched by name where both sides are labelled."""
        moves, columns = _scenario_matrix(scenarios, "scenarios"), labels_of(scenarios, 1)
        delta = float_array(in_asset_order(self.delta, columns, "delta"), "delta")
        gamma = as_pandas(self.gamma)
        for axis in range(np.ndim(gamma)):
            gamma = in_asset_order(gamma, columns, "gamma", axis)
        gamma = float_array(gamma, "gamma")
        if len(delta) != moves.shape[1]:
            raise InputError(f"scenarios has {moves.shape[1]} factors and the book {len(delta)}; give the same factors")
        convexity = moves**2 @ gamma if gamma.ndim == 1 else ((moves @ gamma) * moves).sum(axis=1)
        return _per_scenario(self.theta + moves @ delta + 0.5 * convexity, scenarios, None)

    def moments(self, covariance: Any) -> tuple[float, float, float, float]:
        """Mean, standard deviation, skewness and excess kurtosis of the P&L for normal moves about zero, exact.

        Parameters
        ----------
        covariance : (n_factors, n_factors)
            Covariance of the moves over the horizon.

        Returns
        -------
        tuple of float
            Money, money, and two ratios: what a Cornish-Fisher VaR of the book takes.

        References
        ----------
        Mina and Ulmer (1999), Delta-gamma four ways, RiskMetrics Group, section 2 (from the cumulants of quadratic forms).

        Examples
        --------
        >>> [round(moment, 4) for moment in DeltaGamma([1.0], [[2.0]]).moments([[0.25]])]
        [0.25, 0.6124, 2.1773, 6.6667]
        """
        matrix = finite_array(covariance, "covariance", ndim=2)
        delta, gamma = float_array(self.delta, "delta"), float_array(self.gamma, "gamma")
        if matrix.shape != (len(delta), len(delta)):
            raise InputError(f"covariance has shape {matrix.shape} for {len(delta)} deltas")
        gamma = np.diag(gamma) if gamma.ndim == 1 else 0.5 * (gamma + gamma.T)
        once = gamma @ matrix
        twice = once @ once
        spread = matrix @ delta
        variance = delta @ spread + 0.5 * np.trace(twice)
        if not variance > 0.0:
            raise InputError("the P&L of the book does not vary under this covariance")
        third = 3.0 * spread @ gamma @ spread + np.trace(twice @ once)
        fourth = 12.0 * spread @ gamma @ matrix @ gamma @ spread + 3.0 * np.trace(twice @ twice)
        mean = self.theta + 0.5 * np.trace(once)
        return float(mean), float(np.sqrt(variance)), float(third / variance**1.5), float(fourth / variance**2)

    def _title(self) -> str:
        return "Delta-gamma book"

    def _rows(self) -> list[Row]:
        return [
            ("factors", len(self.delta), ""),
            ("sum of deltas", float(np.sum(float_array(self.delta, "delta"))), "money per unit of move"),
            ("gamma", "diagonal" if np.ndim(as_pandas(self.gamma)) == 1 else "full matrix", ""),
            ("theta", self.theta, "money"),
        ]


def full_revaluation(revalue: Callable[[Any], Any], scenarios: Any, *, value_today: float | None = None) -> Any:
    """P&L of a book by full revaluation in every scenario.

    Parameters
    ----------
    revalue : callable
        ``revalue(scenarios)`` receives the scenarios unchanged (array or DataFrame) and returns one number per
        scenario, or one row with a column per book.
    scenarios : (n_obs, n_factors)
        Moves of the risk factors.
    value_today : float, optional
        Value without a move, which is subtracted if `revalue` returns values. Without it `revalue` must return P&L.

    Returns
    -------
    (n_obs,) or (n_obs, n_books)
        Money per scenario, gains positive.

    Raises
    ------
    InputError
        `revalue` returned NaN, or not one row per scenario.

    Examples
    --------
    >>> call = lambda moves: [max(100.0 * (1.0 + move) - 100.0, 0.0) for (move,) in moves]
    >>> full_revaluation(call, [[0.05], [-0.05]], value_today=2.0).round(6).tolist()
    [3.0, -2.0]
    """
    n_obs = len(_scenario_matrix(scenarios, "scenarios"))
    values = revalue(scenarios)
    array = observations(values, "revalue(scenarios)")
    if len(array) != n_obs:
        raise InputError(f"revalue(scenarios) has shape {array.shape} for {n_obs} scenarios; return one row for each")
    if value_today is not None:
        array = array - finite_number(value_today, "value_today")
    return _per_scenario(array, scenarios, labels_of(values, 1))


def aggregate(pnl: Any, hierarchy: Mapping[Any, Any] | None = None, *, total: Any = None) -> Any:
    """P&L of every node of a book -> desk -> firm hierarchy from the P&L of its books.

    A node is the sum of its children in their order; integer P&L (cents) stays integer, so that sums are exact. The
    risk of a node is that of its column: P&L is additive, VaR is not.

    Parameters
    ----------
    pnl : DataFrame (n_obs, n_books), or Series (n_books,) for one scenario
        P&L with one column per book; MultiIndex columns, from the top to the book, define the hierarchy.
    hierarchy : mapping, optional
        Nested mapping from the top, with the books in lists: ``{"firm": {"desk A": ["book 1", "book 2"]}}``.
        Names must be unique, and the books those of `pnl`. Not used with MultiIndex columns.
    total : label, optional
        Name of an additional node above all others.

    Returns
    -------
    DataFrame or Series
        One column per node, each parent before its children. With MultiIndex columns a node is its path, padded with
        "".

    Raises
    ------
    InputError
        NaN, a book that is missing, unknown or named twice, or no hierarchy.

    Examples
    --------
    >>> import pandas as pd
    >>> books = pd.DataFrame({"swaps": [1.0, -2.0], "bonds": [3.0, 1.0], "fx": [-1.0, 5.0]})
    >>> aggregate(books, {"firm": {"rates": ["swaps", "bonds"], "macro": ["fx"]}})
       firm  rates  swaps  bonds  macro   fx
    0   3.0    4.0    1.0    3.0   -1.0 -1.0
    1   4.0   -1.0   -2.0    1.0    5.0  5.0
    """
    import pandas as pd

    pnl = as_pandas(pnl)
    if isinstance(pnl, pd.Series):
        return aggregate(pnl.to_frame().T, hierarchy, total=total).iloc[0].rename(pnl.name)
    if not isinstance(pnl, pd.DataFrame):
        raise InputError("pnl has no labels; give a DataFrame with one column per book, or a Series for one scenario")
    books = pnl.columns
    if not books.is_unique:
        raise InputError(f"pnl names a book twice: {_some(books[books.duplicated()])}")
    if isinstance(books, pd.MultiIndex) == (hierarchy is not None):
        raise InputError(
            "give the hierarchy once: as {'firm': {'desk': ['book', ...]}}, or as MultiIndex columns of pnl"
        )
    numbers = _exact_numbers(pnl)
    tops = (
        _nodes_of_paths([tuple(path) for path in books])
        if hierarchy is None
        else _nodes_of_mapping(hierarchy, "hierarchy")
    )
    if total is not None:
        tops = [_Node((total, *[""] * (books.nlevels - 1)) if hierarchy is None else total, tops)]
    nodes = [node for top in tops for node in top.below()]
    _check_books(nodes, books)
    values: dict[Any, np.ndarray] = dict(zip(books, numbers.T, strict=True))
    for node in reversed(nodes):  # children before their parents
        if node.children:
            values[node.name] = functools.reduce(np.add, [values[child.name] for child in node.children])
    names = [node.name for node in nodes]
    columns = pd.MultiIndex.from_tuples(names, names=books.names) if hierarchy is None else names
    return pd.DataFrame(np.column_stack([values[name] for name in names]), index=pnl.index, columns=columns)


def membership(hierarchy: Mapping[Any, Any], books: Any) -> tuple[list[Any], Any]:
    """Names of the nodes above the books of a hierarchy, and the sparse (n_books, n_nodes) matrix of what is below each."""
    from scipy.sparse import csr_array

    nodes = [node for top in _nodes_of_mapping(hierarchy, "hierarchy") for node in top.below()]
    _check_books(nodes, books)
    at, above = {book: i for i, book in enumerate(books)}, [node for node in nodes if node.children]
    pairs = [(at[leaf.name], j) for j, node in enumerate(above) for leaf in node.below() if not leaf.children]
    rows, columns = zip(*pairs, strict=True)
    return [node.name for node in above], csr_array((np.ones(len(pairs)), (rows, columns)), (len(at), len(above)))


@dataclass(frozen=True)
class _Node:
    """A node and its children; a book has none."""

    name: Any
    children: list[_Node]

    def below(self) -> Iterator[_Node]:
        """The node itself, then all nodes below it."""
        yield self
        for child in self.children:
            yield from child.below()


def _nodes_of_mapping(subtree: Any, name: Any) -> list[_Node]:
    """The children of one node of a nested mapping, whose lists contain books."""
    if isinstance(subtree, Mapping):
        return [_Node(key, _nodes_of_mapping(below, key)) for key, below in subtree.items()]
    if isinstance(subtree, str) or not isinstance(subtree, Iterable):
        raise InputError(
            f"hierarchy has {shown(subtree)} under {shown(name)}; give a mapping of names, or a list of books"
        )
    return [_Node(book, []) for book in subtree]


def _nodes_of_paths(paths: list[tuple[Any, ...]], depth: int = 1) -> list[_Node]:
    """The nodes on paths from the top to a book, in order of first appearance."""
    groups: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for path in paths:
        groups.setdefault(path[:depth], []).append(path)
    width = len(paths[0])
    return [
        _Node(prefix + ("",) * (width - depth), _nodes_of_paths(group, depth + 1) if depth < width else [])
        for prefix, group in groups.items()
    ]


def _check_books(nodes: list[_Node], books: Any) -> None:
    """Check that names are unique and the leaves are the books of the P&L."""
    names = [node.name for node in nodes]
    duplicates = [name for name, count in Counter(names).items() if count > 1]
    if duplicates:
        raise InputError(f"hierarchy names a node twice: {_some(duplicates)}")
    leaves = {node.name: None for node in nodes if not node.children}
    known = set(books)
    for words, unmatched in (
        ("hierarchy has books without P&L", [book for book in leaves if book not in known]),
        ("pnl has books that are not in the hierarchy", [book for book in books if book not in leaves]),
    ):
        if unmatched:
            raise InputError(f"{words}: {_some(unmatched)}")


def _exact_numbers(pnl: Any) -> np.ndarray:
    """Integers as int64 whose sums cannot overflow, anything else as finite floats."""
    if not all(isinstance(dtype, np.dtype) and np.issubdtype(dtype, np.integer) for dtype in pnl.dtypes):
        return finite_array(pnl, "pnl", ndim=2)
    array = pnl.to_numpy()
    finite_array(array, "pnl", ndim=2)
    if array.shape[1] * max(abs(int(array.max())), abs(int(array.min()))) >= 2**63:
        raise InputError(f"pnl holds integers up to {array.max()}; their sums would overflow 64 bits, give floats")
    return np.asarray(array.astype(np.int64))


def _scenario_matrix(scenarios: Any, name: str) -> np.ndarray:
    array = observations(scenarios, name)
    return array[:, None] if array.ndim == 1 else array


def _per_scenario(array: np.ndarray, scenarios: Any, books: Any) -> Any:
    """P&L with the labels of the scenarios as rows and of the books as columns."""
    rows = labels_of(scenarios, 0)
    return with_labels(array, rows, books if array.ndim == 2 else None)


def _same_labels(vector: Any, matrix: Any, axis: int) -> bool:
    """True if the labels of `matrix` along `axis` are those of `vector`, or either has none."""
    first, second = labels_of(vector, 0), labels_of(matrix, axis)
    return first is None or second is None or bool(first.equals(second))


def in_asset_order(values: Any, columns: Any, name: str, axis: int = -1) -> Any:
    """Positions or sensitivities in the order of the scenarios' assets, matched by name.

    Parameters
    ----------
    values : array, Series or DataFrame
        One entry per asset along `axis`. Returned unchanged if it, or the scenarios, have no labels.
    columns : Index or None
        Assets of the scenarios; those without an entry get zero.
    name : str
        Name of `values` in messages.
    axis : int
        Axis of the assets in `values`.

    Raises
    ------
    InputError
        An asset named twice, or one for which there are no scenarios.
    """
    values = as_pandas(values)
    axis = axis % max(np.ndim(values), 1)
    names = labels_of(values, axis)
    if names is None or columns is None:
        return values
    if not (names.is_unique and columns.is_unique):
        raise InputError(f"{name} or the scenarios name an asset twice; positions are matched by name")
    unknown = [label for label in names if label not in columns]
    if unknown:
        raise InputError(f"{name} holds {_some(unknown)}, for which there are no scenarios")
    return values.reindex(columns, axis=axis, fill_value=0.0)


def _some(names: Iterable[Any]) -> str:
    """Format the first names of a list for a message."""
    listed = list(names)
    return ", ".join(map(repr, listed[:3])) + (f" and {len(listed) - 3} more" if len(listed) > 3 else "")


suggest_names(__name__)
