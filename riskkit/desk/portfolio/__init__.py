"""Evaluation of a portfolio and pre-trade checks against limits: `evaluate`, `validate` and their batches."""

from riskkit.desk.portfolio.batch import PreTradeChecks, evaluate_batch, validate_batch
from riskkit.desk.portfolio.evaluation import Evaluation, evaluate
from riskkit.desk.portfolio.position_values import PositionValues
from riskkit.desk.portfolio.risk_state import RiskReading, RiskState
from riskkit.desk.portfolio.validation import TradeRequest, validate

__all__ = [
    "Evaluation",
    "PositionValues",
    "PreTradeChecks",
    "RiskReading",
    "RiskState",
    "TradeRequest",
    "evaluate",
    "evaluate_batch",
    "validate",
    "validate_batch",
]
