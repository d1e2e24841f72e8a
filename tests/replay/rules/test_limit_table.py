"""Limit tables: what becomes of their rows, and that rules come back from the table that they give."""

from __future__ import annotations

import random

import pandas as pd
import pytest
from random_scenarios import PARAMETERS, rule

import riskkit as rk
from riskkit import InputError
from riskkit.replay.rules.limit_table import limit_table, read_limits
from riskkit.replay.rules.ruleset import RuleSet

LEVELS = """scope,key,measure,soft,hard,currency,valid_from,valid_to,approver
firm,*,max_exposure.limit,400000,500000,USD,,,
desk,*,position_limit.limit,,150,,,,
desk,D1,position_limit.limit,250,300,,,,
desk,D1,position_limit.limit,,350,,2026-03-02T10:00,2026-03-02T11:00,head of risk
trader,*,position_limit.limit,,100,,,,
"""
HOUR = 3_600_000_000_000
TEN = pd.Timestamp("2026-03-02T10:00", tz="UTC").value


@pytest.fixture
def levels(tmp_path):
    (tmp_path / "limits.csv").write_text(LEVELS)
    return tmp_path / "limits.csv"


def test_a_table_compiles_from_narrow_to_wide_with_soft_limits_that_warn(levels):
    rules = read_limits(levels).first
    assert [(one.id, one.scope, one.action) for one in rules] == [
        ("position_limit.limit by trader", "trader", "REJECT"),
        ("position_limit.limit by desk", "desk", "REJECT"),
        ("position_limit.limit by desk soft", "desk", "ALERT"),
        ("max_exposure.limit by firm", "firm", "REJECT"),
        ("max_exposure.limit by firm soft", "firm", "ALERT"),
    ]
    assert rules[3].currency == rules[4].currency == "USD"
    assert rules[1].overrides == (("D1", (("limit", "300"),)),) and rules[2].parameters.limit is None


def test_a_row_with_dates_goes_before_the_others_from_its_time_until_before_its_end(levels):
    history = read_limits(levels)
    assert [(change.ts - TEN, change.approved_by) for change in history.changes] == [
        (0, "head of risk"),
        (HOUR, "head of risk"),
    ]
    order = {"kind": "order", "account": "A", "instrument": "X", "side": "B", "price": 10}
    ts = [TEN - 1, TEN, TEN + HOUR - 1, TEN + HOUR]
    log = rk.EventLog.from_frame(
        pd.DataFrame([{**order, "ts": at, "qty": qty} for at in ts for qty in (300, 350, 351)]),
        accounts=[rk.Account("A", desk="D1", firm="F", trader="t")], unit="ns",
    )  # fmt: skip
    result = rk.replay_log(log, history_of_desk(history), compiled=False)
    assert result.rejections()["seq"].tolist() == [1, 2, 5, 8, 10, 11]


def history_of_desk(history):
    """The rule of the desk alone."""
    from riskkit.replay.rules.history import RuleHistory

    def desk(rules):
        return RuleSet(one for one in rules if one.id == "position_limit.limit by desk")

    return RuleHistory(desk(history.first), [change._replace(rules=desk(change.rules)) for change in history.changes])


@pytest.mark.parametrize("name", PARAMETERS)
def test_rules_come_back_from_their_table(name, tmp_path):
    draw = random.Random(name)
    rules = RuleSet.from_dict({"rules": [rule(draw, name, place) for place in range(4)]})
    table = limit_table(rules)
    assert read_limits(table).first == rules
    table.to_csv(tmp_path / "limits.csv", index=False)
    assert read_limits(tmp_path / "limits.csv").first == rules


def test_overrides_and_rules_of_several_limits_come_back(tmp_path):
    own = {"A/X": {"limit": "7.5", "notional": None}, "*/Y": {"notional": 100}}
    rules = RuleSet([
        rk.Rule("a", rk.rules.PositionLimit(limit=5, notional="70.25"), scope="account_instrument", overrides=own, currency="USD"),
        rk.Rule("b", rk.rules.MaxExposure(limit=None), scope="desk", overrides={"D": {"limit": 5}}),
        rk.Rule("c", rk.rules.DailyLoss(limit=5), action="PAUSE", hold="session", severity="CRITICAL"),
    ])  # fmt: skip
    limit_table(rules).to_csv(tmp_path / "limits.csv", index=False)
    assert read_limits(tmp_path / "limits.csv").first == rules


def test_a_toml_file_is_a_table_too(tmp_path):
    (tmp_path / "limits.toml").write_text('[[limits]]\nmeasure = "max_order_qty"\nhard = 5\nrule = "size"\n')
    assert read_limits(tmp_path / "limits.toml").first == RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=5))])


@pytest.mark.parametrize(
    "time", ["05.03.2026", "2026", "20260305", "1772700000", "now", "2026-03-05T10:00:00.1234567891", 46_000]
)
def test_a_time_of_a_row_is_guessed_from_nothing(time):
    row = {"key": "D1", "scope": "desk", "measure": "position_limit.limit", "hard": 5, "valid_from": time}
    with pytest.raises(
        InputError, match="row 1 of the limit table: valid_from=.* write it as 2024-03-05T14:30:00Z, or"
    ):
        read_limits(pd.DataFrame([row]))
