"""Permitted instruments: the declared ones or a list, less a restricted list.

Unit: none. Source: ESMA RTS 6 (2017/589), Art. 13 and 15: trading only with permission; restricted lists of
compliance desks.
"""

from __future__ import annotations

from typing import NamedTuple

from riskkit.replay.kernels.book import Book
from riskkit.replay.kernels.records import Record, Words
from riskkit.replay.rules.parameters import Labels
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Measure, Verdict
from riskkit.replay.schema.columns import EventRow
from riskkit.replay.schema.universe import Universe


class AllowedInstruments(NamedTuple):
    """Only `instruments` may be traded (default: the declared ones), and none of `restricted`.

    Parameters
    ----------
    instruments
        Instruments that may be traded; not given: the declared ones.
    restricted
        Instruments that may not be traded.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("known_instrument", AllowedInstruments(restricted=("TSLA",))))
    known_instrument: orders only in declared instruments except TSLA, for each account. Orders and
    modifications that would breach it are rejected (severity WARN).
    """

    instruments: Labels = None
    restricted: Labels = ()


def allowed(params: AllowedInstruments, universe: Universe) -> list[int]:
    """1 for each permitted instrument, else 0."""
    flags = []
    for instrument in universe.instruments:
        known = instrument.listed if params.instruments is None else instrument.id in params.instruments
        flags.append(int(known and instrument.id not in params.restricted))
    return flags


def check(state: Record, book: Book, event: EventRow, memory: Words) -> Verdict:
    """Look up the instrument; one that has expired is known no longer."""
    known = memory[state.memory + event.instrument] if book.instrument.expired == 0 else 0
    return Verdict(PASS if known != 0 else OBJECT, event.instrument, known)


def sentence(params: AllowedInstruments) -> str:
    """The limit in words."""
    known = "declared instruments" if params.instruments is None else ", ".join(map(str, params.instruments)) or "none"
    but = f" except {', '.join(map(str, params.restricted))}" if params.restricted else ""
    return f"orders only in {known}{but}"


KNOWN_INSTRUMENT = register(
    RuleType(
        name="known_instrument",
        parameters=AllowedInstruments,
        state=("memory",),
        check=check,
        shared_workspace=allowed,
        observes=Measure.NOTHING,
        sentence=sentence,
    )
)
