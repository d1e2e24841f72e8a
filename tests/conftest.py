"""Options of the test suite: how much is run, and on which cases."""

import os
import subprocess
import sys
from collections import defaultdict
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings
from hypothesis.internal.conjecture import providers

collect_ignore = ["guided_fuzz.py"]  # needs atheris, and instruments what it imports

# No property is judged by a clock. What a commit is judged by is the same every time; `make fuzz` looks for new cases.
CALM = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("same", derandomize=True, **CALM)
settings.register_profile("new", **CALM)

AT_MOST = {"fast": 10, "usual": 40, "long": 10_000}  # examples of a property
FEW = 5


def pytest_addoption(parser):
    parser.addoption(
        "--fast",
        action="store_const",
        const="fast",
        dest="extent",
        default="usual",
        help="few examples, and only tests that import no numba and start no process",
    )
    parser.addoption(
        "--few",
        action="store_true",
        help="two cases of each parametrized test, and none that takes more than a third of a second",
    )
    parser.addoption(
        "--long", action="store_const", const="long", dest="extent", help="all examples of each property, on new cases"
    )
    parser.addoption(
        "--cases",
        action="append",
        metavar="FILE",
        help="reference cases to run instead of the shipped ones (tests/proofs/test_reference.py); may be repeated",
    )
    parser.addoption(
        "--scenarios",
        action="append",
        metavar="DIR",
        help="folders of scenario files to run instead of tests/scenarios (tests/proofs/test_scenarios.py); may be repeated",
    )


def pytest_configure(config):
    os.environ["RISKKIT_QUIET"] = "1"  # notebooks print the same whether or not their loops are compiled
    settings.load_profile("new" if config.option.extent == "long" else "same")
    if config.option.extent != "long":
        # It also draws the numbers and texts that stand in imported modules, and which those are hangs on the test before.
        providers._get_local_constants = lambda: providers._local_constants
    if config.option.extent == "fast":
        sys.meta_path.insert(0, Uncompiled())
    config.pluginmanager.register(ClosedFigures(), "closed figures")


class ClosedFigures:
    """Closes what a test or an example drew: matplotlib warns at the twenty-first open figure of a process."""

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_teardown(self):
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")


class Uncompiled:
    """Leaves out a test as soon as it imports numba."""

    def find_spec(self, name, path=None, target=None):
        if name == "numba":
            pytest.skip("compiles: in `make test`", allow_module_level=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Leave out a test as soon as it starts a process, in the fast run."""
    if item.config.option.extent != "fast":
        return (yield)
    with patch.object(subprocess.Popen, "__init__", _start_no_process):
        return (yield)


def _start_no_process(*_, **__):
    pytest.skip("starts a process: in `make test`")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Limit the examples of a property, leave slow tests out of the fast run, and keep in one process what shares work."""
    most = FEW if config.option.few else AT_MOST[config.option.extent]
    if config.option.few:
        keep_few(config, items)
    for item in items:
        if config.option.extent == "fast" and item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="takes seconds: in `make test`"))
        if not item.get_closest_marker("xdist_group") and shares_work(item):
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))
        test = getattr(getattr(item, "obj", None), "__func__", getattr(item, "obj", None))
        if is_hypothesis_test(test):
            asked = test._hypothesis_internal_use_settings or settings.default
            test._hypothesis_internal_use_settings = settings(asked, max_examples=min(asked.max_examples, most))


def keep_few(config, items):
    """Keep the first and the last case of each parametrized test, and no test that is marked lengthy."""
    cases = defaultdict(list)
    for item in items:
        if not item.get_closest_marker("lengthy"):
            cases[item.nodeid.partition("[")[0]].append(item)
    kept = {item for all_of in cases.values() for item in (all_of[0], all_of[-1])}
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = [item for item in items if item in kept]


def shares_work(item):
    """Whether it is a cell of a notebook, or has a fixture of its file, which each process would make anew."""
    fixtures = getattr(item, "_fixtureinfo", None)
    found = fixtures.name2fixturedefs.values() if fixtures else ()
    return item.path.suffix == ".ipynb" or any(made.scope == "module" for made, *_ in found)


@pytest.fixture
def long(request):
    """Whether the long run was asked for."""
    return request.config.option.extent == "long"


@pytest.fixture(scope="session")
def vbt():
    """Importing it costs seconds."""
    return pytest.importorskip("vectorbt", reason="vectorbt is not installed; it comes with the extra 'notebooks'")
