"""A strategy that reacts to refusals beside one that does not, in one call."""

from __future__ import annotations

import pytest
from replay.vbt.test_run_with_limits import CASH, UNITS, close, follow, sizes  # noqa: F401

from riskkit import RuleSet, replay_log
from riskkit.replay.rules.rule import Rule
from riskkit.rules import PositionLimit
from riskkit.vbt import compare_reactions

RULES = RuleSet([Rule("position", PositionLimit(limit=60))])
OPTIONS = {"init_cash": CASH, "compiled": False, **UNITS}


def smaller(c, size):
    """An order function that wants half after a refusal."""
    from vectorbt.portfolio.enums import Order

    wanted = size[c.i, c.col]
    return Order(size=wanted / 2 if c.answer is not None and c.answer.refused and wanted % 2 == 0 else wanted)


def test_a_strategy_that_does_not_react_is_its_record_enforced(vbt, close):  # noqa: F811
    found = compare_reactions(RULES, close, follow, sizes(3), **OPTIONS)
    frame = found.to_frame()
    assert found.first_difference is None and "does not react" in repr(found)
    kept, reacts = frame.loc["does not react, exits kept"], frame.loc["reacts"]
    assert kept.tolist() == reacts.tolist() and reacts["refused"] > 0
    assert found.reacting.enforce.digest == found.limited.result.digest == found.enforced["keep"].enforce.digest
    assert frame["profit"].nunique() > 2  # the policies for exits differ


def test_a_strategy_that_reacts_is_seen_to(vbt, close):  # noqa: F811
    found = compare_reactions(RULES, close, smaller, sizes(3), **OPTIONS)
    frame = found.to_frame()
    assert found.first_difference is not None and f"from event {found.first_difference:,} on" in repr(found)
    assert frame.loc["reacts", "profit"] == pytest.approx(float(found.limited.portfolio.total_profit().sum()))
    for policy, label in (("keep", "kept"), ("clip", "clipped to flat"), ("drop", "dropped")):
        alone = replay_log(found.free.log, RULES, "enforce", orphans=policy, compiled=False)
        row = frame.loc[f"does not react, exits {label}"]
        assert row["profit"] == pytest.approx(alone.accounts()["profit"].sum())
        assert row["refused"] == len(alone.rejections())
    assert frame.loc["without limits", "refused"] == 0
