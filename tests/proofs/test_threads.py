"""Many threads, one session: nothing is lost, the journal replays to the digest, and no reader sees a torn state."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from riskkit import Account, InputError, Instrument, Rule, RuleSet
from riskkit.compat.risk_engine import RiskEngine
from riskkit.compat.rules import AccountVolumeLimitRule, Direction, Order, OrderRateLimitRule, Trade
from riskkit.replay.live.engine import Engine
from riskkit.replay.live.session import Session
from riskkit.replay.live.session_status import SessionStatus
from riskkit.replay.run.replay_log import replay_log
from riskkit.rules import PositionLimit

THREADS = 10
ROUNDS = 40


@pytest.fixture(autouse=True)
def eager_switches():
    """Let threads take turns every few microseconds."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def session_of() -> Session:
    rules = [Rule("size", PositionLimit(limit=40)), *OrderRateLimitRule(3, 50).rules("rate")]
    people = [Account(f"A{t}", {"USD": 1000}) for t in range(THREADS)]
    return Session.create(RuleSet(rules), [Instrument("X")], people, ts_policy="clamp", compiled=False)


def work(session: Session, t: int) -> int:
    """One thread's orders, fills, prices and bad input; returns how many events it had taken."""
    draw = np.random.default_rng(t)
    taken = 0
    for turn in range(ROUNDS):
        ts = 10 * turn + t
        side, qty, price = str(draw.choice(["B", "S"])), int(draw.integers(1, 5)), int(draw.integers(90, 110))
        fields = {"account": f"A{t}", "instrument": "X", "side": side, "qty": qty, "price": price}
        session.process_order(ts=ts, order_id=f"{t}-{turn}", **fields)
        session.process_trade(ts=ts, order_id=f"{t}-{turn}", qty=qty, price=price, fee="0.03")
        taken += 2
        if turn % 5 == 0:
            session.process_price(ts=ts, instrument="X", price=price)
            session.process_cash(ts=ts, account=f"A{t}", amount=qty)
            taken += 2
        if turn % 7 == 0:
            with pytest.raises(InputError):
                session.process_order(ts=ts, order_id=f"{t}-{turn}", **fields)
    return taken


def identity(status: SessionStatus) -> None:
    """Per account: cash + value - paid in == realised + unrealised - fees + funding, in whole quanta."""
    a = status.state.accounts[1:]
    left = a["cash"] + a["value"] - a["net_deposits"]
    assert (left == a["realised"] + (a["value"] - a["cost"]) - a["fees"] + a["funding"]).all()
    held = status.state.positions[1:]
    assert held["cost"].sum() == a["cost"].sum() and held["realised"].sum() == a["realised"].sum()


@pytest.mark.lengthy
def test_ten_threads_lose_nothing_and_readers_see_no_torn_state():
    session = session_of()
    statuses: list[SessionStatus] = []
    done = threading.Event()

    def look() -> int:
        seen = 0
        while not done.is_set():
            status = session.status()
            identity(status)
            seen += 1
            if len(statuses) < 60 and (not statuses or status.size > statuses[-1].size + 10):
                statuses.append(status)
        return seen

    with ThreadPoolExecutor(THREADS + 2) as pool:
        readers = [pool.submit(look) for _ in range(2)]
        taken = sum(writer.result() for writer in [pool.submit(work, session, t) for t in range(THREADS)])
        done.set()
        assert all(reader.result() > 0 for reader in readers)
    assert len(session) == taken
    log = session.log()
    counts = log.counts()
    assert (counts["ORDER"], counts["FILL"]) == (THREADS * ROUNDS, THREADS * ROUNDS)
    assert replay_log(log, session.rules, compiled=False).digest == session.digest
    identity(session.status())
    assert len(statuses) > 3
    twin, at = Engine(session.rules, session.universe, compiled=False), 0
    for status in sorted(statuses, key=lambda status: status.size):
        twin.feed(log, at, status.size)
        at = status.size
        for name, array in status.state.arrays().items():  # of orders and fills a status has none
            assert twin.state.arrays()[name][: len(array)].tobytes() == array.tobytes(), (name, status.size)
            assert len(array) == len(twin.state.arrays()[name]) or name in ("orders", "fills")


@pytest.mark.lengthy
def test_snapshots_taken_by_a_thread_are_of_one_moment():
    session = session_of()
    found: list[Any] = []

    def keep() -> None:
        while len(found) < 8:
            found.append(session.snapshot())

    with ThreadPoolExecutor(THREADS + 1) as pool:
        jobs = [pool.submit(keep), *(pool.submit(work, session, t) for t in range(THREADS))]
        for job in jobs:
            job.result()
    for snapshot in found:
        again = Session.restore(snapshot, session.rules, compiled=False)
        assert again.digest == replay_log(again.log(), session.rules, compiled=False).digest


@pytest.mark.xdist_group("short")
def test_ten_threads_through_the_short_form_compiled():
    """The short form registers accounts and contracts as they come, from any thread."""
    rules = [OrderRateLimitRule(50, 1_000_000_000, 1_000_000), AccountVolumeLimitRule(1000, ["account", "product"])]
    engine = RiskEngine(rules, {"T2303": "T10Y", "T2306": "T10Y"})

    def trade(t: int) -> list[str]:
        said = []
        for turn in range(80):
            order = Order(f"{t}-{turn}", f"ACC{t}", "T2303", Direction.BID, 100.0, 1, 1_000_000 * turn)
            said += [action.action.name for action in engine.process_order(order)]
            said += [a.action.name for a in engine.process_trade(Trade(turn, order.oid, 100.0, 20, order.timestamp))]
        return said

    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(trade, range(THREADS)))
    expected = ["PAUSE", *["REJECT"] * 30, "PAUSE"]
    assert all(sorted(said) == sorted(expected) for said in found)
    assert len(engine.session) == THREADS * 160
    assert sorted(account.id for account in engine.universe.accounts) == [f"ACC{t}" for t in range(THREADS)]
    assert replay_log(engine.log(), engine.rules).digest == engine.digest
