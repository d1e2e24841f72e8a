"""A column that never moves stops no other: every function of a table answers for them as it does without it."""

import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from model_doors import ASSETS, DOORS, RETURNS, table_for

import riskkit as rk
from riskkit import performance
from riskkit._check import InputError

OF_THREE = {
    "attribution.incremental",
    "covariance.ewma_portfolio_variance",
    "pnl.aggregate",
    "returns.profit_and_loss",
    "var_backtest.backtest_panel",
    "var_backtest.compare_forecasts",
}
"""Doors that have another argument about three assets."""
OF_THE_WHOLE = {
    "covariance.shrunk_covariance",  # the target is the mean of all assets
    "covariance.shrunk_covariance: constant correlation",
    "stress.scale_scenarios: to a volatility",  # which constant returns cannot have
}
LEVELS = {"returns": (0.0, 1e-4), "prices": (100.0,), "trades": (0.0,), "hits": (0.0,)}


def with_cash(table: pd.DataFrame, level: float) -> pd.DataFrame:
    return table.assign(cash=level)[[ASSETS[0], "cash", *ASSETS[1:]]]


def of_assets(result: Any) -> Iterator[np.ndarray]:
    """What a result says about the assets, without what it says about cash."""
    if isinstance(result, (tuple, list)):
        for part in result:
            yield from of_assets(part)
    elif isinstance(result, pd.Series) and set(ASSETS) <= set(result.index):
        yield result[ASSETS].to_numpy()
    elif isinstance(result, pd.DataFrame):
        for axis in (0, 1):
            names = result.axes[axis].get_level_values(-1)
            if set(ASSETS) <= set(names):
                result = result.loc(axis=axis)[names.isin(ASSETS)]
        yield result.to_numpy()


@pytest.mark.parametrize("name", [name for name in DOORS if name not in OF_THREE | OF_THE_WHOLE])
def test_a_constant_column_changes_nothing_for_the_others(name):
    door = DOORS[name]
    table = table_for(door)
    expected = list(of_assets(door.call(table, 1.0)))
    for level in LEVELS[door.kind]:
        found = list(of_assets(door.call(with_cash(table, level), 1.0)))
        assert len(found) == len(expected)
        for numbers, others in zip(found, expected, strict=True):
            np.testing.assert_allclose(numbers, others, rtol=1e-9, atol=1e-15)


SHARPE = [("arithmetic", 252), ("geometric", 252), ("autocorrelated", 252), ("per_period", None)]
RATIOS = {
    **{
        f"sharpe_ratio {name}": lambda table, name=name, year=year, **options: performance.sharpe_ratio(
            table, year, definition=name, **options
        )
        for name, year in SHARPE
    },
    "information_ratio": lambda table, **options: performance.information_ratio(
        table, np.zeros(len(table)), 252, **options
    ),
    "calmar_ratio": lambda table, **options: performance.calmar_ratio(table, 252, **options),
    **{
        name: getattr(performance, name)
        for name in (
            "sharpe_standard_error",
            "sortino_ratio",
            "omega_ratio",
            "skewness",
            "excess_kurtosis",
            "tail_ratio",
            "stability",
            "win_rate",
            "payoff_ratio",
            "profit_factor",
        )
    },
}


def test_every_measure_that_may_be_undefined_is_here():
    takes = {
        name
        for name in performance.__all__
        if inspect.isfunction(getattr(performance, name))
        and "on_refusal" in inspect.signature(getattr(performance, name)).parameters
    }
    assert {name.partition(" ")[0] for name in RATIOS} == takes


@pytest.mark.parametrize("name", RATIOS)
def test_an_undefined_measure_is_nan_with_its_reason(name):
    table = with_cash(RETURNS, 0.0)
    with pytest.raises(InputError) as refusal:
        RATIOS[name](table["cash"])
    why = str(refusal.value)
    for labelled in (table, table.to_numpy()):
        found = RATIOS[name](labelled)
        assert np.isnan(np.asarray(found)).tolist() == [False, True, False, False]
        with pytest.raises(
            InputError, match=f"column {'cash' if labelled is table else 1!r}: .*; on_refusal='nan' answers"
        ):
            RATIOS[name](labelled, on_refusal="raise")
        with pytest.raises(InputError, match="on_refusal='drop' is not one of"):
            RATIOS[name](labelled, on_refusal="drop")
    assert RATIOS[name](table).attrs["refusals"] == {"cash": why}
    assert not RATIOS[name](RETURNS, on_refusal="raise").attrs
    for undefined in (table[["cash"]], np.zeros((240, 2))):
        with pytest.raises(InputError) as refusal:
            RATIOS[name](undefined)
        assert str(refusal.value) == why


def test_a_year_with_a_negative_variance_has_its_own_reason():
    swings = np.tile([0.02, -0.01], 60)
    table = pd.DataFrame({"swings": swings, "cash": 0.0, "A": RETURNS["A"].to_numpy()[:120]})
    found = performance.sharpe_ratio(table, 12, definition="autocorrelated", lags=1)
    assert "use fewer lags" in found.attrs["refusals"]["swings"] and "constant" in found.attrs["refusals"]["cash"]


COVARIANCE = RETURNS.cov()
QUIET = COVARIANCE.reindex(index=["A", "cash", "B", "C"], columns=["A", "cash", "B", "C"], fill_value=0.0)


@pytest.mark.parametrize("method", ["higham", "spectral"])
def test_an_asset_without_variance_stays_so_in_a_repair(method):
    broken = COVARIANCE.copy()
    broken.loc["A", "B"] = broken.loc["B", "A"] = 1.5 * np.sqrt(broken.loc["A", "A"] * broken.loc["B", "B"])
    quiet = broken.reindex(index=QUIET.index, columns=QUIET.columns, fill_value=0.0)
    found = rk.covariance.nearest_covariance(quiet, method=method)
    expected = rk.covariance.nearest_covariance(broken, method=method)
    np.testing.assert_allclose(found.matrix.loc[ASSETS, ASSETS], expected.matrix, rtol=1e-7)
    assert (found.matrix.loc["cash"] == 0.0).all() and (found.matrix["cash"] == 0.0).all()
    assert not rk.covariance.nearest_covariance(QUIET, method=method).changed
    quiet = QUIET.copy()
    quiet.loc["cash", "A"] = quiet.loc["A", "cash"] = 1e-5  # no covariance without variance
    repaired = rk.covariance.nearest_covariance(quiet, method=method)
    assert repaired.changed and (repaired.matrix.loc["cash"] == 0.0).all()
    assert np.linalg.eigvalsh(repaired.matrix).min() > -1e-18


@pytest.mark.parametrize(
    "options",
    [{}, {"volatility_multiplier": 2.0}, {"toward": 0.9, "strength": 0.5}, {"pairs": {("A", "B"): 0.99}}],
    ids=str,
)
def test_an_asset_without_variance_has_none_under_stress(options):
    found, expected = rk.stress.stress_covariance(QUIET, **options), rk.stress.stress_covariance(COVARIANCE, **options)
    np.testing.assert_allclose(found.covariance.loc[ASSETS, ASSETS], expected.covariance, rtol=1e-9)
    assert (found.covariance.loc["cash"] == 0.0).all() and (found.covariance["cash"] == 0.0).all()
    assert found.to_frame()["change"].notna().all() and "nan" not in repr(found)


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (1e-5, {}, "asset 'cash' the variance 0 and the covariance 1e-05 with 'A'; nearest_covariance repairs it"),
        (0.0, {"pairs": {("A", "cash"): 0.5}}, "pairs sets a correlation of 'cash', which has the variance 0"),
    ],
)
def test_correlations_of_what_never_moves_are_refused(change, options, message):
    quiet = QUIET.copy()
    quiet.loc["cash", "A"] = quiet.loc["A", "cash"] = change
    with pytest.raises(InputError, match=message):
        rk.stress.stress_covariance(quiet, **options)


def test_a_model_that_cannot_forecast_an_asset_is_left_out_of_the_comparison():
    table = with_cash(RETURNS, 0.0)
    given = {"returns": table, "models": ["historical", "student_t", "normal"], "confidence": 0.95, "window": 100}
    found = rk.var_backtest.compare_models(**given)
    assert set(found.ranking.index) == {"historical", "normal"} and list(found.refusals) == ["student_t"]
    assert "on cash: rows 0 to 99" in found.refusals["student_t"]
    assert found.refusals["student_t"] in " ".join(repr(found).split())  # lines are wrapped
    with pytest.raises(InputError, match="model 'student_t' on cash: "):
        rk.var_backtest.compare_models(**given, on_refusal="raise")
    with pytest.raises(InputError, match="model 'student_t' on cash: "):
        rk.var_backtest.compare_models(**given | {"models": ["student_t", "evt"]})
