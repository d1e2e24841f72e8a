"""Tables of a session that grow by doubling while labels come in: nothing is replayed, and nothing decides otherwise.

A state has spare records: those of accounts, instruments, strategies and connections without a name, as if they were
declared and had not traded so far. A new label takes the next one. All spare records are alike but for their own numbers,
so more of them are copies of the last one, which stays spare. Records of pairs (an account in an instrument) are blank until
their first event.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np

from riskkit.replay.engine.groups import groups_of
from riskkit.replay.engine.state import (
    Calendars,
    State,
    begin_records,
    blank_positions,
    give_versions,
    grow,
    grow_orders,
    new_state,
    opening,
    words_per_key,
)
from riskkit.replay.kernels.book import ACCOUNT, INSTRUMENT, POSITION
from riskkit.replay.kernels.runtime import Counter
from riskkit.replay.kernels.workspace import joined, zeros
from riskkit.replay.live.open_universe import OpenUniverse
from riskkit.replay.rules.rule import parameter_names
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.scopes import SCOPES, number_of
from riskkit.replay.schema.universe import Universe

POSITION_AT, INSTRUMENT_AT, ACCOUNT_AT = (
    {name: place for place, name in enumerate(fields)} for fields in (POSITION, INSTRUMENT, ACCOUNT)
)
WORD = 8  # bytes; the first one of a rule's record is its owner
POSITION_WORDS, INSTRUMENT_WORDS, ACCOUNT_WORDS = len(POSITION), len(INSTRUMENT), len(ACCOUNT)
SPARED = ("accounts", "instruments", "strategies", "connections")
FIRST_PAIRS = 8


class Growth:
    """The room in the tables of one session.

    Parameters
    ----------
    rules, params
        The rules, and their parameters as integers.
    universe : Universe
        An `OpenUniverse` gains labels; of another only pairs appear.
    pairs : dict
        Code of each (account, instrument), which the journal adds to.
    """

    def __init__(
        self, rules: RuleSet, params: list[Any], universe: Universe, pairs: dict[tuple[int, int], int]
    ) -> None:
        self.universe, self.pairs = universe, pairs
        self._follow(rules, params)
        groups = groups_of(rules)
        spared = set()
        if isinstance(universe, OpenUniverse):
            spared = {"strategies", "connections"}
            if universe.like is not None and not any("covariance" in rule.kind.requires for rule in rules):
                spared.add("accounts")
                shared = any(rule.kind.shared_workspace is not None for rule in rules)
                spared |= {"instruments"} if not groups and not shared and universe.keeps_units else set()
        self._spared = frozenset(spared)
        self._capacity = {name: len(getattr(universe, name)) + (name in spared) for name in SPARED}
        self._instruments = len(universe.instruments)  # whose product is known
        self._known = 0  # pairs that have a record
        self._products: dict[tuple[int, int], int] = {}  # keys of accounts and products
        self._last: dict[int, int] = {}  # last pair of each account
        self._words: dict[str | int, tuple[np.ndarray, memoryview]] = {}  # the records of tables as words

    def _follow(self, rules: RuleSet, params: list[Any]) -> None:
        """Note what follows from the rules."""
        self.rules, self.params = rules, params
        self._grouped = any(group.by_pair for group in groups_of(rules).values())
        hooks = [[rule.kind.on_new_day, rule.kind.reset] for rule in rules]
        self._begins = [any("book" in parameter_names(hook) for hook in both if hook is not None) for both in hooks]
        self._by_pair = [
            (k, SCOPES[rule.scope].field == "pair") for k, rule in enumerate(rules) if SCOPES[rule.scope].by_pair
        ]
        self._overridden = [k for k, rule in enumerate(rules) if rule.overrides]  # with limits of single keys
        self._noted: dict[int, int] = {}  # number of keys whose limits are noted, by rule

    def under(self, rules: RuleSet, params: list[Any]) -> Growth:
        """The same room under other rules, which need no other spare records."""
        other = copy(self)
        other._follow(rules, params)
        return other

    def twin(self, pairs: dict[tuple[int, int], int]) -> Growth:
        """The same room for a copy of the state, with other pairs to come."""
        other = copy(self)
        other.pairs = pairs
        other._capacity, other._products, other._last = dict(self._capacity), dict(self._products), dict(self._last)
        other._noted, other._words = dict(self._noted), {}
        return other

    def padded(self) -> Universe:
        """The universe with its spare labels."""
        universe = self.universe
        if not isinstance(universe, OpenUniverse):
            return universe
        return universe.padded({n: self._capacity[n] - len(getattr(universe, n)) for n in SPARED})

    @property
    def capacity(self) -> list[int]:
        """Number of records of each of `SPARED`, for a snapshot."""
        return list(self._capacity.values())

    def follows(self) -> bool:
        """True if the labels that the universe has by now can come in without a replay."""
        return all(n in self._spared or len(getattr(self.universe, n)) == self._capacity[n] for n in SPARED)

    # ------------------------------------------------------------------ states

    def opened(self, found: Calendars) -> State:
        """The state before the first event, with spare records."""
        universe = self.padded()
        codes = np.array(list(self.pairs), np.int32).reshape(-1, 2)
        state = new_state(universe, opening(universe, codes[:, 0], codes[:, 1]), self.rules, self.params, found, 0)
        self.note(state)
        return state

    def note(self, state: State, capacity: Sequence[int] | None = None) -> None:
        """Note which records a state has, one of `opened` or of a snapshot."""
        self._known = len(self.pairs)
        if capacity is not None:
            self._capacity = dict(zip(SPARED, capacity, strict=True))
        for (account, instrument), pair in self.pairs.items():
            self._last[account] = pair
            product = int(state.instruments["product"][instrument + 1])
            self._products.setdefault((account, product), int(state.positions["product"][pair + 1]))

    def named(self, state: State) -> State:
        """The records of a state that are no spare ones, in its memory."""
        accounts, balances = len(self.universe.accounts), int(state.counts[Counter.BALANCES])
        counts = state.counts.copy()
        counts[Counter.ACCOUNTS], counts[Counter.STRATEGIES] = accounts, len(self.universe.strategies)
        return replace(
            state,
            positions=state.positions[: len(self.pairs) + 1],
            accounts=state.accounts[: accounts + 1],
            instruments=state.instruments[: len(self.universe.instruments) + 1],
            cash_balances=state.cash_balances[: accounts * balances + 1],
            counts=counts,
            rules=[table[: self._keys(rule.scope) + 1] for rule, table in zip(self.rules, state.rules, strict=True)],
        )

    def _keys(self, scope: str) -> int:
        if not SCOPES[scope].by_pair:
            return number_of(scope, self.universe)
        return len(self.pairs) if SCOPES[scope].field == "pair" else len(self._products)

    # ------------------------------------------------------------------ growing

    def admit(self, state: State, orders: int) -> bool:
        """Give records to all labels and pairs that are known, and room to so many orders; return whether a table moved."""
        moved = grow_orders(state, orders)
        moved |= self._spare_again(state)
        self._instruments = min(self._instruments, len(self.universe.instruments))
        for code in range(self._instruments, len(self.universe.instruments)):
            product = self.universe.instruments[code].product
            state.instruments["product"][code + 1] = self.universe.product_codes[product]
        self._instruments = len(self.universe.instruments)
        return moved | self.meet(state)

    def meet(self, state: State) -> bool:
        """As `admit`, where no more than an account and a pair are new."""
        moved = len(self.universe.accounts) >= self._capacity["accounts"] and self._spare_again(state)
        added = len(self.pairs) - self._known
        if added and self._grouped:
            codes = np.array(list(self.pairs), np.int32).reshape(-1, 2)
            grow(state, self.universe, codes[:, 0], codes[:, 1], self.rules, self.params)
            self.note(state)
            moved = True
        elif added:
            for account, instrument in list(islice(reversed(self.pairs), added))[::-1]:
                moved |= self._add_pair(state, account, instrument)
        for k in self._overridden:  # once more for the last key: a refused event may have given it another label
            rule, table = self.rules[k], state.rules[k]
            keys = range(max(self._noted.get(k, 0) - 1, 0), min(self._keys(rule.scope), len(table) - 1))
            give_versions(rule, table, self.universe, state.positions[1:], keys)
            self._noted[k] = keys.stop
        return moved

    def _spare_again(self, state: State) -> bool:
        """Double the tables of which the last spare record is taken."""
        moved = False
        for name in SPARED:
            known = len(getattr(self.universe, name))
            if name in self._spared and known >= self._capacity[name]:
                added = 2 * known + 1 - self._capacity[name]
                self._capacity[name] += added
                getattr(self, f"_more_{name}")(state, added)
                moved = True
        return moved

    def _more_accounts(self, state: State, added: int) -> None:
        state.accounts = _copies(state.accounts, added)
        state.cash_balances = _copies(state.cash_balances, added, int(state.counts[Counter.BALANCES]))
        state.counts[Counter.ACCOUNTS] += added
        self._more_keys(state, "account", added)
        for group in groups_of(self.rules).values():
            if group.scope == "account" and group.converts:
                table = group.table("accounts")
                state.groups[table] = _copies(state.groups[table], added, len(self.universe.quanta))

    def _more_instruments(self, state: State, added: int) -> None:
        state.instruments = _copies(state.instruments, added)
        state.counts[Counter.INSTRUMENTS] = len(state.instruments) - 1
        self._more_keys(state, "instrument", added)
        self._more_keys(state, "product", added)

    def _more_strategies(self, state: State, added: int) -> None:
        state.counts[Counter.STRATEGIES] += added
        self._more_keys(state, "strategy", added)
        width = int(state.counts[Counter.INSTRUMENTS])
        for group in groups_of(self.rules).values():
            if not group.own:
                continue
            books = len(self.universe.quanta) if group.converts else 1
            held = state.groups[group.table("positions")] = _copies(
                state.groups[group.table("positions")], added, width
            )
            owned = state.groups[group.table("accounts")] = _copies(state.groups[group.table("accounts")], added, books)
            further = np.arange(1, added + 1)
            held["account"][-added * width :] += np.repeat(further * books, width)
            for table, name, block in ((held, "next_of_account", width), (owned, "first_position", books)):
                chain = table[name][-added * block :]
                chain += np.where(chain >= 0, np.repeat(further * width, block), 0)
            held["next_position"][1:-width] = np.arange(width, len(held) - 1)
            held["next_position"][-width:] = -1

    def _more_connections(self, state: State, added: int) -> None:
        self._more_keys(state, "connection", added)

    def _more_keys(self, state: State, scope: str, added: int) -> None:
        """Add spare records to the rules of a scope, with what the last one has in the workspace."""
        for k, (rule, params) in enumerate(zip(self.rules, self.params, strict=True)):
            if rule.scope != scope:
                continue
            table = state.rules[k] = _copies(state.rules[k], added)
            if scope == "account":
                table["owner"][-added:] = np.arange(len(table) - 1 - added, len(table) - 1)
            if rule.kind.workspace_size:
                size = words_per_key(rule, params, len(table) - 1)
                first = int(table["memory"][-1])
                table["memory"][-added:] = len(state.memory) + size * np.arange(added)
                state.memory = joined([state.memory, np.tile(state.memory[first : first + size], added)])

    def _add_pair(self, state: State, account: int, instrument: int) -> bool:
        """Give the next pair its record, chained after those of its account and of its instrument."""
        pair, moved = self._known, False
        if len(state.positions) <= pair + 1:
            state.positions = np.concatenate([state.positions, blank_positions(max(FIRST_PAIRS, pair))])
            moved = True
        positions, instruments = self._words_of("p", state.positions), self._words_of("i", state.instruments)
        traded, at = (instrument + 1) * INSTRUMENT_WORDS, (pair + 1) * POSITION_WORDS
        product = account, instruments[traded + INSTRUMENT_AT["product"]]
        key = self._products.setdefault(product, len(self._products))
        positions[at + POSITION_AT["account"]], positions[at + POSITION_AT["instrument"]] = account, instrument
        positions[at + POSITION_AT["code"]], positions[at + POSITION_AT["product"]] = pair, key
        before = instruments[traded + INSTRUMENT_AT["last_pair"]]
        if before < 0:
            instruments[traded + INSTRUMENT_AT["first_position"]] = pair
        elif before != pair:  # as an interrupted call has left it
            positions[(before + 1) * POSITION_WORDS + POSITION_AT["next_position"]] = pair
        instruments[traded + INSTRUMENT_AT["last_pair"]] = pair
        last = self._last.get(account, -1)
        if last < 0:
            accounts = self._words_of("a", state.accounts)
            accounts[(account + 1) * ACCOUNT_WORDS + ACCOUNT_AT["first_position"]] = pair
        elif last != pair:
            positions[(last + 1) * POSITION_WORDS + POSITION_AT["next_of_account"]] = pair
        self._last[account] = pair
        for k, of_pair in self._by_pair:
            moved |= self._add_key(state, k, pair if of_pair else key, account)
        self._known += 1
        return moved

    def _words_of(self, name: str | int, table: np.ndarray) -> memoryview:
        """A table of records as words of 64 bits, which are written faster than fields."""
        kept = self._words.get(name)
        if kept is None or kept[0] is not table:
            kept = self._words[name] = table, table.view(np.int64).data
        return kept[1]

    def _add_key(self, state: State, k: int, key: int, account: int) -> bool:
        """Begin the record of a pair's or a product's key, unless it has begun."""
        table = state.rules[k]
        moved = len(table) <= key + 1
        if moved:
            table = state.rules[k] = self._more_pairs(state, k, key)
        words, owner = self._words_of(k, table), (key + 1) * table.dtype.itemsize // WORD
        if words[owner] >= 0:
            return False
        if self._begins[k]:  # in one go, so that an interrupted call begins it again
            fresh = np.zeros(2, table.dtype)
            fresh["owner"][1] = account
            if "memory" in (table.dtype.names or ()):
                fresh["memory"][1] = table["memory"][key + 1]
            begin_records(self.rules[k], self.params[k], fresh, state)
            table[key + 1] = fresh[1]
        else:
            words[owner] = account
        return moved

    def _more_pairs(self, state: State, k: int, key: int) -> np.ndarray:
        """The table of a rule by pair or product, with blank records up to that of a key and beyond."""
        rule, table = self.rules[k], state.rules[k]
        size = words_per_key(rule, self.params[k], key + 1) if rule.kind.workspace_size else 0
        blank = np.zeros(max(FIRST_PAIRS, key), table.dtype)
        blank["owner"] = -1
        if size:
            blank["memory"] = len(state.memory) + size * np.arange(len(blank))
            state.memory = joined([state.memory, zeros(size * len(blank))])
        elif "memory" in (table.dtype.names or ()):
            blank["memory"] = table["memory"][0]
        return np.concatenate([table, blank])


def _copies(table: np.ndarray, count: int, block: int = 1) -> np.ndarray:
    """A table with `count` copies of its last `block` records at the end."""
    return np.concatenate([table, np.tile(table[-block:], count)])
