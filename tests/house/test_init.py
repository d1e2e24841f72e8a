"""The public names: a short list at top level, each loaded when it is used, the rest in modules; and types for all."""

import subprocess
import sys
from types import ModuleType

import pytest

import riskkit
import riskkit.replay

MODULES = {name: value for name in riskkit.__all__ if isinstance(value := getattr(riskkit, name), ModuleType)}


@pytest.mark.parametrize("name", riskkit.__all__)
def test_every_public_name_is_there(name):
    assert getattr(riskkit, name) is not None


def test_the_list_at_top_level_is_short():
    assert len(riskkit.__all__) <= 60
    assert len(set(riskkit.__all__)) == len(riskkit.__all__)


@pytest.mark.parametrize("module", MODULES)
def test_a_public_module_lists_what_it_has(module):
    listed = MODULES[module].__all__
    assert len(set(listed)) == len(listed)
    for name in listed:
        assert getattr(MODULES[module], name) is not None


def test_a_class_name_of_two_modules_is_one_class():
    owners: dict[str, list[object]] = {}
    for module in MODULES.values():
        for name in module.__all__:
            if isinstance(getattr(module, name), type):
                owners.setdefault(name, []).append(getattr(module, name))
    double = {name for name, things in owners.items() if len({id(thing) for thing in things}) > 1}
    assert not double


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("valu_at_risk", "value_at_risk"),
        ("PositionLimit", "rules.PositionLimit"),
        ("kupiec", "var_backtest.kupiec_pof"),
    ],
)
def test_a_wrong_name_suggests_the_right_one(wrong, right):
    with pytest.raises(AttributeError, match=f"no public name '{wrong}'; did you mean riskkit.{right}\\?"):
        getattr(riskkit, wrong)


@pytest.mark.lengthy
def test_every_public_module_suggests_a_name_of_its_own_or_of_another_one():
    for name, module in MODULES.items():
        own = module.__all__[0]
        for wrong, right in ((f"{own}x", f"riskkit.{name}.{own}"), ("kupiec_poff", "riskkit.var_backtest.kupiec_pof")):
            with pytest.raises(AttributeError) as refused:
                getattr(module, wrong)
            assert str(refused.value) == f"{module.__name__} has no public name {wrong!r}; did you mean {right}?"
        assert not hasattr(module, "_repr_html_")


def test_a_name_like_none_points_to_the_list():
    with pytest.raises(AttributeError, match=r"no public name 'xyzzyx'; see riskkit.__all__"):
        _ = riskkit.xyzzyx


def test_modules_are_there_from_the_first_moment():
    program = (
        "import riskkit as rk; print(rk.var.historical([0.1, -0.1, 0.2], 0.9).var > 0, rk.rules.PositionLimit(limit=1))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("True PositionLimit(")
