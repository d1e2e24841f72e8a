"""Sums over single refused orders say what they are, in every print, frame and plot: they exceed the book's profit."""

from __future__ import annotations

import html
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import riskkit as rk
from riskkit import Rule, RuleSet
from riskkit.replay import tiny_log
from riskkit.replay.sweeps.many.figures import HINDSIGHT
from riskkit.replay.sweeps.many.metrics import METRICS, TEXTS
from riskkit.replay.sweeps.threshold_panel import ThresholdReport
from riskkit.rules import MaxOrderQty

SUMS = re.compile(r"loss.avoided|profit.forgone|good_flow_blocked")
SWEEPS = Path(rk.__file__).parent / "replay" / "sweeps"
SHOWN = {  # files with a print or a plot of these sums; each has its place in `walked`
    "many/sweep.py",
    "threshold_panel.py",
    "rule_value/effectiveness.py",
    "calibration/calibration_result.py",
}


@pytest.fixture(scope="module")
def walked() -> dict[str, object]:
    log = tiny_log([5, 2, 1, 6, 3, 4], marks=8, spacing_ns=36 * 3600 * 10**9)
    rules = RuleSet([Rule("size", MaxOrderQty(limit=4))])
    grid = {"size.limit": [1, 4, 6]}
    found = rk.sweep(log, rules, grid, digests=True, account_drawdown=True, compiled=False)
    days = {"resamples": 20, "train_days": 2, "test_days": 1, "horizon_ns": "1s", "rng": np.random.default_rng(1)}
    return {
        "many/sweep.py": found,
        "threshold_panel.py": ThresholdReport(found, 4),
        "rule_value/effectiveness.py": rk.effectiveness(rk.replay_log(log, rules, compiled=False), compiled=False),
        "calibration/calibration_result.py": rk.calibrate(log, rules, grid, compiled=False, **days),
    }


def test_every_file_that_shows_such_a_sum_is_walked(walked):
    prints = {
        str(path.relative_to(SWEEPS))
        for path in SWEEPS.rglob("*.py")
        if SUMS.search(text := path.read_text(encoding="utf-8")) and re.search(r"def (_rows|rows_at|plot)\b", text)
    }
    assert prints == SHOWN == set(walked)
    outside = [path for path in SWEEPS.parents[1].rglob("*.py") if SWEEPS not in path.parents]
    assert not [path for path in outside if SUMS.search(path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("place", sorted(SHOWN))
def test_a_print_says_so_on_the_line_or_above_it(walked, place):
    lines = repr(walked[place]).splitlines()
    sums = [i for i, line in enumerate(lines) if SUMS.search(line)]
    assert sums
    for i in sums:
        above = next(line for line in lines[i::-1] if not line.startswith("  ") or HINDSIGHT in line)
        assert lines[i].startswith("  ") and HINDSIGHT in above, lines[i]
    assert HINDSIGHT in html.unescape(walked[place]._repr_html_())


@pytest.mark.parametrize("place", sorted(SHOWN))
def test_a_frame_says_so_of_each_of_its_columns(walked, place):
    one = walked[place]
    names = ("to_frame", "by_day", "out_of_sample")
    frames = [getattr(one, name)() for name in names if hasattr(one, name)]
    assert frames
    for frame in frames:
        assert isinstance(frame, pd.DataFrame)
        sums = [name for name in frame if SUMS.search(name) or name == "hindsight_net"]
        noted = {name: note for name, note in frame.attrs.items() if "interval" not in note}
        assert noted == dict.fromkeys(sums, HINDSIGHT)


@pytest.mark.lengthy
def test_a_plot_says_so_if_it_shows_one(walked):
    for metric in [name for name in METRICS if name not in TEXTS]:
        ax = walked["many/sweep.py"].plot(Figure().subplots(), metric=metric)
        assert (HINDSIGHT in texts(ax)) == bool(SUMS.search(metric)), metric
    for one in walked.values():
        shown = texts(one.plot(Figure().subplots()))
        assert (HINDSIGHT in shown) == bool(SUMS.search(shown))


def texts(ax) -> str:
    """All words of a plot."""
    return "\n".join(part.get_text() for part in ax.findobj(lambda part: hasattr(part, "get_text")))
