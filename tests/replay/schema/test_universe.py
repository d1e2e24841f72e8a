"""Labels and units: exact numbers, opening balances, and a description that gives everything back."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusing import refusal

from riskkit import Account, EventLog, InputError, Instrument
from riskkit.replay.schema.universe import LAST, Universe, common_unit, decimal_text, exact

CENT = Fraction(1, 100)
X = Instrument("X", lot="0.5")


# ---------------------------------------------------------------------- exact numbers


@pytest.mark.parametrize("written", ["0.1", Decimal("0.1"), 0.1, Fraction(1, 10), np.float64(0.1)])
def test_a_number_is_what_is_written(written):
    assert exact(written, "number") == Fraction(1, 10)


def test_whole_numbers_of_any_size_are_exact():
    assert exact(2**80 + 1, "number") == 2**80 + 1
    assert exact(np.int64(2**62 + 1), "number") == 2**62 + 1


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("ten", "tick='ten' is not a number"),
        (True, "tick=True is not a number"),
        (None, "tick=None is not a number"),
        (float("nan"), "tick=nan is not a finite number"),
        ("Infinity", "tick='Infinity' is not a finite number"),
        (Decimal("sNaN"), "tick=sNaN is not a finite number"),
        ([1], "tick=[1] is not a number"),
    ],
)
def test_what_is_no_number_is_refused(written, sentence):
    assert refusal(exact, written, "tick") == sentence


@given(st.fractions(-1000, 1000, max_denominator=10_000))
def test_decimal_text_says_the_number(value):
    text = decimal_text(value)
    assert Fraction(text) == value


@pytest.mark.parametrize(("value", "text"), [("0.25", "0.25"), ("-3", "-3"), ("100", "100"), ("-0.001", "-0.001")])
def test_decimal_text_is_the_shortest(value, text):
    assert decimal_text(Fraction(value)) == text


@given(st.lists(st.fractions(-50, 50, max_denominator=60), max_size=5))
def test_the_common_unit_measures_every_value_and_no_larger_one_does(values):
    unit = common_unit(values)
    assert all((value / unit).denominator == 1 for value in values)
    multiples = [int(value / unit) for value in values if value]
    assert not multiples or np.gcd.reduce(multiples) == 1


# ---------------------------------------------------------------------- instruments


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"tick": 0}, "instrument 'X': tick=0 is not above zero"),
        ({"lot": "-1"}, "instrument 'X': lot='-1' is not above zero"),
        ({"multiplier": "many"}, "instrument 'X': multiplier='many' is not a number"),
        ({"tick": "0.5", "price_step": "0.2"}, "instrument 'X': its tick is not a multiple of its price_step"),
        ({"lot": 1, "qty_step": 2}, "instrument 'X': its lot is not a multiple of its qty_step"),
    ],
)
def test_units_that_are_none_are_refused(fields, sentence):
    assert refusal(Instrument, "X", **fields) == sentence


def test_steps_are_tick_and_lot_unless_they_are_finer():
    assert (X.price_step, X.qty_step) == (X.tick, X.lot)
    fine = Instrument("X", tick="0.25", price_step="0.05")
    assert fine.tick / fine.price_step == 5


def test_an_instrument_is_its_own_product():
    assert X.product == "X" and Instrument("ESZ6", product="ES").product == "ES"


# ---------------------------------------------------------------------- openings


def world(*accounts: Account, instruments: tuple[Instrument, ...] = (X,)) -> Universe:
    return Universe(instruments, accounts, {"USD": CENT})


def test_openings_are_counted_in_quanta_and_steps():
    account = Account("A", {"USD": "10.25"}, {"X": -2})
    universe = world(account)
    assert universe.opening_cash(account) == 1025
    assert universe.opening_steps(account, "X") == -4
    fine = world(account, instruments=(Instrument("X", lot="0.5", qty_step="0.1"),))
    assert fine.opening_steps(account, "X") == -20


def test_opening_pairs_are_in_the_order_of_codes():
    universe = Universe(
        (X, Instrument("Y")), (Account("B", {}, {"Y": 1, "X": 1}), Account("A", {}, {"Y": 0})), {"USD": CENT}
    )
    assert universe.opening_pairs() == [(0, 0), (0, 1), (1, 1)]


@pytest.mark.parametrize(
    ("account", "sentence"),
    [
        (Account("A", {"USD": "0.001"}), "account 'A': cash '0.001' is not a multiple of the quantum 0.01"),
        (Account("A", {"USD": "much"}), "account 'A': cash in USD='much' is not a number"),
        (Account("A", {"USD": 1e30}), "account 'A': its cash is beyond 64 bits in units of this log"),
        (Account("A", {}, {"X": "0.75"}), "account 'A': position '0.75' in 'X' is not a multiple of its lot 0.5"),
        (Account("A", {}, {"Q": 1}), "account 'A': it holds 'Q', which is not a declared instrument"),
        (Account("A", {}, {"X": None}), "account 'A': position in 'X'=None is not a number"),
    ],
)  # fmt: skip
def test_openings_that_do_not_fit_are_refused(account, sentence):
    assert refusal(world, account) == sentence


def test_a_label_is_declared_once():
    assert refusal(world, Account("A"), Account("B"), Account("A")) == (
        "account 'A' is declared twice; a label names one account"
    )
    assert refusal(world, instruments=(X, X)) == "instrument 'X' is declared twice; a label names one instrument"


def test_labels_are_text():
    assert Account(7).id == "7" and Instrument(7).id == "7"
    assert refusal(world, Account(7), Account("7")) == "account '7' is declared twice; a label names one account"


# ---------------------------------------------------------------------- units and storage


def test_the_ratio_is_the_money_of_one_step():
    future = Instrument("ES", tick="0.25", multiplier=50)
    assert Universe((future,), (), {"USD": CENT}).ratio(future) == 1250
    fine = Instrument("ES", tick="0.25", multiplier=50, price_step="0.05", qty_step="0.5")
    assert Universe((fine,), (), {"USD": CENT}).ratio(fine) == 125


def test_numbers_read_as_they_were_written():
    universe = Universe((Instrument("X", tick="0.1", lot="0.001"),), (), {"USD": CENT})
    codes = np.array([0, 0, -1])
    assert universe.prices(np.array([3, 7, 1]), codes)[:2].tolist() == [0.3, 0.7]
    assert universe.quantities(np.array([3, 1001, 1]), codes)[:2].tolist() == [0.003, 1.001]
    assert np.isnan(universe.prices(np.array([1]), np.array([-1]))).all()


def test_the_quantity_unit_measures_every_instrument():
    universe = Universe((Instrument("X", lot="0.5"), Instrument("Y", lot="0.2")), (), {"USD": CENT})
    assert universe.quantity_unit == Fraction(1, 10)
    assert universe.price_unit == Fraction(1, 100)


def test_a_description_gives_everything_back():
    universe = Universe(
        (Instrument("X", "0.25", "0.5", 50, "EUR", "P", True, "0.05", "0.1", False), Instrument("Y", currency="USD")),
        (Account("A", {"USD": "1.5", "EUR": 2}, {"X": 1}, "D", "F"), Account("B")),
        {"USD": CENT, "EUR": CENT},
        ("A/s",),
        ("c",),
        True,
    )
    again = Universe.from_description(universe.describe())
    assert again.describe() == universe.describe()
    assert again.instruments == universe.instruments
    assert again.currencies == ("USD", "EUR") and again.currency == "USD"
    assert again.mixed
    assert list(again.accounts[0].cash) == ["USD", "EUR"]


def test_groups_and_codes_are_in_order_of_appearance():
    accounts = (
        Account("A", desk="late", firm="F", trader="ann"),
        Account("B", desk="early", firm="E"),
        Account("C", desk="late", firm="F"),
    )
    world = Universe((Instrument("Y"), Instrument("X")), accounts, {"USD": CENT})
    assert (world.desks, world.firms, world.traders) == (("late", "early"), ("F", "E"), ("ann", ""))
    again = Universe.from_description(world.describe())
    assert again.accounts == world.accounts
    assert [len(entry) for entry in world.describe()[1]] == [6, 5, 5], (
        "logs without traders have the hash that they had"
    )
    assert world.instrument_codes == {"Y": 0, "X": 1} and world.account_codes == {"A": 0, "B": 1, "C": 2}


def test_a_declared_universe_has_one_quantum_and_the_accounts_by_name():
    world = Universe.declare([X], ["A", Account("B", cash={"USD": 5})], quantum="0.01")
    assert world.account_codes == {"A": 0, "B": 1} and world.quantum == CENT


def test_codes_of_labels_are_their_places():
    made = Universe((Instrument("X", product="P"), Instrument("Y", product="P")), (Account("A"),), {"USD": Fraction(1)},
                    strategies=("A/s", "A/t"), connections=("c",))  # fmt: skip
    assert made.strategy_codes == {"A/s": 0, "A/t": 1} and made.connection_codes == {"c": 0}
    assert made.product_codes == {"P": 0} and list(made.products) == ["P"]


@pytest.mark.parametrize(
    "given", ["AB", "9" * 300_000, b"A", {"A": 1}, {"A"}, frozenset("A"), 5], ids=lambda given: type(given).__name__
)
@pytest.mark.parametrize("name", ["instruments", "accounts"])
def test_what_has_no_order_or_is_a_text_is_no_list_of_labels(name, given):
    frame = pd.DataFrame({"ts": [1], "kind": ["price"], "instrument": ["X"], "price": [1]})
    for call in (Universe.declare, partial(EventLog.from_frame, frame)):
        with pytest.raises(InputError, match=f"^{name}=.* is not a list of {name}$"):
            call(**{name: given})


@pytest.mark.parametrize("slippage", ["-0.01", "0.005", "x", None])
def test_a_slippage_of_stops_is_a_multiple_of_the_tick(slippage):
    with pytest.raises(InputError, match="stop_slippage"):
        Instrument("X", stop_slippage=slippage)


@pytest.mark.parametrize(
    "given",
    [{}, {"delta": 2}, {"luld_tier": 1}, {"stop_slippage": "0.5"}, {"delta": 2, "luld_tier": 2}, {"vega": "-0.5"}],
)
def test_the_last_fields_of_an_instrument_are_described_as_far_as_they_are_given(given):
    universe = Universe((Instrument("X", **given),), (), {})
    described = universe.describe()
    assert len(described[0][0]) == 10 + max((1 + list(LAST).index(name) for name in given), default=0)
    assert Universe.from_description(described) == universe
