"""A refused order is explained by its id, in local time, in words of a trader; the ids come from frames, files, sessions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from random_scenarios import scenario, with_prices
from scenario_runner import log_of, rules_of

import riskkit as rk
from riskkit.replay.ingest.order_labels import OrderLabels
from riskkit.replay.results.order_messages import OrderMessages

RULES = rk.RuleSet(
    [rk.Rule("size", rk.rules.MaxOrderQty(limit=5)), rk.Rule("day", rk.rules.DailyLoss(limit=100, tz="Europe/Berlin"))]
)
PAUSED = """\
Order a3 (sell 9 X at 50 for A, 2021-09-19 16:00:00 CEST) was refused: A is paused by day since 2021-09-19 14:00:00 CEST \
(observed 200 USD, limit 100 USD). The limit is a loss (realised and unrealised) of less than 100 in a trading day from 00:00 \
Europe/Berlin. Until 2021-09-20 00:00:00 CEST it may only cancel orders and reduce positions. By size, a quantity of 5 would have been \
accepted. By day, a quantity of 4 or the same from 2021-09-20 00:00:00 CEST would have been accepted."""


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "ts": pd.date_range("2021-09-19 10:00", periods=5, freq="1h"),
            "kind": ["order", "fill", "price", "order", "order"],
            "account": ["A", "A", None, "A", "A"],
            "instrument": "X",
            "side": ["B", "B", None, "B", "S"],
            "qty": [4, 4, None, 1, 9],
            "price": [100, 100, 50, 50, 50],
            "order_id": ["a1", "a1", None, "ä2", "a3"],
        }
    )


@pytest.fixture(scope="module")
def result():
    return rk.replay_log(rk.EventLog.from_frame(frame()), RULES, compiled=False)


def test_a_refusal_says_why_since_when_at_which_value_until_when_and_what_would_pass(result):
    explained = result.explain(order_id="a3", tz="Europe/Berlin")
    assert str(explained) == PAUSED
    assert [one.rule for one in explained.objections] == ["size", "day"]
    assert "white-space" in explained._repr_html_()


def test_an_order_that_passed_is_said_to_be_accepted(result):
    said = "Order a1 (buy 4 X at 100 for A, 2021-09-19 10:00:00 UTC) was accepted; no rule objected."
    assert str(result.explain(order_id="a1")) == said


def test_refused_has_labels_local_times_and_a_sentence(result):
    found = result.refused(tz="Europe/Berlin")
    assert found["order_id"].tolist() == ["ä2", "a3"]
    assert str(found["time"].iloc[0]) == "2021-09-19 15:00:00+02:00"
    assert str(found["until"].iloc[0]) == "2021-09-20 00:00:00+02:00"
    assert found["sentence"].iloc[1].startswith("Order a3 (sell 9 X at 50 for A, 2021-09-19 16:00:00 CEST) was refused")


def test_ids_are_stored_beside_the_events_and_change_no_digest(result, tmp_path):
    log = result.log
    log.to_parquet(tmp_path / "log.parquet")
    log.save(tmp_path / "folder")
    renamed = rk.EventLog.from_frame(frame().replace({"order_id": {"a3": "b3"}}))
    assert renamed.event_hash == log.event_hash
    assert renamed._derived_hash() != log._derived_hash()
    for again in (
        rk.EventLog.from_parquet(tmp_path / "log.parquet"),
        rk.EventLog.open(tmp_path / "folder", check=True),
    ):
        assert again.order_labels.by_row == log.order_labels.by_row == {0: "a1", 3: "ä2", 4: "a3"}
        assert again.event_hash == log.event_hash


def test_a_session_keeps_the_ids():
    session = rk.Session.create(RULES, [rk.Instrument("X")], ["A"], compiled=False)
    session.process_order(account="A", instrument="X", side="B", qty=9, price=100, ts=10**18, order_id="mine")
    said = "Order mine (buy 9 X at 100 for A, 2001-09-09 01:46:40 UTC) was refused by size: observed 9, limit 5."
    assert str(session.result().explain(order_id="mine")).startswith(said)


@pytest.mark.parametrize("seed", range(12))
def test_every_decision_on_an_order_has_a_sentence(seed):
    given = with_prices(scenario(seed, events=40), "close")
    log, _ = log_of(given)
    rules = rules_of(given)
    result = rk.replay_log(log, rules, given["mode"], compiled=False)
    assert len(result.refused()) == len(result.rejections())
    messages = OrderMessages(result, "UTC", None)
    orders = np.unique(log.columns["order"][log.columns["order"] >= 0])
    for order in orders.tolist():
        lines = str(messages.of_order(order)).splitlines()
        assert lines and all(line.endswith(".") for line in lines)


def test_one_id_of_several_orders_explains_each():
    twice = frame().assign(account="A").iloc[[0, 4]].assign(order_id="a", account=["A", "B"])
    result = rk.replay_log(rk.EventLog.from_frame(twice, order_ids="account"), RULES, compiled=False)
    assert [line.split(" for ")[1][0] for line in str(result.explain(order_id="a")).splitlines()] == ["A", "B"]


def test_a_float_id_is_that_of_its_integer():
    assert OrderLabels(np.array([3]), [7.0]).rows_of(7) == [3]
