"""Each task is done in at most five statements, and all that the users of `riskkit` asked for are there."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TASKS = {  # what a person wants, by role, and the test that does it
    "analyst": [
        "test_a_var_table_and_its_chart", "test_var_table_to_excel", "test_backtest_table_to_excel",
        "test_contributions_to_excel", "test_stress_table_to_excel", "test_a_daily_loss_limit_from_daily_pnl",
        "test_a_report_by_mail",
    ],
    "developer": [
        "test_two_exchange_files_through_three_limits", "test_why_was_one_order_refused",
        "test_a_sweep_of_one_limit_and_its_picture", "test_a_rule_of_ones_own", "test_a_report_to_send",
    ],
    "quant": [
        "test_a_portfolio_becomes_a_log_and_is_replayed", "test_signals_under_limits", "test_a_sweep_over_a_limit",
        "test_back_to_the_statistics_of_vectorbt",
    ],
}  # fmt: skip
LINES = 5
FUNCTIONS = {
    (role, node.name): node
    for role in TASKS
    for node in ast.parse((Path(__file__).parent / f"test_{role}.py").read_text(encoding="utf-8")).body
    if isinstance(node, ast.FunctionDef)
}


def lines_of(role: str, name: str) -> int:
    """Statements of a task without its checks; for a call of a helper, as of what reads the files, those of the helper."""
    body = [node for node in FUNCTIONS[role, name].body if not isinstance(node, ast.Assert)]
    nested = [node for part in body if isinstance(part, ast.FunctionDef) for node in part.body]
    called = {node.id for part in body for node in ast.walk(part) if isinstance(node, ast.Name)}
    helpers = [other for other in called if (role, other) in FUNCTIONS and other != "limits"]  # these are given
    return len(body) + len(nested) + sum(lines_of(role, other) - 1 for other in helpers)


def test_the_sixteen_tasks_are_there():
    assert sum(map(len, TASKS.values())) == 16
    assert {(role, name) for role, names in TASKS.items() for name in names} <= FUNCTIONS.keys()


@pytest.mark.parametrize(("role", "name"), [one for one in FUNCTIONS if one[1].startswith("test_")])
def test_a_task_has_at_most_five_lines(role, name):
    assert lines_of(role, name) <= LINES
