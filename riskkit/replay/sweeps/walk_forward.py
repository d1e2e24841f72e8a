"""Walk-forward windows of trading days: choose on what was known, judge on what came next."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from riskkit._check import InputError, one_of, whole_number

__all__ = ["Window", "windows"]


class Window(NamedTuple):
    """Places of trading days, each from (included) to (excluded)."""

    train_from: int
    train_to: int
    known_to: int  # days of training from here on are not yet judged when it ends
    test_from: int
    test_to: int


def windows(
    starts: np.ndarray, ends: np.ndarray, horizon_ns: int, *, train_days: int, test_days: int, kind: str = "expanding"
) -> list[Window]:
    """Split trading days into a training window and the test window after it, again and again.

    An order of the training window whose outcome is only known in the test window must not be learnt from: a day
    counts only if its end and the horizon after it lie before the test window starts ("purging"). Test windows do not
    overlap; the last may be shorter.

    Parameters
    ----------
    starts, ends : ndarray of int64, shape (n_days,)
        Nanoseconds since the epoch.
    horizon_ns : int
        How long after an order it is judged.
    train_days, test_days : int
        Trading days of the first training window, and of each test window.
    kind : {"expanding", "rolling"}
        Training windows from the first day on, or of the last `train_days` days.

    Raises
    ------
    InputError
        Where no test window fits in, or no day of the first training window is judged before it ends.

    References
    ----------
    Pardo (2008), The Evaluation and Optimization of Trading Strategies, 2nd ed., chapter 11. Lopez de Prado (2018),
    Advances in Financial Machine Learning, section 7.4.1 (purging).

    Examples
    --------
    >>> day = np.arange(7)
    >>> [tuple(window) for window in windows(day, day + 1, 1, train_days=3, test_days=2)]
    [(0, 3, 2, 3, 5), (0, 5, 4, 5, 7)]
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
        if known <= first:
            raise InputError(f"train_days={train_days} ends before the horizon has judged one of its days; give more")
        found.append(Window(first, test, min(known, test), test, min(test + test_days, n_days)))
    return found
