"""`worst_case`: largest position, loss or turnover possible without breaching a limit."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from riskkit import plot as drawing
from riskkit._check import Amount, Duration, InputError, instance, one_of
from riskkit._excel import Exported
from riskkit._show import Row
from riskkit.replay.engine.compiler import Tier
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.results.result import ReplayResult
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.replay_log import Stage
from riskkit.replay.schema.columns import EventKind
from riskkit.replay.schema.durations import duration, duration_text
from riskkit.replay.schema.universe import Account, Universe, exact
from riskkit.replay.worst_case.limits import SPACE, Limits, Setting, read_limits
from riskkit.replay.worst_case.stream import INSTRUMENT, Plan, plans, stream_log
from riskkit.replay.worst_case.upper import Bound, allowed_loss, upper_bound

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

Objective = Literal["position", "loss", "turnover"]
CENT = Fraction(1, 100)


@dataclass(frozen=True, repr=False, eq=False)
class WorstCase(Exported):
    """Result of `worst_case`; money in units of the price, positions in lots.

    Parameters
    ----------
    objective : str
        Quantity maximised: position, loss or turnover, of all accounts together, losses positive.
    horizon : int
        Nanoseconds, both ends included.
    lower : float
        Value that the stream in `log` attains, measured by its replay.
    upper : float, optional
        Value that no stream exceeds; None if unbounded or not known.
    verdict : str
        tight (both bounds are equal), bounded, unbounded or not known.
    argument : str
        Proof of the upper bound, in words.
    rules : tuple of str
        Binding rules: those that the argument uses.
    not_read : mapping of str
        Rules that may bind but that the argument does not use, with the reason.
    unit : str
        Unit of both bounds.
    log : EventLog
        The stream.
    result : ReplayResult
        Its replay in enforce mode, which rejects nothing.

    Examples
    --------
    >>> from riskkit.rules import MaxOrderQty, OrderRate
    >>> from riskkit import Rule, RuleSet
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
    result: ReplayResult

    def _title(self) -> str:
        return f"Worst {self.objective} in {duration_text(self.horizon)} inside the limits: {self.verdict}"

    def _rows(self) -> Iterable[Row]:
        yield "lower bound (attained by a stream)", self.lower, self.unit
        upper = (self.verdict, "") if self.upper is None else (self.upper, self.unit)
        yield "upper bound (no stream exceeds it)", *upper
        yield "binding rules", ", ".join(self.rules) or "none", ""
        yield "orders of the stream", self.log.counts().get("ORDER", 0), "none rejected"
        yield "argument", "", self.argument
        for i, (name, why) in enumerate(self.not_read.items()):
            yield "" if i else "not used", name, why

    def to_frame(self) -> pd.DataFrame:
        """Fills of the stream: seconds since its start, account, side, qty, price, and cumulative results.

        ``position`` is the sum of the absolute positions of all accounts, ``turnover`` the money traded so far;
        ``loss`` is valued at the price of the row and excludes the last price move, which follows the last fill.
        """
        import pandas as pd

        columns, tick = self.log.columns, float(INSTRUMENT.tick)
        fills = np.flatnonzero(columns["kind"] == EventKind.FILL)
        side, qty = columns["side"][fills].astype(np.int64), columns["qty"][fills]
        price, account = columns["price"][fills] * tick, columns["account"][fills]
        by_account = account[:, None] == np.arange(len(self.log.universe.accounts))
        position = np.cumsum(by_account * (side * qty)[:, None], axis=0)
        paid = np.cumsum(side * qty * price)
        return pd.DataFrame(
            {
                "seconds": (columns["ts"][fills] - columns["ts"][0]) / 1e9,
                "account": [self.log.universe.accounts[code].id for code in account],
                "side": np.where(side > 0, "B", "S"),
                "qty": qty,
                "price": price,
                "position": np.abs(position).sum(axis=1),
                "turnover": np.cumsum(qty * price),
                "loss": paid - position.sum(axis=1) * price,
            },
            index=pd.Index(fills, name="seq"),
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the objective over the stream, and the upper bound if there is one."""
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
    horizon: Duration,
    capital: Amount,
    price_bound: Amount,
    *,
    objective: Objective = "loss",
    price: Amount = 100,
    accounts: int = 1,
    max_orders: int = 300,
    compiled: Tier = False,
) -> WorstCase:
    """Find the largest position, loss or turnover possible without breaching a limit: an example and a proven bound.

    Streams considered: one instrument, lot 1, tick 0.01; single limit orders at prices in the band, each filled at once
    at its own price; the market moves anywhere in the band at any time; accounts start flat; no fees, no orders in
    flight, no resets. Limit orders far from the market are excluded; a price collar enforces this.

    Parameters
    ----------
    rules : RuleSet
        The limits; a rule whose action is ALERT limits nothing.
    horizon : int or str
        Nanoseconds, or a text such as "1s" or "1d". Both ends are included, so the horizon can span a window's edge.
    capital : number
        Opening cash of each account, in money, at or above zero, in whole cents.
    price_bound : number
        Largest move from `price` over the horizon, up or down, as a fraction from 0 to below 1.
    objective : {"position", "loss", "turnover"}
        Quantity to maximise, of all accounts together: lots held long or short, money lost at marks since the start,
        or money traded.
    price : number
        Price at the start.
    accounts : int
        Number of accounts that send orders. A rule of scope ``account`` limits each, a ``global`` one all together.
    max_orders : int
        Maximum number of orders in the stream; if the limits allow more, the lower bound is not the largest one.
    compiled : bool or str
        As in `riskkit.replay_log`.

    Returns
    -------
    WorstCase
        Both bounds, the argument, the stream and its replay. ``verdict`` is unbounded if no rule limits the objective.

    Raises
    ------
    InputError
        If an argument is out of range, or the band contains no positive price.

    References
    ----------
    European Commission (2017), Delegated Regulation 2017/589 (RTS 6), Articles 15 and 17: the pre-trade and post-trade
    limits whose joint effect this measures.

    Examples
    --------
    >>> from riskkit.rules import DailyLoss, MaxOrderQty, PositionLimit
    >>> from riskkit import Rule, RuleSet
    >>> rules = RuleSet([Rule("held", PositionLimit(limit=100)), Rule("loss", DailyLoss(limit=1_000))])
    >>> found = worst_case(rules, 0, 100_000, "0.1")
    >>> found.upper, found.rules
    (4999.99, ('loss', 'held'))
    >>> worst_case(RuleSet([Rule("size", MaxOrderQty(limit=5))]), "1s", 0, "0.1").argument
    'unbounded: no rule limits loss'
    """
    instance(rules, RuleSet, "rules")
    one_of(objective, get_args(Objective), "objective")
    for name, count in (("accounts", accounts), ("max_orders", max_orders)):
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= 10_000:
            raise InputError(f"{name}={count!r} is not an integer from 1 to 10,000")
    at = _setting(duration(horizon, "horizon"), accounts, capital, price, price_bound)
    world = Universe((INSTRUMENT,), (Account("A1"),), {"USD": CENT})
    limits = read_limits(rules, world)
    bound = upper_bound(objective, limits, at)
    losses = [loss for read in limits.of("daily_loss", "drawdown") if (loss := allowed_loss(read, at)[0]) >= 0]
    lower, log, result = max(
        (_measured(objective, plan, rules, compiled) for plan in plans(objective, limits, at, losses, max_orders)),
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


def _setting(horizon: int, accounts: int, capital: Amount, price: Amount, price_bound: Amount) -> Setting:
    """Arguments with money and prices as integers, in cents."""
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


def _measured(objective: str, plan: Plan, rules: RuleSet, compiled: Tier) -> tuple[int, EventLog, ReplayResult]:
    """Objective of a plan, in lots or cents, without the orders that the rules reject."""
    removed: frozenset[str] = frozenset()
    names = [row[6] for row in plan.rows if row[1] == "order"]
    while True:
        log = stream_log(plan, removed)
        # samples keep the marks
        stage = Stage(
            log, rules, "enforce", orphans="clip", on_trip="leave", sample_ns=plan.at.horizon + 1, compiled=compiled
        )
        result = stage.replay(rules)
        rejected = set(result.rejections()["seq"].tolist())
        if not rejected:
            return _attained(objective, log, result), log, result
        rows = np.flatnonzero(log.columns["kind"] == EventKind.ORDER).tolist()
        sent = [name for name in names if name not in removed]
        removed |= {name for name, seq in zip(sent, rows, strict=True) if seq in rejected}


def _attained(objective: str, log: EventLog, result: ReplayResult) -> int:
    """Objective measured by the replay: position in lots, loss and turnover in cents."""
    if objective == "position":
        return round(float(result.positions()["qty"].abs().sum()))
    if objective == "loss":
        return round(-100 * float(result.accounts()["profit"].sum()))
    fills = log.columns["kind"] == EventKind.FILL
    return int((log.columns["qty"][fills] * log.columns["price"][fills]).sum())


def _verdict(objective: str, bound: Bound, limits: Limits, lower: int) -> tuple[str, str]:
    """Verdict and argument: a proof, the rules without a proof, or that no rule limits the objective."""
    if bound.value < math.inf:
        scale = 1 if objective == "position" else 100
        verdict = "tight" if lower == bound.value else "bounded"
        return verdict, f"{bound.words}. In total at most {bound.value / scale:,.10g}. Streams: {SPACE}."
    solvent = limits.solvent if objective != "loss" else {}
    if limits.unread or solvent or lower <= 0:
        names = [*limits.unread, *solvent.values()]
        reason = f"rules without a proof may limit it: {', '.join(names)}" if names else "no stream has any effect"
        return "not known", f"not known: {reason}"
    return "unbounded", f"unbounded: no rule limits {objective}"
