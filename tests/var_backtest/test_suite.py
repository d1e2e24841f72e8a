"""The whole suite, its power, and the panel."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marks import heavy_as_plain_python
from naive import var_backtest as naive

from riskkit import rolling_var
from riskkit._check import InputError
from riskkit.var_backtest import (
    backtest_panel,
    backtest_power,
    backtest_var,
    binomial_tail,
    detectable_hit_rate,
    dynamic_quantile,
    fz0_loss,
    kupiec_pof,
    nolde_ziegel_general,
    var_hits,
)
from riskkit.var_backtest.suite.all_tests import FAILURES
from riskkit.var_backtest.suite.panel import PANEL_TESTS
from riskkit.var_backtest.suite.power import _share_rejected

P = 0.025
Z = 1.959963984540054
NORMAL_ES = math.exp(-Z * Z / 2) / math.sqrt(2 * math.pi) / P


def days(count):
    return pd.date_range("2019-01-01", periods=count, freq="B")


@pytest.fixture(scope="module")
def true_model():
    returns = pd.Series(np.random.default_rng(14).standard_normal(500), index=days(500))
    from scipy.special import ndtr

    return backtest_var(returns, Z, NORMAL_ES, confidence=0.975, sd=1.0, pit=ndtr(returns))


def test_every_test_that_applies_is_there(true_model):
    frame = true_model.to_frame()
    assert len(frame) == 24 and frame.index.is_unique
    assert frame["verdict"].str.len().gt(10).all()
    assert set(frame["question"]) == {
        "correct number of hits?",
        "independent hits?",
        "number and timing of hits as expected?",
        "losses beyond VaR as large as ES?",
    }
    assert frame["p_value"].between(0, 1).all()
    assert not frame["power"].dropna().empty and frame["power"].dropna().between(0, 1).all()
    only_var = backtest_var(np.zeros(100), 0.1, confidence=0.99).to_frame()
    assert len(only_var) == 13 and "Acerbi-Szekely Z2" not in only_var.index


def test_a_true_model_passes_and_says_so(true_model):
    assert true_model.verdict == "No test rejects the forecast"
    text = repr(true_model)
    assert "detectable hit rate" in text and "expected" in text
    assert "<table>" in true_model._repr_html_()


def test_a_wrong_model_fails_for_the_right_reasons():
    rng = np.random.default_rng(2)
    wrong = backtest_var(1.4 * rng.standard_normal(500), Z, NORMAL_ES, confidence=0.975)
    assert FAILURES["coverage"] in wrong.verdict and FAILURES["shortfall"] in wrong.verdict
    assert wrong.traffic_light.zone != "green"
    hits = np.zeros(500, dtype=bool)
    hits[[100, 101, 102, 103, 300, 301, 302, 303, 400, 401, 402, 403]] = True
    clustered = backtest_var(np.where(hits, -2.0, 0.0), Z, confidence=0.975)
    assert clustered.verdict == f"FAILS: {FAILURES['independence']}"


def test_the_whole_verdict_rarely_fails_a_true_model():
    rng, failed = np.random.default_rng(3), 0
    for _ in range(40):
        failed += backtest_var(rng.standard_normal(250), Z, NORMAL_ES, confidence=0.975).verdict.startswith("FAILS")
    # Holm over all deciding tests: at most 5 % of 40, and three standard errors.
    assert failed <= 6


def test_labels_and_access(true_model):
    assert true_model.hits.index.equals(days(500)) and true_model.hits.sum() == true_model.n_hits
    assert true_model["Kupiec POF"].statistic == true_model.to_frame().loc["Kupiec POF", "statistic"]
    with pytest.raises(KeyError, match="Kupiec POF"):
        true_model["Kupiec"]
    assert set(true_model.scores) == {"quantile_loss", "fz0_loss"}


def test_the_same_question_gets_the_same_answer(true_model):
    returns = np.random.default_rng(4).standard_normal(300)
    first, second = (backtest_var(returns, Z, NORMAL_ES, confidence=0.975) for _ in range(2))
    assert repr(first) == repr(second) and first.to_frame().equals(second.to_frame())
    other = backtest_var(returns, Z, NORMAL_ES, confidence=0.975, rng=np.random.default_rng(9))
    assert other["Dynamic quantile"].statistic == first["Dynamic quantile"].statistic


RETURNS = 0.01 * np.random.default_rng(21).standard_normal(300)


@pytest.mark.parametrize("confidence", [0.9, 0.99])
def test_a_rolling_forecast_is_tested_at_its_own_confidence(confidence):
    rolling = rolling_var(pd.Series(RETURNS, days(300)), 100, confidence, "normal")
    direct = backtest_var(rolling)
    apart = backtest_var(rolling.returns, rolling.var, rolling.es, confidence)
    assert direct.confidence == confidence and repr(direct) == repr(apart)
    assert direct.hits.index.equals(rolling.returns.index)


def test_defaults_of_a_forecast_and_of_its_tests_are_the_same():
    rolling = rolling_var(0.01 * np.random.default_rng(5).standard_normal(2_000), method="normal")
    assert backtest_var(rolling).confidence == rolling.confidence
    assert not kupiec_pof(rolling.hits, len(rolling.var)).reject
    assert binomial_tail(rolling.hits, len(rolling.var)).p_value > 0.01


def test_a_frame_of_one_column_is_a_series():
    frame = pd.DataFrame({"book": RETURNS}, days(300))
    var = pd.DataFrame({"book": np.full(300, 0.02)}, days(300))
    assert repr(backtest_var(frame, var, confidence=0.975)) == repr(
        backtest_var(frame["book"], var["book"], confidence=0.975)
    )
    assert repr(backtest_var(rolling_var(frame, 100))) == repr(backtest_var(rolling_var(frame["book"], 100)))


@pytest.mark.parametrize("n_obs", [100, 500, 3_000])
@pytest.mark.parametrize("n_hits", [0, 1])
def test_too_few_hits_say_nothing_about_independence(n_obs, n_hits):
    returns = np.where(np.arange(n_obs) == n_obs // 2, -0.05, 0.001) if n_hits else np.full(n_obs, 0.001)
    result = backtest_var(returns, 0.02, confidence=0.99)
    assert result.n_hits == n_hits
    assert FAILURES["independence"] not in result.verdict
    (answer,) = [row for row in result._rows() if row[0] == "independent hits?"]
    assert answer[1] == "cannot say" and f"{n_hits} hit{'s' * (n_hits != 1)} in {n_obs:,} days" in answer[2]


@pytest.mark.parametrize("share", [0.0, 0.002, 0.05, 0.1, 0.3])
def test_a_wrong_number_of_independent_hits_is_not_called_dependence(share):
    returns = np.where(np.random.default_rng(8).random(2_000) < share, -0.05, 0.001)
    verdict = backtest_var(returns, 0.02, confidence=0.99).verdict
    assert verdict == f"FAILS: {FAILURES['coverage']}"


def test_number_and_timing_are_named_only_where_neither_is_rejected_alone():
    rng = np.random.default_rng(11)
    for _ in range(60):
        hits = rng.random(250) < rng.choice([0.005, 0.01, 0.02, 0.03])
        verdict = backtest_var(np.where(hits, -0.05, 0.001), 0.02, confidence=0.99).verdict
        alone = FAILURES["coverage"] in verdict or FAILURES["independence"] in verdict
        assert not (alone and FAILURES["joint"] in verdict)


def test_no_finding_judges():
    rng = np.random.default_rng(12)
    for _ in range(30):
        result = backtest_var(np.where(rng.random(250) < 0.03, -0.05, 0.001), 0.02, confidence=0.99)
        for verdict in result.to_frame()["verdict"]:
            assert not ("not rejected" in verdict and ("clustered" in verdict or "look" in verdict))


def test_signs_of_another_unit_or_sign_are_cautioned():
    calm = backtest_var(RETURNS, 2.0, confidence=0.99)
    assert "VaR (at least 2) is above every return in size; check its unit" in calm.cautions
    often = backtest_var(RETURNS, 0.001 * np.sign(np.arange(300) - 250.5) - 0.0005, confidence=0.99)
    assert [words for words in often.cautions if "check the signs" in words]
    for result in (calm, often):
        assert "caution" in repr(result)
    assert backtest_var(RETURNS, 0.02, confidence=0.975).cautions == ()
    swapped = backtest_var(np.full(len(RETURNS), 0.02), RETURNS, confidence=0.975)
    negative = (RETURNS < 0.0).sum()
    assert swapped.cautions == (
        f"VaR is negative on {negative:,} of {len(RETURNS):,} days; VaR is a loss above zero, and the order is returns, var",
    )


EDGES = {
    "no hits": np.zeros(250),
    "all hits": np.full(250, -0.05),
    "hits only on consecutive days": np.where(np.isin(np.arange(250), (100, 101, 102)), -0.05, 0.0),
    "a hit on the last day only": np.where(np.arange(250) == 249, -0.05, 0.0),
    "a hit on the first day only": np.where(np.arange(250) == 0, -0.05, 0.0),
    "12 days": np.where(np.arange(12) % 5 == 0, -0.05, 0.01),
    "one day": np.array([-0.05]),
    "one quiet day": np.array([0.0]),
    "five days": np.zeros(5),
}


@pytest.mark.parametrize("confidence", [0.5, 0.99])
@pytest.mark.parametrize("es", [None, 0.025, 0.02, 0.01, -0.01])
@pytest.mark.parametrize("name", EDGES)
def test_edge_cases_never_fail(name, es, confidence):
    result = backtest_var(EDGES[name], 0.02, es, confidence=confidence)
    assert repr(result) and result.verdict
    for _, outcome in result.outcomes:
        assert outcome.verdict
        for p_value in (outcome.p_value, outcome.exact_p_value):
            assert p_value is None or 0.0 <= p_value <= 1.0
        assert outcome.decisive_p_value is not None or outcome.note


ANY = st.one_of(st.floats(-1, 1), st.floats(-1e90, 1e90), st.sampled_from([0.0, 5e-324, 1e-313, -1e-90, 1e-50, 0.02]))


@settings(deadline=None, max_examples=40)
@given(st.data(), st.integers(1, 30), st.floats(0.5, 0.999))
def test_nothing_makes_it_fail(data, n_obs, confidence):
    days = st.lists(ANY, min_size=n_obs, max_size=n_obs)
    es = data.draw(st.one_of(st.none(), ANY, days))
    pit = data.draw(st.one_of(st.none(), st.lists(st.floats(0, 1), min_size=n_obs, max_size=n_obs)))
    try:
        result = backtest_var(data.draw(days), data.draw(st.one_of(ANY, days)), es, confidence=confidence, pit=pit)
    except InputError as error:
        assert "looks like a confidence" in str(error) or "VaR is a loss above zero" in str(error)
        return
    assert len(result.to_frame()) >= 11 and repr(result)
    assert all(math.isfinite(score) for score in result.scores.values())


def test_an_es_that_is_nothing_beside_the_losses_is_not_divided_by():
    result = backtest_var([-1.0, 0.5], 0.0, 1e-13, confidence=0.5)
    assert "not above zero (or negligible)" in result["Acerbi-Szekely Z2"].note
    assert "fz0_loss" not in result.scores
    with pytest.raises(InputError, match="es holds 1e-13 at position 0"):
        fz0_loss([-1.0, 0.5], 0.0, 1e-13)
    with pytest.raises(InputError, match="returns holds 1e\\+200"):
        backtest_var([1e200], 0.1, confidence=0.99)


@pytest.mark.parametrize("sd", [5e-324, 1e-20, 1e90])
def test_an_sd_of_another_size_gets_a_note_or_a_number(sd):
    result = backtest_var([-1.0, 0.5, -2.0], 0.0, 0.9, confidence=0.5, sd=sd)
    for name in ("Nolde-Ziegel general", "McNeil-Frey bootstrap"):
        assert (result[name].statistic is None) == (sd < 1.0)
        assert ("negligible" in result[name].note) == (sd < 1.0)
    if sd < 1.0:
        with pytest.raises(InputError, match="negligible beside returns"):
            nolde_ziegel_general([-1.0, 0.5, -2.0], 0.0, 0.9, 0.5, sd=sd)


@heavy_as_plain_python
def test_a_hundred_thousand_days():
    returns = np.random.default_rng(5).standard_normal(100_000)
    result = backtest_var(returns, 1.6448536269514722, 2.0627128054846, confidence=0.95)
    assert result.n_hits == int((returns < -1.6448536269514722).sum())
    assert not result.verdict.startswith("FAILS")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: backtest_var([0.1, 0.2], [0.1], confidence=0.99), "var has shape"),
        (lambda: backtest_var([0.1, 0.2], np.ones((2, 3)), confidence=0.99), "var has 3 columns, .*backtest_panel"),
        (lambda: backtest_var([], 0.1, confidence=0.99), "returns is empty"),
        (lambda: backtest_var([0.1, math.inf], 0.1, confidence=0.99), "returns holds inf"),
        (lambda: backtest_var([0.1], math.nan, confidence=0.99), "var holds nan"),
        (lambda: backtest_var([0.1], 0.1, confidence=99), "0.99 for 99%"),
        (lambda: backtest_var([0.1, 0.1], 0.1, pit=[0.5], confidence=0.99), "pit has another length"),
        (lambda: backtest_var([0.1], 0.1, pit=[2.0], confidence=0.99), "between 0 and 1"),
        (lambda: backtest_var([0.1], 0.1, 0.2, null="gamma", confidence=0.99), "null='gamma'"),
        (lambda: backtest_var([[0.1, 0.2]], 0.1, confidence=0.99), "give one series"),
        (lambda: backtest_var([0.1]), "var is missing"),
        (lambda: backtest_var([0.1], 0.1), "confidence is missing"),
        (lambda: backtest_var(rolling_var(RETURNS, 100), 0.1), "leave them out"),
        (lambda: backtest_var(RETURNS, rolling_var(RETURNS, 100)), "give it alone"),
        (lambda: backtest_var(rolling_var(RETURNS, 100, [0.9, 0.99])), "several series or confidences"),
        (lambda: backtest_var(rolling_var(np.column_stack([RETURNS, RETURNS]), 100)), "several series or confidences"),
        (lambda: backtest_var(RETURNS, 0.99, confidence=0.99), "looks like a confidence"),
        (lambda: backtest_var(RETURNS, [0.95] * 300, confidence=0.99), "looks like a confidence"),
        (lambda: backtest_var(RETURNS, -0.02, confidence=0.99), "VaR is a loss above zero: give -var"),
        (lambda: var_hits(RETURNS, 0.99), "looks like a confidence"),
        (lambda: dynamic_quantile(RETURNS, -0.02), "VaR is a loss above zero: give -var"),
    ],
)
def test_what_does_not_fit_is_named(call, words):
    with pytest.raises(InputError, match=words):
        call()


def test_power_of_coverage_tests_is_exact():
    power = backtest_power(250, 0.99, hit_rate=0.03, n_draws=99)
    from scipy.stats import binom, binomtest

    rejected = [x for x in range(251) if binomtest(x, 250, 0.01).pvalue <= 0.05]
    assert power.of("Kupiec POF")[0] == pytest.approx(binom.pmf(rejected, 250, 0.03).sum(), rel=1e-9)
    # Basel's table: at a true coverage of 97 % a supervisor who acts from 5 hits on misses 12.8 %.
    assert 1 - power.of("Basel yellow or red")[0] == pytest.approx(0.128, abs=5e-4)


@heavy_as_plain_python
def test_power_of_independence_tests_against_simulation():
    from riskkit.var_backtest import christoffersen_conditional, christoffersen_independence

    power, rng = backtest_power(250, 0.975, after_hit=0.4, n_draws=1999), np.random.default_rng(6)
    rejected = np.zeros(2)
    for _ in range(400):
        hits, yesterday = [], rng.random() < 0.025
        for _ in range(250):
            hits.append(yesterday)
            yesterday = rng.random() < (0.4 if yesterday else 0.025 * 0.6 / 0.975)
        rejected += [christoffersen_independence(hits, 0.975).reject, christoffersen_conditional(hits, 0.975).reject]
    names = ("Christoffersen independence", "Christoffersen conditional coverage")
    assert [power.of(name)[0] for name in names] == pytest.approx((rejected / 400).tolist(), abs=0.08)


@heavy_as_plain_python
def test_power_of_es_tests_against_simulation():
    from riskkit.var_backtest import acerbi_szekely_z2

    rng = np.random.default_rng(7)
    found = np.mean(
        [acerbi_szekely_z2(1.25 * rng.standard_normal(250), Z, NORMAL_ES, 0.975).reject for _ in range(400)]
    )
    assert backtest_power(250, 0.975).of("Acerbi-Szekely Z2")[0] == pytest.approx(found, abs=0.08)


@heavy_as_plain_python
def test_power_is_the_size_when_nothing_is_wrong_and_grows_with_the_sample():
    none = backtest_power(250, 0.99, hit_rate=0.01, loss_scale=1.0, n_draws=1999)
    for name, power, _ in none.powers:
        if name in ("Binomial tail", "Kupiec POF") or name.startswith(("Acerbi", "Minimally")):
            assert power <= 0.05 + 0.016, name
    shorter, longer = (backtest_power(n, 0.99) for n in (250, 1000))
    for name, power, _ in longer.powers:
        assert power >= shorter.of(name)[0] - 0.05, name
    assert "detectable" in repr(longer) and longer.of("no such test") is None
    assert longer.detectable_hit_rate < shorter.detectable_hit_rate
    assert len(longer.to_frame()) == len(longer.powers)


def test_detectable_rate_is_found_with_the_stated_probability():
    from scipy.stats import binom

    rate = detectable_hit_rate(250, 0.99)
    first = next(x for x in range(251) if binom.sf(x - 1, 250, 0.01) <= 0.05)
    assert binom.sf(first - 1, 250, rate) == pytest.approx(0.8)
    assert math.isnan(detectable_hit_rate(2, 0.5))


def test_share_rejected_matches_the_monte_carlo_test():
    rng = np.random.default_rng(8)
    null, alternative = np.round(rng.random(99), 2), np.round(rng.random(50), 2)
    expected = np.mean([(1 + (null >= value).sum()) / 100 <= 0.05 for value in alternative])
    assert _share_rejected(null, alternative, 0.05) == pytest.approx(expected)
    assert _share_rejected(np.array([np.nan, 1.0]), alternative, 0.05) == 0.0


@pytest.fixture(scope="module")
def panel():
    rng = np.random.default_rng(9)
    returns = pd.DataFrame(rng.standard_normal((500, 4)), index=days(500), columns=list("abcd"))
    right = pd.DataFrame(Z, index=returns.index, columns=returns.columns)
    forecasts = {("right", 0.975): (right, right * NORMAL_ES / Z), ("low", 0.975): 0.7 * right, ("low", 0.99): right}
    return returns, forecasts, backtest_panel(returns, forecasts)


def test_panel_has_every_combination_and_corrects_for_all(panel):
    from riskkit.var_backtest import adjust_p_values

    _, _, result = panel
    frame = result.to_frame()
    assert len(frame) == 4 * (3 + 2 + 2)
    assert frame["adjusted"].to_numpy() == pytest.approx(adjust_p_values(frame["p_value"].to_numpy()))
    assert not frame.xs("right", level="model")["reject"].any()
    assert frame.xs(("low", 0.975, "Kupiec POF"), level=("model", "confidence", "test"))["reject"].all()
    table = result.table("Kupiec POF")
    assert table.index.tolist() == list("abcd") and table.columns.tolist() == list(panel[1])
    assert result.table().notna().all().all()
    assert "4 of 4" in repr(result)


@heavy_as_plain_python
def test_panel_agrees_with_single_tests(panel):
    returns, forecasts, _ = panel
    result = backtest_panel(returns, forecasts, tests=("Dynamic quantile", "Haas TBF"), method="none")
    single = backtest_var(returns["b"], forecasts["low", 0.99]["b"], confidence=0.99)
    row = result.to_frame().loc[("b", "low", 0.99, "Dynamic quantile")]
    assert row["p_value"] == row["adjusted"] == single["Dynamic quantile"].exact_p_value
    assert result.to_frame().loc[("b", "low", 0.99, "Haas TBF"), "statistic"] == single["Haas TBF"].statistic


def test_every_panel_test_runs(panel):
    returns, forecasts, _ = panel
    chosen = {("right", 0.975): forecasts["right", 0.975]}
    frame = backtest_panel(
        returns[["a"]], {k: tuple(f[["a"]] for f in v) for k, v in chosen.items()}, tests=PANEL_TESTS
    )
    assert len(frame.to_frame()) == len(PANEL_TESTS)


@pytest.mark.parametrize("method", ["holm", "benjamini-hochberg"])
def test_panel_corrects_by_the_method_asked_for_and_the_heat_map_shows_it(panel, method):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    returns, forecasts, _ = panel
    result = backtest_panel(returns, forecasts, method=method)
    frame = result.to_frame()
    twin = naive.holm if method == "holm" else naive.benjamini_hochberg
    assert frame["adjusted"].to_numpy() == pytest.approx(twin(frame["p_value"].to_numpy()), abs=1e-12)
    assert (frame["reject"] == (frame["adjusted"] <= 0.05)).all() and 0 < frame["reject"].sum() < len(frame)
    with plt.style.context("riskkit.notebook"):
        ax = result.plot()
    assert not any(line.get_visible() for line in [*ax.get_xgridlines(), *ax.get_ygridlines()])
    shades = np.asarray(ax.images[0].get_array())
    rejected = frame["reject"].groupby(level=["portfolio", "model", "confidence"], sort=False).any()
    rejected = rejected.unstack(["model", "confidence"])[list(forecasts)].loc[list("abcd")].to_numpy()
    assert (shades[rejected] <= 0.3).all() and (shades[~rejected] >= 0.65).all()
    assert {"holm": "(Holm)", "benjamini-hochberg": "(Benjamini-Hochberg)"}[method] in ax.get_title(loc="left")


@pytest.mark.parametrize("name", ["returns", "var", "es", "sd"])
def test_numbers_too_large_to_be_squared_are_refused_by_name(name):
    given = {"returns": [0.0, -0.03, 0.01], "var": 0.02, "es": 0.03, "sd": 0.01}
    given[name] = [1e308, 1.0, 1.0] if name == "returns" else 1e308
    with pytest.raises(InputError, match=rf"^{name} holds 1e\+308; give it in a unit"):
        backtest_var(given.pop("returns"), confidence=0.9, **given)


def test_panel_of_arrays_and_of_one_series():
    returns = np.random.default_rng(10).standard_normal((100, 2))
    assert len(backtest_panel(returns, {("m", 0.95): np.full((100, 2), 1.6)}).to_frame()) == 4
    series = pd.Series(returns[:, 0], name="book")
    one = backtest_panel(series, {("m", 0.95): pd.Series(np.full(100, 1.6))})
    assert one.to_frame().index.unique("portfolio").tolist() == ["book"]


@pytest.mark.parametrize(
    ("forecasts", "options", "words"),
    [
        ({}, {}, "forecasts is empty"),
        ({("m", 0.95): np.ones((9, 2))}, {}, "var has shape"),
        ({("m", 0.95): np.ones((10, 2))}, {"tests": ("Kupiec",)}, "'Binomial tail'"),
        ({("m", 0.95): np.ones((10, 2))}, {"method": "sidak"}, "'holm'"),
        ({("m", 0.95): pd.DataFrame(np.ones((10, 2)), columns=["x", "y"])}, {}, "other columns"),
        ({("m", 95): np.ones((10, 2))}, {}, "0.95 for 95%"),
    ],
)
def test_panel_names_what_does_not_fit(forecasts, options, words):
    with pytest.raises(InputError, match=words):
        backtest_panel(np.zeros((10, 2)), forecasts, **options)


def test_plots_show_what_they_should(true_model, panel):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    ax = true_model.plot()
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["VaR 97.5%", "ES 97.5%", f"{true_model.n_hits} hits, 12.5 expected"]
    dots = next(line for line in ax.lines if line.get_marker() == "o")
    assert len(dots.get_xdata()) == true_model.n_hits
    assert len(true_model.power.plot().patches) == len(true_model.power.powers)
    assert len(true_model.sequential[0].plot().lines) == 3
    _, _, result = panel
    heat = result.plot(test="Kupiec POF")
    numbers = [int(text.get_text()) for text in heat.texts]
    assert numbers == result.table("Kupiec POF", "hits").to_numpy().ravel().tolist()
    given = plt.subplots()[1]
    assert result.plot(given) is given


@pytest.mark.parametrize(
    ("days", "confidence", "hits", "answer"),
    [
        (1, 0.99, 0, "cannot say"),
        (60, 0.99, 0, "cannot say"),
        (60, 0.99, 1, "cannot say"),  # 0.6 expected
        (250, 0.99, 0, "cannot say"),  # a VaR that is never hit passes with a chance of 8 %
        (30, 0.95, 0, "cannot say"),
        (30, 0.95, 1, "yes"),
        (250, 0.99, 2, "yes"),
        (60, 0.99, 6, "NO"),  # too many show in any number of days
        (600, 0.99, 0, "NO"),  # and none shows in many
    ],
)
def test_a_number_of_hits_that_shows_nothing_is_not_called_correct(days, confidence, hits, answer):
    returns = np.where((np.arange(days) + 20) % 40 < hits / (days // 40 or 1), -0.05, 0.001)
    returns = np.where(np.cumsum(returns < 0) <= hits, returns, 0.001)
    result = backtest_var(returns, 0.02, confidence=confidence)
    said = {row[0]: row[1:] for row in result._rows()}
    assert result.n_hits == hits and said["correct number of hits?"][0] == answer
    if answer == "cannot say":
        text = f"{hits} hit{'s' * (hits != 1)} in {days} day{'s' * (days != 1)}"
        assert text in said["correct number of hits?"][1] and text in result.verdict and result.grade == "doubtful"
    assert (result.verdict == "No test rejects the forecast") == (answer == "yes")
    assert (said["Basel zone"][0] == "cannot say") == (days < 6)
