"""Rules inside vectorbt's order function: what enforce decides where nobody reacts, and a strategy that does."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest
from refusing import refusal as refusal_of
from streams import daily_closes

from riskkit import EventLog, RuleSet, replay_log
from riskkit.replay.rules.circuit_breaker import BreakerLimits
from riskkit.replay.rules.rule import Rule
from riskkit.rules import (
    DailyLoss,
    DrawdownLimit,
    Leverage,
    MaxOrderNotional,
    MaxOrderQty,
    OrderRate,
    PositionLimit,
    VolumeCap,
)
from riskkit.vbt import run_with_limits

BARS = 90
CASH = 100_000.0
UNITS = {"tick": "0.01", "lot": 1, "quantum": "0.000001"}
DAY = 86_400_000_000_000


@pytest.fixture(scope="module")
def close() -> pd.DataFrame:
    return daily_closes(7, 0.02, BARS)


def sizes(seed: int, shape: tuple[int, int] = (BARS, 3)) -> np.ndarray:
    """What is wanted, whatever was refused."""
    return np.random.default_rng(seed).integers(-40, 41, shape).astype(float)


def follow(c, size):
    """An order function that does not look back."""
    from vectorbt.portfolio.enums import Order

    return Order(size=size[c.i, c.col], fees=0.001)


def ungated(vbt, close, order_func, *args, **options):
    """The same strategy without limits."""
    steps = {f"pre_{name}_func_nb": lambda c, *rest: rest for name in ("sim", "row", "segment")}
    steps |= {f"post_{name}_func_nb": lambda c, *rest: None for name in ("sim", "row", "segment", "order")}
    return vbt.Portfolio.from_order_func(
        close, order_func, *args, use_numba=False, row_wise=True, **{**steps, "init_cash": CASH, **options}
    )


RULES = {
    "size": [Rule("size", MaxOrderQty(limit=30))],
    "several": [
        Rule("worth", MaxOrderNotional(limit=3_500), action="ALERT"),
        Rule("position", PositionLimit(limit=60)),
        Rule("rate", OrderRate(limit=5, window_ns=4 * DAY)),
    ],
    "pauses": [
        Rule("fall", DrawdownLimit(money=900), hold=5 * DAY),
        Rule("day", DailyLoss(limit=300), action="PAUSE"),
        Rule("breaker", BreakerLimits(daily_loss=400)),
    ],
    "everything": [
        Rule("turnover", VolumeCap(notional=9_000, roll_hour=6), scope="global"),
        Rule("leverage", Leverage(limit="0.05")),
    ],
}


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("grouped", [False, True])
def test_the_decisions_are_those_of_enforce(vbt, close, name, grouped):
    rules, size = RuleSet(RULES[name]), sizes(3)
    options = {"init_cash": CASH} | ({"group_by": [0, 0, 1], "cash_sharing": True} if grouped else {})
    gated = run_with_limits(rules, close, follow, size, **UNITS, compiled=False, **options)
    log = EventLog.from_vectorbt(ungated(vbt, close, follow, size, **options), **UNITS)
    replayed = replay_log(log, rules, "enforce", orphans="keep", sample_ns=DAY, compiled=False)
    assert len(replayed.rejections()) > 5
    assert len(replayed.rejections()) < log.counts()["ORDER"]
    assert gated.result.digest == replayed.digest
    assert [one.refused for one in gated.rejections()] == [True] * len(replayed.rejections())
    assert gated.portfolio.final_value().to_numpy() == pytest.approx(replayed.accounts()["equity"].to_numpy(), abs=1e-3)
    assert len(gated.portfolio.orders.values) == log.counts()["ORDER"] - len(replayed.rejections())


def test_its_log_replays_to_the_same_digest(vbt, close):
    rules = RuleSet(RULES["several"])
    gated = run_with_limits(rules, close, follow, sizes(5), init_cash=CASH, compiled=False, about={"title": "trend"})
    assert gated.log.about == {"orphans": "keep", "title": "trend"}
    assert replay_log(gated.log, rules, "enforce", compiled=False).digest == gated.result.digest
    assert "refused" in str(gated.result.explain(int(gated.result.rejections()["seq"][0])))


def test_without_rules_it_is_the_portfolio_without_limits(vbt, close):
    size = sizes(6)
    gated = run_with_limits(RuleSet([]), close, follow, size, init_cash=CASH, compiled=False)
    free = ungated(vbt, close, follow, size)
    assert gated.answers == ()
    assert gated.portfolio.orders.values.tolist() == free.orders.values.tolist()
    assert gated.portfolio.value().equals(free.value())


def test_a_strategy_that_reacts_does_differently(vbt, close):
    from vectorbt.portfolio.enums import Order

    said = []

    def halving(c):
        """Wants forty; after a refusal half of what was refused, for the rest of its life."""
        said.append(c.answer)
        wanted[c.col] /= 2 if c.answer is not None and c.answer.refused and c.answer.bar == c.i - 1 else 1
        return Order(size=float(wanted[c.col]) if c.i % 2 == 0 or c.answer.refused else -float(c.position_now))

    wanted = np.full(3, 40.0)
    rules = RuleSet([Rule("size", MaxOrderQty(limit=15)), Rule("worth", MaxOrderNotional(limit=1_800))])
    reacting = run_with_limits(rules, close, halving, init_cash=CASH, compiled=False)
    assert said[:3] == [None, None, None]
    first = reacting.answers[0]
    assert (first.refused, first.rules, first.bar, first.column) == (True, ("size", "worth"), 0, "a")
    assert (first.observed, first.limit, first.headroom, first.size) == (40, 15, -25, 40.0)
    assert first.reason.startswith("the order is refused by size (") and first.reason.endswith("; worth objects too.")
    assert first.price == close.iloc[0, 0] and first.until is None
    assert said[3] is first
    assert [one.size for one in reacting.answers if one.column == "a"] == [40.0, 20.0]
    assert wanted[0] == 10.0 and (reacting.portfolio.assets()["a"] == 10).any()
    stubborn = run_with_limits(rules, close, lambda c: Order(size=40.0), init_cash=CASH, compiled=False)
    assert (stubborn.portfolio.assets() == 0).all(axis=None)
    assert len(stubborn.rejections()) == close.size
    assert reacting.result.digest != stubborn.result.digest


def test_a_refusal_is_told_and_a_warning_too(vbt, close):
    from vectorbt.portfolio.enums import Order

    rules = RuleSet([Rule("warn", MaxOrderQty(limit=5), action="ALERT"), Rule("pause", PositionLimit(limit=20))])
    gated = run_with_limits(rules, close["a"], lambda c: Order(size=8.0), init_cash=CASH, compiled=False)
    table = gated.to_frame()
    assert table["refused"].tolist() == [False, False, *[True] * (BARS - 2)]
    assert table["rules"].tolist() == ["warn", "warn", *["pause, warn"] * (BARS - 2)]
    assert table["observed"].tolist() == [8, 8, *[24] * (BARS - 2)]
    assert table["headroom"].tolist() == [-3, -3, *[-4] * (BARS - 2)]
    assert table.index.tolist() == close.index.tolist()
    assert "refused" in repr(gated) and f"{BARS - 2}" in repr(gated)


def test_a_flexible_function_tries_again_in_the_same_bar(vbt, close):
    from vectorbt.portfolio.enums import NoOrder, Order

    def until_it_passes(c):
        if c.call_idx == 0:
            assert c.answer is None
            return c.from_col, Order(size=64.0)
        if c.answer.refused and c.answer.size > 1:
            assert c.answer is c.answers[c.from_col]
            return c.from_col, Order(size=c.answer.size / 2)
        return -1, NoOrder

    rules = RuleSet([Rule("position", PositionLimit(limit=100))])
    options = {"flexible": True, "max_orders": 10 * close.size, "init_cash": CASH}
    gated = run_with_limits(rules, close, until_it_passes, compiled=False, **options)
    filled = gated.portfolio.orders.values
    assert filled["size"][filled["col"] == 0].tolist()[:3] == [64.0, 32.0, 4.0]
    assert (gated.portfolio.assets().iloc[-1] == 100).all()


def test_a_compiled_function_reads_the_answers_in_an_array(vbt, close):
    from numba import njit
    from vectorbt.portfolio import nb

    @njit
    def careful(c, answers, start):
        if answers[c.col]["refused"] == 1:
            return nb.order_nb(size=answers[c.col]["limit"] - 1.0)
        return nb.order_nb(size=start)

    rules = RuleSet([Rule("rate", OrderRate(limit=50, window_ns=DAY)), Rule("size", MaxOrderQty(limit=5))])
    gated = run_with_limits(rules, close.iloc[:6], careful, vbt.Rep("answers"), 9.0, init_cash=CASH, compiled=False)
    filled = gated.portfolio.orders.values
    assert filled["size"].tolist() == [4.0] * 9 and sorted(set(filled["idx"].tolist())) == [1, 3, 5]


def test_orders_that_vectorbt_does_not_fill_are_not_asked_about(vbt, close):
    from vectorbt.portfolio.enums import NoOrder, Order

    def nothing(c):
        return (NoOrder, Order(size=np.nan), Order(size=-5.0, direction=0), Order(size=5.0, min_size=6.0))[c.i % 4]

    gated = run_with_limits(
        RuleSet([Rule("size", MaxOrderQty(limit=1))]), close, nothing, init_cash=CASH, compiled=False
    )
    assert gated.log.counts() == {"PRICE": close.size} and gated.answers == ()
    with pytest.raises(Exception, match="MinSizeNotReached|minimum size|Final size"):
        run_with_limits(RuleSet([]), close, lambda c: Order(size=5.0, min_size=6.0, raise_reject=True), compiled=False)


def test_chance_is_drawn_once(vbt, close):
    from vectorbt.portfolio.enums import Order

    def lucky(c):
        return Order(size=1.0, reject_prob=0.5)

    gated = run_with_limits(RuleSet([]), close, lucky, seed=11, init_cash=CASH, compiled=False)
    free = ungated(vbt, close, lucky, seed=11)
    assert 0 < len(free.orders.values) < close.size
    assert gated.portfolio.orders.values.tolist() == free.orders.values.tolist()


def test_prices_of_today_and_yesterday_and_slippage(vbt, close):
    from vectorbt.portfolio.enums import Order

    def at_open(c):
        return Order(size=1.0, price=-np.inf if c.i % 2 else np.inf, slippage=0.001)

    assert refusal(close, at_open).endswith(
        " is not a multiple of 0.01, the tick of its closes; give tick (prices are rounded to it)"
    )
    gated = run_with_limits(RuleSet([]), close, at_open, tick="0.0001", init_cash=CASH, compiled=False)
    log = EventLog.from_vectorbt(ungated(vbt, close, at_open), tick="0.0001", lot=1, quantum="0.000001")
    assert gated.log.event_hash == log.event_hash


def test_sizes_that_are_no_multiples_of_the_lot(vbt, close):
    from vectorbt.portfolio.enums import Order

    def all_in(c):
        return Order(size=np.inf if c.i % 6 == 0 else -np.inf if c.i % 6 == 3 else 0.0, direction=0, fees=0.001)

    assert refusal(close, all_in).startswith("column 'a': size ")
    fine = {"tick": "0.01", "lot": "1e-9", "quantum": "1e-6"}
    gated = run_with_limits(RuleSet([]), close, all_in, **fine, init_cash=CASH, compiled=False)
    assert gated.log.event_hash == EventLog.from_vectorbt(ungated(vbt, close, all_in), **fine).event_hash


def test_the_steps_of_a_simulation_are_called_as_vectorbt_calls_them(vbt, close):
    from vectorbt.portfolio.enums import Order

    seen = []

    def prepare(c, start):
        return (np.array([start]),)

    def count(c, counter):
        counter[0] += 1

    def one(c, counter, size):
        return Order(size=size)

    gated = run_with_limits(
        RuleSet([]), close, one, 2.0, pre_sim_func_nb=prepare, pre_sim_args=(5,), post_order_func_nb=count,
        post_row_func_nb=lambda c, counter: seen.append(int(counter[0])),
        segment_mask=2, init_cash=CASH, compiled=False,
    )  # fmt: skip
    assert seen[0] == 8 and seen[-1] == 5 + close.size // 2 and len(seen) == BARS
    assert gated.log.counts() == {"ORDER": close.size // 2, "FILL": close.size // 2, "PRICE": close.size}


def test_one_close_for_many_parameters(vbt, close):
    from vectorbt.portfolio.enums import Order

    def one(c, size):
        return Order(size=float(size[c.i, c.col]) if np.ndim(size) == 2 else float(size[c.col]))

    many = pd.DataFrame([[1.0, 2.0]], columns=pd.Index(["1", "2"], name="size"))
    options = {"broadcast_named_args": {"size": many}, "init_cash": CASH}
    gated = run_with_limits(
        RuleSet([Rule("size", MaxOrderQty(limit=1))]), close["a"], one, vbt.RepFunc(lambda size: np.asarray(size).ravel()),
        compiled=False, **options,
    )  # fmt: skip
    assert gated.portfolio.assets().iloc[-1].tolist() == [BARS, 0.0]
    assert [account.id for account in gated.log.universe.accounts] == [
        str(one) for one in gated.portfolio.wrapper.columns
    ]


def test_what_cannot_be_gated_gets_a_sentence(vbt, close):
    for name, why in (
        ("row_wise", "row_wise=False cannot be set: limits are checked bar by bar, over all columns"),
        ("use_numba", "use_numba=False cannot be set: the rules are called from Python"),
    ):
        assert refusal(close, follow, sizes(1), **{name: False}) == why
    assert "use pre_sim_func_nb or pre_row_func_nb" in refusal(close, follow, pre_group_func_nb=follow)
    assert refusal(close, follow, sizes(1), init_cash="auto") == (
        "account 'a' opens with cash of inf, so it has no value; simulate with init_cash='auto' or an amount"
    )
    assert refusal(close.reset_index(drop=True), follow, sizes(1)) == (
        "the portfolio's index is RangeIndex; it needs times (a DatetimeIndex)"
    )
    assert refusal(close.assign(b=np.nan), follow, sizes(1)) == "column 'b' has no close; leave it out"
    assert refusal(close, follow, sizes(1), lot="x") == "lot='x' is not a number"


def refusal(close, order_func, *args, **options) -> str:
    return refusal_of(
        run_with_limits, RuleSet([]), close, order_func, *args, compiled=False, **{"init_cash": CASH, **options}
    )


def test_without_vectorbt_there_is_a_sentence(monkeypatch, close):
    monkeypatch.setitem(sys.modules, "vectorbt", None)
    with pytest.raises(
        ImportError, match=r"vectorbt is not installed; it comes with: pip install 'riskkit\[notebooks\]'"
    ):
        run_with_limits(RuleSet([]), close, follow)
