"""Every command: its help, its options, and that no command waits for what it does not use."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pandas as pd
import pytest
from commands import COMMANDS, LOG, RULES

from riskkit.cli import command_line, main, of_log

ROOT = Path(command_line.callback.__code__.co_filename).parents[1]


ENDLESS = {("consume",), ("serve",)}  # run until they are stopped, and tell their start and their end


def test_every_file_of_a_command_is_one():
    files = {path.stem for path in (ROOT / "cli/commands").glob("*.py")} - {"__init__"}
    assert files == set(command_line.commands) and len(files) >= 7


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_has_a_help_json_and_a_line_on_each_option(words, capsys):
    assert main([*words, "--help"]) == 0
    text = capsys.readouterr().out
    assert "--json" in text
    options = [one for one in COMMANDS[words].params if isinstance(one, click.Option)]
    assert all(option.help for option in options)
    if any(one.name in ("prices", "files") for one in COMMANDS[words].params):
        assert "PRICES is" in text or ("LOG is" in text and "[[rules]]" in text)


CALLS = {  # of each command that has an answer; of the two that would take long, the work is left out
    ("risk",): "prices.csv --weights 0.6,0.4",
    ("backtest",): "prices.csv --weights 0.6,0.4 --window 200",
    ("replay",): "log.csv rules.toml --plain --mode enforce",
    ("explain",): "log.csv rules.toml --plain --order a1",
    ("report", "risk"): "prices.csv --weights 0.6,0.4 --window 200 --out sheet.html",
    ("report", "limits"): "log.csv rules.toml --plain --out limits.html",
    ("warm",): "",
    ("demo",): "--out demo",
}
NUMBER = re.compile(r"(?<![\w.:-])-?\d[\d,]*\.?\d*(?:e-?\d+)?(?![\w:])")


def numbers_of(value) -> set[str]:
    """Numbers of plain data, and those in its texts, to three digits."""
    if isinstance(value, dict | list):
        return set().union(
            *map(numbers_of, value.values() if isinstance(value, dict) else value), *map(numbers_of, value)
        )
    if isinstance(value, str):
        return {f"{float(found.replace(',', '')):.3g}" for found in NUMBER.findall(value)}
    return set() if value is None else {f"{float(value):.3g}"}


@pytest.mark.parametrize(
    "command",
    [
        ["risk", "missing.csv"], ["backtest", "missing.csv"], ["replay", "missing.csv", "missing.toml"], ["warm", "missing.toml"],
        ["serve", "missing.toml", "--state", "state", "--port", "0"],
        ["consume", "missing.toml", "--units", "missing.toml", "--state", "state", "--brokers", "127.0.0.1:1"],
    ],
    ids=lambda command: command[0],
)  # fmt: skip
def test_with_json_what_goes_wrong_is_an_object_too(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code = main([*command, "--json"])
    said = capsys.readouterr()
    problem = json.loads(said.out)
    assert code in (1, 2) and problem.keys() == {"error", "message"}
    assert problem["message"] and problem["message"] in said.err


@pytest.mark.parametrize("words", sorted(COMMANDS.keys() - ENDLESS), ids=" ".join)
def test_json_of_every_command_has_the_numbers_of_its_text(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    moves = np.random.default_rng(3).normal(0.0, 0.01, (300, 2)).cumsum(axis=0)
    days = pd.bdate_range("2023-01-02", periods=300, name="date")
    pd.DataFrame(100 * np.exp(moves), index=days, columns=["A", "B"]).to_csv("prices.csv")
    Path("log.csv").write_text(LOG)
    Path("rules.toml").write_text(RULES)
    monkeypatch.setattr("riskkit.replay.live.warm.warm", lambda: "3 loops in 2.5 s")
    monkeypatch.setattr("riskkit.demo.run", lambda out, say: say("2 logs of 1,500 events") or [Path(out, "a.html")])
    monkeypatch.setattr("riskkit.report.tear_sheet", lambda returns, out, **options: out)
    call = [*words, *CALLS[words].split()]
    assert main(call) == 0
    text = capsys.readouterr().out
    assert main([*call, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found and numbers_of(text) <= numbers_of(found), numbers_of(text) - numbers_of(found)


def test_the_options_of_a_log_stand_once_and_are_on_every_command_that_reads_one():
    readers = [command for command in COMMANDS.values() if any(one.name == "files" for one in command.params)]
    assert len(readers) >= 3
    for command in readers:
        assert set(of_log.OPTIONS) <= {one.name for one in command.params}
    texts = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "cli").rglob("*.py"))
    for name in ("--tz", "--unit", "--order-ids", "--separator", "--orphans"):
        assert texts.count(f'"{name}"') == 1, name


def test_click_is_of_the_command_line_alone():
    importing = {
        path.relative_to(ROOT).parts[0]
        for path in ROOT.rglob("*.py")
        if re.search(r"^\s*(import|from) click\b", path.read_text(encoding="utf-8"), re.M)
    }
    assert importing == {"cli"}


def test_a_help_loads_nothing_heavy():
    program = (
        "import sys; from riskkit.cli import main; main(['replay', '--help']); "
        "print([name for name in ('pandas', 'numba', 'scipy', 'matplotlib', 'pyarrow') if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert shown.stdout.splitlines()[-1] == "[]"


def test_the_version_is_that_of_the_package(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("riskkit, version ")


def test_what_is_stopped_at_the_keyboard_says_so(monkeypatch, capsys):
    def stopped():
        raise KeyboardInterrupt

    monkeypatch.setattr("riskkit.replay.live.warm.warm", stopped)
    assert main(["warm"]) == 130
    assert capsys.readouterr().err.strip() == "riskkit: stopped"
