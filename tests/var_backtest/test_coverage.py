"""Coverage, its exact distribution, and the traffic light."""

import itertools
import math
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import var_backtest as naive

from riskkit._check import InputError
from riskkit._tail import tail_probability
from riskkit.var_backtest import (
    basel_tables,
    binomial_tail,
    binomial_z,
    frtb_multiplier,
    kupiec_pof,
    kupiec_tuff,
    pof_attainable_size,
    pof_nonrejection_region,
    pof_p_value,
    pof_size,
    score_test,
    traffic_light,
    traffic_light_bounds,
    tuff_nonrejection_region,
    tuff_p_value,
)
from riskkit.var_backtest.exact.coverage import Order

SAMPLES = [(1, 0.99), (10, 0.95), (19, 0.5), (60, 0.975), (250, 0.99)]


@settings(deadline=None)
@given(n=st.integers(1, 300), share=st.floats(0, 1), p=st.sampled_from([0.001, 0.01, 0.025, 0.05, 0.3, 0.5]))
def test_pof_against_the_formula(n, share, p):
    x = round(share * n)
    assert kupiec_pof(x, n, 1 - p).statistic == pytest.approx(max(naive.pof_lr(x, n, p), 0), rel=1e-9, abs=1e-10)


@pytest.mark.parametrize(("n", "confidence"), SAMPLES)
@pytest.mark.parametrize("order", ["probability", "lr", "distance"])
def test_exact_p_values_against_plain_sums(n, confidence, order):
    p = tail_probability(confidence)
    for x in range(min(n, 40) + 1):
        expected = naive.exact_p_value(x, n, p, order)
        assert pof_p_value(x, n, confidence, order=order) == pytest.approx(expected, rel=1e-9, abs=1e-15)


def test_exact_p_value_agrees_with_scipys_binomial_test():
    from scipy.stats import binomtest

    for x in (0, 1, 4, 7, 12, 30):
        assert pof_p_value(x, 250, 0.99) == pytest.approx(binomtest(x, 250, 0.01).pvalue, rel=1e-9)


def test_published_sizes_at_250_days_and_99_percent():
    # The nominal 5 % test rejects 9.5 % of correct models; exact: 1.4 % in LR order, 4.1 % by probability.
    assert pof_size(250, 0.99) == pytest.approx(0.095, abs=5e-4)
    assert pof_attainable_size(250, 0.99, order="lr") == pytest.approx(0.014, abs=5e-4)
    assert pof_attainable_size(250, 0.99, order="probability") == pytest.approx(0.041, abs=5e-4)


@pytest.mark.parametrize("order", ["probability", "lr", "distance"])
@pytest.mark.parametrize(("n", "confidence"), [*SAMPLES, (500, 0.975), (1000, 0.999)])
@pytest.mark.parametrize("nominal", [0.01, 0.05, 0.1])
def test_exact_size_never_exceeds_nominal_and_is_the_enumerated_one(n, confidence, order, nominal):
    p = tail_probability(confidence)
    pmf = np.array(naive.binomial_pmf(n, p))
    rejects = [pof_p_value(x, n, confidence, order=order) <= nominal for x in range(n + 1)]
    size = pof_attainable_size(n, confidence, significance=nominal, order=order)
    assert size == pytest.approx(pmf[rejects].sum(), rel=1e-9, abs=1e-15)
    assert size <= nominal


@settings(deadline=None, max_examples=60)
@given(
    n=st.integers(1, 400),
    p=st.floats(0.001, 0.5),
    nominal=st.floats(0.005, 0.3),
    order=st.sampled_from(["probability", "lr", "distance"]),
)
def test_exact_size_never_exceeds_nominal(n, p, nominal, order):
    assert pof_attainable_size(n, 1 - p, significance=nominal, order=order) <= nominal


@pytest.mark.parametrize(("n", "confidence"), SAMPLES)
def test_true_size_is_the_mass_beyond_the_chi_square_quantile(n, confidence):
    p = tail_probability(confidence)
    pmf = naive.binomial_pmf(n, p)
    beyond = sum(q for x, q in enumerate(pmf) if naive.pof_lr(x, n, p) > 3.841458820694124)
    assert pof_size(n, confidence) == pytest.approx(beyond, rel=1e-9, abs=1e-15)


def test_region_is_where_the_test_rejects():
    for n, confidence in [(255, 0.99), (510, 0.95), (50, 0.99), (1, 0.99), (3, 0.5)]:
        p = tail_probability(confidence)
        rejected = [x for x in range(n + 1) if naive.pof_lr(x, n, p) > 3.841458820694124]
        region = pof_nonrejection_region(n, confidence, order="asymptotic")
        assert region.reject_at_or_below == max((x for x in rejected if x < n * p), default=None)
        assert region.reject_at_or_above == min((x for x in rejected if x > n * p), default=None)


@pytest.mark.parametrize("order", [None, *get_args(Order)])
@pytest.mark.parametrize("n", [1, 20, 99, 250, 500])
def test_the_pof_test_and_its_region_agree_in_every_cell(n, order):
    named = {} if order is None else {"order": order}  # None: the defaults of both
    for confidence, level in itertools.product((0.9, 0.975, 0.99), (0.01, 0.05, 0.1)):
        region = pof_nonrejection_region(n, confidence, significance=level, **named)
        low = -1 if region.reject_at_or_below is None else region.reject_at_or_below
        high = n + 1 if region.reject_at_or_above is None else region.reject_at_or_above
        outcomes = [replace(kupiec_pof(x, n, confidence, **named), significance=level) for x in range(n + 1)]
        assert [outcome.reject for outcome in outcomes] == [x <= low or x >= high for x in range(n + 1)]


@pytest.mark.parametrize("p", [0.001, 0.01, 0.05, 0.2, 0.5])
def test_tuff_against_the_formula_and_a_plain_sum(p):
    for v in (1, 2, 3, 17, 100, 438, 900):
        outcome = kupiec_tuff(v, 1 - p)
        assert outcome.statistic == pytest.approx(naive.tuff_lr(v, p), rel=1e-8, abs=1e-9)
        assert tuff_p_value(v, 1 - p) == pytest.approx(naive.tuff_exact_p_value(v, p), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("p", [0.005, 0.02, 0.035, 0.1, 0.3])
def test_tuff_region_by_trying_every_day(p):
    rejected = [v for v in range(1, 4000) if naive.tuff_lr(v, p) > 3.841458820694124]
    region = tuff_nonrejection_region(1 - p)
    assert region.reject_at_or_below == max((v for v in rejected if v < 1 / p), default=None)
    assert region.reject_at_or_above == min(v for v in rejected if v > 1 / p)


def test_tuff_without_a_hit():
    assert kupiec_tuff(None, 0.99, n_obs=100).p_value is None
    assert kupiec_tuff(None, 0.99, n_obs=100).reject is False
    late = kupiec_tuff(None, 0.99, n_obs=1000)
    assert late.statistic == pytest.approx(naive.tuff_lr(1001, 0.01))
    assert late.reject
    with pytest.raises(InputError, match="n_obs"):
        kupiec_tuff(None, 0.99)


def test_normal_and_proportion_tests():
    from scipy.stats import chisquare

    outcome = binomial_z(9, 250, 0.99)
    assert outcome.statistic == pytest.approx((9 - 2.5) / math.sqrt(2.475))
    plain = chisquare([9 - 0.5, 241 + 0.5], [2.5, 247.5])
    assert score_test(9, 250, 0.99).statistic == pytest.approx(plain.statistic)
    assert score_test(9, 250, 0.99).p_value == pytest.approx(plain.pvalue)
    # A gap smaller than the correction leaves nothing, not something negative.
    assert score_test(3, 290, 0.99).statistic == 0.0


@settings(deadline=None)
@given(n=st.integers(1, 300), share=st.floats(0, 1), p=st.sampled_from([0.01, 0.05, 0.5]))
def test_upper_tail_against_a_plain_sum(n, share, p):
    x = round(share * n)
    assert binomial_tail(x, n, 1 - p).p_value == pytest.approx(sum(naive.binomial_pmf(n, p)[x:]), rel=1e-9)


def test_basel_zones_and_factors_at_250_days():
    lights = [traffic_light(x) for x in range(16)]
    assert [light.zone for light in lights] == ["green"] * 5 + ["yellow"] * 5 + ["red"] * 6
    assert [light.plus_factor for light in lights] == [0] * 5 + [0.40, 0.50, 0.65, 0.75, 0.85] + [1] * 6
    assert [light.basel_multiplier for light in lights] == [3 + light.plus_factor for light in lights]
    assert [frtb_multiplier(x) for x in range(11)] == [1.5] * 5 + [1.70, 1.76, 1.83, 1.88, 1.92, 2.0]


def test_factors_of_other_windows_are_what_the_printed_ones_were_rounded_from():
    # One day more than Basel's window: the formula must give what the printed factors were rounded from.
    for x, printed in {5: 0.40, 6: 0.50, 7: 0.65, 8: 0.75, 9: 0.85}.items():
        assert traffic_light(x, 251, 0.99).plus_factor == pytest.approx(printed, abs=0.035)
        assert 1.5 < frtb_multiplier(x, 251, 0.99) == pytest.approx(1.5 * (1 + printed / 3), abs=0.025)
    factors = [traffic_light(x, 1000, 0.975).plus_factor for x in range(1001)]
    assert factors == sorted(factors)
    assert min(factors) == 0.0 and max(factors) == 1.0
    multipliers = [frtb_multiplier(x, 1000, 0.975) for x in range(1001)]
    assert multipliers == sorted(multipliers)


@pytest.mark.parametrize(("n", "confidence"), [(250, 0.99), (750, 0.995), (100, 0.95), (3, 0.5), (1, 0.99)])
def test_zone_starts_by_trying_every_count(n, confidence):
    pmf = np.cumsum(naive.binomial_pmf(n, tail_probability(confidence)))
    yellow, red = traffic_light_bounds(n, confidence)
    assert yellow == next((x for x in range(n + 1) if pmf[x] >= 0.95), n)
    assert red == next((x for x in range(n + 1) if pmf[x] >= 0.9999), n)
    assert traffic_light(yellow, n, confidence).zone != "green"
    assert red > n or traffic_light(red, n, confidence).zone == "red"


def test_basel_tables_sum_up():
    table = basel_tables(range(251), 250, 0.98)
    assert table["exact"].sum() == pytest.approx(1.0)
    assert (table["type1"] + table["type2"]).to_numpy() == pytest.approx(1.0)


def test_a_confidence_keeps_its_decimal_complement():
    assert [tail_probability(c) for c in (0.99, 0.975, 0.95, 0.999999)] == [0.01, 0.025, 0.05, 1e-6]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: kupiec_pof(3, 0, 0.99), "n_obs=0"),
        (lambda: kupiec_pof(-1, 250, 0.99), "n_hits=-1"),
        (lambda: kupiec_pof(251, 250, 0.99), "between 0 and 250"),
        (lambda: kupiec_pof(2.5, 250, 0.99), "not an integer"),
        (lambda: kupiec_pof(math.nan, 250, 0.99), "n_hits=nan is not finite"),
        (lambda: kupiec_pof(2, 250, 99), "use 0.99 for 99%"),
        (lambda: kupiec_pof(True, 250, 0.99), "n_hits=True is not a number"),
        (lambda: pof_p_value(2, 250, 0.99, order="size"), "'probability', 'lr'"),
        (lambda: kupiec_tuff(0, 0.99), "first_hit=0"),
        (lambda: basel_tables([300]), "between 0 and 250"),
    ],
)
def test_what_does_not_fit_is_named(call, words):
    with pytest.raises(InputError, match=words):
        call()


def test_a_verdict_reads_well():
    assert kupiec_pof(9, 250, 0.99).verdict.startswith("REJECTED at 5% (p = 0.0011): 9 hits in 250 days, 2.5 expected")
    assert "not rejected" in repr(kupiec_pof(3, 250, 0.99))
    assert "YELLOW" in traffic_light(6).verdict
    assert "yellow from 5, red from 10" in repr(traffic_light(6))
    assert "<table>" in traffic_light(6)._repr_html_()
