"""Deltas of credit spreads and commodities beside the rules written out pair by pair, and their edges."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusing import refusal

from riskkit import frtb
from riskkit.frtb import tables
from riskkit.frtb.risk_classes import CREDIT

SCENARIOS = {
    "low": lambda c: max(2 * c - 1, 0.75 * c),
    "medium": lambda c: c,
    "high": lambda c: min(1.25 * c, 1.0),
}
MONEY = st.floats(-1e6, 1e6)


def factors(tenors):
    return st.tuples(st.sampled_from("XYZ"), st.sampled_from(tenors), st.sampled_from(["bond", "CDS"]), MONEY)


def books(buckets, tenors):
    return st.dictionaries(
        st.integers(1, buckets), st.lists(factors(tenors), min_size=1, max_size=4), min_size=1, max_size=4
    )


def sector(bucket):
    return {**{b: b for b in range(1, 9)}, **{b: b - 8 for b in range(9, 16)}}.get(bucket, bucket)


TABLE_5 = """75 10 20 25 20 15 10  0 45 45
5 15 20 15 10 10  0 45 45
5 15 20  5 20  0 45 45
20 25  5  5  0 45 45
25  5 15  0 45 45
5 20  0 45 45
5  0 45 45
0 45 45
0  0
75"""
PLACES = [1, 2, 3, 4, 5, 6, 7, 8, 16, 17, 18]
BETWEEN = {
    (PLACES[row], PLACES[row + 1 + place]): int(number) / 100.0
    for row, line in enumerate(TABLE_5.splitlines())
    for place, number in enumerate(line.split())
}


def gamma_of_credit(b, c):
    first, second = sorted((sector(b), sector(c)))
    of_sector = 1.0 if first == second else BETWEEN[first, second]
    differ = max(b, c) <= 15 and (b <= 8) != (c <= 8)
    return of_sector * (0.5 if differ else 1.0)


def gamma_of_commodities(b, c):
    return 0.0 if 11 in (b, c) else 0.2


def plain(book, weights, name, tenor, basis, gamma, other, change):
    """The charge of a scenario, pair by pair."""
    kb, sums = {}, {}
    for bucket, positions in book.items():
        net: dict = {}
        for who, years, curve, money in positions:
            net[who, years, curve] = net.get((who, years, curve), 0.0) + money * weights[bucket]
        sums[bucket] = sum(net.values())
        if bucket == other:
            kb[bucket] = sum(map(abs, net.values()))
            continue
        square = 0.0
        for k, x in net.items():
            for m, y in net.items():
                rho = (1.0 if k[0] == m[0] else name(bucket)) * (1.0 if k[1] == m[1] else tenor)
                rho *= 1.0 if k[2] == m[2] else basis
                square += x * y * (1.0 if k == m else change(rho))
        kb[bucket] = math.sqrt(max(0.0, square))

    def total(parts):
        pairs = sum(change(gamma(b, c)) * parts[b] * parts[c] for b in book for c in book if b != c)
        return sum(k * k for k in kb.values()) + pairs

    square = total(sums)
    if square < 0.0:
        square = max(0.0, total({b: max(min(sums[b], kb[b]), -kb[b]) for b in book}))
    return kb, math.sqrt(square)


def close(found, expected, book):
    size = sum(abs(money) for positions in book.values() for *_, money in positions)
    return found == pytest.approx(expected, rel=1e-9, abs=1e-6 * size + 1e-9)


@given(book=books(18, tables.CREDIT_TENORS))
def test_credit_without_securitisation_against_every_pair(book):
    charge = frtb.credit_delta(book)
    for scenario, change in SCENARIOS.items():
        kb, total = plain(
            book, tables.CREDIT_WEIGHTS, lambda b: 0.8 if b >= 17 else 0.35, 0.65, 0.999, gamma_of_credit, 16, change
        )
        assert close(charge.buckets[scenario].tolist(), list(kb.values()), book)
        assert close(charge.charges[scenario], total, book)
    assert charge.capital == max(charge.charges.values())


@given(book=books(16, tables.CREDIT_TENORS))
def test_the_correlation_trading_portfolio_against_every_pair(book):
    charge = frtb.credit_delta(book, instruments="correlation trading")
    weights = tables.CORRELATION_TRADING_WEIGHTS
    for scenario, change in SCENARIOS.items():
        _, total = plain(book, weights, lambda b: 0.35, 0.65, 0.99, gamma_of_credit, 16, change)
        assert close(charge.charges[scenario], total, book)


@given(book=books(25, tables.CREDIT_TENORS))
def test_other_securitisations_add_their_last_bucket(book):
    charge = frtb.credit_delta(book, instruments="securitisation")
    for scenario, change in SCENARIOS.items():
        kb, _ = plain(book, tables.SECURITISATION_WEIGHTS, lambda b: 0.4, 0.8, 0.999, lambda b, c: 0.0, 25, change)
        total = math.sqrt(sum(k * k for b, k in kb.items() if b != 25)) + kb.get(25, 0.0)
        assert close(charge.charges[scenario], total, book)
    assert charge.capital == max(charge.charges.values())


@given(book=books(11, tables.COMMODITY_TENORS))
def test_commodities_against_every_pair(book):
    charge = frtb.commodity_delta(book)
    for scenario, change in SCENARIOS.items():
        within = tables.COMMODITY_WITHIN.__getitem__
        _, total = plain(book, tables.COMMODITY_WEIGHTS, within, 0.99, 0.999, gamma_of_commodities, None, change)
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
