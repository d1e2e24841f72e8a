"""Rolling forecasts: each day's number is what the method said the evening before."""

import numpy as np
import pandas as pd
import pytest
from naive import var as naive

import riskkit as rk
from riskkit._check import InputError
from riskkit.covariance import fit_garch
from riskkit.var._selection import rolling_order_statistics, statistics_of_groups
from riskkit.var._student_t_fit import fit_columns, fit_windows
from riskkit.var.age_weighting import AgeWeighted
from riskkit.var.method import Method
from riskkit.var.moments import rolling_moments, sample_moments

rng = np.random.default_rng(21)
CLUSTERED = 0.01 * rng.standard_t(4, (500, 3)) * np.exp(0.6 * np.sin(np.arange(500) / 30.0))[:, None]
WINDOW = 60

WINDOWED = {
    "historical": {},
    "historical, linear": {"quantile": "linear"},
    "historical, beyond": {"es": "beyond", "quantile": "linear"},
    "historical, weights": {"weights": np.arange(1.0, WINDOW + 1.0)},
    "age_weighted": {"decay": 0.97},
    "normal": {"mean": "zero", "ddof": 0},
    "student_t": {"df": 5},
    "student_t, fitted": {},
    "cornish_fisher": {"corrected": False, "out_of_domain": "allow", "es": "boudt"},
    "evt": {"tail_fraction": 0.25},
}


@pytest.mark.parametrize("name", WINDOWED)
def test_each_forecast_is_that_of_the_window_before_the_day(name):
    method, options = name.split(",")[0], WINDOWED[name]
    rolling = rk.var.rolling_var(CLUSTERED, WINDOW, 0.9, method, **options)
    assert rolling.var.shape == rolling.es.shape == rolling.returns.shape == (440, 3)
    np.testing.assert_array_equal(rolling.returns, CLUSTERED[WINDOW:])
    for day in (WINDOW, WINDOW + 1, 200, 333, 499):
        before = rk.var.value_at_risk(CLUSTERED[day - WINDOW : day], 0.9, method, **options)
        np.testing.assert_allclose(rolling.var[day - WINDOW], before.var, rtol=1e-9)
        np.testing.assert_allclose(rolling.es[day - WINDOW], before.es, rtol=1e-9)
    tomorrow = rk.var.value_at_risk(CLUSTERED[-WINDOW:], 0.9, method, **options)
    np.testing.assert_allclose(rolling.next_var, tomorrow.var, rtol=1e-9)
    np.testing.assert_allclose(rolling.next_es, tomorrow.es, rtol=1e-9)


@pytest.mark.parametrize("name", WINDOWED)
def test_the_day_itself_and_the_days_after_are_not_used(name):
    method, options = name.split(",")[0], WINDOWED[name]
    changed = CLUSTERED[:, :1].copy()
    changed[300:] *= -3.0
    one, other = (rk.var.rolling_var(x[:, 0], WINDOW, 0.9, method, **options) for x in (CLUSTERED, changed))
    np.testing.assert_allclose(one.var[: 301 - WINDOW], other.var[: 301 - WINDOW], rtol=1e-12)
    assert not np.allclose(one.var[301 - WINDOW : 320 - WINDOW], other.var[301 - WINDOW : 320 - WINDOW], rtol=1e-3)


def test_filtered_forecasts_use_all_the_past_for_their_volatility():
    for options in ({"decay": 0.9}, {"decay": 0.97, "quantile": "hazen"}):
        rolling = rk.var.rolling_var(CLUSTERED, 80, 0.9, "filtered_historical", **options)
        for day in (80, 81, 250, 499):
            before = rk.var.filtered_historical(CLUSTERED[:day], 0.9, window=80, **options)
            np.testing.assert_allclose(rolling.var[day - 80], before.var, rtol=1e-10)
            np.testing.assert_allclose(rolling.es[day - 80], before.es, rtol=1e-10)
    var, es = naive.filtered_var_es(CLUSTERED[:200, 0].tolist(), 0.97, 0.95, window=80)
    rolling = rk.var.rolling_var(CLUSTERED[:, 0], 80, 0.95, "filtered_historical", decay=0.97)
    assert (rolling.var[120], rolling.es[120]) == (pytest.approx(var, rel=1e-10), pytest.approx(es, rel=1e-10))


@pytest.mark.parametrize("start", ["backcast", "sample", "first_square", 1e-4])
@pytest.mark.parametrize("method", ["filtered_historical", "normal"])
def test_starts_of_an_ewma_do_not_look_ahead(method, start):
    options = {"volatility": "ewma", "start": start, "decay": 0.97}
    changed = CLUSTERED.copy()
    changed[20:] *= 5.0
    one, other = (rk.var.rolling_var(x, 20, 0.9, method, **options) for x in (CLUSTERED, changed))
    np.testing.assert_array_equal(one.var[0], other.var[0])
    assert (one.var[1] != other.var[1]).all()


def test_ewma_normal_forecasts():
    rolling = rk.var.rolling_var(CLUSTERED, 80, 0.99, "normal", mean="zero", volatility="ewma")
    for day in (80, 300, 499):
        before = rk.var.normal(CLUSTERED[:day], 0.99, mean="zero", volatility="ewma")
        np.testing.assert_allclose(rolling.var[day - 80], before.var, rtol=1e-12)


def test_garch_forecasts_are_refitted_and_updated():
    series = CLUSTERED[:400, 0]
    rolling = rk.var.rolling_var(series, 250, 0.9, "filtered_historical", volatility="garch", refit_every=100)
    for day, near in ((250, 1e-7), (350, 1e-3)):  # the first fit, and one that goes on from it and is as likely
        before = rk.var.filtered_historical(series[:day], 0.9, volatility="garch", window=250)
        assert rolling.var[day - 250] == pytest.approx(before.var, rel=near)
        assert rolling.es[day - 250] == pytest.approx(before.es, rel=near)
    fitted, day = fit_garch(series[:250]), 300  # a day between: the parameters of day 250, all the returns since
    variance = [fitted.volatility[0] ** 2]
    for r in series[:day]:
        variance.append(fitted.omega + fitted.alpha * (r - fitted.mean) ** 2 + fitted.beta * variance[-1])
    sigma = np.sqrt(variance)
    scenarios = fitted.mean + sigma[day] * ((series[:day] - fitted.mean) / sigma[:day])[-250:]
    assert rolling.var[day - 250] == pytest.approx(naive.inverted_cdf_var(scenarios.tolist(), 0.9), rel=1e-8)


def test_short_windows_of_garch_start_when_there_is_enough():
    with pytest.raises(InputError, match="window=20 is too short"):
        rk.var.rolling_var(CLUSTERED[:, 0], 20, 0.9, "filtered_historical", volatility="garch")


# The buffer of the smallest few


@pytest.mark.parametrize("kind", ["clustered", "rounded", "coarse", "constant", "rising", "falling", "wave", "spikes"])
def test_buffer_against_sorting_every_window(kind):
    n = 1200
    t = np.arange(n, dtype=float)
    x = {
        "clustered": np.tile(CLUSTERED[:, 0], 3)[:n] * (1 + (t > 600)),
        "rounded": rng.standard_normal(n).round(1),
        "coarse": rng.integers(0, 3, n).astype(float),
        "constant": np.ones(n),
        "rising": t,
        "falling": -t,
        "wave": np.sin(t / 7.0),
        "spikes": np.where(t % 97 == 0, -50.0, rng.standard_normal(n)),
    }[kind]
    table = np.column_stack([x, x[::-1]])
    for window, ranks in (
        (1, [0]),
        (2, [0, 1]),
        (7, [0, 3, 6]),
        (60, [2, 3]),
        (250, [0, 2, 12, 13]),
        (250, [125, 249]),
    ):
        ordered = np.sort(np.lib.stride_tricks.sliding_window_view(table, window, axis=0), axis=-1)
        values, sums = rolling_order_statistics(table, window, ranks)
        for i, rank in enumerate(ranks):
            np.testing.assert_array_equal(values[i], -ordered[:, :, rank])
            np.testing.assert_allclose(-sums[i], ordered[:, :, :rank].sum(axis=-1), rtol=1e-11, atol=1e-10)
        for j, line in enumerate(table.T):  # with a compiler and without one: to the last bit
            for compiled, grouped in zip((values, sums), statistics_of_groups(line, window, ranks), strict=True):
                np.testing.assert_array_equal(compiled[:, :, j], grouped)


@pytest.mark.parametrize("kind", ["t", "wild", "normal", "jumps", "rounded", "asleep"])
def test_a_student_t_that_follows_its_windows_is_that_of_each_window(kind):
    n, window = 300, 90
    x = rng.standard_t({"wild": 1.2, "normal": 1e6}.get(kind, 4.0), n)
    if kind == "jumps":
        x *= np.where(np.arange(n) % 100 < 50, 1e-6, 1.0)
    if kind == "rounded":
        x = x.round()
    if kind == "asleep":
        x[100:140] = 0.0
    rolled = fit_windows(np.column_stack([x, x[::-1]]), window)
    for w in range(n - window + 1):
        for j, series in enumerate((x, x[::-1])):
            try:
                alone = fit_columns(series[w : w + window, None])[:, 0]
            except InputError:
                alone = np.full(3, np.nan)
            np.testing.assert_allclose(rolled[:, w, j], alone, rtol=1e-6, atol=1e-8)


def test_rolling_moments_against_each_window():
    for table in (CLUSTERED, CLUSTERED[:, :1], np.ones((70, 2)) * 0.1):
        rolled = rolling_moments(table, WINDOW, tails=True)
        for w in (0, 5, len(table) - WINDOW):
            alone = sample_moments(table[w : w + WINDOW], tails=True)
            for name in ("mean", "second", "third", "fourth"):
                np.testing.assert_allclose(getattr(rolled, name)[w], getattr(alone, name), rtol=1e-9, atol=1e-22)


def test_windows_are_selected_with_a_compiler_and_without(monkeypatch):
    def selected():
        return rolling_order_statistics(CLUSTERED, WINDOW, [1, 4], share=0.3, size=2.0)

    monkeypatch.setattr("riskkit._jit.loaded", lambda: False)
    monkeypatch.setattr("riskkit.var._selection.CHUNK", 500)
    without = selected()
    monkeypatch.setattr("riskkit.var._selection.MANY_WINDOWS", 0)
    for one, other in zip(without, selected(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_chunks_of_windows_join(monkeypatch):
    method = AgeWeighted(0.97)
    whole = Method.roll(method, CLUSTERED, WINDOW, (0.9, 0.95))
    monkeypatch.setattr("riskkit.var.method.CHUNK", WINDOW * 3 * 50)
    for one, other in zip(whole, Method.roll(method, CLUSTERED, WINDOW, (0.9, 0.95)), strict=True):
        np.testing.assert_array_equal(one, other)


# Shapes, labels, results


def test_shapes_and_labels():
    days = pd.date_range("2022-01-03", periods=500, freq="B")
    frame = pd.DataFrame(CLUSTERED, index=days, columns=["a", "b", "c"])
    plain = rk.var.rolling_var(CLUSTERED, WINDOW, [0.9, 0.95])
    assert plain.var.shape == (440, 2, 3) and plain.next_var.shape == (2, 3)
    assert rk.var.rolling_var(CLUSTERED[:, 0], WINDOW, [0.9, 0.95]).var.shape == (440, 2)
    many = rk.var.rolling_var(frame, WINDOW, [0.9, 0.95])
    assert many.var.index.equals(days[WINDOW:]) and many.returns.index.equals(days[WINDOW:])
    np.testing.assert_array_equal(many.var[(0.95, "b")], plain.var[:, 1, 1])
    assert many.next_es.loc[0.9, "c"] == plain.next_es[0, 2]
    one = rk.var.rolling_var(frame["b"], WINDOW, 0.95)
    assert one.var.name == "b" and one.var.index.equals(days[WINDOW:]) and type(one.next_var) is float
    np.testing.assert_array_equal(one.var, plain.var[:, 1, 1])
    assert rk.var.rolling_var(frame["b"], WINDOW, [0.9, 0.95]).es.columns.tolist() == [0.9, 0.95]
    assert rk.var.rolling_var(frame, WINDOW, 0.95).es.columns.tolist() == ["a", "b", "c"]


def test_result_prints_counts_hits_and_plots():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rolling = rk.var.rolling_var(CLUSTERED[:, 0], WINDOW, 0.95)
    frame = rolling.to_frame()
    assert rolling.hits == int((frame["returns"] < -frame["var"]).sum()) > 5
    assert f"{rolling.hits} 22 expected at 95%" in " ".join(repr(rolling).split())
    assert "<table>" in rolling._repr_html_()
    ax = rolling.plot()
    assert len(ax.lines[-1].get_xdata()) == rolling.hits
    plt.close(ax.figure)
    several = rk.var.rolling_var(CLUSTERED, WINDOW, [0.9, 0.95])
    assert "90%, 95%" in repr(several)
    for call in (several.to_frame, lambda: several.hits):
        with pytest.raises(InputError):
            call()


def test_returns_cannot_be_changed_through_the_result():
    mine = CLUSTERED.copy()
    rolling = rk.var.rolling_var(mine, WINDOW)
    with pytest.raises(ValueError, match="read-only"):
        rolling.returns[:] = 0.0
    mine[0, 0] = 0.0  # the caller's own stays writeable
    frame = pd.DataFrame(CLUSTERED)
    labelled = rk.var.rolling_var(frame, WINDOW)
    labelled.returns.iloc[0, 0] = 99.0
    np.testing.assert_array_equal(frame, CLUSTERED)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"window": 500}, "not shorter"),
        ({"window": 0}, "at least 1"),
        ({"window": 2.5}, "integer"),
        ({"method": "magic"}, "method='magic'"),
        ({"decay": 0.9}, "no option 'decay'"),
        ({"weights": [1.0] * 7}, "has 7 values and returns 60"),
        ({"method": "normal", "window": 1}, "needs at least 2"),
        ({"method": "evt", "confidence": 0.5}, "body of the sample"),
    ],
)
def test_arguments_that_do_not_fit(arguments, words):
    with pytest.raises(InputError, match=words):
        rk.var.rolling_var(CLUSTERED, **{"window": WINDOW, **arguments})


def test_bad_values_anywhere_are_refused():
    for method, options in (("historical", {}), ("normal", {}), ("age_weighted", {}), ("filtered_historical", {})):
        for bad in (np.nan, np.inf):
            broken = CLUSTERED.copy()
            broken[250, 1] = bad
            with pytest.raises(InputError, match=r"\(250, 1\)"):
                rk.var.rolling_var(broken, WINDOW, 0.95, method, **options)
    with pytest.raises(InputError, match="rows 0 to .*: the returns are constant"):
        rk.var.rolling_var([0.01] * 100, WINDOW, 0.95, "cornish_fisher")
