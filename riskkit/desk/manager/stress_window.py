"""The covariance of the days in which the market moved most."""

from __future__ import annotations

from typing import Any

import numpy as np

from riskkit.covariance import sample_covariance, stressed_covariance

__all__ = ["under_stress"]


def under_stress(moves: Any, window: tuple[Any, Any] | None) -> np.ndarray:
    """The covariance about zero of a window of stress."""
    if window is None:
        return np.asarray(sample_covariance(_stormiest(np.asarray(moves)), ddof=0, mean="zero"))
    return np.asarray(stressed_covariance(moves, *window, ddof=0, mean="zero"))


def _stormiest(moves: np.ndarray) -> np.ndarray:
    """The quarter of the rows, at least two together, with the largest mean of squares in units of each column's own."""
    length = max(2, len(moves) // 4)
    own = (moves**2).mean(axis=0)
    loud = (moves**2 / np.where(own > 0.0, own, 1.0)).mean(axis=1)
    total = np.concatenate([[0.0], np.cumsum(loud)])
    begin = int(np.argmax(total[length:] - total[:-length]))
    return moves[begin : begin + length]
