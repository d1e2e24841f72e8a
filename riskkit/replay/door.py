"""The door: a frame of what people have becomes integer columns, whole or not at all.

Floats, strings, Timestamps and Decimals come in; whole ticks, lots, quanta and nanoseconds go on. What does not fit
is refused with one sentence that names the row and the column. The policies that keep a bad row instead
(`on_bad_order="flag"`, `ts_policy`) mark it in the column ``flags``; nothing is dropped in silence.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from riskkit._check import InputError, one_of
from riskkit.replay.columns import MISSING, OPTIONAL, REQUIRED, RETURN_UNIT, Command, Flag, Flow, Kind
from riskkit.replay.universe import Account, Instrument, Universe, common_unit, exact

__all__ = ["FRAME_COLUMNS", "check_bounds", "columns_from_frame", "infer_instruments"]

FRAME_COLUMNS: dict[str, str] = {
    "ts": "time: Timestamp, or int64 nanoseconds since the epoch",
    "kind": "order, modify, cancel, fill, price, ack, error, cash, equity, trade, execution, clock, session, control",
    "account": "label of the account",
    "instrument": "label of the instrument",
    "side": "B or S (buy, sell, +1, -1); long or short of a trade",
    "qty": "quantity, above zero",
    "price": "limit price, fill price, last price",
    "type": "limit (default) or market: a market order has no price",
    "order_id": "id of an order; on a fill, modify or cancel the order that it belongs to",
    "trade_id": "id of a fill; a second fill of an account with the same id is a duplicate",
    "fee": "fee of a fill, in money",
    "bid": "best bid of a price event",
    "ask": "best ask of a price event",
    "strategy": "label of the strategy",
    "connection": "label of the login that a message came through",
    "parent_id": "order_id of the parent order",
    "batch": "orders with one batch id are one list, decided together",
    "children": "how many messages a modify stands for",
    "reduce_only": "True: the order may only reduce a position",
    "reserve": "the highest price that a buy may be moved to",
    "expires": "when a working order lapses",
    "amount": "money of a cash event, negative for a withdrawal",
    "flow": "deposit (default), fee, funding or dividend: what a cash event is",
    "equity": "equity of an account, given from outside",
    "pnl": "profit of a closed trade, in money",
    "ret": "return of a closed trade, as a fraction",
    "exit": "stop_loss or any other word: why a trade was closed",
    "cmd": "ACTIVE, REDUCING, HALTED, PAUSE, RESUME or RESET",
}

SIDES = {"B": 1, "BUY": 1, "LONG": 1, "S": -1, "SELL": -1, "SHORT": -1, "1": 1, "-1": -1, "+1": 1}
MAXIMUM = 2**62
MOST_DECIMALS = 9
HAS_ACCOUNT = (Kind.ORDER, Kind.MODIFY, Kind.CANCEL, Kind.FILL, Kind.ACK, Kind.ERROR, Kind.CASH, Kind.EQUITY)
HAS_ACCOUNT += (Kind.TRADE, Kind.EXECUTION)
HAS_INSTRUMENT = (Kind.ORDER, Kind.MODIFY, Kind.CANCEL, Kind.FILL, Kind.PRICE, Kind.TRADE)
HAS_SIDE = (Kind.ORDER, Kind.FILL, Kind.TRADE)


class _Frame:
    """The frame under conversion: typed access to its columns and sentences that name a row."""

    def __init__(self, frame: pd.DataFrame) -> None:
        if not isinstance(frame, pd.DataFrame):
            raise InputError(f"frame is a {type(frame).__name__}; give a pandas DataFrame with a row for each event")
        unknown = [str(name) for name in frame.columns if name not in FRAME_COLUMNS]
        if unknown:
            close = difflib.get_close_matches(unknown[0], FRAME_COLUMNS, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"known columns are {', '.join(FRAME_COLUMNS)}"
            raise InputError(f"column {unknown[0]!r} is not known; {hint}")
        for name in ("ts", "kind"):
            if name not in frame.columns:
                raise InputError(f"column {name!r} is missing: {FRAME_COLUMNS[name]}")
        self.frame = frame
        self.size = len(frame)

    def has(self, name: str) -> bool:
        return name in self.frame.columns

    def values(self, name: str) -> Any:
        return self.frame[name].to_numpy()

    def missing(self, name: str) -> np.ndarray:
        """Where a column has no value (everywhere if there is no such column)."""
        if not self.has(name):
            return np.ones(self.size, bool)
        return self.frame[name].isna().to_numpy()

    def refuse(self, rows: np.ndarray, name: str, why: str) -> None:
        """Raise a sentence for the first of `rows` (a mask), if there is any."""
        if rows.any():
            row = int(np.flatnonzero(rows)[0])
            came = self.frame[name].iloc[row] if self.has(name) else "nothing"
            came = came.item() if isinstance(came, np.generic) else came
            raise InputError(f"row {row}, column {name!r}: {came!r} {why}")


def infer_instruments(frame: pd.DataFrame) -> list[Instrument]:
    """Propose an instrument for each label in a frame: the fewest decimals that hold its prices and quantities.

    Parameters
    ----------
    frame : DataFrame
        Events as `EventLog.from_frame` takes them.

    Returns
    -------
    list of Instrument
        In order of first appearance, with ticks and lots that are powers of ten, at most 1. Look at them: a
        sample shows what occurred, not what the exchange allows.

    Raises
    ------
    InputError
        Where a number needs more than nine decimals.

    Examples
    --------
    >>> frame = pd.DataFrame({"ts": [1], "kind": ["price"], "instrument": ["ES"], "price": [4500.25]})
    >>> infer_instruments(frame)[0].tick
    Fraction(1, 100)
    """
    source = _Frame(frame)
    if not source.has("instrument"):
        return []
    codes, labels = pd.factorize(frame["instrument"])
    ticks = _decimals(source, ("price", "bid", "ask", "reserve"), codes, len(labels))
    lots = _decimals(source, ("qty",), codes, len(labels))
    return [
        Instrument(str(label), Fraction(1, 10 ** int(ticks[i])), Fraction(1, 10 ** int(lots[i])))
        for i, label in enumerate(labels)
    ]


def _decimals(source: _Frame, names: Iterable[str], codes: np.ndarray, count: int) -> np.ndarray:
    """Decimals needed by each instrument in the named columns."""
    needed = np.zeros(count, np.int64)
    for name in names:
        if not source.has(name):
            continue
        numbers = pd.to_numeric(source.frame[name], errors="coerce").to_numpy(float)
        for digits in range(MOST_DECIMALS + 2):
            with np.errstate(invalid="ignore"):
                scaled = numbers * 10.0**digits
                off = np.abs(scaled - np.rint(scaled)) > 1e-9 + np.abs(scaled) * 1e-15
            rows = off & (codes >= 0)
            if not rows.any():
                break
            if digits > MOST_DECIMALS:
                source.refuse(rows, name, f"needs more than {MOST_DECIMALS} decimals; declare its instrument instead")
            np.maximum.at(needed, codes[rows], digits + 1)
    return needed


def columns_from_frame(
    frame: pd.DataFrame,
    instruments: Sequence[Instrument] | None,
    accounts: Sequence[Account | str],
    quanta: Mapping[str, Any] | None,
    tz: str,
    on_bad_order: str,
    ts_policy: str,
) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray, Universe]:
    """Convert a frame: its columns, the accounts and instruments of its pairs, and its universe."""
    one_of(on_bad_order, ("raise", "flag"), "on_bad_order")
    one_of(ts_policy, ("raise", "reject", "clamp", "sort"), "ts_policy")
    source = _Frame(frame)
    stamps = _timestamps(source, "ts", tz)
    if ts_policy == "sort":
        order = np.argsort(stamps, kind="stable")
        source = _Frame(frame.iloc[order].reset_index(drop=True))
        stamps = stamps[order]
    kind = _kinds(source)
    flags = np.zeros(source.size, np.int64)
    stamps = _in_order(source, stamps, ts_policy, flags)
    declared = list(infer_instruments(frame) if instruments is None else instruments)
    account, account_labels = _codes(source, "account", kind, HAS_ACCOUNT, [_label(a) for a in accounts])
    instrument, labels = _codes(source, "instrument", kind, HAS_INSTRUMENT, [i.id for i in declared])
    if len(labels) > len(declared):
        known = ", ".join(i.id for i in declared[:5])
        row = int(np.flatnonzero(instrument == len(declared))[0])
        raise InputError(f"row {row}, column 'instrument': {labels[len(declared)]!r} is not declared ({known}, ...)")
    opened = {_label(a): a for a in accounts if isinstance(a, Account)}
    strategy, strategies = _optional_codes(source, "strategy")
    connection, connections = _optional_codes(source, "connection")
    universe = Universe(
        tuple(declared),
        tuple(opened.get(label, Account(label)) for label in account_labels),
        _quanta(source, declared, opened.values(), quanta),
        strategies,
        connections,
    )
    _one_currency(universe, account, instrument, kind)

    columns = {
        "ts": stamps,
        "kind": kind,
        "account": account,
        "instrument": instrument,
        "side": _sides(source, kind),
        "strategy": strategy,
        "connection": connection,
    }
    columns["qty"] = _quantities(source, kind, instrument, declared, on_bad_order, flags)
    columns["price"] = _prices(source, kind, instrument, declared, on_bad_order, flags)
    for name in ("bid", "ask", "reserve"):
        rows = (kind == Kind.ORDER) if name == "reserve" else (kind == Kind.PRICE)
        columns[name] = _optional_price(source, name, rows, instrument, declared)
    _money_events(source, kind, columns, flags, universe)
    columns["order"] = _orders(source, kind, account, instrument)
    columns["parent"] = _parents(source, kind, columns["order"])
    columns["batch"] = _batches(source, kind)
    columns["weight"] = _weights(source, kind, columns["batch"])
    columns["trade_id"] = _trade_ids(source, kind, account, flags)
    columns["expires"] = _timestamps(source, "expires", tz) if source.has("expires") else np.full(source.size, MISSING)
    if source.has("reduce_only"):
        marked = source.frame["reduce_only"].fillna(False).astype(bool).to_numpy()
        flags[marked & (kind == Kind.ORDER)] |= int(Flag.REDUCE_ONLY)
    columns["flags"] = flags
    columns["pair"], pair_account, pair_instrument = _pairs(account, instrument, len(declared))
    check_bounds(columns, universe)
    return _typed(columns), pair_account, pair_instrument, universe


def _label(account: Account | str) -> str:
    return account.id if isinstance(account, Account) else str(account)


def _typed(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Cast to the column types; an optional column that says nothing is left out."""
    typed = {name: np.ascontiguousarray(columns[name], dtype) for name, dtype in REQUIRED.items()}
    for name, (dtype, absent) in OPTIONAL.items():
        if name in columns and (columns[name] != absent).any():
            typed[name] = np.ascontiguousarray(columns[name], dtype)
    return typed


def _timestamps(source: _Frame, name: str, tz: str) -> np.ndarray:
    series = source.frame[name]
    if pd.api.types.is_bool_dtype(series) or pd.api.types.is_float_dtype(series):
        raise InputError(
            f"column {name!r} is {series.dtype}; times are Timestamps or integer nanoseconds since the epoch"
        )
    if pd.api.types.is_integer_dtype(series):
        source.refuse(series.isna().to_numpy(), name, "is not a time")
        return series.to_numpy(np.int64)
    try:
        times = pd.to_datetime(series)
        times = times.dt.tz_localize(tz) if times.dt.tz is None else times
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(f"column {name!r} does not hold times: {error}") from None
    if name == "ts":
        source.refuse(times.isna().to_numpy(), name, "is not a time")
    nanoseconds = times.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy().astype("datetime64[ns]").astype(np.int64)
    return np.where(times.isna().to_numpy(), MISSING, nanoseconds)


def _in_order(source: _Frame, stamps: np.ndarray, policy: str, flags: np.ndarray) -> np.ndarray:
    latest = np.maximum.accumulate(stamps) if len(stamps) else stamps
    late = stamps < latest
    if policy == "clamp":
        return latest
    if policy == "reject":
        flags[late] |= int(Flag.BAD_TS)
    elif late.any():
        why = "is earlier than the row before it; sort the frame, or say ts_policy='reject', 'clamp' or 'sort'"
        source.refuse(late, "ts", why)
    return stamps


def _kinds(source: _Frame) -> np.ndarray:
    codes, words = pd.factorize(source.frame["kind"])
    known = {kind.name.lower(): int(kind) for kind in Kind if kind not in (Kind.MARK, Kind.EXPIRY)}
    table = np.array([known.get(str(word).lower(), -1) for word in words] + [-1], np.int64)
    kind = table[codes]
    source.refuse(kind < 0, "kind", f"is not a kind of event; kinds are {', '.join(known)}")
    return kind


def _codes(
    source: _Frame, name: str, kind: np.ndarray, needed_by: tuple[Kind, ...], declared: list[str]
) -> tuple[np.ndarray, list[str]]:
    """Dense codes of a label column: the declared labels first, then others as they come."""
    needs = np.isin(kind, needed_by)
    if not source.has(name):
        source.refuse(needs, name, f"came where the column is needed: {FRAME_COLUMNS[name]}")
        return np.full(source.size, -1), declared
    source.refuse(source.missing(name) & needs, name, f"is not a label: {FRAME_COLUMNS[name]}")
    codes, found = pd.factorize(source.frame[name])
    index = {label: code for code, label in enumerate(declared)}
    table = np.array([index.setdefault(str(label), len(index)) for label in found] + [-1], np.int64)
    return table[codes], list(index)


def _optional_codes(source: _Frame, name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    if not source.has(name):
        return np.full(source.size, -1), ()
    owner = source.frame["account"].astype(str) if source.has("account") else ""
    labels = (owner + "/" + source.frame[name].astype(str)).where(source.frame[name].notna())
    codes, found = pd.factorize(labels)
    return codes, tuple(map(str, found))


def _sides(source: _Frame, kind: np.ndarray) -> np.ndarray:
    needs = np.isin(kind, HAS_SIDE)
    if not source.has("side"):
        source.refuse(needs, "side", "came where a side is needed: B or S")
        return np.zeros(source.size, np.int64)
    codes, words = pd.factorize(source.frame["side"])
    table = np.array([SIDES.get(_side_word(word), 0) for word in words] + [0], np.int64)
    side = table[codes]
    source.refuse(needs & (side == 0), "side", "is not a side; use B or S")
    return np.where(needs | (kind == Kind.MODIFY), side, 0)


def _side_word(word: Any) -> str:
    if isinstance(word, (float, np.floating)) and float(word).is_integer():
        word = int(word)
    return str(word).strip().upper()


def _whole(source: _Frame, name: str, rows: np.ndarray, units: Sequence[Fraction], code: np.ndarray) -> Any:
    """Count a column in units (one for each code): whole numbers, and masks of what is off and what is no number."""
    count = np.zeros(source.size, np.int64)
    off = np.zeros(source.size, bool)
    bad = np.zeros(source.size, bool)
    at = np.flatnonzero(rows)
    if not len(at):
        return count, off, bad
    series = source.frame[name].iloc[at]
    if pd.api.types.is_bool_dtype(series):
        source.refuse(rows, name, "is not a number")
    if pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_object_dtype(series):
        size = np.array([float(unit) for unit in units])[code[at]]
        number = series.to_numpy(float, na_value=np.nan)
        with np.errstate(invalid="ignore", over="ignore"):
            steps = number / size
            nearest = np.rint(steps)
            wrong = ~np.isfinite(steps)
            uneven = np.abs(steps - nearest) > 1e-9 + np.abs(nearest) * 1e-15
        large = ~wrong & (np.abs(nearest) >= 2.0**53)
        if large.any():
            source.refuse(_spread(source.size, at[large]), name, "is too large to be exact as a float; give a string")
        count[at] = np.where(wrong, 0, nearest).astype(np.int64)
        off[at] = uneven & ~wrong
        bad[at] = wrong
        return count, off, bad
    keys, pairs = pd.factorize(pd.MultiIndex.from_arrays([code[at], series.astype(object).to_numpy()]))
    counts, offs, bads = [], [], []
    for unit_code, value in pairs:
        number_read = _read(value)
        if number_read is None:
            counts.append(0), offs.append(False), bads.append(True)
            continue
        ratio = number_read / units[unit_code]
        nearest_whole = round(ratio)
        counts.append(nearest_whole if abs(nearest_whole) < MAXIMUM else 0)
        offs.append(ratio.denominator != 1)
        bads.append(abs(nearest_whole) >= MAXIMUM)
    count[at], off[at], bad[at] = np.array(counts)[keys], np.array(offs)[keys], np.array(bads)[keys]
    return count, off, bad


def _spread(size: int, rows: np.ndarray) -> np.ndarray:
    mask = np.zeros(size, bool)
    mask[rows] = True
    return mask


def _read(value: Any) -> Fraction | None:
    if isinstance(value, str):
        return None if _strange(value) else exact(value, "number")
    try:
        return exact(value, "number")
    except InputError:
        return None


def _strange(text: str) -> bool:
    try:
        exact(text, "number")
    except InputError:
        return True
    return False


def _quantities(
    source: _Frame, kind: np.ndarray, code: np.ndarray, declared: list[Instrument], policy: str, flags: np.ndarray
) -> np.ndarray:
    order, fill, modify = kind == Kind.ORDER, kind == Kind.FILL, kind == Kind.MODIFY
    missing = source.missing("qty")
    rows = (order | fill | modify) & ~missing
    lots = [instrument.lot for instrument in declared] or [Fraction(1)]
    count, off, bad = _whole(source, "qty", rows, lots, code)
    bad |= (order | fill) & missing
    bad |= (rows & ~bad & ~off & (count <= 0) & ~modify) | (rows & (count < 0))
    judged = order if policy == "flag" else np.zeros(source.size, bool)
    source.refuse(bad & ~judged, "qty", "is not a quantity; a quantity is a number above zero")
    if (off & ~judged).any():
        row = int(np.flatnonzero(off & ~judged)[0])
        label = declared[code[row]]
        source.refuse(
            _spread(source.size, np.array([row])), "qty", f"is not a multiple of the lot {label.lot} of {label.id}"
        )
    flags[bad & judged] |= int(Flag.BAD_QTY)
    flags[off & judged] |= int(Flag.OFF_LOT)
    return np.where(bad, 0, count)


def _prices(
    source: _Frame, kind: np.ndarray, code: np.ndarray, declared: list[Instrument], policy: str, flags: np.ndarray
) -> np.ndarray:
    order, fill = kind == Kind.ORDER, kind == Kind.FILL
    price, modify = kind == Kind.PRICE, kind == Kind.MODIFY
    missing = source.missing("price")
    market = _market(source, kind)
    source.refuse(market & ~missing, "price", "is the price of a market order; leave it empty")
    quoted = price & ~(source.missing("bid") & source.missing("ask"))
    rows = (order | fill | price | modify) & ~missing
    ticks = [instrument.tick for instrument in declared] or [Fraction(1)]
    count, off, bad = _whole(source, "price", rows, ticks, code)
    bad |= ((order & ~market) | fill | (price & ~quoted)) & missing
    negative = np.array([instrument.negative_price for instrument in declared] + [True])[code]
    low = rows & ~bad & ~off & (count <= 0) & ~negative
    judged = order if policy == "flag" else np.zeros(source.size, bool)
    why = "is not a price; a price is a finite number (a market order says type='market')"
    source.refuse(bad & ~judged, "price", why)
    source.refuse(low & ~judged, "price", "is not above zero; declare the instrument with negative_price=True")
    if (off & ~judged).any():
        row = int(np.flatnonzero(off & ~judged)[0])
        label = declared[code[row]]
        source.refuse(_spread(source.size, np.array([row])), "price", f"is not on the tick {label.tick} of {label.id}")
    flags[(bad | low) & judged] |= int(Flag.BAD_PRICE)
    flags[off & judged] |= int(Flag.OFF_TICK)
    return np.where(rows & ~bad, count, MISSING)


def _market(source: _Frame, kind: np.ndarray) -> np.ndarray:
    if not source.has("type"):
        return np.zeros(source.size, bool)
    words = source.frame["type"].fillna("limit").astype(str).str.lower()
    source.refuse(~words.isin(["limit", "market"]).to_numpy(), "type", "is not limit or market")
    return (words == "market").to_numpy() & (kind == Kind.ORDER)


def _optional_price(
    source: _Frame, name: str, rows: np.ndarray, code: np.ndarray, declared: list[Instrument]
) -> np.ndarray:
    rows = rows & ~source.missing(name)
    ticks = [instrument.tick for instrument in declared] or [Fraction(1)]
    count, off, bad = _whole(source, name, rows, ticks, code)
    source.refuse(bad, name, "is not a price; a price is a finite number")
    source.refuse(off, name, "is not on the tick of its instrument")
    return np.where(rows, count, MISSING)


def _quanta(
    source: _Frame, instruments: list[Instrument], accounts: Iterable[Account], given: Mapping[str, Any] | None
) -> dict[str, Fraction]:
    """One quantum for all currencies: as declared, else the largest in which nothing needs rounding."""
    currencies = list(dict.fromkeys([i.currency for i in instruments] + [c for a in accounts for c in a.cash])) or [
        "USD"
    ]
    if given is not None:
        quanta = {str(c): exact(q, f"quanta[{c!r}]") for c, q in given.items()}
        absent = [c for c in currencies if c not in quanta]
        if absent:
            raise InputError(f"quanta has no entry for {absent[0]!r}; give one for each of {', '.join(currencies)}")
        if len(set(quanta.values())) > 1:
            raise InputError(f"quanta differ ({given!r}); limits in money need one quantum for all currencies")
        return quanta
    amounts = [i.tick * i.lot * i.multiplier for i in instruments]
    amounts += [exact(v, "cash") for a in accounts for v in a.cash.values()]
    for name in ("amount", "equity", "pnl", "fee"):
        if source.has(name):
            amounts += [_amount(value, name) for value in source.frame[name].dropna().unique()]
    return dict.fromkeys(currencies, common_unit(amounts))


def _amount(value: Any, name: str) -> Fraction:
    return exact(value, f"column {name!r}: {value!r} as money")


def _one_currency(universe: Universe, account: np.ndarray, instrument: np.ndarray, kind: np.ndarray) -> None:
    """Refuse an account that would mix currencies: without exchange rates its balance has no meaning."""
    used: dict[int, set[str]] = {}
    for code, opened in enumerate(universe.accounts):
        used[code] = set(opened.cash)
    both = (account >= 0) & (instrument >= 0)
    for a, i in {*zip(account[both].tolist(), instrument[both].tolist(), strict=True)}:
        used[a].add(universe.instruments[i].currency)
    for code, currencies in used.items():
        if len(currencies) > 1:
            label = universe.accounts[code].id
            names = " and ".join(sorted(currencies))
            raise InputError(f"account {label!r} mixes {names}; split it into one account for each currency")


def _money(source: _Frame, name: str, rows: np.ndarray, quantum: Fraction) -> np.ndarray:
    count, off, bad = _whole(source, name, rows, [quantum], np.zeros(source.size, np.int64))
    source.refuse(bad, name, "is not an amount of money")
    source.refuse(off, name, f"is not a multiple of the currency's quantum {quantum}")
    return count


def _money_events(
    source: _Frame, kind: np.ndarray, columns: dict[str, np.ndarray], flags: np.ndarray, universe: Universe
) -> None:
    """CASH, EQUITY, TRADE and CONTROL carry what they say in qty, price and side; fills carry fees."""
    quantum = universe.quantum
    for word, name in ((Kind.CASH, "amount"), (Kind.EQUITY, "equity"), (Kind.TRADE, "pnl")):
        rows = kind == word
        if word is not Kind.TRADE:
            source.refuse(
                rows & source.missing(name), name, f"is not an amount of money; {word.name.lower()} needs one"
            )
        rows &= ~source.missing(name)
        columns["qty"] = np.where(rows, _money(source, name, rows, quantum), columns["qty"])
    cash = kind == Kind.CASH
    columns["side"] = np.where(cash, _words(source, "flow", cash, Flow, Flow.DEPOSIT), columns["side"])
    control = kind == Kind.CONTROL
    source.refuse(
        control & source.missing("cmd"), "cmd", f"is not a command; commands are {', '.join(Command.__members__)}"
    )
    columns["side"] = np.where(control, _words(source, "cmd", control, Command, Command.ACTIVE), columns["side"])
    trade = (kind == Kind.TRADE) & ~source.missing("ret")
    returns, off, bad = _whole(source, "ret", trade, [Fraction(1, RETURN_UNIT)], np.zeros(source.size, np.int64))
    source.refuse(bad | off, "ret", "is not a return with at most nine decimals")
    columns["price"] = np.where(kind == Kind.TRADE, returns, columns["price"])
    if source.has("exit"):
        flags[(kind == Kind.TRADE) & (source.frame["exit"] == "stop_loss").to_numpy()] |= int(Flag.STOP_LOSS)
    fees = (kind == Kind.FILL) & ~source.missing("fee")
    columns["fee"] = _money(source, "fee", fees, quantum)


def _words(source: _Frame, name: str, rows: np.ndarray, known: Any, absent: int) -> np.ndarray:
    if not source.has(name):
        return np.full(source.size, int(absent))
    codes, words = pd.factorize(source.frame[name])
    names = known.__members__
    table = np.array([int(names.get(str(word).upper(), -1)) for word in words] + [int(absent)], np.int64)
    found = table[codes]
    source.refuse(rows & (found < 0), name, f"is not one of {', '.join(names)}")
    return found


def _orders(source: _Frame, kind: np.ndarray, account: np.ndarray, instrument: np.ndarray) -> np.ndarray:
    """The row of the order that each event belongs to; a named order belongs to itself."""
    order = np.full(source.size, -1, np.int64)
    named = np.isin(kind, (Kind.MODIFY, Kind.CANCEL))
    if not source.has("order_id"):
        source.refuse(named, "order_id", "came where the order must be named")
        return order
    source.refuse(named & source.missing("order_id"), "order_id", "does not name the order")
    codes, _ = pd.factorize(source.frame["order_id"])
    is_order = (kind == Kind.ORDER) & (codes >= 0)
    rows = np.flatnonzero(is_order)
    first = np.full(int(codes.max(initial=-1)) + 2, -1, np.int64)
    first[codes[rows[::-1]]] = rows[::-1]
    again = is_order & (first[codes] != np.arange(source.size))
    if again.any():
        row = int(np.flatnonzero(again)[0])
        source.refuse(
            again, "order_id", f"is used already by the order of row {int(first[codes[row]])}; ids are unique"
        )
    refers = np.isin(kind, (Kind.MODIFY, Kind.CANCEL, Kind.FILL)) & (codes >= 0)
    target = first[codes]
    source.refuse(refers & (target < 0), "order_id", "names an order that is not in the frame")
    source.refuse(refers & (target > np.arange(source.size)), "order_id", "names an order that comes later")
    same = (account[target] == account) & (instrument[target] == instrument)
    source.refuse(refers & ~same, "order_id", "names an order of another account or instrument")
    order[is_order | refers] = target[is_order | refers]
    return order


def _parents(source: _Frame, kind: np.ndarray, order: np.ndarray) -> np.ndarray:
    parent = np.full(source.size, -1, np.int64)
    if not source.has("parent_id"):
        return parent
    index = {source.frame["order_id"].iloc[row]: row for row in np.flatnonzero((kind == Kind.ORDER) & (order >= 0))}
    named = (kind == Kind.ORDER) & ~source.missing("parent_id")
    for row in np.flatnonzero(named):
        found = index.get(source.frame["parent_id"].iloc[row], -1)
        if found < 0 or found >= row:
            source.refuse(_spread(source.size, np.array([row])), "parent_id", "does not name an earlier order")
        parent[row] = found
    return parent


def _batches(source: _Frame, kind: np.ndarray) -> np.ndarray:
    """The first row of the list that an order belongs to; the orders of one list stand together."""
    batch = np.full(source.size, -1, np.int64)
    if not source.has("batch"):
        return batch
    codes, _ = pd.factorize(source.frame["batch"])
    member = (kind == Kind.ORDER) & (codes >= 0)
    source.refuse(~member & (codes >= 0), "batch", "is on an event that is not an order")
    rows = np.flatnonzero(member)
    first: dict[int, int] = {}
    previous: dict[int, int] = {}
    for row in rows.tolist():
        code = int(codes[row])
        if code in previous and previous[code] != row - 1:
            source.refuse(_spread(source.size, np.array([row])), "batch", "is not next to the other orders of its list")
        batch[row] = first.setdefault(code, row)
        previous[code] = row
    return batch


def _weights(source: _Frame, kind: np.ndarray, batch: np.ndarray) -> np.ndarray:
    """How many messages an event counts for: a list weighs its length once, at its first order."""
    weight = np.ones(source.size, np.int64)
    if source.has("children"):
        given = source.frame["children"].fillna(1).to_numpy()
        rows = kind == Kind.MODIFY
        source.refuse(rows & (given < 1), "children", "is not a number of messages above zero")
        weight[rows] = given[rows].astype(np.int64)
    members = batch >= 0
    if members.any():
        weight[members] = 0
        starts, sizes = np.unique(batch[members], return_counts=True)
        weight[starts] = sizes
    return weight


def _trade_ids(source: _Frame, kind: np.ndarray, account: np.ndarray, flags: np.ndarray) -> np.ndarray:
    """Codes of trade ids; a fill whose account has had the id before is flagged as a duplicate."""
    if not source.has("trade_id"):
        return np.full(source.size, -1)
    codes, _ = pd.factorize(source.frame["trade_id"])
    fills = (kind == Kind.FILL) & (codes >= 0) & (flags & int(Flag.BAD_TS) == 0)
    seen = pd.DataFrame({"account": account[fills], "trade": codes[fills]}).duplicated().to_numpy()
    flags[np.flatnonzero(fills)[seen]] |= int(Flag.DUPLICATE)
    return np.where(kind == Kind.FILL, codes, -1)


def _pairs(account: np.ndarray, instrument: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Dense codes of the (account, instrument) pairs that occur, in order of first appearance."""
    pair = np.full(len(account), -1, np.int64)
    both = (account >= 0) & (instrument >= 0)
    if not both.any():
        return pair, np.zeros(0, np.int32), np.zeros(0, np.int32)
    codes, keys = pd.factorize(account[both].astype(np.int64) * width + instrument[both])
    pair[both] = codes
    return pair, (keys // width).astype(np.int32), (keys % width).astype(np.int32)


def check_bounds(columns: Mapping[str, np.ndarray], universe: Universe) -> None:
    """Refuse a log whose products or balances could leave 64 bits; nothing in the loop can check that any more."""
    kind, qty, price = columns["kind"], columns["qty"], columns["price"]
    ratios = [universe.ratio(instrument) for instrument in universe.instruments]
    for instrument, ratio in zip(universe.instruments, ratios, strict=True):
        if ratio.numerator >= MAXIMUM or ratio.denominator >= 2**30:
            quantum = universe.quantum
            raise InputError(
                f"instrument {instrument.id!r}: one lot at one tick is {ratio} quanta of {quantum}; choose a quantum near it"
            )
    scale = np.array([float(ratio.numerator) for ratio in ratios] + [0.0])
    exactly = np.array([float(ratio) for ratio in ratios] + [0.0])
    code = columns["instrument"]
    traded = np.isin(kind, (Kind.ORDER, Kind.FILL, Kind.MODIFY)) & (price != MISSING)
    notional = np.where(traded, np.abs(qty.astype(float)) * np.abs(np.where(traded, price, 0).astype(float)), 0.0)
    over = notional * scale[code] >= MAXIMUM
    if over.any():
        row = int(np.flatnonzero(over)[0])
        raise InputError(
            f"row {row}: quantity {qty[row]} x price {price[row]} could overflow 64 bits; choose a larger tick, lot or quantum"
        )
    fills = kind == Kind.FILL
    turnover = np.bincount(
        columns["account"][fills], notional[fills] * exactly[code[fills]], minlength=len(universe.accounts)
    )
    money = np.isin(kind, (Kind.CASH, Kind.EQUITY, Kind.TRADE))
    turnover += np.bincount(
        columns["account"][money], np.abs(qty[money].astype(float)), minlength=len(universe.accounts)
    )
    opening = [float(sum(exact(v, "cash") for v in a.cash.values()) / universe.quantum) for a in universe.accounts]
    reach = turnover + np.abs(np.array(opening))
    lots = np.bincount(columns["account"][fills], qty[fills].astype(float), minlength=len(universe.accounts))
    highest = np.zeros(len(ratios) + 1)
    priced = (price != MISSING) & np.isin(kind, (Kind.FILL, Kind.PRICE))
    np.maximum.at(highest, code[priced], np.abs(price[priced].astype(float)))
    reach = np.maximum(reach, lots * float((highest * scale).max(initial=0.0)))
    if (reach >= MAXIMUM / 16).any():
        label = universe.accounts[int(np.argmax(reach))].id
        raise InputError(
            f"account {label!r}: its balance could reach {reach.max():.3g} quanta and overflow 64 bits; choose a larger quantum"
        )
