"""Historical and age-weighted VaR and ES, ranks, labels, results, and what is refused."""

import dataclasses
import inspect
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import var as naive

import riskkit as rk
from riskkit._check import InputError
from riskkit.var._inputs import DEFINITIONS, quantile_position
from riskkit.var._selection import order_statistics
from riskkit.var.estimate import estimate
from riskkit.var.method import Fit, Method
from riskkit.var.methods import METHODS as METHODS_BY_NAME

rng = np.random.default_rng(4)
RETURNS = 0.01 * rng.standard_t(4, 500)
TABLE = 0.01 * rng.standard_t(4, (300, 3))
LEVELS = [0.9, 0.95, 0.99]

# Hull (2018), Options, Futures and Other Derivatives, 10th ed., tables 22.3-22.5: 500 scenarios, the worst ranked
HULL = {494: 477_841, 339: 345_435, 349: 282_204, 329: 277_041, 487: 253_385, 227: 217_974, 131: 202_256,
        238: 201_389, 473: 191_269, 306: 191_050, 477: 185_127, 495: 184_450, 376: 182_707, 237: 180_105,
        365: 172_224}  # fmt: skip


def hull_returns():
    returns = np.full(500, -100_000.0)
    returns[np.array(list(HULL)) - 1] = [-loss for loss in HULL.values()]
    return returns


# Exact ranks


def test_ranks_are_exact_although_one_minus_confidence_is_not():
    assert math.ceil((1 - 0.95) * 100) == 6
    assert rk.var.order_statistics.var_rank(100, 0.95) == 5
    for thousandths in range(500, 1000):
        confidence = thousandths / 1000
        for n in (1, 7, 100, 250, 999, 1000, 12_500):
            exact = naive.tail_mass(confidence) * n
            assert rk.var.order_statistics.var_rank(n, confidence) == math.ceil(exact)
            assert rk.var.order_statistics.n_tail(n, confidence) == pytest.approx(float(exact), abs=0, rel=1e-12)
            assert rk.var.order_statistics.var_rank(n, 1 - (1 - confidence)) == math.ceil(exact), (
                "computed confidences are meant as decimals"
            )


@pytest.mark.parametrize("definition", sorted(set(DEFINITIONS) - {"floor_index"}))
def test_every_quantile_definition_is_numpys(definition):
    for n in (1, 2, 3, 10, 99, 250):
        x = RETURNS[:n]
        for p in (0.01, 0.025, 0.05, 0.1, 0.25, 0.4, 0.5):
            size = n * p
            if definition in ("inverted_cdf", "averaged_inverted_cdf", "closest_observation", "lower", "higher"):
                if abs(2 * size - round(2 * size)) < 1e-9 and 2 * size != round(2 * size):
                    continue  # numpy's own rounding decides there
            ours = rk.var.historical(x, 1 - p, quantile=definition).var
            assert ours == pytest.approx(-np.quantile(x, p, method=definition), rel=1e-13, abs=1e-18), (n, p)


def test_floor_index_is_the_sorted_return_at_int_np():
    for n in (10, 40, 250):
        for p in (0.01, 0.05, 0.1):
            assert (
                rk.var.historical(RETURNS[:n], 1 - p, quantile="floor_index").var
                == -np.sort(RETURNS[:n])[int(n * p + 1e-9)]
            )


def test_seven_percent_of_a_hundred_is_the_seventh_where_numpy_takes_the_eighth():
    x = -np.arange(100.0, 0.0, -1.0)
    assert rk.var.historical(x, 0.93).var == 94.0
    assert -np.quantile(x, 0.07, method="inverted_cdf") == 93.0


# VaR and ES that go together

samples = st.lists(st.integers(-20, 20).map(lambda i: i / 4), min_size=1, max_size=40)
levels = st.integers(100, 199).map(lambda i: i / 200)


@given(samples, levels)
@settings(max_examples=300, deadline=None)
def test_default_pair_against_exact_fractions(returns, confidence):
    risk = rk.var.historical(returns, confidence)
    assert risk.var == naive.inverted_cdf_var(returns, confidence)
    assert risk.es == pytest.approx(naive.tail_mass_es(returns, confidence), rel=1e-12, abs=1e-12)
    assert naive.es_as_mean_of_vars(returns, confidence) == pytest.approx(risk.es, rel=1e-12, abs=1e-12)
    assert risk.es >= risk.var - 1e-12


@given(samples, levels, st.integers(1, 5))
@settings(max_examples=100, deadline=None)
def test_es_does_not_change_when_every_observation_is_repeated(returns, confidence, times):
    again = rk.var.historical(returns * times, confidence)
    once = rk.var.historical(returns, confidence)
    assert (again.var, again.es) == (once.var, pytest.approx(once.es, rel=1e-12, abs=1e-12))


@given(samples, levels)
@settings(max_examples=100, deadline=None)
def test_equal_weights_are_no_weights(returns, confidence):
    weighted = rk.var.historical(returns, confidence, weights=np.full(len(returns), 3.0))
    plain = rk.var.historical(returns, confidence)
    assert weighted.var == plain.var
    assert weighted.es == pytest.approx(plain.es, rel=1e-11, abs=1e-12)


@given(samples, levels, st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_weights_against_the_twin(returns, confidence, random):
    weights = [random.choice([0.0, 0.5, 1.0, 2.5]) for _ in returns]
    weights[0] += 0.25
    var, es = naive.weighted_var_es(returns, weights, confidence)
    risk = rk.var.historical(returns, confidence, weights=weights)
    assert risk.es == pytest.approx(es, rel=1e-10, abs=1e-10)
    assert risk.var == var


def test_whole_weights_are_repeated_observations():
    weights = rng.integers(1, 5, len(RETURNS))
    for level in LEVELS:
        weighted = rk.var.historical(RETURNS, level, weights=weights)
        repeated = rk.var.historical(np.repeat(RETURNS, weights), level)
        assert weighted.var == repeated.var
        assert weighted.es == pytest.approx(repeated.es, rel=1e-12)


def test_es_definitions_of_others():
    losses = [5, 4, 4, 4, 3, 2, 1, 0, 0, 0]
    returns = [-loss for loss in losses]
    assert rk.var.historical(returns, 0.8).es == 4.5
    assert rk.var.historical(returns, 0.8, es="beyond").es == 5.0
    assert rk.var.historical(returns, 0.8, es="at_or_beyond").es == 4.25
    assert rk.var.historical(returns, 0.6, es="beyond_rank").es == (5 + 4 + 4) / 3
    assert rk.var.historical([0.0, 0.0], 0.5).es == 0.0 and math.copysign(1, rk.var.historical([0.0, 0.0], 0.5).es) == 1


def test_hulls_four_ways_of_one_table():
    returns = hull_returns()
    assert rk.var.historical(returns, 0.99).var == 253_385
    assert rk.var.historical(returns, 0.99, es="beyond_rank").es == pytest.approx(345_630.25)
    assert rk.var.historical(returns, 0.99).es == pytest.approx((4 * 345_630.25 + 253_385) / 5)
    weights = rk.var.order_statistics.age_weights(500, 0.995)
    assert weights[[493, 338, 348, 328, 486]].round(5).tolist() == [0.00528, 0.00243, 0.00255, 0.00231, 0.0051]
    aged = rk.var.age_weighted(returns, 0.99, decay=0.995)
    assert aged.var == 282_204
    assert aged.es == pytest.approx(400_914, abs=1)


def test_var_is_not_floored_at_zero():
    assert rk.var.historical([0.01, 0.02, 0.03], 0.95).var == -0.01
    assert rk.var.historical([0.01, 0.02, 0.03], 0.95).es == pytest.approx(-0.01, rel=1e-12)


def test_too_few_observations_answer_with_the_worst_loss():
    risk = rk.var.historical([-0.02, 0.01, 0.03], 0.99)
    assert (risk.var, risk.es) == (0.02, pytest.approx(0.02, rel=1e-15))


def test_age_weights():
    for decay in (0.5, 0.97, 0.995, 1.0):
        weights = rk.var.order_statistics.age_weights(250, decay)
        assert weights.sum() == pytest.approx(1.0, rel=1e-12)
        np.testing.assert_allclose(weights[:-1], decay * weights[1:], rtol=1e-12)
    for level in LEVELS:
        var, es = naive.weighted_var_es(RETURNS, [0.97 ** (500 - i) for i in range(1, 501)], level)
        risk = rk.var.age_weighted(RETURNS, level, decay=0.97)
        assert (risk.var, risk.es) == (var, pytest.approx(es, rel=1e-11))
    even = rk.var.age_weighted(RETURNS, 0.95, decay=1.0)
    assert even.var == rk.var.historical(RETURNS, 0.95).var


# Order statistics without sorting


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", ["smooth", "rounded", "coarse", "sorted", "reversed", "constant", "blocks"])
def test_order_statistics_are_those_of_sorting(order, kind):
    for n, columns in ((1, 1), (2, 3), (17, 40), (101, 5), (900, 33), (5000, 3)):
        x = rng.standard_normal((n, columns))
        x = {
            "smooth": x,
            "rounded": x.round(1),
            "coarse": x.round(0),
            "sorted": np.sort(x, axis=0),
            "reversed": np.sort(x, axis=0)[::-1],
            "constant": np.ones_like(x),
            "blocks": np.repeat(x[: n // 9 + 1], 9, axis=0)[:n],
        }[kind]
        table = np.array(x, order=order)
        before = table.copy()
        ordered = np.sort(table, axis=0)
        below = np.vstack([np.zeros(columns), np.cumsum(ordered, axis=0)])
        for ranks in ([0], [n - 1], sorted({0, n // 20, n // 20 + 1, n // 2, n - 1} & set(range(n)))):
            values, sums = order_statistics(table, ranks)
            np.testing.assert_array_equal(values, -ordered[ranks])
            np.testing.assert_allclose(-sums, below[ranks], rtol=1e-12, atol=1e-10)
        np.testing.assert_array_equal(table, before)


def test_a_read_only_table_will_do():
    table = TABLE.copy()
    table.flags.writeable = False
    np.testing.assert_allclose(rk.var.historical(table, 0.95).var, rk.var.historical(TABLE, 0.95).var, rtol=1e-12)
    wide = np.broadcast_to(RETURNS[:, None], (500, 2500))
    np.testing.assert_allclose(rk.var.historical(wide, 0.95).var, rk.var.historical(RETURNS, 0.95).var, rtol=1e-12)


# One call for many, labels


METHODS = {
    "historical": {},
    "age_weighted": {},
    "filtered_historical": {},
    "normal": {},
    "student_t": {"df": 5},
    "cornish_fisher": {"corrected": False, "out_of_domain": "allow"},
    "evt": {"tail_fraction": 0.2},
}


@pytest.mark.parametrize("method", METHODS)
def test_many_portfolios_and_confidences_in_one_call(method):
    options = METHODS[method]
    both = rk.var.value_at_risk(TABLE, LEVELS, method, **options)
    assert both.var.shape == both.es.shape == (3, 3)
    for i, level in enumerate(LEVELS):
        row = rk.var.value_at_risk(TABLE, level, method, **options)
        np.testing.assert_allclose(row.var, both.var[i], rtol=1e-12)
        for j in range(3):
            one = rk.var.value_at_risk(TABLE[:, j], level, method, **options)
            assert type(one.var) is float and type(one.es) is float
            assert all(type(value) is float for value in one.parameters.values())
            assert one.var == pytest.approx(both.var[i, j], rel=1e-12)
            assert one.es == pytest.approx(both.es[i, j], rel=1e-12)
    assert (both.es >= both.var).all()


@pytest.mark.parametrize("method", METHODS)
def test_labels_in_labels_out(method):
    options = METHODS[method]
    days = pd.date_range("2023-01-02", periods=300, freq="B")
    frame = pd.DataFrame(TABLE, index=days, columns=["a", "b", "c"])
    plain = rk.var.value_at_risk(TABLE, LEVELS, method, **options)
    many = rk.var.value_at_risk(frame, LEVELS, method, **options)
    assert list(many.var.columns) == ["a", "b", "c"] and many.var.index.tolist() == LEVELS
    np.testing.assert_allclose(many.var, plain.var, rtol=1e-12)
    one_level = rk.var.value_at_risk(frame, 0.95, method, **options)
    assert isinstance(one_level.es, pd.Series) and one_level.es.index.tolist() == ["a", "b", "c"]
    one_series = rk.var.value_at_risk(frame["b"], LEVELS, method, **options)
    assert one_series.var.index.tolist() == LEVELS
    assert one_series.var[0.95] == pytest.approx(many.var.loc[0.95, "b"], rel=1e-12)
    assert type(rk.var.value_at_risk(frame["b"], 0.95, method, **options).var) is float
    assert isinstance(rk.var.value_at_risk(TABLE, 0.95, method, **options).var, np.ndarray)


def test_frames_of_integers_lists_and_money():
    frame = pd.DataFrame({"a": [-5, 1, 2, 3], "b": [4, -8, 1, 1]})
    assert rk.var.historical(frame, 0.75).var.to_dict() == {"a": 5.0, "b": 8.0}
    assert rk.var.historical(frame.astype("Float64"), 0.75).var.to_dict() == {"a": 5.0, "b": 8.0}
    assert rk.var.historical([[-5, 4], [1, -8], [2, 1], [3, 1]], 0.75).var.tolist() == [5.0, 8.0]


def test_direct_functions_are_the_named_methods():
    pairs = {
        "historical": rk.var.historical,
        "age_weighted": rk.var.age_weighted,
        "filtered_historical": rk.var.filtered_historical,
        "normal": rk.var.normal,
        "student_t": rk.var.student_t,
        "cornish_fisher": rk.var.cornish_fisher,
        "evt": rk.var.evt,
    }
    for method, function in pairs.items():
        named, direct = (
            rk.var.value_at_risk(TABLE, 0.95, method, **METHODS[method]),
            function(TABLE, 0.95, **METHODS[method]),
        )
        np.testing.assert_array_equal(named.var, direct.var)
        np.testing.assert_array_equal(named.es, direct.es)
        assert repr(named) == repr(direct)


def test_the_caller_s_array_is_left_alone():
    for method, options in METHODS.items():
        mine = TABLE.copy()
        risk = rk.var.value_at_risk(mine, LEVELS, method, **options)
        np.testing.assert_array_equal(mine, TABLE)
        assert not np.shares_memory(risk.var, mine)


# Results


def test_to_frame_of_every_shape():
    assert rk.var.historical(RETURNS, 0.95).to_frame().shape == (1, 2)
    assert rk.var.historical(RETURNS, LEVELS).to_frame().index.tolist() == LEVELS
    names = pd.DataFrame(TABLE, columns=["a", "b", "c"])
    assert rk.var.historical(names, 0.95).to_frame().index.tolist() == ["a", "b", "c"]
    both = rk.var.historical(names, LEVELS).to_frame()
    assert both.loc[(0.99, "b"), "es"] == rk.var.historical(TABLE[:, 1], 0.99).es
    assert rk.var.historical(TABLE, [0.95]).to_frame().shape == (3, 2)


def test_results_print_and_plot():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    risk = rk.var.value_at_risk(RETURNS, 0.95, interval="order_statistics")
    text = repr(risk)
    assert "VaR 95%" in text and "90%" in text and "<table>" in risk._repr_html_()
    assert "portfolio 2" in repr(rk.var.historical(TABLE * [1, 1, 9], 0.95))
    ax = risk.plot()
    assert sum(bar.get_height() for bar in ax.containers[1]) == (RETURNS < -risk.var).sum(), "the tail is shaded"
    assert [text.get_text().split(" ")[:2] for text in ax.texts] == [["VaR", "95%:"], ["ES", "95%:"]]
    for chosen in (rk.var.normal(TABLE, LEVELS), rk.var.value_at_risk(RETURNS, LEVELS, interval="asymptotic")):
        ax = chosen.plot()
        heights = [bar.get_height() for bar in ax.patches]
        assert heights[: len(heights) // 2] == pytest.approx(chosen.to_frame()["var"].tolist())
        plt.close(ax.figure)


# What is refused, in one sentence


BAD = [
    ([], "empty"),
    (np.empty((0, 3)), "empty"),
    ([[]], "empty"),
    ([0.01, np.nan], "nan at position 1"),
    ([[0.01, 0.02], [0.03, np.inf]], r"inf at position \(1, 1\)"),
    (np.full((2500, 3), np.nan), "nan"),
    (["a", "b"], "not a number"),
    (np.zeros((2, 2, 2)), "shape"),
    (0.01, "shape"),
]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("returns", "words"), BAD, ids=range(len(BAD)))
def test_returns_that_do_not_fit(method, returns, words):
    with pytest.raises(InputError, match=words):
        rk.var.value_at_risk(returns, 0.95, method, **METHODS[method])


@pytest.mark.parametrize("returns", [[0.01, np.nan], [[0.01, 0.02], [0.03, -np.inf]]])
def test_direct_historical_calls_see_nan_too(returns):
    for definition in ("tail_mass", "beyond", "at_or_beyond", "beyond_rank"):
        with pytest.raises(InputError, match="nan|inf"):
            rk.var.historical(returns, 0.75, es=definition)
    with pytest.raises(InputError, match="nan|inf"):
        rk.var.historical(pd.DataFrame(returns), 0.75)
    with pytest.raises(InputError, match="nan|inf"):
        rk.var.evar(returns, 0.75)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"confidence": 95}, "use 0.95"),
        ({"confidence": 1.0}, "between 0 and 1"),
        ({"confidence": []}, "one number or a sequence"),
        ({"confidence": [0.9, 2]}, "confidence=2"),
        ({"confidence": [[0.9]]}, "shape"),
        ({"method": "magic"}, "'historical', 'age_weighted'"),
        ({"decay": 0.9}, "no option 'decay'; it takes quantile, es, weights"),
        ({"quantile": "type7"}, "'linear'"),
        ({"es": "average"}, "'tail_mass'"),
        ({"weights": [1.0]}, "has 1 value and"),
        ({"weights": [-1.0] * 500}, "at least zero"),
        ({"weights": [0.0] * 500}, "not all zero"),
        ({"weights": [np.nan] * 500}, "nan"),
        ({"weights": [1.0] * 500, "quantile": "linear"}, "weights go with"),
        ({"es": "beyond", "confidence": 0.999}, "no loss is beyond"),
        ({"es": "beyond_rank", "confidence": 0.999}, "no loss is beyond"),
        ({"method": "age_weighted", "decay": 1.5}, "above 0 and at most 1"),
        ({"method": "age_weighted", "decay": 0}, "above 0 and at most 1"),
    ],
)
def test_arguments_that_do_not_fit(arguments, words):
    with pytest.raises(InputError, match=words) as caught:
        rk.var.value_at_risk(RETURNS, **arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("method", ["historical", "age_weighted", "filtered_historical", "normal"])
def test_constant_returns_have_an_answer(method):
    risk = rk.var.value_at_risk([-0.01] * 60, 0.95, method)
    assert risk.var == pytest.approx(0.01, rel=1e-12)
    assert risk.es == pytest.approx(risk.var, rel=1e-12)


@pytest.mark.parametrize(
    ("method", "words"),
    [("student_t", "a third or more"), ("cornish_fisher", "are constant"), ("evt", "losses over the threshold")],
)
def test_constant_returns_that_have_none(method, words):
    with pytest.raises(InputError, match=words):
        rk.var.value_at_risk([-0.01] * 60, 0.95, method)


def test_one_row():
    assert rk.var.historical([-0.02], 0.95).es == 0.02
    assert rk.var.age_weighted([-0.02], 0.95).var == 0.02
    with pytest.raises(InputError, match="ddof=1 needs at least 2"):
        rk.var.normal([-0.02], 0.95)
    assert rk.var.normal([-0.02], 0.95, ddof=0).var == 0.02
    with pytest.raises(InputError, match="at least 3"):
        rk.var.student_t([-0.02], 0.95)


# The registry: a method is declared in its file, and named once


FUNCTIONS = {
    "historical": rk.var.historical,
    "age_weighted": rk.var.age_weighted,
    "filtered_historical": rk.var.filtered_historical,
    "normal": rk.var.normal,
    "student_t": rk.var.student_t,
    "cornish_fisher": rk.var.cornish_fisher,
    "evt": rk.var.evt,
}


@pytest.mark.parametrize("name", METHODS_BY_NAME)
def test_the_function_of_a_method_takes_its_options(name):
    method = METHODS_BY_NAME[name]
    assert issubclass(method, Method)
    options = {field.name for field in dataclasses.fields(method)} - {"refit_every"}  # of rolling forecasts only
    assert {"returns", "confidence", *options} == set(inspect.signature(FUNCTIONS[name]).parameters)


def test_default_models_are_those_that_the_methods_declare():
    assert list(rk.var.DEFAULT_MODELS) == [
        *("historical 250", "historical 500", "historical 1000", "filtered historical", "normal", "normal EWMA"),
    ]
    assert all(set(model) >= {"method", "window"} for model in rk.var.DEFAULT_MODELS.values())


def test_a_method_without_formulas_has_the_defaults_of_the_interface():
    @dataclasses.dataclass(frozen=True)
    class Worst(Method):
        title = "worst loss"

        def fit(self, table, confidences):
            worst = np.tile(-table.min(axis=0), (len(confidences), 1))
            return Fit(worst, worst, {})

    method = Worst()
    assert (method.horizon, method.ordered, method.var_is_order_statistic) == (1, False, False)
    var, es = method.roll(TABLE, 60, (0.9, 0.95))
    assert var.shape == es.shape == (2, len(TABLE) - 59, 3)
    np.testing.assert_array_equal(var[0, -1], -TABLE[-60:].min(axis=0))
    assert method.standard_errors(TABLE, method.fit(TABLE, (0.9,)), (0.9,)) is None
    assert estimate(method, TABLE, 0.9).method == "worst loss"


@pytest.mark.parametrize("definition", sorted(DEFINITIONS))
def test_no_quantile_lies_before_the_first_or_beyond_the_last_observation(definition):
    for n in (1, 2, 3, 4, 7, 50):
        for confidence in (0.5, 0.51, 0.75, 0.999):
            found = quantile_position(definition, n, confidence)
            assert 0 <= found.rank + found.weight <= n - 1 and 0 <= found.weight < 1
