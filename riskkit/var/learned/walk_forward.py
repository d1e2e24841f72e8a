"""Splits of a time series into past to learn from and future to be judged by, with a gap between them."""

from __future__ import annotations

import numpy as np

from riskkit._check import InputError, whole_number


def purged_walk_forward(
    n_obs: int, train: int, test: int, *, purge: int = 0, expanding: bool = False
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows to train on and rows to test on, in order of time; no row is tested twice.

    Parameters
    ----------
    n_obs : int
        Number of rows, oldest first.
    train : int
        Number of rows to train on.
    test : int
        Number of rows to test on after each training; a shorter rest at the end is left out.
    purge : int
        Number of rows left out between the two: the horizon of what is predicted less one, so that no target of the training
        overlaps with the test.
    expanding : bool
        Whether to train on all earlier rows rather than on the last `train` of them.

    Returns
    -------
    list of (train rows, test rows)
        Positions from 0.

    Raises
    ------
    InputError
        Numbers that are not whole, or more rows asked for than there are.

    References
    ----------
    López de Prado (2018), Advances in Financial Machine Learning, chapter 7.

    Examples
    --------
    >>> [(train.tolist(), test.tolist()) for train, test in purged_walk_forward(9, 3, 2, purge=1)]
    [([0, 1, 2], [4, 5]), ([2, 3, 4], [6, 7])]
    """
    rows, fitted = whole_number(n_obs, "n_obs"), whole_number(train, "train")
    judged, gap = whole_number(test, "test"), whole_number(purge, "purge", at_least=0)
    if fitted + gap + judged > rows:
        raise InputError(f"n_obs={rows} is fewer than the {fitted + gap + judged} rows of one training, purge and test")
    starts = range(0, rows - fitted - gap - judged + 1, judged)
    return [
        (
            np.arange(0 if expanding else start, start + fitted),
            np.arange(start + fitted + gap, start + fitted + gap + judged),
        )
        for start in starts
    ]
