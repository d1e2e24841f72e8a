"""Published scenarios: fractions with signs that fit, and their way through factors to instruments."""

import numpy as np
import pandas as pd
import pytest

from riskkit import stress_test
from riskkit.stress import REGULATORY_SCENARIOS, factor_scenarios, shock_scenarios

RISES = {"unemployment"}
VARIABLES = {"gdp", "world_gdp", "unemployment", "house_prices", "commercial_property", "equities", "emerging_equities"}


@pytest.mark.parametrize("name", REGULATORY_SCENARIOS)
def test_moves_are_fractions_of_an_adverse_sign_with_a_source(name):
    scenario = REGULATORY_SCENARIOS[name]
    assert scenario.published[:4] in name and scenario.source and set(scenario.moves) <= VARIABLES
    for variable, move in scenario.moves.items():
        assert 0.0 < (move if variable in RISES else -move) < 1.0
    assert all(0.0 < level < 1.0 for level in scenario.levels.values())


def test_what_is_not_published_follows_and_reaches_the_book():
    names = ["gdp", "unemployment", "equities"]
    spread, together = np.diag([0.02, 0.015, 0.2]), [[1.0, -0.7, 0.5], [-0.7, 1.0, -0.4], [0.5, -0.4, 1.0]]
    covariance = pd.DataFrame(spread @ np.array(together) @ spread, names, names)
    macro = shock_scenarios(
        {"EBA 2025": REGULATORY_SCENARIOS["EBA 2025"].moves}, names, others="expected", covariance=covariance
    )
    known, rest = covariance.iloc[:2, :2], covariance.iloc[2, :2]
    expected = rest @ np.linalg.solve(known, [-0.063, 0.061])
    assert macro.iloc[0].tolist() == pytest.approx([-0.063, 0.061, expected]) and expected < -0.2
    loadings = pd.DataFrame([[0.0, 0.0, 1.1], [0.5, 0.0, 0.2]], ["shares", "credit"], names)
    losses = stress_test(pd.Series({"shares": 100.0, "credit": 50.0}), factor_scenarios(loadings, macro)).losses
    assert losses.iloc[0, 0] == pytest.approx(-110.0 * expected - 50.0 * (0.5 * -0.063 + 0.2 * expected))


AS_TOLD = {
    "EBA 2021": "gdp -3.6 unemployment 4.7 house_prices -16.1 commercial_property -31.2 equities -50 emerging_equities -65",
    "EBA 2023": "gdp -6.0 unemployment 6.1",
    "EBA 2025": "gdp -6.3 unemployment 6.1 inflation 5.0",
    "Bank of England 2022": (
        "gdp -5 world_gdp -2.5 house_prices -31 commercial_property -45 unemployment 8.5 bank_rate 6 inflation 17"
    ),
    "Federal Reserve 2023": "unemployment 6.4 house_prices -38 commercial_property -40 unemployment 10",
    "Federal Reserve 2025": "unemployment 5.9 house_prices -33 commercial_property -30 unemployment 10",
}
"""Percent, in the words of the press releases of the day (of the EBA 2021, 2023 and 2025 and the Federal Reserve 2023: as reported)."""


@pytest.mark.parametrize("name", REGULATORY_SCENARIOS)
def test_numbers_are_those_of_the_press_release(name):
    scenario = REGULATORY_SCENARIOS[name]
    words = AS_TOLD[name].split()
    told = [(variable, float(percent) / 100.0) for variable, percent in zip(words[::2], words[1::2], strict=True)]
    found = [*scenario.moves.items(), *scenario.levels.items()]
    assert [variable for variable, _ in sorted(found)] == [variable for variable, _ in sorted(told)]
    assert [number for _, number in sorted(found)] == pytest.approx([number for _, number in sorted(told)])
