"""The servers of the tests of the service: they start, can be crashed and silenced, and go on."""

import signal

import pytest
from service import servers


def test_a_redis_is_killed_silenced_and_started_again(redis_server):
    assert redis_server.is_ready()
    redis_server.silence()
    assert not redis_server.is_ready()
    redis_server.speak()
    assert redis_server.is_ready()
    redis_server.stop()
    assert not redis_server.is_ready()
    redis_server.start()
    assert redis_server.is_ready()


def test_a_postgres_keeps_what_was_committed_when_it_crashes(postgres, postgres_server):
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(postgres) as connection:
        connection.execute("create table kept as select 7 as number")
    postgres_server.stop(signal.SIGQUIT)
    postgres_server.start()
    with psycopg.connect(postgres) as connection:
        assert connection.execute("select number from kept").fetchall() == [(7,)]


@pytest.mark.parametrize(("settings", "outcome"), [({}, "Skipped"), ({"RISKKIT_SERVERS": "required"}, "Failed")])
def test_a_missing_server_skips_and_fails_where_it_is_required(monkeypatch, settings, outcome):
    monkeypatch.delenv("RISKKIT_SERVERS", raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BaseException, match="no-such-server is not installed; apt-get install nothing, or ") as error:
        servers.program("no-such-server", "nothing")
    assert error.typename == outcome
