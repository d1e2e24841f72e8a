"""The short way into an engine for columns: a stretch of orders, fills and prices is translated at once.

Labels become codes by dictionaries, floats and integers become steps by the arithmetic of one number
(`riskkit.replay.ingest.amount.count`) on a whole column, other numbers by the memory of the door. A stretch ends before the
first row that is not plain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import repeat
from typing import Any, NamedTuple, cast

import numpy as np

from riskkit.replay.ingest.amount import EXACT_FLOAT
from riskkit.replay.ingest.event import Entries
from riskkit.replay.ingest.fields import is_missing
from riskkit.replay.live.compiled_step import EVENT_WORDS
from riskkit.replay.live.compiled_step import WORDS as PLACE_OF
from riskkit.replay.live.door import FILL, LATEST, NO_IDS, ORDER, PRICE, SIDES, SIZE, Door, id_text
from riskkit.replay.live.engine import Engine
from riskkit.replay.schema.columns import MISSING
from riskkit.replay.schema.constants import DAY_NS

KINDS = {"order": ORDER, "fill": FILL, "price": PRICE}
COLUMNS = ("ts", "kind", "account", "instrument", "side", "qty", "price", "order_id", "trade_id", "bid", "ask")
QUOTES = ("price", "bid", "ask")
SMALL = 2**31  # products of two such integers fit in 64 bits
Part = dict[str, Any]


class Words:
    """A column of texts without gaps: the texts, each once, and the place of each row's.

    Examples
    --------
    >>> column = Words(["B", "S"], np.array([0, 1, 1]))
    >>> list(column), column[2], list(column[:2]), column.coded({"S": 7}, -1).tolist()
    (['B', 'S', 'S'], 'S', ['B', 'S'], [-1, 7, 7])
    """

    def __init__(self, words: list[str], places: np.ndarray) -> None:
        self.words, self.places = words, places

    def __len__(self) -> int:
        return len(self.places)

    def __iter__(self) -> Iterator[str]:
        return map(self.words.__getitem__, self.places.tolist())

    def __getitem__(self, at: Any) -> Any:
        return Words(self.words, self.places[at]) if isinstance(at, slice) else self.words[self.places[at]]

    def coded(self, codes: Mapping[str, int], absent: int) -> np.ndarray:
        """The code of each row, `absent` for a text that has none."""
        found: np.ndarray = np.array([codes.get(word, absent) for word in self.words], np.int64)[self.places]
        return found


class Stretch(NamedTuple):
    """What was taken of a stretch: the words of its events, a row each, and the number of their decision rows."""

    words: np.ndarray
    used: int


class _Ids(NamedTuple):
    """The ids of the orders and of the trades of some rows, as they were given and as texts."""

    given: list[tuple[Any, Any]]
    orders: list[str | None]
    trades: list[str | None]
    some_orders: bool
    some_trades: bool

    @classmethod
    def of(cls, orders: list[Any], trades: list[Any]) -> _Ids:
        some = [any(label is not None for label in ids) for ids in (orders, trades)]
        return cls(list(zip(orders, trades, strict=True)), _texts(orders), _texts(trades), *some)


class ColumnDoor(Door):
    """A door that takes stretches of columns, too."""

    def __init__(self, engine: Engine, entries: Entries, clamps: bool = False) -> None:
        super().__init__(engine, entries, clamps)
        self._met: dict[int, int] = {}  # pairs, by account and instrument as one number
        self._grids: dict[str, np.ndarray] = {}  # of quantities and prices, a row for each instrument

    def stretch(self, part: Part) -> Stretch:
        """Take the plain rows at the beginning of some columns, all of kinds of `KINDS`."""
        nothing = Stretch(np.zeros((0, len(EVENT_WORDS)), np.int64), 0)
        if not self.is_open or self._duplicates:
            return nothing
        try:
            words, ids = self._translated(part)  # `ids` of all rows, plain or not
        except (TypeError, OverflowError):  # an object in the place of a label or a number
            return nothing
        if not len(words):
            return nothing
        self.engine.make_room(len(words))
        self.pending = ids.given[: len(words)] if ids else NO_IDS * len(words)
        first = self.kept
        used = self._step(self._block, int(words.ctypes.data), len(words))
        words = words[: self._head[SIZE] + self._shift - first]
        if ids:
            self._keep_ids(words, ids, first)
        self.kept = first + len(words)
        return Stretch(words, max(used, 0))

    def _translated(self, part: Part) -> tuple[np.ndarray, _Ids | None]:
        """The words of the plain rows at the beginning, and the ids of all rows, if there are any."""
        count, ts = len(part["ts"]), _whole(part["ts"])
        kind = _codes(part["kind"], KINDS, count) if "kind" in part else None  # None: all are orders
        events = {"account": _codes(part.get("account"), self._universe.account_codes, count)}
        events["instrument"] = _codes(part.get("instrument"), self._universe.instrument_codes, count)
        events["side"] = _codes(part.get("side"), SIDES, count, absent=0)
        ids = None
        if "order_id" in part or "trade_id" in part:
            ids = _Ids.of(_given(part.get("order_id"), count), _given(part.get("trade_id"), count))
        good = ts >= 0 if self._clamps else np.maximum.accumulate(ts) == ts
        if self._clamps:
            ts = np.maximum.accumulate(np.maximum(ts, self._head[LATEST]))
        good &= (ts < self._due) & (ts[0] >= self._head[LATEST])
        if ids is not None and kind is not None:
            events |= {"order": np.full(count, -1), "strategy": np.full(count, -1)}
            good &= self._refer(events, kind.tolist(), ids)
        traded = events["instrument"]
        good &= traded >= 0
        prices = {name: self._steps(part[name], name, traded, count) for name in QUOTES if name in part}
        for steps in prices.values():
            good &= steps != 0
        price = prices.get("price", np.full(0, MISSING))
        lots = self._steps(part["qty"], "qty", traded, count) if "qty" in part else np.full(count, MISSING)
        order = (events["account"] >= 0) & (np.abs(events["side"]) == 1) & (lots > 0)
        order &= price > 0 if len(price) else False
        for name in prices.keys() - {"price"}:
            order &= prices[name] == MISSING
        highest, quoted = price, np.zeros(count, bool)
        if kind is None:
            good &= order
        else:
            quoted, absent = kind == PRICE, (events["account"] == MISSING) & (events["side"] == MISSING)
            highest = np.max([np.full(count, MISSING), *prices.values()], axis=0)
            good &= np.where(quoted, absent & (lots == MISSING) & (highest > 0), order & (kind >= 0))
        cut = count if good.all() else int(np.argmin(good))
        events |= prices | {"ts": ts, "qty": lots, "lots": lots, "highest": highest}
        words = np.empty((cut, len(EVENT_WORDS)), np.int64)
        words[:] = self._template
        for name, column in events.items():
            words[:, PLACE_OF[name]] = column[:cut]
        words[:, PLACE_OF["kind"]] = ORDER if kind is None else kind[:cut]
        if kind is not None:
            for name, none in (("account", -1), ("side", 0), ("qty", 0), ("lots", 0)):
                words[quoted[:cut], PLACE_OF[name]] = none
        cut = self._name(words, ids) if ids and cut else cut
        cut = self._pair(words[:cut], quoted[:cut]) if cut else 0
        return words[:cut], ids

    def _refer(self, events: dict[str, np.ndarray], kinds: list[int], ids: _Ids) -> np.ndarray:
        """Give fills what they have from their orders, also from those of the same stretch; return which rows are plain."""
        account, instrument, side = (events[name] for name in ("account", "instrument", "side"))
        good, fresh, first = np.ones(len(kinds), bool), {}, self.kept
        for k, (kind, text) in enumerate(zip(kinds, ids.orders, strict=True)):
            if text is None:
                continue
            if kind == ORDER:
                fresh[text] = k
            elif kind == FILL and text:
                number = fresh.get(text)
                if number is not None:
                    known = first + number, account[number], instrument[number], side[number], 0, -1
                else:
                    found = self._orders.known(text, None if account[k] == MISSING else int(account[k]))
                    known = (0, -1, -1, 0, 0, -1) if found is None else found[:6]
                same = [
                    column[k] in (MISSING, of)
                    for column, of in zip((account, instrument, side), known[1:4], strict=True)
                ]
                good[k] = all(same) and known[1] >= 0
                account[k], instrument[k], side[k] = known[1:4]
                events["order"][k], events["strategy"][k] = self.place(known[0]), known[5]
            else:
                good[k] = False
        return good

    def _pair(self, words: np.ndarray, quoted: np.ndarray) -> int:
        """Write the pairs of orders and fills; return how many rows are plain: not that of an account's other currency."""
        owner, traded = words[:, PLACE_OF["account"]], words[:, PLACE_OF["instrument"]]
        keys, first, back = np.unique(
            np.where(quoted, -1, owner * SMALL + traded), return_index=True, return_inverse=True
        )
        pairs, codes = np.empty(len(keys), np.int64), keys.tolist()
        for at in np.argsort(first).tolist():  # pairs are numbered as they appear
            pairs[at] = self._met[codes[at]] if codes[at] in self._met else self._meeting(codes[at])
        found = words[:, PLACE_OF["pair"]] = pairs[back]
        bad = ~quoted & (found < 0)
        return int(np.argmax(bad)) if bad.any() else len(words)

    def _meeting(self, key: int) -> int:
        """The pair of an account and an instrument that meet for the first time in a stretch; -1 if they may not."""
        account, instrument = divmod(key, SMALL)
        if key < 0 or not self._may_meet(account, "", instrument):
            return -1
        pair = self._met[key] = self._journal.pair(account, instrument)
        self._currencies.setdefault(account, self._universe.instruments[instrument].currency)
        return pair

    def _only_orders(self, words: np.ndarray, ids: _Ids) -> dict[Any, Any] | None:
        """The orders by id, if all rows are orders with an id and nothing else needs a thought."""
        some = ids.some_orders and not ids.some_trades and (words[:, PLACE_OF["kind"]] == ORDER).all()
        return self._by_id if some and None not in ids.orders else None

    def _name(self, words: np.ndarray, ids: _Ids) -> int:
        """Write which orders are named and the codes of trades; return how many rows are plain: those with new ids."""
        by_id, texts = self._only_orders(words, ids), ids.orders[: len(words)]
        if by_id is not None and "" not in texts and len(set(texts)) == len(texts):
            if by_id.keys().isdisjoint(texts):
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
        names = ("ts", "kind", "account", "instrument", "side", "qty", "price", "trade_id")
        columns = [words[:, PLACE_OF[name]].tolist() for name in names]
        columns.append(self._journal.numbers(words[:, PLACE_OF["order"]]).tolist())
        by_id, numbers = self._only_orders(words, ids), range(first, first + len(words))
        if by_id is not None:
            known = zip(numbers, *columns[2:5], *map(repeat, (0, -1, -1, MISSING)), strict=False)
            texts = cast("list[str]", ids.orders)  # each order has one
            by_id.update(zip(texts, known, strict=False))
            if self._orders.news is not None:
                self._orders.news.extend(zip(numbers, texts, strict=False))
            return
        rows = zip(*columns, strict=True)
        for number, text, trade, row in zip(numbers, ids.orders, ids.trades, rows, strict=False):
            ts, kind, owner, traded, way, lots, ticks, code, order = row
            if kind == ORDER and text is not None:
                self._orders.keep(text, ts, (number, owner, traded, way, 0, -1, -1, MISSING))
            elif trade is not None:
                self._fills.keep(trade, (owner, traded, way, code, ts // DAY_NS, lots, ticks, order, number))

    def _steps(self, column: Any, name: str, traded: np.ndarray, count: int) -> np.ndarray:
        """A column of numbers in steps: MISSING where there is none, 0 where it is not plain."""
        known, convert = (self._lots, self._new_lots) if name == "qty" else (self._ticks, self._new_ticks)
        values = column if isinstance(column, np.ndarray) else _uniform(column)
        if values is None:
            codes = traded.tolist()
            found = map(known.get, zip(codes, column, map(type, column), strict=True))
            return np.array(
                [
                    steps if steps is not None else MISSING if is_missing(value) else convert(code, value) or 0
                    for steps, code, value in zip(found, codes, column, strict=True)
                ],
                np.int64,
            )
        above, below, factor = self._grid(name)[np.where(traded < 0, 0, traded)].T
        plain = (traded >= 0) & (above > 0)
        if values.dtype == np.int64:
            plain &= np.abs(values) < SMALL
            counted = np.where(plain, values, 0) * below
            return np.where(plain & (counted % np.maximum(above, 1) == 0), counted // np.maximum(above, 1) * factor, 0)
        steps = values * below / np.maximum(above, 1)
        nearest = np.rint(np.where(np.isfinite(steps), steps, 0.0))
        plain &= np.isfinite(steps) & (np.abs(nearest) < EXACT_FLOAT) & (nearest >= 1)
        if not self._nearest:
            with np.errstate(invalid="ignore"):
                plain &= np.abs(steps - nearest) <= 1e-9 + np.abs(nearest) * 1e-15
        return np.where(np.isnan(values), MISSING, np.where(plain, nearest.astype(np.int64) * factor, 0))

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
    """A column of whole numbers; a TypeError if it is no such column."""
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


def _given(column: Any, count: int) -> list[Any]:
    """A column of ids, None where there is none."""
    if column is None:
        return [None] * count
    values = column.tolist() if isinstance(column, np.ndarray) else list(column)
    return (
        values
        if set(map(type, values)) <= {str, int} and all(values)
        else [None if is_missing(x) else x for x in values]
    )


def _texts(ids: list[Any]) -> list[str | None]:
    """The text of each id; None where there is none, empty of one that is not plain."""
    types = set(map(type, ids))
    if types == {str} and (joined := "".join(ids)).isprintable() and " " not in joined:
        return ids
    return ids if types == {type(None)} else [None if label is None else id_text(label) for label in ids]
