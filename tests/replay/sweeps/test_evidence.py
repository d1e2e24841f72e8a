"""Intervals of daily means and tests of a choice, against plain twins and the package arch."""

from __future__ import annotations

import numpy as np
import pytest
from naive import evidence as naive

from riskkit.replay.sweeps.calibration.block_bootstrap import automatic_block, resampled_means
from riskkit.replay.sweeps.calibration.choice_tests import overfitting, superiority
from riskkit.replay.sweeps.calibration.mean_interval import BURN_IN, MAX_BATCHES, MIN_DAYS, mean_intervals


def persistent(n_series: int, n_days: int, rng: np.random.Generator, strength: float = 0.5) -> np.ndarray:
    """Series whose days take over a part of the day before."""
    found = rng.standard_normal((n_series, n_days))
    for day in range(1, n_days):
        found[:, day] += strength * found[:, day - 1]
    return found


# ---------------------------------------------------------------------- intervals of means


@pytest.mark.parametrize("n_days", [10, 24, 47, 70])
def test_intervals_equal_the_naive_twin(n_days):
    series = persistent(3, n_days, np.random.default_rng(n_days)) ** 3
    found = mean_intervals(series, np.random.default_rng(8), 19, 0.90)
    uniforms = np.random.default_rng(8).random((19, n_days + BURN_IN)).tolist()
    all_ratios = [naive.ratios(row, uniforms, BURN_IN) for row in series.tolist()]
    together = max(max(column) for column in zip(*all_ratios, strict=True))
    for j, (row, ratios) in enumerate(zip(series.tolist(), all_ratios, strict=True)):
        error = naive.fitted(row, naive.chosen_order(row))[2]
        assert found.low[j] == pytest.approx(naive.mean(row) - max(ratios) * error)  # a tail of 1 in 20
        assert found.high[j] == pytest.approx(naive.mean(row) - min(ratios) * error)
        assert found.chosen_low[j] == pytest.approx(naive.mean(row) - together * error)


def test_scale_and_shift_of_the_figures_carry_over():
    series = persistent(2, 30, np.random.default_rng(1))
    plain = mean_intervals(series, np.random.default_rng(2), 99, 0.8)
    moved = mean_intervals(3e6 * series - 5e6, np.random.default_rng(2), 99, 0.8)
    for before, after in zip(plain, moved, strict=True):
        assert after == pytest.approx(3e6 * before - 5e6)


def test_only_candidates_widen_the_interval_of_the_chosen():
    series = persistent(30, 40, np.random.default_rng(3))
    few = mean_intervals(series, np.random.default_rng(4), 199, 0.9, candidates=np.arange(30) < 2)
    many = mean_intervals(series, np.random.default_rng(4), 199, 0.9)
    assert (few.low == many.low).all()
    assert (many.chosen_low < few.chosen_low).all() and (few.chosen_low < few.low).all()
    alone = mean_intervals(series, np.random.default_rng(4), 199, 0.9, candidates=np.arange(30) == 7)
    assert alone.chosen_low[7] == alone.low[7]


def test_days_that_cannot_bound_a_mean_say_so():
    one_loss = np.zeros((1, 20))
    one_loss[0, 7] = 5.0
    found = mean_intervals(one_loss, np.random.default_rng(0), 199, 0.9)
    assert np.isfinite(found.low) and found.high == np.inf
    mirrored = mean_intervals(-one_loss, np.random.default_rng(0), 199, 0.9)
    assert mirrored.low == -np.inf and np.isfinite(mirrored.high)
    for silent in (np.zeros((1, 20)), np.full((1, 20), 1e9 / 3), np.arange(MIN_DAYS - 1.0)[None]):
        assert np.isnan(mean_intervals(silent, np.random.default_rng(0), 19, 0.9)).all()
    beside = mean_intervals(np.vstack([one_loss, np.zeros(20)]), np.random.default_rng(0), 199, 0.9)
    assert np.isnan(beside.low[1]) and beside.high[0] == np.inf


def test_very_many_days_are_averaged_in_batches_of_the_same_mean():
    days = np.random.default_rng(5).exponential(size=(1, 3 * MAX_BATCHES))
    whole = mean_intervals(days, np.random.default_rng(6), 199, 0.9)
    batches = mean_intervals(days.reshape(1, -1, 3).mean(axis=2), np.random.default_rng(6), 199, 0.9)
    assert whole.low == pytest.approx(batches.low) and whole.high == pytest.approx(batches.high)
    uneven = mean_intervals(days[:, :-1], np.random.default_rng(6), 199, 0.9)
    assert uneven.low < days[:, :-1].mean() < uneven.high


# ---------------------------------------------------------------------- length of a block


@pytest.mark.parametrize(("kind", "scale"), [("stationary", 2.0), ("circular", 4 / 3)])
def test_the_block_length_equals_the_naive_twin(kind, scale):
    for n_days, strength in ((12, 0.0), (40, 0.4), (90, 0.8), (300, -0.5)):
        series = persistent(3, n_days, np.random.default_rng(n_days), strength)
        wanted = max(1.0, np.mean([naive.block_length(row, scale) for row in series.tolist()]))
        wanted = min(round(wanted) if kind == "circular" else wanted, n_days)
        assert automatic_block(series, kind) == pytest.approx(wanted)


def test_the_block_length_is_that_of_arch():
    arch = pytest.importorskip("arch.bootstrap", reason="arch is not installed")
    for strength in (0.5, 0.7, 0.9):
        series = persistent(1, 1500, np.random.default_rng(7), strength)
        theirs = arch.optimal_block_length(series[0])["stationary"].item()
        assert automatic_block(series) == pytest.approx(theirs)


def test_the_block_is_at_least_the_horizon_and_at_most_the_record():
    series = persistent(2, 30, np.random.default_rng(1))
    assert automatic_block(series, at_least=25) == 25.0
    assert automatic_block(series, at_least=500) == 30.0
    assert automatic_block(np.zeros((2, 30))) == 1.0
    assert automatic_block(np.zeros((2, 1))) == 1.0


# ---------------------------------------------------------------------- tests of the choice


@pytest.mark.parametrize("block", [1.0, 3.5])
def test_p_values_equal_the_naive_twin(block):
    rng = np.random.default_rng(11)
    for shift in (-2.0, 0.0, 0.6):
        scores = persistent(5, 30, rng) + np.array([[shift], [0.1], [-0.4], [-3.0], [0.0]])
        means = resampled_means(scores, rng, 49, block=block)
        found = superiority(scores, means, block)
        assert found == pytest.approx(naive.p_values(scores.tolist(), means.tolist(), block))


def test_the_reality_check_is_that_of_arch():
    arch = pytest.importorskip("arch.bootstrap", reason="arch is not installed")
    scores = persistent(6, 80, np.random.default_rng(2), 0.3) + np.linspace(-0.5, 0.3, 6)[:, None]
    theirs = arch.SPA(np.zeros(80), -scores.T, block_size=4, reps=200, seed=3)
    theirs.compute()
    draws = arch.StationaryBootstrap(4, scores.T, seed=3)
    means = np.array([data[0][0].mean(axis=0) for data in draws.bootstrap(200)])
    found = superiority(scores, means, 4.0)
    assert found.reality_check == pytest.approx((200 * theirs.pvalues["upper"] + 1) / 201)
    assert 0.0 < found.reality_check < 1.0


def test_bad_settings_do_not_hide_a_good_one():
    rng = np.random.default_rng(5)
    good = rng.standard_normal((1, 120)) + 0.5
    bad = 6.0 * rng.standard_normal((40, 120)) - 4.0
    scores = np.concatenate([good, bad])
    found = superiority(scores, resampled_means(scores, rng, 400, block=1.0), 1.0)
    assert found.spa < 0.02 < found.reality_check


def test_settings_that_change_nothing_are_no_better():
    assert superiority(np.zeros((3, 20)), np.zeros((30, 3)), 2.0) == (1.0, 1.0)
    scores = np.concatenate([np.zeros((1, 20)), persistent(1, 20, np.random.default_rng(4)) - 1.0])
    means = resampled_means(scores, np.random.default_rng(1), 30, block=2.0)
    assert superiority(scores, means, 2.0).spa == 1.0


@pytest.mark.parametrize(("n_days", "groups"), [(8, 4), (13, 6), (21, 10)])
def test_the_probability_of_overfitting_equals_the_naive_twin(n_days, groups):
    rng = np.random.default_rng(n_days)
    for n_settings in (2, 3, 7):
        whole = rng.integers(-3, 4, (n_settings, n_days)).astype(float)  # with ties
        for scores in (whole, persistent(n_settings, n_days, rng)):
            assert overfitting(scores) == pytest.approx(naive.overfitted(scores.tolist(), groups))


def test_overfitting_is_none_of_a_setting_that_is_always_best_and_half_without_skill():
    rng = np.random.default_rng(9)
    skilled = rng.standard_normal((10, 64)) + np.arange(10)[:, None]
    assert overfitting(skilled) == (0.0, 12_870)
    by_chance = [overfitting(rng.standard_normal((10, 64))).probability for _ in range(20)]
    assert 0.35 < np.mean(by_chance) < 0.65
    assert overfitting(np.zeros((4, 20))) == (0.5, 252)
    assert overfitting(np.zeros((1, 20))) is None and overfitting(np.zeros((4, 7))) is None


def test_batches_do_not_change_the_probability_of_overfitting(monkeypatch):
    scores = persistent(5, 24, np.random.default_rng(3))
    whole = overfitting(scores)
    monkeypatch.setattr("riskkit.replay.sweeps.calibration.choice_tests.BATCH", 35)
    assert overfitting(scores) == whole
