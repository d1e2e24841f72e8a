"""``python -m riskkit warm``: what it did, in a sentence."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from riskkit.__main__ import main
from riskkit.replay.live import warm as module


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A cache folder, and replays that are only noted."""
    monkeypatch.setenv("RISKKIT_CACHE", str(tmp_path))
    monkeypatch.setattr(module, "jit_is_off", lambda: False)
    monkeypatch.setattr(module, "generic_is_warm", lambda: False)
    taken: list[str] = []
    monkeypatch.setattr(module, "replay_log", lambda log, rules, compiled: taken.append(compiled))
    session = SimpleNamespace(process_order=lambda **_: taken.append("step"))
    monkeypatch.setattr(module, "Session", SimpleNamespace(create=lambda *_, compiled: session))
    return taken


def test_it_compiles_the_generic_loop_once(machine, monkeypatch, tmp_path, capsys):
    assert main(["warm"]) == 0
    assert machine == ["generic", "step", "step", "step"]
    said = capsys.readouterr().out
    assert said.startswith("compiled the rules of the catalogue in ") and said.endswith(f" s; kept in {tmp_path}\n")
    monkeypatch.setattr(module, "generic_is_warm", lambda: True)
    assert module.warm() == f"the rules of the catalogue are compiled already, in {tmp_path}"
    assert machine == ["generic", "step", "step", "step"]


def test_without_a_compiler_there_is_nothing_to_do(machine, monkeypatch):
    monkeypatch.setattr(module, "jit_is_off", lambda: True)
    assert module.warm() == "NUMBA_DISABLE_JIT is set, so nothing is compiled and every replay is plain Python"
    assert machine == []
