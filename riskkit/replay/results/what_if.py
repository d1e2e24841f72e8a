"""Explain a refusal: re-run each rule at the state before the message, and find the quantity and time that would pass.

The log is replayed up to the message; then the message is checked again with another quantity or at a later time and
nothing else changed. So an answer is valid for one rule alone, if nothing else happens in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit._docs import with_article
from riskkit.replay.engine.compiler import ReplayLoop, Tier
from riskkit.replay.engine.groups import group_place
from riskkit.replay.engine.in_force import opening_state, parts_of, reach
from riskkit.replay.engine.order_columns import assign_slots, find_duplicates
from riskkit.replay.engine.samples import Samples
from riskkit.replay.engine.shape import Shape
from riskkit.replay.engine.state import COUNTED, State, calendars, opening
from riskkit.replay.kernels.runtime import ROW, Counter, Orphans, Rejects
from riskkit.replay.results.decisions import DecisionFormatter
from riskkit.replay.results.explain import unjudged
from riskkit.replay.results.present import NOTHING, Reading, present, time_text, verdict_of
from riskkit.replay.schema.columns import OPTIONAL, DecisionCode, EventKind, RowFlag
from riskkit.replay.schema.constants import DAY_NS, NEVER
from riskkit.replay.schema.scopes import key_of
from riskkit.replay.schema.universe import decimal_text

if TYPE_CHECKING:
    from riskkit.replay.results.result import ReplayResult

AHEAD_NS = 400 * DAY_NS  # search range of times that pass
WIDEST = 1 << 20  # search range of quantities, as a multiple
WHY = {
    int(DecisionCode.OBJECT): "a breach",
    int(DecisionCode.NO_PRICE): "no price is known",
    int(DecisionCode.HELD): "paused",
    int(DecisionCode.ALERTED): "an alert",
}
SAID = tuple(WHY)
BAD_LOTS = int(RowFlag.OFF_LOT | RowFlag.BAD_QTY | RowFlag.CLOSE_POSITION)
HIDDEN = ("memory", "matrix", "reals", "owner", "trips", "held_until")


@dataclass(frozen=True)
class Objection:
    """One rule that objected to a message.

    Parameters
    ----------
    rule, key : str
        Id of the rule, and key of its record.
    why : str
        A breach, a missing price, a pause, or an alert.
    reading : Reading
        Observed value, limit, headroom and their unit; also attributes of the objection.
    until : int, optional
        Time at which the pause ends by itself (nanoseconds since the epoch).
    state : dict
        State before the message: ``position``, ``open_buy_qty``, ``open_sell_qty`` in quantity, of the group for a rule
        of a group, else of the account; and the fields of the rule's record in the loop's integer units.
    next_quantity : str, optional
        The next smaller quantity (a multiple of the lot) that this rule would have passed, else the next larger one;
        None if there is none.
    next_ts : int, optional
        Earliest time at which the same message would have passed this rule, had nothing else happened; None if there is
        none within 400 days (one day for a rule with a covariance: every bar is closed).
    alerts : bool
        The rule alerts, and refuses nothing.
    size : {"quantity", "amount"}
        What `next_quantity` is: of credit an amount of money.
    """

    rule: str
    key: str
    why: str
    reading: Reading
    until: int | None
    state: dict[str, float]
    next_quantity: str | None
    next_ts: int | None
    alerts: bool = False
    size: str = "quantity"

    @property
    def observed(self) -> float | None:
        """The observed value."""
        return self.reading.observed

    @property
    def limit(self) -> float | None:
        """The limit."""
        return self.reading.limit

    @property
    def headroom(self) -> float | None:
        """The limit less the observed value."""
        return self.reading.headroom

    def __str__(self) -> str:
        reading = f" ({self.reading})" if str(self.reading) else ""
        until = f" until {time_text(self.until)}" if self.until is not None else ""
        time = None if self.next_ts is None else f"{time_text(self.next_ts)} on"
        return f"{self.rule} on {self.key}: {self.why}{reading}{until}; {self.instead(time)}"

    def instead(self, time: str | None) -> str:
        """What would have passed; `time` is that of `next_ts` in words."""
        size = with_article(self.size)
        ways = [f"{size} of {self.next_quantity}"] if self.next_quantity is not None else []
        ways += [f"the same from {time}"] if time is not None else []
        passes = " or ".join(ways) or f"no other {self.size} and no later time"
        return f"{passes} would have {'raised no alert' if self.alerts else 'been accepted'}"


class Explainer:
    """Re-runs the rules of a result; created by the engine of the result.

    Parameters
    ----------
    shapes : sequence of Shape
        Of the result's loops, one for each stretch of its history.
    tier : bool or str
        How they run, as `riskkit.replay.engine.tiers.tier_of` chose.
    """

    def __init__(self, shapes: Sequence[Shape], tier: Tier) -> None:
        self.shapes, self.tier = shapes, tier

    def __call__(self, result: ReplayResult, seq: int) -> tuple[Objection, ...]:
        """The objections to the message at `seq`, in the declared order of the rules."""
        rows = result.rows[(result.rows["seq"] == seq) & np.isin(result.rows["code"], SAID)]
        mask = int(np.bitwise_or.reduce(rows["mask"], initial=0))
        objecting = [k for k in range(len(result.rules)) if (mask >> k) & 1]
        if not objecting:
            return ()
        moment = Moment(result, self.shapes, self.tier, seq)
        return tuple(moment.objection(k) for k in objecting)

    def of_trip(self, result: ReplayResult, trip: np.void) -> Reading:
        """What the rule of a trip observes after the event that tripped it."""
        moment = Moment(result, self.shapes, self.tier, int(trip["seq"]))
        formatter = DecisionFormatter(moment.rules, result.log.universe)
        return formatter.probe(int(trip["cause"]), int(trip["key"]), moment.after(), moment.row)


class Moment:
    """The state before one message, and the verdicts of the rules on it."""

    def __init__(self, result: ReplayResult, shapes: Sequence[Shape], tier: Tier, seq: int) -> None:
        log, history = result.log, result.history
        self.seq, self.result = seq, result
        self.rules, self.shape = history.at(seq).rules, shapes[history.stretches.index(history.at(seq))]
        self.first, self.stop = _list_of(log.columns.get("batch"), seq)
        columns: dict[str, Any] = {name: column[: self.stop] for name, column in log.columns.items()}
        self.ts = int(columns["ts"][seq])
        self.latest = self.ts + (DAY_NS if self.shape.gauging else AHEAD_NS)
        for name in set(self.shape.columns) - set(columns):  # a live journal has no unused columns
            dtype, absent = OPTIONAL[name]
            columns[name] = np.full(self.stop, absent, dtype)
        for name in {"ts", "qty", "flags"} & set(columns):
            columns[name] = columns[name].copy()
        if self.shape.orders:
            columns["slots"], slots = assign_slots(log.columns, self.shape)
            columns["slots"] = columns["slots"][: self.stop].copy()
        if self.shape.duplicates:
            columns["prev_duplicate"] = find_duplicates(columns)
        found = calendars(history.versions(), int(columns["ts"][0]), self.latest)
        opened = opening(log.universe, log.pair_account, log.pair_instrument)
        state = opening_state(history, log.universe, opened, found, slots if self.shape.orders else 0)
        state.counts[Counter.ORPHAN_POLICY] = Orphans[result.options["orphans"].upper()]
        none = Samples.none(len(log.universe.accounts))
        parts = parts_of(history, shapes, log.universe, found, none, tier)
        part = reach(parts, state, columns, log.universe, self.first)
        self.fixed, self.loop = part.fixed, part.loop
        state.accounts["paused"] = 0  # the pause of a command belongs to no rule
        self.state, self.columns = state, columns
        self.plain = ReplayLoop(self.rules, self.shape, compiled=False)
        self.most = sum(map(len, state.rules)) + 8 + 2 * len(state.rules)
        self.row = {name: int(column[seq]) for name, column in columns.items()}
        self.quantity = self._quantity()
        self.lot, self.step = self._units()

    def _quantity(self) -> int:
        """Quantity of the message in steps; a modify may leave it unchanged."""
        if self.row["kind"] == EventKind.MODIFY and self.row["qty"] <= 0 and self.shape.orders:
            return int(self.state.orders["qty"][self.row["slots"] + 1])
        if self.row.get("flags", 0) & RowFlag.CLOSE_POSITION:
            return max(-self.row["side"] * int(self.state.positions["qty"][self.row["pair"] + 1]), 0)
        return self.row["qty"]

    def _units(self) -> tuple[int, Fraction]:
        """Steps in a lot of the quantity, and the size of a step: of credit both are units of money."""
        universe, code = self.result.log.universe, self.row["instrument"]
        if self.row["kind"] == EventKind.CREDIT:
            return 1, universe.quantum
        return int(self.state.instruments["lot"][code + 1]), universe.instruments[code].qty_step

    def after(self) -> State:
        """The state after the message, as the rules were set."""
        state = self.state.copy()
        for _ in self.loop.feed(state, self.columns, self.fixed, self.first, self.stop):
            pass
        return state

    # ------------------------------------------------------------------ checks

    def ask(self, k: int, quantity: int | None = None, ts: int | None = None) -> np.ndarray:
        """Decision rows of the message (none: it passes) if only rule k could stop it."""
        state, columns = self.state.copy(), self.columns
        span = slice(self.first, self.stop)
        columns["ts"][span] = self.ts if ts is None else ts
        columns["qty"][self.seq] = self.row["qty"] if quantity is None else quantity
        if "flags" in columns:
            columns["flags"][self.seq] = self.row["flags"] & (~BAD_LOTS if quantity is not None else -1)
        if self.shape.duplicates:
            columns["prev_duplicate"][span] = (
                find_duplicates(columns)[span] if quantity is not None else self._links(span)
            )
        fixed = dict(self.fixed)
        fixed["terms"] = [
            terms._replace(rejects=int(Rejects.BREACH if other == k else Rejects.NOTHING))
            for other, terms in enumerate(fixed["terms"])
        ]
        rows = np.zeros(2 * self.most + 8 + 8 * (self.seq + 1 - self.first), ROW)
        state.counts[Counter.ROOM] = self.most
        found = []
        at = self.first
        while at <= self.seq:
            self.plain.make_room(state)
            at, used = self.plain.run(at, self.seq + 1, *self.plain.arguments(state, columns, fixed, rows))
            found.append(rows[: int(used)].copy())
        written = np.concatenate(found)
        written = written[(written["seq"] == self.seq) & np.isin(written["code"], SAID)]
        return written[(written["mask"] >> k) & 1 == 1]

    def _links(self, span: slice) -> np.ndarray:
        if not hasattr(self, "_written"):
            self._written = find_duplicates(self.columns)[span]
        return self._written

    def objection(self, k: int) -> Objection:
        """The objection of rule k, in natural units."""
        result = self.result
        rule, formatter = self.rules[k], DecisionFormatter(self.rules, result.log.universe)
        reading, until = NOTHING, None
        why, alerts = "", False
        for row in self.ask(k)[:1]:
            alerts = bool(rule.action == "ALERT" or row["code"] == DecisionCode.ALERTED)
            why = WHY[int(DecisionCode.ALERTED if alerts else row["code"])]
            if row["code"] == DecisionCode.NO_PRICE:
                why = unjudged(rule, int(row["limit"]), result.log.universe)
            if row["code"] == DecisionCode.HELD:
                why = rule.pause_word
            if row["cause"] == k or int(row["mask"]) == 1 << k:  # of an alert on a cancel, no rule is the cause
                reading = present(rule, verdict_of(row), result.log.universe, self.row)
            until = int(row["until"]) if 0 < row["until"] < NEVER else None
        key = formatter.key_of_event(rule, self._named())
        found = self.next_quantity(k)
        quantity = None if found is None else decimal_text(found * self.step)
        size = "amount" if self.row["kind"] == EventKind.CREDIT else "quantity"
        return Objection(rule.id, key, why, reading, until, self._state_of(k), quantity, self.next_ts(k), alerts, size)

    def _named(self) -> dict[str, int]:
        """The message with the strategy and connection of its order."""
        found = {"strategy": -1, "connection": -1, **self.row}
        if found["kind"] == EventKind.MODIFY and self.shape.tags:
            for name in ("strategy", "connection"):
                found[name] = found[name] if found[name] >= 0 else int(self.state.orders[name][found["slots"] + 1])
        return found

    def _state_of(self, k: int) -> dict[str, float]:
        rule, state, group = self.rules[k], self.state, self.shape.rules[k].group
        key = key_of(rule.scope, self._named(), state)
        position = state.positions[self.row["pair"] + 1]
        if group is not None:
            place = group_place(group, key, self.row["pair"], self.row["instrument"], len(state.instruments) - 1)
            position = state.groups[group.table("positions")][place + 1]
        held = {"position": "qty"} | {name: name for name in ("open_buy_qty", "open_sell_qty") if self.shape.orders}
        traded = held.items() if self.row["instrument"] >= 0 else ()
        found = {name: float(int(position[field]) * self.step) for name, field in traded}
        record = state.rules[k][key + 1]
        own = [name.partition(":")[0] for name in rule.kind.state]
        names = [*own, *(name for name, need in COUNTED.items() if need in rule.kind.requires)]
        return found | {name: record[name].item() for name in names if name not in HIDDEN}

    # ------------------------------------------------------------------ quantities and times that pass

    def next_quantity(self, k: int) -> int | None:
        """Steps of the next smaller quantity that rule k passes, else of the next larger one."""
        lot = self.lot

        def passes(lots: int) -> bool:
            return not len(self.ask(k, quantity=lots * lot))

        below = -(-self.quantity // lot) - 1
        for lots in self._smaller(below, lot):
            if passes(lots):
                return lot * _boundary(passes, lots, below + 1)
        above = self.quantity // lot + 1
        wider = 1
        while wider <= WIDEST:
            if passes(above - 1 + wider):
                return lot * _boundary(passes, above - 1 + wider, above - 1 + wider // 2)
            wider *= 2
        return None

    def _smaller(self, below: int, lot: int) -> Iterator[int]:
        """Lots to try, from large to small: the next, its halves, the lots of the position, and 1."""
        held = abs(int(self.state.positions["qty"][self.row["pair"] + 1])) // lot
        tried = {below >> shift for shift in range(max(below, 1).bit_length())} | {held, 1}
        return iter(sorted((lots for lots in tried if 1 <= lots <= below), reverse=True))

    def next_ts(self, k: int) -> int | None:
        """Earliest time at which rule k passes the message."""

        def passes(ts: int) -> bool:
            return not len(self.ask(k, ts=ts))

        return _boundary(passes, self.latest, self.ts) if passes(self.latest) else None


def _list_of(batch: Any, seq: int) -> tuple[int, int]:
    """The rows of the message's list of orders, which is checked together; else its own row."""
    first, stop = seq, seq + 1
    if batch is not None and batch[seq] >= 0:
        while first > 0 and batch[first - 1] == batch[seq]:
            first -= 1
        while stop < len(batch) and batch[stop] == batch[seq]:
            stop += 1
    return first, stop


def _boundary(passes: Callable[[int], bool], good: int, bad: int) -> int:
    """The number nearest to `bad` that passes while its neighbour towards `bad` does not."""
    while abs(good - bad) > 1:
        middle = (good + bad) // 2
        if passes(middle):
            good = middle
        else:
            bad = middle
    return good
