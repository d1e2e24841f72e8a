"""Published scenarios of bank supervisors, as moves of macroeconomic variables."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from riskkit._docs import with_described_fields


@with_described_fields
class RegulatoryScenario(NamedTuple):
    """Adverse scenario that a supervisor has published.

    Attributes
    ----------
    published_by : str
        The supervisor.
    published : str
        Month of the publication.
    horizon : str
        Period in which the moves happen.
    moves : mapping of str to float
        Variable -> move over the horizon, as fractions: relative for gdp, world_gdp, house_prices, commercial_property,
        equities and emerging_equities; absolute for unemployment (0.06 for 6 percentage points). Only what is published as one
        number.
    levels : mapping of str to float
        Variable -> peak, for what is published as a level: unemployment, bank_rate, inflation; fractions.
    source : str
        Title of the document.

    Examples
    --------
    >>> from riskkit.stress import REGULATORY_SCENARIOS
    >>> REGULATORY_SCENARIOS["EBA 2021"].moves["gdp"]
    -0.036
    """

    published_by: str
    published: str
    horizon: str
    moves: Mapping[str, float]
    levels: Mapping[str, float]
    source: str


_EBA, _EU = (
    "European Banking Authority and European Systemic Risk Board",
    "EU-wide stress test: macro-financial scenario",
)

REGULATORY_SCENARIOS: Mapping[str, RegulatoryScenario] = MappingProxyType(
    {
        "EBA 2021": RegulatoryScenario(
            _EBA,
            "2021-01",
            "2021 to 2023; equities in the first year",
            {
                "gdp": -0.036,
                "unemployment": 0.047,
                "house_prices": -0.161,
                "commercial_property": -0.312,
                "equities": -0.50,
                "emerging_equities": -0.65,
            },
            {},
            f"2021 {_EU}",
        ),
        "EBA 2023": RegulatoryScenario(
            _EBA, "2023-01", "2023 to 2025", {"gdp": -0.060, "unemployment": 0.061}, {}, f"2023 {_EU}"
        ),
        "EBA 2025": RegulatoryScenario(
            _EBA,
            "2025-01",
            "2025 to 2027; inflation in the first year",
            {"gdp": -0.063, "unemployment": 0.061},
            {"inflation": 0.05},
            f"2025 {_EU}",
        ),
        "Bank of England 2022": RegulatoryScenario(
            "Bank of England",
            "2022-09",
            "first year; commercial property from start to trough",
            {"gdp": -0.05, "world_gdp": -0.025, "house_prices": -0.31, "commercial_property": -0.45},
            {"unemployment": 0.085, "bank_rate": 0.06, "inflation": 0.17},
            "Stress testing the UK banking system: key elements of the 2022/23 annual cyclical scenario",
        ),
        "Federal Reserve 2023": RegulatoryScenario(
            "Board of Governors of the Federal Reserve System",
            "2023-02",
            "two years",
            {"unemployment": 0.064, "house_prices": -0.38, "commercial_property": -0.40},
            {"unemployment": 0.10},
            "2023 Stress Test Scenarios, severely adverse",
        ),
        "Federal Reserve 2025": RegulatoryScenario(
            "Board of Governors of the Federal Reserve System",
            "2025-02",
            "two years",
            {"unemployment": 0.059, "house_prices": -0.33, "commercial_property": -0.30},
            {"unemployment": 0.10},
            "2025 Stress Test Scenarios, severely adverse",
        ),
    }
)
"""Severe scenarios by supervisor and year. `moves` is what `riskkit.stress.shock_scenarios` takes: with ``others="expected"`` the
variables that are not published follow by regression, and `riskkit.stress.factor_scenarios` carries all of them to instruments."""
