"""A process that is killed while it writes checkpoints, and what loads afterwards; run by tests/replay/live/test_checkpoint.py.

It keeps to plain Python, so that nothing is compiled, and forks its writers, so that 200 of them start at once. A
writer takes one event, saves, and tells how many events that checkpoint holds through a pipe; it is killed with
SIGKILL at a moment that a seed decides, after none, one or two saves that it has told of.
"""

from __future__ import annotations

import json
import os
import random
import signal
import struct
import sys
import time
from pathlib import Path

from riskkit.replay.live.checkpoint import Checkpoints
from riskkit.replay.live.session import Session
from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.universe import Instrument
from riskkit.rules import OrderRate, PositionLimit

RULES = RuleSet([Rule("rate", OrderRate(limit=3, window_ns=5)), Rule("size", PositionLimit(limit=20))])
NUMBER = struct.Struct("<q")


def take(session: Session) -> None:
    """Event number n is the same in every process."""
    n = len(session)
    fields = {
        "account": "AB"[n % 2],
        "instrument": "X",
        "side": "BS"[n % 3 // 2],
        "qty": 1 + n % 4,
        "price": 10 + n % 5,
    }
    if n % 4 == 3:
        session.process_trade(ts=n, order_id=n - 1, qty=1, price=10)
    else:
        session.process_order(ts=n, order_id=n, **fields)


def write(folder: Path, pipe: int) -> None:
    """Take events and save, until killed."""
    checkpoints = Checkpoints(folder, RULES)
    session = start(checkpoints)
    while True:
        os.write(pipe, NUMBER.pack(len(session)))  # at first what was loaded, then what was saved
        take(session)
        checkpoints.save(session)


def start(checkpoints: Checkpoints) -> Session:
    if checkpoints.generations():
        return checkpoints.load(Session, compiled=False)
    return Session.create(RULES, [Instrument("X")], ["A", "B"], compiled=False)


def main(folder: Path, kills: int) -> None:
    draw = random.Random(7)
    twin = Session.create(RULES, [Instrument("X")], ["A", "B"], compiled=False)
    take(Session.restore(twin.snapshot(), RULES, compiled=False))  # writes the loop once, for all writers
    acknowledged, loaded, parts, ahead = 0, 0, 0, 0
    for _ in range(kills):
        readable, writable = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(readable)
            write(folder, writable)
        os.close(writable)
        told = b"".join(os.read(readable, NUMBER.size) for _ in range(1 + draw.randrange(3)))
        time.sleep(draw.random() * 0.008)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        while chunk := os.read(readable, 65_536):
            told += chunk
        os.close(readable)
        if len(told) >= NUMBER.size:
            last = len(told) // NUMBER.size * NUMBER.size
            acknowledged = NUMBER.unpack(told[last - NUMBER.size : last])[0]
        parts += any(folder.glob(".*.part"))
        checkpoints = Checkpoints(folder, RULES)
        if not checkpoints.generations():
            assert acknowledged == 0, "an acknowledged checkpoint is gone"
            continue
        session = checkpoints.load(Session, compiled=False)
        assert len(session) >= acknowledged, f"{len(session)} events loaded, {acknowledged} acknowledged"
        ahead += len(session) > acknowledged
        while len(twin) < len(session):
            take(twin)
        assert len(twin) == len(session), "the state went back"
        assert session.digest == twin.digest, "what loads is not what was taken"
        assert session.state.positions.tobytes() == twin.state.positions.tobytes()
        loaded += 1
    print(json.dumps({"loaded": loaded, "events": acknowledged, "parts": parts, "ahead": ahead}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
