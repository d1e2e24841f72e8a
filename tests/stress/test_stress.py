"""riskkit.stress against its plain twin, the shipped data, closed forms and inputs that do not fit."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import stress as naive
from scipy import stats

import riskkit as rk
from riskkit import InputError
from riskkit.attribution import portfolio
from riskkit.covariance import correlation_from_covariance, sample_covariance
from riskkit.datasets import load_index, load_stocks
from riskkit.pnl import DeltaGamma
from riskkit.stress.historical_windows import windows_in

NAMES = pd.Index(["A", "B", "C", "D"])


@pytest.fixture(scope="module")
def returns():
    return load_stocks().pct_change().dropna()


@pytest.fixture(scope="module")
def covariance():
    rng = np.random.default_rng(11)
    root = rng.normal(size=(4, 4)) * 0.01
    return pd.DataFrame(root @ root.T + 2e-5 * np.eye(4), index=NAMES, columns=NAMES)


@pytest.fixture(scope="module")
def positions():
    return pd.Series([1e6, -4e5, 2e6, 3e5], index=NAMES)


# Windows and episodes


def test_library_is_in_order_and_covered_by_the_shipped_data(returns):
    starts = [episode.start for episode in rk.stress.HISTORICAL_EPISODES.values()]
    assert starts == sorted(starts) and all(e.start < e.end for e in rk.stress.HISTORICAL_EPISODES.values())
    assert [window.name for window in windows_in(returns)] == list(rk.stress.HISTORICAL_EPISODES)
    wanted = (
        "LTCM",
        "Dot-com",
        "September 11",
        "Lehman",
        "Flash",
        "August 2011",
        "August 2015",
        "2018",
        "COVID",
        "2022",
    )
    for word in wanted:
        assert any(word in name for name in rk.stress.HISTORICAL_EPISODES)


def test_episodes_of_the_index_agree_with_plain_arithmetic():
    index = load_index()["sp500"]
    table = rk.stress.episodes()
    assert list(table.index) == list(rk.stress.HISTORICAL_EPISODES)
    for name, row in table.iterrows():
        level = index[rk.stress.HISTORICAL_EPISODES[name].start : rk.stress.HISTORICAL_EPISODES[name].end].to_list()
        moves = [b / a - 1 for a, b in zip(level, level[1:], strict=False)]
        assert row["periods"] == len(moves)
        assert row["move"] == pytest.approx(level[-1] / level[0] - 1)
        assert row["worst_move"] == pytest.approx(min(moves))
        assert row["drawdown"] == pytest.approx(naive.relative_fall(level))
        assert index[row["trough"]] == pytest.approx(index[row["peak"]] * (1 - row["drawdown"]))
        assert index.index.get_loc(row["worst"]) > 0
    # closing levels that stand in every newspaper: 2007-10-09 1565.15 to 2009-03-09 676.53
    assert table.loc["Financial crisis 2007-2009", "move"] == pytest.approx(676.53 / 1565.15 - 1, abs=1e-6)
    assert str(table.loc["COVID 2020", "worst"].date()) == "2020-03-16"


def test_episodes_of_several_series_and_windows_of_ones_own():
    prices = load_stocks()[["AAPL", "KO"]]
    table = rk.stress.episodes(prices, {"mine": ("2020-02-19", "2020-03-23")})
    assert table.index.to_list() == [("mine", "AAPL"), ("mine", "KO")]
    alone = rk.stress.episodes(prices["KO"], ["COVID 2020"])
    assert alone.loc["COVID 2020", "move"] == table.loc[("mine", "KO"), "move"]


def test_a_window_begins_after_its_start():
    days = pd.bdate_range("2020-01-06", periods=5)
    table = pd.Series(range(5), index=days, dtype=float)
    rows = windows_in(table, {"w": ("2020-01-07", "2020-01-09")})[0].rows
    assert rows.tolist() == [False, False, True, True, False]
    late = table.set_axis(days + pd.Timedelta(hours=16))
    assert windows_in(late, {"w": ("2020-01-07", "2020-01-09")})[0].rows.tolist() == rows.tolist()
    zoned = table.set_axis(days.tz_localize("America/New_York"))
    assert windows_in(zoned, {"w": ("2020-01-07", "2020-01-09")})[0].rows.tolist() == rows.tolist()
    exact = {"w": (pd.Timestamp("2020-01-07 16:00"), pd.Timestamp("2020-01-09 15:59"))}
    assert windows_in(late, exact)[0].rows.tolist() == [False, False, True, False, False]
    assert windows_in(np.zeros(4), {"all": (-1, 3)})[0].rows.all()
    assert windows_in(np.zeros(4), {"tail": (1, 3)})[0].rows.tolist() == [False, False, True, True]


def test_only_covered_episodes_are_taken(returns):
    short = returns["2015-01-01":"2019-12-31"]
    names = [window.name for window in windows_in(short)]
    assert names == ["August 2015", "January 2016", "Brexit 2016", "Volatility 2018", "Winter 2018"]
    with pytest.raises(InputError, match="'COVID 2020' runs from 2020-02-19 to 2020-03-23, but the rows from 2015"):
        windows_in(short, ["COVID 2020"])


# History replayed


def test_replay_agrees_with_growing_every_position(returns):
    held = pd.Series({"AAPL": 1000.0, "KO": -500.0, "XOM": 2000.0})
    stress = rk.stress.historical_stress(held, returns, ["Lehman autumn 2008", "COVID 2020"])
    for name in stress.paths:
        window = next(w for w in windows_in(returns, [name]))
        moves = returns[held.index][window.rows].to_numpy().tolist()
        path = naive.held_path(held.to_list(), moves)
        assert stress.paths[name].iloc[:, 0].to_numpy() == pytest.approx(path, abs=1e-9)
        row = stress.table.loc[name]
        assert row["loss"] == pytest.approx(-path[-1])
        assert row["worst_loss"] == pytest.approx(-min(np.diff(path)))
        assert row["peak_to_trough"] == pytest.approx(naive.fall(path))
    daily = rk.stress.historical_stress(held, returns, ["COVID 2020"], buy_and_hold=False)
    moves = returns[held.index]["2020-02-20":"2020-03-23"].to_numpy().tolist()
    assert daily.paths["COVID 2020"].iloc[:, 0].to_numpy() == pytest.approx(naive.restored_path(held, moves), abs=1e-9)
    assert stress.worst.name == stress.table["loss"].idxmax()


def test_every_form_of_a_book_gives_the_same_answer(returns):
    names = ["AAPL", "KO"]
    table, held = returns[names], pd.Series([1000.0, -500.0], index=names)
    expected = rk.stress.historical_stress(held, table, ["COVID 2020"])
    linear = DeltaGamma(held, pd.Series(0.0, index=names))
    priced = rk.stress.historical_stress(lambda moves: moves @ held, table, ["COVID 2020"])
    for other in (rk.stress.historical_stress(linear, table, ["COVID 2020"]), priced):
        assert other.table["loss"].to_list() == pytest.approx(expected.table["loss"].to_list())
        assert other.table["peak_to_trough"].to_list() == pytest.approx(expected.table["peak_to_trough"].to_list())
    daily = rk.stress.historical_stress(held, table, ["COVID 2020"], buy_and_hold=False)
    ready = rk.stress.historical_stress(table @ held, windows=["COVID 2020"])
    assert ready.table["loss"].iloc[0] == pytest.approx(daily.table["loss"].iloc[0]) and not ready.buy_and_hold
    plain = rk.stress.historical_stress(held.to_numpy(), table.to_numpy(), {"w": (0, 100)})
    assert plain.table["loss"].iloc[0] == pytest.approx(
        -naive.held_path(held.to_list(), table.to_numpy()[1:101].tolist())[-1]
    )


def test_an_option_is_valued_at_the_moves_since_the_start(returns):
    """A put struck 10 % down pays what the compounded fall leaves below, not the sum of daily payoffs."""
    table = returns[["AAPL"]]
    put = rk.stress.historical_stress(lambda m: np.maximum(0.9 - (1 + m["AAPL"]), 0.0) * 100.0, table, ["COVID 2020"])
    total = (1 + table["AAPL"]["2020-02-20":"2020-03-23"]).prod()
    assert -put.table["loss"].iloc[0] == pytest.approx(max(0.9 - total, 0.0) * 100.0)


def test_books_add_up_over_the_tree(returns):
    books = pd.DataFrame({"AAPL": [100.0, 0.0, 50.0], "KO": [0.0, 200.0, -50.0]}, index=["x", "y", "z"])
    tree = {"firm": {"one": ["x", "y"], "two": ["z"]}}
    stress = rk.stress.historical_stress(books, returns, ["COVID 2020", "Brexit 2016"], hierarchy=tree)
    loss = stress.table["loss"].unstack("book")
    assert loss["firm"].to_list() == pytest.approx((loss["x"] + loss["y"] + loss["z"]).to_list())
    assert stress.table.loc[("COVID 2020", "one"), "worst_loss"] <= sum(
        stress.table.loc[("COVID 2020", b), "worst_loss"] for b in ("x", "y")
    )
    assert "COVID 2020 / firm" in repr(stress)


def test_proxies_stand_in_for_missing_history(returns):
    table = returns[["AAPL", "KO"]].copy()
    table.loc[:"2010-01-01", "KO"] = np.nan
    held = pd.Series({"AAPL": 0.0, "KO": 100.0})
    with pytest.raises(InputError, match="returns of 'KO' are missing in window 'Lehman autumn 2008' \\(49 values\\)"):
        rk.stress.historical_stress(held, table, ["Lehman autumn 2008"])
    stress = rk.stress.historical_stress(held, table, ["Lehman autumn 2008", "COVID 2020"], proxies={"KO": "AAPL"})
    as_apple = rk.stress.historical_stress(pd.Series({"AAPL": 100.0}), returns, ["Lehman autumn 2008"])
    assert stress.table["loss"].iloc[0] == pytest.approx(as_apple.table["loss"].iloc[0])
    own = rk.stress.historical_stress(pd.Series({"KO": 100.0}), returns, ["COVID 2020"])
    assert stress.table["loss"].iloc[1] == pytest.approx(own.table["loss"].iloc[0])


def test_yields_add_up_and_prices_compound():
    table = pd.DataFrame({"stock": [0.0, -0.1, -0.1], "yield": [0.0, 0.01, 0.01]})
    held = pd.Series({"stock": 100.0, "yield": -1000.0})
    stress = rk.stress.historical_stress(held, table, {"w": (0, 2)}, additive=["yield"])
    assert stress.table["loss"].iloc[0] == pytest.approx(19.0 + 20.0)
    row = rk.stress.historical_scenarios(table, {"w": (0, 2)}, additive=["yield"]).loc["w"]
    assert row.to_list() == pytest.approx([-0.19, 0.02])


def test_a_window_that_only_rises_has_no_fall():
    stress = rk.stress.historical_stress([1.0], [[0.0], [0.1], [0.1]], {"up": (0, 2)})
    row = stress.table.loc["up"]
    assert row["peak_to_trough"] == 0.0 and row["loss"] == pytest.approx(-0.21) and row["peak"] == row["trough"]


# Scenarios


def test_historical_scenarios_are_the_end_of_the_replay(returns):
    held = pd.Series(100.0, index=returns.columns)
    losses = rk.stress.stress_test(held, rk.stress.historical_scenarios(returns)).losses["loss"]
    replayed = rk.stress.historical_stress(held, returns).table["loss"]
    assert losses.to_list() == pytest.approx(replayed.to_list())
    assert list(losses.index) == list(rk.stress.HISTORICAL_EPISODES)


def test_expected_moves_are_the_conditional_mean(covariance):
    shocks = {"one": {"B": -0.05}, "two": {"D": 0.02, "A": -0.03}}
    table = rk.stress.shock_scenarios(shocks, others="expected", covariance=covariance)
    assert table.loc["one"].to_list() == pytest.approx(naive.conditional_mean(covariance, [1], [-0.05]))
    assert table.loc["two"].to_list() == pytest.approx(naive.conditional_mean(covariance, [3, 0], [0.02, -0.03]))
    assert table.loc["two", "A"] == -0.03
    reordered = rk.stress.shock_scenarios(shocks, ["D", "C", "B", "A"], others="expected", covariance=covariance)
    assert reordered.loc["two", "C"] == pytest.approx(table.loc["two", "C"])
    still = rk.stress.shock_scenarios(shocks)
    assert list(still.columns) == ["B", "D", "A"] and still.loc["one"].to_list() == [-0.05, 0.0, 0.0]


def test_shocks_of_factors_that_always_move_together():
    twins = pd.DataFrame([[0.01, 0.01], [0.01, 0.01]], index=["A", "B"], columns=["A", "B"])
    together = rk.stress.shock_scenarios({"s": {"A": 0.1}}, others="expected", covariance=twins)
    assert together.loc["s"].to_list() == pytest.approx([0.1, 0.1])
    both = rk.stress.shock_scenarios({"s": {"A": 0.1, "B": 0.1}}, others="expected", covariance=twins)
    assert both.loc["s"].to_list() == [0.1, 0.1]
    with pytest.raises(InputError, match="contradict each other"):
        rk.stress.shock_scenarios({"s": {"A": 0.1, "B": -0.1}}, others="expected", covariance=twins)


def test_loadings_are_those_of_a_regression(returns):
    market = load_index()["sp500"].pct_change().dropna()
    fit = rk.stress.factor_loadings(returns[["AAPL", "KO"]], market)
    for name in ("AAPL", "KO"):
        line = stats.linregress(market, returns[name])
        assert fit.loadings.loc[name, "sp500"] == pytest.approx(line.slope)
        assert fit.intercept[name] == pytest.approx(line.intercept)
        assert fit.r_squared[name] == pytest.approx(line.rvalue**2)
    design = np.column_stack([np.ones(len(market)), market])
    residual = returns["KO"] - design @ np.linalg.lstsq(design, returns["KO"])[0]
    assert fit.residual_volatility["KO"] == pytest.approx(math.sqrt((residual**2).sum() / (len(market) - 2)))
    crash = rk.stress.factor_scenarios(fit.loadings, rk.stress.shock_scenarios({"crash": {"sp500": -0.2}}))
    assert crash.loc["crash", "KO"] == pytest.approx(-0.2 * fit.loadings.loc["KO", "sp500"])
    own = pd.DataFrame({"KO": [-0.05]}, index=["crash"])
    more = rk.stress.factor_scenarios(
        fit.loadings, rk.stress.shock_scenarios({"crash": {"sp500": -0.2}}), specific_moves=own
    )
    assert (more - crash).loc["crash"].to_list() == pytest.approx([0.0, -0.05])
    small = rk.stress.factor_loadings(np.array([[1.0], [2.0], [2.0]]), np.array([[1e-9], [2e-9], [3e-9]]))
    assert small.loadings[0, 0] == pytest.approx(0.5e9)


def test_volatility_is_scaled_to_the_target(returns):
    table = returns[["AAPL", "KO"]]
    target = pd.Series({"KO": 0.03, "AAPL": 0.01})
    scaled = rk.stress.scale_scenarios(table, target_volatility=target)
    assert scaled.std().to_dict() == pytest.approx(target.to_dict())
    assert scaled.corr().iloc[0, 1] == pytest.approx(table.corr().iloc[0, 1])
    pd.testing.assert_frame_equal(rk.stress.scale_scenarios(table, volatility_multiplier=2.0), table * 2.0)
    assert rk.stress.scale_scenarios(
        table["KO"], target_volatility=0.02, current_volatility=0.01
    ).to_numpy() == pytest.approx(2 * table["KO"])


def test_a_constant_series_is_left_as_it_is_by_the_target_0(returns):
    table = returns[["AAPL"]].assign(cash=0.0001)
    scaled = rk.stress.scale_scenarios(table, target_volatility=[0.01, 0.0])
    assert scaled["cash"].eq(0.0001).all() and scaled["AAPL"].std() == pytest.approx(0.01)
    with pytest.raises(rk.InputError, match="0.01 for 'cash', which has no volatility"):
        rk.stress.scale_scenarios(table, target_volatility=0.01)


# Stress tests


def test_losses_by_position_book_and_node(positions, covariance):
    scenarios = rk.stress.shock_scenarios({"one": {"A": -0.1, "C": 0.02}, "two": {"B": 0.5}}, NAMES)
    single = rk.stress.stress_test(positions, scenarios)
    assert single.losses["loss"].to_list() == pytest.approx([1e5 - 4e4, 2e5])
    assert single.by_position.sum(axis=1).to_list() == pytest.approx(single.losses["loss"].to_list())
    assert single.by_position.loc["one", "A"] == pytest.approx(1e5) and single.worst == "two"
    subset = rk.stress.stress_test(positions[["C", "A"]], scenarios)
    assert subset.by_position.loc["one"].to_dict() == pytest.approx({"C": -4e4, "A": 1e5})
    books = pd.DataFrame([positions, positions * 2], index=["x", "y"])
    tree = rk.stress.stress_test(books, scenarios, hierarchy={"firm": ["x", "y"]})
    assert tree.losses["firm"].to_list() == pytest.approx((3 * single.losses["loss"]).to_list())
    assert tree.by_position is None
    gamma = DeltaGamma(positions, pd.Series(1e6, index=NAMES))
    assert rk.stress.stress_test(gamma, scenarios).losses.loc["two", "loss"] == pytest.approx(2e5 - 0.5 * 1e6 * 0.25)
    assert rk.stress.stress_test(lambda m: -m["B"], scenarios).losses["loss"].to_list() == [0.0, 0.5]
    ready = rk.stress.stress_test(pd.Series({"one": -5.0, "two": 3.0}))
    assert ready.losses["loss"].to_list() == [5.0, -3.0]
    assert rk.stress.stress_test([1.0, 2.0], [[0.1, 0.2]]).losses.iloc[0, 0] == pytest.approx(-0.5)


# Correlation and volatility


@given(
    seed=st.integers(0, 1000),
    strength=st.floats(0.0, 1.0),
    toward=st.floats(-0.33, 1.0),
    multiplier=st.floats(0.1, 10.0),
)
@settings(max_examples=60, deadline=None)
def test_a_blend_stays_positive_semidefinite_without_repair(seed, strength, toward, multiplier):
    root = np.random.default_rng(seed).normal(size=(4, 4))
    original = root @ root.T
    stress = rk.stress.stress_covariance(original, toward=toward, strength=strength, volatility_multiplier=multiplier)
    before, after = correlation_from_covariance(original), correlation_from_covariance(stress.covariance)
    upper = np.triu_indices(4, 1)
    expected = (1 - strength) * before[upper] + strength * toward
    assert after[upper] == pytest.approx(expected, abs=1e-9)
    assert np.sqrt(np.diag(stress.covariance)) == pytest.approx(multiplier * np.sqrt(np.diag(original)))
    assert np.linalg.eigvalsh(stress.covariance)[0] >= -1e-9 * multiplier**2 * np.trace(original)


def test_impossible_pairs_are_repaired_and_said():
    original = np.array([[1.0, 0.9, 0.8], [0.9, 1.0, 0.9], [0.8, 0.9, 1.0]])
    stress = rk.stress.stress_covariance(original, pairs={(0, 2): -0.9})
    assert stress.repair.changed and stress.repair.min_eigenvalue_before < -0.1
    assert np.linalg.eigvalsh(stress.covariance)[0] >= -1e-9
    assert "largest repair" in repr(stress)
    possible = rk.stress.stress_covariance(original, pairs={(0, 2): 0.7})
    assert not possible.repair.changed and possible.covariance[0, 2] == 0.7


def test_among_and_named_multipliers_move_only_what_they_name(covariance):
    stress = rk.stress.stress_covariance(
        covariance, toward=1.0, strength=0.5, among=["A", "C"], volatility_multiplier={"C": 3.0}
    )
    before = correlation_from_covariance(covariance)
    assert stress.repair.original.loc["A", "C"] == pytest.approx(0.5 + 0.5 * before.loc["A", "C"])
    assert stress.repair.original.loc["A", "B"] == pytest.approx(before.loc["A", "B"])
    ratio = np.sqrt(np.diag(stress.covariance) / np.diag(covariance))
    assert ratio == pytest.approx([1.0, 1.0, 3.0, 1.0])
    series = rk.stress.stress_covariance(covariance, volatility_multiplier=pd.Series({"C": 3.0}))
    array = rk.stress.stress_covariance(covariance, volatility_multiplier=[1.0, 1.0, 3.0, 1.0])
    pd.testing.assert_frame_equal(series.covariance, array.covariance)
    untouched = rk.stress.stress_covariance(covariance)
    assert untouched.covariance.to_numpy() == pytest.approx(covariance.to_numpy(), rel=1e-12)
    assert not untouched.repair.changed


def test_correlation_of_one_makes_the_undiversified_var(covariance, positions):
    long = positions.abs()
    stress = rk.stress.stress_covariance(covariance, toward=1.0)
    undiversified = (1.65 * long * np.sqrt(np.diag(covariance))).sum()
    comparison = stress.compare(long, confidence=0.95, z=1.65)
    assert comparison["after"] == pytest.approx(undiversified)
    assert comparison["before"] == pytest.approx(portfolio(long, covariance, confidence=0.95, z=1.65))
    to_matrix = rk.stress.stress_covariance(
        covariance, toward=correlation_from_covariance(covariance)[::-1], strength=1.0
    )
    assert to_matrix.covariance.to_numpy() == pytest.approx(covariance.to_numpy(), rel=1e-9)


# Plausibility


def test_distance_and_tail_agree_with_scipy(covariance):
    rng = np.random.default_rng(4)
    moves = pd.DataFrame(rng.normal(size=(5, 4)) * 0.02, columns=NAMES)
    judged = rk.stress.plausibility(moves[NAMES[::-1]], covariance)
    fat = rk.stress.plausibility(moves, covariance, df=5)
    normal = stats.multivariate_normal(np.zeros(4), covariance)
    t = stats.multivariate_t(np.zeros(4), covariance * 3 / 5, df=5)
    for i, move in enumerate(moves.to_numpy()):
        d = naive.mahalanobis(move, covariance.to_numpy())
        assert judged["distance"][i] == pytest.approx(d, rel=1e-9)
        assert judged["density_ratio"][i] == pytest.approx(normal.pdf(move) / normal.pdf(np.zeros(4)), rel=1e-7)
        assert fat["density_ratio"][i] == pytest.approx(t.pdf(move) / t.pdf(np.zeros(4)), rel=1e-7)
        assert judged["exceedance_probability"][i] == pytest.approx(stats.chi2.sf(d**2, 4), rel=1e-9)
        assert fat["exceedance_probability"][i] == pytest.approx(stats.f.sf(d**2 * 5 / 3 / 4, 4, 5), rel=1e-9)
    assert rk.stress.mahalanobis_distance(moves.iloc[0], covariance) == pytest.approx(judged["distance"][0])


def test_a_move_that_a_singular_covariance_rules_out_is_infinitely_far():
    twins = [[0.01, 0.01], [0.01, 0.01]]
    assert rk.stress.mahalanobis_distance([0.1, 0.1], twins) == pytest.approx(1.0)
    assert rk.stress.mahalanobis_distance([0.1, -0.1], twins) == math.inf
    judged = rk.stress.plausibility([[0.1, -0.1]], twins)
    assert judged.iloc[0].to_list() == [math.inf, 0.0, 0.0]
    units = np.diag([1.0, 1e-16])  # a factor in tiny units still counts
    assert rk.stress.mahalanobis_distance([0.0, 2e-8], units) == pytest.approx(2.0)


# Reverse stress


def test_linear_book_in_closed_form(positions, covariance):
    answer = rk.stress.reverse_stress(positions[::-1], 100_000.0, covariance)
    w, c = positions.to_numpy(), covariance.to_numpy()
    sd = math.sqrt(w @ c @ w)
    assert answer.scenario.to_numpy() == pytest.approx(-c @ w * 1e5 / sd**2)
    assert answer.distance == pytest.approx(1e5 / sd)
    assert answer.distance == pytest.approx(naive.mahalanobis(answer.scenario, c))
    assert answer.loss_probability == pytest.approx(stats.norm.sf(1e5 / sd)) and answer.exact
    assert answer.contributions.sum() == pytest.approx(1e5) and answer.loss == pytest.approx(1e5)
    assert list(answer.scenario.index) == list(NAMES)
    assert answer.standardized.to_numpy() == pytest.approx(answer.scenario.to_numpy() / np.sqrt(np.diag(c)))
    # the VaR, reversed: a loss of the 99 % VaR has a probability of 1 %
    back = rk.stress.reverse_stress(positions, portfolio(positions, covariance, 0.99), covariance)
    assert back.loss_probability == pytest.approx(0.01) and back.return_period == pytest.approx(100.0)
    fat = rk.stress.reverse_stress(positions, portfolio(positions, covariance, 0.99, df=4), covariance, df=4)
    assert fat.loss_probability == pytest.approx(0.01)
    assert fat.exceedance_probability == pytest.approx(stats.f.sf(fat.distance**2 * 2 / 4, 4, 4))


def test_mean_moves_count(positions, covariance):
    mean = pd.Series(0.001, index=NAMES[::-1])
    answer = rk.stress.reverse_stress(positions, 1e5, covariance, mean=mean)
    sd = math.sqrt(positions @ covariance @ positions)
    assert answer.distance == pytest.approx((1e5 + 0.001 * positions.sum()) / sd)
    assert -(positions @ answer.scenario) == pytest.approx(1e5)
    assert answer.contributions.sum() == pytest.approx(1e5)


@pytest.mark.slow
@given(seed=st.integers(0, 10_000), kind=st.sampled_from(["short", "long", "mixed", "diagonal"]))
@settings(max_examples=40, deadline=None)
def test_delta_gamma_is_the_nearest_point_on_every_angle(seed, kind):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(2, 2)) * 0.02
    covariance = root @ root.T + 1e-5 * np.eye(2)
    delta, raw = rng.normal(size=2) * 100.0, rng.normal(size=(2, 2)) * 3000.0
    gamma = {"short": -raw @ raw.T / 3000, "long": raw @ raw.T / 3000, "mixed": (raw + raw.T) / 2, "diagonal": raw[0]}
    book = DeltaGamma(delta, gamma[kind], theta=0.05)
    sd = math.sqrt(delta @ covariance @ delta)
    wanted = 2.0 * sd
    expected, point = naive.nearest_on_a_grid(lambda m: -book.pnl(m), covariance, wanted, angles=4000)
    if math.isnan(expected):
        return
    answer = rk.stress.reverse_stress(book, wanted, covariance)  # the grid has reached it, so it is not out of reach
    assert answer.loss == pytest.approx(wanted, rel=1e-8)
    assert answer.distance == pytest.approx(naive.mahalanobis(answer.scenario, covariance), rel=1e-6)
    assert answer.distance <= expected * (1 + 1e-9)  # it loses enough, and nothing on the grid is nearer


def test_a_short_straddle_loses_both_ways():
    """No delta: the hard case. Loss 50 x² = 0.5 at x = ±0.1, five standard deviations of 0.02."""
    straddle = DeltaGamma([0.0, 1.0], [-100.0, 0.0])
    answer = rk.stress.reverse_stress(straddle, 0.5, np.diag([0.0004, 1e-12]))
    assert abs(answer.scenario[0]) == pytest.approx(0.1, rel=1e-6) and answer.distance == pytest.approx(5.0, rel=1e-6)
    (other,) = answer.alternatives
    assert other[0] == pytest.approx(-answer.scenario[0]) and "as plausible" in repr(answer)
    tilted = rk.stress.reverse_stress(DeltaGamma([1e-7, 0.0], [-100.0, 0.0]), 0.5, np.diag([0.0004, 1e-4]))
    assert tilted.scenario[0] < 0.0 and tilted.distance == pytest.approx(5.0, rel=1e-6)


def test_convex_books_cannot_lose_without_end():
    long = DeltaGamma([100.0], [[1000.0]])  # lowest at x = -0.1: loses 5
    at_most = rk.stress.reverse_stress(long, 4.999, [[0.0001]])
    assert at_most.loss == pytest.approx(4.999)
    assert rk.stress.reverse_stress(long, 5.0, [[0.0001]]).scenario[0] == pytest.approx(-0.1, rel=1e-4)
    with pytest.raises(InputError, match="out of reach: the book loses at most 5 in any scenario"):
        rk.stress.reverse_stress(long, 5.001, [[0.0001]])
    partly_flat = DeltaGamma([100.0, 1.0], [1000.0, 0.0])
    assert rk.stress.reverse_stress(partly_flat, 6.0, np.diag([0.0001, 0.01])).loss == pytest.approx(6.0)


@pytest.mark.slow
def test_search_finds_the_exact_answers(positions, covariance):
    linear = rk.stress.reverse_stress(positions, 1e5, covariance)
    found = rk.stress.reverse_stress(lambda moves: moves @ positions, 1e5, covariance)
    assert found.distance == pytest.approx(linear.distance, rel=1e-8)
    assert found.scenario.to_numpy() == pytest.approx(linear.scenario.to_numpy(), rel=1e-4)
    assert found.loss == pytest.approx(1e5) and not found.exact and found.contributions is None
    book = DeltaGamma(positions, pd.Series([-2e7, 1e7, -1e7, 0.0], index=NAMES))
    exact = rk.stress.reverse_stress(book, 1e5, covariance)
    searched = rk.stress.reverse_stress(lambda moves: book.pnl(moves), 1e5, covariance)
    assert searched.distance == pytest.approx(exact.distance, rel=1e-7)
    straddle = DeltaGamma([0.0, 0.0], [-100.0, 0.0])
    both = rk.stress.reverse_stress(lambda m: straddle.pnl(m), 0.5, np.diag([0.0004, 0.0004]))
    assert both.distance == pytest.approx(5.0, rel=1e-6) and len(both.alternatives) == 1


def test_search_on_an_option_book_beats_every_angle():
    """Short puts and a share: kinked, and not monotone along all rays."""
    covariance = np.array([[0.0009, 0.0002], [0.0002, 0.0004]])

    def pnl(moves):
        moves = np.asarray(moves)
        return 50 * moves[:, 0] - 400 * np.maximum(-0.08 - moves[:, 0], 0.0) - 300 * np.maximum(moves[:, 1] - 0.05, 0.0)

    answer = rk.stress.reverse_stress(pnl, 12.0, covariance)
    expected, _ = naive.nearest_on_a_grid(lambda m: -pnl(m), covariance, 12.0)
    assert answer.distance <= expected * (1 + 1e-6)
    assert answer.loss == pytest.approx(12.0)
    again = rk.stress.reverse_stress(pnl, 12.0, covariance)
    assert again.scenario.tolist() == answer.scenario.tolist()  # no draws: the same answer twice
    with pytest.raises(InputError, match="out of reach: within 10 standard deviations"):
        rk.stress.reverse_stress(lambda m: np.maximum(np.asarray(m)[:, 0], -0.01), 1.0, covariance)


def test_ready_pnl_is_explained_by_its_conditional_mean(positions, covariance):
    rng = np.random.default_rng(9)
    factors = pd.DataFrame(rng.multivariate_normal(np.zeros(4), covariance, size=400), columns=NAMES)
    pnl = factors @ positions
    answer = rk.stress.reverse_stress_pnl(pnl, factors, 1e5)
    closed = rk.stress.reverse_stress(positions, 1e5, factors.cov(), mean=factors.mean())
    assert answer.scenario.to_numpy() == pytest.approx(closed.scenario.to_numpy(), rel=1e-9)
    assert answer.distance == pytest.approx(closed.distance)
    assert answer.loss_probability == pytest.approx(closed.loss_probability)
    assert answer.exceedance_probability == pytest.approx(closed.exceedance_probability)
    noisy = rk.stress.reverse_stress_pnl(pnl + rng.normal(size=400) * 1e5, factors, 3e5)
    assert np.abs(noisy.standardized).max() < noisy.distance


def test_a_singular_covariance_keeps_to_what_can_happen():
    twins = pd.DataFrame([[0.01, 0.01], [0.01, 0.01]], index=["A", "B"], columns=["A", "B"])
    answer = rk.stress.reverse_stress(pd.Series({"A": 100.0, "B": 0.0}), 20.0, twins)
    assert answer.scenario.to_list() == pytest.approx([-0.2, -0.2]) and answer.distance == pytest.approx(2.0)
    quadratic = rk.stress.reverse_stress(
        DeltaGamma(pd.Series({"A": 100.0, "B": 0.0}), pd.Series(0.0, twins.index)), 20.0, twins
    )
    assert quadratic.scenario.to_list() == pytest.approx([-0.2, -0.2])
    with pytest.raises(InputError, match="no risk under this covariance"):
        rk.stress.reverse_stress(pd.Series({"A": 100.0, "B": -100.0}), 20.0, twins)


# Results print and plot


def test_results_print_and_plot(returns, positions, covariance):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    held = pd.Series(100.0, index=returns.columns)
    history = rk.stress.historical_stress(held, returns)
    scenarios = rk.stress.stress_test(held, rk.stress.historical_scenarios(returns))
    reverse = rk.stress.reverse_stress(positions, 1e5, covariance)
    moved = rk.stress.stress_covariance(covariance, toward=1.0, strength=0.5)
    fit = rk.stress.factor_loadings(returns[["AAPL"]], returns["KO"])
    for result in (history, scenarios, reverse, moved, fit, rk.stress.HISTORICAL_EPISODES["COVID 2020"]):
        assert result._title() in repr(result) and "<table>" in result._repr_html_()
        assert not hasattr(result, "to_frame") or len(result.to_frame())
    ax = history.plot(plt.figure().gca())
    assert max(p.get_width() for p in ax.patches) == pytest.approx(history.table["peak_to_trough"].max())
    assert len(history.plot_paths(plt.figure().gca(), n_worst=3).lines) == 4
    ax = scenarios.plot(plt.figure().gca())
    assert ax.patches[-1].get_width() == pytest.approx(scenarios.losses["loss"].max())
    ax = reverse.plot(plt.figure().gca())
    assert abs(ax.patches[-1].get_width()) == pytest.approx(np.abs(reverse.standardized).max())
    assert len(moved.plot(plt.figure().gca()).lines) == 2
    plt.close("all")
    assert "first order" in repr(rk.stress.reverse_stress(DeltaGamma(positions, positions * 0), 1e5, covariance, df=4))


def test_the_library_prints_as_a_table():
    lines = repr(rk.stress.HISTORICAL_EPISODES).splitlines()
    assert lines[0] == "20 episodes" and len(lines) == 2 + 1 + 20 + 1
    assert lines[3].split() == "Gulf War 1990 1990-07-16 1990-10-11 invasion of Kuwait, oil doubles, recession".split()
    assert rk.stress.HISTORICAL_EPISODES._repr_html_().count("<tr>") == 21
    assert (
        isinstance(rk.stress.HISTORICAL_EPISODES, dict)
        and rk.stress.HISTORICAL_EPISODES["COVID 2020"].end == "2020-03-23"
    )


def test_a_stress_test_prints_dates_without_midnight_and_one_format(returns):
    held = pd.Series(1234.5, index=returns.columns)
    test = rk.stress.stress_test(held, returns["2008-09-26":"2008-10-02"])
    lines = repr(test).splitlines()[2:]
    assert lines[0].startswith("2008-09-29 ") and "00:00:00" not in repr(test) and len(lines) == 5
    amounts, causes = [line.split()[1] for line in lines], [line.split()[-1] for line in lines if "most" in line]
    for column in (amounts, causes):
        assert len({len(text.partition(".")[2]) for text in column}) == 1
    assert [tick.get_text() for tick in test.plot().get_yticklabels()][-1] == "2008-09-29"
    books = rk.stress.stress_test(
        pd.DataFrame([held, 2 * held], index=["one", "two"]), returns["2008-09-26":"2008-10-02"]
    )
    assert f"two {2 * float(amounts[0].replace(',', '')):,.0f}"[:7] in repr(books).splitlines()[2]
    assert "most" not in repr(rk.stress.stress_test([100.0], [[0.1]]))
    history = repr(rk.stress.historical_stress(held, returns)).splitlines()[3:-1]
    assert len({len(line.split()[-4].partition(".")[2]) for line in history}) == 1


def test_a_reverse_stress_prints_what_loses_most_and_counts_what_is_not_held(returns):
    covariance = sample_covariance(returns)
    held = pd.Series(0.0, index=returns.columns)
    held[["AAPL", "KO", "XOM"]] = 1_000.0, 5_000.0, -2_000.0
    answer = rk.stress.reverse_stress(held, 500.0, covariance)
    rows = [line.split() for line in repr(answer).splitlines() if line.startswith("- ")]
    assert [row[1] for row in rows[:3]] == answer.contributions[["AAPL", "KO", "XOM"]].sort_values()[
        ::-1
    ].index.tolist()
    assert (
        len(rows) == 4
        and rows[3][1:4] == [str(returns.shape[1] - 3), "without", "position"]
        and "loses 0" not in repr(answer)
    )
    assert answer.contributions.sum() == pytest.approx(500.0)


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (1.0, "6.3 periods"),  # one standard deviation of one asset: one in 6.3
        (3.0, "741 periods"),
        (5.0, "3.49 million periods"),
        (9.0, "over a billion periods"),
        (50.0, "over a billion periods"),  # its probability is below every float
    ],
)
def test_return_periods_are_said_as_one_says_them(loss, words):
    line = next(
        line for line in repr(rk.stress.reverse_stress([1.0], loss, [[1.0]])).splitlines() if "expected once" in line
    )
    assert line.endswith(words)


def test_factor_scenarios_take_the_loadings_as_they_are_estimated(returns):
    fit = rk.stress.factor_loadings(returns[["AAPL", "JPM"]], returns[["KO", "XOM"]])
    moves = rk.stress.shock_scenarios({"fall": {"KO": -0.1}, "oil": {"XOM": 0.2}}, ["XOM", "KO"])
    pd.testing.assert_frame_equal(
        rk.stress.factor_scenarios(fit, moves), rk.stress.factor_scenarios(fit.loadings, moves)
    )
    assert rk.stress.factor_scenarios(fit, moves).loc["fall", "AAPL"] == pytest.approx(
        -0.1 * fit.loadings.loc["AAPL", "KO"]
    )
    with pytest.raises(InputError, match="^loadings holds 'KO'"):
        rk.stress.factor_scenarios(fit, moves[["XOM"]])
    with pytest.raises(InputError, match="^loadings"):
        rk.stress.factor_scenarios("beta", moves)


# What does not fit


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rk.stress.episodes(pd.Series([1.0, 2.0])), "no dates, so named episodes cannot be found"),
        (lambda: rk.stress.episodes([1.0, 2.0]), "prices has no dates"),
        (lambda: rk.stress.episodes(windows=["Tulips 1637"]), "windows names 'Tulips 1637', which is not one of"),
        (lambda: rk.stress.episodes(windows={"x": "2020"}), "give \\(start, end\\)"),
        (lambda: rk.stress.episodes(windows={}), "windows is empty"),
        (lambda: rk.stress.episodes(windows={"x": ("2020-03-23", "2020-02-19")}), "start must be before its end"),
        (lambda: rk.stress.episodes(windows={"x": ("1980-01-01", "1980-02-01")}), "but the rows from 1990-01-02"),
        (lambda: rk.stress.episodes(windows={"x": ("noon", "2020-01-01")}), "does not fit the labels"),
        (
            lambda: rk.stress.historical_stress([1.0], [[0.1], [0.2]], {"x": (1, 5)}),
            "leave it out or give more history",
        ),
        (lambda: rk.stress.historical_stress([1.0], [[0.1], [math.nan]], {"x": (0, 1)}), "are missing in window 'x'"),
        (lambda: rk.stress.historical_stress([1.0, 2.0], [[0.1], [0.2]], {"x": (0, 1)}), "positions has shape"),
        (lambda: rk.stress.historical_stress(lambda m: m), "give the returns in which to value it"),
        (
            lambda: rk.stress.historical_stress(pd.Series([1.0, 2.0], index=[1, 0]), windows={"x": (0, 1)}),
            "not in order of time",
        ),
        (
            lambda: rk.stress.historical_stress(
                pd.Series({"A": 1.0}), pd.DataFrame({"A": [0.1, 0.2]}), {"x": (0, 1)}, proxies={"A": "Z"}
            ),
            "proxies has 'Z' for 'A'",
        ),
        (
            lambda: rk.stress.historical_stress(
                pd.Series({"A": 1.0}), pd.DataFrame({"A": [0.1, 0.2]}), {"x": (0, 1)}, additive=["Z"]
            ),
            "additive names 'Z'",
        ),
        (lambda: rk.stress.historical_scenarios([[0.1], [math.inf]], {"x": (0, 1)}), "returns in window 'x' holds inf"),
        (lambda: rk.stress.shock_scenarios({}), "shocks is empty"),
        (lambda: rk.stress.shock_scenarios({"x": {}}), "give {factor: move}"),
        (lambda: rk.stress.shock_scenarios({"x": {"A": math.nan}}), "is not finite"),
        (
            lambda: rk.stress.shock_scenarios({"x": {"A": 0.1}}, ["B"]),
            "moves 'A' in 'x', which is not one of the factors",
        ),
        (lambda: rk.stress.shock_scenarios({"x": {"A": 0.1}}, others="expected"), "needs the covariance"),
        (lambda: rk.stress.shock_scenarios({"x": {"A": 0.1}}, others="all"), "others='all' is not one of"),
        (lambda: rk.stress.factor_scenarios([[1.0, 2.0]], [[0.1]]), "loadings has 2 columns for 1 factors"),
        (lambda: rk.stress.factor_scenarios([[1.0]], [[0.1]], specific_moves=[[0.1, 0.2]]), "specific_moves has shape"),
        (lambda: rk.stress.factor_loadings([0.1, 0.2, 0.3], [1.0, 1.0, 1.0]), "constant or combinations"),
        (lambda: rk.stress.factor_loadings([0.1], [1.0]), "1 observation for 2 coefficients"),
        (lambda: rk.stress.factor_loadings([0.1, 0.2], [1.0, 2.0, 3.0]), "returns has 2 rows and factors 3"),
        (lambda: rk.stress.scale_scenarios([0.1, 0.2]), "give one of volatility_multiplier"),
        (lambda: rk.stress.scale_scenarios([0.1, 0.1], target_volatility=0.1), "0.1 for returns, which has no"),
        (lambda: rk.stress.scale_scenarios([[0.1, 1], [0.2, 1]], target_volatility=0.1), "0.1 for series 1, which has"),
        (lambda: rk.stress.scale_scenarios([0.1, 0.2], volatility_multiplier=-1.0), "volatility_multiplier=-1.0"),
        (
            lambda: rk.stress.scale_scenarios([[0.1, 0.2]], volatility_multiplier=[1.0]),
            "volatility_multiplier has shape",
        ),
        (lambda: rk.stress.stress_test([1.0, 2.0], [[0.1]]), "positions has shape"),
        (lambda: rk.stress.stress_test([1.0], [[0.1]], total="firm"), "give the hierarchy too"),
        (
            lambda: rk.stress.stress_covariance([[1.0, 2.0], [2.0, 1.0]], toward=2.0),
            "toward=2.0 is not between -1 and 1",
        ),
        (lambda: rk.stress.stress_covariance(np.eye(3), toward=-0.9), "3 assets cannot all have this correlation"),
        (lambda: rk.stress.stress_covariance(np.eye(2), toward=0.5, strength=1.5), "strength=1.5 is above 1"),
        (lambda: rk.stress.stress_covariance(np.eye(2), toward=np.eye(3)), "toward has shape"),
        (lambda: rk.stress.stress_covariance(np.eye(2), pairs={(0, 5): 0.5}), "5 is not one of the assets"),
        (lambda: rk.stress.stress_covariance(np.eye(2), pairs={(0, 0): 0.5}), "with itself"),
        (
            lambda: rk.stress.stress_covariance(np.eye(2), volatility_multiplier=0.0),
            "volatility_multiplier=0.0 is not above zero",
        ),
        (
            lambda: rk.stress.stress_covariance(np.eye(2), volatility_multiplier=[1.0]),
            "volatility_multiplier has shape",
        ),
        (lambda: rk.stress.stress_covariance(np.zeros((2, 2))), "variance 0"),
        (lambda: rk.stress.mahalanobis_distance([0.1], [[0.0]]), "no factor moves"),
        (lambda: rk.stress.mahalanobis_distance([0.1, 0.1], [[1.0, 2.0], [2.0, 1.0]]), "below zero"),
        (lambda: rk.stress.mahalanobis_distance([0.1], np.eye(2)), "scenarios has shape"),
        (lambda: rk.stress.plausibility([[0.1]], [[1.0]], df=2.0), "df=2.0 is not above 2"),
        (lambda: rk.stress.reverse_stress([1.0], -1.0, [[1.0]]), "loss=-1.0 is not above zero"),
        (
            lambda: rk.stress.reverse_stress([1.0], 1.0, [[1.0]], mean=[-2.0]),
            "is not above 2, the loss in the mean",
        ),
        (lambda: rk.stress.reverse_stress([0.0], 1.0, [[1.0]]), "no risk"),
        (lambda: rk.stress.reverse_stress([1.0, math.nan], 1.0, np.eye(2)), "positions holds nan"),
        (lambda: rk.stress.reverse_stress(np.ones((2, 2)), 1.0, np.eye(2)), "one book at a time"),
        (lambda: rk.stress.reverse_stress(DeltaGamma([0.0], [0.0]), 1.0, [[1.0]]), "at most"),
        (lambda: rk.stress.reverse_stress_pnl([1.0, 1.0], [0.1, 0.2], 5.0), "pnl is constant"),
        (lambda: rk.stress.reverse_stress_pnl([1.0, -1.0], [0.1, 0.2, 0.3], 5.0), "pnl has 2 rows and factors 3"),
        (lambda: rk.stress.reverse_stress_pnl([-9.0, -1.0], [0.1, 0.2], 5.0), "not above 5, the mean loss"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(call, message):
    with pytest.raises(InputError, match=message):
        call()
