"""Margin models: the money that positions require, from data that a rule is given; shared by the margin rules.

A requirement is exact: whole quanta and a part of one, in the unit of its model. Each position counts at the worse of its
working buys filled and its working sells filled; a maintenance requirement at what is held. Lots without a mark are valued as in
`riskkit.replay.rules.catalogue.exposure`; those that are valued nowhere require nothing. The data lie in the rule's shared
workspace, put there by `margin_words`:

- ``reg_t``: 12 CFR 220.12(a) and (c), FINRA Rule 4210(c): half of the value of longs and shorts at first; to hold, 25 % of longs,
  and of shorts the larger of 5.00 a share and 30 %, below a price of 5.00 the larger of 2.50 a share and 100 %.
- ``linear_tier``: Deribit's linear contracts: notional × (`base` + `per_unit` × size), the rate rounded up to nine decimals.
- ``brackets``: Binance USDT-M: notional × rate of its bracket less an amount that makes it continuous at the bounds:
  cum[n] = bound[n-1] × (rate[n] - rate[n-1]) + cum[n-1]. A notional equal to a bound is in the lower bracket.
- ``scan``: risk arrays as of CME SPAN: by combined commodity the largest loss over the scenarios of its positions together, at
  least 0, with what `riskkit.replay.rules.catalogue.scan_charges` adds.
- ``portfolio``: TIMS or a house model, `riskkit.replay.rules.catalogue.portfolio_margin`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from math import ceil, floor, lcm
from typing import Any

from riskkit.replay.kernels.book import Book, notional
from riskkit.replay.kernels.conversion import plus as added
from riskkit.replay.kernels.integers import floor_divide
from riskkit.replay.kernels.records import Record, Words, at
from riskkit.replay.rules.catalogue import portfolio_margin, scan_charges
from riskkit.replay.rules.catalogue.margin_legs import HELD, Leg, Requirement, leg_of
from riskkit.replay.rules.catalogue.portfolio_margin import TIMS, row_at
from riskkit.replay.rules.catalogue.portfolio_risk import portfolio_risk
from riskkit.replay.rules.catalogue.scan_charges import (
    HEAD,
    LEG,
    SUMS,
    commodity_of,
    forget,
    pay,
    range_of,
    rows_at,
    times,
    unuse,
)
from riskkit.replay.rules.catalogue.scan_charges import (
    ROW as OF_INSTRUMENT,
)
from riskkit.replay.schema.columns import MISSING
from riskkit.replay.schema.constants import LARGEST
from riskkit.replay.schema.universe import Universe, exact

MODELS = ("reg_t", "linear_tier", "brackets", "scan", "portfolio")
REG_T, LINEAR_TIER, BRACKETS, SCAN, PORTFOLIO = range(len(MODELS))
DATA = {"base": "linear_tier", "per_unit": "linear_tier", "table": "brackets", "arrays": "scan"}  # of which model
MORE: dict[str, tuple[str, ...]] = {  # data that are of several models, or not needed
    "arrays": ("scan", "portfolio"),
    "commodities": ("scan", "portfolio"),
    **dict.fromkeys((*scan_charges.SPREADS, "short_option_minimum"), ("scan",)),
    **dict.fromkeys(portfolio_margin.OF_PORTFOLIO, ("portfolio",)),
}
BILLION = 1_000_000_000  # rates are whole billionths, and so are the parts of a requirement of all models but `scan`
ROW = 4  # words of a bracket: bound, rate, and what is taken off (quanta, billionths)


# ---------------------------------------------------------------------- one position


def of_rate(money: int, rate: int) -> Requirement:
    """`money` times a rate in billionths, exact; LARGEST if it does not fit."""
    whole, rest = rate // BILLION, rate % BILLION
    if whole > 0 and money > LARGEST // (whole + 1):
        return Requirement(LARGEST, 0)
    product = (money % BILLION) * rest
    return Requirement(money * whole + money // BILLION * rest + product // BILLION, product % BILLION)


def plus(one: Requirement, other: Requirement, unit: int) -> Requirement:
    """The sum of two requirements, at most LARGEST."""
    part = one.part + other.part
    return Requirement(min(one.quanta + other.quanta + part // unit, LARGEST), part % unit)


def less(one: Requirement, other: Requirement) -> bool:
    """True if a requirement is smaller than another."""
    return one.quanta < other.quanta or (one.quanta == other.quanta and one.part < other.part)


def reg_t(memory: Words, place: int, instrument: Record, lots: int, price: int, stage: int) -> Requirement:
    """Requirement of Regulation T, or to hold a position."""
    money = abs(notional(instrument, lots, price))
    if stage != HELD:
        return of_rate(money, BILLION // 2)
    if lots > 0:
        return of_rate(money, BILLION // 4)
    five = memory[place]
    per_share = abs(notional(instrument, lots, five))
    if price >= five:
        share = of_rate(money, 3 * BILLION // 10)
        return Requirement(per_share, 0) if per_share > share.quanta else share
    half = of_rate(per_share, BILLION // 2)
    return half if half.quanta >= money else Requirement(money, 0)


def bracket(memory: Words, table: int, money: int) -> Requirement:
    """Requirement of a notional by the brackets at `table`; above the last bound the last rate goes on."""
    row = table + 1
    last = row + (memory[table] - 1) * ROW
    while row < last and money > memory[row]:
        row += ROW
    found = of_rate(money, memory[row + 1])
    part = found.part - memory[row + 3]
    return Requirement(found.quanta - memory[row + 2] + part // BILLION, part % BILLION)


def of_lots(
    model: int, memory: Words, base: int, position: Record, instrument: Record, lots: int, price: int, stage: int
) -> Requirement:
    """Requirement of so many lots of a position's instrument, by a model that adds up position by position."""
    if lots == 0 or price == MISSING:
        return Requirement(0, 0)
    if model == REG_T:
        return reg_t(memory, base + position.instrument, instrument, lots, price, stage)
    money = abs(notional(instrument, lots, price))
    if model == BRACKETS:
        table = memory[base + position.instrument]
        return bracket(memory, base + table, money) if table != 0 else Requirement(0, 0)
    size = abs(lots) * instrument.qty_unit
    slope = memory[base + 1]
    if slope > 0 and size > LARGEST // slope:
        return Requirement(LARGEST, 0)
    return of_rate(money, memory[base] - (-(size * slope) // memory[base + 2]))


# ---------------------------------------------------------------------- all positions


def requirement(
    params: Any, state: Record, memory: Words, book: Book, held: Record, instruments: Record, stage: int, ordered: Leg
) -> Requirement:
    """Requirement of all positions of a book."""
    if params.model == SCAN:
        return scan_risk(state, memory, book, held, instruments, stage, ordered)
    if params.model == PORTFOLIO:
        return portfolio_risk(params, state, memory, book, held, instruments, stage, ordered)
    total = Requirement(0, 0)
    place = book.account.first_position
    while place >= 0:
        position = at(held, place)
        instrument = at(instruments, position.instrument)
        leg = leg_of(position, instrument, stage, book.position, ordered)
        one = of_lots(params.model, memory, state.memory, position, instrument, leg.high, leg.price, stage)
        other = of_lots(params.model, memory, state.memory, position, instrument, leg.low, leg.price, stage)
        total = plus(total, other if less(one, other) else one, BILLION)
        place = position.next_of_account
    return total


def scan_risk(
    state: Record, memory: Words, book: Book, held: Record, instruments: Record, stage: int, ordered: Leg
) -> Requirement:
    """The sum over combined commodities, in quanta and parts of the arrays' unit."""
    base = state.memory
    losses = base + memory[base]
    add_charges(memory, base, book, held, instruments, stage, ordered)
    total = 0
    for commodity in range(memory[base + 1]):
        worst = 0
        for scenario in range(memory[losses]):
            loss = loss_of(memory, losses, book, held, instruments, stage, ordered, scenario, base, commodity)
            worst = max(worst, loss)
        sums = base + HEAD + SUMS * commodity
        total = added(total, max(added(worst, memory[sums]), memory[sums + 1], 0))
    forget(memory, base)
    if total >= LARGEST // 2:
        return Requirement(LARGEST, 0)
    quanta = floor_divide(total, memory[losses + 1])
    return Requirement(quanta, total - quanta * memory[losses + 1])


def add_charges(
    memory: Words, base: int, book: Book, held: Record, instruments: Record, stage: int, ordered: Leg
) -> None:
    """Sum by combined commodity what spreads add and take away, and the minimum of what is short."""
    place = book.account.first_position
    while place >= 0:
        position = at(held, place)
        row = rows_at(memory, base) + OF_INSTRUMENT * position.instrument
        if memory[row + 1] != 0:
            leg = leg_of(position, at(instruments, position.instrument), stage, book.position, ordered)
            sums = base + HEAD + SUMS * memory[row] + 1
            memory[sums] = added(memory[sums], times(max(-leg.low, 0), memory[row + 1]))
        place = position.next_of_account
    spread = base + memory[base + 2]
    for number in range(memory[base + 3] + memory[base + 4]):
        charged = 1 if number < memory[base + 3] else 0
        if number == memory[base + 3]:
            unuse(memory, base)
        leave(memory, base, spread, book, held, instruments, stage, ordered, charged)
        pay(memory, base, spread, 1 if charged != 0 else -1)
        spread += 1 + (LEG + 2) * memory[spread]


def leave(
    memory: Words,
    base: int,
    spread: int,
    book: Book,
    held: Record,
    instruments: Record,
    stage: int,
    ordered: Leg,
    most: int,
) -> None:
    """Note beside the legs of a spread the lots that those before have left of each: long, and short."""
    for number in range(memory[spread]):
        label = memory[spread + 1 + LEG * number]
        row = rows_at(memory, base) + OF_INSTRUMENT * label
        long, short = -memory[row + 2], -memory[row + 3]
        place = book.account.first_position
        while place >= 0:
            position = at(held, place)
            if position.instrument == label:
                leg = leg_of(position, at(instruments, label), stage, book.position, ordered)
                lots = range_of(leg.high, leg.low, most)
                long += lots.long
                short += lots.short
            place = position.next_of_account
        left = spread + 1 + LEG * memory[spread] + 2 * number
        memory[left] = long
        memory[left + 1] = short


def loss_of(
    memory: Words, losses: int, book: Book, held: Record, instruments: Record, stage: int, ordered: Leg, scenario: int,
    base: int, commodity: int,
) -> int:  # fmt: skip
    """The loss in a scenario of the arrays at `losses`, a gain below zero, in parts: of a combined commodity, or (-1) of all positions."""
    loss = 0
    place = book.account.first_position
    while place >= 0:
        position = at(held, place)
        if commodity < 0 or commodity_of(memory, base, position.instrument) == commodity:
            leg = leg_of(position, at(instruments, position.instrument), stage, book.position, ordered)
            each = memory[losses + 2 + position.instrument * (memory[losses] + 1) + 1 + scenario]
            size = max(abs(leg.high), abs(leg.low))
            if each != 0 and size > LARGEST // abs(each):
                return LARGEST
            loss = min(max(loss + max(leg.high * each, leg.low * each), -LARGEST), LARGEST)
        place = position.next_of_account
    return loss


def scenario_loss(
    memory: Words, base: int, book: Book, held: Record, instruments: Record, stage: int, ordered: Leg, scenario: int
) -> Requirement:
    """The loss of all positions in a scenario of the arrays at `base`, in quanta and parts of their unit."""
    loss = loss_of(memory, base, book, held, instruments, stage, ordered, scenario, base, -1)
    if loss >= LARGEST:
        return Requirement(LARGEST, 0)
    quanta = floor_divide(loss, memory[base + 1])
    return Requirement(quanta, loss - quanta * memory[base + 1])


def has_data(params: Any, state: Record, memory: Words, instrument: int) -> bool:
    """True if the rule's data have the instrument."""
    if params.model == BRACKETS:
        return memory[state.memory + instrument] != 0
    if params.model == PORTFOLIO:
        return params.method == TIMS or memory[row_at(memory, state.memory, instrument) + 1] != 0
    if params.model != SCAN:
        return True
    losses = state.memory + memory[state.memory]
    return memory[losses + 2 + instrument * (memory[losses] + 1)] != 0


def beyond_brackets(params: Any, state: Record, memory: Words, instrument: Record, code: int, leg: Leg) -> bool:
    """True if the notional of a position is above the last bound of its brackets."""
    if params.model != BRACKETS:
        return False
    table = state.memory + memory[state.memory + code]
    size = max(abs(leg.high), abs(leg.low))
    return abs(notional(instrument, size, leg.price)) > memory[table + 1 + (memory[table] - 1) * ROW]


def whole(required: Requirement) -> int:
    """A requirement in quanta, rounded up: an equity in whole quanta covers it if it is at least that."""
    return required.quanta + (1 if required.part > 0 else 0)


# ---------------------------------------------------------------------- data of the models


def margin_words(params: Any, universe: Universe) -> list[int]:
    """The shared workspace of a margin rule: the data of its model in integers of the log."""
    if params.model == "reg_t":
        return [ceil(5 / instrument.price_step) for instrument in universe.instruments]
    if params.model == "linear_tier":
        slope = exact(params.per_unit or 0, "per_unit") * BILLION * universe.quantity_unit
        return [int(exact(params.base or 0, "base") * BILLION), slope.numerator, slope.denominator]
    if params.model == "brackets":
        return _bracket_words(params.table, universe)
    if params.model == "portfolio":
        return portfolio_margin.portfolio_words(params, universe)
    return _scenario_words(params, universe)


def _bracket_words(table: Any, universe: Universe) -> list[int]:
    """Offset of the brackets of each instrument, 0 if it has none, and the brackets."""
    words = [0] * len(universe.instruments)
    for place, instrument in enumerate(universe.instruments):
        rows = table.get(instrument.id, table.get("*")) if isinstance(table, Mapping) else table
        if rows is not None:
            words[place] = len(words)
            words += [len(rows), *_rows_of(rows, universe.quantum)]
    return words


def _rows_of(rows: Iterable[tuple[Any, Any]], quantum: Fraction) -> list[int]:
    words: list[int] = []
    lower = cum = before = Fraction(0)
    for bound, rate in ((exact(one, "table"), exact(two, "table")) for one, two in rows):
        cum += lower * (rate - before)
        quanta = cum / quantum
        words += [floor(bound / quantum), int(rate * BILLION), floor(quanta), floor((quanta - floor(quanta)) * BILLION)]
        lower, before = bound, rate
    return words


def _scenario_words(params: Any, universe: Universe) -> list[int]:
    """What is added to the arrays of a margin rule, and their losses, as `loss_words`."""
    sign = -1 if params.sign == "gain" else 1
    arrays = {label: [sign * exact(amount, "arrays") for amount in amounts] for label, amounts in params.arrays.items()}
    losses = loss_words(arrays, universe, lcm(*scan_charges.denominators(params, universe, arrays)))
    return scan_charges.charge_words(params, universe, arrays, losses[1]) + losses


def loss_words(arrays: Mapping[str, list[Fraction]], universe: Universe, parts: int = 1) -> list[int]:
    """Number of scenarios, unit of losses, and of each instrument whether it has an array, and the losses of one long lot.

    ``arrays`` are the losses of one long by instrument; ``parts`` of a quantum are whole in that unit, too.
    """
    width = len(next(iter(arrays.values())))
    losses = {
        instrument.id: [loss * instrument.qty_step / universe.quantum for loss in arrays[instrument.id]]
        for instrument in universe.instruments
        if instrument.id in arrays
    }
    unit = lcm(parts, *(loss.denominator for row in losses.values() for loss in row))
    words = [width, unit]
    for instrument in universe.instruments:
        row = losses.get(instrument.id)
        words += [0] * (width + 1) if row is None else [1, *(int(loss * unit) for loss in row)]
    return words


# ---------------------------------------------------------------------- words


def misfit(rule: Any) -> str:
    """Reason why the parameters do not fit the model; empty if they do."""
    params = rule.parameters
    needed = [name for name, model in DATA.items() if model == params.model]
    given = [name for name in (*DATA, *MORE) if getattr(params, name) is not None]
    if needed and not set(needed) & set(given):
        return f"model={params.model!r} needs {' or '.join(needed)}"
    for name in given:
        models = MORE[name] if name in MORE else (DATA[name],)
        if params.model not in models:
            of = " or ".join(map(repr, models))
            return f"{name} is data of the model {of}, and has no effect with model={params.model!r}"
    if params.model == "linear_tier" and not (
        exact(params.base or 0, "base") or exact(params.per_unit or 0, "per_unit")
    ):
        return "base and per_unit are 0, so that nothing is required of anybody"
    if params.model in ("brackets", "scan") and not any(_numbers(params)):
        return f"{given[0]} requires nothing of anybody; give a rate or a loss other than 0"
    if params.method != "tims" and params.model != "portfolio":
        return f"method={params.method!r} is that of a portfolio, and has no effect with model={params.model!r}"
    if params.sign != "gain" and params.arrays is None:
        return f"sign={params.sign!r} is that of arrays, and has no effect with model={params.model!r}"
    if params.model == "portfolio":
        return portfolio_margin.misfit(params)
    return scan_charges.misfit(params) if params.model == "scan" else ""


def _numbers(params: Any) -> Iterator[Fraction]:
    """The rates of all brackets, or the amounts of all scenarios."""
    if params.model == "scan":
        yield from (exact(amount, "arrays") for amounts in params.arrays.values() for amount in amounts)
        return
    tables = params.table.values() if isinstance(params.table, Mapping) else [params.table]
    yield from (exact(rate, "table") for rows in tables for _, rate in rows)


def lacks(params: Any, instrument: str) -> bool:
    """True if the data of a model have nothing of an instrument."""
    if params.model == "scan" or (params.model == "portfolio" and params.method != "tims"):
        return instrument not in params.arrays
    return isinstance(params.table, Mapping) and not {instrument, "*"} & params.table.keys()


def model_text(params: Any, initial: bool) -> str:
    """The model in words."""
    if params.model == "reg_t":
        return "half of the value of longs and shorts (Regulation T)" if initial else "FINRA Rule 4210(c)"
    if params.model == "linear_tier":
        base, slope = (100 * float(number or 0) for number in (params.base, params.per_unit))
        return f"{base:g} % and {slope:g} % a unit of size, of the notional"
    if params.model == "brackets":
        return "brackets of the notional"
    if params.model == "portfolio":
        return portfolio_margin.words_of(params)
    width = len(next(iter(params.arrays.values())))
    return f"the largest loss of {width} scenarios{scan_charges.words_of(params)}"
