"""Convert one live event (labels, prices, times) to an integer row of the log.

The counterpart of `EventLog.from_frame` for single events, by the same rules: an event is refused for the same reasons
as a row of a frame, with a message that names the field. Nothing is stored before `Entries.remember`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from riskkit._check import InputError, one_of, shown
from riskkit.replay.ingest import amount as scalars
from riskkit.replay.ingest.closing import closes
from riskkit.replay.ingest.displays import check_display
from riskkit.replay.ingest.expiries import lapse_of
from riskkit.replay.ingest.fill_ids import FillIds
from riskkit.replay.ingest.labels import label_text
from riskkit.replay.ingest.order_ids import OTHER, UNIQUE, UNKNOWN, Fields, KnownOrder, OrderIds, OrderPolicy
from riskkit.replay.ingest.order_types import set_prices, set_stop
from riskkit.replay.ingest.pegs import NOT_PEGGED, peg
from riskkit.replay.ingest.quote_quantities import count_amount
from riskkit.replay.ingest.rows import DEFAULTS, NOT_LISTED, Row
from riskkit.replay.ingest.smp_ids import smp_number
from riskkit.replay.schema.columns import (
    MISSING,
    RETURN_UNIT,
    CancelFrees,
    CashFlowKind,
    EventKind,
    RowFlag,
    TradingCommand,
    kind_word,
)
from riskkit.replay.schema.decimals import ROUNDINGS
from riskkit.replay.schema.universe import GROUPS, Instrument, Universe


def no_market(instrument: int) -> None:
    """The prices of an instrument where none are known."""


class Entries:
    """Converts live events to rows, and keeps the ids of orders and trades.

    Parameters
    ----------
    universe : Universe
        Labels and units.
    on_bad_order : {"raise", "flag"}
        As in `EventLog.from_frame`: treatment of an order with a bad or off-grid price or quantity.
    rounding : {"refuse", "nearest"}
        As in `EventLog.from_frame`.
    order_policy : OrderPolicy
        Within what order ids are unique, and what becomes of events of orders from before the session.
    auto_register : Instrument, optional
        Units of instruments that are not declared: such instruments, and accounts, are registered at their first event.
        None: they are refused.
    """

    def __init__(
        self,
        universe: Universe,
        on_bad_order: str = "raise",
        auto_register: Instrument | None = None,
        rounding: str = "refuse",
        order_policy: OrderPolicy = UNIQUE,
    ) -> None:
        self.universe = universe
        self.nearest = one_of(rounding, ROUNDINGS, "rounding") == "nearest"
        self.flag = one_of(on_bad_order, ("raise", "flag"), "on_bad_order") == "flag"
        self.auto_register = auto_register
        self.orders = OrderIds(order_policy)
        self.fills = FillIds()
        self.currencies: dict[int, str] = {}
        self.market: Callable[[int], Any] = no_market  # the record of an instrument's prices, by its code
        for code, account in enumerate(universe.accounts):
            instruments = [universe.instruments[universe.instrument_codes[label]] for label in account.positions]
            for currency in [*account.cash, *(instrument.currency for instrument in instruments)]:
                self.currencies[code] = self.one_currency(code, currency)

    def in_universe(self, universe: Universe) -> Entries:
        """A copy for a larger universe that shares the same ids."""
        if universe is self.universe:
            return self
        other = Entries.__new__(Entries)
        other.__dict__.update(self.__dict__)
        other.universe = universe
        return other

    def read_from(self, fields: Fields) -> None:
        """Read what is known by id from a journal."""
        self.orders.fields = self.fills.fields = fields

    def account(self, label: Any) -> int:
        """The code of an account."""
        return self._code("account", label, self.universe.account_codes)

    def instrument(self, label: Any) -> int:
        """The code of an instrument."""
        return self._code("instrument", label, self.universe.instrument_codes)

    def _code(self, name: str, label: Any, codes: Mapping[str, int]) -> int:
        text = scalars.label(label, name)
        if text not in codes:
            few = ", ".join(list(codes)[:5]) + (", ..." if len(codes) > 5 else "")
            raise InputError(f"{name}={shown(label)} is not declared ({name}s are {few or 'none'})")
        return codes[text]

    def newcomers(self, fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Kind and label of what an event names first: of `GROWING`, in the order in which they get their codes."""
        universe = self.universe
        if self.auto_register is not None:
            for name, of, codes in (
                ("account", "accounts", universe.account_codes),
                ("instrument", "instruments", universe.instrument_codes),
            ):
                label = fields.get(name)
                if label is not None and scalars.label(label, name) not in codes:
                    yield of, scalars.label(label, name)
        if fields.get("strategy") is not None:
            label = fields.get("account")
            order = None if label is not None or fields.get("order_id") is None else self._order(fields["order_id"])
            account = label_text(label) if order is None else universe.accounts[order.account].id
            strategy = f"{account}/{label_text(fields['strategy'])}"
            if account in universe.account_codes and strategy not in universe.strategy_codes:
                yield "strategies", strategy
        if fields.get("connection") is not None and label_text(fields["connection"]) not in universe.connection_codes:
            yield "connections", label_text(fields["connection"])

    def one_currency(self, account: int, currency: str) -> str:
        """Refuse a second currency of an account; return its currency."""
        known = self.currencies.get(account, currency)
        if known != currency and not self.universe.mixed:
            label = self.universe.accounts[account].id
            raise InputError(f"account {label!r} would mix {known} and {currency}; split it, or use currencies='many'")
        return known

    # ------------------------------------------------------------------ orders and fills

    def order(
        self,
        row_number: int,
        ts: int,
        *,
        account: Any = None,
        instrument: Any = None,
        side: Any = None,
        qty: Any = None,
        price: Any = None,
        type: Any = "limit",
        order_id: Any = None,
        reduce_only: Any = False,
        reserve: Any = None,
        strategy: Any = None,
        connection: Any = None,
        parent_id: Any = None,
        expires: Any = None,
        stop: Any = None,
        offset: Any = None,
        display: Any = None,
        dnr: Any = False,
        quote_qty: Any = None,
        close_position: Any = False,
        reference: Any = None,
        external: Any = False,
        smp_id: Any = None,
        tif: Any = None,
        mmp: Any = False,
    ) -> Row:
        """An order, for row `row_number` of the journal."""
        row = {**DEFAULTS, "ts": ts, "kind": int(EventKind.ORDER)}
        row["account"], row["instrument"] = self.account(account), self.instrument(instrument)
        row["side"] = scalars.side(side)
        traded = self.universe.instruments[row["instrument"]]
        closing = closes(row, close_position, {"qty": qty, "quote_qty": quote_qty, "display": display})
        if quote_qty is None and not closing:
            row["qty"] = scalars.quantity(qty, traded, row, self.flag, self.nearest)
        of = set_prices(row, type, price, traded, self.flag, self.nearest, stop=stop, offset=offset)
        if reserve is not None:
            row["reserve"] = scalars.price(reserve, traded, row, "reserve", nearest=self.nearest)
        market = self.market(row["instrument"])
        if of.pegged:
            peg(row, reference, offset, traded, market, lenient=self.flag, nearest=self.nearest)
        elif reference is not None:
            raise InputError(f"reference={shown(reference)} {NOT_PEGGED}")
        if quote_qty is not None:
            count_amount(row, quote_qty, qty, traded, market, self.flag)
        check_display(display, traded, row, lenient=self.flag, nearest=self.nearest)
        row["flags"] |= int(RowFlag.REDUCE_ONLY) if scalars.truth(reduce_only, "reduce_only") else 0
        row["flags"] |= int(RowFlag.DO_NOT_REDUCE) if scalars.truth(dnr, "dnr") else 0
        row["flags"] |= int(RowFlag.EXTERNAL) if scalars.truth(external, "external") else 0
        row["flags"] |= int(RowFlag.MMP) if scalars.truth(mmp, "mmp") else 0
        self.set_origin(row, strategy, connection)
        if smp_id is not None:
            row["smp_id"] = smp_number(smp_id)
        if order_id is not None:
            self.orders.refuse_reuse(order_id, row["account"], ts)
            row["order"] = row_number
        if parent_id is not None:
            parent = self._order(parent_id, row["account"])
            if parent is None:
                raise InputError(f"parent_id={shown(parent_id)} {UNKNOWN}")
            row["parent"] = parent.row
        row["expires"] = lapse_of(tif, expires, ts)
        self.one_currency(row["account"], traded.currency)
        return row

    def order_list(
        self, row_number: int, ts: int, orders: Sequence[Mapping[str, Any]], account: Any, children: Any = None
    ) -> list[Row]:
        """The orders of one list, for the journal's rows from `row_number` on."""
        if not orders:
            raise InputError("orders is an empty list; a list has at least one order")
        rows, ids = [], set()
        for number, fields in enumerate(orders, row_number):
            if fields.get("account", account) != account:
                raise InputError(
                    f"account={shown(fields['account'])} is another account than that of its list, {shown(account)}"
                )
            label = fields.get("order_id")
            if label is not None and label_text(label) in ids:
                raise InputError(f"order_id={shown(label)} is used twice in the list; ids are unique")
            ids.add(None if label is None else label_text(label))
            if scalars.truth(fields.get("external", False), "external"):
                raise InputError(f"external=True {NOT_LISTED}")
            rows.append(self.order(number, ts, **{**fields, "account": account}))
            rows[-1] |= {"batch": row_number, "weight": 0}
        rows[0]["weight"] = len(rows) if children is None else scalars.messages(children)
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
        reduce_only: Any = False,
        stop: Any = None,
        offset: Any = None,
    ) -> Row:
        """A change of an order; omitted fields stay."""
        row = self._of_order(EventKind.MODIFY, ts, order_id, account, instrument)
        traded = self.universe.instruments[row["instrument"]]
        if side is not None:
            row["side"] = self._same_side(row, scalars.side(side), order_id)
        row["flags"] |= int(RowFlag.REDUCE_ONLY) if scalars.truth(reduce_only, "reduce_only") else 0
        if qty is not None:
            row["qty"] = scalars.quantity(qty, traded, row, self.flag, self.nearest)
        if price is not None:
            row["price"] = scalars.price(price, traded, row, lenient=self.flag, nearest=self.nearest)
        set_stop(row, None, traded, self.nearest, stop=stop, offset=offset)
        row["weight"] = scalars.messages(children)
        return row

    def cancel(
        self,
        ts: int,
        *,
        order_id: Any = None,
        account: Any = None,
        instrument: Any = None,
        cancel_frees: Any = "request",
    ) -> Row:
        """A cancel of an order."""
        row = self._of_order(EventKind.CANCEL, ts, order_id, account, instrument)
        waits = scalars.word(cancel_frees, CancelFrees, "cancel_frees") == CancelFrees.CONFIRMED
        row["side"], row["flags"] = 0, int(RowFlag.UNCONFIRMED) if waits else 0
        return row

    def fill(
        self,
        ts: int,
        *,
        qty: Any = None,
        price: Any = None,
        order_id: Any = None,
        account: Any = None,
        instrument: Any = None,
        side: Any = None,
        trade_id: Any = None,
        fee: Any = None,
    ) -> Row:
        """A fill; account, instrument and side are those of its order, if it has an order id."""
        row = self._of_order(EventKind.FILL, ts, order_id, account, instrument)
        traded = self.universe.instruments[row["instrument"]]
        row["flags"] &= int(RowFlag.MMP)
        if side is not None or row["order"] < 0:
            row["side"] = self._same_side(row, scalars.side(side), order_id)
        row["qty"] = scalars.quantity(qty, traded, row, False, self.nearest)
        row["price"] = scalars.price(price, traded, row, nearest=self.nearest)
        if fee is not None:
            row["fee"] = scalars.money(fee, self.universe.quantum, "fee", self.nearest)
        if trade_id is not None:
            row["trade_id"] = self.fills.code(trade_id)
        self.one_currency(row["account"], traded.currency)
        return row

    def answer(
        self, ts: int, kind: EventKind, *, order_id: Any = None, account: Any = None, instrument: Any = None
    ) -> Row:
        """What the venue says of an order: it is rejected or expires, or its cancel or modify is rejected."""
        row = self._of_order(kind, ts, order_id, account, instrument)
        row["side"], row["flags"] = 0, 0
        return row

    def amend(
        self,
        ts: int,
        kind: EventKind,
        *,
        trade_id: Any = None,
        account: Any = None,
        instrument: Any = None,
        side: Any = None,
        qty: Any = None,
        price: Any = None,
        fee: Any = None,
    ) -> Row:
        """A bust or a correction of the fill of this id, account, instrument and, if given, side."""
        row = {**DEFAULTS, "ts": ts, "kind": int(kind)}
        if trade_id is None:
            raise InputError(f"trade_id=None is not the id of a fill; a {kind_word(kind)} names its fill")
        row["account"], row["instrument"] = self.account(account), self.instrument(instrument)
        way = 0 if side is None else scalars.side(side)
        row["fill"], row["side"] = self.fills.named(row["account"], row["instrument"], trade_id, way)
        if kind == EventKind.CORRECT:
            traded = self.universe.instruments[row["instrument"]]
            row["qty"] = scalars.quantity(qty, traded, row, False, self.nearest)
            row["price"] = scalars.price(price, traded, row, nearest=self.nearest)
            row["fee"] = 0 if fee is None else scalars.money(fee, self.universe.quantum, "fee", self.nearest)
        return row

    def _order(self, order_id: Any, account: int | None = None) -> KnownOrder | None:
        """The earlier order of this id; of that account if ids are those of accounts."""
        return self.orders.find(order_id, account, self.universe.accounts)

    @staticmethod
    def _same_side(row: Row, side: int, order_id: Any) -> int:
        if row["order"] >= 0 and side != row["side"]:
            raise InputError(f"order_id={shown(order_id)} {OTHER['side']}")
        return side

    def _of_order(self, kind: EventKind, ts: int, order_id: Any, account: Any, instrument: Any) -> Row:
        """A row with the account, instrument, side, flag and origin of its order."""
        row = {**DEFAULTS, "ts": ts, "kind": int(kind)}
        if order_id is None and kind is not EventKind.FILL:
            raise InputError(f"order_id=None is not the id of an order; a {kind_word(kind)} names its order")
        known = None
        if order_id is not None:
            known = self._order(order_id, None if account is None else self.account(account))
            if known is None:
                self.orders.refuse_unknown(order_id)
        if known is None:
            row["account"] = self.account(account)
            row["instrument"] = self.instrument(instrument) if kind not in (EventKind.ERROR, EventKind.ACK) else -1
            if order_id is not None:
                row["order"] = self.orders.external(order_id, row["account"])
            return row
        given = {"account": (account, self.account), "instrument": (instrument, self.instrument)}
        if any(label is not None and code(label) != getattr(known, n) for n, (label, code) in given.items()):
            raise InputError(f"order_id={shown(order_id)} {OTHER['instrument']}")
        row |= {"account": known.account, "instrument": known.instrument, "side": known.side, "order": known.row}
        row["flags"] = known.flags & int(RowFlag.REDUCE_ONLY | RowFlag.MMP)
        row["strategy"] = known.strategy
        row["connection"] = known.connection if kind is not EventKind.FILL else -1
        return row

    def set_origin(self, row: Row, strategy: Any, connection: Any) -> None:
        """Store the strategy and the login of an event, if given."""
        if strategy is not None and row["account"] >= 0:
            label = f"{self.universe.accounts[row['account']].id}/{label_text(strategy)}"
            row["strategy"] = self.universe.strategy_codes[label]
        if connection is not None:
            row["connection"] = self.universe.connection_codes[label_text(connection)]

    # ------------------------------------------------------------------ other events

    def price(self, ts: int, *, instrument: Any = None, price: Any = None, bid: Any = None, ask: Any = None) -> Row:
        """A last price and mark, a bid, an ask."""
        row = {**DEFAULTS, "ts": ts, "kind": int(EventKind.PRICE), "instrument": self.instrument(instrument)}
        if price is None and bid is None and ask is None:
            raise InputError("price=None is not a price; a price event has at least one of price, bid and ask")
        for name, value in (("price", price), ("bid", bid), ("ask", ask)):
            if value is not None:
                traded = self.universe.instruments[row["instrument"]]
                row[name] = scalars.price(value, traded, row, name, nearest=self.nearest)
        return row

    def close(self, ts: int, *, instrument: Any = None, price: Any = None, kind: EventKind = EventKind.CLOSE) -> Row:
        """A previous close, or the settlement at an expiry."""
        if price is None:
            raise InputError("price=None is not a price; a price is a finite number")
        return {**self.price(ts, instrument=instrument, price=price), "kind": int(kind)}

    def cash(
        self, ts: int, *, account: Any = None, amount: Any = None, flow: str = "deposit", currency: Any = None
    ) -> Row:
        """Money received (above zero) or paid."""
        row = {**DEFAULTS, "ts": ts, "kind": int(EventKind.CASH), "account": self.account(account)}
        row["qty"] = scalars.money(amount, self.universe.quantum, "amount", self.nearest)
        row["side"] = scalars.word(flow, CashFlowKind, "flow")
        if currency is not None:
            if label_text(currency) not in self.universe.currencies:
                known = ", ".join(self.universe.currencies)
                raise InputError(f"currency={shown(currency)} is not a currency of this universe; it has {known}")
            self.one_currency(row["account"], label_text(currency))
            row["price"] = self.universe.currencies.index(label_text(currency))
        return row

    def equity(self, ts: int, *, account: Any = None, equity: Any = None) -> Row:
        """An account's equity, given from outside."""
        qty = scalars.money(equity, self.universe.quantum, "equity", self.nearest)
        return {**DEFAULTS, "ts": ts, "kind": int(EventKind.EQUITY), "account": self.account(account), "qty": qty}

    def closed_trade(
        self,
        ts: int,
        *,
        account: Any = None,
        instrument: Any = None,
        side: Any = None,
        pnl: Any = 0,
        ret: Any = 0,
        exit: str = "",
    ) -> Row:
        """A closed trade: its profit in money and its return as a fraction."""
        row = {**DEFAULTS, "ts": ts, "kind": int(EventKind.TRADE), "account": self.account(account)}
        row |= {"instrument": self.instrument(instrument), "side": scalars.side(side)}
        row["qty"] = scalars.money(pnl, self.universe.quantum, "pnl", self.nearest)
        found = scalars.count(ret, Fraction(1, RETURN_UNIT), "ret", self.nearest)
        if found.bad or found.off:
            raise InputError(f"ret={shown(ret)} is not a return with at most nine decimals")
        row["price"] = found.nearest
        row["flags"] = int(RowFlag.STOP_LOSS) if label_text(exit) == "stop_loss" else 0
        return row

    def outcome(self, ts: int, kind: EventKind, *, account: Any = None, order_id: Any = None) -> Row:
        """A success or a failure; of an order, if it names one."""
        if order_id is None:
            return self.account_event(kind, ts, account=account)
        row = self._of_order(kind, ts, order_id, account, None)
        return {**row, "instrument": -1, "side": 0, "flags": 0}

    def account_event(self, kind: EventKind, ts: int, *, account: Any = None) -> Row:
        """A success, a failure, or an automated execution of a strategy."""
        return {**DEFAULTS, "ts": ts, "kind": int(kind), "account": self.account(account)}

    def control(self, ts: int, cmd: str, account: Any = None, **groups: Any) -> Row:
        """A command to one account, to a trader, desk or firm, or to all."""
        code, side = -1 if account is None else self.account(account), scalars.word(cmd, TradingCommand, "cmd")
        row = {**DEFAULTS, "ts": ts, "kind": int(EventKind.CONTROL), "account": code, "side": side}
        for group, label in groups.items():
            if label is None:
                continue
            if code >= 0 or row["qty"]:
                raise InputError(
                    f"{group}={shown(label)} is not alone: a command is for an account, a trader, a desk or a firm"
                )
            names = getattr(self.universe, f"{group}s")
            if label_text(label) not in names:
                raise InputError(f"{group}={shown(label)} is not the {group} of an account of this session")
            row |= {"qty": GROUPS.index(group) + 1, "price": names.index(label_text(label))}
        return row

    # ------------------------------------------------------------------ memory

    def remember(self, row: Mapping[str, int], number: int, order_id: Any = None, trade_id: Any = None) -> None:
        """Keep the ids of an event that was taken as the journal's row `number`."""
        if order_id is not None:
            self.orders.remember(row, number, order_id)
        if row["kind"] == EventKind.FILL and trade_id is not None:
            self.fills.codes.setdefault(label_text(trade_id), row["trade_id"])
        self.fills.remember(row, number)
        if row["kind"] in (EventKind.ORDER, EventKind.FILL, EventKind.ADJUST):
            self.currencies.setdefault(row["account"], self.universe.instruments[row["instrument"]].currency)
        elif row["kind"] == EventKind.CASH and row["price"] != MISSING:
            self.currencies.setdefault(row["account"], self.universe.currencies[row["price"]])
