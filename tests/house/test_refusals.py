"""Refusals as sentences: each call of refusals.toml is refused with the whole message beside it.

A change of a message is a change of this file, so that it is read as a user reads it.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from refusal_world import NAMES
from refusing import refusal

DOORS = tomllib.loads((Path(__file__).parent / "refusals.toml").read_text(encoding="utf-8"))
CALLS = [pytest.param(row["call"], row["says"], id=f"{door}: {row['call']}") for door in DOORS for row in DOORS[door]]


def test_the_table_is_of_all_doors():
    assert len(CALLS) >= 120
    assert len(DOORS) >= 10


@pytest.mark.parametrize(("call", "says"), CALLS)
def test_a_refusal_is_this_sentence(call, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert refusal(eval, call, dict(NAMES)) == says
