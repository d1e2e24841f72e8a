"""Block bootstrap of trading days: sampling distribution of the metrics and of the selected setting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np

from riskkit._check import InputError, random_generator
from riskkit.montecarlo.draws import Variates
from riskkit.montecarlo.models.bootstrap import BlockBootstrap
from riskkit.replay.sweeps.calibration.objective import Selection
from riskkit.replay.sweeps.many.daily import DailyFigures

BATCH = 2_000_000  # random numbers at once
BlockKind = Literal["stationary", "circular"]


class Resamples(NamedTuple):
    """Score of each setting over each resample, and the row of the setting that it selected.

    ``scores`` has shape (n_resamples, n_settings); ``chosen`` has shape (n_resamples,), -1 if no setting is feasible.
    """

    scores: np.ndarray
    chosen: np.ndarray


def resample(
    figures: DailyFigures,
    selection: Selection,
    rng: np.random.Generator,
    resamples: int,
    *,
    block: float,
    kind: BlockKind = "stationary",
) -> Resamples:
    """Scores and selections over resampled days, one after the other as drawn."""
    scores, chosen = [], []
    for days in resampled_days(figures.n_days, rng, resamples, block=block, kind=kind):
        frame = figures.frame_over(days)
        row = selection.best(frame)
        scores.append(selection.scores(frame))
        chosen.append(-1 if row is None else row)
    return Resamples(np.array(scores), np.array(chosen))


def default_block(n_days: int, horizon_days: int = 0) -> int:
    """Block length in days: the cube root of the number of days, at least the valuation horizon of an order.

    References
    ----------
    Politis and White (2004), Automatic block-length selection for the dependent bootstrap, Econometric Reviews 23(1),
    section 2: the optimal length grows as the cube root of the number of observations.

    Examples
    --------
    >>> default_block(1000), default_block(1000, horizon_days=63)
    (10, 63)
    """
    cube_root: int = round(n_days ** (1 / 3))
    return max(1, min(max(cube_root, horizon_days), n_days))


def day_bootstrap(n_days: int, rng: np.random.Generator | None, block: float, kind: BlockKind) -> BlockBootstrap:
    """Block bootstrap of `n_days` days.

    Raises
    ------
    InputError
        If there are fewer than two days, `rng` is not a Generator, or the block does not fit.
    """
    random_generator(rng, otherwise=", or resamples=0")
    if n_days < 2:
        raise InputError("the log has one trading day, and there is nothing to resample; give resamples=0")
    return BlockBootstrap(np.zeros((n_days, 1)), horizon=n_days, block=block, kind=kind)


def resampled_days(
    n_days: int, rng: np.random.Generator, resamples: int, *, block: float, kind: BlockKind = "stationary"
) -> Iterator[np.ndarray]:
    """Yield the days of each resample in order; int64, shape (n_days,).

    The arguments are those of `calibrate`; the result does not depend on the number of random numbers drawn at once.

    References
    ----------
    Politis and Romano (1994), The stationary bootstrap, JASA 89, 1303-1313, section 2.

    Examples
    --------
    >>> [len(days) for days in resampled_days(4, np.random.default_rng(1), 2, block=2)]
    [4, 4]
    """
    bootstrap = day_bootstrap(n_days, rng, block, kind)
    width = bootstrap.needs.uniforms
    batch = max(1, BATCH // width)
    for start in range(0, resamples, batch):
        size = min(batch, resamples - start)
        yield from bootstrap.days(Variates(np.zeros((size, 0)), rng.random((size, width)), np.zeros(0)))
