"""The annual review: limits in force, each change with its author, used shares, breaches, and stops in the library."""

from __future__ import annotations

import pandas as pd
import pytest
from refusing import refusal
from report_tags import EVIL, read

import riskkit as rk
from riskkit.report import annual_review


def limits(size: int) -> rk.RuleSet:
    rate = rk.Rule("rate", rk.rules.OrderRate(limit=100, window_ns="1s"))
    return rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=size)), rate])


FIVE, THREE = limits(5), limits(3)
ORDERS = {"kind": "order", "account": "A", "instrument": "X", "side": "B", "qty": [9, 4, 4, 2], "price": 10}
TABLE = pd.DataFrame({"ts": pd.date_range("2024-01-15", periods=4, freq="31D"), **ORDERS})
LOG = rk.EventLog.from_frame(TABLE, about={"kind": "synthetic"})
CHANGE = rk.RuleChange(pd.Timestamp("2024-03-01").value, THREE, EVIL, "quiet market", approved_by="Bo")


def review(tmp_path, rules, log=LOG, **options) -> str:
    result = rk.replay_log(log, rules, compiled=False)
    page = annual_review(result, tmp_path / "review.html", **{"incidents": ["jcom", "infinium"], **options})
    text = page.read_text("utf-8")
    assert "<script" not in text and "http:" not in text
    return " ".join(read(text).words)


def test_a_year_is_reviewed(tmp_path):
    said = review(tmp_path, rk.RuleHistory(FIVE, [CHANGE]), tz="Europe/Berlin", remarks=["No incident at the firm."])
    assert "Refused: 2 of 4 orders, had the limits been enforced (shadow mode)." in said
    assert (
        "The limits changed 1 time." in said and "no second person" not in said and "No incident at the firm." in said
    )
    assert "2024-03-01 01:00:00 CET" in said and "quiet market" in said and "Bo" in said
    assert "one order of at most 3 in quantity" in said and "at most 5" not in said
    assert "Used to 80% or more: size." in said and "Never used to 10%: rate" in said
    assert "2024-01" in said and "2024-03" in said
    assert "The limits in force stop 1 of 2 incidents of the library." in said


def test_names_and_times_stay_on_one_line_and_sentences_do_not(tmp_path):
    rules = rk.RuleHistory(FIVE, [CHANGE._replace(why="a quiet market in which nobody needs more")])
    annual_review(rk.replay_log(LOG, rules, compiled=False), tmp_path / "review.html", incidents=[])
    text = (tmp_path / "review.html").read_text("utf-8")
    assert "<td class='text long'>a quiet market" in text and "<td class='text'>Bo<" in text
    assert "white-space:nowrap}" in text and "td.long{white-space:pre-wrap" in text


def test_breaches_of_many_months_are_counted_by_year(tmp_path):
    times = pd.date_range("2020-01-31 23:30", periods=40, freq="31D")
    log = rk.EventLog.from_frame(pd.DataFrame({**ORDERS, "ts": times, "qty": 9}), about={"kind": "synthetic"})
    annual_review(rk.replay_log(log, FIVE, compiled=False), tmp_path / "x.html", incidents=[], tz="Asia/Tokyo")
    text = (tmp_path / "x.html").read_text("utf-8")
    local = times.tz_localize("UTC").tz_convert("Asia/Tokyo").year.value_counts()
    for year, count in local.items():
        assert f"<tr><td>{year}</td><td>{count}</td><td>{count}</td></tr>" in text
    assert "each account, in each instrument" not in text and "<td class='text'>each account<" in text


def test_changes_without_a_second_person_are_counted_and_no_change_is_said(tmp_path):
    alone = rk.RuleHistory(FIVE, [CHANGE, CHANGE._replace(approved_by="", rules=FIVE)])
    assert "1 of 2 changes had no second person." in review(tmp_path, alone, incidents=[])
    assert "The limits did not change. " in review(tmp_path, FIVE, incidents=[])


def test_a_history_of_another_place_and_given_stops_are_taken(tmp_path):
    stops = [rk.incidents.stop_report(rk.incidents.incident_log("jcom"), FIVE, compiled=False)]
    said = review(tmp_path, FIVE, history=rk.RuleHistory(FIVE, [CHANGE]), incidents=stops)
    assert "quiet market" in said and "1 of 1 incident of" in said


def test_limits_that_an_incident_cannot_judge_are_named_with_the_reason(tmp_path):
    guard = rk.RuleSet([*THREE, rk.Rule("day", rk.rules.DailyLoss(limit=10), currency="USD")])
    reason = refusal(rk.incidents.stop_report, rk.incidents.incident_log("jcom"), guard, compiled=False)
    assert reason in review(tmp_path, FIVE, history=rk.RuleHistory(guard), incidents=["jcom"])


def test_another_object_is_refused(tmp_path):
    with pytest.raises(rk.InputError, match="found is a RuleSet; give a ReplayResult"):
        annual_review(FIVE, tmp_path / "x.html")
    assert not list(tmp_path.iterdir())


def test_limits_in_per_cent_are_tried_on_a_given_equity_and_named_without_one(tmp_path):
    funded = rk.EventLog.from_frame(TABLE, accounts=[rk.Account("A", cash={"USD": 1_000_000})])
    fall = rk.Rule("fall", rk.rules.DrawdownLimit(pct=0.02))
    said = review(tmp_path, rk.RuleSet([*THREE, fall]), funded, incidents=["goldman"], scale=0.01)
    assert "of 1 incident of the library" in said  # by the other limits
    assert "Not tried: " in said and "rule 'fall' (drawdown) measures a fraction of an equity (pct)" in said
    funded_too = review(
        tmp_path, rk.RuleSet([*THREE, fall]), funded, incidents=["goldman"], scale=0.01, equity=1_000_000
    )
    assert "Not tried" not in funded_too and "The limits in force stop 1 of 1 incident of the library." in funded_too
