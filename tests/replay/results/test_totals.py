"""Totals of a result never add currencies: one line for each, and none for an account that mixes them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from rows import load
from streams import random_log

import riskkit as rk
from riskkit import InputError, Instrument, Rule, RuleSet
from riskkit.report.comparison import report_html

SIZE = RuleSet([Rule("size", rk.rules.MaxOrderQty(limit=1))])
DAY = 86_400_000_000_000


def trades(account, instrument, profit):
    fill = {"ts": 1, "kind": "fill", "account": account, "instrument": instrument, "side": "B", "qty": 1, "price": 100}
    return [fill, {"ts": DAY, "kind": "price", "instrument": instrument, "price": 100 + profit}]


ROWS = sorted([*trades("NY", "U", 3), *trades("TOKYO", "J", -50), *trades("OSAKA", "J", -50),
               {**trades("NY", "U", 3)[0], "ts": 2 * DAY, "kind": "order", "qty": 2}], key=lambda row: row["ts"])  # fmt: skip
TRADED = (Instrument("U"), Instrument("J", currency="JPY"))
TWO = load(*ROWS, instruments=TRADED, unit="ns")
ONE = load(*ROWS, instruments=(TRADED[0], Instrument("J")), unit="ns")
MIXED = load(*[{**row, "account": "A"} if "account" in row else row for row in ROWS], instruments=TRADED,
             currencies="many", unit="ns")  # fmt: skip


def test_a_result_has_a_profit_for_each_currency():
    result = rk.replay_log(TWO, SIZE, sample_ns=DAY, compiled=False)
    assert result.profit_by_currency() == result.summary()["profit"] == {"USD": 3, "JPY": -100}
    assert [row[1:] for row in result._rows() if row[0] == "profit"] == [(3, "USD"), (-100, "JPY")]
    assert result.accounts()["currency"].tolist() == ["USD", "JPY", "JPY"]
    assert result.accounts_by_currency == {"USD": [0], "JPY": [1, 2]}
    assert result.profit_curve(currency="JPY")[-1] == -100 and result.profit_curve("NY")[-1] == 3


def test_one_currency_is_shown_as_before():
    result = rk.replay_log(ONE, SIZE, sample_ns=DAY, compiled=False)
    assert result.summary()["profit"] == -97 and "currency" not in result.accounts()
    assert result.profit_curve()[-1] == -97
    found = rk.compare(ONE, SIZE, compiled=False, sample_ns=DAY)
    assert found.to_frame().loc["profit", "shadow"] == -97


@pytest.mark.lengthy
def test_a_comparison_has_the_rows_of_money_for_each_currency():
    found = rk.compare(TWO, SIZE, compiled=False, sample_ns=DAY)
    frame = found.to_frame()
    assert found.currencies == ("USD", "JPY") and not found.has_one_currency
    assert frame.loc["profit, USD", ["shadow", "unit"]].tolist() == [3, "USD"]
    assert frame.loc["profit, JPY", ["shadow", "unit"]].tolist() == [-100, "JPY"]
    assert frame.loc["max drawdown of one account, JPY", "shadow"] == 50
    assert found.curves_in("JPY")["enforce"].final == -100
    assert "Profit is -100 JPY instead of -100." in found.sentences()
    assert found.accounts()["", "currency"].tolist() == ["USD", "JPY", "JPY"]
    assert "in the account&#x27;s currency" in report_html(
        found
    ) and "over time, all accounts together" not in report_html(found)


@pytest.mark.parametrize(
    "total",
    [
        lambda: rk.replay_log(TWO, SIZE, sample_ns=DAY, compiled=False).profit_curve(),
        lambda: rk.replay_log(TWO, SIZE, sample_ns=DAY, compiled=False).plot_equity(),
        lambda: rk.replay_log(TWO, SIZE, sample_ns=DAY, compiled=False).drawdown(),
        lambda: rk.replay_log(TWO, SIZE, compiled=False).profit_by_orphan_policy,
        lambda: rk.compare(TWO, SIZE, compiled=False, sample_ns=DAY).plot_profit(),
        lambda: rk.compare(TWO, SIZE, compiled=False, sample_ns=DAY).plot_accounts(),
        lambda: rk.sweep(TWO, SIZE, {"size.limit": [1, 2]}, compiled=False),
        lambda: rk.sweeps.effectiveness(rk.replay_log(TWO, SIZE, compiled=False), compiled=False),
    ],
)
def test_a_total_of_several_currencies_is_refused(total):
    with pytest.raises(InputError, match="needs one currency, and the accounts of this log have JPY and USD; take the"):
        total()


def test_a_drawdown_of_each_currency_is_taken_after_every_event_in_any_chunks():
    result = rk.replay_log(TWO, SIZE, sample_ns=DAY, compiled=False)
    assert (result.drawdown("USD"), result.drawdown("JPY")) == (0, 100)
    log = random_log(5, 200, opened=True)
    whole, parts = (rk.replay_log(log, RuleSet([]), sample_ns=DAY, chunk=n, compiled=False) for n in (10**6, 7))
    assert whole.paths().tolist() == parts.paths().tolist() and whole.drawdown() == parts.drawdown() > 0
    assert whole.paths()[:, 0].tolist() == np.rint(whole.profit_curve() / 0.01).astype(int).tolist()
    assert math.isnan(rk.replay_log(log, RuleSet([]), compiled=False).drawdown())


def test_the_money_of_an_account_that_mixes_is_not_added():
    result = rk.replay_log(MIXED, SIZE, sample_ns=DAY, compiled=False)
    assert list(result.profit_by_currency()) == ["JPY and USD"] and math.isnan(result.summary()["profit"])
    assert "not added, for it is in several currencies" in str(result) and "nan" not in str(result)
    assert result.profits().isna().all(axis=None) and math.isnan(result.profit_curve("A")[-1])
    found = rk.compare(MIXED, SIZE, compiled=False, sample_ns=DAY)
    assert any("accounts that mix JPY and USD is not added; replay" in note for note in found.notes())
    assert not [name for name in found.to_frame().index if "profit" in name]


def test_orphan_policies_give_a_profit_for_each_currency():
    order = {
        "ts": 0,
        "kind": "order",
        "account": "NY",
        "instrument": "U",
        "side": "B",
        "qty": 2,
        "price": 100,
        "order_id": "a",
    }
    entry = [order, {**order, "ts": 1, "kind": "fill"}]
    exit_ = [{**row, "ts": row["ts"] + 2, "side": "S", "qty": 1, "price": 103, "order_id": "b"} for row in entry]
    log = load(
        *entry,
        *exit_,
        *[{**row, "ts": row["ts"] + 9} for row in trades("TOKYO", "J", -50)],
        instruments=TRADED,
        unit="ns",
    )
    result = rk.replay_log(log, SIZE, "enforce", compiled=False)
    assert set(result.profits_by_policy) == {"keep", "clip", "drop"}
    assert {profits["JPY"] for profits in result.profits_by_policy.values()} == {-50}
    assert result.profits_by_policy["clip"]["USD"] == 0
    assert "if orphan exits are dropped" in repr(result)
