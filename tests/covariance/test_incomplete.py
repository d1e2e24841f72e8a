"""Returns with gaps: what each policy means, and what all policies share."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive import covariance as naive

import riskkit as rk
from riskkit.covariance import asynchronous_covariance, incomplete_covariance, incomplete_ewma_variance

POLICIES = ["maximum_likelihood", "pairwise", "listwise", "zero_fill"]
FULL = np.random.default_rng(5).multivariate_normal(
    [0.1, -0.2, 0.0], [[1.0, 0.5, 0.2], [0.5, 2.0, 0.3], [0.2, 0.3, 0.5]], 60
)


def with_gaps(seed=1, share=0.15):
    table = FULL.copy()
    table[np.random.default_rng(seed).random(table.shape) < share] = np.nan
    return table


@pytest.mark.parametrize("policy", POLICIES)
def test_without_gaps_every_policy_is_the_sample_covariance(policy):
    result = incomplete_covariance(FULL, policy)
    ddof = 0 if policy == "maximum_likelihood" else 1
    np.testing.assert_allclose(result.covariance, rk.covariance.sample_covariance(FULL, ddof=ddof), rtol=1e-9)
    np.testing.assert_allclose(result.mean, FULL.mean(axis=0), rtol=1e-9)


@pytest.mark.lengthy
@pytest.mark.parametrize("policy", POLICIES)
@given(power=st.integers(-9, 9), seed=st.integers(0, 50))
def test_scale_and_order_of_assets_and_periods_do_not_matter(policy, power, seed):
    table, scale = with_gaps(seed), 10.0**power * np.array([1.0, 10.0, 0.1])
    result = incomplete_covariance(table, policy)
    scaled = incomplete_covariance(table * scale, policy)
    np.testing.assert_allclose(scaled.covariance, result.covariance * np.outer(scale, scale), rtol=1e-6)
    turned = incomplete_covariance(table[::-1, ::-1], policy)
    np.testing.assert_allclose(turned.covariance[::-1, ::-1], result.covariance, rtol=1e-6)


def test_pairwise_against_plain():
    table = with_gaps()
    result = incomplete_covariance(table, "pairwise")
    for i in range(3):
        for j in range(3):
            rows = [[row[i], row[j]] for row in table.tolist() if not math.isnan(row[i] + row[j])]
            assert result.pairs[i, j] == len(rows)
            assert result.covariance[i, j] == pytest.approx(naive.covariance(rows)[0][1], rel=1e-9)


def log_likelihood(table, mean, covariance):
    total = 0.0
    for row in table:
        seen = np.isfinite(row)
        if seen.any():
            part, gap = covariance[np.ix_(seen, seen)], row[seen] - mean[seen]
            total -= 0.5 * (np.linalg.slogdet(part)[1] + gap @ np.linalg.solve(part, gap))
    return total


@pytest.mark.lengthy
@given(seed=st.integers(0, 50))
def test_maximum_likelihood_has_no_better_neighbour(seed):
    table = with_gaps(seed, 0.3)
    result = incomplete_covariance(table)
    best = log_likelihood(table, result.mean, result.covariance)
    constant = 0.5 * np.isfinite(table).sum() * math.log(2.0 * math.pi)
    assert result.log_likelihood == pytest.approx(best - constant, rel=1e-9)
    rng = np.random.default_rng(seed)
    for _ in range(5):
        step = rng.normal(0.0, 0.01, (3, 3))
        assert log_likelihood(table, result.mean + step[0], result.covariance) < best
        assert log_likelihood(table, result.mean, result.covariance + step @ step.T) < best
        assert log_likelihood(table, result.mean, (np.eye(3) + step) @ result.covariance @ (np.eye(3) + step).T) < best


def test_labels_and_print():
    frame = pd.DataFrame(with_gaps(), columns=list("ABC"))
    result = incomplete_covariance(frame)
    assert list(result.covariance.index) == list("ABC") and list(result.mean.index) == list("ABC")
    assert "expected from the other assets" in repr(result)
    assert result.to_frame().shape == (3, 3) and result.plot().get_title(loc="left")
    lonely = np.array([[1.0, 1.0, np.nan], [-1.0, -1.0, np.nan], [1.0, np.nan, -1.0], [-1.0, np.nan, 1.0]])
    lonely = np.vstack([lonely, [[np.nan, 1.0, 1.0], [np.nan, -1.0, -1.0]]])
    assert "see nearest_covariance" in repr(incomplete_covariance(lonely, "pairwise"))


@pytest.mark.parametrize("gaps", ["absolute_time", "observed_time", "zero_fill"])
@given(seed=st.integers(0, 50))
def test_ewma_with_gaps_against_plain(gaps, seed):
    series = np.where(np.random.default_rng(seed).random(30) < 0.3, np.nan, FULL[:30, 0])
    series[-seed % 30] = 0.5
    weight = total = mass = 0.0
    age = 0
    for value in series[::-1].tolist():
        is_gap = math.isnan(value)
        weight = 0.9**age
        if not is_gap or gaps == "zero_fill":
            total, mass = total + weight * (0.0 if is_gap else value**2), mass + weight
        age += not (is_gap and gaps == "observed_time")
    assert incomplete_ewma_variance(series, 0.9, gaps) == pytest.approx(total / mass, rel=1e-12)
    both = incomplete_ewma_variance(pd.DataFrame({"a": series, "b": 3.0 * series}), 0.9, gaps)
    assert both["b"] == pytest.approx(9.0 * both["a"], rel=1e-12)


def test_news_that_reaches_two_markets_on_two_days_counts_once():
    news = np.random.default_rng(3).normal(0.0, 1.0, 20_001)
    returns = np.column_stack([news[1:], news[:-1]])
    assert asynchronous_covariance(returns, lags=0)[0, 1] == pytest.approx(0.0, abs=0.03)
    assert asynchronous_covariance(returns)[0, 1] == pytest.approx(1.0, abs=0.03)
