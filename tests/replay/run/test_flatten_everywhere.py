"""Flattening in comparisons, sweeps, calibrations, attribution and on the command line: what the replay did."""

from __future__ import annotations

import numpy as np
import pytest
from flattening import EVEN, LOSS, RUNAWAY, SECOND, flat, log_of, rules, stream

from riskkit import InputError
from riskkit.__main__ import main
from riskkit.replay.results.booked import recorded_rows
from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.compare import compare
from riskkit.replay.run.replay_log import replay_log
from riskkit.replay.sweeps.calibration.calibrate import calibrate
from riskkit.replay.sweeps.many.days import days_of
from riskkit.replay.sweeps.many.sweep import sweep
from riskkit.replay.sweeps.rule_value.effectiveness import effectiveness
from riskkit.rules import MaxOrderQty

PACES = ("touch", 0.3, EVEN)
FLAT = {"on_trip": "flatten", "compiled": False}


@pytest.mark.parametrize(("seed", "pace"), list(enumerate(PACES)), ids=("touch", "volume", "schedule"))
def test_a_comparison_and_a_sweep_have_the_replay_that_flattens(seed, pace):
    log = log_of(stream(seed))
    alone = flat(log, rules(), pace)
    compared = compare(log, rules(), flatten=pace, **FLAT)
    assert compared.enforce.digest == alone.digest and compared.enforce.flattening.fills.equals(alone.flattening.fills)
    refused = compared.accounts()["refused"]["enforce"]
    orders = log.columns["account"][recorded_rows(alone, alone.rejections()["seq"])]
    assert refused.tolist() == np.bincount(orders, minlength=len(refused)).tolist()
    swept = sweep(log, rules(), {"size.limit": [3, 6]}, flatten=pace, digests=True, **FLAT).frame
    assert swept["digest"].tolist() == [flat(log, rules(limit), pace).digest for limit in (3, 6)]
    assert swept["profit"].iloc[1] == pytest.approx(float(alone.accounts()["profit"].sum()))


def test_rejections_and_trips_count_on_the_day_of_their_message_in_the_record():
    hour, spread = 3600 * SECOND, enumerate(stream(3, turns=90))
    log, chosen = log_of([{**event, "ts": event["ts"] + n * hour} for n, event in spread]), rules(hold=24 * hour)
    found = calibrate(log, chosen, {"size.limit": [6]}, resamples=0, rng=None, **FLAT)
    alone = flat(log, chosen)
    assert alone.log is not log  # it has closings, so that rows differ
    own = days_of(alone.log, found.day)
    by_day = np.bincount(own.of_row[alone.rejections()["seq"]], minlength=len(own.starts))
    assert found.by_day()["orders_rejected"].tolist() == by_day.tolist()
    assert found.comparison.enforce.digest == alone.digest


def test_a_rule_that_is_off_flattens_nothing_and_the_shares_add_up():
    log = log_of(stream(5, turns=120))
    chosen = RuleSet([*rules(6), Rule("large", MaxOrderQty(limit=4), action="PAUSE", scope="account_instrument")])
    found = effectiveness(replay_log(log, chosen, **FLAT), compiled=False)
    frame = found.frame
    without = float(replay_log(log, RuleSet([]), compiled=False).accounts()["profit"].sum())
    for rule in chosen:
        alone = flat(log, RuleSet([rule]))
        assert frame.loc[rule.id, "alone_profit_change"] == pytest.approx(
            float(alone.accounts()["profit"].sum()) - without
        )
    together = float(flat(log, chosen).accounts()["profit"].sum()) - without
    assert frame["shapley_profit_change"].sum() == pytest.approx(together)


def test_the_command_line_flattens(tmp_path, capsys):
    path, limits = tmp_path / "log.parquet", tmp_path / "limits.toml"
    RUNAWAY.to_parquet(path)
    limits.write_text('[[rules]]\nid = "loss"\ntype = "daily_loss"\naction = "PAUSE"\nparams = {limit = 10000}\n')
    options = ["--mode", "enforce", "--plain", "--on-trip", "flatten"]
    assert main(["replay", str(path), str(limits), *options, "--flatten", "1e-9"]) == 0
    assert main(["replay", str(path), str(limits), *options, "--flatten", "often"]) != 0
    assert "flatten='often' is not 'touch'" in capsys.readouterr().err


def test_windows_with_fresh_state_refuse_it():
    with pytest.raises(
        InputError, match="state='fresh' begins windows in the middle of the log, where on_trip='flatten'"
    ):
        calibrate(RUNAWAY, LOSS, {"loss.limit": [10]}, resamples=0, state="fresh", **FLAT)
