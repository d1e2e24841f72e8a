"""After a restart from plain data an object goes on as if it had not stopped; a wrong leaf is refused in one sentence."""

from __future__ import annotations

import json

import pytest

import riskkit as rk
from riskkit import InputError
from riskkit.desk import Alert, AlertSystem

DAY = 86_400_000_000_000
WRONG = [None, -1, 1.5, True, "x", [], {}, 10**30]


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


def wrong_leaves(plain, path=()):
    """Paths to every leaf of plain data."""
    inner = plain.items() if isinstance(plain, dict) else enumerate(plain) if isinstance(plain, list) else ()
    found = [leaf for key, value in inner for leaf in wrong_leaves(value, (*path, key))]
    return found or [path]


def with_leaf(plain, path, value):
    """A copy with another value at a path."""
    copied = json.loads(json.dumps(plain))
    inner = copied
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return copied


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


@pytest.mark.parametrize("kind", ["breaker", "alerts"])
def test_a_wrong_leaf_is_refused_or_read_back_as_it_is(kind):
    made = breaker() if kind == "breaker" else system()
    read = rk.CircuitBreaker.from_state if kind == "breaker" else AlertSystem.from_state
    plain = json.loads(json.dumps(made.state()))
    for path in wrong_leaves(plain):
        for value in WRONG:
            state = with_leaf(plain, path, value)
            try:
                again = read(state)
            except InputError as error:
                assert "\n" not in str(error)
                continue
            assert read(again.state()).digest == again.digest
            repr(again)


@pytest.mark.parametrize("state", [None, [], {}, {"format": 1}, "x", 5])
def test_what_is_no_state_is_refused(state):
    for kind in (rk.CircuitBreaker, AlertSystem):
        with pytest.raises(InputError, match="the state was not written by a"):
            kind.from_state(state)
