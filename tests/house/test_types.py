"""What an editor and a type checker know of the public names: mypy on the file of a user."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

USER = """
import riskkit as rk

returns = [0.01, -0.02, 0.015]
log = rk.read_log("orders.csv")
rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=5))])
result = rk.replay_log(log, rules)
estimate = rk.value_at_risk(returns, 0.99)
reveal_type(log)
reveal_type(rules)
reveal_type(result)
reveal_type(estimate)
reveal_type(estimate.var)
reveal_type(rk.var.historical(returns, 0.99))
reveal_type(rk.compare(log, rules))
reveal_type(rk.sweep(log, rules, {"size.limit": [1, 2]}))
reveal_type(rk.backtest_var(returns, returns, confidence=0.99))
reveal_type(rk.simple_returns([100.0, 101.0]))
rk.valu_at_risk(returns)
rk.rules.PositionLimit(limmit=3)
rk.value_at_risk(returns, method="historic")
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    pytest.importorskip("mypy", reason="mypy is not installed; it comes with the group 'lint'")
    folder = tmp_path_factory.mktemp("user")
    (folder / "user.py").write_text(USER, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--config-file=",
        "--ignore-missing-imports",
        "--follow-imports=silent",
        f"--cache-dir={ROOT / '.mypy_cache' / 'user'}",
        "user.py",
    ]
    env = {**os.environ, "MYPYPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False).stdout


@pytest.mark.xdist_group("types")
def test_the_commonest_calls_have_types(said):
    revealed = re.findall(r'Revealed type is "(.*)"', said)
    assert len(revealed) == 10
    assert not [kind for kind in revealed if kind == "Any" or kind.startswith("Union[Any")]


@pytest.mark.xdist_group("types")
def test_a_typing_error_is_found(said):
    assert 'Module has no attribute "valu_at_risk"' in said
    assert 'Unexpected keyword argument "limmit"' in said
    assert "'historic'" in said  # not one of the literals of `method`
