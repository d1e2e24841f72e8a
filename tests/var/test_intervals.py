"""Intervals and standard errors: exact probabilities, simulated coverage, and what has none."""

import math

import numpy as np
import pandas as pd
import pytest
from naive import var as naive
from scipy import stats

from riskkit import var
from riskkit._check import InputError
from riskkit._show import alike, number
from riskkit.var.estimate import NOMINAL

RETURNS = 0.01 * np.random.default_rng(5).standard_t(4, 500)
TABLE = 0.01 * np.random.default_rng(6).standard_normal((250, 3))


def generator():
    return np.random.default_rng(12)


@pytest.mark.parametrize("coverage", [0.8, 0.9, 0.99])
@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
@pytest.mark.parametrize("n", [30, 250, 500, 1000])
def test_order_statistic_ranks_have_their_exact_probability(n, level, coverage):
    high, low, exact = var.order_statistics.confidence_ranks(n, level, coverage)
    p = 1 - level
    assert exact == pytest.approx(naive.binomial_coverage(n, p, high or 0, low or n + 1), rel=1e-9)
    cut = (1 - coverage) / 2
    fewer_than = stats.binom(n, p).cdf
    if high is None:
        assert fewer_than(0) > cut
    else:
        assert exact >= coverage - 1e-12
        assert fewer_than(high - 1) <= cut < fewer_than(high), "the tightest rank"
    assert 1 - fewer_than(low - 1) <= cut < 1 - fewer_than(low - 2)


def test_order_statistics_interval_covers_as_often_as_it_says():
    true, n, runs = -stats.t(3).ppf(0.05), 200, 2000
    draws = np.random.default_rng(0).standard_t(3, (n, runs))
    risk = var.value_at_risk(draws, 0.95, interval="order_statistics", coverage=0.9)
    covered = ((risk.interval.var_low <= true) & (true < risk.interval.var_high)).mean()
    exact = risk.interval.exact_coverage
    assert exact >= 0.9
    assert covered == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / runs))
    assert risk.interval.es_low is None and risk.interval.var_standard_error is None


def test_interval_beyond_the_sample_is_open():
    risk = var.value_at_risk(RETURNS[:50], 0.99, interval="order_statistics")
    assert risk.interval.var_high == math.inf and math.isfinite(risk.interval.var_low)


def test_order_statistics_of_a_large_sample():
    high, low, exact = var.order_statistics.confidence_ranks(2_000_000, 0.99, 0.95)
    spread = 1.96 * math.sqrt(2_000_000 * 0.01 * 0.99)
    assert (high, low) == (pytest.approx(20_000 - spread, abs=2), pytest.approx(20_000 + spread, abs=2))
    assert exact == pytest.approx(0.95, abs=5e-4)


@pytest.mark.parametrize("mean", ["sample", "zero"])
@pytest.mark.parametrize("level", [0.95, 0.99])
def test_asymptotic_errors_of_normal_are_the_spread_over_samples(mean, level):
    draws = np.random.default_rng(1).normal(0.0, 0.01, (500, 3000))
    risk = var.value_at_risk(draws, level, "normal", mean=mean, interval="asymptotic")
    assert risk.interval.var_standard_error.mean() == pytest.approx(risk.var.std(), rel=0.06)
    assert risk.interval.es_standard_error.mean() == pytest.approx(risk.es.std(), rel=0.06)
    inside = (risk.interval.es_low < stats.norm.pdf(stats.norm.ppf(level)) / (1 - level) * 0.01) & (
        stats.norm.pdf(stats.norm.ppf(level)) / (1 - level) * 0.01 < risk.interval.es_high
    )
    assert inside.mean() == pytest.approx(0.9, abs=0.03)


def test_asymptotic_errors_of_historical_are_the_spread_over_samples():
    draws = np.random.default_rng(2).standard_t(5, (1000, 2000))
    risk = var.value_at_risk(draws, 0.95, interval="asymptotic")
    assert np.median(risk.interval.var_standard_error) == pytest.approx(risk.var.std(), rel=0.12)
    assert np.median(risk.interval.es_standard_error) == pytest.approx(risk.es.std(), rel=0.12)


def test_normal_error_over_a_horizon():
    day = var.value_at_risk(RETURNS, 0.95, "normal", mean="zero", interval="asymptotic").interval
    week = var.value_at_risk(RETURNS, 0.95, "normal", mean="zero", horizon=4, interval="asymptotic").interval
    assert week.var_standard_error == pytest.approx(2 * day.var_standard_error)


def test_quantile_standard_error():
    assert var.order_statistics.quantile_standard_error(500, 0.99, volatility=10.0) == pytest.approx(1.67, abs=0.005)
    density = stats.norm(0, 10).pdf(stats.norm(0, 10).ppf(0.99))
    assert var.order_statistics.quantile_standard_error(500, 0.99, density=density) == pytest.approx(
        var.order_statistics.quantile_standard_error(500, 0.99, volatility=10.0), rel=1e-12
    )


@pytest.mark.parametrize("method", ["historical", "normal", "student_t", "cornish_fisher", "evt"])
def test_bootstrap_is_the_spread_of_resamples(method):
    options = {"cornish_fisher": {"corrected": False, "out_of_domain": "allow"}}.get(method, {})
    n_draws = 60
    risk = var.value_at_risk(
        RETURNS, [0.95, 0.99], method, interval="bootstrap", n_draws=n_draws, rng=generator(), **options
    )
    rows = generator().integers(500, size=(n_draws, 500))
    by_hand = np.array([var.value_at_risk(RETURNS[some], 0.99, method, **options).es for some in rows])
    assert risk.interval.es_standard_error[1] == pytest.approx(by_hand.std(ddof=1), rel=1e-9)
    assert risk.interval.es_low[1] == pytest.approx(np.quantile(by_hand, 0.05), rel=1e-9)
    assert risk.interval.es_high[1] == pytest.approx(np.quantile(by_hand, 0.95), rel=1e-9)
    assert (risk.interval.var_low < risk.var).all() and (risk.var < risk.interval.var_high).all()


def test_bootstrap_takes_the_same_rows_of_all_portfolios_and_blocks_that_wrap(monkeypatch):
    both = var.value_at_risk(
        np.column_stack([RETURNS, 2 * RETURNS]), 0.95, interval="bootstrap", block=20, n_draws=100, rng=generator()
    ).interval
    assert both.var_standard_error[1] == pytest.approx(2 * both.var_standard_error[0])
    starts = generator().integers(500, size=(50, 25))
    series = [np.concatenate([np.roll(RETURNS, -start)[:20] for start in row]) for row in starts]
    by_hand = [var.historical(drawn, 0.95).var for drawn in series]
    assert both.var_standard_error[0] == pytest.approx(np.std(by_hand, ddof=1), rel=1e-12)
    monkeypatch.setattr("riskkit.var.intervals.CHUNK", 7 * 500)
    chunked = var.value_at_risk(RETURNS, 0.95, interval="bootstrap", block=20, n_draws=100, rng=generator()).interval
    assert chunked.var_high > chunked.var_low


def test_clustered_losses_are_less_certain_in_blocks():
    clustered = np.repeat(RETURNS[:100], 5)
    iid, blocks = (
        var.value_at_risk(clustered, 0.95, interval="bootstrap", n_draws=400, block=block, rng=generator()).interval
        for block in (1, 25)
    )
    assert blocks.es_standard_error > 1.5 * iid.es_standard_error


def test_bounds_are_printed_like_the_estimate():
    risk = var.value_at_risk(RETURNS * 1e6, 0.95, interval="asymptotic")
    line = repr(risk).splitlines()[2]
    bounds = alike([risk.interval.var_low, risk.interval.var_high])
    assert line.endswith(f" {number(risk.var)} [{bounds[0]} to {bounds[1]}] with 90%")
    assert "e+0" not in line and line.count(",") == 3


@pytest.mark.parametrize(("kind", "says"), NOMINAL.items())
def test_an_estimate_says_what_the_coverage_of_its_intervals_holds_for(kind, says):
    for of in (RETURNS, TABLE):
        assert says in repr(var.value_at_risk(of, 0.95, interval=kind, n_draws=100, rng=generator()))
    exact = repr(var.value_at_risk(RETURNS, 0.95, interval="order_statistics"))
    assert not any(text in exact for text in NOMINAL.values())


def test_labels_and_frame():
    frame = pd.DataFrame(TABLE, columns=["a", "b", "c"])
    risk = var.value_at_risk(frame, [0.9, 0.95], interval="asymptotic")
    assert risk.interval.var_low.columns.tolist() == ["a", "b", "c"]
    columns = ["var", "es", "var_low", "var_high", "es_low", "es_high", "var_standard_error", "es_standard_error"]
    assert risk.to_frame().columns.tolist() == columns
    assert risk.to_frame().loc[(0.95, "b"), "var_low"] == risk.interval.var_low.loc[0.95, "b"]
    one = var.value_at_risk(RETURNS, 0.95, interval="bootstrap", n_draws=20, rng=generator())
    assert type(one.interval.es_high) is float and "bootstrap" in repr(one.interval)


def test_constant_returns_are_certain():
    risk = var.value_at_risk([-0.01] * 50, 0.9, interval="asymptotic")
    assert (risk.interval.var_standard_error, risk.interval.es_standard_error) == (0.0, pytest.approx(0.0, abs=1e-12))


@pytest.mark.parametrize(
    ("method", "options", "words"),
    [
        ("historical", {"interval": "exact"}, "'order_statistics', 'studentised', 'asymptotic', 'bootstrap'"),
        ("historical", {"interval": "bootstrap"}, "default_rng"),
        ("historical", {"interval": "bootstrap", "rng": 7}, "default_rng"),
        ("historical", {"interval": "bootstrap", "rng": generator(), "n_draws": 1}, "at least 2"),
        ("historical", {"interval": "bootstrap", "rng": generator(), "block": 0}, "at least 1"),
        ("historical", {"interval": "asymptotic", "coverage": 90}, "coverage=90"),
        ("historical", {"interval": "order_statistics", "weights": np.ones(500)}, "equal weights"),
        ("age_weighted", {"interval": "order_statistics"}, "equal weights"),
        ("normal", {"interval": "order_statistics"}, "'bootstrap'"),
        ("student_t", {"interval": "asymptotic"}, "use 'bootstrap'"),
        ("historical", {"interval": "studentised"}, "default_rng"),
        ("historical", {"interval": "studentised", "rng": generator(), "n_draws": 99}, "at least 100"),
        ("historical", {"interval": "studentised", "rng": generator(), "block": 2}, "independent returns; block=2"),
        ("historical", {"interval": "studentised", "rng": generator(), "es": "beyond"}, "es='tail_mass'"),
        ("historical", {"interval": "studentised", "rng": generator(), "weights": np.ones(500)}, "equally weighted"),
        ("evt", {"interval": "studentised", "rng": generator()}, "equally weighted"),
        ("age_weighted", {"interval": "bootstrap", "rng": generator()}, "mixes up the dates"),
        ("filtered_historical", {"interval": "bootstrap", "rng": generator()}, "mixes up the dates"),
        ("normal", {"interval": "bootstrap", "volatility": "ewma", "rng": generator()}, "mixes up the dates"),
    ],
)
def test_intervals_that_do_not_exist(method, options, words):
    with pytest.raises(InputError, match=words):
        var.value_at_risk(RETURNS, 0.95, method, **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [({}, "either the density"), ({"density": 1.0, "volatility": 1.0}, "either"), ({"density": 0.0}, "above zero")],
)
def test_quantile_standard_error_refuses(options, words):
    with pytest.raises(InputError, match=words):
        var.order_statistics.quantile_standard_error(500, 0.99, **options)


@pytest.mark.parametrize(
    ("confidence", "kind", "of_var", "of_es"),
    [
        (0.95, "order_statistics", 0.92, None),
        (0.99, "order_statistics", 0.96, None),
        (0.95, "asymptotic", 0.87, 0.83),
        (0.99, "asymptotic", 0.78, 0.66),
        (0.95, "bootstrap", 0.90, 0.83),
        (0.99, "bootstrap", 0.86, 0.66),
    ],
)
def test_intervals_of_fat_tails_cover_what_their_description_says(confidence, kind, of_var, of_es):
    n_batches, n_samples = (20, 60) if kind == "bootstrap" else (1, 2000)  # the resamples of a batch are the same
    tail = stats.t(4)
    true_var = tail.ppf(confidence)
    true_es = tail.expect(lambda x: x, lb=true_var) / (1.0 - confidence)
    rng, covered_var, covered_es = np.random.default_rng(11), [], []
    for _ in range(n_batches):
        returns = rng.standard_t(4, (400, n_samples))
        found = var.value_at_risk(returns, confidence, interval=kind, n_draws=200, rng=rng).interval
        covered_var.append(((found.var_low <= true_var) & (true_var <= found.var_high)).mean())
        if of_es is not None:
            covered_es.append(((found.es_low <= true_es) & (true_es <= found.es_high)).mean())
    assert np.mean(covered_var) == pytest.approx(of_var, abs=0.03)
    if of_es is not None:
        assert np.mean(covered_es) == pytest.approx(of_es, abs=0.03)
    assert ("small ones are covered less" in repr(found)) == (kind != "order_statistics")


@pytest.mark.parametrize("confidence", [0.9, 0.975, 0.99])
@pytest.mark.parametrize("degrees", [3, 12])
def test_a_studentised_interval_equals_the_naive_twin(degrees, confidence):
    returns = np.random.default_rng(degrees).standard_t(degrees, 300)
    found = var.value_at_risk(returns, confidence, interval="studentised", n_draws=100, rng=generator()).interval
    low, high, error = naive.studentised_es(returns.tolist(), confidence, 0.9, 100, generator())
    assert (found.es_low, found.es_high) == pytest.approx((low, high), rel=1e-6)
    assert found.es_standard_error == pytest.approx(error)
    exact = var.value_at_risk(returns, confidence, interval="order_statistics").interval
    assert (found.var_low, found.var_high, found.exact_coverage) == (
        exact.var_low,
        exact.var_high,
        exact.exact_coverage,
    )


def test_a_studentised_interval_moves_and_grows_with_the_returns():
    options = {"interval": "studentised", "n_draws": 100}
    plain = var.value_at_risk(TABLE, 0.975, rng=generator(), **options)
    moved = var.value_at_risk(1e6 * TABLE - 5e4, 0.975, rng=generator(), **options)
    for end in ("es_low", "es_high"):
        np.testing.assert_allclose(getattr(moved.interval, end), 1e6 * getattr(plain.interval, end) + 5e4, rtol=1e-7)
    assert (plain.interval.es_low < plain.es).all() and (plain.es < plain.interval.es_high).all()
    assert "studentised (for independent returns)" in repr(
        var.value_at_risk(RETURNS, rng=generator(), **options).interval
    )


@pytest.mark.parametrize(
    ("returns", "confidence", "words"),
    [
        (RETURNS[:199], 0.99, "of 199 observations 1.99 are in the tail at 0.99 and 19 over the threshold"),
        (RETURNS, 0.75, "a confidence above 0.75"),
        (RETURNS[:99], 0.975, "99 observations 2.475 are in the tail at 0.975 and 9 over the threshold"),
        (np.r_[RETURNS[:2] - 1.0, np.zeros(300)], 0.975, "10 losses over the threshold 0 that differ"),
        (np.full(300, -0.01), 0.975, "10 losses over the threshold 0.01 that differ"),
    ],
)
def test_what_a_studentised_interval_refuses(returns, confidence, words):
    with pytest.raises(InputError, match=words):
        var.value_at_risk(returns, confidence, interval="studentised", rng=generator())


@pytest.mark.parametrize("confidence", [0.975, 0.99])
@pytest.mark.parametrize("n_obs", [250, 500, 1000])
@pytest.mark.parametrize("law", [stats.norm(), stats.t(4)], ids=["normal", "t4"])
def test_studentised_intervals_cover(law, n_obs, confidence, long):
    """In the long run 87 to 93 %, as the description of `value_at_risk` says."""
    true_es = law.expect(lambda x: x, lb=law.ppf(confidence)) / (1.0 - confidence)
    rng, covered, n_batches = np.random.default_rng(n_obs), [], 20 if long else 3
    for _ in range(n_batches):  # the resamples of a batch are the same
        returns = law.rvs((n_obs, 100), random_state=rng)
        found = var.value_at_risk(returns, confidence, interval="studentised", n_draws=300, rng=rng).interval
        covered.append(((found.es_low <= true_es) & (true_es <= found.es_high)).mean())
    assert 0.95 > np.mean(covered) > (0.87 if long else 0.83)


@pytest.mark.parametrize("confidence", [0.05, 0.01, [0.95, 0.05]])
def test_a_tail_probability_is_told_its_confidence(confidence):
    meant = 1.0 - np.min(confidence)
    with pytest.raises(InputError, match=rf"is below 0.5; did you mean confidence={meant:g}\?"):
        var.value_at_risk(RETURNS, confidence)
    with pytest.raises(InputError, match="did you mean"):
        var.rolling_var(RETURNS, 100, confidence)
