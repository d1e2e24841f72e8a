"""One unit a word in the replay: parameters of rules, functions, results, sessions, sweeps, incidents and vectorbt.

As `test_units` for the models, in a vocabulary of its own: `UNITS` gives the unit of every name, whether it is a parameter,
a field or a column. A new name without a unit fails, and so does a name that no longer exists. What both vocabularies know
means the same in both, or is named in `OTHER_UNIT_IN_MODELS` with the reason.
"""

from __future__ import annotations

import importlib
import inspect
import re
import typing
from collections import defaultdict
from collections.abc import Iterator

import pytest
from house.test_units import CONTRADICTS, Use, _of_class, _of_function
from house.test_units import UNIT_OF as UNIT_IN_MODELS
from streams import random_log

import riskkit as rk
from riskkit.replay.results.decisions import Decision
from riskkit.replay.rules import catalogue
from riskkit.replay.rules.parameters import unit_of

ROOMS = ("replay", "sweeps", "incidents", "vbt")
TOP = (rk.Session, rk.EventLog, rk.ReplayResult, Decision, rk.replay_log, rk.compare)

# ---------------------------------------------------------------------- parameters of rules

PARAMETERS = [
    (kind, name, unit_of(annotation))
    for kind in catalogue.__all__
    for name, annotation in typing.get_type_hints(getattr(rk.rules, kind), include_extras=True).items()
]


@pytest.mark.parametrize(("kind", "name", "unit"), PARAMETERS, ids=lambda part: part if isinstance(part, str) else "")
def test_every_parameter_of_a_rule_declares_its_unit(kind, name, unit):
    assert unit is not None, f"{kind}.{name} has no unit"
    assert (unit.name == "duration") == name.endswith("_ns"), f"{kind}.{name}: _ns is the mark of a duration"


def test_a_parameter_of_a_name_has_one_unit_in_every_rule():
    units = defaultdict(set)
    for _, name, unit in PARAMETERS:
        units[name].add(unit.name)
    several = {name for name, found in units.items() if len(found) > 1}
    # in the unit of what the rule observes; max_dd falls from a peak of summed returns, or is a fraction of one of money;
    # above is a gross exposure from which shares are judged, or a share from which a position is charged
    assert several == {"limit", "max_dd", "above"}


# ---------------------------------------------------------------------- functions, results and sessions

NUMBERS = re.compile(r"\b(int|float|numbers?|ndarray|array-like|Series|DataFrame|Timedelta|time)\b")
UNITS = {
    "time, nanoseconds since the epoch (a door also takes a Timestamp)": """
        at latest sample_times since start start_ns stop times ts until
    """,
    "duration, nanoseconds (a door also takes a text or a Timedelta)": """
        episode_ns freq horizon horizon_ns ids_ns lasting_ns sample_ns spacing_ns
    """,
    "months": "once_in_months",
    "seconds": "first_rejection time_to_stop",
    "trading days": "block embargo_days test_days train_days",
    "hour of the day": "roll_hour",
    "money": """
        cash cost drawdown equity fees gain limits loss loss_at_stop loss_with_limits losses losses_with_limits lowest notional
        notional_accepted pnl profit profit_by_orphan_policy profits_by_policy realised total traded traded_accepted value
        volatility
    """,
    "money of the integer 1": "quantum",
    "money per share": "close marks price tick",
    "money per unit of another currency": "rate rates",
    "shares": "lot market_volume qty",
    "fraction": "coverage crossed flatten overlap percentile scale scales slippage through",
    "periods": "after",
    "periods per year": "periods_per_year",
    "true or false": "entries exits short_entries short_exits",
    "count": """
        brokers chunk decimals digits external moments order_faults orders orders_accepted orphan_exits permutations resamples
        symbols threads
    """,
    "number of an account": "accounts_by_currency",
    "number of an event, a row or a bar": "bar first_difference row seq source_rows",
    "seed": "seed",
    "code": "kind",
    "as the rule observes": "limit lower observed upper values",
    "units of the rule set per integer": "unit",
    "several units, by column": "frame keys observations policies",
    "shares, money or a fraction, by size_type": "targets",
}
UNIT_OF = {name: unit for unit, names in UNITS.items() for name in names.split()}
# by place: a word of vectorbt, and a table in one door whose rows another one counts
SEVERAL_UNITS = {
    "headroom": {
        "Decision.headroom": "as the rule observes",
        "OrderDecision.headroom": "as the rule observes",
        "propose_limits(headroom)": "factor",
    },
    "size": {
        "Engine.size": "count",
        "Sampler.size": "count",
        "OrderDecision.size": "shares",
        "run_signals_with_limits(size)": "shares, money or a fraction, by size_type",
    },
    "trades": {"log_from_trades(trades)": "several units, by column", "synthetic_floorsheet(trades)": "count"},
}
OTHER_UNIT_IN_MODELS = {
    "block": "days are the periods of a calibration",
    "drawdown": "of profit, in money: an account may have no capital of which it is a fraction",
    "horizon": "the replay has no periods",
    "scale": "a factor of all limits; of a distribution the width, as in its literature",
    "observed": "a test observes its statistic, a rule what it limits",
    "times": "the replay has no periods",
    "trades": "a model's trades are quantities",
    "after": "days that follow, not money",
    "pnl": "in money, not in the unit of the input",
    "values": "settings of a rule, not returns",
    "volatility": "of P&L, in money",
}


def uses() -> Iterator[Use]:
    """Every number among the parameters of public functions and methods and the fields of results."""
    listed = [getattr(module, name) for module in map(_room, ROOMS) for name in module.__all__]
    for public in (*TOP, *listed):
        if inspect.isclass(public):
            yield from _of_class(public)
        elif callable(public):
            yield from _of_function(public, public.__name__)


def _room(name: str) -> object:
    return importlib.import_module(f"riskkit.{name}")


TEXTS = {"first_rule", "order_id", "tz", "zones"}  # documented together with a number
USES = [use for use in uses() if NUMBERS.search(use.type) and use.name not in TEXTS]


def test_every_name_has_a_unit_and_every_unit_a_use():
    used = {use.name for use in USES} | set(columns_of_results())
    assert sorted(used - UNIT_OF.keys() - SEVERAL_UNITS.keys()) == []
    assert sorted(UNIT_OF.keys() - used) == []
    assert {use.place for use in USES if use.name in SEVERAL_UNITS} == {
        place for places in SEVERAL_UNITS.values() for place in places
    }
    assert len(UNIT_OF) == sum(len(names.split()) for names in UNITS.values()), "a name has two units"
    assert not UNIT_OF.keys() & SEVERAL_UNITS.keys()


def test_a_name_of_the_models_has_the_unit_that_it_has_there():
    common = {
        name for name, unit in UNIT_OF.items() if UNIT_IN_MODELS.get(name, unit).split(",")[0] != unit.split(",")[0]
    }
    common |= SEVERAL_UNITS.keys() & UNIT_IN_MODELS.keys()
    assert sorted(common) == sorted(OTHER_UNIT_IN_MODELS)


def columns_of_results() -> list[str]:
    """Number columns of the frames of a replay."""
    result = rk.replay_log(random_log(1, 60), rk.RuleSet([]), compiled=False)
    frames = result.to_frame(), result.halts(), result.accounts(), result.positions()
    texts = {"account", "decision", "rule", "objecting", "key", "unit"}
    return sorted({str(name) for frame in frames for name in frame.columns} - texts)


@pytest.mark.parametrize("use", [use for use in USES if use.name in UNIT_OF], ids=lambda use: use.place)
def test_a_description_fits_the_unit_of_its_name(use):
    unit = UNIT_OF[use.name]
    assert use.text, f"{use.place} has no description"
    assert not (unit in CONTRADICTS and re.search(CONTRADICTS[unit], use.text, re.I)), f"{unit}, but: {use.text}"
    if use.name.endswith("_ns"):
        assert re.search(r"nanoseconds|time|As in|See", use.text, re.I), f"{use.place}: {use.text}"
