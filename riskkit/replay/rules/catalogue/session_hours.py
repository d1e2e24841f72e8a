"""Hours of an exchange: orders only in its sessions, with its holidays and half days.

Unit: time. Source: the calendars of the package exchange_calendars (extra ``calendars``), from 1990 to 2039; holidays and early
closes as the exchanges publish them. An order at the open passes, one at the close does not; breaks at noon belong to the session.
Orders that only reduce are refused too; cancels pass. The version of the package is part of the rule set's hash.
"""

from __future__ import annotations

from typing import NamedTuple

from riskkit.replay.kernels.records import Record, Words
from riskkit.replay.rules.parameters import ExchangeCalendar
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Measure, Verdict
from riskkit.replay.schema.columns import EventRow
from riskkit.replay.schema.constants import NEVER
from riskkit.replay.schema.sessions import sessions_of
from riskkit.replay.schema.universe import GROUPS, Universe


class SessionHours(NamedTuple):
    """Orders and modifies only in the sessions of an exchange: from the open to before the close.

    Parameters
    ----------
    calendar
        Exchange whose sessions hold.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("hours", SessionHours(calendar="24/7")))
    hours: no order outside the sessions of 24/7, for each instrument. Orders and modifications that would breach
    it are rejected (severity WARN).
    """

    calendar: ExchangeCalendar


def table(params: SessionHours, universe: Universe) -> list[int]:
    """Opens and closes, then one that never comes."""
    return [*sessions_of(params.calendar), NEVER, NEVER]


def evict(state: Record, event: EventRow, memory: Words) -> None:
    """Go on to the session that is not over."""
    while event.ts >= memory[state.memory + state.place + 1] and memory[state.memory + state.place] != NEVER:
        state.place += 2


def check(state: Record, event: EventRow, memory: Words) -> Verdict:
    """Refuse what comes before the open of the session that is not over."""
    opens = memory[state.memory + state.place]
    return Verdict(OBJECT if event.ts < opens else PASS, event.ts, opens)


SESSION_HOURS = register(
    RuleType(
        name="session_hours",
        parameters=SessionHours,
        state=("place", "memory"),
        check=check,
        evict=evict,
        shared_workspace=table,
        scopes=("instrument", "product", "account", *GROUPS, "global"),
        may_pause=None,
        observes=Measure.TIME,
        bounds="nothing",
        sentence=lambda params: f"no order outside the sessions of {params.calendar}",
    )
)
