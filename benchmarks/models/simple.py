"""Models of one or two lines of numpy, beside these: what input checks, labels and definitions cost; equality first."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy.special import ndtri
from scipy.stats import norm, skew
from scipy.stats import t as student

from benchmarks._bench import Row, beside, best
from riskkit.liquidity import LinearImpact, liquidation_frontier, liquidation_schedule, liquidity_var
from riskkit.montecarlo import BlockBootstrap, JumpDiffusion, NormalReturns, StudentTReturns, fit_margin, simulate_risk
from riskkit.returns import horizon_returns, sqrt_time_test
from riskkit.var import age_weighted, cornish_fisher, distortion_risk, minvar, student_t
from riskkit.var_backtest import (
    acerbi_szekely_z2,
    backtest_var,
    dynamic_quantile,
    kupiec_pof,
    quantile_loss,
    var_hits,
)

DAYS = 5_000


def rows() -> Iterator[Row]:
    """VaR, draws, liquidity, backtests."""
    rng = np.random.default_rng(0)
    returns = 0.01 * rng.standard_t(5, DAYS)
    yield from _var(returns)
    yield from _draws(returns)
    yield from _liquidity(rng)
    yield from _backtests(returns)
    yield beside(
        "10-day returns of 5,000 days",
        lambda: horizon_returns(returns, 10),
        lambda: np.array([np.prod(1.0 + returns[i : i + 10]) - 1.0 for i in range(DAYS - 9)]),
        "numpy, window by window",
        5.0,
        atol=1e-12,
    )
    yield _scaling(returns)


def _var(returns: np.ndarray) -> Iterator[Row]:
    weights = 0.98 ** np.arange(DAYS)[::-1]

    def by_numpy() -> float:
        order = np.argsort(returns)
        mass = np.cumsum(weights[order]) / weights.sum()
        return float(-returns[order][np.searchsorted(mass, 0.01)])

    yield beside(
        "age-weighted VaR and ES of 5,000 days",
        lambda: age_weighted(returns, 0.99).var,
        by_numpy,
        "numpy, VaR alone",
        1.0,
        checks=1e-3,
    )
    yield beside(
        "Student t fit to 5,000 days",
        lambda: student_t(returns, 0.99).var,
        lambda: -student.ppf(0.01, *student.fit(returns)),
        "scipy t.fit",
        5.0,
        rtol=2e-3,
        repeat=2,
    )
    yield beside(
        "MINVAR of 5,000 days",
        lambda: distortion_risk(returns, minvar(3.0)),
        lambda: -np.diff(1.0 - (1.0 - np.linspace(0.0, 1.0, DAYS + 1)) ** 4) @ np.sort(returns),
        "numpy",
        1.0,
        checks=1e-3,
    )
    mild = 0.01 * np.random.default_rng(5).standard_normal(DAYS)
    assert abs(cornish_fisher(mild, 0.99).var - _expansion(mild)) < 2e-4
    mine, other = best(lambda: cornish_fisher(mild, 0.99), lambda: _expansion(mild))
    yield Row("Cornish-Fisher, corrected, with ES", mine, other + 1e-2, "numpy, not corrected + 10 ms", 1.0)


def _expansion(returns: np.ndarray) -> float:
    z, s = ndtri(0.01), skew(returns)
    k = float(np.mean((returns - returns.mean()) ** 4) / returns.var() ** 2 - 3.0)
    w = z + (z**2 - 1.0) * s / 6.0 + (z**3 - 3.0 * z) * k / 24.0 - (2.0 * z**3 - 5.0 * z) * s**2 / 36.0
    return float(-(returns.mean() + returns.std(ddof=1) * w))


def _draws(returns: np.ndarray) -> Iterator[Row]:
    held, count = np.array([1.0]), 200_000
    table = returns[:, None]

    def ours(model: object) -> float:
        return float(simulate_risk(model, held, count, draws=np.random.default_rng(1), confidence=0.99).var)

    def normal() -> float:
        draws = np.random.default_rng(2).standard_normal(count)
        return float(-np.quantile(0.01 * draws, 0.01))

    def heavy() -> float:
        draws = np.random.default_rng(2).standard_t(5, count)
        return float(-np.quantile(0.01 * math.sqrt(0.6) * draws, 0.01))

    def blocks() -> float:
        starts = np.random.default_rng(2).integers(DAYS, size=count)
        return float(-np.quantile(returns[starts], 0.01))

    def jumps() -> float:
        rng = np.random.default_rng(2)
        number = rng.poisson(0.5, count)
        logs = (
            -0.02
            + 0.2 * rng.standard_normal(count)
            - 0.1 * number
            + 0.05 * np.sqrt(number) * rng.standard_normal(count)
        )
        shift = 0.5 * (math.exp(-0.1 + 0.5 * 0.05**2) - 1.0)
        return float(-np.quantile(np.expm1(logs - shift), 0.01))

    models = {
        "normal": (NormalReturns([[1e-4]]), normal),
        "Student t": (StudentTReturns([[1e-4]], df=5.0), heavy),
        "bootstrap": (BlockBootstrap(table), blocks),
        "jump diffusion": (JumpDiffusion(volatility=0.2, intensity=0.5, jump_mean=-0.1, jump_volatility=0.05), jumps),
    }
    for name, (model, other) in models.items():
        assert abs(ours(model) / other() - 1.0) < 0.06, (name, ours(model), other())
        mine, theirs = best(lambda model=model: ours(model), other, repeat=2)
        yield Row(f"VaR and ES with errors of 200,000 draws, {name}", mine, theirs, "numpy, VaR alone", 0.2)
    yield beside(
        "Student t margin of 5,000 days",
        lambda: fit_margin(returns, "student_t").ppf([0.01]),
        lambda: [student.ppf(0.01, *student.fit(returns))],
        "scipy t.fit",
        3.0,
        rtol=2e-3,
        repeat=2,
    )


def _liquidity(rng: np.random.Generator) -> Iterator[Row]:
    market = LinearImpact.calibrated(0.95, 0.125, 5_000_000)

    def closed_form() -> np.ndarray:
        """Almgren and Chriss (2001), equation 17."""
        tau = 5.0 / 50
        eta = market.temporary_slope - 0.5 * market.permanent_slope * tau
        kappa = math.acosh(0.5 * tau**2 * 1e-6 * market.price_volatility**2 / eta + 1.0) / tau
        return 1e6 * np.sinh(kappa * (5.0 - tau * np.arange(51))) / math.sinh(kappa * 5.0)

    yield beside(
        "optimal liquidation in 50 trades",
        lambda: liquidation_schedule(1e6, 5.0, 50, market, risk_aversion=1e-6).holdings,
        closed_form,
        "numpy, holdings alone",
        1.0,
        atol=1e-5,
        rtol=1e-6,
        checks=1e-3,
    )
    aversions = np.linspace(0.0, 2e-6, 20)

    def each() -> list[float]:
        return [liquidation_schedule(1e6, 5.0, 50, market, risk_aversion=a).expected_cost for a in aversions]

    def at_once() -> list[float]:
        found = liquidation_frontier(1e6, 5.0, 50, market, 0.95, risk_aversions=aversions)
        return [plan.expected_cost for plan in found.schedules]

    yield beside("frontier of 20 liquidations and the best of all", at_once, each, "each schedule", 1.0, checks=5e-3)
    root, held = rng.standard_normal((100, 100)), rng.standard_normal(100)
    covariance = root @ root.T
    yield beside(
        "liquidity-adjusted VaR of 100 positions",
        lambda: liquidity_var(held, covariance, spreads=0.001).total,
        lambda: norm.ppf(0.99) * math.sqrt(held @ covariance @ held) + 0.0005 * np.abs(held).sum(),
        "numpy, the total",
        1.0,
        checks=2e-3,
    )


def _backtests(returns: np.ndarray) -> Iterator[Row]:
    var, es = 0.02, 0.03
    yield beside(
        "hits of 5,000 days",
        lambda: var_hits(returns, var),
        lambda: (returns < -var).astype(float),
        "numpy",
        1.0,
        checks=5e-4,
    )
    count = int((returns < -var).sum())

    def ratio() -> float:
        share = count / DAYS
        return 2.0 * (count * math.log(share / 0.01) + (DAYS - count) * math.log((1.0 - share) / 0.99))

    yield beside(
        "unconditional coverage, exact p-value",
        lambda: kupiec_pof(count, DAYS, 0.99).statistic,
        ratio,
        "math, statistic alone",
        1.0,
        checks=2e-3,
    )
    yield beside(
        "quantile loss of 5,000 days",
        lambda: quantile_loss(returns, var, 0.99),
        lambda: np.where(returns < -var, 0.01 - 1.0, 0.01) * (returns + var),
        "numpy",
        1.0,
        checks=1e-3,
    )
    yield beside(
        "Acerbi and Szekely's second statistic",
        lambda: acerbi_szekely_z2(returns[:1_000], var, es, 0.99).statistic,
        lambda: 1.0 + np.where(returns[:1_000] < -var, returns[:1_000] / es, 0.0).sum() / (1_000 * 0.01),
        "numpy, statistic alone",
        1.0,
        checks=2e-3,
    )
    assert dynamic_quantile(returns, var, 0.99).statistic > 0.0
    mine, _ = best(lambda: dynamic_quantile(returns, var, 0.99), lambda: None, repeat=2)
    yield Row("dynamic quantile test, p-value by simulation", mine, 2.0, "two seconds", 1.0)
    mine, other = best(
        lambda: backtest_var(returns, var, confidence=0.99), lambda: kupiec_pof(count, DAYS, 0.99), repeat=2
    )
    yield Row("all tests of one forecast, 5,000 days", mine, 2.0, "two seconds", 1.0)


def _scaling(returns: np.ndarray) -> Row:
    from arch.unitroot import VarianceRatio

    levels = np.concatenate([[0.0], np.cumsum(returns)])

    def library() -> float:
        return float(VarianceRatio(levels, 5, overlap=True, robust=True).vr)

    found = sqrt_time_test(returns, 5)
    assert math.isclose(found.variance_ratio, library(), rel_tol=0.02)
    mine, other = best(lambda: sqrt_time_test(returns, 5), library)
    return Row("variance ratio test of 5,000 days", mine, other, "arch VarianceRatio", 0.3)
