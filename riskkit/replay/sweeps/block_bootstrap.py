"""Resampled days: what the figures would have been, had the days of the record come in another mix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import numpy as np

from riskkit._check import InputError
from riskkit.montecarlo.draws import Draws
from riskkit.montecarlo.models.bootstrap import BlockBootstrap, Kind

__all__ = ["block_law", "default_block", "resampled_counts"]

BATCH = 2_000_000  # random numbers at once


def default_block(n_days: int, horizon_days: int = 0) -> int:
    """Days in a block: the cube root of their number, or as many as one order is judged over, if those are more.

    References
    ----------
    Politis and White (2004), Automatic block-length selection for the dependent bootstrap, Econometric Reviews 23(1),
    section 2: the length that is best grows as the cube root of the number of observations.

    Examples
    --------
    >>> default_block(1000), default_block(1000, horizon_days=63)
    (10, 63)
    """
    return max(1, min(max(round(n_days ** (1 / 3)), horizon_days), n_days))


def block_law(n_days: int, rng: np.random.Generator | None, block: float, kind: str) -> BlockBootstrap:
    """How days are drawn; refuses what cannot be resampled.

    Raises
    ------
    InputError
        Where there are fewer than two days, `rng` is no Generator, or the block does not fit.
    """
    if not isinstance(rng, np.random.Generator):
        raise InputError(f"rng={rng!r} is not a numpy Generator; give numpy.random.default_rng(seed), or resamples=0")
    if n_days < 2:
        raise InputError("the log has one trading day, and there is nothing to resample; give resamples=0")
    return BlockBootstrap(np.zeros((n_days, 1)), horizon=n_days, block=block, kind=cast(Kind, kind))


def resampled_counts(
    n_days: int, rng: np.random.Generator, resamples: int, *, block: float, kind: str = "stationary"
) -> Iterator[np.ndarray]:
    """How often each day is in each resample of `n_days` days, a batch of resamples at a time.

    Parameters
    ----------
    n_days : int
        Days of the record, at least 2.
    rng : numpy.random.Generator
        The source of chance; the batches do not change what is drawn.
    resamples : int
        How many.
    block : float
        Days in a block: the mean for "stationary", exact for "circular".
    kind : {"stationary", "circular"}
        As in `riskkit.montecarlo.BlockBootstrap`.

    Yields
    ------
    ndarray of int64, shape (batch, n_days)
        Each row sums to n_days.

    Raises
    ------
    InputError
        Where there are fewer than two days, `rng` is no Generator, or the block does not fit.

    References
    ----------
    Politis and Romano (1994), The stationary bootstrap, JASA 89, 1303-1313, section 2.

    Examples
    --------
    >>> next(resampled_counts(4, np.random.default_rng(1), 2, block=2)).sum(axis=1).tolist()
    [4, 4]
    """
    law = block_law(n_days, rng, block, kind)
    width = law.needs.uniforms
    batch = max(1, BATCH // width)
    for start in range(0, resamples, batch):
        size = min(batch, resamples - start)
        days = law.days(Draws(np.zeros((size, 0)), rng.random((size, width)), np.zeros(0)))
        flat = days + n_days * np.arange(size)[:, None]
        yield np.bincount(flat.ravel(), minlength=size * n_days).reshape(size, n_days)
