"""No trade passes because something failed inside its check: it is refused, with what failed, and changes nothing."""

from __future__ import annotations

import numpy as np
import pytest

import riskkit as rk
from riskkit.desk import DeskLimits, LiveDesk, MarketStream, RiskManager, RiskState, validate
from riskkit.desk.core.exact import ExactPrice
from riskkit.desk.manager import ledger, limit_check, risk
from riskkit.desk.market.live_covariance import LiveCovariance
from riskkit.replay.rules import circuit_breaker
from riskkit.rules import MaxOrderQty

LIMITS = DeskLimits(var_limit=1e6, max_position_size=0.9, max_drawdown=0.9)
PLACES = {
    "cash": (limit_check.LimitChecker, "_insolvent"),
    "VaR limit": (limit_check.LimitChecker, "_var_exceeded"),
    "size limit": (limit_check.LimitChecker, "_size_exceeded"),
    "drawdown limit": (limit_check.LimitChecker, "_drawdown_exceeded"),
    "estimator": (risk.IncrementalRisk, "after"),
    "covariance": (LiveCovariance, "matrix"),
    "price": (ExactPrice, "money"),
    "book": (ledger.Ledger, "balanced"),
    "state": (limit_check, "corruption"),
}
ERRORS = [
    RuntimeError("gone\nAPPROVED"),
    ZeroDivisionError(),
    MemoryError(),
    KeyError("A"),
    RecursionError(),
    OSError(5, "I/O"),
]


def manager() -> RiskManager:
    made = RiskManager(10_000, limits=LIMITS, bars_per_day=1)
    made.add_ticker("A", price=100.0, volatility=0.02)
    return made


def failing(error: BaseException):
    def fail(*args: object, **options: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("place", PLACES)
def test_a_trade_is_refused_if_its_check_fails(place, error, monkeypatch):
    desk = manager()
    before = desk.digest
    with monkeypatch.context() as patch:
        where, name = PLACES[place]
        patch.setattr(where, name, property(failing(error)) if name == "matrix" else failing(error))
        checks = [desk.check_trade_impact("A", 1, "buy"), desk.execute_trade("A", 1, "buy")]
        for check in checks:
            assert not check.approved and not check.executed
            assert check.reason.startswith(f"the check failed: {type(error).__name__}") and "\n" not in check.reason
    assert desk.digest == before and desk.execute_trade("A", 1, "buy").executed


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_risk_that_is_no_number_is_beyond_its_limit(wrong):
    desk = manager()
    desk._risk.covariance.matrix[0, 0] = wrong
    assert not desk.execute_trade("A", 1, "buy").approved
    state = RiskState()
    state.reading.__dict__["current_drawdown"] = np.nan
    assert not validate({"ticker": "A", "side": "buy", "quantity": 1, "price": 1.0}, {}, 100.0, state=state).approved


@pytest.mark.parametrize("method", ["process_order", "snapshot"])
def test_a_live_desk_refuses_if_its_rules_fail(method, monkeypatch):
    rules = rk.RuleSet([rk.Rule("size", MaxOrderQty(limit=5))])
    session = rk.Session.create(rules, [rk.Instrument("A")], [rk.Account("desk")], mode="enforce", compiled=False)
    desk = LiveDesk(manager(), MarketStream([]), session=session)
    assert desk.check("A", 1, "buy").approved
    monkeypatch.setattr(rk.Session, method, failing(RuntimeError("gone")))
    assert desk.check("A", 1, "buy").reason == "the check failed: RuntimeError: gone"
    if method == "process_order":
        assert not desk.execute("A", 1, "buy").executed and desk.manager.approved == 0


@pytest.mark.parametrize("name", ["check", "day_starts"])
def test_a_breaker_says_no_if_its_check_fails(name, monkeypatch):
    breaker = rk.CircuitBreaker(open_positions=1)
    monkeypatch.setattr(circuit_breaker, name, failing(RuntimeError("gone")))
    assert not breaker.open_position(now=10**18)
    assert breaker.open_positions == 0
