"""Numbers and dates as people write them: what a file tells is read, what it leaves open is refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusing import refusal

from riskkit import InputError
from riskkit.read.numerals import Dates, Numerals
from riskkit.read.source import Source, TableRow
from riskkit.read.times import Clock

ROW = TableRow(Source("f.csv", b""), "line 2", {})
NUMBERS = st.decimals(-(10**9), 10**9, places=2)


def written(number: Decimal, mark: str, thousands: str, brackets: bool, sign: str) -> str:
    """A number as a broker prints it."""
    text = f"{abs(number):,}".replace(",", "#").replace(".", mark).replace("#", thousands)
    return f"({sign}{text})" if number < 0 and brackets else f"{'-' * (number < 0)}{sign}{text}"


@given(st.lists(NUMBERS, min_size=1), st.booleans(), st.booleans(), st.sampled_from(["", "$", "€"]))
def test_numbers_of_one_style_are_read_exactly_and_tell_their_style(numbers, german, brackets, sign):
    mark, thousands = (",", ".") if german else (".", ",")
    texts = [written(number, mark, thousands, brackets, sign) for number in numbers]
    read = Numerals.told_by(texts, ";", ROW)
    assert read.decimal == mark
    assert [read.decimal_of(text) for text in texts] == numbers


@pytest.mark.parametrize("text", ["1 234,50", "1.234,50", "1'234,50", "1\u202f234,50", "1234,50 EUR", "1234,50-"])
def test_other_thousands_units_and_a_minus_behind(text):
    assert abs(Numerals(",").decimal_of(text)) == Decimal("1234.50")


@pytest.mark.parametrize("texts", [["1.000"], ["1.000", "2"], ["3.500", "12.250"]])
def test_three_digits_behind_the_only_mark_are_asked_for(texts):
    assert refusal(Numerals.told_by, texts, ";", ROW) == (
        f"f.csv, line 2: {[t for t in texts if '.' in t][-1]!r} may have thousands or decimals after its mark; give "
        "decimal='.' or ','"
    )
    assert Numerals.told_by(texts, ",", ROW).decimal == "."
    assert Numerals.told_by([*texts, "1.017,33"], ";", ROW).decimal == ","


def test_two_styles_in_a_file_are_refused():
    with pytest.raises(InputError, match="'1,017.33' has a decimal point and '18.025,50' a decimal comma"):
        Numerals.told_by(["1,017.33", "18.025,50"], ";", ROW)


@pytest.mark.parametrize("text", ["", "abc", "1..2", "1,2,3.4.5", "0x10", "1_000", "inf", "nan"])
def test_what_is_no_number_is_none(text):
    assert Numerals(".").decimal_of(text) is None


def dates(texts, day_first=None):
    return Dates.told_by(texts, Clock("UTC"), day_first, ROW)


@pytest.mark.parametrize(
    ("texts", "day_first"),
    [(["3/9/2024", "27/9/2024"], True), (["3/9/2024", "3/14/2024"], False), (["03.09.24", "27.10.24"], True)],
)
def test_a_day_above_twelve_tells_the_order_of_the_file(texts, day_first):
    found = dates(texts)
    assert found.day_first is day_first
    month, day = (9, 3) if day_first else (3, 9)
    stamp = found.ns(ROW, texts[0])
    assert stamp == Clock("UTC").ns(f"2024-{month:02}-{day:02}", ROW.refuse)


def test_an_order_of_day_and_month_is_never_guessed():
    assert refusal(dates(["3/9/2024"]).ns, ROW, "3/9/2024 3:07:38 PM") == (
        "f.csv, line 2: '3/9/2024' may have the day or the month first; give day_first=True or False"
    )
    with pytest.raises(InputError, match="'27/9/2024' has the day first and '9/27/2024' the month"):
        dates(["27/9/2024", "9/27/2024"])
    assert dates(["3/9/2024"], day_first=False).ns(ROW, "3/9/2024 12:07:38 AM") % (86_400 * 10**9) == 458 * 10**9


@pytest.mark.parametrize(
    "text", ["3/9/2024 13:00 PM", "3/9/2024 0:00 AM", "31/31/2024", "3/9/2024 25:00", "3/9/2024 x"]
)
def test_a_time_that_is_none_is_refused(text):
    with pytest.raises(InputError, match=r"f\.csv, line 2: "):
        dates([], day_first=True).ns(ROW, text)
