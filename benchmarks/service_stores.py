"""The stores of the service on real servers, which share the cores with the client. Answers are asserted first."""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from benchmarks._bench import Bound, Row, calls
from riskkit.replay.live.session import Session
from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.universe import Instrument
from riskkit.rules import MaxOrderQty
from riskkit.service.postgres import PostgresFollower, PostgresReader, PostgresTrades, rebuild
from riskkit.service.redis_cache import RedisCache
from tests.service.servers import Server, running_postgres, running_redis

EVENTS, BATCH, TICK_NS = 100_000, 1_000, 1_000_000
USERS, TRADES, TOGETHER, QUERIES = 200, 100_000, 5_000, 1_000
RULES = RuleSet([Rule("size", MaxOrderQty(limit=5))])
METRICS = {"total_exposure_usd": 1.5e6, "concentration_risk": 0.25, "var_95": 1.2e4, "max_drawdown": 0.05}


def rows(only: str = "") -> Iterator[Any]:
    """The rows; ``--only redis`` or ``postgres`` runs a part."""
    yield f"{os.cpu_count()} cores with client and server on them; load average {os.getloadavg()[0]:.1f}"
    if only in ("", "redis"):
        with tempfile.TemporaryDirectory() as folder, running_redis(Path(folder)) as server:
            yield from _redis(server)
    if only in ("", "postgres"):
        with running_postgres() as server:
            with psycopg.connect(f"{_address(server)} dbname=postgres", autocommit=True) as connection:
                connection.execute("create database bench")
            yield from _journal(server)
            yield from _queries(f"{_address(server)} dbname=bench")


def _address(server: Server) -> str:
    return f"host=127.0.0.1 port={server.port} user=postgres"


def _redis(server: Server) -> Iterator[Any]:
    """What a call costs its thread, with a Redis that answers and one that is silent."""
    cache = RedisCache(f"redis://127.0.0.1:{server.port}/0", timeout=0.2)

    def put() -> float:
        start = time.thread_time()
        for turn in range(20_000):
            cache.put_metrics(f"user {turn % USERS}", METRICS)
        return (time.thread_time() - start) / 20_000

    put()
    assert cache.flush(30)
    answered = min(put() for _ in range(3))
    server.silence()
    silent = min(put() for _ in range(3))
    server.speak()
    assert cache.flush(30) and cache.counts.dropped == 0
    yield Row("cached metrics, Redis silent", silent, answered, "Redis answers", 2.0, at_least=False)
    start = time.perf_counter()
    for turn in range(20_000):
        cache.put_metrics(f"user {turn % 10_000}", METRICS)
    assert cache.flush(60)
    yield Bound("cached metrics of 10,000 users, written", 20_000 / (time.perf_counter() - start), 10_000, "/s", True)
    cache.close()


def _take(session: Session, count: int) -> float:
    """Take orders in batches; the processor time of this thread for one."""
    first, spent = len(session), 0.0
    for start in range(first, first + count, BATCH):
        orders = [
            {"ts": n * TICK_NS, "account": "A", "instrument": "ES", "side": "B", "qty": n % 8 + 1, "price": 100}
            for n in range(start, start + BATCH)
        ]
        begun = time.thread_time()
        session.process(orders)
        spent += time.thread_time() - begun
    return spent / count


def _journal(server: Server) -> Iterator[Any]:
    """How fast the rows follow, and what decisions cost while they do and while the server is away."""
    conninfo = f"{_address(server)} dbname=bench"
    with (
        tempfile.TemporaryDirectory() as folder,
        Session.open(folder, RULES, [Instrument("ES")], ["A"], durability="none") as session,
    ):
        _take(session, BATCH)
        alone = _take(session, EVENTS)
        with PostgresFollower(folder, conninfo) as follower:
            start, processor = time.perf_counter(), time.process_time()
            while follower.step():
                pass
            wall, processor = time.perf_counter() - start, time.process_time() - processor
            assert follower.written == len(session)
            yield Bound("journal into PostgreSQL", follower.written / wall, 10_000, "events/s", True)
            yield Bound("journal into PostgreSQL", 1e6 * processor / follower.written, 50, "us of the client an event")
            follower.start()
            yield Row("decision while rows follow", _take(session, EVENTS), alone, "alone", 2.0, at_least=False)
            server.stop(signal.SIGQUIT)
            away = _take(session, EVENTS)
            yield Row("decision while PostgreSQL is away", away, alone, "alone", 2.0, at_least=False)
            server.start()
            start, behind = time.perf_counter(), follower.lag
            while follower.lag:
                time.sleep(0.05)
            yield Bound(f"backlog of {behind:,} events, drained", time.perf_counter() - start, 60, "s")
        assert rebuild(conninfo).digest == session.digest


def _queries(conninfo: str) -> Iterator[Any]:
    """Prepared queries by user."""
    rnd, trades = random.Random(0), PostgresTrades(conninfo)
    users = [uuid.UUID(int=number) for number in range(USERS)]
    start = time.perf_counter()
    for first in range(0, TRADES, TOGETHER):
        events = [
            {
                "user_id": rnd.choice(users),
                "trade_id": uuid.UUID(int=first + number),
                "token_in": rnd.choice(["USDC", "BTC"]),
                "token_out": rnd.choice(["ETH", "SOL"]),
                "amount_in": rnd.randrange(2**200),
                "amount_out": rnd.randrange(2**200),
                "timestamp": 1_700_000_000_000 + 26_000 * (first + number),
                "dex_source": "uniswap",
                "gas_used": 21_000,
                "pnl": rnd.randrange(-1_000, 1_000),
            }
            for number in range(TOGETHER)
        ]
        assert trades.write("bench", range(first, first + TOGETHER), events) == TOGETHER
    yield Bound("trade events into PostgreSQL", TRADES / (time.perf_counter() - start), 10_000, "events/s", True)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("analyze")
    reader = PostgresReader(conninfo)
    for name, ask in {
        "positions": lambda turn: reader.positions(users[turn % USERS]),
        "daily profit, 30 days": lambda turn: reader.daily_pnl(users[turn % USERS]),
        "last 100 trades": lambda turn: reader.trades(users[turn % USERS]),
        "last 100 events of an account": lambda turn: reader.events("A"),
        "last 100 decisions on an account": lambda turn: reader.decisions("A"),
    }.items():
        assert ask(0)
        found = calls(f"SQL: {name}", ask, QUERIES)
        yield found
        found.times.sort()
        yield Bound(f"SQL: {name}, p99", 1e3 * float(found.times[int(0.99 * QUERIES)]), 5, "ms")
    reader.close()
    trades.close()
