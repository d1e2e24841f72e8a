"""Trading days against the definition: the date of the local wall clock minus the roll hour, instant by instant."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from refusing import refusal

from riskkit.replay.schema.calendar import day_starts

HOUR = 3_600_000_000_000
ZONES = ["UTC", "America/New_York", "Europe/London", "Asia/Tokyo", "Asia/Kolkata", "Australia/Lord_Howe", "Asia/Beirut"]
ZONES += ["Africa/Cairo", "America/Havana", "America/Santiago", "Pacific/Apia", "America/Sao_Paulo", "Asia/Kathmandu"]


def ns(text: str, tz: str = "UTC") -> int:
    return int(pd.Timestamp(text, tz=tz).as_unit("ns").value)


def trading_day(ts: int, tz: str, roll_hour: int) -> dt.date:
    """The definition, from the wall clock alone."""
    wall = dt.datetime.fromtimestamp(ts // 10**9, ZoneInfo(tz)).replace(tzinfo=None)
    return (wall - dt.timedelta(hours=roll_hour)).date()


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(ZONES), st.integers(0, 23), st.integers(ns("2000-01-01"), ns("2026-12-31")))
def test_a_boundary_is_where_the_day_of_the_wall_clock_advances(tz, roll_hour, first):
    """A quarter of an hour at a time over five days; a clock that goes back may not bring an old day back."""
    last = first + 5 * 24 * HOUR
    starts = day_starts(tz, roll_hour, first, last)
    assert starts[0] <= first < starts[1] and starts[-2] <= last < starts[-1]
    assert (np.diff(starts) > 0).all()
    quarter = HOUR // 4
    grid = np.arange(first // quarter * quarter, last, quarter)
    days = [trading_day(int(ts), tz, roll_hour) for ts in grid]
    latest = np.maximum.accumulate([day.toordinal() for day in days])
    advances = set(grid[1:][np.diff(latest) > 0].tolist())
    inside = set(starts[(starts > grid[0]) & (starts <= grid[-1])].tolist())
    assert advances == inside


@pytest.mark.parametrize(
    ("tz", "roll_hour", "start", "hours"),
    [
        ("America/New_York", 0, "2024-03-10 05:00", 23),
        ("America/New_York", 0, "2024-11-03 04:00", 25),
        ("America/New_York", 17, "2024-03-09 22:00", 23),
        ("America/New_York", 2, "2024-03-10 07:00", 23),  # two o'clock never came: the day starts at the change
        ("America/New_York", 1, "2024-11-03 05:00", 25),  # one o'clock came twice: the first counts
        ("Europe/London", 8, "2024-10-26 07:00", 25),
        ("Pacific/Apia", 0, "2011-12-29 10:00", 24),  # Samoa had no 30 December: the 29th, then the 31st
        ("Pacific/Apia", 5, "2011-12-29 15:00", 19),  # the roll hour of the 30th was skipped with it
        ("Pacific/Apia", 5, "2011-12-30 10:00", 5),
        ("Asia/Tokyo", 6, "2024-03-09 21:00", 24),
    ],
)
def test_days_around_changes_of_the_clock(tz, roll_hour, start, hours):
    starts = day_starts(tz, roll_hour, ns(start), ns(start))
    assert starts[0] == ns(start)
    assert starts[1] - starts[0] == hours * HOUR


def test_a_midnight_that_is_skipped_starts_its_day_at_the_change():
    noon = ns("2024-04-26 12:00", "Africa/Cairo")  # that day's 00:00 was 01:00
    assert day_starts("Africa/Cairo", 0, noon, noon)[0] == ns("2024-04-26 01:00", "Africa/Cairo")


def test_a_day_that_never_was_is_no_empty_day():
    starts = day_starts(
        "Pacific/Apia", 0, ns("2011-12-29 12:00", "Pacific/Apia"), ns("2011-12-31 12:00", "Pacific/Apia")
    )
    assert (np.diff(starts) // HOUR).tolist() == [24, 24]


def test_times_before_the_epoch_and_on_a_boundary():
    starts = day_starts("UTC", 0, -1, 0)
    assert starts.tolist() == [-24 * HOUR, 0, 24 * HOUR]
    assert day_starts("UTC", 0, 0, 0).tolist() == [0, 24 * HOUR]


def test_days_do_not_depend_on_where_one_looks_from():
    whole = day_starts("America/New_York", 17, ns("2023-01-01"), ns("2025-01-01"))
    part = day_starts("America/New_York", 17, ns("2024-03-01"), ns("2024-04-01"))
    assert set(part.tolist()) <= set(whole.tolist())


def test_the_table_cannot_be_changed():
    with pytest.raises(ValueError):
        day_starts("UTC", 0, 0, 0)[0] = 1


@pytest.mark.parametrize(
    ("tz", "roll_hour", "sentence"),
    [
        ("Mars/Olympus", 0, "tz='Mars/Olympus' is not a time zone; use a name such as 'UTC' or 'America/New_York'"),
        ("", 0, "tz='' is not a time zone; use a name such as 'UTC' or 'America/New_York'"),
        ("UTC", 24, "roll_hour=24 is not an hour from 0 to 23"),
        ("UTC", -1, "roll_hour=-1 is not an hour from 0 to 23"),
        ("UTC", 0.5, "roll_hour=0.5 is not an hour from 0 to 23"),
    ],
)
def test_what_is_no_zone_or_hour_is_refused(tz, roll_hour, sentence):
    assert refusal(day_starts, tz, roll_hour, 0, 0) == sentence
