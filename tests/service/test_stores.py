"""A service with its stores: what it decides is in Redis and PostgreSQL, and it decides on without them."""

import signal

import pytest
from service.test_redis import soon

import riskkit as rk
from riskkit._check import InputError

pytest.importorskip("redis", reason="redis comes with the extra 'redis'")
psycopg = pytest.importorskip("psycopg", reason="psycopg comes with the extra 'postgres'")

from riskkit.service.postgres import rebuild  # noqa: E402
from riskkit.service.redis_reader import RedisReader  # noqa: E402
from riskkit.service.settings import Settings  # noqa: E402
from riskkit.service.stores import start_stores  # noqa: E402


@pytest.mark.slow
def test_what_a_service_decides_is_in_its_stores_after_outages_of_both(serve, redis_server, postgres, postgres_server):
    url = f"redis://127.0.0.1:{redis_server.port}/0"
    served = serve(redis={"url": url, "seconds": 0.1}, postgres={"url": postgres, "engine": "one"})
    reader = RedisReader(url)
    served.ask("POST", "/fills", {"account": "desk-1", "instrument": "ES", "side": "buy", "qty": 2, "price": "100.25"})
    assert soon(lambda: [row["amount"] for row in reader.positions("desk-1").value] == [2.0])
    redis_server.stop()
    postgres_server.stop(signal.SIGQUIT)
    for number in range(20):
        assert served.order(f"o{number}", qty=9).json()["approved"] is False
    assert reader.positions("desk-1").problem == "Redis does not answer"
    postgres_server.start()
    redis_server.start()
    assert soon(lambda: [row["amount"] for row in reader.positions("desk-1").value] == [2.0])
    assert reader.metrics("desk-1").value["total_exposure_usd"] == pytest.approx(200.5)
    digest, size = served.app.engine.session.digest, len(served.app.engine.session)
    assert soon(lambda: rebuilt_size(postgres) == size)
    served.stop()
    assert rebuild(postgres, "one").digest == digest == rk.open_journal(served.folder / "journal").digest
    reader.close()


def rebuilt_size(conninfo):
    try:
        return len(rebuild(conninfo, "one").log)
    except (InputError, psycopg.errors.UndefinedTable):  # the server crashed before the schema was there
        return 0


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (
            {"redis": {"uri": "redis://x"}},
            "redis.uri is not a setting; settings are redis.url, redis.seconds, redis.engine, redis.alerts, redis.lease_seconds",
        ),
        ({"postgres": {"dsn": ""}}, "postgres.dsn is not a setting; settings are postgres.url, postgres.engine"),
    ],
)
def test_a_setting_that_is_not_known_is_refused(settings, says):
    with pytest.raises(InputError) as error:
        start_stores(None, "", Settings(**settings))
    assert str(error.value) == says
