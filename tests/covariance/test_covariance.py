import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import covariance as naive

import riskkit as rk
from riskkit._check import InputError

RETURNS = np.random.default_rng(7).normal(0, 0.01, (120, 4)) @ np.array(
    [[1.0, 0.3, 0.0, 0.1], [0.0, 1.0, 0.5, 0.2], [0.0, 0.0, 1.0, -0.4], [0.0, 0.0, 0.0, 2.0]]
)
DAYS = pd.date_range("2020-01-01", periods=120, freq="D")
FRAME = pd.DataFrame(RETURNS, index=DAYS, columns=list("ABCD"))
STARTS = ["backcast", "first_square", "sample", "zero"]
BAD = [
    ([], "empty"),
    ([[0.1, np.nan], [0.1, 0.2]], "nan"),
    ([[0.1, np.inf], [0.1, 0.2]], "inf"),
]


def products(i, j):
    return [row[i] * row[j] for row in RETURNS.tolist()]


# sample


@pytest.mark.parametrize("ddof", [0, 1])
@pytest.mark.parametrize("mean", ["sample", "zero"])
def test_sample_covariance_against_plain(ddof, mean):
    ours = rk.covariance.sample_covariance(RETURNS, ddof=ddof, mean=mean)
    np.testing.assert_allclose(ours, naive.covariance(RETURNS.tolist(), ddof, mean == "zero"), rtol=1e-11)
    np.testing.assert_array_equal(ours, ours.T)
    volatility = rk.covariance.sample_volatility(RETURNS, ddof=ddof, mean=mean)
    np.testing.assert_allclose(volatility, np.sqrt(np.diag(ours)), rtol=1e-13)
    assert rk.covariance.sample_volatility(RETURNS[:, 0], ddof=ddof, mean=mean) == pytest.approx(
        volatility[0], rel=1e-13
    )


def test_sample_covariance_labels_and_edges():
    frame = rk.covariance.sample_covariance(FRAME)
    assert list(frame.index) == list(frame.columns) == list("ABCD")
    assert list(rk.covariance.sample_volatility(FRAME).index) == list("ABCD")
    assert type(rk.covariance.sample_volatility(RETURNS[:, 0])) is float
    assert rk.covariance.sample_covariance(np.full((5, 2), 0.1)).tolist() == [[0.0, 0.0], [0.0, 0.0]], (
        "constant returns"
    )
    assert rk.covariance.sample_covariance([[0.1, 0.2]], ddof=0).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    with pytest.raises(InputError, match="ddof=1 needs at least 2"):
        rk.covariance.sample_covariance([[0.1, 0.2]])
    with pytest.raises(InputError, match="one series has a volatility"):
        rk.covariance.sample_covariance([0.1, 0.2])
    with pytest.raises(InputError, match="'sample', 'zero'"):
        rk.covariance.sample_covariance(RETURNS, mean="median")


@pytest.mark.parametrize(("returns", "words"), BAD)
@pytest.mark.parametrize(
    "function",
    [
        rk.covariance.sample_covariance,
        rk.covariance.sample_volatility,
        rk.covariance.ewma_covariance,
        rk.covariance.ewma_variance,
        rk.covariance.ewma_volatility,
        rk.covariance.riskmetrics2006,
        rk.covariance.shrunk_covariance,
    ],
)
def test_bad_returns_are_refused(function, returns, words):
    with pytest.raises(InputError, match=words):
        function(returns)


# stressed


def test_stressed_covariance_is_that_of_the_window():
    window = FRAME.loc["2020-02-20":"2020-03-31"]
    pd.testing.assert_frame_equal(
        rk.covariance.stressed_sample(FRAME, "2020-02-20", "2020-03-31"), rk.covariance.sample_covariance(window)
    )
    np.testing.assert_array_equal(
        rk.covariance.stressed_sample(RETURNS, 50, 90), rk.covariance.sample_covariance(RETURNS[50:91])
    )
    whole = rk.covariance.stressed_sample(FRAME, DAYS[0], DAYS[-1], ddof=0, mean="zero")
    pd.testing.assert_frame_equal(whole, rk.covariance.sample_covariance(FRAME, ddof=0, mean="zero"))


def test_march_2020_was_stressed():
    from riskkit.datasets import load_stocks
    from riskkit.returns import simple_returns

    returns = simple_returns(load_stocks())
    stressed = rk.covariance.stressed_sample(returns, "2020-02-20", "2020-03-31")
    calm = rk.covariance.stressed_sample(returns, "2017-01-01", "2017-12-31")
    assert list(stressed.columns) == list(returns.columns)
    assert (np.diag(stressed) > 3 * np.diag(calm)).all()
    mean_correlation = [np.tril(rk.covariance.correlation_from_covariance(m), -1).sum() / 190 for m in (stressed, calm)]
    assert mean_correlation[0] > 2 * mean_correlation[1]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2020-03-03", "2020-03-03"),
        ("2020-03-09", "2020-03-03"),
        ("2019-03-01", "2020-02-03"),
        ("2020-03-03", "2021-01-01"),
        ("March", "2020-04-01"),
    ],
)
def test_stressed_covariance_refuses_other_windows(start, end):
    with pytest.raises(InputError, match="start="):
        rk.covariance.stressed_sample(FRAME, start, end)


def test_stressed_covariance_of_an_array_by_row_numbers():
    with pytest.raises(InputError, match="extends outside"):
        rk.covariance.stressed_sample(RETURNS, 100, 120)
    with pytest.raises(InputError, match="not a number"):
        rk.covariance.stressed_sample(RETURNS, "2020-01-01", "2020-02-01")


# correlation


def test_correlation_and_back():
    covariance = rk.covariance.sample_covariance(FRAME)
    correlation = rk.covariance.correlation_from_covariance(covariance)
    np.testing.assert_allclose(correlation, np.corrcoef(RETURNS.T), rtol=1e-12)
    assert (np.diag(correlation) == 1.0).all()
    assert list(correlation.columns) == list("ABCD")
    back = rk.covariance.covariance_from_correlation(correlation, rk.covariance.sample_volatility(FRAME)[::-1])
    pd.testing.assert_frame_equal(back, covariance)


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        ([[1.0, 0.2], [0.3, 1.0]], "not symmetric"),
        ([[1.0, 0.2]], "as many rows as columns"),
        ([[0.0, 0.0], [0.0, 1.0]], "asset 0 the variance 0"),
        (pd.DataFrame([[1.0, 0.0], [0.0, -1.0]], columns=["A", "B"]), "asset 'B' the variance -1"),
        ([[1.0, np.nan], [np.nan, 1.0]], "nan"),
    ],
)
def test_correlation_refuses(matrix, words):
    with pytest.raises(InputError, match=words):
        rk.covariance.correlation_from_covariance(matrix)


def test_covariance_from_correlation_refuses():
    for correlation, volatilities, words in (
        ([[1.0, 0.5], [0.5, 1.0]], [0.1], "1 entries for 2 assets"),
        ([[1.0, 0.5], [0.5, 1.0]], [0.1, -0.1], "at least zero"),
        ([[0.9, 0.5], [0.5, 1.0]], [0.1, 0.1], "diagonal that is not 1"),
    ):
        with pytest.raises(InputError, match=words):
            rk.covariance.covariance_from_correlation(correlation, volatilities)
    with pytest.raises(InputError, match="same assets"):
        rk.covariance.covariance_from_correlation(
            pd.DataFrame(np.eye(2), index=list("AB"), columns=list("AB")), pd.Series({"A": 0.1, "C": 0.1})
        )
    assert rk.covariance.covariance_from_correlation(np.eye(2), [0.0, 0.1]).tolist()[0] == [0.0, 0.0]


# EWMA


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("decay", [0.5, 0.94, 0.97])
def test_ewma_against_plain(start, decay):
    path = rk.covariance.ewma_covariance_path(RETURNS, decay, start)
    for i in range(4):
        for j in range(4):
            np.testing.assert_allclose(
                path[:, i, j], naive.ewma_path(products(i, j), decay, start), atol=1e-17, rtol=1e-10
            )
    np.testing.assert_array_equal(path, path.transpose(0, 2, 1))
    variances = rk.covariance.ewma_variance(RETURNS, decay, start)
    np.testing.assert_allclose(variances, np.diagonal(path, axis1=1, axis2=2), rtol=1e-12)
    np.testing.assert_allclose(rk.covariance.ewma_variance(RETURNS[:, 1], decay, start), variances[:, 1], rtol=1e-14)
    volatility = rk.covariance.ewma_volatility(RETURNS, decay, start=start)
    np.testing.assert_array_equal(volatility, np.sqrt(variances[-1]))
    assert rk.covariance.ewma_volatility(RETURNS[:, 2], decay, start=start) == pytest.approx(volatility[2], rel=1e-14)
    closed = naive.ewma_weighted_sum(products(0, 1), decay, naive.start_variance(products(0, 1), decay, start))
    assert rk.covariance.ewma_covariance(RETURNS, decay, start)[0, 1] == pytest.approx(closed, rel=1e-10)


def test_ewma_first_square_starts_at_the_first_square():
    path = rk.covariance.ewma_variance(RETURNS[:, 0], 0.94, "first_square")
    assert path[0] == pytest.approx(RETURNS[0, 0] ** 2, rel=1e-15)
    assert rk.covariance.ewma_initial(RETURNS[:, 0], start="first_square") == RETURNS[0, 0] ** 2
    assert rk.covariance.ewma_initial(RETURNS[:, 0], start="zero") == 0.0
    assert rk.covariance.ewma_initial(FRAME, start="sample").tolist() == pytest.approx(
        (RETURNS**2).mean(axis=0).tolist()
    )
    assert rk.covariance.ewma_initial(RETURNS[:, 0], start=0.5) == 0.5


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 119), st.floats(0.05, 0.99), st.sampled_from(STARTS))
def test_ewma_in_any_pieces_is_the_same_to_the_last_bit(cut, decay, start):
    state = rk.covariance.EwmaCovariance.init(RETURNS, decay, start)
    whole = state.update_many(RETURNS)
    pieces = state.update_many(RETURNS[:cut]).update_many(RETURNS[cut:])
    np.testing.assert_array_equal(whole.covariance, pieces.covariance)
    assert whole.n_obs == pieces.n_obs == 120
    assert state.n_obs == 0, "a state never changes itself"


def test_ewma_step_stream_path_and_run_agree_to_the_last_bit():
    state = rk.covariance.EwmaCovariance.init(RETURNS)
    path = state.path(RETURNS)
    stepped = state
    for t, (row, streamed) in enumerate(zip(RETURNS, state.stream(RETURNS), strict=True)):
        stepped = stepped.update(row)
        np.testing.assert_array_equal(stepped.covariance, path[t])
        np.testing.assert_array_equal(streamed, path[t])
    np.testing.assert_array_equal(state.update_many(RETURNS).covariance, path[-1])
    with pytest.raises(ValueError, match="read-only"):
        streamed[0, 0] = 1.0


def test_ewma_correlation_update():
    """Hull, Options, Futures and Other Derivatives, EWMA correlation example: 0.6 becomes 0.6044."""
    state = rk.covariance.EwmaCovariance([[0.01**2, 0.6 * 0.01 * 0.02], [0.6 * 0.01 * 0.02, 0.02**2]], decay=0.95)
    after = state.update([0.005, 0.025])
    assert after.covariance == pytest.approx(np.array([[9.625e-5, 1.2025e-4], [1.2025e-4, 4.1125e-4]]))
    assert rk.covariance.correlation_from_covariance(after.covariance)[0, 1] == pytest.approx(0.6044, abs=5e-5)


def test_ewma_leaves_its_inputs_alone():
    returns, start = RETURNS.copy(), np.eye(4)
    rk.covariance.ewma_portfolio_variance(returns, RETURNS, 0.9, start)
    rk.covariance.ewma_covariance_path(returns, 0.9, start)
    rk.covariance.ewma_variance(returns, 0.9, np.ones(4))
    np.testing.assert_array_equal(returns, RETURNS)
    np.testing.assert_array_equal(start, np.eye(4))


@pytest.mark.parametrize("start", STARTS)
def test_portfolio_variance_is_that_of_the_path(start):
    weights = np.random.default_rng(3).normal(size=(120, 4))
    path = rk.covariance.ewma_covariance_path(RETURNS, 0.94, start)
    expected = [naive.portfolio_variance(path[t].tolist(), weights[t].tolist()) for t in range(120)]
    np.testing.assert_allclose(
        rk.covariance.ewma_portfolio_variance(RETURNS, weights, 0.94, start), expected, atol=1e-17, rtol=1e-9
    )
    fixed = [naive.portfolio_variance(path[t].tolist(), weights[0].tolist()) for t in range(120)]
    np.testing.assert_allclose(
        rk.covariance.ewma_portfolio_variance(RETURNS, weights[0], 0.94, start), fixed, atol=1e-17, rtol=1e-9
    )
    constant = np.tile(weights[0], (120, 1))
    np.testing.assert_allclose(
        rk.covariance.ewma_portfolio_variance(RETURNS, constant, 0.94, start), fixed, atol=1e-17, rtol=1e-9
    )


def test_ewma_labels():
    state = rk.covariance.EwmaCovariance.init(FRAME)
    assert list(state.update_many(FRAME).covariance.columns) == list("ABCD")
    assert list(state.volatility.index) == list("ABCD")
    pd.testing.assert_frame_equal(
        state.update_many(FRAME[list("DCBA")]).covariance, state.update_many(FRAME).covariance
    )
    pd.testing.assert_frame_equal(state.update(FRAME.iloc[0][::-1]).covariance, state.update(RETURNS[0]).covariance)
    path = rk.covariance.ewma_covariance_path(FRAME)
    np.testing.assert_array_equal(path.loc[DAYS[7]], rk.covariance.ewma_covariance_path(RETURNS)[7])
    assert list(path.columns) == list("ABCD")
    variance = rk.covariance.ewma_portfolio_variance(FRAME, pd.Series({"D": 4.0, "A": 1.0, "B": 2.0, "C": 3.0}))
    pd.testing.assert_index_equal(variance.index, DAYS)
    np.testing.assert_array_equal(variance, rk.covariance.ewma_portfolio_variance(RETURNS, [1.0, 2.0, 3.0, 4.0]))
    series = rk.covariance.ewma_variance(FRAME["B"])
    assert series.name == "B"
    pd.testing.assert_index_equal(series.index, DAYS)
    assert list(rk.covariance.ewma_volatility(FRAME, weighting="truncated").index) == list("ABCD")


def test_ewma_state_shows_itself():
    state = rk.covariance.EwmaCovariance.init(FRAME).update_many(FRAME)
    assert "decay" in repr(state) and "120" in repr(state)
    pd.testing.assert_frame_equal(state.to_frame(), state.covariance)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: rk.covariance.ewma_covariance(RETURNS, 1.0), "decay=1.0 is not between 0 and 1"),
        (lambda: rk.covariance.ewma_covariance(RETURNS, 0.0), "decay=0.0"),
        (lambda: rk.covariance.ewma_variance(RETURNS, 94), "decay=94"),
        (lambda: rk.covariance.ewma_volatility(RETURNS, -0.1, weighting="truncated"), "decay=-0.1"),
        (lambda: rk.covariance.ewma_volatility(RETURNS, weighting="plain"), "weighting='plain'"),
        (lambda: rk.covariance.ewma_covariance(RETURNS, 0.9, "today"), "start='today'"),
        (lambda: rk.covariance.ewma_covariance(RETURNS, 0.9, np.eye(3)), "one row per asset"),
        (lambda: rk.covariance.ewma_variance(RETURNS, 0.9, -1.0), "at least zero"),
        (lambda: rk.covariance.ewma_variance(RETURNS, 0.9, [1.0, 2.0]), "one per series"),
        (lambda: rk.covariance.EwmaCovariance([[1.0, 0.2], [0.3, 1.0]], 0.9), "not symmetric"),
        (lambda: rk.covariance.EwmaCovariance([[1.0]], 1.1), "decay=1.1"),
        (lambda: rk.covariance.EwmaCovariance.init(RETURNS).update([0.1, 0.2]), "row has 2 assets and the state 4"),
        (lambda: rk.covariance.EwmaCovariance.init(RETURNS).update_many(RETURNS[:, :2]), "returns has 2 assets"),
        (lambda: rk.covariance.EwmaCovariance.init(RETURNS).update([0.1, np.nan, 0.1, 0.1]), "nan"),
        (lambda: rk.covariance.EwmaCovariance.init(FRAME).update_many(FRAME.rename(columns={"A": "Z"})), "same assets"),
        (lambda: rk.covariance.ewma_portfolio_variance(RETURNS, [1.0, 2.0]), "one per asset"),
        (lambda: rk.covariance.ewma_portfolio_variance(FRAME, FRAME.shift(1, freq="D")), "of other periods"),
        (lambda: rk.covariance.ewma_initial(RETURNS, backcast_periods=0), "backcast_periods=0"),
    ],
)
def test_ewma_refuses(call, words):
    with pytest.raises(InputError, match=words):
        call()


def test_ewma_of_one_row_and_of_nothing_but_zeros():
    assert rk.covariance.ewma_covariance([[0.1, 0.2]], 0.9, "zero") == pytest.approx(
        np.array([[1e-3, 2e-3], [2e-3, 4e-3]])
    )
    assert rk.covariance.ewma_variance(np.zeros(5)).tolist() == [0.0] * 5
    assert rk.covariance.ewma_volatility(np.zeros(5), weighting="renormalized") == 0.0
    assert rk.covariance.ewma_covariance([0.1, 0.1], 0.9, "sample").shape == (1, 1), "one series is one asset"


def test_weightings_of_constant_squares():
    returns = [0.01, -0.01] * 10
    assert rk.covariance.ewma_volatility(returns, 0.94, weighting="renormalized") == pytest.approx(0.01)
    assert rk.covariance.ewma_volatility(returns, 0.94, weighting="truncated") == pytest.approx(
        0.01 * math.sqrt(1 - 0.94**20)
    )
    assert rk.covariance.ewma_volatility(returns, 0.94) == pytest.approx(0.01)


def test_effective_days():
    assert rk.covariance.effective_observations(0.5, 0.125) == pytest.approx(3.0)
    for decay, tolerance in ((1.0, 0.1), (0.94, 0.0), (0.94, 1.0), (0.94, math.nan)):
        with pytest.raises(InputError):
            rk.covariance.effective_observations(decay, tolerance)


# RiskMetrics 2006


@pytest.mark.parametrize("n_obs", [1, 5, 120])
def test_riskmetrics2006_against_plain(n_obs):
    ours = rk.covariance.riskmetrics2006(RETURNS[:n_obs])
    for i in range(4):
        for j in range(4):
            assert ours[i, j] == pytest.approx(naive.riskmetrics2006(products(i, j)[:n_obs]), rel=1e-10)
    assert rk.covariance.riskmetrics2006(RETURNS[:n_obs, 1]) == pytest.approx(ours[1, 1], rel=1e-12)


def test_riskmetrics2006_against_arch():
    univariate = pytest.importorskip("arch.univariate")
    returns = np.random.default_rng(2).standard_t(4, 2500) * 0.01
    model = univariate.ZeroMean(returns, volatility=univariate.RiskMetrics2006(), rescale=False)
    theirs = model.fit(disp="off").forecast(horizon=1).variance.iloc[-1, 0]
    assert rk.covariance.riskmetrics2006(returns) == pytest.approx(theirs, rel=1e-9)


def test_riskmetrics2006_labels_and_refusals():
    assert list(rk.covariance.riskmetrics2006(FRAME).index) == list("ABCD")
    for options in ({"rho": 1.0}, {"tau1": 2000.0}, {"kmax": 40}, {"kmax": 0}, {"tau0": 0.5}, {"tau1": -1.0}):
        with pytest.raises(InputError):
            rk.covariance.riskmetrics2006(RETURNS, **options)


# shrinkage


def test_ledoit_wolf_against_plain():
    pytest.importorskip("sklearn")
    for rows in (RETURNS, RETURNS[:6], RETURNS[:3]):
        matrix, share = naive.ledoit_wolf(rows.tolist())
        ours = rk.covariance.shrunk_covariance(rows)
        assert ours.shrinkage == pytest.approx(share, rel=1e-9)
        np.testing.assert_allclose(ours.covariance, matrix, rtol=1e-9)


def test_shrinkage_keeps_the_trace_and_makes_a_singular_sample_regular():
    pytest.importorskip("sklearn")
    few = FRAME.iloc[:3]
    for method in ("ledoit_wolf", "oas"):
        result = rk.covariance.shrunk_covariance(few, method)
        sample = rk.covariance.sample_covariance(few, ddof=0)
        assert np.trace(result.covariance) == pytest.approx(np.trace(sample))
        assert np.linalg.eigvalsh(sample)[0] < 1e-18 < np.linalg.eigvalsh(result.covariance)[0]
        assert list(result.covariance.columns) == list("ABCD")
        assert "shrinkage" in repr(result)
        target = np.trace(sample) / 4 * np.eye(4)
        np.testing.assert_allclose(
            result.covariance, (1 - result.shrinkage) * sample + result.shrinkage * target, rtol=1e-10
        )
    zero = rk.covariance.shrunk_covariance(few, mean="zero").covariance
    assert np.trace(zero) == pytest.approx(np.trace(rk.covariance.sample_covariance(few, ddof=0, mean="zero")))


def test_shrinkage_edges():
    pytest.importorskip("sklearn")
    assert rk.covariance.shrunk_covariance(RETURNS[:, 0]).shrinkage == 0.0
    with pytest.raises(InputError, match="at least 2"):
        rk.covariance.shrunk_covariance(RETURNS[:1])
    with pytest.raises(InputError, match="'ledoit_wolf', 'oas'"):
        rk.covariance.shrunk_covariance(RETURNS, "ledoit")


@pytest.mark.parametrize(
    ("module", "call", "words"),
    [
        ("sklearn.covariance", lambda: rk.covariance.shrunk_covariance(RETURNS), r"riskkit\[shrinkage\]"),
        ("arch", lambda: rk.covariance.fit_garch(RETURNS[:, 0]), r"riskkit\[garch\]"),
    ],
)
def test_a_missing_extra_is_one_sentence(monkeypatch, module, call, words):
    import importlib

    def missing(name, *args):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ImportError, match=f"{module} is not installed.*{words}"):
        call()


# nearest correlation


def noisy_correlation(size, seed, noise=0.6):
    rng = np.random.default_rng(seed)
    base = np.corrcoef(rng.normal(size=(size, 3 * size)))
    error = rng.uniform(-noise, noise, (size, size))
    out = np.clip(base + (error + error.T) / 2, -1, 1)
    np.fill_diagonal(out, 1.0)
    return out


@pytest.mark.parametrize("seed", range(4))
def test_nearest_correlation_against_direct_search(seed):
    broken = noisy_correlation(5, seed, noise=1.5)
    assert np.linalg.eigvalsh(broken)[0] < -0.05
    repair = rk.covariance.nearest_correlation(broken)
    found = naive.nearest_correlation(broken)
    np.testing.assert_allclose(repair.matrix, found, atol=2e-5)
    assert repair.frobenius_distance <= np.linalg.norm(found - broken) * (1 + 1e-9)


@pytest.mark.lengthy
@pytest.mark.parametrize("size", [2, 10, 60])
@pytest.mark.parametrize("method", ["higham", "spectral"])
def test_nearest_correlation_is_a_correlation(size, method):
    broken = noisy_correlation(size, 1, noise=1.9)
    repair = rk.covariance.nearest_correlation(broken, method=method, tolerance=1e-8)
    assert (np.diag(repair.matrix) == 1.0).all()
    np.testing.assert_array_equal(repair.matrix, repair.matrix.T)
    assert repair.min_eigenvalue_after > -1e-13
    assert np.abs(repair.matrix).max() <= 1.0 + 1e-15
    if method == "spectral":
        assert repair.frobenius_distance >= rk.covariance.nearest_correlation(broken, tolerance=1e-8).frobenius_distance


def test_nearest_correlation_of_higham_2002():
    """Published example: the 1-1-1 tridiagonal matrix has the nearest correlation with entries 0.7607 and 0.1573."""
    repair = rk.covariance.nearest_correlation([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]])
    expected = [[1.0, 0.7607, 0.1573], [0.7607, 1.0, 0.7607], [0.1573, 0.7607, 1.0]]
    np.testing.assert_allclose(repair.matrix, expected, atol=5e-5)
    assert repair.frobenius_distance == pytest.approx(0.5278, abs=5e-5)


def test_an_eigenvalue_of_mere_rounding_is_printed_as_zero():
    repair = rk.covariance.nearest_correlation([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]])
    dusty = replace(repair, min_eigenvalue_after=-2.5223e-16)
    before, after = (line.split() for line in repr(dusty).splitlines()[2:4])
    assert before[3:] == ["-0.414214", "of", "the", "correlations"]
    assert after[3:] == ["0", "of", "the", "correlations,", "to", "within", "1e-12"]
    assert dusty.min_eigenvalue_after == -2.5223e-16
    assert "-1e-09 of the correlations" in repr(replace(repair, min_eigenvalue_after=-1e-9))


def test_a_sound_correlation_comes_back_bit_for_bit():
    sound = np.corrcoef(RETURNS.T)
    np.fill_diagonal(sound, 1.0)
    sound = (sound + sound.T) / 2
    repair = rk.covariance.nearest_correlation(sound)
    np.testing.assert_array_equal(repair.matrix, sound)
    assert not repair.changed and repair.iterations == 0 and repair.frobenius_distance == 0.0
    assert "nothing changed" in repr(repair)
    ones = rk.covariance.nearest_correlation(np.ones((5, 5)))
    assert not ones.changed, "singular is still positive semidefinite"
    assert rk.covariance.nearest_correlation([[1.0]]).matrix.tolist() == [[1.0]]
    assert rk.covariance.nearest_correlation([[2.0]]).matrix.tolist() == [[1.0]]


def test_the_eigenvalue_floor_makes_a_cholesky_factor():
    broken = noisy_correlation(20, 5, noise=1.5)
    for method in ("higham", "spectral"):
        repair = rk.covariance.nearest_correlation(broken, min_eigenvalue=1e-4, method=method)
        np.linalg.cholesky(repair.matrix)
        assert repair.min_eigenvalue_after == pytest.approx(1e-4, rel=0.5)
    singular = rk.covariance.nearest_correlation(np.ones((3, 3)), min_eigenvalue=0.01)
    assert singular.changed and singular.min_eigenvalue_after == pytest.approx(0.01, rel=1e-6)


def test_the_repair_says_what_it_changed():
    names = ["EUR", "CHF", "SEK"]
    frame = pd.DataFrame([[1, 0.9, 0.7], [0.9, 1, 0.3], [0.7, 0.3, 1]], index=names, columns=names)
    repair = rk.covariance.nearest_correlation(frame)
    assert list(repair.matrix.columns) == names
    changes = repair.to_frame()
    assert changes.index[0] == ("EUR", "CHF")
    assert changes.iloc[0]["change"] == pytest.approx(-0.005425, abs=1e-6)
    assert repair.largest_change == abs(changes.iloc[0]["change"])
    assert repair.frobenius_distance == pytest.approx(math.sqrt(2 * (changes["change"] ** 2).sum()))
    assert "EUR with CHF" in repr(repair)
    assert rk.covariance.nearest_correlation(frame.to_numpy()).to_frame().index[0] == (0, 1)


def test_repair_covariance_keeps_the_variances():
    names = ["A", "B", "C"]
    volatility = np.array([0.2, 0.1, 0.3])
    broken = np.array([[1, 0.9, 0.7], [0.9, 1, 0.3], [0.7, 0.3, 1]]) * np.outer(volatility, volatility)
    repair = rk.covariance.nearest_covariance(pd.DataFrame(broken, index=names, columns=names))
    assert np.diag(repair.matrix).tolist() == np.diag(broken).tolist()
    np.testing.assert_allclose(
        rk.covariance.correlation_from_covariance(repair.matrix),
        rk.covariance.nearest_correlation(rk.covariance.correlation_from_covariance(broken)).matrix,
        atol=1e-12,
    )
    sound = rk.covariance.sample_covariance(FRAME)
    unchanged = rk.covariance.nearest_covariance(sound)
    assert not unchanged.changed
    pd.testing.assert_frame_equal(unchanged.matrix, sound)


@pytest.mark.parametrize(
    ("matrix", "options", "words"),
    [
        ([[1.0, 0.2], [0.3, 1.0]], {}, "not symmetric"),
        ([[1.0, np.nan], [np.nan, 1.0]], {}, "nan"),
        ([[1.0, 0.2]], {}, "as many rows"),
        (np.eye(2), {"method": "newton"}, "method='newton'"),
        (np.eye(2), {"min_eigenvalue": 1.0}, "not below 1"),
        (noisy_correlation(8, 2, 1.5), {"max_iterations": 3}, "max_iterations=3"),
    ],
)
def test_nearest_correlation_refuses(matrix, options, words):
    with pytest.raises(InputError, match=words):
        rk.covariance.nearest_correlation(matrix, **options)


def test_nearest_covariance_refuses_assets_of_which_none_moves():
    with pytest.raises(InputError, match="variance 0"):
        rk.covariance.nearest_covariance(np.zeros((2, 2)))


# GARCH


def test_garch_closed_forms():
    """Hull, Options, Futures and Other Derivatives, the GARCH(1,1) example: 1.53 % next day, 1.4 % in the long run."""
    variance = rk.covariance.garch_update(0.016, 0.01, omega=2e-6, alpha=0.13, beta=0.86)
    assert variance == pytest.approx(0.00023516, abs=5e-9)
    assert rk.covariance.garch_long_run_volatility(2e-6, 0.13, 0.86) == pytest.approx(0.014142, abs=5e-7)
    level = rk.covariance.garch_long_run_volatility(2e-6, 0.13, 0.86)
    assert rk.covariance.garch_update(level, level, omega=2e-6, alpha=0.13, beta=0.86) == pytest.approx(level**2)
    assert rk.covariance.garch_update(0.01, 0.02, omega=0.0, alpha=0.1, beta=0.9) == pytest.approx(
        rk.covariance.ewma_variance([0.02], 0.9, 0.01**2)[-1]
    ), "EWMA is GARCH without omega"
    with pytest.raises(InputError, match="no long-run level"):
        rk.covariance.garch_long_run_volatility(1e-6, 0.1, 0.9)
    with pytest.raises(InputError, match="alpha=-0.1"):
        rk.covariance.garch_update(0.01, 0.01, omega=1e-6, alpha=-0.1, beta=0.9)


@pytest.fixture(scope="module")
def simulated():
    rng = np.random.default_rng(4)
    shocks = rng.standard_t(6, 3000) / math.sqrt(6 / 4)
    variance, out = 1e-4, []
    for shock in shocks:
        out.append(0.0005 + math.sqrt(variance) * shock)
        variance = 2e-6 + 0.08 * (out[-1] - 0.0005) ** 2 + 0.90 * variance
    return pd.Series(out, index=pd.date_range("2010-01-01", periods=3000), name="desk")


@pytest.mark.parametrize("distribution", ["t", "normal"])
def test_garch_fit_recovers_what_was_simulated(simulated, distribution):
    pytest.importorskip("arch")
    fit = rk.covariance.fit_garch(simulated, distribution=distribution)
    assert fit.converged
    for name, truth in (("mean", 0.0005), ("omega", 2e-6), ("alpha", 0.08), ("beta", 0.90)):
        assert abs(getattr(fit, name) - truth) < 4 * fit.standard_errors[name]
    assert (fit.df is None) == (distribution == "normal")
    if distribution == "t":
        assert 4.5 < fit.df < 8.5
    squares = (simulated.to_numpy()[:75] - simulated.mean()) ** 2
    first = naive.start_variance(squares.tolist(), 0.94, "backcast")
    path = naive.garch_path(simulated.tolist(), fit.mean, fit.omega, fit.alpha, fit.beta, first)
    np.testing.assert_allclose(fit.volatility, np.sqrt(path), rtol=1e-6)
    expected = rk.covariance.garch_update(
        fit.volatility.iloc[-1], simulated.iloc[-1] - fit.mean, omega=fit.omega, alpha=fit.alpha, beta=fit.beta
    )
    assert fit.next_volatility == pytest.approx(math.sqrt(expected))
    assert fit.residuals.std() == pytest.approx(1.0, abs=0.03)
    np.testing.assert_allclose(fit.mean + fit.residuals * fit.volatility, simulated, rtol=1e-9, atol=1e-12)
    pd.testing.assert_index_equal(fit.volatility.index, simulated.index)
    assert fit.long_run_volatility == pytest.approx(math.sqrt(fit.omega / (1 - fit.persistence)))
    assert "persistence" in repr(fit) and "±" in repr(fit)
    assert list(fit.to_frame().columns) == ["estimate", "standard_error"]


def test_a_garch_fit_without_a_maximum_warns(simulated, monkeypatch):
    """The optimiser gives up, as it does for returns that differ from processor to processor."""
    base = pytest.importorskip("arch.univariate.base")
    monkeypatch.setattr(base.ARCHModelResult, "convergence_flag", 9)
    with pytest.warns(rk.covariance.ConvergenceWarning, match="found no maximum"):
        fit = rk.covariance.fit_garch(simulated, distribution="normal")
    assert not fit.converged and "did not converge" in repr(fit)


def test_garch_fit_log_likelihood_is_that_of_the_returns(simulated):
    pytest.importorskip("arch")
    fit = rk.covariance.fit_garch(simulated, distribution="normal")
    z = np.asarray(fit.residuals)
    sigma = np.asarray(fit.volatility)
    expected = -0.5 * (np.log(2 * np.pi) + 2 * np.log(sigma) + z**2).sum()
    assert fit.log_likelihood == pytest.approx(expected, rel=1e-9)


def test_garch_plot_returns_its_axes(simulated):
    pytest.importorskip("arch")
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    ax = rk.covariance.fit_garch(simulated, distribution="normal").plot()
    assert len(ax.lines[0].get_xdata()) == 3000
    plt.close(ax.figure)


@pytest.mark.parametrize(
    ("returns", "words"),
    [
        ([0.01] * 100, "constant"),
        ([0.01, 0.02] * 10, "at least 50"),
        ([0.01, np.nan] * 50, "nan"),
        (RETURNS, "one series at a time"),
    ],
)
def test_garch_fit_refuses(returns, words):
    with pytest.raises(InputError, match=words):
        rk.covariance.fit_garch(returns)


@pytest.mark.parametrize(
    ("scale", "label", "tick"), [(0.01, "volatility per period", "%"), (1e6, "volatility per period, money", ",")]
)
def test_volatility_over_time_is_a_percentage_or_money(scale, label, tick):
    from matplotlib.figure import Figure

    returns = scale * np.random.default_rng(3).standard_normal(400)
    for fit in (rk.covariance.fit_garch(returns), rk.covariance.fit_asymmetric_garch(returns)):
        ax = fit.plot(Figure().subplots())
        assert ax.get_ylabel() == label and tick in ax.yaxis.get_major_formatter()(1.5 * scale, 0)
