"""Curvature charges beside the rules written out pair by pair, and their edges."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive import frtb as naive
from refusing import refusal

from riskkit import frtb
from riskkit.frtb import tables

PAIR = st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))


def books(buckets):
    return st.dictionaries(
        st.integers(1, buckets),
        st.dictionaries(st.sampled_from("XYZ"), PAIR, min_size=1),
        min_size=1,
        max_size=4,
    )


def side_of_bucket(risks, rho):
    square = sum(max(x, 0.0) ** 2 for x in risks)
    for i, x in enumerate(risks):
        for j, y in enumerate(risks):
            if i != j and not (x < 0.0 and y < 0.0):
                square += rho * x * y
    return math.sqrt(max(0.0, square))


def plain(book, name, gamma, other, added, change):
    """The charge of a scenario, pair by pair."""
    kb, sums = {}, {}
    for bucket, names in book.items():
        ups, downs = zip(*names.values(), strict=True)
        if bucket == other:
            sides = [sum(max(x, 0.0) for x in each) for each in (ups, downs)]
        else:
            sides = [side_of_bucket(each, change(name(bucket) ** 2)) for each in (ups, downs)]
        kb[bucket] = max(sides)
        upward = sides[0] > sides[1] or (sides[0] == sides[1] and sum(ups) > sum(downs))
        sums[bucket] = sum(ups) if upward else sum(downs)
    return kb, naive.across_curvature(kb, sums, gamma, change, other, added)


def charged(which):
    if which in ("commodity", "equity"):
        return getattr(frtb, f"{which}_curvature")
    instruments = "no securitisation" if which == "credit" else which
    return lambda book: frtb.credit_curvature(book, instruments=instruments)


@pytest.mark.parametrize("which", list(naive.CLASSES))
@given(data=st.data())
def test_names_against_every_pair(which, data):
    count, *rules = naive.CLASSES[which]
    book = data.draw(books(count))
    found = charged(which)(book)
    size = 1e-6 * sum(abs(x) for names in book.values() for pair in names.values() for x in pair) + 1e-9
    for scenario, change in naive.SCENARIOS.items():
        kb, total = plain(book, *rules, change)
        assert found.buckets[scenario].tolist() == pytest.approx(list(kb.values()), rel=1e-9, abs=size)
        assert found.charges[scenario] == pytest.approx(total, rel=1e-9, abs=size)


@given(book=st.dictionaries(st.sampled_from(["USD", "EUR", "JPY", "GBP"]), PAIR, min_size=1))
def test_currencies_are_buckets_of_one_factor(book):
    for charge, gamma in ((frtb.girr_curvature, 0.5), (frtb.fx_curvature, 0.6)):
        found = charge(book)
        for scenario, change in naive.SCENARIOS.items():
            names = {bucket: {"": pair} for bucket, pair in book.items()}
            _, total = plain(names, lambda b: 1.0, lambda b, c, g=gamma: g, None, False, change)
            assert found.charges[scenario] == pytest.approx(total, rel=1e-9, abs=1e-6)


def test_the_texts_own_correlation_of_euro_and_dollar_is_a_quarter():
    found = frtb.girr_curvature({"EUR": (3.0, 1.0), "USD": (4.0, 1.0)})
    assert found.charges["medium"] ** 2 == pytest.approx(3.0**2 + 4.0**2 + 2 * 0.25 * 3.0 * 4.0)
    assert found.charges["high"] ** 2 == pytest.approx(25.0 + 2 * 0.3125 * 12.0)
    assert found.charges["low"] ** 2 == pytest.approx(25.0 + 2 * 0.1875 * 12.0)


def test_long_options_have_no_charge_and_a_bucket_of_others_no_netting():
    assert frtb.equity_curvature({1: {"X": (-5.0, -3.0)}, 11: {"Y": (-1.0, -2.0)}}).capital == 0.0
    assert frtb.equity_curvature({11: {"X": (5.0, 1.0), "Y": (-4.0, 3.0)}}).capital == 5.0


def test_the_shift_of_a_curve_is_that_of_a_level_of_one():
    """A book worth c (r + x)^2 under a parallel shift x: the loss beyond the delta is -c RW^2 on both sides."""
    shift = max(tables.GIRR_WEIGHTS.values())
    up, down = frtb.curvature_risk(lambda level: -1e6 * (0.02 + level - 1.0) ** 2, 1.0, -1e6 * 2 * 0.02, shift)
    assert (up, down) == pytest.approx((1e6 * shift**2, 1e6 * shift**2))
    assert frtb.girr_curvature({"USD": (up, down)}).capital == pytest.approx(1e6 * shift**2)


@pytest.mark.parametrize("scale", [1e-6, 1e9])
def test_charges_scale(scale):
    book = {2: {"X": (3.0, -1.0), "Y": (-2.0, 4.0)}, 7: {"Z": (1.0, 1.0)}}
    scaled = {b: {who: (scale * u, scale * d) for who, (u, d) in names.items()} for b, names in book.items()}
    for charge in (frtb.credit_curvature, frtb.equity_curvature, frtb.commodity_curvature):
        assert charge(scaled).capital == pytest.approx(scale * charge(book).capital, rel=1e-12)


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda: frtb.girr_curvature({"USD": 5.0}), "give the upward and the downward risk of each factor"),
        (lambda: frtb.fx_curvature({}), "risks has no bucket"),
        (lambda: frtb.equity_curvature({14: {"X": (1.0, 1.0)}}), "bucket 14 is not one of the equity buckets"),
        (lambda: frtb.equity_curvature({1: {}}), "bucket 1 has no risk; leave it out"),
        (lambda: frtb.credit_curvature({1: {"X": (1.0, math.inf)}}), "bucket 1"),
        (lambda: frtb.credit_curvature({1: {"X": (1.0, 2.0)}}, instruments="loans"), "instruments='loans'"),
        (lambda: frtb.aggregate_curvature({1: [[1.0, 2.0]]}, [0.1, 0.2], 0.0), "within has 2 entries for 1 buckets"),
    ],
)
def test_what_does_not_fit_is_refused(call, why):
    assert why in refusal(call)
