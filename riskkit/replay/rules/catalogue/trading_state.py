"""Trading state of an account, set by command: ACTIVE, REDUCING or HALTED.

Unit: none. Source: NautilusTrader's trading states. HALTED stops every order and modify, REDUCING those that do not
only reduce, ACTIVE none; cancels always pass.
"""

from __future__ import annotations

from typing import NamedTuple

from riskkit.replay.kernels.book import Book
from riskkit.replay.rules.evidence import Need
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Measure, Verdict
from riskkit.replay.schema.columns import TradingCommand

REDUCING = int(TradingCommand.REDUCING)
HALTED = int(TradingCommand.HALTED)


class TradingState(NamedTuple):
    """Enforce the commands REDUCING and HALTED.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("trading_state", TradingState()))
    trading_state: only cancels while trading is halted, only orders that reduce a position while it is
    reducing, for each account. Orders and modifications that would breach it are rejected (severity WARN).
    """


def check(book: Book, reducing: int) -> Verdict:
    """Refuse orders by the account's state."""
    state = book.account.state
    stopped = state == HALTED or (state == REDUCING and reducing == 0)
    return Verdict(OBJECT if stopped else PASS, state, 0)


TRADING_STATE = register(
    RuleType(
        name="trading_state",
        parameters=TradingState,
        check=check,
        scopes=("account",),  # a command is for accounts
        may_pause=None,
        observes=Measure.NOTHING,
        evidence=(Need(("CONTROL",)),),
        sentence="only cancels while trading is halted, only orders that reduce a position while it is reducing",
    )
)
