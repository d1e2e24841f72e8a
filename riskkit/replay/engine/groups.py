"""Opening tables of the group books (`riskkit.replay.kernels.groups`) that the rules of a set need."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from riskkit.replay.engine.shape import GroupShape
from riskkit.replay.kernels.book import ACCOUNT, CASH_BALANCE, POSITION
from riskkit.replay.kernels.conversion import CONVERSION, RATE
from riskkit.replay.kernels.order_chains import NO_OFFER
from riskkit.replay.kernels.records import record_dtype
from riskkit.replay.kernels.runtime import Counter
from riskkit.replay.rules.money import gathers
from riskkit.replay.rules.rule import Rule
from riskkit.replay.schema.scopes import SCOPES, number_of
from riskkit.replay.schema.universe import GROUPS, Universe, exact

CHAINS = ("account", "instrument", "next_position", "product", "next_of_account", "first_buy", "first_sell")
SUMS = ("external_equity", "external_deposits", "realised")
TOLD = ("told_equity", "told_deposits", "told_realised")


def has_group(rule: Rule) -> bool:
    """True if a rule reads the book of a group, not that of the account of the event."""
    if gathers(rule):
        return True
    reads = rule.kind.reads - {"offers"}
    own = rule.scope == "account_instrument" and reads == {"position"}
    return bool(reads and SCOPES[rule.scope].group and not own)


def book_of(rule: Rule) -> tuple[str, bool, bool]:
    """What names the group of a rule: its scope, a book in each currency, accounts that are not netted."""
    return rule.scope, gathers(rule), rule.netting == "none"


def groups_of(rules: Iterable[Rule]) -> dict[tuple[str, bool, bool], GroupShape]:
    """The groups of a rule set by `book_of`, in the order of the scopes."""
    grouped = [rule for rule in rules if has_group(rule)]
    cash = {rule.scope for rule in grouped if "cash" in rule.kind.reads}
    known = {book_of(rule) for rule in grouped}
    return {
        (name, converts, separate): GroupShape(name, name in cash and not converts and not separate, converts, separate)
        for name in SCOPES
        for converts in (False, True)
        for separate in (False, True)
        if (name, converts, separate) in known
    }


def group_of(rule: Rule) -> GroupShape:
    """The group of a rule that has one."""
    return groups_of([rule])[book_of(rule)]


def group_tables(
    groups: Iterable[GroupShape],
    universe: Universe,
    accounts: np.ndarray,
    positions: np.ndarray,
    instruments: np.ndarray,
    cash_balances: np.ndarray,
) -> dict[str, np.ndarray]:
    """The tables of each group before the first event, by name; each with the empty record in front."""
    found = {}
    for group in groups:
        held = positions.copy() if group.by_pair else _by_instrument(group, universe, accounts, positions)
        held["account"][1:] = (
            _holders(group, accounts)[held["account"][1:]]
            if group.separate
            else _keys(group, held, instruments, len(universe.instruments))
        )
        paired = SCOPES[group.scope].by_pair
        count = int(held["account"].max(initial=-1)) + 1 if paired else number_of(group.scope, universe)
        if group.converts:
            count = number_of(group.scope, universe) * len(universe.quanta)
            currencies = instruments["currency"][1:][held["instrument"][1:]] if len(instruments) > 1 else 0
            held["account"][1:] = held["account"][1:] * len(universe.quanta) + currencies
        found[group.table("positions")] = held
        found[group.table("accounts")] = _accounts(group, count, held, accounts, len(universe.quanta))
        if group.converts:
            _open_currencies(group, universe, found[group.table("accounts")], accounts)
        if group.has_cash:
            found[group.table("cash")] = _cash(group, count, accounts, cash_balances)
    return found


def _open_currencies(group: GroupShape, universe: Universe, table: np.ndarray, accounts: np.ndarray) -> None:
    """Opening cash of each key in each currency, and the key itself in each of its records."""
    width = len(universe.quanta)
    holders = np.arange(len(accounts) - 1) if group.scope == "account" else _holders(group, accounts)
    for holder, account in zip(holders.tolist(), universe.accounts, strict=True):
        for currency, amount in account.cash.items():
            place = 1 + holder * width + universe.currencies.index(currency)
            quanta = int(exact(amount, "cash") / universe.quantum)
            for name in ("cash", "net_deposits"):
                table[name][place] += quanta
    if group.scope in GROUPS:
        table[group.scope] = np.arange(-1, len(table) - 1) // width


def conversion_tables(universe: Universe, rules: int) -> dict[str, np.ndarray]:
    """The rates between all currencies, and of each rule its conversion and its converted book."""
    return {
        "rates": np.zeros(len(universe.quanta) ** 2 + 1, record_dtype(RATE)),
        "conversions": np.zeros(rules + 1, record_dtype(CONVERSION)),
        "converted_books": np.zeros(rules + 1, record_dtype(ACCOUNT)),
    }


CHAINED = {"positions": ("account", "instrument", "next_position", "next_of_account"), "accounts": ("first_position",)}


def row_lengths(groups: Iterable[GroupShape], counts: np.ndarray) -> dict[str, int]:
    """Records in a row of each table of `group_tables` and of the rates: an instrument, a currency or a balance each, or 1."""
    currencies = int(counts[Counter.CURRENCIES])
    found = {"rates": currencies}
    for group in groups:
        by_instrument = group.by_holder and not group.by_pair
        found[group.table("positions")] = int(counts[Counter.INSTRUMENTS]) if by_instrument else 1
        found[group.table("accounts")] = width_of(group, currencies)
        found[group.table("cash")] = int(counts[Counter.BALANCES])
    return found


def larger_tables(
    old: dict[str, np.ndarray], new: dict[str, np.ndarray], before: dict[str, int], after: dict[str, int]
) -> dict[str, np.ndarray]:
    """The new tables with the content of the old ones, by row and place in it (`row_lengths`); only chains are renewed."""
    for name, table in new.items():
        renewed = next((fields for part, fields in CHAINED.items() if name.startswith(f"group_{part}")), ())
        kept, wide = old[name][1:].reshape(-1, before[name]), table[1:].reshape(-1, after[name])
        known = tuple(map(slice, map(min, kept.shape, wide.shape)))
        for field in set(table.dtype.names or ()).difference(renewed):
            wide[field][known] = kept[field][known]
            table[field][0] = old[name][field][0]
    return new


def blank_owners(count: int) -> np.ndarray:
    """Account records of keys that hold nothing and belong to no group."""
    table = np.zeros(count, record_dtype(ACCOUNT))
    for name in ("first_position", *GROUPS):
        table[name] = -1
    return table


def owner_of_position(
    group: GroupShape, position: Any, accounts: np.ndarray, instruments: np.ndarray, currencies: int
) -> int:
    """The account record of a group to which an account's position belongs, as `group_tables` numbers them."""
    account, instrument = int(position["account"]), int(position["instrument"])
    if group.separate:
        key = int(accounts[group.scope][account + 1]) if group.scope in GROUPS else 0
    else:
        key = int(position[{"account_instrument": "code", "account_product": "product"}.get(group.scope, "account")])
    return key * currencies + int(instruments["currency"][instrument + 1]) if group.converts else key


def width_of(group: GroupShape, currencies: int) -> int:
    """Account records of a key: one, or one in each currency, of which the first has the chain of positions."""
    return currencies if group.converts else 1


def group_place(group: GroupShape, key: int, pair: int, instrument: int, width: int) -> int:
    """Number of a group's position in an instrument of `width`, as in the loop; -1 for an order without a strategy."""
    if group.by_pair:
        return pair
    if not group.by_holder:
        return instrument
    return key * width + instrument if key >= 0 else -1


def _by_instrument(group: GroupShape, universe: Universe, accounts: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """A position per holder and instrument, chained by instrument, with the opening lots of its members."""
    width = max(len(universe.instruments), 1)
    holders = number_of(group.scope, universe) if group.by_holder else 1
    held = np.zeros(holders * width + 1, record_dtype(POSITION))
    for name in CHAINS:
        held[name] = -1
    held["listed_buy"], held["listed_sell"] = -NO_OFFER, NO_OFFER
    held["instrument"][1:] = np.tile(np.arange(width), holders)
    held["next_position"][1 : 1 + (holders - 1) * width] = np.arange(width, holders * width)
    if not group.own and len(positions) > 1:
        member = _holders(group, accounts)[positions["account"][1:]]
        np.add.at(held["qty"][1:], member * width + positions["instrument"][1:], positions["qty"][1:])
    held["unpriced"] = held["qty"] != 0
    return held


def _holders(group: GroupShape, accounts: np.ndarray) -> np.ndarray:
    """The holder of each account's positions."""
    return accounts[group.scope][1:] if group.scope in GROUPS else np.zeros(len(accounts) - 1, np.int64)


def _keys(group: GroupShape, held: np.ndarray, instruments: np.ndarray, width: int) -> np.ndarray:
    """The key of the scope to which each position belongs."""
    count = len(held) - 1
    if group.scope == "account_instrument":
        return np.arange(count)
    if group.scope == "account":
        return held["account"][1:]
    if group.scope == "account_product":
        return held["product"][1:]
    if group.scope == "instrument":
        return held["instrument"][1:]
    if group.scope == "product":
        return instruments["product"][1:][held["instrument"][1:]] if width else np.zeros(count, np.int64)
    return np.arange(count) // max(width, 1)


def _accounts(group: GroupShape, count: int, held: np.ndarray, accounts: np.ndarray, currencies: int) -> np.ndarray:
    """The account record of each key, with its positions chained; of one in each currency, those of all in the first."""
    table = np.zeros(count + 1, record_dtype(ACCOUNT))
    table["first_position"] = -1
    for name in GROUPS:
        table[name] = np.arange(-1, count) if group.scope == name else -1
    chain_positions(held, table, width_of(group, currencies))
    if group.sums:
        table["has_external_equity"] = 1
        for total, told in zip(SUMS, TOLD, strict=True):
            np.add.at(table[total][1:], _holders(group, accounts), accounts[told][1:])
    return table


def chain_positions(positions: np.ndarray, accounts: np.ndarray, width: int = 1) -> None:
    """Chain the positions of each account, or of each `width` accounts at the first of them, in order of appearance."""
    accounts["first_position"] = -1
    owners = positions["account"][1:] // width * width
    if not len(owners):
        return
    chain = np.argsort(owners, kind="stable")
    starts = np.flatnonzero(np.diff(owners[chain], prepend=-1))
    following = np.append(chain[1:], -1)
    following[np.append(starts[1:], len(chain)) - 1] = -1
    positions["next_of_account"][1:][chain] = following
    accounts["first_position"][1:][owners[chain[starts]]] = chain[starts]


def _cash(group: GroupShape, count: int, accounts: np.ndarray, cash_balances: np.ndarray) -> np.ndarray:
    """The balance of each key in each currency."""
    width = (len(cash_balances) - 1) // max(len(accounts) - 1, 1)
    table = np.zeros(count * width + 1, record_dtype(CASH_BALANCE))
    place = (_holders(group, accounts)[:, None] * width + np.arange(width)).ravel()
    np.add.at(table["cash"][1:], place, cash_balances["cash"][1:])
    return table
