"""What an event holds in place of lots and ticks, in the columns of a frame and in words."""

from __future__ import annotations

import pytest
from rows import load

CASES = {
    "amount": ({"kind": "dividend", "instrument": "X", "amount": "0.205"}, 0.205, "DIVIDEND X 0.205"),
    "rate": ({"kind": "funding", "instrument": "X", "rate": "-0.0001"}, -0.0001, "FUNDING X -0.0001"),
    "multiplier": ({"kind": "multiplier", "instrument": "X", "multiplier": "2.5"}, "2.5", "MULTIPLIER X 2.5"),
    "phase": ({"kind": "phase", "instrument": "X", "phase": "Auction"}, "auction", "PHASE X auction"),
    "ratio": ({"kind": "split", "instrument": "X", "ratio": "6/4"}, "3/2", "SPLIT X 3/2"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_frame_and_a_line_have_what_was_given(name):
    given, value, words = CASES[name]
    log = load({"ts": 1, **given})
    assert log.to_frame()[name].tolist() == [value] and log.to_frame()["qty"].isna().all()
    assert log.to_frame_row(0).endswith(words)


def test_money_is_in_words():
    assert load({"ts": 1, "kind": "cash", "account": "A", "amount": "2.50"}).to_frame_row(0).endswith("CASH A 2.5")
