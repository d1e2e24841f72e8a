"""Adjusted, transferred, rolled, funded and settled positions: every rule decides as its twin, and the books add up."""

from __future__ import annotations

from typing import Any

import pytest
from marks import needs_compiling
from proofs.test_scenarios import agree
from random_scenarios import CONVERTING, PARAMETERS, in_currencies, scenario, with_stops
from rows import load
from scenario_runner import run
from streams import random_log

from riskkit import Account, Instrument, Rule, RuleSet, Session, replay_log
from riskkit.replay.engine.compiler import shape_of
from riskkit.replay.engine.specialise import specialise
from riskkit.replay.results.booked import booked_moves, opening_lots
from riskkit.rules import AllowedInstruments, DailyLoss, PositionLimit

OFTEN = {
    "split": 6,
    "funding": 6,
    "expiry": 4,
    "roll": 4,
    "adjust": 8,
    "transfer": 8,
    "bust": 4,
    "correct": 4,
    "snapshot": 2,
    "multiplier": 5,
    "phase": 5,
}
SIZE = RuleSet([Rule("size", PositionLimit(limit=9))])
BUY = {"kind": "order", "account": "A", "instrument": "X", "side": "B", "qty": 1, "price": 10}
FILL = {**BUY, "kind": "fill"}
GIVEN = {"kind": "adjust", "account": "A", "instrument": "X"}
PRICE = {"kind": "price", "instrument": "X"}
XY = (Instrument("X"), Instrument("Y"))


def often(seed: int, events: int, name: str) -> dict[str, Any]:
    """A scenario with many actions, of a rule that follows a split."""
    told = scenario(seed, events, types=[name], weights=OFTEN)
    if name == "mmp" or (name == "volume_cap" and seed % 2):
        told["rules"][0]["scope"] = "account_instrument"
    elif name == "volume_cap":
        told["events"] = [event for event in told["events"] if event["kind"] != "split"]
    if "sensitivities" in told["rules"][0]["params"]:
        told["events"] = [event for event in told["events"] if event["kind"] != "multiplier"]
    for event in told["events"][seed % 9 :: 9]:
        if event["kind"] == "order":
            event["external"] = True
    return with_stops(told, seed)


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_a_rule_decides_as_the_naive_interpreter_whatever_becomes_of_positions(name):
    for seed in range(2):
        told = often(9100 * seed + len(name) + seed, 60, name)
        assert run(told, "live") == agree(told)


@needs_compiling
@pytest.mark.xdist_group("generic")
@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_the_generic_loop_follows_positions_as_plain_python(name):
    told = often(7 + len(name), 80, name)
    assert run(told, "generic") == run(told, "plain")


@pytest.mark.parametrize("name", CONVERTING)
def test_a_limit_in_one_currency_follows_positions_in_three(name):
    told = in_currencies(len(name), [name], weights={**OFTEN, "roll": 0, "split": 0})
    assert run(told, "live") == agree(told)


@pytest.mark.parametrize("mode", ["shadow", "enforce"])
@pytest.mark.parametrize("seed", range(6))
def test_the_books_add_up_after_every_action(seed, mode):
    result = replay_log(
        random_log(seed, 200, venue=True, actions=True, opened=seed % 2 == 0), SIZE, mode=mode, compiled=False
    )
    state, moves = result.state, booked_moves(result)
    positions = state.positions[1:]
    for code, account in enumerate(state.accounts[1:]):
        unrealised = account["value"] - account["cost"]
        profit = account["realised"] + unrealised - account["fees"] + account["funding"]
        assert account["cash"] + account["value"] - account["net_deposits"] == profit
        mine = positions[positions["account"] == code]
        assert (account["cost"], account["realised"]) == (mine["cost"].sum(), mine["realised"].sum())
    held = opening_lots(result)
    for pair, lots in zip(moves.pairs.tolist(), moves.lots.tolist(), strict=True):
        held[pair] += lots
    assert held.tolist() == positions["qty"].tolist()
    assert not positions["stated"].any()


def test_a_settlement_is_final():
    rows = [
        {**FILL, "ts": 1, "qty": 4, "trade_id": "t"},
        {**PRICE, "ts": 2, "kind": "expiry", "price": 12},
        {"ts": 3, "kind": "bust", "account": "A", "instrument": "X", "trade_id": "t"},
        {**FILL, "ts": 4, "qty": 2, "trade_id": "u"},
        {"ts": 5, "kind": "bust", "account": "A", "instrument": "X", "trade_id": "u"},
        {**BUY, "ts": 6},
    ]
    result = replay_log(load(*rows), SIZE, compiled=False)
    assert (result.accounts()["cash"].tolist(), result.accounts()["realised"].tolist()) == ([8], [8])
    assert result.state.positions["qty"][1:].tolist() == [0]


def test_a_roll_gives_the_same_quantity_in_other_lots():
    rows = [{**FILL, "ts": 1, "qty": 3}, {**PRICE, "ts": 2, "kind": "roll", "price": 11}]
    rows += [{**PRICE, "ts": 2, "kind": "roll", "instrument": "Y", "price": 12, "account": "A"}, {**BUY, "ts": 3}]
    log = load(*rows, instruments=(Instrument("X"), Instrument("Y", lot="0.1")))
    result = replay_log(log, SIZE, compiled=False)
    assert result.state.positions["qty"][1:].tolist() == [0, 30]
    assert result.accounts()["cash"].tolist() == [-30 + 33 - 36]
    assert "position settled" in str(result.explain(1))


def test_an_adjustment_at_the_mark_is_no_profit_and_one_with_a_cost_is():
    rules = RuleSet([Rule("loss", DailyLoss(limit=1))])
    marked, order = {**PRICE, "ts": 1, "price": 50}, {**BUY, "ts": 4, "price": 50}
    for cost, refused in ((None, 0), (50.49, 0), (50.5, 1)):
        given = {**GIVEN, "ts": 2, "side": "B", "qty": 2, "price": cost}
        result = replay_log(load(marked, given, order), rules, compiled=False)
        assert (len(result.rejections()), result.accounts()["cash"].tolist()) == (refused, [0]), cost


@pytest.mark.parametrize("scope", ["account", "desk", "global", "product", "account_product"])
def test_a_settlement_costs_a_group_what_its_account_loses(scope):
    months = Instrument("X", product="P"), Instrument("Y", product="P")
    rules = RuleSet([Rule("loss", DailyLoss(limit=1), scope=scope)])
    for price, refused in ((49.01, 0), (49, 1)):  # a loss of 0.99, and of 1
        rows = [{**FILL, "ts": 1, "price": 50}, {**PRICE, "ts": 2, "kind": "expiry", "price": price}]
        log = load(*rows, {**BUY, "ts": 3, "instrument": "Y"}, accounts=(Account("A", desk="D"),), instruments=months)
        assert len(replay_log(log, rules, compiled=False).rejections()) == refused, price


def test_an_expired_instrument_is_known_no_longer_even_if_a_list_names_it():
    rules = RuleSet([Rule("known", AllowedInstruments(instruments=("X",)))])
    rows = [{**BUY, "ts": 1, "order_id": "a"}, {**PRICE, "ts": 2, "kind": "expiry"}, {**BUY, "ts": 3}]
    result = replay_log(load(*[{**row, "price": 10} for row in rows]), rules, compiled=False)
    assert [int(row["seq"]) for row in result.rejections()] == [2]
    assert not (result.state.orders["status"][1:] == 1).any()


def test_a_loop_without_actions_has_nothing_of_them():
    log = random_log(3, 60)
    shape = shape_of(SIZE, log.columns, enforce=True, sampled=True, cancels=True, opened=True)
    text = specialise(shape).text
    for word in (
        "book_adjustment",
        "settle",
        "funding(",
        "adjust(",
        "expired",
        "split",
        "multiplier",
        "external",
        "phase",
    ):
        assert word not in text, word


def test_a_session_bounds_what_actions_move():
    session = Session.create(SIZE, XY, [Account("A", {"USD": 0}), Account("B")], compiled=False)
    session.process_price(ts=1, instrument="X", price=1)
    for ts in range(2, 30):
        session.process_adjust(ts=ts, account="A", instrument="X", side="BS"[ts % 2], qty=10**9)
        session.process_funding(ts=ts, instrument="X", rate="0.1")
        session.process_roll(ts=ts, **{"from": "X", "to": "Y", "from_price": 1, "to_price": 1})
        session.process_expiry(ts=ts, instrument="Y", price=1)
        session.process_split(ts=ts, instrument="Y", ratio=("2/1", "1/2")[ts % 2])
        session.process_multiplier(ts=ts, instrument="Y", multiplier=(3, 1)[ts % 2])
    session.process_transfer(ts=98, **{"from": "A", "to": "B", "instrument": "X", "qty": 5, "price": 2})
    session.process_order(ts=99, account="A", instrument="X", side="B", qty=1, price=1)
    assert session.result().digest == replay_log(session.log(), SIZE, compiled=False).digest
    assert session.result().state.positions["qty"][1:].tolist() == [-5, 0, 5]
