"""DCC, factors, HAR, filtered paths, bonds and boosted tails beside numpy, scipy, statsmodels and scikit-learn; equality first."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import statsmodels.api as sm
from sklearn.decomposition import PCA
from sklearn.ensemble import GradientBoostingRegressor

from benchmarks._bench import Bound, Row, best
from riskkit.covariance import dcc_path, factor_covariance, fit_garch, fit_har
from riskkit.covariance.garch_refit import first_fit, refit
from riskkit.instruments import key_rates
from riskkit.learn.boosting import Settings, fit_tail
from riskkit.var import path_returns

ASSETS = 5_000
WIDE = """
import resource, sys, time
import numpy as np
from riskkit.covariance import factor_covariance, fit_dcc
rng, assets = np.random.default_rng(0), int(sys.argv[1])
returns = 0.01 * (rng.standard_normal((1000, 5)) @ rng.standard_normal((5, assets)) + rng.standard_normal((1000, assets)))
times = [time.process_time()]
for fit in (lambda: factor_covariance(returns, 20), lambda: fit_dcc(returns, "pairs", margins="ewma")):
    fit()
    times.append(time.process_time())
print(times[1] - times[0], times[2] - times[1], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)
"""


def rows() -> Iterator[Row | Bound]:
    """One row a model, and 5,000 assets in bounded memory."""
    command = [sys.executable, "-c", WIDE, str(ASSETS)]
    factors, dcc, memory = map(float, subprocess.check_output(command, text=True).split())
    yield Bound(f"factor covariance, 1,000 days of {ASSETS:,} assets, CPU", factors, 5.0, "s")
    yield Bound("DCC by pairs, EWMA margins, of the same, CPU", dcc, 60.0, "s")
    yield Bound("  memory at most, of both", memory, 2.0, "GB")
    rng = np.random.default_rng(0)
    yield _garch(np.random.default_rng(3))
    yield _dcc(rng.standard_normal((1_000, 10)))
    yield _factors(rng.standard_normal((500, 3)) @ rng.standard_normal((3, 1_000)) + rng.standard_normal((500, 1_000)))
    yield _har(rng.chisquare(5.0, 2_500))
    yield _paths(rng)
    yield _bonds()
    yield _boosted(rng)


def _garch(rng: np.random.Generator) -> Row:
    """Ten refits to ever more days, each from the parameters before, beside as many fits anew."""
    series = 0.01 * rng.standard_t(5, 3_000) * np.exp(0.5 * np.sin(np.arange(3_000) / 200.0))
    stops = range(2_000, 3_000, 100)
    first = first_fit(series[:1_900], "t")

    def warm() -> list[float]:
        fitted, found = first, []
        for stop in stops:
            fitted = refit(series[:stop], fitted)
            found.append(fitted.log_likelihood)
        return found

    def anew() -> list[float]:
        return [fit_garch(series[:stop]).log_likelihood for stop in stops]

    assert (np.array(warm()) >= np.array(anew()) - 1e-3).all()
    mine, other = best(warm, anew, repeat=2)
    return Row("GARCH, ten refits of 2,000 to 2,900 days", mine, other, "arch, each from two starts", 5.0)


def _dcc(z: np.ndarray) -> Row:
    def loop() -> np.ndarray:
        target = z.T @ z / len(z)
        q, out = target, []
        for row in z:
            q = 0.03 * target + 0.05 * np.outer(row, row) + 0.92 * q
            d = 1.0 / np.sqrt(np.diag(q))
            out.append(q * np.outer(d, d))
        return np.array(out)

    np.testing.assert_allclose(dcc_path(z, 0.05, 0.92), loop(), rtol=1e-9, atol=1e-12)
    mine, other = best(lambda: dcc_path(z, 0.05, 0.92), loop, repeat=3)
    return Row("DCC path, 1,000 days of 10 assets", mine, other, "numpy, day by day", 2.0)


def _factors(returns: np.ndarray) -> Row:
    def pca() -> np.ndarray:
        return PCA(3, svd_solver="full").fit(returns).explained_variance_

    ours = factor_covariance(returns, 3)
    np.testing.assert_allclose(np.diag(ours.factor_covariance), pca(), rtol=1e-9)
    mine, other = best(lambda: factor_covariance(returns, 3), pca, repeat=3)
    return Row("factor covariance, 500 days of 1,000 assets", mine, other, "scikit-learn PCA, full", 2.0)


def _har(variances: np.ndarray) -> Row:
    means = [np.convolve(variances, np.full(n, 1.0 / n), "valid")[22 - n : -1] for n in (1, 5, 22)]
    design, target = sm.add_constant(np.column_stack(means)), variances[22:]

    def by_ols() -> np.ndarray:
        fit = sm.OLS(target, design).fit(cov_type="HAC", cov_kwds={"maxlags": 5})
        return np.concatenate([fit.params, fit.bse])

    ours = fit_har(variances)
    np.testing.assert_allclose([ours.intercept, *ours.coefficients, *ours.standard_errors], by_ols(), rtol=1e-8)
    mine, other = best(lambda: fit_har(variances), by_ols, repeat=3)
    return Row("HAR with robust errors, 2,500 days", mine, other, "statsmodels OLS, HAC, given means", 1.0)


def _paths(rng: np.random.Generator) -> Row:
    shocks, picks = rng.standard_normal(1_000), rng.integers(1_000, size=(20_000, 10))
    given = {"omega": 0.05, "alpha": 0.05, "gamma": 0.05, "beta": 0.85}

    def loop() -> np.ndarray:
        total = np.empty(len(picks))
        for i, path in enumerate(shocks[picks]):
            h, total[i] = 1.0, 0.0
            for shock in path.tolist():
                move = shock * h**0.5
                total[i] += move
                h = 0.05 + (0.05 + 0.05 * (move < 0.0)) * move**2 + 0.85 * h
        return total

    np.testing.assert_allclose(path_returns(shocks, picks, 1.0, **given), loop(), rtol=1e-9)
    mine, other = best(lambda: path_returns(shocks, picks, 1.0, **given), loop, repeat=2)
    return Row("filtered paths, 20,000 of 10 periods, GJR", mine, other, "Python, path by path", 10.0)


def _bonds() -> Row:
    flows = {float(year): 5.0 for year in range(1, 30)} | {30.0: 105.0}
    curve = {1.0: 0.02, 5.0: 0.025, 10.0: 0.03, 30.0: 0.035}
    changes = 0.01 * np.random.default_rng(1).standard_normal((2_000, 4))
    ours = key_rates(flows, curve)
    times, paid = np.array(list(flows)), np.array(list(flows.values()))

    def value(rates: np.ndarray) -> float:
        return float(paid @ np.exp(-np.interp(times, list(curve), rates) * times))

    def each() -> np.ndarray:
        base = np.array(list(curve.values()))
        return np.array([value(base + change) for change in changes]) - value(base)

    np.testing.assert_allclose(ours.pnl(changes), each(), rtol=1e-6, atol=1e-9)
    mine, other = best(lambda: ours.pnl(changes), each, repeat=3)
    return Row("bond, 2,000 scenarios of a curve", mine, other, "numpy, scenario by scenario", 5.0)


def _boosted(rng: np.random.Generator) -> Row:
    """VaR and ES together, calibrated by three further fits, beside VaR alone by the library."""
    features = rng.standard_normal((2_000, 6))
    losses = np.exp(0.3 * features[:, 0]) * rng.standard_normal(2_000)
    size = Settings(40, 2, 0.05)

    def library() -> np.ndarray:
        model = GradientBoostingRegressor(
            loss="quantile", alpha=0.95, n_estimators=40, max_depth=2, learning_rate=0.05, min_samples_leaf=100
        )
        return model.fit(features, losses).predict(features)

    ours = fit_tail(features, losses, 0.05, "fz0", size, 1)(features)[0]
    assert np.corrcoef(ours, library())[0, 1] > 0.8
    mine, other = best(lambda: fit_tail(features, losses, 0.05, "fz0", size, 1), library, repeat=2)
    return Row("boosted VaR and ES, calibrated, 2,000 x 6", mine, other, "scikit-learn, VaR alone", 8.0, at_least=False)
