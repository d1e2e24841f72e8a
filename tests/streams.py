"""Random event logs for tests: every kind of event, every optional column, small and full of coincidences."""

from __future__ import annotations

import numpy as np
import pandas as pd

from riskkit.replay.ingest.dividends import fall
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.schema.columns import (
    AMENDS,
    ANSWERS,
    FIRST_EXTERNAL,
    MISSING,
    OPTIONAL,
    REQUIRED,
    EventKind,
    RowFlag,
    TradingCommand,
)
from riskkit.replay.schema.universe import Account, Instrument, Universe, exact

CENT = exact("0.01", "cent")


def universe(accounts: int = 3, instruments: int = 3, cash: int = 1_000, opened: bool = False) -> Universe:
    """Accounts on two desks, instruments of two products with unlike ticks, lots and multipliers."""
    shapes = [("0.01", "1", "1"), ("0.5", "1", "10"), ("0.01", "5", "1"), ("0.25", "2", "2")]
    return Universe(
        tuple(
            Instrument(f"I{i}", *shapes[i % len(shapes)], product=f"P{i % 2}", negative_price=True)
            for i in range(instruments)
        ),
        tuple(
            Account(f"A{a}", {"USD": cash}, {"I0": 3} if opened and a == 0 else {}, f"D{a % 2}", "F", f"T{a // 2}")
            for a in range(accounts)
        ),
        {"USD": CENT},
        tuple(f"A{a}/s{s}" for a in range(accounts) for s in range(2)),
        tuple(f"A{a}/c{s}" for a in range(accounts) for s in range(2)),
    )


def random_log(
    seed: int,
    events: int = 200,
    *,
    opened: bool = False,
    step_ns: int = 400_000_000_000,
    venue: bool = False,
    actions: bool = False,
    stops: bool = True,
) -> EventLog:
    """A log in which orders are filled, changed and cancelled, with errors, cash, trades and commands between.

    With `venue` orders, cancels and modifies are rejected too, fills busted or corrected, dividends paid, accounts compared with
    the venue's, and events belong to orders from before the log; its loop is that of a session. With `actions` (of a `venue`)
    positions are adjusted, funded, settled and rolled too, in a loop twice as long. With `stops` some orders wait for a trade at
    a stop.
    """
    draw = np.random.default_rng(seed)
    world = universe(opened=opened)
    rows: list[dict[str, int]] = []
    named: list[int] = []
    ts = 1_709_649_000_000_000_000
    kinds = [
        EventKind.ORDER,
        EventKind.FILL,
        EventKind.PRICE,
        EventKind.CANCEL,
        EventKind.MODIFY,
        EventKind.ERROR,
        EventKind.ACK,
        EventKind.CASH,
    ]
    kinds += [
        EventKind.TRADE,
        EventKind.EXECUTION,
        EventKind.CLOCK,
        EventKind.CONTROL,
        EventKind.EQUITY,
        EventKind.SESSION,
    ]
    weights = np.array([30, 20, 16, 5, 6, 4, 3, 2, 3, 3, 2, 2, 0.3, 0.3])
    if venue:
        kinds += [*ANSWERS, *AMENDS]
        weights = np.append(weights, [4] * (len(ANSWERS) + len(AMENDS)))
    for seq in range(events):
        ts += int(draw.choice([0, 1, step_ns // 1000, step_ns]))
        kind = EventKind(int(draw.choice([int(k) for k in kinds], p=weights / weights.sum())))
        account, instrument = int(draw.integers(3)), int(draw.integers(3))
        row = {
            "ts": ts,
            "kind": int(kind),
            "account": account,
            "instrument": instrument,
            "side": int(draw.choice([-1, 1])),
        }
        row |= {"qty": int(draw.integers(1, 6)), "price": int(draw.integers(95, 106)), "order": -1}
        filled = [n for n, one in enumerate(rows) if one["kind"] == EventKind.FILL] if kind in AMENDS else []
        if (kind in (EventKind.CANCEL, EventKind.MODIFY, *ANSWERS) and not named) or (kind in AMENDS and not filled):
            kind = EventKind.CLOCK
            row["kind"] = int(kind)
        if kind == EventKind.ORDER:
            row |= {"strategy": 2 * account + int(draw.integers(2)), "connection": 2 * account + int(draw.integers(2))}
            row["flags"] = int(RowFlag.REDUCE_ONLY) if draw.random() < 0.1 else 0
            row["reserve"] = row["price"] + 1
            if draw.random() < 0.2:
                row["price"] = MISSING
            if draw.random() < 0.8:
                row["order"] = seq
                named.append(seq)
            if named and draw.random() < 0.05 and named[0] < seq:
                row["parent"] = int(draw.choice([n for n in named if n < seq]))
        elif kind in AMENDS:
            row["fill"] = int(draw.choice(filled[-6:]))
            row |= {name: rows[row["fill"]][name] for name in ("account", "instrument", "side")}
            row |= {} if kind == EventKind.CORRECT else {"qty": 0, "price": MISSING}
        elif kind in (EventKind.FILL, EventKind.CANCEL, EventKind.MODIFY, *ANSWERS) or (
            venue and kind == EventKind.ERROR and named
        ):
            if named and (kind != EventKind.FILL or draw.random() < 0.9):
                order = int(draw.choice(named[-4:]))
                row |= {"order": order, **{n: rows[order][n] for n in ("account", "instrument", "side")}}
            if kind == EventKind.FILL:
                row["fee"] = int(draw.integers(0, 3))
                row["trade_id"] = seq
                row["flags"] = int(RowFlag.DUPLICATE) if draw.random() < 0.02 else 0
            elif kind == EventKind.MODIFY:
                row["qty"] = int(draw.integers(0, 7))
                row["price"] = MISSING if draw.random() < 0.3 else row["price"]
                row["weight"] = int(draw.integers(1, 3))
        elif kind == EventKind.PRICE:
            row |= {"account": -1, "side": 0, "qty": 0, "bid": row["price"] - 1, "ask": row["price"] + 1}
        elif kind in (EventKind.CLOCK, EventKind.SESSION):
            row |= {"account": -1, "instrument": -1, "side": 0, "qty": 0, "price": MISSING}
        elif kind == EventKind.CONTROL:
            row |= {"account": int(draw.integers(-1, 3)), "instrument": -1, "qty": 0, "price": MISSING}
            row["side"] = int(draw.choice([int(c) for c in TradingCommand]))
            if draw.random() < 0.3:
                row |= {"account": -1, "qty": 2, "price": int(draw.integers(2))}  # of a desk
        else:
            row |= {"instrument": -1, "price": MISSING, "side": 0}
            if kind == EventKind.EXECUTION:
                row["strategy"] = 2 * account + int(draw.integers(2))
            if kind == EventKind.TRADE:
                row |= {"instrument": instrument, "side": 1, "qty": int(draw.integers(-500, 500))}
                row["price"] = int(draw.integers(-3, 4)) * 100_000_000
                row["flags"] = int(RowFlag.STOP_LOSS) if draw.random() < 0.5 else 0
            if kind == EventKind.CASH:
                row |= {"side": int(draw.integers(4)), "qty": int(draw.integers(-2_000, 2_000))}
            if kind == EventKind.EQUITY:
                row["qty"] = int(draw.integers(80_000, 120_000))
        rows.append(row)
    for kind in (EventKind.ERROR, EventKind.CONTROL):  # every log has every kind of branch, so that all share one loop
        side = int(TradingCommand.KILL) if kind == EventKind.CONTROL else 0
        rows.append(
            {"ts": ts, "kind": int(kind), "account": 0, "instrument": -1, "side": side, "qty": 0, "price": MISSING}
        )
    if venue and named:
        rows.append({**rows[named[0]], "ts": ts, "kind": int(EventKind.REJECT), "order": named[0], "flags": 0})
    filled = [n for n, one in enumerate(rows) if one["kind"] == EventKind.FILL]
    if venue and filled:
        amended = {name: rows[filled[0]][name] for name in ("account", "instrument", "side")}
        amended |= {"qty": 0, "price": MISSING, "order": -1, "fill": filled[0]}
        rows.append({"ts": ts, "kind": int(EventKind.BUST), **amended})
    if events > 3:  # one late event, so that every column and branch is met
        late = int(draw.integers(1, events))
        rows[late] = {
            **rows[late],
            "ts": rows[late - 1]["ts"] - 1,
            "flags": rows[late].get("flags", 0) | int(RowFlag.BAD_TS),
        }
    if venue:
        rows.append({"ts": ts, "kind": int(EventKind.CLOCK), "account": -1, "instrument": -1, "side": 0})
        _pay_dividends(np.random.default_rng(seed + 3), rows, world)
        if actions:
            _act(np.random.default_rng(seed + 5), rows, world)
        rows.append(
            {
                "ts": ts,
                "kind": int(EventKind.ACK),
                "account": 0,
                "instrument": -1,
                "side": 0,
                "qty": 0,
                "price": MISSING,
            }
        )
        _take_snapshots(np.random.default_rng(seed + 4), rows, world)
        _name_orders_from_before(np.random.default_rng(seed + 1), rows)
    _join_lists(draw, rows)
    if stops:
        _wait_for_stops(np.random.default_rng(seed + 2), rows)
        _close_positions(np.random.default_rng(seed + 5), rows)
    return log_of_rows(rows, world)


def daily_closes(seed: int, volatility: float, bars: int) -> pd.DataFrame:
    """Closes of three names that wander, in cents."""
    moves = np.random.default_rng(seed).normal(0, volatility, (bars, 3))
    paths = 100 * np.exp(np.cumsum(moves, axis=0))
    return pd.DataFrame(paths.round(2), pd.date_range("2024-01-01", periods=bars, freq="D"), ["a", "b", "c"])


def whole_lists(log: EventLog, stop: int) -> int:
    """The first place at or after `stop` that cuts no list of orders in two."""
    batch = log.columns["batch"]
    while 0 < stop < len(log) and batch[stop] >= 0 and batch[stop] == batch[stop - 1]:
        stop += 1
    return stop


def _name_orders_from_before(draw: np.random.Generator, rows: list[dict[str, int]]) -> None:
    """Let some events belong to orders that are not in the log."""
    for row in rows:
        if row["kind"] in (EventKind.FILL, EventKind.CANCEL, EventKind.MODIFY, *ANSWERS) and draw.random() < 0.1:
            row["order"] = FIRST_EXTERNAL - int(draw.integers(3))


def _wait_for_stops(draw: np.random.Generator, rows: list[dict[str, int]]) -> None:
    """Let some orders wait for a trade at a stop, fixed or at a distance, and let modifies move it."""
    for row in rows:
        if row["kind"] in (EventKind.ORDER, EventKind.MODIFY) and draw.random() < 0.25:
            trails = draw.random() < 0.4
            row["stop"] = int(draw.integers(1, 4) if trails else draw.integers(97, 104))
            row["flags"] = row.get("flags", 0) | (int(RowFlag.TRAILING) if trails else 0)


def _close_positions(draw: np.random.Generator, rows: list[dict[str, int]]) -> None:
    """Let some orders be for what is held, in place of a quantity."""
    for row in rows:
        if row["kind"] == EventKind.ORDER and draw.random() < 0.15:
            row["qty"] = 0
            row["flags"] = row.get("flags", 0) | int(RowFlag.CLOSE_POSITION | RowFlag.REDUCE_ONLY)


def _pay_dividends(draw: np.random.Generator, rows: list[dict[str, int]], world: Universe) -> None:
    """Let an instrument pay a dividend at most ticks of the clock, and let some orders not be reduced by it."""
    for row in rows:
        if row["kind"] == EventKind.CLOCK and (row is rows[-1] or draw.random() < 0.7):
            row |= {"kind": int(EventKind.DIVIDEND), "instrument": int(draw.integers(len(world.instruments)))}
            row["qty"] = int(draw.choice([5_000_000, 10_000_000, 15_000_001, 1_205_000_000]))
            row["price"] = fall(row["qty"], world.instruments[row["instrument"]], world)
        elif row["kind"] == EventKind.ORDER and draw.random() < 0.1:
            row["flags"] = row.get("flags", 0) | int(RowFlag.DO_NOT_REDUCE)


def _act(draw: np.random.Generator, rows: list[dict[str, int]], world: Universe) -> None:
    """Let some dividends be fundings, expiries or adjustments of an account, and let the log end with a roll."""
    for row in rows:
        if row["kind"] != EventKind.DIVIDEND or draw.random() < 0.5:
            continue
        kind = EventKind(int(draw.choice([EventKind.FUNDING, EventKind.EXPIRY, EventKind.ADJUST])))
        row |= {"kind": int(kind), "qty": int(draw.choice([1, 10_000_000, -5_000_000])), "price": MISSING}
        if kind == EventKind.ADJUST:
            price = MISSING if draw.random() < 0.3 else int(draw.integers(95, 106))
            row |= {"account": int(draw.integers(3)), "side": int(draw.choice([-1, 1]))}
            row |= {"qty": int(draw.integers(1, 5)), "price": price}
        elif kind == EventKind.EXPIRY:
            row |= {"qty": 0, "price": int(draw.integers(95, 106))}
    first, roll = len(rows), {"ts": rows[-1]["ts"], "kind": int(EventKind.ROLL), "side": 0, "qty": 0}
    rows.append({**roll, "account": -1, "instrument": 2, "price": 101, "batch": first})
    rows.extend({**roll, "account": account, "instrument": 0, "price": 99, "batch": first} for account in range(3))


def _take_snapshots(draw: np.random.Generator, rows: list[dict[str, int]], world: Universe) -> None:
    """Let most acknowledgements be snapshots of their account, of one row or also of the next."""
    orders = [n for n, one in enumerate(rows) if one["kind"] == EventKind.ORDER and one.get("order") == n]
    for first, row in enumerate(rows):
        if row["kind"] != EventKind.ACK or row.get("flags") or (row is not rows[-1] and draw.random() < 0.2):
            continue
        ts, account, following = row["ts"], row["account"], rows[first + 1 : first + 2]
        longer = [one for one in following if one["kind"] in (EventKind.PRICE, EventKind.CASH) and not one.get("flags")]
        for number, one in enumerate([row, *longer], first):
            mine = [n for n in orders if n < first and rows[n]["account"] == account][-4:]
            stated = {
                "instrument": int(draw.integers(len(world.instruments))),
                "side": int(draw.choice([-1, 1])),
                "order": -1,
            }
            if mine and draw.random() < 0.4:
                stated["order"] = int(draw.choice(mine))
                stated |= {name: rows[stated["order"]][name] for name in ("instrument", "side")}
            elif draw.random() < 0.3:
                stated["order"] = number
            price = MISSING if stated["order"] < 0 or draw.random() < 0.2 else int(draw.integers(95, 106))
            one.clear()
            one |= {"ts": ts, "kind": int(EventKind.SNAPSHOT), "account": account, "batch": first}
            one |= {**stated, "qty": int(draw.integers(1, 5)), "price": price, "weight": 1}


def _join_lists(draw: np.random.Generator, rows: list[dict[str, int]]) -> None:
    """Make lists of some orders of one account that stand next to each other."""
    first = 0
    while first < len(rows):
        last = first
        while last < len(rows) and _may_join(rows[last]) and rows[last]["account"] == rows[first]["account"]:
            last += 1
        if last - first > 1 and draw.random() < 0.5:
            for place in range(first, last):
                weight = last - first if place == first else 0
                rows[place] |= {"ts": rows[first]["ts"], "batch": first, "weight": weight}
        first = max(last, first + 1)


def _may_join(row: dict[str, int]) -> bool:
    return row["kind"] == EventKind.ORDER and not row["flags"] & RowFlag.BAD_TS


def with_every_column(log: EventLog) -> EventLog:
    """The same events with every optional column, so that they share the loop of the random logs."""
    columns = dict(log.columns)
    for name, (dtype, absent) in OPTIONAL.items():
        columns.setdefault(name, np.full(len(log), absent, dtype))
    return EventLog(columns, log.pair_account, log.pair_instrument, log.universe, log.about)


def log_of_rows(rows: list[dict[str, int]], world: Universe) -> EventLog:
    """Integer rows as a log, with every optional column (so that all such logs share one loop)."""
    pairs = {pair: place for place, pair in enumerate(world.opening_pairs())}
    columns = {}
    for name, dtype in REQUIRED.items():
        columns[name] = np.array([row.get(name, -1) for row in rows], dtype)
    for name, (dtype, absent) in OPTIONAL.items():
        columns[name] = np.array([row.get(name, absent) for row in rows], dtype)
    for place, (a, i) in enumerate(zip(columns["account"].tolist(), columns["instrument"].tolist(), strict=True)):
        columns["pair"][place] = -1 if a < 0 or i < 0 else pairs.setdefault((a, i), len(pairs))
    known = np.array(list(pairs), np.int32).reshape(-1, 2)
    return EventLog(columns, known[:, 0], known[:, 1], world)
