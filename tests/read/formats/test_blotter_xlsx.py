"""Blotters with other headings, without a kind of business, and with reversals of trades whose numbers have letters."""

from __future__ import annotations

import pytest
from refusing import refusal
from workbooks import workbook

import riskkit as rk
from riskkit.read.source import Source

FIRST = ["Trade Date", "Ccy", "B/S", "Symbol", "Qty", "Price", "Trade ID", "Status"]


def blotter(heading: list[str], *rows: str, **options) -> list[list]:
    book = workbook(heading, *(row.split(",") for row in rows))
    reading = rk.read.blotter_xlsx(Source("b.xlsx", book), tz="UTC", decimal=".", **options)
    return reading.standing()[["instrument", "side", "qty"]].to_numpy().tolist()


@pytest.mark.parametrize(
    ("heading", "words"),
    [(FIRST, "BS"), (["Datum", "Währung", "K/V", "ISIN", "Menge", "Kurs", "Tradenummer", "Status"], "KV"),
     (["Fecha", "Divisa", "C/V", "Valor", "Cantidad", "Precio", "Id operación", "Estado"], "CV"),
     (["Data operazione", "Valuta", "A/V", "Titolo", "Quantità", "Prezzo", "Id operazione", "Stato"], "AV")],
)  # fmt: skip
def test_headings_of_tables_of_no_standard_are_those_of_blotters(heading, words):
    rows = (f"2024-03-08,USD,{word},X,{size},10.5,T{size}," for word, size in zip(words, "57", strict=True))
    assert blotter(heading, *rows) == [["X", "B", 5], ["X", "S", 7]]


def test_without_a_kind_of_business_a_quantity_below_zero_is_a_sale():
    heading = ["Date", "ISIN", "Quantity", "Price", "Note"]
    assert blotter(heading, "2024-03-08,X,-5,10.5,a", "2024-03-08,TOTAL SE,7,10.5,b", ",,2,,") == [
        ["X", "S", 5],
        ["TOTAL SE", "B", 7],
    ]


@pytest.mark.parametrize("word", ["Cancels T2", "Storno zu T2", "reversal of no. T2"])
def test_a_reversal_names_a_trade_whose_number_has_letters(word):
    rows = (
        "2024-03-08,USD,B,X,5,10.5,T1,done",
        "2024-03-08,USD,S,X,7,10.5,T2,done",
        f"2024-03-08,USD,S,X,-7,10.5,T3,{word}",
    )
    assert blotter(FIRST, *rows) == [["X", "B", 5]]


def test_a_letter_that_may_be_a_buy_or_a_sale_is_refused():
    said = refusal(blotter, FIRST, "2024-03-08,USD,A,X,5,10.5,T1,done")
    assert (
        said
        == "b.xlsx, row 2: 'A' may be a buy or a sell, and the other words of its column do not tell; write it out, as buy or sell"
    )
