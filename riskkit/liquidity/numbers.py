"""What the liquidity models share: one number or one per position, matched by name."""

from __future__ import annotations

from typing import Any

import numpy as np

from riskkit._check import InputError, finite_array, labels_of, with_labels

__all__ = ["at_least_zero", "labels_among", "labelled", "matched"]


def labels_among(*values: Any) -> Any:
    """The names of the first labelled vector among these, or None."""
    return next((names for value in values if (names := labels_of(value, 0)) is not None), None)


def matched(value: Any, names: Any, name: str) -> np.ndarray:
    """A number, or one per position, in the order of `names` where both are labelled."""
    own = labels_of(value, 0)
    if own is not None and names is not None and not own.equals(names):
        missing = [label for label in names if label not in own]
        if missing or not own.is_unique:
            raise InputError(f"{name} is missing {missing[0]!r}" if missing else f"{name} names a position twice")
        value = value[names]
    array = finite_array(value, name)
    if array.ndim > 1:
        raise InputError(f"{name} has shape {array.shape}; give a number, or one per position")
    return array


def at_least_zero(value: Any, names: Any, name: str, *, above: bool = False) -> np.ndarray:
    """As `matched`, none below zero (none at zero with ``above=True``)."""
    array = matched(value, names, name)
    if (array <= 0.0).any() if above else (array < 0.0).any():
        raise InputError(f"{name} holds {array.min():g}; it must be {'above' if above else 'at least'} zero")
    return array


def labelled(array: Any, names: Any) -> Any:
    """A float for one number, else the vector with its names."""
    return float(array) if np.ndim(array) == 0 else with_labels(np.asarray(array), names)
