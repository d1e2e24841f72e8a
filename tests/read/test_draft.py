"""What every reader gets from a draft: derived orders, order of time, fees by currency, units that were asked for."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import riskkit as rk
from riskkit.read.draft import Draft
from riskkit.read.source import Source, TableRow

FILE = Source("a.csv", b"")
ROW = TableRow(FILE, "line 2", {})
FILLS = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from("AB"), st.sampled_from("XY"), st.sampled_from("BS"), st.sampled_from(["1", "2", None]),
              st.integers(1, 9), st.integers(1, 9)),
    min_size=1, max_size=12,
)  # fmt: skip


def fill(draft, ts, account="A", instrument="X", side="B", order=None, qty=1, price=10, **more):
    numbers = {"qty": Decimal(qty), "price": Decimal(price)}
    return draft.event(
        ROW, "fill", ts, account=account, instrument=instrument, side=side, order_id=order, **numbers, **more
    )


@given(fills=FILLS)
def test_fills_alone_become_a_log_whose_orders_are_filled_whole(fills):
    draft = Draft("any", [FILE])
    for one in fills:
        fill(draft, *one)
    reading = draft.finish()
    log = reading.log()
    assert log.counts() == {"ORDER": reading.derived["order"], "FILL": len(fills)}
    assert log.order_faults == {} or not any(log.order_faults.values())
    frame = reading.frame
    assert frame["order_id"].notna().all()
    for _, own in frame.groupby("order_id"):
        order, done = own[own["kind"] == "order"].iloc[0], own[own["kind"] == "fill"]
        assert order.name < done.index.min()
        assert order["qty"] == sum(done["qty"])
        worst = max if order["side"] == "B" else min
        assert order["price"] == worst(done["price"])


def test_an_order_later_than_its_fill_is_taken_at_the_fill_and_said():
    draft = Draft("any", [FILE])
    draft.event(ROW, "order", 5, account="A", instrument="X", side="B", qty=Decimal(1), price=Decimal(9), order_id="1")
    fill(draft, 3, order="1")
    reading = draft.finish()
    assert reading.frame["kind"].tolist() == ["order", "fill"]
    assert [stamp.value for stamp in reading.frame["ts"]] == [3, 3]
    assert any("before their own" in sentence for sentence in reading.assumed)


def test_a_fee_in_another_currency_is_cash_of_the_flow_fee():
    draft = Draft("any", [FILE])
    draft.instrument("X", currency="USDT")
    fill(draft, 1, fee=Decimal("0.5"), fee_currency="BNB")
    fill(draft, 2, fee=Decimal("-0.25"), fee_currency="USDT")
    reading = draft.finish()
    assert reading.fees == {"BNB": Decimal("0.5"), "USDT": Decimal("-0.25")}
    assert reading.cash == {}
    cash = reading.frame[reading.frame["kind"] == "cash"]
    assert cash[["amount", "currency", "flow"]].values.tolist() == [[Decimal("-0.5"), "BNB", "fee"]]
    assert reading.log().universe.mixed


def test_units_that_are_missing_are_asked_for_together_and_given_ones_must_be_used():
    draft = Draft("any", [FILE])
    for label in "XY":
        fill(draft, 1, instrument=draft.instrument(label))
        draft.need_multiplier(label)
    with pytest.raises(rk.InputError, match=r"^a\.csv: the size .* give multipliers=\{'X': \.\.\., 'Y': \.\.\.\}$"):
        draft.finish()
    with pytest.raises(rk.InputError, match="'Z' is not an instrument of a.csv"):
        Draft("any", [FILE], multipliers={"Z": 1}).finish()


def test_a_refusal_of_the_log_names_file_and_row():
    draft = Draft("any", [FILE])
    fill(draft, 1)
    fill(draft, 2, account="a\nb")
    with pytest.raises(rk.InputError, match=r"^a\.csv, line 2, column 'account'"):
        draft.finish().log()


def test_a_file_without_events_gives_an_empty_log():
    assert len(Draft("any", [FILE]).finish().log()) == 0
