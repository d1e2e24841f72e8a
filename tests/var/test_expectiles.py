"""Expectiles: the definition as an equation, the closed form against quadrature, and the loss that they minimise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from riskkit._check import InputError
from riskkit.var import expectile_var, normal_expectile_level, normal_expectile_var
from riskkit.var_backtest import expectile_loss


@given(
    st.lists(st.integers(-1000, 1000), min_size=1, max_size=30),
    st.sampled_from([1e-4, 0.01, 0.3, 0.5]),
    st.sampled_from([1e-6, 1.0, 1e9]),
)
def test_gains_above_balance_losses_below(values, tau, unit):
    returns = unit * np.array(values, dtype=float)
    found = -expectile_var(returns, tau)
    balance = tau * np.maximum(returns - found, 0.0).sum() - (1.0 - tau) * np.maximum(found - returns, 0.0).sum()
    assert balance == pytest.approx(0.0, abs=1e-9 * (np.abs(returns).sum() + unit))


@pytest.mark.parametrize("tau", [1e-8, 0.00145, 0.2, 0.5, 0.999])
def test_the_normal_expectile_solves_its_equation(tau):
    found = -normal_expectile_var(2.0, tau, mean=0.3)
    gain = quad(lambda x: (x - found) * norm.pdf(x, 0.3, 2.0), found, 30.0, epsabs=1e-14)[0]
    loss = quad(lambda x: (found - x) * norm.pdf(x, 0.3, 2.0), -30.0, found, epsabs=1e-14)[0]
    assert tau * gain == pytest.approx((1.0 - tau) * loss, rel=1e-5)


def test_the_level_of_a_quantile_gives_the_quantile_back():
    for confidence in (0.9, 0.99, 0.9999):
        assert normal_expectile_var(1.0, normal_expectile_level(confidence)) == pytest.approx(norm.ppf(confidence))


def test_an_expectile_has_the_smallest_mean_loss():
    returns = np.random.default_rng(3).standard_t(4, 500)
    best = expectile_var(returns, 0.05)
    least = expectile_loss(returns, best, 0.05).mean()
    assert all(expectile_loss(returns, best + step, 0.05).mean() > least for step in (-0.01, 0.01))


def test_far_in_the_tail_the_expansion_continues_the_formula():
    deep = [normal_expectile_var(1.0, 10.0**-power) for power in range(20, 30)]
    assert (np.diff(deep) > 0.0).all() and np.abs(np.diff(deep, 2)).max() < 0.02


def test_a_confidence_is_no_level():
    with pytest.raises(InputError, match=r"tau=0.99 is above 0.5, .* normal_expectile_level\(0.99\)"):
        expectile_var([0.01, -0.02], 0.99)


@pytest.mark.parametrize("tau", [0.0, 1.0, 5, "a"])
def test_a_level_out_of_range_is_refused(tau):
    for call in (lambda: expectile_var([1.0], tau), lambda: normal_expectile_var(1.0, tau)):
        with pytest.raises(InputError, match="^tau"):
            call()
