"""Stress tests: historical, hypothetical and reverse scenarios, and stressed covariance.

Losses of a book
    stress_test, StressTest, ScenarioCube (P&L by scenario and position on disk)
Historical stress
    historical_stress, HistoricalStress, historical_scenarios, episodes, HISTORICAL_EPISODES, Episode, INDEX_DROPS, IndexDrop,
    similar_periods
Published by supervisors
    REGULATORY_SCENARIOS, RegulatoryScenario
Hypothetical scenarios
    shock_scenarios, factor_scenarios, factor_loadings, FactorLoadings, scale_scenarios, rate_shocks
Views and shocks
    conditional_moves, ConditionalMoves, entropy_pooling, PooledScenarios
Stressed covariance
    stress_covariance, CovarianceStress
Reverse stress
    reverse_stress, reverse_stress_pnl, ReverseStress
Plausibility
    mahalanobis_distance, plausibility
"""

from riskkit._names import suggest_names
from riskkit.stress.conditional import ConditionalMoves, conditional_moves
from riskkit.stress.correlation import CovarianceStress, stress_covariance
from riskkit.stress.cube import ScenarioCube
from riskkit.stress.elliptical import mahalanobis_distance, plausibility
from riskkit.stress.entropy_pooling import PooledScenarios, entropy_pooling
from riskkit.stress.historical_losses import HistoricalStress, historical_stress
from riskkit.stress.historical_moves import episodes, historical_scenarios
from riskkit.stress.historical_windows import HISTORICAL_EPISODES, Episode
from riskkit.stress.hypothetical import factor_scenarios, shock_scenarios
from riskkit.stress.index_drops import INDEX_DROPS, IndexDrop
from riskkit.stress.loadings import FactorLoadings, factor_loadings
from riskkit.stress.rate_shocks import rate_shocks
from riskkit.stress.regulatory_scenarios import REGULATORY_SCENARIOS, RegulatoryScenario
from riskkit.stress.reverse_scenario import ReverseStress, reverse_stress, reverse_stress_pnl
from riskkit.stress.scenario_losses import StressTest, stress_test
from riskkit.stress.similarity import similar_periods
from riskkit.stress.volatility import scale_scenarios

__all__ = [
    "HISTORICAL_EPISODES",
    "INDEX_DROPS",
    "REGULATORY_SCENARIOS",
    "RegulatoryScenario",
    "ConditionalMoves",
    "IndexDrop",
    "PooledScenarios",
    "conditional_moves",
    "entropy_pooling",
    "rate_shocks",
    "similar_periods",
    "CovarianceStress",
    "Episode",
    "FactorLoadings",
    "HistoricalStress",
    "ReverseStress",
    "ScenarioCube",
    "StressTest",
    "episodes",
    "factor_loadings",
    "factor_scenarios",
    "historical_scenarios",
    "mahalanobis_distance",
    "plausibility",
    "historical_stress",
    "reverse_stress",
    "reverse_stress_pnl",
    "scale_scenarios",
    "shock_scenarios",
    "stress_covariance",
    "stress_test",
]

suggest_names(
    __name__,
    {
        "stress_test": "scenario_analysis stress_scenarios what_if",
        "historical_stress": "crises interesting_times stress_periods historical_replay replay_history",
        "conditional_moves": "conditional_stress",
    },
)
