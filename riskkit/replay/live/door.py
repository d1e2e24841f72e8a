"""Plain live events by label, at the price of some look-ups and one compiled call.

Plain is an event that needs no second thought: its labels are known, its numbers have been converted before, its time is in
order, its id is new, and no order lapses and no pause ends before it. `Door` writes its codes into one buffer, which the
compiled step takes (`riskkit.replay.live.compiled_step`). Every other event is UNPLAIN and left to the complete conversion
(`riskkit.replay.ingest.event`), so that refusals and their sentences have one home, and so has the meaning of a number.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterable, Mapping
from itertools import repeat
from typing import Any, Self, cast

import numpy as np

from riskkit._check import InputError
from riskkit.replay.ingest.amount import price as price_steps
from riskkit.replay.ingest.amount import quantity as quantity_steps
from riskkit.replay.ingest.event import Entries
from riskkit.replay.ingest.labels import SIDES as SIDE_WORDS
from riskkit.replay.ingest.rows import DEFAULTS, Row
from riskkit.replay.live.compiled_step import EVENT_WORDS, FILL_WORDS, ORDER_WORDS, PLACE, PLAIN_WORDS
from riskkit.replay.live.compiled_step import WORDS as EVENT_PLACE
from riskkit.replay.live.engine import Engine
from riskkit.replay.live.open_universe import OpenUniverse
from riskkit.replay.schema.columns import MISSING, EventKind, RowFlag
from riskkit.replay.schema.constants import LARGEST

UNPLAIN = -1
MOST_NUMBERS = 1 << 16  # that are remembered, of prices and of quantities
ORDER, FILL, CANCEL, MODIFY, PRICE = (
    int(kind) for kind in (EventKind.ORDER, EventKind.FILL, EventKind.CANCEL, EventKind.MODIFY, EventKind.PRICE)
)
SIZE, LATEST = PLACE["size"], PLACE["latest"]
REDUCE_ONLY = int(RowFlag.REDUCE_ONLY)
SIDES = {spelt: way for word, way in SIDE_WORDS.items() for spelt in (word, word.lower(), word.capitalize())}
pack_order, pack_fill, pack_event = (
    struct.Struct(f"={len(words)}q").pack_into for words in (ORDER_WORDS, FILL_WORDS, PLAIN_WORDS)
)
ORDER_AT, FILL_AT = (8 * EVENT_PLACE[words[0]] for words in (ORDER_WORDS, FILL_WORDS))
BEFORE = EVENT_PLACE["prev_duplicate"]
NO_IDS = repeat((None, None))  # of each event
OF_ORDER = ("account", "instrument", "side", "pair", "strategy", "connection", "flags")  # that messages on it share


class _TakenEvent(bytes):
    """The words of an event, by name."""

    def __getitem__(self, name: Any) -> int:  # type: ignore[override]
        return int(struct.unpack_from("=q", self, 8 * EVENT_PLACE[name])[0])


def taken_event(words: Any) -> Mapping[str, int]:
    """An event as a mapping of its words, each of which is unpacked when it is read."""
    return cast("Mapping[str, int]", _TakenEvent(words))


SHUT = -math.inf  # no time is before it


class Door:
    """The short way into an engine; `Session` opens it after each event that took the complete way.

    Attributes
    ----------
    kept : int
        Number of events whose ids are kept; behind the engine's size only if a call was interrupted.
    pending : iterable of tuple
        Ids of the order and of the trade of each event that is being taken.
    """

    def __init__(self, engine: Engine, entries: Entries, clamps: bool = False) -> None:
        self.engine = engine
        self._clamps = clamps  # an earlier time becomes that of the last event
        self.kept = engine.size
        self.pending: Iterable[tuple[Any, Any]] = ()
        self._due: float = SHUT  # time of the next lapse or end of a pause
        assert isinstance(entries.universe, OpenUniverse)
        self._universe = entries.universe
        self._registers, self._currencies = entries.auto_register is not None, entries.currencies
        self._orders, self._fills, self._nearest = entries.orders, entries.fills, entries.nearest
        self._lines: dict[tuple[str, str], tuple[int, int, int]] = {}  # codes of accounts, instruments and pairs
        self._origins: dict[tuple[int, str], int] = {}  # codes of strategies, by account, and of connections, by -1
        self._times: Any = None  # the first of the columns that were read last
        self._of_order: tuple[memoryview, ...] = ()
        self._lots: dict[tuple[int, Any, type], int] = {}
        self._ticks: dict[tuple[int, Any, type], int] = {}
        self._template = [DEFAULTS.get(name, 0) for name in EVENT_WORDS]
        self._template[EVENT_PLACE["prev_duplicate"]] = -1
        self._buffers = [np.array(self._template, np.int64) for _ in range(3)]  # of an order, a fill, any other event
        self._order_words, self._fill_words, self._words = (buffer.data for buffer in self._buffers)
        self._fill_words[EVENT_PLACE["kind"]] = FILL
        self._order_address, self._fill_address, self._address = (int(buffer.ctypes.data) for buffer in self._buffers)
        # each gives the words of its event as bytes
        self._order_bytes, self._fill_bytes, self._bytes = (
            buffer.view(f"V{buffer.nbytes}").item for buffer in self._buffers
        )
        self.last: Callable[[int], bytes] = self._bytes  # of the event that was taken last

    def open(self, due: int) -> None:
        """Take plain events before the time `due`, if the engine has a compiled step; all before have been kept."""
        self.kept = self.engine.size
        quick = self.engine.make_step()
        if quick is None:
            return
        self._step, self._block, self._head = quick.step, quick.address, quick.block.data
        self._journal = self.engine.journal
        self._duplicates = self.engine.finds_duplicates
        self._shift, self._by_id = self._journal.shift, self._orders.by_id
        self._told = (
            self._by_id is None or self._orders.news is not None
        )  # that an order is more than an entry of `_by_id`
        self._named = {} if self._by_id is None else self._by_id
        self._due = due if self._head[LATEST] != 0 else min(due, 1)  # the first time after 0 is judged by its size

    def shut(self) -> None:
        """Leave the next event to the complete conversion."""
        self._due = SHUT

    @property
    def is_open(self) -> bool:
        """True if some event may be plain."""
        return self._due != SHUT

    def place(self, number: int) -> int:
        """The place in the journal's columns of an event."""
        return self._journal.place(number) if self._shift else number

    def of(self, engine: Engine, entries: Entries) -> Self:
        """The door of the same session in a larger universe."""
        other = type(self)(engine, entries, self._clamps)
        other.kept, other.pending = self.kept, self.pending
        other._lines, other._origins = self._lines, self._origins
        return other

    def codes(self, account: Any, instrument: Any) -> tuple[int, int, int] | None:
        """Codes of an account, an instrument and their pair, if they have met here."""
        return self._lines.get((account, instrument))

    def is_unused(self, order_id: Any, owner: int, ts: int) -> bool:
        """True if a plain order may have this id."""
        text = id_text(order_id)
        return bool(text) and self._orders.is_new(text, owner, ts)

    def learn(self, row: Row, account: Any, instrument: Any, strategy: Any, connection: Any) -> None:
        """Remember the codes of the labels of an order or a fill that was taken."""
        if row["pair"] >= 0 and row["kind"] in (ORDER, FILL) and type(account) is type(instrument) is str:
            self._lines[account, instrument] = row["account"], row["instrument"], row["pair"]
        for label, name, owner in ((strategy, "strategy", row["account"]), (connection, "connection", -1)):
            if type(label) is str and row[name] >= 0:
                self._origins[owner, label] = row[name]

    def event(self) -> Mapping[str, int]:
        """The event that was taken last."""
        return taken_event(self.last(0))

    # ------------------------------------------------------------------ events; each returns the number of its decisions

    def order(
        self,
        ts: Any,
        account: Any,
        instrument: Any,
        side: Any,
        qty: Any,
        price: Any,
        order_id: Any,
        strategy: Any,
        connection: Any,
    ) -> int:
        """A limit order, also the first of a new account in a known instrument."""
        number = self.kept
        try:
            if type(ts) is not int or ts >= self._due or self._head[SIZE] + self._shift != number:
                return UNPLAIN
            line = self._lines.get((account, instrument))
            if line is None and not type(account) is type(instrument) is str:
                return UNPLAIN
            owner, traded, pair = self._apart(account, instrument) if line is None else line
            way = SIDES[side]
            lots = self._lots.get((traded, qty, type(qty))) or self._new_lots(traded, qty)
            ticks = self._ticks.get((traded, price, type(price))) or self._new_ticks(traded, price)
            if lots is None or ticks is None:
                return UNPLAIN
            book = login = -1
            if strategy is not None or connection is not None:
                found = self._origin(owner, strategy, connection)
                if found is None:
                    return UNPLAIN
                book, login = found
            text, by_id = None, self._by_id
            if order_id is not None:
                text = order_id  # as `id_text`, without its call
                if type(order_id) is int:
                    text = str(order_id) if -LARGEST < order_id < LARGEST else ""
                elif not (type(order_id) is str and order_id.isprintable() and " " not in order_id):
                    text = ""
                used_before = text in by_id if by_id is not None else not self._orders.is_new(text, owner, ts)
                if used_before or not text:
                    return UNPLAIN
        except (KeyError, TypeError):  # no side; a list, a dict, ... in the place of a label or a number
            return UNPLAIN
        if line is None:
            sizes = self._universe.sizes if owner < 0 else None
            if ts < self._head[LATEST] or not self._may_meet(owner, account, traded):
                return UNPLAIN
            owner, pair = self._meet(account, traded) if owner < 0 else (owner, self.engine.meet(owner, traded))
        if self._duplicates:
            identical = owner, traded, way, lots, ticks, MISSING, 0
            self._order_words[BEFORE] = self._journal.last_like.get(identical, -1)
        self.pending, self.last = ((order_id, None),), self._order_bytes
        pack_order(
            self._order_words, ORDER_AT, ts, owner, traded, pair, way, lots, ticks, lots,
            ticks if ticks > 0 else -ticks, book, login, text is not None,
        )  # fmt: skip
        used = self._step(self._block, self._order_address, 1)
        if used < 0:
            if line is None and sizes is not None:
                self._universe.shrink(sizes)
            if self._clamps and 0 <= ts < self._head[LATEST]:
                return self.order(
                    self._head[LATEST], account, instrument, side, qty, price, order_id, strategy, connection
                )
            return UNPLAIN
        if self._duplicates:
            self._journal.last_like[identical] = number - self._shift
        if text is not None:
            if self._told:
                self._orders.keep(text, ts, owner, number)
            else:
                self._named[text] = number
        if line is None:
            self._lines[account, instrument] = owner, traded, pair
            self._currencies.setdefault(owner, self._universe.instruments[traded].currency)
        self.kept = number + 1
        return used

    def fill(
        self,
        ts: Any,
        order_id: Any = None,
        qty: Any = None,
        price: Any = None,
        trade_id: Any = None,
        account: Any = None,
        instrument: Any = None,
        side: Any = None,
    ) -> int:
        """A fill of a known order, or of labels that are known."""
        number, place, book = self.kept, -1, -1
        try:
            if type(ts) is not int or ts >= self._due or self._head[SIZE] + self._shift != number:
                return UNPLAIN
            if order_id is None:
                owner, traded, pair = self._lines[account, instrument]
                way = SIDES[side]
            else:
                known = self._named.get(str(order_id) if type(order_id) is int else order_id)
                if known is None or account is not None or instrument is not None:
                    known = self._known(order_id, account, instrument)
                    if known is None:
                        return UNPLAIN
                place = self._journal.place(known) if self._shift else known
                if self._journal.columns["ts"] is not self._times:
                    self._read_columns()
                owners, things, sides, pairs, books, _, _ = self._of_order
                owner, traded, way, pair, book = owners[place], things[place], sides[place], pairs[place], books[place]
                if side is not None and SIDES[side] != way:
                    return UNPLAIN
            lots = self._lots.get((traded, qty, type(qty))) or self._new_lots(traded, qty)
            ticks = self._ticks.get((traded, price, type(price))) or self._new_ticks(traded, price)
            if lots is None or ticks is None:
                return UNPLAIN
            code, text = -1, None
            if trade_id is not None:
                fills, is_short = self._fills, type(trade_id) is int and -LARGEST < trade_id < LARGEST
                text = str(trade_id) if is_short else id_text(trade_id)
                if not text or text in fills.codes:
                    return UNPLAIN
                code = fills.next
        except (KeyError, TypeError):  # as in `order`
            return UNPLAIN
        self.pending, self.last = ((order_id, trade_id),), self._fill_bytes
        pack_fill(
            self._fill_words, FILL_AT, place, code, ts, owner, traded, pair, way, lots, ticks, lots,
            ticks if ticks > 0 else -ticks, book,
        )  # fmt: skip
        used = self._step(self._block, self._fill_address, 1)
        if used < 0:
            if self._clamps and 0 <= ts < self._head[LATEST]:
                return self.fill(self._head[LATEST], order_id, qty, price, trade_id, account, instrument, side)
            return UNPLAIN
        if text is not None:
            fills.keep(text, code, number)
        self.kept = number + 1
        return used

    def cancel(self, ts: Any, order_id: Any = None, account: Any = None, instrument: Any = None) -> int:
        """A cancel of a known order."""
        ts = self._clamped(ts)
        try:
            known = self._known(order_id, account, instrument) if self._in_order(ts) else None
        except TypeError:
            return UNPLAIN
        return UNPLAIN if known is None else self._message(ts, CANCEL, self.place(known), 0, MISSING)

    def modify(
        self,
        ts: Any,
        order_id: Any = None,
        account: Any = None,
        instrument: Any = None,
        qty: Any = None,
        price: Any = None,
    ) -> int:
        """A new quantity, a new price, or both, of a known order."""
        ts = self._clamped(ts)
        try:
            known = self._known(order_id, account, instrument) if self._in_order(ts) else None
            if known is None:
                return UNPLAIN
            place = self.place(known)
            traded = self._columns()[1][place]
            lots: int | None = 0
            ticks: int | None = MISSING
            if qty is not None:
                lots = self._lots.get((traded, qty, type(qty))) or self._new_lots(traded, qty)
            if price is not None:
                ticks = self._ticks.get((traded, price, type(price))) or self._new_ticks(traded, price)
            if lots is None or ticks is None:
                return UNPLAIN
        except TypeError:
            return UNPLAIN
        return self._message(ts, MODIFY, place, lots, ticks)

    def price(self, ts: Any, instrument: Any = None, price: Any = None, bid: Any = None, ask: Any = None) -> int:
        """A last price, a bid, an ask."""
        ts = self._clamped(ts)
        try:
            traded = self._universe.instrument_codes.get(instrument) if type(instrument) is str else None
            if traded is None or not self._in_order(ts):
                return UNPLAIN
            found, highest = [], 0
            for value in (price, bid, ask):
                ticks: int | None = MISSING
                if value is not None:
                    ticks = self._ticks.get((traded, value, type(value))) or self._new_ticks(traded, value)
                    if ticks is None:
                        return UNPLAIN
                    highest = max(highest, abs(ticks))
                found.append(ticks)
            if not highest:  # none is given, or all are zero
                return UNPLAIN
        except TypeError:
            return UNPLAIN
        last, lower, upper = found
        self.pending, self.last = NO_IDS, self._bytes
        pack_event(
            self._words, 0, PRICE, 0, lower, upper, -1, -1, ts, -1, traded, -1, 0, 0, last, 0, highest, -1, -1, 0
        )
        used = self._step(self._block, self._address, 1)
        if used >= 0:
            self.kept += 1
        return used

    def _message(self, ts: int, kind: int, place: int, lots: int, ticks: int) -> int:
        """A message that names the order at a place of the journal."""
        owner, traded, side, pair, book, login, flags = (column[place] for column in self._columns())
        self.pending, self.last = NO_IDS, self._bytes
        if kind == CANCEL:
            side = flags = 0
        highest = 0 if ticks == MISSING else abs(ticks)
        pack_event(
            self._words, 0, kind, flags & REDUCE_ONLY, MISSING, MISSING, place, -1, ts, owner, traded, pair, side, lots,
            ticks, lots, highest, book, login, 0,
        )  # fmt: skip
        used = self._step(self._block, self._address, 1)
        if used >= 0:
            self.kept += 1
        return used

    # ------------------------------------------------------------------ labels and numbers

    def _clamped(self, ts: Any) -> Any:
        """The time of an event that comes now, if an earlier one becomes that of the last event."""
        late = self._clamps and self.is_open and type(ts) is int and 0 <= ts < self._head[LATEST]
        return self._head[LATEST] if late else ts

    def _in_order(self, ts: Any) -> bool:
        """True if an event of this time is the next thing to happen, and all before it are done with."""
        return (
            type(ts) is int
            and ts < self._due
            and self._head[LATEST] <= ts
            and self._head[SIZE] + self._shift == self.kept
        )

    def _known(self, order_id: Any, account: Any, instrument: Any) -> int | None:
        """Number of the earlier order of this id, if the labels beside it are those of the order."""
        owner = None
        if account is not None:
            owner = self._universe.account_codes.get(account) if type(account) is str else None
            if owner is None:
                return None
        known = self._orders.number(id_text(order_id), owner)
        if known is None:
            return None
        owners, things = self._columns()[:2]
        place = self.place(known)
        if owner not in (None, owners[place]):
            return None
        if instrument is not None and (
            type(instrument) is not str or self._universe.instrument_codes.get(instrument) != things[place]
        ):
            return None
        return known

    def _columns(self) -> tuple[memoryview, ...]:
        """The columns `OF_ORDER` of the journal, which may have moved since the last time."""
        if self._journal.columns["ts"] is not self._times:
            self._read_columns()
        return self._of_order

    def _read_columns(self) -> None:
        columns = self._journal.columns
        self._of_order, self._times = tuple(columns[name].data for name in OF_ORDER), columns["ts"]

    def _apart(self, account: str, instrument: str) -> tuple[int, int, int]:
        """Codes of an account, -1 for one to come, and of a known instrument that have not met, and of no pair."""
        return self._universe.account_codes.get(account, -1), self._universe.instrument_codes[instrument], -1

    def _may_meet(self, owner: int, account: str, traded: int) -> bool:
        """True if an account may trade an instrument for the first time, and exists or may be registered."""
        if owner < 0:
            return self._registers and bool(id_text(account))
        currency = self._universe.instruments[traded].currency
        return self._universe.mixed or self._currencies.get(owner, currency) == currency

    def _meet(self, account: str, traded: int) -> tuple[int, int]:
        """Register an account, if it is new, and its pair with an instrument."""
        owner = self._universe.add("accounts", account)
        return owner, self.engine.meet(owner, traded)

    def _origin(self, owner: int, strategy: Any, connection: Any) -> tuple[int, int] | None:
        """Codes of a strategy and a connection, -1 for none; None if one is not known."""
        found = []
        for label, of in ((strategy, owner), (connection, -1)):
            if label is not None and type(label) is not str:
                return None
            found.append(-1 if label is None else self._origins.get((of, label)))
        return None if None in found else (found[0], found[1])  # type: ignore[return-value]

    def _new_lots(self, instrument: int, value: Any) -> int | None:
        """Convert a quantity and remember it; None if it is not plain."""
        return self._converted(self._lots, quantity_steps, instrument, value)

    def _new_ticks(self, instrument: int, value: Any) -> int | None:
        """Convert a price and remember it; None if it is not plain."""
        return self._converted(self._ticks, price_steps, instrument, value)

    def _converted(self, known: dict[Any, int], convert: Any, instrument: int, value: Any) -> int | None:
        row = {"kind": ORDER, "flags": 0}
        try:
            found: int = convert(
                value, self._universe.instruments[instrument], row, lenient=False, nearest=self._nearest
            )
        except InputError:
            return None
        if len(known) >= MOST_NUMBERS:
            known.clear()
        known[instrument, value, type(value)] = found
        return found


def id_text(label: Any) -> str:
    """The text of a plain id: a number, or printed characters without a space; empty of any other."""
    if type(label) is int:
        return str(label) if -LARGEST < label < LARGEST else ""
    return label if type(label) is str and label.isprintable() and " " not in label else ""


# what `Session` tries first, by kind, and the fields with which it may be plain
SHORT: dict[str, tuple[Callable[..., int], frozenset[str]]] = {
    "cancel": (Door.cancel, frozenset({"order_id", "account", "instrument"})),
    "modify": (Door.modify, frozenset({"order_id", "account", "instrument", "qty", "price"})),
    "price": (Door.price, frozenset({"instrument", "price", "bid", "ask"})),
}
