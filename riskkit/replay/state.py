"""The memory of a replay: records for accounts, positions, instruments, orders and rules, and its calendars.

Everything the loop changes stands in these arrays, so that copying them is a snapshot. A table has one record more
than it needs, in front, and is counted from the second: the index -1 (no account, no pair) is the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit._jit import plain
from riskkit.replay.book import ACCOUNT, INSTRUMENT, ORDER, POSITION, Book
from riskkit.replay.calendar import day_starts
from riskkit.replay.columns import MISSING
from riskkit.replay.records import Records, record_dtype
from riskkit.replay.rule import Rule, parameter_names
from riskkit.replay.ruleset import RuleSet
from riskkit.replay.steps import HOLD_RESET, HOLD_SESSION, NEVER, Counter, Terms
from riskkit.replay.universe import Universe

__all__ = ["Calendars", "State", "calendars", "grow", "new_state", "terms"]

ENGINE_FIELDS = ("owner", "held_until", "trips")
GROUPS = ("desk", "firm")
CLOCK = ("start", "end", "place", "stop")


@dataclass
class State:
    """All arrays of a replay; `arrays` names them for snapshots."""

    positions: np.ndarray
    accounts: np.ndarray
    instruments: np.ndarray
    orders: np.ndarray
    clocks: np.ndarray
    memory: np.ndarray
    counts: np.ndarray
    rules: list[np.ndarray]

    def arrays(self) -> dict[str, np.ndarray]:
        """Every array by name."""
        named = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "rules"}
        return {**named, **{f"s{k}": array for k, array in enumerate(self.rules)}}

    def copy(self) -> State:
        """An independent copy."""
        fields = {name: getattr(self, name).copy() for name in self.__dataclass_fields__ if name != "rules"}
        return State(**fields, rules=[array.copy() for array in self.rules])


@dataclass(frozen=True)
class Calendars:
    """The trading days of a rule set: boundaries of each distinct (time zone, roll hour)."""

    zones: tuple[tuple[str, int], ...]
    bounds: np.ndarray
    offsets: tuple[tuple[int, int], ...]


def calendars(rules: RuleSet, first_ns: int, last_ns: int) -> Calendars:
    """Resolve the days of every rule between two times."""
    zones = tuple(dict.fromkeys([rule.zone() for rule in rules])) or (("UTC", 0),)
    tables = [day_starts(tz, hour, first_ns, last_ns) for tz, hour in zones]
    ends = np.cumsum([0, *map(len, tables)]).tolist()
    offsets = tuple((ends[c], ends[c + 1]) for c in range(len(zones)))
    return Calendars(zones, np.concatenate(tables), offsets)


def terms(rule: Rule, found: Calendars) -> Terms:
    """A rule's terms as integers."""
    hold = rule.hold_ns()
    kind = {"reset": HOLD_RESET, "session": HOLD_SESSION}.get(hold, 2) if isinstance(hold, str) else 2
    return Terms(
        int(rule.action != "ALERT"),
        kind,
        hold if isinstance(hold, int) else 0,
        found.zones.index(rule.zone()),
    )


def new_state(
    universe: Universe,
    pair_account: np.ndarray,
    pair_instrument: np.ndarray,
    rules: RuleSet,
    params: list[Any],
    found: Calendars,
    slots: int,
) -> State:
    """The state before the first event: opening balances, empty windows, every account's day just begun."""
    instruments = _instruments(universe)
    accounts = _accounts(universe)
    positions = _positions(universe, pair_account, pair_instrument, instruments)
    orders = np.zeros(slots + 1, record_dtype(ORDER))
    orders["account"] = orders["pair"] = -1
    clocks = np.zeros(len(found.zones), record_dtype(CLOCK))
    for c, (start, end) in enumerate(found.offsets):
        clocks[c] = found.bounds[start], found.bounds[start + 1], start + 1, end
    counts = np.zeros(int(Counter.SIZE), np.int64)
    counts[Counter.NEXT_TURN] = clocks["end"].min(initial=NEVER)
    counts[Counter.SLOTS], counts[Counter.ACCOUNTS] = slots, len(universe.accounts)
    counts[Counter.CALENDARS] = len(clocks)
    tables, words = [], 0
    for rule, integers in zip(rules, params, strict=True):
        table = _rule_table(rule, universe, positions)
        if rule.kind.memory is not None:
            size = int(rule.kind.memory(integers))
            table["memory"] = words + size * (np.arange(len(table)) - 1)
            words += size * (len(table) - 1)
        _begin(rule, integers, table, positions, accounts, instruments, orders)
        tables.append(table)
    return State(positions, accounts, instruments, orders, clocks, np.zeros(words + 1, np.int64), counts, tables)


def grow(
    state: State,
    universe: Universe,
    pair_account: np.ndarray,
    pair_instrument: np.ndarray,
    rules: RuleSet,
    params: list[Any],
    slots: int,
) -> None:
    """Add records for pairs and orders that have come since; what is there keeps its place and its content.

    Keys of the scopes that pairs make (account_instrument, account_product) grow with them.
    """
    if len(state.orders) <= slots:
        larger = np.zeros(max(64, 2 * slots) + 1, state.orders.dtype)
        larger["account"] = larger["pair"] = -1
        larger[: len(state.orders)] = state.orders
        state.orders = larger
        state.counts[Counter.SLOTS] = len(larger) - 1
    known = len(state.positions) - 1
    if known == len(pair_account):
        return
    fresh = _instruments(universe)
    positions = _positions(universe, pair_account, pair_instrument, fresh)
    positions[: known + 1] = _keep(state.positions, positions[: known + 1], ("next",))
    state.instruments["first"], state.instruments["last_pair"] = fresh["first"], fresh["last_pair"]
    state.positions = positions
    for k, (rule, integers) in enumerate(zip(rules, params, strict=True)):
        old = state.rules[k]
        table = _rule_table(rule, universe, positions)
        if len(table) == len(old):
            continue
        if rule.kind.memory is not None:
            size = int(rule.kind.memory(integers))
            added = np.zeros(size * (len(table) - len(old)), np.int64)
            table["memory"][len(old) :] = len(state.memory) + size * np.arange(len(table) - len(old))
            state.memory = np.concatenate([state.memory, added])
        _begin(rule, integers, table, positions, state.accounts, state.instruments, state.orders)
        table[: len(old)] = old
        state.rules[k] = table


def _keep(old: np.ndarray, new: np.ndarray, renewed: tuple[str, ...]) -> np.ndarray:
    """The old records with the named fields as they are in the new ones."""
    kept = old.copy()
    for name in renewed:
        kept[name] = new[name]
    return kept


def _begin(
    rule: Rule,
    params: Any,
    table: np.ndarray,
    positions: np.ndarray,
    accounts: np.ndarray,
    instruments: np.ndarray,
    orders: np.ndarray,
) -> None:
    """Let every key that belongs to an account take its opening equity as its base."""
    for function in (rule.kind.turn, rule.kind.reset):
        names = parameter_names(function) if function is not None else ()
        if function is None or "book" not in names:
            continue
        owners = Records(accounts, 1)
        position, instrument, order = (Records(array, 1)[-1] for array in (positions, instruments, orders))
        for state in Records(table, 1):
            book = Book(position, owners[state.owner], instrument, order)
            values = {"state": state, "params": params, "book": book}
            plain(function)(*(values[name] for name in names))


def _instruments(universe: Universe) -> np.ndarray:
    table = np.zeros(len(universe.instruments) + 1, record_dtype(INSTRUMENT))
    for name in ("first", "last_pair"):
        table[name] = -1
    for name in ("bid", "ask", "last", "mark"):
        table[name] = MISSING
    table["denominator"] = 1
    products = {p: c for c, p in enumerate(dict.fromkeys(i.product for i in universe.instruments))}
    for code, instrument in enumerate(universe.instruments, 1):
        ratio = universe.ratio(instrument)
        table["numerator"][code] = ratio.numerator
        table["denominator"][code] = ratio.denominator
        table["unit"][code] = int(instrument.qty_step / universe.quantity_unit)
        table["product"][code] = products[instrument.product]
    return table


def _accounts(universe: Universe) -> np.ndarray:
    table = np.zeros(len(universe.accounts) + 1, record_dtype(ACCOUNT))
    for code, account in enumerate(universe.accounts, 1):
        table["cash"][code] = table["flows"][code] = universe.opening_cash(account)
    for group in GROUPS:
        names = {name: c for c, name in enumerate(dict.fromkeys(getattr(a, group) for a in universe.accounts))}
        table[group] = [-1, *(names[getattr(a, group)] for a in universe.accounts)]
    return table


def _positions(universe: Universe, accounts: np.ndarray, instruments: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Records of the pairs that occur, chained by instrument in order of appearance."""
    positions = np.zeros(len(accounts) + 1, record_dtype(POSITION))
    for name in ("account", "instrument", "next", "product"):
        positions[name] = -1
    known = positions[1:]  # the records of pairs, without the one of no pair
    known["account"], known["instrument"] = accounts, instruments
    if not len(accounts):
        return positions
    width = int(table["product"].max(initial=0)) + 1
    _, first, codes = np.unique(
        accounts * width + table["product"][1:][instruments], return_index=True, return_inverse=True
    )
    known["product"] = np.argsort(np.argsort(first))[codes]  # numbered as they appear
    chain = np.argsort(instruments, kind="stable")
    starts = np.flatnonzero(np.diff(instruments[chain], prepend=-1))
    ends = np.append(starts[1:], len(chain)) - 1
    following = np.append(chain[1:], -1)
    following[ends] = -1
    known["next"][chain] = following
    table["first"][1:][instruments[chain[starts]]] = chain[starts]
    table["last_pair"][1:][instruments[chain[ends]]] = chain[ends]
    codes_of = universe.instrument_codes
    for a, account in enumerate(universe.accounts):
        for label in account.positions:
            pair = np.flatnonzero((accounts == a) & (instruments == codes_of[label]))
            known["qty"][pair] = known["record"][pair] = universe.opening_steps(account, label)
    known["unpriced"] = known["qty"] != 0
    return positions


def _rule_table(rule: Rule, universe: Universe, positions: np.ndarray) -> np.ndarray:
    """One record a key of the rule's scope, and the one beyond them."""
    owners = _owners(rule.scope, universe, positions)
    table = np.zeros(len(owners) + 1, record_dtype([*rule.kind.state, *ENGINE_FIELDS]))
    table["owner"] = [-1, *owners]
    return table


def _owners(scope: str, universe: Universe, positions: np.ndarray) -> list[int]:
    """The account of each key of a scope, -1 where a key belongs to no one account."""
    accounts = {a.id: code for code, a in enumerate(universe.accounts)}
    if scope == "account":
        return list(range(len(accounts)))
    if scope == "account_instrument":
        return positions["account"][1:].tolist()
    if scope == "account_product":
        found: dict[int, int] = {}
        for account, product in zip(positions["account"][1:].tolist(), positions["product"][1:].tolist(), strict=True):
            found.setdefault(product, account)
        return [found[key] for key in sorted(found)]
    if scope in ("strategy", "session"):
        labels = universe.strategies if scope == "strategy" else universe.connections
        return [accounts.get(label.rsplit("/", 1)[0], -1) for label in labels]
    counts = {
        "instrument": len(universe.instruments),
        "product": len({i.product for i in universe.instruments}),
        "desk": len({a.desk for a in universe.accounts}),
        "firm": len({a.firm for a in universe.accounts}),
        "global": 1,
    }
    return [-1] * counts[scope]
