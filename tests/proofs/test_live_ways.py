"""One digest from every way of being live: by label or in batches, compiled or plain, in memory or in a folder that rolls and is
killed, with labels that were declared or come in, under limits that change on the way, asked and challenged meanwhile."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from label_calls import answer, calls
from live_folders import leave, no_threads
from proofs.test_proof import ENFORCE, RULES
from streams import universe

from riskkit import Instrument, Session, replay_log
from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.rules import PositionLimit

__all__ = ["no_threads"]

ANN = {"who": "Ann", "why": "a proof"}
CHANGES = {60: {"rate.limit": 2, "size.limit": 9}, 130: {"size.limit": 30, "day.limit": 50}}
TIGHTER = RuleSet([Rule("size", PositionLimit(limit=4))])
STREAM = [(method, given) for method, given in calls(21, 200, 0.05)]


def change(session: Session, number: int) -> None:
    if number in CHANGES:
        session.set_limits(CHANGES[number], **ANN)


def one_by_one(session: Session, **_: Any) -> Session:
    for number, (method, given) in enumerate(STREAM):
        change(session, number)
        answer(session, method, given)
    return session


def in_batches(session: Session, draw: random.Random, **_: Any) -> Session:
    ends = sorted({*CHANGES, *draw.sample(range(1, len(STREAM)), draw.randrange(1, 20)), len(STREAM)})
    for start, end in zip([0, *ends], ends, strict=False):
        change(session, start)
        session.process([row_of(method, given) for method, given in STREAM[start:end]])
    return session


def row_of(method: str, given: dict[str, Any]) -> dict[str, Any]:
    kind = {"process_trade": "fill", "tick": "clock"}.get(method, method.removeprefix("process_"))
    return {
        **{name: value for name, value in given.items() if name != "now"},
        "kind": kind,
        "ts": given.get("ts", given.get("now")),
    }


def asked(session: Session, **_: Any) -> Session:
    for number, (method, given) in enumerate(STREAM):
        change(session, number)
        if method == "process_order":
            answer(session, "probe", given)
        answer(session, method, given)
        if number % 50 == 49:
            _ = session.challengers["tighter"].count, session.status()
    return session


def killed(session: Session, again: Any, draw: random.Random, **_: Any) -> Session:
    ends = draw.sample(range(len(STREAM)), 4)
    for number, (method, given) in enumerate(STREAM):
        change(session, number)
        answer(session, method, given)
        if number in ends:
            session.commit()
            leave(session)
            session = again()
    return session


WAYS = {"one by one": one_by_one, "in batches": in_batches, "asked and challenged": asked, "killed": killed}


def begin(way: str, folder: Any, compiled: bool | str, grows: bool, mode: str) -> tuple[Session, Any]:
    """A session of a way, and how it is opened again."""
    options: dict[str, Any] = {"auto_register": Instrument("any") if grows else None}
    known = replace(universe(instruments=1), strategies=(), connections=()) if grows else universe()
    if way == "asked and challenged":
        options["shadow"] = {"tighter": TIGHTER}
    if way != "killed":
        return Session(RULES, known, mode=mode, compiled=compiled, **options), None
    stored = {"durability": "none", "segment_events": 24, "horizon": "400d", "compiled": compiled, "mode": mode}
    made = Session.open(folder, RULES, universe=known, **options, **stored)
    return made, lambda: Session.open(folder, RULES, **stored)


@pytest.mark.parametrize(
    "grows", [pytest.param(False, id="declared", marks=pytest.mark.slow), pytest.param(True, id="newcomers")]
)
def test_every_way_of_being_live_gives_one_digest(grows, tmp_path, long):
    for seed in range(20 if long else 1):
        found = {way: through(way, tmp_path / str(seed), False, grows, seed) for way in WAYS}
        assert len(set(found.values())) == 1, (seed, found)


@pytest.mark.slow
@ENFORCE
@pytest.mark.parametrize("grows", [False, True], ids=["declared", "newcomers"])
def test_every_compiled_way_of_being_live_gives_the_plain_digest(grows, tmp_path):
    """In the loop of the live engine of the proof; a challenger, whose rules are others, in that of the catalogue."""
    loops = {way: "generic" if way == "asked and challenged" else True for way in WAYS}
    plain = through("one by one", tmp_path, False, grows, mode="enforce")
    found = {way: through(way, tmp_path, loop, grows, mode="enforce") for way, loop in loops.items()}
    assert found == dict.fromkeys(WAYS, plain)


def through(way: str, folder: Any, compiled: bool | str, grows: bool, seed: int = 0, *, mode: str = "shadow") -> str:
    """The digest of a session at the end of the stream, after it was compared with a replay of its journal."""
    session, again = begin(way, folder, compiled, grows, mode)
    session = WAYS[way](session, again=again, draw=random.Random(seed))
    digest = session.digest
    log, history = session.log(), session.history
    assert len(history.changes) == len(CHANGES)
    assert replay_log(log, history, mode, compiled=False).digest == digest
    if grows and way == "one by one":
        assert one_by_one(Session(RULES, log.universe, mode=mode, compiled=compiled)).digest == digest, (
            "newcomers against declared"
        )
    if way == "asked and challenged":
        assert session.challengers["tighter"].digest == replay_log(log, TIGHTER, mode, compiled=False).digest
    if way == "killed":
        session.close()
    return digest
