"""Value at risk: how much an account may lose at a confidence, over a number of bars, after the order.

Unit: money. Source: J.P. Morgan/Reuters (1996), RiskMetrics Technical Document, 4th ed.: VaR = z sqrt(h w'Σw), Σ an
exponentially weighted covariance of returns (`riskkit.replay.kernels.covariance_state`), which is kept inside the replay.

The one place where floats meet a limit: VaR is rounded once to whole quanta of money, half to even, and compared as an
integer, so that equality is exact here too, and the same on every machine. z is taken to twelve decimals. The order is
valued at the last bar's close, like all exposures. What the covariance cannot judge yet (fewer returns than `warmup` of
the instrument or of one that is held) follows `on_warmup`, a price at or below zero, or none, `on_missing_price`; where
these let it pass, it is judged by what is known. An order that only reduces a position passes whatever VaR does.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from riskkit.replay.kernels.covariance_state import FIELDS, book_lots, is_ready, scarcest, shared_words, variance_after
from riskkit.replay.rules.catalogue.message import own, rest
from riskkit.replay.rules.parameters import (
    PICO,
    Breach,
    Confidence,
    Decay,
    Flag,
    Limit,
    MissingPrice,
    Money,
    Multiple,
    Positive,
    Span,
    duration_text,
)
from riskkit.replay.rules.rule import NO_PRICE, OBJECT, PASS, RuleType, Verdict, register, unpriced
from riskkit.replay.schema.columns import MISSING, EventKind
from riskkit.replay.schema.constants import LARGEST


class VarLimit(NamedTuple):
    """VaR of at most `limit` after the order, at `confidence` over `horizon` bars (scaled by the square root).

    ``z`` takes the place of the normal quantile of the confidence (1.65, as desks round it). ``decay`` is the weight λ of
    the past in the covariance, ``bar_ns`` the length of a bar (not given: a bar closes with each CLOCK event).
    ``include_open`` counts the account's working orders of the same instrument and side, filled or not, whichever makes
    VaR larger. ``hedges``: an order that leaves VaR no higher than it is passes above the limit too. ``rebuild``: after
    so many updates Σw is added up from scratch.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("var_limit", VarLimit(limit=50_000, bar_ns="1d")))
    var_limit: a VaR at 99 % of at most 50,000 in money after the order over 1 of its bars of 1 d, decay 0.94,
    with working orders of its side, but for orders that do not raise it, for each account; what breaches it is
    refused (WARN).
    """

    limit: Limit[Money]
    confidence: Confidence = 0.99
    z: Multiple = None
    horizon: Positive = 1
    decay: Decay = 0.94
    bar_ns: Span = None
    warmup: Positive = 30
    on_warmup: MissingPrice = "reject"
    on_missing_price: MissingPrice = "reject"
    include_open: Flag = True
    hedges: Flag = True
    rebuild: Positive = 1_000
    breach: Breach = "exceed"


def value_at_risk(params, variance):
    """VaR in whole quanta, half to even; what is no number is beyond every limit."""
    if variance <= 0.0:
        return 0
    z = params.z if params.z < LARGEST else params.confidence
    loss = float(z) / float(PICO) * math.sqrt(float(params.horizon) * variance)
    if not loss < float(LARGEST):
        return LARGEST
    whole = math.floor(loss)
    part = loss - whole
    if part > 0.5 or (part == 0.5 and whole % 2 != 0):
        whole += 1
    return whole


def after(state, params, book, event, memory, reals):
    """VaR once the order is filled and, where they count and make it larger, what works beside it.

    Variance is convex in a position, so no part of these fills can make it larger than all or nothing of them.
    """
    lots = rest(book, event)
    variance = variance_after(state, event.instrument, event.side * lots, memory, reals)
    if params.include_open != 0:
        working = book.position.open_buy_qty if event.side > 0 else book.position.open_sell_qty
        lots += working - own(book, event)
        variance = max(variance, variance_after(state, event.instrument, event.side * lots, memory, reals))
    return value_at_risk(params, variance)


def known(state, params, book, event, memory, reals):
    """The verdict on what cannot be judged yet, PASS where everything is known."""
    if book.instrument.mark == MISSING or book.instrument.mark <= 0:
        return unpriced(params.on_missing_price, 0, 0)
    if state.unready == 0 and is_ready(state, event.instrument, params.warmup, memory):
        return Verdict(PASS, 0, 0)
    seen = scarcest(state, event.instrument, params.warmup, memory, reals)
    return unpriced(params.on_warmup, seen, params.warmup)


def check(state, params, book, event, memory, reals):
    """Hold VaR after the order against the limit; asked about no order, say what it is."""
    now = value_at_risk(params, state.variance)
    if event.instrument < 0:
        return Verdict(PASS, now, params.limit)
    verdict = known(state, params, book, event, memory, reals)
    if verdict.code == NO_PRICE:
        return verdict
    seen = after(state, params, book, event, memory, reals)
    if seen > params.limit and (params.hedges == 0 or seen > now):
        return Verdict(OBJECT, seen, params.limit)
    if verdict.code != PASS:
        return verdict
    return Verdict(PASS, seen, params.limit)


def update(state, params, event, memory, reals):
    """Let the exposure of the key follow a fill."""
    book_lots(state, params, event.instrument, event.side * event.qty, memory, reals)
    return 0


def sentence(params: VarLimit) -> str:
    """What it limits, in words."""
    most = "at most" if params.breach == "exceed" else "less than"
    at_risk = f"at {float(params.confidence) * 100:g} %" if params.z is None else f"of {float(params.z):g} deviations"
    bars = f"bars of {duration_text(params.bar_ns)}" if params.bar_ns is not None else "bars that CLOCK events close"
    counted = "with" if params.include_open else "without"
    hedges = ", but for orders that do not raise it" if params.hedges else ""
    return (
        f"a VaR {at_risk} of {most} {params.limit} in money after the order over {params.horizon:,} of its {bars}, "
        f"decay {float(params.decay):g}, {counted} working orders of its side{hedges}"
    )


VAR_LIMIT = register(
    RuleType(
        name="var_limit",
        parameters=VarLimit,
        state=tuple(FIELDS),
        check=check,
        update=update,
        shared=shared_words,
        updates_on=frozenset({EventKind.FILL}),
        scopes=("account", "desk", "firm", "global"),
        exempt_reducing=True,
        needs=frozenset({"marks", "orders", "covariance"}),
        observes="limit",
        standing=True,
        looks_at=frozenset({"positions"}),
        desk_limit="var_limit",
        sentence=sentence,
    )
)
