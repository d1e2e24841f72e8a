"""Threads that commit at once: one of them writes a frame for all, and flushes it."""

from __future__ import annotations

import ctypes
import threading

from live_folders import leave, opened

from riskkit.replay.live import write_ahead_log
from riskkit.replay.live.group_commit import GroupCommit
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


def test_every_thread_is_woken_also_after_an_interrupted_wait_and_a_failed_flush():
    written, flushing, goes_on, faults = [0], threading.Event(), threading.Event(), [OSError("the disk is gone")]

    def begin():
        end = written[0]

        def finish():
            flushing.set()
            assert goes_on.wait(60)
            if faults:
                raise faults.pop()

        return end, finish

    group, found = GroupCommit(begin, lambda: written[0], 0), []

    def commit():
        written[0] += 1
        try:
            found.append(group.wait(written[0]))
        except (OSError, KeyboardInterrupt) as error:
            found.append(type(error))

    threads = [threading.Thread(target=commit) for _ in range(5)]
    threads[0].start()
    assert flushing.wait(60)
    for thread in threads[1:]:
        thread.start()
    while len(group._waiting) < 4:
        pass
    interrupt = ctypes.pythonapi.PyThreadState_SetAsyncExc
    interrupt(ctypes.c_ulong(threads[1].ident), ctypes.py_object(KeyboardInterrupt))  # told once it is woken
    goes_on.set()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads) and not group._waiting
    assert (
        found.count(OSError) == 1
        and found.count(KeyboardInterrupt) == 1
        and found.count(True) + found.count(False) == 3
    )
    assert not group.wait(5)
