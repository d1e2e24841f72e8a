"""Messages of an incident under rules: which passed, which were refused and by what, which open or add to a position."""

from __future__ import annotations

import numpy as np

from riskkit.replay.results.booked import Moves, opening_lots
from riskkit.replay.results.halts import BY_HAND
from riskkit.replay.results.result import REFUSALS, ReplayResult
from riskkit.replay.schema.columns import Cause, DecisionCode

STOPPED = (*REFUSALS, DecisionCode.VANISH)
GONE = (*STOPPED, DecisionCode.ORPHAN, DecisionCode.DUP, DecisionCode.ERROR_TS)


def passed(result: ReplayResult) -> np.ndarray:
    """True for every event that is neither refused nor dropped; bool, shape (n_events,)."""
    remain = np.ones(len(result.log), bool)
    remain[result.rows["seq"][np.isin(result.rows["code"], GONE)]] = False
    return remain


def refusals(result: ReplayResult, messages: np.ndarray) -> np.ndarray:
    """Decision rows of these messages that were refused, or dropped with their parent."""
    rows = result.rows[np.isin(result.rows["code"], STOPPED)]
    return rows[np.isin(rows["seq"], messages)]


def adding(result: ReplayResult, moves: Moves, messages: np.ndarray) -> np.ndarray:
    """Flag the messages that open or add to the position that the fills before them have built."""
    columns = result.log.columns
    held = moves.before(opening_lots(result), columns["pair"][messages].astype(np.int64), messages)
    against = held * columns["side"][messages] < 0
    flags: np.ndarray = ~(against & (columns["qty"][messages] <= np.abs(held)))
    return flags


def rule_of(result: ReplayResult, refusal: np.void) -> str:
    """The rule that refused a message; of one dropped with its parent, the last that refused or tripped before."""
    cause = int(refusal["cause"])
    if refusal["code"] == DecisionCode.VANISH:
        earlier = result.rows[result.rows["seq"] <= refusal["seq"]]
        cause = int(earlier["cause"][earlier["cause"] != Cause.NO_RULE][-1])
    return BY_HAND if cause == Cause.COMMAND else result.rules[cause].id
