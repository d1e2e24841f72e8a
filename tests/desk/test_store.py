"""The stores: whatever a tracker took, both hold the same log, views and tracker; a killed writer loses nothing told."""

import json
import os
import random
import shutil
import subprocess
import sys
import threading
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import desk_store as naive

from riskkit import InputError
from riskkit.desk import (
    DeskLimits,
    DuckDBStore,
    DuplicateTradeError,
    ParquetStore,
    PositionTracker,
    RequestError,
    RiskManager,
    RiskState,
)

TOKENS = {"ETH": "1e-18", "BTC": "1e-8", "WEI": 1}
DAY = naive.DAY


def tracker(**options) -> PositionTracker:
    made = PositionTracker(TOKENS, **options)
    for token, price in (("ETH", 2_000), ("BTC", 50_000), ("WEI", "0.000000000000002")):
        made.set_price(token, price, 1)
    return made


@pytest.fixture(params=["parquet", "duckdb"])
def opened(request, tmp_path):
    """A function that opens the one store of a test, again and again."""
    made = []

    def store(**options):
        kind = ParquetStore if request.param == "parquet" else DuckDBStore
        made.append(kind(tmp_path / ("store" if request.param == "parquet" else "store.duckdb"), **options))
        return made[-1]

    yield store
    for one in made:
        one.close()


# ---------------------------------------------------------------------- the state of a tracker

USERS, MARKETS = st.sampled_from(["ann", "bob", "é🙂"]), st.sampled_from(["x", "y"])
TOKEN = st.sampled_from(sorted(TOKENS))
AMOUNT = st.one_of(
    st.integers(-30, 30).map(lambda n: f"{n / 10}"),
    st.integers(-(2**256) + 1, 2**256 - 1),
    st.integers(-(10**20), 10**20).map(lambda n: Decimal(n).scaleb(-18)),
)
STAMP = st.integers(-3 * DAY, 40 * DAY)
PRICE = st.sampled_from([1, "0.3", 1.25, Decimal("123.456789012345678901"), Fraction(1, 3), "1e30"])
ID = st.one_of(st.none(), st.integers(0, 5), st.sampled_from(["a", "5", ""]), st.tuples(st.integers(0, 2), st.text()))
EVENT = st.one_of(
    st.tuples(st.just("update"), USERS, MARKETS, TOKEN, AMOUNT, PRICE, STAMP, ID),
    st.tuples(st.just("update"), USERS, MARKETS, TOKEN, AMOUNT, PRICE, STAMP, ID),
    st.tuples(st.just("swap"), USERS, MARKETS, TOKEN, AMOUNT, TOKEN, AMOUNT, STAMP, st.sampled_from([None, *TOKENS]), ID),
    st.tuples(st.just("price"), TOKEN, PRICE, STAMP, st.sampled_from([None, "x"])),
    st.tuples(st.just("period"), STAMP),
    st.tuples(st.just("remove"), USERS, MARKETS, TOKEN),
    st.tuples(st.just("clear"), st.one_of(st.none(), USERS)),
    st.tuples(st.just("token"), st.sampled_from(["NEW", "OTHER"])),
    st.tuples(st.just("checkpoint")),
    st.tuples(st.just("flush")),
)  # fmt: skip


def happen(made: PositionTracker, event: tuple, stores=()) -> bool:
    """Whether the tracker took an event."""
    kind, *fields = event
    try:
        if kind == "swap":
            user, market, sell, sold, buy, bought, stamp, gas, trade_id = fields
            fee = {"gas_token": gas, "gas_amount": "1" if gas else 0}
            made.swap(user, market, sell, sold, buy, bought, timestamp=stamp, trade_id=trade_id, **fee)
        elif kind in ("checkpoint", "flush"):
            [getattr(store, kind)() for store in stores]
        elif kind == "token":
            made.add_token(fields[0], "0.1")
        else:
            names = {"price": "set_price", "period": "close_period"}
            getattr(made, names.get(kind, kind))(*fields)
    except InputError:
        return False
    return True


EVENTS = st.lists(EVENT, max_size=25)


@settings(max_examples=60, deadline=None)
@given(EVENTS, EVENTS)
def test_a_state_goes_through_json_and_on(before, after):
    made = tracker(remember=3, window=3)
    [happen(made, event) for event in before]
    again = PositionTracker.from_state(json.loads(json.dumps(made.state())))
    assert again.digest == made.digest and again.state() == made.state()
    assert [happen(made, event) for event in after] == [happen(again, event) for event in after]
    assert again.state() == made.state()
    assert repr(again) == repr(made)
    assert [again.positions_of(user) for user in again.users()] == [made.positions_of(user) for user in made.users()]


def test_every_part_of_a_state_moves_the_digest():
    def one(**options) -> PositionTracker:
        made = tracker(**options)
        made.update("ann", "x", "ETH", 1, 1_000, 5, "a")
        return made

    changes = [
        lambda made: made.update("ann", "x", "ETH", "1e-18", 1, 5),
        lambda made: made.set_price("ETH", 2_001, 1),
        lambda made: made.set_price("ETH", 2_000, 2),
        lambda made: made.set_price("ETH", 2_000, 1, market="x"),
        lambda made: made.add_token("NEW", 1),
        lambda made: made.close_period(5),
        lambda made: made.remove("ann", "x", "ETH"),
        lambda made: made.clear(),
        lambda made: made.update("bob", "y", "BTC", 1, 1, 5),
    ]
    digests = [one().digest, one(window=9).digest, one(quantum="0.01").digest, one(stale_after=7).digest]
    digests += [one(remember=9).digest, one(periods_per_year=365).digest]
    for change in changes:
        made = one()
        change(made)
        digests.append(made.digest)
    assert len(set(digests)) == len(digests)
    assert one().digest == digests[0] and len(digests[0]) == 64


def test_the_order_of_users_threads_and_dicts_is_no_part_of_the_digest():
    def trades(user: int) -> list[tuple]:
        return [(f"u{user}", f"m{n % 2}", "ETH", n % 5 - 2 or 3, 1_000 + n, n, (user, n)) for n in range(200)]

    one = tracker()
    [one.update(*trade) for user in reversed(range(6)) for trade in trades(user)]
    other = PositionTracker(dict(reversed(TOKENS.items())))
    for token, price in (("WEI", "0.000000000000002"), ("BTC", 50_000.0), ("ETH", "2000.0")):
        other.set_price(token, price, 1)
    work = [threading.Thread(target=lambda u=u: [other.update(*trade) for trade in trades(u)]) for u in range(6)]
    [thread.start() for thread in work]
    [thread.join() for thread in work]
    assert one.digest == other.digest


@pytest.mark.parametrize(
    "spoil",
    [
        lambda state: None,
        lambda state: [],
        lambda state: {},
        lambda state: {**state, "format": 2},
        lambda state: {**state, "books": {**state["books"], "quantum": "x"}},
        lambda state: {**state, "books": {**state["books"], "users": []}},
        lambda state: {**state, "books": {**state["books"], "positions": [[1, 2]]}},
        lambda state: {**state, "books": {**state["books"], "positions": state["books"]["positions"] * 2}},
        lambda state: {**state, "books": {**state["books"], "tokens": {}}},
        lambda state: {**state, "trade_ids": None},
    ],
)
def test_what_is_no_state_is_refused_by_a_sentence(spoil):
    made = tracker()
    made.update("ann", "x", "ETH", 1, 1_000, 5)
    with pytest.raises(InputError):
        PositionTracker.from_state(spoil(made.state()))


# ---------------------------------------------------------------------- rebuilt from the log


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(EVENTS, EVENTS, st.integers(1, 20))
def test_what_is_rebuilt_is_what_lives(tmp_path_factory, before, after, part_rows):
    folder, made = tmp_path_factory.mktemp("store"), tracker(remember=3, window=3, quantum="0.01")
    twin = tracker(remember=3, window=3, quantum="0.01")
    [happen(one, event) for event in before for one in (made, twin)]
    with (
        ParquetStore(folder / "p", part_rows=part_rows) as first,
        DuckDBStore(":memory:", part_rows=part_rows) as second,
    ):
        first.follow(made)
        second.follow(twin)
        for event in after:
            assert happen(made, event, [first]) == happen(twin, event, [second])
        for store in (first, second):
            assert store.rebuild().digest == made.digest == twin.digest
            assert store.rebuild(from_start=False).digest == made.digest
        assert len(first) == len(second)
        frames = [(getattr(first, view)(), getattr(second, view)()) for view in VIEWS]
        for one, other in frames:
            pd.testing.assert_frame_equal(one, other)
        positions = frames[-1][0]
        held = {(p.user, p.market, p.token): p for user in made.users() for p in made.positions_of(user)}
        assert [tuple(row) for row in positions[["user", "market", "token"]].itertuples(index=False)] == sorted(held)
        for row in positions.itertuples(index=False):
            position = held[row.user, row.market, row.token]
            assert row.amount == position.amount and float(row.cost) == position.cost
            assert (row.opened.value, row.updated.value) == (position.opened, position.updated)
    assert ParquetStore(folder / "p").rebuild().digest == made.digest


VIEWS = ("trade_events", "user_daily_pnl", "current_positions")
CENTS = st.integers(1, 10**6).map(lambda n: f"{n / 100}")
TENTH = st.integers(1, 50).map(lambda n: f"{n / 10}")
WHO = {"user": st.sampled_from("ab"), "market": st.sampled_from("xy"), "timestamp": st.integers(-2 * DAY, 2 * DAY)}
TRADE = st.one_of(
    st.fixed_dictionaries(
        {"kind": st.just("update"), "token": TOKEN, "price": CENTS, **WHO}
        | {"amount": st.integers(-50, 50).filter(bool).map(str)}
    ),
    st.fixed_dictionaries(
        {"kind": st.just("swap"), "value": CENTS, **WHO}
        | {"sell_token": st.just("ETH"), "sell_amount": TENTH, "buy_token": st.just("BTC"), "buy_amount": TENTH}
        | {"gas_token": st.sampled_from([None, "ETH"]), "gas_amount": st.just("0.3")}
    ),
)


@settings(max_examples=30, deadline=None)
@given(st.lists(TRADE, max_size=30), st.integers(1, 10))
def test_the_views_are_the_naive_ones(tmp_path_factory, trades, part_rows):
    made = tracker(quantum="0.01")
    store = ParquetStore(tmp_path_factory.mktemp("store"), part_rows=part_rows)
    store.follow(made)
    for trade in trades:
        fields = {name: value for name, value in trade.items() if name != "kind"}
        if trade.get("gas_token", "") is None:
            del fields["gas_token"], fields["gas_amount"]
        getattr(made, trade["kind"])(**fields)
    told, days, held = naive.views([{**trade, "gas_price": 2_000} for trade in trades], "0.01")
    cent = Decimal("0.01")
    found = store.trade_events()[["role", "user", "market", "token", "amount", "money", "realized"]]
    assert [tuple(row) for row in found.itertuples(index=False)] == [
        (*leg[:4], Decimal(leg[4].numerator) / leg[4].denominator, leg[5] * cent, leg[6] * cent) for leg in told
    ]
    pnl = {
        (row.user, row.day.value // DAY): (row.sum, row.count, row.average)
        for row in store.user_daily_pnl().itertuples(index=False)
    }
    assert {key: total for key, (total, *_) in pnl.items()} == {
        key: int(units) * cent for key, (units, _) in days.items()
    }
    for key, (total, count, average) in pnl.items():
        assert count == days[key][1] and average == pytest.approx(float(total) / count, rel=1e-15)
    positions = store.current_positions()
    assert {
        (row.user, row.market, row.token): (Fraction(row.amount), row.cost) for row in positions.itertuples(index=False)
    } == {key: (amount, cost * cent) for key, (amount, cost) in held.items()}


def test_the_views_of_one_day_by_hand(opened):
    made, store = tracker(quantum="0.01"), opened()
    store.follow(made)
    made.update("ann", "x", "ETH", 2, 1_000, DAY - 1, "a")
    made.update("ann", "x", "ETH", "-0.5", 1_100, DAY, "b")
    made.update("ann", "x", "ETH", "-0.5", "899.98", DAY + 5, ("b", 2))
    made.swap(
        "bob", "x", "BTC", "0.1", "ETH", 2, timestamp=-1, value=4_000, gas_token="ETH", gas_amount="0.01", trade_id=7
    )
    trades = store.trade_events()
    assert trades["role"].tolist() == ["trade"] * 3 + ["sell", "buy", "gas"]
    assert trades["kind"].tolist() == ["update"] * 3 + ["swap"] * 3
    assert trades["price"].tolist() == [1_000.0, 1_100.0, 899.98, 40_000.0, 2_000.0, 2_000.0]
    assert trades["trade_id"].tolist()[:4] == ["a", "b", '["b",2]', "7"]
    assert str(trades["timestamp"].iloc[0]) == "1970-01-01 23:59:59.999999999+00:00"
    assert trades["realized"].tolist()[1:3] == [Decimal("50.00"), Decimal("-50.01")]
    pnl = store.user_daily_pnl()
    assert pnl["user"].tolist() == ["ann", "ann", "bob"]
    assert [str(day.date()) for day in pnl["day"]] == ["1970-01-01", "1970-01-02", "1969-12-31"]
    assert pnl["sum"].tolist() == [0, Decimal("-0.01"), 0]
    assert pnl["count"].tolist() == [1, 2, 1] and pnl["average"].tolist() == [0.0, -0.005, 0.0]
    positions = store.current_positions()
    assert positions[["user", "token"]].to_numpy().tolist() == [["ann", "ETH"], ["bob", "BTC"], ["bob", "ETH"]]
    assert positions["amount"].tolist() == [1, Decimal("-0.1"), Decimal("1.99")]
    assert positions["average_cost"].tolist() == [1_000.0, 40_000.0, 2_000.0]
    made.remove("ann", "x", "ETH")
    assert store.current_positions()["user"].tolist() == ["bob", "bob"]
    made.clear("bob")
    assert store.current_positions().empty and len(store.trade_events()) == 6
    assert store.rebuild().digest == made.digest


def test_empty_views_have_their_columns(opened):
    store = opened()
    for view in VIEWS:
        assert len(getattr(store, view)()) == 0 and getattr(store, view)().columns[0] in ("event", "user")
    with pytest.raises(InputError, match="has no log"):
        store.rebuild()


# ---------------------------------------------------------------------- going on


def test_a_store_is_gone_on_with(opened):
    made, store = tracker(), opened(part_rows=3)
    store.follow(made)
    made.update("ann", "x", "ETH", 1, 1_000, 5, "a")
    store.checkpoint()
    store.close()
    made.update("ann", "x", "ETH", 1, 1_000, 6, "not written")
    store = opened(part_rows=3)
    again = store.resume()
    with pytest.raises(DuplicateTradeError):
        again.update("ann", "x", "ETH", 1, 1_000, 6, "a")
    again.update("ann", "x", "ETH", 1, 1_000, 6, "b")
    assert store.trade_events()["trade_id"].tolist() == ["a", "b"]
    assert store.rebuild().digest == store.rebuild(from_start=False).digest == again.digest
    with pytest.raises(InputError, match="has 4 events"):
        store.follow(tracker())
    with pytest.raises(InputError, match="has a book already"):
        store.resume()
    assert "events" in repr(store)


def test_what_cannot_be_written_is_not_booked(opened, monkeypatch):
    made, store = tracker(), opened(part_rows=1)
    store.follow(made)
    before = made.digest
    for fields in ({"trade_id": 0.5}, {"trade_id": object()}, {"user": "\ud800"}):
        with pytest.raises(InputError, match="stored|UTF-8"):
            made.update(
                **{"user": "ann", "market": "x", "token": "ETH", "amount": 1, "price": 1, "timestamp": 2} | fields
            )
    assert made.digest == before and len(store) == 1
    made.update("ann", "x", "ETH", 1, 1, 2, "waits")

    def full(rows):
        raise InputError("the disk is full")

    monkeypatch.setattr(store, "_write", full)
    before = made.digest
    for attempt in (
        lambda: made.update("ann", "x", "ETH", 1, 1, 3, "b"),
        lambda: made.swap("ann", "x", "ETH", 1, "BTC", 1, timestamp=3),
        lambda: made.set_price("ETH", 7, 9),
        lambda: made.add_token("NEW", 1),
        lambda: made.close_period(9),
        lambda: made.remove("ann", "x", "ETH"),
        lambda: made.clear(),
    ):
        with pytest.raises(InputError, match="the disk is full"):
            attempt()
    assert made.digest == before and len(store) == 2
    monkeypatch.undo()
    made.update("ann", "x", "ETH", 1, 1, 3, "b")
    assert store.trade_events()["trade_id"].tolist() == ["waits", "b"]
    assert store.rebuild().digest == made.digest


def test_an_id_that_no_store_knows_again_keeps_a_tracker_out(opened):
    made, store = tracker(), opened()
    made.update("ann", "x", "ETH", 1, 1, 2, object())
    with pytest.raises(InputError, match="cannot be stored"):
        store.follow(made)
    other = tracker()
    store.follow(other)
    with pytest.raises(InputError, match="a journal is attached already"):
        other.write_to(store)
    store.close()
    with pytest.raises(InputError, match="has no book"):
        store.checkpoint()


def test_threads_write_a_log_that_follows(opened):
    made, store = tracker(), opened(part_rows=50)
    store.follow(made)

    def work(thread: int) -> None:
        for turn in range(100):
            made.update(f"u{turn % 3}", "x", "ETH", 1 if turn % 2 else "-0.5", 2_000 + thread, turn, (thread, turn))
            if turn % 40 == 0:
                store.flush()

    threads = [threading.Thread(target=work, args=(place,)) for place in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(store) == 801 and store.user_daily_pnl()["count"].sum() == 800
    assert store.rebuild().digest == made.digest


def test_a_log_is_not_kept_in_memory(tmp_path):
    made, store = tracker(), ParquetStore(tmp_path, part_rows=10)
    store.follow(made)
    for turn in range(100):
        made.update("ann", "x", "ETH", 1, 1, turn)
        assert len(store._waiting) <= 10
    assert len(store.parts()) >= 10


# ---------------------------------------------------------------------- a manager


TICKERS = ["A", "B", "C", "D"]
CLOSE = st.integers(50, 150).map(lambda n: n / 10)
DEED = st.one_of(
    st.tuples(st.just("trade"), st.sampled_from(TICKERS), st.integers(1, 60), st.sampled_from(["buy", "sell"])),
    st.tuples(st.just("trade"), st.sampled_from(TICKERS), st.integers(1, 60), st.sampled_from(["buy", "sell"])),
    st.tuples(st.just("bar"), st.dictionaries(st.sampled_from(TICKERS), CLOSE)),
    st.tuples(st.just("price"), st.sampled_from(TICKERS), CLOSE),
    st.tuples(st.just("ticker"), st.sampled_from(TICKERS), st.one_of(st.none(), CLOSE), st.sampled_from([None, 0.02])),
    st.tuples(st.just("limits"), st.sampled_from([None, 1.0, 100.0])),
    st.tuples(st.just("warm_up"), st.integers(3, 6)),
    st.tuples(st.just("checkpoint")),
)


def manager(start: str = "first_nonzero_square") -> RiskManager:
    made = RiskManager(
        "5000.25", limits=DeskLimits(var_limit=200.0), bars_per_day=1, min_bars=2, short_selling=True, keep=3
    )
    made._risk.covariance.initial = start
    made.add_ticker("A", price=10.0, volatility=0.02)
    return made


def act(made: RiskManager, deed: tuple, stamp: int, stores=()) -> str | None:
    """What a manager said to a deed."""
    kind, *fields = deed
    try:
        if kind == "trade":
            return made.execute_trade(*fields, timestamp=stamp).reason
        if kind == "bar":
            made.on_bar(fields[0], pd.Timestamp(stamp))
        elif kind == "price":
            made.set_price(*fields, timestamp=stamp)
        elif kind == "ticker":
            made.add_ticker(fields[0], fields[1], volatility=fields[2], timestamp=stamp)
        elif kind == "limits":
            made.set_limits("A. Desk", "a quiet day", var_limit=fields[0], timestamp=stamp)
        elif kind == "warm_up":
            rows = range(fields[0])
            made.warm_up(
                pd.DataFrame({t: [9 + (i * 7 + n) % 5 / 4 for n in rows] for i, t in enumerate(TICKERS)}), stamp
            )
        else:
            [store.checkpoint() for store in stores]
    except InputError as error:
        return str(error)
    return None


DEEDS = st.lists(DEED, max_size=20)
START = st.sampled_from(["first_nonzero_square", "renormalized"])


@settings(max_examples=40, deadline=None)
@given(DEEDS, DEEDS, START)
def test_a_manager_goes_through_json_and_on(before, after, start):
    made = manager(start)
    [act(made, deed, stamp) for stamp, deed in enumerate(before)]
    again = RiskManager.from_state(json.loads(json.dumps(made.state())))
    assert again.digest == made.digest and again.state() == made.state()
    for stamp, deed in enumerate(after, len(before)):
        assert act(made, deed, stamp) == act(again, deed, stamp)
        assert again._risk.variance == made._risk.variance
    assert again.state() == made.state() and again.digest == made.digest
    assert [one.to_dict() for one in again.executions] == [one.to_dict() for one in made.executions]
    again.verify()


def test_a_rejected_trade_before_a_checkpoint_does_not_break_the_log(opened):
    store, made = opened(), manager()
    store.follow(made)
    assert not made.execute_trade("B", 1, "buy", timestamp=1).executed and made.rejected == 1
    store.checkpoint()
    assert made.execute_trade("A", 1, "buy", timestamp=2).executed
    again = store.rebuild()
    assert again.digest == made.digest and again.rejected == 1


@settings(max_examples=15, deadline=None)
@given(DEEDS, DEEDS, START, st.integers(1, 9))
def test_a_manager_that_is_rebuilt_is_the_one_that_lives(tmp_path_factory, before, after, start, part_rows):
    made, twin = manager(start), manager(start)
    [act(one, deed, stamp) for stamp, deed in enumerate(before) for one in (made, twin)]
    folder = tmp_path_factory.mktemp("store")
    with ParquetStore(folder, part_rows=part_rows) as first, DuckDBStore(":memory:", part_rows=part_rows) as second:
        first.follow(made)
        second.follow(twin)
        for stamp, deed in enumerate(after, len(before)):
            assert act(made, deed, stamp, [first]) == act(twin, deed, stamp, [second])
        for store in (first, second):
            for from_start in (True, False):
                again = store.rebuild(from_start=from_start)
                assert again.digest == made.digest == twin.digest and again.journal == made.journal
        for view in VIEWS:
            pd.testing.assert_frame_equal(getattr(first, view)(), getattr(second, view)())
        held = first.current_positions()
        open_ones = {ticker: one for ticker, one in made._ledger.holdings.items() if one.basis.lots}
        assert dict(zip(held["token"], held["amount"], strict=True)) == {
            t: one.basis.lots for t, one in open_ones.items()
        }
        trades = first.trade_events()
        assert len(trades) == sum(event[1][0].kind == "trade" for event in first.events())
    assert ParquetStore(folder).resume().digest == made.digest


def test_the_order_of_threads_and_tickers_is_no_part_of_a_managers_digest():
    def trades(made: RiskManager, ticker: str) -> None:
        for turn in range(200):
            assert made.execute_trade(ticker, 1 + turn % 3, "sell" if turn % 5 == 4 else "buy", timestamp=1).executed

    one, other = RiskManager(10**6), RiskManager(10**6)
    for made, names in ((one, TICKERS), (other, TICKERS[::-1])):
        for name in names:
            made.add_ticker(name, price=10.0 + ord(name), volatility=0.01 * (ord(name) - 60))
    [trades(one, name) for name in TICKERS]
    work = [threading.Thread(target=trades, args=(other, name)) for name in TICKERS]
    [thread.start() for thread in work]
    [thread.join() for thread in work]
    assert one.digest == other.digest
    one.execute_trade("A", 1, "buy")
    assert one.digest != other.digest


def test_limits_and_their_reasons_are_in_the_log(opened):
    made, store = manager(), opened()
    store.follow(made)
    made.set_limits("A. Desk", "quarter end", timestamp=5, var_limit=50.0)
    with pytest.raises(RequestError, match="needs its time"):
        made.execute_trade("A", 1, "buy")
    assert made.execute_trade("A", 1, "buy", timestamp=pd.Timestamp(6)).executed
    assert not made.execute_trade("A", 10**6, "buy", timestamp=7).executed
    events = [rows[0] for _, rows in store.events()]
    assert [row.kind for row in events] == ["state", "limits", "trade"]
    assert json.loads(events[1].body) == {"who": "A. Desk", "why": "quarter end", "limits": made.limits.to_dict()}
    again = store.rebuild()
    assert again.journal == made.journal and again.limits.var_limit == 50.0 and again.rejected == 0
    assert store.trade_events()[["user", "token", "money"]].to_numpy().tolist() == [["desk", "A", Decimal("10.00")]]
    assert store.current_positions()["opened"].isna().all()


def test_a_managers_event_that_cannot_be_written_is_not_taken(opened, monkeypatch):
    made, store = manager(), opened(part_rows=1)
    store.follow(made)
    made.set_price("A", 11.0, 1)

    def full(rows):
        raise InputError("the disk is full")

    monkeypatch.setattr(store, "_write", full)
    before = made.state()
    for deed in (("trade", "A", 1, "buy"), ("bar", {"A": 9.0, "B": 1.0}), ("price", "A", 7.0), ("ticker", "B", 1.0, None),
                 ("limits", 1.0), ("warm_up", 4)):  # fmt: skip
        assert act(made, deed, 2) == "the disk is full"
    assert made.state() == before
    monkeypatch.undo()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda state: state["ledger"].update(cash="7"),
        lambda state: state["holdings"][0].__setitem__(2, "7"),
        lambda state: state["holdings"][0].__setitem__(0, "Z"),
        lambda state: state["covariance"].update(bars=[]),
        lambda state: state["covariance"].update(matrix=[[1.0, 2.0]]),
        lambda state: state["cache"].update(variance=-1.0),
        lambda state: state["limits"].update(colour=1),
        lambda state: state.update(format=9),
        lambda state: state.pop("options"),
        lambda state: state["options"].update(quantum="x"),
    ],
)
def test_what_is_no_managers_state_is_refused_by_a_sentence(spoil):
    made = manager()
    made.execute_trade("A", 5, "buy", timestamp=1)
    state = made.state()
    spoil(state)
    with pytest.raises(InputError):
        RiskManager.from_state(state)


def test_a_risk_state_has_a_digest_whatever_the_form_of_its_time():
    one, other = RiskState(), RiskState()
    one.update(100.0, timestamp=10**9)
    other.update(100.0, timestamp="1970-01-01T00:00:01+00:00")
    assert one.digest == other.digest == RiskState.from_dict(json.loads(json.dumps(other.to_dict()))).digest
    other.update(99.0, timestamp=2 * 10**9)
    assert one.digest != other.digest


# ---------------------------------------------------------------------- torn, altered and foreign


def filled(folder) -> PositionTracker:
    made = tracker()
    with ParquetStore(folder, part_rows=2) as store:
        store.follow(made)
        for turn in range(6):
            made.update("ann", "x", "ETH", 1, 1_000 + turn, turn, turn)
    return made


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "letter.txt").write_text("hello")
    with pytest.raises(InputError, match="is not a store: it contains 'letter.txt'"):
        ParquetStore(tmp_path)
    with pytest.raises(InputError, match="cannot be created"):
        ParquetStore(tmp_path / "letter.txt")


def test_a_missing_file_is_told(tmp_path):
    filled(tmp_path)
    ParquetStore(tmp_path).parts()[1].path.unlink()
    with pytest.raises(InputError, match="no file begins with event"):
        ParquetStore(tmp_path)


def test_a_file_that_was_spoilt_is_told(tmp_path):
    filled(tmp_path)
    last = ParquetStore(tmp_path).parts()[-1].path
    whole, draw = last.read_bytes(), random.Random(3)
    for size in (0, 3, len(whole) // 2, len(whole) - 1):
        last.write_bytes(whole[:size])
        with pytest.raises(InputError):
            ParquetStore(tmp_path).rebuild()
    for place in draw.sample(range(len(whole)), 60):  # a bit that flips is told, or is no part of what is read
        spoilt = bytearray(whole)
        spoilt[place] ^= 1 << draw.randrange(8)
        last.write_bytes(spoilt)
        try:
            digest = ParquetStore(tmp_path).rebuild().digest
        except InputError:
            continue
        last.write_bytes(whole)
        assert digest == ParquetStore(tmp_path).rebuild().digest


def test_a_file_of_something_else_under_our_name_is_told(tmp_path):
    filled(tmp_path)
    last = ParquetStore(tmp_path).parts()[-1].path
    pq.write_table(pa.table({"event": [1]}), last)
    with pytest.raises(InputError, match="not a file of a store"):
        ParquetStore(tmp_path).user_daily_pnl()
    last.unlink()
    first = ParquetStore(tmp_path).parts()[0].path
    last.write_bytes(first.read_bytes())
    with pytest.raises(InputError, match="does not contain the events of its name"):
        ParquetStore(tmp_path).current_positions()


@pytest.mark.lengthy
def test_an_altered_log_does_not_follow(tmp_path):
    path = tmp_path / "store.duckdb"
    with DuckDBStore(path) as store:
        made = tracker()
        store.follow(made)
        made.update("ann", "x", "ETH", 1, 1_000, 5, "a")
        made.update("ann", "x", "ETH", -1, 1_100, 6, "b")
    for column, value in (
        ("realized", "101.000000"),
        ("held", "1.000000000000000000"),
        ("money", "x"),
        ("kind", "gift"),
    ):
        with duckdb.connect(str(path)) as connection:
            connection.execute("BEGIN")
            connection.execute(f"CREATE OR REPLACE TABLE saved AS SELECT {column} AS old FROM journal WHERE event = 2")
            connection.execute(f"UPDATE journal SET {column} = '{value}' WHERE event = 2")
            connection.execute("COMMIT")
        with DuckDBStore(path) as store, pytest.raises(InputError):
            store.rebuild()
        with duckdb.connect(str(path)) as connection:
            connection.execute(f"UPDATE journal SET {column} = (SELECT old FROM saved) WHERE event = 2")
    with DuckDBStore(path) as store:
        assert store.rebuild().digest == made.digest
    with duckdb.connect(str(path)) as connection:
        connection.execute("DELETE FROM journal WHERE event = 1")
    with pytest.raises(InputError, match="is incomplete"):
        DuckDBStore(path)


def test_a_second_writer_is_refused(tmp_path):
    made = filled(tmp_path)
    one, other = ParquetStore(tmp_path), ParquetStore(tmp_path)
    first, second = one.resume(), other.resume()
    first.update("ann", "x", "ETH", 1, 1, 10)
    second.update("bob", "x", "ETH", 1, 1, 10)
    one.flush()
    with pytest.raises(InputError, match="written by another process"):
        other.flush()
    assert ParquetStore(tmp_path).rebuild().digest == first.digest != made.digest


def test_a_disk_that_is_full_loses_nothing(tmp_path, monkeypatch):
    made, store = tracker(), ParquetStore(tmp_path)
    store.follow(made)
    made.update("ann", "x", "ETH", 1, 1, 1, "a")

    def full(*names):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="cannot be written: No space left on device"):
        store.flush()
    assert {path.name for path in tmp_path.iterdir()} == {store.parts()[0].path.name, "lock"}
    calls = []
    monkeypatch.setattr(os, "fsync", lambda handle: full() if calls else calls.append(handle))  # only the folder
    with pytest.raises(InputError, match="cannot be written: No space left on device"):
        store.flush()
    assert len(store.parts()) == 1 and len(list(tmp_path.iterdir())) == 2
    monkeypatch.undo()
    monkeypatch.setattr(os, "link", full)  # a file system without links
    store.flush()
    assert store.rebuild().digest == made.digest and len(store.parts()) == 2


def test_a_duckdb_that_is_closed_says_so(tmp_path):
    made, store = tracker(), DuckDBStore(tmp_path / "store.duckdb")
    store.follow(made)
    store._connection.close()
    made.update("ann", "x", "ETH", 1, 1, 1, "a")
    with pytest.raises(InputError, match="cannot be written"):
        store.flush()
    with pytest.raises(InputError, match="cannot be read"):
        list(store._log(0))


def test_what_an_unfinished_file_left_is_swept(tmp_path):
    made = filled(tmp_path)
    left = tmp_path / ".part-000000000000099-000000000000099.parquet.1"
    left.write_bytes(b"half")
    with ParquetStore(tmp_path) as store:
        assert store.rebuild().digest == made.digest
        store.resume().update("ann", "x", "ETH", 1, 1, 99)
    assert not left.exists()


def test_a_file_that_is_no_duckdb_is_refused(tmp_path):
    (tmp_path / "letter.txt").write_text("hello, this is a letter" * 1_000)
    with pytest.raises(InputError, match="cannot be opened"):
        DuckDBStore(tmp_path / "letter.txt")
    path = tmp_path / "foreign.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE journal (a INTEGER)")
    with pytest.raises(InputError, match="has a table journal"):
        DuckDBStore(path)


def test_a_duckdb_file_that_was_spoilt_is_told(tmp_path):
    path, made, draw = tmp_path / "store.duckdb", tracker(), random.Random(5)
    with DuckDBStore(path) as store:
        store.follow(made)
        for turn in range(500):
            made.update("ann", "x", "ETH", 1, 1_000 + turn, turn, turn)
    whole = path.read_bytes()
    spoilt = [whole[:size] for size in (1, 5_000, len(whole) // 2, len(whole) - 1)]
    for place in draw.sample(range(len(whole)), 6):
        spoilt.append(whole[:place] + bytes([whole[place] ^ 1 << draw.randrange(8)]) + whole[place + 1 :])
    for data in spoilt:
        path.write_bytes(data)
        try:
            with DuckDBStore(path) as store:
                assert store.rebuild().digest == made.digest
        except InputError as error:
            assert "store.duckdb" in str(error)


def test_a_query_that_is_none_is_told():
    with DuckDBStore(":memory:") as store, pytest.raises(InputError, match="cannot answer"):
        store.sql("SELECT nothing FROM nowhere")


def test_any_reader_of_the_file_can_ask_the_views(tmp_path):
    path = tmp_path / "store.duckdb"
    with DuckDBStore(path) as store:
        made = tracker()
        store.follow(made)
        made.update("ann", "x", "ETH", 1, 1_000, 5, "a")
        made.update("ann", "x", "ETH", "-0.5", 1_200, DAY, "b")
    with duckdb.connect(str(path), read_only=True) as connection:
        assert connection.execute("SELECT user, sum, count, average FROM user_daily_pnl ORDER BY day").fetchall() == [
            ("ann", "0.000000", 1, 0.0),
            ("ann", "100.000000", 1, 100.0),
        ]
        assert connection.execute("SELECT count(*) FROM trade_events").fetchall() == [(2,)]
        assert connection.execute("SELECT amount FROM current_positions").fetchall() == [("0.500000000000000000",)]


def test_without_duckdb_a_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(ImportError, match=r"duckdb is not installed; it comes with: pip install 'riskkit\[store\]'"):
        DuckDBStore(":memory:")


def edited(path, statement: str) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(statement)


def test_an_edited_row_and_a_cut_log_are_found(tmp_path):
    path, made = tmp_path / "store.duckdb", tracker()
    with DuckDBStore(path) as store:
        assert store.head == "0:" and store.verify() == 0
        store.follow(made)
        made.update("ann", "x", "ETH", 1, 1_000, 5, "a")
        early = store.head
        made.update("ann", "x", "ETH", -1, 1_100, 6, "b")
        late = store.head
        assert store.verify(early) == store.verify(late) == store.verify() == 3
    for column, value in (("trade_id", "c"), ("timestamp", 7), ("chain", "0" * 64)):
        shutil.copy(path, tmp_path / "edited.duckdb")
        edited(tmp_path / "edited.duckdb", f"UPDATE journal SET \"{column}\" = '{value}' WHERE event = 1")
        with DuckDBStore(tmp_path / "edited.duckdb") as store:
            with pytest.raises(InputError, match="was altered: event 1 is not the one that was written"):
                store.verify(late)
            with pytest.raises(InputError, match="was altered: event 1 is not the one that was written"):
                store.rebuild()
    edited(path, "DELETE FROM journal WHERE event = 2")
    with DuckDBStore(path) as store:
        assert store.verify(early) == 2
        with pytest.raises(InputError, match="has 2 events and does not go on from head="):
            store.verify(late)
        resumed = store.resume()
        resumed.update("bob", "x", "ETH", 1, 1_000, 7, "d")
        assert store.verify(early) == 3


@pytest.mark.parametrize("kind", [ParquetStore, DuckDBStore])
def test_a_chain_goes_on_after_a_restart(kind, tmp_path):
    with kind(tmp_path / "store", part_rows=2) as store:
        store.follow(tracker())
        head = store.head
    for n in range(3):
        with kind(tmp_path / "store") as store:
            assert store.verify(head) == n + 1
            store.resume().update("ann", "x", "ETH", 1, 1_000, n, n)
            head = store.head


def test_a_view_of_somebody_else_is_not_believed(tmp_path):
    path, made = tmp_path / "store.duckdb", tracker()
    with DuckDBStore(path) as store:
        store.follow(made)
        made.update("ann", "x", "ETH", 1, 1_000, 5, "a")
        was = store.current_positions()
    edited(path, "CREATE OR REPLACE VIEW current_positions AS SELECT 'eve' AS \"user\", 'x' AS market")
    with DuckDBStore(path) as store:
        assert store.current_positions().equals(was)
        assert store.sql('SELECT "user" FROM current_positions') == [("ann",)]
    edited(path, "CREATE MACRO epoch_ns(x) AS 0")
    with pytest.raises(InputError, match="has a function 'epoch_ns' of its own, which could answer for ours"):
        DuckDBStore(path)


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM journal", "SELECT 1; DELETE FROM journal", "COPY journal TO 'out.csv'", "ATTACH 'other.db' AS other", "",
        "SET threads = 1", "DROP VIEW trade_events", "EXPLAIN ANALYZE DELETE FROM journal", "COMMIT",
    ],
)  # fmt: skip
def test_a_question_that_is_more_than_one_is_refused(query):
    with DuckDBStore(":memory:") as store:
        store.follow(tracker())
        with pytest.raises(
            InputError, match="is not one question; a store answers one SELECT, and changes nothing by it"
        ):
            store.sql(query)
        assert store.verify() == 1


def test_a_question_reads_no_other_file(tmp_path):
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with (
        DuckDBStore(tmp_path / "store.duckdb") as store,
        pytest.raises(InputError, match="cannot answer: Permission Error"),
    ):
        store.sql(f"SELECT * FROM read_csv('{tmp_path / 'secret.csv'}')")


# ---------------------------------------------------------------------- killed


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the writers are forked")
@pytest.mark.parametrize("kind", ["parquet", "duckdb"])
def test_killed_writers_lose_nothing_that_was_told(tmp_path, kind, long):
    program = Path(__file__).parents[1].joinpath("killed_store.py")
    done = subprocess.run(
        [sys.executable, str(program), str(tmp_path / "store"), kind, "60" if long else "6"],
        capture_output=True, text=True, cwd=program.parents[1], timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["events"] > 5


def test_a_store_is_ready_for_every_text_that_it_can_write(opened):
    store = opened()
    store.ready("ann", None, "é🙂")
    with pytest.raises(InputError, match="cannot be written as UTF-8"):
        store.ready("ann", "\ud800")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_with_an_open_duckdb_store_leaves_as_it_wants(tmp_path):
    """A child has none of the threads that the destructor of DuckDB waits for."""
    program = (
        "import os, sys, warnings; warnings.simplefilter('ignore'); from riskkit.desk import DuckDBStore;"
        "store = DuckDBStore(sys.argv[1]); store.sql('SELECT 1'); child = os.fork();"
        "sys.exit(3) if child == 0 else print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))"
    )
    asked = [sys.executable, "-c", program, str(tmp_path / "store.duckdb")]
    assert subprocess.run(asked, capture_output=True, text=True, check=True, timeout=120).stdout.split() == ["3"]
