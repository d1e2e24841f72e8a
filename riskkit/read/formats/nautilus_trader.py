"""Order and fill reports of NautilusTrader as csv."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from riskkit._check import InputError
from riskkit.read.draft import Draft
from riskkit.read.reading import Reading
from riskkit.read.registry import reader
from riskkit.read.source import Files, Source, TableRow, sources
from riskkit.read.times import Clock, since_epoch

ORDERS = {"client_order_id", "instrument_id", "quantity", "filled_qty", "status", "ts_init", "ts_last"}
FILLS = {"client_order_id", "instrument_id", "order_side", "last_qty", "last_px", "commission", "ts_event"}
SIDES = {"BUY": "B", "SELL": "S"}
ENDS = {"DENIED": "reject", "REJECTED": "reject", "CANCELED": "cancel", "EXPIRED": "expire", "VOIDED": "expire"}
OTHERS = (
    "INITIALIZED", "EMULATED", "RELEASED", "SUBMITTED", "ACCEPTED", "TRIGGERED", "PENDING_UPDATE", "PENDING_CANCEL",
    "PARTIALLY_FILLED", "FILLED",
)  # fmt: skip
CONTRACT = re.compile(r"[A-Z0-9]{1,5}[FGHJKMNQUVXZ]\d{1,2}\.|.*\d{6}[CP]\d{8}\.")  # a future, or an option


def _recognises(source: Source) -> bool:
    return source.has(ORDERS) or source.has(FILLS)


@reader(_recognises)
def nautilus_trader(
    files: Files, *, account: str | None = None, multipliers: Mapping[str, Any] | None = None
) -> Reading:
    r"""Read the reports of NautilusTrader's ``ReportProvider``, written with ``to_csv``.

    ``generate_orders_report`` (or ``generate_order_fills_report``) gives orders and how they ended, ``generate_fills_report``
    their fills. The fills of an order that has none in a report of fills are one, at its average price. An order that the risk engine
    denied is rejected.

    Parameters
    ----------
    files : path, open file, or sequence of them
        Reports of orders, of fills, or both.
    account : str, optional
        Account of orders without one, as denied ones are; by default that which trades their instrument, or their venue.
    multipliers : mapping of instrument to number
        Contract sizes of futures and options, which the reports do not have; of other instruments 1 by default.

    References
    ----------
    NautilusTrader 1.221, ``nautilus_trader.analysis.reporter.ReportProvider``.

    Examples
    --------
    >>> import io
    >>> text = '''client_order_id,instrument_id,account_id,trade_id,order_side,last_qty,last_px,currency,commission,ts_event
    ... O-1,EUR/USD.SIM,SIM-000,T-1,SELL,500000,1.09271,USD,10.93 USD,2024-03-10 06:59:00.000001+00:00
    ... '''
    >>> reading = nautilus_trader(io.StringIO(text))
    >>> reading.events, reading.fees
    ({'fill': 1}, {'USD': Decimal('10.93')})
    """
    given = sources(files)
    orders: list[TableRow] = []
    fills: list[TableRow] = []
    for source in given:
        if not _recognises(source):
            source.refuse("line 1", "is the heading neither of a report of orders nor of one of fills")
        (fills if source.has(FILLS) else orders).extend(source.table())
    report = _Reports(Draft("nautilus_trader", given, multipliers=multipliers), account, [*orders, *fills])
    orders = report.orders(orders)
    report.fills(fills, orders)
    report.ends(orders)
    return report.draft.finish()


class _Reports:
    """Rows of reports as events."""

    def __init__(self, draft: Draft, account: str | None, rows: list[TableRow]) -> None:
        self.draft, self.account, self.clock = draft, account, Clock("UTC")
        self.users: dict[str, str] = {}  # account by instrument, by venue, and "" of all
        for row in rows:
            if row.get("account_id"):
                instrument = row.text("instrument_id")
                for place in (instrument, instrument.rpartition(".")[2], ""):
                    self.users.setdefault(place, row["account_id"])

    def _account(self, row: TableRow) -> str:
        found = row.get("account_id") or self.account
        if found is None:
            instrument = row.text("instrument_id")
            found = next(
                (self.users[place] for place in (instrument, instrument.rpartition(".")[2], "") if place in self.users),
                None,
            )
            if found is None:
                raise InputError(
                    f"{row.source.name}, {row.at}: the order has no account, and no other has one; give account="
                )
            self.draft.assume(
                "an order without an account is of the account that trades its instrument, else its venue"
            )
        return str(found)

    def _instrument(self, row: TableRow) -> str:
        label = row.text("instrument_id")
        if CONTRACT.match(label):
            self.draft.need_multiplier(label)
        elif label not in self.draft.multipliers:
            self.draft.assume("an instrument that is no future or option is of 1")
        return self.draft.instrument(label, currency=row.get("currency"))

    def _ts(self, row: TableRow, name: str) -> int:
        text = row.text(name)
        if not (text.isascii() and text.isdigit() and len(text) < 20):
            return self.clock.ns(text, row.refuse)
        return since_epoch(Decimal(text), "ns", row.refuse)

    def _common(self, row: TableRow, side: str) -> dict[str, Any]:
        if row.text(side) not in SIDES:
            row.refuse(f"{side}={row[side]!r} is not BUY or SELL")
        return {
            "account": self._account(row), "instrument": self._instrument(row), "side": SIDES[row[side]],
            "order_id": row.text("client_order_id"), "strategy": row.get("strategy_id"),
        }  # fmt: skip

    def orders(self, rows: list[TableRow]) -> list[TableRow]:
        """Take the orders; return those that were taken."""
        taken: dict[str, TableRow] = {}
        for row in rows:
            if row.text("client_order_id") in taken:
                before = taken[row["client_order_id"]]
                for name in ("instrument_id", "side", "quantity"):
                    if before[name] != row[name]:
                        row.refuse(f"has the id of {before.at} and another {name}")
                self.draft.leave_out(row, "order read before, in another report")
                continue
            quantity = row.number("quantity")
            if row.get("is_quote_quantity") == "True":
                quantity = row.number_or("filled_qty", Decimal(0))
                self.draft.assume("an order in the quote currency has the quantity that was filled")
                if not quantity:
                    self.draft.leave_out(row, "order in the quote currency of which nothing was filled: no quantity")
                    continue
            if row.text("status") not in (*ENDS, *OTHERS):
                row.refuse(f"status={row['status']!r} is not a status of an order")
            price = row.number_or("price", None)
            self.draft.event(
                row, "order", self._ts(row, "ts_init"), qty=quantity, price=price, type=None if price is not None else "market",
                reduce_only=True if row.get("is_reduce_only") == "True" else None, **self._common(row, "side"),
            )  # fmt: skip
            taken[row["client_order_id"]] = row
        return list(taken.values())

    def fills(self, rows: list[TableRow], orders: list[TableRow]) -> None:
        """Take the fills, and one of each order that was filled and has none."""
        filled: dict[str, Decimal] = {}
        for row in rows:
            fee, currency = self._money(row, row["commission"])
            name = row.text("client_order_id")
            filled[name] = filled.get(name, Decimal(0)) + row.number("last_qty")
            self.draft.event(
                row, "fill", self._ts(row, "ts_event"), qty=row.number("last_qty"), price=row.number("last_px"),
                trade_id=row.get("trade_id"), fee=fee, fee_currency=currency, **self._common(row, "order_side"),
            )  # fmt: skip
        for row in orders:
            done, found = row.number_or("filled_qty", Decimal(0)), filled.get(row["client_order_id"])
            if done and found is None:
                self._average(row)
            elif found is not None and found != done:
                self.draft.assume(f"order {row['client_order_id']} was filled by {done}, and its fills are {found}")

    def _average(self, row: TableRow) -> None:
        """The one fill of an order without a report of its fills."""
        stated = row.get("commissions") or "[]"
        if not re.fullmatch(r"\[('[^']*'(, )?)*\]", stated):
            row.refuse(f"commissions={stated!r} is not a list of amounts, as ['0.50 USD']")
        texts = ast.literal_eval(stated)
        money = [self._money(row, text) for text in texts]
        self.draft.assume("an order without fills in a report has one, at its average price and its last time")
        common = self._common(row, "side")
        fee, currency = money[0] if len(money) == 1 else (None, None)
        ts = self._ts(row, "ts_last")
        self.draft.event(
            row, "fill", ts, derived="fill", qty=row.number("filled_qty"), price=row.number("avg_px"), fee=fee,
            fee_currency=currency, **common,
        )  # fmt: skip
        for amount, other in money if len(money) > 1 else ():
            self.draft.event(row, "cash", ts, account=common["account"], amount=-amount, currency=other, flow="fee")

    def _money(self, row: TableRow, text: str) -> tuple[Any, Any]:
        """Amount and currency of a text as ``0.50 USD``."""
        amount, _, currency = text.partition(" ")
        if text in ("", "None"):  # of Python
            return None, None
        return TableRow(row.source, row.at, {"commission": amount}).number("commission"), currency or None

    def ends(self, orders: list[TableRow]) -> None:
        """Take how orders ended, at their last time."""
        for row in orders:
            if row.text("status") in ENDS:
                common = self._common(row, "side")
                del common["side"]
                self.draft.event(row, ENDS[row["status"]], self._ts(row, "ts_last"), **common)
                self.draft.assume("the last time of an order that ended is the time of its end")
