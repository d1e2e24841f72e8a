"""Answers wait for the disk: all of a turn share a flush, and each waits by itself."""

from __future__ import annotations

import asyncio
import threading

import pytest

import riskkit as rk
from riskkit.replay.live import write_ahead_log
from riskkit.service.engine import EngineService
from riskkit.service.turns import BrokenError, Turns


@pytest.fixture
def engine(tmp_path):
    with rk.Session.open(tmp_path, rk.RuleSet([]), [rk.Instrument("ES")], durability="none", compiled=False) as session:
        yield EngineService(session)


def ask(engine: EngineService, turns: Turns, ts: int) -> asyncio.Task[None]:
    """A task that sends a price and waits until it is on disk."""

    async def wait() -> None:
        await turns.durable("key", engine.decide("price", {"ts": ts, "instrument": "ES", "price": 100}).seq)

    return asyncio.create_task(wait())


def test_who_waits_shares_a_flush_and_may_leave_alone(engine, monkeypatch):
    flushes, goes_on = [], threading.Event()

    def flush(handle):
        assert goes_on.wait(60)
        flushes.append(handle)

    async def main():
        turns = Turns(engine, waits=True, most=10)
        first = ask(engine, turns, 0)
        while not turns.commits:
            await asyncio.sleep(0)
        later = [ask(engine, turns, ts) for ts in (1, 2, 3)]
        await asyncio.sleep(0)
        assert turns.waiting == 4
        later[1].cancel()
        goes_on.set()
        found = await asyncio.gather(first, *later, return_exceptions=True)
        assert [type(one) for one in found] == [type(None), type(None), asyncio.CancelledError, type(None)]
        assert (turns.commits, len(flushes), turns.waiting, len(engine.session)) == (2, 2, 0, 4)
        await turns.close()

    monkeypatch.setattr(write_ahead_log, "flush", flush)
    asyncio.run(main())


def test_a_flush_that_fails_is_told_to_all_who_wait_and_to_nobody_who_left(engine, monkeypatch):
    def flush(handle):
        raise OSError("the disk is gone")

    async def main():
        turns = Turns(engine, waits=True, most=10)
        asked = [ask(engine, turns, ts) for ts in range(3)]
        await asyncio.sleep(0)
        asked[0].cancel()
        found = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(one) for one in found] == [asyncio.CancelledError, BrokenError, BrokenError]
        with pytest.raises(BrokenError):
            turns.admit()
        await turns.close()

    with monkeypatch.context() as patched:
        patched.setattr(write_ahead_log, "flush", flush)
        asyncio.run(main())
    engine.session._wal._failed = ""  # so that the session can be closed
