"""Feeds of a market: two days are read together as each alone, for ids are those of a day."""

from __future__ import annotations

import io
from pathlib import Path

import riskkit as rk
from riskkit.read.source import Source

FORMATS = Path(__file__).parents[1] / "data" / "formats"
DAY = "34200.1,1,11,100,1000500,1\n34200.2,4,11,40,1000500,1\n34200.3,2,11,10,1000500,1\n"


def test_two_days_of_lobster_have_ids_of_their_own():
    days = [Source(f"X_{day}_34200000_57600000_message_1.csv", DAY.encode()) for day in ("2024-03-08", "2024-03-11")]
    reading = rk.read.lobster(days)
    assert reading.events == {"order": 2, "modify": 2, "fill": 2}
    assert reading.frame["order_id"].nunique() == 2
    assert reading.facts["resting_at_end"] == {"orders": 2, "buy": 100, "sell": 0}


def test_two_days_of_itch_have_ids_of_their_own():
    data = (FORMATS / "itch50" / "S031124-v50.itch").read_bytes()
    one = rk.read.itch50(Source("S031124-v50.itch", data))
    both = rk.read.itch50([Source(f"S0311{year}-v50.itch", data) for year in ("24", "25")])
    assert both.events == {kind: 2 * count for kind, count in one.events.items()}
    assert both.log().counts() == {kind: 2 * count for kind, count in one.log().counts().items()}


def test_a_modify_in_all_counts_what_was_executed():
    reading = rk.read.lobster(io.StringIO(DAY), instrument="X", date="2024-03-08")
    assert [int(qty) for qty in reading.frame["qty"]] == [100, 40, 90]


def test_only_the_stocks_that_are_wanted_are_read():
    data = Source("S031124-v50.itch", (FORMATS / "itch50" / "S031124-v50.itch").read_bytes())
    reading = rk.read.itch50(data, instruments=["TEALX"])
    assert set(reading.frame["instrument"]) == {"TEALX"}
    assert any("only TEALX" in sentence for sentence in reading.assumed)
