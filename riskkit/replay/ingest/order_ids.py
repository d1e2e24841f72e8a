"""Ids of orders: within what they are unique, and what names no order of the log.

An event names the last earlier order of its id. An id that the log has no earlier order of is one from before the log:
its events are refused, or kept as *external* ones, with a number below -1 in the place of the order's row (-2 is that of
the first such order, -3 that of the second, ...). `OrderPolicy` is that of frames and sessions, `OrderIds` keeps the ids of
a live session; those of a frame are in `riskkit.replay.ingest.references`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError, one_of, shown
from riskkit.replay.ingest.labels import label_text
from riskkit.replay.ingest.order_labels import OrderLabels
from riskkit.replay.schema.columns import FIRST_EXTERNAL
from riskkit.replay.schema.constants import DAY_NS
from riskkit.replay.schema.universe import Account

UNKNOWN = "does not name an earlier order"
FROM_BEFORE = f"{UNKNOWN}; if it is of an order from before the log, give unknown_orders='external'"
OTHER = {"instrument": "names an order of another account or instrument", "side": "names an order of the other side"}
WITHIN = {
    "unique": "in a log",
    "account": "within an account",
    "day": "within a day (UTC)",
    "account_day": "within a day (UTC) of an account",
}
WIDER = {"unique": "'account', 'day' or 'account_day'", "account": "'account_day'", "day": "'account_day'"}

Key = str | tuple[str, int]  # an id, with the code of its account if ids are those of an account
Fields = Callable[[Sequence[int], Sequence[str]], Iterable[tuple[int, ...]]]  # these columns of these rows of a journal


def no_rows(numbers: Sequence[int], names: Sequence[str]) -> Iterable[tuple[int, ...]]:
    """The fields of the rows of no journal."""
    return ()


class OrderPolicy(NamedTuple):
    """The declared meaning of order ids.

    Parameters
    ----------
    order_ids : {"unique", "account", "day", "account_day"}
        Within what an id names one order.
    unknown_orders : {"refuse", "external"}
        Treatment of events that name no order of the log.
    """

    order_ids: str = "unique"
    unknown_orders: str = "refuse"

    def checked(self) -> OrderPolicy:
        """The policy, if there is such a one."""
        one_of(self.order_ids, tuple(WITHIN), "order_ids")
        one_of(self.unknown_orders, ("refuse", "external"), "unknown_orders")
        return self

    @property
    def by_account(self) -> bool:
        """True if every account has ids of its own."""
        return self.order_ids in ("account", "account_day")

    @property
    def by_day(self) -> bool:
        """True if ids begin anew every day."""
        return self.order_ids in ("day", "account_day")

    @property
    def external(self) -> bool:
        """True if events of orders from before the log are kept."""
        return self.unknown_orders == "external"

    @property
    def reuse(self) -> str:
        """What is said of an id that is used again."""
        wider = WIDER.get(self.order_ids)
        way_out = f"; if they are used again, give order_ids={wider}" if wider else ""
        return f"ids are unique {WITHIN[self.order_ids]}{way_out}"


UNIQUE = OrderPolicy()


class KnownOrder(NamedTuple):
    """The row and fields of an order with an id."""

    row: int
    account: int
    instrument: int
    side: int
    flags: int
    strategy: int
    connection: int
    expires: int


class OrderIds:
    """Ids of the orders of a live session.

    Attributes
    ----------
    fields : callable
        Reads the journal, which has all else of an order.
    """

    def __init__(self, policy: OrderPolicy) -> None:
        self.policy = policy.checked()
        self._by_account, self._by_day = policy.by_account, policy.by_day
        self.fields: Fields = no_rows
        self._orders: dict[Key, int] = {}  # number of the last one of each key
        self._numbers: dict[
            tuple[Key, int], int
        ] = {}  # number of the order of each key and day, if ids are those of days
        self._external: dict[tuple[str, int], int] = {}  # by id and account
        self._external_of: dict[
            tuple[int, int], tuple[int, int]
        ] = {}  # instrument (-1) and side (0: not known) by number and day
        self._external_events: dict[tuple[Key, int], int] = {}  # number of the last event of each key and day
        self._accounts: dict[str, list[int]] = {}  # accounts that have used an id
        self.forgotten = 0  # number of orders from before the log whose id is known no longer
        self.news: list[tuple[int, str]] | None = None  # number and id of the orders since the last write, if one asks

    def find(self, label: Any, account: int | None, accounts: Sequence[Account]) -> KnownOrder | None:
        """The last order of this id; `account` is its code (None: not given) among `accounts`."""
        text = label_text(label)
        if self._by_account and account is None:
            users = self._accounts.get(text, [])
            if len(users) > 1:
                of = ", ".join(accounts[code].id for code in users[:5])
                raise InputError(
                    f"order_id={shown(label)} is the id of an order in several accounts ({of}); give the account"
                )
            account = users[0] if users else None
        return self.known(text, account)

    def external(self, label: Any, account: int) -> int:
        """Number of an order from before the log; that of a new one is the next."""
        return self._external.get((label_text(label), account), FIRST_EXTERNAL - len(self._external) - self.forgotten)

    def refuse_two(self, row: Mapping[str, int], label: Any) -> None:
        """Refuse an event of an order from before the log that would be in two instruments, or on two sides."""
        instrument, side = self._external_of.get((row["order"], self._day(row["ts"])), (-1, 0))
        for name, known, none in (("instrument", instrument, -1), ("side", side, 0)):
            if none not in (known, row[name]) and known != row[name]:
                raise InputError(f"order_id={shown(label)} {OTHER[name]}")

    def refuse_unknown(self, label: Any) -> None:
        """Refuse an event that names no order, unless such events are kept."""
        if not self.policy.external:
            raise InputError(f"order_id={shown(label)} {FROM_BEFORE}")

    def refuse_reuse(self, label: Any, account: int, ts: int) -> None:
        """Refuse a new order whose id is in use."""
        key = self._key(label_text(label), account)
        if self._is_used(key, ts):
            number = self._numbers[key, ts // DAY_NS] if self._by_day else self._orders[key]
            raise InputError(
                f"order_id={shown(label)} is used already by the order of event {number}; {self.policy.reuse}"
            )
        if (key, self._day(ts)) in self._external_events:
            number = self._external_events[key, self._day(ts)]
            raise InputError(
                f"order_id={shown(label)} is used already by event {number}, of an order from before the log"
            )

    def _is_used(self, key: Key, ts: int) -> bool:
        return (key, ts // DAY_NS) in self._numbers if self._by_day else key in self._orders

    def remember(self, row: Mapping[str, int], number: int, label: Any) -> None:
        """Keep the id of the order or of the external event that was taken as the journal's row `number`."""
        text = label_text(label)
        if row["order"] == number:
            self.keep(text, row["ts"], row["account"], number)
        elif row["order"] <= FIRST_EXTERNAL:
            key = self._key(text, row["account"])
            self._external.setdefault((text, row["account"]), row["order"])
            self._external_events[key, self._day(row["ts"])] = number
            at = (row["order"], self._day(row["ts"]))
            instrument, side = self._external_of.get(at, (-1, 0))
            self._external_of[at] = (row["instrument"] if instrument < 0 else instrument, side or row["side"])
            if self.news is not None:
                self.news.append((number, text))

    def number(self, text: str, account: int | None) -> int | None:
        """Number of the last order of this id, if the account is given where an id needs one."""
        return self._orders.get(self._key(text, account))

    def known(self, text: str, account: int | None) -> KnownOrder | None:
        """The order of `number`."""
        number = self.number(text, account)
        if number is None:
            return None
        (fields,) = self.fields([number], KnownOrder._fields[1:])
        return KnownOrder(number, *fields)

    @property
    def by_id(self) -> dict[Key, int] | None:
        """The numbers of the orders, if ids are unique and all are of orders of the log: then a new id is one that is not in it."""
        return None if self._by_account or self._by_day or self._external_events else self._orders

    def is_new(self, text: str, account: int, ts: int) -> bool:
        """True if a new order may have this id."""
        key = self._key(text, account)
        if self._external_events and (key, self._day(ts)) in self._external_events:
            return False
        return not self._is_used(key, ts) if self._by_day else key not in self._orders

    def keep(self, text: str, ts: int, account: int, number: int) -> None:
        """Keep the id of a new order, the journal's row `number`."""
        key = self._key(text, account)
        self._orders[key] = number
        if self._by_day:
            self._numbers[key, ts // DAY_NS] = number
        if self._by_account and account not in self._accounts.setdefault(text, []):
            self._accounts[text].append(account)
        if self.news is not None:
            self.news.append((number, text))

    def forget(self, kept: Collection[int], external: Collection[int]) -> None:
        """Keep only the orders of these event numbers, and those from before the log of these numbers."""
        known = len(self._external)
        self._orders = {key: number for key, number in self._orders.items() if number in kept}
        self._numbers = {key: number for key, number in self._numbers.items() if number in kept}
        self._external = {key: number for key, number in self._external.items() if number in external}
        numbers = set(self._external.values())
        self._external_of = {at: of for at, of in self._external_of.items() if at[0] in numbers}
        self._external_events = {key: number for key, number in self._external_events.items() if number in kept}
        self._accounts = {
            text: left
            for text, codes in self._accounts.items()
            if (left := [c for c in codes if (text, c) in self._orders])
        }
        self.forgotten += known - len(self._external)

    def labels(self) -> Iterator[tuple[str, int]]:
        """Id and number of each order, for a snapshot; and those of the orders from before the log."""
        if self._by_day:
            yield from ((self._text(key), number) for (key, _), number in self._numbers.items())
        else:
            yield from ((self._text(key), number) for key, number in self._orders.items())
        yield from ((text, number) for (text, _), number in self._external.items())

    def order_labels(self) -> OrderLabels:
        """The ids of the orders by row; of an id that is used again, the last one's unless ids are those of days."""
        found = sorted((number, label) for label, number in self.labels() if number >= 0)
        return OrderLabels(np.array([row for row, _ in found], np.int64), [label for _, label in found])

    def _key(self, text: str, account: int | None) -> Key:
        return (text, -1 if account is None else account) if self._by_account else text

    def _text(self, key: Key) -> str:
        return key if isinstance(key, str) else key[0]

    def _day(self, ts: int) -> int:
        return ts // DAY_NS if self._by_day else 0
