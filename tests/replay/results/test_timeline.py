"""The axis of time: what is cut out, where times stand, and what the ticks say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streams import random_log

from riskkit import Rule, RuleSet, compare, replay_log
from riskkit.replay.results.timeline import DAY, HOUR, SPACINGS, Timeline
from riskkit.rules import PositionLimit

MINUTE = 60_000_000_000


def sessions(days: int, minutes: int = 390, start: str = "2024-03-04 14:30") -> np.ndarray:
    first = pd.Timestamp(start, tz="UTC").value
    return np.concatenate([first + day * DAY + np.arange(minutes) * MINUTE for day in range(days)])


def test_nights_of_an_intraday_log_are_cut_out():
    line = Timeline.of(sessions(3))
    assert len(line.closed) == 2
    assert line.length == 3 * 389 * MINUTE


def test_daily_bars_keep_their_weekends():
    bars = pd.bdate_range("2020-01-01", "2020-12-31", tz="UTC").as_unit("ns").asi8
    line = Timeline.of(bars)
    assert len(line.closed) == 0
    assert line.length == bars[-1] - bars[0]
    assert line.spacing == DAY


def test_a_time_in_a_closed_gap_stands_where_the_gap_was():
    ts = sessions(2)
    line = Timeline.of(ts)
    end = ts[389]
    assert line.places(np.array([end, end + HOUR, ts[390]])).tolist() == [389 * MINUTE] * 3
    assert line.places(ts[[0, -1]]).tolist() == [0, line.length]
    assert line.places(np.array([ts[0] - DAY, ts[-1] + DAY])).tolist() == [0, line.length]


def test_an_event_out_of_order_opens_no_gap():
    ts = sessions(1)
    late = np.concatenate([ts[:200], [ts[0] - 5 * HOUR], ts[200:]])
    assert len(Timeline.of(late).closed) == 0


@given(st.lists(st.integers(0, 20 * HOUR), min_size=1, max_size=60))
def test_places_agree_with_walking_from_event_to_event(steps):
    ts = np.cumsum(np.array(steps, np.int64))
    line = Timeline.of(ts)
    closed = {tuple(gap) for gap in line.closed.tolist()}
    open_so_far, places = 0, [0]
    for before, now in zip(ts[:-1].tolist(), ts[1:].tolist(), strict=True):
        open_so_far += 0 if (before, now) in closed else now - before
        places.append(open_so_far)
    assert line.places(ts).tolist() == places
    assert line.length == open_so_far


def test_the_spacing_gives_enough_samples_and_divides_a_day():
    for ts in (sessions(1), sessions(30), np.array([0, 10**9]), np.array([5])):
        line = Timeline.of(ts)
        assert line.spacing in SPACINGS
        assert (line.last - line.first) // line.spacing <= 200_000
    assert Timeline.of(sessions(1)).length // Timeline.of(sessions(1)).spacing >= 300


@pytest.mark.parametrize(
    ("ts", "texts"),
    [
        (pd.date_range("1990-01-02", "2022-12-28", tz="UTC").as_unit("ns").asi8, ["1995", "2000", "2005"]),
        (sessions(5), ["2024-03-05", "2024-03-06", "2024-03-07"]),
        (sessions(1, 61), ["03-04 14:30", "03-04 14:40", "03-04 14:50"]),
    ],
)
def test_ticks_stand_at_starts_of_calendar_units(ts, texts):
    axis = Timeline.of(ts).axis()
    assert list(axis.texts)[:3] == texts
    assert len(axis.places) == len(axis.texts) <= 8
    assert (np.diff(axis.places) > 0).all()
    assert 0 <= axis.places[0] and axis.places[-1] <= axis.end


def test_a_log_without_events_has_an_axis():
    line = Timeline.of(np.zeros(0, np.int64))
    assert line.length == 0
    assert line.axis().end == 1.0


def test_the_timeline_of_a_result_and_of_a_comparison_is_that_of_the_log():
    log = random_log(1, 60)
    line = Timeline.of(log.columns["ts"])
    compared = compare(log, RuleSet([Rule("size", PositionLimit(limit=5))]), compiled=False)
    for shown in (replay_log(log, RuleSet([]), compiled=False), compared):
        assert (shown.timeline.length, shown.timeline.spacing) == (line.length, line.spacing)


@pytest.mark.parametrize(
    "tz", ["America/New_York", "Europe/Berlin", "Asia/Kolkata", "Pacific/Apia", "Australia/Lord_Howe"]
)
@pytest.mark.parametrize(
    ("start", "freq"),
    [
        ("2024-03-09", "1h"),
        ("2024-11-02", "1h"),
        ("2011-12-28", "6h"),
        ("2021-02-01", "1D"),
        ("2024-03-10", "5min"),
        ("2024-11-03", "5min"),
        ("2024-03-30 22:00", "5min"),
    ],
)
def test_ticks_stand_at_local_starts(tz, start, freq):
    """Each tick is where that local time first comes; the hours that clocks leave out or repeat move none."""
    times = pd.date_range(start, periods=120, freq=freq, tz="UTC")
    line = Timeline.of(times.as_unit("ns").asi8)
    axis = line.axis(tz=tz)
    assert axis.label.startswith(tz) and len(axis.places) >= 2 and (np.diff(axis.places) > 0).all()
    moments = pd.to_datetime(np.asarray(axis.places, np.int64) + line.first, utc=True).tz_convert(tz)
    assert not len(line.closed)
    for moment, text in zip(moments, axis.texts, strict=True):
        local = f"{moment:%Y-%m-%d %H:%M:%S}"
        assert local.startswith(text) or local[5:].startswith(text)
