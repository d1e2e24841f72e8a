"""An incident as events: its orders, fills, cancels and prices, drawn from a seed and settled to the figures.

Sizes, times and instruments are drawn; then totals are settled: quantities to the share, notionals to a lot, losses to
one order at one tick. Part of an incident is its beginning, at its own pace: a scale of 0.01 is the first hundredth.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError, finite_number, whole_number
from riskkit.replay.columns import MISSING, Kind
from riskkit.replay.events import EventLog
from riskkit.replay.incidents.record import Incident, incident
from riskkit.replay.universe import Account, Instrument, Universe, common_unit

__all__ = ["incident_log"]

SECOND = 1_000_000_000
MARKS = 60  # prices of an instrument on a way that moves
STILL = [[60, None]]  # a last mark a minute after the end, where the file names none


class Orders(NamedTuple):
    """What is drawn, an element an order: nanoseconds after the start, parent, instrument, side; and prices at first.

    ``part`` is the share of all orders that there are, ``base`` the first price of each instrument in money.
    """

    part: float
    sent: np.ndarray
    done: np.ndarray
    parent: np.ndarray
    instrument: np.ndarray
    side: np.ndarray
    base: np.ndarray


def incident_log(
    which: str | Incident, *, scale: float = 1.0, seed: int = 0, account: str = "", at: Any = None
) -> EventLog:
    """Make the event log of an incident by itself.

    Parameters
    ----------
    which : str or Incident
        An id of `incidents`, or the beginning of one.
    scale : float
        The part of the incident that is made, above 0 and at most 1: its beginning, with its rates, sizes and losses
        by the second as they were. Baskets that stood at its start are whole.
    seed : int
        Of the one random generator; the same seed gives the same log.
    account : str
        Label of the account; by default the incident's first word.
    at : time, optional
        When it begins (anything pandas takes as a Timestamp, UTC where it has no zone, or nanoseconds); by default
        when it did.

    Returns
    -------
    EventLog
        One account; instruments of the incident's own; ``about["incident"]`` says what a stop report must know.

    Raises
    ------
    InputError
        Where there is no such incident, or the scale does not lie above 0 and at most at 1.

    References
    ----------
    The ``sources`` of each record; `riskkit.replay.incidents.record`.

    Examples
    --------
    >>> log = incident_log("infinium")
    >>> log.counts()["ORDER"], log.counts()["FILL"]
    (6767, 4612)
    """
    one = incident(which)
    part = finite_number(scale, "scale")
    if not 0.0 < part <= 1.0:
        raise InputError(f"scale={scale!r} is not above 0 and at most 1; 0.01 is the first hundredth of the incident")
    spec, draw = one.stream, np.random.default_rng(whole_number(seed, "seed", at_least=0))
    start = one.start_ns if at is None else nanoseconds(at)
    instruments = _instruments(one)
    tick, unit = float(instruments[0].tick), float(instruments[0].lot * instruments[0].multiplier)
    orders = _orders(spec, part, draw)
    qty = _quantities(spec, orders, unit, draw)
    path, after = _ways(spec, int(orders.done.max()))
    factor = path(orders.done)
    orders = orders._replace(base=_scaled_base(spec, orders, qty, factor, unit, tick))
    qty = _settle_ordered(spec, orders, qty, unit)
    filled = _filled(spec, orders, qty, factor, after[-1][1], unit, draw)
    marks = np.rint(orders.base[orders.instrument] * factor / tick)
    end = np.rint(orders.base * after[-1][1] / tick)
    price, end = _fill_prices(spec, orders, filled, marks, end, tick, unit)
    blocks = [
        _price_block(spec, orders, path, after, end, tick),
        *_order_blocks(spec, orders, qty, filled, price, unit, tick, draw),
    ]
    columns = _sorted(blocks, start)
    label = account or one.id.split("-")[0].upper()
    currency = instruments[0].currency
    quantum = common_unit([instruments[0].tick * instruments[0].lot * instruments[0].multiplier])
    world = Universe(tuple(instruments), (Account(label, {currency: int(spec.get("cash", 0))}),), {currency: quantum})
    own = np.flatnonzero(columns["account"] == 0)
    until = int(columns["ts"][own[-1]])
    about = {
        "title": f"{one.name}, {one.start:%Y-%m-%d}" + (f", its first {part:g}" if part < 1 else ""),
        "kind": "synthetic",
        "incident": {"id": one.id, "account": label, "since": start, "until": until, "end": int(columns["ts"][-1])},
    }
    count = len(instruments)
    return EventLog(columns, np.zeros(count, np.int32), np.arange(count, dtype=np.int32), world, about)


def nanoseconds(at: Any) -> int:
    """A time as nanoseconds since the epoch, UTC where it has no zone."""
    if isinstance(at, (int, np.integer)) and not isinstance(at, bool):
        return int(at)
    import pandas as pd

    try:
        stamp = pd.Timestamp(at)
    except (TypeError, ValueError) as error:
        raise InputError(f"at={at!r} is not a time ({error})") from None
    if stamp is pd.NaT:
        raise InputError(f"at={at!r} is not a time")
    stamp = stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")
    return int(stamp.as_unit("ns").value)


def _instruments(one: Incident) -> list[Instrument]:
    spec, name = one.stream, one.id.split("-")[0].upper()
    units: Any = {
        key: str(spec.get(key, default)) for key, default in (("tick", "0.01"), ("lot", "1"), ("multiplier", "1"))
    }
    currency = str(spec.get("currency", "USD"))
    return [
        Instrument(f"{name}-{place + 1:03d}", **units, currency=currency, product=name)
        for place in range(spec["instruments"])
    ]


# ---------------------------------------------------------------------- what is drawn


def _orders(spec: Mapping[str, Any], part: float, draw: np.random.Generator) -> Orders:
    count = max(1, round(spec["orders"] * part))
    length = round(spec["seconds"] * SECOND * part)
    if "pace" in spec:  # one slice a second, none in the pause
        seconds = np.arange(1, spec["seconds"] + 1)
        first, last = spec["pause"]
        sent = seconds[(seconds < first) | (seconds >= last)][:count] * SECOND
    else:
        sent = np.sort(draw.integers(0, length + 1, count))
        sent[-1], sent[0] = length, 0
    stretch = spec.get("fills_until", spec["seconds"]) / spec["seconds"]
    done = np.rint(sent * stretch).astype(np.int64) if count > 1 else np.array([round(length * stretch)])
    done = np.maximum(done, sent)
    number, families = spec["instruments"], spec.get("parents", 0)
    parent = draw.integers(0, families, count) if families else np.full(count, -1)
    instrument = parent % number if families else draw.integers(0, number, count)
    side = {"buy": np.ones(count, np.int64), "sell": np.full(count, -1)}.get(spec["side"])
    if spec["side"] == "split":
        side = np.where(instrument < spec["split"][0], 1, -1)
    elif side is None:
        side = draw.choice(np.array([-1, 1]), count)
    base = np.exp(draw.uniform(np.log(spec["low"]), np.log(spec["high"]), number))
    return Orders(count / spec["orders"], sent, done, parent, instrument, side, base)


def _quantities(spec: Mapping[str, Any], orders: Orders, unit: float, draw: np.random.Generator) -> np.ndarray:
    """Lots of every order."""
    count = len(orders.sent)
    if "each" in spec:
        return np.full(count, spec["each"])
    if "pace" in spec:
        seconds, contracts = np.array(spec["pace"]).T
        return np.diff(np.rint(np.interp(orders.sent / SECOND, seconds, contracts)).astype(np.int64), prepend=0)
    weight = draw.lognormal(0.0, 0.8, count)
    weight /= weight.sum()
    if "shares" in spec:
        total = round(spec["shares"] * orders.part)
        return 1 + np.diff(np.rint(np.cumsum(weight) * (total - count)).astype(np.int64), prepend=0)
    lots = spec["ordered"] * orders.part * weight / (orders.base[orders.instrument] * unit)
    least, most = _bounds(spec)
    qty = np.clip(np.rint(lots), least, most).astype(np.int64)
    if "smallest" in spec:
        qty[np.argmin(weight)], qty[np.argmax(weight)] = least, most
    return qty


def _bounds(spec: Mapping[str, Any]) -> tuple[int, int]:
    """The smallest and the largest order, in lots."""
    lot = int(spec.get("lot", 1))
    return spec.get("smallest", lot) // lot, spec.get("largest", 2**40) // lot


# ---------------------------------------------------------------------- how it is settled


def _scaled_base(
    spec: Mapping[str, Any], orders: Orders, qty: np.ndarray, factor: np.ndarray, unit: float, tick: float
) -> np.ndarray:
    """First prices in whole ticks, of which the notionals that were reported come out."""
    base, code = orders.base.copy(), orders.instrument
    worth = qty * unit * base[code] * (factor if spec.get("at_fills") else 1.0)
    targets = spec.get("notionals", [spec["ordered"]] if "ordered" in spec else [])
    for place, target in enumerate(targets):
        one_side = orders.side == (1, -1)[place] if len(targets) > 1 else np.ones(len(code), bool)
        total = worth[one_side].sum()
        if total > 0:
            base[np.unique(code[one_side])] *= target * orders.part / total
    return np.maximum(np.rint(base / tick), 1) * tick


def _settle_ordered(spec: Mapping[str, Any], orders: Orders, qty: np.ndarray, unit: float) -> np.ndarray:
    if "ordered" not in spec:
        return qty
    least, most = _bounds(spec)
    free = np.flatnonzero((qty > least + 1) & (qty < most - 1))
    return _settled(qty, free, orders.base[orders.instrument] * unit, spec["ordered"] * orders.part)


def _filled(
    spec: Mapping[str, Any],
    orders: Orders,
    qty: np.ndarray,
    factor: np.ndarray,
    last: float,
    unit: float,
    draw: np.random.Generator,
) -> np.ndarray:
    """Lots of every order that were filled."""
    if "filled_shares" in spec:
        return np.full(len(qty), spec["filled_shares"])
    if "filled_orders" in spec:
        chosen = draw.permutation(len(qty))[: round(spec["filled_orders"] * orders.part)]
        return np.where(np.isin(np.arange(len(qty)), chosen), qty, 0)
    if "filled" not in spec:
        return qty
    worth = orders.base[orders.instrument] * factor * (1.0 + orders.side * spec.get("edge", 0.0)) * unit
    target = spec["filled"] * orders.part
    if "loss" in spec:  # what was filled is worth that much more (sold) or less (bought) at the end
        worth = orders.base[orders.instrument] * last * unit
        target -= orders.side[0] * spec["loss"] * orders.part
    filled = np.minimum(np.rint(qty * target / (qty * worth).sum()).astype(np.int64), qty)
    return _settled(filled, np.flatnonzero((filled > 1) & (filled < qty - 1)), worth, target)


def _settled(values: np.ndarray, free: np.ndarray, worth: np.ndarray, target: float) -> np.ndarray:
    """Move some of the `free` values by one, in their order, until the sum of values times worth meets the target."""
    values = values.copy()
    gap = target - float((values * worth).sum())
    step = 1 if gap > 0 else -1
    turns = int(abs(gap) // worth[free].sum()) if len(free) else 0
    values[free] += step * turns
    rest = abs(gap) - turns * worth[free].sum()
    values[free[: np.searchsorted(np.cumsum(worth[free]), rest, "right")]] += step
    return values


def _fill_prices(
    spec: Mapping[str, Any],
    orders: Orders,
    filled: np.ndarray,
    marks: np.ndarray,
    end: np.ndarray,
    tick: float,
    unit: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Prices of fills and marks at the end, in ticks, of which the loss that was reported comes out."""
    signed = orders.side * filled
    if "fill_price" in spec:
        return np.full(len(marks), round(spec["fill_price"] / tick)), end.astype(np.int64)
    if "loss" not in spec:
        return np.rint(marks * (1.0 + orders.side * spec.get("edge", 0.0))).astype(np.int64), end.astype(np.int64)
    target = spec["loss"] * orders.part / (tick * unit)
    if spec.get("loss_through") == "end":
        price = marks
        end = np.rint(end + ((signed * (price - end[orders.instrument])).sum() - target) / max(abs(signed.sum()), 1))
    else:
        open_loss = (signed * (marks - end[orders.instrument])).sum()
        price = np.rint(marks * (1.0 + orders.side * (target - open_loss) / (filled * marks).sum()))
    inner = np.flatnonzero(filled)[1:-1]  # the first and the last stand
    towards = _settled(np.zeros(len(price)), inner, filled.astype(float), target - _loss(signed, price, end, orders))
    return (price + orders.side * towards).astype(np.int64), end.astype(np.int64)


def _loss(signed: np.ndarray, price: np.ndarray, end: np.ndarray, orders: Orders) -> float:
    return float((signed * (price - end[orders.instrument])).sum())


# ---------------------------------------------------------------------- prices over time


def _ways(spec: Mapping[str, Any], length: int) -> tuple[Any, list[tuple[int, float]]]:
    """The mark as a multiple of its first: a function of nanoseconds while orders come, and points after them."""
    points = [[0, 0.0], *spec.get("path", [])]
    at, moves = np.array(points, float).T

    def path(ns: Any) -> Any:
        return 1.0 + np.interp(np.asarray(ns) / SECOND, at, moves)

    last = float(path(length))
    after = [
        (length + round(seconds * SECOND), last if move is None else 1.0 + move)
        for seconds, move in spec.get("after", STILL)
    ]
    return path, after


def _price_block(
    spec: Mapping[str, Any],
    orders: Orders,
    path: Any,
    after: list[tuple[int, float]],
    end: np.ndarray,
    tick: float,
) -> dict[str, np.ndarray]:
    """PRICE events: of every instrument at the start, on the way where it moves, and at the end."""
    length = int(orders.done.max())
    turns = [seconds * SECOND for seconds, _ in spec.get("path", []) if seconds * SECOND <= length]
    on_way = np.union1d(np.linspace(0, length, MARKS + 1).astype(np.int64), np.array(turns, np.int64))
    moving = bool(np.ptp(path(on_way)))
    times = on_way if moving else np.zeros(1, np.int64)
    factors = path(times)
    ends = np.array([length, *(time for time, _ in after)])
    moves = np.array([float(path(length)), *(factor for _, factor in after)])
    later = np.unique(np.linspace(length, ends[-1], MARKS // 2 + 1)[1:].astype(np.int64)) if np.ptp(moves) else ends[1:]
    times = np.concatenate([times, later])
    factors = np.concatenate([factors, np.interp(later, ends, moves)])
    prices = np.maximum(np.rint(np.outer(factors, orders.base) / tick), 1).astype(np.int64)
    prices[-1] = end
    width = len(orders.base)
    return {
        "ts": np.repeat(times, width),
        "kind": np.full(prices.size, Kind.PRICE),
        "account": np.full(prices.size, -1),
        "instrument": np.tile(np.arange(width), len(times)),
        "price": prices.ravel(),
    }


# ---------------------------------------------------------------------- columns


def _order_blocks(
    spec: Mapping[str, Any],
    orders: Orders,
    qty: np.ndarray,
    filled: np.ndarray,
    price: np.ndarray,
    unit: float,
    tick: float,
    draw: np.random.Generator,
) -> list[dict[str, Any]]:
    """Parents, orders, fills and cancels; "order" and "parent" count from the first parent, `_sorted` moves them."""
    blocks: list[dict[str, Any]] = []
    families = spec.get("parents", 0)
    if families:
        code = np.arange(families) % spec["instruments"]
        lots = np.full(families, spec.get("parent_quantity", 0))
        if "basket" in spec:
            weight = draw.lognormal(0.0, 0.8, families)
            worth = orders.base[code] * unit
            lots = np.rint(spec["basket"] * weight / weight.sum() / worth).astype(np.int64)
            lots = _settled(lots, np.arange(families), worth, spec["basket"])
        side = np.where(code < spec["split"][0], 1, -1) if spec["side"] == "split" else _one_side(spec, families)
        limit = np.rint(orders.base[code] / tick)
        blocks.append(_block(Kind.ORDER, 0, code, side, lots, limit, np.arange(families)))
    limits = np.full(len(qty), MISSING) if spec.get("market") else price
    if "order_price" in spec:
        limits = np.full(len(qty), round(spec["order_price"] / tick))
    own = families + np.arange(len(qty))
    blocks.append(_block(Kind.ORDER, orders.sent, orders.instrument, orders.side, qty, limits, own))
    if families:
        blocks[-1]["parent"] = orders.parent
    some = np.flatnonzero(filled)
    fields = (orders.done, orders.instrument, orders.side, filled, price, own)
    blocks.append(_block(Kind.FILL, *(field[some] for field in fields)))
    if spec.get("cancelled"):
        rest = np.flatnonzero(filled < qty)
        none = np.zeros(len(rest), np.int64)
        blocks.append(_block(Kind.CANCEL, orders.done[rest], orders.instrument[rest], none, none, MISSING, own[rest]))
    return blocks


def _one_side(spec: Mapping[str, Any], count: int) -> np.ndarray:
    return np.full(count, 1 if spec["side"] == "buy" else -1)


def _block(kind: Kind, ts: Any, instrument: Any, side: Any, qty: Any, price: Any, order: Any) -> dict[str, Any]:
    size = len(order)
    fields = {"ts": ts, "kind": int(kind), "account": 0, "instrument": instrument}
    fields |= {"side": side, "qty": qty, "price": price, "order": order}
    return {name: np.broadcast_to(np.asarray(field).astype(np.int64), size) for name, field in fields.items()}


def _sorted(blocks: list[dict[str, Any]], start: int) -> dict[str, np.ndarray]:
    """The blocks as one log in the order of time; at one time prices, then parents, orders, fills and cancels."""
    size = sum(len(block["ts"]) for block in blocks)
    first = len(blocks[0]["ts"])  # rows of prices, after which the orders count

    def column(name: str, absent: int, dtype: str) -> np.ndarray:
        parts = [np.asarray(block.get(name, np.full(len(block["ts"]), absent))) for block in blocks]
        return np.concatenate(parts).astype(dtype)

    ts = column("ts", 0, "<i8") + start
    by_time = np.argsort(ts, kind="stable")
    place = np.empty(size + 1, np.int64)
    place[by_time], place[-1] = np.arange(size), -1
    columns = {"ts": ts[by_time]}
    types = {"kind": "<i1", "account": "<i4", "instrument": "<i4", "side": "<i1", "qty": "<i8", "price": "<i8"}
    for name, dtype in types.items():
        columns[name] = column(name, 0, dtype)[by_time]
    columns["pair"] = np.where(columns["account"] == 0, columns["instrument"], -1).astype("<i4")
    for name in ("order", "parent"):
        if any(name in block for block in blocks):
            links = column(name, -1, "<i8")
            columns[name] = place[np.where(links >= 0, links + first, size)][by_time]
    return columns
