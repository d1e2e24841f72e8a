"""Files are written whole or not at all: a process that is killed at any of its file operations tears nothing."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import riskkit as rk
from riskkit import InputError
from riskkit.desk import Alert, FileChannel, ParquetStore, PositionTracker
from riskkit.stress import ScenarioCube

OPERATIONS = ("open", "os.rename", "os.remove", "os.truncate", "os.link", "os.mkdir", "fcntl.flock")
BEFORE, AFTER = 3, 5


def log_of(count: int) -> rk.EventLog:
    row = {"kind": "order", "account": "A", "instrument": "X", "side": "B", "qty": 1, "price": 100}
    return rk.EventLog.from_frame(pd.DataFrame([{"ts": n, **row} for n in range(count)]))


LOGS = {count: log_of(count) for count in (BEFORE, AFTER)}


def cube(path: Path, count: int) -> None:
    ScenarioCube.write(path, [np.full((count, 2), float(count))], ["a", "b"])


def read_cube(path: Path) -> int:
    made = ScenarioCube.open(path)
    assert all((block == made.n_scenarios).all() for block in made.blocks())
    return made.n_scenarios


def store(path: Path, count: int) -> None:
    with ParquetStore(path) as made:
        if len(made):
            tracker = made.resume()
        else:
            made.follow(tracker := PositionTracker({"X": 1}))
        while len(made) < count:
            tracker.update("ann", "m", "X", 1, 1, timestamp=1, trade_id=len(made))


def read_store(path: Path) -> int:
    made = ParquetStore(path)
    made.rebuild()
    return len(made)


def keys(path: Path, count: int) -> None:
    from riskkit.service.keys import add_key, read_keys

    for number in range(len(read_keys(path)) if path.exists() else 0, count):
        add_key(path, f"k{number}", ["read"])


def read_keys_of(path: Path) -> int:
    from riskkit.service.keys import read_keys

    return len(read_keys(path))


def alerts(path: Path, count: int) -> None:
    for number in range(read_alerts(path) if path.exists() else 0, count):
        FileChannel(path)(Alert(str(number), "ann", "limit", "WARN", "too much.", number))


def read_alerts(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


Saved = tuple[Callable[[Path, int], Any], Callable[[Path], int]]
SAVED: dict[str, Saved] = {
    "folder of a log": (
        lambda path, count: LOGS[count].save(path),
        lambda path: len(rk.EventLog.open(path, check=True)),
    ),
    "file of a log": (
        lambda path, count: LOGS[count].to_parquet(path),
        lambda path: len(rk.EventLog.from_parquet(path)),
    ),
    "cube": (cube, read_cube),
    "store": (store, read_store),
    "keys": (keys, read_keys_of),
    "alerts": (alerts, read_alerts),
}
SWAPPED = {"folder of a log": 16, "cube": 4}
"""Kinds of several files, and the most operations between which one is neither of the two, and is refused."""


def killed(save: Callable[[], Any], operation: int) -> bool:
    """Save in a process that is killed before one of its file operations; False if it has fewer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of forks beside threads
        child = os.fork()
    if child == 0:
        left = [operation]

        def count(event: str, given: Any) -> None:
            if event in OPERATIONS:
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        try:
            save()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@pytest.mark.lengthy
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the writers are forked")
@pytest.mark.parametrize("kind", SAVED)
def test_what_is_saved_is_the_old_or_the_new_wherever_its_writer_is_killed(kind, tmp_path):
    if kind == "keys":
        pytest.importorskip("msgspec", reason="the service comes with the extra 'service'")
    save, read = SAVED[kind]
    save(tmp_path / "saved", BEFORE)
    found, refused = set(), 0
    for operation in range(200):
        path = tmp_path / f"{operation}" / "saved"
        copy = shutil.copytree if (tmp_path / "saved").is_dir() else shutil.copy
        path.parent.mkdir()
        copy(tmp_path / "saved", path)
        was_killed = killed(lambda path=path: save(path, AFTER), operation)
        try:
            found.add(read(path))
        except InputError:
            refused += 1
        save(path, AFTER)  # and the next one goes on
        assert read(path) == AFTER
        if path.is_dir() and kind != "store":  # where nothing is left to write, and so nothing to clear
            assert not [name for name in os.listdir(path) if name.startswith(".")]
        if not was_killed:
            break
    assert not was_killed and found - set(range(BEFORE, AFTER + 1)) == set() and found >= {BEFORE, AFTER}
    assert refused <= SWAPPED.get(kind, 0)


@pytest.mark.lengthy
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the writers are forked")
def test_the_first_keys_of_a_service_are_all_there_or_made_anew(tmp_path):
    pytest.importorskip("msgspec", reason="the service comes with the extra 'service'")
    from riskkit.service.keys import first_keys, hash_of, read_keys

    for operation in range(200):
        path = tmp_path / f"{operation}" / "keys.toml"
        path.parent.mkdir()
        was_killed = killed(lambda path=path: first_keys(path), operation)
        first_keys(path)
        known = {key.id: hash for hash, key in read_keys(path).items()}
        for name in ("trade", "limits"):
            file = path.with_name(f"{name}.key")
            assert hash_of(file.read_text(encoding="utf-8")) == known[name] and file.stat().st_mode & 0o077 == 0
        assert sorted(os.listdir(path.parent)) == ["keys.toml", "limits.key", "trade.key"]
        if not was_killed:
            return
    raise AssertionError("the writer was always killed")


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), MemoryError()])
@pytest.mark.parametrize("kind", ["folder of a log", "cube"])
def test_what_was_there_stays_where_the_new_one_fails(kind, error, tmp_path, monkeypatch):
    save, read = SAVED[kind]
    save(tmp_path, BEFORE)
    for nth in range(100):
        with monkeypatch.context() as patch:
            flush, left = os.fsync, [nth]

            def fail(file: int, flush: Any = flush, left: list[int] = left) -> None:
                left[0] -= 1
                if left[0] < 0 and not os.path.isdir(f"/proc/self/fd/{file}"):  # of a folder, all is there
                    raise error
                flush(file)

            patch.setattr(os, "fsync", fail)
            try:
                save(tmp_path, AFTER)
            except (InputError, KeyboardInterrupt, MemoryError):
                assert read(tmp_path) == BEFORE
                assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]
            else:
                break
    assert nth > 1 and read(tmp_path) == AFTER


@pytest.mark.parametrize("field", ["name", "owner", "accounts"])
def test_no_name_makes_a_file_of_keys_unreadable(field, tmp_path):
    pytest.importorskip("msgspec", reason="the service comes with the extra 'service'")
    from riskkit.service.keys import add_key, read_keys

    path = tmp_path / "keys.toml"
    names = ["A\x1b[2J\nB", "\x00", '"\\', "'", "\u2028", "[[keys]]", "\U0001f642", "\ud800", "a\udcff"]
    add_key(path, "first", ["read"])
    taken = []
    for number, name in enumerate(names):
        given = {"name": f"k{number}", "owner": "ann", "accounts": ["A"]}
        given[field] = [name] if field == "accounts" else name
        try:
            add_key(path, given.pop("name"), ["read"], **given)
            taken.append(name)
        except InputError as error:
            assert "has a half character" in str(error)
    found = [(key.id, key.owner, *(key.accounts or ())) for key in read_keys(path).values()]
    assert taken == names[:-2] and all(any(name in one for one in found) for name in taken)


# ---------------------------------------------------------------------- what is no name of a file

SHORT, SIZE = rk.replay.tiny_log([1]), rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=1))])
DOORS = {
    "RuleSet.from_toml": rk.RuleSet.from_toml,
    "read_log": rk.read_log,
    "read_log of several": lambda path: rk.read_log([path]),
    "read.fix": rk.read.fix,
    "read.generic_csv": rk.read.generic_csv,
    "EventLog.from_parquet": rk.EventLog.from_parquet,
    "EventLog.open": rk.EventLog.open,
    "EventLog.save": SHORT.save,
    "EventLog.to_parquet": SHORT.to_parquet,
    "open_journal": rk.open_journal,
    "Session.open": lambda path: rk.Session.open(path, SIZE),
    "to_excel": lambda path: rk.var.historical(np.arange(300.0) / 1e4, 0.99).to_excel(path),
    "report": lambda path: rk.report.limits(rk.replay_log(SHORT, SIZE, compiled=False), path),
}
NO_NAMES = {"null": "a\0b", "half a character": "a\ud800b", "too long": "x" * 5000, "a number": 5, "nothing": None}


@pytest.mark.parametrize("path", NO_NAMES.values(), ids=NO_NAMES)
@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_what_is_no_name_of_a_file_is_refused_in_a_sentence(door, path):
    with pytest.raises(
        rk.InputError, match="cannot be the name|too long for the name|is not a path|holds (5|None)[;,]"
    ):
        door(path)
