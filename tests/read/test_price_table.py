"""A table of prices reads the same in each of its shapes and files."""

from __future__ import annotations

import pandas as pd
import pytest
from refusing import refusal
from workbooks import workbook

import riskkit as rk

DAYS = pd.DatetimeIndex(["2024-03-04", "2024-03-05", "2024-03-13"], name="Date")
WIDE = pd.DataFrame({"KO": [59.5, 1059.25, 60.0], "XOM": [105.5, 106.0, 107.125]}, DAYS)
LONG = WIDE.melt(ignore_index=False, var_name="Ticker", value_name="Close").reset_index()
BY_ROWS = "a row is a day of an asset: Close by Ticker"


def same(found: pd.DataFrame, *assumed: str) -> None:
    pd.testing.assert_frame_equal(
        found, WIDE, check_names=False, check_freq=False, check_dtype=False, check_column_type=False
    )
    assert found.attrs["assumed"] == list(assumed)


@pytest.mark.parametrize(
    "form", [{}, {"sep": ";", "decimal": ","}, {"date_format": "%d.%m.%Y", "sep": "\t"}, {"encoding": "utf-16"}]
)
def test_a_text_is_read_in_both_shapes(tmp_path, form):
    path = tmp_path / "prices.csv"
    WIDE.to_csv(path, **form)
    same(rk.read.prices(path))
    LONG[["Ticker", "Date", "Close"]].to_csv(path, index=False, **form)
    same(rk.read.prices(path), BY_ROWS)


@pytest.mark.parametrize("shape", ["wide", "long", "titled", "texts"])
def test_a_workbook_is_read_in_both_shapes(tmp_path, shape):
    table = (LONG if shape == "long" else WIDE.reset_index()).astype({"Date": str})
    rows = [list(table.columns), *table.to_numpy().tolist()]
    if shape == "titled":
        rows = [["Prices of March", "", ""], *rows]
    if shape == "texts":
        rows = [rows[0], *([day, *(str(number).replace(".", ",") for number in numbers)] for day, *numbers in rows[1:])]
    (tmp_path / "prices.xlsx").write_bytes(workbook(*rows))
    same(rk.read.prices(tmp_path / "prices.xlsx"), *([BY_ROWS] if shape == "long" else []))


def test_parquet_and_frames_are_read_in_both_shapes(tmp_path):
    for table, assumed in ((WIDE, []), (LONG, [BY_ROWS]), (LONG.set_index("Date"), [BY_ROWS])):
        table.to_parquet(tmp_path / "prices.parquet")
        same(rk.read.prices(tmp_path / "prices.parquet"), *assumed)
        same(rk.read.prices(table), *assumed)
    for stacked in (LONG.set_index(["Date", "Ticker"]), LONG.set_index(["Date", "Ticker"])["Close"]):
        same(rk.read.prices(stacked), BY_ROWS)
        said = refusal(rk.simple_returns, stacked)  # its returns would be from one asset to the next
        assert said == "prices has 2 labels a row; riskkit.read.prices makes a row for each day"


def test_the_close_is_taken_the_adjusted_one_first():
    bars = pd.DataFrame({"Open": 1.0, "High": 2.0, "Low": 0.5, "Close": [3.0, 4.0, 5.0], "Volume": 7}, DAYS)
    assert rk.read.prices(bars).columns.tolist() == ["Close"]
    adjusted = bars.assign(**{"Adj Close": 1.5})
    assert rk.read.prices(adjusted).attrs["assumed"] == ["the columns are of one asset: Adj Close is taken"]
    long = adjusted.assign(Ticker="KO").reset_index()
    assert rk.read.prices(long).to_dict("list") == {"KO": [1.5] * 3}


@pytest.mark.parametrize(
    ("table", "why"),
    [
        (pd.concat([LONG, LONG[:1]]), "the table holds 2024-03-04 of KO twice; leave one of the rows out"),
        (LONG.rename(columns={"Close": "a"}).assign(b=1), "no column that is known as its prices; give that as Close; there are a, b"),
        (LONG.assign(Date="soon"), "the first column of the table holds 'soon', which is no date"),
        (LONG.assign(Close="dear"), "and no column that is known as its prices; give that as Close; there are none with numbers"),
        (WIDE.assign(KO="dear"), "column 'KO' of the table holds 'dear', which is not a number"),
        (WIDE.iloc[[0, 0, 1]], "the table holds 2024-03-04 twice; leave one of the rows out"),
        (WIDE.rename(columns={"KO": "Open", "XOM": "High"}).assign(Low=1.0), "has open, high and low of one asset and no close"),
        (7, "table is 7; give the path of a file, or a DataFrame"),
    ],
)  # fmt: skip
def test_what_is_no_table_of_prices_is_refused(table, why):
    table = (
        table[["Ticker", *[name for name in table if name != "Ticker"]]]
        if "Ticker" in getattr(table, "columns", ())
        else table
    )
    assert why in refusal(rk.read.prices, table)


@pytest.mark.parametrize(
    "text",
    [
        "Price,Close,Close\nTicker,KO,XOM\nDate,,\n2024-03-04,59.5,105.5\n2024-03-05,1059.25,106\n2024-03-13,60,107.125\n",
        "timestamp,KO,XOM\n1709510400,59.5,105.5\n1709596800,1059.25,106\n1710288000,60,107.125\n",
        "Date,KO,XOM\n2024-03-04 00:00:00-05:00,59.5,105.5\n2024-03-05 00:00:00-05:00,1059.25,106\n2024-03-13 00:00:00-04:00,60,107.125\n",
    ],
    ids=["yfinance", "epoch", "zones"],
)
def test_texts_of_vendors_are_read(tmp_path, text):
    (tmp_path / "prices.csv").write_text(text)
    same(rk.read.prices(tmp_path / "prices.csv"))


def test_other_shapes_of_vendors_are_read(tmp_path):
    two = pd.concat({"Close": WIDE, "Volume": WIDE * 0}, axis=1)
    same(rk.read.prices(two))
    (tmp_path / "prices.csv").write_text("<TICKER>,<DATE>,<CLOSE>\nKO,20240304,59.5\nKO,20240305,#N/A N/A\n")
    found = rk.read.prices(tmp_path / "prices.csv")
    assert found.index.tolist() == DAYS[:2].tolist() and found["KO"].isna().tolist() == [False, True]
