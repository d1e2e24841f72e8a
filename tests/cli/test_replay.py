"""``riskkit replay`` and the command line as a whole: what it prints, what it writes, and its exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from unittest.mock import Mock

import pytest
from replay.log.test_files import ROWS, UNITS

from riskkit.__main__ import main

RULES = """\
[[rules]]
id = "daily-loss"
type = "daily_loss"
action = "PAUSE"
[rules.params]
limit = 3
"""
MORE = """\
2024-03-05 14:32:00,order,desk-1,ESH4,B,2,5098.00,a2
2024-03-05 14:32:00,fill,desk-1,ESH4,B,2,5098.00,a2
2024-03-05 15:31:00,price,,ESH4,,,5090.00,
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "orders.csv").write_text(ROWS + MORE)
    (tmp_path / "limits.toml").write_text(RULES)
    return tmp_path


def replay(*more: str) -> int:
    return main(["replay", "orders.csv", "limits.toml", "--plain", *more])


def test_a_table_goes_through_limits_in_one_command(folder, capsys):
    assert replay() == 0
    shown = capsys.readouterr()
    assert "1. daily-loss: a loss (realised and unrealised) of less than 3" in shown.out
    assert "without limits" in shown.out and "shadow" in shown.out and "enforce" not in shown.out.split("Data:")[0]
    assert "Data: not declared as real" in shown.out
    assert shown.err == ""


@pytest.mark.lengthy
def test_enforce_writes_a_report_and_says_where(folder, capsys):
    assert replay("--mode", "enforce", "--report", "out/report.html", "--kind", "synthetic", "--sample", "1min") == 0
    shown = capsys.readouterr().out
    assert "Report: out/report.html" in shown and "Data: synthetic." in shown
    page = (folder / "out/report.html").read_text(encoding="utf-8")
    assert "<!DOCTYPE html>" in page and "orders.csv" in page and "sampled every 1 min" in page


def test_both_modes_and_units(folder, capsys):
    (folder / "units.toml").write_text(UNITS)
    assert replay("--mode", "both", "--units", "units.toml", "--orphans", "drop", "--on-trip", "cancel_working") == 0
    shown = capsys.readouterr().out
    assert "shadow" in shown and "enforce" in shown
    assert "-1,810" in shown  # 2 lots of 50 USD a point, from 5100.10 to 5090 and from 5098 to 5090


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["replay", "nothing.csv", "limits.toml"], "'nothing.csv' does not exist"),
        (["replay", "orders.csv", "nothing.toml"], "rule file 'nothing.toml' cannot be read"),
        (["replay", "limits.toml", "limits.toml"], "limits.toml is of no type that is read: .csv, .tsv"),
        (["replay", "orders.csv", "limits.toml", "--sample", "5x"], "--sample='5x' is not a duration"),
        (["replay", "orders.csv", "limits.toml", "--tz", "Mars/Olympus"], "tz='Mars/Olympus' is not a time zone"),
        (["replay", "orders.csv", "limits.toml", "--units", "limits.toml"], "key 'rules' is not known"),
    ],
)
def test_bad_input_is_one_sentence_and_code_2(folder, capsys, arguments, sentence):
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith("riskkit: ") and sentence in shown.err
    assert shown.err.count("\n") == 1 and "Traceback" not in shown.err
    assert shown.out == ""


def test_a_bad_rule_is_one_sentence_and_code_2(folder, capsys):
    (folder / "limits.toml").write_text(RULES.replace("limit = 3", "limti = 3"))
    assert main(["replay", "orders.csv", "limits.toml"]) == 2
    assert "did you mean 'limit'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["replay"], "Missing argument 'RULES'"),
        (
            ["replay", "log.csv"],
            "there is no log, and 'log.csv' is taken for its rules: give the files of the log first",
        ),
        (["replay", "a", "b", "--mode", "live"], "'live' is not one of 'shadow', 'enforce', 'both'"),
        (["replya"], "No such command 'replya'"),
        (["replay", "a", "b", "--raport", "c"], "--report"),
        (["replay", "a", "b", "--columns", "qty"], "'qty' is not HEADING=COLUMN"),
        (["demo", "now"], "unexpected extra argument (now)"),
    ],
)
def test_bad_arguments_are_one_sentence_and_code_2(arguments, sentence, capsys):
    assert main(arguments) == 2
    assert sentence in capsys.readouterr().err.splitlines()[-1]


def test_no_command_shows_the_help_and_is_code_2(capsys):
    assert main([]) == 2
    assert "riskkit demo" in capsys.readouterr().err


def test_orders_and_fills_may_lie_in_files_of_their_own(folder, capsys):
    (folder / "mine.csv").write_text(
        "Order ID,Time,Symbol,Side,Quantity,Limit Price\na1,2024-03-05 14:30:00,ESH4,Buy,2,5100\n"
    )
    (folder / "fills.csv").write_text(
        "Order ID,Time,Symbol,Side,Quantity,Price\na1,2024-03-05 14:30:01,ESH4,Buy,2,5100\n"
    )
    assert main(["replay", "mine.csv", "fills.csv", "limits.toml", "--plain", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["results"]["shadow"]
    assert (found["orders"], found["profit"]) == (1, 0.0)


@pytest.mark.lengthy
def test_as_json_it_prints_one_object_of_the_same_facts(folder, capsys):
    assert replay("--mode", "both", "--json", "--report", "r.html") == 0
    shown = capsys.readouterr()
    found = json.loads(shown.out)
    assert shown.err == "" and found["report"] == "r.html"
    assert sorted(found["results"]) == ["enforce", "shadow", "without limits"]
    assert found["results"]["shadow"]["orders"] == 2 and found["rules"][0].startswith("daily-loss: ")
    assert {"measure": "orders", "without limits": 2, "shadow": 2, "enforce": 2, "unit": ""} in found["measures"]


def test_a_report_where_no_folder_can_be_is_refused(folder, capsys):
    (folder / "out").write_text("a file where a folder should be")
    assert replay("--report", "out/report.html") == 2
    assert capsys.readouterr().err == "riskkit: folder 'out' cannot be made: File exists\n"


def test_a_run_that_fails_is_code_1(folder, capsys, monkeypatch):
    monkeypatch.setattr("riskkit.cli.commands.replay.make_folder", Mock(side_effect=OSError("the disk is gone")))
    assert replay("--report", "out/report.html") == 1
    assert capsys.readouterr().err == "riskkit: the run failed: the disk is gone\n"


def test_without_vectorbt_the_demo_says_what_to_install(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, "vectorbt", None)
    monkeypatch.chdir(tmp_path)
    assert main(["demo"]) == 2
    shown = capsys.readouterr()
    assert "pip install 'riskkit[notebooks]'" in shown.err and shown.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_it_runs_as_a_module_and_helps(tmp_path):
    shown = subprocess.run(
        [sys.executable, "-m", "riskkit", "replay", "--help"], capture_output=True, text=True, check=True, timeout=120
    )
    assert "[[rules]]" in shown.stdout and "exit codes" not in shown.stderr
    plain = subprocess.run([sys.executable, "-m", "riskkit", "--help"], capture_output=True, text=True, timeout=120)
    assert "exit codes: 0 done, 1 the run failed, 2 bad arguments or input" in plain.stdout
