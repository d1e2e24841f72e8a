"""The journal of a session in a notebook: the same events, rules and decisions, while the session goes on."""

from __future__ import annotations

import pytest
from label_calls import answer, calls
from replay.live.test_journaled_session import RULES, opened
from streams import universe

import riskkit as rk
from riskkit import InputError
from riskkit.replay.live.journal_folder import COLUMNS, DECISIONS, file_of


def test_it_is_what_the_session_has_decided_at_any_moment(tmp_path):
    session = opened(tmp_path, durability="group", auto_register=rk.Instrument("any"))
    for number, (method, given) in enumerate(calls(8, 90)):
        answer(session, method, given)
        if number % 15 == 14:
            if number > 60:
                session.process_price(ts=given["ts"] + 1, instrument=f"new {number}", price=3)
            journal = rk.open_journal(tmp_path)
            assert journal.digest == session.digest
            assert len(journal.log) == len(session)
            assert journal.to_frame().equals(session.result().to_frame())
    session.close()
    journal = rk.open_journal(tmp_path)
    assert journal.rules == RULES
    assert journal.log.universe == session.universe
    again = rk.replay_log(journal.log, journal.rules, journal.mode, **journal.options, compiled=False)
    assert again.digest == journal.digest
    assert again.to_frame().equals(journal.to_frame())


def test_rules_of_ones_own_are_given_and_others_refused(tmp_path):
    session = opened(tmp_path)
    session.close()
    assert rk.open_journal(tmp_path, RULES).rules is RULES
    with pytest.raises(InputError, match="rules is another rule set than that of the journal"):
        rk.open_journal(tmp_path, rk.RuleSet([]))
    with pytest.raises(InputError, match="is not the folder of a session: it has no snapshot"):
        rk.open_journal(tmp_path / "none")


def test_a_journal_that_lacks_a_file_is_refused(tmp_path):
    session = opened(tmp_path, durability="group")
    for ts in range(60):
        session.process_price(ts=ts, instrument=universe().instruments[0].id, price=100)
    session.close()
    path = file_of(tmp_path, 16, DECISIONS)
    data = path.read_bytes()
    path.unlink()
    with pytest.raises(
        InputError, match="folder '.*': 000000000000016.decisions cannot be read as decisions: No such file"
    ):
        rk.open_journal(tmp_path)
    path.write_bytes(data)
    file_of(tmp_path, 16, COLUMNS).unlink()
    with pytest.raises(InputError, match="is incomplete: events 16 to 31 are missing"):
        rk.open_journal(tmp_path)
