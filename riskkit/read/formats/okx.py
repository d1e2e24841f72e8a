"""Trading history of OKX."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from riskkit.read.draft import Draft
from riskkit.read.exchange import oldest_first, without_repeats
from riskkit.read.local_form import AROUND, normal
from riskkit.read.reading import Reading
from riskkit.read.registry import reader
from riskkit.read.source import Files, Source, TableRow, sources
from riskkit.read.times import Clock

NEEDED = (
    "id", "Order id", "Time", "Trade Type", "Symbol", "Action", "Amount", "Filled Price", "Fee", "Fee Unit", "Balance Change",
    "Balance Unit",
)  # fmt: skip
ZONE = re.compile(r"Time ?Zone ?: ?UTC ?(?:([+-])(\d{1,2})(?::?(\d\d))?)?", re.I)
HOUR = 3600 * 10**9
UNASKED = re.compile(r"liquidation|\badl\b|delivery|exercised")  # fills that nobody ordered
OTHER_LEG = "the other leg of a spot fill: the money side of it"
Stamped = tuple[TableRow, int, str]


def _recognises(source: Source) -> bool:
    return source.has(NEEDED)


@reader(_recognises)
def okx(
    files: Files, *, account: str | None = None, tz: str | None = None, multipliers: Mapping[str, Any] | None = None
) -> Reading:
    r"""Read OKX's trading history, which has the changes of balances.

    The first line has the kind of account and the time zone, the second the heading. A spot fill is two rows of one order,
    one a coin: that whose balance is in the base coin is the fill. Swaps and futures count contracts, and open and
    close longs and shorts. Fees are negative when paid. Funding and transfers have their money in the change of balance.

    Parameters
    ----------
    files : path, open file, or sequence of them
        ``OKX Trading History.csv``, also several that overlap: a row of a known id is left out.
    account : str, optional
        Label of the account; by default the "Account Type" of the first line.
    tz : str, optional
        Time zone of the times of a file without a first line that has it.
    multipliers : mapping of symbol to number
        Coins of a contract, as 0.01 for BTC-USDT-SWAP; needed for each symbol that counts contracts.

    References
    ----------
    OKX help, "How to download trading history"; what a change of balance contains is not documented.

    Examples
    --------
    >>> import io
    >>> first = "UID:0,Account Type:Main,Time Zone:UTC+8\n"
    >>> row = "901,7,2025-03-30 04:34:33,Perpetual,BTC-USDT-SWAP,Close short,4,cont,83000,-2.5,-0.1,USDT,-2.6,USDT\n"
    >>> heading = ",".join([*NEEDED[:7], "Trading Unit", "Filled Price", "PnL", *NEEDED[8:]]) + "\n"
    >>> reading = okx(io.StringIO(first + heading + row), multipliers={"BTC-USDT-SWAP": "0.01"})
    >>> str(reading.frame["ts"][0]), reading.frame["side"][0], reading.fees, reading.realised_pnl
    ('2025-03-29 20:34:33+00:00', 'B', {'USDT': Decimal('0.1')}, {'USDT': Decimal('-2.5')})
    """
    given = sources(files)
    draft = Draft("okx", given, "", multipliers)
    entries: list[Stamped] = []
    for source in given:
        entries += _rows(source, account, tz)
    kept = {id(row) for row in without_repeats(draft, [row for row, _, _ in entries], _id, "id read before")}
    entries = oldest_first((entry for entry in entries if id(entry[0]) in kept), lambda entry: entry[1])
    legs: dict[str, list[Stamped]] = defaultdict(list)
    for entry in entries:
        if _is_spot(entry[0]) and entry[0].get("Balance Unit") != _coins(entry[0])[0]:
            legs[entry[0].text("Order id")].append(entry)
    for row, ts, label in entries:
        if not _is_spot(row):
            _derivative(draft, row, ts, label)
        elif row.get("Balance Unit") == _coins(row)[0]:
            _spot(draft, (row, ts, label), legs[row.text("Order id")])
        else:
            draft.leave_out(row, OTHER_LEG)
    draft.assume("a fee that is negative is paid", "a change of balance is after the fee")
    return draft.finish()


def _rows(source: Source, account: str | None, tz: str | None) -> list[Stamped]:
    """The rows of a file with their time and account."""
    first = next(source.rows(), ("", []))[1]
    named = [cell.strip(AROUND) for cell in first]
    preface = not {normal(name) for name in NEEDED} <= {normal(cell) for cell in first}
    kind = next(
        (cell.split(":", 1)[1].strip() for cell in named if preface and cell.lower().startswith("account type")), ""
    )
    zone = next((found for cell in named if preface and (found := ZONE.fullmatch(cell))), None)
    if zone is None and tz is None:
        source.refuse("line 1", "has no time zone; give tz=, as 'UTC' or 'Asia/Hong_Kong'")
    if not (account or kind):
        source.refuse("line 1", "has no account type; give account=, a label")
    sign, hours, minutes = zone.groups(default="0") if zone else ("", "0", "0")
    offset = (int(hours) * HOUR + int(minutes) * HOUR // 60) * (-1 if sign == "-" else 1)
    clock = Clock("UTC" if zone else tz or "UTC")
    rows = source.table(NEEDED, skipped=int(preface))
    return [(row, clock.ns(row["Time"], row.refuse) - offset, account or kind) for row in rows]


def _id(row: TableRow) -> str:
    return row.text("id")


def _is_spot(row: TableRow) -> bool:
    return row.text("Trade Type").lower() in ("spot", "margin") and row.text("Action").lower() in ("buy", "sell")


def _coins(row: TableRow) -> tuple[str, str]:
    base, quote = (*row.text("Symbol").split("-"), "")[:2]
    return base, quote


def _spot(draft: Draft, entry: Stamped, legs: list[Stamped]) -> None:
    """A fill, with the fees of both of its rows."""
    row, ts, account = entry
    if not legs:
        row.refuse(f"is a fill of order {row.text('Order id')} without the row of its money; the file is torn")
    quantity, price = row.number("Amount"), row.number("Filled Price")
    other = legs.pop(min(range(len(legs)), key=lambda place: abs(legs[place][0].number("Amount") - quantity * price)))[
        0
    ]
    draft.check_money(other, "Amount", other.number("Amount"), quantity, price)
    fees: dict[str, Decimal] = {}
    for leg in (row, other):
        if fee := leg.number_or("Fee", Decimal(0)):
            fees[leg.text("Fee Unit")] = fees.get(leg.text("Fee Unit"), Decimal(0)) - fee
    draft.event(
        row, "fill", ts, account=account, instrument=draft.instrument(row.text("Symbol"), currency=_coins(row)[1]),
        side="B" if row.text("Action").lower() == "buy" else "S", qty=quantity, price=price, fees=fees,
        order_id=row.text("Order id"), trade_id=_id(row),
    )  # fmt: skip


def _derivative(draft: Draft, row: TableRow, ts: int, account: str) -> None:
    """A fill of contracts, or a flow of money."""
    side = _side(row.text("Action"))
    if side is None and UNASKED.search(row.text("Action").lower()) and row.number_or("Filled Price", Decimal(0)):
        row.refuse(f"Action={row['Action']!r} is a fill, and does not say whether it buys or sells")
    if side is None or not row.number("Amount"):
        word = row.text("Action").lower()
        flow = "funding" if "funding" in word or "interest" in word else "deposit"
        draft.event(
            row, "cash", ts, account=account, amount=row.number("Balance Change"), currency=row.text("Balance Unit"), flow=flow
        )  # fmt: skip
        return
    symbol = row.text("Symbol")
    draft.need_multiplier(symbol)
    fee = row.number_or("Fee", None)
    draft.event(
        row, "fill", ts, account=account, instrument=draft.instrument(symbol, currency=_coins(row)[1]), side=side,
        qty=row.number("Amount"), price=row.number("Filled Price"), fee=None if fee is None else -fee,
        fee_currency=row.get("Fee Unit"), order_id=row.text("Order id"), trade_id=_id(row),
    )  # fmt: skip
    draft.realised(row.text("Balance Unit"), row.number_or("PnL", Decimal(0)))


def _side(action: str) -> str | None:
    """Side of an action: to open a long and to close a short are buys. None if it is no fill."""
    words = action.lower().split()
    if len(told := {"buy", "sell"} & set(words)) == 1:
        return "B" if told == {"buy"} else "S"
    if not {"long", "short"} & set(words):
        return None
    return "B" if ("long" in words) == ("open" in words) else "S"
