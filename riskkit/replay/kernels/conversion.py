"""Conversion of money to the currency of a limit: exact, at the last rates, rounded once and against the trader.

An amount that harms the trader as it grows (an exposure, the value of an order) is converted at the worse side of each
rate and rounded up: a positive one at the ask of its currency in that of the limit, a negative one at the bid. One that
harms as it falls (equity, profit) is converted the other way round and rounded down. What a book has in other currencies is
converted at the moment of evaluation; nothing is converted when it is booked.

A *rate* is a record of `RATE` per pair of currencies, in billionths. A *conversion* is a record of `CONVERSION` per rule: how
amounts of the currency of the event become those of the limit, and what the book has in all other currencies.
"""

from __future__ import annotations

from typing import Any

from riskkit._jit import apart
from riskkit.replay.kernels.book import equity, profit
from riskkit.replay.kernels.integers import product_over
from riskkit.replay.kernels.records import Record, at
from riskkit.replay.schema.columns import MISSING, RATE_UNIT
from riskkit.replay.schema.constants import LARGEST

MOST = LARGEST - 1  # of an amount; a larger one counts as this, and breaches every limit
ANY_AGE = LARGEST
MONEY, EXPOSURE = 1, 2  # what a rule reads of a book

RATE: dict[str, str] = dict(
    bid="billionths of the second currency for one of the first that is sold; 0 before the first rate",
    ask="the same for one that is bought",
    ts="time of the rate",
)
LEGS = ("first", "second")
CONVERSION: dict[str, str] = {
    f"{side}_{part}_{leg}": f"{part} of the {leg} rate at the {side}"
    for leg in LEGS
    for side in ("ask", "bid")
    for part in ("numerator", "denominator")
}
CONVERSION["missing"] = "0, or -1 less the code of a currency that has no rate"
CONVERSION |= {
    f"{listed}{name}": f"quanta in the currency of the limit: the book's {name} exposure in other currencies{only}"
    for listed, only in (("", ""), ("listed_", ", without working orders"))
    for name in ("gross", "long", "short")
}


# ---------------------------------------------------------------------- rates


def note_rate(rate: Record, price: int, bid: int, ask: int, now: int) -> None:
    """Store an exchange rate: bid and ask, or one price for both."""
    rate.bid = bid if bid != MISSING else price
    rate.ask = ask if ask != MISSING else price
    rate.ts = now


def leg(rates: Record, width: int, source: int, target: int, oldest: int) -> int:
    """Place of the rate from one currency to another, plus 1; negative if it is that of the inverse pair; 0 if none."""
    if source < 0 or target < 0:
        return 0
    direct = source * width + target
    if at(rates, direct).bid != 0 and at(rates, direct).ts >= oldest:
        return direct + 1
    inverse = target * width + source
    if at(rates, inverse).bid != 0 and at(rates, inverse).ts >= oldest:
        return -(inverse + 1)
    return 0


def set_first(conversion: Record, rates: Record, place: int) -> None:
    """Set the first rate of a conversion; `place` as `leg` returns it, 0 for one to one."""
    conversion.ask_numerator_first = conversion.ask_denominator_first = 1
    conversion.bid_numerator_first = conversion.bid_denominator_first = 1
    if place > 0:
        conversion.ask_numerator_first = at(rates, place - 1).ask
        conversion.bid_numerator_first = at(rates, place - 1).bid
        conversion.ask_denominator_first = conversion.bid_denominator_first = RATE_UNIT
    elif place < 0:
        conversion.ask_denominator_first = at(rates, -place - 1).bid
        conversion.bid_denominator_first = at(rates, -place - 1).ask
        conversion.ask_numerator_first = conversion.bid_numerator_first = RATE_UNIT


def set_second(conversion: Record, rates: Record, place: int) -> None:
    """Set the second rate of a conversion, as `set_first`."""
    conversion.ask_numerator_second = conversion.ask_denominator_second = 1
    conversion.bid_numerator_second = conversion.bid_denominator_second = 1
    if place > 0:
        conversion.ask_numerator_second = at(rates, place - 1).ask
        conversion.bid_numerator_second = at(rates, place - 1).bid
        conversion.ask_denominator_second = conversion.bid_denominator_second = RATE_UNIT
    elif place < 0:
        conversion.ask_denominator_second = at(rates, -place - 1).bid
        conversion.bid_denominator_second = at(rates, -place - 1).ask
        conversion.ask_numerator_second = conversion.bid_numerator_second = RATE_UNIT


@apart
def find_way(conversion: Record, rates: Record, width: int, source: int, terms: Any, oldest: int) -> int:
    """Set how amounts of a currency become those of the limit: by the direct pair, the inverse one, or a cross.

    Return 0; if no rate is known, -1 less the code of the currency, which is also noted as `missing`.
    """
    first = second = 0
    conversion.missing = 0
    if source != terms.currency:
        first = leg(rates, width, source, terms.currency, oldest)
        if first == 0:
            first = leg(rates, width, source, terms.via, oldest)
            second = leg(rates, width, terms.via, terms.currency, oldest)
            if first == 0 or second == 0:
                conversion.missing = -1 - source
                return conversion.missing
    set_first(conversion, rates, first)
    set_second(conversion, rates, second)
    return 0


def oldest_of(terms: Any, now: int) -> int:
    """Time of the oldest rate that a rule accepts."""
    return MISSING if terms.max_age == ANY_AGE else now - terms.max_age


# ---------------------------------------------------------------------- amounts


@apart
def times(amount: int, numerator: int, denominator: int) -> tuple[int, int]:
    """Quotient and rest of `amount` x `numerator` / `denominator`, all at least 0; `MOST` and 0 beyond 64 bits."""
    whole = amount // denominator
    part = amount - whole * denominator
    if numerator > 0 and whole > MOST // numerator:
        return MOST, 0
    more = numerator // denominator
    left = numerator - more * denominator
    small, rest = product_over(part, left, denominator)
    quotient = whole * numerator + part * more + small
    if quotient >= MOST:
        return MOST, 0
    return quotient, rest


def crossed(amount: int, n1: int, d1: int, n2: int, d2: int, up: int) -> int:
    """`amount` x n1/d1 x n2/d2 of an amount at or above 0, rounded once: up (`up` 1) or down."""
    q1, r1 = times(amount, n1, d1)
    q2, r2 = times(q1, n2, d2)
    if q1 == MOST or q2 == MOST:
        return MOST
    q3, r3 = times(r1, n2, d1)
    over = r2 + q3
    q4 = over // d2
    rest = over - q4 * d2
    return min(q2 + q4 + (1 if up != 0 and (rest != 0 or r3 != 0) else 0), MOST)


@apart
def upper(conversion: Record, amount: int) -> int:
    """An amount in the currency of the limit that harms the trader as it grows: at the worse side, rounded up."""
    if amount >= 0:
        return crossed(
            amount, conversion.ask_numerator_first, conversion.ask_denominator_first,
            conversion.ask_numerator_second, conversion.ask_denominator_second, 1,
        )  # fmt: skip
    return -crossed(
        -amount, conversion.bid_numerator_first, conversion.bid_denominator_first,
        conversion.bid_numerator_second, conversion.bid_denominator_second, 0,
    )  # fmt: skip


def lower(conversion: Record, amount: int) -> int:
    """An amount in the currency of the limit that harms the trader as it falls."""
    return -upper(conversion, -amount)


def plus(a: int, b: int) -> int:
    """The sum of two amounts, at most `MOST` without sign."""
    return max(min(a + b, MOST), -MOST)


# ---------------------------------------------------------------------- what rules ask; without a conversion nothing changes


def lacks_rate(conversion: Record) -> bool:
    """True if the amounts of an event have no rate."""
    if conversion is None:
        return False
    return conversion.missing < 0


def missing_rate(conversion: Record) -> int:
    """-1 less the code of the currency without a rate; 0 if none is missing."""
    if conversion is None:
        return 0
    return conversion.missing


def at_rate(conversion: Record, amount: int) -> int:
    """An amount that is limited from above, of an event's currency."""
    if conversion is None:
        return amount
    return upper(conversion, amount)


def at_least_at_rate(conversion: Record, amount: int) -> int:
    """An amount that is limited from below, of an event's currency."""
    if conversion is None:
        return amount
    return lower(conversion, amount)


def gross_at_rate(conversion: Record, working: int, amount: int) -> int:
    """The gross exposure of a book that has this much in an event's currency."""
    if conversion is None:
        return amount
    return plus(upper(conversion, amount), conversion.gross if working != 0 else conversion.listed_gross)


def net_at_rate(conversion: Record, working: int, side: int, amount: int) -> int:
    """The net exposure on a side of a book that has this much on it in an event's currency."""
    if conversion is None:
        return amount
    if side > 0:
        return plus(upper(conversion, amount), conversion.long if working != 0 else conversion.listed_long)
    return plus(upper(conversion, amount), conversion.short if working != 0 else conversion.listed_short)


# ---------------------------------------------------------------------- books


def holds(book: Record, reads: int) -> bool:
    """True if a book has what is read in its currency: money (`MONEY`), or positions and working orders (`EXPOSURE`)."""
    if reads & EXPOSURE != 0 and (book.worst != 0 or book.listed_worst != 0):
        return True
    return reads & MONEY != 0 and (equity(book) != 0 or profit(book) != 0 or earned(book) != 0)


def earned(book: Record) -> int:
    """Realised profit of a book with its funding, less its fees."""
    return book.realised + book.funding - book.fees


@apart
def gather(
    conversion: Record, total: Record, books: Record, rates: Record, key: int, width: int, currency: int, terms: Any,
    oldest: int, reads: int,
) -> int:  # fmt: skip
    """Add the books of a key in all currencies, at the last rates; return what `find_way` does.

    ``total`` gets equity, deposits and profit in the currency of the limit, the exposures in that of the event, and the
    chain of all positions; the exposures in other currencies are in ``conversion``. `currency` -1: no event. ``reads``: see
    `holds`.
    """
    worth = gained = made = 0
    gross = long = short = listed_gross = listed_long = listed_short = 0
    for code in range(width):
        book = at(books, key * width + code)
        if holds(book, reads):
            missing = find_way(conversion, rates, width, code, terms, oldest)
            if missing < 0:
                return missing
            worth = plus(worth, lower(conversion, equity(book)))
            gained = plus(gained, lower(conversion, profit(book)))
            made = plus(made, lower(conversion, earned(book)))
            if code != currency:
                gross = plus(gross, upper(conversion, book.worst))
                long = plus(long, upper(conversion, book.high))
                short = plus(short, upper(conversion, -book.low))
                listed_gross = plus(listed_gross, upper(conversion, book.listed_worst))
                listed_long = plus(listed_long, upper(conversion, book.listed_high))
                listed_short = plus(listed_short, upper(conversion, -book.listed_low))
    total.has_external_equity = 1
    total.external_equity = worth
    total.external_deposits = worth - gained
    total.realised = made
    total.first_position = at(books, key * width).first_position
    if currency >= 0:
        native = at(books, key * width + currency)
        total.worst = native.worst
        total.high = native.high
        total.low = native.low
        total.listed_worst = native.listed_worst
        total.listed_high = native.listed_high
        total.listed_low = native.listed_low
        missing = find_way(conversion, rates, width, currency, terms, oldest)
        if missing < 0:
            return missing
    conversion.gross = gross
    conversion.long = long
    conversion.short = short
    conversion.listed_gross = listed_gross
    conversion.listed_long = listed_long
    conversion.listed_short = listed_short
    return 0
