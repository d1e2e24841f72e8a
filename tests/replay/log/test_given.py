"""What is given where a log is needed: the call that was meant."""

import inspect

import numpy as np
import pandas as pd
import pytest

import riskkit as rk
from riskkit.replay.log.tiny_log import tiny_log
from riskkit.rules import MaxOrderQty

RULES = rk.RuleSet([rk.Rule("size", MaxOrderQty(limit=4))])
PNL = pd.Series([10.0, -4.0, 2.0], pd.bdate_range("2024-01-01", periods=3))
OF_A_LOG = [
    rk.calibrate,
    rk.compare,
    rk.replay_log,
    rk.sweep,
    rk.utilization,
    rk.incidents.detection,
    rk.incidents.inject,
    rk.incidents.stop_report,
    rk.presets.compare_presets,
    rk.replay.early_warnings,
    rk.sweeps.propose_limits,
    rk.sweeps.threshold_panel,
]


@pytest.mark.parametrize("function", OF_A_LOG, ids=lambda function: function.__name__)
@pytest.mark.parametrize("pnl", [PNL, PNL.to_numpy(), PNL.tolist()], ids=["series", "array", "list"])
def test_profit_alone_is_sent_to_the_loss_limit_even_without_the_other_arguments(function, pnl):
    with pytest.raises(rk.InputError, match=r"of numbers, which holds no orders; .*calibrate_loss_limit\(pnl, rng="):
        function(pnl)
    with pytest.raises(rk.InputError, match="calibrate_loss_limit"):
        function(pnl, *[{}] * (_needed(function) - 1), **_keywords(function))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("orders.csv", r"read the file first: riskkit\.read_log\('orders\.csv'\)"),
        (pd.DataFrame({"ts": [1]}), r"log is a DataFrame; a table .*EventLog\.from_frame"),
        (RULES, "log is a RuleSet; give an EventLog"),
        ({"limit": 1.0}, "log is a dict; give an EventLog"),
        (["a", "b"], "log is a list; give an EventLog"),
        (None, "log is a NoneType; give an EventLog"),
        (np.zeros((2, 2)), "log is a ndarray; give an EventLog"),
    ],
    ids=["path", "frame", "rules", "dict", "texts", "nothing", "table"],
)
@pytest.mark.parametrize("function", [rk.replay_log, rk.calibrate, rk.compare], ids=lambda function: function.__name__)
def test_what_is_no_log_is_named_with_the_call_that_makes_one(function, given, says):
    with pytest.raises(rk.InputError, match=says):
        function(given)
    with pytest.raises(rk.InputError, match=says):
        function(log=given, rules=RULES)


def test_a_log_without_rules_is_still_told_what_lacks():
    with pytest.raises(rk.InputError, match="^replay_log needs rules, as in "):
        rk.replay_log(tiny_log())


def _needed(function):
    kinds = inspect.signature(function).parameters.values()
    return sum(kind.default is kind.empty and kind.kind is kind.POSITIONAL_OR_KEYWORD for kind in kinds)


def _keywords(function):
    kinds = inspect.signature(function).parameters
    return {name: None for name, kind in kinds.items() if kind.default is kind.empty and kind.kind is kind.KEYWORD_ONLY}
