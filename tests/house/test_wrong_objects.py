"""Public functions that take a log, rules or a result refuse another object in a sentence that names both."""

from __future__ import annotations

import inspect

import pytest

import riskkit as rk
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.results.result import ReplayResult
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.comparison import ReplayComparison

GOOD = {"EventLog": rk.replay.tiny_log([1, 2]), "RuleSet": RuleSet([rk.Rule("r", rk.rules.MaxOrderQty(limit=1))])}
KINDS = {kind.__name__: kind for kind in (EventLog, RuleSet, ReplayResult, ReplayComparison)}


def doors():
    """Each public function with a parameter of one of these classes."""
    for module in (rk, rk.replay, rk.sweeps, rk.incidents, rk.vbt, rk.presets, rk.report, rk.desk):
        for name in module.__all__:
            function = getattr(module, name)
            if not inspect.isfunction(function):
                continue
            for parameter in inspect.signature(function).parameters.values():
                if str(parameter.annotation) in KINDS:
                    yield pytest.param(
                        function, parameter.name, str(parameter.annotation), id=f"{name}-{parameter.name}"
                    )


@pytest.mark.parametrize(("function", "name", "kind"), list(doors()))
def test_another_object_is_refused(function, name, kind):
    given = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == name:
            given[name] = 5
        elif parameter.default is inspect.Parameter.empty and parameter.kind not in (
            parameter.VAR_KEYWORD,
            parameter.VAR_POSITIONAL,
        ):
            given[parameter.name] = GOOD.get(str(parameter.annotation).split(" | ")[0])
    with pytest.raises(rk.InputError, match=f"^{name} is an int; give an? {kind}$"):
        function(**given)
