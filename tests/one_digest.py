"""The property of the proofs: however a log is run through rules in enforce mode, its digest is one.

Compiled is the generic loop: the statements of the own loops are proven in proofs/test_proof.py and proofs/test_fused.py.
"""

from __future__ import annotations

from hypothesis import strategies as st
from streams import whole_lists

from riskkit import EventLog, RuleSet, replay_log
from riskkit.replay.live.engine import Engine

FOR_EVER = 1 << 60  # the horizon of a session that forgets only what nothing can name


def assert_one_digest(log: EventLog, rules: RuleSet, data: st.DataObject) -> Engine:
    """Compare plain, generic, chunked and live runs, the last with a snapshot, which forgets or not; return its engine."""
    digest = replay_log(log, rules, "enforce", compiled=False).digest
    assert replay_log(log, rules, "enforce", compiled="generic").digest == digest, "compiled"
    chunk = data.draw(st.integers(1, len(log)), label="chunk")
    assert replay_log(log, rules, "enforce", compiled="generic", chunk=chunk).digest == digest, "in chunks"
    stop = whole_lists(log, data.draw(st.integers(0, len(log)), label="snapshot at"))
    first = Engine(rules, log.universe, "enforce", compiled="generic")
    first.feed(log, 0, stop)
    moved = first.compact(FOR_EVER) if data.draw(st.booleans(), label="forget") else None
    second = Engine.restore(first.snapshot(), rules, compiled="generic")
    second.past = None if moved is None else lambda: moved
    second.feed(log, stop)
    assert second.digest == second.result().digest == digest, "live, snapshot and restore"
    return second
