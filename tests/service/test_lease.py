"""The writer's lease of a service: a second server stands by, and goes on with a higher token where the first has ended."""

import asyncio
import json

import pytest

pytest.importorskip("redis", reason="redis comes with the extra 'redis'")

from service.running import RULES  # noqa: E402

from riskkit._check import InputError  # noqa: E402
from riskkit.service.app import STANDING_BY  # noqa: E402
from riskkit.service.redis_client import connect  # noqa: E402
from riskkit.service.serve import create_app  # noqa: E402
from riskkit.service.settings import Settings  # noqa: E402
from riskkit.service.turns import LOST, BrokenError  # noqa: E402

ORDER = {"account": "A", "instrument": "ES", "side": "B", "qty": 9, "price": 100, "ts": 0}


def app_of(folder, port, **redis):
    settings = Settings(redis={"url": f"redis://127.0.0.1:{port}/0", "lease_seconds": 3.0, **redis})
    return create_app(RULES, folder, settings, compiled=False)


async def until(condition):
    while not condition():
        await asyncio.sleep(0.01)


def test_a_second_server_stands_by_and_takes_over_with_a_higher_token(tmp_path, redis_server):
    async def main():
        first, second = app_of(tmp_path, redis_server.port), app_of(tmp_path, redis_server.port)
        await first._open()
        opening = asyncio.create_task(second._open())
        await until(lambda: second.not_ready == STANDING_BY)
        first.engine.decide("order", ORDER)
        await first.end()
        await opening
        assert (second.not_ready, len(second.engine.session)) == ("", 1)
        assert second.lease.token > first.lease.token
        assert second.engine.session.notes["fence"] == second.lease.token
        await second.end()
        connect(
            f"redis://127.0.0.1:{redis_server.port}/0", 5.0
        ).flushall()  # the next token is above that of the journal
        third = app_of(tmp_path, redis_server.port)
        await third._open()
        assert third.lease.token > second.lease.token and third.lease.is_held()
        await third.end()

    asyncio.run(main())


def test_a_server_whose_lease_is_lost_decides_nothing_more_and_ends(tmp_path, redis_server):
    async def main():
        app, told = app_of(tmp_path, redis_server.port), []
        await app._open()
        app.on_open = lambda _: told.append(app.trouble)
        client = connect(f"redis://127.0.0.1:{redis_server.port}/0", 5.0)
        client.set("riskkit:main:writer", "99")
        await until(lambda: told)
        assert app.not_ready == LOST == told[0]
        with pytest.raises(BrokenError, match="lease is lost"):
            app.turns.admit()
        await app.end()
        assert client.get("riskkit:main:writer") == b"99"  # that of the other

    asyncio.run(main())


def test_a_server_that_stands_by_can_be_stopped(tmp_path, redis_server):
    async def main():
        first, second = app_of(tmp_path, redis_server.port), app_of(tmp_path / "other", redis_server.port)
        await first._open()
        second._opening = asyncio.create_task(second._open())
        await until(lambda: second.not_ready == STANDING_BY)
        await second.end()
        assert second.trouble.endswith("the service has ended before it had the writer's lease")
        await first.end()

    asyncio.run(main())


def test_a_lease_needs_a_redis():
    from riskkit.service.stores import take_lease

    with pytest.raises(InputError) as error:
        take_lease(Settings(redis={"lease_seconds": 3}), None)
    assert str(error.value) == "redis.lease_seconds needs redis.url, the Redis that has the lease"


def test_alerts_are_in_the_stream_once_also_after_an_outage(serve, redis_server):
    url = f"redis://127.0.0.1:{redis_server.port}/0"
    client = connect(url, 5.0)
    served = serve(redis={"url": url, "alerts": True, "engine": "one"})

    def found():
        try:
            return [json.loads(fields[b"alert"])["seq"] for _, fields in client.xrange("riskkit:one:alerts")]
        except Exception:
            return []

    async def soon(expected):
        await until(lambda: found() == expected)

    served.order(qty=9)
    asyncio.run(soon([0]))
    redis_server.stop()
    served.order(qty=8)
    redis_server.start()  # empty
    asyncio.run(soon([1]))
    served.order(qty=1)
    served.order(qty=7)
    asyncio.run(soon([1, 3]))
