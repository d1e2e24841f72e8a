"""Comparing models: scores of given forecasts against plain averages, and rolling forecasts over a price panel."""

import numpy as np
import pandas as pd
import pytest
from marks import heavy_as_plain_python
from naive import var_backtest as naive

from riskkit._check import InputError
from riskkit.var import DEFAULT_MODELS, rolling_var
from riskkit.var_backtest import backtest_panel, compare_forecasts, compare_models, diebold_mariano

Z95, ES95 = 1.6448536269514722, 2.0627128054846


def days(count):
    return pd.date_range("2015-01-01", periods=count, freq="B")


@pytest.fixture(scope="module")
def given():
    rng = np.random.default_rng(1)
    sd = np.exp(0.5 * np.sin(np.arange(1200) / 60))[:, None] * np.array([1.0, 0.5, 2.0])
    returns = pd.DataFrame(sd * rng.standard_normal((1200, 3)), index=days(1200), columns=["x", "y", "z"])
    sd = pd.DataFrame(sd, index=returns.index, columns=returns.columns)
    flat = pd.DataFrame(1.0, index=returns.index, columns=returns.columns) * returns.std()
    late = flat.copy()
    late.iloc[:200] = np.nan
    forecasts = {
        "flat": (Z95 * late, ES95 * late),
        "right": (Z95 * sd, ES95 * sd),
        "low": (0.8 * Z95 * sd, 0.8 * ES95 * sd),
    }
    return returns, forecasts, compare_forecasts(returns, forecasts, confidence=0.95)


def test_scores_are_means_over_assets_and_common_days(given):
    returns, forecasts, result = given
    frame = result.to_frame()
    for model, (var, es) in forecasts.items():
        per_asset = [naive.fz0_loss(returns[a][200:], var[a][200:], es[a][200:], 0.05) for a in returns.columns]
        assert frame.loc[model, "score"] == pytest.approx(np.mean(per_asset), rel=1e-9)
        tick = [naive.quantile_loss(returns[a][200:], var[a][200:], 0.05) for a in returns.columns]
        assert frame.loc[model, "quantile_loss"] == pytest.approx(np.mean(tick), rel=1e-9)
        hits = int((returns[200:] < -var[200:]).to_numpy().sum())
        assert frame.loc[model, "hits"] == hits and frame.loc[model, "hit_ratio"] == pytest.approx(hits / 150)
    assert len(result.scores) == 1000 and result.score == "fz0"


def test_the_right_model_wins_and_the_others_are_told_apart(given):
    _, _, result = given
    frame = result.to_frame()
    assert result.best == "right"
    assert frame["score"].is_monotonic_increasing
    assert frame["in_set"].tolist() == [True, False, False]
    assert frame.loc["right", "assets_rejected"] == 0 and frame.loc["low", "assets_rejected"] == 3
    assert frame["worse_by"].iloc[0] == 0.0 and (frame["dm_p_value"].iloc[1:] < 0.05).all()
    assert frame.loc["low", "red_share"] >= frame.loc["right", "red_share"]


def test_the_parts_are_those_of_the_single_functions(given):
    returns, forecasts, result = given
    expected = diebold_mariano(result.scores["low"], result.scores["right"]).p_value
    assert result.to_frame().loc["low", "dm_p_value"] == expected
    panel = backtest_panel(returns[200:], {(m, 0.95): f[0][200:] for m, f in forecasts.items()})
    assert result.panel.to_frame()["p_value"].to_numpy() == pytest.approx(panel.to_frame()["p_value"].to_numpy())


def test_without_es_the_quantile_loss_ranks(given):
    returns, forecasts, _ = given
    result = compare_forecasts(returns, {m: f[0] for m, f in forecasts.items()}, confidence=0.95)
    assert result.score == "quantile" and result.best == "right"
    mixed = compare_forecasts(returns, {"a": forecasts["right"], "b": forecasts["low"][0]}, confidence=0.95)
    assert mixed.score == "quantile"
    negative = compare_forecasts(returns, {"a": (forecasts["right"][0], -forecasts["right"][1])}, confidence=0.95)
    assert negative.score == "quantile"


def test_years_and_texts(given):
    returns, forecasts, result = given
    ratio = result.hit_ratio_by_year()
    assert ratio.index.name == "year" and ratio.columns.tolist() == list(result.to_frame().index)
    chosen = returns.index[200:].year == 2017
    hits = (returns[200:] < -forecasts["right"][0][200:]).to_numpy()[chosen].sum()
    assert ratio.loc[2017, "right"] == pytest.approx(hits / (chosen.sum() * 3 * 0.05))
    assert repr(result).splitlines()[2].startswith("1. right")
    arrays = {m: tuple(part.to_numpy() for part in f) for m, f in forecasts.items()}
    plain = compare_forecasts(returns.to_numpy(), arrays, confidence=0.95)
    assert plain.best == "right" and plain.hit_ratio_by_year().index.tolist() == [0, 1, 2, 3]


def test_one_model_one_asset_and_equal_models():
    returns = np.random.default_rng(2).standard_normal(300)
    one = compare_forecasts(returns, {"only": np.full(300, Z95)}, confidence=0.95)
    assert one.best == "only" and one.to_frame()["in_set"].tolist() == [True]
    twice = compare_forecasts(returns, {"a": np.full(300, Z95), "b": np.full(300, Z95)}, confidence=0.95).to_frame()
    assert twice["worse_by"].tolist() == [0.0, 0.0] and twice["dm_p_value"].tolist() == [1.0, 1.0]
    short = compare_forecasts(returns[:100], {"a": np.full(100, Z95)}, confidence=0.95).to_frame()
    assert np.isnan(short["red_share"].iloc[0])


def test_plots_show_the_ranking(given):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    _, _, result = given
    ax = result.plot()
    assert [text.get_text() for text in ax.get_yticklabels()] == list(result.to_frame().index)
    assert [bar.get_width() for bar in ax.patches] == result.to_frame()["worse_by"].tolist()
    assert "right forecasts best" in ax.get_title(loc="left")
    with plt.style.context("riskkit.notebook"):
        years = result.plot_years()
    assert not any(line.get_visible() for line in [*years.get_xgridlines(), *years.get_ygridlines()])
    assert [float(text.get_text()) for text in years.texts] == [
        float(f"{value:.1f}") for value in result.hit_ratio_by_year().to_numpy().T.ravel()
    ]


def broken(frame, row):
    frame = frame.copy()
    frame.iloc[row] = np.nan
    return frame


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda r, v: (r, {}), "at least one model"),
        (lambda r, v: (r, {"m": v[:-1]}), "var has shape"),
        (lambda r, v: (r, {"m": broken(v, 5)}), "'m' are not finite on 2015-01-08"),
        (lambda r, v: (r, {"m": v * np.nan}), "no day of 1,200"),
        (lambda r, v: (broken(r, 7), {"m": v}), "row 2015-01-12 of .x.*complete_returns"),
        (lambda r, v: (r, {"m": v.rename(columns={"x": "w"})}), "other columns"),
    ],
)
def test_what_does_not_fit_is_named(given, change, words):
    returns, forecasts, _ = given
    with pytest.raises(InputError, match=words):
        compare_forecasts(*change(returns, forecasts["right"][0]), confidence=0.95)


@pytest.fixture(scope="module")
def prices():
    """Two assets whose volatility doubles half-way."""
    rng = np.random.default_rng(3)
    sd = np.where(np.arange(900) < 450, 0.01, 0.02)[:, None]
    returns = sd * rng.standard_t(5, size=(900, 2))
    return pd.DataFrame(100 * np.cumprod(1 + returns, axis=0), index=days(900), columns=["x", "y"])


def test_compare_rolls_scores_and_ranks(prices):
    models = {"short": {"method": "historical", "window": 100}, "long": "historical"}
    result = compare_models(prices, models, confidence=0.95, window=300)
    returns = prices.pct_change().iloc[1:]
    forecasts = {}
    for name, window in (("short", 100), ("long", 300)):
        rolled = rolling_var(returns, window, 0.95, "historical")
        forecasts[name] = tuple(table.reindex(returns.index) for table in (rolled.var, rolled.es))
    expected = compare_forecasts(returns, forecasts, confidence=0.95)
    assert result.to_frame()["score"].to_numpy() == pytest.approx(expected.to_frame()["score"].to_numpy(), rel=1e-9)
    assert len(result.scores) == 899 - 300
    again = compare_models(models=models, returns=returns, confidence=0.95, window=300)
    assert again.to_frame()["score"].to_numpy() == pytest.approx(expected.to_frame()["score"].to_numpy(), rel=1e-12)


@pytest.mark.parametrize("model", [*DEFAULT_MODELS, "age_weighted"])
def test_no_forecast_sees_its_own_day(prices, model):
    spec = {**DEFAULT_MODELS, "age_weighted": {"method": "age_weighted"}}[model] | {"window": 200}
    crashed = prices.copy()
    crashed.iloc[700:] *= 0.5
    before, after = (
        compare_models(table, {"m": spec}, confidence=0.95, progress=False).scores["m"] for table in (prices, crashed)
    )
    # Losses of days before the crash are the same; its own day is scored with the forecast made before it.
    assert before[: crashed.index[699]].equals(after[: crashed.index[699]])
    assert after[crashed.index[700]] > before[crashed.index[700]] + 1.0


def test_compare_takes_names_functions_and_both_shapes(prices):
    def naive_model(returns):
        return returns.rolling(250).std().shift(1) * Z95

    mixed = compare_models(prices, {"mine": naive_model, "normal": "normal"}, confidence=0.95, window=250)
    assert mixed.score == "quantile" and set(mixed.to_frame().index) == {"mine", "normal"}
    named = compare_models(prices.to_numpy(), ["historical", "normal"], confidence=0.95, window=250)
    assert set(named.to_frame().index) == {"historical", "normal"} and named.n_assets == 2
    assert compare_models(prices["x"], "historical", confidence=0.95).n_assets == 1
    assert set(compare_models(np.vstack([prices, 2 * prices]), confidence=0.95).to_frame().index) == set(DEFAULT_MODELS)


class Bar:
    made: list = []

    def __init__(self, steps, **options):
        self.steps, self.options, self.count = steps, options, 0
        Bar.made.append(self)

    def __iter__(self):
        for step in self.steps:
            self.count += 1
            yield step


def test_progress_bar_counts_series_and_is_never_needed(prices, monkeypatch):
    import sys
    import types

    module = types.ModuleType("tqdm.auto")
    module.tqdm = Bar
    monkeypatch.setattr("riskkit._bar.waits", lambda: True)
    monkeypatch.setitem(sys.modules, "tqdm.auto", module)
    Bar.made.clear()
    compare_models(prices, ["historical", "normal"], confidence=0.95, progress=True)
    compare_models(prices, ["historical", "normal"], confidence=0.95)
    compare_models(prices, ["historical", "normal"], confidence=0.95, progress=False)
    assert [bar.count for bar in Bar.made] == [4, 4]
    assert [bar.options["delay"] for bar in Bar.made] == [0, 1.0]
    monkeypatch.setattr("riskkit._bar.waits", lambda: False)
    compare_models(prices, ["historical"], confidence=0.95)
    assert len(Bar.made) == 2
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    assert compare_models(prices, ["historical"], confidence=0.95, progress=True).best == "historical"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda p: compare_models(models=["historical"]), "either prices or returns"),
        (lambda p: compare_models(p, ["historical"], returns=p), "either prices or returns"),
        (lambda p: compare_models(p, []), "models is empty"),
        (lambda p: compare_models(p, ["garch99"]), "model 'garch99': method='garch99'"),
        (lambda p: compare_models(p, {"m": {"window": 9}}), r"models\['m'\] is not a method"),
        (lambda p: compare_models(p, {"m": 3}), r"models\['m'\] is not a method"),
        (lambda p: compare_models(p, [{"method": "normal"}]), "not a sequence of methods"),
        (lambda p: compare_models(p, {"m": {"method": "normal", "size": 9}}), "no option 'size'"),
        (lambda p: compare_models(p, ["normal"], window=2000), "model 'normal' on x: window=2000"),
        (lambda p: compare_models(p * 0, ["normal"]), "prices"),
        (lambda p: compare_models(p, ["normal"], confidence=95), "0.95 for 95%"),
    ],
)
def test_compare_names_what_does_not_fit(prices, call, words):
    with pytest.raises(InputError, match=words):
        call(prices)


@heavy_as_plain_python
def test_shipped_stocks_through_the_crises():
    from riskkit.datasets import SampleError, load_stocks

    try:
        stocks = load_stocks()
    except SampleError as error:
        pytest.skip(f"the samples are not here: {error}")
    chosen = stocks.loc["2003":"2012", stocks.columns[:5]]
    result = compare_models(chosen, confidence=0.99, progress=False)
    # A thousand calm days do not know 2008; a volatility that is updated every day does.
    crisis = result.hit_ratio_by_year().loc[2008]
    assert crisis["historical 1000"] > 5.0 and crisis["normal"] > 5.0
    assert crisis["filtered historical"] < 1.5
    frame = result.to_frame()
    assert result.best == "filtered historical" and frame.loc["filtered historical", "assets_rejected"] == 0
    assert frame.index[-1] == "normal" and not frame.loc["normal", "in_set"]
