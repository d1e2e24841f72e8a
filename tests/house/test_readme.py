"""README.md tells the truth: its Python runs, on a person's own tables too, and its commands and links are there."""

import inspect
import re
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import riskkit as rk
from riskkit import presets, var_backtest
from riskkit.replay.rules.rule import rule_types
from riskkit.var.methods import METHODS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
SERVED = "127.0.0.1:8300"  # clients of a service, run by tests/service/test_clients.py
BLOCKS = [block for block in re.findall(r"```python\n(.*?)```", TEXT, re.S) if SERVED not in block]
SHOWN = re.findall(r"```python\n([^`]*)```\n\n```text\n([^`]*)```", TEXT)
(ORDERS,) = re.findall(r"```csv\n(.*?)```", TEXT, re.S)


@pytest.fixture
def tables(tmp_path, monkeypatch):
    """A folder with a table of prices and one of orders, as a person has them."""
    moves = np.random.default_rng(1).normal(0.0004, 0.01, (500, 3))
    days = pd.bdate_range("2023-01-02", periods=500, name="date")
    prices = pd.DataFrame(100 * np.exp(moves.cumsum(axis=0)), index=days, columns=["AAPL", "KO", "XOM"]).round(2)
    prices.to_csv(tmp_path / "prices.csv")
    (tmp_path / "orders.csv").write_text(ORDERS)
    monkeypatch.chdir(tmp_path)
    return prices


def run(block: str) -> dict:
    names: dict = {}
    exec(compile(block, "README.md", "exec"), names)
    return names


def block_with(text: str) -> str:
    (block,) = [block for block in BLOCKS if text in block]
    return block


@pytest.mark.parametrize("block", BLOCKS, ids=[block.splitlines()[-1] for block in BLOCKS])
def test_the_examples_are_short_run_and_print(block, tables, capsys):
    assert len(block.splitlines()) < 15
    run(block)
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize(("block", "text"), SHOWN, ids=[text.split()[0] for _, text in SHOWN])
def test_an_example_prints_what_is_shown_below_it(block, text, tables, capsys):
    run(block)
    assert capsys.readouterr().out == text


def test_the_table_counts_methods_and_tests():
    """A backtest has returns or hits in, or their number, and a result or a zone out; those of ES take the ES or the shortfall."""
    assert len(METHODS) == 7 and "| seven, with intervals; expectiles" in TEXT
    kinds = {"TestResult", "TrafficLight", "EProcess"}
    found = [name for name in var_backtest.__all__ if returned(getattr(var_backtest, name)) in kinds]
    tests = [name for name in found if name != "diebold_mariano"]  # compares two forecasts
    of_es = [name for name in tests if {"es", "pit"} & inspect.signature(getattr(var_backtest, name)).parameters.keys()]
    assert (len(tests) - len(of_es), len(of_es)) == (13, 11)
    assert "| thirteen tests, exact" in TEXT and "| backtests of ES | eleven tests |" in TEXT
    engines = [name for name in presets.__all__ if returned(getattr(presets, name)) == "RuleSet"]
    assert len(engines) == 22 and "rules of twenty-two other engines" in TEXT


def returned(public: object) -> str:
    """Name of the class that a public function returns; empty for another thing."""
    return str(inspect.signature(public).return_annotation) if inspect.isfunction(public) else ""


def test_two_examples_are_shown_with_their_output_and_the_table_counts_the_rules():
    assert len(SHOWN) == 2
    catalogue = [kind for kind in rule_types() if not kind.source_hash]
    assert f"| {len(catalogue)} rule types |" in TEXT


def test_a_person_computes_the_var_of_a_table_of_prices(tables):
    names = run(block_with("prices.csv"))
    returns = tables.pct_change().dropna() @ [0.5, 0.3, 0.2]
    np.testing.assert_allclose(names["book"], returns, rtol=1e-12)
    assert rk.var.historical(names["book"], 0.99).var == pytest.approx(np.sort(-returns)[-5], rel=1e-12)


def test_a_person_replays_a_table_of_orders(tables):
    result = run(block_with("orders.csv"))["result"]
    assert result.rejections()["seq"].tolist() == [2] and result.mode == "enforce"


def test_what_is_installed_is_this_version_with_an_extra_that_there_is():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (wheel,) = re.findall(r"pip install (riskkit-\S+\.whl)`", TEXT)
    assert wheel == f"{project['name']}-{project['version']}-py3-none-any.whl"
    (extras,) = re.findall(r"^pip install '\.\[(.*)\]'$", TEXT, re.M)
    assert set(extras.split(",")) <= set(project["optional-dependencies"])


def test_the_default_treatment_of_orphans_is_the_one_named(tables):
    (named,) = re.findall(r'`orphans="(\w+)"`, the default', TEXT)
    assert run(block_with("orders.csv"))["result"].options["orphans"] == named


def test_the_commands_are_in_the_makefile():
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    named = {a or b for a, b in re.findall(r"^make (\w+)|`make (\w+)`", TEXT, re.M)}
    assert named and named <= targets


def test_what_it_links_to_is_there():
    named = re.findall(r"\]\(([\w/.]+)\)", TEXT)
    assert "notebooks/pictures/readme.png" in named and all((ROOT / name).exists() for name in named)
