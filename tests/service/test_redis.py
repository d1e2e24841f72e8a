"""The cache, the stream of alerts and the writer's lease, on a real Redis that is killed, silenced and filled."""

import itertools
import pickle
import socket
import threading
import time
from decimal import Decimal

import numpy as np
import pytest

from riskkit._check import InputError
from riskkit.desk import AlertSystem, PositionTracker
from riskkit.desk.alerts.alert import Alert
from riskkit.desk.alerts.delivery import Retry

redis = pytest.importorskip("redis", reason="redis comes with the extra 'redis'")

from riskkit.service import redis_cache  # noqa: E402
from riskkit.service.redis_alerts import RedisAlerts  # noqa: E402
from riskkit.service.redis_cache import RedisCache  # noqa: E402
from riskkit.service.redis_client import connect  # noqa: E402
from riskkit.service.redis_keys import DESK  # noqa: E402
from riskkit.service.redis_lease import WriterLease  # noqa: E402
from riskkit.service.redis_reader import RedisReader  # noqa: E402

DESK_STATE = {
    "covariance": np.diag([1e-4, 4e-4]),
    "stressed": np.diag([2e-4, 9e-4]),
    "last_prices": {"ES": 5100.25, "NQ": 18000.5},
    "cash": 1_000_000,
    "holdings": {"ES": {"qty": 2, "avg_price": 5099.75}},
    "tickers": ["ES", "NQ"],
}


def soon(reached, seconds=20.0):
    """Wait until something holds; return whether it does."""
    end = time.monotonic() + seconds
    while not (done := reached()) and time.monotonic() < end:
        time.sleep(0.01)
    return done


@pytest.fixture
def url(redis_server):
    return f"redis://127.0.0.1:{redis_server.port}/0"


@pytest.fixture
def cache(url):
    made = RedisCache(url, timeout=0.2)
    yield made
    made.close(timeout=0.0)


@pytest.fixture
def reader(url):
    made = RedisReader(url, timeout=0.2)
    yield made
    made.close()


@pytest.fixture
def client(url):
    made = connect(url, 5.0)
    yield made
    made.close()


# ---------------------------------------------------------------------- values


def test_keys_lives_and_values_are_those_of_the_wire(cache, reader, client):
    tracker = PositionTracker({"ETH": "1e-18"})
    tracker.set_price("ETH", 2000, 1)
    tracker.update("ann", "uniswap", "ETH", "1.5", 1800, timestamp=2, trade_id="a")
    cache.put_metrics("ann", tracker.metrics("ann"))
    cache.put_positions("ann", [tracker.get("ann", "uniswap", "ETH")])
    cache.put_desk(**DESK_STATE)
    assert cache.flush()
    assert 29_000 < client.pttl("risk:ann:metrics") <= 30_000
    assert 299_000 < client.pttl("position:ann:current") <= 300_000
    assert set(client.keys()) == {b"risk:ann:metrics", b"position:ann:current"} | {
        key.of().encode() for key in DESK.values()
    }
    assert reader.metrics("ann").value["total_exposure"] == 3000.0
    assert reader.positions("ann").value[0]["amount"] == "1.500000000000000000"
    state = reader.desk()
    assert state.problem == ""
    assert np.array_equal(state.covariance, DESK_STATE["covariance"])
    assert np.array_equal(state.stressed, DESK_STATE["stressed"])
    for name in ("last_prices", "cash", "holdings", "tickers"):
        assert getattr(state, name) == DESK_STATE[name]


def test_exact_amounts_keep_every_digit(cache, reader):
    amount = Decimal("12345678901234567890.123456789")
    cache.put_positions("ann", [{"token": "ETH", "amount": amount}])
    assert cache.flush()
    assert Decimal(reader.positions("ann").value[0]["amount"]) == amount


DAMAGED = [None, b"", b"{", b"null", b"\x93NUMPY\x01\x00", pickle.dumps([[1.0]]), b"[[1, 2]]", b'"text"']


def test_a_part_that_is_missing_or_corrupt_empties_the_desk_and_asks_for_a_warm_up(cache, reader, client):
    for part, damaged in itertools.product(DESK, DAMAGED):
        cache.put_desk(**DESK_STATE)
        assert cache.flush()
        client.delete(DESK[part].of()) if damaged is None else client.set(DESK[part].of(), damaged)
        state = reader.desk()
        assert state.problem.endswith("run warm-up"), (part, damaged)
        assert (state.last_prices, state.holdings, state.tickers, state.cash) == ({}, {}, [], 0.0)
        assert state.covariance.size == state.stressed.size == 0


def test_a_user_without_an_entry_or_with_a_corrupt_one_has_empty_values(reader, client):
    client.set("position:ann:current", pickle.dumps([1]))
    assert reader.metrics("ann") == ({}, "risk:ann:metrics is not in the cache")
    assert reader.positions("ann") == ([], "position:ann:current is corrupt")


# ---------------------------------------------------------------------- outages


def test_a_newer_value_replaces_one_that_waits_and_beyond_the_bound_the_oldest_is_dropped(redis_server, url, reader):
    redis_server.silence()
    cache = RedisCache(url, most=3, timeout=0.2)
    for number in range(10):
        cache.put_metrics("ann", {"number": number})
    for user in ("b", "c", "d", "e"):
        cache.put_metrics(user, {"number": 0})
    assert soon(lambda: cache.counts.failures > 0)
    redis_server.speak()
    assert cache.close()
    counts = cache.counts
    assert counts.waiting == 0
    assert counts.written + counts.replaced + counts.dropped == 14
    assert counts.dropped >= 1
    assert {user for user in "bcde" if reader.metrics(user).value} >= {"c", "d", "e"}


@pytest.mark.parametrize("outage", ["killed", "silent", "full"])
def test_what_was_put_during_an_outage_is_written_after_it(redis_server, cache, reader, client, outage):
    cache.put_metrics("ann", {"number": 0})
    assert cache.flush()
    before = cache.counts.failures
    if outage == "killed":
        redis_server.stop()
    elif outage == "silent":
        redis_server.silence()
    else:
        client.config_set("maxmemory", 1)
    cache.put_metrics("ann", {"number": 1})
    cache.put_metrics("bob", {"number": 2})
    assert soon(lambda: cache.counts.failures > before)
    if outage == "killed":
        assert reader.metrics("ann") == ({}, "Redis does not answer")
        assert reader.desk().problem == "Redis does not answer"
        redis_server.start()
    elif outage == "silent":
        redis_server.speak()
    else:
        client.config_set("maxmemory", 0)
    assert soon(lambda: reader.metrics("bob").value == {"number": 2})
    assert reader.metrics("ann").value == {"number": 1}


def test_no_call_waits_for_a_redis_that_never_answers(redis_server, cache):
    redis_server.silence()
    for number in range(2_000):
        cache.put_metrics(f"user {number}", {"number": number})
    assert soon(lambda: cache.counts.failures > 0)
    assert cache.counts.waiting == 2_000
    assert not cache.close(timeout=0.0)
    assert cache.counts.dropped > 0


def test_a_value_that_waited_longer_than_it_may_live_is_not_written_as_new(redis_server, cache, reader, monkeypatch):
    redis_server.silence()
    cache.put_metrics("ann", {"number": 1})
    cache.put_positions("ann", [])
    assert soon(lambda: cache.counts.failures > 0)
    now = time.monotonic
    monkeypatch.setattr(redis_cache.time, "monotonic", lambda: now() + 31)
    redis_server.speak()
    assert cache.flush(20)
    assert (cache.counts.expired, cache.counts.written) == (1, 1)
    assert reader.metrics("ann").value == {}
    assert reader.positions("ann") == ([], "")


# ---------------------------------------------------------------------- alerts


def an_alert(number):
    return Alert(f"{number:016x}", "ann", "MaxExposure", "CRITICAL", "too much.", number, seq=number)


def test_alerts_are_in_the_stream_once_and_a_reader_goes_on_from_its_cursor(url, reader):
    channel = RedisAlerts(url)
    for number in (1, 2, 2, 1, 3):  # repeated, as after an answer that was lost
        channel(an_alert(number))
    first, cursor = reader.alerts(most=2)
    assert [Alert.from_dict(alert) for alert in first] == [an_alert(1), an_alert(2)]
    rest, cursor = reader.alerts(after=cursor)
    assert [alert["seq"] for alert in rest] == [3]
    assert reader.alerts(after=cursor, wait=0.05) == ([], cursor)


def test_alerts_of_an_outage_arrive_when_it_is_over(redis_server, url, reader):
    redis_server.stop()
    system = AlertSystem([RedisAlerts(url, timeout=0.2)], retry=Retry(attempts=1_000, backoff=0.05, factor=1.0)).start()
    for number in range(20):
        system.post(an_alert(number))
    assert reader.alerts() == ([], "0")
    redis_server.start()
    assert system.flush(20)
    assert [alert["seq"] for alert in reader.alerts()[0]] == list(range(20))
    system.close()


# ---------------------------------------------------------------------- lease


def test_one_holds_the_lease_and_the_next_has_a_larger_token(url):
    one, two = (WriterLease(url, seconds=30.0) for _ in range(2))
    assert one.acquire()
    assert not two.acquire()
    assert one.is_held() and not two.is_held() and one.renew() and not two.renew()
    one.release()
    assert not one.is_held()
    assert two.acquire()
    assert two.token == one.token + 1
    two.release()


def test_a_holder_that_slept_too_long_knows_that_it_lost_the_lease(url):
    one, two = (WriterLease(url, seconds=0.4, timeout=0.2) for _ in range(2))
    assert one.acquire()
    assert soon(two.acquire)
    assert not one.is_held() and not one.renew()
    assert two.token > one.token


@pytest.mark.slow
def test_a_lease_outlives_a_silence_shorter_than_itself_and_is_lost_in_a_longer_one(redis_server, url):
    lost, lease = threading.Event(), WriterLease(url, seconds=2.0, timeout=0.2)
    assert lease.acquire()
    lease.keep(lost.set)
    redis_server.silence()
    assert soon(lambda: not lease._answered)
    redis_server.speak()
    assert soon(lambda: lease._answered) and lease.is_held() and not lost.is_set()
    redis_server.silence()
    assert lost.wait(20)
    assert not lease.is_held()
    redis_server.speak()
    lease.release()


def test_tokens_go_on_when_redis_has_lost_all(redis_server, url):
    one = WriterLease(url, seconds=30.0)
    assert one.acquire(floor=41)
    assert one.token == 42
    redis_server.stop()
    redis_server.start()
    two = WriterLease(url, seconds=30.0)
    assert two.acquire(floor=one.token)
    assert two.token == 43
    assert not one.renew()


# ---------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda cache: cache.put_metrics("ann", [1]), "value is a list; give a dict"),
        (lambda cache: cache.put_metrics("", {}), "user='' is not a text; give a name of at least one letter"),
        (
            lambda cache: cache.put_metrics("ann", {"var": float("nan")}),
            "value cannot be kept as JSON: Out of range float values are not JSON compliant",
        ),
        (lambda cache: cache.put_desk(covariance=[[1.0, 2.0]]), "value is not a square matrix of finite numbers"),
        (lambda cache: cache.put_desk(cash=1.0, money=2.0), "money= is not a part of a desk's state"),
    ],
)
def test_what_cannot_be_kept_is_refused_whole(cache, call, says):
    with pytest.raises(InputError) as error:
        call(cache)
    assert str(error.value).startswith(says)
    assert cache.flush()
    assert cache.counts.written == 0


def test_a_bad_address_is_refused_and_not_repeated():
    with pytest.raises(InputError) as error:
        connect("http://:secret@host", 1.0)
    assert "secret" not in str(error.value)
    with pytest.raises(InputError, match="too short for a timeout"):
        WriterLease("redis://127.0.0.1:1", seconds=1.0, timeout=0.6)


def test_a_closed_cache_refuses(url):
    cache = RedisCache(url)
    assert cache.close()
    with pytest.raises(InputError, match="this cache is closed"):
        cache.put_metrics("ann", {})


def test_a_server_that_accepts_and_says_nothing_is_away():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        reader = RedisReader(f"redis://127.0.0.1:{listener.getsockname()[1]}", timeout=0.1)
        assert reader.metrics("ann") == ({}, "Redis does not answer")
        reader.close()
