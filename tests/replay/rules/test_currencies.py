"""Money of several currencies is neither added nor compared with a limit that has none."""

from __future__ import annotations

import pytest
from rows import load

import riskkit as rk
from riskkit import Account, InputError, Instrument, Rule, RuleSet
from riskkit.replay.rules.currencies import ADDED, money_limits
from riskkit.replay.rules.rule import rule_types
from riskkit.replay.schema.scopes import SCOPES

TRADED = (Instrument("U", product="P"), Instrument("E", product="P", currency="EUR"))
KINDS = {kind.name: kind for kind in rule_types() if not kind.source_hash}
GIVEN = {"limit": 5, "window_ns": "1s", "required": "0.1", "lookback_ns": "1s", "stop_ns": "1s", "trade_limit": 1,
         "max_dd": "0.1", "qty_limit": 5, "pct": "0.1", "confidence": "0.95", "ticks": 1, "consecutive_errors": 1}  # fmt: skip


def order(account, instrument, **more):
    return {"kind": "order", "account": account, "instrument": instrument, "side": "B", "qty": 1, "price": 1, **more}


def log_of(*rows, **options):
    listed = [{"ts": ts, **row} for ts, row in enumerate(rows)]
    return load(*listed, **{"instruments": TRADED, "unit": "ns", **options})


APART = [Account("A", {"USD": 5}, desk="D", firm="F"), Account("B", {"EUR": 5}, desk="D", firm="F")]
TWO = log_of(order("A", "U", strategy="s"), order("B", "E", strategy="s"), accounts=APART)
ONE = log_of(order("A", "U", strategy="s"), order("B", "U", strategy="s"),
             accounts=[Account("A", {"USD": 5}, desk="D", firm="F"), Account("B", {"USD": 5}, desk="D", firm="F")])  # fmt: skip
MIXED = log_of(order("A", "U"), order("A", "E"), accounts=[Account("A", {"USD": 5, "EUR": 5})], currencies="many")


def rule_of(name, **given):
    kind = KINDS[name]
    scope = given.pop("scope", "")
    units = kind.units()
    required = {field: "0.1" if units[field].name == "fraction" else GIVEN[field] for field in units if field in GIVEN}
    return Rule("r", kind.make({**required, **given}), scope=scope)


def refused(rule, log):
    try:
        rk.replay_log(log, RuleSet([rule]), compiled=False)
    except InputError as error:
        return "EUR and USD" in str(error)
    return False


@pytest.mark.parametrize("name", KINDS)
def test_every_limit_in_money_is_refused_where_a_log_has_two_currencies(name):
    for field, unit in KINDS[name].units().items():
        if unit.name == "money":
            rule = rule_of(name, **{field: 7})
            assert field in money_limits(rule)
            assert refused(rule, TWO) and refused(rule, MIXED) and not refused(rule, ONE), field


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("name", KINDS)
def test_every_sum_over_two_currencies_is_refused(name, scope):
    if scope not in KINDS[name].scopes:
        return
    money = [field for field, unit in KINDS[name].units().items() if unit.name == "money"]
    money = {field: KINDS[name].parameters._field_defaults.get(field, 7) for field in money}
    try:
        rule = rule_of(name, scope=scope, **money)
    except InputError:
        return
    if money_limits(rule):
        return
    adds = bool(rule.kind.reads & (ADDED | {"cash"}) or rule.fractions_of_equity)
    joined = scope in ("product", "strategy", "desk", "firm", "global")
    assert refused(rule, TWO) == (adds and joined)
    assert not refused(rule, ONE)


def test_the_sentence_names_rule_currencies_and_what_fits():
    with pytest.raises(InputError) as error:
        rk.replay_log(TWO, RuleSet([Rule("big", rk.rules.MaxOrderNotional(limit=9))]))
    assert str(error.value) == (
        "rule 'big' (max_order_notional) has a limit in money without a currency (limit), and this log has EUR and USD; "
        "replay the accounts of each currency as a log of their own, or leave the rule out"
    )
    with pytest.raises(InputError, match="adds the money of the desk 'D', which is in EUR and USD; replay the"):
        rk.replay_log(TWO, RuleSet([Rule("lever", rk.rules.Leverage(limit=2), scope="desk")]))
    with pytest.raises(InputError, match="adds the money of everything, which is in EUR and USD; replay the"):
        rk.replay_log(TWO, RuleSet([Rule("lever", rk.rules.Leverage(limit=2), scope="global")]))


def test_cash_of_an_account_that_mixes_is_kept_by_currency():
    assert not refused(Rule("cash", rk.rules.CashLimit()), MIXED)
    assert refused(Rule("lever", rk.rules.Leverage(limit=2)), MIXED)


@pytest.mark.parametrize("money", [rk.rules.MaxExposure(limit=9), rk.rules.ConcentrationLimit(limit="0.5", above=1)])
def test_a_live_session_refuses_them_too(money):
    with pytest.raises(InputError, match=r"a limit in money without a currency \(\w+\), and this session has EUR and"):
        rk.Session.create(RuleSet([Rule("r", money)]), TRADED, ["A"], compiled=False)
    with pytest.raises(InputError, match="adds money for each desk, and this session has EUR and USD"):
        rules = RuleSet([Rule("r", rk.rules.Leverage(limit=2), scope="desk")])
        rk.Session.create(rules, TRADED, [Account("A", desk="D")], compiled=False)
    session = rk.Session.create(RuleSet([Rule("r", rk.rules.Leverage(limit=2))]), TRADED, ["A"], compiled=False)
    assert session.status().universe.currencies == ("USD", "EUR")
