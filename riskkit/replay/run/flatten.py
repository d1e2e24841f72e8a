"""Flattening after a trip: fills that the record does not have close the positions of the key that a rule has tripped.

The loop itself only stops orders. So the log is replayed, the fills that close the positions held at each trip are
inserted, and the log is replayed again, until the fills are those that the trips of the last replay ask for. A decision
depends on earlier events only, so each replay settles at least one fill more, and there is one end.

Assumptions: the fills have the prices that the record shows (`riskkit.replay.run.pace`) whatever their size, move no price
and cost no fee; no rule refuses them, and rules and books see them as any fill. A position is closed until its pause ends.
A later exit of the record is an orphan where nothing is left to exit.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from riskkit._check import InputError
from riskkit.replay.ingest.bounds import check_bounds
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.log.merge import merged, new_rows
from riskkit.replay.results.booked import booked_moves, opening_lots
from riskkit.replay.results.flattening import Flattening
from riskkit.replay.results.result import ReplayResult
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.pace import Market, PlainPace, Slot, in_words
from riskkit.replay.schema.columns import DecisionCode, EventKind, RowFlag
from riskkit.replay.schema.scopes import SCOPES, key_of

if TYPE_CHECKING:
    import pandas as pd


class Trip(NamedTuple):
    """A position at a trip: number of the rule, row of the trip, pair, lots held, and time at which the pause ends."""

    rule: int
    row: int
    pair: int
    held: int
    until: int


class Closing(NamedTuple):
    """A fill that closes a part of a position: row that it follows, pair, number of the trip, signed lots, and price."""

    row: int
    pair: int
    trip: int
    lots: int
    price: int


def refuse_unflattened(rules: RuleSet) -> None:
    """Refuse rules of which none trips, or one trips where no account has a whole position.

    Raises
    ------
    InputError
        With the rule and what fits.
    """
    if not any(rule.can_pause for rule in rules):
        raise InputError("on_trip='flatten' needs a rule that trips; give one the action PAUSE, HALT or REDUCE_ONLY")
    for rule in rules:
        if rule.can_pause and SCOPES[rule.scope].is_open:
            raise InputError(
                f"on_trip='flatten': rule {rule.id!r} trips {SCOPES[rule.scope].words}, and positions are of accounts; "
                "give it the scope account or account_instrument"
            )


def flattened(
    log: EventLog, pace: PlainPace, replay: Callable[[EventLog], ReplayResult], off: Collection[int] = ()
) -> ReplayResult:
    """Replay a log with the fills that its trips ask for; `replay` enforces the rules and cancels working orders.

    Trips of the rules whose number is in `off` close nothing.
    """
    market = Market(log, pace)
    result, origin, closings = replay(log), np.arange(len(log)), list[Closing]()
    while True:
        trips = [trip for trip in _trips(log, result, origin) if trip.rule not in off]
        asked, left = _closings(log, market, result, origin, trips)
        if asked == closings:
            break
        closings = asked
        with_fills, origin = _with_fills(log, closings)
        result = replay(with_fills)
    fills, costs = _described(log, market, result.rules, trips, closings)
    result.record, result.flattening = log, Flattening(in_words(pace), len(trips), left, fills, costs, origin)
    return result


# ---------------------------------------------------------------------- trips and what they close; rows are those of `log`


def _trips(log: EventLog, result: ReplayResult, origin: np.ndarray) -> Iterator[Trip]:
    """Every position at a trip; `origin` has the row in `log` of each row of the result, -1 for an inserted fill."""
    places = np.maximum.accumulate(origin)
    moves, opening, pairs = booked_moves(result), opening_lots(result), np.arange(len(log.pair_account))
    transitions = result.transitions()
    for row in transitions[transitions["code"] == DecisionCode.TRIP]:
        rule, seq = int(row["cause"]), int(row["seq"])
        freed = (transitions["code"] == DecisionCode.RELEASE) & (transitions["cause"] == rule)
        freed &= (transitions["key"] == row["key"]) & (transitions["seq"] > seq)
        released = log.columns["ts"][places[transitions["seq"][freed][:1]]].tolist()
        of_key = pairs[_keys(result, result.rules[rule].scope) == row["key"]]
        held = moves.before(opening, of_key, np.full(len(of_key), seq + 1))
        for pair, lots in zip(of_key.tolist(), held.tolist(), strict=True):
            if lots:
                yield Trip(rule, int(places[seq]), pair, lots, min([int(row["until"]), *released]))


def _keys(result: ReplayResult, scope: str) -> np.ndarray:
    """The key of every pair."""
    accounts, instruments = result.log.pair_account.tolist(), result.log.pair_instrument.tolist()
    events = zip(range(len(accounts)), accounts, instruments, strict=True)
    keys = [key_of(scope, {"pair": p, "account": a, "instrument": i}, result.state) for p, a, i in events]
    return np.array(keys, np.int64)


def _closings(
    log: EventLog, market: Market, result: ReplayResult, origin: np.ndarray, trips: list[Trip]
) -> tuple[list[Closing], int]:
    """The fills that the trips ask for, in the order of the log, and the number of positions that stay."""
    moves, opening = booked_moves(result), opening_lots(result)
    recorded = origin[moves.rows] >= 0
    found: list[Closing] = []
    left = 0
    for pair in sorted({trip.pair for trip in trips}):
        mine = recorded & (moves.pairs == pair)
        path = np.concatenate([[0], np.cumsum(moves.lots[mine])]) + opening[pair]
        waiting = {
            number: _slots(log, market, trip) for number, trip in enumerate(trips) if trip.pair == pair
        }  # fmt: skip
        of_pair, stay = _of_pair(pair, trips, waiting, origin[moves.rows[mine]], path)
        found += of_pair
        left += stay
    return sorted(found), left


def _slots(log: EventLog, market: Market, trip: Trip) -> Iterator[Slot]:
    """The slots of a trip until its pause ends."""
    account, instrument = int(log.pair_account[trip.pair]), int(log.pair_instrument[trip.pair])
    for slot in market.slots(trip.row, account, instrument, abs(trip.held)):
        if log.columns["ts"][slot.row] >= trip.until:
            return
        yield slot


def _of_pair(
    pair: int, trips: list[Trip], waiting: dict[int, Iterator[Slot]], rows: np.ndarray, path: np.ndarray
) -> tuple[list[Closing], int]:
    """The fills of one pair, and the number of its trips whose position stays.

    `rows` and `path` are the rows of its recorded moves and its position before and after each. Of two trips with a slot
    at one row the earlier one closes first.
    """
    found: list[Closing] = []
    slots = {number: slot for number, following in waiting.items() if (slot := next(following, None))}
    taken, moved, stay = dict.fromkeys(waiting, 0), 0, len(waiting) - len(slots)
    while slots:
        number = min(slots, key=lambda which: (slots[which].row, which))
        slot, trip = slots.pop(number), trips[number]
        held = int(path[np.searchsorted(rows, slot.row, "right")]) + moved
        lots = min(abs(held), slot.most - taken[number])
        if held * trip.held > 0 and lots > 0:
            signed = -lots if held > 0 else lots
            found.append(Closing(slot.row, pair, number, signed, slot.sell if held > 0 else slot.buy))
            taken[number] += lots
            moved += signed
            held += signed
        if held * trip.held > 0:
            following = next(waiting[number], None)
            if following is None:
                stay += 1
            else:
                slots[number] = following
    return found, stay


# ---------------------------------------------------------------------- the log with the fills, and the fills in words


def _with_fills(log: EventLog, closings: list[Closing]) -> tuple[EventLog, np.ndarray]:
    """The log with these fills, each after its row, and the row in `log` of each row, -1 for a fill."""
    at, pairs, _, lots, prices = np.array(closings, np.int64).reshape(len(closings), 5).T
    fields: dict[str, Any] = {
        "ts": log.columns["ts"][at],
        "kind": np.full(len(at), int(EventKind.FILL)),
        "account": log.pair_account[pairs],
        "instrument": log.pair_instrument[pairs],
        "pair": pairs,
        "side": np.sign(lots),
        "qty": np.abs(lots),
        "price": prices,
        "order": np.full(len(at), -1),
    }
    fills = {name: field.astype(log.columns[name].dtype) for name, field in fields.items()}
    fills["flags"] = np.full(len(at), int(RowFlag.FLATTEN), "<i4")
    rows = new_rows(np.arange(len(log)), at)
    columns = merged(log.columns, fills, rows)
    check_bounds(columns, log.universe, log.pair_account, log.pair_instrument)
    origin = np.full(len(columns["ts"]), -1)
    origin[rows[0]] = np.arange(len(log))
    source = np.where(origin >= 0, log.source_rows[origin], -1)
    made = EventLog(columns, log.pair_account, log.pair_instrument, log.universe, log.about, source_rows=source)
    made.order_labels = log.order_labels.moved(rows[0])
    return made, origin


def _described(
    log: EventLog, market: Market, rules: RuleSet, trips: list[Trip], closings: list[Closing]
) -> tuple[pd.DataFrame, dict[str, float]]:
    """The fills in people's units, and their cost by currency."""
    import pandas as pd

    rows: list[tuple[Any, ...]] = []
    costs: dict[str, Fraction] = {}
    for one in closings:
        trip, code = trips[one.trip], int(log.pair_instrument[one.pair])
        instrument, account = log.universe.instruments[code], log.universe.accounts[int(log.pair_account[one.pair])]
        qty, price = abs(one.lots) * instrument.qty_step, one.price * instrument.price_step
        worse = one.lots * (one.price - market.mark(trip.row, code))
        cost = worse * instrument.price_step * instrument.qty_step * instrument.multiplier
        costs[instrument.currency] = costs.get(instrument.currency, Fraction(0)) + cost
        when, side = pd.Timestamp(int(log.columns["ts"][one.row]), tz="UTC"), 1 if one.lots > 0 else -1
        rows.append((when, rules[trip.rule].id, account.id, instrument.id, side, float(qty), float(price), float(cost)))
    names = ["ts", "rule", "account", "instrument", "side", "qty", "price", "cost"]
    return pd.DataFrame(rows, columns=names), {currency: float(cost) for currency, cost in costs.items()}
