"""Importing stays cheap: what is heavy is imported when it is used, whatever module of riskkit is imported."""

import json
import subprocess
import sys

import pytest

LATE = [
    "arch", "dask", "duckdb", "ipywidgets", "IPython", "joblib", "matplotlib", "numba", "psycopg", "redis", "scipy",
    "sklearn", "smtplib", "tqdm", "vectorbt", "voila",
]  # fmt: skip
WITHOUT_PANDAS = ["riskkit", "riskkit.var_backtest"]
PROGRAM = f"""
import importlib, json, pkgutil, sys
def loaded():
    return [name for name in {[*LATE, "pandas", "pyarrow"]} if name in sys.modules]
found = {{}}
for name in {WITHOUT_PANDAS}:
    importlib.import_module(name)
    found[name] = loaded()
import riskkit
names = [module.name for module in pkgutil.walk_packages(riskkit.__path__, "riskkit.")]
for name in names:
    importlib.import_module(name)
found["everything"] = loaded()
import numpy
returns = numpy.random.default_rng(0).normal(0.0, 0.01, (300, 3))
for method in ("historical", "age_weighted", "normal"):
    riskkit.value_at_risk(returns, [0.95, 0.99], method)
    riskkit.rolling_var(returns, 250, 0.99, method) if method != "normal" else None
found["after a VaR"] = loaded()
from riskkit import Rule, RuleSet, rules
from riskkit.replay.log.tiny_log import tiny_log
set_of = RuleSet([Rule("active", rules.MaxActiveOrders(limit=9)), Rule("loss", rules.DailyLoss(limit=9))])
for mode in ("shadow", "enforce"):
    repr(riskkit.replay_log(tiny_log(), set_of, mode))
print(json.dumps({{**found, "after a replay": loaded(), "modules": len(names)}}))
"""


@pytest.fixture(scope="module")
def found():
    """The heavy modules that are loaded after each step, all in one new process."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", WITHOUT_PANDAS)
def test_nothing_heavy_is_loaded_not_even_pandas(found, name):
    assert found[name] == []


def test_no_module_loads_at_import_what_it_needs_later(found):
    assert found["modules"] > 200
    assert found["everything"] == ["pandas", "pyarrow"]


def test_a_first_var_waits_for_no_compiler(found):
    assert "numba" not in found["after a VaR"] and "numba" not in found["after a replay"]
