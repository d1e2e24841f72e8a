"""A folder that an older riskkit has written is read, and its session goes on.

``tests/data/journal`` was written by `write`, its last file cut in the middle of a frame, and is not to be written anew but
with another version of the semantics, whose sessions refuse it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from label_calls import answer, calls
from live_folders import RULES, leave, opened

import riskkit as rk

FOLDER = Path(__file__).parents[2] / "data" / "journal"
COUNT, DIGEST = 105, "6d7f33d4615976fed5db8030df943e68b940a6d06735b24293629457d1c473f7"


def write(folder: Path) -> None:
    """Two closed segments and the beginning of a third, with newcomers, other limits, commands, and the notes of a consumer."""
    session = opened(folder, segment_events=40, auto_register=rk.Instrument("any"))
    for number, (method, given) in enumerate(calls(3, 125, 0.02)):
        answer(session, method, given)
        if number == 20:
            session.set_limits({"rate.limit": 1, "size.limit": 4}, who="Ann", why="a smaller book", ts=session.latest)
        if number == 60:
            session.halt("A1", who="Ben", why="wrong prices")
            session.restart("A1", who="Ben", why="right again")
        if number % 5 == 4:
            session.process_price(ts=session.latest, instrument=f"new {number // 50}", price=3)
            session.commit({"offset": number})
    leave(session)
    last = max(folder.glob("*.events"))
    last.write_bytes(last.read_bytes()[:-100])


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(FOLDER, tmp_path / "journal"))


def test_its_journal_is_read(folder):
    journal = rk.open_journal(folder)
    assert (len(journal.log), journal.digest) == (COUNT, DIGEST)
    again = rk.replay_log(journal.log, journal.history, journal.mode, **journal.options, compiled=False)
    assert again.digest == DIGEST
    assert [(change.who, change.why) for change in journal.history.changes] == [("Ann", "a smaller book")]
    assert "new 1" in journal.log.universe.instrument_codes


@pytest.mark.lengthy
def test_its_session_goes_on(folder):
    session = opened(folder, segment_events=40, auto_register=rk.Instrument("any"))
    assert (len(session), session.digest, session.notes) == (COUNT, DIGEST, {"offset": 119})
    assert session.rules != RULES and session.history.first == RULES
    assert str(session.answer_of("o25")[0]).startswith("REJECT A0: the order is refused by size")
    answer_before = session.answer_of("o25")
    for method, given in calls(4, 60):
        answer(session, method, {**given, "ts": session.latest + 1} if "ts" in given else given)
    assert session.answer_of("o25") == answer_before
    assert (
        len(session) > COUNT + 20
        and session.digest == rk.replay_log(session.log(), session.history, compiled=False).digest
    )
    session.close()
    assert rk.open_journal(folder).digest == session.digest
