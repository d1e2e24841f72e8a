"""Options of the test suite."""

import pytest
from hypothesis import settings

# What a commit is judged by is the same every time; `make fuzz` looks for what nobody has seen yet.
settings.register_profile("same", derandomize=True)
settings.register_profile("new")
settings.load_profile("same")


def pytest_addoption(parser):
    parser.addoption(
        "--cases",
        action="append",
        metavar="FILE",
        help="reference cases to run instead of the shipped ones (tests/test_reference.py); may be repeated",
    )
    parser.addoption(
        "--scenarios",
        action="append",
        metavar="DIR",
        help="folders of scenario files to run instead of tests/scenarios (tests/test_scenarios.py); may be repeated",
    )


@pytest.fixture(scope="session")
def vbt():
    """Importing it costs seconds."""
    return pytest.importorskip("vectorbt", reason="vectorbt is not installed; it comes with the extra 'notebooks'")
