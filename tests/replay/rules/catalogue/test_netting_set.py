"""Netting sets: their worth, what they refuse, and a limit of another rule type that names them."""

from __future__ import annotations

import pytest
from rows import load
from scenario_runner import rules_of

from riskkit import Account, InputError, Instrument, Rule, RuleSet, replay_log
from riskkit.rules import MaxExposure, NettingSet

INDEX = {"index": {"ES": 1, "MES": "0.1"}}
TRADED = [Instrument("ES", multiplier=50), Instrument("MES", multiplier=5)]


def log(*terms, traded=TRADED, positions=None):
    """Prices of 4,000 and 3,990, then an order a second."""
    rows = [{"kind": "price", "instrument": one.id, "price": 4_000 - 10 * n, "ts": 0} for n, one in enumerate(traded)]
    for ts, (label, side, qty) in enumerate(terms, 1):
        rows.append(
            {"kind": "order", "account": "A", "instrument": label, "side": side, "qty": qty, "price": 4_000, "ts": ts}
        )
    return load(*rows, instruments=traded, accounts=[Account("A", positions=positions or {})], unit="ns")


def refused(events, compiled=False, **fields):
    rule = Rule("r", fields.pop("parameters"), **fields)
    result = replay_log(events, RuleSet([rule]), "shadow", compiled=compiled)
    return (result.rejections()["seq"] - len(events.universe.instruments) + 1).tolist()


def test_what_remains_of_a_set_is_worth_the_full_contract():
    """5 of 9 full contracts remain, at 4,000 and not at 3,990."""
    events = log(("MES", "B", 1), positions={"ES": 9, "MES": -40})
    for exposure, found in (("1020000", []), ("1019999.99", [1])):
        assert refused(events, parameters=NettingSet(INDEX, exposure=exposure)) == found


def test_a_part_of_a_full_contract_counts_to_the_cent_against_the_trader():
    """7 micros of 0.1 are 0.7 x 200,000, of 0.333333 2.333331 x 200,000."""
    for ratio, worth in (("0.1", "140000"), ("0.333333", "466666.20")):
        events = log(("MES", "B", 7))
        sets = {"index": {"ES": 1, "MES": ratio}}
        assert refused(events, parameters=NettingSet(sets, exposure=worth)) == []
        assert refused(events, parameters=NettingSet(sets, exposure=worth, breach="reach")) == [1]


def test_a_ratio_below_zero_turns_an_instrument_round():
    events = log(("ES", "B", 1), ("MES", "B", 10), ("MES", "S", 10), positions={"ES": 4})
    assert refused(events, parameters=NettingSet({"s": {"ES": 1, "MES": "-0.1"}}, limit=4)) == [1, 3]


def test_what_is_held_of_one_currency_counts_in_that_of_the_limit():
    events = load(
        {"kind": "fx", "pair": "EURUSD", "price": "1.25", "ts": 0},
        {"kind": "price", "instrument": "A", "price": 100, "ts": 0},
        *(
            {"kind": "order", "account": "A", "instrument": "A", "side": "B", "qty": q, "price": 100, "ts": q}
            for q in (8, 9)
        ),
        instruments=[Instrument("A", currency="EUR")],
        accounts=[Account("A")],
        unit="ns",
    )
    parameters = NettingSet({"s": {"A": 1}}, exposure=1_000)
    result = replay_log(events, RuleSet([Rule("r", parameters, currency="USD")]), compiled=False)
    assert result.rejections()["seq"].tolist() == [3]
    assert "1,125" in str(result.explain(3))


def test_money_of_several_currencies_is_refused():
    traded = [Instrument("ES"), Instrument("E", currency="EUR")]
    with pytest.raises(InputError, match="added in one currency, and the log has instruments in EUR, USD"):
        replay_log(
            log(("ES", "B", 1), traded=traded), RuleSet([Rule("r", NettingSet(INDEX, exposure=5))]), compiled=False
        )


def test_a_limit_that_names_its_sets_is_one_of_this_type():
    net = {"id": "r", "scope": "desk", "netting_set": INDEX}
    both = [
        {**net, "type": "position_limit", "params": {"limit": "5"}},
        {**net, "id": "s", "type": "max_exposure", "params": {"limit": "9"}, "netting": "net"},
        {**net, "id": "t", "type": "max_exposure", "params": {"limit": "9", "measure": "net"}},
    ]
    found = rules_of({"rules": both})
    assert [rule.parameters for rule in found] == [
        NettingSet(INDEX, limit="5"),
        NettingSet(INDEX, exposure="9"),
        MaxExposure("9", "net"),
    ]


def test_the_order_in_which_a_set_is_written_changes_nothing():
    turned = {"index": {"MES": "0.1", "ES": 1}}
    hashes = {RuleSet([Rule("r", NettingSet(one, limit=1))]).hash for one in (INDEX, turned)}
    assert len(hashes) == 1
    events = log(("MES", "B", 1), positions={"ES": 9, "MES": -40})
    assert refused(events, parameters=NettingSet(turned, exposure="1020000")) == []
