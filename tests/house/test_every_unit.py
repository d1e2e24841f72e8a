"""What takes no observations has the same answer in any unit, too; what takes them is a door of `test_doors`."""

from __future__ import annotations

import inspect
from importlib import import_module

import pytest
from house.test_doors import UNITS, assert_same
from model_doors import DOORS, PACKAGES
from public_names import public_names
from unit_rows import FORMULAS, ROWS, WITHOUT_UNIT

AREAS = {package.partition(".")[0] for package in PACKAGES} | {"liquidity", "instruments", "frtb"}
PURE = {name for names in WITHOUT_UNIT.values() for name in names.split()}


def test_every_model_is_a_door_or_has_a_row_or_a_reason():
    functions = {
        f"{public.area}.{public.name}"
        for public in public_names()
        if public.area.partition(".")[0] in AREAS
        and inspect.isfunction(getattr(import_module(public.module), public.name))
    }
    covered = {name.partition(":")[0] for name in DOORS} | ROWS.keys() | PURE
    assert sorted(name for name in functions - covered if not name.startswith(FORMULAS)) == []
    assert sorted((ROWS.keys() | PURE) - functions) == []
    assert not ROWS.keys() & PURE


@pytest.mark.parametrize("name", ROWS)
def test_a_result_does_not_depend_on_the_unit(name, long):
    row = ROWS[name]
    expected = row.call(1.0)
    for unit in UNITS if long else UNITS[::3]:
        assert_same(row.call(unit), expected, unit**row.power)
