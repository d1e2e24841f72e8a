"""What an iceberg shows, of frames and of a live session: what fits its order, and that every rule judges the whole."""

from __future__ import annotations

import pytest
from live_rows import submit
from refusing import refusal as refusal_of
from rows import ORDER, column, load, refusal

from riskkit import Instrument, Rule, RuleSet, Session, replay_log
from riskkit.replay.ingest.displays import NO_DISPLAY
from riskkit.replay.schema.columns import RowFlag
from riskkit.rules import MaxOrderQty, TickLotCheck

RULES = RuleSet([Rule("valid", TickLotCheck()), Rule("size", MaxOrderQty(limit=5))])
QUANTITY = 4


@pytest.mark.parametrize("shown", [1, "4", 2.0, None, float("nan"), ""])
def test_what_fits_leaves_nothing_in_the_columns(shown):
    whole, iceberg = (load({**ORDER, "qty": QUANTITY, **more}) for more in ({}, {"display": shown}))
    assert iceberg.event_hash == whole.event_hash


@pytest.mark.parametrize("shown", [0, -1, "0.5", 5, "4.0001", "x", float("inf")])
def test_what_does_not_fit_is_refused_at_both_doors_or_flagged(shown):
    row = {**ORDER, "qty": QUANTITY, "display": shown}
    assert refusal(row).startswith("row 0, column 'display': ") and refusal(row).endswith(NO_DISPLAY)
    session = Session.create(RULES, [Instrument("X")], ["A"], compiled=False)
    said = refusal_of(
        session.process_order, ts=1, account="A", instrument="X", side="B", qty=QUANTITY, price=10, display=shown
    )
    assert said.startswith("display=") and said.endswith(NO_DISPLAY) and not len(session)
    flagged = load(row, on_bad_order="flag")
    assert column(flagged, "flags") == [int(RowFlag.BAD_DISPLAY)] and column(flagged, "qty") == [QUANTITY]
    assert replay_log(flagged, RULES, compiled=False).refusals_by_rule() == {"valid": 1, "size": 0}


def test_every_rule_judges_the_whole_and_a_frame_is_a_session():
    rows = [{**ORDER, "qty": quantity, "display": 1, "order_id": str(quantity)} for quantity in (4, 5, 6)]
    session = Session.create(RULES, [Instrument("X")], ["A"], compiled=False)
    submit(session, rows)
    assert session.result().rejections()["seq"].tolist() == [2]
    assert session.result().digest == replay_log(load(*rows), RULES, compiled=False).digest


@pytest.mark.parametrize(("quantity", "shown", "fits"), [("1.55", 2, False), ("2.45", 2, True), ("2.55", 3, False)])
def test_what_is_shown_of_a_quantity_off_the_lot_is_compared_with_it_as_it_was_written(quantity, shown, fits):
    flagged = load({**ORDER, "qty": quantity, "display": shown}, on_bad_order="flag")
    assert bool(column(flagged, "flags")[0] & RowFlag.BAD_DISPLAY) is not fits
    session = Session(RULES, flagged.universe, compiled=False, on_bad_order="flag")
    session.process_order(ts=1, account="A", instrument="X", side="B", qty=quantity, price=10, display=shown)
    assert session.log().columns["flags"].tolist() == column(flagged, "flags")
