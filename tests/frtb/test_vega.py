"""Vega charges beside the rules written out pair by pair."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive import frtb as naive
from refusing import refusal

from riskkit import frtb
from riskkit.frtb import tables

YEARS = st.sampled_from([0.5, 1.0, 3.0, 5.0, 10.0])
MONEY = st.floats(-1e6, 1e6)


def of_years(first, second):
    return math.exp(-0.01 * abs(first - second) / min(first, second))


def books(buckets):
    position = st.tuples(st.sampled_from("XYZ"), YEARS, MONEY)
    return st.dictionaries(st.integers(1, buckets), st.lists(position, min_size=1, max_size=4), min_size=1, max_size=4)


def plain(book, weight, name, gamma, other, added, change):
    """The charge of a scenario, pair by pair."""
    kb, sums = {}, {}
    for bucket, positions in book.items():
        amounts = naive.net(positions, weight(bucket))
        sums[bucket] = sum(amounts.values())
        kb[bucket] = sum(map(abs, amounts.values()))
        if bucket != other:
            between = name(bucket)
            kb[bucket] = naive.bucket_charge(
                amounts, lambda k, m, rho=between: (1.0 if k[0] == m[0] else rho) * of_years(k[1], m[1]), change
            )
    return kb, naive.across(kb, sums, gamma, change, other, added)


def charged(which):
    """The function of a class, and the weight of its buckets."""
    if which in ("commodity", "equity"):
        weight = equity_weight if which == "equity" else (lambda bucket: 1.0)
        return getattr(frtb, f"{which}_vega"), weight
    instruments = "no securitisation" if which == "credit" else which
    return lambda book: frtb.credit_vega(book, instruments=instruments), lambda bucket: 1.0


def equity_weight(bucket):
    return 1.0 if 9 <= bucket <= 11 else 0.55 * math.sqrt(2.0)


@pytest.mark.parametrize("which", list(naive.CLASSES))
@given(data=st.data())
def test_names_against_every_pair(which, data):
    count, *rules = naive.CLASSES[which]
    charge, weight = charged(which)
    book = data.draw(books(count))
    found = charge(book)
    size = 1e-6 * sum(abs(money) for rows in book.values() for *_, money in rows) + 1e-9
    for scenario, change in naive.SCENARIOS.items():
        kb, total = plain(book, weight, *rules, change)
        assert found.buckets[scenario].tolist() == pytest.approx(list(kb.values()), rel=1e-9, abs=size)
        assert found.charges[scenario] == pytest.approx(total, rel=1e-9, abs=size)
    assert found.capital == max(found.charges.values())


@given(
    book=st.dictionaries(
        st.sampled_from(["USD", "EUR", "JPY"]),
        st.dictionaries(st.tuples(YEARS, YEARS), MONEY, min_size=1, max_size=4),
        min_size=1,
    )
)
def test_interest_rates_have_two_maturities(book):
    found = frtb.girr_vega(book)
    for scenario, change in naive.SCENARIOS.items():
        kb, sums = [], []
        for surface in book.values():
            square = sum(
                x * y * (1.0 if k == m else change(of_years(k[0], m[0]) * of_years(k[1], m[1])))
                for k, x in surface.items()
                for m, y in surface.items()
            )
            kb.append(math.sqrt(max(0.0, square)))
            sums.append(sum(surface.values()))
        assert found.buckets[scenario].tolist() == pytest.approx(kb, rel=1e-9, abs=1e-3)
        if not found.alternative[scenario]:
            net = sum(sums) ** 2 - sum(each * each for each in sums)
            total = math.sqrt(max(0.0, sum(k * k for k in kb) + change(0.5) * net))
            assert found.charges[scenario] == pytest.approx(total, rel=1e-7, abs=1e-2)


def test_exchange_rates_weigh_by_forty_days():
    assert tables.vega_weight(40) == 1.0
    found = frtb.fx_vega({"EURUSD": {0.5: 20.0, 1: -5.0}, "USDJPY": {3: 10.0}})
    first = math.sqrt(20.0**2 + 5.0**2 - 2 * 20.0 * 5.0 * math.exp(-0.01))
    assert found.buckets["medium"].tolist() == pytest.approx([first, 10.0])
    assert found.charges["medium"] == pytest.approx(math.sqrt(first**2 + 10.0**2 + 2 * 0.6 * 15.0 * 10.0))


@pytest.mark.parametrize("scale", [1e-6, 1e9, -1.0])
def test_charges_scale_and_turn_round(scale):
    book = {2: [("X", 1, 3.0), ("Y", 5, -1.0)], 7: [("Z", 0.5, 2.0)]}
    scaled = {b: [(who, years, scale * money) for who, years, money in rows] for b, rows in book.items()}
    for charged in (frtb.credit_vega, frtb.equity_vega, frtb.commodity_vega):
        assert charged(scaled).capital == pytest.approx(abs(scale) * charged(book).capital, rel=1e-12)


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda: frtb.girr_vega({"USD": {(2, 5): 1.0}}), "option maturity 2 in USD is not prescribed"),
        (lambda: frtb.girr_vega({"USD": {1: 1.0}}), "give (option maturity, underlying maturity, money)"),
        (lambda: frtb.fx_vega({"EURUSD": 5.0}), "EURUSD is no mapping; give {maturity: money}"),
        (lambda: frtb.fx_vega({"EURUSD": {7: 5.0}}), "maturity 7 in EURUSD is not prescribed; use one of"),
        (lambda: frtb.credit_vega({4: [("X", 1, "bond", 1.0)]}), "give (name, maturity, money)"),
        (lambda: frtb.credit_vega({4: [("X", 1, math.nan)]}), "sensitivity of bucket 4 to 'X'=nan is not finite"),
        (lambda: frtb.equity_vega({14: [("X", 1, 1.0)]}), "bucket 14 is not one of the equity buckets 1 to 13"),
        (lambda: frtb.commodity_vega({2: []}), "bucket 2 has no sensitivity"),
        (lambda: frtb.commodity_vega({2: [(5, 1, 1.0)]}), "has 5 as a name; names, curves and places are texts"),
        (lambda: frtb.equity_vega({}), "sensitivities has no bucket"),
    ],
)
def test_what_does_not_fit_is_refused(call, why):
    assert why in refusal(call)


UNDERLYING = st.sampled_from([0.5, 1.0, 3.0, 5.0, 10.0, "inflation", "basis over USD", "basis over EUR"])


def of_underlyings(first, second):
    """MAR21.93 of two rates; of others the correlation of their deltas: 40 % of inflation and a rate, none of a basis."""
    if first == second:
        return 1.0
    if isinstance(first, float) and isinstance(second, float):
        return of_years(first, second)
    return 0.4 if {first, second} & {"inflation"} and {type(first), type(second)} == {str, float} else 0.0


@given(surface=st.dictionaries(st.tuples(YEARS, UNDERLYING), MONEY, min_size=1, max_size=6))
def test_inflation_and_a_basis_have_no_maturity_of_the_underlying(surface):
    found = frtb.girr_vega({"EUR": surface})
    for scenario, change in naive.SCENARIOS.items():
        square = sum(
            x * y * (1.0 if k == m else change(of_years(k[0], m[0]) * of_underlyings(k[1], m[1])))
            for k, x in surface.items()
            for m, y in surface.items()
        )
        assert found.charges[scenario] == pytest.approx(math.sqrt(max(0.0, square)), rel=1e-9, abs=1e-3)


def test_a_name_of_no_underlying_is_refused():
    said = refusal(lambda: frtb.girr_vega({"EUR": {(1, "inflaton"): 1.0}}))
    assert said.endswith("use years, or one of inflation, basis over USD, basis over EUR")
