"""Presets decide as their sources do: on the scenarios that were taken from them, and side by side on the tape."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import scenario_runner as runner

from riskkit import presets
from riskkit._check import InputError
from riskkit.datasets import load_tape
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.log.floorsheet import log_from_trades
from riskkit.replay.log.tiny_log import tiny_log
from riskkit.replay.run.replay_log import replay_log

FOLDER = Path(__file__).parents[1] / "scenarios"
TAPE = [492, 177, 31, 36]  # refused by nautilus, by stocksharp, by both, and the first event on which they part
MINUTES_5 = {"candle": "5min"}
TAKEN = {
    "nt01-rate-101-same-timestamp": presets.nautilus(),
    "nt02-rate-resumes-exactly-at-window-edge": presets.nautilus(submit=5),
    "nt06-halted-denies-new-lets-cancel": presets.nautilus(),
    "nt07-reducing-blocks-adding": presets.nautilus(),
    "nt11-min-notional-exempt-reduce-only": presets.nautilus(min_notional="100"),
    "nt12-precision-negative-zero-price": presets.nautilus(),
    "in01-infinium-6767-orders-3s": presets.nautilus(),
    "fq01-stoploss-guard-global": presets.freqtrade(
        **MINUTES_5, protections=["stoploss_guard"], guard_lookback=12, guard_limit=3, guard_stop=8
    ),
    "fq03-cooldown": presets.freqtrade(**MINUTES_5, protections=["cooldown"], cooldown_stop=12, round_up=False),
    "fq06-max-drawdown-trades": presets.freqtrade(
        **MINUTES_5,
        protections=["max_drawdown"],
        drawdown_lookback=200,
        drawdown_limit=3,
        drawdown="0.15",
        drawdown_stop=12,
        round_up=False,
    ),
    "pb01-banding-of-the-aggressive-side": presets.cme_prices(limit=None),
    "pb02-percent-price-of-the-mean": presets.binance_filters(up=5, down="0.2", smallest=None, largest=None),
    "rg01-cme-3s-reject-and-logout": presets.cme(),
    "rg02-rts6-15-3-repeated-execution": presets.rts6(executions=3, collar="1"),
    "rg04-price-collar": presets.rts6(collar="0.05"),
    "rg05-position-limit-same-side-open": presets.paradex(),
    "rg06-market-maker-protection": presets.deribit(),
    "mm01-net-delta-from-the-first-trade": presets.deribit(quantity=None, delta=10),
    "mg01-reg-t-initial-and-maintenance": presets.reg_t(),
    "mg03-rate-grows-with-size": presets.deribit_margin(),
    "mg04-bracket-maintenance": presets.binance_margin(),
    "mg08-deribit-maintenance-on-the-way": presets.deribit_margin(initial=None),
    "sc01-market-access": presets.sec_15c3_5(credit=1000, capital=1500, value=800, collar="0.1"),
    "vn01-duplicate-order": presets.vnpy(),
    "vn02-active-order-cap": presets.vnpy(active=2),
    "zp01-max-order-count-day-reset": presets.zipline(),
    "rq01-self-trade": presets.rqalpha(),
    "fq07-max-drawdown-of-the-equity": presets.freqtrade(
        candle="1h",
        protections=["max_drawdown"],
        calculation="equity",
        drawdown_lookback=24,
        drawdown_limit=1,
        drawdown_stop=1,
        drawdown="0.1",
        round_up=False,
    ),
    "ln01-trailing-drawdown-strict": presets.lean(),
    "cb01-consecutive-errors-reset-on-success": presets.gobreaker(),
    "mk15-velocity-sends-to-an-auction": presets.eurex(move=1, window=100, auction=5),
    "ec01-cash-hold-boundary": presets.exchange_core(),
}


def by_type(decisions, rules):
    """Decisions with the type of the named rule, since a preset has ids of its own."""
    types = {rule.id: rule.type for rule in rules}
    return {number: (word, types.get(rule, rule)) for number, (word, rule) in decisions.items()}


@pytest.mark.parametrize("name", TAKEN)
def test_a_preset_decides_the_scenario_of_its_source(name):
    scenario = runner.read(FOLDER / f"{name}.json")
    log, numbers = runner.log_of(scenario)
    result = replay_log(log, TAKEN[name], scenario.get("mode", "shadow"), compiled=False)
    found = by_type(runner.outcome_of(scenario, result, numbers).decisions, TAKEN[name])
    assert found == by_type(runner.expected(scenario).decisions, runner.rules_of(scenario))


def test_on_the_tape_presets_part_and_the_frame_says_why():
    log = log_from_trades(load_tape(defects="drop").iloc[:2_500], symbol="symbol", about={"kind": "simulated"})
    chosen = {"nautilus": presets.nautilus(submit=10), "stocksharp": presets.stocksharp(orders=10)}
    frame = presets.compare_presets(log, chosen, compiled=False)
    row = frame.loc[0]
    assert row["rejected_first"] == row["both"] + row["only_first"]
    assert row["rejected_second"] == row["both"] + row["only_second"]
    assert row[["rejected_first", "rejected_second", "both", "first_difference"]].to_list() == TAPE
    assert "is rejected by stocksharp (order_frequency: fewer than 10 messages" in row["why"]
    assert "passes nautilus (submit_rate: at most 10 messages" in row["why"]
    each = frame.attrs["presets"]
    assert each.loc["stocksharp", "first_rule"] == "order_frequency"


def test_every_preset_reads_as_sentences():
    makers = [getattr(presets, name) for name in presets.__all__ if name != "compare_presets"]
    for make in makers:
        assert str(make()).startswith("1. ")


def test_a_market_order_without_price_passes_where_nautilus_lets_it():
    scenario = runner.read(FOLDER / "nt10-no-price-fail-open-vs-closed.json")
    log, numbers = runner.log_of(scenario)
    result = replay_log(log, presets.nautilus(max_notional="1000"), compiled=False)
    assert runner.outcome_of(scenario, result, numbers).decisions == {1: ("ALLOW", None), 3: ("ALLOW", None)}


def test_one_rule_set_or_none_is_refused():
    log = tiny_log([1])
    with pytest.raises(InputError, match="fewer than two"):
        presets.compare_presets(log, {"one": presets.cme()})
    with pytest.raises(InputError, match="is not a RuleSet"):
        presets.compare_presets(log, {"one": presets.cme(), "two": 3})


def answers(*words):
    """The decisions on the orders of a stream of (seconds, kind) pairs under gobreaker's default."""
    rows = [{"ts": round(at * 10**9), "kind": kind, "account": "A"} for at, kind in words]
    message = {"instrument": "X", "side": "B", "qty": 1, "price": 10}
    frame = pd.DataFrame([row | (message if row["kind"] == "order" else {}) for row in rows])
    result = replay_log(EventLog.from_frame(frame, unit="ns"), presets.gobreaker(), compiled=False)
    refused = set(result.rejections()["seq"])
    return [seq not in refused for seq, (_, kind) in enumerate(words) if kind == "order"]


SIX = tuple((0, "error") for _ in range(6))
PROBE = (61, "order")


def test_gobreaker_opens_anew_at_the_error_of_its_probe():
    """More than five failures open it for a minute; half-open, one order passes, and its failure opens it anew."""
    assert answers(*SIX, (1, "order"), PROBE, (61, "error"), (61, "order"), (120, "order"), (121, "order")) == [
        False, True, False, False, True,
    ]  # fmt: skip


def test_gobreaker_closes_at_the_success_of_its_probe_and_forgets_the_failures():
    assert answers(*SIX, PROBE, PROBE, (61, "ack"), *[(62, "error")] * 5, (62, "order")) == [True, False, True]


def test_gobreaker_is_half_open_at_exactly_the_end_of_its_minute():
    assert answers(*SIX, (60 - 1e-9, "order"), (60, "order"), (60, "order")) == [False, True, False]
