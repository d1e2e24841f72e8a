"""Text tables as spreadsheets save them again, and headings with units."""

from __future__ import annotations

import io

import pytest

import riskkit as rk
from riskkit.read.local_form import day_is_first, is_of_sums, with_year_first

FILL = "2024-03-08 09:30:00,X,buy,1,2,0.5"


@pytest.mark.parametrize(
    ("dates", "first"),
    [(["08.03.2024"], True), (["3/8/2024", "3/14/2024"], False), (["8-3-2024 9:30", "14-3-2024"], True), (["3/8/2024"], None),
     (["14/3/2024", "3/14/2024"], None), (["2024-03-08"], None), ([], None)],
)  # fmt: skip
def test_the_order_of_day_and_month_is_told_or_open(dates, first):
    assert day_is_first(dates) is first


def test_only_a_whole_date_is_turned_round():
    assert [with_year_first(text, True) for text in ("8.3.2024", "8.3.2024 09:30:01,5", "v8.3.2024", "8.3.2024.1")] == [
        "2024-03-08", "2024-03-08 09:30:01,5", "v8.3.2024", "8.3.2024.1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "sums"),
    [(["Summe", "", "1.500,00"], True), (["", "", "", "1 200"], True), (["1", "2", "", ""], False), (["T1", "", ""], False),
     (["", "", ""], False), (["", "2024-03-08", "", ""], False), (["", "12:30", "", ""], False)],
)  # fmt: skip
def test_a_sum_has_no_words_and_no_time(cells, sums):
    assert is_of_sums(cells) is sums


@pytest.mark.parametrize(
    "heading",
    ["Time (UTC),Symbol,Side,Qty (BTC),Price (EUR),Fee (USD)", "Time [GMT],Symbol,Side,Qty,Price (€),Fee ($)"],
)
def test_units_in_brackets_behind_headings_are_those_of_the_columns(heading):
    reading = rk.read.generic_csv(io.StringIO(f"{heading}\n{FILL}\n"))
    assert reading.fees.keys() == {"USD"} and reading.instruments[0].currency == "EUR"
    assert str(reading.frame["ts"][0]) == "2024-03-08 09:30:00+00:00"


@pytest.mark.parametrize("zone", ["CET", "UTC+8", "+02:00", "Europe/Berlin"])
def test_a_zone_in_the_heading_of_times_is_asked_for(zone):
    text = f"Time ({zone}),Symbol,Side,Qty,Price,Fee\n{FILL}\n"
    with pytest.raises(rk.InputError, match=r"the heading of its times has the zone '.*'; give tz="):
        rk.read.generic_csv(io.StringIO(text))
    stamp = rk.read.generic_csv(io.StringIO(text), tz="Etc/GMT-8").frame["ts"][0]
    assert str(stamp) == "2024-03-08 01:30:00+00:00"


def test_an_order_without_an_id_ends_as_its_state_says():
    text = f"time,symbol,side,qty,price,fee,status\n{FILL},filled\n{FILL},cancelled\n{FILL},rejected\n"
    reading = rk.read.generic_csv(io.StringIO(text))
    kinds = reading.frame.groupby("order_id", sort=False)["kind"].agg(list).to_dict()
    assert kinds == {"file line 2": ["order"], "file line 3": ["order", "expire"], "file line 4": ["order", "reject"]}
    assert "an order without an id has the name of its line" in reading.assumed


def test_a_french_table_with_a_minus_of_typography_and_a_sum():
    text = "Date;Heure;Titre;Sens;Quantité;Cours;Frais\n28/03/2024;09:30:01;TTE;Vente;\u22121 000;63,25;2,5\nTotal;;;;\u22121 000;;2,5\n"
    reading = rk.read.generic_csv(io.StringIO(text), tz="Europe/Paris")
    assert reading.frame[["side", "qty"]].values[1].tolist() == ["S", 1000] and str(reading.fees[""]) == "2.5"
    assert reading.left_out["reason"].tolist() == ["total"]


def test_a_table_of_events_with_semicolons_is_read_with_its_kinds():
    rows = "2024-03-05 14:30:00,5;order;d;ES;B;2;5100,25;a1\n2024-03-05 14:31:00;cancel;d;ES;;;;a1\n"
    text = f"ts;kind;account;instrument;side;qty;price;order_id\n{rows}"
    reading = rk.read.generic_csv(io.StringIO(text))
    assert reading.events == {"order": 1, "cancel": 1} and str(reading.frame["price"][0]) == "5100.25"
    assert rk.read.registry.formats_of(rk.read.source.sources(io.StringIO(text))) == ["generic_csv"]
    assert (
        rk.read.registry.formats_of(rk.read.source.sources(io.StringIO(text.replace(",", ".").replace(";", ",")))) == []
    )
