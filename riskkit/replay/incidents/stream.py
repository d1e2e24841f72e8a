"""Event log of an incident: orders, fills, cancels and prices, drawn from a seed and adjusted to the figures.

Sizes, times and instruments are random; then totals are adjusted to the figures: quantities to one share, notionals to
one lot, losses to one order at one tick. A scale below 1 makes the beginning of the incident, at its original pace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from riskkit._check import InputError, finite_number, whole_number
from riskkit._show import percent
from riskkit.replay.incidents.incident import Incident, incident
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.schema.columns import MISSING, EventKind
from riskkit.replay.schema.universe import Account, Instrument, Universe, common_unit

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Time = int | str | datetime | np.datetime64  # nanoseconds since the epoch, or anything that pandas reads

SECOND = 1_000_000_000
MARKS = 60  # prices of an instrument whose mark moves
STILL = [[60, None]]  # default: a last mark one minute after the end


class Recipe(NamedTuple):
    """Parameters of a stream: the incident's figures, the part to make, money per tick and lot, and the Generator."""

    spec: Mapping[str, Any]
    part: float
    tick: float
    unit: float
    rng: np.random.Generator


class Orders(NamedTuple):
    """Drawn orders: times of order and fill in nanoseconds after the start, parent, instrument, side; (n_orders,).

    ``part`` is the fraction of all orders made, ``base`` the first price of each instrument in money.
    """

    part: float
    sent: np.ndarray
    done: np.ndarray
    parent: np.ndarray
    instrument: np.ndarray
    side: np.ndarray
    base: np.ndarray


def incident_log(
    which: str | Incident,
    *,
    scale: float = 1.0,
    seed: int = 0,
    account: str = "",
    at: Time | None = None,
    cash: float | None = None,
) -> EventLog:
    """Make the event log of an incident.

    Parameters
    ----------
    which : str or Incident
        An id of `riskkit.incidents.catalogue`, or a unique prefix.
    scale : float
        Fraction of the incident, above 0 and at most 1: its beginning, with the original rates, sizes and losses per
        second. Baskets placed at its start are complete.
    seed : int
        Seed of the random generator; the same seed gives the same log.
    account : str
        Label of the account; by default the first word of the id.
    at : time, optional
        Start (anything pandas reads as a Timestamp, UTC if it has no zone, or nanoseconds); by default the real one.
    cash : float, optional
        Opening cash of the account, in the currency of the incident: the equity from which a relative drawdown is
        measured. By default what the incident states, which is mostly nothing.

    Returns
    -------
    EventLog
        One account, separate instruments; ``about["incident"]`` has the metadata that a stop report needs.

    Raises
    ------
    InputError
        If there is no such incident, or the scale is not above 0 and at most 1.

    References
    ----------
    The ``sources`` of each incident; `riskkit.replay.incidents.incident`.

    Examples
    --------
    >>> log = incident_log("infinium")
    >>> log.counts()["ORDER"], log.counts()["FILL"]
    (6767, 4612)
    """
    event = incident(which)
    part = finite_number(scale, "scale")
    if not 0.0 < part <= 1.0:
        raise InputError(f"scale={scale!r} is not above 0 and at most 1; 0.01 is the first hundredth of the incident")
    rng = np.random.default_rng(whole_number(seed, "seed", at_least=0))
    start = event.start_ns if at is None else nanoseconds(at)
    instruments = _instruments(event)
    first = instruments[0]
    recipe = Recipe(event.stream, part, float(first.tick), float(first.lot * first.multiplier), rng)
    orders = _orders(recipe)
    qty = _quantities(recipe, orders)
    path, after = _paths(recipe, int(orders.done.max()))
    factor = path(orders.done)
    orders = orders._replace(base=_scaled_base(recipe, orders, qty, factor))
    qty = _adjusted_to_ordered(recipe, orders, qty)
    filled = _filled(recipe, orders, qty, factor, after[-1][1])
    marks = np.rint(orders.base[orders.instrument] * factor / recipe.tick)
    end = np.rint(orders.base * after[-1][1] / recipe.tick)
    price, end = _fill_prices(recipe, orders, filled, marks, end)
    blocks = [_price_block(recipe, orders, path, after, end), *_order_blocks(recipe, orders, qty, filled, price)]
    columns = _sorted(blocks, start)
    label = account or event.account
    quantum = common_unit([first.tick * first.lot * first.multiplier])
    stated = event.stream.get("cash", 0) if cash is None else finite_number(cash, "cash")
    own = Account(label, {first.currency: int(stated)})
    world = Universe(tuple(instruments), (own,), {first.currency: quantum})
    until = int(columns["ts"][np.flatnonzero(columns["account"] == 0)[-1]])
    about = {
        "title": f"{event.name}, {event.start:%Y-%m-%d}" + (f", its first {percent(part)}" if part < 1 else ""),
        "kind": "synthetic",
        "incident": {"id": event.id, "account": label, "since": start, "until": until, "end": int(columns["ts"][-1])},
    }
    count = len(instruments)
    return EventLog(columns, np.zeros(count, np.int32), np.arange(count, dtype=np.int32), world, about)


def nanoseconds(at: Time) -> int:
    """A time as nanoseconds since the epoch, UTC if it has no zone."""
    if isinstance(at, (int, np.integer)) and not isinstance(at, bool):
        return int(at)
    import pandas as pd

    from riskkit.replay.ingest.times import iso_time

    try:
        stamp = iso_time(at) if isinstance(at, str) else pd.Timestamp(at)
    except (TypeError, ValueError) as error:
        raise InputError(f"at={at!r} is not a time ({error})") from None
    if stamp is None or pd.isna(stamp):
        raise InputError(f"at={at!r} is not a time")
    stamp = stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")
    return int(stamp.as_unit("ns").value)


def _instruments(event: Incident) -> list[Instrument]:
    spec, name = event.stream, event.id.split("-")[0].upper()
    units: Any = {
        key: str(spec.get(key, default)) for key, default in (("tick", "0.01"), ("lot", "1"), ("multiplier", "1"))
    }
    currency = str(spec.get("currency", "USD"))
    return [
        Instrument(f"{name}-{number:03d}", **units, currency=currency, product=name)
        for number in range(1, spec["instruments"] + 1)
    ]


# ---------------------------------------------------------------------- random draws


def _orders(recipe: Recipe) -> Orders:
    spec, part, rng = recipe.spec, recipe.part, recipe.rng
    count = max(1, round(spec["orders"] * part))
    length = round(spec["seconds"] * SECOND * part)
    if "pace" in spec:  # one slice a second, none in the pause
        seconds = np.arange(1, spec["seconds"] + 1)
        first, last = spec["pause"]
        sent = seconds[(seconds < first) | (seconds >= last)][:count] * SECOND
    else:
        sent = np.sort(rng.integers(0, length + 1, count))
        sent[-1], sent[0] = length, 0
    stretch = spec.get("fills_until", spec["seconds"]) / spec["seconds"]
    done = np.rint(sent * stretch).astype(np.int64) if count > 1 else np.array([round(length * stretch)])
    done = np.maximum(done, sent)
    number, families = spec["instruments"], spec.get("parents", 0)
    parent = rng.integers(0, families, count) if families else np.full(count, -1)
    instrument = parent % number if families else rng.integers(0, number, count)
    side = {"buy": np.ones(count, np.int64), "sell": np.full(count, -1)}.get(spec["side"])
    if spec["side"] == "split":
        side = np.where(instrument < spec["split"][0], 1, -1)
    elif side is None:
        side = rng.choice(np.array([-1, 1]), count)
    base = np.exp(rng.uniform(np.log(spec["low"]), np.log(spec["high"]), number))
    return Orders(count / spec["orders"], sent, done, parent, instrument, side, base)


def _quantities(recipe: Recipe, orders: Orders) -> np.ndarray:
    """Lots of every order."""
    spec = recipe.spec
    count = len(orders.sent)
    if "each" in spec:
        return np.full(count, spec["each"])
    if "pace" in spec:
        seconds, contracts = np.array(spec["pace"]).T
        return np.diff(np.rint(np.interp(orders.sent / SECOND, seconds, contracts)).astype(np.int64), prepend=0)
    weight = recipe.rng.lognormal(0.0, 0.8, count)
    weight /= weight.sum()
    if "shares" in spec:
        total = round(spec["shares"] * orders.part)
        shares: np.ndarray = np.diff(np.rint(np.cumsum(weight) * (total - count)).astype(np.int64), prepend=0)
        return shares + 1
    lots = spec["ordered"] * orders.part * weight / (orders.base[orders.instrument] * recipe.unit)
    low, high = _bounds(spec)
    qty: np.ndarray = np.clip(np.rint(lots), low, high).astype(np.int64)
    if "smallest" in spec:
        qty[np.argmin(weight)], qty[np.argmax(weight)] = low, high
    return qty


def _bounds(spec: Mapping[str, Any]) -> tuple[int, int]:
    """Smallest and largest order, in lots."""
    lot = int(spec.get("lot", 1))
    return spec.get("smallest", lot) // lot, spec.get("largest", 2**40) // lot


# ---------------------------------------------------------------------- adjustment to the figures


def _scaled_base(recipe: Recipe, orders: Orders, qty: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """First prices, multiples of the tick, that give the reported notionals."""
    spec, tick = recipe.spec, recipe.tick
    base, code = orders.base.copy(), orders.instrument
    worth = qty * recipe.unit * base[code] * (factor if spec.get("at_fills") else 1.0)
    targets = spec.get("notionals", [spec["ordered"]] if "ordered" in spec else [])
    sides = [orders.side == 1, orders.side == -1] if len(targets) > 1 else [np.ones(len(code), bool)]
    for target, on_side in zip(targets, sides, strict=False):
        total = worth[on_side].sum()
        if total > 0:
            base[np.unique(code[on_side])] *= target * orders.part / total
    return np.maximum(np.rint(base / tick), 1) * tick


def _adjusted_to_ordered(recipe: Recipe, orders: Orders, qty: np.ndarray) -> np.ndarray:
    """Quantities adjusted to the reported notional of all orders."""
    if "ordered" not in recipe.spec:
        return qty
    low, high = _bounds(recipe.spec)
    free = np.flatnonzero((qty > low + 1) & (qty < high - 1))
    return _adjusted(qty, free, orders.base[orders.instrument] * recipe.unit, recipe.spec["ordered"] * orders.part)


def _filled(recipe: Recipe, orders: Orders, qty: np.ndarray, factor: np.ndarray, last: float) -> np.ndarray:
    """Filled lots of every order."""
    spec, unit = recipe.spec, recipe.unit
    if "filled_shares" in spec:
        return np.full(len(qty), spec["filled_shares"])
    if "filled_orders" in spec:
        chosen = recipe.rng.permutation(len(qty))[: round(spec["filled_orders"] * orders.part)]
        return np.where(np.isin(np.arange(len(qty)), chosen), qty, 0)
    if "filled" not in spec:
        return qty
    worth = orders.base[orders.instrument] * factor * (1.0 + orders.side * spec.get("edge", 0.0)) * unit
    target = spec["filled"] * orders.part
    if "loss" in spec:  # fills are worth that much more (sold) or less (bought) at the end
        worth = orders.base[orders.instrument] * last * unit
        target -= orders.side[0] * spec["loss"] * orders.part
    filled = np.minimum(np.rint(qty * target / (qty * worth).sum()).astype(np.int64), qty)
    return _adjusted(filled, np.flatnonzero((filled > 1) & (filled < qty - 1)), worth, target)


def _adjusted(values: np.ndarray, free: np.ndarray, worth: np.ndarray, target: float) -> np.ndarray:
    """Change `free` values by one, in order, until the sum of values times worth meets the target."""
    values = values.copy()
    gap = target - float((values * worth).sum())
    step = 1 if gap > 0 else -1
    turns = int(abs(gap) // worth[free].sum()) if len(free) else 0
    values[free] += step * turns
    rest = abs(gap) - turns * worth[free].sum()
    values[free[: np.searchsorted(np.cumsum(worth[free]), rest, "right")]] += step
    return values


def _fill_prices(
    recipe: Recipe, orders: Orders, filled: np.ndarray, marks: np.ndarray, end: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Prices of the fills and marks at the end, in ticks, that give the reported loss."""
    spec, tick = recipe.spec, recipe.tick
    signed = orders.side * filled
    if "fill_price" in spec:
        return np.full(len(marks), round(spec["fill_price"] / tick)), end.astype(np.int64)
    if "loss" not in spec:
        return np.rint(marks * (1.0 + orders.side * spec.get("edge", 0.0))).astype(np.int64), end.astype(np.int64)
    target = spec["loss"] * orders.part / (tick * recipe.unit)
    if spec.get("loss_through") == "end":
        price = marks
        end = np.rint(end + ((signed * (price - end[orders.instrument])).sum() - target) / max(abs(signed.sum()), 1))
    else:
        open_loss = (signed * (marks - end[orders.instrument])).sum()
        price = np.rint(marks * (1.0 + orders.side * (target - open_loss) / (filled * marks).sum()))
    inner = np.flatnonzero(filled)[1:-1]  # the first and the last stay
    towards = _adjusted(np.zeros(len(price)), inner, filled.astype(float), target - _loss(signed, price, end, orders))
    return (price + orders.side * towards).astype(np.int64), end.astype(np.int64)


def _loss(signed: np.ndarray, price: np.ndarray, end: np.ndarray, orders: Orders) -> float:
    return float((signed * (price - end[orders.instrument])).sum())


# ---------------------------------------------------------------------- prices over time


def _paths(recipe: Recipe, length: int) -> tuple[Callable[[ArrayLike], np.ndarray], list[tuple[int, float]]]:
    """Mark as a multiple of its first value: a function of nanoseconds during the orders, and points after them."""
    spec = recipe.spec
    points = [[0, 0.0], *spec.get("path", [])]
    at, moves = np.array(points, float).T

    def path(ns: ArrayLike) -> np.ndarray:
        return np.asarray(1.0 + np.interp(np.asarray(ns) / SECOND, at, moves))

    last = float(path(length))
    after = [
        (length + round(seconds * SECOND), last if move is None else 1.0 + move)
        for seconds, move in spec.get("after", STILL)
    ]
    return path, after


def _price_block(
    recipe: Recipe,
    orders: Orders,
    path: Callable[[ArrayLike], np.ndarray],
    after: list[tuple[int, float]],
    end: np.ndarray,
) -> dict[str, np.ndarray]:
    """PRICE events of every instrument: at the start, during moves, and at the end."""
    spec = recipe.spec
    length = int(orders.done.max())
    turns = [seconds * SECOND for seconds, _ in spec.get("path", []) if seconds * SECOND <= length]
    during = np.union1d(np.linspace(0, length, MARKS + 1).astype(np.int64), np.array(turns, np.int64))
    moving = bool(np.ptp(path(during)))
    times = during if moving else np.zeros(1, np.int64)
    factors = path(times)
    ends = np.array([length, *(time for time, _ in after)])
    moves = np.array([float(path(length)), *(factor for _, factor in after)])
    later = np.unique(np.linspace(length, ends[-1], MARKS // 2 + 1)[1:].astype(np.int64)) if np.ptp(moves) else ends[1:]
    times = np.concatenate([times, later])
    factors = np.concatenate([factors, np.interp(later, ends, moves)])
    prices = np.maximum(np.rint(np.outer(factors, orders.base) / recipe.tick), 1).astype(np.int64)
    prices[-1] = end
    width = len(orders.base)
    return {
        "ts": np.repeat(times, width),
        "kind": np.full(prices.size, EventKind.PRICE),
        "account": np.full(prices.size, -1),
        "instrument": np.tile(np.arange(width), len(times)),
        "price": prices.ravel(),
    }


# ---------------------------------------------------------------------- columns


def _order_blocks(
    recipe: Recipe, orders: Orders, qty: np.ndarray, filled: np.ndarray, price: np.ndarray
) -> list[dict[str, Any]]:
    """Parents, orders, fills and cancels; "order" and "parent" count from the first parent, `_sorted` renumbers them."""
    spec = recipe.spec
    blocks: list[dict[str, Any]] = []
    families = spec.get("parents", 0)
    if families:
        code = np.arange(families) % spec["instruments"]
        lots = np.full(families, spec.get("parent_quantity", 0))
        if "basket" in spec:
            weight = recipe.rng.lognormal(0.0, 0.8, families)
            worth = orders.base[code] * recipe.unit
            lots = np.rint(spec["basket"] * weight / weight.sum() / worth).astype(np.int64)
            lots = _adjusted(lots, np.arange(families), worth, spec["basket"])
        side = np.where(code < spec["split"][0], 1, -1) if spec["side"] == "split" else _constant_side(spec, families)
        limit = np.rint(orders.base[code] / recipe.tick)
        blocks.append(_block(EventKind.ORDER, 0, code, side, lots, limit, np.arange(families)))
    limits = np.full(len(qty), MISSING) if spec.get("market") else price
    if "order_price" in spec:
        limits = np.full(len(qty), round(spec["order_price"] / recipe.tick))
    numbers = families + np.arange(len(qty))
    blocks.append(_block(EventKind.ORDER, orders.sent, orders.instrument, orders.side, qty, limits, numbers))
    if families:
        blocks[-1]["parent"] = orders.parent
    rows = np.flatnonzero(filled)
    fields = (orders.done, orders.instrument, orders.side, filled, price, numbers)
    blocks.append(_block(EventKind.FILL, *(field[rows] for field in fields)))
    if spec.get("cancelled"):
        rest = np.flatnonzero(filled < qty)
        none = np.zeros(len(rest), np.int64)
        blocks.append(
            _block(EventKind.CANCEL, orders.done[rest], orders.instrument[rest], none, none, MISSING, numbers[rest])
        )
    return blocks


def _constant_side(spec: Mapping[str, Any], count: int) -> np.ndarray:
    return np.full(count, 1 if spec["side"] == "buy" else -1)


def _block(kind: EventKind, ts: Any, instrument: Any, side: Any, qty: Any, price: Any, order: Any) -> dict[str, Any]:
    size = len(order)
    fields = {"ts": ts, "kind": int(kind), "account": 0, "instrument": instrument}
    fields |= {"side": side, "qty": qty, "price": price, "order": order}
    return {name: np.broadcast_to(np.asarray(field).astype(np.int64), size) for name, field in fields.items()}


def _sorted(blocks: list[dict[str, Any]], start: int) -> dict[str, np.ndarray]:
    """Blocks merged by time; at equal times prices, then parents, orders, fills and cancels."""
    size = sum(len(block["ts"]) for block in blocks)
    first = len(blocks[0]["ts"])  # price rows, after which orders are numbered

    def column(name: str, absent: int, dtype: str) -> np.ndarray:
        parts = [np.asarray(block.get(name, np.full(len(block["ts"]), absent))) for block in blocks]
        return np.concatenate(parts).astype(dtype)

    ts = column("ts", 0, "<i8") + start
    by_time = np.argsort(ts, kind="stable")
    new_rows = np.empty(size + 1, np.int64)
    new_rows[by_time], new_rows[-1] = np.arange(size), -1
    columns = {"ts": ts[by_time]}
    types = {"kind": "<i1", "account": "<i4", "instrument": "<i4", "side": "<i1", "qty": "<i8", "price": "<i8"}
    for name, dtype in types.items():
        columns[name] = column(name, 0, dtype)[by_time]
    columns["pair"] = np.where(columns["account"] == 0, columns["instrument"], -1).astype("<i4")
    for name in ("order", "parent"):
        if any(name in block for block in blocks):
            links = column(name, -1, "<i8")
            columns[name] = new_rows[np.where(links >= 0, links + first, size)][by_time]
    return columns
