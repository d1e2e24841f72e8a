"""The desk: validations one by one and in a batch, trade checks, positions, exposures, metrics, stores, alerts.

Beside each stands what it is held against: a trivial compiled call (what one step into compiled code costs here), or
the same work one by one. Answers are asserted equal first. ``--only memory`` runs two million events.
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from benchmarks._bench import Bound, Row, best, calls
from riskkit._jit import kernel
from riskkit.desk import (
    Alert,
    AlertSystem,
    DeskLimits,
    DuckDBStore,
    ParquetStore,
    PositionTracker,
    PositionValues,
    RiskManager,
    RiskState,
    TradeRequest,
    validate,
    validate_batch,
)
from riskkit.replay.live.session import Session
from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.universe import Instrument
from riskkit.rules import MaxOrderQty

TICKERS = [f"T{i}" for i in range(50)]
TRADES = 1_000_000
ASSETS = 5, 50, 500
USERS, TOKENS, DAYS = 500, 20, 60  # each user holds every token
DAY = 86_400_000_000_000


@kernel
def trivial(number: Any) -> Any:
    """The least that a compiled function can do."""
    return number + 1


def rows(only: str = "") -> Iterator[Any]:
    """Every part, or the one that is named."""
    parts = {"validate": _validations, "checks": _checks, "positions": _positions, "store": _store, "alerts": _alerts}
    if only == "memory":
        yield from _memory()
    for name, part in parts.items():
        if only in ("", name):
            yield from part()


def _validations() -> Iterator[Any]:
    rng = np.random.default_rng(0)
    held = PositionValues(dict(zip(TICKERS, rng.uniform(-30_000.0, 30_000.0, 50).tolist(), strict=True)))
    columns = {
        "ticker": pd.Categorical.from_codes(rng.integers(0, 50, TRADES), categories=TICKERS),  # type: ignore[call-overload]
        "side": rng.choice(np.array([1, -1], np.int8), TRADES),
        "quantity": rng.uniform(1.0, 100.0, TRADES),
        "price": rng.uniform(10.0, 200.0, TRADES),
    }
    state, value = RiskState(), 100_000.0
    requests = [
        dict(zip(columns, cells, strict=True)) for cells in zip(*(c[:500] for c in columns.values()), strict=True)
    ]
    requests = [
        {**r, "side": int(r["side"]), "quantity": float(r["quantity"]), "price": float(r["price"])} for r in requests
    ]
    batch = validate_batch(columns, held, value, state=state)
    assert [batch.answer(i).to_dict() for i in range(500)] == [
        validate(request, held, value, state=state).to_dict() for request in requests
    ]
    trade = TradeRequest.from_dict(requests[0])
    one, whole, request, call = best(
        lambda: validate(trade, held, value, state=state),
        lambda: validate_batch(columns, held, value, state=state),
        lambda: validate(requests[0], held, value, state=state),
        lambda: trivial.dispatcher(1),
    )
    yield Row("one validation, of a Trade", one, call, "a trivial compiled call", 25.0, at_least=False)
    yield Row(
        "a validation in a batch of 10^6, fields checked", whole / TRADES, request, "one by one, of dicts", 1000.0
    )
    yield Row("  the same", whole / TRADES, one, "one by one, of Trades made before", 1000.0)
    yield calls("validate(Trade)", lambda turn: validate(trade, held, value, state=state), 100_000)
    yield calls("validate(dict)", lambda turn: validate(requests[turn % 500], held, value, state=state), 50_000)


def _manager(assets: int) -> RiskManager:
    moves = np.random.default_rng(1).normal(0.0, 0.001, (60, assets))
    names = [f"T{i}" for i in range(assets)]
    manager = RiskManager(10**9, limits=DeskLimits(var_limit=1e9))
    manager.warm_up(pd.DataFrame(100.0 * np.exp(np.cumsum(moves, axis=0)), columns=names))
    for name in names:
        assert manager.execute_trade(name, 10, "buy").executed
    return manager


def _checks() -> Iterator[Any]:
    managers = {assets: _manager(assets) for assets in ASSETS}
    five, fifty, many = best(
        *(lambda m=manager: m.check_trade_impact("T3", 10, "buy") for manager in managers.values())  # type: ignore[misc]
    )
    few, more, most = ASSETS
    yield Row(f"a trade check of {more} assets", fifty, five, f"of {few} assets", 3.0, at_least=False)
    yield Row(f"a trade check of {most} assets", many, five, f"of {few} assets", 3.0, at_least=False)
    for assets, manager in managers.items():
        yield calls(
            f"check_trade_impact, {assets} assets",
            lambda turn, m=manager: m.check_trade_impact("T3", 10, "buy"),
            20_000,
        )  # type: ignore[misc]
        yield calls(
            f"execute_trade, {assets} assets",
            lambda turn, m=manager: m.execute_trade("T3", 1, "sell" if turn % 2 else "buy"),  # type: ignore[misc]
            5_000,
        )
        yield calls(f"get_dashboard_metrics, {assets} assets", lambda turn, m=manager: m.get_dashboard_metrics(), 50)  # type: ignore[misc]


def _tracker() -> PositionTracker:
    tokens = [f"TOK{i}" for i in range(TOKENS)]
    tracker = PositionTracker(dict.fromkeys(tokens, "1e-18"))
    for token in tokens:
        tracker.set_price(token, "12.5", 0)
    for place in range(USERS * TOKENS):
        tracker.update(f"u{place // TOKENS}", f"m{place % 30}", tokens[place % TOKENS], place + 1, "10.25", place)
    return tracker


def _positions() -> Iterator[Any]:
    tracker = _tracker()
    assert tracker.count() == USERS * TOKENS
    for day in range(1, DAYS + 1):
        for token in range(TOKENS):
            tracker.set_price(f"TOK{token}", 12.5 + (day * 7 + token) % 5 / 8, day * DAY)
        tracker.close_period(day * DAY)
    yield calls(
        f"PositionTracker.update, {USERS * TOKENS:,} positions",
        lambda turn: tracker.update(
            f"u{turn % USERS}", f"m{turn % USERS * TOKENS % 30}", "TOK0", 1, "10.25", (DAYS + 1) * DAY, None
        ),
        20_000,
    )
    yield calls(
        "  the same with a trade id",
        lambda turn: tracker.update(
            f"u{turn % USERS}", f"m{turn % USERS * TOKENS % 30}", "TOK0", 1, "10.25", (DAYS + 1) * DAY, object()
        ),
        20_000,
    )
    yield calls(f"exposure of a user with {TOKENS} positions", lambda turn: tracker.exposure(f"u{turn % USERS}"), 5_000)
    yield calls(f"metrics of a user with {DAYS} periods", lambda turn: tracker.metrics(f"u{turn % USERS}"), 500)


def _store() -> Iterator[Any]:
    """What it costs a trade to be written, the views, and the tracker made anew."""
    with tempfile.TemporaryDirectory() as folder:
        for name, store in (
            ("Parquet", ParquetStore(f"{folder}/parquet")),
            ("DuckDB", DuckDBStore(f"{folder}/duckdb")),
        ):
            tracker = PositionTracker({"ETH": "1e-18"})
            store.follow(tracker)
            yield calls(
                f"PositionTracker.update into {name}",
                lambda turn, t=tracker: t.update(f"u{turn % 100}", "m", "ETH", 1 - turn % 3 or 2, 2_000, turn),  # type: ignore[misc]
                100_000,
            )
            start = time.perf_counter()
            assert store.rebuild().digest == tracker.digest
            yield Bound(
                f"an event taken once more from {name}", (time.perf_counter() - start) / len(store) * 1e6, 200.0, "us"
            )
            for view in ("trade_events", "user_daily_pnl", "current_positions"):
                yield calls(f"{view} of 100,000 trades, {name}", lambda turn, s=store, v=view: getattr(s, v)(), 1)  # type: ignore[misc]
            store.close()


def _alerts() -> Iterator[Any]:
    rules = RuleSet([Rule("size", MaxOrderQty(limit=5))])
    order = {"account": "A", "instrument": "X", "side": "B", "price": 100}
    plain, watched, quiet = (Session.create(rules, [Instrument("X")], ["A"], compiled=True) for _ in range(3))
    heard: list[Alert] = []
    alerts = AlertSystem({"list": heard.append}, capacity=100)
    desk, silent = alerts.watch(watched), alerts.watch(quiet)

    def told(turn: int) -> None:
        desk.process_order(ts=plain.latest, qty=9, **order)
        alerts.deliver()

    for turn in range(200):
        plain.process_order(ts=turn, qty=9, **order)
        desk.process_order(ts=turn, qty=9, **order)
        alerts.deliver()
    assert watched.digest == plain.digest and len(heard) == 200
    one = heard[0]
    posted = iter([Alert._trusted(**{**one.__dict__, "alert_id": f"{turn:016x}"}) for turn in range(20_200)])

    def post(turn: int) -> None:
        alerts.post(next(posted))
        alerts.deliver()

    yield calls("an alert, raised and delivered to a list", post, 20_000)
    yield calls("process_order, refused, not watched", lambda turn: plain.process_order(ts=200, qty=9, **order), 5_000)
    yield calls("process_order, refused, watched, alert delivered", told, 5_000)
    yield calls("process_order, passed, not watched", lambda turn: plain.process_order(ts=200, qty=1, **order), 5_000)
    yield calls("process_order, passed, watched", lambda turn: silent.process_order(ts=200, qty=1, **order), 5_000)


def _memory() -> Iterator[Any]:
    """Two million events into a manager and a tracker: what the second million takes more than the first."""
    manager, tracker = _manager(5), PositionTracker({"ETH": "1e-18"}, remember=50_000)
    tracker.set_price("ETH", 2_000, 0)

    def events(first: int, last: int) -> None:
        for turn in range(first, last, 2):
            manager.execute_trade("T3", 1, "sell" if turn % 4 else "buy")
            tracker.update(f"u{turn % 100}", "m", "ETH", 1 if turn // 100 % 2 else -1, 2_000 + turn % 7, turn, turn)

    events(0, 1_000_000)
    first = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    events(1_000_000, 2_000_000)
    second = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield Bound("highest memory in 2 million events less in 1 million", (second - first) / 1024, 1.0, "MB")
