"""Fractions above 1: each parameter of each rule type is a fraction, which refuses them, or a ratio, which has a reason."""

from __future__ import annotations

import pytest

from riskkit import InputError
from riskkit.replay.rules import catalogue
from riskkit.replay.rules.parameters import fits
from riskkit.replay.rules.rule import rule_types

RATIOS = {
    ("leverage", "limit"): "exposure is a multiple of the equity",
    ("order_to_trade", "limit"): "messages a fill",
    ("unexecuted_orders", "limit"): "messages a fill",
    ("unexecuted_volume", "limit"): "quantity for each unit of a fill",
    **{("price_band", name): "a bound is a multiple of a price" for name in ("up", "down", "ask_up", "ask_down")},
    ("spoofing", "multiple"): "an order may be many times a fill",
    **{(f"{name}_margin", "factor"): "a measure of risk is multiplied by it" for name in ("initial", "maintenance")},
    **{(f"{name}_margin", "x"): "days of volume" for name in ("initial", "maintenance")},
    ("order_to_parent", "limit"): "children may be allowed a margin above their parent",
}
assert catalogue.__all__  # importing it registers the types
PARAMETERS = {
    (kind.name, name): unit
    for kind in rule_types()
    for name, unit in kind.units().items()
    if unit.name in ("fraction", "ratio")
}


def test_every_ratio_has_a_reason():
    assert {key for key, unit in PARAMETERS.items() if unit.name == "ratio"} == RATIOS.keys()


@pytest.mark.parametrize("key", PARAMETERS, ids="-".join)
def test_a_percentage_is_refused_where_only_a_fraction_fits(key):
    unit, name = PARAMETERS[key], key[1]
    fits("1", unit, name)
    if key in RATIOS:
        fits(5, unit, name)
        return
    with pytest.raises(InputError, match=f"{name}=5 is above 1; a fraction is at most 1: use 0.05 for 5 %"):
        fits(5, unit, name)
