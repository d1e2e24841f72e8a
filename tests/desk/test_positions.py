"""`PositionTracker`: every sentence that is said about it, against a naive twin in fractions."""

import json
import math
import pickle
import threading
import tracemalloc
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import desk as naive

from riskkit import InputError
from riskkit.desk import (
    DuplicateTradeError,
    MissingPriceError,
    PositionTracker,
    TradeTooOldError,
    UnknownPositionError,
    UnknownTokenError,
    UnknownUserError,
)
from riskkit.performance import max_drawdown, sharpe_ratio, win_rate

TOKENS = {"ETH": "1e-18", "BTC": "1e-8", "USDC": "1e-6", "WEI": 1}
DAY = 86_400_000_000_000


def tracker(**options) -> PositionTracker:
    made = PositionTracker(TOKENS, **options)
    for token, price in (("ETH", 2_000), ("BTC", 50_000), ("USDC", 1), ("WEI", "0.000000000000002")):
        made.set_price(token, price, 1)
    return made


# ---------------------------------------------------------------------- exact books

AMOUNT = st.integers(-30, 30).filter(bool).map(lambda n: f"{n / 10}")
EVENT = st.tuples(
    st.sampled_from("ab"), st.sampled_from("xy"), st.sampled_from(["ETH", "BTC"]), AMOUNT, st.integers(1, 999)
)


@settings(max_examples=150, deadline=None)
@given(st.lists(EVENT, min_size=1, max_size=40))
def test_the_books_are_the_naive_ones(events):
    made, twin = tracker(quantum="0.01"), naive.Tracker("0.01")
    for stamp, (user, market, token, amount, cents) in enumerate(events):
        price = f"{cents / 100}"
        made.update(user, market, token, amount, price, stamp)
        twin.fill((user, market, token), amount, twin.money(amount, price))
    assert {(one.user, one.market, one.token) for user in made.users() for one in made.positions_of(user)} == set(
        twin.held
    )
    for key, (quantity, cost) in twin.held.items():
        position = made.get(*key)
        assert Fraction(position.amount) == quantity and position.cost == cost / 100
        assert position.average_cost == pytest.approx(float(Fraction(cost, 100) / quantity))
        assert position.unrealized == pytest.approx(float(quantity) * position.price - cost / 100, abs=0.006)
    for user in made.users():
        book = made._books.users[user]
        assert book.realized == twin.realized.get(user, 0)
        assert book.cost == twin.paid_in[user] + book.realized  # the books close, to the last quantum


def test_long_short_and_through_zero():
    made = tracker()
    made.update("u", "m", "BTC", 2, 40_000, 1)
    made.update("u", "m", "BTC", 2, 50_000, 2)
    assert made.get("u", "m", "BTC").average_cost == 45_000.0
    assert made.update("u", "m", "BTC", -1, 60_000, 3) == 15_000.0
    assert made.get("u", "m", "BTC").unrealized == 3 * 5_000.0
    assert made.update("u", "m", "BTC", -5, 48_000, 4) == 9_000.0  # closes three, and is short of two
    short = made.get("u", "m", "BTC")
    assert (short.amount, short.cost, short.value, short.unrealized) == (-2, -96_000.0, -100_000.0, -4_000.0)
    assert short.average_cost == 48_000.0 and short.opened == 4
    assert made.update("u", "m", "BTC", 2, 47_000, 5) == 2_000.0
    assert not made.has("u", "m", "BTC") and made.count() == 0 and made.users() == ["u"]


def test_amounts_are_exact_to_256_bits():
    made, most = tracker(), 2**256 - 1
    made.update("u", "m", "WEI", most, "0.000000000000001", 1)
    made.update("u", "m", "WEI", -(most - 1), "0.000000000000001", 2)
    assert made.get("u", "m", "WEI").amount == 1
    ether = Decimal(f"{most}e-18")
    assert len(ether.as_tuple().digits) == 78
    made.update("u", "m", "ETH", ether, 1, 3)
    made.update("u", "m", "ETH", "1e-18", 1, 4)
    assert Fraction(made.get("u", "m", "ETH").amount) == Fraction(2**256, 10**18)
    made.update("u", "n", "WEI", np.int64(7), 1, 5)
    assert (
        json.loads(json.dumps(made.get("u", "m", "ETH").to_dict()))["amount"]
        == f"{2**256 // 10**18}.{2**256 % 10**18:018d}"
    )


@pytest.mark.parametrize(
    "amount", [Decimal("1e-9"), "0.000000001", 0.5, True, None, "many", Decimal("NaN"), Decimal("-Infinity"), 0, 2**250]
)
def test_amounts_that_do_not_fit_are_refused_and_nothing_changes(amount):
    made = tracker()
    with pytest.raises(InputError, match="amount"):
        made.update("u", "m", "BTC", amount, 1, 1, trade_id="t")
    assert made.count() == 0 and made.users() == []
    made.update("u", "m", "BTC", 1, 1, 1, trade_id="t")  # the id was not taken


@pytest.mark.parametrize(
    "change",
    [
        {"user": ""}, {"user": 3}, {"market": None}, {"token": " "}, {"price": 0}, {"price": -1.0}, {"price": math.nan},
        {"price": "x"}, {"price": True}, {"price": 1e300}, {"timestamp": "soon"}, {"timestamp": None}, {"trade_id": []},
    ],
)  # fmt: skip
def test_every_field_of_an_update_is_checked(change):
    made = tracker()
    with pytest.raises(InputError):
        made.update(**{"user": "u", "market": "m", "token": "BTC", "amount": 1, "price": 1, "timestamp": 1, **change})
    assert made.count() == 0


# ---------------------------------------------------------------------- swaps


def test_a_swap_moves_both_legs_and_the_gas():
    made = tracker()
    made.update("u", "m", "BTC", 1, 40_000, 1)
    made.update("u", "m", "ETH", 2, 1_500, 1)
    profit = made.swap("u", "m", "BTC", "0.5", "USDC", "24990", gas_token="ETH", gas_amount="0.01", timestamp=2)
    assert profit == 5_000.0 + 0.01 * 500.0  # half a coin at its price, and gas at its own
    assert made.get("u", "m", "BTC").amount == Decimal("0.5") and made.get("u", "m", "ETH").amount == Decimal("1.99")
    got = made.get("u", "m", "USDC")
    assert (got.amount, got.cost, got.value) == (24_990, 25_000.0, 24_990.0)
    metrics = made.metrics("u")
    assert (
        metrics.fees == 20.0 and metrics.n_trades == 3 and metrics.average_trade_size == (40_000 + 3_000 + 25_000) / 3
    )
    # what it earned in all: value less what was paid in from outside, 43,000
    earned = metrics.realized + metrics.unrealized - metrics.fees
    assert earned == pytest.approx(25_000 + 1.99 * 2_000 + 24_990 - 43_000)


def test_the_money_of_a_swap():
    made = PositionTracker(TOKENS)
    made.set_price("USDC", 1, 1)
    made.swap("u", "m", "ETH", 1, "USDC", 1_900, timestamp=1)  # what is sold has no price: what is bought says it
    assert made.get("u", "m", "ETH").cost == -1_900.0
    made.swap("u", "m", "ETH", 1, "BTC", 1, value=1_950, timestamp=1)  # stated
    assert made.get("u", "m", "BTC").cost == 1_950.0
    with pytest.raises(MissingPriceError, match="BTC"):
        made.swap("u", "m", "ETH", 1, "BTC", 1, timestamp=1)


def test_gas_in_one_of_the_legs():
    made = tracker()
    made.swap("u", "m", "ETH", 1, "USDC", 2_000, gas_token="ETH", gas_amount="0.5", timestamp=1)
    assert made.get("u", "m", "ETH").amount == Decimal("-1.5") and made.metrics("u").fees == 1_000.0


@pytest.mark.parametrize(
    "change",
    [
        {"sell_amount": 0}, {"buy_amount": -1}, {"buy_token": "BTC"}, {"gas_token": "DOGE"}, {"gas_amount": -1},
        {"gas_token": None}, {"value": 0}, {"value": "x"}, {"sell_amount": "1e-9"}, {"gas_amount": "1e-19"}, {"buy_token": "NONE"},
    ],
)  # fmt: skip
def test_a_swap_is_all_or_nothing(change):
    made = tracker()
    legs = {
        "sell_token": "BTC",
        "sell_amount": 1,
        "buy_token": "USDC",
        "buy_amount": 1,
        "gas_token": "ETH",
        "gas_amount": 1,
    }
    with pytest.raises(InputError):
        made.swap("u", "m", timestamp=1, trade_id="t", **{**legs, **change})
    assert made.count() == 0
    made.swap("u", "m", timestamp=1, trade_id="t", **legs)
    assert made.count() == 3
    with pytest.raises(DuplicateTradeError):
        made.swap("u", "m", timestamp=1, trade_id="t", **legs)
    assert made.metrics("u").n_trades == 1


# ---------------------------------------------------------------------- get, remove, has, count, clear


def test_get_remove_has_count_clear():
    made = tracker()
    for user in ("u", "v"):
        for market in ("m", "n"):
            made.update(user, market, "ETH", 1, 1_000, 1)
    assert made.count() == 4 and made.count("u") == 2 and made.has("u", "n", "ETH") and not made.has("u", "n", "BTC")
    assert [(one.user, one.market) for one in made.positions_for_market("m")] == [("u", "m"), ("v", "m")]
    assert made.positions_for_market("nowhere") == []
    assert made.remove("u", "m", "ETH").amount == 1
    assert not made.has("u", "m", "ETH") and made.total_unrealized_pnl("u") == 1_000.0
    for missing in (lambda: made.remove("u", "m", "ETH"), lambda: made.get("u", "m", "ETH")):
        with pytest.raises(UnknownPositionError, match="has no position in 'ETH'"):
            missing()
    assert made.clear("u") == 1 and made.users() == ["v"] and made.count() == 2
    assert made.clear() == 2 and made.users() == [] and made.count() == 0 and made.positions_for_market("n") == []


def test_unknown_user_missing_price_and_unknown_token_have_names():
    made = PositionTracker(TOKENS)
    for ask in (
        made.exposure, made.metrics, made.total_exposure, made.total_unrealized_pnl, made.count, made.clear, made.positions_of,
        lambda user: made.get(user, "m", "ETH"), lambda user: made.remove(user, "m", "ETH"),
    ):  # fmt: skip
        with pytest.raises(UnknownUserError, match="'nobody'"):
            ask("nobody")
    made.update("u", "m", "ETH", 1, 1, 1)
    for ask in (made.exposure, made.metrics, made.total_exposure, made.total_unrealized_pnl):
        with pytest.raises(MissingPriceError, match="'ETH'"):
            ask("u")
    with pytest.raises(MissingPriceError):
        made.price_age("ETH", 5)
    position = made.get("u", "m", "ETH")
    assert position.price is position.value is position.unrealized is None and position.stale
    with pytest.raises(UnknownTokenError, match="add_token"):
        made.update("u", "m", "DOGE", 1, 1, 1)
    with pytest.raises(InputError, match="declared already"):
        made.add_token("ETH", 1)


# ---------------------------------------------------------------------- prices


def test_price_ages_and_stale_prices():
    made = tracker(stale_after="1s")
    made.update("u", "m", "ETH", 1, 1_000, 1)
    made.update("u", "n", "BTC", 1, 1_000, 1)
    assert made.price_age("ETH", 1_000_000_001) == 1_000_000_000
    assert not made.exposure("u", 1_000_000_001).stale  # exactly as old as allowed
    late = made.exposure("u", 1_000_000_002)
    assert late.stale and late.tokens[0]["price_age"] == 1_000_000_001 and late.tokens[0]["stale"]
    made.set_price("ETH", 2_100, 1_000_000_000)
    again = made.exposure("u", 1_000_000_002)
    assert [one["stale"] for one in again.tokens] == [False, True] and again.tokens[0]["value"] == 2_100.0
    assert made.get("u", "n", "BTC", 10**10).stale and made.get("u", "m", "ETH").price_age == 0
    assert (
        made.set_price("ETH", 1, 999_999_999) is False and made.get("u", "m", "ETH").price == 2_100.0
    )  # older: not taken
    assert made.set_price("BTC", 49_000, 3, market="n") and made.get("u", "n", "BTC").price == 49_000.0
    made.update("u", "m", "BTC", 1, 1_000, 1)
    assert made.get("u", "m", "BTC").price == 50_000.0  # the price of one market is not that of another
    for price in (0, math.inf, "x", None, True):
        with pytest.raises(InputError):
            made.set_price("ETH", price, 2 * 10**9)


# ---------------------------------------------------------------------- exposure and metrics


def test_exposure_has_amount_value_and_share():
    made = tracker()
    made.update("u", "m", "ETH", 3, 1_000, 1)
    made.update("u", "n", "ETH", -1, 1_000, 1)
    made.update("u", "m", "BTC", "0.04", 1_000, 1)
    exposure = made.exposure("u")
    eth, btc = exposure.tokens
    assert (eth["token"], eth["amount"], eth["value"], eth["gross"], eth["share"]) == (
        "ETH",
        2,
        4_000.0,
        8_000.0,
        0.8,
    )
    assert (btc["amount"], btc["value"], btc["share"]) == (Decimal("0.04"), 2_000.0, 0.2)
    assert exposure.total == made.total_exposure("u") == made.total_exposure() == 10_000.0 and exposure.net == 6_000.0
    assert made.total_unrealized_pnl("u") == made.total_unrealized_pnl() == 3_000.0 - 1_000.0 + 1_960.0
    assert exposure.to_frame()["share"].sum() == 1.0 and json.dumps(exposure.to_dict())
    made.update("v", "m", "ETH", 1, 1, 1)
    made.update("v", "m", "ETH", -1, 1, 1)
    assert made.exposure("v").tokens == () and made.exposure("v").total == 0.0


def test_metrics_are_riskkits_measures_of_the_periods():
    made, rng = tracker(), np.random.default_rng(0)
    made.update("u", "m", "ETH", 10, 2_000, 1)
    made.close_period(DAY)
    price, returns = 2_000.0, []
    for day in range(2, 62):
        new = round(price * math.exp(rng.normal(0, 0.03)), 2)
        returns.append((new - price) / price)
        price = new
        made.set_price("ETH", price, day * DAY)
        assert made.close_period(day * DAY) == []
    metrics = made.metrics("u")
    var, _ = naive.historical(returns, "0.95")
    assert metrics.n_periods == 60 and metrics.total_exposure == pytest.approx(10 * price)
    assert metrics.var == pytest.approx(var * 10 * price, rel=1e-9)
    assert metrics.max_drawdown == pytest.approx(max_drawdown(returns, input="summed_returns"))
    assert metrics.sharpe == pytest.approx(sharpe_ratio(returns, 252))
    assert metrics.concentration == 1.0 and metrics.win_rate is None and metrics.average_trade_size == 20_000.0
    profits = [made.update("u", "m", "ETH", -1, deal, 99 * DAY) for deal in (2_500, 1_500, 2_000, 2_001)]
    assert made.metrics("u").win_rate == win_rate(profits) == 2 / 3
    assert made.metrics("u").n_trades == 5


def test_metrics_of_a_short_record_are_none_where_they_have_no_value():
    made = tracker()
    made.update("u", "m", "ETH", 1, 2_000, 1)
    made.update("u", "m", "BTC", -1, 2_000, 1)
    metrics = made.metrics("u")
    assert metrics.var is metrics.max_drawdown is metrics.sharpe is metrics.win_rate is None
    assert metrics.concentration == 50_000 / 52_000 and metrics.n_periods == 0
    made.update("u", "m", "ETH", -1, 2_000, 1)
    made.remove("u", "m", "BTC")
    assert made.metrics("u").concentration is None and made.metrics("u").total_exposure == 0.0


def test_a_period_without_a_price_is_told():
    made = PositionTracker(TOKENS)
    made.update("u", "m", "ETH", 1, 100, 1)
    assert made.close_period(2) == ["u"]
    made.set_price("ETH", 100, 3)
    assert made.close_period(3) == [] and made.metrics("u").n_periods == 0
    made.set_price("ETH", 110, 4)
    made.close_period(4)
    assert made.metrics("u").var == pytest.approx(-0.1 * 110.0)  # a gain: not floored at 0


def test_flows_are_no_profit():
    made = tracker()
    made.update("u", "m", "USDC", 100, 1, 1)
    made.close_period(1)
    made.update("u", "m", "USDC", 900, 1, 2)
    made.close_period(2)
    assert list(made._books.users["u"].returns) == [0.0]


# ---------------------------------------------------------------------- high risk, idle


def test_high_risk_users_by_declared_limits():
    made = tracker()
    made.update("large", "m", "BTC", 3, 50_000, 1)
    made.update("small", "m", "USDC", 10, 1, 1)
    made.update("even", "m", "BTC", "0.002", 50_000, 1)
    made.update("even", "m", "USDC", 100, 1, 1)
    found = made.high_risk_users(max_exposure=150_000)
    assert found.empty  # what equals a limit is not beyond it
    assert list(made.high_risk_users(max_exposure=149_999).index) == ["large"]
    both = made.high_risk_users(max_exposure=149_999, max_concentration=0.5)
    assert both.reasons.to_dict() == {"large": "total_exposure, concentration", "small": "concentration"}
    made.add_token("NEW", 1)
    made.update("blind", "m", "NEW", 1, 1, 1)
    assert "no price of 'NEW'" in made.high_risk_users(max_exposure=1e9).reasons["blind"]
    with pytest.raises(InputError, match="at least one limit"):
        made.high_risk_users()


def test_idle_positions():
    made = tracker()
    for place, token in enumerate(("ETH", "BTC", "USDC")):
        made.update("u", "m", token, 1, 1, place * DAY)
    assert [one.token for one in made.idle_positions(8 * DAY, "7d")] == ["ETH", "BTC"]
    made.update("u", "m", "ETH", 1, 1, 8 * DAY)
    assert [one.token for one in made.idle_positions(8 * DAY, "7d")] == ["BTC"]


# ---------------------------------------------------------------------- duplicates


def test_duplicates_are_refused_and_memory_is_bounded():
    made = tracker(remember=100)
    for stamp in range(1_000):
        made.update("u", "m", "ETH", 1, 1, stamp, trade_id=f"t{stamp}")
    assert len(made._trade_ids) == 100
    with pytest.raises(DuplicateTradeError, match="booked before"):
        made.update("u", "m", "BTC", 1, 1, 1_000, trade_id="t950")
    for old in ("t3", "never seen"):
        with pytest.raises(TradeTooOldError, match="not after"):
            made.update("u", "m", "ETH", 1, 1, 3, trade_id=old)
    made.update("u", "m", "ETH", 1, 1, 950, trade_id="late but remembered")
    assert made.get("u", "m", "ETH").amount == 1_001
    burst = tracker(remember=10)
    for place in range(50):  # all at one time: none can be told from a duplicate later, so all are kept
        burst.update("u", "m", "ETH", 1, 1, 7, trade_id=place)
    with pytest.raises(DuplicateTradeError):
        burst.update("u", "m", "ETH", 1, 1, 7, trade_id=0)
    burst.update("u", "m", "ETH", 1, 1, 8, trade_id="later")
    assert len(burst._trade_ids) == 10


@pytest.mark.parametrize("trade_id", ["17", 17, ("block", 17)])
def test_a_trade_id_is_that_of_a_user_on_a_market(trade_id):
    made = tracker()
    keys = [(user, market) for user in ("ann", "bob") for market in ("uniswap", "curve")]
    for user, market in keys:  # both sides of a trade, and venues that count alike
        made.update(user, market, "ETH", 1, 1, 5, trade_id=trade_id)
    back = PositionTracker.from_state(json.loads(json.dumps(made.state())))
    for book in (made, back):
        assert book.count() == 4
        for user, market in keys:
            with pytest.raises(DuplicateTradeError, match=f"of '{user}' on '{market}' was booked before, at 5"):
                book.update(user, market, "BTC", 1, 1, 6, trade_id=trade_id)


# ---------------------------------------------------------------------- batches


def batch(n: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "user": [f"user{i}" for i in rng.integers(0, 400, n)],
            "market": [f"venue{i}" for i in rng.integers(0, 30, n)],
            "token": rng.choice(list(TOKENS)[:3], n),
            "amount": [int(i) for i in rng.integers(1, 9, n)],
            "price": rng.integers(1, 50, n) / 4,
            "timestamp": np.arange(n),
            "trade_id": [f"t{i}" for i in range(n)],
        }
    )


@pytest.mark.slow
def test_thirty_venues_and_ten_thousand_positions():
    frame, made = batch(14_000), tracker()
    found = made.ingest(frame)
    keys = frame[["user", "market", "token"]].drop_duplicates()
    assert len(keys) > 10_000 and made.count() == len(keys) and len(found.markets) == 30
    assert (found.rows, found.accepted, found.rejected, found.duplicates) == (14_000, 14_000, 0, 0)
    assert found.users == frame.user.nunique() and found.traded == (frame.amount * frame.price).sum()
    assert found.markets == frame.market.value_counts().to_dict() and (found.first, found.last) == (0, 13_999)
    amounts = frame.groupby(["user", "market", "token"]).amount.sum()
    costs = (frame.amount * frame.price).groupby([frame.user, frame.market, frame.token]).sum()
    table = made.to_frame().set_index(["user", "market", "token"])
    assert (table.amount.map(Decimal).astype(int).reindex(amounts.index) == amounts).all()
    assert (table.cost.reindex(costs.index) == costs).all()
    assert sum(len(made.positions_for_market(f"venue{i}")) for i in range(30)) == made.count()
    again = made.ingest(frame)
    assert again.duplicates == again.rejected == 14_000 and again.errors == {"DuplicateTradeError": 14_000}
    assert made.total_exposure() == pytest.approx(sum(made.exposure(user).total for user in made.users()))


def test_a_batch_counts_what_does_not_fit_or_raises_it():
    rows = [
        {"user": "u", "market": "m", "token": "ETH", "amount": 1, "price": 1, "timestamp": 1, "trade_id": "a"},
        {"user": "u", "market": "m", "token": "ETH", "amount": 0.5, "price": 1, "timestamp": 1, "trade_id": "b"},
        {"user": "u", "market": "m", "token": "DOGE", "amount": 1, "price": 1, "timestamp": 1, "trade_id": "c"},
        {"user": "u", "market": "m", "token": "ETH", "amount": 1, "price": 1, "timestamp": 1, "trade_id": "a"},
        {"user": "u", "market": "m", "token": "ETH", "amount": 1, "timestamp": 1},
        {"user": "u", "market": "m", "token": "ETH", "amount": 1, "price": 1, "timestamp": 1, "colour": "red"},
        {"kind": "swap", "user": "u", "market": "n", "sell_token": "ETH", "sell_amount": 1, "buy_token": "USDC",
         "buy_amount": 2_000, "timestamp": 2},
        {"kind": "gift", "user": "u"},
        "a text",
    ]  # fmt: skip
    made = tracker()
    found = made.ingest(rows)
    assert (found.rows, found.accepted, found.rejected, found.duplicates) == (9, 2, 7, 1)
    assert found.errors == {"InputError": 5, "UnknownTokenError": 1, "DuplicateTradeError": 1}
    assert found.markets == {"m": 1, "n": 1} and found.traded == 2_001.0
    assert found.problems[0][0] == 1 and "'price'" in found.problems[3][1] and "colour" in found.problems[4][1]
    with pytest.raises(InputError, match="row 1: amount"):
        tracker().ingest(rows, on_error="raise")
    with pytest.raises(InputError, match="events came as str"):
        made.ingest("x")
    frame = pd.DataFrame([rows[0], rows[6]])  # missing cells are no arguments
    assert tracker().ingest(frame).accepted == 2
    assert tracker().ingest(frame.iloc[:0]).rows == 0


# ---------------------------------------------------------------------- threads and memory


def test_threads_leave_every_lot_where_it_belongs():
    made = tracker()

    def work(thread: int) -> None:
        for turn in range(2_000):
            made.update(f"u{turn % 3}", "m", "ETH", 1 if turn % 2 else "-0.5", 2_000, turn, trade_id=(thread, turn))

    threads = [threading.Thread(target=work, args=(place,)) for place in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    amounts = [sum(1 if turn % 2 else -0.5 for turn in range(2_000) if turn % 3 == user) * 8 for user in range(3)]
    assert [made.get(f"u{user}", "m", "ETH").amount for user in range(3)] == amounts
    assert sum(made.metrics(f"u{user}").n_trades for user in range(3)) == 16_000
    for user in range(3):
        book = made._books.users[f"u{user}"]
        assert book.cost == int(amounts[user] * 2_000 * 10**6) and book.realized == 0


def test_memory_stays_flat():
    made = tracker(remember=500, window=50)

    def events(first: int, last: int) -> None:
        for stamp in range(first, last):
            made.update("u", "m", "ETH", 1 if stamp % 2 else -1, 2_000 + stamp % 7, stamp, trade_id=stamp)
            if stamp % 10 == 0:
                made.close_period(stamp)

    events(0, 3_000)
    tracemalloc.start()
    events(3_000, 5_000)
    first = tracemalloc.get_traced_memory()[0]
    events(5_000, 9_000)
    grown = tracemalloc.get_traced_memory()[0] - first
    tracemalloc.stop()
    assert grown < 20_000


def test_answers_print_and_draw():
    made = tracker()
    made.update("u", "m", "ETH", 1, 1, 1)
    exposure, metrics = made.exposure("u", 10**15), made.metrics("u")
    assert "stale" in repr(exposure) and "<table>" in exposure._repr_html_() and len(exposure.plot().patches) == 1
    assert "concentration" in repr(metrics) and metrics.to_frame().shape == (1, 13) and json.dumps(metrics.to_dict())
    assert "positions" in repr(made) and "ETH" in repr(made.get("u", "m", "ETH"))
    statistics = made.ingest([{"user": "u"}])
    assert "row 0" in repr(statistics) and json.dumps(statistics.to_dict())
    for options in ({"quantum": 0}, {"window": 0}, {"remember": 0}, {"stale_after": "soon"}, {"tokens": {"A": 0}}):
        with pytest.raises(InputError):
            PositionTracker(**options)


def test_a_tracker_answers_while_a_feed_is_waited_for():
    made, answers = tracker(), []

    def feed():
        for n in range(3):
            asking = threading.Thread(target=lambda: answers.append(made.count("ann") if made.users() else 0))
            asking.start()
            asking.join(30)  # would wait for the lock for ever
            yield {"user": "ann", "market": "x", "token": "ETH", "amount": 1, "price": 5, "timestamp": n}

    statistics = made.ingest(feed())
    assert answers == [0, 1, 1] and statistics.accepted == 3 and statistics.traded == 15.0


def test_the_sums_of_a_user_follow_trades_prices_and_removals():
    random = np.random.default_rng(8)
    tracker = PositionTracker(dict.fromkeys("ABC", 1))
    for token in "ABC":
        tracker.set_price(token, 10, 0)
    for time in range(1, 400):
        token, market, user = (str(random.choice(list(words))) for words in ("ABC", "MN", "uv"))
        if time % 5 == 0:
            tracker.set_price(token, int(random.integers(1, 50)), time, market if time % 2 else None)
        elif time % 17 == 0 and tracker.has(user, market, token):
            tracker.remove(user, market, token)
        elif time == 211:
            tracker.clear("u")
        else:
            tracker.update(user, market, token, int(random.choice([-2, -1, 1, 3])), "10.25", time)
        if time % 3:
            continue
        for name in tracker.users():
            held = tracker.positions_of(name)
            assert tracker.total_exposure(name) == sum(abs(one.value) for one in held)
            assert tracker.total_unrealized_pnl(name) == pytest.approx(sum(one.unrealized for one in held), abs=1e-6)


def test_a_position_stays_what_it_was_when_it_was_asked_for():
    tracker = PositionTracker({"A": 1}, stale_after=10)
    tracker.set_price("A", 5, 0)
    tracker.update("u", "M", "A", 2, 4, 1)
    early = tracker.get("u", "M", "A", 20)
    tracker.update("u", "M", "A", 7, 4, 2)
    tracker.set_price("A", 9, 3)
    assert (early.stale, early.price_age, early.value, early.amount, early.updated) == (True, 20, 10.0, 2, 1)
    again = tracker.get("u", "M", "A", 3)
    assert pickle.loads(pickle.dumps(again)) == again and (again.stale, again.value) == (False, 81.0)
    with pytest.raises(AttributeError, match="a Position has no field 'worth'"):
        _ = again.worth
