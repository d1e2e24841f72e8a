"""Newcomers of every kind, under rules on books that join accounts, instruments or currencies: no event is taken again."""

from __future__ import annotations

import math

import pytest

import riskkit as rk
from riskkit import Account, Instrument, Rule, RuleSet
from riskkit.replay.live.engine import Engine
from riskkit.replay.live.growth import Growth
from riskkit.replay.live.session import Session
from riskkit.replay.schema.universe import Universe
from riskkit.rules import AllowedInstruments, DailyLoss, InitialMargin, MaxExposure, PositionLimit, VarLimit

ANY = Instrument("any", tick="0.01")
KINDS = {
    "covariance of an account": (Rule("r", VarLimit(10**6, bar_ns=10**9, warmup=1)), "account"),
    "covariance of all": (Rule("r", VarLimit(10**6, bar_ns=10**9, warmup=1), scope="global"), "instrument"),
    "book of a desk": (Rule("r", PositionLimit(60), scope="desk"), "instrument"),
    "book of a firm": (Rule("r", PositionLimit(60), scope="firm"), "account"),
    "book of a product": (Rule("r", MaxExposure(5_000), scope="product"), "instrument"),
    "product of an account": (Rule("r", MaxExposure(5_000), scope="account_product"), "account"),
    "loss of an account in an instrument": (Rule("r", DailyLoss(20), scope="account_instrument"), "instrument"),
    "netting set, account": (Rule("r", MaxExposure(5_000), scope="desk", netting="none"), "account"),
    "netting set, instrument": (Rule("r", MaxExposure(5_000), scope="desk", netting="none"), "instrument"),
    "book of a strategy": (Rule("r", PositionLimit(60), scope="strategy"), "strategy"),
    "instruments that a rule names": (Rule("r", AllowedInstruments(("X", "I5"))), "instrument"),
    "margin by instrument": (Rule("r", InitialMargin("reg_t")), "instrument"),
    "currency": (Rule("r", MaxExposure(5_000), currency="USD"), "currency"),
    "currency of a firm": (Rule("r", MaxExposure(5_000), currency="USD", scope="firm"), "currency"),
    "account, converted": (Rule("r", MaxExposure(5_000), currency="USD"), "account"),
}
NEWCOMERS = 9


def session_of(rule: Rule) -> Session:
    """A session whose only account has a desk and a firm, as those have that come later: none."""
    world = Universe.declare([Instrument("X", tick="0.01")], [Account("A", {"USD": 10**4})], like=ANY)
    return Session(RuleSet([rule]), world, auto_register=ANY, compiled=False)


def trade(session: Session, number: int, **labels: str) -> None:
    """An order, its fill, and a price that moves."""
    ts, side, price = number * 10**9, "BS"[number % 3 == 0], 100 + number % 7
    order = {"account": "A", "instrument": "X", **labels}
    session.process_order(ts=ts, side=side, qty=1 + number % 5, price=price, order_id=f"{number}", **order)
    session.process_trade(ts=ts, order_id=f"{number}", qty=1, price=price)
    session.process_price(ts=ts, instrument=order["instrument"], price=price + 1)


def newcomer(session: Session, number: int, kind: str) -> None:
    """Events of a label that has not been seen."""
    if kind == "currency":
        code = f"C{chr(65 + number // 26)}{chr(65 + number % 26)}"
        session.process_fx(ts=session.latest, pair=f"{code}USD", price=2)
        trade(session, number)
    else:
        trade(session, number, **{kind: f"{kind[0].upper()}{number}"})


@pytest.mark.parametrize("name", KINDS)
def test_newcomers_take_no_event_again_however_many_are_behind(name, monkeypatch):
    rule, kind = KINDS[name]
    again, grown, widened, more = [], [], Engine.widened, Growth._spare_again
    monkeypatch.setattr(Engine, "widened", lambda engine, *given: again.append(engine.size) or widened(engine, *given))
    monkeypatch.setattr(Growth, "_spare_again", lambda room, state: grown.append(more(room, state)) or grown[-1])
    for behind in (2, 12):
        session = session_of(rule)
        for number in range(behind):
            trade(session, number)
        grown.clear()
        for number in range(behind, behind + NEWCOMERS):
            newcomer(session, number, kind)
            if number == behind + NEWCOMERS // 2:
                session = Session.restore(session.snapshot(), session.rules, compiled=False)
        assert not again
        assert sum(grown) <= 1 + math.log2(NEWCOMERS)
        declared = Engine(session.rules, session.universe, compiled=False)
        declared.feed(session.log())
        assert session.digest == declared.digest


@pytest.mark.parametrize("name", ["covariance of all", "netting set, account", "currency"])
def test_newcomers_come_also_when_the_events_before_are_on_disk_only(name, tmp_path):
    rule, kind = KINDS[name]
    options = {"universe": session_of(rule).universe, "auto_register": ANY, "horizon": "1s", "compiled": False}
    with rk.Session.open(tmp_path, RuleSet([rule]), **options) as session:
        for number in range(4):
            trade(session, number)
        session.roll()
        for number in range(4, 9):
            newcomer(session, number, kind)
        digest = session.digest
    with rk.Session.open(tmp_path, RuleSet([rule]), compiled=False) as session:
        newcomer(session, 9, kind)
        assert len(session.log()) > 20
    assert rk.open_journal(tmp_path).log.universe == session.universe
    assert digest != session.digest == rk.open_journal(tmp_path).digest


def test_a_refused_instrument_leaves_no_words_to_the_next_one_in_its_place():
    session = session_of(Rule("known", AllowedInstruments(("X", "I5"))))
    trade(session, 0)
    labels, room = session.engine.labels, session.engine.growth
    before, allowed = labels.sizes, []
    for label in ("I5", "I6"):
        code = labels.add("instruments", label)
        room.admit(session.engine.tables, 1)
        table = session.engine.tables.rules[0]
        allowed.append(int(session.engine.tables.memory[table["memory"][0] + code]))
        labels.shrink(before)
    assert allowed == [1, 0]
