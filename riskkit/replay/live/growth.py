"""Tables of a session that grow by doubling while labels come in: nothing is replayed, and nothing decides otherwise.

A state has spare records: those of accounts, instruments, strategies and connections without a name, as if they were
declared and had not traded so far. A new label takes the next one. All spare records are alike but for their own numbers,
so more of them are copies of the last one, which stays spare. Records of pairs (an account in an instrument) are blank until
their first event. A table with an axis of instruments or currencies (books of groups, rates, a covariance) is laid out anew
when such an axis grows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from copy import copy
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np

from riskkit._commit import commit
from riskkit.replay.engine.groups import (
    blank_owners,
    conversion_tables,
    group_tables,
    groups_of,
    has_group,
    larger_tables,
    owner_of_position,
    row_lengths,
    width_of,
)
from riskkit.replay.engine.state import (
    Calendars,
    State,
    begin_records,
    blank_positions,
    give_versions,
    grow_orders,
    new_state,
    opening,
    words_per_key,
    workspace_of,
)
from riskkit.replay.kernels import covariance_state as covariance
from riskkit.replay.kernels.book import ACCOUNT, CASH_BALANCE, INSTRUMENT, POSITION
from riskkit.replay.kernels.records import extended, record_dtype
from riskkit.replay.kernels.runtime import Counter
from riskkit.replay.kernels.workspace import joined, zeros
from riskkit.replay.live.open_universe import LABELS, OpenUniverse
from riskkit.replay.rules.rule import Rule, parameter_names
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.scopes import SCOPES, number_of
from riskkit.replay.schema.universe import Universe

POSITION_AT, INSTRUMENT_AT, ACCOUNT_AT = (
    {name: place for place, name in enumerate(fields)} for fields in (POSITION, INSTRUMENT, ACCOUNT)
)
WORD = 8  # bytes; the first one of a rule's record is its owner
POSITION_WORDS, INSTRUMENT_WORDS, ACCOUNT_WORDS = len(POSITION), len(INSTRUMENT), len(ACCOUNT)
SPARED = LABELS  # of the currencies, which need no record to copy, only once there is a new one
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
        spared = {"strategies", "connections", "quanta"} if isinstance(universe, OpenUniverse) else set()
        if isinstance(universe, OpenUniverse) and universe.like is not None:
            spared |= {"accounts", "instruments"} if universe.keeps_units else {"accounts"}
        self._spared = frozenset(spared)
        self._capacity = self._first_capacity()
        self._instruments = list(universe.instruments)  # whose product is known
        self._currencies = len(universe.quanta)  # of which the terms of the rules know
        self._known = 0  # pairs that have a record
        self._products: dict[tuple[int, int], int] = {}  # keys of accounts and products
        self._last: dict[int, int] = {}  # last pair of each account
        self._last_of_key: dict[tuple[str, int], int] = {}  # and of each key of `_paired`
        self._words: dict[str | int, tuple[np.ndarray, memoryview]] = {}  # the records of tables as words

    def _first_capacity(self) -> dict[str, int]:
        """Number of records of each of `SPARED`: all that are known, and a spare one."""
        return {n: len(getattr(self.universe, n)) + (n in self._spared and n != "quanta") for n in SPARED}

    def _follow(self, rules: RuleSet, params: list[Any]) -> None:
        """Note what follows from the rules."""
        self.rules, self.params = rules, params
        self._paired = [group for group in groups_of(rules).values() if group.by_pair]
        hooks = [[rule.kind.on_new_day, rule.kind.reset] for rule in rules]
        self._begins = [any("book" in parameter_names(hook) for hook in both if hook is not None) for both in hooks]
        self._by_pair = [
            (k, SCOPES[rule.scope].field == "pair") for k, rule in enumerate(rules) if SCOPES[rule.scope].by_pair
        ]
        self._overridden = [k for k, rule in enumerate(rules) if rule.overrides]  # with limits of single keys
        self._noted: dict[int, int] = {}  # number of keys whose limits are noted, by rule
        self._shared = [k for k, rule in enumerate(rules) if rule.kind.shared_workspace and not _has_covariance(rule)]
        self._told = {label for k in self._shared for label in _labels_in(rules[k].parameters)}
        self._own_words: dict[int, str] = {}  # instruments of which the shared words of a rule know the label

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
        other._last_of_key, other._instruments = dict(self._last_of_key), list(self._instruments)
        other._noted, other._words, other._own_words = dict(self._noted), {}, dict(self._own_words)
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
        first = self._first_capacity()  # labels may have come since
        self._capacity = {name: max(size, first[name]) for name, size in self._capacity.items()}
        universe = self.padded()
        codes = np.array(list(self.pairs), np.int32).reshape(-1, 2)
        state = new_state(universe, opening(universe, codes[:, 0], codes[:, 1]), self.rules, self.params, found, 0)
        self.note(state)
        return state

    def note(self, state: State, capacity: Sequence[int] | None = None) -> None:
        """Note which records a state has, one of `opened` or of a snapshot."""
        self._known = len(self.pairs)
        if capacity is not None:
            self._capacity |= dict(zip(SPARED, capacity, strict=False))  # older snapshots have no spare currencies
            self._spared -= {n for n in SPARED[:4] if self._capacity[n] <= len(getattr(self.universe, n))}
        for (account, instrument), pair in self.pairs.items():
            self._last[account] = pair
            product = int(state.instruments["product"][instrument + 1])
            self._products.setdefault((account, product), int(state.positions["product"][pair + 1]))
        currencies = int(state.counts[Counter.CURRENCIES])
        for group in self._paired:
            name = group.table("positions")
            owners = state.groups[name]["account"][1 : 1 + self._known].tolist()
            width = width_of(group, currencies)
            self._last_of_key |= {(name, owner // width): pair for pair, owner in enumerate(owners)}

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
        moved |= self._name_instruments(state) | (len(self.universe.quanta) != self._currencies)
        self._currencies = len(self.universe.quanta)
        return moved | self.meet(state)

    def _name_instruments(self, state: State) -> bool:
        """Give the instruments that have come their product, and the rules that name them their words."""
        moved, instruments, named = False, self.universe.instruments, self._instruments
        while named and (len(named) > len(instruments) or named[-1] is not instruments[len(named) - 1]):
            named.pop()  # one that was refused
        for code in range(len(named), len(instruments)):
            one, before = instruments[code], int(state.instruments["product"][code + 1])
            product = state.instruments["product"][code + 1] = self.universe.product_codes[one.product]
            if product != before and state.groups:
                self._regroup(state, self._row_lengths(state))
                moved = True
            if one.id in self._told or code in self._own_words:  # also where a label that was refused had the place
                self._own_words[code] = one.id
                self._share_again(state)
                moved = True
            named.append(one)
        return moved

    def meet(self, state: State) -> bool:
        """As `admit`, where no more than an account and a pair are new."""
        moved = len(self.universe.accounts) >= self._capacity["accounts"] and self._spare_again(state)
        added = len(self.pairs) - self._known
        if added:
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
        known = {name: len(getattr(self.universe, name)) for name in self._spared}
        grown = {n: 2 * k + 1 for n, k in known.items() if k + (n != "quanta") > self._capacity[n]}
        if not grown:
            return False
        wider, before, former = replace(state), self._row_lengths(state), dict(self._capacity)
        wider.counts, wider.rules, wider.groups = state.counts.copy(), list(state.rules), dict(state.groups)
        self._capacity |= grown
        try:
            for name in [name for name in SPARED if name in grown]:
                getattr(self, f"_more_{name}")(wider, grown[name] - former[name])
            if wider.groups:
                self._regroup(wider, before)
            if grown.keys() & {"accounts", "instruments"}:
                self._relay_covariances(wider)
        except BaseException:
            self._capacity = former
            raise
        commit([(vars(state).update, vars(wider))])
        return True

    def _row_lengths(self, state: State) -> dict[str, int]:
        return row_lengths(groups_of(self.rules).values(), state.counts)

    def _regroup(self, state: State, before: dict[str, int]) -> None:
        """Lay out the books of groups and the rates anew, whose rows had other lengths."""
        books = state.accounts, state.positions[: self._known + 1], state.instruments, state.cash_balances
        tables = group_tables(groups_of(self.rules).values(), self.padded(), *books)
        if "rates" in state.groups:
            tables["rates"] = conversion_tables(self.padded(), 0)["rates"]
        state.groups |= larger_tables(state.groups, tables, before, self._row_lengths(state))
        self._cover_keys(state)

    def _relay_covariances(self, state: State) -> None:
        """Lay out every covariance anew."""
        reals = [state.reals[:1]]
        size = self._capacity["instruments"]
        for k, rule in enumerate(self.rules):
            if _has_covariance(rule):
                table = state.rules[k] = state.rules[k].copy()
                words, floats = covariance.relaid(rule.id, table, state.memory, state.reals, size)
                covariance.place(table, len(state.memory), sum(map(len, reals)), size)
                state.memory = joined([state.memory, words])
                reals.append(floats)
        state.reals = np.concatenate(reals)

    def _share_again(self, state: State) -> None:
        """Write the words that all keys of a rule share anew, as they depend on the instruments."""
        padded = self.padded()
        for k in self._shared:
            table = state.rules[k].copy()
            words = workspace_of(self.rules[k], self.params[k], padded, table, len(state.memory))
            memory = joined([state.memory, words])
            commit([(setattr, state, "memory", memory), (state.rules.__setitem__, k, table)])

    def _more_accounts(self, state: State, added: int) -> None:
        state.accounts = extended(state.accounts, state.accounts[-1:], added)
        state.cash_balances = extended(
            state.cash_balances, state.cash_balances[-int(state.counts[Counter.BALANCES]) :], added
        )
        state.counts[Counter.ACCOUNTS] += added
        self._more_keys(state, "account", self._capacity["accounts"])

    def _more_instruments(self, state: State, added: int) -> None:
        state.instruments = extended(state.instruments, state.instruments[-1:], added)
        padded = self.padded()
        codes = {product: code for code, product in enumerate(padded.products)}
        state.instruments["product"][-added:] = [codes[one.product] for one in padded.instruments[-added:]]
        state.counts[Counter.INSTRUMENTS] = len(state.instruments) - 1
        self._more_keys(state, "instrument", self._capacity["instruments"])
        self._more_keys(state, "product", len(codes))
        self._share_again(state)

    def _more_strategies(self, state: State, added: int) -> None:
        state.counts[Counter.STRATEGIES] += added
        self._more_keys(state, "strategy", self._capacity["strategies"])

    def _more_quanta(self, state: State, added: int) -> None:
        state.counts[Counter.CURRENCIES] += added
        if self.universe.mixed:
            table = np.zeros(len(state.accounts) - 1, (record_dtype(CASH_BALANCE), (state.counts[Counter.CURRENCIES],)))
            table[:, :-added] = state.cash_balances[1:].reshape(len(table), -1)
            state.cash_balances = np.concatenate([state.cash_balances[:1], table.ravel()])
            state.counts[Counter.BALANCES] += added

    def _more_connections(self, state: State, added: int) -> None:
        self._more_keys(state, "connection", self._capacity["connections"])

    def _more_keys(self, state: State, scope: str, count: int) -> None:
        """Add spare records to the rules of a scope up to a number, with what the last one has in the workspace."""
        for k, (rule, params) in enumerate(zip(self.rules, self.params, strict=True)):
            added = count + 1 - len(state.rules[k])
            if rule.scope != scope or added <= 0:
                continue
            table = state.rules[k] = extended(state.rules[k], state.rules[k][-1:], added)
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
            state.positions = extended(state.positions, blank_positions(max(FIRST_PAIRS, pair)))
            moved = True
        positions, instruments = self._words_of("p", state.positions), self._words_of("i", state.instruments)
        traded, at = (instrument + 1) * INSTRUMENT_WORDS, (pair + 1) * POSITION_WORDS
        product = account, instruments[traded + INSTRUMENT_AT["product"]]
        key = self._products.setdefault(product, len(self._products))
        positions[at + POSITION_AT["account"]], positions[at + POSITION_AT["instrument"]] = account, instrument
        positions[at + POSITION_AT["code"]], positions[at + POSITION_AT["product"]] = pair, key
        for k, of_pair in self._by_pair:
            moved |= self._add_key(state, k, pair if of_pair else key, account)
        before = instruments[traded + INSTRUMENT_AT["last_pair"]]
        moved |= self._add_to_groups(state, pair, before)
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
        self._known += 1
        return moved

    def _add_to_groups(self, state: State, pair: int, before: int) -> bool:
        """Give a new pair its position in the books that do not net accounts; `before` is the pair before it in its instrument."""
        moved = self._cover_keys(state)
        for group in self._paired:
            name = group.table("positions")
            if len(state.groups[name]) <= pair + 1:
                blank = blank_positions(max(FIRST_PAIRS, pair))
                state.groups[name], moved = extended(state.groups[name], blank), True
            held, owners = state.groups[name], state.groups[group.table("accounts")]
            held[pair + 1] = state.positions[pair + 1]
            tables = state.accounts, state.instruments, int(state.counts[Counter.CURRENCIES])
            owner = held["account"][pair + 1] = owner_of_position(group, held[pair + 1], *tables)
            width = width_of(group, tables[-1])
            key = owner // width
            last = self._last_of_key.get((name, key), -1)
            if last < 0:
                owners["first_position"][key * width + 1] = pair
            elif last != pair:
                held["next_of_account"][last + 1] = pair
            if before not in (-1, pair):
                held["next_position"][before + 1] = pair
            self._last_of_key[name, key] = pair
        return moved

    def _cover_keys(self, state: State) -> bool:
        """Give each record of a rule by pair or product an account of its book, also those without a pair so far."""
        moved = False
        for group in [group for group in self._paired if SCOPES[group.scope].by_pair]:
            name = group.table("accounts")
            known = [len(state.rules[k]) for k, _ in self._by_pair if self.rules[k].scope == group.scope]
            added = max(known) - len(state.groups[name])
            if added > 0:
                state.groups[name], moved = extended(state.groups[name], blank_owners(added)), True
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
            begin_records(
                self.rules[k], self.params[k], fresh, state, blank_owners(2) if has_group(self.rules[k]) else None
            )
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
        return extended(table, blank)


def _has_covariance(rule: Rule) -> bool:
    return "covariance" in rule.kind.requires


def _labels_in(value: Any) -> set[str]:
    """All texts in the parameters of a rule."""
    if isinstance(value, str):
        return {value}
    parts = [*value.keys(), *value.values()] if isinstance(value, Mapping) else value
    return {text for part in parts for text in _labels_in(part)} if isinstance(parts, Collection) else set()
