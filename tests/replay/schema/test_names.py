"""Names: what pandas reads as missing is a name, and what forges a line is none; at every door alike."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import pandas as pd
import pytest

from riskkit import Account, EventLog, Instrument, Rule, RuleSet, Session, read_log
from riskkit._check import InputError
from riskkit.replay.rules.tiered import Tier, TieredRule
from riskkit.replay.schema.names import name_text
from riskkit.rules import MaxOrderQty

PARAMETERS = MaxOrderQty(limit=5)
NAMES = ("account", "instrument", "strategy", "connection", "order_id", "trade_id")
ORDER = {"ts": 1, "kind": "order", "account": "A", "instrument": "X", "side": "B", "qty": 1, "price": 10}
ORDER |= {"strategy": "s", "connection": "c", "order_id": "o"}
FILL = {**ORDER, "ts": 2, "kind": "fill", "trade_id": "t"}


def rows_with(column: str, name: Any) -> list[dict[str, Any]]:
    order = {**ORDER, column: name} if column in ORDER else ORDER
    return [order, {**FILL, column: name}]


def from_frame(rows: list[dict[str, Any]], folder: Any) -> EventLog:
    return EventLog.from_frame(pd.DataFrame(rows))


def from_file(rows: list[dict[str, Any]], folder: Any) -> EventLog:
    pd.DataFrame(rows).to_csv(folder / "log.csv", index=False)
    return read_log(folder / "log.csv")


def from_session(rows: list[dict[str, Any]], folder: Any) -> EventLog:
    like = Instrument("like")
    live = Session.create(RuleSet([Rule("q", PARAMETERS)]), auto_register=like, compiled=False)
    order, fill = ({name: value for name, value in row.items() if name not in ("ts", "kind")} for row in rows)
    live.process_order(ts=1, **{name: value for name, value in order.items() if name != "trade_id"})
    live.process_trade(ts=2, **fill)
    return live.log()


DOORS = (from_frame, from_file, from_session)
NA_WORDS = ("NA", "N/A", "nan", "NaN", "None", "null", "NULL", "<NA>", "#N/A", "n/a", "-nan", "-NaN", "1.#QNAN")


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("column", NAMES)
def test_words_that_pandas_reads_as_missing_are_names(door, column, tmp_path):
    for word in NA_WORDS:
        log = door(rows_with(column, word), tmp_path)
        labels = {
            "account": [account.id for account in log.universe.accounts],
            "instrument": [instrument.id for instrument in log.universe.instruments],
            "strategy": [label.split("/", 1)[1] for label in log.universe.strategies],
            "connection": list(log.universe.connections),
        }
        assert word in labels.get(column, [word])
        assert log.columns["order"].tolist() == [0, 0] and log.columns["trade_id"].tolist() == [-1, 0]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("column", NAMES)
@pytest.mark.parametrize("name", ["a\nb", "a\x0b2. ok", "a\x1b[2K", "a\u2028b", "\u202eab", "a\x00"], ids=ascii)
def test_a_name_that_breaks_a_line_is_refused(door, column, name, tmp_path):
    with pytest.raises(InputError, match="is not a name; a name is one line of text without control characters"):
        door(rows_with(column, name), tmp_path)


DECLARED: dict[str, Callable[[str], Any]] = {
    "rule": lambda name: Rule(name, PARAMETERS),
    "tiered rule": lambda name: TieredRule(name, PARAMETERS, [Tier(1)]),
    "rule of a table": lambda name: RuleSet.from_dict(
        {"rules": [{"id": name, "type": "max_order_qty", "params": {"limit": 1}}]}
    ),
    "instrument": Instrument,
    "product": lambda name: Instrument("X", product=name),
    "account": Account,
    "desk": lambda name: Account("A", desk=name),
    "firm": lambda name: Account("A", firm=name),
}


@pytest.mark.parametrize("what", DECLARED)
@pytest.mark.parametrize("name", ["a\nb", "a\x07"], ids=ascii)
def test_a_declared_name_is_one_line(what, name):
    with pytest.raises(InputError, match="is not a name"):
        DECLARED[what](name)


EMPTY = [None, float("nan"), pd.NA, pd.NaT]
NAMELESS = [*EMPTY, True, b"A", (), object(), Decimal("sNaN")]


@pytest.mark.parametrize("name", NAMELESS, ids=lambda name: type(name).__name__)
def test_what_is_no_text_and_no_number_names_nothing(name):
    for declare in (Account, Instrument, lambda name: Rule(name, PARAMETERS)):
        with pytest.raises(InputError, match=r"=.+ is not a name; a name is one line of text"):
            declare(name)
    for column in () if any(name is empty for empty in EMPTY) else NAMES:
        with pytest.raises(InputError, match=rf"row [01], column '{column}': .+ is "):
            from_frame(rows_with(column, name), None)
        with pytest.raises(InputError, match=rf"{column}=.+ is not a name"):
            from_session(rows_with(column, name), None)


@pytest.mark.parametrize(
    ("name", "text"), [(5, "5"), (5.0, "5"), (1.5, "1.5"), (Decimal("2.50"), "2.50"), (UUID(int=1), str(UUID(int=1)))]
)
def test_a_number_is_the_name_that_it_is_in_a_file(name, text):
    assert Account(name).id == Instrument(name).id == text
    for door in (from_frame, from_session):
        assert [account.id for account in door(rows_with("account", name), None).universe.accounts] == [text]


def test_an_empty_cell_is_no_name(tmp_path):
    log = from_frame([{**ORDER, "order_id": "", "strategy": ""}], tmp_path)
    assert log.columns["order"].tolist() == [-1] and not log.universe.strategies
    with pytest.raises(InputError, match="row 0, column 'account': nothing is not a label"):
        from_frame([{**ORDER, "account": ""}], tmp_path)
    with pytest.raises(InputError, match="account='' is not a name"):
        name_text("", "account")
