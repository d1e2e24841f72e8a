"""Distortion risk: ES and VaR are special cases, a normal loss by quadrature, and what is no distortion."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtri

import riskkit as rk
from riskkit._check import InputError
from riskkit.var import distortion_risk, exponential_spectrum, minvar, normal_distortion_risk, wang_transform

RETURNS = 0.01 * np.random.default_rng(2).standard_t(4, (400, 2))


def tail_mean(u):
    return np.minimum(np.asarray(u) / 0.05, 1.0)


def test_the_tail_mean_is_the_expected_shortfall():
    assert distortion_risk(RETURNS, tail_mean) == pytest.approx(rk.var.historical(RETURNS, 0.95).es)
    assert normal_distortion_risk(0.02, tail_mean, mean=0.001) == pytest.approx(
        rk.var.parametric.normal_es(0.02, 0.95, mean=0.001), rel=1e-6
    )


def test_it_is_a_mean_of_losses_by_rank():
    for distortion in (exponential_spectrum(7.0), wang_transform(1.3), lambda u: u):
        losses = -np.sort(RETURNS[:, 0])
        by_hand = sum(float(distortion((i + 1) / 400) - distortion(i / 400)) * losses[i] for i in range(400))
        assert distortion_risk(RETURNS[:, 0], distortion) == pytest.approx(by_hand)
    assert by_hand == pytest.approx(-RETURNS[:, 0].mean())


def test_more_aversion_and_a_worse_shift_mean_more_risk():
    aversions = [distortion_risk(RETURNS[:, 0], exponential_spectrum(k)) for k in (0.1, 1.0, 10.0, 100.0, 1e6)]
    assert (np.diff(aversions) > 0.0).all() and aversions[-1] == pytest.approx(-RETURNS[:, 0].min())
    by_quantiles = quad(lambda u: -ndtri(u) * 5.0 * np.exp(-5.0 * u) / (1.0 - np.exp(-5.0)), 0.0, 1.0)[0]
    assert normal_distortion_risk(1.0, exponential_spectrum(5.0)) == pytest.approx(by_quantiles, rel=1e-6)


@pytest.mark.parametrize("wrong", [lambda u: 0.5 * u, lambda u: 1.0 - u, lambda u: np.sin(3.0 * np.pi * u) + u])
def test_what_does_not_rise_from_0_to_1_is_refused(wrong):
    with pytest.raises(InputError, match="^distortion runs from"):
        distortion_risk(RETURNS, wrong)
    with pytest.raises(InputError, match="^distortion runs from"):
        normal_distortion_risk(1.0, wrong)


def test_no_further_draw_is_the_mean_and_less_than_none_is_refused():
    assert distortion_risk(RETURNS[:, 0], minvar(0.0)) == pytest.approx(-RETURNS[:, 0].mean())
    with pytest.raises(InputError, match=r"stress=-0\.5 is not at least zero"):
        minvar(-0.5)
