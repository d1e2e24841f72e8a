"""What the tests draw is the same whatever ran before them."""

import sys
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st


def drawn() -> list[int]:
    found = []

    @settings(max_examples=200, derandomize=True, database=None)
    @given(st.integers(0, 10**9))
    def draw(number):
        found.append(number)

    draw()
    return found


def test_an_imported_module_changes_no_case(monkeypatch, tmp_path, long):
    if long:
        pytest.skip("the long run looks for new cases")
    before = drawn()
    module = ModuleType("full_of_constants")
    module.__file__ = str(tmp_path / "full_of_constants.py")
    (tmp_path / "full_of_constants.py").write_text("\n".join(f"_{n} = {n}" for n in range(10**6, 10**6 + 400)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "full_of_constants", module)
    assert drawn() == before
