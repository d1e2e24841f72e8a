"""Deltas of credit spreads and commodities beside the rules written out pair by pair, and their edges."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive import frtb as naive
from refusing import refusal

from riskkit import frtb
from riskkit.frtb import tables
from riskkit.frtb.risk_classes import CREDIT

MONEY = st.floats(-1e6, 1e6)


def factors(tenors):
    return st.tuples(st.sampled_from("XYZ"), st.sampled_from(tenors), st.sampled_from(["bond", "CDS"]), MONEY)


def books(buckets, tenors):
    return st.dictionaries(
        st.integers(1, buckets), st.lists(factors(tenors), min_size=1, max_size=4), min_size=1, max_size=4
    )


def plain(book, weights, name, tenor, basis, gamma, other, change):
    """The charge of a scenario, pair by pair."""
    kb, sums = {}, {}
    for bucket, positions in book.items():
        amounts = naive.net(positions, weights[bucket])
        sums[bucket] = sum(amounts.values())
        parts = name(bucket), tenor, basis

        def rho(k, m, parts=parts):
            return math.prod(1.0 if one == two else part for one, two, part in zip(k, m, parts, strict=True))

        kb[bucket] = sum(map(abs, amounts.values()))
        if bucket != other:
            kb[bucket] = naive.bucket_charge(amounts, rho, change)
    return kb, naive.across(kb, sums, gamma, change, other, added=other == 25)


def close(found, expected, book):
    size = sum(abs(money) for positions in book.values() for *_, money in positions)
    return found == pytest.approx(expected, rel=1e-9, abs=1e-6 * size + 1e-9)


@given(book=books(18, tables.CREDIT_TENORS))
def test_credit_without_securitisation_against_every_pair(book):
    charge = frtb.credit_delta(book)
    for scenario, change in naive.SCENARIOS.items():
        kb, total = plain(
            book, tables.CREDIT_WEIGHTS, naive.credit_names, 0.65, 0.999, naive.credit_between, 16, change
        )
        assert close(charge.buckets[scenario].tolist(), list(kb.values()), book)
        assert close(charge.charges[scenario], total, book)
    assert charge.capital == max(charge.charges.values())


@given(book=books(16, tables.CREDIT_TENORS))
def test_the_correlation_trading_portfolio_against_every_pair(book):
    charge = frtb.credit_delta(book, instruments="correlation trading")
    weights = tables.CORRELATION_TRADING_WEIGHTS
    for scenario, change in naive.SCENARIOS.items():
        _, total = plain(book, weights, lambda b: 0.35, 0.65, 0.99, naive.credit_between, 16, change)
        assert close(charge.charges[scenario], total, book)


@given(book=books(25, tables.CREDIT_TENORS))
def test_other_securitisations_add_their_last_bucket(book):
    charge = frtb.credit_delta(book, instruments="securitisation")
    for scenario, change in naive.SCENARIOS.items():
        weights = tables.SECURITISATION_WEIGHTS
        _, total = plain(book, weights, lambda b: 0.4, 0.8, 0.999, naive.no_correlation, 25, change)
        assert close(charge.charges[scenario], total, book)
    assert charge.capital == max(charge.charges.values())


@given(book=books(11, tables.COMMODITY_TENORS))
def test_commodities_against_every_pair(book):
    charge = frtb.commodity_delta(book)
    for scenario, change in naive.SCENARIOS.items():
        _, total = plain(
            book, tables.COMMODITY_WEIGHTS, naive.commodity_names, 0.99, 0.999, naive.commodity_between, None, change
        )
        assert close(charge.charges[scenario], total, book)


def test_equal_factors_are_netted_before_absolute_amounts_are_added():
    long, short = ("X", 5, "bond", 100.0), ("X", 5.0, "bond", -100.0)
    assert frtb.credit_delta({16: [long, short]}).capital == 0.0
    assert frtb.credit_delta({16: [long, ("Y", 5, "bond", -100.0)]}).capital == pytest.approx(24.0)
    assert frtb.credit_delta({25: [long, short]}, instruments="securitisation").capital == 0.0
    assert frtb.commodity_delta({7: [("gold", 0, "London", 50.0)] * 2}).capital == pytest.approx(20.0)


@pytest.mark.parametrize("instruments", list(CREDIT))
def test_a_class_scales_and_turns_round(instruments):
    book = {b: [("X", 5, "bond", 3.0 * b), ("Y", 1, "CDS", -2.0)] for b in (1, 9, 12, 16)}
    one = frtb.credit_delta(book, instruments=instruments).capital
    for scale in (-1.0, 1e-6, 1e9):
        scaled = {b: [(*factor, scale * money) for *factor, money in rows] for b, rows in book.items()}
        assert frtb.credit_delta(scaled, instruments=instruments).capital == pytest.approx(abs(scale) * one, rel=1e-12)


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (
            lambda: frtb.credit_delta({19: [("X", 5, "bond", 1.0)]}),
            "bucket 19 is not one of the credit buckets 1 to 18",
        ),
        (lambda: frtb.credit_delta({True: [("X", 5, "bond", 1.0)]}), "bucket True is not one of the credit buckets"),
        (lambda: frtb.credit_delta({"3": [("X", 5, "bond", 1.0)]}), "bucket '3' is not one of the credit buckets"),
        (
            lambda: frtb.credit_delta({3: [("X", 7, "bond", 1.0)]}),
            "tenor 7 in bucket 3 is not prescribed; use one of 0.5, 1, 3",
        ),
        (lambda: frtb.credit_delta({3: [("X", 5, 1.0)]}), "give (name, tenor, curve, money)"),
        (lambda: frtb.credit_delta({3: ["XYZW"]}), "bucket 3 holds 'XYZW'; give (name, tenor, curve, money)"),
        (lambda: frtb.commodity_delta({12: [("X", 5, "here", 1.0)]}), "not one of the commodity buckets 1 to 11"),
        (
            lambda: frtb.commodity_delta({1: [("X", 5, "here", math.nan)]}),
            "sensitivity of bucket 1 to 'X'=nan is not finite",
        ),
        (lambda: frtb.credit_delta({}), "sensitivities has no bucket"),
        (lambda: frtb.commodity_delta({1: []}), "bucket 1 has no sensitivity"),
        (lambda: frtb.credit_delta({17: [("X", 5, "bond", 1.0)]}, instruments="correlation trading"), "1 to 16"),
        (
            lambda: frtb.credit_delta({1: [("X", 5, "bond", 1.0)]}, instruments="bonds"),
            "instruments='bonds' is not one of",
        ),
        (lambda: frtb.equity_delta({14: [1.0]}), "bucket 14 is not one of the equity buckets 1 to 13"),
    ],
)
def test_what_the_tables_do_not_have_is_refused(call, why):
    assert why in refusal(call)
