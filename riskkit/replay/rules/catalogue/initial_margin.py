"""Initial margin: what an account must have to take on its positions after an order, by a model of margin.

Unit: money, against the equity at marks, or that of the last EQUITY event; exactly the requirement passes. Positions count with
the worst of the other working orders, the order as filled. An order that lowers the requirement passes whatever it is. With
brackets a notional above the last bound is refused too: the largest that a leverage allows. Sources: 12 CFR 220.12, Deribit,
Binance USDT-M, CME SPAN (`riskkit.replay.rules.catalogue.margin_models`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.book import Book, equity
from riskkit.replay.kernels.records import Record, Words
from riskkit.replay.rules.catalogue.exposure import price_after
from riskkit.replay.rules.catalogue.margin_legs import AFTER, BEFORE, Leg
from riskkit.replay.rules.catalogue.margin_models import (
    MODELS,
    beyond_brackets,
    has_data,
    lacks,
    less,
    margin_words,
    misfit,
    model_text,
    requirement,
    whole,
)
from riskkit.replay.rules.catalogue.message import own, rest
from riskkit.replay.rules.catalogue.portfolio_margin import METHODS
from riskkit.replay.rules.parameters import (
    AmountsOf,
    Confidence,
    LabelSets,
    MissingPrice,
    PriceRanges,
    Proportion,
    Ratio,
    ScenarioArrays,
    Spreads,
    Table,
    choice,
    if_unpriced,
)
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Measure, Verdict, unpriced
from riskkit.replay.schema.columns import MISSING, EventRow


class InitialMargin(NamedTuple):
    """The requirement after the order is at most the equity.

    ``model`` "reg_t"; "linear_tier" with ``base`` and ``per_unit``; "brackets" with ``table``, rows of (notional up to, rate), or
    such rows by instrument; "scan" with ``arrays``, by instrument the gain (``sign`` "loss": the loss) of one long in each
    scenario; "portfolio" by a ``method``: the sources and every charge are in the files that `margin_models` names.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("margin", InitialMargin("reg_t")))
    margin: an initial margin of at most the equity after the order (margin: half of the value of longs and
    shorts (Regulation T)), with working orders, at marks, for each account. Orders and modifications that would
    breach it are rejected (severity WARN).
    """

    model: choice(*MODELS) = "reg_t"
    base: Proportion = None
    per_unit: Proportion = None
    table: Table = None
    arrays: ScenarioArrays = None
    sign: choice("gain", "loss") = "gain"
    on_missing_price: MissingPrice = "reject"
    commodities: LabelSets = None
    intra_spread: Spreads = None
    inter_spread: Spreads = None
    short_option_minimum: AmountsOf = None
    method: choice(*METHODS) = "tims"
    ranges: PriceRanges = None
    confidence: Confidence = None
    factor: Ratio = None
    rate: Proportion = None
    above: Proportion = None
    adv: AmountsOf = None
    x: Ratio = None
    half_spread: AmountsOf = None


def after(book: Book, event: EventRow, price: int) -> Leg:
    """The order's position after its fill, with the worst of the other working orders."""
    lots = book.position.qty + event.side * rest(book, event)
    buys = book.position.open_buy_qty - (own(book, event) if event.side > 0 else 0)
    sells = book.position.open_sell_qty - (own(book, event) if event.side < 0 else 0)
    return Leg(lots + buys, lots - sells, price)


def check(
    state: Record, params: Any, book: Book, event: EventRow, memory: Words, instruments: Record, held: Record
) -> Verdict:
    """Compare the requirement after the order with the equity; without an order, return the present one."""
    before = requirement(params, state, memory, book, held, instruments, BEFORE, Leg(0, 0, 0))
    if event.instrument < 0:
        return Verdict(PASS, whole(before), equity(book.account))
    price = price_after(book, event)
    if price == MISSING or not has_data(params, state, memory, event.instrument):
        return unpriced(params.on_missing_price, 0, 0)
    leg = after(book, event, price)
    then = requirement(params, state, memory, book, held, instruments, AFTER, leg)
    breaches = whole(then) > equity(book.account) or beyond_brackets(
        params, state, memory, book.instrument, event.instrument, leg
    )
    return Verdict(OBJECT if breaches and not less(then, before) else PASS, whole(then), equity(book.account))


INITIAL_MARGIN = register(
    RuleType(
        name="initial_margin",
        parameters=InitialMargin,
        state=("memory",),
        check=check,
        shared_workspace=margin_words,
        requires=frozenset({"marks", "exposures"}),
        reads=frozenset({"exposure", "equity"}),
        observes=Measure.MONEY,
        standing=True,
        looks_at=frozenset({"positions", "cash"}),
        misfit=misfit,
        lacks=lacks,
        sentence=lambda params: (
            f"an initial margin of at most the equity after the order (margin: {model_text(params, True)}), with working orders, "
            f"at marks{if_unpriced(params)}"
        ),
    )
)
