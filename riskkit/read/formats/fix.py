"""Logs of FIX sessions, tag=value, versions 4.0 to 5.0."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from riskkit.read.draft import Draft, Event
from riskkit.read.formats.fix_messages import START, Message, as_utf_8, messages
from riskkit.read.reading import Reading
from riskkit.read.registry import reader
from riskkit.read.source import Files, Source, TableRow, sources
from riskkit.read.times import Clock

SIDES = dict.fromkeys("139", "B") | dict.fromkeys("2456", "S")
SESSION = {*"012345A", "n"}
DONE = {"3": "done for the day", "4": "cancelled", "C": "expired"}  # ExecType (150)
PUT_OR_CALL = {"0": "P", "1": "C"}
OPTION_SIZE = 100
UNPRICED = ("1", "3", "5", "A", "J", "K", "Q")  # types of orders (40) without a limit, which may have 44=0


def _recognises(source: Source) -> bool:
    return bool(START.search(as_utf_8(source.head)))


@reader(_recognises)
def fix(
    files: Files, *, account: str | None = None, multipliers: Mapping[str, Any] | None = None, currency: str = "USD"
) -> Reading:
    r"""Read a log of FIX messages: orders, replaces, cancels, and what became of them.

    One message a line, after any prefix, with fields that end in SOH, ``|``, ``^A`` or another mark. New orders (35=D; E),
    replaces (G) and cancels (F) are what was sent; execution reports (8) acknowledge, fill, reject or end orders, bust
    (150=H; before 4.3 20=1) and correct (150=G; 20=2) the fill of their ExecRefID (19). An order keeps one id however often its ClOrdID
    changes. What was sent again (43=Y, 97=Y) is read once; a message whose length (9) or sum (10) is wrong is left out
    and named.

    Parameters
    ----------
    files : path, open file, or sequence of them
        Logs, in order of time.
    account : str, optional
        Label of messages without an Account (1); by default the sender of the orders.
    multipliers : mapping of instrument to number, optional
        Contract sizes; by default ContractMultiplier (231), 100 of an option, 1 of what is no future.
    currency : str
        Currency of instruments without a Currency (15).

    Returns
    -------
    Reading
        With the facts ``busted``, ``corrected``, ``requests_refused``, ``requests_effective`` (by kind),
        ``cancels_unsolicited_or_expired`` and ``working_at_end`` (session and ClOrdID: quantity left).

    References
    ----------
    FIX Trading Community, FIX 4.2, 4.4 and 5.0 specifications, "Execution Report" and "Order State Change Matrices".

    Examples
    --------
    >>> import io
    >>> def line(body):
    ...     text = f"8=FIX.4.4|9={len(body)}|{body}".replace("|", "\x01")
    ...     return f"{text}10={sum(text.encode()) % 256:03d}\x01".replace("\x01", "|")
    >>> order = "35=D|34=2|49=ME|52=20240308-14:30:01|56=BROKER|1=A|11=C1|55=X|54=1|38=5|40=2|44=20.15|"
    >>> fix(io.StringIO(line(order))).frame[["account", "side", "qty", "price"]].values.tolist()
    [['A', 'B', Decimal('5'), Decimal('20.15')]]
    """
    given = sources(files)
    log = _Log(Draft("fix", given, multipliers=multipliers), account, currency)
    for source in given:
        count = 0
        for message in messages(source):
            count += message.whole
            log.read(message)
        if not count:
            source.refuse("", "has no whole FIX message")
    return log.finish()


@dataclass
class _Order:
    """An order through all its ClOrdIDs."""

    id: str
    session: str
    account: str
    instrument: str
    side: str
    name: str  # ClOrdID of its last report
    leaves: Decimal = Decimal(0)

    @property
    def common(self) -> dict[str, Any]:
        return {"account": self.account, "instrument": self.instrument, "order_id": self.id}


class _Log:
    """The state of a log while it is read: orders by their ids, fills by theirs, requests that wait for an answer."""

    def __init__(self, draft: Draft, account: str | None, currency: str) -> None:
        self.draft, self.account, self.currency = draft, account, currency
        self.clock = Clock("UTC")
        self.orders: dict[tuple[str, str], _Order] = {}  # by session and ClOrdID, or OrderID
        self.all: list[_Order] = []
        self.names: Counter[tuple[str, str]] = Counter()
        self.sent: dict[tuple[str, str], _Order] = {}  # by session and MsgSeqNum of the client
        self.seen: set[tuple[str, ...]] = set()
        self.fills: dict[tuple[str, str], Event] = {}  # by session and ExecID
        self.requests: set[tuple[str, str]] = set()  # session and ClOrdID of cancels
        self.last_account: dict[str, str] = {}
        self.counts: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.effective: Counter[str] = Counter()

    def read(self, message: Message) -> None:
        """Take one message."""
        row = message.row
        if not message.whole:
            self.draft.leave_out(row, "not a whole message")
            return
        kind = row.text("35")
        if kind in SESSION:
            self.draft.leave_out(row, f"session message 35={kind}")
        elif self._again(row):
            self.draft.leave_out(row, "sent again (PossDup or PossResend), already read")
        elif kind == "D":
            self._new(row)
        elif kind == "E":
            for order in message.listed:
                self._new(order)
        elif kind in "GF":
            self._request(row, "modify" if kind == "G" else "cancel")
        elif kind == "8":
            self._report(message)
        elif kind == "9":
            self._refusal(row)
        elif kind == "j":
            self._business_reject(row)
        else:
            self.draft.leave_out(row, f"message 35={kind}, no event")

    def _again(self, row: TableRow) -> bool:
        """True if this message was read before: by its number, its ExecID or its ClOrdID."""
        way = row.text("49"), row.text("56")
        sent = row.get("122") or row.text("52")
        keys: list[tuple[str, ...]] = [(*way, "34", row.text("34"), sent)]
        flagged = "Y" in (row.get("43"), row.get("97"))
        if row.get("17") not in (None, "0"):
            keys.append((*way, "17", row["17"], row.text("60") if row.get("60") else sent))
        elif flagged and row.get("11"):
            keys.append((*way, "11", row["11"]))
        known = any(key in self.seen for key in keys)
        self.seen |= set(keys)
        if row.get("11") and row["35"] in "DGF":
            self.seen.add((*way, "11", row["11"]))
        return known

    def _ts(self, row: TableRow) -> int:
        return self.clock.ns(row.get("60") or row.text("52"), row.refuse)

    def _instrument(self, row: TableRow) -> str:
        """Label of an instrument: its symbol, and of a contract its expiry and strike."""
        symbol = row.get("55")
        symbol = row.text("48") if symbol in (None, "[N/A]", "N/A") else str(symbol).strip()
        form, cfi = row.get("167") or "", row.get("461") or ""
        option, future = form in ("OPT", "FOP", "OOF") or cfi[:1] == "O", form == "FUT" or cfi[:1] == "F"
        parts = [symbol]
        if option or future:
            day = row.get("541") or (row.get("200") or "") + (row.get("205") or "").zfill(2 if row.get("205") else 0)
            parts.append(day)
        if option:
            parts += [PUT_OR_CALL.get(row.get("201") or "", cfi[1:2]), row.get("202") or ""]
        label = " ".join(part for part in parts if part)
        self.draft.instrument(label, currency=row.get("15") or self.currency, multiplier=row.number_or("231", None))
        if option and not row.get("231") and label not in self.draft.multipliers:
            self.draft.instrument(label, multiplier=OPTION_SIZE)
            self.draft.assume(f"an option without a multiplier (231) is of {OPTION_SIZE}")
        elif future and not row.get("231"):
            self.draft.need_multiplier(label)
        return label

    def _session(self, row: TableRow, client: bool) -> str:
        ends = row.text("49"), row.text("56")
        return "-".join(ends if client else ends[::-1])

    def _account(self, row: TableRow, session: str) -> str:
        found = row.get("1") or self.account
        if found is None:
            found = session.split("-")[0]
            self.draft.assume(f"a message without an account (1) is of its sender, {found!r}")
        self.last_account[session] = found
        return str(found)

    def _side(self, row: TableRow) -> str:
        if row.text("54") not in SIDES:
            row.refuse(f"54={row['54']!r} is not a side that buys or sells")
        return SIDES[row["54"]]

    def _add(self, row: TableRow, session: str) -> _Order:
        """Begin an order; an id that an earlier one had gets a number."""
        name = row.text("11") if row.get("11") else row.text("37")
        self.names[session, name] += 1
        times = self.names[session, name]
        label = f"{session} {name}" + (f" #{times}" if times > 1 else "")
        order = _Order(label, session, self._account(row, session), self._instrument(row), self._side(row), name)
        self.orders[session, name] = order
        self.all.append(order)
        return order

    def _new(self, row: TableRow) -> None:
        session = self._session(row, client=True)
        if row.get("38") is None:
            self.draft.leave_out(row, "order by money (152), its quantity is known by its fills only")
            return
        order = self._add(row, session)
        self.sent[session, row.text("34")] = order
        self._order_event(row, order, row.number("38"))

    def _order_event(self, row: TableRow, order: _Order, quantity: Decimal, derived: str = "") -> None:
        price = row.number_or("44", None) if row.get("40") not in UNPRICED else None
        self.draft.event(
            row, "order", self._ts(row), derived, side=order.side, qty=quantity, price=price,
            type=None if price is not None else "market", **order.common,
        )  # fmt: skip

    def _find(self, row: TableRow, session: str) -> _Order | None:
        """The order of a message: by ClOrdID, the one before it, or OrderID, which all lead to it from now on."""
        keys = [(session, row[tag]) for tag in ("11", "41", "37") if row.get(tag) not in (None, "NONE")]
        order = next((self.orders[key] for key in keys if key in self.orders), None)
        if order is not None:
            for key in keys:
                self.orders.setdefault(key, order)
        return order

    def _request(self, row: TableRow, kind: str) -> None:
        session = self._session(row, client=True)
        order = self.orders.get((session, row.text("41")))
        if order is None:
            order = self._add(row, session)
            self.orders[session, row["41"]] = order
        self.orders[session, row.text("11")] = order
        self.sent[session, row.text("34")] = order
        values = {}
        if kind == "modify":
            values = {"qty": row.number_or("38", None), "price": row.number_or("44", None)}
        else:
            self.requests.add((session, row["11"]))
        self.draft.event(row, kind, self._ts(row), **values, **order.common)

    def _report(self, message: Message) -> None:
        """Take an execution report."""
        row = message.row
        session, form = self._session(row, client=False), row.get("150") or row.get("39") or ""
        transaction = row.get("20") or "0"
        if transaction == "3" or form == "I":
            self.draft.leave_out(row, "order status, no event")
            return
        if transaction in "12" or form in ("G", "H"):
            self._amend(message, session, "bust" if transaction == "1" or form == "H" else "correct")
            return
        order = self._find(row, session)
        filled = form in ("F", "1", "2") and row.number_or("32", 0) > 0
        if order is None and form == "8":
            self.draft.event(row, "error", self._ts(row), account=self._account(row, session))
            return
        if order is None:
            order = self._add(row, session)
            if form == "0":
                self._order_event(row, order, row.number("38"), derived="order")
        order.name, order.leaves = row.get("11") or order.name, row.number_or("151", Decimal(0))
        if filled:
            self._fill(message, order)
        elif form == "0":
            self.draft.event(row, "ack", self._ts(row), **order.common)
        elif form == "8":
            self.draft.event(row, "reject", self._ts(row), **order.common)
        elif form == "5":
            self.effective["modify"] += 1
        elif form == "4" and self.requests & {(session, row.get("11")), (session, row.get("41"))}:
            self.effective["cancel"] += 1
        elif form in DONE:
            self.counts["ended"] += 1
            self.draft.event(row, "expire", self._ts(row), derived="cancel", **order.common)
            self.draft.assume("an order that ends without a request lapses (cancelled by the venue, done or expired)")
        else:
            self.draft.leave_out(row, f"state 150={form}, no event")

    def _fill(self, message: Message, order: _Order) -> None:
        row = message.row
        values = self._trade(message, order)
        trade = row.text("17")
        event = self.draft.event(row, "fill", self._ts(row), side=order.side, trade_id=trade, **values, **order.common)
        self.fills[order.session, trade] = event

    def _trade(self, message: Message, order: _Order) -> dict[str, Any]:
        """Quantity, price and fee of an execution."""
        row = message.row
        quantity, price = row.number("32"), row.number("31")
        fee = sum((TableRow(row.source, row.at, {"137": text}).number("137") for text in message.misc_fees), Decimal(0))
        commission, form = row.number_or("12", None), row.get("13") or "3"
        if commission is not None and form not in "123":
            self.draft.assume(f"commissions of the type 13={form} are left out")
        elif commission is not None:
            per = {
                "1": quantity,
                "2": quantity * price * self.draft.multiplier(order.instrument) / 100,
                "3": Decimal(1),
            }
            fee += commission * per[form]
        known = message.misc_fees or commission is not None
        return {
            "qty": quantity,
            "price": price,
            "fee": fee if known else None,
            "fee_currency": row.get("479") or row.get("15"),
        }

    def _amend(self, message: Message, session: str, kind: str) -> None:
        """Take a bust or a correction of an earlier fill."""
        row = message.row
        event = self.fills.get((session, row.text("19")))
        if event is None:
            self.draft.leave_out(row, f"{kind} of a fill that is not in the file")
            return
        order = (
            self.orders[session, row.text("11")]
            if (session, row.get("11")) in self.orders
            else self._find(row, session)
        )
        if order is not None:
            order.leaves = row.number_or("151", order.leaves)
        self.counts[kind] += 1
        common = {name: event[name] for name in ("account", "instrument", "side", "trade_id")}
        values = {}
        if kind == "correct" and order is not None:
            values = self._trade(message, order)
            self.fills[session, row.text("17")] = event
        self.draft.event(row, kind, self._ts(row), **common, **values)

    def _refusal(self, row: TableRow) -> None:
        """Take a refused cancel or replace."""
        session, kind = self._session(row, client=False), "modify" if row.get("434") == "2" else "cancel"
        order = self._find(row, session)
        self.refused[kind] += 1
        if order is None:
            self.draft.event(row, "error", self._ts(row), account=self._account(row, session))
        else:
            self.draft.event(row, f"{kind}_reject", self._ts(row), **order.common)

    def _business_reject(self, row: TableRow) -> None:
        """Take a message that the other side could not use: of an order if it names one, else of the last account."""
        session = self._session(row, client=False)
        order = self.sent.get((session, row.get("45") or ""))
        if order is not None and row.get("372") == "D":
            self.draft.event(row, "reject", self._ts(row), **order.common)
            return
        account = order.account if order else self.last_account.get(session) or self._account(row, session)
        self.draft.event(row, "error", self._ts(row), account=account)
        if order is None:
            self.draft.assume("a business reject (35=j) that names no message of the file is of the account used last")

    def finish(self) -> Reading:
        """The reading, with what the log says about requests and at its end."""
        working = {f"{order.session} {order.name}": f"{order.leaves:f}" for order in self.all if order.leaves}
        self.draft.facts = {
            "busted": self.counts["bust"],
            "corrected": self.counts["correct"],
            "requests_refused": dict(self.refused),
            "requests_effective": dict(self.effective),
            "cancels_unsolicited_or_expired": self.counts["ended"],
            "working_at_end": working,
        }
        self.draft.assume("times are UTC by the standard; TransactTime (60) is taken, else SendingTime (52)")
        return self.draft.finish()
