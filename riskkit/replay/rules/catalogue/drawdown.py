"""Drawdown limit: fall of the profit of an account or a group of accounts from its start or its highest point.

Unit: money, or fraction of the equity at that point (with the present deposits), where an equity is known: from opening
cash or positions, a deposit, or an EQUITY event. Exactly the limit passes. Source: QuantConnect Lean's maximum drawdown
of a portfolio (static and trailing).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.book import Book, paid_in, profit
from riskkit.replay.kernels.integers import exceeds_fraction
from riskkit.replay.kernels.records import Record
from riskkit.replay.rules.parameters import Breach, ComparedLimit, Flag, Limit, Money, Proportion, at_most
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, CapVerdict
from riskkit.replay.schema.columns import EventKind
from riskkit.replay.schema.constants import LARGEST

WITHIN, FRACTION, MONEY = -1, 0, 1  # index of the limit in `observes`


class DrawdownLimit(NamedTuple):
    """Profit falls by at most the fraction `pct` of the equity, and at most `money`, from its base.

    Parameters
    ----------
    pct
        Largest fall, as a fraction of the equity at the base.
    money
        Largest fall in money.
    trailing
        True: the base is the highest profit so far; False: that at the start.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("drawdown", DrawdownLimit(pct="0.1")))
    drawdown: a fall in equity of at most 10 % from its highest point, for each account. After a breach, the
    account is paused until a person resets it: only cancels and orders that reduce a position are accepted
    (severity WARN).
    """

    pct: Limit[Proportion] = None
    money: ComparedLimit[Money] = None
    trailing: Flag = True
    breach: Breach = "exceed"


def highest(state: Record, params: Any, account: Record) -> int:
    """Profit from which the fall is measured."""
    return max(state.peak, profit(account)) if params.trailing != 0 else state.peak


def base_now(state: Record, params: Any, account: Record) -> int:
    """Equity at that profit with the present deposits; 0 while no equity is known."""
    if state.known == 0 and paid_in(account) == 0:
        return 0
    return max(highest(state, params, account) + paid_in(account), 0)


def over(state: Record, params: Any, account: Record) -> int:
    """The limit that the fall breaches: FRACTION, MONEY, or WITHIN for none."""
    base = base_now(state, params, account)
    fall = highest(state, params, account) - profit(account)
    reached = params.breach
    if params.pct < LARGEST and base > 0 and exceeds_fraction(fall, params.pct, base, reached):
        return FRACTION
    return MONEY if fall > params.money or (reached != 0 and fall == params.money) else WITHIN


def check(state: Record, params: Any, book: Book) -> CapVerdict:
    """Compare the present fall with the limit."""
    account = book.account
    breached = over(state, params, account)
    limit, cap = (params.money, MONEY) if params.money < LARGEST else (params.pct, FRACTION)
    if breached != WITHIN:
        cap = breached
    fall = highest(state, params, account) - profit(account)
    return CapVerdict(PASS if breached == WITHIN else OBJECT, fall, limit, cap, base_now(state, params, account))


def update(state: Record, params: Any, book: Book) -> int:
    """Update the highest profit; trip if the fall breaches a limit."""
    account = book.account
    trips = 1 if over(state, params, account) != WITHIN else 0
    state.peak = highest(state, params, account)
    if paid_in(account) != 0:
        state.known = 1
    return trips


def reset(state: Record, book: Book) -> None:
    """Measure from the present profit."""
    state.peak = profit(book.account)


def not_bounding(rule: Any) -> str:
    """Reason why the limit does not bound the losses; empty if it does."""
    return "its pause can end and takes a new base" if rule.action != "REJECT" and rule.hold_ns() != "reset" else ""


def sentence(params: DrawdownLimit) -> str:
    """The limit in words."""
    caps = []
    if params.pct is not None:
        caps.append(f"{float(params.pct) * 100:g} %")
    if params.money is not None:
        caps.append(f"{params.money} in money")
    bound = at_most(params)
    since = "its highest point" if params.trailing else "its start"
    return f"a fall in equity of {bound} {' and '.join(caps)} from {since}"


DRAWDOWN = register(
    RuleType(
        name="drawdown",
        parameters=DrawdownLimit,
        state=("peak", "known"),
        check=check,
        converted=check,
        update=update,
        reset=reset,
        updates_on=frozenset({EventKind.MARK}),
        reads=frozenset({"profit"}),
        of_equity=frozenset({"pct"}),
        action="PAUSE",
        checked_by_pause=True,
        exempt_reducing=True,
        requires=frozenset({"marks"}),
        observes=("pct", "money"),
        standing=True,
        bounds="losses",
        not_bounding=not_bounding,
        desk_limit="max_drawdown",
        looks_at=frozenset({"positions", "cash"}),
        one_of=("pct", "money"),
        sentence=sentence,
    )
)
