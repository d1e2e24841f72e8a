"""Consecutive order errors of an account.

Unit: errors. Source: sony/gobreaker. A success resets the run; the rule trips at the limit. After `open_ns` the pause
ends and the run restarts at zero; with 0 the reset is manual.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.records import Record
from riskkit.replay.rules.evidence import Need
from riskkit.replay.rules.parameters import Breach, Count, Duration, Limit, at_most
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Verdict
from riskkit.replay.schema.columns import EventKind, EventRow

ERROR = int(EventKind.ERROR)


class ConsecutiveErrors(NamedTuple):
    """Fewer than `limit` errors in a row (``breach="exceed"``: at most); a pause lasts `open_ns` (0: until a reset).

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("consecutive_errors", ConsecutiveErrors(limit=3)))
    consecutive_errors: fewer than 3 errors in a row, for each account; from the event after a breach on the account
    is paused: only orders that reduce a position and cancels pass, until a person resets it (WARN).
    """

    limit: Limit[Count]
    open_ns: Duration = 0
    breach: Breach = "reach"


def check(state: Record, params: Any) -> Verdict:
    """Compare the run with the limit."""
    return Verdict(OBJECT if state.run > params.limit else PASS, state.run, params.limit)


def update(state: Record, params: Any, event: EventRow) -> int:
    """Lengthen or end the run; trip if it is too long."""
    if event.kind != ERROR:
        state.run = 0
        return 0
    state.run += 1
    return 1 if state.run > params.limit else 0


def reset(state: Record) -> None:
    """Restart the run."""
    state.run = 0


CONSECUTIVE_ERRORS = register(
    RuleType(
        name="consecutive_errors",
        parameters=ConsecutiveErrors,
        state=("run",),
        check=check,
        update=update,
        reset=reset,
        updates_on=frozenset({EventKind.ERROR, EventKind.ACK}),
        action="PAUSE",
        hold="open_ns",
        checked_by_pause=True,
        exempt_reducing=True,
        observes="limit",
        standing=True,
        evidence=(Need(("ERROR",)),),
        sentence=lambda params: f"{at_most(params, 'fewer than')} {params.limit:,} errors in a row",
    )
)
