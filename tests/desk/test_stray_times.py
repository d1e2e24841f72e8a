"""One wrong time changes nothing for the right ones: no trip is lifted, no feed dies, no memory grows."""

from __future__ import annotations

import pytest

import riskkit as rk
from riskkit import InputError
from riskkit.desk import Bar, MarketStream, PositionTracker, RiskManager, RiskState, Tick, TradeTooOldError, validate

DAY = 86_400_000_000_000
NOW, STRAY = 20_000 * DAY, 4 * 10**18
MINUTE = 60_000_000_000
TRADE = {"ticker": "A", "side": "buy", "quantity": 1, "price": 1.0}


@pytest.mark.parametrize(
    "bad", [STRAY, NOW - DAY, 10**5_000, "soon", float("nan")], ids=["far ahead", "back", "huge", "text", "nan"]
)
def test_a_tripped_breaker_does_not_open_by_a_wrong_time(bad):
    breaker = rk.CircuitBreaker(daily_loss=10)
    breaker.record_trade(-20, now=NOW)
    assert not breaker.can_execute(now=bad) and not breaker.open_position(now=bad)
    with pytest.raises(InputError):
        breaker.record_trade(-1, now=bad)
    assert breaker.tripped and breaker.daily_loss == 20.0
    assert not breaker.can_execute(now=NOW + 1) and breaker.can_execute(now=NOW + DAY)


def test_a_loss_at_a_wrong_time_is_counted_if_times_are_clamped():
    breaker = rk.CircuitBreaker(daily_loss=10, on_bad_time="clamp", max_ahead="2d")
    breaker.record_trade(-1, now=NOW)
    for bad in (STRAY, NOW - 1, "soon"):
        breaker.record_trade(-4, now=bad)
    assert breaker.tripped and breaker.daily_loss == 13.0
    breaker.reset(now=STRAY)  # by hand, to any time
    assert breaker.can_execute(now=STRAY + 1)


def test_a_drawdown_at_an_earlier_time_counts():
    state = RiskState()
    state.update(100.0, timestamp=STRAY)
    state.update(50.0, timestamp=NOW)
    assert state.current_drawdown == 0.5 and state.late == 1
    assert not validate(TRADE, {}, 1000.0, state=state).approved
    state.update(90.0, timestamp=NOW + 1)  # late as well: it lowers nothing
    assert state.current_drawdown == 0.5 and state.late == 2 and state.last_updated == STRAY


def test_a_far_evaluation_is_refused_and_changes_nothing():
    state = RiskState()
    state.update(100.0, timestamp=NOW)
    with pytest.raises(InputError, match="max_ahead is 366 d"):
        state.update(50.0, timestamp=STRAY)
    assert state.current_drawdown == 0.0 and state.last_updated == NOW


@pytest.mark.parametrize("kind", ["ticks", "bars"])
def test_a_feed_goes_on_after_a_stray_time(kind):
    def item(stamp: int):
        prices = {"A": 1.0}
        return Tick(stamp, "A", 1.0) if kind == "ticks" else Bar(stamp, prices, prices, prices, prices, {"A": 1})

    minutes = [item(NOW + n * MINUTE) for n in range(50)]
    stream = MarketStream([minutes[0], item(STRAY), *minutes[1:]])
    assert stream.run() == 50 and stream.rejected == {"ahead": 1}
    later = [item(STRAY + n * MINUTE) for n in range(50)]
    stream = MarketStream([*minutes, *later])  # a second one confirms a jump
    assert stream.run() == 99 and stream.rejected == {"ahead": 1}


def test_a_stray_trade_or_price_does_not_make_the_right_ones_late():
    tracker = PositionTracker({"A": 1}, remember=3)
    tracker.set_price("A", 1, NOW)
    calls = {
        "price": lambda: tracker.set_price("A", 9, STRAY),
        "trade": lambda: tracker.update("u", "m", "A", 1, 1, timestamp=STRAY, trade_id="stray"),
        "swap": lambda: tracker.swap("u", "m", "A", 1, "A", 1, timestamp=STRAY),
        "period": lambda: tracker.close_period(STRAY),
    }
    before = tracker.digest
    for call in calls.values():
        with pytest.raises(InputError, match="after the time before it; max_ahead is 366 d"):
            call()
    assert tracker.digest == before
    for n in range(20):
        tracker.update("u", "m", "A", 1, 1, timestamp=NOW + n, trade_id=n)
    assert tracker.set_price("A", 2, NOW + 1)


@pytest.mark.parametrize("stamps", ["equal", "first is the latest", "falling"])
def test_trade_ids_are_bounded_whatever_the_times(stamps):
    tracker = PositionTracker({"A": 1}, remember=10)
    for n in range(1_000):
        stamp = {"equal": NOW, "first is the latest": NOW + DAY * (n == 0) + n, "falling": NOW - n}[stamps]
        try:
            tracker.update("u", "m", "A", 1, 1, timestamp=stamp, trade_id=n)
        except TradeTooOldError:
            assert stamps != "first is the latest"
    assert len(tracker._trade_ids) <= (10 if stamps == "first is the latest" else 100)


def test_a_price_of_a_time_that_has_not_come_is_stale():
    tracker = PositionTracker({"A": 1})
    tracker.set_price("A", 1, NOW)
    tracker.update("u", "m", "A", 1, 1, timestamp=NOW)
    assert tracker.get("u", "m", "A", NOW - 5).stale
    (token,) = tracker.exposure("u", NOW - 5).tokens
    assert token["price_age"] == -5 and token["stale"]


def test_a_manager_takes_no_time_that_goes_back_or_far_ahead():
    manager = RiskManager(1_000, bars_per_day=1)
    manager.add_ticker("A", price=1.0, volatility=0.1, timestamp=NOW)
    for bad in (NOW - 1, STRAY):
        calls = [lambda: manager.set_price("A", 2.0, bad), lambda: manager.on_bar({"A": 2.0}, bad)]  # noqa: B023
        calls.append(lambda: manager.execute_trade("A", 1, "buy", timestamp=bad))  # noqa: B023
        for call in calls:
            with pytest.raises(InputError):
                call()
    assert manager.execute_trade("A", 1, "buy", timestamp=NOW).executed
