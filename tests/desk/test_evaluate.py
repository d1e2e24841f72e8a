"""`evaluate`, `validate` and `RiskState`: every sentence that is said about them."""

import copy
import datetime
import json
import re
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import desk as naive

from riskkit import InputError
from riskkit.desk import (
    DeskLimits,
    Evaluation,
    PositionValues,
    PreTradeCheck,
    RequestError,
    RiskReading,
    RiskState,
    TradeRequest,
    evaluate,
    evaluate_batch,
    limits_from_rules,
    validate,
    validate_batch,
)
from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.rules import VarLimit

HELD = {"AAPL": 30_000.0, "TLT": -5_000.0}
BUY = {"ticker": "AAPL", "side": "buy", "quantity": 50, "price": 200.0}


def curve(seed: int, days: int = 300) -> list[float]:
    return (100_000.0 * np.cumprod(1.0 + np.random.default_rng(seed).normal(0.0, 0.01, days))).tolist()


# ---------------------------------------------------------------------- evaluate


@pytest.mark.parametrize("seed", range(5))
def test_evaluate_is_the_naive_number(seed):
    *past, now = curve(seed)
    answer = evaluate(HELD, now, past, timestamp=7)
    fall, deepest = naive.drawdown([*past, now])
    assert answer.drawdown == fall
    assert answer.max_drawdown == pytest.approx(deepest, rel=1e-12)
    returns = [b / a - 1.0 for a, b in zip(past, [*past[1:], now], strict=True)]
    var_95, cvar_95 = naive.historical(returns, "0.95")
    assert answer.var_95 == pytest.approx(var_95, rel=1e-12)
    assert answer.cvar_95 == pytest.approx(cvar_95, rel=1e-12)
    assert answer.var_99 == pytest.approx(naive.historical(returns, "0.99")[0], rel=1e-12)
    assert answer.risk_score == min(1.0, fall / 0.1)
    assert answer.timestamp == 7


def test_without_history_var_is_none_and_size_and_drawdown_decide():
    answer = evaluate(HELD, 100_000.0)
    assert (answer.var_95, answer.var_99, answer.cvar_95) == (None, None, None)
    assert answer.approved and answer.reasons == () and answer.drawdown == 0.0 and answer.risk_score == 0.0
    large = evaluate({"AAPL": 41_000.0}, 100_000.0)
    assert not large.approved and "AAPL is 41 %" in large.reasons[0]
    state = RiskState()
    evaluate({}, 100_000.0, state=state)
    deep = evaluate({}, 89_000.0, state=state)
    assert (
        not deep.approved and deep.drawdown == 0.11 and deep.risk_score == 1.0 and "drawdown is 11 %" in deep.reasons[0]
    )


def test_fractions_are_fractions_and_a_service_has_percentages():
    state = RiskState()
    answer = evaluate({"A": 10.0}, 97.5, [100.0], state=state, timestamp=5)
    assert answer.drawdown == answer.max_drawdown == 0.025
    assert [answer.var_95, answer.var_99, answer.cvar_95] == pytest.approx([0.025] * 3)
    assert answer.risk_score == 0.25
    shown = answer.to_service()
    assert list(shown) == list(answer.to_dict()) and shown["drawdown"] == shown["max_drawdown"] == 2.5
    assert [shown["var_95"], shown["var_99"], shown["cvar_95"]] == pytest.approx([2.5] * 3)
    assert (shown["risk_score"], shown["approved"], shown["reasons"], shown["timestamp"]) == (0.25, True, [], 5)
    assert state.to_service() == {
        "current_drawdown": 2.5, **{name: shown[name] for name in ("max_drawdown", "var_95", "var_99", "cvar_95")},
        "last_updated": 5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"max_position_size": 40}, "max_position_size=40 is above 1; it is a fraction: write 0.4 for 40 %"),
        ({"max_drawdown_limit": 0.1}, "max_drawdown_limit=0.1 is below 1; it is in percent: write 10 for 10 %"),
        ({"max_drawdown_limit": 101}, "max_drawdown_limit=101 is above 100; it is in percent: write 10 for 10 %"),
        ({"limits": {"max_drawdown": 10}}, "max_drawdown=10 is above 1; it is a fraction: write 0.1 for 10 %"),
    ],
)
def test_a_percentage_for_a_fraction_is_refused_and_the_other_way_round(given, sentence):
    for call in (
        lambda: evaluate({}, 100.0, **given),
        lambda: validate(BUY, {}, 1e9, **given),
        lambda: validate_batch({"ticker": ["A"], "side": ["buy"], "quantity": [1.0], "price": [1.0]}, {}, 1e9, **given),
    ):
        with pytest.raises(RequestError) as caught:
            call()
        assert caught.value.message == sentence


def test_readings_and_evaluations_in_percent_are_refused():
    for kind, data in ((RiskReading, {"current_drawdown": 2.5}), (RiskReading, {"max_drawdown": 1.5})):
        with pytest.raises(RequestError, match="is a fraction: write"):
            kind.from_dict(data)
    with pytest.raises(RequestError, match="write 0.025 for 2.5 %"):
        Evaluation.from_dict({**evaluate({}, 100.0).to_dict(), "drawdown": 2.5})


def test_what_equals_a_limit_passes_and_a_hair_more_does_not():
    assert evaluate({"A": 0.3}, 3.0, max_position_size=0.1).approved  # 0.1 × 3 is not 0.3 in floats
    assert evaluate({"A": 0.1 * 3}, 1.0, max_position_size=0.3).approved is False  # 0.30000000000000004 is more
    assert evaluate({}, 90.0, [100.0], max_drawdown_limit=10.0).approved
    assert evaluate({}, 0.27, [0.3], max_drawdown_limit=10.0).approved  # 100 × (0.3 - 0.27) / 0.3 is 9.99... in floats
    assert not evaluate({}, 89.999999, [100.0], max_drawdown_limit=10.0).approved
    assert evaluate({}, 89.0, [100.0]).risk_score == 1.0  # never above 1


def test_var_of_the_positions_as_held():
    returns = pd.DataFrame(np.random.default_rng(3).normal(0, 0.01, (250, 3)), columns=["TLT", "AAPL", "GLD"])
    answer = evaluate(HELD, 100_000.0, returns=returns)
    pnl = [(30_000.0 * row.AAPL - 5_000.0 * row.TLT) / 100_000.0 for row in returns.itertuples()]
    var, es = naive.historical(pnl, "0.95")
    assert answer.var_95 == pytest.approx(var, rel=1e-12) and answer.cvar_95 == pytest.approx(es, rel=1e-12)
    with pytest.raises(InputError, match="AAPL"):
        evaluate(HELD, 100_000.0, returns=returns[["TLT"]])
    with pytest.raises(RequestError, match="no tickers"):
        evaluate(HELD, 100_000.0, returns=returns.to_numpy())


def test_positions_may_come_in_any_form_that_people_have():
    frame = pd.DataFrame({"ticker": ["AAPL", "TLT"], "quantity": [10, -5], "price": [150.0, 90.0]})
    expected = {"AAPL": 1_500.0, "TLT": -450.0}
    stated = frame.assign(value=[1_500.0, -450.0])
    for form in (expected, pd.Series(expected), frame, frame.set_index("ticker"), frame.to_dict("records"), stated):
        assert PositionValues(form).values == expected
    money = pd.DataFrame({"ticker": ["AAPL"], "value": [1_500.0]})
    assert PositionValues(money).values == {"AAPL": 1_500.0}
    nameless, twice = frame.drop(columns="ticker"), pd.concat([frame, frame])
    for wrong in ([{"quantity": 1, "price": 2}], nameless, twice, frame.drop(columns="price")):
        with pytest.raises(RequestError, match="values"):
            PositionValues(wrong)


def test_a_var_limit_in_money_holds_evaluate():
    past = curve(1)
    loss = evaluate({}, past[-1], past[:-1]).var_95 * past[-1]
    assert evaluate({}, past[-1], past[:-1], limits=DeskLimits(var_limit=loss * 1.001)).approved
    beyond = evaluate({}, past[-1], past[:-1], limits=DeskLimits(var_limit=loss * 0.999))
    assert not beyond.approved and "VaR 95%" in beyond.reasons[0] and beyond.risk_score is None
    blind = evaluate({}, 100.0, limits=DeskLimits(var_limit=1.0))
    assert not blind.approved and "cannot be checked" in blind.reasons[0]  # a limit is not switched off by missing data


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"positions": {"A": float("nan")}}, "positions"),
        ({"positions": {"A": "10"}}, "positions"),
        ({"positions": {3: 10.0}}, "positions"),
        ({"positions": [1.0]}, "positions"),
        ({"positions": {"A": {"quantity": 2, "price": 3, "value": 7}}}, "positions"),
        ({"positions": {"A": {"quantity": 2}}}, "positions"),
        ({"portfolio_value": 0.0}, "portfolio_value"),
        ({"portfolio_value": float("inf")}, "portfolio_value"),
        ({"portfolio_value": True}, "portfolio_value"),
        ({"history": [100.0, float("nan")]}, "history"),
        ({"history": []}, "history"),
        ({"history": [100.0, -1.0]}, "history"),
        ({"history": [[100.0, 1.0]]}, "history"),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"timestamp": pd.NaT}, "timestamp"),
        ({"timestamp": 1.5}, "timestamp"),
        ({"max_position_size": -0.4}, "max_position_size"),
        ({"max_drawdown_limit": float("nan")}, "max_drawdown_limit"),
    ],
)
def test_every_field_of_evaluate_is_checked(arguments, field):
    with pytest.raises(RequestError) as caught:
        evaluate(**{"positions": {}, "portfolio_value": 100.0, **arguments})
    assert caught.value.field == field and caught.value.to_dict()["message"] == caught.value.message
    assert isinstance(caught.value, InputError) and json.dumps(caught.value.to_dict())


# ---------------------------------------------------------------------- validate

WRITTEN = st.integers(1, 40).map(lambda number: number / 10)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from("AB"), st.sampled_from(["buy", "sell"]), WRITTEN, WRITTEN, WRITTEN, WRITTEN, st.integers(1, 10))
def test_validate_is_the_naive_answer(ticker, side, quantity, price, held, value, tenths):
    trade = {"ticker": ticker, "side": side, "quantity": quantity, "price": price}
    answer = validate(trade, {"A": held}, value, tenths / 10)
    approved, size = naive.may_trade(trade, {"A": held}, value, tenths / 10, 0.1, 0.0)
    assert answer.approved == approved
    assert answer.position_size == pytest.approx(size, rel=1e-12, abs=1e-12)
    assert (answer.reason == "within all limits") == approved


def test_the_defaults_and_the_fields_of_an_answer():
    answer = validate(BUY, HELD, 100_000.0, timestamp="2024-03-05T14:30:00+00:00")
    assert answer == PreTradeCheck(
        True, "within all limits", "AAPL", "buy", 50.0, 200.0, 0.4, 0.0, 0.0, timestamp="2024-03-05T14:30:00+00:00"
    )  # 40 % is allowed
    assert answer.to_service() == {
        "approved": True, "reason": "within all limits", "risk_score": 0.0, "position_size_pct": 40.0,
        "estimated_drawdown": 0.0, "timestamp": "2024-03-05T14:30:00+00:00",
    }  # fmt: skip
    refused = validate({**BUY, "quantity": 51}, HELD, 100_000.0)
    assert not refused.approved and refused.reason == "AAPL would be 40.2 % of the portfolio; at most 40 % is allowed"


def test_estimated_drawdown_is_the_current_one_plus_var_on_request():
    state = RiskState(RiskReading(current_drawdown=0.04, max_drawdown=0.06))
    assert validate(BUY, HELD, 100_000.0, state=state).estimated_drawdown == 0.04
    assert validate(BUY, HELD, 100_000.0, state=state).risk_score == pytest.approx(0.4)
    returns = np.random.default_rng(0).normal(0, 0.02, 250)
    var, _ = naive.historical(list(-returns), "0.99")  # a sale loses where the ticker rises
    sale = {**BUY, "side": "sell"}
    answer = validate(sale, {}, 100_000.0, state=state, estimate="var", returns=returns)
    assert answer.estimated_drawdown == pytest.approx(0.04 + var * 10_000.0 / 100_000.0, rel=1e-12)
    normal = validate(BUY, {}, 100_000.0, state=state, estimate="var", volatility=0.5)
    assert normal.estimated_drawdown == pytest.approx(0.04 + 2.3263478740408408 * 0.5 * 0.1)
    assert (
        not normal.approved and normal.reason.startswith("estimated drawdown is 15.6317 %") and normal.risk_score == 1.0
    )
    for wrong in ({}, {"returns": returns, "volatility": 0.1}):
        with pytest.raises(RequestError, match="one of returns and volatility"):
            validate(BUY, HELD, 100_000.0, estimate="var", **wrong)
    with pytest.raises(RequestError, match="estimate"):
        validate(BUY, HELD, 100_000.0, estimate="worst", volatility=0.1)


def test_what_only_reduces_passes_and_a_flip_does_not():
    deep = RiskState(RiskReading(current_drawdown=0.5, max_drawdown=0.5))
    sale = {"ticker": "A", "side": "sell", "quantity": 10, "price": 10.0}
    assert validate(sale, {"A": 100.0}, 120.0, state=deep).approved  # to flat
    assert validate(sale, {"A": 1000.0}, 120.0, state=deep).approved  # still too large, but smaller
    assert not validate(sale, {"A": 99.0}, 120.0, state=deep).approved
    assert validate({**sale, "side": "buy"}, {"A": -100.0}, 120.0, state=deep).approved


def test_a_stated_value_has_to_be_quantity_times_price():
    assert TradeRequest(**BUY, value=10_000.0).value == 10_000.0
    assert TradeRequest("A", "B", 3, 0.1, 0.3).value == 0.3  # 3 × 0.1 in floats is not 0.3
    with pytest.raises(RequestError, match="not quantity x price") as caught:
        validate({**BUY, "value": 10_001.0}, HELD, 100_000.0)
    assert caught.value.to_dict()["field"] == "value"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"quantity": 0}, "quantity"),
        ({"quantity": -1.0}, "quantity"),
        ({"quantity": "10"}, "quantity"),
        ({"quantity": True}, "quantity"),
        ({"price": float("nan")}, "price"),
        ({"price": float("inf")}, "price"),
        ({"price": None}, "price"),
        ({"side": "hold"}, "side"),
        ({"ticker": " "}, "ticker"),
        ({"ticker": 7}, "ticker"),
        ({"quantity": 1e200, "price": 1e200}, "value"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_every_field_of_a_trade_is_checked(change, field):
    with pytest.raises(RequestError) as caught:
        validate({**BUY, **change}, HELD, 100_000.0)
    assert caught.value.field == field


def test_every_other_argument_of_validate_is_checked():
    for arguments, field in (
        (({"B": float("nan")}, 1e5), "current_positions"),
        ((HELD, -1.0), "portfolio_value"),
        ((HELD, float("nan")), "portfolio_value"),
        ((HELD, 1e5, 0.0), "max_position_size"),
        ((HELD, 1e5, 0.4, "10"), "max_drawdown_limit"),
    ):
        with pytest.raises(RequestError) as caught:
            validate(BUY, *arguments)
        assert caught.value.field == field
    for wrong in ([], 2**63):
        with pytest.raises(RequestError, match="timestamp"):
            validate(BUY, HELD, 1e5, timestamp=wrong)
    assert not validate(BUY, HELD, 1e5, limits={"max_position_size": 0.1}).approved
    with pytest.raises(RequestError, match="colour"):
        validate(BUY, HELD, 1e5, limits={"colour": 0.1})


def test_all_problems_are_reported_at_once():
    with pytest.raises(RequestError) as caught:
        TradeRequest.from_dict({"ticker": "", "side": "up", "quantity": -1, "cost": 3})
    assert {problem.field for problem in caught.value.problems} == {"ticker", "side", "quantity", "cost", "price"}
    with pytest.raises(RequestError) as caught:
        TradeRequest.from_dict({"ticker": "", "side": "up", "quantity": 1})
    assert [problem.field for problem in caught.value.problems] == ["price", "ticker", "side"]
    assert {"field", "message"} <= set(caught.value.to_dict()["problems"][0])
    with pytest.raises(RequestError, match="give a dict"):
        TradeRequest.from_dict([1])
    again = copy.copy(caught.value)
    assert again.to_dict() == caught.value.to_dict() and str(again) == str(caught.value)


def test_requests_and_answers_are_frozen_and_go_through_json():
    state = RiskState()
    evaluation = evaluate(
        HELD, 1e5, curve(2), timestamp=datetime.datetime(2024, 3, 5, tzinfo=datetime.UTC), state=state
    )
    for record in (
        TradeRequest(**BUY), validate(BUY, HELD, 1e5, timestamp=3), evaluation, PositionValues(HELD), DeskLimits(0.4, 0.1), state.reading,
    ):  # fmt: skip
        again = type(record).from_dict(json.loads(json.dumps(record.to_dict())))
        assert again.to_dict() == record.to_dict()
        with pytest.raises(AttributeError):
            record.approved = True
    assert RiskState.from_dict(state.to_dict()).to_dict() == state.to_dict()
    with pytest.raises(RequestError, match="approved"):
        PreTradeCheck.from_dict({**validate(BUY, HELD, 1e5).to_dict(), "approved": "yes"})
    with pytest.raises(RequestError, match="var_95"):
        Evaluation.from_dict({**evaluation.to_dict(), "var_95": float("nan")})


def test_no_object_of_the_desk_reads_a_clock():
    clock = re.compile(r"^\s*(import|from) time\b|\bnow\(|today\(|monotonic|perf_counter", re.M)
    for path in sorted((Path(__file__).parents[2] / "riskkit" / "desk").rglob("*.py")):
        assert not clock.search(path.read_text("utf-8")), path


# ---------------------------------------------------------------------- state


def test_evaluate_updates_the_state():
    state, (*past, now) = RiskState(), curve(4)
    answer = evaluate(HELD, now, past, timestamp=5, state=state)
    for name in ("max_drawdown", "var_95", "var_99", "cvar_95"):
        assert getattr(state, name) == getattr(answer, name)
    assert state.current_drawdown == answer.drawdown and state.last_updated == 5
    evaluate(HELD, now / 2, timestamp=4, state=state)  # late: deepens the drawdown, does not bring back old numbers
    assert state.current_drawdown == state.max_drawdown > 0.49 and state.last_updated == 5
    assert state.var_95 == answer.var_95


def test_a_state_is_safe_under_threads():
    state = RiskState()
    values = np.random.default_rng(0).uniform(50.0, 150.0, (8, 200))
    torn = []

    def work(row):
        for value in values[row].tolist():
            evaluate({}, value, state=state)
            reading = state.reading
            if reading.current_drawdown > reading.max_drawdown or (reading.peak or 0.0) < value:
                torn.append(reading)

    threads = [threading.Thread(target=work, args=(row,)) for row in range(len(values))]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert not torn and state.reading.peak == values.max()


# ---------------------------------------------------------------------- limits


def test_limits_come_from_the_file_of_the_rules(tmp_path):
    path = tmp_path / "rules.toml"
    path.write_text(
        '[[rules]]\nid = "one"\ntype = "concentration"\nparams = { limit = 0.25 }\n'
        '[[rules]]\nid = "fall"\ntype = "drawdown"\nparams = { pct = 0.15 }\n'
        '[[rules]]\nid = "tighter"\ntype = "drawdown"\nparams = { pct = "0.12" }\n'
        '[[rules]]\nid = "loose"\ntype = "concentration"\naction = "ALERT"\nparams = { limit = 0.01 }\n'
        '[[rules]]\nid = "rate"\ntype = "order_rate"\nparams = { limit = 3, window_ns = "1s" }\n'
    )
    limits = limits_from_rules(RuleSet.from_toml(path))
    assert limits == DeskLimits(max_position_size=0.25, max_drawdown=0.12)
    assert (
        not validate(BUY, {}, 39_999.0, limits=limits).approved and validate(BUY, {}, 40_000.0, limits=limits).approved
    )
    assert limits_from_rules(RuleSet([])) == DeskLimits() and validate(BUY, {}, 1.0, limits=DeskLimits()).approved
    assert validate(BUY, {}, 1.0, limits=DeskLimits()).risk_score is None


@pytest.mark.parametrize("params", [{"money": 5}, {"pct": "0.1", "trailing": False}, {"pct": "0.1", "breach": "reach"}])
def test_rules_that_say_something_else_are_refused(params):
    rules = RuleSet.from_dict({"rules": [{"id": "fall", "type": "drawdown", "params": params}]})
    with pytest.raises(InputError, match="'fall'"):
        limits_from_rules(rules)


def test_a_var_rule_becomes_the_var_limit():
    rules = [Rule("a", VarLimit(limit=500, confidence="0.99")), Rule("b", VarLimit(limit="400.5", confidence="0.99"))]
    assert limits_from_rules(rules) == DeskLimits(var_limit=400.5, confidence=0.99)
    with pytest.raises(InputError, match="give one"):
        limits_from_rules([*rules, Rule("c", VarLimit(limit=300, confidence="0.95"))])
    with pytest.raises(InputError, match="its own z"):
        limits_from_rules([Rule("d", VarLimit(limit=300, z="1.65"))])


# ---------------------------------------------------------------------- batch


def frame(n: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "ticker": rng.choice(["A", "B", "C"], n),
            "side": rng.choice(["buy", "sell"], n),
            "quantity": rng.integers(1, 30, n) / 10,
            "price": rng.integers(1, 30, n) / 10,
        }
    )


@pytest.mark.parametrize("fall", [0.0, 0.2])
def test_a_batch_of_trades_is_validate_to_the_bit(fall):
    held, state = PositionValues({"A": 3.0, "B": -2.5}), RiskState(RiskReading(fall, fall))
    trades = frame(400).set_index(pd.RangeIndex(7, 407))
    batch = validate_batch(trades, held, 10.0, 0.3, state=state, timestamp=5)
    for place, row in enumerate(trades.itertuples(index=False)):
        one = validate(row._asdict(), held, 10.0, 0.3, state=state, timestamp=5)
        assert batch.answer(place).to_dict() == {**one.to_dict(), "reason": batch.answer(place).reason}
        assert batch.answer(place).reason.split(" %")[0] == one.reason.split(" %")[0]
    assert 0 < batch.approved.sum() < len(batch)
    table = batch.to_frame()
    assert table.index.equals(trades.index) and (table.approved == (table.reason == "approved")).all()
    codes = trades.assign(
        side=trades.side.map({"buy": 1, "sell": -1}).astype(np.int8), ticker=trades.ticker.astype("category")
    )
    again = validate_batch(codes, held, 10.0, 0.3, state=state)
    np.testing.assert_array_equal(again.code, batch.code)


@pytest.mark.parametrize("by", ["returns", "volatility"])
@pytest.mark.parametrize("state", [None, RiskState(RiskReading(0.04, 0.05))])
def test_a_batch_with_the_var_of_each_trade_is_validate_to_the_bit(by, state):
    trades, held = frame(400, seed=3), PositionValues({"A": 3.0, "B": -2.5})
    moves = pd.DataFrame(np.random.default_rng(4).normal(0.001, 0.2, (57, 3)), columns=["A", "B", "C"])
    table = moves if by == "returns" else moves.std()
    options = {"state": state, "estimate": "var", "timestamp": 5}
    batch = validate_batch(trades, held, 10.0, 0.6, **options, **{by: table})
    reasons = set()
    for place, row in enumerate(trades.itertuples(index=False)):
        own = table[row.ticker].to_numpy() if by == "returns" else table[row.ticker]
        one = validate(row._asdict(), held, 10.0, 0.6, **options, **{by: own}).to_dict()
        found = batch.answer(place).to_dict()
        assert {**found, "reason": ""} == {**one, "reason": ""}
        assert found["reason"].split(" %")[0] == one["reason"].split(" %")[0]
        reasons.add(one["reason"].split()[0])
    assert len(reasons) >= 3 and "estimated" in reasons  # approved, too deep, and a ticker too large
    assert len(np.unique(batch.estimated_drawdown)) > 50 and "highest risk score" in repr(batch)
    as_dict = {name: table[name].to_numpy() for name in table} if by == "returns" else table.to_dict()
    again = validate_batch(trades, held, 10.0, 0.6, **options, **{by: as_dict})
    np.testing.assert_array_equal(again.estimated_drawdown, batch.estimated_drawdown)
    assert "highest risk score" in repr(validate_batch(trades.iloc[:0], held, 10.0, **options, **{by: table}))


def test_a_batch_at_the_limit_with_the_var_of_each_trade():
    trades = {"ticker": ["A"] * 3, "side": ["B"] * 3, "quantity": [1.0, 1.0, 1.0], "price": [4.0, 4.0 + 1e-15, 5.0]}
    for returns in ([-0.1] * 20, [-0.9] * 20):
        batch = validate_batch(trades, {}, 10.0, 0.4, 5.0, estimate="var", returns={"A": returns})
        one = [
            validate(
                {name: column[row] for name, column in trades.items()},
                {},
                10.0,
                0.4,
                5.0,
                estimate="var",
                returns=returns,
            )
            for row in range(3)
        ]
        assert [batch.answer(row).approved for row in range(3)] == [answer.approved for answer in one]
        assert batch.estimated_drawdown.tolist() == [answer.estimated_drawdown for answer in one]


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({}, "needs one of returns and volatility"),
        ({"volatility": {"A": 0.1}}, "volatility has no 'B'"),
        ({"volatility": {"A": 0.1, "B": 0.1, "C": -0.1}}, "volatility=-0.1 is negative"),
        ({"volatility": 0.1}, "volatility came as float; give them by ticker"),
        ({"returns": {"A": [0.1], "B": [np.nan], "C": [0.1]}}, "returns holds nan"),
        ({"volatility": {"A": 0.1}, "estimate": "guess"}, "estimate='guess' is not one of"),
    ],
)
def test_a_batch_says_what_it_lacks_for_the_var_of_each_trade(options, match):
    with pytest.raises(RequestError, match=match):
        validate_batch(frame(40), {}, 100.0, **{"estimate": "var", **options})


def test_a_batch_names_the_row_that_does_not_fit():
    trades = frame(5)
    for column, value, match in (
        ("price", -1.0, "row 3: price"),
        ("quantity", np.nan, "row 3: quantity"),
        ("side", "up", "side='up'"),
        ("side", None, "side"),
        ("ticker", None, "ticker"),
    ):
        bad = trades.astype({"side": object, "ticker": object})
        bad.loc[3, column] = value
        with pytest.raises(RequestError, match=match):
            validate_batch(bad, {}, 100.0)
    with pytest.raises(RequestError, match="row 0: value"):
        validate_batch(trades.assign(value=1e9), {}, 100.0)
    assert len(validate_batch(trades.assign(value=trades.quantity * trades.price), {}, 100.0)) == 5
    columns = {name: trades[name].to_numpy() for name in trades}
    for wrong in ({**columns, "price": [1.0]}, {**columns, "value": [1.0]}, [1.0], {**columns, "price": ["x"] * 5}):
        with pytest.raises(RequestError):
            validate_batch(wrong, {}, 100.0)
    with pytest.raises(RequestError, match="no column 'price'"):
        validate_batch(trades.drop(columns="price"), {}, 100.0)
    assert len(validate_batch(trades.iloc[:0], {}, 100.0)) == 0


def test_a_batch_of_portfolios_is_evaluate():
    rng = np.random.default_rng(1)
    positions = pd.DataFrame(rng.uniform(-50, 50, (20, 4)), columns=list("ABCD"), index=[f"p{i}" for i in range(20)])
    history = 100.0 * np.cumprod(1.0 + rng.normal(0, 0.02, (60, 20)), axis=0)
    values = history[-1] * 0.99
    table = evaluate_batch(positions, values, history, timestamp=9)
    for place, name in enumerate(positions.index):
        one = evaluate(positions.loc[name], float(values[place]), history[:, place], timestamp=9)
        assert table.loc[name].to_dict() == {key: getattr(one, key) for key in table.columns}
    assert 0 < table.approved.sum() < 20
    with pytest.raises(RequestError, match="portfolio_values"):
        evaluate_batch(positions, values[:3], history)


def test_answers_print_and_draw():
    answer = evaluate(HELD, 95_000.0, curve(0), state=RiskState())
    assert "drawdown" in repr(answer) and "<table>" in answer._repr_html_()
    assert "REJECTED: buy 999 AAPL" in repr(validate({**BUY, "quantity": 999}, HELD, 1e5))
    held = PositionValues(HELD)
    assert (held.largest, held.gross, len(held), list(held)) == ("AAPL", 35_000.0, 2, ["AAPL", "TLT"])
    assert held.to_frame().value.to_dict() == HELD and "TLT" in repr(held) and PositionValues({}).largest is None
    assert validate(BUY, HELD, 1e5).to_frame().approved.tolist() == [True]
    assert repr(RiskState()).startswith("RiskState") and "trades" in repr(validate_batch(frame(3), {}, 100.0))
    assert answer.to_frame().shape == (1, 9)
    assert len(answer.plot().patches) == 5
