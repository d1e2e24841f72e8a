"""Block bootstrap of trading days: sampling distribution of the metrics and of the selected setting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np

from riskkit._check import InputError, constant, random_generator
from riskkit.montecarlo.draws import Variates
from riskkit.montecarlo.models.bootstrap import BlockBootstrap
from riskkit.replay.sweeps.calibration.objective import Selection
from riskkit.replay.sweeps.many.daily import DailyFigures

BATCH = 2_000_000  # random numbers at once
BlockKind = Literal["stationary", "circular"]


class Resamples(NamedTuple):
    """Row of the setting that each resample selects, shape (n_resamples,); -1 if no setting is feasible."""

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
    """Selections over resampled days, one after the other as drawn."""
    chosen = []
    for days in resampled_days(figures.n_days, rng, resamples, block=block, kind=kind):
        row = selection.best(figures.frame_over(days))
        chosen.append(-1 if row is None else row)
    return Resamples(np.array(chosen))


def resampled_means(
    series: np.ndarray, rng: np.random.Generator, resamples: int, *, block: float, kind: BlockKind = "stationary"
) -> np.ndarray:
    """Mean of each series (n_series, n_days) over resampled days; float64, shape (n_resamples, n_series)."""
    drawn = resampled_days(series.shape[1], rng, resamples, block=block, kind=kind)
    return np.array([series[:, days].mean(axis=1) for days in drawn]).reshape(resamples, len(series))


def automatic_block(series: np.ndarray, kind: BlockKind = "stationary", *, at_least: float = 1.0) -> float:
    """Block length in days that minimises the error of the resampled variance of a mean; the mean over the series.

    Parameters
    ----------
    series : (n_series, n_days)
        Figures of consecutive days; a series that does not vary counts for nothing.
    kind : {"stationary", "circular"}
        A circular block has a whole number of days.
    at_least : float
        Smallest length, as the days until an order is valued; at most the number of days.

    Returns
    -------
    float
        From 1 to the number of days. For one series at most min(3 sqrt(n), n/3), rounded up.

    References
    ----------
    Politis and White (2004), Automatic block-length selection for the dependent bootstrap, Econometric Reviews 23(1),
    53-70, section 3, with the correction of Patton, Politis and White (2009), Econometric Reviews 28(4), 372-375; the
    number of lags is that of the authors' program.

    Examples
    --------
    >>> days = np.array([[1.0, 2.0, 4.0, 5.0, 5.0, 3.0, 2.0, 1.0, 0.0, 0.0, 2.0, 3.0, 5.0, 6.0, 4.0, 3.0]])
    >>> round(automatic_block(days), 2), automatic_block(days, "circular"), automatic_block(days, at_least=9)
    (6.0, 6.0, 9.0)
    """
    n_days = series.shape[1]
    lengths = [_optimal_block(row, kind) for row in series if not constant(row)]
    length = max(1.0, float(at_least), float(np.mean(lengths)) if lengths else 1.0)
    length = float(round(length)) if kind == "circular" else length
    return min(length, float(n_days))


def _optimal_block(values: np.ndarray, kind: BlockKind) -> float:
    """Block length of one series: (2 g^2 / d)^(1/3) n^(1/3)."""
    n = len(values)
    centred = values - values.mean()
    run = max(5, int(np.log10(n)))  # this many lags in a row are within the band from the first that is not counted
    most = min(int(np.ceil(np.sqrt(n))) + run, n - 1)
    covariances = np.array([centred[lag:] @ centred[: n - lag] for lag in range(most + 1)]) / n
    within = np.abs(covariances) < 2.0 * np.sqrt(np.log10(n) / n) * covariances[0]
    starts = (lag for lag in range(1, most - run + 1) if within[lag : lag + run].all())
    lags = np.arange(1, min(2 * next(starts, most), most) + 1)
    weights = 2.0 * np.minimum(1.0, 2.0 * (1.0 - lags / len(lags)))  # a flat top, then a slope; both signs of the lag
    slope = float(weights * lags @ covariances[1 : len(lags) + 1])
    spectrum = float(covariances[0] + weights @ covariances[1 : len(lags) + 1])
    scale = 2.0 if kind == "stationary" else 4.0 / 3.0
    bound = float(np.ceil(min(3.0 * np.sqrt(n), n / 3.0)))
    return min((2.0 * slope**2 / (scale * spectrum**2) * n) ** (1.0 / 3.0), bound) if spectrum else bound


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
