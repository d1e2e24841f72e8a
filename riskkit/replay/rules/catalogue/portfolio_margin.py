"""Portfolio margin: what positions lose together if prices move, by the points of TIMS or by a house model.

``tims``: each class of instruments (an underlying and its options, by `commodities`; others alone) loses the most of ten points,
five equidistant ones down and five up its range, all its prices moving alike: of an instrument at its mark, of an option by its
array of ten. An option requires at least 0.375 x its multiplier a contract, long or short. Ranges: 15 % (equities), +6/-8 % (high
capitalisation broad index), 10 % (other broad index). Source: FINRA Rule 4210(g), 17 CFR 240.15c3-1a (theoretical options).

``var``, ``es``: `factor` times the VaR or expected shortfall of the scenarios of the arrays; plus `rate` x what the largest position
exceeds `above` of the gross value by; plus `half_spread` on what a position exceeds `x` days of volume by. VaR is the largest loss
that at most 1 - `confidence` of the scenarios exceed, the expected shortfall the mean of the scenarios from it on; neither is below 0.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import Any, NamedTuple

from riskkit.replay.kernels.conversion import plus
from riskkit.replay.kernels.integers import MILLION, floor_divide
from riskkit.replay.kernels.records import Words
from riskkit.replay.rules.catalogue.scan_charges import commodities_of, times
from riskkit.replay.schema.constants import LARGEST
from riskkit.replay.schema.universe import Universe, exact

METHODS = ("tims", "var", "es")
TIMS, VAR, ES = range(len(METHODS))
POINTS = 10
CONTRACT = Fraction(375, 1000)  # of a multiplier, what an option requires at least
HEAD = 6  # words in front: points, classes, words of an instrument, scenarios beyond the VaR, and where scratch and rows begin
FIRST = 4  # words of an instrument before its points: class, whether it has an array, minimum or half spread, days of volume
OF_PORTFOLIO = ("ranges", "confidence", "factor", "rate", "above", "adv", "x", "half_spread")  # parameters


class Extent(NamedTuple):
    """The gross value of positions, and the largest of them, in quanta."""

    gross: int
    largest: int


def row_at(memory: Words, base: int, instrument: int) -> int:
    """Where the words of an instrument begin."""
    return base + memory[base + 5] + memory[base + 2] * instrument


def loss_at(memory: Words, row: int, point: int, lots: int, value: int) -> int:
    """Loss of `lots`, worth `value`, at a point, a gain below zero, in millionths of a quantum."""
    amount = lots if memory[row + 1] != 0 else value
    each = memory[row + FIRST + point]
    if abs(amount) > LARGEST // max(abs(each), 1):
        return LARGEST if amount * (1 if each > 0 else -1) > 0 else -LARGEST
    return amount * each


def nth_largest(memory: Words, base: int, count: int, summed: int) -> int:
    """The `count`-th largest of the losses in the scratch words, or (`summed`) the sum of the losses up to it."""
    first = base + memory[base + 4]
    total = last = 0
    for _ in range(count):
        most = 0
        for point in range(memory[base]):
            most = point if memory[first + point] > memory[first + most] else most
        last = memory[first + most]
        total = plus(total, last)
        memory[first + most] = -LARGEST
    return total if summed != 0 else last


def tail(params: Any, memory: Words, base: int) -> int:
    """VaR or expected shortfall times the factor, at least 0; the scratch words are 0 afterwards."""
    count = memory[base + 3]
    loss = max(nth_largest(memory, base, count, 1 if params.method == ES else 0), 0)
    for point in range(memory[base]):
        memory[base + memory[base + 4] + point] = 0
    factor = params.factor if params.factor < LARGEST else MILLION
    return parts(loss, factor, MILLION * count if params.method == ES else MILLION)


def parts(amount: int, count: int, of: int) -> int:
    """`amount` x `count` / `of`, rounded up, for an amount at or above zero; at most about LARGEST."""
    quotient = floor_divide(amount, of)
    return plus(times(quotient, count), -floor_divide(-times(amount - quotient * of, count), of))


def concentration(params: Any, extent: Extent) -> int:
    """What the largest position adds, in millionths of a quantum."""
    if params.rate == 0 or params.rate >= LARGEST:
        return 0
    above = params.above if params.above < LARGEST else 0
    excess = plus(times(extent.largest, MILLION), -times(extent.gross, above))
    return parts(max(excess, 0), params.rate, MILLION)


def illiquid(memory: Words, row: int, lots: int) -> int:
    """What a position of so many lots adds beyond its days of volume, in millionths of a quantum."""
    if memory[row + 2] == 0:
        return 0
    return parts(max(plus(times(lots, MILLION), -memory[row + 3]), 0), memory[row + 2], MILLION)


# ---------------------------------------------------------------------- data


def range_of(params: Any, label: str) -> tuple[Fraction, Fraction]:
    """How far the price of an instrument falls and rises."""
    ranges = params.ranges or {}
    down, up = ranges.get(label, ranges.get("*", ("-0.15", "0.15")))
    return exact(down, "ranges"), exact(up, "ranges")


def moves_of(params: Any, label: str) -> list[Fraction]:
    """The ten points of an instrument's price."""
    down, up = range_of(params, label)
    half = POINTS // 2
    return [down * k / half for k in range(half, 0, -1)] + [up * k / half for k in range(1, half + 1)]


def portfolio_words(params: Any, universe: Universe) -> list[int]:
    """The shared workspace: the head, scratch for the losses of the points, and the rows of the instruments."""
    sign = -1 if params.sign == "gain" else 1
    arrays = params.arrays or {}
    points = POINTS if params.method == "tims" else len(next(iter(arrays.values())))
    confidence = exact("0.99" if params.confidence is None else params.confidence, "confidence")
    beyond = min(floor(points * (1 - confidence)) + 1, points)
    groups = commodities_of(params, universe)
    if params.method == "tims":  # what is of no class is one by itself
        groups = [group or max(groups, default=0) + 1 + place for place, group in enumerate(groups)]
    width = FIRST + points
    words = [points, max(groups, default=0) + 1, width, beyond, HEAD, HEAD + points] + [0] * points
    for instrument, group in zip(universe.instruments, groups, strict=True):
        lot, label = instrument.qty_step / universe.quantum, instrument.id
        if label in arrays:
            losses = [ceil(sign * exact(one, "arrays") * lot * MILLION) for one in arrays[label]]
        else:
            losses = (
                [int(-move * MILLION) for move in moves_of(params, label)] if params.method == "tims" else [0] * points
            )
        if params.method == "tims":
            least, days = (CONTRACT * instrument.multiplier * lot * MILLION if label in arrays else Fraction(0)), 0
        else:
            least = (
                exact((params.half_spread or {}).get(label, 0), "half_spread") * instrument.multiplier * lot * MILLION
            )
            adv = exact((params.adv or {}).get(label, 0), "adv") * exact(params.x or 0, "x")
            days = floor(adv / instrument.qty_step * MILLION)
        words += [group, int(label in arrays), ceil(least), days, *losses]
    return words


def misfit(params: Any) -> str:
    """Reason why the data do not fit the method; empty if they do."""
    given = [name for name in OF_PORTFOLIO if getattr(params, name) is not None]
    tims = params.method == "tims"
    for name in given:
        if tims != (name == "ranges"):
            fits = "method='tims'" if name == "ranges" else "method='var' or 'es'"
            return f"{name} is of {fits}, and has no effect with method={params.method!r}"
    if not tims and params.arrays is None:
        return f"method={params.method!r} needs arrays, what one long gains in each scenario"
    if tims and params.arrays is not None and len(next(iter(params.arrays.values()))) != POINTS:
        return f"arrays of method='tims' are the gains at ten points, and got {len(next(iter(params.arrays.values())))}"
    if not tims and params.commodities is not None:
        return "commodities are classes of method='tims': a house model has all positions together"
    if not tims and (params.adv is None) != (params.half_spread is None):
        return "the charge for liquidity needs adv and half_spread; give both"
    for label, _ in (params.ranges or {}).items():
        for move in moves_of(params, label):
            if (move * MILLION).denominator != 1:
                return f"ranges of {label!r}: a fifth of it is finer than one part per million"
    return ""


def words_of(params: Any) -> str:
    """The model in words."""
    if params.method == "tims":
        return "the largest loss at ten prices of each underlying"
    name = "VaR" if params.method == "var" else "expected shortfall"
    times_of = "" if params.factor is None else f"{float(exact(params.factor, 'factor')):g} times "
    added = [
        *(["a charge for concentration"] if params.rate is not None else []),
        *(["a charge for liquidity"] if params.half_spread is not None else []),
    ]
    return f"{times_of}the {name} of the scenarios" + "".join(f", with {text}" for text in added)
