"""``riskkit risk``, ``backtest`` and ``report risk``: a table of prices goes in."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import riskkit as rk
from riskkit.cli import main

DAYS = pd.bdate_range("2023-01-02", periods=300, name="date")
MOVES = np.random.default_rng(3).normal(0.0, 0.01, (300, 3))
PRICES = pd.DataFrame(100 * np.exp(MOVES.cumsum(axis=0)), index=DAYS, columns=["AAPL", "KO", "XOM"]).round(4)
RETURNS = PRICES.pct_change().dropna()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    PRICES.to_csv("prices.csv")
    RETURNS.to_parquet("returns.parquet")
    PRICES.to_csv("european.csv", sep=";", decimal=",")
    return tmp_path


def asked(capsys, *words: str) -> dict:
    assert main([*words, "--json"]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    return json.loads(shown.out)


@pytest.mark.parametrize("weights", ["0.5,0.3,0.2", "XOM=0.2,AAPL=0.5,KO=0.3"])
@pytest.mark.parametrize(
    "file", [["prices.csv"], ["returns.parquet", "--returns"], ["european.csv", "--separator", ";", "--decimal", ","]]
)
def test_the_var_of_a_book_is_that_of_the_function(capsys, file, weights):
    found = asked(capsys, "risk", *file, "--weights", weights, "--confidence", "0.95")
    wanted = rk.value_at_risk(RETURNS @ [0.5, 0.3, 0.2], 0.95)
    (row,) = found["estimates"]
    assert row == pytest.approx({"confidence": 0.95, "var": wanted.var, "es": wanted.es})
    assert found["observations"] == 299


@pytest.mark.parametrize(
    "form",
    [{"sep": ";", "decimal": ","}, {"date_format": "%m/%d/%Y"}, {"date_format": "%d.%m.%Y", "sep": "\t", "decimal": ","},
     {"encoding": "utf-16", "sep": "\t"}, {"quoting": 1, "lineterminator": "\r\n", "encoding": "utf-8-sig"}],
)  # fmt: skip
def test_how_a_table_is_written_is_told_by_the_table(capsys, form):
    wanted = asked(capsys, "risk", "prices.csv")
    PRICES[::-1].to_csv("other.csv", **form)
    assert asked(capsys, "risk", "other.csv") == wanted
    PRICES.map(lambda price: f"{1000 * price:,.1f}").to_csv("thousands.csv")
    close = asked(capsys, "risk", "thousands.csv")["estimates"]
    assert [row["var"] for row in close] == pytest.approx([row["var"] for row in wanted["estimates"]], rel=1e-3)


def test_it_prints_the_table_of_the_estimate(capsys):
    assert main(["risk", "prices.csv", "--weights", "KO=1", "--method", "student_t"]) == 0
    assert capsys.readouterr().out == f"{rk.value_at_risk(RETURNS['KO'], method='student_t')!r}\n"


def test_positions_are_money_and_without_them_each_column_is_a_book(capsys):
    (row,) = asked(capsys, "risk", "prices.csv", "--positions", "AAPL=5000,KO=-3000")["estimates"]
    assert row["var"] == pytest.approx(rk.value_at_risk(RETURNS @ [5000.0, -3000.0, 0.0]).var)
    each = asked(capsys, "risk", "prices.csv")["estimates"]
    assert [row["portfolio"] for row in each] == ["AAPL", "KO", "XOM"]


def test_the_backtest_of_a_book_is_that_of_the_function(capsys):
    words = ["prices.csv", "--weights", "AAPL=1", "--confidence", "0.95", "--window", "200"]
    wanted = rk.backtest_var(rk.rolling_var(RETURNS["AAPL"], 200, 0.95))
    found = asked(capsys, "backtest", *words)
    assert (found["verdict"], found["hits"], found["days"]) == (wanted.verdict, wanted.n_hits, 99)
    assert [row["test"] for row in found["tests"]] == list(wanted.to_frame().index)


def test_the_tear_sheet_is_on_the_book(capsys, monkeypatch):
    asked_for = []
    monkeypatch.setattr(
        "riskkit.report.tear_sheet", lambda *given, **options: asked_for.append((given, options)) or given[1]
    )
    words = ["--positions", "AAPL=5000,KO=3000", "--currency", "USD", "--window", "200", "--out", "out/sheet.html"]
    assert asked(capsys, "report", "risk", "prices.csv", *words) == {"report": "out/sheet.html"}
    (((returns, path), options),) = asked_for
    assert returns.shape == (299, 3) and options.pop("positions").tolist() == [5000.0, 3000.0, 0.0]
    assert options == {"confidence": 0.99, "window": 200, "currency": "USD"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["risk", "none.csv"], "'none.csv' does not exist"),
        (["risk", "prices.csv", "--separator", ";"], "'prices.csv' has one column where dates and prices are needed"),
        (["risk", "prices.csv", "--separator", "ab"], "'ab' is not a sign between columns, as ; or tab"),
        (["risk", "prices.csv", "--weights", "nan,0,1"], "'nan,0,1' is neither numbers, as 0.6,0.4, nor"),
        (["risk", "twice.csv"], "'twice.csv' holds 2023-01-03 twice; leave one of the rows out"),
        (["risk", "words.csv"], "words.csv, line 3: KO='closed' is not a number"),
        (["risk", "torn.csv"], "torn.csv, line 3: has 3 cells, and 4 are needed"),
        (["risk", "open.csv"], "the first column of 'open.csv' holds '3/8/2024', which is no date; give dates in ISO form"),
        (["risk", "prices.csv", "--weights", "0.5,0.5"], "--weights has 2 numbers and the table 3 columns: AAPL, KO, XOM"),
        (["risk", "prices.csv", "--weights", "APPL=1"], "--weights names 'APPL', which is no column; there are AAPL"),
        (["risk", "prices.csv", "--weights", "AAPL=1,2"], "'AAPL=1,2' names some assets and not others, or one twice"),
        (["risk", "prices.csv", "--weights", "half"], "'half' is neither numbers, as 0.6,0.4, nor"),
        (["risk", "prices.csv", "--weights", "1,0,0", "--positions", "1,0,0"], "give --weights or --positions, not both"),
        (["risk", "text.csv"], "the first column of 'text.csv' holds '5.3.24 x', which is no date; give dates in ISO form"),
        (["risk", "prices.csv", "--method", "guess"], "'guess' is not one of 'historical'"),
        (["risk", "broken.parquet"], "'broken.parquet' cannot be read as a table: "),
        (["backtest", "prices.csv"], "the table has 3 columns; give --weights or --positions of one book"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_sentence_and_code_2(capsys, words, sentence):
    PRICES.iloc[[0, 1, 1, 2]].to_csv("twice.csv")
    Path("words.csv").write_text("date,AAPL,KO\n2024-03-08,1,2\n2024-03-11,1,closed\n")
    Path("torn.csv").write_text("date,AAPL,KO,XOM\n2024-03-08,1,2,3\n2024-03-11,1,2\n")
    Path("open.csv").write_text("date,AAPL\n3/8/2024,1\n3/9/2024,1\n")
    PRICES.set_axis(["5.3.24 x"] * len(PRICES)).to_csv("text.csv")
    with open("broken.parquet", "w") as file:
        file.write("no table")
    assert main(words) == 2
    shown = capsys.readouterr()
    assert sentence in shown.err.splitlines()[-1] and shown.out == ""


def test_a_row_for_each_day_and_asset_is_read_and_said(capsys):
    wanted = asked(capsys, "risk", "prices.csv", "--weights", "0.5,0.3,0.2")
    PRICES.melt(ignore_index=False, var_name="Symbol", value_name="Adj Close").to_csv("long.csv")
    assert main(["risk", "long.csv", "--weights", "0.5,0.3,0.2", "--json"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out) == wanted
    assert shown.err == "long.csv: a row is a day of an asset: Adj Close by Symbol\n"
