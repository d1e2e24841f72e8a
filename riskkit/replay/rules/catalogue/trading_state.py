"""Trading state: what a person has said of an account, ACTIVE, REDUCING or HALTED.

Unit: none. Source: NautilusTrader's trading states. HALTED stops every order and modify, REDUCING those that do not
only reduce; cancels always pass. A command says which it is, and ACTIVE lifts it.
"""

from __future__ import annotations

from typing import NamedTuple

from riskkit.replay.rules.rule import OBJECT, PASS, Measure, RuleType, Verdict, register
from riskkit.replay.schema.columns import TradingCommand

REDUCING = int(TradingCommand.REDUCING)
HALTED = int(TradingCommand.HALTED)


class TradingState(NamedTuple):
    """Carry out the commands REDUCING and HALTED.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("trading_state", TradingState()))
    trading_state: nothing but cancels while halted, nothing but what reduces while reducing, for each account;
    what breaches it is refused (WARN).
    """


def check(book, reducing):
    """Look at the account's state."""
    state = book.account.state
    stopped = state == HALTED or (state == REDUCING and reducing == 0)
    return Verdict(OBJECT if stopped else PASS, state, 0)


TRADING_STATE = register(
    RuleType(
        name="trading_state",
        parameters=TradingState,
        check=check,
        pauses=None,
        observes=Measure.NOTHING,
        sentence="nothing but cancels while halted, nothing but what reduces while reducing",
    )
)
