"""A method over every window of rows: its own fast way where it has one, otherwise windows as if portfolios."""

from __future__ import annotations

from typing import Any

import numpy as np

from riskkit.var.estimate import Method

__all__ = ["roll_windows"]

CHUNK = 4_000_000
"""Numbers in a chunk of windows laid side by side: 32 MB."""


def roll_windows(
    method: Method, table: np.ndarray, window: int, confidences: tuple[float, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """VaR and ES of every window of rows: (n_confidences, n_obs - window + 1, n_series) each."""
    own: Any = getattr(method, "roll", None)
    answer = own(table, window, confidences) if own is not None else None
    if answer is not None:
        return answer
    n_windows, n_series = len(table) - window + 1, table.shape[1]
    views = np.lib.stride_tricks.sliding_window_view(table, window, axis=0)
    shape = (len(confidences), n_windows, n_series)
    var, es = np.empty(shape), np.empty(shape)
    step = max(1, CHUNK // (window * n_series))
    for first in range(0, n_windows, step):
        some = views[first : first + step].reshape(-1, window).T
        fit = method.fit(some, confidences)
        part = slice(first, first + step)
        var[:, part] = fit.var.reshape(len(confidences), -1, n_series)
        es[:, part] = fit.es.reshape(len(confidences), -1, n_series)
    return var, es
