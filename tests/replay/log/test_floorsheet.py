"""Floorsheets: openings, refusals, and the identity of money, on a synthetic prev_duplicate and on the real ones where they are."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from riskkit._check import InputError
from riskkit.replay.live.engine import Engine
from riskkit.replay.log.floorsheet import log_from_trades, synthetic_floorsheet
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.replay_log import replay_log
from riskkit.replay.schema.columns import EventKind
from riskkit.replay.schema.universe import Account

LOCAL = Path(__file__).parents[3].parent / "shared" / "data" / "local"
SECOND = 1_000_000_000
FULL = RuleSet.from_dict(
    {
        "rules": [
            {"id": "rate", "type": "order_rate", "params": {"limit": 50, "window_ns": SECOND}},
            {"id": "size", "type": "max_order_qty", "params": {"limit": 5000}},
            {"id": "collar", "type": "price_collar", "params": {"pct": "0.1", "on_missing_price": "allow"}},
            {"id": "duplicate", "type": "duplicate", "params": {"limit": 20, "window_ns": SECOND}},
            {"id": "cap", "type": "volume_cap", "params": {"limit": 100_000_000}},
            {"id": "position", "type": "position_limit", "params": {"limit": 1_000_000}},
            {"id": "long", "type": "long_only"},
            {"id": "loss", "type": "daily_loss", "action": "PAUSE", "params": {"limit": 100_000_000}},
            {"id": "breaker", "type": "breaker", "params": {"daily_loss": 100_000_000}},
        ]
    }
)


def nepse(rows=None):
    path = LOCAL / "nepse_floorsheet_2024-06-16_07-17.parquet"
    if not path.is_file():
        pytest.skip("the floorsheet of the Nepal Stock Exchange is not on this machine")
    trades = pd.read_parquet(path)
    names = {"ts": "time", "buyer": "buyer_broker", "seller": "seller_broker", "quantity": "qty"}
    return log_from_trades(trades.iloc[:rows], **names, tz="Asia/Kathmandu", openings="inferred")


def polymarket(rows=None):
    path = LOCAL / "polymarket_midterms_2022_trades.parquet"
    if not path.is_file():
        pytest.skip("the trades of Polymarket are not on this machine")
    trades = pd.read_parquet(path)
    trades = trades[(trades["price"] > 0) & (trades["shares"] > 0)].iloc[:rows]
    account, bought = trades["account"].astype(str), trades["side"] == "Buy"
    trades = trades.assign(
        buyer=account.where(bought, "pool"),
        seller=account.where(~bought, "pool"),
        symbol=trades["market"].astype(str) + " " + trades["outcome"].astype(str),
    )
    return log_from_trades(trades, ts="time", quantity="shares", openings="inferred")


def check_money(log):
    """cash + value - flows == realised + unrealised - fees + funding, for every account after every event."""
    live = Engine(FULL, log.universe, compiled=False)
    for row in range(len(log)):
        live.feed(log, row, row + 1)
        a = live._state.accounts[1:]
        left = a["cash"] + a["value"] - a["net_deposits"]
        assert not (left - (a["realised"] + (a["value"] - a["cost"]) - a["fees"] + a["funding"])).any(), row


def prev_duplicate(**changes):
    return log_from_trades(synthetic_floorsheet(5, 300, brokers=12, symbols=5, **changes), openings="inferred")


def test_a_trade_is_two_orders_and_two_fills():
    trades = pd.DataFrame({"ts": [5], "symbol": "X", "buyer": "A", "seller": "B", "quantity": 3, "price": 7.5})
    frame = log_from_trades(trades).to_frame()
    assert frame["kind"].to_list() == ["ORDER", "ORDER", "FILL", "FILL"]
    assert frame["account"].to_list() == ["A", "B", "A", "B"]
    assert frame["side"].to_list() == [1, -1, 1, -1]
    assert frame["order"].to_list()[2:] == [0, 1]


def test_the_twin_is_seeded_and_has_the_shape():
    one, two = synthetic_floorsheet(3, 2_000), synthetic_floorsheet(3, 2_000)
    pd.testing.assert_frame_equal(one, two)
    assert not one.equals(synthetic_floorsheet(4, 2_000))
    assert 0.01 < (one["buyer"] == one["seller"]).mean() < 0.05
    assert one["buyer"].value_counts().iloc[0] > 5 * one["buyer"].value_counts().median()
    with pytest.raises(InputError, match="brokers=1 is below 2"):
        synthetic_floorsheet(1, brokers=1)
    with pytest.raises(InputError, match="crossed=2 is not a fraction"):
        synthetic_floorsheet(1, crossed=2)


def test_inferred_openings_are_the_smallest_that_avoid_shorts():
    log = prev_duplicate()
    held, least = Counter(), Counter()
    for trade in synthetic_floorsheet(5, 300, brokers=12, symbols=5).itertuples():
        for name, signed in ((trade.seller, -trade.quantity), (trade.buyer, trade.quantity)):  # ordered before filled
            held[str(name), trade.symbol] += signed
            least[str(name), trade.symbol] = min(least[str(name), trade.symbol], held[str(name), trade.symbol])
    found = {(one.id, label): float(held) for one in log.universe.accounts for label, held in one.positions.items()}
    assert found == {pair: -lowest for pair, lowest in least.items() if lowest < 0}
    assert log.about["openings"].startswith("inferred")
    assert replay_log(log, FULL, compiled=False).refusals_by_rule()["long"] == 0


@pytest.mark.parametrize("kind", ["position_limit", "cash", "long_only"])
def test_unknown_openings_refuse_what_looks_at_them(kind):
    log = log_from_trades(synthetic_floorsheet(5, 20))
    params = {"limit": 5} if kind == "position_limit" else {}
    rules = RuleSet.from_dict({"rules": [{"id": "mine", "type": kind, "params": params}]})
    with pytest.raises(InputError, match=f"rule 'mine' \\({kind}\\) looks at the positions of accounts"):
        replay_log(log, rules, compiled=False)


def test_given_openings_are_taken_as_they_are():
    trades = pd.DataFrame({"ts": [5], "symbol": "X", "buyer": "A", "seller": "B", "quantity": 3, "price": 7.5})
    given = [Account("A", {"USD": "100"}), Account("B", {}, {"X": 3})]
    log = log_from_trades(trades, openings=given)
    result = replay_log(log, RuleSet.from_dict({"rules": [{"id": "c", "type": "cash"}]}), compiled=False)
    assert log.about["openings"] == "given"
    assert result.positions()["qty"].to_dict() == {("A", "X"): 3.0, ("B", "X"): 0.0}


def test_what_is_missing_is_refused():
    trades = synthetic_floorsheet(5, 20)
    with pytest.raises(InputError, match="buyer='b' is not a column"):
        log_from_trades(trades, buyer="b")
    with pytest.raises(InputError, match="row 0: symbol is missing"):
        log_from_trades(trades.assign(symbol=None))


@pytest.mark.slow
def test_money_is_conserved_on_the_twin():
    check_money(prev_duplicate())


@pytest.mark.slow
@pytest.mark.parametrize("make", [nepse, polymarket])
def test_money_is_conserved_on_the_real_ones(make):
    check_money(make(int(os.environ.get("RISKKIT_FLOORSHEET_ROWS", "120"))))


@pytest.mark.skipif("RISKKIT_WHOLE_FLOORSHEETS" not in os.environ, reason="set RISKKIT_WHOLE_FLOORSHEETS=1: minutes")
@pytest.mark.parametrize("make", [nepse, polymarket])
def test_the_whole_floorsheets_replay_with_a_full_rule_set(make):
    log = make()
    result = replay_log(log, FULL)
    accounts = result.state.accounts[1:]
    assert (accounts["cash"] - accounts["net_deposits"] + accounts["cost"] == accounts["realised"]).all()
    assert log.counts()["FILL"] == np.count_nonzero(log.columns["kind"] == EventKind.FILL)
    assert result.refusals_by_rule()["long"] == 0
