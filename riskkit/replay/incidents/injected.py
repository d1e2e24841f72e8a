"""One injected run: an incident in a log, cut to what its replay needs, and what the rules made of it.

**Stopped** means lastingly: from an order of the incident that is refused, or dropped with its parent, no order of it that
opens or adds to a position passes for `lasting_ns`. If the incident ends before that, two probes ask what would have come:
`lasting_ns` after its last order, a buy and a sell of its smallest quantity, otherwise as its last order; none that opens or
adds may pass. A rate limit that refuses the last orders of a burst and lets the next one pass has not stopped it, but
*throttled* it.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from riskkit.replay.incidents.incident import Incident
from riskkit.replay.incidents.inject import inject
from riskkit.replay.incidents.messages import adding, passed, refusals, rule_of
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.log.merge import merged, new_rows
from riskkit.replay.results.booked import booked_moves
from riskkit.replay.results.result import ReplayResult
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.columns import MISSING, OPTIONAL, ROW_NUMBERS, EventKind, RowFlag
from riskkit.replay.schema.scopes import SCOPES


class Draw(NamedTuple):
    """A run to be made: an incident, its scale, the moment at which it begins, and the seed of its stream."""

    incident: Incident
    scale: float
    at: int
    seed: int


class Injected(NamedTuple):
    """A log with an incident, the number of instruments of others, and the incident's first and last order, nanoseconds."""

    log: EventLog
    instruments: int
    since: int
    until: int


class Outcome(NamedTuple):
    """What the rules made of an injected run; times in seconds from its first order, losses positive, in money.

    ``loss_with_limits`` and ``loss`` are those at the end of the incident, with and without limits; ``passed`` is the
    fraction of its orders that passed.
    """

    stopped: bool
    time_to_stop: float | None
    loss_at_stop: float | None
    rule: str | None
    first_rejection: float | None
    passed: float
    loss_with_limits: float
    loss: float


def injected(
    log: EventLog, rules: RuleSet, which: Incident, *, at: int, lasting_ns: int, options: dict[str, Any]
) -> Injected:
    """A log with an incident and its probes, up to the end of both; `options` are those of `inject`.

    If no rule joins accounts, events of other accounts are left out: they cannot change a decision on this one.
    """
    if not any(SCOPES[rule.scope].joins_accounts or "covariance" in rule.kind.requires for rule in rules):
        log = _part(log, _seen_by(log, log.universe.account_codes.get(options["account"] or which.account, -1)))
    both = inject(log, which, at=at, **options)
    about, columns = both.about["incident"], both.columns
    end = max(about["end"], about["until"] + lasting_ns)
    part = _part(both, np.maximum.accumulate(columns["ts"]) <= end)
    instruments = len(log.universe.instruments)
    mine = (part.columns["instrument"] >= instruments) & (part.columns["kind"] == EventKind.ORDER)
    since, until = int(part.columns["ts"][mine].min()), int(part.columns["ts"][mine].max())
    probed = _with_probes(part, np.flatnonzero(mine), until + lasting_ns)
    return Injected(probed, instruments, since, until)


def _seen_by(log: EventLog, account: int) -> np.ndarray:
    """Events of an account (-1 for a new one), of the instruments that it trades, and of everybody; and the first event."""
    columns = log.columns
    traded = log.pair_instrument[log.pair_account == account]
    seen = (columns["account"] < 0) & ((columns["instrument"] < 0) | np.isin(columns["instrument"], traded))
    seen |= (columns["account"] == account) & (account >= 0)
    seen[0] = True  # an incident is injected into a log that has events
    for name in ROW_NUMBERS:
        if name in columns:  # what an event refers to
            seen[columns[name][seen & (columns[name] >= 0)]] = True
    return seen


def _part(log: EventLog, keep: np.ndarray) -> EventLog:
    """The events of a log that are kept, of which references to others are lost."""
    places = np.where(keep, np.cumsum(keep) - 1, -1)
    columns = {name: column[keep] for name, column in log.columns.items()}
    for name in ROW_NUMBERS:
        if name in columns:
            columns[name] = np.where(columns[name] >= 0, places[columns[name]], columns[name])
    return EventLog(columns, log.pair_account, log.pair_instrument, log.universe, log.about)


def _with_probes(log: EventLog, orders: np.ndarray, at: int) -> EventLog:
    """The log with a buy and a sell at a time, without order ids, as the last of these orders and as small as the smallest."""
    last, columns = int(orders[-1]), log.columns
    probes = {name: column[[last, last]] for name, column in columns.items()}
    probes["ts"] = np.full(2, at, columns["ts"].dtype)
    probes["side"] = np.array([1, -1], columns["side"].dtype)
    probes["qty"] = np.full(2, columns["qty"][orders].min(), columns["qty"].dtype)
    probes["order"] = np.full(2, -1, columns["order"].dtype)
    for name in ROW_NUMBERS:
        if (
            name in probes and name != "order"
        ):  # parents are told by their row, which `merged` moves only in its own log
            probes[name] = np.full(2, OPTIONAL[name][1], columns[name].dtype)
    rows = new_rows(columns["ts"], probes["ts"])
    made = merged(columns, probes, rows)
    if "parent" in columns and columns["parent"][last] >= 0:
        made["parent"][rows[1]] = rows[0][columns["parent"][last]]
    return EventLog(made, log.pair_account, log.pair_instrument, log.universe, log.about)


# ---------------------------------------------------------------------- outcomes


def outcome(run: Injected, result: ReplayResult, lasting_ns: int) -> Outcome:
    """What the rules made of an injected run."""
    log = result.log
    columns, ts = log.columns, log.columns["ts"]
    own = np.flatnonzero((columns["instrument"] >= run.instruments) & (columns["kind"] == EventKind.ORDER))
    moves = booked_moves(result)
    kept, probe = passed(result), ts[own] > run.until
    opened = own[kept[own] & adding(result, moves, own)]
    refused = refusals(result, own[~probe])
    stop = _stop(ts, refused["seq"], opened[ts[opened] <= run.until], (ts[opened] > run.until).any(), run, lasting_ns)
    recorded = own[~probe]
    lost = _Losses(run, log, moves.rows, moves.lots)
    filled = np.flatnonzero((columns["kind"] == EventKind.FILL) & (_flags(log) & int(RowFlag.FLATTEN) == 0))
    without = _Losses(run, log, filled, columns["side"][filled] * columns["qty"][filled])
    return Outcome(
        stopped=stop is not None,
        time_to_stop=None if stop is None else _seconds(ts, int(refused["seq"][stop]), run),
        loss_at_stop=None if stop is None else lost.at(int(refused["seq"][stop])),
        rule=None if stop is None else rule_of(result, refused[stop]),
        first_rejection=_seconds(ts, int(refused["seq"][0]), run) if len(refused) else None,
        passed=float(kept[recorded].mean()),
        loss_with_limits=lost.at(len(log) - 1),
        loss=without.at(len(log) - 1),
    )


def _stop(
    ts: np.ndarray, refused: np.ndarray, opened: np.ndarray, probe_passed: bool, run: Injected, lasting_ns: int
) -> int | None:
    """Place in `refused` of the first refusal that lasts; rows of refused orders, and of those that open and passed."""
    after = np.searchsorted(opened, refused)
    passes = np.append(ts[opened], np.iinfo(np.int64).max)[after]
    ends = ts[refused] + lasting_ns
    lasting = passes > ends
    if probe_passed:
        lasting &= ends <= run.until
    found = np.flatnonzero(lasting)
    return int(found[0]) if len(found) else None


def _flags(log: EventLog) -> np.ndarray:
    return log.columns.get("flags", np.zeros(len(log), np.int32))


def _seconds(ts: np.ndarray, row: int, run: Injected) -> float:
    return float(ts[row] - run.since) / 1e9


class _Losses:
    """Loss in the instruments of the incident up to a row, from fills (rows, and signed lots), at the marks there."""

    def __init__(self, run: Injected, log: EventLog, rows: np.ndarray, lots: np.ndarray) -> None:
        columns = log.columns
        mine = columns["instrument"][rows] >= run.instruments
        self._rows, self._lots = rows[mine], lots[mine]
        self._code = columns["instrument"][self._rows] - run.instruments
        self._price = columns["price"][self._rows]
        own = columns["instrument"] >= run.instruments
        self._quotes = np.flatnonzero(own & (columns["kind"] == EventKind.PRICE) & (columns["price"] != MISSING))
        self._columns = columns
        self._first = run.instruments
        self._instruments = log.universe.instruments[run.instruments :]

    def at(self, row: int) -> float:
        """The loss after the event of a row, in money."""
        until = int(np.searchsorted(self._rows, row, "right"))
        lots, code, price = self._lots[:until], self._code[:until], self._price[:until]
        held, paid, marks = (np.zeros(len(self._instruments), np.int64) for _ in range(3))
        np.add.at(held, code, lots)
        np.add.at(paid, code, lots * price)
        marks[code] = price  # of equal codes the last
        quotes = self._quotes[: int(np.searchsorted(self._quotes, row, "right"))]
        marks[self._columns["instrument"][quotes] - self._first] = self._columns["price"][quotes]
        lost = (paid - held * marks).tolist()
        unit = [one.price_step * one.qty_step * one.multiplier for one in self._instruments]
        return float(sum((ticks * size for ticks, size in zip(lost, unit, strict=True)), Fraction(0)))
