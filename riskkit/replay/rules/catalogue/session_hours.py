"""Hours of an exchange: orders only in its sessions, with its holidays and half days, and in its phases only of some types.

Unit: time. Source: the calendars of the package exchange_calendars (extra ``calendars``), from 1990 to 2039; holidays and early
closes as the exchanges publish them. An order at the open passes, one at the close does not; breaks at noon belong to the session.
Orders that only reduce are refused too; cancels pass. The version of the package is part of the rule set's hash.

Phases are those of PHASE events, continuous before the first. Pre-open and auction take what the rule says, closed takes nothing. Source:
CME Group, Client Systems Wiki, Market and Instrument States (pre-open takes orders and matches none); a type that is not named is refused.
"""

from __future__ import annotations

from typing import NamedTuple

from riskkit.replay.kernels.book import Book
from riskkit.replay.kernels.records import Record, Words
from riskkit.replay.rules.evidence import Need
from riskkit.replay.rules.parameters import ExchangeCalendar, OrderTypes
from riskkit.replay.rules.rule import Rule, RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Measure, Verdict
from riskkit.replay.schema.columns import MISSING, EventRow, MarketPhase, RowFlag
from riskkit.replay.schema.constants import LARGEST, NEVER
from riskkit.replay.schema.sessions import ALWAYS, sessions_of
from riskkit.replay.schema.universe import GROUPS, Universe

CONTINUOUS, PREOPEN, AUCTION, CLOSED = map(int, MarketPhase)
BAD_PRICE, TRAILING = int(RowFlag.BAD_PRICE), int(RowFlag.TRAILING)
LIMIT, MARKET, STOP, STOP_LIMIT, TRAILING_STOP = (1 << place for place in range(5))  # as the words of `OrderTypes`


class SessionHours(NamedTuple):
    """Orders and modifies only in the sessions of an exchange: from the open to before the close; in a phase only of some types.

    Parameters
    ----------
    calendar
        Exchange whose sessions hold.
    continuous
        Types of orders that continuous trading takes; not given: all. A pegged order is a limit order.
    preopen
        Types of orders that the pre-open takes; not given: all.
    auction
        Types of orders that an auction takes; not given: all.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("hours", SessionHours(calendar="24/7")))
    hours: no order in a closed phase, for each instrument. Orders and modifications that would breach it are
    rejected (severity WARN).
    """

    calendar: ExchangeCalendar = ALWAYS
    continuous: OrderTypes = None
    preopen: OrderTypes = None
    auction: OrderTypes = None


def table(params: SessionHours, universe: Universe) -> list[int]:
    """Opens and closes, then one that never comes."""
    return [*sessions_of(params.calendar), NEVER, NEVER]


def evict(state: Record, event: EventRow, memory: Words) -> None:
    """Go on to the session that is not over."""
    while event.ts >= memory[state.memory + state.place + 1] and memory[state.memory + state.place] != NEVER:
        state.place += 2


def order_type(event: EventRow) -> int:
    """The type of an order, as a bit."""
    if event.stop != MISSING:
        if event.flags & TRAILING != 0:
            return TRAILING_STOP
        return STOP if event.price == MISSING else STOP_LIMIT
    return MARKET if event.price == MISSING and event.flags & BAD_PRICE == 0 else LIMIT


def taken_in(phase: int, params: SessionHours) -> int:
    """The types that a phase takes, as bits; `LARGEST`: all."""
    if phase == CLOSED:
        return 0
    return params.preopen if phase == PREOPEN else params.auction if phase == AUCTION else params.continuous


def check(state: Record, params: SessionHours, book: Book, event: EventRow, memory: Words) -> Verdict:
    """Refuse what comes before the open of the session that is not over, and what the phase does not take."""
    opens = memory[state.memory + state.place]
    taken = taken_in(book.instrument.phase, params)
    refused = taken != LARGEST and taken & order_type(event) == 0
    return Verdict(OBJECT if refused or event.ts < opens else PASS, event.ts, opens)


def sentence(params: SessionHours) -> str:
    """The limit in words."""
    hours = "" if params.calendar == ALWAYS else f" outside the sessions of {params.calendar}"
    phases = [
        f"{phase}: {', '.join(types) or 'none'}"
        for phase in ("continuous", "preopen", "auction")
        if (types := getattr(params, phase)) is not None
    ]
    within = f", and by phase only of these types ({'; '.join(phases)})" if phases else ""
    return f"no order{hours or ' in a closed phase'}{within}"


def evidence(rule: Rule) -> tuple[Need, ...]:
    """Without an exchange, and types that continuous trading takes, it acts in other phases alone."""
    needless = rule.parameters.calendar != ALWAYS or rule.parameters.continuous is not None
    return () if needless else (Need(("PHASE",), "name an exchange by calendar"),)


SESSION_HOURS = register(
    RuleType(
        name="session_hours",
        parameters=SessionHours,
        state=("place", "memory"),
        check=check,
        evict=evict,
        shared_workspace=table,
        scopes=("instrument", "product", "account", *GROUPS, "global"),
        may_pause=None,
        observes=Measure.TIME,
        bounds="nothing",
        evidence=evidence,
        sentence=sentence,
    )
)
