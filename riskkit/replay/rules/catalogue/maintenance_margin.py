"""Maintenance margin: what an account must have to hold its positions, by a model of margin; below it a margin call.

Unit: money, against the equity at marks, or that of the last EQUITY event; exactly the requirement is enough. It is a state: an action
that pauses lasts until the equity covers the requirement again, by a price, a deposit or fills that reduce; working orders do
not count. A reset lifts it until the equity moves. Orders that only reduce a position pass. Sources: FINRA Rule 4210(c), Deribit,
Binance USDT-M (`riskkit.replay.rules.catalogue.margin_models`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.book import Book, equity
from riskkit.replay.kernels.records import Record, Words
from riskkit.replay.rules.catalogue.margin_legs import HELD, Leg
from riskkit.replay.rules.catalogue.margin_models import (
    MODELS,
    lacks,
    margin_words,
    misfit,
    model_text,
    requirement,
    whole,
)
from riskkit.replay.rules.catalogue.portfolio_margin import METHODS
from riskkit.replay.rules.parameters import (
    AmountsOf,
    Confidence,
    LabelSets,
    PriceRanges,
    Proportion,
    Ratio,
    ScenarioArrays,
    Spreads,
    Table,
    choice,
)
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Measure, Verdict
from riskkit.replay.schema.columns import EventKind


class MaintenanceMargin(NamedTuple):
    """The requirement of what is held is at most the equity; model and data as of `InitialMargin`.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("call", MaintenanceMargin("linear_tier", base="0.01", per_unit="0.00005")))
    call: a maintenance margin of at most the equity (margin: 1 % and 0.005 % a unit of size, of the notional),
    at marks, for each account. After a breach, the account may only reduce positions until the limit is met
    again (severity WARN).
    """

    model: choice(*MODELS) = "reg_t"
    base: Proportion = None
    per_unit: Proportion = None
    table: Table = None
    arrays: ScenarioArrays = None
    sign: choice("gain", "loss") = "gain"
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


def check(state: Record, params: Any, book: Book, memory: Words, instruments: Record, held: Record) -> Verdict:
    """Compare the present requirement with the equity."""
    required = whole(requirement(params, state, memory, book, held, instruments, HELD, Leg(0, 0, 0)))
    return Verdict(OBJECT if required > equity(book.account) else PASS, required, equity(book.account))


def update(state: Record, params: Any, book: Book, memory: Words, instruments: Record, held: Record) -> int:
    """Trip (1) if the equity is below the requirement; end the call (-1) if it covers it."""
    return 1 if check(state, params, book, memory, instruments, held).code == OBJECT else -1


MAINTENANCE_MARGIN = register(
    RuleType(
        name="maintenance_margin",
        parameters=MaintenanceMargin,
        state=("memory",),
        check=check,
        update=update,
        recovers=True,
        shared_workspace=margin_words,
        updates_on=frozenset({EventKind.MARK}),
        reads=frozenset({"exposure", "equity"}),
        action="REDUCE_ONLY",
        checked_by_pause=True,
        exempt_reducing=True,
        requires=frozenset({"marks", "exposures"}),
        observes=Measure.MONEY,
        standing=True,
        looks_at=frozenset({"positions", "cash"}),
        misfit=misfit,
        lacks=lacks,
        sentence=lambda params: (
            f"a maintenance margin of at most the equity (margin: {model_text(params, False)}), at marks"
        ),
    )
)
