"""Value at risk of an account after the order, at a confidence over a number of bars.

Unit: money. Source: J.P. Morgan/Reuters (1996), RiskMetrics Technical Document, 4th ed.: VaR = z sqrt(h w'Σw), Σ an
exponentially weighted covariance of returns (`riskkit.replay.kernels.covariance_state`), updated inside the replay.

The only limit on floats: VaR is rounded once to integer quanta of money, half to even, and compared as an integer, so
that equality is exact and the same on every machine. z has twelve decimals. The order is valued at the last bar's
close, like all exposures. Fewer returns than `warmup` of the instrument or of a position's instrument follow
`on_warmup`; a missing price, or one at or below zero, `on_missing_price`; if these allow the order, it is checked with
the known data. An order that only reduces a position always passes.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from riskkit.replay.kernels.book import Book
from riskkit.replay.kernels.covariance_state import FIELDS, book_lots, is_ready, scarcest, shared_words, variance_after
from riskkit.replay.kernels.records import Record, Words
from riskkit.replay.rules.catalogue.message import own, rest
from riskkit.replay.rules.money import WHOLE
from riskkit.replay.rules.parameters import (
    PICO,
    Breach,
    Confidence,
    DecayFactor,
    Flag,
    Limit,
    MissingPrice,
    Money,
    PositiveCount,
    PositiveDuration,
    StandardDeviations,
    at_most,
    duration_text,
    if_unpriced,
    while_unknown,
)
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import NO_PRICE, OBJECT, PASS, Verdict, unpriced
from riskkit.replay.schema.columns import MISSING, EventKind, EventRow
from riskkit.replay.schema.constants import LARGEST


class VarLimit(NamedTuple):
    """VaR of at most `limit` after the order, at `confidence` over `horizon` bars (scaled by the square root).

    Parameters
    ----------
    limit
        Largest VaR after the order.
    confidence
        Confidence of the VaR.
    z
        Replaces the normal quantile of the confidence (1.65, as desks round it).
    horizon
        Number of bars; VaR is scaled by its square root.
    decay
        Weight λ of the past in the covariance.
    bar_ns
        Length of a bar; not given: a bar closes with each CLOCK event.
    warmup
        Returns of an instrument that are needed.
    on_warmup
        What is done with an order before that.
    include_open
        The account's working orders of the same instrument and side count, filled or not, whichever makes VaR
        larger.
    hedges
        An order that does not raise VaR passes above the limit too.
    rebuild
        Number of updates after which Σw is computed anew.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("var_limit", VarLimit(limit=50_000, bar_ns="1d")))
    var_limit: a VaR at 99 % of at most 50,000 in money after the order over 1 of its bars of 1 d, decay 0.94,
    with working orders of its side, orders that do not raise it exempt, for each account. Orders and
    modifications that would breach it are rejected, unless they only reduce a position (severity WARN).
    """

    limit: Limit[Money]
    confidence: Confidence = 0.99
    z: StandardDeviations = None
    horizon: PositiveCount = 1
    decay: DecayFactor = 0.94
    bar_ns: PositiveDuration = None
    warmup: PositiveCount = 30
    on_warmup: MissingPrice = "reject"
    on_missing_price: MissingPrice = "reject"
    include_open: Flag = True
    hedges: Flag = True
    rebuild: PositiveCount = 1_000
    breach: Breach = "exceed"


def value_at_risk(params: Any, variance: float) -> int:
    """VaR in integer quanta, rounded half to even; NaN exceeds every limit."""
    if variance <= 0.0:
        return 0
    z = params.z if params.z < LARGEST else params.confidence
    loss = float(z) / float(PICO) * math.sqrt(float(params.horizon) * variance)
    if not loss < float(LARGEST):
        return LARGEST
    quanta = math.floor(loss)
    remainder = loss - quanta
    if remainder > 0.5 or (remainder == 0.5 and quanta % 2 != 0):
        quanta += 1
    return quanta


def after(state: Record, params: Any, book: Book, event: EventRow, memory: Words, reals: Words) -> int:
    """VaR after the fill of the order and, if they count and raise it, of the working orders.

    Variance is convex in a position, so no partial fill can raise it above both extremes.
    """
    lots = rest(book, event)
    variance = variance_after(state, event.instrument, event.side * lots, memory, reals)
    if params.include_open != 0:
        working = book.position.open_buy_qty if event.side > 0 else book.position.open_sell_qty
        lots += working - own(book, event)
        variance = max(variance, variance_after(state, event.instrument, event.side * lots, memory, reals))
    return value_at_risk(params, variance)


def known(state: Record, params: Any, book: Book, event: EventRow, memory: Words, reals: Words) -> Verdict:
    """Verdict on missing prices or returns; PASS if none are missing."""
    if book.instrument.mark == MISSING or book.instrument.mark <= 0:
        return unpriced(params.on_missing_price, 0, 0)
    if state.unready == 0 and is_ready(state, event.instrument, params.warmup, memory):
        return Verdict(PASS, 0, 0)
    observed = scarcest(state, event.instrument, params.warmup, memory, reals)
    return unpriced(params.on_warmup, observed, params.warmup)


def check(state: Record, params: Any, book: Book, event: EventRow, memory: Words, reals: Words) -> Verdict:
    """Compare VaR after the order with the limit; without an order, return the present VaR."""
    now = value_at_risk(params, state.variance)
    if event.instrument < 0:
        return Verdict(PASS, now, params.limit)
    verdict = known(state, params, book, event, memory, reals)
    if verdict.code == NO_PRICE:
        return verdict
    observed = after(state, params, book, event, memory, reals)
    if observed > params.limit and (params.hedges == 0 or observed > now):
        return Verdict(OBJECT, observed, params.limit)
    if verdict.code != PASS:
        return verdict
    return Verdict(PASS, observed, params.limit)


def update(state: Record, params: Any, event: EventRow, memory: Words, reals: Words) -> int:
    """Update the key's exposure with a fill."""
    book_lots(state, params, event.instrument, event.side * event.qty, memory, reals)
    return 0


def amend(state: Record, params: Any, event: EventRow, memory: Words, reals: Words, sign: int) -> None:
    """Undo or count a fill that the venue busts or corrects."""
    book_lots(state, params, event.instrument, sign * event.side * event.qty, memory, reals)


def sentence(params: VarLimit) -> str:
    """The limit in words."""
    bound = at_most(params)
    at_risk = f"at {float(params.confidence) * 100:g} %" if params.z is None else f"of {float(params.z):g} deviations"
    bars = f"bars of {duration_text(params.bar_ns)}" if params.bar_ns is not None else "bars that CLOCK events close"
    counted = "with" if params.include_open else "without"
    young = "" if params.on_warmup == "reject" else while_unknown(params.on_warmup, "too few returns are known")
    hedges = ", orders that do not raise it exempt" if params.hedges else ""
    return (
        f"a VaR {at_risk} of {bound} {params.limit} in money after the order over {params.horizon:,} of its {bars}, "
        f"decay {float(params.decay):g}, {counted} working orders of its side{hedges}{young}{if_unpriced(params)}"
    )


VAR_LIMIT = register(
    RuleType(
        name="var_limit",
        parameters=VarLimit,
        state=tuple(FIELDS),
        check=check,
        update=update,
        amend=amend,
        shared_workspace=shared_words,
        updates_on=frozenset({EventKind.FILL}),
        scopes=WHOLE,
        exempt_reducing=True,
        requires=frozenset({"marks", "orders", "covariance"}),
        observes="limit",
        standing=True,
        looks_at=frozenset({"positions"}),
        desk_limit="var_limit",
        breached_by=frozenset(),
        sentence=sentence,
    )
)
