"""State of a replay: records of accounts, positions, instruments, orders and rules, and its calendars.

The loop changes these arrays only, so a copy of them is a snapshot. A table has one additional record in front and is
indexed from the second: the index -1 (no account, no pair) is the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError
from riskkit._jit import plain
from riskkit.replay.engine.groups import (
    chain_positions,
    conversion_tables,
    group_of,
    group_tables,
    groups_of,
    has_group,
)
from riskkit.replay.kernels.book import ACCOUNT, CASH_BALANCE, INSTRUMENT, ORDER, POSITION, Book
from riskkit.replay.kernels.covariance_state import lay_down
from riskkit.replay.kernels.fill_records import FILL
from riskkit.replay.kernels.order_chains import NO_OFFER
from riskkit.replay.kernels.queue import HEADER
from riskkit.replay.kernels.records import Records, copied, extended, record_dtype, whole
from riskkit.replay.kernels.runtime import (
    Counter,
    PauseEnd,
    Rejects,
    Terms,
)
from riskkit.replay.kernels.workspace import joined, zeros
from riskkit.replay.rules.money import gathers
from riskkit.replay.rules.overrides import version_of
from riskkit.replay.rules.parameters import OnMissingPrice
from riskkit.replay.rules.rule import Rule, RuleType, parameter_names
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.calendar import day_starts
from riskkit.replay.schema.columns import MISSING, SETTLES, EventKind
from riskkit.replay.schema.constants import LARGEST, NEVER
from riskkit.replay.schema.durations import duration
from riskkit.replay.schema.scopes import SCOPES, key_of, key_parts, owners
from riskkit.replay.schema.universe import GROUPS, OutOfRange, Universe, exact

ENGINE_FIELDS = ("owner", "held_until", "trips", "version")  # version: of its limits, 0 without an override
# fields that count the working orders of a key -> what a type requires to have them kept
COUNTED = {"working": "working", "open_quantity": "volume", "open_money": "volume", "opening": "opening"}
CLOCK = ("start", "end", "place", "stop")
MOST_WORDS = 1 << 29  # of a rule's workspace: 4 GiB


@dataclass
class State:
    """All arrays of a replay; `arrays` returns them by name for snapshots."""

    positions: np.ndarray
    accounts: np.ndarray
    instruments: np.ndarray
    orders: np.ndarray
    fills: np.ndarray
    cash_balances: np.ndarray
    clocks: np.ndarray
    memory: np.ndarray
    reals: np.ndarray
    counts: np.ndarray
    rules: list[np.ndarray]
    groups: dict[str, np.ndarray]

    def arrays(self) -> dict[str, np.ndarray]:
        """Every array by name."""
        return {**self._single(), **self.groups, **{f"s{k}": array for k, array in enumerate(self.rules)}}

    def put(self, name: str, array: np.ndarray) -> None:
        """Replace the array of a name of `arrays`."""
        if name in self.groups:
            self.groups[name] = array
        elif name in self._single():
            setattr(self, name, array)
        else:
            self.rules[int(name.removeprefix("s"))] = array

    def copy(self) -> State:
        """An independent copy."""
        fields = {name: copied(array) for name, array in self._single().items() if name != "memory"}
        fields["memory"] = joined([self.memory])
        groups = {name: copied(array) for name, array in self.groups.items()}
        return State(**fields, rules=[copied(array) for array in self.rules], groups=groups)

    def _single(self) -> dict[str, np.ndarray]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in ("rules", "groups")}


@dataclass(frozen=True)
class Calendars:
    """The trading days of a rule set: boundaries of each distinct (time zone, roll hour)."""

    zones: tuple[tuple[str, int], ...]
    bounds: np.ndarray
    offsets: tuple[tuple[int, int], ...]


def calendars(rules: Iterable[Rule], first_ns: int, last_ns: int) -> Calendars:
    """Compute the days of every rule between two times."""
    zones = tuple(dict.fromkeys([rule.zone() for rule in rules])) or (("UTC", 0),)
    tables = [day_starts(tz, hour, first_ns, last_ns) for tz, hour in zones]
    ends = np.cumsum([0, *map(len, tables)]).tolist()
    offsets = tuple((ends[c], ends[c + 1]) for c in range(len(zones)))
    return Calendars(zones, np.concatenate(tables), offsets)


def terms(rule: Rule, found: Calendars, currencies: Sequence[str] = ()) -> Terms:
    """The terms of a rule as integers; ``currencies`` are those of the universe, by code."""
    hold = rule.hold_ns()
    pause_end = PauseEnd[hold.upper()] if isinstance(hold, str) else PauseEnd.DURATION
    rejects = Rejects.NOTHING if rule.action == "ALERT" else Rejects.BREACH
    return Terms(
        int(rejects),
        int(pause_end),
        hold if isinstance(hold, int) else 0,
        found.zones.index(rule.zone()),
        *conversion_terms(rule, currencies),
    )


def conversion_terms(rule: Rule, currencies: Sequence[str]) -> tuple[int, int, int, int]:
    """Code of the currency of a rule's limit and of crosses, the age of a rate, and what happens without one."""
    currency, via = (currencies.index(name) if name in currencies else -1 for name in (rule.currency, rule.via))
    age = LARGEST if rule.max_age_ns is None else duration(rule.max_age_ns, "max_age_ns")
    return currency, via, age, int(OnMissingPrice[getattr(rule.parameters, "on_missing_price", "reject").upper()])


class Opening(NamedTuple):
    """Initial tables that do not depend on the rules; replays of one log start with copies of them."""

    instruments: np.ndarray
    accounts: np.ndarray
    positions: np.ndarray
    cash_balances: np.ndarray


def opening(universe: Universe, pair_account: np.ndarray, pair_instrument: np.ndarray) -> Opening:
    """Opening balances and positions, chained by instrument and by account."""
    try:
        instruments, accounts = _instruments(universe), _accounts(universe)
    except OverflowError:
        raise OutOfRange(
            "ticks, lots or multipliers of the instruments are too far apart to be counted in 64 bits"
        ) from None
    positions = _positions(pair_account, pair_instrument, instruments)
    _take_opening_positions(universe, positions)
    chain_positions(positions, accounts)
    return Opening(instruments, accounts, positions, _cash_balances(universe))


def new_state(
    universe: Universe, opened: Opening, rules: RuleSet, params: list[Any], found: Calendars, slots: int
) -> State:
    """The state before the first event: opening balances, empty windows, a new day for every account."""
    instruments, accounts, positions, cash_balances = (table.copy() for table in opened)
    orders = _orders(slots + 1)
    clocks = np.zeros(len(found.zones), record_dtype(CLOCK))
    for c, (start, end) in enumerate(found.offsets):
        clocks[c] = found.bounds[start], found.bounds[start + 1], start + 1, end
    counts = np.zeros(int(Counter.SIZE), np.int64)
    counts[Counter.NEXT_TURN] = clocks["end"].min(initial=NEVER)
    counts[Counter.SLOTS], counts[Counter.ACCOUNTS] = slots, len(universe.accounts)
    counts[Counter.CALENDARS] = len(clocks)
    counts[Counter.LIST] = counts[Counter.SESSION_ROW] = -1
    counts[Counter.INSTRUMENTS], counts[Counter.STRATEGIES] = (
        max(len(universe.instruments), 1),
        len(universe.strategies),
    )
    counts[Counter.CURRENCIES] = len(universe.quanta)
    counts[Counter.BALANCES] = (len(cash_balances) - 1) // max(len(universe.accounts), 1)
    tables: list[np.ndarray] = []
    groups = group_tables(groups_of(rules).values(), universe, accounts, positions, instruments, cash_balances)
    if any(rule.currency for rule in rules):
        groups |= conversion_tables(universe, len(rules))
    memory = [np.zeros(HEADER, np.int64)]
    reals = [np.zeros(1)]
    for rule, integers in zip(rules, params, strict=True):
        table = rule_table(rule, universe, positions)
        memory.append(workspace_of(rule, integers, universe, table, sum(map(len, memory))))
        if "covariance" in rule.kind.requires:
            reals.append(lay_down(rule.scope, rule.id, universe, accounts, table, sum(map(len, reals))))
            counts[Counter.NEXT_TURN] = MISSING  # the first event sets the end of the first bar
        _begin(rule, integers, table, positions, owners_of(rule, accounts, groups), instruments, orders)
        open_positions(rule, table, positions, accounts, instruments, orders)
        tables.append(table)
    workspace = joined([*memory, np.zeros(1, np.int64)])
    return State(
        positions,
        accounts,
        instruments,
        orders,
        np.zeros(1, record_dtype(FILL)),
        cash_balances,
        clocks,
        workspace,
        np.concatenate(reals),
        counts,
        tables,
        groups,
    )


def workspace_of(rule: Rule, params: Any, universe: Universe, table: np.ndarray, start: int) -> np.ndarray:
    """Initial workspace words of a rule's keys from offset `start`; stores the offsets in its records."""
    if rule.kind.shared_workspace is not None:
        table["memory"] = start
        shared = rule.kind.shared_workspace(rule.parameters, universe)
        if shared and not MISSING <= min(shared) <= max(shared) <= NEVER:
            raise InputError(
                f"rule {rule.id!r} ({rule.type}): its data are beyond 64 bits in units of this log; give amounts that are smaller, "
                "or of fewer decimals"
            )
        return np.array(shared, np.int64)
    if not rule.kind.workspace_size:
        return np.zeros(0, np.int64)
    size = words_per_key(rule, params, len(table) - 1)
    table["memory"] = start + size * (np.arange(len(table)) - 1)
    return zeros(size * (len(table) - 1))


def words_per_key(rule: Rule, params: Any, keys: int) -> int:
    """Words of workspace per key of a rule; an InputError if they do not fit in memory."""
    memory = rule.kind.workspace_size
    size = int(memory(params)) if callable(memory) else memory
    if size * keys > MOST_WORDS:
        raise InputError(
            f"rule {rule.id!r} needs {size:,} numbers for each of {keys:,} keys; give it a lower limit, or fewer "
            "and wider buckets (bucket_ns)"
        )
    return size


def grow_orders(state: State, orders: int) -> bool:
    """Make room for so many orders; return whether the table moved."""
    if len(state.orders) > orders:
        return False
    state.orders = extended(state.orders, _orders(1), max(64, 2 * orders) + 1 - len(state.orders))
    state.counts[Counter.SLOTS] = len(state.orders) - 1
    return True


def hold_fills(state: State, fills: int) -> None:
    """Make room for the records of that many fills."""
    if len(state.fills) <= fills:
        larger = np.zeros(fills + 1, record_dtype(FILL))
        used = state.counts[Counter.FILLS] + 1  # what is beyond, no page of it has been touched
        whole(larger)[:used] = whole(state.fills)[:used]
        state.fills = larger


def fills_noted(kind: np.ndarray, positions: int) -> int:
    """The most fills that are noted for a bust or a correction: those of a log, and what comes or goes without one.

    An event brings or opens lots that one snapshot or settlement books and the next one takes away, opening positions likewise.
    """
    without = (EventKind.SNAPSHOT, EventKind.ADJUST, *SETTLES)
    if not np.isin(kind, without).any():
        return int(np.count_nonzero(kind == EventKind.FILL))
    moving = np.isin(kind, (EventKind.ORDER, EventKind.FILL, EventKind.CORRECT, *without))
    return 2 * int(np.count_nonzero(moving)) + positions


def owners_of(rule: Rule, accounts: np.ndarray, groups: dict[str, np.ndarray]) -> np.ndarray:
    """The records whose equity a rule's keys begin with: its groups, or the accounts."""
    if gathers(rule):  # no profit before the first mark, in any currency
        return np.zeros(len(accounts) + sum(map(len, groups.values())), accounts.dtype)
    return groups[group_of(rule).table("accounts")] if has_group(rule) else accounts


def _begin(
    rule: Rule,
    params: Any,
    table: np.ndarray,
    positions: np.ndarray,
    accounts: np.ndarray,
    instruments: np.ndarray,
    orders: np.ndarray,
) -> None:
    """Initialise each key's base with the opening equity of its account or group."""
    for function in (rule.kind.on_new_day, rule.kind.reset):
        names = parameter_names(function) if function is not None else ()
        if function is None or "book" not in names:
            continue
        owners, call = Records(accounts, 1), plain(function)
        position, instrument, order = (Records(array, 1)[-1] for array in (positions, instruments, orders))
        for key, state in enumerate(Records(table, 1)):
            book = Book(position, owners[key if has_group(rule) else state.owner], instrument, order)
            values = {"state": state, "params": params, "book": book}
            call(*(values[name] for name in names))


def begin_records(rule: Rule, params: Any, table: np.ndarray, state: State, owners: np.ndarray | None = None) -> None:
    """Initialise records of a rule, after an empty one in front, with the present equity of their accounts or `owners`."""
    owners = state.accounts if owners is None else owners
    _begin(rule, params, table, state.positions, owners, state.instruments, state.orders)


def open_positions(
    rule: Rule,
    table: np.ndarray,
    positions: np.ndarray,
    accounts: np.ndarray,
    instruments: np.ndarray,
    orders: np.ndarray,
) -> None:
    """Call a rule's opening hook, if any, once per opening position with its key."""
    if rule.kind.on_opening_position is None:
        return
    tables = SimpleNamespace(positions=positions, accounts=accounts, instruments=instruments)
    records, held, owned, traded = (Records(array, 1) for array in (table, positions, accounts, instruments))
    order = Records(orders, 1)[-1]
    for pair in np.flatnonzero(positions["qty"][1:]).tolist():
        position = held[pair]
        owner, instrument = owned[position.account], traded[position.instrument]
        if not SCOPES[rule.scope].is_open:
            event = {"account": position.account, "instrument": position.instrument, "pair": pair}
            key = key_of(rule.scope, event, tables)
            rule.kind.on_opening_position(records[key], Book(position, owner, instrument, order))


def _instruments(universe: Universe) -> np.ndarray:
    table = np.zeros(len(universe.instruments) + 1, record_dtype(INSTRUMENT))
    for name in ("first_position", "last_pair", "first_stop"):
        table[name] = -1
    for name in ("bid", "ask", "last", "mark", "estimate", "listed_estimate"):
        table[name] = MISSING
    table["denominator"] = table["paid_denominator"] = 1
    currencies = {currency: code for code, currency in enumerate(universe.quanta)}
    for code, instrument in enumerate(universe.instruments, 1):
        ratio = universe.ratio(instrument)
        table["numerator"][code] = ratio.numerator
        table["denominator"][code] = ratio.denominator
        paid = universe.payment(instrument)
        table["paid_numerator"][code], table["paid_denominator"][code] = paid.numerator, paid.denominator
        table["qty_unit"][code] = int(instrument.qty_step / universe.quantity_unit)
        table["price_unit"][code] = int(instrument.price_step / universe.price_unit)
        table["product"][code] = universe.products.index(instrument.product)
        table["lot"][code] = int(instrument.lot / instrument.qty_step)
        table["tick"][code] = int(instrument.tick / instrument.price_step)
        table["allows_negative"][code] = int(instrument.negative_price)
        table["listed"][code] = int(instrument.listed)
        table["delta"][code] = int(instrument.delta * 1_000_000)
        table["vega"][code] = int(instrument.vega * 1_000_000)
        table["luld_tier"][code] = instrument.luld_tier
        table["stop_slippage"][code] = int(instrument.stop_slippage / instrument.price_step)
        table["currency"][code] = currencies.get(instrument.currency, 0)
    table["product"][0] = -1
    return table


def _orders(size: int) -> np.ndarray:
    table = np.zeros(size, record_dtype(ORDER))
    for name in ("account", "pair", "strategy", "connection", "parent", "smp_id"):
        table[name] = -1
    for name in ("price", "reserve", "max_price", "hold_price", "value_price", "former_qty", "stop"):
        table[name] = MISSING
    return table


def _cash_balances(universe: Universe) -> np.ndarray:
    """One balance per account, or per account and currency if accounts may mix currencies."""
    mixed = getattr(universe, "mixed", False)
    currencies = list(universe.quanta) if mixed else [""]
    table = np.zeros(len(universe.accounts) * len(currencies) + 1, record_dtype(CASH_BALANCE))
    for a, account in enumerate(universe.accounts):
        for c, currency in enumerate(currencies):
            amounts = [account.cash.get(currency, 0)] if mixed else account.cash.values()
            opening = sum((exact(amount, "cash") for amount in amounts), exact(0, "cash"))
            table["cash"][1 + a * len(currencies) + c] = int(opening / universe.quantum)
    return table


def _accounts(universe: Universe) -> np.ndarray:
    table = np.zeros(len(universe.accounts) + 1, record_dtype(ACCOUNT))
    codes = {currency: code for code, currency in enumerate(universe.quanta)}
    for code, account in enumerate(universe.accounts, 1):
        table["currency"][code] = codes.get(next(iter(account.cash), ""), 0)
        cash = universe.opening_cash(account)
        for name in ("cash", "net_deposits", "told_equity", "told_deposits"):
            table[name][code] = cash
    table["total"] = -1
    for group in GROUPS:
        names = getattr(universe, f"{group}s")
        table[group] = [-1, *(names.index(getattr(account, group)) for account in universe.accounts)]
    return table


def blank_positions(count: int) -> np.ndarray:
    """Records of positions that nobody has."""
    positions = np.zeros(count, record_dtype(POSITION))
    for name in ("account", "instrument", "next_position", "product", "next_of_account", "first_buy", "first_sell"):
        positions[name] = -1
    positions["listed_buy"], positions["listed_sell"] = -NO_OFFER, NO_OFFER
    positions["fill_price"] = MISSING
    return positions


def _positions(accounts: np.ndarray, instruments: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Records of the pairs, still flat, chained by instrument in order of appearance."""
    positions = blank_positions(len(accounts) + 1)
    known = positions[1:]  # the records of pairs, without the empty one
    known["account"], known["instrument"], known["code"] = accounts, instruments, np.arange(len(accounts))
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
    known["next_position"][chain] = following
    table["first_position"][1:][instruments[chain[starts]]] = chain[starts]
    table["last_pair"][1:][instruments[chain[ends]]] = chain[ends]
    return positions


def _take_opening_positions(universe: Universe, positions: np.ndarray) -> None:
    """Set the lots that the accounts hold before the first event."""
    known = positions[1:]
    pairs = zip(known["account"].tolist(), known["instrument"].tolist(), strict=True)
    code_of = {pair: code for code, pair in enumerate(pairs)}
    for a, account in enumerate(universe.accounts):
        for label in account.positions:
            pair = code_of[a, universe.instrument_codes[label]]
            known["qty"][pair] = known["factual_qty"][pair] = universe.opening_steps(account, label)
    known["unpriced"] = known["qty"] != 0


def rule_table(rule: Rule, universe: Universe, positions: np.ndarray) -> np.ndarray:
    """One record per key of the rule's scope, and the empty one."""
    keys = owners(rule.scope, universe, positions)
    table = np.zeros(len(keys) + 1, rule_dtype(rule.kind))
    table["owner"] = [-1, *keys]
    give_versions(rule, table, universe, positions[1:], range(len(keys)))
    return table


def give_versions(rule: Rule, table: np.ndarray, universe: Universe, pairs: np.ndarray, keys: Iterable[int]) -> None:
    """Note in the records of some keys of a rule which limits hold for them; `pairs` are the records of positions."""
    for key in keys if rule.overrides else ():
        parts = key_parts(rule.scope, key, universe, pairs["account"], pairs["instrument"])
        table["version"][key + 1] = version_of(rule, parts)


def rule_dtype(kind: RuleType, *, fields: bool = True) -> np.dtype:
    """The record of a key of a rule type: the engine's fields at the same places in every type, then its own `fields`."""
    return record_dtype([*ENGINE_FIELDS, *counted_fields(kind), *(kind.state if fields else ())])


def counted_fields(kind: RuleType) -> list[str]:
    """Fields of `COUNTED` in a type's record; of the catalogue, all, so that one loop finds them in every type."""
    return [name for name, need in COUNTED.items() if not kind.source_hash or need in kind.requires]
