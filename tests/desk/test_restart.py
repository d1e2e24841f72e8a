"""After a restart from plain data an object goes on as if it had not stopped; a wrong leaf is refused in one sentence."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from hostile_files import GONE, WRONG, leaves, manager, risk_state, tracker, with_leaf

import riskkit as rk
from riskkit import InputError
from riskkit.desk import (
    Alert,
    AlertSystem,
    LiveCovariance,
    LiveDesk,
    MarketStream,
    PositionTracker,
    RecordedBars,
    RiskManager,
    RiskState,
    SimulatedTicks,
    Tick,
)

DAY = 86_400_000_000_000


def breaker() -> rk.CircuitBreaker:
    made = rk.CircuitBreaker(daily_loss="100.5", open_positions=3, tz="America/New_York", roll_hour=17)
    made.record_trade(-90, now=20_000 * DAY)
    made.open_position()
    made.record_error()
    return made


def system() -> AlertSystem:
    made = AlertSystem({"a": lambda one: None, "b": lambda one: None}, deduplicate="60s", keep=10)
    for n in range(3):
        made.post(Alert(f"{n:016x}", "ann", f"limit {n}", "WARN", "too much.", n, metrics={"observed": 1.5}))
    made.mute(rule="limit 9", until=DAY)
    made.acknowledge(f"{0:016x}", who="bob", timestamp=5)
    return made


def test_a_breaker_goes_on_with_the_loss_of_the_day():
    first = breaker()
    again = rk.CircuitBreaker.from_state(json.loads(json.dumps(first.state())))
    assert again.digest == first.digest and again.status() == first.status()
    for made in (first, again):
        made.record_trade("-10.50", now=20_000 * DAY + 1)
    assert first.tripped and again.digest == first.digest
    assert rk.CircuitBreaker.from_state(again.state()).tripped
    assert again.can_execute(now=20_001 * DAY)


def test_alerts_go_on_with_what_was_told_acknowledged_and_muted():
    first = system()
    told: list[Alert] = []
    again = AlertSystem.from_state(
        json.loads(json.dumps(first.state())), {"a": told.append}, deduplicate="60s", keep=10
    )
    assert again.digest == first.digest
    assert again.history().equals(first.history())
    assert again.deliver() == 3 and [one.timestamp for one in told] == [0, 1, 2]
    assert not again.post(Alert("9", "eve", "limit 9", "WARN", "too much.", 1))  # muted
    assert not again.post(Alert("8", "ann", "limit 1", "WARN", "too much.", 2))  # a repeat
    assert not again.post(Alert(f"{2:016x}", "ann", "limit 5", "WARN", "too much.", DAY))  # the same id


def stream() -> MarketStream:
    made = MarketStream([Tick(n * 30_000_000_000, "AB"[n % 2], 100.0 + n) for n in range(12)])
    for _ in range(3):
        next(made)
    return made


def covariance() -> LiveCovariance:
    made = LiveCovariance(0.9, "renormalized")
    made.step({"A": 0.02})
    made.step({"A": -0.01, "B": 0.03})
    return made


def live_desk(bars: int = 2) -> LiveDesk:
    closes = pd.DataFrame({"A": [10.0, 10.5, 10.0]}, index=[60, 120, 180])
    made = LiveDesk(RiskManager(1_000, bars_per_day=1), MarketStream(RecordedBars(closes)), session=session())
    made.step(bars)
    made.execute("A", 9, "buy")
    made.execute("A", 2, "buy")
    return made


def session() -> rk.Session:
    rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=5))])
    return rk.Session.create(rules, [rk.Instrument("A")], [rk.Account("desk")], mode="enforce", compiled=False)


SESSION = live_desk().session
KINDS = {
    "breaker": (breaker, rk.CircuitBreaker.from_state, lambda made: made.record_error()),
    "alerts": (system, AlertSystem.from_state, lambda made: made.post(Alert("z", "ann", "limit 8", "WARN", "x.", DAY))),
    "risk state": (risk_state, RiskState.from_state, lambda made: made.update(95.0, timestamp=3)),
    "tracker": (tracker, PositionTracker.from_state, lambda made: made.update("u", "m", "A", 1, 9, timestamp=DAY)),
    "manager": (manager, RiskManager.from_state, lambda made: made.on_bar({"A": 11.0, "B": 20.0}, DAY)),
    "covariance": (covariance, LiveCovariance.from_state, lambda made: made.step({"A": 0.01, "C": 0.02})),
    "stream": (
        stream,
        lambda state: MarketStream.from_state(state, [Tick(DAY, "A", 105.0), Tick(DAY + 90 * 10**9, "C", 1.0)]),
        lambda made: made.run(),
    ),
    "desk": (
        live_desk,
        lambda state: LiveDesk.from_state(state, session=SESSION),
        lambda made: made.check("A", 1, "buy"),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_goes_through_json_and_on(kind):
    make, read, change = KINDS[kind]
    made = make()
    again = read(json.loads(json.dumps(made.state())))
    assert again.digest == made.digest and again.state() == made.state()
    if kind not in ("stream", "desk", "alerts"):  # which go on with a feed, a session and channels
        for one in (made, again):
            change(one)
        assert again.digest == made.digest


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_leaf_is_refused_or_read_back_as_it_is(kind, long):
    make, read, change = KINDS[kind]
    plain = json.loads(json.dumps(make().state()))
    for path in leaves(plain)[:: 1 if long else 1 + len(leaves(plain)) // 30]:
        for value in (*WRONG, GONE):
            try:
                again = read(with_leaf(plain, path, value))
            except InputError as error:
                assert "\n" not in str(error) and len(str(error)) < 700
                continue
            assert read(again.state()).digest == again.digest
            repr(again)
            try:
                change(again)
            except InputError:
                continue


def test_a_feed_goes_on_wherever_it_stopped():
    ticks = list(SimulatedTicks({"A": 100.0, "B": 50.0}, seed=1, minutes=4, ticks_per_minute=3))
    whole = [bar.closes for bar in MarketStream(ticks)]

    def broken(stop: int):
        yield from ticks[:stop]
        raise OSError

    for stop in range(len(ticks) + 1):
        first, bars = MarketStream(broken(stop)), []
        with pytest.raises(OSError):
            first.run(lambda bar, bars=bars: bars.append(bar.closes))
        again = MarketStream.from_state(json.loads(json.dumps(first.state())), ticks[stop:])
        assert again.digest == first.digest
        again.run(lambda bar, bars=bars: bars.append(bar.closes))
        assert bars == whole


def test_a_desk_goes_on_with_its_session_only():
    first = live_desk()
    state = json.loads(json.dumps(first.state()))
    with pytest.raises(InputError, match="the session is not as it was: the state belongs to one of 5 events"):
        LiveDesk.from_state(state)
    closes = pd.DataFrame({"A": [10.0]}, index=[180])
    again = LiveDesk.from_state(state, RecordedBars(closes), session=first.session)
    assert list(map(str, again.actions)) == list(map(str, first.actions)) and again.trades == 1
    assert again.step() == 1 and again.execute("A", 1, "sell").executed


@pytest.mark.parametrize("state", [None, [], {}, {"format": 1}, "x", 5])
def test_what_is_no_state_is_refused(state):
    for _, read, _ in KINDS.values():
        with pytest.raises(InputError, match="the state was not written by a"):
            read(state)
