"""Losses in a row: how many closed trades may lose one after the other.

Unit: trades. Source: the usual stop after a losing streak. A win sets the run to zero, a trade of exactly zero changes
nothing; reached is tripped.
"""

from __future__ import annotations

from typing import NamedTuple

from riskkit.replay.rules.parameters import Breach, Count, Limit, choice
from riskkit.replay.rules.rule import OBJECT, PASS, RuleType, Verdict, register
from riskkit.replay.schema.columns import EventKind

TRADE = int(EventKind.TRADE)
CLOSED_TRADES = 0
BOTH = 2


class ConsecutiveLosses(NamedTuple):
    """Fewer than `limit` losing trades in a row (``breach="exceed"``: at most).

    ``of`` says what a trade is: a closed trade that the log gives, a fill that realises profit or loss, or both.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("consecutive_losses", ConsecutiveLosses(limit=5)))
    consecutive_losses: fewer than 5 losing closed trades in a row, for each account; at a breach the account is
    paused: only orders that reduce a position and cancels pass, until a person resets it (WARN).
    """

    limit: Limit[Count]
    of: choice("closed_trades", "closing_fills", "both") = "closed_trades"
    breach: Breach = "reach"


def check(state, params):
    """Hold the run against the limit."""
    return Verdict(OBJECT if state.run > params.limit else PASS, state.run, params.limit)


def update(state, params, book, event):
    """Lengthen or end the run; trip where it is too long."""
    given = event.kind == TRADE
    if params.of != BOTH and given != (params.of == CLOSED_TRADES):
        return 0
    if book.realised > 0:
        state.run = 0
    elif book.realised < 0:
        state.run += 1
        return 1 if state.run > params.limit else 0
    return 0


def reset(state):
    """Start the run anew."""
    state.run = 0


def sentence(params: ConsecutiveLosses) -> str:
    """What it limits, in words."""
    most = "fewer than" if params.breach == "reach" else "at most"
    what = {"closed_trades": "closed trades", "closing_fills": "closing fills", "both": "trades"}[params.of]
    return f"{most} {params.limit:,} losing {what} in a row"


CONSECUTIVE_LOSSES = register(
    RuleType(
        name="consecutive_losses",
        parameters=ConsecutiveLosses,
        state=("run",),
        check=check,
        update=update,
        reset=reset,
        updates_on=frozenset({EventKind.TRADE, EventKind.FILL}),
        action="PAUSE",
        checked_by_pause=True,
        exempt_reducing=True,
        observes="limit",
        standing=True,
        sentence=sentence,
    )
)
