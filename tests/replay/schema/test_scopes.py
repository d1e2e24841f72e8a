"""One row a scope: the key that the loop gives an event, its label, and the spelling of rule sets belong together."""

from __future__ import annotations

import numpy as np
import pytest
from streams import random_log

import riskkit as rk
from riskkit import InputError, Rule
from riskkit.replay.schema.columns import EventKind
from riskkit.replay.schema.scopes import SCOPES, WIRE, event_label, key_label, key_of, owners, scope_of
from riskkit.replay.sweeps.grid.keys import keys_of
from riskkit.rules import MaxOrderQty, OrderRate

LOG = random_log(5, 250, opened=True)


@pytest.fixture(scope="module")
def result():
    return rk.replay_log(LOG, rk.RuleSet([Rule("rate", OrderRate(1, "1h"), action="PAUSE")]), compiled=False)


@pytest.mark.parametrize("scope", SCOPES)
def test_the_label_of_an_events_key_is_the_events_label(scope, result):
    pairs = LOG.pair_account, LOG.pair_instrument
    seen = set()
    for seq in np.flatnonzero(LOG.columns["kind"] == EventKind.ORDER).tolist():
        event = {"strategy": -1, "connection": -1, **{name: int(column[seq]) for name, column in LOG.columns.items()}}
        key = key_of(scope, event, result.state)
        if key < 0:
            assert SCOPES[scope].is_open
            continue
        label = event_label(scope, LOG.universe, event)
        assert key_label(scope, key, LOG.universe, *pairs) == label and label
        seen.add(key)
    assert seen
    if SCOPES[scope].owner == "account":
        whose = owners(scope, LOG.universe, result.state.positions)
        assert all(key_label(scope, key, LOG.universe, *pairs).startswith(f"A{whose[key]}") for key in seen)


@pytest.mark.parametrize("scope", SCOPES)
def test_the_keys_of_a_columns_rows_are_those_of_each_event(scope, result):
    rows = np.flatnonzero(LOG.columns["kind"] == EventKind.ORDER)
    found = keys_of(LOG, scope, rows)
    if found is None:
        assert scope == "account_product"
        return
    for seq, key in zip(rows.tolist(), found.tolist(), strict=True):
        event = {"strategy": -1, "connection": -1, **{name: int(column[seq]) for name, column in LOG.columns.items()}}
        assert key_of(scope, event, result.state) == key


def test_a_rule_set_spells_the_scope_of_a_connection_session():
    rule = Rule("size", MaxOrderQty(5), scope="session")
    assert rule == Rule("size", MaxOrderQty(5), scope="connection") and rule.scope == "connection"
    assert rule.describe()["scope"] == "session" == WIRE[rule.scope] and scope_of("session") == "connection"
    rules = rk.RuleSet([rule])
    assert rk.RuleSet.from_dict(rules.to_dict()) == rules
    assert "for each connection" in str(rule)
    with pytest.raises(InputError, match="scope='login' is not one of 'account', .*'connection'"):
        Rule("size", MaxOrderQty(5), scope="login")


def test_a_span_of_an_account_and_product_is_labelled_by_both():
    rule = Rule("rate", OrderRate(1, "1h"), action="PAUSE", scope="account_product")
    spans = rk.replay_log(LOG, rk.RuleSet([rule]), compiled=False).halts()
    products = set(LOG.universe.products)
    assert len(spans) and all(key.split("/")[1] in products for key in spans["key"])
