"""A GARCH that goes on from an earlier fit is as likely as one that is fitted anew."""

from __future__ import annotations

import math

import numpy as np
import pytest
from naive import covariance as naive

import riskkit as rk
from riskkit.covariance.garch_refit import backcast_of, first_fit, refit, shape_terms, slopes

pytest.importorskip("arch")
N = 1_200


def simulated(rng: np.random.Generator, df: float = 6.0, alpha: float = 0.08, beta: float = 0.9) -> np.ndarray:
    shocks = rng.standard_t(df, N) / math.sqrt(df / (df - 2.0))
    variance, out = 1.0, np.empty(N)
    for t, shock in enumerate(shocks.tolist()):
        out[t] = 0.05 + math.sqrt(variance) * shock
        variance = 0.02 + alpha * (out[t] - 0.05) ** 2 + beta * variance
    return 0.01 * out


def jumps(rng: np.random.Generator) -> np.ndarray:
    found = 0.01 * rng.standard_normal(N)
    found[rng.integers(N, size=12)] *= 12.0
    return found


KINDS = {
    "GARCH": simulated,
    "heavy": lambda rng: simulated(rng, df=2.5),
    "persistent": lambda rng: simulated(rng, alpha=0.03, beta=0.968),
    "no GARCH": lambda rng: 0.01 * rng.standard_normal(N),
    "jumps": jumps,
    "a calm, then a storm": lambda rng: 0.01 * rng.standard_normal(N) * np.repeat([1.0, 4.0], N // 2),
    "money": lambda rng: 1e6 * simulated(rng),
    "a trend": lambda rng: simulated(rng) + np.linspace(0.0, 0.05, N),
    "alternating": lambda rng: 0.01 * np.where(np.arange(N) % 2, 1.0, -1.0) + 1e-4 * rng.standard_normal(N),
}


@pytest.mark.filterwarnings("ignore::riskkit.covariance.ConvergenceWarning")  # of some fits anew
@pytest.mark.parametrize("distribution", ["t", "normal"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_refit_is_as_likely_as_a_fit_anew(kind, distribution, long):
    for seed in range(5 if long else 1):
        series = KINDS[kind](np.random.default_rng(seed))
        fitted = first_fit(series[:700], distribution)
        for stop in (750, 950, N):
            fitted, anew = (
                refit(series[:stop], fitted),
                rk.covariance.fit_garch(series[:stop], distribution=distribution),
            )
            assert fitted.log_likelihood >= anew.log_likelihood - 1e-6 * stop
            assert fitted.alpha >= 0.0 and fitted.beta >= 0.0 and fitted.alpha + fitted.beta <= 1.0 + 1e-9
            if fitted.log_likelihood < anew.log_likelihood + 1e-3:  # else the fit anew missed the maximum
                ours, theirs = math.sqrt(fitted.variances(series[:stop])[-1]), anew.next_volatility
                assert ours == pytest.approx(theirs, rel=5e-3)


@pytest.mark.parametrize("df", [0.0, 5.0])
def test_the_likelihood_is_that_of_a_fit_and_its_slopes_are_its_differences(df):
    series = simulated(np.random.default_rng(3))
    fit = rk.covariance.fit_garch(series, distribution="t" if df else "normal")
    theta = np.array([fit.mean, fit.omega, fit.alpha, fit.beta, fit.df or 0.0])
    path, out, before = np.empty(N + 1), np.empty(5), backcast_of(series)

    def height(theta: np.ndarray) -> float:
        constant, bend = shape_terms(theta[4]) if df else (-0.5 * math.log(2.0 * math.pi), 0.0)
        return float(slopes(series, theta, before, bend, path, out)) + constant

    assert N * height(theta) == pytest.approx(fit.log_likelihood, rel=1e-8)
    np.testing.assert_allclose(
        path[:-1], naive.garch_path(series.tolist(), *theta[:4].tolist(), before)[:N], rtol=1e-12
    )
    near = theta * [1.2, 1.3, 0.9, 0.95, 1.5]  # where the slopes are none near zero
    for place in range(4 + (df > 0)):
        step = np.zeros(5)
        step[place] = 1e-6 * near[place]
        difference = (height(near + step) - height(near - step)) / (2.0 * step[place])
        height(near)
        assert out[place] == pytest.approx(difference, rel=1e-5)


def test_a_refit_without_a_maximum_is_a_fit_anew(monkeypatch):
    series = simulated(np.random.default_rng(5))
    fitted = first_fit(series[:700], "t")
    monkeypatch.setattr("riskkit.covariance.garch_refit._climb", lambda *given: (-math.inf, np.zeros(5)))
    again = refit(series[:800], fitted)
    assert not again.warm and again == first_fit(series[:800], "t")
