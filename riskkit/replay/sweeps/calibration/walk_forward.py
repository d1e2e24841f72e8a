"""Walk-forward evaluation: select on a training window, evaluate on the test window after it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from riskkit._check import InputError, one_of, whole_number
from riskkit.replay.sweeps.calibration.objective import Selection

if TYPE_CHECKING:
    import pandas as pd

WindowKind = Literal["expanding", "rolling"]
State = Literal["carried", "fresh"]


class Window(NamedTuple):
    """Indices of trading days, each range from (included) to (excluded)."""

    train_from: int
    train_to: int
    known_to: int  # later training days are purged: their outcomes are not known when the test starts; or embargoed
    test_from: int
    test_to: int


class WindowMetrics(NamedTuple):
    """Figures of one setting in one window, and of the record where no limits apply.

    ``profit_change`` is per trading day, ``rejected_share`` a fraction of the orders.
    """

    score: float
    profit_change: float
    drawdown: float
    drawdown_change: float
    rejected_share: float


class Split(NamedTuple):
    """One walk-forward split: the setting selected in training, with its figures in training and test.

    ``row`` is None if no setting is feasible; then no limits apply, and the figures are those of the record.
    ``best_score`` is the score of the best feasible setting in the test window, that of the record if none is feasible.
    """

    window: Window
    row: int | None
    train: WindowMetrics
    test: WindowMetrics
    best_score: float


class Evaluated(NamedTuple):
    """Figures of all settings over the known days of a training window and over its test window."""

    window: Window
    train: pd.DataFrame
    test: pd.DataFrame


def walk(
    evaluated: Iterable[Evaluated], record: Callable[[int, int], pd.DataFrame], selection: Selection
) -> tuple[Split, ...]:
    """Select on each training window and evaluate on its test window; `record` has the figures without limits."""
    return tuple(_split(one, record, selection) for one in evaluated)


def _split(one: Evaluated, record: Callable[[int, int], pd.DataFrame], selection: Selection) -> Split:
    window, train, test = one
    row, best = selection.best(train), selection.best(test)
    without = record(window.test_from, window.test_to)
    best_score = float(selection.scores(without)[0] if best is None else selection.scores(test)[best])
    if row is None:
        before = record(window.train_from, window.known_to)
        return Split(window, None, _metrics(selection, before, 0), _metrics(selection, without, 0), best_score)
    return Split(window, row, _metrics(selection, train, row), _metrics(selection, test, row), best_score)


def _metrics(selection: Selection, frame: pd.DataFrame, row: int) -> WindowMetrics:
    figures = (float(frame[name].to_numpy()[row]) for name in WindowMetrics._fields[1:])
    return WindowMetrics(float(selection.scores(frame)[row]), *figures)


def windows(
    starts: np.ndarray,
    ends: np.ndarray,
    horizon_ns: int,
    *,
    train_days: int,
    test_days: int,
    embargo_days: int = 0,
    kind: WindowKind = "expanding",
) -> list[Window]:
    """Split trading days into consecutive pairs of a training and a test window.

    `starts` and `ends` of the days are int64 nanoseconds since the epoch, shape (n_days,). Expanding training windows
    start at the first day; rolling ones have `train_days` days each. Purging: a training day counts only if its end
    plus the horizon lies before the test window, so that no order is used whose outcome is known only in the test
    window. The last `embargo_days` days before a test window do not count either. Test windows do not overlap; the last
    may be shorter.

    Raises
    ------
    InputError
        If no test window fits, or no outcome of the first training window is known before its end.

    References
    ----------
    Pardo (2008), The Evaluation and Optimization of Trading Strategies, 2nd ed., chapter 11. Lopez de Prado (2018),
    Advances in Financial Machine Learning, sections 7.4.1 (purging) and 7.4.2 (embargo).

    Examples
    --------
    >>> day = np.arange(7)
    >>> [tuple(window) for window in windows(day, day + 1, 1, train_days=3, test_days=2)]
    [(0, 3, 2, 3, 5), (0, 5, 4, 5, 7)]
    >>> windows(day, day + 1, 1, train_days=3, test_days=4, embargo_days=2)[0].known_to
    1
    """
    train_days, test_days = whole_number(train_days, "train_days"), whole_number(test_days, "test_days")
    one_of(kind, ("expanding", "rolling"), "window")
    n_days = len(starts)
    if train_days >= n_days:
        raise InputError(f"train_days={train_days} leaves no day to test on: the log has {n_days} trading days")
    found = []
    for test in range(train_days, n_days, test_days):
        first = 0 if kind == "expanding" else test - train_days
        known = int(np.searchsorted(ends, int(starts[test]) - horizon_ns, "right"))
        known = min(known, test - embargo_days)
        if known <= first:
            apart = f" and embargo_days={embargo_days}" if embargo_days else ""
            raise InputError(
                f"train_days={train_days} is too short: no day of the training window ends a horizon{apart} before it; "
                "give more"
            )
        found.append(Window(first, test, known, test, min(test + test_days, n_days)))
    return found
