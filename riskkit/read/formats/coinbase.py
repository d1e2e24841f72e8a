"""Fills of Coinbase Pro and Coinbase Advanced."""

from __future__ import annotations

from collections import Counter

from riskkit.read.draft import Draft
from riskkit.read.exchange import oldest_first, side_of, without_repeats
from riskkit.read.reading import Reading
from riskkit.read.registry import reader
from riskkit.read.source import Files, Source, TableRow, sources
from riskkit.read.times import Clock

UNIT = "price/fee/total unit"
NEEDED = ("trade id", "product", "side", "created at", "size", "price", "fee", UNIT)


def _recognises(source: Source) -> bool:
    return source.has(NEEDED)


@reader(_recognises)
def coinbase(files: Files, *, account: str = "coinbase") -> Reading:
    r"""Read Coinbase's fills report, of Coinbase Pro or Advanced.

    A row is a fill: its portfolio, trade id (unique within a product), product, side, time (UTC), size, price, fee, total
    and their unit. There are no orders: each fill gets one.

    Parameters
    ----------
    files : path, open file, or sequence of them
        ``fills.csv``, also several that overlap: a fill that was read is left out.
    account : str
        Label of the account where the file has no portfolios, as the oldest ones; otherwise each portfolio is one.

    References
    ----------
    Coinbase help, "Generate account statements and reports".

    Examples
    --------
    >>> import io
    >>> heading = "portfolio,trade id,product,side,created at,size,size unit,price,fee,total,price/fee/total unit"
    >>> row = "default,8000,ETH-USD,BUY,2021-06-01T23:59:58.120Z,2,ETH,2633.04,1.5,-5267.58,USD"
    >>> reading = coinbase(io.StringIO(f"{heading}\n{row}\n"))
    >>> reading.frame[["kind", "account", "side"]].values.tolist(), reading.fees
    ([['order', 'default', 'B'], ['fill', 'default', 'B']], {'USD': Decimal('1.5')})
    """
    given = sources(files)
    draft, clock = Draft("coinbase", given, account), Clock("UTC")
    rows = [row for source in given for row in source.table(NEEDED)]
    rows = without_repeats(draft, rows, _key, "portfolio, product, trade id and time read before")
    used: Counter[tuple[str, ...]] = Counter()
    for row in oldest_first(rows, lambda row: clock.ns(row["created at"], row.refuse)):
        quantity, price, fee = row.number("size"), row.number("price"), row.number_or("fee", None)
        if row.get("total") is not None:
            draft.check_money(row, "total", row.number("total"), quantity, price, fee=fee)
        used[_key(row)[:4]] += 1
        again = used[_key(row)[:4]]
        if again > 1:
            draft.assume("fills of one id, product and side but of another time or size are several fills")
        draft.event(
            row, "fill", clock.ns(row["created at"], row.refuse), account=row.get("portfolio"), side=side_of(row, "side"),
            instrument=draft.instrument(row.text("product"), currency=row.text(UNIT)), qty=quantity,
            price=price, trade_id=row.text("trade id") + (f" ({again})" if again > 1 else ""), order_id=row.get("order id"),
            fee=fee,
        )  # fmt: skip
    draft.assume("a portfolio is an account" if rows and rows[0].get("portfolio") else f"one account, {account!r}")
    return draft.finish()


def _key(row: TableRow) -> tuple[str, ...]:
    return tuple(str(row.get(name)) for name in ("portfolio", "product", "trade id", "side", "created at", "size"))
