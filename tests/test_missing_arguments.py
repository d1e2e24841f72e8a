"""A call of any public function without an argument that it needs is one sentence with its name and a call that has it."""

from __future__ import annotations

import inspect
import pickle
import types

import numpy as np
import pytest
from refusing import refusal

import riskkit as rk


def public_functions(module=rk, path="riskkit"):
    """The public functions of a module and of the modules in its list, by path."""
    found = {}
    for name in module.__all__:
        value = getattr(module, name)
        if isinstance(value, types.ModuleType) and hasattr(value, "__all__"):
            found |= public_functions(value, f"{path}.{name}")
        elif inspect.isfunction(value):
            found[f"{path}.{name}"] = value
    return found


def needed(function):
    parameters = inspect.signature(function).parameters.values()
    return [
        one.name
        for one in parameters
        if one.default is one.empty and one.kind.name not in ("VAR_POSITIONAL", "VAR_KEYWORD")
    ]


FUNCTIONS = {path: function for path, function in public_functions().items() if needed(function)}


@pytest.mark.parametrize("path", FUNCTIONS)
def test_what_is_missing_is_said_with_a_call(path):
    function = FUNCTIONS[path]
    said = refusal(function)
    for name in needed(function):
        assert name in said.partition(function.__name__ + "(")[0], said
    assert said.startswith(f"{function.__name__} needs ") and f"{function.__name__}(" in said


def test_only_what_is_missing_is_said():
    assert refusal(rk.simulate_risk, 1, [100.0]).startswith(
        "simulate_risk needs draws, as in simulate_risk(NormalReturns("
    )
    assert "needs rng, as in" in refusal(rk.sweeps.calibrate_loss_limit, [1.0, -1.0])


def test_a_call_that_is_wrong_otherwise_is_as_it_was():
    with pytest.raises(TypeError, match="unexpected keyword argument 'what'"):
        rk.simple_returns([1.0, 2.0], what=3)
    with pytest.raises(TypeError, match="positional arguments but 9 were given|takes .* positional arguments?"):
        rk.simple_returns(*range(9))


def test_a_public_function_is_one_object_that_can_be_pickled():
    for path, function in FUNCTIONS.items():
        assert pickle.loads(pickle.dumps(function)) is function, path
    assert rk.value_at_risk is rk.var.value_at_risk
    assert list(inspect.signature(rk.value_at_risk).parameters)[:3] == ["returns", "confidence", "method"]
    assert rk.value_at_risk(np.linspace(-0.1, 0.1, 201), 0.95).var > 0
