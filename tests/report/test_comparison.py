"""The report: self-contained, escaped, the same bytes for the same input, and saying what must be said."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from report_tags import EVIL, read

from riskkit.replay.log.event_log import EventLog
from riskkit.replay.results.timeline import DAY
from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.compare import compare
from riskkit.report.comparison import report_html, write_report
from riskkit.rules import DailyLoss, PositionLimit


def log_of(account: str = "A", **about: object) -> EventLog:
    """Ten days: an order and its fill each morning, a falling price each evening."""
    rows = []
    for day in range(10):
        one = {"ts": day * DAY + 1, "account": account, "instrument": "X", "side": "B", "qty": 5, "price": 100.0 - day}
        rows += [{**one, "kind": kind, "order_id": f"o{day}"} for kind in ("order", "fill")]
        rows.append({"ts": day * DAY + DAY // 2, "kind": "price", "instrument": "X", "price": 99.0 - day})
    return EventLog.from_frame(pd.DataFrame(rows), about=about)


def rules_of(name: str = "loss") -> RuleSet:
    return RuleSet([Rule("size", PositionLimit(limit=20)), Rule(name, DailyLoss(limit=12), hold="36h")])


@pytest.fixture(scope="module")
def found():
    return compare(log_of(title="Falling", kind="synthetic"), rules_of(), compiled=False, sample_ns=DAY)


@pytest.fixture(scope="module")
def page(found):
    return report_html(found, ["Remember this."])


@pytest.mark.lengthy
def test_nothing_is_fetched_and_nothing_runs(page):
    tags = read(page)
    assert tags.fetched and all(source.startswith("data:image/png;base64,") for source in tags.fetched)
    assert "<script" not in page and "http:" not in page and "https:" not in page and "url(" not in page
    assert "default-src 'none'" in page


def test_it_says_what_was_replayed_under_which_limits_and_what_it_leaves_out(found, page):
    words = " ".join(read(page).words)
    for rule in found.rules:
        assert str(rule) in words
    for sentence in found.sentences():
        assert sentence in words
    for result in found.results.values():
        assert result.digest in words
    assert "Data: synthetic." in words
    assert "Neither the market nor the strategies react to what is refused" in words
    assert "A limit stops orders, not losses" in words
    assert "Remember this." in words
    assert f"{found.curves['enforce'].final:,.0f}" in words


def test_every_number_of_the_table_is_in_it(found, page):
    words = read(page).words
    _, rows = found.cells()
    for row in rows:
        for cell in row:
            if isinstance(cell, str) and cell.strip():
                assert cell in words, cell


@pytest.mark.lengthy
def test_what_came_from_outside_is_escaped(tmp_path):
    log = log_of(EVIL, title=EVIL, kind="real", orders=EVIL, defects=[EVIL], source=EVIL)
    found = compare(log, rules_of(EVIL), compiled=False, sample_ns=DAY)
    path = write_report(found, tmp_path / "deep" / "report.html", [EVIL])
    page = path.read_text(encoding="utf-8")
    assert "<script" not in page
    assert sum(EVIL in words for words in read(page).words) >= 6


def test_a_shadow_report_has_no_picture_of_what_was_not_run():
    found = compare(log_of(kind="synthetic"), rules_of(), ["shadow"], compiled=False, sample_ns=DAY)
    page = report_html(found)
    assert "Profit of each account" not in page
    assert len(read(page).fetched) == 6  # each for a page and for a phone


def test_pictures_stand_for_those_who_cannot_see_them(page):
    assert 2 * page.count("<img alt=") == len(read(page).fetched)  # one for a page, one for a phone
    assert 'alt=""' not in page


@pytest.mark.lengthy
def test_a_log_without_events_and_rules_that_never_speak_make_a_report():
    empty = EventLog.from_frame(pd.DataFrame({"ts": np.zeros(0, np.int64), "kind": []}))
    assert "With and without the limits" in report_html(compare(empty, rules_of(), compiled=False))
    quiet = compare(log_of(), RuleSet([Rule("far", PositionLimit(limit=10**6))]), compiled=False, sample_ns=DAY)
    page = report_html(quiet)
    assert "Never met: far." in page and "<h2>Halts" not in page


SCRIPT = """
import sys
sys.path[:0] = {paths!r}
from test_comparison import compare, log_of, rules_of, DAY, write_report
found = compare(log_of(title="Falling", kind="synthetic"), rules_of(), compiled=False, sample_ns=DAY)
write_report(found, sys.argv[1], ["Remember this."])
"""


def test_the_same_input_gives_the_same_bytes_anywhere(page, tmp_path):
    tests = Path(__file__).parent
    place = tmp_path / "elsewhere"
    place.mkdir()
    script = SCRIPT.format(paths=[str(tests), str(tests.parent), str(tests.parents[1])])
    surroundings = {**os.environ, "PYTHONHASHSEED": "77", "TZ": "Asia/Tokyo", "LC_ALL": "C", "MPLBACKEND": "svg"}
    command = [sys.executable, "-c", script, "report.html"]
    subprocess.run(command, cwd=place, env=surroundings, check=True, timeout=120)
    assert (place / "report.html").read_bytes() == page.encode()


def test_it_holds_no_clock_and_no_path(page):
    text = re.sub(r"base64,[^\"]+", "", page)
    assert str(Path.home()) not in text and str(Path(__file__).parents[2]) not in text
    assert not re.search(r"20[2-9]\d-\d\d-\d\d", text)
