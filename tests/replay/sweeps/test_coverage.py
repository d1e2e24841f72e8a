"""Simulated coverage of the intervals of a calibration: at least 87 % where 90 % is said.

The long run simulates enough samples for the figures in the docstring of `mean_intervals`; the suite a few of each case.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from riskkit.replay.sweeps.calibration.mean_interval import mean_intervals

Draw = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]
RARE = 0.05  # days with a loss


def persistent(rng: np.random.Generator, shape: tuple[int, int], *strengths: float) -> np.ndarray:
    """Normal days, each of which takes over a part of those before it."""
    made = rng.standard_normal((shape[0], shape[1] + 60))
    for day in range(len(strengths), made.shape[1]):
        for lag, strength in enumerate(strengths, 1):
            made[:, day] += strength * made[:, day - lag]
    return made[:, 60:]


CASES: dict[str, tuple[Draw, float]] = {
    "half-normal": (lambda rng, shape: np.maximum(rng.standard_normal(shape), 0.0), 1 / math.sqrt(2 * math.pi)),
    "rare lognormal": (lambda rng, shape: (rng.random(shape) < RARE) * rng.lognormal(size=shape), RARE * math.exp(0.5)),
    "rare Pareto": (lambda rng, shape: (rng.random(shape) < RARE) * (1.0 + rng.pareto(3.0, shape)), RARE * 1.5),
    "AR(0.6)": (lambda rng, shape: persistent(rng, shape, 0.6), 0.0),
    "AR(0.4, 0.3)": (lambda rng, shape: persistent(rng, shape, 0.4, 0.3), 0.0),
}


def coverage(case: str, n_days: int, n_samples: int, n_settings: int = 1) -> tuple[float, float, float]:
    """Share of the samples with an interval in which it covers, share without one, and share without an end.

    With several settings it is the interval of the one with the largest mean.
    """
    draw, mean = CASES[case]
    rng = np.random.default_rng(n_days)
    covered = silent = unbounded = 0
    for _ in range(n_samples):
        days = draw(rng, (n_settings, n_days))
        found = mean_intervals(days, rng, 199, 0.90)
        best = int(np.argmax(days.mean(axis=1)))
        covered += bool(found.chosen_low[best] <= mean <= found.high[best])
        silent += bool(np.isnan(found.low[best]))
        unbounded += bool(np.isinf(found.high[best]) or np.isinf(found.chosen_low[best]))
    return covered / max(1, n_samples - silent), silent / n_samples, unbounded / n_samples


def at_least(n_samples: int) -> float:
    """87 % less two standard errors of the simulation."""
    return 0.87 - 2.0 * math.sqrt(0.87 * 0.13 / n_samples)


@pytest.mark.parametrize("n_days", [20, 60, 250])
@pytest.mark.parametrize("case", ["half-normal", "rare lognormal", "rare Pareto", "AR(0.6)"])
def test_intervals_cover(case, n_days, long):
    n_samples = 2_000 if long else 100
    assert coverage(case, n_days, n_samples)[0] > at_least(n_samples)


@pytest.mark.lengthy
@pytest.mark.parametrize(("case", "n_days"), [("half-normal", 20), ("rare lognormal", 60), ("AR(0.6)", 20)])
def test_intervals_of_the_chosen_of_forty_cover(case, n_days, long):
    n_samples = 400 if long else 40
    assert coverage(case, n_days, n_samples, 40)[0] > at_least(n_samples)


def test_a_second_lag_needs_more_days(long):
    n_samples = 2_000 if long else 100
    assert coverage("AR(0.4, 0.3)", 20, n_samples)[0] < 0.87
    assert coverage("AR(0.4, 0.3)", 120, n_samples)[0] > at_least(n_samples)


def test_a_sample_without_a_loss_has_no_interval():
    _, silent, unbounded = coverage("rare lognormal", 20, 200)
    assert silent == pytest.approx((1 - RARE) ** 20, abs=0.1)
    assert unbounded > 0.4
