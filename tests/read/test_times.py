"""Clocks of files: exact decimals, zones in the text, the hour that comes twice and the one that does not come."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskkit._check import InputError
from riskkit.read.times import Clock


def refuse(why):
    raise InputError(why)


@given(
    moment=st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2100, 1, 1)),
    nanos=st.integers(0, 999),
    offset=st.integers(-14 * 60, 14 * 60),
)
def test_a_text_with_an_offset_is_exact(moment, nanos, offset):
    zone = datetime.timezone(datetime.timedelta(minutes=offset))
    sign, minutes = "-" if offset < 0 else "+", abs(offset)
    text = f"{moment.isoformat(timespec='microseconds')}{nanos:03}{sign}{minutes // 60:02}:{minutes % 60:02}"
    since = moment.replace(tzinfo=zone) - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    expected = (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000 + nanos
    assert Clock("Europe/Berlin").ns(text, refuse) == expected


def test_the_hour_that_comes_twice_goes_on():
    clock = Clock("Europe/Berlin")
    texts = ["2024-10-27 02:10:00", "2024-10-27 02:50:00", "2024-10-27 02:20:00", "2024-10-27 03:00:00"]
    minutes = [clock.ns(text, refuse) // 60_000_000_000 for text in texts]
    assert [after - before for before, after in zip(minutes, minutes[1:], strict=False)] == [40, 30, 40]
    assert clock.repeated == 3


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2024-03-31 02:30:00", "in the hour that the clocks skip in Europe/Berlin"),
        ("2024-02-30", "is not a time"),
        ("2024-13-01", "is not a time"),
        ("2024-03-08 25:00", "is not a time"),
        ("2024-03-08Z", "is not a time"),
        ("1700-01-01", "is not a time from 1824 to 2116"),
        ("08.03.2024", "is not a time"),
        ("", "is not a time"),
    ],
)
def test_what_is_no_time_is_refused(text, why):
    with pytest.raises(InputError, match=why):
        Clock("Europe/Berlin").ns(text, refuse)


def test_a_leap_second_is_the_first_of_the_next_minute():
    clock = Clock("UTC")
    assert clock.ns("2016-12-31T23:59:60Z", refuse) == clock.ns("2017-01-01T00:00:00Z", refuse)


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2024/3/8 9:30", "2024-03-08 09:30:00"),
        ("2024.03.08 09:30:01", "2024-03-08 09:30:01"),
        ("2024-03-08 09:30 PM", "2024-03-08 21:30:00"),
        ("2024-03-08 12:00:00 a.m.", "2024-03-08 00:00:00"),
        ("20240308-143001", "2024-03-08 14:30:01"),
        ("20240308T1430+02:00", "2024-03-08 12:30:00"),
    ],
)
def test_dates_with_the_year_first_and_halves_of_the_day_are_read(text, iso):
    assert Clock("UTC").ns(text, refuse) == Clock("UTC").ns(iso, refuse)


@pytest.mark.parametrize("text", ["2024/03-08", "2024-0308", "202438", "2024-03-08 13:00 PM", "2024-03-08 PM"])
def test_what_mixes_forms_is_no_time(text):
    with pytest.raises(InputError, match="is not a time"):
        Clock("UTC").ns(text, refuse)


def test_a_leap_second_of_a_place_is_the_first_of_the_next_minute():
    clock = Clock("Asia/Tokyo")
    assert clock.ns("2017-01-01 08:59:60", refuse) == clock.ns("2017-01-01 09:00:00", refuse)
