"""Transaction history of Binance: what each coin of an account gained and lost, a row for each, from which trades are put together."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Context, Decimal

from riskkit.read.draft import Draft, add_to
from riskkit.read.exchange import QUOTES, without_commas
from riskkit.read.source import TableRow

TRANSACTIONS = ("Account", "Operation", "Coin", "Change")
TRADED = re.compile(
    r"(?:transaction )?(?:buy|sell|sold|spend|revenue|related)|binance convert|convert|large otc trading"
    r"|small assets exchange bnb(?: \(spot\))?"
)
FEE = re.compile(r"(?:transaction )?fee")
FLOWS = {
    "deposit": re.compile(r"(?:fiat |crypto )?(?:deposit|withdraw(?:al)?)|fiat ocbs - add fiat and fees|buy crypto"),
    "funding": re.compile(r"funding fee"),
    "dividend": re.compile(r".*(?:interest|reward|distribution|airdrop|cashback|rebate|mining).*"),
}
SETTLED = (
    "USDT",
    "BUSD",
    "USDC",
    "FDUSD",
    "TUSD",
    "USD",
    "EUR",
    "GBP",
    "TRY",
    "BRL",
    "AUD",
    "JPY",
    "BTC",
    "ETH",
    "BNB",
)
DIGITS = Context(prec=12)


def read_transactions(draft: Draft, rows: Iterable[tuple[TableRow, int]]) -> None:
    """Add the trades and flows of a transaction history; rows with their times, oldest first.

    The rows of a trade (what was bought, what was spent, the fee) have one time and account, and nothing else that holds
    them together. Where several pairs were traded in one second no row tells which belong together: refused.
    """
    groups: dict[tuple[str, int], list[TableRow]] = defaultdict(list)
    for row, ts in rows:
        groups[row.text("Account"), ts].append(row)
    for (_, ts), group in groups.items():
        _group(draft, group, ts)


def _group(draft: Draft, rows: list[TableRow], ts: int) -> None:
    """The rows of one second in one account: at most one trade with its fee, and flows."""
    legs, fees = _of(rows, TRADED), _of(rows, FEE)
    for row in rows:
        if row not in legs and row not in fees:
            _flow(draft, row, ts)
    paid = {coin: -amount for coin, amount in _sums(fees).items() if amount}
    fee = next(iter(paid.items())) if legs and len(paid) == 1 else None
    if legs:
        _fill(draft, legs, ts, fee)
    if fee is None:
        for coin, amount in paid.items():
            draft.event(fees[0], "cash", ts, amount=-amount, currency=coin, flow="fee")


def _of(rows: list[TableRow], operation: re.Pattern[str]) -> list[TableRow]:
    return [row for row in rows if operation.fullmatch(row.text("Operation").lower())]


def _sums(rows: Iterable[TableRow]) -> Mapping[str, Decimal]:
    """What each coin gained."""
    sums: dict[str, Decimal] = {}
    for row in rows:
        add_to(sums, row.text("Coin"), without_commas(row, "Change", row.text("Change")))
    return sums


def _fill(draft: Draft, legs: list[TableRow], ts: int, fee: tuple[str, Decimal] | None) -> None:
    """The one trade that two coins make: one gained, the other lost."""
    row, sums = legs[0], {coin: amount for coin, amount in _sums(legs).items() if amount}
    if len(sums) != 2 or min(sums.values()) > 0 or max(sums.values()) < 0:
        row.refuse(
            f"the trades of this second change {', '.join(sorted(sums)) or 'nothing'}, and no row says which belong together; "
            "a trade has one coin gained and one lost. Export the spot trade history"
        )
    quote, base = sorted(sums, key=_settles)
    quantity, money = sums[base], sums[quote]
    draft.event(
        row, "fill", ts, instrument=draft.instrument(f"{base}{quote}", currency=quote), side="B" if quantity > 0 else "S",
        qty=abs(quantity), price=DIGITS.divide(abs(money), abs(quantity)), fee=fee[1] if fee else None,
        fee_currency=fee[0] if fee else None,
    )  # fmt: skip
    draft.assume(
        "the rows of one second and account are one trade, at the money over the quantity, to 12 digits",
        "a pair is priced in the coin that is money first: " + ", ".join(SETTLED[:4]) + ", ...",
    )


def _settles(coin: str) -> tuple[int, str]:
    """Where a coin stands among those that pairs are priced in."""
    order = [*SETTLED, *(quote for quote in QUOTES if quote not in SETTLED)]
    return order.index(coin) if coin in order else len(order), coin


def _flow(draft: Draft, row: TableRow, ts: int) -> None:
    """A deposit, a payment, or what is no event of the account as a whole."""
    operation, amount = row.text("Operation"), without_commas(row, "Change", row.text("Change"))
    flow = next((name for name, words in FLOWS.items() if words.fullmatch(operation.lower())), None)
    if flow is None or not amount:
        draft.leave_out(row, f"{operation} is no trade")
        return
    draft.event(row, "cash", ts, amount=amount, currency=row.text("Coin"), flow=flow)
