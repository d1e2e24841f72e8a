"""What holds for the input of every model: any unit, any library of tables, rows in order of time, numbers only, no prices."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from model_doors import ASSETS, DAYS, DOORS, HELD, PRICES, RETURNS, functions_with_observations, table_for

import riskkit as rk
from riskkit._check import InputError, finite_array, finite_number, refuse_prices

each = pytest.mark.parametrize("name", DOORS)
UNITS = (1e-6, 3.7e-3, 1e4, 1e9)


def test_every_function_of_observations_is_a_door():
    assert {name.partition(":")[0] for name in DOORS} == functions_with_observations()


def parts(result: Any) -> list[tuple[np.ndarray, list[str]]]:
    """The numbers of a result in order, each with its labels as text."""
    if dataclasses.is_dataclass(result):
        return [part for field in dataclasses.fields(result) for part in parts(getattr(result, field.name))]
    if isinstance(result, (pd.Series, pd.DataFrame)):
        labels = [*result.index, *getattr(result, "columns", [])]
        return [(result.to_numpy(dtype=float, na_value=np.nan), [str(label) for label in labels])]
    if isinstance(result, np.ndarray | float | int):
        return [(np.asarray(result, dtype=float), [])]
    if isinstance(result, dict):
        result = list(result.values())
    return [part for item in result for part in parts(item)] if isinstance(result, (list, tuple)) else []


def assert_same(result: Any, expected: Any, factor: float = 1.0, rel: float = 1e-6) -> None:
    found, wanted = parts(result), parts(expected)
    assert len(found) == len(wanted) > 0
    for (numbers, labels), (others, names) in zip(found, wanted, strict=True):
        scaled = factor * others
        tiny = 1e-9 * np.nanmax(np.abs(scaled), initial=0.0)
        np.testing.assert_allclose(numbers, scaled, rtol=rel, atol=tiny)
        assert labels == names


@pytest.mark.parametrize("name", [name for name, door in DOORS.items() if door.power is not None])
def test_a_result_does_not_depend_on_the_unit(name, long):
    door = DOORS[name]
    table = table_for(door)
    expected = door.call(table, 1.0)
    for unit in UNITS if long else UNITS[::3]:
        assert_same(door.call(table * unit, unit), expected, unit**door.power)


DISORDER = {
    "newest first": lambda table: table[::-1],
    "not in order of time|not in the order of time": lambda table: table.iloc[[1, 0, *range(2, len(table))]],
    "twice, at rows 6 and 7": lambda table: table.set_axis(table.index[[*range(7), 6, *range(7, len(table) - 1)]]),
}


@each
@pytest.mark.parametrize("words", DISORDER)
def test_rows_out_of_order_are_refused_where_the_order_matters(name, words):
    door = DOORS[name]
    table = DISORDER[words](table_for(door))
    if door.ordered and not (door.kind == "trades" and words.startswith("twice") and name.startswith("performance")):
        with pytest.raises(InputError, match=words):
            door.call(table, 1.0)
    else:
        door.call(table, 1.0)  # trades of the same day are no repetition


@pytest.mark.parametrize(
    "index",
    [
        pd.period_range("2019-01-01", periods=5, freq="D"),
        pd.Index([day.date() for day in DAYS[:5]]),
        pd.Index([str(day.date()) for day in DAYS[:5]]),
        DAYS[:5].tz_localize("Europe/Zurich"),
    ],
    ids=["periods", "dates", "text", "time zone"],
)
def test_dates_of_any_type_are_dates(index):
    with pytest.raises(InputError, match="newest first"):
        rk.ewma_volatility(pd.Series(0.01, index)[::-1])


@pytest.mark.parametrize("index", [[5, 4, 3], ["c", "b", "a"], [(1, "a"), (0, "b"), (0, "c")]], ids=str)
def test_labels_that_are_no_dates_are_in_the_order_given(index):
    series = pd.Series([0.01, -0.02, 0.01], index)
    assert rk.ewma_volatility(series) == pytest.approx(rk.ewma_volatility(series.to_numpy()))


LIBRARIES = {"pyarrow": lambda table: pa.Table.from_pandas(table.reset_index(), preserve_index=False)}


def to_polars(table: pd.DataFrame) -> Any:
    polars = pytest.importorskip("polars", reason="polars is not installed; it is in the group benchmark")
    return polars.from_arrow(LIBRARIES["pyarrow"](table))


LIBRARIES["polars"] = to_polars


@each
@pytest.mark.parametrize("library", LIBRARIES)
def test_tables_of_every_library_give_the_same(name, library):
    door = DOORS[name]
    expected = door.call(table_for(door), 1.0)
    result = door.call(LIBRARIES[library](table_for(door)), 1.0)
    for (numbers, labels), (others, names) in zip(parts(result), parts(expected), strict=True):
        np.testing.assert_allclose(numbers.ravel(), others.ravel(), rtol=1e-9)  # one column is a table of one
        rows = len(others) if others.ndim else 0
        assert labels[:rows] == names[:rows]


@pytest.mark.parametrize("name", [name for name in sorted(DOORS) if DOORS[name].kind == "returns"][::12])
def test_a_relation_of_duckdb_gives_the_same_as_an_arrow_table(name):
    table = LIBRARIES["pyarrow"](table_for(DOORS[name]))
    answers = (parts(DOORS[name].call(given, 1.0)) for given in (duckdb.from_arrow(table), table))
    for (found, labels), (expected, names) in zip(*answers, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)
        assert labels == names


@pytest.mark.slow
@each
def test_a_table_without_dates_keeps_the_names_of_its_columns(name):
    """As a frame with a counted index; what needs dates says so."""
    door = DOORS[name]
    table = table_for(door).reset_index(drop=True)
    expected, why = answered(door, table)
    result, reason = answered(door, pa.Table.from_pandas(table, preserve_index=False))
    assert bool(reason) == bool(why)
    for (numbers, labels), (others, names) in zip(parts(result), parts(expected), strict=True):
        np.testing.assert_allclose(numbers.ravel(), others.ravel(), rtol=1e-9)
        if others.ndim == 2:
            assert labels[len(others) :] == names[len(others) :]


def answered(door: Any, table: Any) -> tuple[Any, str]:
    """The result, or none and why."""
    try:
        return door.call(table, 1.0), ""
    except InputError as error:
        return None, str(error)


COVARIANCE = RETURNS.cov().rename_axis("asset")
MATRICES = {
    "attribution.portfolio": lambda m: rk.attribution.portfolio([1.0, 2.0, 3.0], m),
    "attribution.component": lambda m: rk.attribution.component(HELD, m),
    "attribution.best_hedge": lambda m: rk.attribution.best_hedge(HELD, m).trade,
    "liquidity.liquidity_var": lambda m: rk.liquidity.liquidity_var(HELD, m).price_var,
    "covariance.correlation_from_covariance": rk.covariance.correlation_from_covariance,
    "covariance.nearest_covariance": lambda m: rk.covariance.nearest_covariance(m).matrix,
    "stress.stress_covariance": lambda m: rk.stress.stress_covariance(m, volatility_multiplier=2.0).covariance,
    "stress.reverse_stress": lambda m: rk.stress.reverse_stress(HELD, 10.0, m).scenario,
    "stress.plausibility": lambda m: rk.stress.plausibility(RETURNS[:5], m),
    "montecarlo.NormalReturns": lambda m: (
        rk.simulate_risk(rk.montecarlo.NormalReturns(m), HELD, 500, draws=np.random.default_rng(1)).var
    ),
}


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("names", [True, False], ids=["named rows", "rows without names"])
@pytest.mark.parametrize("library", LIBRARIES)
def test_matrices_of_every_library_give_the_same(name, library, names):
    table = LIBRARIES[library](COVARIANCE)
    if not names:
        table = table.select(ASSETS)
    assert_same(MATRICES[name](table), MATRICES[name](COVARIANCE))


def test_labels_of_an_arrow_table_come_out():
    table = LIBRARIES["pyarrow"](RETURNS)
    variance = rk.covariance.ewma_variance(table)
    assert variance.index.equals(DAYS) or list(variance.index) == list(DAYS)
    assert list(variance.columns) == ASSETS and variance.index.name == "date"


NOT_NUMBERS = {
    "booleans": [True] * len(DAYS),
    "dates": DAYS,
    "time differences": DAYS - DAYS[0],
    "complex numbers": np.full(len(DAYS), 0.01 + 0.01j),
    "text": ["0.01"] * len(DAYS),
    "text among numbers": [0.01, "0.01"] * (len(DAYS) // 2),
}


@pytest.mark.parametrize("name", [name for name, door in DOORS.items() if door.kind != "hits"])
def test_what_is_not_a_number_is_refused(name):
    door = DOORS[name]
    for values in NOT_NUMBERS.values():
        table = table_for(door).copy()
        table["A"] = values
        with pytest.raises(InputError, match="not a number"):
            door.call(table, 1.0)


@pytest.mark.parametrize("values", [*NOT_NUMBERS.values(), [0.1, True], [pd.Timestamp("2020-01-01")], [[0.1, True]]])
def test_arrays_and_lists_of_what_is_not_a_number_are_refused(values):
    for given in (values, np.asarray(values)) if True not in np.ravel(values)[:2].tolist() else (values,):
        with pytest.raises(InputError, match="not a number"):
            finite_array(given, "returns")


@pytest.mark.parametrize(
    "value", [True, np.True_, "1", 1j, np.complex128(1j), np.datetime64("2020"), np.timedelta64(1)]
)
def test_a_number_is_what_an_array_of_numbers_holds(value):
    with pytest.raises(InputError, match="not a number"):
        finite_number(value, "confidence")


def test_masked_and_missing_values_are_missing():
    masked = np.ma.masked_greater([0.01, 9.0, -0.02], 1.0)
    for values in (
        masked,
        [0.01, None, 0.02],
        pd.array([0.01, None, 0.02], "Float64"),
        pa.chunked_array([[0.1, None]]),
    ):
        with pytest.raises(InputError, match="holds nan at position 1"):
            rk.value_at_risk(values)


@pytest.mark.parametrize("name", [name for name, door in DOORS.items() if door.kind == "returns"])
def test_prices_are_refused_by_the_name_of_what_was_meant(name):
    with pytest.raises(InputError, match=r"looks? like prices.*(simple_returns|input=\"prices\")"):
        DOORS[name].call(PRICES, 1.0)


@pytest.mark.parametrize("curve", [[100, 101, 99, 98], [1.0, 1.01, 0.99], [4800.0, 4900.0, 4750.0, 5000.0, 5010.0]])
def test_few_prices_are_no_fractions(curve):
    with pytest.raises(InputError, match='looks like prices.*input="prices"'):
        rk.performance.max_drawdown(curve)


@pytest.mark.parametrize("place", [0, 1])
def test_prices_are_found_in_one_column_of_many(place):
    returns = np.random.default_rng(2).normal(0.0, 0.01, (300, 2))
    table = np.insert(returns, place, 100.0 * np.cumprod(1.0 + returns[:, 0]), axis=1)
    for call in (rk.value_at_risk, rk.ewma_covariance, rk.covariance.sample_covariance):
        call(returns)
        with pytest.raises(InputError, match=f"column {place} of returns looks like prices.*give simple_returns of it"):
            call(table)


def test_objects_of_polars_are_refused_and_not_read_as_addresses():
    pl = pytest.importorskip("polars", reason="polars is not installed; it is in the group benchmark")
    dates = pl.Series("ts", [pd.Timestamp("2024-01-01").date()] * 12, dtype=pl.Object)
    said = "column 'ts' has the type Object; give it one of its own, as polars.Date or polars.Float64"
    for call in (rk.value_at_risk, rk.EventLog.from_frame):
        with pytest.raises(InputError, match=said):
            call(pl.DataFrame([dates, pl.Series("A", [0.01] * 12)]))
    with pytest.raises(InputError, match=said):
        rk.value_at_risk(dates)


def prices_with(seed: int, n: int, volatility: float) -> np.ndarray:
    steps = np.random.default_rng(seed).normal(0.0, volatility, n)
    return 50.0 * np.exp(np.cumsum(steps))


@pytest.mark.parametrize("volatility", [0.002, 0.01, 0.04, 0.1])
def test_prices_of_any_market_are_told_from_pnl(volatility):
    for seed in range(20):
        with pytest.raises(InputError, match="looks like prices"):
            rk.value_at_risk(prices_with(seed, 250, volatility))


def without_a_loss() -> dict[str, np.ndarray]:
    """Returns and P&L that are above zero on every day, and are what they say."""
    rng = np.random.default_rng(3)
    rate = 0.02 + 0.001 * np.cumsum(rng.standard_normal(500)) / 20.0
    week = np.where(np.arange(500) % 5 == 4, 3.0, 1.0)
    return {
        "bills, per day": rate / 360.0,
        "bills, per year": rate,
        "good months of a fund": rng.uniform(0.001, 0.03, 24),
        "P&L of a market maker": rng.lognormal(np.log(1.5e6), 0.5, 1000),
        "fees per day": rng.normal(1000.0, 50.0, 250),
        "interest of a deposit with weekends": 1e6 * rate / 360.0 * week,
        "interest on interest": 27.4 * 1.0001 ** np.arange(250),
        "constant interest": np.full(250, 27.4),
        "interest under a policy rate": 1e6 / 360.0 * np.repeat([0.0525, 0.05, 0.0475, 0.05], 60),
        "P&L of a good week": np.array([120.0, 130.0, 125.0, 118.0, 122.0]),
        "percent of good months": rng.uniform(0.2, 3.0, 36),
    }


@pytest.mark.parametrize("kind", without_a_loss())
def test_returns_and_pnl_without_a_loss_are_accepted(kind):
    values = without_a_loss()[kind]
    refuse_prices(values, "returns")
    assert rk.value_at_risk(values).var < 0.0


def test_a_var_below_zero_has_a_caution():
    for few in ([5000, 4900, 4800, 5100, 4950.0], [1.08, 1.081, 1.079, 1.085, 1.082] * 10):
        assert "prices go through simple_returns(prices)" in repr(rk.value_at_risk(few, 0.9))
    assert "caution" not in repr(rk.value_at_risk([-0.02, 0.01, 0.03, -0.01, 0.02] * 10, 0.9))


def test_a_column_without_a_loss_is_no_column_of_prices():
    rng = np.random.default_rng(4)
    rk.covariance.sample_covariance(RETURNS.assign(cash=0.0001, fees=rng.uniform(500.0, 600.0, len(RETURNS))))


def test_drawdown_of_pnl_is_in_money_from_a_curve_that_starts_at_zero():
    pnl = [-100.0, 300.0, -250.0, 50.0]  # the curve: 0, -100, 200, -50, 0
    assert rk.performance.drawdown_series(pnl, input="pnl").tolist() == [100.0, 0.0, 250.0, 200.0]
    assert rk.performance.max_drawdown(pnl, input="pnl") == 250.0
    table = rk.performance.drawdown_table(pnl, input="pnl")
    assert [item.depth for item in table] == [250.0, 100.0]
    assert table.plot().get_yticklabels() and table.current_drawdown == 200.0


TAKE_GAPS = {
    "stressed_sample",
    "incomplete_covariance",
    "complete_returns",
    "incomplete_ewma_variance",
}  # are there for them
TAKE_GAPS |= {"historical_stress"}  # of days outside its windows


@pytest.mark.parametrize("name", [name for name, door in DOORS.items() if door.kind == "returns"])
def test_a_gap_is_named_by_its_date_and_what_fills_it(name):
    table = RETURNS.copy()
    table.iloc[3, 0] = np.nan
    if name.rpartition(".")[2] in TAKE_GAPS:
        DOORS[name].call(table, 1.0)
        return
    with pytest.raises(InputError) as refused:
        DOORS[name].call(table, 1.0)
    assert str(DAYS[3].date()) in str(refused.value), refused.value
    assert "complete_returns" in str(refused.value) or not str(refused.value).startswith("returns "), refused.value


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0.01, None, -0.02], "nan at position 1"),
        ([True, False], "not a number"),
        ([True, None], "not a number"),
        (["0.01", "0.02"], "not a number"),
        ([pd.Timestamp("2024-01-02").date()], "not a number"),
        ([[0.1], [0.2]], "not a number"),
        ([None, None], "nan at position 0"),
    ],
)
@pytest.mark.parametrize("column", [pa.array, lambda values: pa.chunked_array([values])], ids=["array", "chunks"])
def test_a_column_of_arrow_is_refused_in_our_words(column, values, message):
    with pytest.raises(InputError, match=message):
        rk.value_at_risk(column(values), 0.9)
    numbers = [0.01, -0.02, 0.03]
    assert rk.value_at_risk(column(numbers), 0.9).var == rk.value_at_risk(numbers, 0.9).var


EDGES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "no rows": lambda table: table.iloc[:0],
    "one row": lambda table: table.iloc[:1],
    "constant": lambda table: table * 0.0 + 0.001,
    "all zero": lambda table: table * 0.0,
    "all missing": lambda table: table * np.nan,
    "beyond squares": lambda table: table * 1e300,
    "beyond fourth powers": lambda table: table * 1e150,
}
NO_EPISODE = "performance.drawdown_table: P&L"  # the door takes the first drawdown, which gains do not have


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("name", [name for name in DOORS if not name.startswith("learn.") and name != NO_EPISODE])
def test_every_function_answers_the_edges_or_refuses_them(name, edge):
    """With an answer or one sentence: neither another error nor a warning."""
    door = DOORS[name]
    if edge.startswith("beyond") and door.kind == "hits":
        pytest.skip("a hit has no size")
    try:
        door.call(EDGES[edge](table_for(door)), 1.0)
    except InputError as refusal:
        assert str(refusal)
        assert "\n" not in str(refusal)
