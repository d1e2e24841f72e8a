"""Times of every form that people have, in frames and files alike: what they are read as, and what is refused."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from riskkit import EventLog, InputError, read_log
from riskkit.replay.ingest.times import UNITS, check_first_number, iso_time

START = pd.Timestamp("2024-03-05T14:30:00.5", tz="UTC")
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
DAYS = ("1980-01-01", "2001-09-09", "2024-02-29", "2099-12-31")


def from_frame(times: list[Any], folder: Any, **options: Any) -> EventLog:
    rows = {"kind": "price", "instrument": "X", "price": 10}
    return EventLog.from_frame(pd.DataFrame({"ts": pd.Series(times), **rows}), **options)


def from_file(times: list[Any], folder: Any, **options: Any) -> EventLog:
    lines = ["ts,kind,instrument,price", *(f"{time},price,X,10" for time in times)]
    (folder / "log.csv").write_text("\n".join(lines) + "\n")
    return read_log(folder / "log.csv", **options)


@pytest.fixture(params=[from_frame, from_file])
def read(request, tmp_path):
    """Nanoseconds of times that came through a door."""

    def through(*times: Any, **options: Any) -> list[int]:
        return request.param(list(times), tmp_path, **options).columns["ts"].tolist()

    return through


@pytest.fixture(params=[from_frame, from_file])
def refusal(request, tmp_path):
    """The sentence with which times are refused."""

    def through(*times: Any, **options: Any) -> str:
        with pytest.raises(InputError) as refused:
            request.param(list(times), tmp_path, **options)
        return str(refused.value)

    return through


def nanoseconds(text: str) -> int:
    return pd.Timestamp(text, tz="UTC").as_unit("ns").value


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("day", DAYS)
def test_the_size_of_a_number_tells_its_unit(read, unit, day):
    seconds = nanoseconds(day) // 10**9
    numbers = [(seconds + i) * PER_SECOND[unit] for i in range(3)]
    expected = [(seconds + i) * 10**9 for i in range(3)]
    assert read(*numbers) == read(*numbers, unit=unit) == expected


@pytest.mark.parametrize("door", [from_frame, from_file])
@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_that_size_tells_is_named_by_the_log(door, unit, tmp_path):
    number = nanoseconds("2024-03-05") // 10**9 * PER_SECOND[unit]
    said = f"read as {UNITS[unit]} since the epoch, by their size"
    log = door([number], tmp_path)
    assert log.about["times"] == said and said in repr(log)
    assert "times" not in door([number], tmp_path, unit=unit).about


def test_the_time_of_a_simulation_is_in_nanoseconds(read):
    assert read(0, 1, 2) == [0, 1, 2] and read(0, 10**9, 5 * 10**15) == [0, 10**9, 5 * 10**15]
    assert read(5, 6, unit="s") == [5 * 10**9, 6 * 10**9]


def test_numbers_of_several_units_or_none_are_refused_by_their_row(refusal):
    seconds = nanoseconds("2024-03-05") // 10**9
    assert refusal(seconds, seconds * 1000).startswith("row 1, column 'ts': ")
    assert refusal(seconds * 1000, seconds).endswith(
        "has no unit that its size tells, as the numbers before it are milliseconds; say unit='s', 'ms', 'us' or 'ns'"
    )
    for gap in (10**10, 10**13, 10**16):
        assert "row 0, column 'ts': " in refusal(gap, gap) and "say unit=" in refusal(gap, gap)
    assert "is not a time from 1824 to 2116" in refusal(seconds * 1000, unit="s")
    assert "unit='hours' is not one of 's', 'ms', 'us', 'ns'" in refusal(0, unit="hours")


def test_fractions_of_a_unit_are_exact(read):
    assert read("1709649000.123456789", unit="s") == [1709649000123456789]
    assert read("1709649000.5", "1709649001.25") == [1709649000500000000, 1709649001250000000]


def test_texts_are_iso_and_their_offsets_may_differ(read):
    assert read("2024-03-05T14:30:00.5Z", "2024-03-05 14:30:00.500001+00:00") == [START.value, START.value + 1000]
    assert read("2024-03-10T01:30:00-05:00", "2024-03-10T03:30:00-04:00") == [
        nanoseconds("2024-03-10T06:30"),
        nanoseconds("2024-03-10T07:30"),
    ]
    assert read("2024-03-05", "2024-03-05 14:30", "2024-03-05T15:30:00+01:00") == [
        nanoseconds("2024-03-05"),
        nanoseconds("2024-03-05T14:30"),
        nanoseconds("2024-03-05T14:30"),
    ]
    assert read("2024-03-05", "2024-03-05T06:00+01:00", tz="America/New_York") == [nanoseconds("2024-03-05T05:00")] * 2


@pytest.mark.parametrize("text", ["05.03.2024 14:30:01", "03/05/2024", "5 Mar 2024", "14:30", "soon", "20240305"])
def test_nothing_else_is_guessed(refusal, text):
    sentence = refusal("2024-03-05" if text != "20240305" else text, text)
    assert sentence.startswith("row ") and "give time_format=" in sentence


def test_a_declared_form_is_read(read, refusal):
    form = "%d.%m.%Y %H:%M:%S"
    assert read("05.03.2024 14:30:01", time_format=form) == [nanoseconds("2024-03-05T14:30:01")]
    assert read("20240305", time_format="%Y%m%d") == [nanoseconds("2024-03-05")]
    assert read("05.03.2024 -0500", time_format="%d.%m.%Y %z") == [nanoseconds("2024-03-05T05:00")]
    assert "is not a time of the form '%d.%m.%Y %H:%M:%S'" in refusal("2024-03-05", time_format=form)
    assert "time_format='ISO' is not a form of times" in refusal("2024-03-05", time_format="ISO")


def test_hours_that_the_clocks_repeat_or_skip_are_refused_with_the_way_out(read, refusal):
    zone = {"tz": "America/New_York"}
    for text, word in (("2024-11-03 01:30:00", "repeat"), ("2024-03-10 02:30:00", "skip")):
        assert refusal("2024-01-01", text, **zone).endswith(
            f" is in the hour that the clocks {word} in America/New_York; write its offset, as "
            "2024-11-03T01:30:00-04:00, or convert the times to UTC"
        )
    assert read("2024-11-03T01:30:00-04:00", **zone) == [nanoseconds("2024-11-03T05:30")]
    assert "tz='Mars' is not a time zone" in refusal("2024-01-01", tz="Mars")


def test_a_mixed_column_of_a_frame_is_read(tmp_path):
    zone = datetime.timezone(datetime.timedelta(hours=1))
    times = [
        "2024-03-05",
        datetime.date(2024, 3, 5),
        datetime.datetime(2024, 3, 5, 1, tzinfo=zone),
        pd.Timestamp("2024-03-05"),
    ]
    assert from_frame(times, tmp_path).columns["ts"].tolist() == [nanoseconds("2024-03-05")] * 4
    with pytest.raises(InputError, match="row 1, column 'ts': 1.5 is not a time"):
        from_frame(["2024-03-05", 1.5], tmp_path)


LATE = datetime.datetime(2500, 1, 1)


@pytest.mark.parametrize(
    ("late", "options"),
    [
        ("2500-01-01", {}),
        ("2500-01-01T00:00:00Z", {}),
        ("9999-12-31T23:59:59.999999+02:00", {}),
        ("0001-01-01", {"tz": "America/New_York"}),
        ("31.12.9999", {"time_format": "%d.%m.%Y"}),
        (LATE, {}),
        (LATE.replace(tzinfo=datetime.UTC), {}),
        (LATE.date(), {}),
        (pd.Timestamp(LATE, tz="Asia/Tokyo"), {}),
    ],
    ids=str,
)
def test_a_time_beyond_64_bits_is_refused_by_its_row_in_every_form(refusal, late, options):
    early = "05.03.2024" if "time_format" in options else "2024-03-05"
    for times, row in (([late], 0), ([early, late], 1)):
        said = refusal(*times, **options)
        assert said.startswith(f"row {row}, column 'ts': ") and "is not a time from 1824 to 2116" in said


@pytest.mark.parametrize("first", [20240305, 19991231, 20240305.0, Decimal(20240305)])
def test_the_digits_of_a_date_are_no_nanoseconds(first, tmp_path):
    with pytest.raises(InputError, match="row 0, column 'ts': .* is the date .* in digits"):
        from_frame([first, first], tmp_path)
    assert from_frame([first], tmp_path, unit="ns").columns["ts"].tolist() == [int(first)]
    with pytest.raises(InputError, match=f"ts={int(first)} has the digits of a date"):
        check_first_number(int(first))
    check_first_number(20240230)


@pytest.mark.parametrize(("unit", "scale"), [("milliseconds", 10**6), ("microseconds", 10**3)])
def test_dates_of_another_unit_after_a_0_are_no_simulation(unit, scale, refusal, tmp_path):
    number = 1_709_649_123_456_789 * 1_000 // scale
    why = f"has the size of a date in {unit}, as all numbers after the 0, which has no unit; say unit='s', 'ms', 'us' or 'ns'"
    assert refusal(0, 0, number, number + 1) == f"row 2, column 'ts': {number} {why}"
    assert from_frame([0, number], tmp_path, unit="ns").columns["ts"].tolist() == [0, number]
    for simulated in (
        [0, 5, number],
        [0, number, 10**17],
        [0, 999_999_999, 10**9 + 1],
        [0, 10**9, 2 * 10**9],
        [0, 0],
        [0, 7 * 86_400 * 10**9],
    ):
        assert from_frame(simulated, tmp_path).columns["ts"].tolist() == simulated


def test_numbers_below_zero_have_no_unit(refusal):
    assert "row 0, column 'ts': -1700000000 has no unit" in refusal(-1700000000, -1699999999)


@pytest.mark.parametrize("time", ["2024-03-05T14:30:00Z", "2024-03-05", 1709649000, Decimal("1709649000.25")])
@pytest.mark.parametrize("count", [1, 3])
def test_one_time_for_all_rows_is_read_in_every_column_type(read, time, count, tmp_path):
    expected = read(time)[0]
    assert read(*[time] * count) == [expected] * count
    column = pd.Series([time] * count, dtype="category")
    rows = {"ts": column, "kind": "price", "instrument": "X", "price": 10}
    assert EventLog.from_frame(pd.DataFrame(rows)).columns["ts"].tolist() == [expected] * count


def test_times_as_decimals_are_exact():
    assert from_frame([Decimal("1709649000.123456789"), 1709649001], "").columns["ts"].tolist() == [
        1709649000123456789,
        1709649001000000000,
    ]


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ((2023, 2024), "years"),
        ((45_000, 45_001), "days as spreadsheets count them, from 1899-12-30"),
        ((45_000.5, 45_000.75), "days as spreadsheets count them, from 1899-12-30"),
        ((202_312, 202_401), "months in digits"),
    ],
)
def test_columns_of_years_months_or_days_are_no_times(refusal, read, numbers, said):
    assert refusal(*numbers).startswith("row 0, column 'ts': ") and str(numbers[0]) in refusal(*numbers)
    assert f"is no time of a unit, for all numbers of the column are {said}; give Timestamps" in refusal(*numbers)
    assert read(0, *map(int, numbers)) == [0, *map(int, numbers)]  # of a simulation, which goes on through them
    assert read(*map(int, numbers), unit="ns") == list(map(int, numbers))


FINER = "has digits beyond nanoseconds, and nothing is cut; round it"


@pytest.mark.parametrize(
    "finer",
    [
        "2024-03-05T14:30:00.1234567891",
        "2024-03-05 14:30:00.00000000001Z",
        "1709649000.1234567891",
        "1709649000123.4567891",
    ],
)
def test_digits_beyond_nanoseconds_are_refused_not_cut(refusal, read, finer):
    unit = {} if "T" in finer or " " in finer else {"unit": "s" if finer.index(".") == 10 else "ms"}
    assert refusal(finer, **unit).startswith("row 0, column 'ts': ") and refusal(finer, **unit).endswith(FINER)
    whole, digits = finer.rstrip("Z").split(".")
    kept = whole + "." + digits[: {"s": 9, "ms": 6}.get(unit.get("unit", "s"), 9)]
    assert read(kept + "000", **unit) == read(kept, **unit)


def test_a_float_is_as_near_as_it_can_be(tmp_path):
    assert from_frame([0.1 + 0.2], tmp_path, unit="s").columns["ts"].tolist() == [300_000_000]


@pytest.mark.parametrize("text", ["05.03.2024", "now", "2024-03-05T14:30:00.1234567891", "5", "", "2" * 10_000])
def test_one_time_is_iso_and_nothing_else(text):
    assert iso_time(text) is None
