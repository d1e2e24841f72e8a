"""Threads that commit at once: one of them writes a frame for all, and flushes it."""

from __future__ import annotations

import threading

from live_folders import leave, opened

from riskkit.replay.live import write_ahead_log
from riskkit.replay.live.journal_folder import read_events


def test_calls_that_come_during_a_flush_share_the_next_frame_and_flush(tmp_path, monkeypatch):
    session, flushes, threads = opened(tmp_path, durability="group"), [], 6
    begun, all_taken = threading.Event(), threading.Event()

    def flush(handle):
        flushes.append(handle)
        begun.set()
        assert all_taken.wait(60)

    def price(number):
        session.process_price(ts=0, instrument="I0", price=100 + number)
        durable.append(len(flushes))

    monkeypatch.setattr(write_ahead_log, "flush", flush)
    durable: list[int] = []
    callers = [threading.Thread(target=price, args=(number,)) for number in range(threads)]
    callers[0].start()
    assert begun.wait(60)
    for caller in callers[1:]:
        caller.start()
    while len(session) < threads:
        pass
    assert not durable
    all_taken.set()
    for caller in callers:
        caller.join()
    assert len(flushes) == 2 and durable == [1] + [2] * (threads - 1)
    assert [len(frame.events) for frame in read_events(tmp_path, 0).frames] == [1, threads - 1]
    leave(session)
