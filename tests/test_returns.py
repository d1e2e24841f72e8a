import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive import returns as naive

import riskkit as rk
from riskkit._check import InputError

DATES = pd.date_range("2024-01-01", periods=4)
PRICES = np.array([[100.0, 50.0], [110.0, 45.0], [99.0, 54.0], [103.95, 54.0]])


def ar1(rho, n, seed=1):
    noise = np.random.default_rng(seed).standard_normal(n)
    out = np.empty(n)
    last = 0.0
    for i in range(n):
        last = out[i] = rho * last + noise[i]
    return 0.01 * out


def test_simple_and_log_returns():
    simple, log = rk.returns.simple_returns(PRICES), rk.returns.log_returns(PRICES)
    for column in range(2):
        np.testing.assert_allclose(simple[:, column], naive.simple_returns(PRICES[:, column]), rtol=1e-15)
    np.testing.assert_allclose(log.sum(axis=0), np.log(PRICES[-1] / PRICES[0]), rtol=1e-14)
    np.testing.assert_allclose(rk.returns.log_from_simple(simple), log, rtol=1e-13)
    np.testing.assert_allclose(rk.returns.simple_from_log(log), simple, rtol=1e-13)


def test_labels_come_back():
    frame = pd.DataFrame(PRICES, index=DATES, columns=["A", "B"])
    for function in (rk.returns.simple_returns, rk.returns.log_returns):
        out = function(frame)
        pd.testing.assert_index_equal(out.index, DATES[1:])
        assert list(out.columns) == ["A", "B"]
        assert function(frame["A"]).name == "A"
    assert rk.returns.horizon_returns(rk.returns.simple_returns(frame), 2).index.tolist() == DATES[2:].tolist()
    pd.testing.assert_index_equal(rk.returns.profit_and_loss(frame, [1, 2]).index, DATES[1:])
    assert isinstance(rk.returns.simple_returns(PRICES), np.ndarray)


@pytest.mark.parametrize("function", [rk.returns.simple_returns, rk.returns.log_returns])
@pytest.mark.parametrize(
    ("prices", "words"),
    [
        ([], "empty"),
        ([100.0], "at least 2"),
        ([100.0, np.nan], "nan at position 1"),
        ([100.0, np.inf], "inf"),
        ([100.0, 0.0], "above zero"),
        ([20.0, -37.63], "profit_and_loss"),
        (["a", "b"], "not a number"),
    ],
)
def test_prices_that_do_not_fit(function, prices, words):
    with pytest.raises(InputError, match=words):
        function(prices)


def test_constant_prices_return_nothing():
    assert rk.returns.simple_returns([5.0, 5.0, 5.0]).tolist() == [0.0, 0.0]
    assert rk.returns.log_returns([5.0, 5.0, 5.0]).tolist() == [0.0, 0.0]


def test_log_from_simple_refuses_a_total_loss():
    with pytest.raises(InputError, match="-1 or less"):
        rk.returns.log_from_simple([0.1, -1.0])


def test_profit_and_loss_with_a_negative_price():
    assert rk.returns.profit_and_loss([18.27, -37.63], 10, contract_multiplier=1000).tolist() == pytest.approx(
        [-559_000.0]
    )


def test_profit_and_loss_of_positions_that_change():
    prices = np.array([[10.0, 20.0], [11.0, 19.0], [12.0, 21.0]])
    held = np.array([[1.0, 2.0], [3.0, -4.0], [99.0, 99.0]])
    assert rk.returns.profit_and_loss(prices, held).tolist() == [[1.0, -2.0], [3.0, -8.0]]
    assert rk.returns.profit_and_loss(prices[:, 0], held[:, 0]).tolist() == [1.0, 3.0]


def test_profit_and_loss_aligns_labels():
    frame = pd.DataFrame({"A": [1.0, 2.0], "B": [10.0, 20.0]})
    out = rk.returns.profit_and_loss(frame, pd.Series({"B": 1.0, "A": 100.0}))
    assert out.to_dict("list") == {"A": [100.0], "B": [10.0]}
    with pytest.raises(InputError, match="same instruments"):
        rk.returns.profit_and_loss(frame, pd.Series({"B": 1.0, "C": 100.0}))
    with pytest.raises(InputError, match="one per instrument"):
        rk.returns.profit_and_loss(frame, [1.0, 2.0, 3.0])


@given(
    st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=30),
    st.integers(1, 30),
)
def test_horizon_returns_against_plain(returns, horizon):
    if horizon > len(returns):
        with pytest.raises(InputError, match="longer"):
            rk.returns.horizon_returns(returns, horizon)
        return
    ours = rk.returns.horizon_returns(returns, horizon)
    np.testing.assert_allclose(ours, naive.horizon_returns(returns, horizon), atol=1e-12)
    log = rk.returns.horizon_returns(rk.returns.log_from_simple(returns), horizon, log=True)
    np.testing.assert_allclose(np.expm1(log), ours, atol=1e-11)
    apart = rk.returns.horizon_returns(returns, horizon, overlapping=False)
    assert apart.tolist() == ours[::-1][::horizon][::-1].tolist()
    assert len(apart) == len(returns) // horizon


def test_horizon_returns_of_a_frame_work_by_column():
    data = np.random.default_rng(2).normal(0, 0.01, (20, 3))
    frame = rk.returns.horizon_returns(pd.DataFrame(data, columns=list("abc")), 5, overlapping=False)
    assert frame.index.tolist() == [4, 9, 14, 19]
    for i, name in enumerate("abc"):
        np.testing.assert_array_equal(frame[name], rk.returns.horizon_returns(data[:, i], 5, overlapping=False))


def test_scale_volatility_is_explicit_and_keeps_the_type():
    assert rk.returns.scale_volatility(0.01, 4) == 0.02
    assert type(rk.returns.scale_volatility(0.01, 4)) is float
    assert rk.returns.scale_volatility([0.01, 0.02], 4).tolist() == [0.02, 0.04]
    pd.testing.assert_series_equal(rk.returns.scale_volatility(pd.Series({"A": 0.01}), 4), pd.Series({"A": 0.02}))
    assert rk.returns.scale_volatility(0.0, 252) == 0.0
    for volatility, periods in ((-0.1, 4), (math.nan, 4), (0.1, 0), (0.1, math.inf)):
        with pytest.raises(InputError):
            rk.returns.scale_volatility(volatility, periods)


def test_scale_volatility_warns_when_the_returns_contradict_it():
    with pytest.warns(rk.returns.SqrtTimeWarning, match="understates the 10-period volatility"):
        scaled = rk.returns.scale_volatility(0.01, 10, returns=ar1(0.4, 2000))
    assert scaled == rk.returns.scale_volatility(0.01, 10)
    rk.returns.scale_volatility(0.01, 10, returns=ar1(0.0, 2000))  # a warning here would be an error


@pytest.mark.parametrize("horizon", [2, 5, 30])
@pytest.mark.parametrize("rho", [-0.3, 0.0, 0.3])
def test_variance_ratio_against_plain_and_arch(rho, horizon):
    unitroot = pytest.importorskip("arch.unitroot")
    returns = ar1(rho, 400)
    ours = rk.returns.sqrt_time_test(returns, horizon)
    ratio, z = naive.variance_ratio(returns.tolist(), horizon)
    assert ours.variance_ratio == pytest.approx(ratio, rel=1e-10)
    assert ours.z == pytest.approx(z, rel=1e-10)
    theirs = unitroot.VarianceRatio(np.r_[0.0, returns.cumsum()], horizon, robust=True, debiased=True)
    assert ours.variance_ratio == pytest.approx(theirs.vr, rel=1e-9)


def test_square_root_time_in_words():
    up = rk.returns.sqrt_time_test(ar1(0.3, 3000), 10)
    down = rk.returns.sqrt_time_test(ar1(-0.3, 3000), 10)
    flat = rk.returns.sqrt_time_test(ar1(0.0, 3000), 10)
    assert up.misleads and "understates the 10-period volatility" in up.sentence
    assert down.misleads and "overstates the 10-period volatility" in down.sentence
    assert not flat.misleads and "not contradicted" in flat.sentence
    assert up.volatility_ratio == pytest.approx(rk.returns.sqrt_time_ratio(0.3, 10), rel=0.1)
    assert "variance ratio" in repr(up)
    for check, word in ((up, "misleads"), (flat, "not contradicted")):
        lines = repr(check).splitlines()
        assert lines[0] == f"Square-root time over 10 periods: {word}" and max(map(len, lines)) <= 110
        assert check.sentence in " ".join(repr(check).split())
    assert "<table>" in up._repr_html_()
    assert bool(up.to_frame().loc[10, "misleads"]) is True


def test_the_size_of_the_test_is_its_level():
    rng = np.random.default_rng(5)
    rejected = [rk.returns.sqrt_time_test(rng.standard_t(5, 500), 5).misleads for _ in range(400)]
    assert 0.02 < np.mean(rejected) < 0.09


@pytest.mark.parametrize(
    ("returns", "words"),
    [
        ([0.0] * 20, "constant"),
        ([0.013] * 20, "constant"),
        ([0.1, 0.2, 0.3], "at least 4"),
        ([0.1, np.nan, 0.2, 0.1], "nan"),
        (np.ones((20, 2)), "one series at a time"),
    ],
)
def test_square_root_time_refuses(returns, words):
    with pytest.raises(InputError, match=words):
        rk.returns.sqrt_time_test(returns, 2)


@given(st.floats(-0.95, 0.95), st.integers(1, 40))
def test_ar1_ratio_against_the_double_sum(rho, h):
    assert rk.returns.sqrt_time_ratio(rho, h) == pytest.approx(naive.ar1_volatility_ratio(rho, h), rel=1e-9)


def test_ar1_ratio_edges():
    assert rk.returns.sqrt_time_ratio(0.9, 1) == 1.0
    assert rk.returns.sqrt_time_ratio(0.0, 250) == 1.0
    for rho in (1.0, -1.0, math.nan):
        with pytest.raises(InputError):
            rk.returns.sqrt_time_ratio(rho, 10)
    with pytest.raises(InputError, match="integer"):
        rk.returns.sqrt_time_ratio(0.1, 2.5)


def test_loss_from_log_quantile():
    assert rk.returns.loss_from_log_quantile(100.0, 0.0, 2.33) == 0.0
    assert rk.returns.loss_from_log_quantile(100.0, 50.0, 2.33) == pytest.approx(100.0), "never more than the value"
    small = rk.returns.loss_from_log_quantile(100.0, 1e-12, 1.0)
    assert small == pytest.approx(1e-10, rel=1e-9), "no digits lost at small volatilities"
    with pytest.raises(InputError):
        rk.returns.loss_from_log_quantile(100.0, -0.2, 2.33)


def test_a_log_return_whose_exponential_overflows_is_refused():
    with pytest.raises(InputError, match="beyond 709"):
        rk.returns.simple_from_log([0.1, 710.0])


def flags_by_loops(prices, stale, size, window):
    """Jumps and stale prices of one series without gaps, from the definitions."""
    found, run = [], 0
    moves = [(i, math.log(b / a)) for i, (a, b) in enumerate(zip(prices[:-1], prices[1:], strict=True), 1) if a != b]
    for k in range(window, len(moves)):
        before = [abs(move) for _, move in moves[k - window : k]]
        pairs = [a * b for a, b in zip(before[:-1], before[1:], strict=True)]
        scaled = moves[k][1] / math.sqrt(0.5 * math.pi * sum(pairs) / len(pairs))
        if abs(scaled) >= size:
            found.append((moves[k][0], "jump", pytest.approx(scaled)))
    for i in range(1, len(prices) + 1):
        if i < len(prices) and prices[i] == prices[i - 1]:
            run += 1
        else:
            found += [(i - run, "stale", run)] if run >= stale else []
            run = 0
    return sorted(found, key=lambda row: row[0])


@given(seed=st.integers(0, 200), power=st.integers(-6, 6))
def test_flags_against_loops_in_any_unit(seed, power):
    rng = np.random.default_rng(seed)
    moves = 0.01 * rng.standard_t(3, 150) * (rng.random(150) < 0.7)
    prices = np.round(100.0 * np.exp(np.cumsum(moves)), 6)
    table = rk.returns.price_flags(prices * 2.0**power, stale_periods=3, jump_size=4.0, jump_window=20)
    told = [(a, flag, n if flag == "stale" else size) for _, flag, a, _, n, size in table.itertuples(index=False)]
    assert told == flags_by_loops(prices.tolist(), 3, 4.0, 20)


def test_flags_name_gaps_later_listings_and_dates():
    frame = pd.DataFrame({"A": [1.0, math.nan, 1.1, 1.2], "NEW": [math.nan, math.nan, 5.0, 5.0]}, DATES)
    table = rk.returns.price_flags(frame, stale_periods=1)
    assert table[["series", "flag", "n_periods"]].to_numpy().tolist() == [
        ["A", "gap", 1],
        ["NEW", "gap", 2],
        ["NEW", "stale", 1],
    ]
    assert table["first"].tolist() == [DATES[1], DATES[0], DATES[3]]
