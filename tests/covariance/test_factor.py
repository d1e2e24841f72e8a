"""Covariance by factors beside the sample covariance and regressions one by one."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskkit._check import InputError
from riskkit.covariance import factor_covariance

rng = np.random.default_rng(8)
FACTORS = rng.normal(0.0, 1.0, (200, 2))
RETURNS = FACTORS @ rng.normal(0.0, 1.0, (2, 6)) + rng.normal(0.0, 0.5, (200, 6))


@pytest.mark.parametrize("count", [1, 3, 6])
def test_statistical_factors_against_the_eigenvectors_of_the_covariance(count):
    model, sample = factor_covariance(RETURNS, count), np.cov(RETURNS.T)
    values, vectors = np.linalg.eigh(sample)
    part = (vectors[:, -count:] * values[-count:]) @ vectors[:, -count:].T
    np.testing.assert_allclose(model.covariance, part + np.diag(np.diag(sample - part)), rtol=1e-9, atol=1e-12)
    assert model.explained == pytest.approx(values[-count:].sum() / values.sum())


def test_given_factors_against_one_regression_an_asset():
    model = factor_covariance(RETURNS, FACTORS)
    design = np.column_stack([np.ones(200), FACTORS])
    for j, series in enumerate(RETURNS.T):
        slopes, squares, *_ = np.linalg.lstsq(design, series)
        np.testing.assert_allclose(model.loadings[j], slopes[1:], rtol=1e-9)
        assert model.specific_variance[j] == pytest.approx(squares[0] / 197)
    np.testing.assert_allclose(model.factor_covariance, np.cov(FACTORS.T), rtol=1e-12)


@given(power=st.integers(-9, 9), factors=st.sampled_from([2, "given"]))
def test_scale(power, factors):
    scale = 10.0**power
    chosen = FACTORS if factors == "given" else factors
    one, other = factor_covariance(RETURNS, chosen), factor_covariance(scale * RETURNS, chosen)
    np.testing.assert_allclose(other.covariance, scale**2 * one.covariance, rtol=1e-9)
    held = np.arange(6.0)
    assert other.variance(held) == pytest.approx(held @ other.covariance @ held)


@pytest.mark.lengthy
def test_five_thousand_assets_need_no_matrix():
    wide = rng.normal(0.0, 0.01, (60, 5_000))
    model = factor_covariance(wide, 5)
    held = np.ones(5_000)
    assert model.variance(held) > 0.0 and np.shape(model.loadings) == (5_000, 5)


def test_labels_print_and_refusals():
    frame, given = pd.DataFrame(RETURNS, columns=list("ABCDEF")), pd.DataFrame(FACTORS, columns=["market", "size"])
    model = factor_covariance(frame, given)
    assert list(model.loadings.columns) == ["market", "size"] and list(model.covariance.index) == list("ABCDEF")
    assert "factors" in repr(model) and model.to_frame().shape == (6, 3) and model.plot().get_title(loc="left")
    for arguments, words in (
        ((RETURNS, 7), "factors=7 is more than 6 assets"),
        ((RETURNS[:, 0], 1), "give \\(n_obs, n_assets\\)"),
        ((RETURNS, np.column_stack([FACTORS, FACTORS[:, 0]])), "of which 2 are independent"),
        ((RETURNS[:3], FACTORS[:3]), "give more periods"),
        ((RETURNS, FACTORS[:5]), "5 rows and returns 200"),
    ):
        with pytest.raises(InputError, match=words):
            factor_covariance(*arguments)
    with pytest.raises(InputError, match="positions has 2 entries for 6 assets"):
        model.variance([1.0, 2.0])


@pytest.mark.lengthy
def test_few_factors_of_a_large_table_are_those_of_the_decomposition():
    rng = np.random.default_rng(3)
    for shape in ((60, 300), (300, 60)):
        table = 3.0 * rng.standard_normal((shape[0], 3)) @ rng.standard_normal((3, shape[1])) + rng.standard_normal(
            shape
        )
        table -= table.mean(axis=0)
        found = factor_covariance(table, 3)
        _, singular, rows = np.linalg.svd(table, full_matrices=False)
        assert np.diag(found.factor_covariance) == pytest.approx(singular[:3] ** 2 / (shape[0] - 1))
        assert np.abs(found.loadings) == pytest.approx(np.abs(rows[:3].T), abs=1e-9)
