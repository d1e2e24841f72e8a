"""Commands of the trading desk: pause, resume, reset, kill."""

from __future__ import annotations

from riskkit.replay.engine.loop.books import gathered, owner_book, total_book
from riskkit.replay.engine.loop.records import look_up_owner, write_row
from riskkit.replay.engine.loop.variables import *
from riskkit.replay.engine.loop.working import stop_work
from riskkit.replay.kernels import book as ledger
from riskkit.replay.kernels import runtime
from riskkit.replay.kernels.records import at
from riskkit.replay.kernels.runtime import Counter
from riskkit.replay.schema.columns import MISSING, DecisionCode, TradingCommand


def on_control():
    """Execute a command for one account, a group of accounts, or (-1) for all."""
    global book, used
    target = log.account[i]
    for a in range(counts[Counter.ACCOUNTS]):
        if is_addressed(a):
            runtime.command(at(accounts, a), int64(log.side[i]))
    if shape.commands and log.side[i] == TradingCommand.KILL:
        used = cancel_commanded(used)
    if log.side[i] == TradingCommand.RESUME or log.side[i] == TradingCommand.RESET:
        for rule in shape.resettable:
            for key in range(rule.n_keys):
                rule.state = at(rule.states, key)
                if (
                    key == log.price[i]
                    if shape.commands and log.qty[i] == rule.group_number
                    else (not shape.commands or log.qty[i] == 0) and (target < 0 or rule.state.owner == target)
                ):
                    if rule.can_pause and rule.state.held_until > now:
                        write_row(rule.bit, 0, 0, now, key, rule.number, DecisionCode.RELEASE)
                    if rule.gathers and rule.has("reset"):
                        if gathered(rule, key, -1, MISSING) == 0:
                            rule.reset(book=total_book(rule))
                    else:
                        if "book" in rule.arguments("reset"):
                            book = owner_book(rule, key)
                        if rule.has("reset"):
                            rule.reset()
                    if rule.can_pause:
                        rule.state.held_until = 0


def is_addressed(account_id):
    """True if the command of the event is for an account."""
    return (
        runtime.addressed(at(accounts, account_id), account_id, int64(log.account[i]), log.qty[i], log.price[i])
        if shape.commands
        else log.account[i] < 0 or log.account[i] == account_id
    )


def cancel_commanded(used):
    """Cancel the working orders of the accounts of a command, as if by a cancel each; return the number of rows written.

    No rule counts these cancels. The rows are in the order in which the orders came.
    """
    global order, position
    first = used
    for slot in range(counts[Counter.SLOTS]):
        order = at(orders, slot)
        if order.status == runtime.WORKING and is_addressed(order.account):
            position = at(positions, order.pair)
            look_up_owner()
            write_row(0, order.row, ledger.rest_of(order), 0, order.account, runtime.COMMAND, DecisionCode.CANCELLED)
            stop_work()
            counts[Counter.CANCELLED] += 1
            if shape.answers:
                order.status = runtime.CANCELLED
    runtime.sort_rows(rows, first, used)
    return used
