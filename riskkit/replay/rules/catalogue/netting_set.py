"""Netting sets: instruments that count as one position, each by its ratio, in a position limit and a limit of exposure.

Unit: quantity of a set, in millionths at the finest, and money. The position of a set is the sum of ratio x position of its
instruments over the accounts of the key; its buys and sells work together, and the side that makes it larger counts. A set is
worth so many units of its instrument with the largest ratio (the first by name, of those that the log has), at the mark of that
one. Instruments of no set stand alone and net with nothing. An order that only reduces the position of its set passes the limit in
money. Source: Regulation (EU) 2017/589 (RTS 6), Art. 15(5), which leaves netting open, so that it is declared, as for micro and full
contracts of one index.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from riskkit._check import InputError
from riskkit.replay.kernels.book import Book, notional
from riskkit.replay.kernels.conversion import at_rate, lacks_rate, missing_rate, plus
from riskkit.replay.kernels.exposure import valuation_price
from riskkit.replay.kernels.integers import MILLION, floor_divide, share
from riskkit.replay.kernels.records import Record, Words, at
from riskkit.replay.rules.catalogue.exposure import counted, price_after
from riskkit.replay.rules.catalogue.message import own, rest
from riskkit.replay.rules.parameters import (
    Breach,
    DeltaQuantity,
    Flag,
    Limit,
    MissingPrice,
    Money,
    Ratios,
    at_most,
    if_unpriced,
)
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, CapVerdict, Measure, Observation, unpriced_cap
from riskkit.replay.schema.columns import MISSING, EventRow
from riskkit.replay.schema.constants import LARGEST
from riskkit.replay.schema.universe import Universe, decimal_text, exact

POSITION, EXPOSURE = 0, 1  # index of the limit in `observes`
ALONE = 0  # the number of an instrument of no set
SET, INSTRUMENT = 2, 2  # words of each


class NettingSet(NamedTuple):
    """The position of each netting set is at most `limit`, and the gross exposure with sets netted at most `exposure`.

    Parameters
    ----------
    netting_set
        By name of a set, the ratio of each of its instruments: how much one unit of it is in the set, below zero the other way round.
    limit
        Limit of the position of each set, and of each instrument of no set, on the order's side.
    exposure
        Limit of the gross exposure.

    Examples
    --------
    >>> from riskkit import Rule
    >>> index = {"index": {"ES": 1, "MES": "0.1"}}
    >>> print(Rule("net", NettingSet(index, limit=10)))
    net: a net position of at most 10 in each netting set (index: 1 ES, 0.1 MES) and each other instrument after the
    order, with working orders, for each account. Orders and modifications that would breach it are rejected (severity
    WARN).
    """

    netting_set: Ratios
    limit: Limit[DeltaQuantity] = None
    exposure: Limit[Money] = None
    working: Flag = True
    on_missing_price: MissingPrice = "reject"
    breach: Breach = "exceed"


class Net(NamedTuple):
    """The position of a set: what is held, signed, and what its working buys and sells add; in millionths of the quantity unit."""

    held: int
    buys: int
    sells: int


# ---------------------------------------------------------------------- the position of a set


def set_of(state: Record, memory: Words, instrument: int) -> int:
    """The number of an instrument's set, or `ALONE`."""
    return memory[state.memory + 1 + SET * memory[state.memory] + INSTRUMENT * instrument]


def weight_of(state: Record, memory: Words, instrument: int) -> int:
    """What a lot of an instrument is in its set."""
    return memory[state.memory + 1 + SET * memory[state.memory] + INSTRUMENT * instrument + 1]


def times(lots: int, weight: int) -> int:
    """`lots` x `weight`, at most about LARGEST without sign."""
    most = LARGEST // max(abs(weight), 1)
    return max(min(lots, most), -most) * weight


def with_lots(net: Net, position: Record, book: Book, event: EventRow, weight: int, working: int) -> Net:
    """A set with one more of its positions, after the order of `event`."""
    buys = position.open_buy_qty if working != 0 else position.listed_buy_qty
    sells = position.open_sell_qty if working != 0 else position.listed_sell_qty
    if position.instrument == event.instrument and position.code == book.position.code:
        added = rest(book, event) - (own(book, event) if working != 0 else 0)
        buys += added if event.side > 0 else 0
        sells += added if event.side < 0 else 0
    held = plus(net.held, times(position.qty, weight))
    if weight > 0:
        return Net(held, plus(net.buys, times(buys, weight)), plus(net.sells, times(sells, weight)))
    return Net(held, plus(net.buys, times(sells, -weight)), plus(net.sells, times(buys, -weight)))


def net_of(
    state: Record, memory: Words, book: Book, event: EventRow, held: Record, working: int, number: int, label: int
) -> Net:
    """The position of a set, or of an instrument alone, after the order of `event`."""
    net = Net(0, 0, 0)
    place = book.account.first_position
    while place >= 0:
        position = at(held, place)
        if set_of(state, memory, position.instrument) == number and (number != ALONE or position.instrument == label):
            net = with_lots(net, position, book, event, weight_of(state, memory, position.instrument), working)
        place = position.next_of_account
    return net


def largest(net: Net) -> int:
    """The size of a set with its buys, or its sells, filled."""
    return max(abs(plus(net.held, net.buys)), abs(plus(net.held, -net.sells)))


# ---------------------------------------------------------------------- its worth


def worth(params: Any, instrument: Record, units: int, weight: int, price: int) -> int:
    """Money of `units` of a set of which `weight` is one lot of `instrument`, rounded against the trader; 0 without a price."""
    if price == MISSING:
        return 0
    lots = floor_divide(units, weight)
    each = abs(notional(instrument, 1, price))
    if each > 0 and lots >= LARGEST // each:
        return LARGEST
    part = units - lots * weight
    return abs(notional(instrument, lots, price)) + (
        share(each, part, weight) if params.breach != 0 else -share(-each, part, weight)
    )


def price_in(book: Book, event: EventRow, instrument: Record, label: int) -> int:
    """Price that values lots of an instrument after the order."""
    return price_after(book, event) if label == event.instrument else valuation_price(instrument)


def counted_size(params: Any, net: Net, mine: bool, direction: int) -> int:
    """The size of a set; without working orders, an order against what is held closes first."""
    if mine and params.working == 0 and (net.held > 0 > direction or net.held < 0 < direction):
        return abs(plus(plus(net.held, net.buys), -net.sells))
    return largest(net)


def gross(
    params: Any, state: Record, memory: Words, book: Book, event: EventRow, held: Record, instruments: Record
) -> int:
    """Gross exposure of the key after the order, sets netted."""
    total = 0
    number = set_of(state, memory, event.instrument) if event.instrument >= 0 else -1
    turned = event.instrument >= 0 and weight_of(state, memory, event.instrument) < 0
    direction = -event.side if turned else event.side
    for one in range(1, memory[state.memory] + 1):
        main = memory[state.memory + 1 + SET * (one - 1)]
        instrument = at(instruments, main)
        net = net_of(state, memory, book, event, held, params.working, one, -1)
        size = counted_size(params, net, one == number, direction)
        weight = memory[state.memory + 2 + SET * (one - 1)]
        total = plus(total, worth(params, instrument, size, weight, price_in(book, event, instrument, main)))
    place = book.account.first_position
    while place >= 0:
        position = at(held, place)
        label = position.instrument
        if set_of(state, memory, label) == ALONE:
            instrument = at(instruments, label)
            weight = weight_of(state, memory, label)
            net = with_lots(Net(0, 0, 0), position, book, event, weight, params.working)
            size = counted_size(params, net, label == event.instrument, event.side)
            total = plus(total, worth(params, instrument, size, weight, price_in(book, event, instrument, label)))
        place = position.next_of_account
    return total


def most_units(state: Record, memory: Words, book: Book, event: EventRow, held: Record, params: Any) -> int:
    """The largest position of a set or an instrument alone, without an order."""
    most = 0
    place = book.account.first_position
    while place >= 0:
        label = at(held, place).instrument
        number = set_of(state, memory, label)
        most = max(most, largest(net_of(state, memory, book, event, held, params.working, number, label)))
        place = at(held, place).next_of_account
    return most


# ---------------------------------------------------------------------- the check


def check(
    state: Record, params: Any, book: Book, event: EventRow, memory: Words, instruments: Record, held: Record
) -> CapVerdict:
    """Compare the position of the order's set, and the exposure of all, with the limits; without an order, return the present."""
    return converted(state, params, book, event, memory, instruments, held, None)


def converted(
    state: Record, params: Any, book: Book, event: EventRow, memory: Words, instruments: Record, held: Record, rate: Record
) -> CapVerdict:  # fmt: skip
    """As `check`, with the money converted."""
    if event.instrument < 0:
        if params.limit < LARGEST:
            units = most_units(state, memory, book, event, held, params)
            return CapVerdict(PASS, units, params.limit, POSITION, 0)
        money = gross(params, state, memory, book, event, held, instruments)
        return CapVerdict(PASS, at_rate(rate, money), params.exposure, EXPOSURE, 0)
    number = set_of(state, memory, event.instrument)
    weight = weight_of(state, memory, event.instrument)
    side = event.side if weight > 0 else -event.side
    net = net_of(state, memory, book, event, held, params.working, number, event.instrument)
    units = plus(side * net.held, net.buys if side > 0 else net.sells)
    if units > params.limit:
        return CapVerdict(OBJECT, units, params.limit, POSITION, 0)
    if params.exposure >= LARGEST or reduces(state, memory, book, event, held, number, side):
        return CapVerdict(PASS, units, params.limit, POSITION, 0)
    main = event.instrument if number == ALONE else memory[state.memory + 1 + SET * (number - 1)]
    if price_in(book, event, at(instruments, main), main) == MISSING:
        return unpriced_cap(params.on_missing_price, 0, params.exposure)
    if lacks_rate(rate):
        return unpriced_cap(params.on_missing_price, 0, missing_rate(rate))
    money = at_rate(rate, gross(params, state, memory, book, event, held, instruments))
    return CapVerdict(OBJECT if money > params.exposure else PASS, money, params.exposure, EXPOSURE, 0)


def reduces(state: Record, memory: Words, book: Book, event: EventRow, held: Record, number: int, side: int) -> bool:
    """True if the order and the working orders of its side together close at most what the set holds."""
    net = net_of(state, memory, book, event, held, 1, number, event.instrument)
    return side * net.held < 0 and (net.buys if side > 0 else net.sells) <= abs(net.held)


# ---------------------------------------------------------------------- data and words


def words(params: Any, universe: Universe) -> list[int]:
    """The shared workspace: number of sets, of each its main instrument and what a lot of it is, of each instrument its set and weight.

    Raises
    ------
    InputError
        If the instruments are of several currencies, whose money a set does not add.
    """
    currencies = sorted({instrument.currency for instrument in universe.instruments})
    if params.exposure is not None and len(currencies) > 1:
        raise InputError(
            f"exposure of netting sets is added in one currency, and the log has instruments in {', '.join(currencies)}; "
            "give a limit of the position, or replay each currency as a log of its own"
        )
    places = {instrument.id: place for place, instrument in enumerate(universe.instruments)}
    sets = [{label: one[label] for label in one if label in places} for one in params.netting_set.values()]
    whole = [int(instrument.qty_step / universe.quantity_unit) * MILLION for instrument in universe.instruments]
    table = [[ALONE, lot] for lot in whole]
    found: list[int] = []
    for ratios in filter(None, sets):
        for label, ratio in ratios.items():
            table[places[label]] = [len(found) // SET + 1, int(whole[places[label]] * exact(ratio, "netting_set"))]
        main = places[min(ratios, key=lambda label: (-abs(exact(ratios[label], "netting_set")), label))]
        found += [main, abs(table[main][1])]
    return [len(found) // SET, *found, *(word for row in table for word in row)]


def misfit(rule: Any) -> str:
    """Reason why the parameters do not fit; empty if they do."""
    if rule.netting == "none":
        return "netting='none' adds the accounts, and a netting set nets them; give one of the two"
    if rule.currency and rule.parameters.exposure is None:
        return f"currency={rule.currency!r} has no effect without exposure, the limit in money"
    seen: set[str] = set()
    for name, ratios in rule.parameters.netting_set.items():
        if double := seen & ratios.keys():
            return f"{min(double)!r} of {name!r} is in another netting set, too; an instrument is in one"
        seen |= ratios.keys()
    return ""


def sets_text(sets: Mapping[str, Mapping[str, Any]]) -> str:
    """The sets in words."""
    return "; ".join(
        f"{name}: {', '.join(f'{decimal_text(exact(ratio, name))} {label}' for label, ratio in ratios.items())}"
        for name, ratios in sets.items()
    )


def sentence(params: NettingSet) -> str:
    """The limits in words."""
    bound = at_most(params)
    sets = f"({sets_text(params.netting_set)})"
    caps = []
    if params.limit is not None:
        caps.append(f"a net position of {bound} {params.limit} in each netting set {sets} and each other instrument")
    if params.exposure is not None:
        which = "these sets" if caps else f"netting sets {sets}"
        caps.append(f"a gross exposure of {bound} {params.exposure} in money at marks with {which} netted")
    unpriced = if_unpriced(params) if params.exposure is not None else ""
    return f"{' and '.join(caps)} after the order, {counted(params)}{unpriced}"


NETTING_SET = register(
    RuleType(
        name="netting_set",
        parameters=NettingSet,
        state=("memory",),
        check=check,
        converted=converted,
        shared_workspace=words,
        requires=frozenset({"marks", "exposures"}),
        reads=frozenset({"exposure"}),
        observes=(Observation(Measure.NETTED, "limit"), "exposure"),
        standing=True,
        looks_at=frozenset({"positions"}),
        one_of=("limit", "exposure"),
        misfit=misfit,
        sentence=sentence,
    )
)
