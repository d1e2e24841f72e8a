"""A journal read piece by piece, in whatever state its files are, has each event once, and its labels and rules."""

import random

import numpy as np
import pytest
from journal_events import RULES, open_new, opened, submit

import riskkit as rk
from riskkit._check import InputError
from riskkit.replay.live import journal_tail, open_journal
from riskkit.replay.live.journal_folder import EVENTS, STATE, file_of, firsts
from riskkit.replay.live.journal_tail import JournalTail, journal_end


def read_all(tail):
    return list(iter(tail.read, None))


def check(folder, tail, pieces, start=0):
    """The pieces are the journal from an event on."""
    journal = rk.open_journal(folder)
    assert [piece.first for piece in pieces] == [start, *(piece.stop for piece in pieces)][:-1]
    assert (tail.universe, tail.history, tail.mode, tail.options) == (
        journal.log.universe,
        journal.history,
        journal.mode,
        journal.options,
    )
    for name, column in journal.log.columns.items():
        assert np.array_equal(np.concatenate([piece.columns[name] for piece in pieces]), column[start:]), name
    expected = journal.rows[journal.rows["seq"] >= start]
    assert np.concatenate([piece.rows for piece in pieces]).tobytes() == expected.tobytes()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_pieces_read_at_any_moment_are_the_journal(tmp_path, seed):
    rnd = random.Random(seed)
    session = open_new(tmp_path)
    tail, pieces = JournalTail(tmp_path), []
    for part in range(6):
        submit(session, rnd.choice([1, 7, 60, 120]), seed=10 * seed + part)
        session.commit()
        if rnd.random() < 0.3:  # a new process, with or without its end
            session.close()
            session = opened(tmp_path)
        if rnd.random() < 0.6:
            pieces += read_all(tail)
    session.close()
    pieces += read_all(tail)
    check(tmp_path, tail, pieces)
    assert tail.read() is None
    assert tail.next == journal_end(tmp_path)


@pytest.mark.parametrize("kind", [EVENTS, STATE])
def test_a_file_that_goes_between_its_listing_and_its_reading_has_a_successor(tmp_path, monkeypatch, kind):
    session = open_new(tmp_path)
    submit(session, 60)
    session.commit()
    tail, listed = JournalTail(tmp_path), firsts(tmp_path, kind)
    pieces = read_all(tail)
    submit(session, 300, seed=1)
    session.close()
    assert not set(listed) <= set(firsts(tmp_path, kind))
    late = [listed]
    monkeypatch.setattr(
        journal_tail, "firsts", lambda folder, of: late.pop() if late and of == kind else firsts(folder, of)
    )
    pieces += read_all(tail)
    check(tmp_path, tail, pieces)
    assert not late


def test_a_journal_whose_files_are_replaced_while_it_is_opened_is_read_anew(tmp_path, monkeypatch):
    session = open_new(tmp_path)
    submit(session, 60)
    session.commit()
    late = [firsts(tmp_path, STATE)]
    submit(session, 300, seed=1)
    session.close()
    expected = rk.open_journal(tmp_path)
    monkeypatch.setattr(open_journal, "firsts", lambda folder, of: late.pop() if late else firsts(folder, of))
    assert rk.open_journal(tmp_path).digest == expected.digest and not late


def test_a_tail_begins_at_any_event(tmp_path):
    session = open_new(tmp_path)
    submit(session, 220)
    session.commit()
    for start in (0, 1, 49, 50, 51, 180, len(session) - 1):
        tail = JournalTail(tmp_path, start)
        check(tmp_path, tail, read_all(tail), start)
    assert JournalTail(tmp_path, len(session)).read() is None
    session.close()


def test_ids_of_orders_and_fills_come_with_their_events(tmp_path):
    with open_new(tmp_path, segment_events=1_000) as session:
        submit(session, 100)
        session.commit()
        piece = JournalTail(tmp_path).read()
    orders = np.flatnonzero(piece.columns["kind"] == 0)
    assert [tuple(order) for order in piece.orders] == [(row, f"o{row}") for row in orders.tolist()]
    codes = dict(map(reversed, piece.trades))
    fills = np.flatnonzero(piece.columns["kind"] == 3)
    assert [codes[code] for code in piece.columns["trade_id"][fills].tolist()] == [
        f"t{row - 1}" for row in fills.tolist()
    ]


def test_a_torn_end_is_left_until_it_is_whole(tmp_path):
    session = open_new(tmp_path)
    submit(session, 20)
    session.commit()
    log = file_of(tmp_path, firsts(tmp_path, EVENTS)[-1], EVENTS)
    before = log.read_bytes()
    submit(session, 10, seed=1)
    session.commit()
    whole = log.read_bytes()
    log.write_bytes(whole[: (len(before) + len(whole)) // 2])
    tail = JournalTail(tmp_path)
    pieces = [tail.read()]
    assert tail.read() is None
    log.write_bytes(whole)
    pieces += read_all(tail)
    check(tmp_path, tail, pieces)
    session.close()


def test_an_altered_file_and_other_rules_are_refused(tmp_path):
    with pytest.raises(InputError, match="is not the folder of a session"):
        JournalTail(tmp_path)
    with open_new(tmp_path / "a", segment_events=1_000) as session:
        submit(session, 200)
        session.commit()
        submit(session, 50)
        session.commit()
        submit(session, 50)
        session.commit()
        with pytest.raises(InputError, match="the journal is of other rules"):
            JournalTail(tmp_path / "a", rules=rk.RuleSet([RULES[0]]))
        log = file_of(tmp_path / "a", 0, EVENTS)
        data = bytearray(log.read_bytes())
        data[100] ^= 1
        log.write_bytes(data)
        with pytest.raises(InputError, match="is altered at byte 0"):
            JournalTail(tmp_path / "a").read()
