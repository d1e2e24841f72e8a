"""The threshold panel: what is said of a value is what a replay with that value says; moving the slider only draws."""

from __future__ import annotations

import pytest
from replay.sweeps.test_utilization import single
from streams import random_log

from riskkit import EventLog, InputError, Rule, RuleSet, replay_log, sweep
from riskkit.replay.rules.retuned import with_setting
from riskkit.replay.sweeps import threshold_panel as panel
from riskkit.replay.sweeps.threshold_panel import ThresholdReport
from riskkit.rules import DailyLoss, DrawdownLimit, MaxOrderQty, PositionLimit
from riskkit.sweeps import threshold_panel

VALUES = [2, 5, 8, 20]
DAY = 86_400_000_000_000


@pytest.fixture(scope="module")
def log() -> EventLog:
    return single(random_log(3, 240))


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    return RuleSet([Rule("size", PositionLimit(limit=8)), Rule("fall", DrawdownLimit(money=50))])


@pytest.fixture(scope="module")
def shown(log, rules):
    pytest.importorskip("ipywidgets", reason="ipywidgets is not installed; it comes with the extra 'notebooks'")
    return threshold_panel(log, rules, "size", "limit", VALUES, compiled=False)


@pytest.mark.lengthy
@pytest.mark.parametrize("value", VALUES)
def test_each_value_says_what_its_replay_says(shown, log, rules, value):
    result = replay_log(log, with_setting(rules, {"size.limit": value}), "enforce", sample_ns=DAY, compiled=False)
    without = replay_log(log, RuleSet([]), "shadow", sample_ns=DAY, compiled=False)
    answers = shown.answers
    profit, record = (float(one.accounts()["profit"].sum()) for one in (result, without))
    assert (answers.at(value)["profit"], answers.profit_without) == pytest.approx((profit, record))
    rows = dict(zip(("now", "refused", "trips", "profit", "without"), answers.rows_at(value), strict=False))
    refused = answers.at(value)["orders_rejected"] + answers.at(value)["modifies_rejected"]
    assert refused == len(result.rejections())
    assert rows["refused"][1] == answers.at(value)["orders_rejected"] and rows["now"][1] == 8
    assert (rows["profit"][1], rows["without"][1]) == pytest.approx((profit, record))
    assert f"{rows['refused'][1]:,} of {answers.orders:,} orders rejected" in answers.sentence(value)


@pytest.mark.lengthy
def test_moving_the_slider_shows_another_answer_and_replays_nothing(shown, monkeypatch):
    def never(*args, **kwargs):
        raise AssertionError("a replay")

    monkeypatch.setattr(panel, "sweep", never)
    monkeypatch.setattr("riskkit.replay.run.replay_log.Stage.replay", never)
    seen = {}
    for value in (5, 20, 5):
        shown.slider.value = value
        assert shown.value == value and shown.answers.sentence(value) in shown.table.value
        pictures = tuple(bytes(picture.value) for picture in shown.pictures)
        assert all(one.startswith(b"\x89PNG") for one in pictures)
        assert seen.setdefault(value, pictures) == pictures
    assert seen[5] != seen[20]


def test_the_slider_begins_where_the_rules_stand(log, rules):
    pytest.importorskip("ipywidgets", reason="ipywidgets is not installed; it comes with the extra 'notebooks'")
    fresh = threshold_panel(log, rules, "size", values=[2, 20], compiled=False)
    assert fresh.value == 8 and fresh.answers.values == [2, 8, 20]  # the present value is one of the stops
    assert [label for label, _ in fresh.slider.options] == ["2", "8", "20"]


def test_the_pictures_mark_the_value_and_the_record(shown):
    from matplotlib.figure import Figure

    answers = shown.answers
    ax = answers.plot_rejections(5, Figure().subplots())
    count = answers.at(5)["orders_rejected"]
    assert ax.get_title(loc="left") == f"{count:,} of {answers.orders:,} orders rejected"
    marked = ax.lines[-1]
    assert ax.lines[0].get_marker() == "o" and ax.get_xlabel() == "size.limit, quantity"  # dots at what was replayed
    assert marked.get_xdata().tolist() == [5] and marked.get_ydata().tolist() == [count]
    ax = answers.plot_profit(5, Figure().subplots())
    assert "without limits" in ax.get_title(loc="left") and {text.get_text().strip() for text in ax.texts} >= {
        "without limits"
    }
    assert (
        answers.plot(Figure().subplots()).get_title(loc="left").startswith(f"{answers.at(8)['orders_rejected']:,} of")
    )


@pytest.mark.lengthy
def test_without_values_the_stops_are_where_something_changes(log, rules):
    pytest.importorskip("ipywidgets", reason="ipywidgets is not installed; it comes with the extra 'notebooks'")
    only = RuleSet([Rule("size", MaxOrderQty(limit=3))])
    stops = threshold_panel(log, only, "size", compiled=False).answers
    assert 3 in stops.values and stops.at(0)["orders_rejected"] > 0
    assert stops.at(stops.values[-1])["orders_rejected"] == 0
    assert threshold_panel(log, only, "size", values=[0.5, 2000], compiled=False).slider.options[-1][0] == "2,000"
    losses = RuleSet([Rule("loss", DailyLoss(limit=40))])  # its thresholds have to be run
    run = threshold_panel(log, losses, "loss", mode="shadow", compiled=False).answers
    assert run.values == [4, 8, 12, 20, 28, 34, 40, 48, 60, 80, 120, 200, 400]
    assert run.at(400)["profit"] == run.profit_without  # shadow mode changes no money


def test_a_stored_notebook_keeps_the_table(shown):
    shown.slider.value = 5
    bundle = shown._repr_mimebundle_()
    assert bundle["text/plain"] == repr(shown) and shown.answers.sentence(5) in bundle["text/plain"]
    assert bundle["text/html"].startswith("<table>") and "application/vnd.jupyter.widget-view+json" in bundle


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rule": "none"}, "is not in these rules"),
        ({"rule": "size", "parameter": "speed"}, "needs a parameter to be varied"),
        ({"rule": "size", "parameter": "notional"}, "size.notional is not set in these rules"),
        ({"rule": "size", "values": ["much"]}, "'much' is not a number"),
    ],
)
def test_what_cannot_be_moved_gets_a_sentence(log, rules, arguments, message):
    with pytest.raises(InputError, match=message):
        threshold_panel(log, rules, compiled=False, **arguments)


def test_answers_are_of_one_parameter_and_of_values_that_were_run(log, rules, shown):
    grid = {"size.limit": [2, 9], "fall.money": [10, 200]}
    with pytest.raises(InputError, match="one parameter"):
        ThresholdReport(sweep(log, rules, grid, compiled=False), 8)
    with pytest.raises(InputError, match="3 was not replayed; the values are 2, 5, 8, 20"):
        shown.answers.at(3)
    assert shown.answers.nearest(6) == 5 and shown.answers.nearest(1_000) == 20
