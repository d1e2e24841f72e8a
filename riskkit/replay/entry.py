"""One event at the door: labels, prices and times of a live event become the integers of a log's row.

What `EventLog.from_frame` does for a frame, this does for a single event, by the same rules: what a frame's row is
refused for, an event is refused for, with a sentence that names the field. Nothing changes until `Entries.keep`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError, one_of
from riskkit.replay.amount import Count, count, instant, messages, word
from riskkit.replay.amount import label as label_of
from riskkit.replay.amount import side as side_of
from riskkit.replay.calendar import session_ends
from riskkit.replay.columns import MISSING, RETURN_UNIT, Command, Flag, Flow, Kind
from riskkit.replay.door.labels import label_text
from riskkit.replay.rows import DEFAULTS
from riskkit.replay.universe import Account, Instrument, Universe, decimal_text

__all__ = ["Entries", "Named"]


class Named(NamedTuple):
    """What is known of a named order."""

    row: int
    account: int
    instrument: int
    side: int
    flags: int
    strategy: int
    connection: int
    expires: int


class Entries:
    """Translates live events into rows, and remembers orders and trades by their ids.

    Parameters
    ----------
    universe : Universe
        Labels and units.
    on_bad_order : {"raise", "flag"}
        As of `EventLog.from_frame`: what becomes of an order with a bad or off-grid price or quantity.
    newcomers : Instrument, optional
        Units of instruments that are not declared: such instruments, and accounts, are registered when they first
        occur. None: they are refused.
    """

    def __init__(self, universe: Universe, on_bad_order: str = "raise", newcomers: Instrument | None = None) -> None:
        self.universe = universe
        self.flag = one_of(on_bad_order, ("raise", "flag"), "on_bad_order") == "flag"
        self.newcomers = newcomers
        self.orders: dict[Hashable, Named] = {}
        self.trades: dict[str, int] = {}
        self.booked: set[tuple[int, int]] = set()
        self.currencies: dict[int, str] = {}
        for code, account in enumerate(universe.accounts):
            held = [*account.cash, *(self._instrument_of(label).currency for label in account.positions)]
            for currency in held:
                self.currencies[code] = self._one_currency(code, currency)

    def _instrument_of(self, label: str) -> Instrument:
        return self.universe.instruments[self.universe.instrument_codes[label]]

    def inside(self, universe: Universe) -> Entries:
        """The same memory in a wider universe; what either keeps, both know."""
        if universe is self.universe:
            return self
        other = Entries.__new__(Entries)
        other.__dict__.update(self.__dict__)
        other.universe = universe
        return other

    # ------------------------------------------------------------------ labels

    def account(self, label: Any) -> int:
        """The code of an account."""
        return self._code("account", label, self.universe.account_codes)

    def instrument(self, label: Any) -> int:
        """The code of an instrument."""
        return self._code("instrument", label, self.universe.instrument_codes)

    def _code(self, what: str, label: Any, codes: Mapping[str, int]) -> int:
        text = label_of(label, what)
        if text not in codes:
            few = ", ".join(list(codes)[:5]) + (", ..." if len(codes) > 5 else "")
            raise InputError(f"{what}={label!r} is not declared ({what}s are {few or 'none'})")
        return codes[text]

    def _strategy(self, account: int, label: Any) -> int:
        return self.universe.strategies.index(f"{self.universe.accounts[account].id}/{label_text(label)}")

    def _connection(self, label: Any) -> int:
        return self.universe.connections.index(label_text(label))

    def wider(self, fields: Mapping[str, Any]) -> Universe:
        """The universe with the labels of an event that are not in it yet; the same one where nothing is new."""
        universe = self.universe
        accounts, instruments = universe.accounts, universe.instruments
        strategies, connections = universe.strategies, universe.connections
        if self.newcomers is not None:
            label = fields.get("account")
            if label is not None and label_of(label, "account") not in universe.account_codes:
                accounts += (Account(label_of(label, "account")),)
            label = fields.get("instrument")
            if label is not None and label_of(label, "instrument") not in universe.instrument_codes:
                instruments += (self.fresh(label_of(label, "instrument")),)
        if fields.get("strategy") is not None:
            account = fields.get("account")
            order = self.orders.get(label_text(fields["order_id"])) if fields.get("order_id") is not None else None
            owner = accounts[order.account].id if account is None and order is not None else label_text(account)
            if owner in {a.id for a in accounts}:
                label = f"{owner}/{label_text(fields['strategy'])}"
                strategies += () if label in strategies else (label,)
        if fields.get("connection") is not None:
            label = label_text(fields["connection"])
            connections += () if label in connections else (label,)
        parts = {"accounts": accounts, "instruments": instruments, "strategies": strategies, "connections": connections}
        if all(len(part) == len(getattr(universe, name)) for name, part in parts.items()):
            return universe
        return replace(universe, **parts)  # type: ignore[arg-type]

    def fresh(self, label: str) -> Instrument:
        """An instrument that nobody declared, in the units of newcomers."""
        assert self.newcomers is not None
        product = "" if self.newcomers.product == self.newcomers.id else self.newcomers.product
        return replace(self.newcomers, id=label, product=product, listed=False)

    def _one_currency(self, account: int, currency: str) -> str:
        held = self.currencies.get(account, currency)
        if held != currency and not self.universe.mixed:
            label = self.universe.accounts[account].id
            raise InputError(f"account {label!r} would mix {held} and {currency}; split it, or say currencies='many'")
        return held

    # ------------------------------------------------------------------ numbers

    def _quantity(self, value: Any, code: int, row: dict[str, int], kind: Kind) -> int:
        instrument = self.universe.instruments[code]
        judged = self.flag and kind is not Kind.FILL
        found = count(value, instrument.lot, "qty")
        low = found.steps < 0 if kind is Kind.MODIFY else found.steps <= 0
        if found.bad or low:
            if not judged:
                fits = "is 0 (unchanged) or above" if kind is Kind.MODIFY else "is a number above zero"
                raise InputError(f"qty={value!r} is not a quantity; a quantity {fits}")
            row["flags"] |= int(Flag.BAD_QTY) | (int(Flag.OFF_LOT) if found.off else 0)
            return 0
        return self._steps(found, value, "qty", row, judged, instrument)

    def _steps(
        self, found: Count, value: Any, name: str, row: dict[str, int], judged: bool, instrument: Instrument
    ) -> int:
        """Whole steps of a quantity or price; what is off lot or tick is refused, or flagged where it is judged."""
        what, unit = ("a multiple of the lot", "lot") if name == "qty" else ("on the tick", "tick")
        step = instrument.qty_step if name == "qty" else instrument.price_step
        size = getattr(instrument, unit)
        if not found.off:
            return found.whole * int(size / step)
        fine = found.steps * size / step
        if not judged or fine.denominator != 1:
            how = (
                f"; declare it with a finer {unit.replace('lot', 'qty').replace('tick', 'price')}_step"
                if judged
                else ""
            )
            raise InputError(f"{name}={value!r} is not {what} {decimal_text(size)} of {instrument.id}{how}")
        row["flags"] |= int(Flag.OFF_LOT if name == "qty" else Flag.OFF_TICK)
        return int(fine)

    def _price(self, value: Any, code: int, row: dict[str, int], name: str = "price", judged: bool = False) -> int:
        instrument = self.universe.instruments[code]
        found = count(value, instrument.tick, name)
        if found.bad and not judged:
            market = " (a market order says type='market')" if row["kind"] == Kind.ORDER and name == "price" else ""
            raise InputError(f"{name}={value!r} is not a price; a price is a finite number{market}")
        low = not found.bad and found.steps <= 0 and not instrument.negative_price
        if low and not judged:
            raise InputError(f"{name}={value!r} is not above zero; declare the instrument with negative_price=True")
        if found.bad or low:
            row["flags"] |= int(Flag.BAD_PRICE)
        return MISSING if found.bad else self._steps(found, value, name, row, judged, instrument)

    def _money(self, value: Any, name: str) -> int:
        quantum = self.universe.quantum
        found = count(value, quantum, name)
        if found.bad:
            raise InputError(f"{name}={value!r} is not an amount of money")
        if found.off:
            raise InputError(f"{name}={value!r} is not a multiple of the quantum of money, {decimal_text(quantum)}")
        return found.whole

    # ------------------------------------------------------------------ events of orders

    def order(
        self,
        place: int,
        ts: int,
        *,
        account: Any,
        instrument: Any,
        side: Any,
        qty: Any,
        price: Any = None,
        type: str = "limit",
        order_id: Any = None,
        reduce_only: bool = False,
        reserve: Any = None,
        strategy: Any = None,
        connection: Any = None,
        parent_id: Any = None,
        expires: Any = None,
    ) -> dict[str, int]:
        """An order, to be the journal's row `place`."""
        row = {**DEFAULTS, "ts": ts, "kind": int(Kind.ORDER)}
        row["account"], row["instrument"] = self.account(account), self.instrument(instrument)
        row["side"] = side_of(side)
        row["qty"] = self._quantity(qty, row["instrument"], row, Kind.ORDER)
        if one_of(type, ("limit", "market"), "type") == "market":
            if price is not None:
                raise InputError(f"price={price!r} is the price of a market order; leave it empty")
        else:
            row["price"] = self._price(price, row["instrument"], row, judged=self.flag)
        if reserve is not None:
            row["reserve"] = self._price(reserve, row["instrument"], row, "reserve")
        row["flags"] |= int(Flag.REDUCE_ONLY) if reduce_only else 0
        self.through(row, strategy, connection)
        if order_id is not None:
            if label_text(order_id) in self.orders:
                used = self.orders[label_text(order_id)].row
                raise InputError(f"order_id={order_id!r} is used already by the order of event {used}; ids are unique")
            row["order"] = place
        if parent_id is not None:
            row["parent"] = self._known(parent_id, "parent_id").row
        if expires is not None:
            row["expires"] = _lapse(expires, ts)
        self._one_currency(row["account"], self.universe.instruments[row["instrument"]].currency)
        return row

    def order_list(
        self, place: int, ts: int, orders: Sequence[Mapping[str, Any]], account: Any, children: Any = None
    ) -> list[dict[str, int]]:
        """The orders of one list, to be the journal's rows from `place` on."""
        if not orders:
            raise InputError("orders is an empty list; a list has at least one order")
        rows, ids = [], set()
        for at, fields in enumerate(orders, place):
            if fields.get("account", account) != account:
                raise InputError(f"account={fields['account']!r} is another account than that of its list, {account!r}")
            label = fields.get("order_id")
            if label is not None and label_text(label) in ids:
                raise InputError(f"order_id={label!r} is used twice in the list; ids are unique")
            ids.add(None if label is None else label_text(label))
            rows.append(self.order(at, ts, **{**fields, "account": account}))
            rows[-1] |= {"batch": place, "weight": 0}
        rows[0]["weight"] = len(rows) if children is None else messages(children)
        return rows

    def modify(
        self,
        ts: int,
        *,
        order_id: Any = None,
        account: Any = None,
        instrument: Any = None,
        side: Any = None,
        qty: Any = None,
        price: Any = None,
        children: Any = 1,
        reduce_only: bool = False,
    ) -> dict[str, int]:
        """A change of a named order; what is not given stays."""
        row = self._of_order(Kind.MODIFY, ts, order_id, account, instrument)
        if side is not None:
            row["side"] = self._same_side(row, side_of(side), order_id)
        row["flags"] |= int(Flag.REDUCE_ONLY) if reduce_only else 0
        if qty is not None:
            row["qty"] = self._quantity(qty, row["instrument"], row, Kind.MODIFY)
        if price is not None:
            row["price"] = self._price(price, row["instrument"], row, judged=self.flag)
        row["weight"] = messages(children)
        return row

    def cancel(self, ts: int, *, order_id: Any = None, account: Any = None, instrument: Any = None) -> dict[str, int]:
        """A cancel of a named order."""
        row = self._of_order(Kind.CANCEL, ts, order_id, account, instrument)
        row["side"], row["flags"] = 0, 0
        return row

    def fill(
        self,
        ts: int,
        *,
        qty: Any,
        price: Any,
        order_id: Any = None,
        account: Any = None,
        instrument: Any = None,
        side: Any = None,
        trade_id: Any = None,
        fee: Any = None,
    ) -> dict[str, int]:
        """A fill; of a named order it finds account, instrument and side by the order's id."""
        row = self._of_order(Kind.FILL, ts, order_id, account, instrument)
        row["flags"] = 0
        if side is not None or order_id is None:
            row["side"] = self._same_side(row, side_of(side), order_id)
        row["qty"] = self._quantity(qty, row["instrument"], row, Kind.FILL)
        row["price"] = self._price(price, row["instrument"], row)
        if fee is not None:
            row["fee"] = self._money(fee, "fee")
        if trade_id is not None:
            row["trade_id"] = self.trades.get(label_text(trade_id), len(self.trades))
            if (row["account"], row["trade_id"]) in self.booked:
                row["flags"] |= int(Flag.DUPLICATE)
        self._one_currency(row["account"], self.universe.instruments[row["instrument"]].currency)
        return row

    def _known(self, order_id: Any, name: str = "order_id") -> Named:
        known = self.orders.get(label_text(order_id))
        if known is None:
            raise InputError(f"{name}={order_id!r} does not name an earlier order")
        return known

    def _same_side(self, row: dict[str, int], side: int, order_id: Any) -> int:
        if row["order"] >= 0 and side != row["side"]:
            raise InputError(f"order_id={order_id!r} names an order of the other side")
        return side

    def _of_order(self, kind: Kind, ts: int, order_id: Any, account: Any, instrument: Any) -> dict[str, int]:
        """What an event has of its order: whose it is, its side, its mark, and through what it came."""
        row = {**DEFAULTS, "ts": ts, "kind": int(kind)}
        lenient = kind is Kind.FILL or self.flag
        if order_id is None and not lenient:
            raise InputError(f"order_id is not given; a {kind.name.lower()} names its order")
        unknown = self.flag and kind is not Kind.FILL and label_text(order_id) not in self.orders
        if order_id is None or unknown:
            row["account"], row["instrument"] = self.account(account), self.instrument(instrument)
            return row
        known = self._known(order_id)
        given = {"account": (account, self.account), "instrument": (instrument, self.instrument)}
        if any(label is not None and code(label) != getattr(known, n) for n, (label, code) in given.items()):
            raise InputError(f"order_id={order_id!r} names an order of another account or instrument")
        row |= {"account": known.account, "instrument": known.instrument, "side": known.side, "order": known.row}
        row["flags"] = known.flags & int(Flag.REDUCE_ONLY)
        row["strategy"] = known.strategy
        row["connection"] = known.connection if kind is not Kind.FILL else -1
        return row

    def through(self, row: dict[str, int], strategy: Any, connection: Any) -> None:
        """Say through which strategy and login an event came, where that is told."""
        if strategy is not None and row["account"] >= 0:
            row["strategy"] = self._strategy(row["account"], strategy)
        if connection is not None:
            row["connection"] = self._connection(connection)

    # ------------------------------------------------------------------ other events

    def price(self, ts: int, *, instrument: Any, price: Any = None, bid: Any = None, ask: Any = None) -> dict[str, int]:
        """A last trade and mark, a bid, an ask."""
        row = {**DEFAULTS, "ts": ts, "kind": int(Kind.PRICE)}
        row["instrument"] = self.instrument(instrument)
        if price is None and bid is None and ask is None:
            raise InputError("no price is given; give at least one of price, bid and ask")
        for name, value in (("price", price), ("bid", bid), ("ask", ask)):
            if value is not None:
                row[name] = self._price(value, row["instrument"], row, name)
        return row

    def cash(
        self, ts: int, *, account: Any, amount: Any, flow: str = "deposit", currency: Any = None
    ) -> dict[str, int]:
        """Money that comes in (above zero) or goes out."""
        row = {**DEFAULTS, "ts": ts, "kind": int(Kind.CASH), "account": self.account(account)}
        row["qty"] = self._money(amount, "amount")
        row["side"] = word(flow, Flow, "flow")
        if currency is not None:
            if label_text(currency) not in self.universe.currencies:
                known = ", ".join(self.universe.currencies)
                raise InputError(f"currency={currency!r} is not one of this universe; it has {known}")
            self._one_currency(row["account"], label_text(currency))
            row["price"] = self.universe.currencies.index(label_text(currency))
        return row

    def equity(self, ts: int, *, account: Any, equity: Any) -> dict[str, int]:
        """An account's equity, given from outside."""
        qty = self._money(equity, "equity")
        return {**DEFAULTS, "ts": ts, "kind": int(Kind.EQUITY), "account": self.account(account), "qty": qty}

    def closed_trade(
        self, ts: int, *, account: Any, instrument: Any, side: Any, pnl: Any = 0, ret: Any = 0, exit: str = ""
    ) -> dict[str, int]:
        """A closed trade given from outside: its profit in money and its return, a fraction."""
        row = {**DEFAULTS, "ts": ts, "kind": int(Kind.TRADE), "account": self.account(account)}
        row |= {"instrument": self.instrument(instrument), "side": side_of(side), "qty": self._money(pnl, "pnl")}
        found = count(ret, Fraction(1, RETURN_UNIT), "ret")
        if found.bad or found.off:
            raise InputError(f"ret={ret!r} is not a return with at most nine decimals")
        row["price"] = found.whole
        row["flags"] = int(Flag.STOP_LOSS) if exit == "stop_loss" else 0
        return row

    def told(self, kind: Kind, ts: int, *, account: Any) -> dict[str, int]:
        """A success, a failure, or an automated execution of a strategy."""
        return {**DEFAULTS, "ts": ts, "kind": int(kind), "account": self.account(account)}

    def control(self, ts: int, cmd: str, account: Any = None) -> dict[str, int]:
        """A person's command, to one account or to all."""
        code = -1 if account is None else self.account(account)
        return {**DEFAULTS, "ts": ts, "kind": int(Kind.CONTROL), "account": code, "side": word(cmd, Command, "cmd")}

    # ------------------------------------------------------------------ what is remembered

    def keep(self, row: Mapping[str, int], place: int, order_id: Any = None, trade_id: Any = None) -> None:
        """Remember an event that was taken as the journal's row `place`."""
        account, instrument = row["account"], row["instrument"]
        if row["kind"] == Kind.ORDER and order_id is not None:
            fields = ("account", "instrument", "side", "flags", "strategy", "connection", "expires")
            self.orders[label_text(order_id)] = Named(place, *(row[name] for name in fields))
        if row["kind"] == Kind.FILL and trade_id is not None:
            self.trades.setdefault(label_text(trade_id), row["trade_id"])
            if not row["flags"] & Flag.BAD_TS:
                self.booked.add((account, row["trade_id"]))
        if row["kind"] in (Kind.ORDER, Kind.FILL):
            self.currencies.setdefault(account, self.universe.instruments[instrument].currency)
        elif row["kind"] == Kind.CASH and row["price"] != MISSING:
            self.currencies.setdefault(account, self.universe.currencies[row["price"]])


def _lapse(expires: Any, ts: int) -> int:
    """When an order lapses: a time, or the end of a session (midnight UTC, or as the text says)."""
    if isinstance(expires, str) and expires.startswith("session"):
        return int(session_ends(expires, np.array([ts], np.int64), "UTC")[0])
    when = instant(expires, "expires")
    if when <= ts:
        raise InputError(f"expires={expires!r} is not after the time of its order")
    return when
