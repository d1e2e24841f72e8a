"""The write-ahead log: whole frames or none, a torn end cut, anything else refused with a sentence."""

from __future__ import annotations

import os
import random
import threading

import pytest

from riskkit import InputError
from riskkit.replay.live import write_ahead_log
from riskkit.replay.live.write_ahead_log import HEAD, WriteAheadLog, read_frames

FRAMES = [b"", b"a", b"rkWL inside", bytes(range(256)) * 3]


def written(path, frames=FRAMES, synced: int = 0) -> bytes:
    log = WriteAheadLog(path)
    for number, frame in enumerate(frames):
        log.append(frame)
        if number + 1 == synced:
            log.sync()
    log.leave()  # as a killed process leaves it
    return path.read_bytes()


def test_a_torn_end_is_cut_at_every_length(tmp_path):
    path = tmp_path / "events"
    whole = written(path)
    ends = [sum(HEAD.size + len(frame) for frame in FRAMES[:count]) for count in range(len(FRAMES) + 1)]
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        count = max(number for number, end in enumerate(ends) if end <= length)
        found = read_frames(path)
        assert [bytes(one) for one in found.payloads] == FRAMES[:count]
        assert (found.end, found.torn) == (ends[count], length - ends[count])
    log = WriteAheadLog(path, ends[2])
    log.append(b"new")
    log.close()
    log.close()
    assert [bytes(one) for one in read_frames(path).payloads] == [*FRAMES[:2], b"new"]


def test_a_flipped_bit_is_found_wherever_it_is(tmp_path):
    """Before what a later frame knows on disk it is refused; after that it may be torn, and is cut."""
    path = tmp_path / "events"
    whole = bytearray(written(path, synced=2))
    known = 2 * HEAD.size + 1
    for place in range(len(whole)):
        whole[place] ^= 1 << place % 8
        path.write_bytes(whole)
        if place < known:
            with pytest.raises(InputError, match="is altered at byte"):
                read_frames(path)
        else:
            assert len(read_frames(path).payloads) in (2, 3)
        whole[place] ^= 1 << place % 8


def test_a_full_disk_leaves_whole_frames_and_goes_on(tmp_path, monkeypatch):
    path, draw, write = tmp_path / "events", random.Random(5), os.write
    log, taken = WriteAheadLog(path), []

    def short(handle: int, data: bytes) -> int:
        if draw.random() < 0.3:
            raise OSError(28, "No space left on device")
        return write(handle, data[: draw.randrange(1, len(data) + 1)])

    monkeypatch.setattr(os, "write", short)
    for number in range(200):
        try:
            log.append(b"%d" % number)
            taken.append(b"%d" % number)
        except InputError as error:
            assert str(error) == "'events' cannot be written: No space left on device"
        assert [bytes(one) for one in read_frames(path).payloads] == taken
    assert 20 < len(taken) < 180


def test_an_interrupted_append_is_written_over(tmp_path, monkeypatch):
    path, write = tmp_path / "events", os.write
    log = WriteAheadLog(path)
    log.append(b"one")

    def interrupted(handle: int, data: bytes) -> int:
        write(handle, data)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            log.append(b"two")
    log.append(b"two, three")
    log.close()
    assert [bytes(one) for one in read_frames(path).payloads] == [b"one", b"two, three"]


def test_a_failed_flush_is_final(tmp_path, monkeypatch):
    log = WriteAheadLog(tmp_path / "events")
    log.append(b"one")

    def broken(handle: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(write_ahead_log, "flush", broken)
        with pytest.raises(InputError, match="cannot be flushed to disk: Input/output error"):
            log.sync()
    for again in (log.sync, lambda: log.append(b"two"), log.close):
        with pytest.raises(InputError, match="cannot be flushed to disk"):
            again()
    with pytest.raises(InputError, match="'none' cannot be read: No such file"):
        read_frames(tmp_path / "none")
    with pytest.raises(InputError, match="cannot be written: Is a directory"):
        WriteAheadLog(tmp_path)


def test_an_interrupted_flush_has_flushed_nothing(tmp_path, monkeypatch):
    log = WriteAheadLog(tmp_path / "events")
    log.append(b"one")

    def interrupted(handle: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(write_ahead_log, "flush", interrupted)
        with pytest.raises(KeyboardInterrupt):
            log.sync()
    assert log.on_disk == 0
    log.sync()
    assert log.on_disk == log.end
    log.close()


def test_threads_share_a_flush(tmp_path, monkeypatch):
    """While one thread flushes, others append; the next flush is for all of them."""
    log, flushes = WriteAheadLog(tmp_path / "events"), []
    started, go = threading.Event(), threading.Event()

    def slow(handle: int) -> None:
        flushes.append(log.end)
        started.set()
        go.wait(10)

    monkeypatch.setattr(write_ahead_log, "flush", slow)
    threads = [threading.Thread(target=log.sync) for _ in range(6)]
    log.append(b"first")
    threads[0].start()
    started.wait(10)
    for number, thread in enumerate(threads[1:]):
        log.append(b"%d" % number)
        thread.start()
    go.set()
    for thread in threads:
        thread.join(10)
    assert flushes == [flushes[0], log.end]
    log.close()
