"""The loops of rules in force, stretch by stretch of events.

All loops of a history share one state, with the records of every rule that is ever in force; rules that are not in force have
no part in a loop's text. A change of numbers alone is the same loop with other arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from riskkit.replay.engine.background import AwaitedLoop
from riskkit.replay.engine.compiler import ReplayLoop, Tier, fixed_arguments
from riskkit.replay.engine.rule_memory import change_rules
from riskkit.replay.engine.samples import Samples
from riskkit.replay.engine.shape import RuleShape, Shape
from riskkit.replay.engine.state import Calendars, Opening, State, new_state
from riskkit.replay.rules.history import RuleHistory, Stretch
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.universe import Universe

TRACKED = tuple(name for name in Shape._fields if name not in ("rules", "groups", "columns"))


class Part(NamedTuple):
    """A stretch with its loop, and the loop's arguments beside columns and state."""

    stretch: Stretch
    loop: ReplayLoop
    fixed: dict[str, Any]


def shapes_of(history: RuleHistory, shape_for: Callable[[RuleSet], Shape]) -> list[Shape]:
    """The shape of each stretch's loop: all keep the books that any of them needs."""
    shapes = [shape_for(stretch.rules) for stretch in history.stretches]
    kept: dict[str, Any] = {name: any(getattr(shape, name) for shape in shapes) for name in TRACKED}
    kept["netted"] = all(shape.netted for shape in shapes)
    kept["groups"] = tuple(dict.fromkeys(group for shape in shapes for group in shape.groups))
    return [
        shape._replace(
            rules=tuple(rule if rule.number in stretch.on else _silent(rule) for rule in shape.rules),
            **kept,
        )
        for shape, stretch in zip(shapes, history.stretches, strict=True)
    ]


def _silent(rule: RuleShape) -> RuleShape:
    """A rule that judges nothing; the engine keeps its counts of working orders and of credit, and its covariance."""
    judges_nothing = rule._replace(can_pause=False, checks_on=(), alerts_on=())
    counts = rule.covariance or rule.credit
    return judges_nothing if counts else judges_nothing._replace(updates_on=(), hooks=())


def opening_state(history: RuleHistory, universe: Universe, opened: Opening, found: Calendars, slots: int) -> State:
    """The state before the first event; see `new_state`."""
    rules = history.stretches[0].rules
    return new_state(universe, opened, rules, [rule.to_integers(universe) for rule in rules], found, slots)


def parts_of(
    history: RuleHistory,
    shapes: Sequence[Shape],
    universe: Universe,
    found: Calendars,
    samples: Samples,
    compiled: Tier,
) -> list[Part]:
    """The loop of each stretch, with its parameters and terms."""
    parts = []
    for stretch, shape in zip(history.stretches, shapes, strict=True):
        params = [rule.to_integers(universe) for rule in stretch.rules]
        fixed = fixed_arguments(stretch.rules, params, found, samples, universe)
        loop = (
            AwaitedLoop(stretch.rules, shape)
            if compiled == "background"
            else ReplayLoop(stretch.rules, shape, compiled=compiled)
        )
        parts.append(Part(stretch, loop, fixed))
    return parts


def feed_parts(
    parts: Sequence[Part],
    state: State,
    columns: Mapping[str, np.ndarray],
    universe: Universe,
    start: int,
    stop: int,
    *,
    copy: bool = True,
    through: bool = False,
) -> Iterator[np.ndarray]:
    """Run events [start, stop), each by the rules in force, and yield decision rows; see `ReplayLoop.feed`.

    With `through`, the rules change to those of the event `stop`, too.
    """
    for number, part in enumerate(parts):
        first = part.stretch.start
        end = parts[number + 1].stretch.start if number + 1 < len(parts) else stop
        if number and start <= first < stop + through:
            yield change_rules(state, universe, parts[number - 1].stretch, part.stretch)
        if max(start, first) < min(stop, end):
            yield from part.loop.feed(state, columns, part.fixed, max(start, first), min(stop, end), copy=copy)


def reach(parts: Sequence[Part], state: State, columns: Mapping[str, np.ndarray], universe: Universe, row: int) -> Part:
    """Run the events before a row; return the part in force there."""
    for _ in feed_parts(parts, state, columns, universe, 0, row, copy=False, through=True):
        pass
    return [part for part in parts if part.stretch.start <= row][-1]
