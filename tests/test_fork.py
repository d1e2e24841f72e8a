"""A forked child goes on with what is in memory, and leaves files to its parent; no lock that another thread held is held there."""

from __future__ import annotations

import ast
import os
import re
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

import riskkit as rk
from riskkit._cache import alone
from riskkit._fork import new_lock
from riskkit.compat import Direction, Order, RiskEngine
from riskkit.desk import (
    Alert,
    AlertSystem,
    DuckDBStore,
    LiveDesk,
    MarketStream,
    ParquetStore,
    PositionTracker,
    RiskManager,
    RiskState,
    Tick,
)
from riskkit.replay.live.write_ahead_log import WriteAheadLog
from riskkit.rules import MaxOrderQty

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
PACKAGE = Path(rk.__file__).parent
KINDS = ("Lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore", "Barrier")
RULES = rk.RuleSet([rk.Rule("size", MaxOrderQty(limit=5))])
MARKET = {"instruments": [rk.Instrument("X")], "accounts": ["A"], "mode": "enforce", "compiled": False}


def order(session: Any, ts: int) -> Any:
    return session.process_order(ts=ts, account="A", instrument="X", side="B", qty=1, price=100, order_id=f"o{ts}")


def manager() -> RiskManager:
    made = RiskManager(1_000, bars_per_day=1)
    made.add_ticker("X", price=1.0, volatility=0.1)
    return made


def told(alerts: AlertSystem) -> int:
    assert alerts.post(Alert("00", "ann", "limit", "WARN", "too much.", 1))
    return alerts.deliver()


def watched(session: rk.Session) -> Any:
    alerts = AlertSystem([lambda alert: None])
    return alerts.watch(session)


def stored(kind: Any, path: Path) -> Any:
    store = kind(path)
    store.follow(PositionTracker({"X": 1}))
    store.flush()
    return store


def booked(store: Any) -> Any:
    return store._book.update("ann", "m", "X", 1, 1, timestamp=1)


def followed() -> Any:
    return pytest.importorskip("riskkit.service.followers").Follower("reader", 4)


def connected() -> Any:
    pytest.importorskip("psycopg", reason="psycopg comes with the extra 'postgres'")
    from riskkit.service.postgres.connection import Connection

    return Connection("host=127.0.0.1 port=1", 1.0)


def cached() -> Any:
    pytest.importorskip("redis", reason="redis comes with the extra 'redis'")
    from riskkit.service.redis_cache import RedisCache

    return RedisCache("redis://127.0.0.1:1/0")


def leased() -> Any:
    pytest.importorskip("redis", reason="redis comes with the extra 'redis'")
    from riskkit.service.redis_lease import WriterLease

    return WriterLease("redis://127.0.0.1:1/0")


Case = tuple[Callable[[Path], Any], Callable[[Any], list[Any]], Callable[[Any], Any], str]
CASES: dict[str, Case] = {
    "desk/positions/tracker.py": (
        lambda path: PositionTracker({"X": 1}),
        lambda made: [made._lock],
        lambda made: made.update("ann", "m", "X", 1, 1, timestamp=1),
        "",
    ),
    "desk/manager/manager.py": (
        lambda path: manager(),
        lambda made: [made._lock],
        lambda made: made.execute_trade("X", 1, "buy"),
        "",
    ),
    "desk/portfolio/risk_state.py": (
        lambda path: RiskState(),
        lambda made: [made._lock],
        lambda made: made.update(100.0, timestamp=1),
        "",
    ),
    "replay/rules/circuit_breaker.py": (
        lambda path: rk.CircuitBreaker(daily_loss=10),
        lambda made: [made._lock],
        lambda made: made.record_trade(-1, now=1),
        "",
    ),
    "desk/alerts/system.py": (
        lambda path: AlertSystem([lambda alert: None]),
        lambda made: [made._lock],
        told,
        "",
    ),
    "desk/alerts/delivery.py": (
        lambda path: AlertSystem([lambda alert: None]),
        lambda made: [queue.lock for queue in made._queues.values()],
        told,
        "",
    ),
    "desk/alerts/from_decisions.py": (
        lambda path: watched(rk.Session.create(RULES, **MARKET)),
        lambda made: [made._lock],
        lambda made: order(made, 1),
        "",
    ),
    "desk/dashboard/live_desk.py": (
        lambda path: LiveDesk(manager(), MarketStream([Tick(60 * 10**9, "X", 1.0), Tick(120 * 10**9, "X", 1.0)])),
        lambda made: [made._lock, made._steps],
        lambda made: (made.step(), made.check("X", 1, "buy")),
        "",
    ),
    "desk/store/store.py": (
        lambda path: stored(ParquetStore, path),
        lambda made: [made._lock],
        booked,
        "is written by the process that this one was forked from",
    ),
    "desk/store/duck.py": (
        lambda path: stored(DuckDBStore, path),
        lambda made: [made._lock],
        booked,
        "is written by the process that this one was forked from",
    ),
    "compat/risk_engine.py": (
        lambda path: RiskEngine([], contract_to_product={"X": "X"}, compiled=False),
        lambda made: [made._lock],
        lambda made: made.process_order(Order(1, "A", "X", Direction.BID, 100, 1, 0)),
        "",
    ),
    "replay/live/live_session.py": (
        lambda path: rk.Session.create(RULES, **MARKET),
        lambda made: [made._lock],
        lambda made: order(made, 1),
        "forked while another thread was in a call of this session",
    ),
    "replay/live/group_commit.py": (
        lambda path: rk.Session.open(path, RULES, **MARKET),
        lambda made: [made._lock, made._group._mutex],
        lambda made: order(made, 1),
        "writes for the process that this one was forked from",
    ),
    "replay/live/write_ahead_log.py": (
        lambda path: WriteAheadLog(path),
        lambda made: [made._turn],
        lambda made: made.sync(),
        "",
    ),
    "service/followers.py": (
        lambda path: followed(),
        lambda made: [made._ready],
        lambda made: made.close(),
        "",
    ),
    "service/postgres/connection.py": (
        lambda path: connected(),
        lambda made: [made._lock],
        lambda made: made.close(),
        "",
    ),
    "service/redis_cache.py": (
        lambda path: cached(),
        lambda made: [made._changed],
        lambda made: (made.put_metrics("ann", {"var_95": 1.0}), made.close(0.0)),
        "",
    ),
    "service/redis_lease.py": (
        lambda path: leased(),
        lambda made: [made._changing],
        lambda made: made.is_held(),
        "",
    ),
}
"""Of each file with a lock: an object, its locks, what a child does with it, and the refusal that it gets."""


def in_a_child(call: Callable[[], Any]) -> str:
    """What a call does in a forked child: "" if it returns, else what it says; "hangs" if it does not end."""
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of forks beside threads
        child = os.fork()
    if child == 0:
        signal.alarm(60)
        said = ""
        try:
            call()
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        finally:
            try:
                os.write(write, said.encode())
            finally:  # never on with the tests of the parent
                os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as answer:
        said = answer.read().decode()
    return "hangs" if os.WIFSIGNALED(os.waitpid(child, 0)[1]) else said


@contextmanager
def held(locks: list[Any]) -> Iterator[None]:
    """A block in which another thread holds some locks."""
    ready, end = threading.Event(), threading.Event()

    def hold() -> None:
        with ExitStack() as stack:
            for lock in locks:
                stack.enter_context(lock)
            ready.set()
            end.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    ready.wait()
    try:
        yield
    finally:
        end.set()
        thread.join()


@pytest.mark.parametrize("file", CASES)
def test_no_lock_is_held_in_a_forked_child(file, tmp_path):
    make, locks_of, call, refusal = CASES[file]
    made = make(tmp_path / "made")
    with held(locks_of(made)):
        said = in_a_child(lambda: call(made))
    assert said.startswith("InputError") and refusal in said if refusal else said == ""
    call(made)  # and the parent goes on
    if hasattr(made, "close"):
        made.close()


def test_every_lock_of_the_package_is_one_that_a_child_has_free():
    with_locks = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        text, file = path.read_text(encoding="utf-8"), path.relative_to(PACKAGE).as_posix()
        if not re.search(rf"\b({'|'.join(KINDS)}|new_lock|lock_of)\b", text):
            continue
        calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
        named = [ast.unparse(call.func).removeprefix("threading.") for call in calls]
        assert file == "_fork.py" or not set(named) & set(KINDS), f"{file}: make its locks by riskkit._fork"
        with_locks |= {file} if {"new_lock", "lock_of"} & set(named) else set()
    assert with_locks - {"_fork.py"} == CASES.keys() - {"desk/store/duck.py"}


def test_the_thread_that_forks_keeps_what_it_holds():
    lock = new_lock()

    def call() -> None:
        lock.release()  # an error, had the child freed it
        assert not lock._is_owned()

    with lock:
        assert in_a_child(call) == ""


@pytest.mark.parametrize("kind", [ParquetStore, DuckDBStore])
def test_a_child_takes_nothing_from_a_store(kind, tmp_path):
    store = kind(tmp_path / "store")
    store.follow(tracker := PositionTracker({"X": 1}))
    tracker.update("ann", "m", "X", 1, 1, timestamp=1)  # waits to be written
    for call in (lambda: tracker.update("bob", "m", "X", 1, 1, timestamp=2), store.flush, store.current_positions):
        assert "is written by the process that this one was forked from" in in_a_child(call)
    assert in_a_child(store.close) == ""
    tracker.update("ann", "m", "X", 1, 1, timestamp=3)
    store.close()
    with kind(tmp_path / "store") as again:
        assert again.rebuild().digest == tracker.digest and len(again) == 3


def test_a_child_reads_a_store_that_nobody_writes(tmp_path):
    stored(ParquetStore, tmp_path).close()
    store = ParquetStore(tmp_path)
    assert in_a_child(lambda: store.verify()) == ""


def test_a_child_takes_nothing_from_a_journal_and_does_not_hold_its_folder(tmp_path):
    with rk.Session.open(tmp_path, RULES, **MARKET) as session:
        order(session, 0)
        for call in (lambda: order(session, 1), session.commit, session.roll, lambda: session.halt(who="a", why="b")):
            assert "writes for the process that this one was forked from" in in_a_child(call)
        assert in_a_child(session.close) == in_a_child(session.status) == ""
        order(session, 1)
        told, tell = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:  # lives longer than the session
            os.close(tell)
            os.read(told, 1)
            os._exit(0)
    with rk.Session.open(tmp_path, RULES, compiled=False) as again:
        assert len(again) == 2 and again.digest == session.digest
    os.write(tell, b".")
    assert os.waitpid(child, 0)[1] == 0


def test_a_child_does_not_hold_a_lock_of_the_cache_for_longer_than_its_parent(tmp_path, monkeypatch):
    monkeypatch.setenv("RISKKIT_CACHE", str(tmp_path))
    inside, ready, done = alone("loop"), threading.Event(), os.pipe()

    def compile_here() -> None:
        with inside:
            ready.set()
            os.read(done[0], 1)

    thread = threading.Thread(target=compile_here)
    thread.start()
    ready.wait()

    def wait_in_turn() -> None:
        os.write(done[1], b".")  # the parent ends its block, whose file this child has open as well
        with alone("loop"):
            pass

    assert in_a_child(wait_in_turn) == ""
    thread.join()


def test_a_call_on_a_torn_session_is_refused():
    session = rk.Session.create(RULES, **MARKET)
    calls = (
        lambda: session.probe(account="A", instrument="X", side="B", qty=1, price=1),
        lambda: session.process_price(ts=1, instrument="X", price=1),
        lambda: sys.exit(session.process([{"ts": 1, "kind": "clock"}]).errors[0]),
        lambda: session.set_limits({"size.limit": 3}, who="Ann", why="quiet"),
        lambda: session.halt(who="Ann", why="quiet"),
    )
    with held([session._lock]):
        for call in calls:
            assert "forked while another thread was in a call of this session" in in_a_child(call)
