"""Returns that are constant up to the rounding of prices have no ratio to their spread, in any model that divides by it."""

import numpy as np
import pytest

import riskkit as rk
from riskkit._check import InputError, constant

DAYS = np.arange(300.0)
GROWTH = [0.0, 1e-7, 1e-6, 1e-4, 0.01, -1e-4]
WORK = {
    "sharpe_ratio": rk.performance.sharpe_ratio,
    "sharpe_standard_error": rk.performance.sharpe_standard_error,
    "skewness": rk.performance.skewness,
    "excess_kurtosis": rk.performance.excess_kurtosis,
    "cornish_fisher": rk.var.cornish_fisher,
    "student_t": rk.var.student_t,
    "evt": lambda returns: rk.var.evt(returns, 0.99),
    "fit_garch": rk.covariance.fit_garch,
    "sqrt_time_test": lambda returns: rk.returns.sqrt_time_test(returns, 5),
    "scale_scenarios": lambda returns: rk.stress.scale_scenarios(returns, target_volatility=0.01),
    "reverse_stress_pnl": lambda returns: rk.stress.reverse_stress_pnl(returns, np.sin(DAYS[1:]), 1.0),
    "cornish_fisher components": lambda returns: rk.attribution.cornish_fisher([1.0], returns[:, None], 0.99),
}


@pytest.mark.parametrize("growth", GROWTH)
@pytest.mark.parametrize("scale", [1.0, 1e6, 1e-6])
@pytest.mark.parametrize("name", WORK)
def test_constant_up_to_rounding_is_refused(name, growth, scale):
    returns = scale * rk.simple_returns(100.0 * (1.0 + growth) ** DAYS)
    with pytest.raises(InputError):
        WORK[name](returns)


@pytest.mark.parametrize("growth", GROWTH)
def test_a_summary_of_constant_returns_has_no_sharpe_ratio(growth):
    summary = rk.performance_summary(rk.simple_returns(100.0 * (1.0 + growth) ** DAYS), 252, risk_free=growth)
    assert summary.sharpe_ratio is summary.sharpe_standard_error is summary.skewness is summary.excess_kurtosis is None


@pytest.mark.parametrize("mean", [0.0, 1e-4, 0.1])
def test_a_small_spread_is_a_spread(mean):
    returns = mean + 1e-6 * np.sin(DAYS)
    assert not constant(returns)
    assert rk.performance.sharpe_ratio(returns, 1.0) == pytest.approx(returns.mean() / returns.std(ddof=1), rel=1e-9)
