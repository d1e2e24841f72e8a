"""Selection of one setting: objective, constraints, and the Pareto front of a gain against a cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from riskkit._check import InputError, finite_array, finite_number
from riskkit.replay.sweeps.many.figures import ENFORCED, GAINS, IN_HINDSIGHT, PER_DAY

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

    from riskkit.replay.sweeps.many.daily import DailyFigures

Objective = str | Callable[["pd.DataFrame"], Any]
FITS = "name a figure of the enforced replay, such as 'profit_change' or '-drawdown'"
Constraint = tuple[float | None, float | None] | Callable[[Any], Any]


def pareto_front(gain: ArrayLike, cost: ArrayLike) -> np.ndarray:
    """Flag the points on the Pareto front: no other point has at least their gain at no more cost, and one better.

    Parameters
    ----------
    gain, cost : array-like of shape (n_points,)
        Compared exactly. Equal points are on the front together.

    Returns
    -------
    ndarray of bool, shape (n_points,)

    Raises
    ------
    InputError
        If the lengths differ.

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
    best: Any = None
    for i in np.lexsort((-gain, cost)).tolist():  # ascending cost, at equal cost descending gain
        if best is None or gain[i] > best[0]:
            best = (gain[i], cost[i])
        front[i] = (gain[i], cost[i]) == best
    return front


class Selection(NamedTuple):
    """Objective and constraints that select one setting from a frame of figures.

    Attributes
    ----------
    objective : str or callable
        A figure of the enforced replays: maximise a gain; "-figure": minimise a loss or a cost. Or a function of the frame that returns one
        score per setting, to be maximised.
    constraints : mapping
        Column -> (low, high), both inclusive and None for no bound, or a function of the column that returns booleans;
        any other name -> a function of the full frame.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"profit_change": [0.0, 5.0, 9.0], "drawdown": [0.0, 2.0, 8.0], "orders_rejected": 0.0})
    >>> Selection("profit_change", {}).best(frame)
    2
    >>> Selection("profit_change", {"drawdown": (None, 2.0)}).best(frame)
    1
    """

    objective: Objective
    constraints: Mapping[str, Constraint]

    def scores(self, frame: pd.DataFrame) -> np.ndarray:
        """Score of each setting, larger is better; float64, shape (n_settings,)."""
        objective = self.objective
        if isinstance(objective, str):
            return (-1.0 if objective.startswith("-") else 1.0) * _column(frame, objective.removeprefix("-")) + 0.0
        scores = finite_array(objective(frame), "objective", ndim=1)
        if len(scores) != len(frame):
            raise InputError(
                f"objective returned {len(scores)} scores for {len(frame)} settings; it must return one each"
            )
        return scores

    def daily_scores(self, figures: DailyFigures) -> np.ndarray | None:
        """Score of each setting by day less that of the record, if its mean is the score; None if it is no sum over days."""
        if not isinstance(self.objective, str):
            return None
        name = self.objective.removeprefix("-")
        daily = figures.daily("profit_change" if name == "profit" else name) if name in PER_DAY else None
        return -daily if daily is not None and self.objective != name else daily

    @property
    def name(self) -> str:
        """The objective in words."""
        if not isinstance(self.objective, str):
            return "a function"
        figure = self.objective.removeprefix("-").replace("_", " ")
        return f"least {figure}" if self.objective.startswith("-") else f"most {figure}"

    @property
    def needs_hindsight(self) -> bool:
        """True if a constraint or a function may read outcomes of single orders, which need a horizon."""
        functions = callable(self.objective) or any(map(callable, self.constraints.values()))
        return functions or not IN_HINDSIGHT.keys().isdisjoint(self.constraints)

    def feasible(self, frame: pd.DataFrame) -> np.ndarray:
        """Flag the settings that satisfy every constraint; bool, shape (n_settings,)."""
        feasible = np.ones(len(frame), bool)
        for satisfied in self._each(frame).values():
            feasible &= satisfied
        return feasible

    def best(self, frame: pd.DataFrame) -> int | None:
        """Row of the feasible setting with the highest score, or None if none is feasible.

        Ties are broken by a smaller drawdown, then by fewer rejected orders, then by the order of the rows.
        """
        rows = np.flatnonzero(self.feasible(frame))
        if not len(rows):
            return None
        keys = (_column(frame, "orders_rejected"), _column(frame, "drawdown"), -self.scores(frame))
        return int(rows[np.lexsort(tuple(key[rows] for key in keys))[0]])

    def check(self, frame: pd.DataFrame) -> None:
        """Check names and bounds with any frame of the right columns; functions are not called.

        Raises
        ------
        InputError
            If a column is unknown, the objective is no enforced figure, or a constraint is neither bounds nor a
            function.
        """
        if isinstance(self.objective, str):
            self.scores(frame)
            if self.objective.removeprefix("-") in IN_HINDSIGHT:
                raise InputError(f"objective={self.objective!r} is hindsight, order by order; {FITS}")
            figure = self.objective.removeprefix("-")
            better = figure if figure in GAINS else f"-{figure}"
            if figure in ENFORCED and self.objective != better:
                raise InputError(
                    f"objective={self.objective!r} would select the setting with the {self.name}; use {better!r}, or a "
                    "function if that is meant"
                )
        elif not callable(self.objective):
            raise InputError(
                f"objective={self.objective!r} is a price of profit forgone in hindsight, which is no objective any "
                f"more; {FITS}"
            )
        for name, constraint in self.constraints.items():
            if not callable(constraint):
                _satisfied(frame, name, constraint)

    def check_feasible(self, frame: pd.DataFrame) -> None:
        """Check that some setting satisfies all constraints.

        Raises
        ------
        InputError
            Names the constraint that no setting satisfies, with the range of the column.
        """
        each = self._each(frame)
        for name, satisfied in each.items():
            if not satisfied.any():
                found = ""
                if name in frame.columns:
                    found = f"; its values range from {frame[name].min():.6g} to {frame[name].max():.6g}"
                raise InputError(f"no setting satisfies the constraint {_text(name, self.constraints[name])}{found}")
        if not self.feasible(frame).any():
            counts = ", ".join(f"{_text(name, self.constraints[name])} ({flags.sum()})" for name, flags in each.items())
            raise InputError(f"no setting satisfies all constraints at once; settings that satisfy each: {counts}")

    def _each(self, frame: pd.DataFrame) -> dict[str, np.ndarray]:
        return {name: _satisfied(frame, name, constraint) for name, constraint in self.constraints.items()}


def _column(frame: pd.DataFrame, name: str) -> np.ndarray:
    if name not in frame.columns:
        raise InputError(f"{name!r} is not a column of the metrics; they are {', '.join(frame.columns)}")
    return frame[name].to_numpy(float)


def _satisfied(frame: pd.DataFrame, name: str, constraint: Constraint) -> np.ndarray:
    if callable(constraint):
        flags = np.asarray(constraint(frame[name] if name in frame.columns else frame))
        if flags.shape != (len(frame),) or flags.dtype != bool:
            raise InputError(f"the constraint {name!r} must return one boolean for each of {len(frame)} settings")
        return flags
    if not isinstance(constraint, (tuple, list)) or len(constraint) != 2:
        raise InputError(
            f"constraints[{name!r}]={constraint!r} is neither a (low, high) nor a function; (None, high) is at most, (low, None) at least"
        )
    low, high = (None if end is None else finite_number(end, f"constraints[{name!r}]") for end in constraint)
    values = _column(frame, name)
    return (values >= (-np.inf if low is None else low)) & (values <= (np.inf if high is None else high))


def _text(name: str, constraint: Constraint) -> str:
    if callable(constraint):
        return f"{name!r} (a function)"
    bounds = [f"{name} {sign} {end:g}" for sign, end in zip((">=", "<="), constraint, strict=True) if end is not None]
    return " and ".join(bounds) or f"{name} (no bounds)"
