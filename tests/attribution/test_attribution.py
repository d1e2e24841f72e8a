import math
from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import attribution as naive

from riskkit import attribution, compat
from riskkit._check import InputError
from riskkit.attribution.order_weights import order_weights
from riskkit.covariance import sample_covariance
from riskkit.var._inputs import DEFINITIONS
from riskkit.var.cornish_fisher_expansion import cornish_fisher
from riskkit.var.historical_simulation import historical
from riskkit.var.parametric import quantile_multiplier

ASSETS = list("ABCD")
RETURNS = (
    np.random.default_rng(3).standard_t(4, (250, 4))
    * 0.01
    @ np.array([[1.0, 0.3, 0.0, 0.1], [0.0, 1.0, 0.5, 0.2], [0.0, 0.0, 1.0, -0.4], [0.0, 0.0, 0.0, 2.0]])
)
COVARIANCE = sample_covariance(RETURNS)
MEAN = RETURNS.mean(axis=0)
BOOK = np.array([1000.0, -500.0, 300.0, 200.0])
FRAME = pd.DataFrame(RETURNS, columns=ASSETS)
TABLE = pd.DataFrame(COVARIANCE, index=ASSETS, columns=ASSETS)
JORION = (np.array([2e6, 1e6]), np.diag([0.05**2, 0.12**2]))


@st.composite
def books(draw):
    """A random book against a random covariance matrix."""
    n = draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    root = rng.normal(size=(n, n + 2)) * 0.01
    return rng.normal(size=n) * 10.0 ** draw(st.integers(0, 6)), root @ root.T


# closed forms


def test_published_two_asset_book():
    # Jorion, Value at Risk, 3rd ed., chapter 7: CAD 2m at 5 %, EUR 1m at 12 %, uncorrelated, z = 1.65
    assert attribution.portfolio(*JORION, confidence=0.95, z=1.65) == pytest.approx(257_738, abs=1)
    np.testing.assert_allclose(attribution.marginal(*JORION, confidence=0.95, z=1.65), [0.0528, 0.1521], atol=6e-5)
    np.testing.assert_allclose(attribution.component(*JORION, confidence=0.95, z=1.65), [105_630, 152_108], atol=1.5)
    np.testing.assert_allclose(attribution.standalone(*JORION, confidence=0.95, z=1.65), [165_000, 198_000], atol=1e-6)
    assert attribution.incremental(*JORION, [10_000, 0], confidence=0.95, z=1.65) == pytest.approx(529, abs=1)


@pytest.mark.parametrize("mean", [None, MEAN])
@pytest.mark.parametrize("measure", ["var", "es"])
def test_risk_and_margins_against_plain(measure, mean):
    def risk(book):
        return naive.normal_risk(book, COVARIANCE, 0.975, measure, mean)

    total, margin, part = (
        partial(function, measure=measure)
        for function in (attribution.portfolio, attribution.marginal, attribution.component)
    )
    assert total(BOOK, COVARIANCE, 0.975, mean=mean) == pytest.approx(risk(BOOK), rel=1e-12)
    assert isinstance(total(BOOK, COVARIANCE), float)
    np.testing.assert_allclose(margin(BOOK, COVARIANCE, 0.975, mean=mean), naive.slopes(risk, BOOK, 1e-2), rtol=1e-6)
    np.testing.assert_allclose(part(BOOK, COVARIANCE, 0.975, mean=mean).sum(), risk(BOOK), rtol=1e-12)


@settings(max_examples=60, deadline=None)
@given(books(), st.sampled_from([0.9, 0.95, 0.99]), st.sampled_from([None, 4.0]))
def test_components_add_up_and_no_position_adds_more_than_alone(case, confidence, nu):
    book, covariance = case
    component = attribution.component(book, covariance, confidence, df=nu)
    total = attribution.portfolio(book, covariance, confidence, df=nu)
    np.testing.assert_allclose(component.sum(), total, rtol=1e-10)
    alone = attribution.standalone(book, covariance, confidence, df=nu)
    assert (component <= alone + 1e-12 * alone.sum()).all()
    np.testing.assert_allclose(
        attribution.component(book, covariance, measure="volatility") * total,
        component * total / (quantile_multiplier(confidence, df=nu)),
        rtol=1e-9,
        atol=1e-12 * total**2,
    )


def test_student_t_is_scaled_to_the_covariance():
    factor = (
        attribution.portfolio(BOOK, COVARIANCE, 0.99, df=5.0)
        / attribution.component(BOOK, COVARIANCE, measure="volatility").sum()
    )
    assert factor == pytest.approx(3.36493 * math.sqrt(3 / 5), rel=1e-6)  # t tables: 3.36493 at 99 %, 5 degrees
    assert attribution.portfolio(BOOK, COVARIANCE, 0.99, df=5.0, measure="es") > attribution.portfolio(
        BOOK, COVARIANCE, 0.99, measure="es"
    )


def test_labels_are_matched_by_name_and_come_back():
    shuffled = pd.Series(BOOK, index=ASSETS)[["C", "A", "D", "B"]]
    component = attribution.component(shuffled, TABLE)
    assert list(component.index) == ASSETS
    np.testing.assert_allclose(component, attribution.component(BOOK, COVARIANCE))
    partial = attribution.marginal(pd.Series({"B": 10.0}), TABLE)
    np.testing.assert_allclose(partial, attribution.marginal([0, 10.0, 0, 0], COVARIANCE))
    assert list(attribution.component(pd.Series(BOOK, index=ASSETS), COVARIANCE).index) == ASSETS
    np.testing.assert_allclose(
        attribution.marginal(shuffled, TABLE, mean=pd.Series(MEAN, index=ASSETS)[::-1]),
        attribution.marginal(BOOK, COVARIANCE, mean=MEAN),
    )


def test_memory_order_and_type_of_the_matrix_do_not_matter():
    expected = attribution.component(BOOK, COVARIANCE)
    np.testing.assert_allclose(attribution.component(BOOK, np.asfortranarray(COVARIANCE)), expected, rtol=1e-13)
    np.testing.assert_allclose(attribution.component(BOOK.tolist(), COVARIANCE.tolist()), expected, rtol=1e-13)
    wide = np.zeros((4, 8))
    wide[:, ::2] = COVARIANCE
    np.testing.assert_allclose(attribution.component(BOOK, wide[:, ::2]), expected, rtol=1e-13)
    assert attribution.component([2], [[4]], 0.95)[0] == pytest.approx(4 * 1.6448536)


def broken(i, j, value):
    matrix = COVARIANCE.copy()
    matrix[i, j] = value
    return matrix


@pytest.mark.parametrize(
    ("positions", "covariance", "message"),
    [
        (BOOK, broken(0, 3, np.nan), "covariance holds nan"),
        (BOOK, broken(3, 0, np.inf), "covariance holds inf"),
        (BOOK * 0, broken(3, 0, np.nan), "covariance holds nan"),
        ([1.0, np.nan, 0, 0], COVARIANCE, "positions holds nan"),
        (BOOK, broken(0, 3, 0.5), "not symmetric"),
        (BOOK, broken(1, 1, -0.1), "negative variance"),
        ([1.0, -1.0], [[1.0, 2.0], [2.0, 1.0]], "negative variance -2"),
        (BOOK[:3], COVARIANCE, "shape"),
        (BOOK, COVARIANCE[:3], "shape"),
        ([], np.empty((0, 0)), "empty"),
        (BOOK * 1e200, COVARIANCE * 1e200, "overflows"),
        ("no numbers", COVARIANCE, "not a number"),
        (pd.Series({"Z": 1.0}), TABLE, "'Z'"),
        (BOOK, TABLE.rename(index={"A": "Z"}), "other names on its rows"),
    ],
)
def test_bad_books_are_refused_in_one_sentence(positions, covariance, message):
    with np.errstate(all="ignore"), pytest.raises(InputError, match=message):
        attribution.component(positions, covariance)


def test_large_matrices_are_checked_too():
    rng = np.random.default_rng(6)
    root = rng.normal(size=(203, 210))
    covariance, book = root @ root.T, rng.normal(size=203)
    expected = book * (covariance @ book) / math.sqrt(book @ covariance @ book) * 1.65
    np.testing.assert_allclose(attribution.component(book, covariance, confidence=0.95, z=1.65), expected, rtol=1e-10)
    np.testing.assert_allclose(
        attribution.component(book, pd.DataFrame(covariance), confidence=0.95, z=1.65), expected, rtol=1e-10
    )
    for wrong in (np.tril(covariance), np.triu(covariance), np.linalg.cholesky(covariance)):
        with pytest.raises(InputError, match="not symmetric"):
            attribution.component(book, wrong)
    for i, j in ((0, 202), (202, 0), (101, 77), (77, 101)):
        dirty = covariance.copy()
        dirty[i, j] = np.nan
        for held in (book, np.zeros(203)):
            with pytest.raises(InputError, match="holds nan"):
                attribution.component(held, dirty)


def test_bad_options_are_refused():
    for options in (
        {"confidence": 95},
        {"confidence": [0.95, 0.99]},
        {"confidence": "0.95"},
        {"z": np.nan},
        {"df": 2.0},
        {"mean": [0.1]},
        {"mean": [np.nan] * 4},
    ):
        with pytest.raises(InputError):
            attribution.component(BOOK, COVARIANCE, **options)


def test_a_book_without_variance_has_no_components():
    hedged = [1.0, -1.0]
    covariance = np.full((2, 2), 0.0001) * 1.7
    assert attribution.portfolio(hedged, covariance) == 0.0
    assert attribution.component(hedged, covariance).tolist() == [0.0, -0.0]
    assert attribution.marginal([0.0, 0.0], covariance, mean=[0.1, 0.2]).tolist() == [-0.1, -0.2]
    assert attribution.component([0.0], [[0.0]], measure="volatility").tolist() == [0.0]
    assert attribution.incremental([0.0, 0.0], covariance, [1.0, 0.0], confidence=0.84, z=1.0) == pytest.approx(
        math.sqrt(0.00017)
    )


# from a sample


@pytest.mark.parametrize("measure", ["var", "es", "volatility"])
def test_sample_attribution_is_the_closed_form_of_the_moments(measure):
    split = attribution.parametric(BOOK, FRAME, 0.95, measure=measure)
    expected = attribution.component(BOOK, COVARIANCE, 0.95, measure=measure, mean=MEAN)
    np.testing.assert_allclose(split.component, expected, rtol=1e-10)
    assert list(split.component.index) == ASSETS
    assert split.total == pytest.approx(expected.sum(), rel=1e-12)
    zero = attribution.parametric(BOOK, FRAME, 0.95, measure=measure, mean="zero", ddof=0)
    about_zero = RETURNS.T @ RETURNS / len(RETURNS)
    scale = {"var": 1.6448536269514722, "es": 2.0627128075074256, "volatility": 1.0}[measure]
    assert zero.total == pytest.approx(scale * math.sqrt(BOOK @ about_zero @ BOOK), rel=1e-10)


@pytest.mark.parametrize("mean", ["sample", "zero"])
def test_parametric_standard_errors_are_those_of_leaving_one_out(mean):
    split = attribution.parametric(BOOK, RETURNS, 0.95, mean=mean)

    def component(rows):
        return np.asarray(attribution.parametric(BOOK, rows, 0.95, mean=mean).component)

    errors = naive.jackknife(component, RETURNS)
    np.testing.assert_allclose(split.standard_error, errors, rtol=0.05)
    assert split.total_standard_error == pytest.approx(naive.jackknife(lambda x: component(x).sum(), RETURNS), rel=0.05)


def test_given_mean_and_degrees_of_freedom():
    split = attribution.parametric(BOOK, RETURNS, 0.99, mean=np.full(4, 0.01), df=4.0)
    expected = attribution.component(BOOK, COVARIANCE, 0.99, mean=np.full(4, 0.01), df=4.0)
    np.testing.assert_allclose(split.component, expected, rtol=1e-10)
    assert "df = 4" in repr(split)
    flat = attribution.parametric([0.0] * 4, RETURNS)
    assert flat.total == 0.0
    assert flat.total_standard_error == 0.0
    with pytest.raises(InputError, match="total risk is zero"):
        flat.share  # noqa: B018


# Cornish-Fisher


def test_cornish_fisher_components_against_slopes_of_the_modified_var():
    options = {"corrected": False, "out_of_domain": "allow"}
    split = attribution.cornish_fisher(BOOK, FRAME, 0.95, standardised_by="volatility", **options)
    slopes = naive.slopes(lambda book: naive.modified_var(book, RETURNS, 0.95), BOOK, 0.01)
    np.testing.assert_allclose(split.component, BOOK * slopes, rtol=1e-6)
    assert split.total == pytest.approx(naive.modified_var(BOOK, RETURNS, 0.95), rel=1e-12)


@pytest.mark.parametrize("corrected", [True, False])
def test_cornish_fisher_components_are_those_of_cornish_fisher_risk(corrected):
    returns = np.random.default_rng(1).gamma(4.0, size=(400, 3)) * -0.01
    book = np.array([10.0, 20.0, 5.0])

    def risk(positions):
        return cornish_fisher(returns @ positions, 0.99, corrected=corrected).var

    split = attribution.cornish_fisher(book, returns, 0.99, corrected=corrected)
    assert split.total == pytest.approx(risk(book), rel=1e-10)
    np.testing.assert_allclose(split.component, book * naive.slopes(risk, book, 1e-3), rtol=1e-5)


def test_cornish_fisher_refuses_what_has_no_answer():
    with pytest.raises(InputError, match="P&L is constant"):
        attribution.cornish_fisher([1.0, -1.0], np.repeat([[0.1], [0.2], [-0.1]], 2, axis=1))
    with pytest.raises(InputError, match="skewness"):
        attribution.cornish_fisher([1.0], [[0.0]] * 50 + [[-1.0]], corrected=False)
    with pytest.raises(InputError, match="standardised_by"):
        attribution.cornish_fisher(BOOK, RETURNS, standardised_by="nothing")


# historical


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
@pytest.mark.parametrize(
    ("options", "weights"),
    [
        ({}, naive.harrell_davis_weights),
        ({"estimator": "kernel"}, lambda n, c: naive.kernel_weights(n, c, math.sqrt(c * (1 - c) / (n + 1)))),
        ({"estimator": "kernel", "bandwidth": 0.02}, lambda n, c: naive.kernel_weights(n, c, 0.02)),
        ({"measure": "es"}, naive.tail_mass_weights),
    ],
    ids=["harrell_davis", "kernel", "kernel of a given width", "tail mass"],
)
def test_historical_components_and_errors_against_plain(options, weights, confidence):
    rows = RETURNS[:60]
    split = attribution.historical(BOOK, rows, confidence, **options)
    mass = weights(len(rows), confidence)
    np.testing.assert_allclose(split.component, naive.weighted_components(BOOK, rows, mass), rtol=1e-7, atol=1e-9)
    fewer = weights(len(rows) - 1, confidence)
    if options.get("measure") == "es":
        near_var = attribution.historical(BOOK, rows, confidence).component
        errors = naive.es_component_errors(BOOK, rows, mass, near_var)
        whole = naive.es_component_errors([1.0], -rows @ BOOK[:, None] * -1.0, mass, [near_var.sum()])[0]
    else:
        whole = naive.jackknife(
            lambda sample: np.sort(-sample @ BOOK) @ (mass if len(sample) == len(rows) else fewer), rows
        )
        errors = naive.var_component_errors(BOOK, rows, mass, whole)
    assert split.total_standard_error == pytest.approx(whole, rel=1e-6)
    np.testing.assert_allclose(split.standard_error, errors, rtol=1e-6)
    assert split.effective_scenarios == pytest.approx(1.0 / np.square(mass).sum(), rel=1e-6)


@pytest.mark.parametrize("measure", ["var", "es"])
def test_standard_errors_say_how_far_components_scatter(measure):
    rng = np.random.default_rng(17)
    found, errors, totals, total_errors = [], [], [], []
    for _ in range(400):
        rows = rng.normal(0, 0.01, (500, 3)) * np.sqrt(5.0 / rng.chisquare(5.0, (500, 1)))
        rows[:, 2] = np.abs(rows[:, 2]) ** 1.5 - rows[:, 0]  # not linear in the rest
        split = attribution.historical([100.0, 50.0, 80.0], rows, 0.95, measure=measure)
        found.append(split.component)
        errors.append(split.standard_error)
        totals.append(split.total)
        total_errors.append(split.total_standard_error)
    np.testing.assert_allclose(np.mean(errors, axis=0), np.std(found, axis=0), rtol=0.12)
    assert np.mean(total_errors) == pytest.approx(np.std(totals), rel=0.12)


def test_ties_are_shared_whatever_the_order_of_the_rows():
    rng = np.random.default_rng(5)
    rows = rng.integers(-3, 4, (40, 3)) * 0.01  # many scenarios with the same loss of the book
    book = np.array([1.0, 1.0, 1.0]) * 128
    for options, weights in (({}, naive.harrell_davis_weights), ({"measure": "es"}, naive.tail_mass_weights)):
        split = attribution.historical(book, rows * 100 / 128, 0.9, **options)

        expected = naive.weighted_components(book, rows * 100 / 128, weights(len(rows), 0.9))
        np.testing.assert_allclose(split.component, expected, rtol=1e-9)
        shuffled = attribution.historical(book, rng.permutation(rows) * 100 / 128, 0.9, **options)
        np.testing.assert_allclose(shuffled.component, split.component, rtol=1e-12)
        np.testing.assert_allclose(shuffled.standard_error, split.standard_error, rtol=1e-12)


@pytest.mark.parametrize("definition", sorted(DEFINITIONS))
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.99])
def test_every_quantile_definition_can_be_split_or_matched(definition, confidence):
    expected = historical(RETURNS @ BOOK, confidence, quantile=definition).var
    split = attribution.historical(BOOK, RETURNS, confidence, estimator=definition)
    assert split.total == pytest.approx(expected, rel=1e-10)
    assert split.standard_error is None
    assert 1.0 <= split.effective_scenarios <= 2.0 + 1e-12
    matched = attribution.historical(BOOK, RETURNS, confidence, match=definition)
    assert matched.total == pytest.approx(expected, rel=1e-12)
    plain = attribution.historical(BOOK, RETURNS, confidence)
    np.testing.assert_allclose(matched.share, plain.share, rtol=1e-12)
    np.testing.assert_allclose(matched.standard_error / plain.standard_error, abs(expected / plain.total), rtol=1e-10)


def test_tail_mass_components_sum_to_the_historical_es():
    for n in (20, 24, 250):
        split = attribution.historical(BOOK, RETURNS[:n], 0.95, measure="es")
        assert split.total == pytest.approx(historical(RETURNS[:n] @ BOOK, 0.95).es, rel=1e-12)


def test_a_single_scenario_is_that_day():
    split = attribution.historical(BOOK, FRAME, 0.95, estimator="inverted_cdf")
    day = np.argsort(RETURNS @ BOOK, kind="stable")[12]  # the 13th worst of 250, ceil(12.5)
    np.testing.assert_allclose(split.component, -BOOK * RETURNS[day], rtol=1e-12)
    assert split.effective_scenarios == 1.0


def test_smooth_components_vary_less_than_those_of_a_single_day():
    rng = np.random.default_rng(11)
    shares = {"harrell_davis": [], "kernel": [], "inverted_cdf": []}
    errors = []
    for _ in range(200):
        rows = rng.normal(0, 0.01, (500, 2))
        for estimator, found in shares.items():
            split = attribution.historical([100.0, 100.0], rows, 0.95, estimator=estimator)
            found.append(split.component[0])
            if estimator == "harrell_davis":
                errors.append(split.standard_error[0])
    spread = {name: np.std(found) for name, found in shares.items()}
    assert spread["harrell_davis"] < 0.4 * spread["inverted_cdf"]
    assert spread["kernel"] == pytest.approx(spread["harrell_davis"], rel=0.05)
    assert np.mean(errors) == pytest.approx(spread["harrell_davis"], rel=0.2)  # and the error says how much
    assert np.mean(shares["harrell_davis"]) == pytest.approx(100 * 0.01 * 1.645 / math.sqrt(2), rel=0.03)


def test_profit_and_loss_per_position_may_come_ready():
    ready = FRAME * BOOK
    split = attribution.historical(None, ready, 0.95)
    np.testing.assert_allclose(split.component, attribution.historical(BOOK, FRAME, 0.95).component, rtol=1e-10)
    assert list(split.component.index) == ASSETS
    assert split.positions is None
    with pytest.raises(InputError, match="positions are unknown"):
        split.marginal  # noqa: B018


def test_constant_and_tiny_samples_have_a_defined_answer():
    constant = attribution.historical([1.0, 2.0], np.full((10, 2), -0.01), 0.95)
    np.testing.assert_allclose(constant.component, [0.01, 0.02], rtol=1e-12)
    np.testing.assert_allclose(constant.standard_error, 0.0, atol=1e-15)
    two = attribution.historical([1.0], [[0.01], [-0.03]], 0.99, measure="es")
    assert two.total == pytest.approx(0.03)
    for sample, message in (([[0.01]], "1 observation"), ([[np.nan], [0.1]], "nan"), ([], "empty")):
        with pytest.raises(InputError, match=message):
            attribution.historical([1.0], sample)
    for options in ({"estimator": "nonsense"}, {"measure": "volatility"}, {"measure": "es", "estimator": "kernel"}):
        with pytest.raises(InputError):
            attribution.historical(BOOK, RETURNS, **options)
    with pytest.raises(InputError, match="bandwidth"):
        attribution.historical(BOOK, RETURNS, estimator="kernel", bandwidth=0.0)
    with pytest.raises(InputError, match="no factor fits"):
        attribution.historical([1.0], [[-0.01], [0.5], [0.5], [0.5]], 0.75, match="inverted_cdf")


def test_mean_loss_beyond_a_threshold():
    split = attribution.scenarios(BOOK, FRAME, 20.0)
    beyond = -(RETURNS @ BOOK) > 20.0
    parts = -RETURNS[beyond] * BOOK
    np.testing.assert_allclose(split.component, parts.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(split.standard_error, parts.std(axis=0, ddof=1) / math.sqrt(beyond.sum()), rtol=1e-12)
    assert split.effective_scenarios == beyond.sum()
    assert "beyond 20" in repr(split)
    with pytest.raises(InputError, match="not exceeded"):
        attribution.scenarios(BOOK, FRAME, 1e6)
    single = attribution.scenarios([1.0], [[-0.5], [0.1]], 0.2)
    assert single.total == 0.5
    assert single.standard_error is None


def test_weights_are_a_distribution_over_ranks():
    for estimator in ("harrell_davis", "kernel", "tail_mass", "linear", "inverted_cdf", "higher"):
        for n, confidence in ((2, 0.99), (5, 0.5), (250, 0.95), (1000, 0.999)):
            weights = order_weights(n, confidence, estimator)
            mass = np.diff(weights.cumulative(np.arange(n + 1)))
            assert mass.sum() == pytest.approx(1.0, abs=1e-12)
            assert (mass >= -1e-16).all()


# incremental


def one_by_one(risk, trades):
    before = risk(BOOK)
    return np.array([risk(BOOK + trade) - before for trade in trades])


@pytest.mark.parametrize("mean", [None, MEAN])
def test_incremental_risk_of_many_trades_is_the_loop(mean):
    trades = np.random.default_rng(2).normal(0, 400, (30, 4))
    for measure in ("var", "es"):
        ours = partial(attribution.incremental, measure=measure)
        expected = one_by_one(lambda book, m=measure: naive.normal_risk(book, COVARIANCE, 0.99, m, mean), trades)
        np.testing.assert_allclose(ours(BOOK, COVARIANCE, trades, 0.99, mean=mean), expected, rtol=1e-9, atol=1e-9)
        single = ours(BOOK, COVARIANCE, trades[0], 0.99, mean=mean)
        assert isinstance(single, float)
        assert single == pytest.approx(expected[0], rel=1e-9)


def test_without_trades_each_position_is_taken_out():
    whole = attribution.portfolio(BOOK, COVARIANCE)
    expected = [whole - attribution.portfolio(np.where(np.arange(4) == i, 0.0, BOOK), COVARIANCE) for i in range(4)]
    np.testing.assert_allclose(attribution.incremental(BOOK, COVARIANCE), expected, rtol=1e-10)
    np.testing.assert_allclose(attribution.incremental(BOOK, TABLE, mean=MEAN), [
        attribution.portfolio(BOOK, COVARIANCE, mean=MEAN)
        - attribution.portfolio(np.where(np.arange(4) == i, 0.0, BOOK), COVARIANCE, mean=MEAN)
        for i in range(4)
    ], rtol=1e-10)  # fmt: skip
    # component is not incremental, nor does incremental add up
    assert attribution.incremental(BOOK, COVARIANCE).sum() != pytest.approx(whole, rel=0.05)


def test_what_is_not_held_adds_nothing_and_not_minus_nothing():
    book = np.array([1000.0, 0.0, 300.0, 0.0])
    found = attribution.incremental(book, COVARIANCE)
    assert not np.signbit(found[[1, 3]]).any() and (found[[1, 3]] == 0.0).all() and found[0] != 0.0


def test_trades_in_one_instrument_each():
    amounts = np.array([100.0, -200.0, 50.0])
    trades = np.zeros((3, 4))
    trades[[0, 1, 2], [3, 1, 3]] = amounts
    expected = attribution.incremental(BOOK, COVARIANCE, trades, mean=MEAN)
    numbered = attribution.incremental(BOOK, COVARIANCE, amounts, instruments=[3, 1, 3], mean=MEAN, by="instrument")
    np.testing.assert_allclose(numbered, expected, rtol=1e-11)
    named = attribution.incremental(BOOK, TABLE, amounts, instruments=["D", "B", "D"], mean=MEAN, by="instrument")
    np.testing.assert_allclose(named, expected, rtol=1e-11)
    assert isinstance(numbered, np.ndarray) and named.index.tolist() == ["D", "B", "D"]
    chosen = pd.Series(["D", "B", "D"], index=["x", "y", "z"])
    assert list(attribution.incremental(BOOK, TABLE, amounts, instruments=chosen, by="instrument").index) == [
        "x",
        "y",
        "z",
    ]
    each = attribution.incremental(BOOK, TABLE, 100.0, by="instrument")
    np.testing.assert_allclose(each, attribution.incremental(BOOK, COVARIANCE, np.eye(4) * 100.0), rtol=1e-11)
    assert list(each.index) == ASSETS
    for bad in (["Z"], [0]):
        with pytest.raises(InputError, match="which is not in the covariance"):
            attribution.incremental(BOOK, TABLE, 1.0, instruments=bad, by="instrument")
    for bad in ([4], [-1], [0.5], ["A"]):
        with pytest.raises(InputError, match="column numbers"):
            attribution.incremental(BOOK, COVARIANCE, 1.0, instruments=bad, by="instrument")
    with pytest.raises(InputError, match="trades"):
        attribution.incremental(BOOK, COVARIANCE, [1.0, 2.0], instruments=[0], by="instrument")


def test_tiny_trades_keep_their_digits_and_full_hedges_reach_zero():
    tiny = attribution.incremental(BOOK, COVARIANCE, [1e-9, 0, 0, 0])
    assert tiny == pytest.approx(1e-9 * attribution.marginal(BOOK, COVARIANCE)[0], rel=1e-9)
    whole = attribution.portfolio(BOOK, COVARIANCE)
    assert attribution.incremental(BOOK, COVARIANCE, -BOOK) == pytest.approx(-whole, rel=1e-12)
    assert attribution.incremental([0.0] * 4, COVARIANCE, [0.0] * 4) == 0.0


def test_a_hedge_but_for_rounding_is_a_full_one_beside_other_trades():
    # what is left, (8e-8)**2 of the variance, is below the rounding error of the portfolio's own
    found = attribution.incremental([100.0], [[0.0004]], [[-100.0 * (1 - 8e-8)], [50.0]])
    whole = attribution.portfolio([100.0], [[0.0004]])
    assert found.tolist() == pytest.approx([-whole, 0.5 * whole], rel=1e-15, abs=0.0)


def test_labelled_trades():
    trades = pd.DataFrame({"B": [10.0, 0.0], "A": [0.0, 5.0]}, index=["t1", "t2"])
    change = attribution.incremental(pd.Series(BOOK, index=ASSETS), TABLE, trades)
    assert list(change.index) == ["t1", "t2"]
    np.testing.assert_allclose(change, attribution.incremental(BOOK, COVARIANCE, [[0, 10, 0, 0], [5, 0, 0, 0]]))
    historical = attribution.incremental(pd.Series(BOOK, index=ASSETS), returns=FRAME, trades=trades)
    assert list(historical.index) == ["t1", "t2"]
    with pytest.raises(InputError, match="trades"):
        attribution.incremental(BOOK, COVARIANCE, [[1.0, 2.0]])


@pytest.mark.parametrize("quantile", ["inverted_cdf", "linear"])
def test_historical_incremental_is_before_and_after(quantile):
    trades = np.random.default_rng(4).normal(0, 400, (7, 4))
    ours = attribution.incremental(BOOK, returns=RETURNS, trades=trades, confidence=0.95, quantile=quantile)
    method = {"inverted_cdf": "inverted_cdf", "linear": "linear"}[quantile]

    def risk(book):
        return -np.quantile(RETURNS @ book, 0.05, method=method)

    np.testing.assert_allclose(ours, one_by_one(risk, trades), rtol=1e-9, atol=1e-12)
    assert attribution.incremental(
        BOOK, returns=RETURNS, trades=trades[0], confidence=0.95, quantile=quantile
    ) == pytest.approx(ours[0])
    gone = attribution.incremental(BOOK, returns=FRAME, trades=None, confidence=0.95, quantile=quantile)
    np.testing.assert_allclose(gone, -one_by_one(risk, -np.diag(BOOK)), rtol=1e-9, atol=1e-12)
    assert list(gone.index) == ASSETS


def test_historical_incremental_es():
    trades = np.random.default_rng(4).normal(0, 400, (7, 4))
    ours = attribution.incremental(BOOK, returns=RETURNS, trades=trades, confidence=0.95, measure="es")

    def risk(book):
        losses = np.sort(-(RETURNS @ book))[::-1]
        return (losses[:12].sum() + 0.5 * losses[12]) / 12.5

    np.testing.assert_allclose(ours, one_by_one(risk, trades), rtol=1e-9, atol=1e-12)
    assert attribution.incremental(BOOK, returns=RETURNS, trades=-BOOK, confidence=0.95, measure="es") == pytest.approx(
        -risk(BOOK)
    )


# hedges


@pytest.mark.parametrize("measure", ["var", "es"])
@pytest.mark.parametrize("mean", [None, MEAN * 3])
def test_best_hedge_is_the_trade_a_search_finds(measure, mean):
    hedges = attribution.best_hedge(BOOK, COVARIANCE, 0.95, measure=measure, mean=mean)
    for i in range(4):
        trade, after = naive.best_trade(
            BOOK, COVARIANCE, i, lambda book: naive.normal_risk(book, COVARIANCE, 0.95, measure, mean)
        )
        assert hedges.trade[i] == pytest.approx(trade, rel=1e-4, abs=0.05)
        assert hedges.after[i] == pytest.approx(after, rel=1e-9)
    assert hedges.before == pytest.approx(naive.normal_risk(BOOK, COVARIANCE, 0.95, measure, mean))
    assert (hedges.saving >= 0.0).all()


def test_hedges_read_well_and_refuse_what_has_no_best():
    hedges = attribution.best_hedge(pd.Series(BOOK, index=ASSETS), TABLE)
    frame = hedges.to_frame()
    assert frame["after"].is_monotonic_increasing
    assert list(frame.columns) == ["trade", "after", "saving"]
    assert f"of {frame.index[0]}" in repr(hedges)
    still = attribution.best_hedge([1.0, 0.0], [[0.0001, 0.0], [0.0, 0.0]])
    assert still.trade.tolist() == [-1.0, 0.0]
    assert still.after.tolist() == [0.0, pytest.approx(still.before)]
    with pytest.raises(InputError, match="instrument 'B' .* no minimum"):
        attribution.best_hedge(BOOK, TABLE, mean=[0.0, 0.5, 0.0, 0.0])
    with pytest.raises(InputError, match="no minimum"):
        attribution.best_hedge([1.0, 0.0], [[0.0001, 0.0], [0.0, 0.0]], mean=[0.0, 1e-9])
    with pytest.raises(InputError, match="confidence above 0.5"):
        attribution.best_hedge(BOOK, COVARIANCE, 0.5)
    flat = attribution.best_hedge([0.0, 0.0], [[0.0001, 0.0], [0.0, 0.0001]])
    assert flat.after.tolist() == [0.0, 0.0]
    assert "before" in repr(flat)


# desk names


def test_desk_functions_are_the_same_in_weights():
    weights, value = BOOK / 2000.0, 2000.0
    var, volatility = compat.get_portfolio_var(weights, TABLE, value, z=1.65)
    assert var == pytest.approx(attribution.portfolio(BOOK, COVARIANCE, confidence=0.95, z=1.65), rel=1e-12)
    assert volatility == pytest.approx(math.sqrt(weights @ COVARIANCE @ weights), rel=1e-12)
    marginal = compat.calculate_marginal_var(weights, TABLE, z=1.65)
    component = compat.calculate_component_var(weights, TABLE, value, z=1.65)
    np.testing.assert_allclose(component, weights * value * marginal, rtol=1e-12)
    assert component.sum() == pytest.approx(var, rel=1e-12)
    change = compat.calculate_incremental_var(weights, [0.01, 0, 0, 0], TABLE, value, z=1.65)
    assert change == pytest.approx(compat.get_portfolio_var(weights + [0.01, 0, 0, 0], TABLE, value, z=1.65)[0] - var)
    assert compat.get_portfolio_var(weights, TABLE, 0.0) == (0.0, volatility)
    assert compat.get_portfolio_var(weights, TABLE, value)[0] == pytest.approx(
        attribution.portfolio(BOOK, COVARIANCE, 0.95)
    )
    with pytest.raises(InputError, match="portfolio_value"):
        compat.get_portfolio_var(weights, TABLE, -1.0)


# the result


def test_attribution_prints_and_frames():
    split = attribution.historical(pd.Series([100.0, 50.0], index=["bonds", "gold"]), [[0.0, -0.02], [-0.01, 0.0]], 0.5)
    frame = split.to_frame()
    assert list(frame.columns) == ["position", "component", "standard_error", "share"]
    assert frame["share"].sum() == pytest.approx(1.0)
    text = repr(split)
    assert text.splitlines()[0] == "VaR 50% by position (historical, Harrell-Davis)"
    assert "bonds" in text and "gold" in split._repr_html_()
    assert text == repr(attribution.historical(split.positions, [[0.0, -0.02], [-0.01, 0.0]], 0.5))
    many = attribution.parametric(np.ones(14), np.random.default_rng(0).normal(size=(30, 14)))
    assert "4 more" in repr(many)
    np.testing.assert_allclose(many.marginal, many.component)
    empty = attribution.parametric([0.0], [[0.1], [0.2]])
    assert "share" not in empty.to_frame()
    assert "total" in repr(empty)


def test_what_is_not_held_has_no_row_and_is_no_rest():
    names = [f"asset {place}" for place in range(15)]
    returns = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 15)), columns=names)
    book = pd.Series(1000.0, index=names).where(np.arange(15) < 12, 0.0)
    split = attribution.historical(book, returns)
    lines = [line.split("  ") for line in repr(split).splitlines()[2:]]
    assert [line[0] for line in lines[:2]] == ["total", "observations"]
    assert len(lines) == 2 + 10 + 2 and lines[-2][0] == "2 more" and lines[-1][0] == "not held"
    assert lines[-1][-1].strip() == "3 assets without a component"
    shown = [line for place, line in enumerate(repr(split).splitlines()[2:-1]) if place != 1]
    decimals = {len(line.partition(".")[2].split()[0]) for line in shown}
    assert len(decimals) == 1 and "e+" not in repr(split)  # one format in a column, the error of the total too
    assert len(split.plot().patches) == 2 * 12  # shares of the money and of the risk
    assert len(split.to_frame()) == 15
    none = attribution.parametric(pd.Series(0.0, index=names), returns)
    assert len(none.plot().patches) == 15
    for error, text in ((np.inf, "± inf"), (0.0, "± 0"), (12.3456, "± 12.3"), (2e-7, "± 2e-07")):
        assert text in repr(
            attribution.Attribution("var", "given", 0.95, 1234.5, book, book, total_standard_error=error)
        )


def test_components_add_up_along_a_tree():
    split = attribution.historical(pd.Series(BOOK, index=ASSETS), FRAME)
    tree = split.aggregate({"firm": {"rates": ["A", "B"], "credit": ["C", "D"]}})
    assert tree["firm"] == pytest.approx(split.total)
    assert tree["rates"] == pytest.approx(split.component["A"] + split.component["B"])
    with pytest.raises(InputError, match="no names"):
        attribution.historical(BOOK, RETURNS).aggregate({"firm": [0, 1, 2, 3]})


def test_plots_draw_one_bar_each():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.container import BarContainer

    split = attribution.historical(BOOK, FRAME)
    ax = split.plot(plt.figure().gca())
    money, risk = ([bar.get_width() for bar in part] for part in ax.containers if isinstance(part, BarContainer))
    order = list(split.component.sort_values(ascending=False).index)
    assert [label.get_text() for label in ax.get_yticklabels()] == order
    assert risk == pytest.approx(split.share[order].tolist())
    assert money == pytest.approx((split.positions / split.positions.sum())[order].tolist())
    hedged = attribution.historical([*BOOK[:-1], -sum(BOOK[:-1])], FRAME).plot(plt.figure().gca())
    assert hedged.get_xlabel() == "VaR component, money", "a book without money has no shares of it"
    hedges = attribution.best_hedge(BOOK, TABLE)
    ax = hedges.plot(plt.figure().gca())
    assert [bar.get_width() for bar in ax.patches] == pytest.approx(hedges.to_frame()["after"][::-1].tolist())


def test_scenarios_of_a_simulation_attribute_like_history():
    # a normal distribution has the closed form as its limit
    from riskkit.montecarlo import NormalReturns

    scenarios = NormalReturns(TABLE).sample(200_000, np.random.default_rng(5))
    split = attribution.historical(BOOK, scenarios, 0.99)
    exact = attribution.component(BOOK, COVARIANCE, 0.99)
    assert list(split.component.index) == ASSETS
    assert (np.abs(split.component - exact) < 4.0 * split.standard_error).all()
    assert (split.standard_error < 0.03 * split.total).all()
    tail = attribution.historical(BOOK, scenarios, 0.99, measure="es")
    assert (
        np.abs(tail.component - attribution.component(BOOK, COVARIANCE, 0.99, measure="es")) < 4.0 * tail.standard_error
    ).all()


def test_historical_trades_in_one_instrument_are_baskets_with_one_asset():
    amounts, bought = np.array([100.0, -200.0, 50.0]), [3, 1, 3]
    baskets = np.zeros((3, 4))
    baskets[[0, 1, 2], bought] = amounts
    for measure in ("var", "es"):
        options = {"returns": RETURNS, "confidence": 0.9, "measure": measure}
        by_instrument = attribution.incremental(BOOK, trades=amounts, by="instrument", instruments=bought, **options)
        np.testing.assert_allclose(
            by_instrument, attribution.incremental(BOOK, trades=baskets, **options), rtol=1e-9, atol=1e-9
        )


def test_incremental_volatility_is_the_difference_of_volatilities():
    after = attribution.portfolio(BOOK + [50.0, 0, 0, 0], COVARIANCE, measure="volatility")
    change = attribution.incremental(BOOK, COVARIANCE, [50.0, 0, 0, 0], measure="volatility", mean=MEAN)
    assert change == pytest.approx(after - attribution.portfolio(BOOK, COVARIANCE, measure="volatility"), rel=1e-9)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "either covariance or returns"),
        ({"covariance": COVARIANCE, "returns": RETURNS}, "either covariance or returns"),
        ({"covariance": COVARIANCE, "by": "instrument"}, "trades is missing"),
        ({"covariance": COVARIANCE, "instruments": [0]}, "by='instrument'"),
        ({"covariance": COVARIANCE, "by": "asset"}, "'trade', 'instrument'"),
        ({"covariance": COVARIANCE, "quantile": "linear"}, "quantile goes with returns"),
        ({"covariance": COVARIANCE, "measure": "sd"}, "'volatility'"),
        ({"returns": RETURNS, "measure": "volatility"}, "'var', 'es'"),
        ({"returns": RETURNS, "df": 4.0}, "go with a covariance"),
        ({"returns": RETURNS, "mean": MEAN}, "go with a covariance"),
    ],
)
def test_incremental_refuses_options_that_do_not_fit(options, message):
    with pytest.raises(InputError, match=message):
        attribution.incremental(BOOK, **options)
