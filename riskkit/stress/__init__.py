"""Stress: history replayed, shocks, correlations and volatilities moved, and the scenario behind a given loss."""

from riskkit.stress.correlation import CovarianceStress, stress_covariance
from riskkit.stress.episodes import episode_table, historical_scenarios
from riskkit.stress.loadings import FactorLoadings, factor_loadings
from riskkit.stress.losses import StressTest, stress_test
from riskkit.stress.plausibility import mahalanobis_distance, plausibility
from riskkit.stress.replay import HistoricalStress, replay_history
from riskkit.stress.reverse import ReverseStress, reverse_stress, reverse_stress_pnl
from riskkit.stress.shocks import factor_scenarios, shock_scenarios
from riskkit.stress.volatility import scale_scenarios
from riskkit.stress.windows import EPISODES, Episode

__all__ = [
    "EPISODES",
    "CovarianceStress",
    "Episode",
    "FactorLoadings",
    "HistoricalStress",
    "ReverseStress",
    "StressTest",
    "episode_table",
    "factor_loadings",
    "factor_scenarios",
    "historical_scenarios",
    "mahalanobis_distance",
    "plausibility",
    "replay_history",
    "reverse_stress",
    "reverse_stress_pnl",
    "scale_scenarios",
    "shock_scenarios",
    "stress_covariance",
    "stress_test",
]
