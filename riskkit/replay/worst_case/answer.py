"""`worst_case`: what could still happen with every limit kept."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit import plot as drawing
from riskkit._check import InputError, one_of
from riskkit._show import Row, Shown
from riskkit.replay.columns import Kind
from riskkit.replay.events import EventLog
from riskkit.replay.parameters import duration, duration_text
from riskkit.replay.result import Result
from riskkit.replay.ruleset import RuleSet
from riskkit.replay.run import replay_log
from riskkit.replay.universe import Account, Universe, exact
from riskkit.replay.worst_case.limits import SPACE, Limits, Setting, read_limits
from riskkit.replay.worst_case.stream import INSTRUMENT, Plan, plans, stream_log
from riskkit.replay.worst_case.upper import Bound, allowed_loss, upper_bound

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["WorstCase", "worst_case"]

OBJECTIVES = ("position", "loss", "turnover")
CENT = Fraction(1, 100)


@dataclass(frozen=True, repr=False, eq=False)
class WorstCase(Shown):
    """The answer of `worst_case`; money in units of the price, positions in lots.

    Parameters
    ----------
    objective : str
        What was made as large as possible: position, loss or turnover, of all accounts together, losses positive.
    horizon : int
        Nanoseconds, both ends included.
    lower : float
        What the stream in `log` does, measured by its replay.
    upper : float, optional
        What no stream can exceed; None where that is unbounded or not known.
    verdict : str
        tight (both bounds are equal), bounded, unbounded or not known.
    argument : str
        Why, in words.
    rules : tuple of str
        The rules that bind: those that the argument uses.
    not_read : mapping of str
        Rules that the argument does not use though they may bind too, and why.
    unit : str
        Of both bounds.
    log : EventLog
        The stream.
    result : Result
        Its replay in enforce mode: nothing is refused.

    Examples
    --------
    >>> from riskkit import MaxOrderQty, OrderRate, Rule, RuleSet
    >>> rules = RuleSet([Rule("rate", OrderRate(limit=3, window_ns="1s")), Rule("size", MaxOrderQty(limit=10))])
    >>> found = worst_case(rules, "1s", 10_000, 0.1, objective="position")
    >>> found.lower, found.upper, found.verdict
    (60.0, 60.0, 'tight')
    """

    objective: str
    horizon: int
    lower: float
    upper: float | None
    verdict: str
    argument: str
    rules: tuple[str, ...]
    not_read: dict[str, str]
    unit: str
    log: EventLog
    result: Result

    def _title(self) -> str:
        return f"Worst {self.objective} in {duration_text(self.horizon)} inside the limits: {self.verdict}"

    def _rows(self) -> Iterable[Row]:
        yield "lower bound (a stream does it)", self.lower, self.unit
        upper = (self.verdict, "") if self.upper is None else (self.upper, self.unit)
        yield "upper bound (no stream exceeds it)", *upper
        yield "binding rules", ", ".join(self.rules) or "none", ""
        yield "orders of the stream", self.log.counts().get("ORDER", 0), "none refused"
        for place, line in enumerate(textwrap.wrap(self.argument, 80)):
            yield "" if place else "why", "", line
        for place, (name, why) in enumerate(self.not_read.items()):
            yield "" if place else "not used", name, why

    def to_frame(self) -> pd.DataFrame:
        """The stream's fills: seconds since its begin, account, side, qty, price, and what they sum up to.

        ``position`` is the sum of the sizes of all accounts' positions and ``turnover`` the money traded so far;
        ``loss`` is valued at the price of the row, so the last fall of the market, after the last fill, is not in it.
        """
        import pandas as pd

        columns, tick = self.log.columns, float(INSTRUMENT.tick)
        fills = np.flatnonzero(columns["kind"] == Kind.FILL)
        side, qty = columns["side"][fills].astype(np.int64), columns["qty"][fills]
        price, who = columns["price"][fills] * tick, columns["account"][fills]
        held = np.cumsum((who[:, None] == np.arange(len(self.log.universe.accounts))) * (side * qty)[:, None], axis=0)
        paid = np.cumsum(side * qty * price)
        return pd.DataFrame(
            {
                "seconds": (columns["ts"][fills] - columns["ts"][0]) / 1e9,
                "account": [self.log.universe.accounts[code].id for code in who],
                "side": np.where(side > 0, "B", "S"),
                "qty": qty,
                "price": price,
                "position": np.abs(held).sum(axis=1),
                "turnover": np.cumsum(qty * price),
                "loss": paid - held.sum(axis=1) * price,
            },
            index=pd.Index(fills, name="seq"),
        )

    def plot(self, ax: Any = None) -> Any:
        """Draw how the harm grows over the stream, and the upper bound where there is one."""
        frame = self.to_frame()
        x = np.append(frame["seconds"].to_numpy(), self.horizon / 1e9)
        y = np.append(frame[self.objective].to_numpy(), self.lower)
        ax = drawing.axes(ax)
        ax.step(x, y, where="post", marker="o", ms=3, label="the stream, replayed")
        if self.upper is not None:
            ax.axhline(self.upper, color=drawing.WARM, ls="--", label="upper bound")
        ax.set_xlabel("seconds since the start")
        ax.set_ylabel(f"{self.objective}, {self.unit}")
        ax.set_ylim(bottom=min(0.0, float(y.min())))
        bound = self.verdict if self.upper is None else f"at most {self.upper:,.10g}"
        drawing.dress(
            ax, f"{self.objective} inside the limits: a stream reaches {self.lower:,.10g} {self.unit}; {bound}"
        )
        drawing.legend_below(ax)
        return ax


def worst_case(
    rules: RuleSet,
    horizon: Any,
    capital: Any,
    price_bound: Any,
    *,
    objective: str = "loss",
    price: Any = 100,
    accounts: int = 1,
    most_orders: int = 300,
    compiled: bool = False,
) -> WorstCase:
    """Find the most harm that orders can do without breaking a limit: a real stream, and a proof of what is beyond it.

    Which streams: one instrument, lot 1, tick 0.01; single limit orders at prices within the band, each filled at once
    at its own price; the market goes anywhere in the band, as often as it likes; accounts start flat; no fees, nothing
    in flight, nobody resets anything. A limit order far from the market is outside: a price collar keeps it so.

    Parameters
    ----------
    rules : RuleSet
        The limits; a rule whose action is ALERT limits nothing.
    horizon : int or str
        Nanoseconds, or a text such as "1s" or "1d". Both ends are included: a window's edge can lie in between.
    capital : number
        Opening cash of each account, in money, at or above zero, in whole cents.
    price_bound : number
        The most that the price moves from `price` over the horizon, up or down, as a fraction from 0 to below 1.
    objective : {"position", "loss", "turnover"}
        What is made as large as possible, of all accounts together: lots held long or short, money lost at marks since
        the begin, or money traded.
    price : number
        The price at the begin.
    accounts : int
        Accounts that the orders can come from. A rule of scope ``account`` holds for each, a ``global`` one for all.
    most_orders : int
        Orders of the stream at most; where limits allow more, the lower bound stays below what could be reached.
    compiled : bool
        Whether the replay is compiled; streams are short.

    Returns
    -------
    WorstCase
        Both bounds, the argument, the stream and its replay. ``verdict`` is unbounded where no rule limits it.

    Raises
    ------
    InputError
        Where an argument is out of range or the band has no price above zero.

    References
    ----------
    European Commission (2017), Delegated Regulation 2017/589 (RTS 6), Articles 15 and 17: the pre-trade and post-trade
    limits whose joint strength this measures.

    Examples
    --------
    >>> from riskkit import DailyLoss, MaxOrderQty, PositionLimit, Rule, RuleSet
    >>> rules = RuleSet([Rule("held", PositionLimit(limit=100)), Rule("loss", DailyLoss(limit=1_000))])
    >>> found = worst_case(rules, 0, 100_000, "0.1")
    >>> found.upper, found.rules
    (4999.99, ('loss', 'held'))
    >>> worst_case(RuleSet([Rule("size", MaxOrderQty(limit=5))]), "1s", 0, "0.1").argument
    'unbounded: no rule limits loss'
    """
    one_of(objective, OBJECTIVES, "objective")
    for name, count in (("accounts", accounts), ("most_orders", most_orders)):
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= 10_000:
            raise InputError(f"{name}={count!r} is not a whole number from 1 to 10,000")
    at = _setting(duration(horizon, "horizon"), accounts, capital, price, price_bound)
    world = Universe((INSTRUMENT,), (Account("A1"),), {"USD": CENT})
    limits = read_limits(rules, world)
    bound = upper_bound(objective, limits, at)
    losses = [spent for one in limits.of("daily_loss", "drawdown") if (spent := allowed_loss(one, at)[0]) >= 0]
    lower, log, result = max(
        (_measured(objective, plan, rules, compiled) for plan in plans(objective, limits, at, losses, most_orders)),
        key=lambda found: found[0],
    )
    verdict, argument = _verdict(objective, bound, limits, lower)
    unit = "lots" if objective == "position" else "money"
    scale = 1 if objective == "position" else 100
    return WorstCase(
        objective=objective,
        horizon=at.horizon,
        lower=lower / scale,
        upper=None if bound.value == math.inf else bound.value / scale,
        verdict=verdict,
        argument=argument,
        rules=tuple(dict.fromkeys(bound.rules)),
        not_read=limits.unread,
        unit=unit,
        log=log,
        result=result,
    )


def _setting(horizon: int, accounts: int, capital: Any, price: Any, price_bound: Any) -> Setting:
    """Money and prices as whole cents."""
    move, cash, start = exact(price_bound, "price_bound"), exact(capital, "capital"), exact(price, "price")
    if not 0 <= move < 1:
        raise InputError(f"price_bound={price_bound!r} is not a fraction from 0 to below 1")
    for name, given, value in (("capital", capital, cash), ("price", price, start)):
        if value < 0 or (value / CENT).denominator != 1:
            raise InputError(f"{name}={given!r} is not an amount at or above zero in whole cents")
    low, high = math.ceil(start * (1 - move) / CENT), math.floor(start * (1 + move) / CENT)
    if low < 1:
        raise InputError(f"price={price!r} is not above zero")
    return Setting(horizon, accounts, int(cash / CENT), int(start / CENT), low, high)


def _measured(objective: str, plan: Plan, rules: RuleSet, compiled: bool) -> tuple[int, EventLog, Result]:
    """The harm of a plan, in whole units, once the orders that the rules refuse are taken out of it."""
    without: frozenset[str] = frozenset()
    names = [row[6] for row in plan.rows if row[1] == "order"]
    while True:
        log = stream_log(plan, without)
        result = replay_log(log, rules, "enforce", sample_ns=plan.at.horizon + 1, compiled=compiled)  # keeps marks
        refused = set(result.refused()["seq"].tolist())
        if not refused:
            return _harm(objective, log, result), log, result
        rows = np.flatnonzero(log.columns["kind"] == Kind.ORDER).tolist()
        sent = [name for name in names if name not in without]
        without |= {name for name, seq in zip(sent, rows, strict=True) if seq in refused}


def _harm(objective: str, log: EventLog, result: Result) -> int:
    """What the replay measured: position in lots, loss and turnover in cents."""
    if objective == "position":
        return round(float(result.positions()["qty"].abs().sum()))
    if objective == "loss":
        return round(-100 * float(result.accounts()["profit"].sum()))
    fills = log.columns["kind"] == Kind.FILL
    return int((log.columns["qty"][fills] * log.columns["price"][fills]).sum())


def _verdict(objective: str, bound: Bound, limits: Limits, lower: int) -> tuple[str, str]:
    """The kind of answer, and the argument: a proof, what is missing for one, or that nothing limits it."""
    if bound.value < math.inf:
        scale = 1 if objective == "position" else 100
        equal = "tight" if lower == bound.value else "bounded"
        return equal, f"{bound.words}. In all at most {bound.value / scale:,.10g}. Streams: {SPACE}."
    solvent = limits.solvent if objective != "loss" else {}
    if limits.unread or solvent or lower <= 0:
        names = [*limits.unread, *solvent.values()]
        said = f"rules that no proof is known for may limit it: {', '.join(names)}" if names else "nothing can be done"
        return "not known", f"not known: {said}"
    return "unbounded", f"unbounded: no rule limits {objective}"
