"""The limits report: every refusal counted by rule, instrument, account and hour, and every link leads to a sentence."""

from __future__ import annotations

import sys

import pandas as pd
import pytest
from random_scenarios import scenario, with_prices
from report_tags import EVIL, read
from scenario_runner import log_of, rules_of

import riskkit as rk
from riskkit.report import limits
from riskkit.report.limits import KEYS

LIMITS = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=5)), rk.Rule(EVIL[:20], rk.rules.DailyLoss(limit=100))])


def log(account: str = "A") -> rk.EventLog:
    frame = pd.DataFrame(
        {
            "ts": pd.date_range("2021-09-19 10:00", periods=6, freq="1h"),
            "kind": ["order", "fill", "order", "price", "order", "order"],
            "account": [account, account, account, None, account, account],
            "instrument": "X",
            "side": ["B", "B", "B", None, "B", "S"],
            "qty": [4, 4, 7, None, 1, 9],
            "price": [100, 100, 100, 50, 50, 50],
            "order_id": ["a1", "a1", "a2", None, "a3", "a4"],
        }
    )
    return rk.EventLog.from_frame(frame, about={"kind": "synthetic", "title": EVIL})


@pytest.mark.lengthy
def test_a_page_is_self_contained_escaped_and_the_same_again(tmp_path):
    result = rk.replay_log(log(EVIL), LIMITS, compiled=False)
    pages = [limits(result, tmp_path / f"{k}.html", tz="Europe/Berlin").read_text("utf-8") for k in range(2)]
    assert pages[0] == pages[1]
    tags = read(pages[0])
    inside = {source for source in tags.fetched if source.startswith("#")}
    assert all(source.startswith("data:image/png;base64,") for source in set(tags.fetched) - inside)
    assert inside and inside <= tags.places
    assert "<script" not in pages[0] and "http:" not in pages[0]
    words = " ".join(tags.words)
    assert "Refused: 3 of 4 orders, had the limits been enforced (shadow mode)." in words
    assert "2021-09-19 14:00:00 CEST" in words and result.digest in words


def test_the_picture_has_the_times_of_the_tables(tmp_path):
    page = limits(rk.replay_log(log(), LIMITS, compiled=False), tmp_path / "x.html", tz="Asia/Tokyo")
    assert "Refusals over time, by rule, in Asia/Tokyo." in page.read_text("utf-8")


def test_many_halts_are_counted_and_folded(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["riskkit.report.limits"], "MAX_OPEN", 0)
    rules = rk.RuleSet([rk.Rule("day", rk.rules.DailyLoss(limit=100))])
    text = limits(rk.replay_log(log(), rules, compiled=False), tmp_path / "x.html").read_text("utf-8")
    assert "<tr><td>total</td><td>1</td></tr>" in text and "<summary>Each halt</summary>" in text


def test_many_refusals_stand_in_groups_the_first_of_each_in_the_open(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["riskkit.report.limits"], "MAX_OPEN", 1)
    result = rk.replay_log(
        log(), rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=3))]), "enforce", compiled=False
    )
    text = limits(result, tmp_path / "x.html").read_text("utf-8")
    first, *others = result.refused()["sentence"]
    opened, folded = text.split("<details><summary>2 more: size, X, A</summary>")
    assert first in opened and not any(sentence in opened for sentence in others)
    assert all(sentence in folded.split("</details>")[0] for sentence in others)
    assert "details:not([open])::details-content{content-visibility:visible" in text  # on paper all are open


@pytest.mark.parametrize("seed", range(6))
def test_the_counts_add_up_to_the_refusals_and_every_link_leads_to_a_sentence(seed, tmp_path):
    given = with_prices(scenario(seed, events=40), "close")
    result = rk.replay_log(log_of(given)[0], rules_of(given), given["mode"], compiled=False)
    tags = read(limits(result, tmp_path / "x.html").read_text("utf-8"))
    frame = result.refused()
    links = [source for source in tags.fetched if source.startswith("#")]
    assert len(links) == len(frame.groupby(KEYS))
    assert set(links) <= tags.places
    assert set(frame["sentence"]) <= set(tags.words)


def test_a_comparison_gives_its_replay_with_limits(tmp_path):
    found = rk.compare(log(), LIMITS, compiled=False)
    page = limits(found, tmp_path / "x.html", remarks=["Seen by the committee."]).read_text("utf-8")
    assert found.enforce.digest in page and "Seen by the committee." in page


def test_limits_that_refuse_nothing_make_a_report(tmp_path):
    quiet = rk.RuleSet([rk.Rule("far", rk.rules.MaxOrderQty(limit=10**6))])
    page = limits(rk.replay_log(log(), quiet, compiled=False), tmp_path / "x.html").read_text("utf-8")
    assert "Never breached: far." in page and "<h2>Each refusal" not in page


@pytest.mark.parametrize("tz", ["Mars/Base", None, 5, "CEST"])
def test_a_zone_that_is_none_is_refused_by_tables_and_pictures(tz, tmp_path):
    result = rk.replay_log(log(), LIMITS, compiled=False)
    for call in (lambda: limits(result, tmp_path / "x.html", tz=tz), lambda: result.plot_refusals(tz=tz)):
        with pytest.raises(rk.InputError, match="is not a time zone; use a name such as 'UTC'"):
            call()
