"""Options of the test suite."""

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
