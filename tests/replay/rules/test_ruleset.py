"""Rule sets: equal from TOML, from a dict and from objects; what does not fit is refused by one sentence."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from refusing import refusal

from riskkit import EventLog, InputError, Rule, RuleSet, replay_log
from riskkit.replay.rules.rule import SCOPES, rule_types
from riskkit.replay.schema.columns import EventKind
from riskkit.replay.schema.scopes import QUANTITIES, WIRE
from riskkit.rules import (
    BreakerLimits,
    DailyLoss,
    DrawdownLimit,
    OrderRate,
    PositionLimit,
    ReduceOnly,
    TradingState,
    VarLimit,
    VolumeCap,
)

TOML = """
[[rules]]
id = "rate"
type = "order_rate"
params = { limit = 50, window_ns = "1s", kinds = ["order", "modify"] }

[[rules]]
type = "volume_cap"
scope = "account_product"
action = "PAUSE"
hold = "session"
[rules.params]
limit = "1000.5"
tz = "America/New_York"
roll_hour = 17

[[rules]]
id = "day"
type = "daily_loss"
severity = "CRITICAL"
params.limit = 10000
"""
RULES = RuleSet(
    [
        Rule("rate", OrderRate(limit=50, window_ns=1_000_000_000, kinds=("order", "modify"))),
        Rule(
            "volume_cap",
            VolumeCap(limit=Decimal("1000.5"), tz="America/New_York", roll_hour=17),
            "account_product",
            "PAUSE",
            hold="session",
        ),
        Rule("day", DailyLoss(limit=10_000), severity="CRITICAL"),
    ]
)


NEEDED: dict[str, dict[str, object]] = {"self_match": {}, 
    "netting_set": {"netting_set": {"s": {"X": 1}}, "limit": 1},
    "drawdown": {"money": 1}, "concentration": {"limit": "0.5"}, "cash": {}, "long_only": {}, "self_trade": {},
    "initial_margin": {}, "maintenance_margin": {}, "dd_equity": {"max_dd": "0.1", "lookback_ns": 1, "stop_ns": 1},
}  # fmt: skip


def toml(tmp_path: Path, text: str) -> RuleSet:
    file = tmp_path / "rules.toml"
    file.write_text(text, encoding="utf-8")
    return RuleSet.from_toml(file)


# ---------------------------------------------------------------------- one rule set, three ways


def test_toml_dict_and_objects_are_equal(tmp_path):
    read = toml(tmp_path, TOML)
    assert read == RULES == RuleSet.from_dict(read.to_dict()) == RuleSet.from_dict(RULES.to_dict())
    assert read.hash == RULES.hash and hash(read) == hash(RULES)
    assert str(read) == str(RULES)


def test_equal_settings_in_other_words_are_equal():
    words = [
        OrderRate(limit=5, window_ns="1s", kinds=("order", "modify")),
        OrderRate(limit=5, window_ns=1_000_000_000, kinds=("modify", "order")),
        OrderRate(limit=5, window_ns="1000ms", kinds=("modify", "order"), count="accepted"),
    ]
    assert len({RuleSet([Rule("r", word)]).hash for word in words}) == 1
    assert RuleSet([Rule("r", DailyLoss(limit="0.50"))]) == RuleSet([Rule("r", DailyLoss(limit=0.5))])


@pytest.mark.parametrize(
    "other",
    [
        Rule("r", OrderRate(limit=6, window_ns="1s")),
        Rule("q", OrderRate(limit=5, window_ns="1s")),
        Rule("r", OrderRate(limit=5, window_ns="1s"), scope="global"),
        Rule("r", OrderRate(limit=5, window_ns="1s"), action="ALERT"),
        Rule("r", OrderRate(limit=5, window_ns="1s"), severity="INFO"),
        Rule("r", OrderRate(limit=5, window_ns="1s"), action="PAUSE", hold="5min"),
    ],
)
def test_whatever_is_declared_tells_rule_sets_apart(other):
    assert RuleSet([Rule("r", OrderRate(limit=5, window_ns="1s"))]) != RuleSet([other])


def test_the_order_of_rules_is_part_of_them():
    one, two = Rule("a", PositionLimit(limit=1)), Rule("b", PositionLimit(limit=1))
    assert RuleSet([one, two]) != RuleSet([two, one])


def test_a_rule_set_is_a_sequence():
    assert len(RULES) == 3 and [rule.id for rule in RULES] == ["rate", "volume_cap", "day"]
    assert RULES[0] is RULES["rate"]
    with pytest.raises(KeyError):
        RULES["none"]
    assert repr(RULES) == "RuleSet(rate, volume_cap, day)"


def test_rules_print_as_sentences_to_sign():
    lines = str(RULES).splitlines()
    assert lines[0] == (
        "1. rate: at most 50 messages (orders, modifications) in any 1 s, rejected ones do not count, for each account. "
        "Orders and modifications that would breach it are rejected (severity WARN)."
    )
    assert lines[1].startswith(
        "2. volume_cap: at most 1,000.5 in quantity traded, with working orders, in a trading day from 17:00 America/New_York"
    )
    assert "until the next trading day (00:00 UTC): only" in lines[2] and lines[2].endswith("(severity CRITICAL).")
    assert str(RuleSet([])) == "no rules"
    assert "<li>rate: at most 50 messages" in RULES._repr_html_()


@pytest.mark.parametrize(
    "rule",
    [
        Rule("a", OrderRate(limit=3, window="calendar_day")),
        Rule("b", VolumeCap(notional="10.5", measure="ordered"), scope="global"),
        Rule("c", DrawdownLimit(pct="0.05", trailing=False), hold="1h"),
        Rule("d", BreakerLimits(daily_loss=5, open_positions=2)),
        Rule("e", PositionLimit(limit=5, include_open=False), action="ALERT"),
    ],
)
def test_what_is_written_is_read_back(rule):
    rules = RuleSet([rule])
    assert RuleSet.from_dict(rules.to_dict()) == rules


# ---------------------------------------------------------------------- sentences


def table(**fields) -> dict:
    return {"rules": [{"id": "r", "type": "order_rate", "params": {"limit": 5, "window_ns": "1s"}, **fields}]}


def limits(**params) -> dict:
    return {"rules": [{"id": "r", "type": "volume_cap", "params": params}]}


BAD_RULES = {
    "an unknown rule": (
        table(type="order_rat"),
        "rule 'r': rule type 'order_rat' is not known; did you mean 'order_rate'?",
    ),
    "a misspelt parameter": (
        limits(limt=5),
        "rule 'r': rule type 'volume_cap' has no parameter 'limt'; did you mean 'limit'?",
    ),
    "a missing parameter": (table(params={}), "rule 'r': rule type 'order_rate' needs the parameter 'limit'"),
    "a negative limit": (limits(limit=-1), "rule 'r': limit=-1 is negative; a limit is at or above zero"),
    "a negative count": (
        table(params={"limit": -5}),
        "rule 'r': limit=-5 is not a count: a whole number at or above zero",
    ),
    "half a count": (
        table(params={"limit": 2.5}),
        "rule 'r': limit=2.5 is not a count: a whole number at or above zero",
    ),
    "a limit that is no number": (limits(limit="much"), "rule 'r': limit='much' is not a number"),
    "an endless limit": (limits(limit=float("inf")), "rule 'r': limit=inf is not a finite number"),
    "true as a limit": (limits(limit=True), "rule 'r': limit=True is not a number"),
    "no duration": (
        table(params={"limit": 5, "window_ns": "a while"}),
        "rule 'r': window_ns='a while' is not a duration; use a text such as '500ms', '5min' or '1d', a Timedelta, or "
        "integer nanoseconds",
    ),
    "a fraction too fine": (
        {"rules": [{"id": "r", "type": "drawdown", "params": {"pct": "0.0000001"}}]},
        "rule 'r': pct='0.0000001' is finer than one part per million",
    ),
    "an unknown zone": (
        limits(limit=5, tz="Mars"),
        "rule 'r': tz='Mars' is not a time zone; use a name such as 'UTC' or 'America/New_York'",
    ),
    "an hour of no day": (limits(limit=5, roll_hour=24), "rule 'r': roll_hour=24 is not an hour from 0 to 23"),
    "an unknown choice": (
        limits(limit=5, measure="both"),
        "rule 'r': measure='both' is not one of 'traded', 'ordered'",
    ),
    "an unknown kind of message": (
        table(params={"limit": 5, "kinds": ["fill"]}),
        "rule 'r': kinds='fill' is not one of 'order', 'order_list', 'modify', 'cancel'",
    ),
    "an unknown action": (
        table(action="STOP"),
        "rule 'r': action='STOP' is not one of 'ALERT', 'QUEUE', 'REJECT', 'REDUCE_ONLY', 'PAUSE', 'HALT'",
    ),
    "an unknown severity": (
        table(severity="HIGH"),
        "rule 'r': severity='HIGH' is not one of 'INFO', 'WARN', 'CRITICAL'",
    ),
    "an unknown key": (table(scop="account"), "rule 1: key 'scop' is not known; did you mean 'scope'?"),
    "no type": ({"rules": [{"id": "r"}]}, "rule 1 has no 'type': the name of a rule type, as 'order_rate'"),
    "a type that is no text": (table(type=["a"]), "rule 1 has no 'type': the name of a rule type, as 'order_rate'"),
    "params that are none": (table(params=5), "rule 1: params=5 is not a table"),
    "a rule that is no table": ({"rules": ["rate"]}, "rule 1: 'rate' is not a table"),
    "two scopes": (
        table(scope="global", params={"limit": 5, "window_ns": "1s", "scope": "account"}),
        "rule 1: scope is 'global' but its params say 'account'",
    ),
    "one id twice": (
        {"rules": [*table()["rules"], *table()["rules"]]},
        "rule id 'r' is used twice; ids name the cause of a refusal",
    ),
    "no rules": ({"limits": []}, "a rule set has one key, 'rules', a list of tables; got the keys ['limits']"),
    "rules that are no list": (
        {"rules": {}},
        "a rule set has one key, 'rules', a list of tables; got the keys ['rules']",
    ),
    "a list alone": ([], "a rule set has one key, 'rules', a list of tables; got a list"),
}


@pytest.mark.parametrize(("data", "sentence"), BAD_RULES.values(), ids=BAD_RULES)
def test_rules_that_do_not_fit_are_refused_by_one_sentence(data, sentence):
    assert refusal(RuleSet.from_dict, data) == sentence


@pytest.mark.parametrize("kind", [kind for kind in rule_types() if kind.reads], ids=lambda kind: kind.name)
def test_a_scope_that_does_not_have_what_a_rule_reads_is_refused_with_the_reason(kind):
    for scope in set(SCOPES) - set(kind.scopes):
        lacking = [QUANTITIES[name].why_not for name in sorted(kind.reads) if scope not in QUANTITIES[name].scopes]
        assert lacking
        assert refusal(kind, "r", **NEEDED.get(kind.name, {"limit": 1}), scope=scope) == (
            f"rule 'r': scope={WIRE.get(scope, scope)!r} does not fit the type {kind.name!r}: {lacking[0]}; use "
            + ", ".join(repr(name) for name in kind.scopes)
        )


@pytest.mark.parametrize(
    ("parameters", "fitting"), [(TradingState(), ["account"]), (ReduceOnly(), ["account", "account_instrument"])]
)
def test_a_rule_on_the_account_itself_has_no_wider_scope(parameters, fitting):
    name = Rule("r", parameters).type
    for scope in set(SCOPES) - set(fitting):
        assert refusal(Rule, "r", parameters, scope=scope) == (
            f"rule 'r': scope={WIRE.get(scope, scope)!r} does not fit the type {name!r}; use "
            + ", ".join(map(repr, fitting))
        )


def test_a_fraction_of_equity_needs_a_scope_that_has_an_equity():
    assert Rule("r", DrawdownLimit(money=5), scope="product").scope == "product"
    assert refusal(Rule, "r", DrawdownLimit(pct="0.1"), scope="product") == (
        "rule 'r': scope='product' does not fit the type 'drawdown': equity belongs to accounts, not to a part of their "
        "positions; use 'account', 'trader', 'desk', 'firm', 'global'"
    )


def test_toml_is_refused_whole(tmp_path):
    assert refusal(toml, tmp_path, TOML + "\n[[rules]]\ntype = 'order_rat'") == (
        "rule 4: rule type 'order_rat' is not known; did you mean 'order_rate'?"
    )
    assert refusal(toml, tmp_path, "rules = [").startswith("rule file 'rules.toml' is not TOML: ")
    assert refusal(RuleSet.from_toml, tmp_path / "none.toml") == (
        "rule file 'none.toml' cannot be read: No such file or directory"
    )
    (tmp_path / "latin.toml").write_bytes(b"# caf\xe9")
    assert refusal(RuleSet.from_toml, tmp_path / "latin.toml").startswith("rule file 'latin.toml' is not TOML: ")


def test_what_is_no_rule_is_refused():
    assert refusal(RuleSet, [OrderRate(limit=5)]).endswith(
        "is not a Rule; write Rule('my-id', OrderRate(limit=50, ...))"
    )
    assert refusal(RuleSet, [Rule(f"r{i}", OrderRate(limit=1, window_ns=1)) for i in range(63)]) == (
        "a rule set of 63 rules is too large; at most 62 fit one mask"
    )
    assert refusal(Rule, "r", (5, 7)) == "rule 'r': (5, 7) are the parameters of no registered rule type"


@pytest.mark.parametrize(
    "parameters", [OrderRate(limit=5, window_ns="1d", bucket_ns=1), OrderRate(limit=2**40, window_ns="1s")]
)
def test_a_window_that_no_machine_can_hold_is_refused(parameters):
    log = EventLog.from_frame(
        pd.DataFrame([{"ts": 1, "kind": "order", "account": "A", "instrument": "X", "side": "B", "qty": 1, "price": 1}])
    )
    with pytest.raises(InputError, match="rule 'rate' needs .* numbers for each of 1 keys; give it a lower limit"):
        replay_log(log, RuleSet([Rule("rate", parameters)]), compiled=False)


def test_a_rule_says_what_a_breach_does_and_to_whom():
    rules = {
        action: Rule("size", PositionLimit(limit=5), "firm", action) for action in ("ALERT", "REJECT", "PAUSE", "HALT")
    }
    assert [rule.can_pause for rule in rules.values()] == [False, False, True, True]
    assert not rules["ALERT"].refuses and rules["REJECT"].refuses
    assert rules["REJECT"].action_text() == "orders and modifications that would breach it are rejected (severity WARN)"
    assert rules["ALERT"].action_text() == "a breach raises an alert and stops nothing (severity WARN)"
    assert "the firm is halted until a person resets it: only cancels are accepted" in rules["HALT"].action_text()
    assert {rule.scope_text() for rule in rules.values()} == {"for each firm, accounts netted, in each instrument"}


def test_a_scope_is_spelt_as_in_a_file():
    rule = Rule("cap", VolumeCap(limit=5), "account_product")
    assert rule.wire_scope == rule.describe()["scope"]
    (again,) = RuleSet.from_dict({"rules": [rule.describe()]})
    assert (again.scope, again.wire_scope) == (rule.scope, rule.wire_scope)


def test_few_returns_are_told_from_a_missing_price():
    var = Rule("var", VarLimit(limit=5, bar_ns="1s", warmup=3))
    assert var.is_young(3) and not var.is_young(0) and not Rule("size", PositionLimit(limit=5)).is_young(3)


def test_a_rule_type_makes_its_parameters_by_name():
    kind = Rule("size", PositionLimit(limit=5)).kind
    assert kind.make({"limit": 7}) == PositionLimit(limit=7)
    with pytest.raises(InputError, match="has no parameter 'limits'; did you mean 'limit'"):
        kind.make({"limits": 7})


def test_the_canonical_form_is_the_same_for_equal_settings():
    second, ns = (RuleSet([Rule("rate", OrderRate(limit=1, window_ns=w))]) for w in ("1s", 1_000_000_000))
    other = RuleSet([Rule("rate", OrderRate(limit=1, window_ns="2s"))])
    assert second.canonical() == ns.canonical() != other.canonical()


def test_the_given_limits_that_are_fractions_of_an_equity_are_named():
    assert Rule("fall", DrawdownLimit(pct="0.1")).fractions_of_equity == ("pct",)
    assert Rule("fall", DrawdownLimit(money=5)).fractions_of_equity == ()


def test_a_rate_that_counts_cancels_alerts_on_them_and_cannot_refuse_them():
    counted = OrderRate(limit=1, window_ns="1s", kinds=("order", "cancel"))
    assert Rule("rate", counted, action="ALERT").alerts_on == (EventKind.CANCEL,)
    assert Rule("rate", counted).alerts_on == ()


def test_the_word_of_a_pause_is_that_of_its_action():
    words = {action: Rule("r", DailyLoss(limit=1), action=action).pause_word for action in ("PAUSE", "HALT")}
    assert words == {"PAUSE": "paused", "HALT": "halted"}
