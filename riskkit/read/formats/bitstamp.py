"""Transactions of Bitstamp."""

from __future__ import annotations

import re
from decimal import Decimal

from riskkit.read.draft import Draft
from riskkit.read.exchange import oldest_first, side_of, with_unit, without_repeats
from riskkit.read.reading import Reading
from riskkit.read.registry import reader
from riskkit.read.source import Files, Source, TableRow, sources
from riskkit.read.times import Clock

NEEDED = ("Type", "Datetime", "Account", "Amount", "Value", "Rate", "Fee")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
TIME = re.compile(r"([A-Za-z]{3})[a-z]*\.? (\d{1,2}), (\d{4}), (\d{1,2}):(\d\d) ([AP])\.?M\.?")
SIGNS = {"deposit": ("deposit", 1), "withdrawal": ("deposit", -1), "reward": ("dividend", 1)}


def _recognises(source: Source) -> bool:
    return source.has((*NEEDED, "Sub Type"))


@reader(_recognises)
def bitstamp(files: Files, *, account: str = "bitstamp") -> Reading:
    r"""Read Bitstamp's export of transactions, of either generation.

    A row is a fill (with a rate, bought or sold), a deposit, a withdrawal or a transfer. The older export glues
    amounts and currencies ("0.5 BTC"), has times as "Dec. 30, 2017, 11:16 AM" and no ids; the newer one ("RFC 4180") has
    currencies in columns of their own, ISO times and the ids of fills and orders.

    Parameters
    ----------
    files : path, open file, or sequence of them
        ``Transactions.csv``; of the newer export also several that overlap: a row of a known id is left out.
    account : str
        Label of the account in rows without one.

    References
    ----------
    Bitstamp, "Export transaction history".

    Examples
    --------
    >>> import io
    >>> text = ('Type,Datetime,Account,Amount,Value,Rate,Fee,Sub Type\n'
    ...         'Market,"Dec. 30, 2017, 11:16 PM",Main Account,0.5 BTC,6800.00 USD,13600.00 USD,17.00 USD,Buy\n')
    >>> reading = bitstamp(io.StringIO(text))
    >>> str(reading.frame["ts"][0]), reading.fees
    ('2017-12-30 23:16:00+00:00', {'USD': Decimal('17.00')})
    """
    given = sources(files)
    draft, clock = Draft("bitstamp", given, account), Clock("UTC")
    rows = [row for source in given for row in source.table(NEEDED)]
    named = [row for row in rows if row.get("ID")]
    repeats = {id(row) for row in named} - {
        id(row) for row in without_repeats(draft, named, lambda row: row["ID"], "ID read before")
    }
    for row in oldest_first((row for row in rows if id(row) not in repeats), lambda row: _time(row, clock)):
        if row.get("Rate") is not None and (row.get("Sub Type") or "").lower() in ("buy", "sell"):
            _fill(draft, row, _time(row, clock))
        else:
            _flow(draft, row, _time(row, clock))
    draft.assume("times are UTC")
    return draft.finish()


def _time(row: TableRow, clock: Clock) -> int:
    text = row.text("Datetime")
    match = TIME.fullmatch(text)
    if match is None or match[1].lower() not in MONTHS:
        return clock.ns(text, row.refuse)
    month, day, year, hour, minute, half = match.groups()
    hours = int(hour) % 12 + 12 * (half == "P") if 1 <= int(hour) <= 12 else row.refuse(f"{text!r} is not a time")
    return clock.local([int(year), MONTHS.index(month.lower()) + 1, int(day), hours, int(minute), 0], 0, row.refuse)


def _money(row: TableRow, name: str) -> tuple[Decimal, str] | None:
    """An amount and its currency; None for an empty cell."""
    if row.get(name) is None:
        return None
    unit = row.get(f"{name} currency")
    return with_unit(row, name) if unit is None else (row.number(name), unit)


def _needed(row: TableRow, name: str) -> tuple[Decimal, str]:
    return _money(row, name) or row.refuse(f"{name} is empty")


def _fill(draft: Draft, row: TableRow, ts: int) -> None:
    (quantity, coin), (price, quote) = _needed(row, "Amount"), _needed(row, "Rate")
    fee, currency = _money(row, "Fee") or (None, None)
    if value := _money(row, "Value"):
        draft.check_money(row, "Value", value[0], quantity, price, fee=fee)
    draft.event(
        row, "fill", ts, account=row.get("Account"), instrument=draft.instrument(f"{coin}/{quote}", currency=quote),
        side=side_of(row, "Sub Type"), qty=quantity, price=price, fee=fee,
        fee_currency=currency, trade_id=row.get("ID"), order_id=row.get("Order ID"),
    )  # fmt: skip


def _flow(draft: Draft, row: TableRow, ts: int) -> None:
    """A deposit, a withdrawal or a reward; what is no flow of money is left out."""
    kind = row.text("Type")
    found = next((sign for word, sign in SIGNS.items() if kind.lower().endswith(word)), None)
    if found is None:
        own = "transfer between own accounts, no flow of money" if "transfer" in kind.lower() else f"{kind} is no trade"
        draft.leave_out(row, own)
        return
    amount, currency = _needed(row, "Amount")
    account = row.get("Account")
    draft.event(row, "cash", ts, account=account, amount=abs(amount) * found[1], currency=currency, flow=found[0])
    fee = _money(row, "Fee")
    if fee and fee[0]:
        draft.event(row, "cash", ts, account=account, amount=-fee[0], currency=fee[1], flow="fee")
