"""Past periods that resemble a scenario: when did the market last move like this, and what did the book do then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from riskkit._check import InputError, finite_number, labels_of, observations, whole_number
from riskkit._plain import mapping_of
from riskkit.stress.elliptical import distribution_of_moves


def similar_periods(history: Any, scenario: Mapping[Any, float], count: int = 5, *, apart: int = 1) -> Any:
    """Periods whose moves are nearest to a scenario, in standard deviations of the differences.

    Parameters
    ----------
    history : (n_obs, n_factors)
        Moves of the factors per period, oldest first.
    scenario : mapping
        {factor: move}, by name, or by position where `history` has no names; other factors may have moved by anything.
    count : int
        Number of periods.
    apart : int
        Number of periods by which the chosen periods differ at least: 10 for moves over 10 overlapping days.

    Returns
    -------
    DataFrame
        Nearest first: `period`, the label or position of the row; `distance`, the Mahalanobis distance of its moves from the
        scenario under the covariance of the history, in standard deviations; and the moves of all factors.

    Raises
    ------
    InputError
        NaN, dates out of order, an unknown factor, no factor, or factors that never moved.

    References
    ----------
    Mahalanobis (1936), On the generalised distance in statistics. Czasonis, Kritzman, Pamir and Turkington (2020), Addition by
    subtraction: a better way to forecast factor returns (and everything else), J. Portfolio Management 46(8), 98-107.

    Examples
    --------
    >>> history = [[-0.05, 0.01], [0.01, 0.0], [-0.02, 0.0], [-0.06, -0.01], [0.02, 0.01]]
    >>> similar_periods(history, {0: -0.05}, 2).round(3)
       period  distance     0     1
    0       0     0.000 -0.05  0.01
    1       3     0.283 -0.06 -0.01
    """
    import pandas as pd

    scenario = mapping_of(scenario, "scenario")
    array = observations(history, "history", min_obs=2, ordered=True)
    table = array.reshape(len(array), -1)
    labels, rows = labels_of(history, 1), labels_of(history, 0)
    names = list(range(table.shape[1])) if labels is None else list(labels)
    unknown = [name for name in scenario if name not in names]
    if unknown or not scenario:
        raise InputError(
            f"scenario moves {unknown[0]!r}, which is not in history"
            if unknown
            else "scenario is empty; give {factor: move}"
        )
    at = [names.index(name) for name in scenario]
    wanted = np.array([finite_number(move, f"scenario[{name!r}]") for name, move in scenario.items()])
    moves = distribution_of_moves(np.atleast_2d(np.cov(table[:, at], rowvar=False)))
    distance = np.sqrt((((table[:, at] - wanted) @ moves.inverse_root.T) ** 2).sum(axis=1))
    gap, chosen = whole_number(apart, "apart"), list[int]()
    for row in np.argsort(distance, kind="stable").tolist():
        if all(abs(row - other) >= gap for other in chosen):
            chosen.append(row)
        if len(chosen) == whole_number(count, "count"):
            break
    periods = chosen if rows is None else [rows[row] for row in chosen]
    return pd.DataFrame({"period": periods, "distance": distance[chosen]}).join(
        pd.DataFrame(table[chosen], columns=names)
    )
