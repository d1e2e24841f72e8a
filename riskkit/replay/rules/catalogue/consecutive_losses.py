"""Consecutive losing trades.

Unit: trades. Source: the usual stop after a losing streak. A win resets the run, a trade of exactly zero changes
nothing; the rule trips at the limit.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit._docs import counted
from riskkit.replay.kernels.book import Book
from riskkit.replay.kernels.records import Record
from riskkit.replay.rules.evidence import Need
from riskkit.replay.rules.parameters import Breach, Count, Limit, at_most, choice
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Verdict
from riskkit.replay.schema.columns import EventKind, EventRow

TRADE = int(EventKind.TRADE)
CLOSED_TRADES = 0
BOTH = 2


class ConsecutiveLosses(NamedTuple):
    """Fewer than `limit` losing trades in a row (``breach="exceed"``: at most).

    Parameters
    ----------
    of
        Trades counted: closed trades of the log, fills that realise profit or loss before their fees, or both.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("consecutive_losses", ConsecutiveLosses(limit=5)))
    consecutive_losses: fewer than 5 losing closed trades in a row, for each account. After a breach, the
    account is paused until a person resets it: only cancels and orders that reduce a position are accepted
    (severity WARN).
    """

    limit: Limit[Count]
    of: choice("closed_trades", "closing_fills", "both") = "closed_trades"
    breach: Breach = "reach"


def check(state: Record, params: Any) -> Verdict:
    """Compare the run with the limit."""
    return Verdict(OBJECT if state.run > params.limit else PASS, state.run, params.limit)


def update(state: Record, params: Any, book: Book, event: EventRow) -> int:
    """Lengthen or end the run; trip if it is too long."""
    is_trade = event.kind == TRADE
    if params.of != BOTH and is_trade != (params.of == CLOSED_TRADES):
        return 0
    if book.realised > 0:
        state.run = 0
    elif book.realised < 0:
        state.run += 1
        return 1 if state.run > params.limit else 0
    return 0


def reset(state: Record) -> None:
    """Restart the run."""
    state.run = 0


def sentence(params: ConsecutiveLosses) -> str:
    """The limit in words."""
    bound = at_most(params, "fewer than")
    trade = {"closed_trades": "closed trade", "closing_fills": "closing fill", "both": "trade"}[params.of]
    before = "" if params.of == "closed_trades" else " (fills judged before fees)"
    return f"{bound} {counted(params.limit, f'losing {trade}')} in a row{before}"


def evidence(rule: Any) -> tuple[Need, ...]:
    """What the rule counts."""
    kinds = {"closed_trades": ("TRADE",), "closing_fills": ("FILL",), "both": ("TRADE", "FILL")}[rule.parameters.of]
    return (Need(kinds, 'count fills with of="closing_fills"' if kinds == ("TRADE",) else ""),)


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
        evidence=evidence,
        looks_at=frozenset({"positions"}),
        sentence=sentence,
    )
)
