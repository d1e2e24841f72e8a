"""The circuit breaker: it trips by itself on losses, open positions or errors, and resets by hand or with the day.

Unit: money, positions, errors in a row. A profit reduces the day's loss but never below zero, so the loss is the
fall from the day's best realised P&L. The order that would open one position too many is refused and trips it.
`CircuitBreaker` is the same breaker by itself, for a notebook cell, over the same functions.
"""

from __future__ import annotations

from typing import NamedTuple

from riskkit.replay.columns import Kind
from riskkit.replay.rule import OBJECT, PASS, Count, Hour, MoneyReached, RuleType, Verdict, Zone, register

__all__ = ["BREAKER", "Breaker", "CircuitBreaker"]

ORDER = int(Kind.ORDER)
FILL = int(Kind.FILL)
TRADE = int(Kind.TRADE)
ERROR = int(Kind.ERROR)
ACK = int(Kind.ACK)


class Breaker(NamedTuple):
    """Trips when the day's realised loss reaches `daily_loss`, when errors in a row reach `consecutive_errors`, and
    when an order would open a position beyond `open_positions`. What is not given does not trip.
    """

    daily_loss: MoneyReached = None
    open_positions: Count = None
    consecutive_errors: Count = None
    tz: Zone = "UTC"
    roll_hour: Hour = 0


def opens_too_many(state, params, book):
    """Whether an order in this position would open one beyond the limit."""
    return book.position.qty == 0 and state.open >= params.open_positions


def check(state, params, book, event):
    """Refuse the order that would open one position too many."""
    if event.kind == ORDER and opens_too_many(state, params, book):
        return Verdict(OBJECT, state.open + 1, params.open_positions)
    return Verdict(PASS, state.open, params.open_positions)


def record(state, params, book, event):
    """Keep the day's loss, the open positions and the run of errors; trip where one reaches its limit."""
    if event.kind == FILL or event.kind == TRADE:
        state.open += book.opened
        state.loss = max(state.loss - book.realised, 0)
        return 1 if state.loss > params.daily_loss else 0
    if event.kind == ERROR:
        state.errors += 1
        return 1 if state.errors >= params.consecutive_errors else 0
    if event.kind == ACK:
        state.errors = 0
    return 0


def turn(state):
    """Start the day without loss or errors."""
    state.loss = 0
    state.errors = 0


def sentence(params: Breaker) -> str:
    """What it limits, in words."""
    parts = []
    if params.daily_loss is not None:
        parts.append(f"the day's realised loss reaches {params.daily_loss}")
    if params.open_positions is not None:
        parts.append(f"an order would open more than {params.open_positions} positions")
    if params.consecutive_errors is not None:
        parts.append(f"{params.consecutive_errors} errors come in a row")
    return f"circuit breaker that trips when {' or '.join(parts) or 'told to'}"


BREAKER = register(
    RuleType(
        name="breaker",
        parameters=Breaker,
        state=("loss", "open", "errors"),
        check=check,
        record=record,
        turn=turn,
        reset=turn,
        judges=frozenset({Kind.ORDER}),
        watches=frozenset({Kind.FILL, Kind.TRADE, Kind.ERROR, Kind.ACK}),
        scopes=("account", "account_instrument", "account_product", "strategy", "desk", "firm", "global"),
        action="HALT",
        hold="session",
        sentence=sentence,
    )
)
