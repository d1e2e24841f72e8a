"""Risk that is learned: forecasts by gradient boosting beside simple ones, and refused where those do as well (extra `learn`).

The next period's VaR and ES
    learned_risk, LearnedRisk, tail_features
Whether an account breaches a limit soon
    breach_probability, BreachForecast
"""

from riskkit._names import suggest_names
from riskkit.learn.breach import BreachForecast, breach_probability
from riskkit.learn.features import tail_features
from riskkit.learn.next_risk import LearnedRisk, learned_risk

__all__ = ["BreachForecast", "LearnedRisk", "breach_probability", "learned_risk", "tail_features"]

suggest_names(__name__)
