"""What the exports of exchanges have in common: rows newest first, repeated rows, sides, symbols, amounts with their unit."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from riskkit._check import InputError
from riskkit.read.draft import Draft
from riskkit.read.local_form import AROUND
from riskkit.read.source import TableRow

QUOTES = (
    "USDT", "USDC", "BUSD", "FDUSD", "TUSD", "USDP", "USDE", "USD1", "PYUSD", "RLUSD", "USDS", "DAI", "PAX", "USD", "EUR",
    "GBP", "TRY", "BRL", "AUD", "CAD", "CHF", "JPY", "PLN", "RUB", "UAH", "NGN", "ZAR", "IDRT", "BIDR", "BKRW", "BVND", "RON",
    "ARS", "CZK", "MXN", "COP", "EURI", "EURT", "BTC", "XBT", "ETH", "BNB", "TRX", "XRP", "DOGE", "DOT", "SOL", "BIT",
    "MNT",
)  # fmt: skip
BEFORE_USD = frozenset(  # coins whose last letters make another dollar of USD: XBTUSD is no XB in TUSD
    "XBT DOT BAT USDT ANT GRT LPT MNT BIT BTT GMT HFT LIT HOT JST APT NFT PNUT QNT FORT EURT BNB SHIB ARB".split()
)
SIDES = {"buy": "B", "sell": "S", "long": "B", "short": "S"}
AMOUNT = re.compile(r"([+-]?[\d,]*\.?\d+(?:[eE][+-]\d+)?)\s*([A-Za-z][A-Za-z0-9]*)")
NUMBER = re.compile(r"[+-]?[\d,]*\.?\d+(?:[eE][+-]?\d+)?\s*")


def oldest_first(rows: Iterable[Any], stamp: Callable[[Any], int]) -> list[Any]:
    """Rows in the order in which they happened: turned round if the first is the newest.

    Examples
    --------
    >>> oldest_first(["c2", "b2", "a1"], lambda text: int(text[1:]))
    ['a1', 'b2', 'c2']
    """
    found = list(rows)
    turned = bool(found) and stamp(found[0]) > stamp(found[-1])
    return sorted(reversed(found) if turned else found, key=stamp)


def without_repeats(
    draft: Draft,
    rows: Iterable[TableRow],
    key: Callable[[TableRow], Hashable],
    why: str,
    contents: Callable[[TableRow], Any] = lambda row: row.values,
) -> list[TableRow]:
    """Rows of which none has the key of an earlier one; those that have are left out by name.

    Raises
    ------
    InputError
        If two rows have one key and different contents.
    """
    known: dict[Hashable, TableRow] = {}
    for row in rows:
        first = known.setdefault(key(row), row)
        if first is row:
            continue
        if contents(first) != contents(row):
            row.refuse(f"has the id of {first.at} and other contents")
        draft.leave_out(row, why)
    return list(known.values())


def first_of(row: TableRow, *names: str) -> str:
    """The first of several names that a row has a column for, as headings have changed over the years."""
    for name in names:
        if name in row.values:
            return name
    row.refuse(f"has no column {names[0]!r}")


def side_of(row: TableRow, name: str) -> str:
    """Side of a fill: the column says buy, sell, long or short."""
    word = row.text(name)
    side = SIDES.get(word.lower())
    return side if side is not None else row.refuse(f"{name}={word!r} is neither a buy nor a sell")


def quote_of(
    row: TableRow, symbol: str, quotes: Mapping[str, str], draft: Draft | None = None, dollars: str = ""
) -> str:
    """The currency in which a symbol such as BTCUSDT is priced.

    Where its letters leave open which dollars (GALABUSD), they are `dollars`, or the longer ones, and the draft says so.

    Raises
    ------
    InputError
        If it ends in no known currency, and `quotes` does not name it.
    """
    if symbol in quotes:
        return quotes[symbol]
    pair = re.split(r"[-_/ ]", symbol)
    if len(pair) > 1 and pair[1] in QUOTES:
        return pair[1]
    found = [quote for quote in QUOTES if pair[0].endswith(quote) and pair[0] != quote]
    if not found:
        row.refuse(f"{symbol!r} ends in no known currency; give quotes={{{symbol!r}: ...}}, the currency of its prices")
    longest = max(found, key=len)
    if "USD" not in found or longest == "USD":
        return longest
    if pair[0].removesuffix("USD") in BEFORE_USD:
        return "USD"
    if pair[0].removesuffix(longest) in QUOTES:
        return longest
    if draft is not None:
        draft.assume(f"{symbol} is priced in {dollars or longest}, as its letters may say; quotes= says otherwise")
    return dollars or longest


def check_quotes(quotes: Mapping[str, str] | None) -> dict[str, str]:
    """The currencies that a user names for symbols."""
    for symbol, quote in (quotes or {}).items():
        if not isinstance(quote, str) or not quote:
            raise InputError(f"quotes[{symbol!r}]={quote!r} is not a currency; give a text such as 'USDT'")
    return dict(quotes or {})


def with_unit(row: TableRow, name: str, units: Sequence[str] = ()) -> tuple[Decimal, str]:
    """An amount and the unit that is glued to it, as ``1,012.35USDT`` or ``0.5 BTC``.

    A unit may begin with digits (1000SATS), so the first of `units` that fits is taken before any other.
    """
    text = row.text(name).strip(AROUND)
    for unit in units:
        if unit and text.upper().endswith(unit.upper()) and NUMBER.fullmatch(text[: -len(unit)]):
            return without_commas(row, name, text[: -len(unit)]), unit
    match = AMOUNT.fullmatch(text)
    if match is None or NUMBER.fullmatch(text):  # 1e400 is no amount of E400
        row.refuse(f"{name}={text!r} is not an amount with its unit")
    return without_commas(row, name, match[1]), match[2]


def without_commas(row: TableRow, name: str, text: str) -> Decimal:
    """A number of a cell with commas between every three digits, and nowhere else: a decimal comma is refused."""
    return TableRow(row.source, row.at, {name: text}).number(name, ",")


class ScopedIds:
    """Ids that are unique within a scope (a symbol, a pair) only, as ids that are unique.

    Examples
    --------
    >>> ids = ScopedIds([("BTC/USDT", "1"), ("ETH/USDT", "1"), ("ETH/USDT", "2")])
    >>> ids.of("ETH/USDT", "1"), ids.of("ETH/USDT", "2")
    ('ETH/USDT 1', '2')
    """

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._scopes: defaultdict[str, set[str]] = defaultdict(set)
        for scope, name in pairs:
            self._scopes[name].add(scope)

    def of(self, scope: str, name: str) -> str:
        """The unique id."""
        return f"{scope} {name}" if len(self._scopes[name]) > 1 else name
