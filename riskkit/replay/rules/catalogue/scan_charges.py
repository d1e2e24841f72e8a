"""What SPAN adds to the scenarios: spread charges and credits, and a minimum for short options; as data of a margin rule.

By combined commodity: the larger of scan risk + intra-commodity charges - inter-commodity credits and the short option minimum, at
least 0. A spread is so many lots of each leg on sides that its ratios tell; whole spreads are formed, in the declared order, from
what those before have left. With working orders a charge has as many spreads as could be formed, a credit as few. A credit is
its rate of what each leg by itself loses at most. Source: CME SPAN, as of its risk parameter files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from riskkit._check import InputError, shown
from riskkit.replay.kernels.conversion import plus
from riskkit.replay.kernels.records import Words
from riskkit.replay.schema.constants import LARGEST
from riskkit.replay.schema.universe import Universe, exact

SPREADS = ("intra_spread", "inter_spread")
HEAD = 5  # words in front: where losses begin, commodities, where spreads begin, number of charges, of credits
SUMS = 2  # words of a commodity: what spreads add, and its minimum
ROW = 4  # words of an instrument: its commodity, the minimum of a short lot, and what spreads have used of long and short lots
LEG = 4  # words of a leg: instrument, lots, and the money of a spread as written and turned round


class Range(NamedTuple):
    """Lots of a leg that can be long and short: as many as possible, or as few."""

    long: int
    short: int


def times(count: int, money: int) -> int:
    """A product of which neither factor is below zero, at most about LARGEST."""
    return count * money if money == 0 or count <= LARGEST // money else LARGEST


def rows_at(memory: Words, base: int) -> int:
    """Where the words of instruments begin."""
    return base + HEAD + SUMS * memory[base + 1]


def commodity_of(memory: Words, base: int, instrument: int) -> int:
    """The combined commodity of an instrument."""
    return memory[rows_at(memory, base) + ROW * instrument]


def range_of(high: int, low: int, most: int) -> Range:
    """Lots that a position between `low` and `high` can have, at most or at least."""
    if most != 0:
        return Range(max(high, 0), max(-low, 0))
    return Range(max(low, 0), max(-high, 0))


def formed(memory: Words, spread: int, turned: int) -> int:
    """How many of a spread its legs form, of which the lots that are left stand beside them."""
    count = LARGEST
    for leg in range(memory[spread]):
        place = spread + 1 + LEG * leg
        lots = -memory[place + 1] if turned != 0 else memory[place + 1]
        left = memory[spread + 1 + LEG * memory[spread] + 2 * leg + (0 if lots > 0 else 1)]
        count = min(count, left // abs(lots))
    return count


def pay(memory: Words, base: int, spread: int, sign: int) -> None:
    """Form a spread, add its money to its commodities, and note the lots that it uses."""
    turned = 1 if formed(memory, spread, 1) > formed(memory, spread, 0) else 0
    count = formed(memory, spread, turned)
    for leg in range(memory[spread]):
        place = spread + 1 + LEG * leg
        row = rows_at(memory, base) + ROW * memory[place]
        sums = base + HEAD + SUMS * memory[row]
        memory[sums] = plus(memory[sums], sign * times(count, memory[place + 2 + turned]))
        lots = -memory[place + 1] if turned != 0 else memory[place + 1]
        memory[row + (2 if lots > 0 else 3)] += count * abs(lots)


def unuse(memory: Words, base: int) -> None:
    """Leave all lots to the spreads that follow."""
    for row in range(rows_at(memory, base), base + memory[base + 2], ROW):
        memory[row + 2] = 0
        memory[row + 3] = 0


def forget(memory: Words, base: int) -> None:
    """Set to 0 what was summed, used and left, so that a check changes nothing."""
    for place in range(base + HEAD, rows_at(memory, base)):
        memory[place] = 0
    unuse(memory, base)
    spread = base + memory[base + 2]
    while spread < base + memory[base]:
        for place in range(spread + 1 + LEG * memory[spread], spread + 1 + (LEG + 2) * memory[spread]):
            memory[place] = 0
        spread += 1 + (LEG + 2) * memory[spread]


# ---------------------------------------------------------------------- data


def commodities_of(params: Any, universe: Universe) -> list[int]:
    """The combined commodity of each instrument; those of none are together in the first."""
    named = params.commodities or {}
    numbers = {label: number for number, labels in enumerate(named.values(), 1) for label in labels}
    return [numbers.get(instrument.id, 0) for instrument in universe.instruments]


def legs_of(row: Mapping[str, Any]) -> dict[str, Fraction]:
    """The ratios of a spread, the second of two on one side turned round."""
    ratios = {label: exact(ratio, "legs") for label, ratio in row["legs"].items()}
    if len({ratio > 0 for ratio in ratios.values()}) == 1:
        last = list(ratios)[-1]
        ratios[last] = -ratios[last]
    return ratios


def spread_money(
    params: Any, losses: Mapping[str, list[Fraction]], name: str
) -> Iterable[list[tuple[str, Fraction, Fraction, Fraction]]]:
    """Of each spread its legs: instrument, ratio, and the money of one as written and turned round."""
    for row in getattr(params, name) or ():
        legs = []
        for place, (label, ratio) in enumerate(legs_of(row).items()):
            if name == "intra_spread":
                money = exact(row["charge"], "charge") if place == 0 else Fraction(0)
                legs.append((label, ratio, money, money))
            else:
                loss = losses.get(label, [Fraction(0)])
                rate = exact(row["credit"], "credit") * abs(ratio)
                long, short = (rate * max(Fraction(0), *(sign * one for one in loss)) for sign in (1, -1))
                legs.append((label, ratio, *((long, short) if ratio > 0 else (short, long))))
        yield legs


def charge_words(params: Any, universe: Universe, losses: Mapping[str, list[Fraction]], unit: int) -> list[int]:
    """The words in front of the losses; ``losses`` of one long in money, ``unit`` parts of a quantum."""
    places = {instrument.id: place for place, instrument in enumerate(universe.instruments)}
    groups = commodities_of(params, universe)
    words = [0, max(groups, default=0) + 1, 0, 0, 0]
    words += [0] * (SUMS * words[1])
    minimum = params.short_option_minimum or {}
    for instrument, group in zip(universe.instruments, groups, strict=True):
        each = exact(minimum.get(instrument.id, 0), "short_option_minimum") * instrument.qty_step / universe.quantum
        words += [group, int(each * unit), 0, 0]
    words[2] = len(words)
    for number, name in enumerate(SPREADS):
        for legs in spread_money(params, losses, name):
            if not all(label in places for label, *_ in legs):
                continue  # of an instrument that nobody trades
            words[3 + number] += 1
            words.append(len(legs))
            for label, ratio, *money in legs:
                lots = ratio / universe.instruments[places[label]].qty_step
                if lots.denominator != 1:
                    raise InputError(f"{name}: {shown(str(ratio))} of {label!r} is not a whole number of its lots")
                words += [places[label], int(lots), *(int(one / universe.quantum * unit) for one in money)]
            words += [0] * (2 * len(legs))
    words[0] = len(words)
    return words


def denominators(params: Any, universe: Universe, losses: Mapping[str, list[Fraction]]) -> Iterable[int]:
    """Denominators of the money of spreads and minimums in quanta."""
    for name in SPREADS:
        for legs in spread_money(params, losses, name):
            yield from ((one / universe.quantum).denominator for _, _, *money in legs for one in money)
    for instrument in universe.instruments:
        each = exact((params.short_option_minimum or {}).get(instrument.id, 0), "short_option_minimum")
        yield (each * instrument.qty_step / universe.quantum).denominator


def misfit(params: Any) -> str:
    """Reason why the data do not fit the arrays; empty if they do."""
    named: dict[str, str] = {}
    for name, labels in (params.commodities or {}).items():
        for label in labels:
            if label in named:
                return f"{label!r} is of the commodities {named[label]!r} and {name!r}; an instrument is of one"
            named[label] = name
    for name in SPREADS:
        for row in getattr(params, name) or ():
            lost = [label for label in row["legs"] if label not in params.arrays]
            if lost:
                return f"{name} has the leg {lost[0]!r}, of which there is no array"
            of = {named.get(label, "") for label in row["legs"]}
            if name == "intra_spread" and len(of) > 1:
                return (
                    f"intra_spread of {', '.join(map(repr, row['legs']))} is of several commodities; use inter_spread"
                )
    return ""


def words_of(params: Any) -> str:
    """What is added, in words."""
    added = [
        *(["by combined commodity"] if params.commodities else []),
        *(["with charges of spreads"] if params.intra_spread else []),
        *(["less credits of spreads between commodities"] if params.inter_spread else []),
        *(["at least the short option minimum"] if params.short_option_minimum else []),
    ]
    return "".join(f", {text}" for text in added)
