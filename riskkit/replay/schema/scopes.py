"""Scopes of rules: the record of a rule that an event belongs to. All facts about a scope are in its row of `SCOPES`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from riskkit.replay.schema.columns import EventKind
from riskkit.replay.schema.universe import GROUPS, Universe

EVERYTHING = "everything"
TABLES = {"instrument": "instruments", "account": "accounts", "position": "positions"}
SMP_ID = "smp_id"  # a scope of what looks at working orders alone
CODES = {"instrument": "instrument", "account": "account", "position": "pair"}


class Scope(NamedTuple):
    """One scope.

    Parameters
    ----------
    name : str
        As in `Rule.scope`.
    words : str
        Words for the scope in the sentence of a rule.
    record, field : str
        Source of the key: a column of the event ("event"), or a field of the event's account, instrument or position;
        empty if there is one key.
    order_key : str
        The key of a named order, as an expression of the loop.
    parts : tuple of str
        Parts of a key, as in its label "account/instrument".
    owner : str
        "account": a key belongs to one account; "last": to the account that used it last; empty: to no one account.
    used_by : tuple of Kind
        Events that make their account the owner of the key.
    group : str
        Kind of book that a rule on positions, profit or cash keeps for a key (`riskkit.replay.kernels.groups`): "holders",
        "parts" or "own"; empty: the account's own book, or none.
    """

    name: str
    words: str
    record: str
    field: str
    order_key: str
    parts: tuple[str, ...]
    owner: str = ""
    used_by: tuple[EventKind, ...] = ()
    group: str = ""

    @property
    def event_key(self) -> str:
        """The key of an event, as an expression of the loop."""
        if not self.record:
            return "0"
        return f"event.{self.field}" if self.record == "event" else f"book.{self.record}.{self.field}"

    @property
    def is_open(self) -> bool:
        """True if an event may have no key of this scope."""
        return self.owner == "last"

    @property
    def has_instrument(self) -> bool:
        """True if only an event with an instrument has a key."""
        return bool({"instrument", "product"} & set(self.parts))

    @property
    def by_pair(self) -> bool:
        """True if a key is an account and an instrument or product, and exists from their first event."""
        return self.record == "position" or self.field == "pair"

    @property
    def by_account(self) -> bool:
        """True if the account alone determines the key."""
        return self.record in ("", "account") or self.field == "account"

    @property
    def of_market(self) -> bool:
        """True if a price of an instrument, which has no account, has a key."""
        return self.name in ("instrument", "product", "global")

    @property
    def member_key(self) -> str:
        """The key of another account in the same instrument, as an expression of the loop."""
        return self.order_key.replace("account.", "member.").replace("position.", "peer.")

    @property
    def position_key(self) -> str:
        """The key of a position, as an expression of the loop; -1 if its account and instrument do not determine it."""
        key = self.order_key.replace("order.account", "position.account").replace("order.pair", "position.code")
        return "-1" if self.is_open else key

    @property
    def joins_accounts(self) -> bool:
        """True if a key has positions of several accounts, which are netted."""
        return "account" not in self.parts and not self.is_open

    @property
    def who(self) -> str:
        """Scope of a pause, in words."""
        if not self.record:
            return EVERYTHING
        return self.words.replace("for each", "the").replace(" and ", " in the ").removesuffix(" of an account")


_MESSAGES = (EventKind.ORDER, EventKind.MODIFY)
_ROWS = (
    Scope("account", "for each account", "event", "account", "order.account", ("account",), "account"),
    Scope("instrument", "for each instrument", "event", "instrument", "position.instrument", ("instrument",),
          group="parts"),
    Scope("product", "for each product", "instrument", "product", "instrument.product", ("product",), group="parts"),
    Scope("account_instrument", "for each account and instrument", "event", "pair", "order.pair",
          ("account", "instrument"), "account", group="parts"),
    Scope("account_product", "for each account and product", "position", "product", "position.product",
          ("account", "product"), "account", group="parts"),
    Scope("strategy", "for each strategy of an account", "event", "strategy", "order.strategy", ("strategy",), "last",
          (*_MESSAGES, EventKind.EXECUTION), group="own"),
    Scope("connection", "for each connection", "event", "connection", "order.connection", ("connection",), "last",
          _MESSAGES),
    Scope("trader", "for each trader", "account", "trader", "account.trader", ("trader",), group="holders"),
    Scope("desk", "for each desk", "account", "desk", "account.desk", ("desk",), group="holders"),
    Scope("firm", "for each firm", "account", "firm", "account.firm", ("firm",), group="holders"),
    Scope("global", "for all accounts together", "", "", "0", (), group="holders"),
    Scope(SMP_ID, "for the orders of each smp_id", "", "", "0", ()),  # the orders of all accounts, told apart one by one
)  # fmt: skip
SCOPES: dict[str, Scope] = {row.name: row for row in _ROWS}


class Quantity(NamedTuple):
    """What a rule reads of a book: the scopes that have it, and why the others do not."""

    scopes: tuple[str, ...]
    why_not: str


_LOGIN = "fills of an account are not split by login session"
_PARTS = tuple(name for name in SCOPES if name not in ("connection", SMP_ID))
_CASH = ("account", *GROUPS, "global")
QUANTITIES: dict[str, Quantity] = {
    "position": Quantity(
        tuple(name for name in _PARTS if "product" not in name),
        "a position is a quantity of one instrument of an account, a strategy or a group of accounts",
    ),
    "exposure": Quantity(_PARTS, _LOGIN),
    "share": Quantity(
        tuple(name for name in _PARTS if "instrument" not in name),
        "one instrument alone is always the whole of its exposure",
    ),
    "profit": Quantity(_PARTS, _LOGIN),
    "equity": Quantity(_CASH, "equity belongs to accounts, not to a part of their positions"),
    "cash": Quantity(_CASH, "cash belongs to accounts, not to a part of their positions"),
    "offers": Quantity(
        (*(name for name in _PARTS if "product" not in name and name != "strategy"), SMP_ID),
        "working orders meet in one instrument, between accounts",
    ),
}


@cache
def scopes_of(reads: frozenset[str]) -> tuple[str, ...]:
    """The scopes that have all quantities that a rule reads, all scopes if it reads none; the account first."""
    known = tuple(name for name in SCOPES if name != SMP_ID or "offers" in reads)
    return tuple(name for name in known if all(name in QUANTITIES[quantity].scopes for quantity in reads))


WIRE = {"connection": "session"}  # spelling in rule sets, if it differs

# the labels of a part, in a universe
_LABELS = {name: f"{name}s" for name in ("account", "instrument", "product", "connection", *GROUPS)}
_LABELS["strategy"] = "strategies"


def scope_of(name: str) -> str:
    """The scope of a name in a rule set."""
    return next((scope for scope, wire in WIRE.items() if wire == name), name)


def key_of(scope: str, event: Mapping[str, int], state: Any) -> int:
    """The key of an event with the tables of a `State`; -1 if none."""
    row = SCOPES[scope]
    if not row.record:
        return 0
    if row.record == "event":
        return event[row.field]
    return int(getattr(state, TABLES[row.record])[event[CODES[row.record]] + 1][row.field])


def number_of(scope: str, universe: Universe) -> int:
    """The number of keys of a scope that does not depend on positions."""
    row = SCOPES[scope]
    return len(getattr(universe, _LABELS[row.parts[0]])) if row.parts else 1


def owners(scope: str, universe: Universe, positions: np.ndarray) -> list[int]:
    """The account of each key, -1 if a key belongs to several accounts, or to none until it is used."""
    row = SCOPES[scope]
    if row.owner != "account":
        return [-1] * number_of(scope, universe)
    if row.field == "account":
        return list(range(len(universe.accounts)))
    if row.field == "pair":
        return positions["account"][1:].tolist()
    _, first = np.unique(positions[row.field][1:], return_index=True)
    return positions["account"][1:][first].tolist()


def has_key(scope: str, label: str, universe: Universe) -> bool:
    """True if a label, as "D1", "A/X" or "*/X", names a key of the scope among the labels of a universe."""
    known = [
        {str(getattr(entry, "id", entry)) for entry in getattr(universe, _LABELS[part])} for part in SCOPES[scope].parts
    ]
    if len(known) == 1:
        return label in known[0]
    words = label.split("/")  # a name may hold a slash
    splits = (("/".join(words[:at]), "/".join(words[at:])) for at in range(1, len(words)))
    return any(first in known[0] | {"*"} and second in known[1] | {"*"} for first, second in splits)


def event_label(scope: str, universe: Universe, event: Mapping[str, int]) -> str:
    """The label of the key that an event belongs to, as "account/product"."""
    return "/".join(event_parts(scope, universe, event)) if SCOPES[scope].parts else EVERYTHING


def event_parts(scope: str, universe: Universe, event: Mapping[str, int]) -> tuple[str, ...]:
    """The parts of that label."""
    return tuple(_part(part, universe, event) for part in SCOPES[scope].parts)


def key_label(scope: str, key: int, universe: Universe, pair_account: np.ndarray, pair_instrument: np.ndarray) -> str:
    """The label of a key; pairs are (account, instrument) in the order in which they appeared."""
    parts = key_parts(scope, key, universe, pair_account, pair_instrument)
    return "/".join(parts) if parts else EVERYTHING


def key_parts(
    scope: str, key: int, universe: Universe, pair_account: np.ndarray, pair_instrument: np.ndarray
) -> tuple[str, ...]:
    """The parts of a key's label; none of the scope "global"."""
    parts = SCOPES[scope].parts
    if len(parts) < 2:
        return tuple(_label(part, universe, key) for part in parts)
    pair = key
    if "product" in parts:  # an account's products are numbered as they appear
        codes = np.array([universe.products.index(instrument.product) for instrument in universe.instruments])
        _, first = np.unique(pair_account * len(universe.products) + codes[pair_instrument], return_index=True)
        pair = int(np.sort(first)[key])
    event = {"account": int(pair_account[pair]), "instrument": int(pair_instrument[pair])}
    return event_parts(scope, universe, event)


def _label(part: str, universe: Universe, code: int) -> str:
    entry = getattr(universe, _LABELS[part])[code]
    return str(getattr(entry, "id", entry))


def _part(part: str, universe: Universe, event: Mapping[str, int]) -> str:
    if part in ("strategy", "connection"):
        code = event[part]
        return _label(part, universe, code) if code >= 0 else ""
    group = "instrument" if part in ("instrument", "product") else "account"
    code = event[group]
    if code < 0:
        return ""
    record: Any = (universe.instruments if group == "instrument" else universe.accounts)[code]
    return str(record.id if part == group else getattr(record, part))
