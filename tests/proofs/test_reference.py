"""Published and recomputed reference numbers: each `quantity` is a call of riskkit.

    python -m pytest tests/proofs/test_reference.py --cases FILE

runs the cases of any such file. Without the option: the cases shipped in tests/reference/, and the larger collection
beside the checkout where there is one. `tests/quantities/` maps the names to calls.
"""

from pathlib import Path

import numpy as np
import pytest
from reference.cases import Case, Inputs, discover, load

SHIPPED = Path(__file__).parents[1] / "reference" / "cases.json"
FORMS = SHIPPED.with_name("forms.json")
FURTHER = sorted(SHIPPED.parent.glob("cases[2-9].json"))
BESIDE = Path(__file__).parents[2].parent / "shared" / "reference" / "cases.json"


def chosen_cases(files):
    if files:
        return [case for name in files for case in load(Path(name))]
    cases = [case for path in (SHIPPED, *FURTHER, FORMS) for case in load(path)]
    shipped = {case.id for case in cases}
    if BESIDE.exists():
        cases += [case for case in load(BESIDE) if case.id not in shipped]
    return cases


def pytest_generate_tests(metafunc):
    if "case" in metafunc.fixturenames:
        cases = chosen_cases(metafunc.config.getoption("cases"))
        metafunc.parametrize("case", cases, ids=[case.id for case in cases])


def failure_of(case):
    """Why a case fails, or None; a quantity that nobody maps fails."""
    quantities, broken = discover()
    if case.quantity not in quantities:
        return f"no module in tests/quantities maps {case.quantity!r}" + (f"; not loaded: {broken}" if broken else "")
    try:
        answer = quantities[case.quantity](case.inputs)
    except KeyError as error:
        return f"the form of this case is not known: {error.args[0]}; it has {list(case.inputs)}"
    if case.inputs.unread:
        return f"the form of this case is not known: nothing reads {', '.join(case.inputs.unread)}"
    return case.verdict(answer)


def test_case(case):
    why = failure_of(case)
    assert why is None, f"{case.id} ({case.quantity}; {case.source}):\n{why}"


def test_every_module_of_quantities_loads_and_maps_its_own():
    assert discover()[1] == {}


def test_shipped_cases_are_those_without_a_file():
    if not BESIDE.exists():
        pytest.skip("the larger collection of cases is not beside this checkout")
    beside = load(BESIDE)
    inline = {case.id: case for case in beside if "file" not in case.inputs}
    shipped = {case.id: case for case in load(SHIPPED)}
    assert shipped.keys() == inline.keys()
    for name, case in shipped.items():
        assert (case.inputs, case.expected, case.tolerance) == (
            inline[name].inputs,
            inline[name].expected,
            inline[name].tolerance,
        )


# The runner itself can fail.


def a_case(expected, case_id="some-case", quantity="q", **tolerance):
    return Case(case_id, quantity, Inputs({}), expected, tolerance, "")


@pytest.mark.parametrize(
    ("expected", "answer"),
    [
        ({"var": 1.0}, 1.2),
        ({"var": 1.0}, {"es": 1.0}),
        ({"var": 1.0, "es": 2.0}, 1.0),
        ({"var": [1.0, 2.0]}, [1.0]),
        ({"var": [1.0, 2.0]}, [1.0, 2.2]),
        ({"var": 1.0}, float("nan")),
        ({"var": 1.0}, float("inf")),
        ({"var": 1.0}, None),
        ({"var": 1.0}, True),
        ({"reject": True}, 1.0),
        ({"zone": "red"}, "green"),
        ({"bound": None}, 3),
        ({"marginal": 1.0}, [1.2]),
        ({"marginal": 1.0}, [1.0, 1.0]),
        ({"marginal": 1.0}, [[1.0]]),
        ({"marginal": 1.0}, []),
        ({"marginal": 1.0}, [float("nan")]),
        ({"reject": True}, [1.0]),
        ({"marginal": [1.0]}, 1.2),
        ({"marginal": [1.0]}, None),
        ({"marginal": [None]}, None),
        ({"marginal": [1.0, 1.0]}, 1.0),
        ({"marginal": [[1.0]]}, 1.0),
    ],
)
def test_a_wrong_answer_fails(expected, answer):
    assert a_case(expected, abs=0.1).verdict(answer) is not None


@pytest.mark.parametrize(
    ("expected", "answer"),
    [
        ({"var": 1.0}, 1.05),
        ({"var": [1.0, 2.0]}, (1.0, 2.05)),
        ({"var": 1.0, "zone": "red"}, {"var": 1, "zone": "red", "more": 2}),
        ({"reject": [True, False]}, [True, False]),
        ({"bound": None}, None),
        ({"bound": None}, float("nan")),
        ({"bound": None}, float("inf")),
        ({"marginal": 1.0}, [1.05]),
        ({"marginal": 1.0, "sum": 2.0}, {"marginal": np.array([1.0]), "sum": 2.0}),
        ({"marginal": [1.0]}, 1.05),
        ({"reject": [True]}, True),
    ],
)
def test_a_right_answer_passes(expected, answer):
    assert a_case(expected, abs=0.1).verdict(answer) is None


def test_tolerance_is_the_larger_of_abs_and_rel():
    assert a_case({"x": 100.0}, abs=0.1, rel=0.01).verdict(100.9) is None
    assert a_case({"x": 100.0}, abs=0.1, rel=0.01).verdict(101.1) is not None
    assert a_case({"x": 100.0}).verdict(100.0) is None


def test_a_known_defect_must_be_missed():
    defect = a_case({"var": 1.0, "sum": -0.5}, "some-BUG", abs=0.01)
    assert defect.verdict({"var": 1.0, "sum": 1.0}) is None
    assert defect.verdict({"var": 1.0, "sum": -0.5}) == "the defect is reproduced"
    assert defect.verdict({"var": 2.0}) is not None, "leaving a number out is not missing it"
    assert defect.verdict(2.0) is not None


def test_a_quantity_nobody_maps_fails():
    assert "maps 'no such quantity'" in failure_of(a_case({}, quantity="no such quantity"))


@pytest.mark.parametrize(
    ("quantity", "inputs", "why"),
    [
        ("kupiec_pof", {"crossings": [0, 1], "observations": 2, "p": 0.5}, "file"),
        ("sharpe_monthly", {"monthly": [0.1, 0.2]}, "the case has no file and none of"),
        ("sharpe_annual_arithmetic", {"returns": [0.1, 0.2, 0.3], "periods": "lunar"}, "lunar"),
        ("stdev_sample", {"returns": [0.1, 0.2], "weights": [1, 2]}, "nothing reads weights"),
        ("historical_var_type1", {"file": "reference/two_series.csv", "p": 0.5}, "the file has x, y"),
    ],
)
def test_a_form_that_nobody_knows_fails_in_a_sentence(quantity, inputs, why, tmp_path):
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "two_series.csv").write_text("x,y\n1,2\n3,4\n", encoding="utf-8")
    said = failure_of(Case("unknown-form", quantity, Inputs(inputs, tmp_path), {"value": 1.0}, {}, ""))
    assert said.startswith("the form of this case is not known: ") and why in said
