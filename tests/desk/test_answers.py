"""What the desk answers goes through JSON and back, and every field of it is validated on the way in."""

import json
import math
from decimal import Decimal
from fractions import Fraction

import pandas as pd
import pytest

from riskkit import InputError
from riskkit.desk import (
    DashboardMetrics,
    IngestStatistics,
    Position,
    PositionTracker,
    RequestError,
    RiskManager,
    UserExposure,
    UserMetrics,
)


def through_json(answer):
    return type(answer).from_dict(json.loads(json.dumps(answer.to_dict(), allow_nan=False)))


def tracker() -> PositionTracker:
    made = PositionTracker({"ETH": "1e-18", "BTC": "1e-8", "WEI": 1}, max_ahead="30000d")  # times of tests
    made.set_price("ETH", 2_000, 5)
    made.set_price("WEI", "0.000000000000002", 5)
    made.update("ann", "m", "ETH", "1.000000000000000001", "1800.5", 1_700_000_000_123_456_789, "a")
    made.update("ann", "n", "WEI", -(2**200) - 1, "1e-15", 1_700_000_000_123_456_790)
    made.update("bob", "m", "BTC", "-0.5", 40_000, 7)  # without a price
    return made


def manager() -> RiskManager:
    made = RiskManager(10_000, bars_per_day=1)
    closes = pd.DataFrame({"AAPL": [100.0, 101.0, 99.0, 102.0], "TLT": [90.0, 90.5, 90.0, 91.0]})
    made.warm_up(closes)
    return made


@pytest.mark.parametrize("user", ["ann", "bob"])
def test_positions(user):
    for position in tracker().positions_of(user):
        again = through_json(position)
        assert again == position and type(again.amount) is Decimal
        assert str(again.amount) == str(position.amount)  # every digit, beyond 64 bits too
        assert hash(again) == hash(position) and again.to_dict() == position.to_dict()


def test_exposures_metrics_and_statistics():
    made = tracker()
    for timestamp in (None, 6, 10**12):
        exposure = made.exposure("ann", timestamp)
        assert through_json(exposure) == exposure and exposure.stale == through_json(exposure).stale
        pd.testing.assert_frame_equal(through_json(exposure).to_frame(), exposure.to_frame())
    assert made.exposure("ann", 6) != made.exposure("ann", 7)
    empty = made.metrics("ann")
    assert through_json(empty) == empty and empty.sharpe is None
    for day in range(1, 6):
        made.set_price("ETH", 2_000 + day % 3, 1_700_000_000_123_456_789 + day)
        made.close_period(1_700_000_000_123_456_789 + day)
    full = made.metrics("ann")
    assert through_json(full) == full and full.var is not None
    trade = {"user": "ann", "market": "m", "token": "ETH", "amount": "1", "price": 1_800, "timestamp": 10**18 * 2}
    statistics = made.ingest([trade, {**trade, "trade_id": "a"}, {"user": "u"}])
    assert through_json(statistics) == statistics and len(statistics.problems) == 2
    assert isinstance(through_json(statistics).problems[0], tuple)


def test_dashboards():
    made = manager()
    for ticker, quantity in ((None, 0), ("AAPL", 10), ("TLT", 3)):
        if ticker:
            assert made.execute_trade(ticker, quantity, "buy").executed
        board = made.get_dashboard_metrics()
        again = through_json(board)
        assert again == board and again.to_dict() == board.to_dict()
        pd.testing.assert_frame_equal(
            again.to_frame(), board.to_frame(), check_index_type=False, check_dtype=ticker is not None
        )
        pd.testing.assert_series_equal(
            again.component_var, board.component_var, check_names=False, check_index_type=False
        )
        assert repr(again) == repr(board) and again._repr_html_() == board._repr_html_()
    assert len({board, again}) == 1 and board != manager().get_dashboard_metrics()


def test_a_dashboard_without_a_number_has_none():
    short = RiskManager(100, bars_per_day=1, short_selling=True)
    short.add_ticker("X", price=10.0, volatility=0.02)
    assert short.execute_trade("X", 10, "sell").executed
    short.on_bar({"X": 40.0}, 1)
    board = short.get_dashboard_metrics()
    assert board.value < 0 and board.volatility is None and board.to_dict()["holdings"]["X"]["weight"] is None
    assert through_json(board) == board and math.isnan(through_json(board).holdings["weight"]["X"])


POSITION = {
    "user": "ann", "market": "m", "token": "ETH", "amount": "1.5", "average_cost": 1.0, "cost": 1.5, "realized": 0.0,
    "price": 2.0, "value": 3.0, "unrealized": 1.5, "opened": 1, "updated": 2,
}  # fmt: skip
TOKEN = {"token": "ETH", "amount": "1", "value": 1.0, "gross": 1.0, "share": 1.0, "price_age": 0, "stale": False}
EXPOSURE = {"user": "ann", "total": 1.0, "net": 1.0, "tokens": [TOKEN]}
METRICS = {
    **dict.fromkeys(["concentration", "var", "max_drawdown", "sharpe", "win_rate", "average_trade_size"]),
    "user": "ann", "total_exposure": 1.0, "n_trades": 1, "realized": 0.0, "unrealized": 0.0, "fees": 0.0, "n_periods": 0,
}  # fmt: skip
STATISTICS = {
    "rows": 1, "accepted": 1, "rejected": 0, "duplicates": 0, "users": 1, "markets": {"m": 1}, "errors": {},
    "traded": 1.0, "first": 1, "last": 1,
}  # fmt: skip
BOARD = {
    "value": 1.0, "cash": 1.0, "pnl_volatility": 0.0, "volatility": 0.0, "var": 0.0, "stressed_var": None,
    "component_var": {}, "holdings": {}, "drawdown": 0.0, "confidence": 0.95,
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "data", "field", "value"),
    [
        *((Position, POSITION, "amount", value) for value in (1.5, "many", "NaN", None, Fraction(3, 2), True)),
        (Position, POSITION, "user", ""),
        (Position, POSITION, "price", None),
        (Position, POSITION, "price", -1.0),
        (Position, POSITION, "opened", "soon"),
        (Position, POSITION, "price_age", 1.5),
        (Position, POSITION, "stale", 1),
        (Position, POSITION, "color", "red"),
        (UserExposure, EXPOSURE, "total", -1.0),
        (UserExposure, EXPOSURE, "tokens", {"ETH": 1}),
        (UserExposure, EXPOSURE, "tokens", [{"token": "ETH"}]),
        (UserExposure, EXPOSURE, "tokens", [{**TOKEN, "amount": 0.1}]),
        (UserExposure, EXPOSURE, "timestamp", "soon"),
        (UserMetrics, METRICS, "n_trades", -1),
        (UserMetrics, METRICS, "n_trades", True),
        (UserMetrics, METRICS, "sharpe", float("nan")),
        (UserMetrics, METRICS, "fees", None),
        (IngestStatistics, STATISTICS, "markets", ["m"]),
        (IngestStatistics, STATISTICS, "errors", {"x": -1}),
        (IngestStatistics, STATISTICS, "problems", [[1]]),
        (IngestStatistics, STATISTICS, "problems", "x"),
        (DashboardMetrics, BOARD, "var", -1.0),
        (DashboardMetrics, BOARD, "confidence", 95),
        (DashboardMetrics, BOARD, "component_var", [1.0]),
        (DashboardMetrics, BOARD, "component_var", {"X": float("inf")}),
        (DashboardMetrics, BOARD, "holdings", {"X": {"quantity": 1}}),
        (DashboardMetrics, BOARD, "holdings", {"X": 1}),
    ],
)
def test_a_field_that_does_not_fit_is_named(kind, data, field, value):
    assert through_json(kind.from_dict(data)) == kind.from_dict(data)
    with pytest.raises(RequestError) as caught:
        kind.from_dict({**data, field: value})
    assert caught.value.field == field and isinstance(caught.value, InputError)
    for name in data:
        with pytest.raises(RequestError, match=f"field '{name}' is missing"):
            kind.from_dict({key: one for key, one in data.items() if key != name})
