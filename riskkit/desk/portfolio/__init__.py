"""One portfolio and one trade held against limits: `evaluate`, `validate`, one by one and in batches."""

from riskkit.desk.portfolio.batch import Validations, evaluate_batch, validate_batch
from riskkit.desk.portfolio.evaluation import Evaluation, evaluate
from riskkit.desk.portfolio.holdings import Positions
from riskkit.desk.portfolio.risk_state import RiskReading, RiskState
from riskkit.desk.portfolio.validation import Trade, Validation, validate

__all__ = [
    "Evaluation",
    "Positions",
    "RiskReading",
    "RiskState",
    "Trade",
    "Validation",
    "Validations",
    "evaluate",
    "evaluate_batch",
    "validate",
    "validate_batch",
]
