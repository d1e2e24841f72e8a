"""Choosing one setting: the Pareto front of what limits save and spoil, an objective, and constraints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from riskkit._check import InputError, finite_array, finite_number

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Choice", "Constraint", "Objective", "pareto_front"]

Objective = float | str | Callable[["pd.DataFrame"], Any]
Constraint = tuple[float | None, float | None] | Callable[[Any], Any]


def pareto_front(gain: Any, cost: Any) -> np.ndarray:
    """Which points no other point beats: none has as much gain for as little cost, and more gain or less cost.

    Parameters
    ----------
    gain, cost : array-like of shape (n_points,)
        What is wanted and what it takes, compared exactly. Equal points are on the front together.

    Returns
    -------
    ndarray of bool, shape (n_points,)

    Raises
    ------
    InputError
        Where the two are not of one length.

    References
    ----------
    Kung, Luccio and Preparata (1975), On finding the maxima of a set of vectors, Journal of the ACM 22(4), section 2.

    Examples
    --------
    >>> pareto_front([0, 5, 5, 9], [0, 2, 3, 9]).tolist()
    [True, True, False, True]
    """
    gain, cost = np.asarray(gain), np.asarray(cost)
    if gain.ndim != 1 or gain.shape != cost.shape:
        raise InputError(f"gain has shape {gain.shape} and cost {cost.shape}; give one of each for every point")
    front = np.zeros(len(gain), bool)
    most: Any = None
    for place in np.lexsort((-gain, cost)).tolist():  # cheapest first, of equal cost the largest gain first
        if most is None or gain[place] > most[0]:
            most = (gain[place], cost[place])
        front[place] = (gain[place], cost[place]) == most
    return front


class Choice(NamedTuple):
    """How one setting is chosen from a frame of outcomes.

    Attributes
    ----------
    objective : float, str or callable
        A price of blocked flow: loss avoided less the price times `blocked`, as large as can be. A column, as large
        as can be (with "-" before it, as small). Or a function of the frame that gives one score a setting.
    constraints : mapping
        Column -> (low, high), both allowed and None for no bound, or a function of the column that gives yes or no;
        any other name -> a function of the whole frame.
    blocked : str
        The column of good flow that was blocked.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"loss_avoided": [0.0, 5.0, 9.0], "profit_forgone": [0.0, 2.0, 8.0]})
    >>> Choice(1.0, {}, "profit_forgone").of(frame)
    1
    >>> Choice("loss_avoided", {"profit_forgone": (None, 1.0)}, "profit_forgone").of(frame)
    0
    """

    objective: Objective
    constraints: Mapping[str, Constraint]
    blocked: str

    def scores(self, frame: pd.DataFrame) -> np.ndarray:
        """What the objective says of each setting, larger is better; float64, shape (n_settings,)."""
        objective = self.objective
        if isinstance(objective, str):
            return (-1.0 if objective.startswith("-") else 1.0) * _column(frame, objective.removeprefix("-"))
        if not callable(objective):
            return _column(frame, "loss_avoided") - self.price * _column(frame, self.blocked)
        scores = finite_array(objective(frame), "objective", ndim=1)
        if len(scores) != len(frame):
            raise InputError(f"objective gave {len(scores)} scores for {len(frame)} settings; it gives one for each")
        return scores

    @property
    def price(self) -> float:
        """The price of blocked flow, where the objective is one."""
        price = finite_number(self.objective, "objective")
        if price < 0:
            raise InputError(f"objective={self.objective!r} is a price of blocked flow; it is at or above zero")
        return price

    def fits(self, frame: pd.DataFrame) -> np.ndarray:
        """Which settings meet every constraint; bool, shape (n_settings,)."""
        return np.logical_and.reduce([np.ones(len(frame), bool), *self._each(frame).values()])

    def of(self, frame: pd.DataFrame) -> int | None:
        """The place of the best setting that fits, or None where none does.

        Of equal scores the one that blocks less, then the one that avoids more, then the first.
        """
        fitting = np.flatnonzero(self.fits(frame))
        if not len(fitting):
            return None
        keys = (-_column(frame, "loss_avoided"), _column(frame, self.blocked), -self.scores(frame))
        return int(fitting[np.lexsort(tuple(key[fitting] for key in keys))[0]])

    def refuse_what_does_not_fit(self, frame: pd.DataFrame) -> None:
        """Look at names, prices and bounds with any frame of the right columns; functions are left for the real one.

        Raises
        ------
        InputError
            Where a column is unknown, a price below zero, or a constraint neither bounds nor a function.
        """
        if not callable(self.objective):
            self.scores(frame)
        for name, wanted in self.constraints.items():
            if not callable(wanted):
                _fit(frame, name, wanted)

    def refuse_where_nothing_fits(self, frame: pd.DataFrame) -> None:
        """Say which constraint no setting fits.

        Raises
        ------
        InputError
            One sentence with the constraint and what the settings have.
        """
        each = self._each(frame)
        for name, fit in each.items():
            if not fit.any():
                seen = ""
                if name in frame.columns:
                    seen = f"; theirs go from {frame[name].min():.6g} to {frame[name].max():.6g}"
                raise InputError(f"no setting fits the constraint {_said(name, self.constraints[name])}{seen}")
        if not self.fits(frame).any():
            fitted = ", ".join(f"{_said(name, self.constraints[name])} ({fit.sum()})" for name, fit in each.items())
            raise InputError(f"no setting fits all constraints at once, though some fit each: {fitted}")

    def _each(self, frame: pd.DataFrame) -> dict[str, np.ndarray]:
        return {name: _fit(frame, name, wanted) for name, wanted in self.constraints.items()}


def _column(frame: pd.DataFrame, name: str) -> np.ndarray:
    if name not in frame.columns:
        raise InputError(f"{name!r} is not a column of the outcomes; they are {', '.join(frame.columns)}")
    return frame[name].to_numpy(float)


def _fit(frame: pd.DataFrame, name: str, wanted: Constraint) -> np.ndarray:
    if callable(wanted):
        found = np.asarray(wanted(frame[name] if name in frame.columns else frame))
        if found.shape != (len(frame),) or found.dtype != bool:
            raise InputError(f"the constraint {name!r} must give yes or no for each of {len(frame)} settings")
        return found
    if not isinstance(wanted, (tuple, list)) or len(wanted) != 2:
        raise InputError(f"constraints[{name!r}]={wanted!r} is neither a (low, high) nor a function")
    low, high = (None if end is None else finite_number(end, f"constraints[{name!r}]") for end in wanted)
    values = _column(frame, name)
    return (values >= (-np.inf if low is None else low)) & (values <= (np.inf if high is None else high))


def _said(name: str, wanted: Constraint) -> str:
    if callable(wanted):
        return f"{name!r} (a function)"
    low, high = wanted
    return " and ".join(
        f"{name} {sign} {end:g}" for sign, end in ((">=", low), ("<=", high)) if end is not None
    ) or f"{name} (no bounds)"  # fmt: skip
