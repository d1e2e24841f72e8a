"""Checkpoints: whole or not at all, the last good one always there, anything else refused with a sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from riskkit import InputError, Instrument, Rule, RuleSet
from riskkit.compat.risk_engine import RiskEngine
from riskkit.compat.rules import Direction, Order, OrderRateLimitRule
from riskkit.replay import Engine
from riskkit.replay.live import checkpoint
from riskkit.replay.live.checkpoint import Checkpoints, read_checkpoint, write_checkpoint
from riskkit.replay.live.session import Session
from riskkit.rules import OrderRate, PositionLimit

RULES = RuleSet([Rule("rate", OrderRate(limit=2, window_ns=10)), Rule("size", PositionLimit(limit=9))])
ORDER = {"account": "A", "instrument": "X", "side": "B", "qty": 1, "price": 10}


def session_of(events: int = 3, **options) -> Session:
    session = Session.create(RULES, [Instrument("X", **options)], ["A"], compiled=False)
    for ts in range(events):
        session.process_order(ts=ts, order_id=ts, **ORDER)
    return session


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the writers are forked")
def test_writers_that_are_killed(tmp_path, long):
    """No torn state is ever accepted, the last acknowledged one (or a newer one) always is; see killed_writer.py."""
    script, kills = Path(__file__).parents[2].joinpath("killed_writer.py"), 200 if long else 20
    env = {**os.environ, "PYTHONPATH": str(script.parents[1])}
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path), str(kills)], env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["loaded"] >= kills * 3 // 4
    assert told["parts"] > 0 or not long, "no writer was killed within a write"


def test_a_checkpoint_goes_on_where_it_was(tmp_path):
    session = session_of()
    checkpoints = Checkpoints(tmp_path / "deep" / "folder", RULES)
    with pytest.raises(InputError, match="can be restored: there is none"):
        checkpoints.load(Session)
    names = [checkpoints.save(session).name for _ in range(4)]
    assert [path.name for path in checkpoints.generations()] == names[-2:]
    again = checkpoints.load(Session, compiled=False)
    for one in (session, again):
        one.process_order(ts=5, order_id="new", **ORDER)
    assert again.digest == session.digest
    live = Engine(RULES, session.universe, compiled=False)
    live.feed(session.log())
    checkpoints.save(live)
    assert checkpoints.load(Engine, compiled=False).digest == session.digest


def test_a_short_form_engine_is_checkpointed(tmp_path):
    rules = [OrderRateLimitRule(1)]
    engine = RiskEngine(rules, compiled=False)
    for oid in (1, 2):
        engine.process_order(Order(oid, "A", "X", Direction.BID, 1, 1, oid))
    checkpoints = Checkpoints(tmp_path, engine.rules)
    checkpoints.save(engine)
    again = checkpoints.load(RiskEngine, rules, compiled=False)
    assert again.paused("A") and again.digest == engine.digest


def test_a_torn_file_is_refused_at_every_length(tmp_path):
    path = tmp_path / "checkpoint"
    write_checkpoint(path, session_of())
    whole = path.read_bytes()
    lengths = {*range(80), *range(80, len(whole), 997), *range(len(whole) - 40, len(whole))}
    for length in sorted(lengths):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match="is torn"):
            read_checkpoint(path, RULES)
    path.write_bytes(whole + b"\0")
    with pytest.raises(InputError, match="is altered"):
        read_checkpoint(path, RULES)


def test_a_flipped_bit_is_refused_wherever_it_is(tmp_path):
    path = tmp_path / "checkpoint"
    write_checkpoint(path, session_of())
    whole = bytearray(path.read_bytes())
    for place in {*range(400), *range(400, len(whole), 499), len(whole) - 1}:
        whole[place] ^= 1 << place % 8
        path.write_bytes(whole)
        with pytest.raises(InputError, match="is altered|is torn|is not a checkpoint"):
            read_checkpoint(path, RULES)
        whole[place] ^= 1 << place % 8
    path.write_bytes(whole)
    assert read_checkpoint(path, RULES).header["format"] == 1


def test_a_foreign_file_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint"
    session = session_of()
    write_checkpoint(path, session)
    assert read_checkpoint(path, RULES, session.universe).snapshot == session.snapshot()
    with pytest.raises(InputError, match="was written under other rules"):
        read_checkpoint(path, RuleSet([Rule("rate", OrderRate(limit=3, window_ns=10))]))
    with pytest.raises(InputError, match="is of another universe"):
        read_checkpoint(path, RULES, session_of(tick="0.5").universe)
    for name, why in [("FORMAT", "has format 1; this riskkit reads 2"), ("SEMANTICS", "has semantics 3; this riskkit")]:
        with monkeypatch.context() as patch:
            patch.setattr(checkpoint, name, getattr(checkpoint, name) + 1)
            with pytest.raises(InputError, match=why):
                read_checkpoint(path, RULES)
    path.write_bytes(b"PK\3\4 something else")
    with pytest.raises(InputError, match="is not a checkpoint of riskkit"):
        read_checkpoint(path, RULES)
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_checkpoint(tmp_path / "none", RULES)


def test_the_generation_before_is_taken_where_the_newest_is_torn(tmp_path, caplog):
    session = session_of()
    checkpoints = Checkpoints(tmp_path, RULES)
    checkpoints.save(session)
    before = session.digest
    session.process_order(ts=9, **ORDER)
    newest = checkpoints.save(session)
    newest.write_bytes(newest.read_bytes()[:-1])
    assert checkpoints.load(Session, compiled=False).digest == before
    assert "is torn" in caplog.text
    for path in checkpoints.generations():
        path.write_bytes(b"")
    with pytest.raises(InputError, match="none is complete .*is torn"):
        checkpoints.load(Session)
    other = Checkpoints(tmp_path, RuleSet([]))
    checkpoints.save(session)
    with pytest.raises(InputError, match="was written under other rules"):
        other.load(Session)


def test_a_write_that_fails_leaves_the_last_good_one(tmp_path, monkeypatch):
    session = session_of()
    checkpoints = Checkpoints(tmp_path, RULES)
    checkpoints.save(session)
    order: list[str] = []

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(InputError, match="cannot be written: No space left"):
            checkpoints.save(session)
    assert checkpoints.load(Session, compiled=False).digest == session.digest
    with monkeypatch.context() as patch:
        sync, rename = os.fsync, os.replace
        patch.setattr(os, "fsync", lambda handle: (order.append("fsync"), sync(handle))[1])
        patch.setattr(os, "replace", lambda *names: (order.append("rename"), rename(*names))[1])
        checkpoints.save(session)
    assert order == ["fsync", "rename", "fsync"], "the file, its name, and the folder, in this order"
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be made"):
        Checkpoints(tmp_path / "file" / "folder", RULES)
    with pytest.raises(InputError, match="keep=1"):
        Checkpoints(tmp_path, RULES, keep=1)


def test_nothing_of_a_snapshot_is_trusted_before_its_checksum():
    session = session_of()
    snapshot = session.snapshot()
    for bad in (b"", snapshot[:-1], snapshot[:40], snapshot + b"\0"):
        with pytest.raises(InputError, match="torn or altered"):
            Session.restore(bad, RULES)
    other = replace(session.universe, accounts=())
    with pytest.raises(InputError, match="under other rules"):
        Engine.restore(Engine(RuleSet([]), other, compiled=False).snapshot(), RULES)
