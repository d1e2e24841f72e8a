"""The integer state at the start of a session."""

import riskkit as rk
from riskkit.replay.engine import state


def test_a_rule_is_made_plain_once_and_not_for_each_of_its_keys(monkeypatch):
    made, plain = [], state.plain
    monkeypatch.setattr(state, "plain", lambda function: made.append(function) or plain(function))
    rules = rk.RuleSet([rk.Rule("day", rk.rules.DailyLoss(limit=100), action="PAUSE")])
    session = rk.Session.create(rules, [rk.Instrument("X")], [f"A{number}" for number in range(50)], compiled=False)
    session.process_price(ts=0, instrument="X", price=1)
    assert 1 <= len(made) <= 4
