"""Scenario limit: the loss of an account's positions in the worst of given scenarios, as the nodes of a spot and volatility ladder.

Unit: money. The losses of one long are data: an array of amounts by instrument, as of CME SPAN, or its sensitivities, from which
each node of a ladder follows: multiplier x (delta dS + gamma dS^2 / 2 + vega dv), with the move of the underlying dS in money of
one unit and that of its volatility dv in the unit of vega. Positions count with the worst of the other working orders, in each
scenario, the order as filled. Exactly the limit passes, and so does an order after which the largest excess over a limit is smaller.
Sensitivities have an age: exactly `max_age_ns` is fresh. Source: CME SPAN risk arrays; J. Hull, Options, Futures, and Other
Derivatives, chapter on the Greek letters (delta, gamma and vega).
"""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import Any, NamedTuple

from riskkit._docs import counted
from riskkit.replay.kernels.book import Book
from riskkit.replay.kernels.records import Record, Words
from riskkit.replay.rules.catalogue.initial_margin import after
from riskkit.replay.rules.catalogue.margin_legs import AFTER, BEFORE, Leg
from riskkit.replay.rules.catalogue.margin_models import loss_words, scenario_loss, whole
from riskkit.replay.rules.parameters import (
    Amounts,
    Duration,
    Limit,
    MissingPrice,
    Moment,
    Money,
    ScenarioArrays,
    duration_text,
    if_unpriced,
)
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Measure, Verdict, unpriced
from riskkit.replay.schema.columns import EventRow
from riskkit.replay.schema.constants import LARGEST
from riskkit.replay.schema.durations import duration
from riskkit.replay.schema.universe import Universe, exact

GREEKS = 3  # delta, gamma and vega


class ScenarioLimit(NamedTuple):
    """The loss in the worst scenario after the order is at most `limit`, and in each scenario at most its own of `cell_limits`.

    Give `arrays`, or `sensitivities` with `spot_moves` and `vol_moves`. What is held of an instrument without data loses nothing.

    Parameters
    ----------
    arrays
        By instrument, what one long gains in each scenario.
    sensitivities
        By instrument: delta, gamma, vega of one unit of its underlying; riskkit multiplies by the instrument's multiplier.
    spot_moves
        Moves of the underlying, in money of one unit.
    vol_moves
        Moves of its volatility, in the unit of vega; each joins each spot move.
    cell_limits
        The largest loss in each scenario: spot move by spot move, within one volatility move by move.
    as_of
        Time of the data; with `max_age_ns`.
    max_age_ns
        Age up to which the data are fresh; older, `on_missing_price` decides.

    Examples
    --------
    >>> from riskkit import Rule
    >>> ladder = {"sensitivities": {"C": ["0.5", "0.02", "10"]}, "spot_moves": [-10, 0, 10], "vol_moves": [-1, 1]}
    >>> print(Rule("ladder", ScenarioLimit(limit=5_000, **ladder)))
    ladder: a loss of at most 5,000 in the worst of 6 scenarios after the order, with working orders, for each account.
    Orders and modifications that would breach it are rejected (severity WARN).
    """

    limit: Limit[Money] = None
    arrays: ScenarioArrays = None
    sensitivities: ScenarioArrays = None
    spot_moves: Amounts = None
    vol_moves: Amounts = None
    cell_limits: Amounts = None
    as_of: Moment = None
    max_age_ns: Duration = None
    on_missing_price: MissingPrice = "reject"


def arrays_at(state: Record, memory: Words) -> int:
    """Where the arrays begin, after the number of scenarios and the limit of each."""
    return state.memory + 1 + memory[state.memory]


def worst_cell(
    params: Any, state: Record, memory: Words, book: Book, held: Record, instruments: Record, stage: int, ordered: Leg
) -> Verdict:
    """The scenario with the largest excess over its limit: its loss and limit, and OBJECT if that is a breach."""
    base = arrays_at(state, memory)
    worst = Verdict(PASS, 0, 0)
    for scenario in range(memory[state.memory]):
        loss = whole(scenario_loss(memory, base, book, held, instruments, stage, ordered, scenario))
        limit = min(params.limit, memory[state.memory + 1 + scenario])
        if scenario == 0 or loss - limit > worst.observed - worst.limit:
            worst = Verdict(OBJECT if loss > limit else PASS, loss, limit)
    return worst


def has_data(params: Any, state: Record, event: EventRow, memory: Words) -> bool:
    """True if the data have the instrument of the event, and are fresh."""
    base = arrays_at(state, memory)
    known = memory[base + 2 + event.instrument * (memory[base] + 1)] != 0
    return known and (params.max_age_ns == LARGEST or event.ts - params.as_of <= params.max_age_ns)


def check(
    state: Record, params: Any, book: Book, event: EventRow, memory: Words, instruments: Record, held: Record
) -> Verdict:
    """Compare the losses after the order with the limits; without an order, return the present ones."""
    if event.instrument < 0:
        now = worst_cell(params, state, memory, book, held, instruments, BEFORE, Leg(0, 0, 0))
        return Verdict(PASS, now.observed, now.limit)
    if not has_data(params, state, event, memory):
        return unpriced(params.on_missing_price, 0, 0)
    then = worst_cell(params, state, memory, book, held, instruments, AFTER, after(book, event, 0))
    if then.code == PASS:
        return then
    before = worst_cell(params, state, memory, book, held, instruments, BEFORE, Leg(0, 0, 0))
    lowers = then.observed - then.limit < before.observed - before.limit
    return Verdict(PASS if lowers else OBJECT, then.observed, then.limit)


# ---------------------------------------------------------------------- data


def losses_of(params: Any, multiplier: Any) -> dict[str, list[Fraction]]:
    """Losses of one long in each scenario by instrument; ``multiplier`` is that of an instrument by its label."""
    if params.arrays is not None:
        return {label: [-exact(gain, "arrays") for gain in gains] for label, gains in params.arrays.items()}
    spots = [exact(move, "spot_moves") for move in params.spot_moves]
    vols = [exact(move, "vol_moves") for move in params.vol_moves]
    found = {}
    for label, greeks in params.sensitivities.items():
        delta, gamma, vega = (exact(number, "sensitivities") for number in greeks)
        size = multiplier(label)
        found[label] = [-size * (delta * spot + gamma * spot * spot / 2 + vega * vol) for spot in spots for vol in vols]
    return found


def words(params: Any, universe: Universe) -> list[int]:
    """The shared workspace: the number of scenarios, the limit of each, and the losses of one long lot."""
    sizes = {instrument.id: instrument.multiplier for instrument in universe.instruments}
    losses = loss_words(losses_of(params, lambda label: sizes.get(label, Fraction(1))), universe)
    limits = [min(floor(exact(one, "cell_limits") / universe.quantum), LARGEST) for one in params.cell_limits or ()]
    return [losses[0], *(limits or [LARGEST] * losses[0]), *losses]


def scenarios(params: Any) -> int:
    """Number of scenarios."""
    if params.arrays is not None:
        return len(next(iter(params.arrays.values())))
    return len(params.spot_moves) * len(params.vol_moves)


def misfit(rule: Any) -> str:
    """Reason why the parameters do not fit together; empty if they do."""
    params = rule.parameters
    ladder = [getattr(params, name) is not None for name in ("sensitivities", "spot_moves", "vol_moves")]
    if (params.arrays is None) != all(ladder) or (params.arrays is not None and any(ladder)):
        return (
            "the losses are arrays, or follow from sensitivities, spot_moves and vol_moves; give the one or the three"
        )
    if params.sensitivities is not None and len(next(iter(params.sensitivities.values()))) != GREEKS:
        return "sensitivities are delta, gamma and vega of each instrument"
    if not any(any(losses) for losses in losses_of(params, lambda label: Fraction(1)).values()):
        return "nobody loses or gains in any scenario; give an amount, or a sensitivity and a move, other than 0"
    if params.cell_limits is not None and len(params.cell_limits) != scenarios(params):
        return f"cell_limits are one for each of {counted(scenarios(params), 'scenario')}, and got {len(params.cell_limits)}"
    if any(exact(limit, "cell_limits") < 0 for limit in params.cell_limits or ()):
        return "a limit of cell_limits is at or above zero"
    if (params.as_of is None) != (params.max_age_ns is None):
        return "data have an age by as_of and max_age_ns; give both"
    return ""


def lacks(params: Any, instrument: str) -> bool:
    """True if the data have nothing of an instrument."""
    return instrument not in (params.arrays if params.arrays is not None else params.sensitivities)


def sentence(params: ScenarioLimit) -> str:
    """The limit in words."""
    cells = counted(scenarios(params), "scenario")
    caps = [f"of at most {params.limit} in the worst of {cells}"] if params.limit is not None else []
    caps += [f"within the limit of each of {cells}"] if params.cell_limits is not None else []
    age = (
        ""
        if params.max_age_ns is None
        else f", by data at most {duration_text(duration(params.max_age_ns, 'max_age_ns'))} old"
    )
    return f"a loss {' and '.join(caps)} after the order, with working orders{age}{if_unpriced(params)}"


SCENARIO_LIMIT = register(
    RuleType(
        name="scenario_limit",
        parameters=ScenarioLimit,
        state=("memory",),
        check=check,
        shared_workspace=words,
        requires=frozenset({"orders"}),
        reads=frozenset({"exposure"}),
        observes=Measure.MONEY,
        standing=True,
        looks_at=frozenset({"positions"}),
        one_of=("limit", "cell_limits"),
        misfit=misfit,
        lacks=lacks,
        sentence=sentence,
    )
)
