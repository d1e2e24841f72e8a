"""Daily loss limit of an account, a group of accounts, a product or a strategy.

Unit: money. The loss is the fall of profit (without deposits and withdrawals) since the day turned: realised
plus unrealised at marks, or realised alone; it trips at the limit. Source: daily loss limits of brokers. The profit of a
desk or a firm is the sum over its accounts; that of an instrument, a product or a strategy is that of its fills, less
their fees, without what is paid to an account as a whole.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.book import Book, profit
from riskkit.replay.kernels.records import Record
from riskkit.replay.rules.evidence import Need
from riskkit.replay.rules.parameters import (
    Breach,
    Hour,
    Limit,
    Money,
    TimeZone,
    at_most,
    choice,
    day_text,
)
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Verdict
from riskkit.replay.schema.columns import EventKind

TOTAL = 0


class DailyLoss(NamedTuple):
    """The loss of a trading day stays below `limit` (``breach="exceed"``: at or below).

    Parameters
    ----------
    measure
        total: realised and unrealised at marks; realised: that of closing fills, less fees.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("daily_loss", DailyLoss(limit=10_000)))
    daily_loss: a loss (realised and unrealised) of less than 10,000 in a trading day from 00:00 UTC, for each
    account. After a breach, the account is paused until the next trading day (00:00 UTC): only cancels and
    orders that reduce a position are accepted (severity WARN).
    """

    limit: Limit[Money]
    measure: choice("total", "realised") = "total"
    tz: TimeZone = "UTC"
    roll_hour: Hour = 0
    breach: Breach = "reach"


def result(params: Any, account: Record) -> int:
    """Profit so far, by `measure`."""
    if params.measure == TOTAL:
        return profit(account)
    return account.realised + account.funding - account.fees


def check(state: Record, params: Any, book: Book) -> Verdict:
    """Compare the day's loss with the limit."""
    loss = state.base - result(params, book.account)
    return Verdict(OBJECT if loss > params.limit else PASS, loss, params.limit)


def update(state: Record, params: Any, book: Book) -> int:
    """Trip when the loss reaches the limit."""
    return 1 if state.base - result(params, book.account) > params.limit else 0


def on_new_day(state: Record, params: Any, book: Book) -> None:
    """Take the present profit as the day's base."""
    state.base = result(params, book.account)


def not_bounding(rule: Any) -> str:
    """Reason why the limit does not bound every day's loss; empty if it does."""
    if rule.parameters.tz != "UTC":
        return f"the length of a day in {rule.parameters.tz} changes"
    if rule.action != "REJECT" and not isinstance(rule.hold_ns(), str):
        return "its pause can end while the loss stands"
    return ""


def sentence(params: DailyLoss) -> str:
    """The limit in words."""
    loss = "loss (realised and unrealised)" if params.measure == "total" else "realised loss"
    return f"a {loss} of {at_most(params)} {params.limit} in a {day_text(params)}"


DAILY_LOSS = register(
    RuleType(
        name="daily_loss",
        parameters=DailyLoss,
        state=("base",),
        check=check,
        converted=check,
        update=update,
        on_new_day=on_new_day,
        updates_on=frozenset({EventKind.MARK}),
        reads=frozenset({"profit"}),
        action="PAUSE",
        hold="session",
        checked_by_pause=True,
        exempt_reducing=True,
        requires=frozenset({"marks"}),
        observes="limit",
        standing=True,
        bounds="losses",
        not_bounding=not_bounding,
        evidence=lambda rule: (
            Need(("position", "CASH", "EQUITY") if rule.parameters.measure == "total" else ("FILL", "CASH")),
        ),
        sentence=sentence,
    )
)
