"""Drawdown limit: fall of an account's equity from its start or its highest point.

Unit: fraction of the base, or money. Exactly the limit passes. Source: QuantConnect Lean's maximum drawdown of
a portfolio (static and trailing); the base is the first equity above zero, adjusted for deposits and withdrawals.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.book import Book, equity
from riskkit.replay.kernels.integers import exceeds_fraction
from riskkit.replay.kernels.records import Record
from riskkit.replay.rules.parameters import Breach, ComparedLimit, Flag, Limit, Money, Part, at_most
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, CapVerdict
from riskkit.replay.schema.columns import EventKind
from riskkit.replay.schema.constants import LARGEST

WITHIN, FRACTION, MONEY = -1, 0, 1  # index of the limit in `observes`


class DrawdownLimit(NamedTuple):
    """Equity falls by at most the fraction `pct`, and at most `money`, from its base.

    ``trailing`` True: the base is the highest equity so far; False: the first one.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("drawdown", DrawdownLimit(pct="0.1")))
    drawdown: equity falls by at most 10 % from its highest point, for each account; from the event after a breach on
    the account is paused: only orders that reduce a position and cancels pass, until a person resets it (WARN).
    """

    pct: Limit[Part] = None
    money: ComparedLimit[Money] = None
    trailing: Flag = True
    breach: Breach = "exceed"


def base_now(state: Record, params: Any, account: Record) -> int:
    """Base at the present equity; 0 before the first equity above zero."""
    now = equity(account)
    if state.started == 0:
        return max(now, 0)
    base = state.base + account.net_deposits - state.flows
    return max(base, now) if params.trailing != 0 else base


def over(state: Record, params: Any, account: Record) -> int:
    """The limit that the fall breaches: FRACTION, MONEY, or WITHIN for none."""
    base = base_now(state, params, account)
    if base <= 0:
        return WITHIN
    fall = base - equity(account)
    reached = params.breach
    if params.pct < LARGEST and exceeds_fraction(fall, params.pct, base, reached):
        return FRACTION
    return MONEY if fall > params.money or (reached != 0 and fall == params.money) else WITHIN


def check(state: Record, params: Any, book: Book) -> CapVerdict:
    """Compare the present fall with the limit."""
    account = book.account
    base = base_now(state, params, account)
    breached = over(state, params, account)
    limit, cap = (params.money, MONEY) if params.money < LARGEST else (params.pct, FRACTION)
    if breached != WITHIN:
        cap = breached
    return CapVerdict(PASS if breached == WITHIN else OBJECT, base - equity(account), limit, cap, base)


def update(state: Record, params: Any, book: Book) -> int:
    """Update the base; trip if the fall breaches a limit."""
    account = book.account
    trips = 1 if over(state, params, account) != WITHIN else 0
    base = base_now(state, params, account)
    if state.started == 0 and base > 0:
        state.started = 1
    state.base = base
    state.flows = account.net_deposits
    return trips


def reset(state: Record, book: Book) -> None:
    """Take the present equity as the new base."""
    state.base = equity(book.account)
    state.flows = book.account.net_deposits
    state.started = 1 if state.base > 0 else 0


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
    return f"equity falls by {bound} {' and '.join(caps)} from {since}"


DRAWDOWN = register(
    RuleType(
        name="drawdown",
        parameters=DrawdownLimit,
        state=("base", "flows", "started"),
        check=check,
        update=update,
        reset=reset,
        updates_on=frozenset({EventKind.MARK}),
        scopes=("account",),
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
