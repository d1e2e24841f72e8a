"""The short way into an engine for columns: a stretch of orders, fills and prices is translated at once.

Labels become codes by dictionaries, floats and integers become steps by the arithmetic of one number
(`riskkit.replay.ingest.amount.count`) on a whole column, other numbers by the memory of the door. A stretch ends before the
first row that is not plain.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import islice, repeat
from typing import Any, NamedTuple, cast

import numpy as np

from riskkit.replay.ingest.event import Entries
from riskkit.replay.ingest.fields import is_missing
from riskkit.replay.live.compiled_step import EVENT_WORDS
from riskkit.replay.live.compiled_step import WORDS as PLACE_OF
from riskkit.replay.live.door import BEFORE, FILL, LATEST, NO_IDS, ORDER, PRICE, SIDES, SIZE, Door, id_text
from riskkit.replay.live.engine import Engine
from riskkit.replay.live.event_words import (
    ABSENT,
    NAMES,
    SMALL,
    PairCodes,
    steps_of_floats,
    steps_of_integers,
    write_pairs,
    write_words,
)
from riskkit.replay.schema.columns import MISSING

KINDS = {"order": ORDER, "fill": FILL, "price": PRICE}
COLUMNS = ("ts", "kind", "account", "instrument", "side", "qty", "price", "order_id", "trade_id", "bid", "ask")
QUOTES = ("price", "bid", "ask")
Part = dict[str, Any]


class Words:
    """A column of texts: the texts, each once, None of a gap, and the place of each row's.

    Examples
    --------
    >>> column = Words(["B", "S"], np.array([0, 1, 1]))
    >>> list(column), column[2], list(column[:2]), column.coded({"S": 7}, -1).tolist()
    (['B', 'S', 'S'], 'S', ['B', 'S'], [-1, 7, 7])
    """

    def __init__(self, words: list[Any], places: np.ndarray) -> None:
        self.words, self.places = words, places

    def __len__(self) -> int:
        return len(self.places)

    def __iter__(self) -> Iterator[Any]:
        return map(self.words.__getitem__, self.places.tolist())

    def __getitem__(self, at: Any) -> Any:
        return Words(self.words, self.places[at]) if isinstance(at, slice) else self.words[self.places[at]]

    def coded(self, codes: Mapping[str, int], absent: int) -> np.ndarray:
        """The code of each row: `absent` for a text that has none, MISSING of a gap."""
        found = [MISSING if is_missing(word) else codes.get(word, absent) for word in self.words]
        return cast("np.ndarray", np.array(found, np.int64)[self.places])


class Times:
    """A column of times with a zone: its elements, and the nanoseconds of each since the epoch."""

    def __init__(self, column: Any, instants: np.ndarray) -> None:
        self._column, self.instants = column, instants

    def __len__(self) -> int:
        return len(self.instants)

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return Times(self._column[at], self.instants[at])
        found = self._column[at]
        return found.as_py() if hasattr(found, "as_py") else found


class Stretch(NamedTuple):
    """What was taken of a stretch: the words of its events, a row each, and the number of their decision rows."""

    words: np.ndarray
    used: int


NOTHING = Stretch(np.zeros((0, len(EVENT_WORDS)), np.int64), 0)


class _Ids:
    """The ids of the orders and of the trades of some rows: as they were given, as texts, and whether there are any."""

    def __init__(self, orders: Any, trades: Any, count: int) -> None:
        self._orders, self.orders, self.some_orders = _ids(orders, count)
        self._trades, self.trades, self.some_trades = _ids(trades, count)
        self.fresh: dict[Any, int] = {}  # numbers of the orders, if all rows are new orders

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        return zip(self._orders, self._trades, strict=True)


class ColumnDoor(Door):
    """A door that takes stretches of columns, too."""

    def __init__(self, engine: Engine, entries: Entries, clamps: bool = False) -> None:
        super().__init__(engine, entries, clamps)
        self._met = PairCodes()
        self._grids: dict[str, np.ndarray] = {}  # of quantities and prices, a row for each instrument
        self._empty = np.array(self._template, np.int64)

    def stretch(self, part: Part) -> Stretch:
        """Take the plain rows at the beginning of some columns, all of kinds of `KINDS`."""
        if not self.is_open:
            return NOTHING
        try:
            words, ids = self._translated(part)  # `ids` of all rows, plain or not
        except (TypeError, OverflowError):  # an object in the place of a label or a number
            return NOTHING
        if not len(words):
            return NOTHING
        self.engine.make_room(len(words))
        self.pending = ids or NO_IDS
        repeated = self._repeat(words) if self._duplicates else []
        first = self.kept
        used = self._step(self._block, words.__array_interface__["data"][0], len(words))
        words = words[: self._head[SIZE] + self._shift - first]
        self._journal.last_like.update(one for one in repeated if one[1] < self._head[SIZE])
        if ids:
            self._keep_ids(words, ids, first)
        self.kept = first + len(words)
        return Stretch(words, max(used, 0))

    def _translated(self, part: Part) -> tuple[np.ndarray, _Ids | None]:
        """The words of the plain rows at the beginning, and the ids of all rows, if there are any."""
        size = len(part["ts"])
        columns = np.empty((len(NAMES), size), np.int64)
        columns[:] = ABSENT
        table = dict(zip(NAMES, columns, strict=True))
        table["ts"][:] = _whole(part["ts"])
        for name, codes, absent in (
            ("kind", KINDS, -1),
            ("account", self._universe.account_codes, -1),
            ("instrument", self._universe.instrument_codes, -1),
            ("side", SIDES, 0),
        ):
            if name in part:
                table[name][:] = _codes(part[name], codes, size, absent)
        ids = None
        if "order_id" in part or "trade_id" in part:
            ids = _Ids(part.get("order_id"), part.get("trade_id"), size)
            if "kind" in part:
                self._refer(table, ids)
        for name in ("qty", *QUOTES):
            if name in part:
                self._write_steps(part[name], name, table["instrument"], table[name])
        words = np.empty((size, len(EVENT_WORDS)), np.int64)
        words = words[: write_words(columns, self._empty, self._head[LATEST], self._due, self._clamps, words)]
        if ids and len(words):
            words = words[: self._name(words, ids)]
        return words[: self._pair(words)], ids

    def _refer(self, table: dict[str, np.ndarray], ids: _Ids) -> None:
        """Give fills what they have from their orders, also from those of the same stretch; a row that is not plain, no instrument."""
        if not ids.some_orders:
            return
        account, instrument, side = (table[name] for name in ("account", "instrument", "side"))
        fresh: dict[str, int] = {}
        owners, things, sides, _, books = self._columns()[:5]
        for k, (kind, text) in enumerate(zip(table["kind"].tolist(), ids.orders, strict=True)):
            if text is None:
                continue
            known: tuple[int, ...] = (0, -1, -1, 0, -1)
            if kind == ORDER:
                fresh[text] = k
                continue
            if kind == FILL and text:
                number = fresh.get(text)
                if number is not None:
                    known = self.kept + number, account[number], instrument[number], side[number], -1
                else:
                    found = self._orders.number(text, None if account[k] == MISSING else int(account[k]))
                    if found is not None:
                        place = self.place(found)
                        known = found, owners[place], things[place], sides[place], books[place]
                labels = zip((account, instrument, side), known[1:4], strict=True)
                if all(column[k] in (MISSING, of) for column, of in labels):
                    account[k], instrument[k], side[k] = known[1:4]
                    table["order"][k], table["strategy"][k] = self.place(known[0]), known[4]
                    continue
            instrument[k] = -1

    def _pair(self, words: np.ndarray) -> int:
        """Write the pairs of orders and fills; return how many rows are plain: not that of an account's other currency."""
        at = 0
        while (at := write_pairs(words, at, self._met.table)) < len(words):  # pairs are numbered as they appear
            if not self._meeting(*words[at, [PLACE_OF["account"], PLACE_OF["instrument"]]].tolist()):
                break
        return at

    def _meeting(self, account: int, instrument: int) -> bool:
        """Note the pair of an account and an instrument that meet for the first time in a stretch, if they may."""
        if not self._may_meet(account, "", instrument):
            return False
        self._met.add(account, instrument, self._journal.pair(account, instrument))
        self._currencies.setdefault(account, self._universe.instruments[instrument].currency)
        return True

    def _repeat(self, words: np.ndarray) -> list[tuple[tuple[int, ...], int]]:
        """Write the place of the previous identical order of each order; return what is identical of each, and its place."""
        names = ("account", "instrument", "side", "qty", "price")
        fields = zip(*(words[:, PLACE_OF[name]].tolist() for name in names), repeat(MISSING), repeat(0), strict=False)
        known, fresh, found = self._journal.last_like, dict[tuple[int, ...], int](), []
        kinds = words[:, PLACE_OF["kind"]].tolist()
        for k, (kind, identical) in enumerate(zip(kinds, fields, strict=False)):
            if kind == ORDER:
                words[k, BEFORE] = fresh.get(identical, known.get(identical, -1))
                fresh[identical] = self.kept - self._shift + k
                found.append((identical, fresh[identical]))
        return found

    def _name(self, words: np.ndarray, ids: _Ids) -> int:
        """Write which orders are named and the codes of trades; return how many rows are plain: those with new ids."""
        by_id, texts = self._by_id, ids.orders[: len(words)]
        if by_id is not None and all(texts) and not ids.some_trades and (words[:, PLACE_OF["kind"]] == ORDER).all():
            fresh = dict(zip(texts, itertools.count(self.kept), strict=False))
            if len(fresh) == len(texts) and by_id.keys().isdisjoint(fresh):
                ids.fresh = fresh
                words[:, PLACE_OF["named"]] = 1
                return len(words)
        kinds, owners, times = (words[:, PLACE_OF[name]].tolist() for name in ("kind", "account", "ts"))
        code, orders, trades = self._fills.next, set(), set()
        for k, (kind, text, trade) in enumerate(zip(kinds, ids.orders, ids.trades, strict=False)):
            if text is not None and kind == ORDER:
                key = text, owners[k]
                if not text or key in orders or not self._orders.is_new(text, owners[k], times[k]):
                    return k
                orders.add(key)
                words[k, PLACE_OF["named"]] = 1
            if trade is not None:
                if kind != FILL or not trade or trade in self._fills.codes or trade in trades:
                    return k
                trades.add(trade)
                words[k, PLACE_OF["trade_id"]] = code
                code += 1
            if text is not None and kind == PRICE:
                return k
        return len(words)

    def _keep_ids(self, words: np.ndarray, ids: _Ids, first: int) -> None:
        """Keep the ids of the events that were taken."""
        numbers = range(first, first + len(words))
        if ids.fresh and self._by_id is not None:
            taken = ids.fresh if len(words) == len(ids.fresh) else dict(islice(ids.fresh.items(), len(words)))
            self._by_id.update(taken)
            if self._orders.news is not None:
                self._orders.news.extend(zip(numbers, taken, strict=True))
            return
        columns = (words[:, PLACE_OF[name]].tolist() for name in ("kind", "ts", "account", "trade_id"))
        for number, text, trade, (kind, ts, owner, code) in zip(
            numbers, ids.orders, ids.trades, zip(*columns, strict=True), strict=False
        ):
            if kind == ORDER and text is not None:
                self._orders.keep(text, ts, owner, number)
            elif trade is not None:
                self._fills.keep(trade, code, number)

    def _write_steps(self, column: Any, name: str, traded: np.ndarray, found: np.ndarray) -> None:
        """Write a column of numbers in steps: MISSING where there is none, 0 where it is not plain."""
        values = column if isinstance(column, np.ndarray) else _uniform(column)
        if values is None:
            known, convert = (self._lots, self._new_lots) if name == "qty" else (self._ticks, self._new_ticks)
            codes = traded.tolist()
            steps = map(known.get, zip(codes, column, map(type, column), strict=True))
            found[:] = [
                one if one is not None else MISSING if is_missing(value) else convert(code, value) or 0
                for one, code, value in zip(steps, codes, column, strict=True)
            ]
        elif values.dtype == np.int64:  # compiled for arrays that are contiguous and may be written
            steps_of_integers(np.array(values), traded, self._grid(name), found)
        else:
            steps_of_floats(np.array(values), traded, self._grid(name), self._nearest, found)

    def _grid(self, name: str) -> np.ndarray:
        """Numerator and denominator of each instrument's lot or tick, and its steps; zeros where they are not small."""
        instruments, known = self._universe.instruments, self._grids.get(name, np.zeros((0, 3), np.int64))
        if len(known) != max(len(instruments), 1):
            found = [
                _steps_of(one.lot, one.qty_step) if name == "qty" else _steps_of(one.tick, one.price_step)
                for one in instruments
            ]
            known = self._grids[name] = np.array(found or [(0, 0, 0)])
        return known


def _steps_of(unit: Fraction, step: Fraction) -> tuple[int, int, int]:
    found = unit.numerator, unit.denominator, int(unit / step)
    return found if max(found) < SMALL else (0, 0, 0)


def _whole(column: Any) -> np.ndarray:
    """A column of whole numbers, or of times as such; a TypeError if it is no such column."""
    if isinstance(column, Times):
        return column.instants
    if not isinstance(column, np.ndarray) and set(map(type, column)) != {int}:
        raise TypeError("not whole numbers")
    found = np.asarray(column)
    if found.dtype != np.int64:
        raise TypeError("not whole numbers")
    return found


def _uniform(column: list[Any]) -> np.ndarray | None:
    """A list of floats, or of integers of 64 bits, as an array."""
    types = set(map(type, column))
    return np.array(column) if types == {float} else np.array(column, np.int64) if types == {int} else None


def _codes(column: Any, known: Mapping[str, int], count: int, absent: int = -1) -> np.ndarray:
    """Codes of a column of labels: MISSING where there is none, `absent` of one that is not known."""
    if column is None:
        return np.full(count, MISSING)
    if isinstance(column, np.ndarray):
        return np.full(count, absent)
    if isinstance(column, Words):
        return column.coded(known, absent)
    if set(map(type, column)) == {str}:
        return np.fromiter(map(known.get, column, repeat(absent)), np.int64, count)
    codes = [MISSING if is_missing(x) else known.get(x, absent) if type(x) is str else absent for x in column]
    return np.array(codes, np.int64)


def _ids(column: Any, count: int) -> tuple[list[Any], list[str | None], bool]:
    """A column of ids, None where there is none; the text of each, empty of one that is not plain; whether there are any."""
    if column is None:
        return [None] * count, [None] * count, False
    given = column.tolist() if isinstance(column, np.ndarray) else list(column)
    types = set(map(type, given))
    if not types <= {str, int} or not all(given):
        given = [None if is_missing(label) else label for label in given]
        types = set(map(type, given))
    if types == {str} and (joined := "".join(given)).isprintable() and " " not in joined:
        return given, given, True
    return given, [None if label is None else id_text(label) for label in given], types != {type(None)}
