"""Solvency: a buy must be covered by cash that no working buy reserves.

Unit: money of the instrument's currency. Source: exchange-core's risk engine (spot funds with reserve prices). Equal
is allowed. Booked fees are already deducted from cash; `fee` adds an expected fee to the cost of an order and to what
working buys hold. The cash of a desk or a firm is the sum over its accounts.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.book import Book, notional
from riskkit.replay.kernels.cash_holds import hold_price
from riskkit.replay.kernels.integers import MILLION, fraction_of
from riskkit.replay.rules.catalogue.message import rest
from riskkit.replay.rules.parameters import (
    Breach,
    MissingPrice,
    Proportion,
    at_most,
    while_unknown,
)
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Measure, Verdict, unpriced
from riskkit.replay.schema.columns import MISSING, EventKind, EventRow

MODIFY = int(EventKind.MODIFY)


class CashLimit(NamedTuple):
    """A buy costs at most the account's cash less the reserves of working buys; `fee` is a fraction of the cost on top.

    A buy reserves its quantity at its reserve price, else at its price, and the fee on it.

    Parameters
    ----------
    fee
        Fee on a buy, as a fraction of its cost.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("cash", CashLimit(fee="0.001")))
    cash: a buy that costs, with a fee of 0.1 %, at most the cash not held by working buys (rejected while no
    price is known), for each account. Orders and modifications that would breach it are rejected (severity
    WARN).
    """

    fee: Proportion = 0
    on_missing_price: MissingPrice = "reject"
    breach: Breach = "exceed"


def with_fee(params: Any, cost: int) -> int:
    """A cost and its fee, rounded up."""
    if params.fee > 0 and cost > 0:
        return cost + fraction_of(cost, params.fee) + (1 if cost % MILLION * params.fee % MILLION != 0 else 0)
    return cost


def check(params: Any, book: Book, event: EventRow) -> Verdict:
    """Compare the order's cost with the free cash; a modify frees the order's present reserve."""
    held = book.cash_balance.reserved
    reserve = event.reserve
    if event.kind == MODIFY:
        held -= book.order.reserved
        reserve = book.order.reserve
    free = book.cash_balance.cash - with_fee(params, held)
    if event.side < 0:
        return Verdict(PASS, 0, free)
    price = hold_price(book.instrument, event.side, event.price, reserve, event.flags, event.stop)
    if price == MISSING:
        return unpriced(params.on_missing_price, 0, free)
    cost = notional(book.instrument, rest(book, event), price)
    cost = with_fee(params, held + cost) - with_fee(params, held)  # the fee on all of it is rounded once
    return Verdict(OBJECT if cost > free - params.breach else PASS, cost, free)


def sentence(params: CashLimit) -> str:
    """The limit in words."""
    fee = f", with a fee of {float(params.fee) * 100:g} %," if params.fee else ""
    bound = at_most(params)
    return f"a buy that costs{fee} {bound} the cash not held by working buys{while_unknown(params.on_missing_price, 'no price is known')}"


CASH = register(
    RuleType(
        name="cash",
        parameters=CashLimit,
        check=check,
        requires=frozenset({"cash"}),
        reads=frozenset({"cash"}),
        observes=Measure.MONEY,
        standing=True,
        looks_at=frozenset({"positions", "cash"}),
        bounds="solvency",
        sentence=sentence,
    )
)
