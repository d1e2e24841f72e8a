"""The store in PostgreSQL: rows behind a journal, exactly once whatever is killed, and the live digest out of them."""

import random
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from decimal import Decimal

import pyarrow as pa
import pytest
from journal_events import open_new, submit

import riskkit as rk
from riskkit._check import InputError, shown
from riskkit.desk import AlertSystem
from riskkit.desk.alerts.alert import Alert
from riskkit.desk.alerts.delivery import Retry

psycopg = pytest.importorskip("psycopg", reason="psycopg comes with the extra 'postgres'")

from riskkit.service.postgres import PostgresAlerts, PostgresFollower, PostgresReader, PostgresTrades, rebuild  # noqa: E402
from riskkit.service.postgres import follower as follower_module  # noqa: E402
from riskkit.service.postgres.follower import StaleWriterError  # noqa: E402
from riskkit.service.postgres.schema import install  # noqa: E402

ANN, BOB = (uuid.UUID(int=number) for number in (1, 2))


def soon(reached, seconds=30.0):
    end = time.monotonic() + seconds
    while not (done := reached()) and time.monotonic() < end:
        time.sleep(0.01)
    return done


def fetch(conninfo, query):
    with psycopg.connect(conninfo, autocommit=True) as connection:
        return connection.execute(query).fetchall()


def catch_up(follower):
    while follower.step():
        pass


# ---------------------------------------------------------------------- the journal


def test_a_journal_comes_out_of_the_database_with_the_live_digest(tmp_path, postgres, monkeypatch):
    monkeypatch.setattr(follower_module, "TOGETHER", 37)
    session = open_new(tmp_path)
    with PostgresFollower(tmp_path, postgres) as follower:
        for part in range(3):
            submit(session, 70, seed=part)
            session.commit()
            assert follower.lag > 0
            catch_up(follower)
            assert (follower.lag, follower.written) == (0, len(session))
            found = rebuild(postgres)
            assert found.digest == session.digest
    status = session.status()
    replayed = rk.replay_log(found.log, found.history, compiled=False, **found.options)
    assert replayed.digest == session.digest
    assert replayed.positions().equals(status.positions())
    session.close()
    decisions = rk.open_journal(tmp_path).to_frame().reset_index()
    kept = fetch(
        postgres,
        "select seq, account_id, decision, rule, objecting, observed_value, limit_value, unit"
        " from rk_decision order by seq, place",
    )
    assert [row[:5] for row in kept] == [
        tuple(row) for row in decisions[["seq", "account", "decision", "rule", "objecting"]].itertuples(index=False)
    ]
    assert [float(row[5]) for row in kept if row[5] is not None] == pytest.approx(
        decisions["observed"].dropna().tolist()
    )
    assert [float(row[6]) for row in kept if row[6] is not None] == pytest.approx(decisions["limit"].dropna().tolist())


def test_the_view_of_the_journal_has_labels_and_exact_amounts(tmp_path, postgres):
    with rk.Session.open(
        tmp_path, rk.RuleSet([]), [rk.Instrument("ES", tick="0.01", lot="1e-8")], ["A"], compiled=False
    ) as session:
        order = {"account": "A", "instrument": "ES", "side": "B", "order_id": "first"}
        ts = 1_700_000_000_123_456_789
        session.process_order(ts=ts, qty="1.00000001", price="123456.78", **order)
        session.process_trade(ts=ts, qty="0.5", price="123456.70", trade_id="one", order_id="first")
        session.process_order(ts=ts + 1, qty=1, type="market", **{**order, "order_id": "second"})
        with PostgresFollower(tmp_path, postgres) as follower:
            catch_up(follower)
    found = fetch(
        postgres, "select account, instrument, qty, price, order_id, trade_id, ts from rk_journal order by seq"
    )
    assert found == [
        ("A", "ES", Decimal("1.00000001"), Decimal("123456.78"), "first", None, ts),
        ("A", "ES", Decimal("0.5"), Decimal("123456.70"), "first", "one", ts),
        ("A", "ES", Decimal(1), None, "second", None, ts + 1),
    ]


KILLED = """
import os, random, signal, sys, time
from riskkit.service.postgres import PostgresFollower, follower
follower.TOGETHER, rnd = 1, random.Random(0)
for steps in (0, 0, 3, 5, 8, 2):
    told, tell = os.pipe()
    child = os.fork()
    if not child:
        made = PostgresFollower(*sys.argv[1:])
        os.write(tell, b".")
        while made.step():
            os.write(tell, b".")
        os._exit(0)
    while steps >= 0:
        steps -= len(os.read(told, 1))
    time.sleep(rnd.random() / 50)  # anywhere in the next transaction
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
"""


@pytest.mark.slow
def test_a_follower_that_is_killed_at_any_moment_goes_on_without_loss_or_repeat(tmp_path, postgres):
    session = open_new(tmp_path)
    submit(session, 300)
    session.commit()
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), postgres], check=True)
    assert fetch(postgres, "select seq from rk_engine")[0][0] > 0
    submit(session, 20, seed=1)
    session.commit()
    with PostgresFollower(tmp_path, postgres) as follower:
        catch_up(follower)
    assert rebuild(postgres).digest == session.digest
    session.close()


def test_a_transaction_whose_answer_is_lost_is_not_written_twice(tmp_path, postgres, monkeypatch):
    monkeypatch.setattr(follower_module, "TOGETHER", 11)
    session, rnd = open_new(tmp_path), random.Random(1)
    submit(session, 100)
    session.commit()
    lost = Counter()

    class Losing(follower_module.Connection):
        def use(self):
            return losing(super().use(), rnd, lost)

    monkeypatch.setattr(follower_module, "Connection", Losing)
    with PostgresFollower(tmp_path, postgres) as follower:
        while follower.written < len(session):
            try:
                follower.step()
            except psycopg.OperationalError:
                pass
    assert lost["before"] and lost["after"]
    assert rebuild(postgres).digest == session.digest
    session.close()


def losing(use, rnd, lost):
    """A use of a connection that is lost before or after it commits."""
    from contextlib import contextmanager

    @contextmanager
    def used():
        with use as connection:
            if rnd.random() < 0.3:
                real = connection.transaction

                @contextmanager
                def transaction():
                    with real():
                        yield
                        lost["before"] += 1
                        raise psycopg.OperationalError("lost before the commit")

                connection.transaction = transaction
            yield connection
        if rnd.random() < 0.3:
            lost["after"] += 1
            raise psycopg.OperationalError("lost after the commit")

    return used()


@pytest.mark.parametrize("outage", ["crashed", "silent"])
def test_outages_are_waited_for_and_the_backlog_drains(tmp_path, postgres, postgres_server, outage):
    session = open_new(tmp_path)
    submit(session, 30)
    session.commit()
    with PostgresFollower(tmp_path, postgres, timeout=1.0).start() as follower:
        assert soon(lambda: follower.lag == 0)
        postgres_server.stop(signal.SIGQUIT) if outage == "crashed" else postgres_server.silence()
        submit(session, 60, seed=1)  # decisions go on
        session.commit()
        assert soon(lambda: follower.failures > 0)
        assert follower.lag > 0 and follower.problem
        postgres_server.start() if outage == "crashed" else postgres_server.speak()
        assert soon(lambda: follower.lag == 0)
        assert soon(lambda: follower.problem == "")
    assert rebuild(postgres).digest == session.digest
    session.close()


def test_a_writer_that_lost_the_lease_is_refused(tmp_path, postgres):
    session = open_new(tmp_path)
    submit(session, 10)
    session.commit()
    with PostgresFollower(tmp_path, postgres, token=1) as old, PostgresFollower(tmp_path, postgres, token=2) as new:
        catch_up(old)
        submit(session, 10, seed=1)
        session.commit()
        catch_up(new)
        submit(session, 10, seed=2)
        session.commit()
        with pytest.raises(StaleWriterError, match="has a writer with token 2; this one, with 1, has lost the lease"):
            old.step()
        catch_up(new)
    assert rebuild(postgres).digest == session.digest
    session.close()


def test_another_journal_under_the_same_name_is_refused(tmp_path, postgres):
    for name, seed in (("a", 0), ("b", 1)):
        with open_new(tmp_path / name) as session:
            submit(session, 20, seed=seed)
    with PostgresFollower(tmp_path / "a", postgres) as follower:
        catch_up(follower)
    with (
        PostgresFollower(tmp_path / "b", postgres) as other,
        pytest.raises(InputError, match="of another journal than folder 'b'"),
    ):
        other.step()
    with PostgresFollower(tmp_path / "b", postgres, "second") as other:
        catch_up(other)
    assert rebuild(postgres, "second").digest == rk.open_journal(tmp_path / "b").digest
    assert rebuild(postgres).digest == rk.open_journal(tmp_path / "a").digest
    with pytest.raises(InputError, match="the database has no engine 'third'"):
        rebuild(postgres, "third")


# ---------------------------------------------------------------------- trade events


def trades_of(count, seed=0, first=0):
    rnd = random.Random(seed)
    for number in range(first, first + count):
        token_in, token_out = rnd.sample(["ETH", "USDC", "BTC"], 2)
        yield {
            "user_id": rnd.choice([ANN, BOB]),
            "trade_id": uuid.UUID(int=10_000 + number),
            "token_in": token_in,
            "token_out": token_out,
            "amount_in": rnd.randrange(2**256),
            "amount_out": Decimal(rnd.randrange(10**9)) / 10**6,
            "timestamp": 1_700_000_000_000 + rnd.randrange(3 * 86_400_000),
            "dex_source": "uniswap",
            "gas_used": rnd.randrange(2**256),
            "pnl": Decimal(rnd.randrange(-(10**6), 10**6)) / 100,
        }


def check_trades(conninfo, events):
    """Positions and daily profits are those of the events, exactly."""
    net, daily = Counter(), {}
    for event in events:
        net[event["user_id"], event["token_out"]] += Decimal(event["amount_out"])
        net[event["user_id"], event["token_in"]] -= Decimal(event["amount_in"])
        key = event["user_id"], event["timestamp"] // 86_400_000
        daily.setdefault(key, []).append(event["pnl"])
    assert len(fetch(conninfo, "select from trade_events")) == len(events)
    found = fetch(conninfo, "select user_id, token, net_position from current_positions")
    assert {row[:2]: row[2] for row in found} == {key: value for key, value in net.items() if value}
    found = fetch(
        conninfo,
        "select user_id, (extract(epoch from day) / 86400)::int, daily_pnl, trade_count, avg_pnl from user_daily_pnl",
    )
    assert {row[:2]: row[2:4] for row in found} == {key: (sum(pnl), len(pnl)) for key, pnl in daily.items()}
    for *_, pnl, count, mean in found:
        assert mean == pytest.approx(pnl / count, rel=Decimal("1e-15"), abs=Decimal("1e-15"))


@pytest.fixture(autouse=True)
def digits():
    """Enough digits for sums of 256 bits."""
    import decimal

    with decimal.localcontext(prec=120):
        yield


def test_trade_events_are_taken_once_and_late_ones_count(postgres):
    events = list(trades_of(200))
    trades = PostgresTrades(postgres)
    assert trades.position("trade-events/0") == -1
    assert trades.write("trade-events/0", range(0, 300, 2)[:100], events[:100]) == 100
    assert trades.write("trade-events/0", range(0, 300, 2)[50:150], events[50:150]) == 50  # half of them again
    assert trades.write("trade-events/0", range(0, 300, 2)[:150], events[:150]) == 0
    assert trades.write("trade-events/1", range(50), events[150:]) == 50
    assert trades.position("trade-events/0") == 298
    check_trades(postgres, events)
    late = [event | {"timestamp": 1_000} for event in trades_of(3, seed=9, first=900)]
    assert trades.write("trade-events/1", range(50, 53), late) == 3
    check_trades(postgres, events + late)
    trades.close()


@pytest.mark.slow
def test_the_schema_is_the_same_with_timescale(timescale, tmp_path, monkeypatch):
    """The WebAssembly build takes no COPY, so rows are inserted; hypertables and the continuous aggregate are real."""

    def insert(connection, table, columns):
        names, marks = ", ".join(f'"{name}"' for name in columns), ", ".join(["%s"] * len(columns))
        values = [pa.array(column).to_pylist() for column in columns.values()]
        for row in zip(*values, strict=True):
            connection.execute(f"insert into {table} ({names}) values ({marks})", row)

    monkeypatch.setattr("riskkit.service.postgres.trades.copy", insert)
    monkeypatch.setattr("riskkit.service.postgres.follower.copy", insert)
    with psycopg.connect(timescale, autocommit=True) as connection:
        install(connection)
        install(connection)
        hypertables = connection.execute(
            "select hypertable_name from timescaledb_information.hypertables order by 1"
        ).fetchall()
        assert {"rk_decision", "rk_event", "trade_events"} <= {name for (name,) in hypertables}
    events, trades = list(trades_of(40)), PostgresTrades(timescale)
    assert trades.write("a", range(30), events[:30]) == 30
    assert trades.write("a", range(20, 40), events[20:]) == 10
    trades.close()
    check_trades(timescale, events)
    with psycopg.connect(timescale, autocommit=True) as connection:
        connection.execute("call refresh_continuous_aggregate('user_daily_pnl', null, null)")
        connection.execute("deallocate all")  # all connections of this build are one session
    check_trades(timescale, events)
    with open_new(tmp_path) as session:
        submit(session, 60)
        session.commit()
        with PostgresFollower(tmp_path, timescale) as follower:
            catch_up(follower)
        rows = len(session.result().rows)
    assert fetch(timescale, "select count(*), max(seq) from rk_event") == [(follower.written, follower.written - 1)]
    assert fetch(timescale, "select count(*) from rk_decision") == [(rows,)]
    assert rows


GOOD = next(trades_of(1))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"amount_in": 1.5}, "event 0: amount_in=1.5 is not an exact number; give an int, a Decimal or a text"),
        ({"amount_in": 2**256}, f"event 0: amount_in={shown(2**256)} has more than 256 bits"),
        ({"amount_out": "-1"}, "event 0: amount_out='-1' is below zero"),
        ({"gas_used": "NaN"}, "event 0: gas_used='NaN' is not an exact number; give an int, a Decimal or a text"),
        ({"user_id": "ann"}, "event 0: user_id='ann' is not a UUID"),
        ({"token_in": ""}, "event 0: token_in='' is not a text; give a name of at least one letter"),
        ({"timestamp": -1}, "event 0: timestamp=-1 is not an integer of at least 0"),
        ({"timestamp": 17 * 10**14}, f"event 0: timestamp={17 * 10**14} is after the year 2262; it is in milliseconds"),
    ],
)
def test_a_bad_trade_event_is_refused_before_anything_is_sent(change, says):
    trades = PostgresTrades("host=127.0.0.1 port=1")
    with pytest.raises(InputError) as error:
        trades.write("a", [0], [GOOD | change])
    assert str(error.value) == says


def test_positions_that_do_not_fit_and_a_bad_address_are_refused():
    trades = PostgresTrades("host=127.0.0.1 port=1")
    for positions in ([], [1, 1], [2, 1]):
        with pytest.raises(
            InputError, match="positions has to have a number for each event, each above the one before"
        ):
            trades.write("a", positions, [GOOD, GOOD])
    with pytest.raises(InputError, match="event 0: field 'user_id' is missing"):
        trades.write("a", [0], [{"timestamp": 1}])
    with pytest.raises(InputError) as error:
        PostgresTrades("postgresql://ann:secret@[/x")
    assert "secret" not in str(error.value)


# ---------------------------------------------------------------------- alerts and queries


def test_alerts_are_rows_once_and_survive_an_outage(postgres, postgres_server):
    channel = PostgresAlerts(postgres)
    system = AlertSystem([channel], retry=Retry(attempts=1_000, backoff=0.05, factor=1.0)).start()
    alert = Alert(
        "00" * 8, "ann", "size", "WARN", 'too "much".', 1_700_000_000_123_456_789, metrics={"observed": 9}, seq=1
    )
    system.post(alert)
    assert system.flush(20)
    channel(alert)
    postgres_server.stop(signal.SIGQUIT)
    later = Alert("11" * 8, "ann", "size", "WARN", "again.", 1_700_000_001_000_000_000, seq=2)
    system.post(later)
    postgres_server.start()
    assert system.flush(30)
    system.close()
    channel.close()
    reader = PostgresReader(postgres)
    found = reader.alerts("ann")
    assert [row["message"] for row in found] == ["again.", 'too "much".']
    assert found[1]["current_metrics"] == {"observed": 9}
    assert found[1]["time"].microsecond == 123_456
    reader.close()
    (body,) = fetch(postgres, "select body from rk_alert order by time limit 1")[0]
    assert Alert.from_dict(body) == alert


def test_queries_by_user_use_an_index_and_are_prepared(tmp_path, postgres):
    events = list(trades_of(300))
    trades = PostgresTrades(postgres)
    trades.write("a", range(300), events)
    trades.close()
    with open_new(tmp_path) as session:
        submit(session, 150)
    with PostgresFollower(tmp_path, postgres) as follower:
        catch_up(follower)
    reader = PostgresReader(postgres)
    mine = [event for event in events if event["user_id"] == ANN]
    assert [row["trade_id"] for row in reader.trades(ANN, 10)] == [
        event["trade_id"] for event in sorted(mine, key=lambda event: -event["timestamp"])[:10]
    ]
    assert sum(row["daily_pnl"] for row in reader.daily_pnl(str(ANN))) == sum(event["pnl"] for event in mine)
    assert {row["token"] for row in reader.positions(ANN)} == {"ETH", "USDC", "BTC"}
    last = reader.events("A", 5)
    assert len(last) == 5 and all(row["instrument"] for row in last)
    assert [row["seq"] for row in last] == sorted((row["seq"] for row in last), reverse=True)
    assert reader.decisions("A", 3)[0]["decision"]
    with reader._connection.use() as connection:
        prepared = connection.execute("select count(*) from pg_prepared_statements").fetchone()
        assert prepared[0] >= 5
        connection.execute("set enable_seqscan = off")
        for query, values in (
            ("select * from trade_events where user_id = %s order by time desc limit 5", [ANN]),
            ("select * from rk_decision where engine = 'main' and account_id = %s order by time desc limit 5", ["A"]),
            ("select * from rk_event where engine = 'main' and account = %s order by time desc limit 5", [0]),
        ):
            plan = "\n".join(row[0] for row in connection.execute(f"explain {query}", values).fetchall())
            assert "Index Scan" in plan and "Seq Scan" not in plan, plan
    reader.close()


def test_a_query_of_a_server_that_says_nothing_fails_and_the_next_one_connects_anew(postgres, postgres_server):
    with psycopg.connect(postgres, autocommit=True) as connection:
        install(connection)
    reader = PostgresReader(postgres, timeout=0.3)
    assert reader.positions(ANN) == []
    postgres_server.silence()
    with pytest.raises(reader.errors):
        reader.positions(ANN)
    postgres_server.speak()
    assert reader.positions(ANN) == []
    reader.close()
