"""A choice put to the test: on resampled days, and on days that came after those it was made on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from riskkit.replay.sweeps.block_bootstrap import resampled_counts
from riskkit.replay.sweeps.choice import Choice
from riskkit.replay.sweeps.daily import COLUMNS, Days, daily_frame
from riskkit.replay.sweeps.walk_forward import Window

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Figures", "Resamples", "Split", "resample", "walk"]

NOTHING = -1  # the place of the setting where no setting fits


class Figures(NamedTuple):
    """Per-day sums of every setting, and what makes frames of them.

    ``sums`` has `COLUMNS` in whole units; int64, shape (n_settings, n_days, 8).
    """

    sums: np.ndarray
    days: Days
    quantum: float
    labels: pd.Index

    def frame(self, first: int = 0, last: int | None = None) -> pd.DataFrame:
        """Outcomes per trading day over the days from `first` (included) to `last` (excluded)."""
        orders = self.days.orders[first:last]
        return daily_frame(
            self.sums[:, first:last].sum(axis=1), len(orders), int(orders.sum()), self.quantum, self.labels
        )


class Resamples(NamedTuple):
    """Two figures of each setting over the resamples, and which setting each resample chose.

    ``avoided`` and ``blocked`` are money per trading day, shape (n_resamples, n_settings); ``chosen`` places, -1 where
    nothing fits.
    """

    avoided: np.ndarray
    blocked: np.ndarray
    chosen: np.ndarray


class Split(NamedTuple):
    """One walk-forward split: what its training window chose, with its figures there and in the test window.

    ``best_score`` is that of the best setting that fits in the test window, 0 where none does.
    ``place`` is -1 where nothing fits; then no limits are in force and every figure is 0.
    """

    window: Window
    place: int
    train_avoided: float
    train_blocked: float
    train_score: float
    train_refused: float
    test_avoided: float
    test_blocked: float
    test_score: float
    test_refused: float
    best_score: float


def resample(
    figures: Figures, choice: Choice, rng: np.random.Generator, resamples: int, *, block: float, kind: str
) -> Resamples:
    """Outcomes and choices over resampled days; the sums are of integers, so no order of summation matters."""
    n_days, blocked = len(figures.days.starts), COLUMNS.index(choice.blocked)
    eventful = np.flatnonzero(figures.sums.any(axis=(0, 2)))  # days without refusals add nothing
    flat = figures.sums[:, eventful].transpose(1, 0, 2).reshape(len(eventful), len(figures.sums) * len(COLUMNS))
    avoided, spoiled, chosen = [], [], []
    for counts in resampled_counts(n_days, rng, resamples, block=block, kind=kind):
        sums = (counts[:, eventful] @ flat).reshape(len(counts), len(figures.sums), len(COLUMNS))
        orders = counts @ figures.days.orders
        for one, arrived in zip(sums, orders.tolist(), strict=True):
            place = choice.of(daily_frame(one, n_days, arrived, figures.quantum, figures.labels))
            chosen.append(NOTHING if place is None else place)
        avoided.append(sums[:, :, COLUMNS.index("loss_avoided")] * figures.quantum / n_days)
        spoiled.append(sums[:, :, blocked] * figures.quantum / n_days)
    return Resamples(np.concatenate(avoided), np.concatenate(spoiled), np.array(chosen))


def walk(figures: Figures, choice: Choice, windows: list[Window]) -> tuple[Split, ...]:
    """Choose on each training window, and judge on the test window after it."""
    return tuple(_split(figures, choice, window) for window in windows)


def _split(figures: Figures, choice: Choice, window: Window) -> Split:
    train = figures.frame(window.train_from, window.known_to)
    test = figures.frame(window.test_from, window.test_to)
    place = choice.of(train)
    scores = choice.scores(test)
    at_best = choice.of(test)
    best = 0.0 if at_best is None else float(scores[at_best])
    if place is None:
        return Split(window, NOTHING, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, best)
    one, other = _row(choice, train, choice.scores(train), place), _row(choice, test, scores, place)
    return Split(window, place, *one, *other, best)


def _row(choice: Choice, frame: pd.DataFrame, scores: np.ndarray, place: int) -> tuple[float, float, float, float]:
    avoided, blocked, share = (
        float(frame[name].iloc[place]) for name in ("loss_avoided", choice.blocked, "refused_share")
    )
    return avoided, blocked, float(scores[place]), share
