"""Price bands: bounds of an order's price around a reference, on one side or both, static or dynamic.

Unit: money of one unit, fraction or multiple of the reference. Source: CME Group, GCC Price Banding (bids above and offers below the
reference by more than the variation are rejected); Binance, PERCENT_PRICE and PERCENT_PRICE_BY_SIDE filters (reference times
multiplierDown <= price <= reference times multiplierUp, the reference the mean price of some minutes, weighted by volume, else the
last). Prices of a log have no volume, fills have: "mean" counts each trade once, "vwap" weights the fills of all accounts. Exactly a
bound passes. A static band has the reference close. Market orders have no price; the limit of a stop order is compared with its stop.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.book import Book
from riskkit.replay.kernels.integers import MILLION, fraction_of
from riskkit.replay.kernels.queue import QUEUE, adjust, append, clear, expire, length, split_values, total
from riskkit.replay.kernels.records import Record, Words
from riskkit.replay.rules.catalogue.message import bad_price
from riskkit.replay.rules.catalogue.reference import NAMES, NEEDS, WORDS, twice_reference
from riskkit.replay.rules.evidence import Need
from riskkit.replay.rules.parameters import (
    Breach,
    ComparedLimit,
    Duration,
    MissingPrice,
    PositiveDuration,
    Price,
    Proportion,
    Ratio,
    amount_text,
    at_most,
    choice,
    duration_text,
    while_unknown,
)
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Measure, Verdict, unpriced
from riskkit.replay.schema.columns import MISSING, EventKind, EventRow
from riskkit.replay.schema.constants import LARGEST
from riskkit.replay.schema.durations import duration

SPLIT = int(EventKind.SPLIT)
FILL = int(EventKind.FILL)
MEAN, VWAP = len(NAMES), len(NAMES) + 1  # index of the reference, after those of `reference`
WEIGHTED = ("mean", "vwap")  # their names
ROOM = 1 << 50  # above so many ticks times lots, of a window or an order, no mean is known: products stay in 64 bits
AGGRESSIVE, BY_SIDE = 1, 2  # index of the sides
ALL_WORDS = {**WORDS, "mean": "the mean of the trades", "vwap": "the mean of the fills by volume"}


class PriceBand(NamedTuple):
    """A price is within `variation`, within `pct`, and between `down` and `up` times a reference price.

    Parameters
    ----------
    variation
        Largest distance from the reference.
    pct
        Largest distance, as a fraction of the reference.
    up
        Highest price, as a multiple of the reference; by side: that of buys.
    down
        Lowest price, as a multiple of the reference; by side: that of buys.
    ask_up
        By side: highest price of sells.
    ask_down
        By side: lowest price of sells.
    sides
        Both bounds for every order; aggressive: buys have the upper one only and sells the lower one; by side: both, with
        multiples of their own.
    reference
        As in `PriceCollar`; mean: of the trades of `window_ns`; vwap: of the fills of all accounts in it, weighted by quantity.
    window_ns
        Length of the window of a mean.
    max_age_ns
        Age up to which a reference other than a mean is fresh; not given: any.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("band", PriceBand(variation="0.5", sides="aggressive")))
    band: a price at most 0.5 away from the last trade (rejected while none is known); buys have no lower bound
    and sells no upper one, for each instrument. Orders and modifications that would breach it are rejected
    (severity WARN).
    """

    variation: ComparedLimit[Price] = None
    pct: ComparedLimit[Proportion] = None
    up: ComparedLimit[Ratio] = None
    down: ComparedLimit[Ratio] = None
    ask_up: ComparedLimit[Ratio] = None
    ask_down: ComparedLimit[Ratio] = None
    sides: choice("both", "aggressive", "by_side") = "both"
    reference: choice(*NAMES, *WEIGHTED) = "last"
    window_ns: PositiveDuration = None
    max_age_ns: Duration = None
    on_missing_price: MissingPrice = "reject"
    breach: Breach = "exceed"


def evict(state: Record, params: Any, event: EventRow, memory: Words) -> None:
    """Remove trades and fills outside the window of the mean."""
    expire(memory, state.memory, event.ts - params.window_ns)
    expire(memory, state.memory + QUEUE, event.ts - params.window_ns)


def scale(state: Record, params: Any, event: EventRow, memory: Words) -> int:
    """Number by which prices are multiplied so that the reference is an integer."""
    if event.stop == MISSING and params.reference == MEAN:
        return max(length(memory, state.memory), 1)
    return max(total(memory, state.memory + QUEUE), 1) if event.stop == MISSING and params.reference == VWAP else 2


def scaled_reference(state: Record, params: Any, book: Book, event: EventRow, memory: Words) -> int:
    """The reference times `scale`, in ticks; MISSING if none is known."""
    if event.stop != MISSING or params.reference < MEAN:
        return twice_reference(params, book, event)
    if length(memory, state.memory) == 0:
        return MISSING
    if params.reference == VWAP:
        lots, worth = total(memory, state.memory + QUEUE), total(memory, state.memory)
        if lots <= 0 or abs(worth) >= ROOM or abs(event.price) > ROOM // lots:
            return MISSING
    return total(memory, state.memory)


def passing(amount: int, ppm: int, breach: int) -> int:
    """The largest integer that does not exceed (with `breach` 1: reach) so many millionths of an amount."""
    bound = fraction_of(amount, ppm)
    return bound - 1 if breach != 0 and amount % MILLION * ppm % MILLION == 0 else bound


def width(params: Any, reference: int, unit: int, times: int) -> int:
    """Largest distance that passes by `variation` and `pct`, scaled as the reference by `times`."""
    widest = LARGEST
    if params.variation < LARGEST:
        rest = params.variation % unit * times
        widest = params.variation // unit * times + rest // unit
        if params.breach != 0 and rest % unit == 0:
            widest -= 1
    return min(widest, passing(abs(reference), params.pct, params.breach)) if params.pct < LARGEST else widest


def highest(params: Any, side: int, reference: int, unit: int, times: int) -> int:
    """Highest price that passes, scaled; LARGEST if the side has no upper bound."""
    if params.sides == AGGRESSIVE and side < 0:
        return LARGEST
    multiple = params.ask_up if params.sides == BY_SIDE and side < 0 else params.up
    top = min(reference + width(params, reference, unit, times), LARGEST)
    return min(top, passing(max(reference, 0), multiple, params.breach)) if multiple < LARGEST else top


def lowest(params: Any, side: int, reference: int, unit: int, times: int) -> int:
    """Lowest price that passes, scaled; -LARGEST if the side has no lower bound."""
    if params.sides == AGGRESSIVE and side > 0:
        return -LARGEST
    multiple = params.ask_down if params.sides == BY_SIDE and side < 0 else params.down
    bottom = max(reference - width(params, reference, unit, times), -LARGEST)
    return max(bottom, passing(max(reference, 0), multiple, 1 - params.breach) + 1) if multiple < LARGEST else bottom


def check(state: Record, params: Any, book: Book, event: EventRow, memory: Words) -> Verdict:
    """Compare an order's price with the bounds of its side."""
    if event.price == MISSING and not bad_price(event):
        return Verdict(PASS, 0, 0)
    reference = scaled_reference(state, params, book, event, memory)
    if event.price == MISSING or reference == MISSING:
        return unpriced(params.on_missing_price, 0, 0)
    times, unit = scale(state, params, event, memory), book.instrument.price_unit
    top = highest(params, event.side, reference, unit, times)
    bottom = lowest(params, event.side, reference, unit, times)
    if event.price * times > top:
        return Verdict(OBJECT, event.price, top // times)
    return Verdict(OBJECT if event.price * times < bottom else PASS, event.price, -(-bottom // times))


def update(state: Record, params: Any, event: EventRow, memory: Words) -> int:
    """Note a trade or a fill in the window of the mean; a split counts trades in new units, and the fills anew."""
    if event.kind == SPLIT and params.reference == VWAP:
        clear(memory, state.memory)
        clear(memory, state.memory + QUEUE)
    elif event.kind == SPLIT:
        split_values(memory, state.memory, event.qty, event.price)
    elif event.kind == FILL:
        if params.reference == VWAP:
            append(memory, state.memory, event.ts, worth_of(event))
            append(memory, state.memory + QUEUE, event.ts, event.qty)
    elif event.price != MISSING and params.reference == MEAN:
        append(memory, state.memory, event.ts, event.price)
    return 0


def worth_of(event: EventRow) -> int:
    """Ticks times lots of a fill, at most `ROOM`."""
    return event.price * event.qty if abs(event.price) <= ROOM // max(event.qty, 1) else ROOM


def amend(state: Record, params: Any, event: EventRow, memory: Words, sign: int) -> None:
    """Undo or count a fill of the window that the venue busts or corrects."""
    if params.reference == VWAP:
        adjust(memory, state.memory, event.ts, sign * worth_of(event))
        adjust(memory, state.memory + QUEUE, event.ts, sign * event.qty)


def misfit(rule: Any) -> str:
    """Reason why the parameters do not fit together."""
    params = rule.parameters
    if (params.reference in WEIGHTED) != (params.window_ns is not None):
        return "window_ns is the length of the window of reference='mean' or 'vwap'; give both"
    if params.sides != "by_side" and (params.ask_up, params.ask_down) != (None, None):
        return "ask_up and ask_down are multiples of sides='by_side'"
    if params.reference in WEIGHTED and params.max_age_ns is not None:
        return "max_age_ns has no effect beside window_ns"
    return ""


def multiples(down: Any, up: Any) -> str:
    """Bounds that are multiples, in words."""
    if down is not None and up is not None:
        return f"between {float(down):g} and {float(up):g} times"
    return f"at most {float(up):g} times" if down is None else f"at least {float(down):g} times"


def sentence(params: PriceBand) -> str:
    """The band in words."""
    parts = []
    bound = at_most(params)
    if params.variation is not None:
        parts.append(f"{bound} {amount_text(params.variation)} away from")
    if params.pct is not None:
        parts.append(f"{bound} {float(params.pct) * 100:g} % away from")
    if (params.down, params.up) != (None, None):
        parts.append(f"{multiples(params.down, params.up)}{' (buys)' if params.sides == 'by_side' else ''}")
    if (params.ask_down, params.ask_up) != (None, None):
        parts.append(f"{multiples(params.ask_down, params.ask_up)} (sells)")
    window = f" of {duration_text(duration(params.window_ns, 'window_ns'))}" if params.window_ns is not None else ""
    age = (
        f" no older than {duration_text(duration(params.max_age_ns, 'max_age_ns'))}"
        if params.max_age_ns is not None
        else ""
    )
    side = "; buys have no lower bound and sells no upper one" if params.sides == "aggressive" else ""
    known = while_unknown(params.on_missing_price, "none is known")
    bounds = ", and ".join(parts) + ("," if len(parts) > 1 else "")
    return f"a price {bounds} {ALL_WORDS[params.reference]}{window}{age}{known}{side}"


def needs(rule: Any) -> tuple[Need, ...]:
    """Contents of a log that have the reference of a rule."""
    return {**NEEDS, "mean": (Need(("last trade",)),), "vwap": (Need(("FILL",)),)}[rule.parameters.reference]


PRICE_BAND = register(
    RuleType(
        name="price_band",
        parameters=PriceBand,
        state=("memory",),
        check=check,
        update=update,
        evict=evict,
        amend=amend,
        workspace_size=2 * QUEUE,
        nodes_per_event=2,
        updates_on=frozenset({EventKind.PRICE, EventKind.FILL, EventKind.SPLIT}),
        breached_by=frozenset(),
        scopes=("instrument",),
        observes=Measure.PRICE,
        bounds="nothing",
        requires=frozenset({"references"}),
        evidence=needs,
        one_of=("variation", "pct", "up", "down", "ask_up", "ask_down"),
        misfit=misfit,
        sentence=sentence,
    )
)
