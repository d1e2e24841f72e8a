"""A column that a method cannot estimate has NaN and a reason; the others answer as they do alone."""

import numpy as np
import pandas as pd
import pytest

import riskkit as rk
from riskkit._check import InputError
from riskkit.var.methods import METHODS

RNG = np.random.default_rng(3)
EQUITY = 0.01 * RNG.standard_t(5, 400)
TABLE = pd.DataFrame({"eq": EQUITY, "cash": 0.0, "fx": 0.005 * RNG.standard_normal(400)})
REFUSE_CASH = {"student_t", "cornish_fisher", "evt", "filtered_historical"}


@pytest.mark.parametrize("method", METHODS)
def test_a_quiet_column_does_not_stop_the_others(method):
    found = rk.value_at_risk(TABLE, 0.95, method)
    assert list(found.refusals) == (["cash"] if method in REFUSE_CASH else [])
    for name in ("eq", "fx"):
        alone = rk.value_at_risk(TABLE[name], 0.95, method)
        assert found.var[name] == pytest.approx(alone.var, rel=1e-9)
        assert found.es[name] == pytest.approx(alone.es, rel=1e-9)
    assert np.isnan(found.var["cash"]) == (method in REFUSE_CASH)
    printed = " ".join(repr(found).split())  # lines are wrapped
    assert printed and (method not in REFUSE_CASH or found.refusals["cash"] in printed)


@pytest.mark.parametrize("method", sorted(REFUSE_CASH))
def test_one_series_or_all_columns_are_refused(method):
    reasons = []
    for returns in (TABLE["cash"], TABLE[["cash"]], pd.DataFrame({"a": 0.0, "b": np.zeros(400)})):
        with pytest.raises(InputError) as refusal:
            rk.value_at_risk(returns, 0.95, method)
        reasons.append(str(refusal.value))
    assert len(set(reasons)) == 1
    with pytest.raises(InputError, match="column 'cash': .*; on_refusal='nan' answers for the other columns"):
        rk.value_at_risk(TABLE, 0.95, method, on_refusal="raise")


def test_thresholds_stay_with_their_columns():
    thresholds = [0.012, 0.01, 0.006]
    found = rk.var.evt(TABLE, 0.99, threshold=thresholds)
    assert found.var["fx"] == pytest.approx(rk.var.evt(TABLE["fx"], 0.99, threshold=0.006).var, rel=1e-12)
    assert list(found.refusals) == ["cash"]


@pytest.mark.parametrize("method", sorted(REFUSE_CASH))
def test_a_window_that_cannot_be_judged_is_nan_and_the_others_answer(method):
    quiet = np.concatenate([np.zeros(120), EQUITY[:200]])
    rolled = rk.rolling_var(pd.DataFrame({"late": quiet, "eq": EQUITY[:320]}), 100, 0.95, method)
    assert np.isnan(rolled.var["late"].to_numpy()[0]) and np.isfinite(rolled.var["late"].to_numpy()[-1])
    assert np.isfinite(rolled.var["eq"]).all()
    assert rolled.n_refused >= 21 and "rows 0 to 99, column 0" in rolled.refusals[0, 0]
    assert str(rolled.n_refused) in repr(rolled)
    alone = rk.rolling_var(EQUITY[:320], 100, 0.95, method)
    np.testing.assert_allclose(rolled.var["eq"], alone.var, rtol=1e-9)
    with pytest.raises(InputError, match="rows 0 to 99"):
        rk.rolling_var(quiet, 100, 0.95, method, on_refusal="raise")
    tested = rk.backtest_var(rk.rolling_var(quiet, 100, 0.95, method))
    assert any("days without a finite forecast are left out" in words for words in tested.cautions)


@pytest.mark.parametrize("method", sorted(REFUSE_CASH))
def test_windows_are_refused_where_none_can_be_judged(method):
    with pytest.raises(InputError, match="rows 0 to 99"):
        rk.rolling_var(np.zeros(300), 100, 0.95, method)


@pytest.mark.lengthy
def test_near_normal_returns_have_a_cornish_fisher_var():
    for seed in range(300):
        found = rk.var.cornish_fisher(np.random.default_rng(seed).standard_normal(250), 0.99)
        assert 1.5 < found.var < 3.5 and found.es >= found.var


def test_every_way_out_of_the_cornish_fisher_domain_works():
    rng, seen = np.random.default_rng(0), set()
    for _ in range(60):
        skewness, kurtosis = rng.uniform(-3, 3), rng.uniform(-1, 40)
        if kurtosis < skewness**2 - 2:
            continue
        for corrected in (True, False):
            given = {"skewness": skewness, "excess_kurtosis": kurtosis, "corrected": corrected}
            try:
                rk.var.parametric.cornish_fisher_var(0.01, 0.99, **given)
            except InputError as refusal:
                text = str(refusal)
                ways = {
                    "; out_of_domain='allow' computes": {"out_of_domain": "allow"},
                    "corrected=True finds": {"corrected": True},
                    "corrected=False takes": {"corrected": False},
                    "corrected=False, with out_of_domain='allow' takes": {"corrected": False, "out_of_domain": "allow"},
                }
                named = [options for words, options in ways.items() if words in text]
                assert named
                for options in named:
                    assert np.isfinite(rk.var.parametric.cornish_fisher_var(0.01, 0.99, **(given | options)))
                seen |= {words for words in ways if words in text}
    assert len(seen) >= 3


@pytest.mark.parametrize(("skewness", "kurtosis"), [(0.14, -0.025), (0.3, -0.5), (-0.2, -0.4), (0.0, -0.3)])
def test_es_beyond_a_turn_of_the_expansion_is_that_of_the_monotone_quantile(skewness, kurtosis):
    distribution = rk.var.parametric.fit_cornish_fisher(
        np.array([skewness]), np.array([kurtosis]), corrected=False, confidence=0.99
    )
    y = -2.3263478740408408
    points = np.linspace(-12.0, y, 400_001)
    losses = -distribution.quantile(points)
    monotone = np.maximum.accumulate(losses[::-1])[::-1]  # from y outwards
    density = np.exp(-0.5 * points**2) / np.sqrt(2.0 * np.pi)
    expected = np.trapezoid(monotone * density, points) / 0.01
    assert distribution.tail_mean(y, 0.01)[0] == pytest.approx(expected, rel=1e-6)
