"""Options of the test suite."""


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
