"""Returns made complete: each policy against its definition, and with every estimator."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_doors import DOORS, HELD, RETURNS

import riskkit as rk
from riskkit.covariance import complete_returns, incomplete_covariance, sample_covariance

POLICIES = ["zero_fill", "proxy", "maximum_likelihood", "listwise"]
TRUE = np.array([[1.0, 0.8, 0.3], [0.8, 2.0, 0.5], [0.3, 0.5, 0.5]])


def table_with_gaps(seed=1, n=60, listed=40):
    """Three assets, of which the last is listed later."""
    table = np.random.default_rng(seed).multivariate_normal([0.1, 0.0, -0.1], TRUE, n)
    table[: n - listed, 2] = np.nan
    return table


def completed(table, policy, rng=None):
    return complete_returns(table, policy, proxies={2: [0, 1]}, rng=rng)


@pytest.mark.parametrize("policy", POLICIES)
def test_without_gaps_nothing_is_done(policy):
    table = np.random.default_rng(0).normal(size=(20, 3))
    result = completed(table, policy)
    np.testing.assert_array_equal(result.returns, table)
    assert repr(result).endswith("gaps  0") and not result.is_filled.any()


@pytest.mark.parametrize("policy", POLICIES)
@settings(max_examples=4)
@given(power=st.integers(-9, 9), seed=st.integers(0, 50))
def test_scale_of_each_asset_goes_through(policy, power, seed):
    table, scale = table_with_gaps(seed), 10.0**power * np.array([1.0, 10.0, 0.1])
    one, other = (completed(each, policy, np.random.default_rng(seed)).returns for each in (table, table * scale))
    np.testing.assert_allclose(other, one * scale, rtol=1e-6, atol=1e-7 * scale.max())


@pytest.mark.parametrize("policy", POLICIES)
@given(seed=st.integers(0, 50))
def test_what_is_known_stays_and_no_gap_is_left(policy, seed):
    table = table_with_gaps(seed)
    result = completed(table, policy, np.random.default_rng(seed))
    known = ~np.isnan(table)
    if policy == "listwise":
        np.testing.assert_array_equal(result.returns, table[known.all(axis=1)])
        assert result.n_dropped == (~known.all(axis=1)).sum()
    else:
        np.testing.assert_array_equal(result.returns[known], table[known])
        np.testing.assert_array_equal(result.is_filled, ~known)
        assert np.isfinite(result.returns).all()


def test_by_proxy_and_by_likelihood_expect_what_normal_equations_do():
    """Of a later listing both are the regression on the others in the common periods (Anderson 1957)."""
    table = table_with_gaps()
    common = table[20:]
    slopes = np.linalg.solve(sample_covariance(common[:, :2]), sample_covariance(common)[:2, 2])
    expected = common[:, 2].mean() + (table[:20, :2] - common[:, :2].mean(axis=0)) @ slopes
    for policy in ("proxy", "maximum_likelihood"):
        np.testing.assert_allclose(completed(table, policy).returns[:20, 2], expected, rtol=1e-6)


@pytest.mark.parametrize("policy", ["proxy", "maximum_likelihood"])
def test_noise_restores_the_volatility_that_expected_values_lack(policy):
    table = table_with_gaps(3, 40_000, 20_000)
    flat, noisy = (completed(table, policy, rng).returns for rng in (None, np.random.default_rng(1)))
    assert sample_covariance(flat)[2, 2] < 0.8 * TRUE[2, 2]
    np.testing.assert_allclose(sample_covariance(noisy), TRUE, atol=0.03)


def test_mean_of_likelihood_is_that_of_the_covariance_with_gaps():
    table = table_with_gaps()
    filled = completed(table, "maximum_likelihood").returns
    np.testing.assert_allclose(filled.mean(axis=0), incomplete_covariance(table).mean, rtol=1e-6)


def test_a_policy_for_each_asset():
    frame = pd.DataFrame(table_with_gaps(), columns=["A", "B", "NEW"])
    frame.loc[40, "A"] = np.nan
    result = complete_returns(frame, {"A": "zero_fill", "NEW": "proxy"}, proxies={"NEW": "B"})
    assert result.returns.loc[40, "A"] == 0.0
    assert result.done["policy"].tolist() == ["zero_fill", "", "proxy"]
    slope = np.cov(frame["NEW"][20:], frame["B"][20:])[0, 1] / frame["B"][20:].var()
    filled = result.returns["NEW"][:20]
    np.testing.assert_allclose(np.diff(filled), slope * np.diff(frame["B"][:20]), rtol=1e-9)


QUICK = ("performance.", "covariance.sample", "attribution.scenarios", "var.historical")


@pytest.mark.parametrize("name", [name for name, door in DOORS.items() if door.kind == "returns"])
def test_every_estimator_takes_them_and_says_what_was_done(name, long):
    if not (long or name.startswith(QUICK)):
        pytest.skip("all estimators: in `make fuzz`")
    gaps = RETURNS.copy()
    gaps.iloc[7, 0] = gaps.iloc[11, 1] = np.nan
    complete = complete_returns(gaps, rng=np.random.default_rng(1))
    answer = complete.apply(DOORS[name].call, 1.0)
    assert repr(answer).endswith("Returns made complete\n" + repr(complete).partition("\n")[2])
    assert "gaps of A" in answer._repr_html_()


def test_a_result_is_printed_above_what_was_done():
    gaps = RETURNS.copy()
    gaps.iloc[7, 0] = np.nan
    answer = complete_returns(gaps, "zero_fill").apply(lambda table: rk.value_at_risk(table @ HELD))
    assert repr(answer).startswith(repr(answer.result)) and "gaps of A  1 taken as returns of zero" in repr(answer)
