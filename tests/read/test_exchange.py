"""What the exports of exchanges have in common."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusing import refusal

from riskkit import InputError
from riskkit.read.draft import Draft
from riskkit.read.exchange import ScopedIds, oldest_first, quote_of, with_unit, without_repeats
from riskkit.read.source import Source, TableRow

COINS = st.sampled_from(["BTC", "1000SATS", "1INCH", "ETH", "USDT", "1MBABYDOGE"])


def row(at: str = "line 2", **values: str) -> TableRow:
    return TableRow(Source("f.csv", b""), at, values)


@given(st.decimals(0, 10**9, places=10), COINS, st.booleans(), st.sampled_from(["", " "]))
def test_an_amount_ends_where_its_unit_begins(number, coin, thousands, blank):
    text = f"{number:,f}" if thousands else f"{number:f}"
    assert with_unit(row(a=f"{text}{blank}{coin}"), "a", [coin]) == (number, coin)


@pytest.mark.parametrize("text", ["BTC", "1.2", "1.2.3BTC", "1.2 BTC 3", ""])
def test_an_amount_without_number_or_unit_is_refused(text):
    with pytest.raises(InputError, match=r"f\.csv, line 2: "):
        with_unit(row(a=text), "a")


@given(st.lists(st.integers(0, 5), min_size=1).map(sorted), st.booleans())
def test_rows_of_one_time_keep_the_order_in_which_they_happened(stamps, newest_first):
    happened = [(stamp, number) for number, stamp in enumerate(stamps)]
    in_file = happened[::-1] if newest_first and stamps[0] != stamps[-1] else happened
    assert oldest_first(in_file, lambda entry: entry[0]) == happened


@pytest.mark.parametrize(
    ("symbol", "quote"),
    [("BTCUSDT", "USDT"), ("ETHBTC", "BTC"), ("BTCUSDT_240628", "USDT"), ("BTC-USD", "USD"), ("USDCUSDT", "USDT"),
     ("BTCUSDC", "USDC"), ("BTCUSD_PERP", "USD"), ("ADAEUR", "EUR"), ("XBTUSD", "USD"), ("USDTUSD", "USD"),
     ("DOTUSD_PERP", "USD"), ("BNBUSD", "USD"), ("SHIBUSD", "USD"), ("BTCTUSD", "TUSD"), ("BNBBUSD", "BUSD")],
)  # fmt: skip
def test_the_currency_of_a_symbol(symbol, quote):
    assert quote_of(row(), symbol, {}) == quote
    assert quote_of(row(), symbol, {symbol: "X"}) == "X"


def test_dollars_that_the_letters_of_a_symbol_leave_open_are_said():
    draft = Draft("x", [])
    assert quote_of(row(), "GALABUSD", {}, draft) == "BUSD" and quote_of(row(), "BTCBUSD", {}, draft) == "BUSD"
    assert list(draft._assumed) == ["GALABUSD is priced in BUSD, as its letters may say; quotes= says otherwise"]


def test_a_symbol_without_a_known_currency_is_asked_for():
    assert refusal(quote_of, row(), "FOOBAR", {}) == (
        "f.csv, line 2: 'FOOBAR' ends in no known currency; give quotes={'FOOBAR': ...}, the currency of its prices"
    )


def test_repeated_rows_are_left_out_by_name_and_other_contents_refused():
    draft = Draft("x", [])
    rows = [row(id="1", qty="2"), row("line 3", id="2", qty="2"), row("line 4", id="1", qty="2")]
    kept = without_repeats(draft, rows, lambda entry: entry["id"], "read before")
    assert [entry.at for entry in kept] == ["line 2", "line 3"]
    assert draft._left_out == [("f.csv", "line 4", "read before")]
    changed = [*rows, row("line 5", id="1", qty="3")]
    said = refusal(without_repeats, draft, changed, lambda entry: entry["id"], "read before")
    assert said == "f.csv, line 5: has the id of line 2 and other contents"


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("123"))))
def test_ids_of_a_scope_become_unique(pairs):
    ids = ScopedIds(pairs)
    assert len({ids.of(*pair) for pair in pairs}) == len(set(pairs))
