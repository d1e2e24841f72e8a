"""Orders and activities of Alpaca's API as json."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from riskkit.read.draft import Draft
from riskkit.read.reading import Reading
from riskkit.read.registry import reader
from riskkit.read.source import Files, Source, TableRow, sources
from riskkit.read.times import Clock

NEW_YORK = "America/New_York"
SIDES = {"buy": "B", "buy_to_cover": "B", "sell": "S", "sell_short": "S"}
ENDS = {"canceled": ("cancel", "canceled_at"), "expired": ("expire", "expired_at"), "rejected": ("reject", "failed_at"),
        "done_for_day": ("expire", "updated_at")}  # fmt: skip
OTHERS = (
    "new", "accepted", "accepted_for_bidding", "pending_new", "pending_cancel", "pending_replace", "pending_review", "held",
    "partially_filled", "filled", "replaced", "stopped", "suspended", "calculated",
)  # fmt: skip
FLOWS = {"FEE": "fee", "CFEE": "fee", "PTC": "fee", "DIV": "dividend", "INT": "funding"}  # by the begin of the type
WITHOUT_FILL = {
    "OPEXP": "option expired: closes a position without a fill",
    "OPASN": "option assigned: moves positions without a fill",
    "OPXRC": "option exercised: moves positions without a fill",
    "OPEXC": "option exercised: moves positions without a fill",
    **dict.fromkeys(
        ("SPLIT", "SPIN", "MA", "NC", "REORG", "REORGANIZATION", "ACATS", "JNLS", "SSO", "SSP", "PTR"),
        "split, merger or transfer: changes positions without a fill",
    ),
}
OPTION_SIZE = 100


def _recognises(source: Source) -> bool:
    text = source.first_text
    return text.lstrip()[:1] in ("[", "{") and (
        '"activity_type"' in text or ('"client_order_id"' in text and '"filled_avg_price"' in text)
    )


@reader(_recognises)
def alpaca(files: Files, *, account: str = "alpaca") -> Reading:
    r"""Read orders and account activities of Alpaca.

    ``GET /v2/orders`` (status=all, nested or not) gives orders and how they ended, ``GET /v2/account/activities`` their
    fills, and money that moves without a fill. An order that replaces another is a modify of it. The fills of an order
    that has none among the activities are one, at its average price. Activities that are read twice, because pages
    overlap, count once.

    Parameters
    ----------
    files : path, open file, or sequence of them
        Answers as json, of any number of pages.

    References
    ----------
    Alpaca, API reference, "Orders" and "Account activities", docs.alpaca.markets.

    Examples
    --------
    >>> import io
    >>> fill = '''[{"id": "1::a", "activity_type": "FILL", "transaction_time": "2024-11-01T13:35:08.105059Z", "price": "4.15",
    ...           "qty": "2.5", "side": "sell_short", "symbol": "X", "order_id": "o1"}]'''
    >>> reading = alpaca(io.StringIO(fill))
    >>> reading.events, reading.derived
    ({'fill': 1}, {'order': 1})
    """
    given = sources(files)
    draft = Draft("alpaca", given, account)
    orders: list[TableRow] = []
    activities: list[TableRow] = []
    for source in given:
        for kind, row in _entries(source):
            (orders if kind == "order" else activities).append(row)
    book = _Account(draft, {name for row in [*orders, *activities] if "/" in (name := str(row.get("symbol")))})
    fills = book.without_repetitions(activities)
    orders = book.orders(orders)
    book.fills(fills, orders)
    book.ends(orders)
    book.money(fills)
    draft.assume(f"the answers have no account: {account!r}", "amounts are in US dollars")
    return draft.finish()


def _entries(source: Source) -> Iterator[tuple[str, TableRow]]:
    """Orders, with the legs of each behind it, and activities; each by its index in the list."""
    found = source.json()
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        source.refuse("", "is not a list of orders or activities")
    for number, entry in enumerate(found):
        kind = "activity" if "activity_type" in entry else "order"
        if kind == "order" and not {"id", "status", "symbol"} <= entry.keys():
            source.refuse(f"entry {number}", "is neither an order nor an activity")
        row = source.record(f"{kind} {number}", entry, "legs")
        yield kind, row
        for part, leg in enumerate(row.get("legs") or []):
            yield kind, source.record(f"{kind} {number}, leg {part}", leg)


class _Account:
    """The orders of an account by their id; an order that replaces another shares the id of the first."""

    def __init__(self, draft: Draft, pairs: set[str]) -> None:
        self.draft = draft
        self.pairs = {pair.replace("/", ""): pair for pair in pairs}
        self.utc, self.new_york = Clock("UTC"), Clock(NEW_YORK)
        self.chain: dict[str, str] = {}  # first id by id
        self.known: set[str] = set()

    def without_repetitions(self, activities: list[TableRow]) -> list[TableRow]:
        """Activities, oldest first, each id once."""
        kept: dict[str, TableRow] = {}
        for row in activities:
            if row.text("id") in kept:
                self.draft.leave_out(row, "id read before: pages overlap")
            elif row.text("activity_type") != "FILL" and not row.number_or("net_amount", 0):
                moves = "units and no money, which are not read" if row.number_or("qty", 0) else "no money"
                reason = WITHOUT_FILL.get(row["activity_type"], f"activity {row['activity_type']}: moves {moves}")
                self.draft.leave_out(row, reason)
                kept[row["id"]] = row
            else:
                kept[row["id"]] = row
        return sorted(kept.values(), key=lambda row: row["id"])

    def _instrument(self, row: TableRow) -> str:
        symbol = row.text("symbol")
        option = row.get("asset_class") == "us_option" or _is_option(symbol)
        if option:
            self.draft.assume(f"an option is of {OPTION_SIZE} shares")
        label = self.pairs.get(symbol, symbol)
        return self.draft.instrument(label, currency="USD", multiplier=OPTION_SIZE if option else None)

    def _ts(self, row: TableRow, name: str) -> int:
        return self.utc.ns(row.text(name), row.refuse)

    def _side(self, row: TableRow) -> str:
        if row.text("side") not in SIDES:
            row.refuse(f"side={row['side']!r} is not a side")
        return SIDES[row["side"]]

    def orders(self, rows: list[TableRow]) -> list[TableRow]:
        """Take orders, and replacements as modifies; return each order once."""
        by_id = {row.text("id"): row for row in rows}
        repeated = len(by_id) < len(rows)
        for row in sorted(by_id.values(), key=lambda row: self._ts(row, "created_at")):
            earlier, before = row.get("replaces"), Decimal(0)
            self.chain[row["id"]] = self.chain.get(str(earlier), row["id"])
            while earlier in by_id:
                before += by_id[earlier].number_or("filled_qty", 0)
                earlier = by_id[earlier].get("replaces")
            self._order(row, before, replaces=row.get("replaces") in self.known)
        if repeated:
            for row in rows:
                if by_id[row["id"]] is not row:
                    self.draft.leave_out(row, "id read again: pages overlap")
        return list(by_id.values())

    def _order(self, row: TableRow, before: Decimal, replaces: bool) -> None:
        quantity = row.number_or("qty", None)
        if quantity is None:
            quantity = row.number_or("filled_qty", Decimal(0))
            self.draft.assume("an order by money has the quantity that was filled")
        if not row.get("symbol") or not quantity:
            why = (
                "the parent of legs"
                if not row.get("symbol")
                else "order by money of which nothing was filled: no quantity"
            )
            self.draft.leave_out(row, why)
            return
        price = row.number_or("limit_price", None)
        values: dict[str, Any] = {
            "instrument": self._instrument(row),
            "order_id": self.chain[row["id"]],
            "price": price,
        }
        ts = self._ts(row, "submitted_at" if row.get("submitted_at") else "created_at")
        if replaces:
            self.draft.event(row, "modify", ts, qty=quantity + before, **values)
            self.draft.assume("an order that replaces another is a modify of it")
        else:
            form = None if price is not None else "market"
            self.draft.event(row, "order", ts, side=self._side(row), qty=quantity, type=form, **values)
        self.known.add(row["id"])

    def fills(self, activities: list[TableRow], orders: list[TableRow]) -> None:
        """Fills, and one of each order whose fills are not among the activities."""
        filled: dict[str, Decimal] = {}
        for row in activities:
            if row["activity_type"] == "FILL":
                order, quantity = row.text("order_id"), row.number("qty")
                filled[order] = filled.get(order, Decimal(0)) + quantity
                self.draft.event(
                    row, "fill", self._ts(row, "transaction_time"), instrument=self._instrument(row), side=self._side(row),
                    qty=quantity, price=row.number("price"), order_id=self.chain.get(order, order), trade_id=row["id"],
                )  # fmt: skip
        short = 0
        for row in orders:
            stated = row.number_or("filled_qty", Decimal(0))
            if stated and row["id"] not in filled and row["id"] in self.known:
                moment = "filled_at" if row.get("filled_at") else "updated_at"
                self.draft.event(
                    row, "fill", self._ts(row, moment), derived="fill", instrument=self._instrument(row), side=self._side(row),
                    qty=stated, price=row.number("filled_avg_price"), order_id=self.chain[row["id"]],
                )  # fmt: skip
                self.draft.assume("an order without fills among the activities has one, at its average price")
            short += stated != filled.get(row["id"], stated)
        if short:
            self.draft.assume(f"{short} orders have another filled quantity than their fills; the fills are taken")

    def ends(self, orders: list[TableRow]) -> None:
        """Cancels, expiries and rejections, at their times."""
        for row in orders:
            if row.text("status") not in (*ENDS, *OTHERS):
                row.refuse(f"status={row['status']!r} is not a status of an order")
            if row["status"] in ENDS and row["id"] in self.known:
                kind, moment = ENDS[row["status"]]
                moment = moment if row.get(moment) else "updated_at"
                known = {"instrument": self._instrument(row), "order_id": self.chain[row["id"]]}
                self.draft.event(row, kind, self._ts(row, moment), **known)

    def money(self, activities: list[TableRow]) -> None:
        """Money that moves without a fill, at its date in New York."""
        for row in activities:
            form, amount = row["activity_type"], row.number_or("net_amount", Decimal(0))
            if form != "FILL" and row.get("status") == "canceled":
                self.draft.leave_out(row, f"activity {form} that was cancelled")
            elif form != "FILL" and amount:
                flow = next((flow for begin, flow in FLOWS.items() if form.startswith(begin)), "deposit")
                ts = self.new_york.ns(row.text("date"), row.refuse)
                self.draft.event(row, "cash", ts, amount=amount, currency="USD", flow=flow)
                self.draft.assume("an activity with a date and no time is at midnight in New York")


def _is_option(symbol: str) -> bool:
    """True for a symbol in the form of the Options Clearing Corporation: root, date, C or P, strike in thousandths."""
    return len(symbol) > 15 and symbol[-15:-9].isdigit() and symbol[-9] in "CP" and symbol[-8:].isdigit()
