"""Instruments that may be traded: the declared ones or a list of them, but for a restricted list.

Unit: none. Source: ESMA RTS 6 (2017/589), Art. 13 and 15: trading only where there is permission; restricted lists of
compliance desks.
"""

from __future__ import annotations

from typing import NamedTuple

from riskkit.replay.rules.parameters import Labels
from riskkit.replay.rules.rule import OBJECT, PASS, Measure, RuleType, Verdict, register
from riskkit.replay.schema.universe import Universe


class AllowedInstruments(NamedTuple):
    """Only `instruments` may be traded (not given: those that were declared), and none of `restricted`.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("known_instrument", AllowedInstruments(restricted=("TSLA",))))
    known_instrument: orders in declared instruments, but not TSLA, for each account; what breaches it is
    refused (WARN).
    """

    instruments: Labels = None
    restricted: Labels = ()


def allowed(params: AllowedInstruments, universe: Universe) -> list[int]:
    """1 for each instrument that may be traded."""
    found = []
    for instrument in universe.instruments:
        known = instrument.listed if params.instruments is None else instrument.id in params.instruments
        found.append(int(known and instrument.id not in params.restricted))
    return found


def check(state, event, memory):
    """Look the instrument up."""
    known = memory[state.memory + event.instrument]
    return Verdict(PASS if known != 0 else OBJECT, event.instrument, known)


def sentence(params: AllowedInstruments) -> str:
    """What it limits, in words."""
    known = "declared instruments" if params.instruments is None else ", ".join(map(str, params.instruments)) or "none"
    but = f", but not {', '.join(map(str, params.restricted))}" if params.restricted else ""
    return f"orders in {known}{but}"


KNOWN_INSTRUMENT = register(
    RuleType(
        name="known_instrument",
        parameters=AllowedInstruments,
        state=("memory",),
        check=check,
        shared=allowed,
        observes=Measure.NOTHING,
        sentence=sentence,
    )
)
