"""The books after the last event, with positions at their last mark."""

from __future__ import annotations

from riskkit.replay.engine.state import State
from riskkit.replay.kernels.book import mark
from riskkit.replay.kernels.records import Records
from riskkit.replay.schema.columns import MISSING


def valued(state: State) -> State:
    """A copy of the books with positions at their last mark."""
    state = state.copy()
    accounts, instruments = Records(state.accounts, 1), Records(state.instruments, 1)
    for position in Records(state.positions, 1):
        if position.qty != 0 and instruments[position.instrument].mark != MISSING:
            mark(position, accounts[position.account], instruments[position.instrument])
    return state
