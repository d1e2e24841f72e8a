"""Rules of groups of accounts: one digest from every way of running them, and whole cases with what must come out."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from marks import needs_compiling
from one_digest import assert_one_digest
from rows import load
from streams import random_log, whole_lists, with_every_column

from riskkit import Account, Instrument, Rule, RuleSet, replay_log
from riskkit.replay.live.engine import Engine
from riskkit.rules import (
    CashLimit,
    ConcentrationLimit,
    DailyLoss,
    DrawdownLimit,
    Leverage,
    LongOnly,
    MaxExposure,
    PositionLimit,
    SelfTradePrevention,
    VolumeCap,
)

RULES = RuleSet(
    [
        Rule("exposure", MaxExposure(limit=30), scope="desk"),
        Rule("largest", ConcentrationLimit(limit="0.6"), scope="account_product"),
        Rule("position", PositionLimit(limit=12), scope="strategy"),
        Rule("cash", CashLimit(fee="0.1"), scope="desk"),
        Rule("self", SelfTradePrevention(), scope="global"),
        Rule("day", DailyLoss(limit=3), scope="desk", hold="session"),
        Rule("own day", DailyLoss(limit=2, measure="realised"), scope="strategy"),
        Rule("added", MaxExposure(limit=60), scope="firm", netting="none"),
        Rule("volume", VolumeCap(limit=40, notional=500), overrides={"A1": {"limit": 12}, "A2": {"notional": None}}),
    ]
)
TRADED = (Instrument("X"), Instrument("Y"))
DESK = {
    "unit": "ns",
    "accounts": [
        Account("T1", trader="T", desk="D", firm="F", cash={"USD": 1_000}),
        Account("T2", trader="T", desk="D", firm="F", cash={"USD": 1_000}),
    ],
}


@pytest.mark.xdist_group("generic")
@needs_compiling
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10_000), opened=st.booleans(), data=st.data())
def test_every_way_of_running_gives_one_digest(seed, opened, data):
    log = random_log(seed, 120, opened=opened, venue=True, actions=True)
    live = assert_one_digest(log, RULES, data)
    journal = with_every_column(live.log())
    assert replay_log(journal, RULES, "enforce", compiled="generic").digest == live.digest, "the journal replayed"


@pytest.mark.lengthy
@settings(max_examples=20, deadline=None)
@example(seed=41, opened=True)  # a late order that is filled
@given(seed=st.integers(0, 10_000), opened=st.booleans())
def test_plain_one_at_a_time_gives_the_digest(seed, opened):
    log = random_log(seed, 80, opened=opened, venue=True, actions=True)
    live = Engine(RULES, log.universe, compiled=False)
    live.feed(log, 0, stop := whole_lists(log, 40))
    live = Engine.restore(live.snapshot(), RULES, compiled=False)
    live.feed(log, stop)
    assert live.digest == replay_log(log, RULES, compiled=False).digest


# ---------------------------------------------------------------------- whole cases


def row(account="T1", side="B", qty=1, price=10, kind="order", instrument="X", **more):
    return {
        "kind": kind,
        "account": account,
        "instrument": instrument,
        "side": side,
        "qty": qty,
        "price": price,
        **more,
    }


def refused(rows, rule, **options):
    named = [{"order_id": f"o{ts}", **row} if row["kind"] == "order" else row for ts, row in enumerate(rows)]
    log = load(*({"ts": ts, **row} for ts, row in enumerate(named)), **{"instruments": TRADED, **DESK, **options})
    return replay_log(log, RuleSet([rule]), compiled=False).rejections()["seq"].tolist()


BOUGHT = [row("T1", qty=40, kind="fill"), row("T2", qty=40, kind="fill")]


@pytest.mark.parametrize("scope", ["trader", "desk", "firm", "global", "instrument", "product"])
@pytest.mark.parametrize(
    ("parameters", "rows", "expected"),
    [
        (MaxExposure(limit=500), [row("T1", qty=40), row("T2", qty=40)], [1]),
        (MaxExposure(limit=500), [BOUGHT[0], row("T2", "S", 40)], []),  # netted: it reduces
        (PositionLimit(limit=50), [row("T1", qty=40), row("T2", qty=40)], [1]),
        (Leverage(limit="0.3"), [BOUGHT[0], row("T2", qty=30)], [1]),
        (LongOnly(), [BOUGHT[0], row("T2", "S", 40), row("T1", "S", 1)], [2]),
        (SelfTradePrevention(), [row("T1", "B", 10), row("T2", "S", 10)], [1]),
        (CashLimit(), [row("T1", qty=150), row("T2", qty=60)], [1]),
        (DailyLoss(limit=100), [*BOUGHT, {"kind": "price", "instrument": "X", "price": 8}, row("T1")], [3]),
        (DrawdownLimit(money=100), [*BOUGHT, {"kind": "price", "instrument": "X", "price": 8}, row("T2")], [3]),
    ],
)
def test_a_group_is_judged_by_its_sum(scope, parameters, rows, expected):
    kind = Rule("r", parameters).kind
    if scope not in kind.scopes:
        pytest.skip("refused when the rule is made")
    assert refused(rows, Rule("r", parameters, scope=scope)) == expected
    assert refused(rows, Rule("r", parameters)) != expected or not expected, "an account alone is judged otherwise"


def test_a_hedged_desk_loses_nothing_while_its_accounts_are_marked_one_by_one():
    rows = [row("T1", "B", 40, kind="fill"), row("T2", "S", 40, kind="fill")]
    rows += [{"kind": "price", "instrument": "X", "price": price} for price in (5, 15)]
    assert refused([*rows, row("T1")], Rule("r", DailyLoss(limit=1), scope="desk")) == []


# ---------------------------------------------------------------------- working orders, lists


@pytest.mark.parametrize(
    ("parameters", "rows", "expected"),
    [
        (VolumeCap(limit=50), [row(qty=30)] * 4, [1, 2, 3]),
        (MaxExposure(limit=8_000), [row(qty=200)] * 5, [4]),
        (LongOnly(), [row(qty=440, kind="fill"), row(side="S", qty=300), row(side="S", qty=300)], [2]),
        (ConcentrationLimit("0.7"),
         [row(qty=50, kind="fill"), row(qty=50, kind="fill", instrument="Y"), *[row(qty=30, instrument="Y")] * 4], [4, 5]),
        (Leverage(3), [row(qty=100)] * 4, [3]),
    ],
)  # fmt: skip
def test_working_orders_count_unless_a_rule_says_otherwise(parameters, rows, expected):
    named = type(parameters).__name__
    assert "with working" in str(Rule("r", parameters)), named
    assert refused(rows, Rule("r", parameters)) == expected
    without = parameters._replace(working=False)
    assert "without working" in str(Rule("r", without)), named
    assert refused(rows, Rule("r", without)) == []


@pytest.mark.parametrize("working", [True, False])
@pytest.mark.parametrize(
    ("parameters", "quantities", "passes"),
    [
        (MaxExposure(limit=1_500), (80, 80), False),
        (MaxExposure(limit=1_500), (70, 80), True),
        (Leverage(limit="1.5"), (80, 80), False),
        (Leverage(limit="1.5"), (70, 80), True),
        (VolumeCap(limit=15), (8, 8), False),
        (VolumeCap(limit=15), (7, 8), True),
    ],
)
def test_a_list_is_judged_by_its_sum(working, parameters, quantities, passes):
    rows = [row(qty=qty, batch="list") for qty in quantities]
    price = {"kind": "price", "instrument": "X", "price": 10}
    for written in (rows, [price, *rows]):
        listed = [{"ts": 0, **one} for one in written]
        result = replay_log(
            load(*listed, instruments=TRADED, **DESK),
            RuleSet([Rule("r", parameters._replace(working=working))]),
            compiled=False,
        )
        assert len(result.rejections()) == (0 if passes else 2)


def test_a_list_that_lands_on_the_largest_share_passes():
    prices = [{"ts": 0, "kind": "price", "instrument": name, "price": 10} for name in "XY"]

    def count(x, y):
        rows = [{"ts": 0, **row(qty=qty, instrument=name, batch="list")} for name, qty in (("X", x), ("Y", y))]
        rules = RuleSet([Rule("r", ConcentrationLimit("0.5"))])
        return len(replay_log(load(*prices, *rows, instruments=TRADED, **DESK), rules, compiled=False).rejections())

    assert (count(50, 50), count(50, 49), count(1, 100)) == (0, 2, 2)


def test_an_order_that_lowers_the_largest_share_passes():
    rows = [row(qty=100, kind="fill"), row(qty=10, instrument="Y"), row(qty=1)]
    assert refused(rows, Rule("r", ConcentrationLimit("0.5"))) == [2]


@pytest.mark.parametrize(
    ("above", "rows", "expected"),
    [
        (0, [row(qty=1)], [1]),  # 100 %, as before, of more
        (0, [row(side="S", qty=19), row(side="S", qty=2)], [2]),  # the second turns 10 long into 11 short
        (0, [row(qty=1, instrument="Y"), row(qty=1)], [2]),  # the first lowers the share
        (1_000, [row(qty=90), row(qty=10_000)], [2]),  # below `above` any share passes
        (1_000, [row(qty=90), row(qty=10, instrument="Y"), row(qty=1)], [3]),
    ],
)
def test_a_share_that_cannot_rise_is_no_way_around_the_largest_share(above, rows, expected):
    held = row(qty=10, kind="fill")
    assert refused([held, *rows], Rule("r", ConcentrationLimit("0.5", above=above))) == expected


def test_cash_counts_the_fee_of_working_buys():
    rows = [row(qty=10), row(qty=10)]
    account = {"accounts": [Account("T1", cash={"USD": 215})]}
    assert refused(rows, Rule("r", CashLimit(fee="0.1")), **account) == [1]
    assert refused(rows, Rule("r", CashLimit()), **account) == []


# ---------------------------------------------------------------------- explanations


@pytest.mark.parametrize(
    ("scope", "held"),
    [("desk", 7), ("firm", 7), ("global", 12), ("instrument", 12), ("product", 12), ("strategy", 3),
     ("account", 3), ("account_instrument", 3), ("account_product", 3)],
)  # fmt: skip
def test_an_explanation_shows_the_position_of_the_group(scope, held):
    accounts = [*DESK["accounts"], Account("T3", desk="E", firm="G")]
    rows = [row("T3", qty=5, kind="fill", strategy="t"), row("T1", qty=4, kind="fill", strategy="s")]
    rows += [row("T2", qty=3, kind="fill", strategy="s"), row("T2", qty=90, strategy="s")]
    log = load(*({"ts": ts, **one} for ts, one in enumerate(rows)), instruments=TRADED, unit="ns", accounts=accounts)
    rules = RuleSet([Rule("r", MaxExposure(limit=500), scope=scope)])
    (objection,) = replay_log(log, rules, compiled=False).explain(3).objections
    assert objection.state["position"] == held
