"""The book against exact fractions: positions, average cost, profit and working orders, one record at a time."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskkit.replay.kernels import book
from riskkit.replay.schema.columns import MISSING, CashFlowKind, OrderStatus

PRICES = st.integers(-500, 2_000)
FILLS = st.lists(st.tuples(st.sampled_from([1, -1]), st.integers(1, 50), PRICES, st.integers(-3, 9)), max_size=30)


def records(numerator: int = 1, denominator: int = 1) -> tuple:
    """A position, an account and an instrument, all at zero."""

    def blank(fields: tuple[str, ...], **known: int) -> SimpleNamespace:
        return SimpleNamespace(**{**dict.fromkeys(fields, 0), **known})

    none = dict.fromkeys(("bid", "ask", "last", "mark"), MISSING)
    instrument = blank(book.INSTRUMENT, numerator=numerator, denominator=denominator, **none)
    return blank(book.POSITION), blank(book.ACCOUNT), instrument


class Averaged:
    """Average-cost accounting in fractions, as a textbook has it."""

    def __init__(self) -> None:
        self.qty, self.cost, self.realised = 0, Fraction(0), Fraction(0)

    def fill(self, side: int, qty: int, money: Fraction) -> None:
        price = money / qty
        if self.qty * side < 0:
            closing = min(qty, abs(self.qty))
            released = self.cost * closing / abs(self.qty)
            self.realised += -side * price * closing - released
            self.cost -= released
            self.qty += side * closing
            qty -= closing
        self.cost += side * price * qty
        self.qty += side * qty


@settings(max_examples=200, deadline=None)
@given(FILLS, st.sampled_from([(1, 1), (25, 1), (1, 100), (7, 30)]))
def test_fills_are_average_cost_to_the_quantum(fills, ratio):
    position, account, instrument = records(*ratio)
    exact = Averaged()
    closes = 0
    for side, qty, price, fee in fills:
        money = Fraction(round(Fraction(qty * price * ratio[0], ratio[1])))
        closes += exact.qty * side < 0
        before = account.cash
        was = account.realised
        realised = book.fill(position, account, instrument, side, qty, price, fee)
        exact.fill(side, qty, money)
        assert position.qty == exact.qty
        assert account.cash - before == -side * money - fee, "cash moves by the notional, rounded once, and the fee"
        assert account.realised - was == realised
        assert abs(position.cost - exact.cost) <= 2 * closes, "a close may leave less than a quantum, a flip another"
        if exact.qty == 0:
            assert position.cost == 0 and account.realised == exact.realised, (
                "flat: all of it is realised, to the quantum"
            )
        assert account.cash + account.cost == account.realised - account.fees
    assert (position.realised, position.cost) == (account.realised, account.cost)


@given(FILLS.filter(bool), PRICES)
def test_a_mark_values_the_position_at_its_price(fills, mark):
    position, account, instrument = records(25)
    for side, qty, price, fee in fills:
        book.fill(position, account, instrument, side, qty, price, fee)
    book.quote(instrument, mark, MISSING, MISSING)
    book.mark(position, account, instrument)
    assert position.value == account.value == position.qty * mark * 25
    paid = sum(side * qty * price * 25 + fee for side, qty, price, fee in fills)
    assert book.equity(account) == book.profit(account) == position.value - paid


def test_a_round_trip_by_hand():
    position, account, instrument = records()
    assert book.fill(position, account, instrument, 1, 3, 100, 2) == 0
    assert book.fill(position, account, instrument, 1, 1, 120, 0) == 0
    assert (position.qty, position.cost) == (4, 420)
    assert book.fill(position, account, instrument, -1, 2, 110, 0) == 220 - 210
    assert book.fill(position, account, instrument, -1, 5, 90, 1) == 180 - 210, "two close, three open short"
    assert (position.qty, position.cost, account.realised) == (-3, -270, -20)
    assert book.fill(position, account, instrument, 1, 3, 80, 0) == 30
    assert (position.qty, position.cost, account.realised, account.fees) == (0, 0, 10, 3)
    assert account.cash == 10 - 3


def test_an_opening_position_is_worth_what_its_first_mark_says():
    position, account, instrument = records()
    position.qty, position.unpriced = 5, 1
    book.quote(instrument, 100, MISSING, MISSING)
    book.mark(position, account, instrument)
    assert (account.value, account.cost, account.net_deposits, book.profit(account)) == (500, 500, 500, 0)
    book.quote(instrument, 90, MISSING, MISSING)
    book.mark(position, account, instrument)
    assert book.profit(account) == -50


def test_flows_fees_funding_and_dividends():
    _, account, _ = records()
    book.cash_flow(account, CashFlowKind.DEPOSIT, 1_000)
    assert book.profit(account) == 0
    book.cash_flow(account, CashFlowKind.FEE, -7)
    book.cash_flow(account, CashFlowKind.FUNDING, -2)
    book.cash_flow(account, CashFlowKind.DIVIDEND, 5)
    assert (account.cash, account.net_deposits, account.fees, account.funding) == (996, 1_000, 7, 3)
    assert book.profit(account) == -4


def test_equity_from_outside_replaces_the_computed_one():
    _, account, _ = records()
    book.cash_flow(account, CashFlowKind.DEPOSIT, 1_000)
    book.give_equity(account, 900)
    assert book.equity(account) == 900 and book.profit(account) == -100


def test_a_deposit_counts_once_an_equity_from_outside_contains_it():
    _, account, _ = records()
    book.cash_flow(account, CashFlowKind.DEPOSIT, 1_000)
    book.give_equity(account, 900)
    book.cash_flow(account, CashFlowKind.DEPOSIT, 500)
    assert book.profit(account) == -100, "the equity given does not have the second deposit"
    book.give_equity(account, 1_380)
    assert book.profit(account) == -120


def test_the_first_equity_of_an_account_without_deposits_is_no_profit():
    _, account, _ = records()
    account.cash = account.realised = -40
    book.give_equity(account, 100_000)
    assert book.profit(account) == -40
    book.give_equity(account, 80_000)
    assert book.profit(account) == -20_040


def test_the_deepest_fall_is_kept():
    _, account, _ = records()
    for cash in (5, 30, 10, 25, 12, 40, 31):
        account.cash = cash
        book.track(account)
    assert (account.peak, account.drawdown) == (40, 20)


# ---------------------------------------------------------------------- prices


def test_a_quote_leaves_what_it_does_not_name():
    _, _, instrument = records()
    book.quote(instrument, MISSING, 99, MISSING)
    assert (instrument.bid, instrument.ask, instrument.last, instrument.priced) == (99, MISSING, MISSING, 0)
    book.quote(instrument, 100, MISSING, 101)
    assert (instrument.bid, instrument.ask, instrument.last, instrument.mark) == (99, 101, 100, 100)


@pytest.mark.parametrize(
    ("quotes", "side", "price", "expected"),
    [
        ({}, 1, 105, 105),
        ({"bid": 99, "ask": 101, "last": 100}, 1, MISSING, 101),
        ({"bid": 99, "ask": 101, "last": 100}, -1, MISSING, 99),
        ({"bid": 99, "mark": 100}, 1, MISSING, 100),
        ({"ask": 101, "mark": 100}, -1, MISSING, 100),
        ({}, 1, MISSING, MISSING),
    ],
)
def test_what_an_order_is_valued_at(quotes, side, price, expected):
    _, _, instrument = records()
    vars(instrument).update(quotes)
    assert book.order_price(instrument, side, price) == expected


@pytest.mark.parametrize(
    ("side", "price", "limit", "expected"),
    [(1, 101, 100, True), (1, 100, 100, False), (-1, 99, 100, True), (-1, 101, 100, False), (1, 101, MISSING, False)],
)
def test_worse_than_a_limit(side, price, limit, expected):
    assert bool(book.worse(side, price, limit)) == expected


# ---------------------------------------------------------------------- working orders


def order() -> SimpleNamespace:
    return SimpleNamespace(**dict.fromkeys(book.ORDER, 0))


def opened(side: int = 1, qty: int = 10) -> tuple:
    one = order()
    position, account, _ = records()
    book.open_order(one, position, account, side, qty, 100, MISSING, 0, 0)
    return one, position, account


@pytest.mark.parametrize("side", [1, -1])
def test_an_order_works_until_it_is_filled(side):
    one, position, account = opened(side)
    working = (lambda: position.open_buy_qty) if side > 0 else (lambda: position.open_sell_qty)
    assert (working(), account.working) == (10, 1)
    book.fill_order(one, position, account, 4)
    assert (working(), account.working, one.status) == (6, 1, OrderStatus.WORKING)
    book.fill_order(one, position, account, 6)
    assert (working(), account.working, one.status) == (0, 0, OrderStatus.DONE)
    book.close_order(one, position, account)
    assert (working(), account.working) == (0, 0), "cancelled too late: nothing is taken off twice"


def test_an_order_filled_beyond_its_quantity_is_done():
    one, position, account = opened()
    book.fill_order(one, position, account, 15)
    assert (position.open_buy_qty, account.working, one.status, one.filled) == (0, 0, OrderStatus.DONE, 15)
    book.fill_order(one, position, account, 5)
    assert (position.open_buy_qty, account.working, one.filled) == (0, 0, 20)


def test_a_cancelled_order_works_no_more():
    one, position, account = opened()
    book.fill_order(one, position, account, 4)
    book.close_order(one, position, account)
    assert (position.open_buy_qty, account.working, one.status) == (0, 0, OrderStatus.DONE)


@pytest.mark.parametrize(("qty", "working", "status"), [(12, 8, 1), (6, 2, 1), (4, 0, 3), (3, 0, 3)])
def test_a_modify_counts_what_is_filled_already(qty, working, status):
    one, position, account = opened()
    book.fill_order(one, position, account, 4)
    book.change_order(one, position, account, qty, 99)
    assert (position.open_buy_qty, one.status, account.working, one.price) == (working, status, int(status == 1), 99)


@pytest.mark.parametrize(
    ("held", "side", "qty", "working", "own", "expected"),
    [
        (10, -1, 10, 0, 0, True),
        (10, -1, 11, 0, 0, False),  # it would flip
        (10, -1, 6, 5, 0, False),  # with what works already it would flip
        (10, -1, 6, 5, 5, True),  # what works is the order itself
        (10, 1, 1, 0, 0, False),
        (-10, 1, 10, 0, 0, True),
        (0, -1, 1, 0, 0, False),
    ],
)
def test_what_only_reduces(held, side, qty, working, own, expected):
    position, _, _ = records()
    position.qty = held
    position.open_buy_qty = position.open_sell_qty = working
    assert bool(book.reduces(position, side, qty, own)) == expected
