"""Numbers of absurd size are refused at once, at every door that reads exact numbers."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from refusing import refusal

from riskkit import Account, EventLog, Instrument, Rule, RuleSet, Session, read_log
from riskkit._check import InputError
from riskkit.desk import PositionTracker
from riskkit.replay.schema.decimals import decimal_of
from riskkit.replay.schema.universe import exact
from riskkit.rules import DailyLoss, MaxOrderQty

HUGE = ("1e9999999", "1e-99999999", "9" * 5000, Decimal("1e9999999"), Decimal("1E-99999999"), "1e999999999999999999999")
ROW = {"ts": 1, "kind": "order", "account": "A", "instrument": "X", "side": "B", "qty": "1", "price": "10"}


def frame(**cell: Any) -> EventLog:
    return EventLog.from_frame(pd.DataFrame([{**ROW, **cell}]))


def session(**field: Any) -> None:
    fields = {name: value for name, value in ROW.items() if name not in ("ts", "kind")}
    live = Session.create(RuleSet([Rule("q", MaxOrderQty(limit=5))]), [Instrument("X")], ["A"], compiled=False)
    live.process_order(ts=1, **{**fields, **field})


DOORS: dict[str, Callable[[Any], Any]] = {
    "exact": lambda number: exact(number, "number"),
    "rule limit": lambda number: Rule("r", DailyLoss(limit=number)),
    "count limit": lambda number: Rule("r", MaxOrderQty(limit=number)),
    "tick": lambda number: Instrument("X", tick=number),
    "opening cash": lambda number: EventLog.from_frame(
        pd.DataFrame([ROW]), accounts=[Account("A", cash={"USD": number})]
    ),
    "quantum": lambda number: EventLog.from_frame(pd.DataFrame([ROW]), quanta={"USD": number}),
    "frame price": lambda number: frame(price=number),
    "frame qty": lambda number: frame(qty=number),
    "live price": lambda number: session(price=number),
    "live qty": lambda number: session(qty=number),
    "tracker amount": lambda number: PositionTracker({"A": 1}).update("u", "m", "A", number, 1, timestamp=1),
    "tracker price": lambda number: PositionTracker({"A": 1}).update("u", "m", "A", 1, number, timestamp=1),
    "tracker lot": lambda number: PositionTracker({"A": number}),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("number", [*HUGE, 10**5000], ids=range(len(HUGE) + 1))
def test_a_number_of_absurd_size_is_refused_in_a_short_sentence(door, number):
    assert len(refusal(DOORS[door], number)) < 400


def test_a_table_with_absurd_numbers_is_refused(tmp_path):
    path = tmp_path / "log.csv"
    for column in ("qty", "price"):
        for number in map(str, HUGE):
            row = {**ROW, column: number}
            path.write_text(",".join(row) + "\n" + ",".join(map(str, row.values())) + "\n")
            with pytest.raises(InputError, match=f"row 0, column '{column}'"):
                read_log(path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1e9999999", "is too large or too finely written"),
        ("9" * 5000, "holds an integer of thousands of digits"),
        ("[" * 5000 + "]" * 5000, "nested too deep"),
    ],
    ids=["exponent", "digits", "nesting"],
)
def test_a_rule_file_with_absurd_values_is_refused(tmp_path, text, sentence):
    path = tmp_path / "limits.toml"
    limit = f'"{text}"' if text.startswith("1e") else text
    path.write_text(f'[[rules]]\nid = "r"\ntype = "daily_loss"\n[rules.params]\nlimit = {limit}\n')
    with pytest.raises(InputError, match=sentence):
        RuleSet.from_toml(path)


def test_a_file_with_a_byte_order_mark_is_read(tmp_path):
    path = tmp_path / "limits.toml"
    path.write_text('[[rules]]\nid = "r"\ntype = "daily_loss"\n[rules.params]\nlimit = 5\n', encoding="utf-8-sig")
    assert RuleSet.from_toml(path).declared[0].id == "r"


def test_what_floats_and_tokens_need_is_read():
    for number in (5e-324, 1.7e308 / 17, "1e-18", 2**256, "0." + "1" * 300):
        assert exact(number, "x") == exact(decimal_of(number, "x"), "x")
