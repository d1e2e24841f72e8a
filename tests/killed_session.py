"""A session in a folder that is killed again and again, and what opens afterwards; run by tests/replay/live/test_killed_session.py.

It keeps to plain Python, so that nothing is compiled, and forks its writers, so that 200 of them start at once. A writer
opens the session, takes one event after the other and tells through a pipe how many are answered; it is killed with
SIGKILL at a moment that a seed decides: any, or in one of its writes (a half of it done), flushes or renames.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from killed import deadly, last_told, tell

from riskkit.replay.live import write_ahead_log
from riskkit.replay.live.journaled_session import JournaledSession
from riskkit.replay.live.session import Session
from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.universe import Instrument
from riskkit.rules import CreditLimit, OrderRate, PositionLimit

RULES = RuleSet(
    [
        Rule("rate", OrderRate(limit=3, window_ns=5)),
        Rule("size", PositionLimit(limit=20)),
        Rule("line", CreditLimit(limit=24), scope="global"),
    ]
)
STEPS = ("reserve", "reserve", "commit", "release", "rollback")  # of two reservations; the second is given back
PLACES = ("any", "write", "flush", "rename")


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
    if n % 4 == 0:
        turn, step = divmod(n // 4, len(STEPS))
        money = {"reserve": {"amount": 9, "currency": "USD"}, "release": {"amount": 7}}.get(STEPS[step], {})
        name = f"{turn}-{int(step in (1, 4))}"
        session.process_credit(ts=n, account="AB"[turn % 2], reserve_id=name, step=STEPS[step], **money)
    elif n % 4 == 3:
        session.process_trade(ts=n, order_id=n - 1, qty=1, price=10, trade_id=n)
    else:
        session.process_order(ts=n, order_id=n, **fields)


def opened(folder: Path, durability: str) -> JournaledSession:
    """A session of small files, so that they end and begin all the time."""
    options = {"durability": durability, "horizon": 50, "segment_events": 7, "compiled": False}
    return Session.open(folder, RULES, [Instrument("X")], ["A", "B"], **options)


def write(folder: Path, durability: str, pipe: int) -> None:
    """Take events until killed."""
    session = opened(folder, durability)
    while True:
        tell(pipe, len(session))  # at first what was found, then what is answered
        take(session)


def die_in(place: str, turn: int, done: bool) -> None:
    """Let this process be killed in its call number `turn` of a place, before or after it is `done`; a write by half."""
    left = [turn]

    def dying(call: Callable[..., Any]) -> Callable[..., Any]:
        return deadly(left, call, call if done else None)

    if place == "write":
        real = os.write
        os.write = deadly(left, real, (lambda handle, data: real(handle, data[: len(data) // 2])) if done else None)
    elif place == "flush":
        os.fsync, write_ahead_log.flush = dying(os.fsync), dying(write_ahead_log.flush)
    elif place == "rename":
        os.replace = dying(os.replace)


def main(folder: Path, kills: int) -> None:
    draw = random.Random(7)
    twin = Session.create(RULES, [Instrument("X")], ["A", "B"], compiled=False)
    take(Session.restore(twin.snapshot(), RULES, compiled=False))  # writes the loop once, for all writers
    answered, ahead, parts = 0, 0, 0
    for kill in range(kills):
        place, turn, done = PLACES[kill % 4], draw.randint(1, 20), draw.random() < 0.5

        def taking(pipe: int, place: str = place, turn: int = turn, done: bool = done, kill: int = kill) -> None:
            die_in(place, turn, done)
            write(folder, ("group", "each")[kill // 4 % 2], pipe)

        answered = last_told(taking, draw, at_any_time=place == "any") or answered
        parts += any(folder.glob(".*.part"))
        session = opened(folder, "none")
        assert len(session) >= answered, f"{len(session)} events are there, {answered} were answered"
        ahead += len(session) > answered
        while len(twin) < len(session):
            take(twin)
        assert len(twin) == len(session), "the session went back"
        assert session.digest == twin.digest, "what opens is not what was answered"
        assert session.state.positions["qty"].tolist() == twin.state.positions["qty"].tolist()
        session.close()
    assert session.result().digest == twin.digest, "the files are not the journal"
    print(json.dumps({"events": answered, "parts": parts, "ahead": ahead}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
