"""Every heading and word that is said to be known is known, in a table that holds it."""

from __future__ import annotations

import io

import pytest

import riskkit as rk
from riskkit.read.words import FLOWS, HEADINGS, KINDS, SIDES, STATES, columns_of, meaning

CELLS = {
    "ts": "2024-03-07 14:31:00", "instrument": "X", "side": "B", "qty": "2", "price": "10.5", "account": "A", "kind": "fill",
    "fee": "0.1", "fee_currency": "USD", "currency": "USD", "order_id": "o1", "trade_id": "t1", "bid": "10.4", "ask": "10.6",
    "type": "limit", "status": "done", "strategy": "s", "amount": "21", "clock": "14:31:00",
}  # fmt: skip
BASE = {"Zeitpunkt": "ts", "Symbol": "instrument", "Side": "side", "Qty": "qty", "Price": "price"}


@pytest.mark.parametrize(("column", "heading"), [(name, word) for name, words in HEADINGS.items() for word in words])
def test_a_known_heading_is_read_as_its_column(column, heading):
    beside = {name: meant for name, meant in BASE.items() if meant != column}
    if column == "clock":  # only beside a date
        beside = {"Date": "ts"} | {name: meant for name, meant in beside.items() if meant != "ts"}
    headings = [*beside, heading.title()]
    assert columns_of(headings)[heading.title()] == column
    cells = [CELLS[columns_of(headings)[name]] for name in headings]
    if column == "clock":
        cells[0] = "2024-03-07"
    reading = rk.read.generic_csv(io.StringIO(",".join(headings) + "\n" + ",".join(cells) + "\n"))
    assert set(reading.frame["instrument"]) == {"X"} and str(reading.frame["ts"].iloc[0]) == "2024-03-07 14:31:00+00:00"


@pytest.mark.parametrize("table", [KINDS, SIDES, FLOWS, STATES], ids=["kinds", "sides", "flows", "states"])
def test_a_word_has_one_meaning_in_any_case(table):
    words = [word for words in table.values() for word in words]
    assert len(words) == len(set(words))
    for name, spelt in table.items():
        assert {meaning(word.upper(), table) for word in spelt} | {meaning(word, table) for word in spelt} == {name}
    assert meaning("no such word", table) == ""


@pytest.mark.parametrize(("side", "word"), [(side, word) for side, words in SIDES.items() for word in words])
def test_the_word_of_a_side_is_read(side, word):
    text = f"time,symbol,action,quantity,price\n2024-03-07 14:31:00,X,{word},2,10.5\n"
    assert rk.read.generic_csv(io.StringIO(text)).frame["side"].tolist() == [side, side]
