import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import pnl as naive

from riskkit import stress_test
from riskkit._check import InputError
from riskkit.pnl import DeltaGamma, aggregate, full_revaluation, scenario
from riskkit.pnl import linear as linear_pnl

RNG = np.random.default_rng(11)
MOVES = RNG.normal(0, 0.02, (6, 3))
DATES = pd.date_range("2024-01-01", periods=6)
FRAME = pd.DataFrame(MOVES, index=DATES, columns=["A", "B", "C"])
TREE = {"firm": {"rates": ["swaps", "bonds"], "macro": {"fx": ["spot", "forwards"], "em": ["em book"]}}}
BOOKS = ["swaps", "bonds", "spot", "forwards", "em book"]


def test_linear_pnl_against_plain():
    positions = [100.0, -50.0, 20.0]
    np.testing.assert_allclose(linear_pnl(positions, MOVES), naive.linear(positions, MOVES), rtol=1e-13)
    both = linear_pnl([positions, [1.0, 2.0, 3.0]], MOVES)
    assert both.shape == (6, 2)
    np.testing.assert_allclose(both[:, 1], naive.linear([1.0, 2.0, 3.0], MOVES), rtol=1e-13)
    np.testing.assert_allclose(linear_pnl([100.0], MOVES[:, 0]), 100.0 * MOVES[:, 0])


def test_linear_pnl_matches_assets_by_name():
    plain = linear_pnl([100.0, 0.0, 20.0], MOVES)
    series = linear_pnl(pd.Series({"C": 20.0, "A": 100.0}), FRAME)
    pd.testing.assert_series_equal(series, pd.Series(plain, index=DATES))
    books = pd.DataFrame({"B": [1.0, 0.0], "A": [0.0, 2.0]}, index=["one", "two"])
    out = linear_pnl(books, FRAME)
    assert list(out.columns) == ["one", "two"]
    np.testing.assert_array_equal(out["one"], MOVES[:, 1])


@pytest.mark.parametrize(
    ("positions", "returns", "words"),
    [
        ([1.0, 2.0], MOVES, "one asset per column"),
        ([1.0, np.nan, 2.0], MOVES, "nan at position 1"),
        ([1.0, 2.0, 3.0], np.where(MOVES == MOVES[2, 1], np.inf, MOVES), r"inf at position \(2, 1\)"),
        ([], MOVES, "empty"),
        (pd.Series({"A": 1.0, "Z": 2.0}), FRAME, "'Z', for which there are no scenarios"),
        (pd.Series([1.0, 2.0], index=["A", "A"]), FRAME, "twice"),
    ],
)
def test_linear_pnl_refuses(positions, returns, words):
    with pytest.raises(InputError, match=words):
        linear_pnl(positions, returns)


def test_one_scenario():
    assert linear_pnl([100.0, 50.0], [[0.01, 0.02]]).tolist() == [2.0]


def test_delta_gamma_against_plain():
    delta, gamma = RNG.normal(0, 100, 3), RNG.normal(0, 500, (3, 3))
    full = DeltaGamma(delta, gamma, theta=-3.0)
    np.testing.assert_allclose(full.pnl(MOVES), naive.delta_gamma(delta, gamma, -3.0, MOVES), rtol=1e-12)
    diagonal = DeltaGamma(delta, np.diag(gamma))
    np.testing.assert_allclose(
        diagonal.pnl(MOVES), naive.delta_gamma(delta, np.diag(np.diag(gamma)), 0.0, MOVES), rtol=1e-12
    )


def test_delta_gamma_approaches_black_scholes():
    def normal_cdf(x):
        return 0.5 * math.erfc(-x / math.sqrt(2))

    def call(spot, strike=100.0, vol=0.2, years=0.5):
        d1 = (math.log(spot / strike) + 0.5 * vol**2 * years) / (vol * math.sqrt(years))
        return spot * normal_cdf(d1) - strike * normal_cdf(d1 - vol * math.sqrt(years))

    d1 = 0.5 * 0.2 * math.sqrt(0.5)
    density = math.exp(-0.5 * d1**2) / math.sqrt(2 * math.pi)
    book = DeltaGamma([100.0 * normal_cdf(d1)], [100.0**2 * density / (100.0 * 0.2 * math.sqrt(0.5))])
    moves = np.linspace(-0.02, 0.02, 9)[:, None]
    full = full_revaluation(lambda x: [call(100.0 * (1 + move)) for (move,) in x], moves, value_today=call(100.0))
    delta_only = np.abs(full - 100.0 * normal_cdf(d1) * moves[:, 0]).max()
    delta_gamma = np.abs(full - book.pnl(moves)).max()
    assert delta_only > 0.05
    assert delta_gamma < 0.1 * delta_only, "gamma explains nearly all that delta leaves"


def test_delta_gamma_matches_factors_by_name():
    delta = pd.Series({"A": 10.0, "C": -5.0})
    gamma = pd.DataFrame([[100.0, 7.0], [7.0, 50.0]], index=["A", "C"], columns=["A", "C"])
    out = DeltaGamma(delta, gamma).pnl(FRAME)
    pd.testing.assert_index_equal(out.index, DATES)
    np.testing.assert_allclose(out, DeltaGamma(delta.to_numpy(), gamma.to_numpy()).pnl(MOVES[:, [0, 2]]))
    series = DeltaGamma(delta, pd.Series({"A": 100.0, "C": 50.0})).pnl(FRAME)
    np.testing.assert_allclose(series, DeltaGamma([10.0, -5.0], [100.0, 50.0]).pnl(MOVES[:, [0, 2]]))


@pytest.mark.parametrize(
    ("delta", "gamma", "words"),
    [
        ([1.0, 2.0], [1.0], "gamma has shape"),
        ([1.0, 2.0], [[1.0, 2.0]], "gamma has shape"),
        ([1.0, math.inf], [1.0, 2.0], "delta holds inf"),
        ([1.0], [math.nan], "gamma holds nan"),
        (pd.Series({"A": 1.0}), pd.Series({"B": 1.0}), "labelled differently"),
    ],
)
def test_delta_gamma_refuses(delta, gamma, words):
    with pytest.raises(InputError, match=words):
        DeltaGamma(delta, gamma)


def test_delta_gamma_refuses_other_factors_and_shows():
    book = DeltaGamma([1.0, 2.0], [1.0, 2.0])
    with pytest.raises(InputError, match="3 factors and the book 2"):
        book.pnl(MOVES)
    with pytest.raises(InputError, match="no scenarios"):
        DeltaGamma(pd.Series({"Z": 1.0}), [1.0]).pnl(FRAME)
    assert "diagonal" in repr(book)
    with pytest.raises(InputError, match="theta"):
        DeltaGamma([1.0], [1.0], theta=math.nan)


def test_revalued_pnl():
    def values(moves):
        return 100.0 + np.asarray(moves).sum(axis=1)

    out = full_revaluation(values, FRAME, value_today=100.0)
    pd.testing.assert_index_equal(out.index, DATES)
    np.testing.assert_allclose(out, MOVES.sum(axis=1), atol=1e-13)
    books = full_revaluation(lambda frame: frame[["A", "B"]] * 2.0, FRAME)
    assert list(books.columns) == ["A", "B"]
    with pytest.raises(InputError, match="one row for each"):
        full_revaluation(lambda moves: [1.0, 2.0], MOVES)
    with pytest.raises(InputError, match=r"revalue\(scenarios\) holds nan"):
        full_revaluation(lambda moves: np.full(6, np.nan), MOVES)


def test_scenario_pnl_takes_every_form():
    positions = np.array([100.0, -50.0, 20.0])
    linear = linear_pnl(positions, MOVES)
    np.testing.assert_array_equal(scenario(positions, MOVES), linear)
    np.testing.assert_allclose(scenario(DeltaGamma(positions, np.zeros(3)), MOVES), linear)
    np.testing.assert_allclose(scenario(lambda moves: moves @ positions, MOVES), linear)
    np.testing.assert_array_equal(scenario(linear), linear)
    pd.testing.assert_frame_equal(scenario(FRAME), FRAME)
    for book in (DeltaGamma([1.0], [1.0]), lambda moves: moves):
        with pytest.raises(InputError, match="give the scenarios"):
            scenario(book)
    with pytest.raises(InputError, match="nan"):
        scenario([1.0, math.nan])


def test_aggregate_sums_every_node_from_its_books():
    cents = pd.DataFrame(RNG.integers(-(10**12), 10**12, (7, 5)), columns=BOOKS)
    out = aggregate(cents, TREE, total="group")
    assert list(out.columns) == [
        "group",
        "firm",
        "rates",
        "swaps",
        "bonds",
        "macro",
        "fx",
        "spot",
        "forwards",
        "em",
        "em book",
    ]
    assert out.dtypes.unique().tolist() == [np.dtype("int64")]
    for node, below in (("firm", TREE), ("rates", TREE["firm"]["rates"]), ("macro", TREE["firm"]["macro"])):
        assert out[node].tolist() == [
            sum(int(row[book]) for book in naive.leaves(below)) for _, row in cents.iterrows()
        ]
    assert (out["group"] == out["firm"]).all()


@settings(max_examples=50)
@given(st.lists(st.lists(st.floats(-1e9, 1e9), min_size=5, max_size=5), min_size=1, max_size=4))
def test_aggregate_of_floats_is_the_sum_of_the_children_bit_for_bit(rows):
    out = aggregate(pd.DataFrame(rows, columns=BOOKS), TREE)
    assert (out["firm"] == out["rates"] + out["macro"]).all()
    assert (out["macro"] == out["fx"] + out["em"]).all()
    assert (out["fx"] == out["spot"] + out["forwards"]).all()
    for row, firm in zip(rows, out["firm"], strict=True):
        exact = sum(map(Fraction, row))
        assert abs(Fraction(firm) - exact) <= 1e-15 * 5 * sum(abs(Fraction(x)) for x in row)


def test_aggregate_by_multiindex_allows_the_same_name_on_two_desks():
    columns = pd.MultiIndex.from_tuples(
        [("firm", "rates", "hedges"), ("firm", "fx", "hedges"), ("firm", "rates", "swaps")],
        names=["firm", "desk", "book"],
    )
    out = aggregate(pd.DataFrame([[1, 2, 3]], columns=columns, index=["today"]))
    assert {name: out[name].iloc[0] for name in out.columns} == {
        ("firm", "", ""): 6,
        ("firm", "rates", ""): 4,
        ("firm", "rates", "hedges"): 1,
        ("firm", "rates", "swaps"): 3,
        ("firm", "fx", ""): 2,
        ("firm", "fx", "hedges"): 2,
    }
    assert out.columns.names == ["firm", "desk", "book"]
    two = columns.set_levels(["firm"], level=0).droplevel(0)
    total = aggregate(pd.DataFrame([[1.0, 2.0, 3.0]], columns=two), total="all")
    assert total[("all", "")].tolist() == [6.0]


def test_aggregate_of_one_scenario_is_a_series():
    out = aggregate(pd.Series([1, 2, 3, 4, 5], index=BOOKS, name="1987"), TREE)
    assert (out["firm"], out["rates"], out["macro"], out.name) == (15, 3, 12, "1987")


@pytest.mark.parametrize(
    ("pnl", "tree", "words"),
    [
        (np.ones((2, 2)), {"firm": ["a"]}, "no labels"),
        (pd.DataFrame({"a": [1.0]}), None, "give the hierarchy once"),
        (pd.DataFrame({"a": [1.0]}), {"firm": ["a", "b"]}, "books without P&L: 'b'"),
        (pd.DataFrame({"a": [1.0], "b": [1.0]}), {"firm": ["a"]}, "not in the hierarchy: 'b'"),
        (pd.DataFrame({"a": [1.0]}), {"firm": ["a"], "other": ["a"]}, "names a node twice: 'a'"),
        (pd.DataFrame({"a": [1.0]}), {"a": ["a"]}, "names a node twice: 'a'"),
        (pd.DataFrame([[1.0, 2.0]], columns=["a", "a"]), {"firm": ["a"]}, "names a book twice"),
        (pd.DataFrame({"a": [1.0]}), {"firm": "a"}, "list of books"),
        (pd.DataFrame({"a": [math.nan]}), {"firm": ["a"]}, "nan"),
        (pd.DataFrame({"a": [2**62], "b": [2**62]}), {"firm": ["a", "b"]}, "64 bits"),
        (pd.DataFrame(), {"firm": []}, "empty"),
        (pd.DataFrame({"a": [1.0]}), {"firm": ["a"], "desk": []}, "books without P&L: 'desk'"),
    ],
)
def test_aggregate_refuses(pnl, tree, words):
    with pytest.raises(InputError, match=words):
        aggregate(pnl, tree)


def test_aggregate_refuses_a_total_that_is_a_node():
    with pytest.raises(InputError, match="twice: 'firm'"):
        aggregate(pd.DataFrame({"a": [1.0]}), {"firm": ["a"]}, total="firm")


@pytest.mark.parametrize("call", [linear_pnl, stress_test, scenario])
def test_prices_are_no_moves_of_positions(call):
    prices = 100.0 * np.cumprod(1.0 + 0.01 * np.random.default_rng(3).standard_normal((60, 2)), axis=0)
    with pytest.raises(InputError, match=r"returns looks like prices, .* give simple_returns\(returns\)"):
        call([1.0, 2.0], prices)
