"""Pegged orders: their price by every reference, at both doors, with a limit, on the tick, and where nothing is known."""

from __future__ import annotations

import pytest
from live_rows import submit
from refusing import refusal as refusal_of
from rows import column, load, refusal

from riskkit import Instrument, Rule, RuleSet, Session, replay_log
from riskkit.replay.ingest.order_types import NOT_ITS, ORDER_TYPES
from riskkit.replay.ingest.pegs import NO_OFFSET, NO_REFERENCE, NOT_PEGGED, REFERENCES, TOO_LOW, UNKNOWN
from riskkit.replay.schema.columns import MISSING, RowFlag
from riskkit.rules import CashLimit, PriceCollar, TickLotCheck

RULES = RuleSet([Rule("valid", TickLotCheck()), Rule("collar", PriceCollar(pct="0.05"))])
PEG = {"ts": 9, "kind": "order", "account": "A", "instrument": "X", "side": "B", "qty": 1, "type": "peg"}
QUOTE = {"ts": 1, "kind": "price", "instrument": "X", "bid": 99, "ask": 102, "price": 100}


def priced(*rows, tick="0.5", rules=RULES, **options):
    """Price and reserve of the last order of rows as a frame, and the log; a session of the same calls is the same."""
    log = load(*rows, instruments=[Instrument("X", tick=tick)], accounts=["A"], **options)
    session = Session(rules, log.universe, compiled=False, **options)
    submit(session, list(rows))
    assert session.log().event_hash == log.event_hash
    assert session.result().digest == replay_log(log, rules, compiled=False).digest
    return [None if log.columns.get(name, [MISSING])[-1] == MISSING else
            float(log.columns[name][-1] * log.universe.instruments[0].price_step) for name in ("price", "reserve")]  # fmt: skip


@pytest.mark.parametrize(
    ("reference", "buy", "sell"),
    [("touch", 102, 99), ("primary", 99, 102), ("mid", 100.5, 100.5), ("last", 100, 100), (None, 102, 99)],
)
@pytest.mark.parametrize("offset", [None, 0, "1.5", -2.0])
def test_the_price_is_the_reference_with_the_offset_added(reference, buy, sell, offset):
    for side, price in (("B", buy), ("S", sell)):
        row = {**PEG, "side": side, "reference": reference, "offset": offset}
        assert priced(QUOTE, row) == [price + float(offset or 0), None]


@pytest.mark.parametrize(("tick", "buy", "sell"), [("0.5", 100.5, 100.5), ("1", 100, 101), ("2", 100, 102)])
def test_what_is_between_two_ticks_goes_to_the_passive_one(tick, buy, sell):
    quote = {**QUOTE, "bid": 98 if tick == "2" else 99, "ask": 104 if tick == "2" else 102}
    for side, price in (("B", buy), ("S", sell)):
        assert priced(quote, {**PEG, "side": side, "reference": "mid"}, tick=tick)[0] == price


@pytest.mark.parametrize(
    ("side", "limit", "price"), [("B", 101, 101), ("B", 102, 102), ("B", 103, 102), ("S", 98, 99), ("S", 100, 100)]
)
def test_it_goes_no_further_than_its_price_which_a_buy_may_be_moved_to(side, limit, price):
    row = {**PEG, "side": side, "price": limit}
    assert priced(QUOTE, row) == [price, limit if side == "B" else None]
    assert priced(QUOTE, {**row, "reserve": 110})[1] == 110


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({}, UNKNOWN),
        ({"reference": "mid"}, UNKNOWN),
        ({"reference": "last"}, UNKNOWN),
    ],
)
def test_without_its_reference_it_is_refused_or_has_a_bad_price(row, why):
    ask = {**QUOTE, "bid": None, "price": None} if row else {**QUOTE, "instrument": "Y"}
    instruments = [Instrument("X"), Instrument("Y")]
    assert refusal(ask, {**PEG, **row}, instruments=instruments).endswith(why)
    session = Session.create(RULES, instruments, ["A"], compiled=False)
    submit(session, [ask])
    given = {name: value for name, value in {**PEG, **row}.items() if name != "kind"}
    assert refusal_of(session.process_order, **given).endswith(why) and len(session) == 1
    flagged = load(ask, {**PEG, **row}, instruments=instruments, on_bad_order="flag")
    assert column(flagged, "flags")[-1] == RowFlag.BAD_PRICE
    assert replay_log(flagged, RULES, compiled=False).refusals_by_rule()["valid"] == 1


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"reference": "market"}, f"'market' {NO_REFERENCE}"),
        ({"offset": "0.3"}, NO_OFFSET),
        ({"offset": "x"}, NO_OFFSET),
        ({"offset": -102}, TOO_LOW),
        ({"type": "limit", "price": 5, "reference": "mid"}, f"'mid' {NOT_PEGGED}"),
        ({"type": "limit", "price": 5, "offset": 1}, NOT_ITS["offset"]),
        ({"stop": 5}, NOT_ITS["stop"]),
    ],
)
def test_what_no_peg_has_is_refused_at_both_doors(row, why):
    instruments = [Instrument("X", tick="0.5")]
    assert refusal(QUOTE, {**PEG, **row}, instruments=instruments).endswith(why)
    session = Session.create(RULES, instruments, ["A"], compiled=False)
    submit(session, [QUOTE])
    given = {name: value for name, value in {**PEG, **row}.items() if name != "kind"}
    assert refusal_of(session.process_order, **given).endswith(why) and len(session) == 1


def test_its_buy_reserves_cash_for_its_limit_and_money_is_counted_at_its_price():
    funds = RuleSet([Rule("funds", CashLimit())])
    rows = [{"ts": 0, "kind": "cash", "account": "A", "amount": 205}, QUOTE]
    for limit, refused in ((102, 0), (103, 1)):  # two of them
        log = load(*rows, {**PEG, "qty": 2, "price": limit}, instruments=[Instrument("X")])
        assert replay_log(log, funds, compiled=False).refusals_by_rule()["funds"] == refused
    spends = {**PEG, "qty": None, "quote_qty": 1000, "reference": "primary"}
    assert column(load(QUOTE, spends), "qty")[-1] == 10  # 1000 / 99


def test_every_reference_is_a_word_and_a_peg_has_a_place_among_the_types():
    assert "peg" in ORDER_TYPES and len(set(REFERENCES)) == 4
