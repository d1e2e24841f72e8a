"""``riskkit explain`` and ``riskkit report limits``."""

from __future__ import annotations

import json

import pytest
from replay.log.test_files import ROWS

from riskkit.cli import main

RULES = '[[rules]]\nid = "size"\ntype = "max_order_qty"\nparams = {limit = 1}\n'


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "orders.csv").write_text(ROWS)
    (tmp_path / "limits.toml").write_text(RULES)
    return tmp_path


def explain(*more: str) -> int:
    return main(["explain", "orders.csv", "limits.toml", "--plain", *more])


def test_an_order_is_explained_by_its_id_in_local_time(capsys):
    assert explain("--order", "a1", "--local", "America/New_York", "--mode", "enforce") == 0
    said = capsys.readouterr().out
    assert "a1" in said and "09:30:00 EST" in said and "size" in said


def test_an_event_is_explained_by_its_number(capsys):
    assert explain("--event", "0", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["event"] == 0 and "observed 2, limit 1" in found["explanation"]


def test_without_an_order_every_refusal_is_told(capsys, folder):
    assert explain("--json") == 0
    (row,) = json.loads(capsys.readouterr().out)["refused"]
    assert row["rule"] == "size" and row["order_id"] == "a1"
    (folder / "limits.toml").write_text(RULES.replace("limit = 1", "limit = 2"))
    assert explain() == 0
    assert capsys.readouterr().out == "No order was refused.\n"


def test_an_order_that_is_not_there_is_one_sentence_and_code_2(capsys):
    assert explain("--order", "a9") == 2
    assert "a9" in capsys.readouterr().err
    assert explain("--order", "a1", "--event", "0") == 2
    assert "give --order or --event, not both" in capsys.readouterr().err


def test_the_report_of_refusals_is_written(capsys, folder):
    assert main(["report", "limits", "orders.csv", "limits.toml", "--plain", "--out", "limits.html"]) == 0
    assert capsys.readouterr().out == "Report: limits.html\n"
    assert "Refused: 1 of 1 orders" in (folder / "limits.html").read_text(encoding="utf-8")
