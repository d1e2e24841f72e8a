"""A person who waits for a compilation is told once; a loop from the cache, a test and a pipe say nothing."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from marks import needs_compiling

from riskkit import Rule, RuleSet, replay, replay_log
from riskkit._bar import say
from riskkit.replay.engine import compiler
from riskkit.rules import MaxOrderQty


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@needs_compiling
def test_the_first_replay_of_a_rule_set_says_that_it_compiles_and_the_next_process_does_not(tmp_path, monkeypatch):
    said: list[str] = []
    monkeypatch.setattr(compiler, "say", said.append)
    monkeypatch.setenv("RISKKIT_CACHE", str(tmp_path))
    log, rules = replay.tiny_log([5, 2]), RuleSet([Rule("size", MaxOrderQty(limit=4))])
    for _ in range(2):
        compiler._compiled_run.cache_clear()  # as in a new process
        assert len(replay_log(log, rules, "enforce", compiled=True).rejections()) == 1
        replay_log(log, rules, "enforce", compiled=True)
    assert len(said) == 1 and said[0].startswith("compiling 1 rule once, about ") and str(tmp_path) in said[0]


def test_the_line_does_not_show_the_home_folder(monkeypatch):
    monkeypatch.setenv("RISKKIT_CACHE", str(Path.home() / ".cache" / "riskkit"))
    assert compiler.compiling(2, "x").endswith(f"compiling 2 rules once, about 1 s; kept in {Path('~/.cache/riskkit')}")


@pytest.mark.parametrize(
    ("terminal", "notebook", "quiet", "lines"),
    [
        (True, False, "", 1),
        (False, True, "", 1),
        (False, False, "", 0),
        (True, True, "1", 0),
    ],
)
def test_a_line_is_printed_where_a_person_waits(monkeypatch, terminal, notebook, quiet, lines):
    out = Terminal() if terminal else io.StringIO()
    shell = SimpleNamespace(kernel=None) if notebook else None
    monkeypatch.setattr(sys, "stderr", out)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setenv("RISKKIT_QUIET", quiet)
    say("compiling")
    assert out.getvalue() == "riskkit: compiling\n" * lines
