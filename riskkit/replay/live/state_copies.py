"""Copies of a state for readers, each at the price of what has changed since the one before.

Which records the events since then may have changed follows from their accounts, pairs and instruments: the books, and the records
of rules that are by account or pair; of a price, those of everybody who holds the instrument. Their pages are copied
(`riskkit.replay.live.pages`). All is copied where an event may reach further (a new day, a command, a bust, other rules); a table is,
once it has moved to grow, or if its size does not depend on the number of accounts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from riskkit.replay.engine.state import State, words_per_key
from riskkit.replay.kernels.queue import FIRST, LENGTH, NEXT, NODE, QUEUE
from riskkit.replay.kernels.runtime import Counter
from riskkit.replay.live.engine import Engine
from riskkit.replay.live.pages import RECORDS, WORDS, Pages
from riskkit.replay.rules.rule import Rule
from riskkit.replay.schema.columns import MISSING, EventKind

# events that change the records of their account, pair and instrument, and nothing else but what a price moves
NARROW = {
    EventKind.ORDER, EventKind.MODIFY, EventKind.CANCEL, EventKind.FILL, EventKind.PRICE, EventKind.CLOSE, EventKind.CASH,
    EventKind.EQUITY, EventKind.TRADE, EventKind.ACK, EventKind.ERROR, EventKind.EXECUTION, EventKind.EXPIRE,
    EventKind.REJECT, EventKind.CANCEL_REJECT, EventKind.MODIFY_REJECT, EventKind.CLOCK,
}  # fmt: skip
OWNED = {
    "account": "account",
    "account_instrument": "pair",
    "account_product": "product",
}  # scopes, and what their key is
COLUMNS = "kind", "account", "pair", "instrument", "stop", "slots"
UNPUBLISHED = "counts", "orders", "fills"
Codes = dict[str, set[int]]


class Copy(NamedTuple):
    """The tables of a state as of one event, and how many records of each have a name; none of single orders and fills."""

    tables: Mapping[str, Pages]
    sizes: Mapping[str, int]
    counts: np.ndarray

    def state(self) -> State:
        """The state as arrays."""
        arrays = {name: self.tables[name].whole(size) for name, size in self.sizes.items()}
        arrays["counts"] = self.counts.copy()
        single = {name: arrays.pop(name) for name in list(arrays) if name in State.__dataclass_fields__}
        rules = [arrays.pop(f"s{k}") for k in range(len(self.rules))]
        return State(**single, rules=rules, groups=arrays)

    @property
    def accounts(self) -> Pages:
        """The accounts."""
        return self.tables["accounts"]

    @property
    def rules(self) -> list[Pages]:
        """The records of each rule."""
        return [self.tables[name] for name in self.sizes if name.startswith("s") and name[1:].isdigit()]

    @property
    def copied(self) -> dict[str, int]:
        """Number of pages of each table that are not those of the copy before."""
        return {name: table.copied for name, table in self.tables.items()}

    def pairs_of(self, account: int) -> Iterator[int]:
        """The pairs of an account, in order of appearance."""
        yield from _chain(self.accounts, self.tables["positions"], account)


class StateCopies:
    """The copies of one session's state, taken one after the other."""

    def __init__(self) -> None:
        self._last = Copy({}, {}, np.zeros(0, np.int64))
        self._of: tuple[Any, ...] = ()  # whose that is: engine, rules, number of events that are forgotten
        self._size = 0  # events by then
        self._met = 0  # pairs by then
        self._pairs: dict[int, list[int]] = {}  # those of each instrument

    def take(self, live: Engine) -> Copy:
        """Copy the present state."""
        named, owner = live.state, (live, live.history, live.journal.shift)
        state = live.tables if live.size else named
        again = len(self._of) == len(owner) and all(map(_is, self._of, owner))
        if not again:
            self._met, self._pairs = 0, {}
        chained = self._meet(live.journal.pairs)
        touched = _Touched(live, state, self._changed(live, state, chained) if again else None)
        tables = {}
        for name, array in state.arrays().items():
            before = self._last.tables.get(name)
            if name not in UNPUBLISHED:
                pages = touched.pages(name) if before is not None and before.source is array else None
                tables[name] = Pages.of(array) if before is None or pages is None else before.renewed(pages)
        tables |= {"orders": Pages.of(state.orders[:1]), "fills": Pages.of(state.fills[:1])}
        sizes = {name: len(array) for name, array in named.arrays().items() if name not in UNPUBLISHED}
        found = Copy(tables, sizes | {"orders": 1, "fills": 1}, named.counts)
        self._last, self._of, self._size = found, owner, live.size
        return found

    def _changed(self, live: Engine, state: State, chained: list[int]) -> Codes | None:
        """The accounts, pairs, instruments and products whose records may have changed; None: any may have."""
        last, journal, count = self._last, live.journal, live.size - self._size
        if count > min(len(journal), len(state.accounts)) or _reach_further(live):
            return None
        recent = slice(len(journal) - count, len(journal))
        columns = {name: journal.columns[name][recent].tolist() for name in COLUMNS}
        turned = state.counts[Counter.NEXT_TURN] != last.counts[Counter.NEXT_TURN]
        if turned or not NARROW.issuperset(columns["kind"]):
            return None
        codes = {name: set(columns[name]) for name in ("account", "pair", "instrument")}
        codes["account"].update(range(last.sizes["accounts"] - 1, len(live.labels.accounts)))
        codes["instrument"].update(range(last.sizes["instruments"] - 1, len(live.labels.instruments)))
        codes["pair"].update(chained, self._moved(live, state, columns))
        slots = [slot for slot in columns["slots"] if slot >= 0]
        if slots:
            orders = state.orders[np.array(slots) + 1]
            codes["account"].update(orders["account"].tolist())
            codes["pair"].update(orders["pair"].tolist())
        for account in {int(state.positions["account"][pair + 1]) for pair in chained}:
            codes["pair"].update(_chain(state.accounts, state.positions, account))
        held = state.positions[np.array(sorted(codes["pair"]), np.int64) + 1]
        codes["account"].update(held["account"].tolist())
        codes["instrument"].update(held["instrument"].tolist())
        codes["product"] = set(held["product"].tolist())
        return codes

    def _moved(self, live: Engine, state: State, columns: Mapping[str, list[int]]) -> list[int]:
        """The pairs of the instruments of which a price has moved the values of positions, or triggered stops."""
        shape, instruments = live.loop.shape, self._last.tables["instruments"]
        kinds = zip(columns["instrument"], columns["kind"], strict=True)
        priced = {code for code, kind in kinds if kind == EventKind.PRICE}
        stops = any(price != MISSING for price in columns["stop"])
        found = [
            code
            for code in {*columns["instrument"]} - {-1}
            if (shape.marks or shape.exposures) and (code in priced or not state.instruments["priced"][code + 1])
            or code in priced and (stops or instruments[code + 1]["first_stop"] >= 0)
        ]  # fmt: skip
        return [pair for code in found for pair in self._pairs.get(code, ())]

    def _meet(self, pairs: dict[tuple[int, int], int]) -> list[int]:
        """Note the pairs that have come; return them, and those before them in their instruments, which lead to them now."""
        added = [instrument for _, instrument in islice(reversed(pairs), len(pairs) - self._met)][::-1]
        chained = []
        for pair, instrument in enumerate(added, self._met):
            of_instrument = self._pairs.setdefault(instrument, [])
            of_instrument.append(pair)
            chained += of_instrument[-2:]
        self._met = len(pairs)
        return chained


class _Touched:
    """The pages of the tables that the events of some codes may have changed."""

    def __init__(self, live: Engine, state: State, codes: Codes | None) -> None:
        self._live, self._state, self._codes = live, state, codes
        balances, currencies = int(state.counts[Counter.BALANCES]), int(state.counts[Counter.CURRENCIES])
        # of each table, whose records it has, and how many of each
        self._keys = {"accounts": ("account", 1), "positions": ("pair", 1), "instruments": ("instrument", 1)}
        self._keys["cash_balances"] = "account", balances
        for group in live.loop.shape.groups:
            if group.scope in OWNED and not group.separate:
                self._keys[group.table("positions")] = "pair", 1
                self._keys[group.table("accounts")] = OWNED[group.scope], currencies if group.converts else 1
        for k, rule in enumerate(live.rules):
            if rule.scope in OWNED:
                self._keys[f"s{k}"] = OWNED[rule.scope], 1

    def pages(self, name: str) -> Iterable[int] | None:
        """Numbers of the pages of a table; None of one that is to be copied whole."""
        if self._codes is None:
            return None
        if name == "memory":
            rules = enumerate(zip(self._live.rules, self._live.params, strict=True))
            return {0}.union(*(self._words(k, rule, params) for k, (rule, params) in rules))
        return {row // RECORDS for row in self._rows(name)} if name in self._keys else None

    def _rows(self, name: str) -> list[int]:
        """The records of a table."""
        assert self._codes is not None
        whose, width = self._keys[name]
        codes = self._codes[whose]
        if width == 1:
            return [code + 1 for code in codes]
        return [
            row for code in codes for row in (range(code * width + 1, (code + 1) * width + 1) if code >= 0 else (0,))
        ]

    def _words(self, k: int, rule: Rule, params: Any) -> set[int]:
        """Pages of the workspace with the windows of a rule: those of its keys, and the entries of its queues."""
        table = self._state.rules[k]
        if not rule.kind.workspace_size or not len(table):
            return set()
        size = words_per_key(rule, params, len(table) - 1)
        rows = self._rows(f"s{k}") if f"s{k}" in self._keys else range(1, len(table))
        starts = table["memory"][[row for row in rows if row > 0]].tolist()
        found = {page for start in starts for page in range(start // WORDS, (start + size - 1) // WORDS + 1)}
        if rule.kind.nodes_per_event:  # its words are heads of queues
            for start in starts:
                for head in range(start, start + size, QUEUE):
                    found |= self._entries(head)
        return found

    def _entries(self, head: int) -> set[int]:
        """Pages of the entries of a queue."""
        memory = self._state.memory.data
        node, found = memory[head + FIRST], set()
        for _ in range(memory[head + LENGTH]):
            found |= {node // WORDS, (node + NODE - 1) // WORDS}
            node = memory[node + NEXT]
        return found


def _reach_further(live: Engine) -> bool:
    """True if every event may change what belongs to others: a rule cancels orders of other accounts, or has a covariance."""
    shape = live.loop.shape
    return bool(shape.cancels or (shape.enforce and shape.matching) or shape.gauging)


def _chain(accounts: Any, positions: Any, account: int) -> Iterator[int]:
    """The pairs of an account, of tables of records by row."""
    pair = int(accounts[account + 1]["first_position"])
    while pair >= 0:
        yield pair
        pair = int(positions[pair + 1]["next_of_account"])


def _is(one: Any, other: Any) -> bool:
    return one is other or (isinstance(one, int) and one == other)
