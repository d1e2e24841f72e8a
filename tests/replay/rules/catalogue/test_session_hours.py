"""Hours of an exchange: its sessions, with holidays and half days, from the open to before the close."""

from __future__ import annotations

import sys

import pandas as pd
import pytest

import riskkit as rk
from riskkit import InputError, Rule, RuleSet
from riskkit.replay.schema.sessions import sessions_of
from riskkit.rules import SessionHours


def refused(time: str, shift_ns: int) -> bool:
    """Whether an order so many nanoseconds after a local time in New York is refused."""
    ts = pd.Timestamp(time, tz="America/New_York").value + shift_ns
    order = {"ts": [ts], "kind": "order", "account": "A", "instrument": "X", "side": "B", "qty": 1, "price": 10}
    log = rk.EventLog.from_frame(pd.DataFrame(order), [rk.Instrument("X")], unit="ns")
    return bool(len(rk.replay_log(log, RuleSet([Rule("hours", SessionHours("XNYS"))]), compiled=False).rejections()))


@pytest.mark.lengthy
@pytest.mark.parametrize(
    ("time", "said"),
    [
        ("2023-11-24 09:30", [True, False, False]),
        ("2023-11-24 13:00", [False, True, True]),  # the day after Thanksgiving
        ("2023-11-23 12:00", [True, True, True]),
        ("2023-11-27 16:00", [False, True, True]),
        ("2023-03-13 09:30", [True, False, False]),  # the clocks have gone forward
    ],
)
def test_just_before_at_and_just_after(time, said):
    pytest.importorskip("exchange_calendars")
    assert [refused(time, shift) for shift in (-1, 0, 1)] == said


@pytest.mark.lengthy
def test_the_version_of_the_calendars_is_in_the_hash(monkeypatch):
    calendars = pytest.importorskip("exchange_calendars")
    before = RuleSet([Rule("hours", SessionHours("XNYS"))]).hash
    monkeypatch.setattr(calendars, "__version__", "another")
    assert RuleSet([Rule("hours", SessionHours("XNYS"))]).hash != before


def test_a_calendar_that_is_not_there_is_refused(monkeypatch):
    sessions_of.cache_clear()  # another test may have asked for it
    monkeypatch.setitem(sys.modules, "exchange_calendars", None)
    with pytest.raises(InputError, match="^calendar='XLON' needs the package exchange_calendars; install riskkit"):
        Rule("hours", SessionHours("XLON"))


def test_a_name_that_is_no_calendar_is_refused():
    pytest.importorskip("exchange_calendars")
    with pytest.raises(InputError, match="^calendar='nope' is not a calendar of exchange_calendars; use the code of"):
        Rule("hours", SessionHours("nope"))
