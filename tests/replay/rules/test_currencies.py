"""Money of several currencies is neither added nor compared with a limit that has none, but converted."""

from __future__ import annotations

import re

import pytest
from refusing import refusal
from rows import load

import riskkit as rk
from riskkit import Account, InputError, Instrument, Rule, RuleSet
from riskkit.replay.rules.money import ADDED, WHOLE, compares_money, money_limits
from riskkit.replay.rules.rule import rule_types
from riskkit.replay.schema.scopes import SCOPES

TRADED = (Instrument("U", product="P"), Instrument("E", product="P", currency="EUR"))
KINDS = {kind.name: kind for kind in rule_types() if not kind.source_hash}
GIVEN = {"limit": 5, "window_ns": "1s", "required": "0.1", "lookback_ns": "1s", "stop_ns": "1s", "trade_limit": 1, "index": "U",
         "max_dd": "0.1", "qty_limit": 5, "pct": "0.1", "confidence": "0.95", "ticks": 1, "consecutive_errors": 1,
         "max_move": 1, "calendar": "24/7", "netting_set": {"s": {"U": 1}}}  # fmt: skip


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
    required.pop("confidence" if "model" in units else "", None)  # of one model alone
    required |= {"reference": "mean"} if {"reference", "window_ns"} <= units.keys() else {}
    required |= {"arrays": {"U": [1]}} if "cell_limits" in units else {}
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
    assert refusal(rk.replay_log, TWO, RuleSet([Rule("big", rk.rules.MaxOrderNotional(limit=9))])) == (
        "rule 'big' (max_order_notional) has a limit in money without a currency (limit), and this log has EUR and USD; "
        'name it with currency= and give exchange rates (rows kind="fx"), or '
        "replay the accounts of each currency as a log of their own, or leave the rule out"
    )
    with pytest.raises(InputError, match="adds the money of the desk 'D', which is in EUR and USD; name it with"):
        rk.replay_log(TWO, RuleSet([Rule("lever", rk.rules.Leverage(limit=2), scope="desk")]))
    with pytest.raises(InputError, match="adds the money of everything, which is in EUR and USD; name it with"):
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


# ---------------------------------------------------------------------- limits that name their currency

FX = {"kind": "fx", "pair": "EURUSD", "price": "1.1"}
FILL = {**order("A", "U"), "kind": "fill"}
RESERVE = {"kind": "credit", "account": "A", "reserve_id": "r", "step": "reserve", "amount": 1, "currency": "EUR"}
RATED = log_of(
    FX, order("A", "U"), FILL, order("A", "E"), RESERVE, accounts=[Account("A", {"USD": 5, "EUR": 5}, desk="D")]
)


def in_usd(name, **given):
    return Rule("r", KINDS[name].make(given), currency="USD")


@pytest.mark.parametrize("name", KINDS)
def test_every_type_that_compares_money_takes_a_currency_or_says_why_not(name):
    """No list of names: the units of its limits and what it adds decide, and whether its check converts."""
    kind = KINDS[name]
    money = {field: 7 for field, unit in kind.units().items() if unit.name == "money"}
    plain = rule_of(name, **money, **({"reject_mps": 1, "logout_mps": 2} if name == "message_level" else {}))
    for scope in kind.scopes if not plain.fractions_of_equity else WHOLE:
        rule = Rule("r", plain.parameters, scope=scope)
        says = ""
        try:
            Rule("r", plain.parameters, scope=scope, currency="USD")
        except InputError as error:
            says = str(error)
        if not compares_money(rule):
            assert "has no effect, for no limit of it is compared with money" in says
        elif kind.converted is None:
            assert "amounts of this type are not converted" in says
        elif kind.reads & ADDED and scope not in WHOLE:
            assert "does not fit the scope" in says
        else:
            assert says == ""


ONE_CURRENCY = {"netting_set"}  # it converts the sum of all, which are of one currency
CONVERTED = [name for name, kind in KINDS.items() if kind.converted is not None and name not in ONE_CURRENCY]


@pytest.mark.parametrize("name", CONVERTED)
def test_a_rule_in_a_currency_is_judged_where_rates_are_known_and_refused_where_none_is(name):
    money = {field: 7 for field, unit in KINDS[name].units().items() if unit.name == "money"}
    given = rule_of(name, **money).parameters
    rule = Rule("r", given, currency="USD", scope="account_instrument" if KINDS[name].adds_up else "")
    rk.replay_log(RATED, RuleSet([rule]), compiled=False)
    with pytest.raises(InputError, match="is in USD, and this log has money in EUR and no exchange rate between them"):
        rk.replay_log(MIXED, RuleSet([rule]), compiled=False)


def test_volumes_of_several_currencies_are_not_added():
    rule = in_usd("volume_cap", notional=9)
    with pytest.raises(InputError, match="adds the money of the account 'A', which is in EUR and USD; replay the"):
        rk.replay_log(RATED, RuleSet([rule]), compiled=False)


SENTENCES = [
    (
        lambda: in_usd("max_order_qty", limit=1),
        "rule 'r' (max_order_qty): currency='USD' has no effect, for no limit of it is compared with money",
    ),
    (
        lambda: in_usd("concentration", limit="0.5", above=9),
        "rule 'r' (concentration): currency='USD' does not fit, for amounts of this type are not converted; leave it out, "
        "and replay the accounts of each currency as a log of their own",
    ),
    (
        lambda: Rule("r", rk.rules.DailyLoss(limit=1), scope="product", currency="USD"),
        "rule 'r' (daily_loss): currency='USD' does not fit the scope 'product'; use 'account', 'trader', 'desk', 'firm', 'global'",
    ),
    (
        lambda: Rule("r", rk.rules.MaxOrderNotional(limit=1), max_age_ns="1s"),
        "rule 'r' (max_order_notional): max_age_ns='1s' has no effect without currency=",
    ),
    (
        lambda: rk.replay_log(
            log_of(FX, {"kind": "cash", "account": "A", "amount": 5}, order("A", "E")),
            RuleSet([in_usd("leverage", limit=1)]), compiled=False,
        ),
        "rule 'r' (leverage) converts the money of account 'A' to USD, and a cash event of it names no currency; give its "
        "currency, or the opening cash of the account",
    ),
    (
        lambda: rk.replay_log(
            log_of(FX, {"kind": "equity", "account": "A", "equity": 5}, order("A", "E")),
            RuleSet([in_usd("daily_loss", limit=1)]), compiled=False,
        ),
        "rule 'r' (daily_loss) converts the money of account 'A' to USD, and an equity given from outside names no "
        'currency; leave out the rows kind="equity", or the rule',
    ),
]  # fmt: skip


@pytest.mark.parametrize(("call", "says"), SENTENCES)
def test_what_is_not_converted_is_refused(call, says):
    assert refusal(call) == says


def test_a_session_refuses_money_without_a_currency_and_takes_new_ones_with_their_rates():
    rules = RuleSet([in_usd("daily_loss", limit=1)])
    session = rk.Session.create(rules, TRADED, ["A"], currencies="many", compiled=False)
    session.process_fx(ts=0, pair="GBPUSD", price="1.3")
    session.process_cash(ts=1, account="A", amount=5, currency="GBP")
    assert session.universe.currencies == ("USD", "EUR", "GBP")
    for call, fields in ((session.process_cash, {"amount": 5}), (session.process_equity, {"equity": 5})):
        with pytest.raises(InputError, match="converts the money of account 'A' to USD"):
            call(ts=2, account="A", **fields)
    assert len(session) == 2


def test_a_rate_without_use_changes_nothing_and_money_in_its_currency_does():
    session = rk.Session.create(
        RuleSet([Rule("big", rk.rules.MaxOrderNotional(limit=9))]), TRADED[:1], ["A"], compiled=False
    )
    session.process_fx(ts=0, pair="EURUSD", price="1.1")
    with pytest.raises(InputError, match="a limit in money without a currency"):
        session.process_cash(ts=1, account="A", amount=5, currency="EUR")
    assert len(session) == 1


def test_a_refusal_names_the_pair_and_the_sentence_the_currency():
    rule = Rule("big", rk.rules.MaxOrderNotional(limit=110_000), currency="USD", max_age_ns="1min")
    assert str(rule).startswith(
        "big: one order of at most 110,000 USD, a sell below the market at the market price (rejected while no price is known), "
        "converted to USD at the last rates (no older than 1 min), against the trader, for each account."
    )
    session = rk.Session.create(RuleSet([rule]), TRADED, ["A"], compiled=False)
    (action,) = session.process_order(ts=0, **{k: v for k, v in order("A", "E").items() if k != "kind"})
    assert action.reason.endswith(": no exchange rate of EUR/USD is known that is at most 1 min old.")
    session.process_fx(ts=1, pair="EUR/USD", bid=1, ask=200_000)
    (action,) = session.process_order(ts=2, **{k: v for k, v in order("A", "E").items() if k != "kind"})
    assert (action.observed, action.limit, action.unit) == (200_000, 110_000, "USD")
    assert session.result().explain(2).startswith("event 2")
    assert re.search("observed 200,000 USD, limit 110,000 USD", session.result().explain(2))


def test_a_rule_set_in_text_names_the_currency_and_a_tiered_rule_has_it_at_every_level():
    entry = {"id": "big", "type": "max_order_notional", "currency": "USD", "params": {"limit": 100, "max_age_ns": "1s"}}
    rules = RuleSet.from_dict({"rules": [entry]})
    assert rules["big"].max_age_ns == 10**9
    assert RuleSet.from_dict(rules.to_dict()) == rules
    assert rules != RuleSet.from_dict({"rules": [{**entry, "currency": "EUR"}]})
    levels = [{"at": "0.5", "action": "ALERT"}, {"at": 1, "action": "REJECT"}]
    tiered = RuleSet.from_dict({"rules": [{**entry, "levels": levels}]})
    assert [rule.currency for rule in tiered] == ["USD", "USD"]
    assert RuleSet.from_dict(tiered.to_dict()) == tiered


@pytest.mark.parametrize("named", [{}, {"currency": "EUR"}])
@pytest.mark.parametrize(("instrument", "expected"), [("E", []), ("U", ["REJECT"])])
def test_cash_that_names_no_currency_is_in_the_first_that_its_account_declares(named, instrument, expected):
    """Whatever the first currency of the log is, in a replay and live."""
    traded = [Instrument("U", currency="USD"), Instrument("E", currency="EUR")]
    accounts = [Account("B", cash={"USD": 0}), Account("A", cash={"EUR": 0})]
    rules = RuleSet([Rule("cash", rk.rules.CashLimit())])
    deposit = {"account": "A", "amount": 100, **named}
    order = {"account": "A", "instrument": instrument, "side": "B", "qty": 10, "price": 10}
    session = rk.Session.create(rules, traded, accounts, currencies="many", compiled=False)
    session.process_cash(ts=0, **deposit)
    assert [action.action.name for action in session.process_order(ts=1, **order)] == expected
    rows = {"ts": 0, "kind": "cash", **deposit}, {"ts": 1, "kind": "order", **order}
    log = load(*rows, instruments=traded, accounts=accounts, currencies="many", unit="ns")
    result = rk.replay_log(log, rules, compiled=False)
    assert len(result.rejections()) == len(expected)
    assert ("cash taken as zero" in str(result)) == (instrument == "U")
