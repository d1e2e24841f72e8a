"""What a portfolio requires by the points of TIMS or by a house model (`riskkit.replay.rules.catalogue.portfolio_margin`)."""

from __future__ import annotations

from typing import Any

from riskkit.replay.kernels.book import Book
from riskkit.replay.kernels.conversion import plus as added
from riskkit.replay.kernels.exposure import value_at
from riskkit.replay.kernels.integers import MILLION
from riskkit.replay.kernels.records import Record, Words, at
from riskkit.replay.rules.catalogue.margin_legs import Leg, Requirement, leg_of
from riskkit.replay.rules.catalogue.portfolio_margin import TIMS, Extent, concentration, illiquid, loss_at, row_at, tail
from riskkit.replay.rules.catalogue.scan_charges import times
from riskkit.replay.schema.constants import LARGEST


def portfolio_risk(
    params: Any, state: Record, memory: Words, book: Book, held: Record, instruments: Record, stage: int, ordered: Leg
) -> Requirement:
    """What a portfolio requires by TIMS or by the house model, in quanta and millionths."""
    base = state.memory
    total = 0
    if params.method == TIMS:
        for group in range(memory[base + 1]):
            worst = least_of(memory, base, book, held, instruments, stage, ordered, group)
            for point in range(memory[base]):
                worst = max(worst, moved(memory, base, book, held, instruments, stage, ordered, group, point))
            total = added(total, worst)
    else:
        for point in range(memory[base]):
            loss = moved(memory, base, book, held, instruments, stage, ordered, -1, point)
            memory[base + memory[base + 4] + point] = loss
        total = added(
            tail(params, memory, base), charges(params, memory, base, book, held, instruments, stage, ordered)
        )
    if total >= LARGEST // 2:
        return Requirement(LARGEST, 0)
    return Requirement(total // MILLION, total % MILLION)


def moved(
    memory: Words,
    base: int,
    book: Book,
    held: Record,
    instruments: Record,
    stage: int,
    ordered: Leg,
    group: int,
    point: int,
) -> int:
    """What a class, or (-1) every position, loses at a point, each at the worse of its buys and sells; in millionths."""
    loss = 0
    place = book.account.first_position
    while place >= 0:
        position = at(held, place)
        row = row_at(memory, base, position.instrument)
        if group < 0 or memory[row] == group:
            instrument = at(instruments, position.instrument)
            leg = leg_of(position, instrument, stage, book.position, ordered)
            high = loss_at(memory, row, point, leg.high, value_at(instrument, leg.high, leg.price))
            low = loss_at(memory, row, point, leg.low, value_at(instrument, leg.low, leg.price))
            loss = added(loss, max(high, low))
        place = position.next_of_account
    return loss


def least_of(
    memory: Words, base: int, book: Book, held: Record, instruments: Record, stage: int, ordered: Leg, group: int
) -> int:
    """What the contracts of a class require at least, in millionths."""
    least = 0
    place = book.account.first_position
    while place >= 0:
        position = at(held, place)
        row = row_at(memory, base, position.instrument)
        if memory[row] == group:
            leg = leg_of(position, at(instruments, position.instrument), stage, book.position, ordered)
            least = added(least, times(max(abs(leg.high), abs(leg.low)), memory[row + 2]))
        place = position.next_of_account
    return least


def charges(
    params: Any, memory: Words, base: int, book: Book, held: Record, instruments: Record, stage: int, ordered: Leg
) -> int:
    """The charges of the house model for concentration and liquidity, in millionths."""
    gross = largest = illiquidity = 0
    place = book.account.first_position
    while place >= 0:
        position = at(held, place)
        instrument = at(instruments, position.instrument)
        leg = leg_of(position, instrument, stage, book.position, ordered)
        size = max(abs(leg.high), abs(leg.low))
        worth = abs(value_at(instrument, size, leg.price))
        gross = added(gross, worth)
        largest = max(largest, worth)
        illiquidity = added(illiquidity, illiquid(memory, row_at(memory, base, position.instrument), size))
        place = position.next_of_account
    return added(concentration(params, Extent(gross, largest)), illiquidity)
