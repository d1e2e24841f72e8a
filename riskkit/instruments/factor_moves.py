"""Scenarios as moves of the factors of a book, matched by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from riskkit._check import InputError, finite_array, labels_of, shown


def factor_moves(scenarios: Any, factors: Sequence[Any]) -> np.ndarray:
    """Moves (n_scenarios, n_factors) in the order of `factors`; named factors without a column do not move."""
    moves, names = finite_array(scenarios, "scenarios", ndim=2), labels_of(scenarios, 1)
    known = list(factors)
    if names is None:
        if moves.shape[1] != len(known):
            raise InputError(f"scenarios has {moves.shape[1]} columns for {len(known)} factors; give {known}")
        return moves
    places = {name: i for i, name in enumerate(known)}
    unknown = [name for name in names if name not in places]
    if unknown:
        raise InputError(f"scenarios moves {shown(unknown[0])}, which is not one of the factors {known}")
    if not names.is_unique:
        raise InputError(f"scenarios moves {shown(names[names.duplicated()][0])} twice; give each factor once")
    table = np.zeros((len(moves), len(known)))
    table[:, [places[name] for name in names]] = moves
    return table
