"""Whoever waits for more than a second is told for what, and nobody else is told anything."""

from __future__ import annotations

import itertools
import re
import sys
import threading
from collections.abc import Iterable, Iterator
from types import SimpleNamespace

import numpy as np
import pytest
from replay.sweeps.test_sweep import RULES, log_of

import riskkit as rk
from riskkit import _bar

RETURNS = 0.01 * np.random.default_rng(1).standard_t(5, (300, 2))
SLOW = {
    "replay": (lambda: rk.replay_log(log_of(3, 40), RULES, compiled=False), r"replaying 4\d events, plain Python"),
    "rolling": (lambda: rk.rolling_var(RETURNS[:, 0], 250, 0.99, "normal"), "normal: 51 windows of 250 days"),
    "garch": (lambda: rk.covariance.fit_garch(RETURNS[:, 0]), r"fitting a GARCH\(1,1\) to 300 returns"),
    "gjr": (lambda: rk.covariance.fit_asymmetric_garch(RETURNS[:, 0]), "fitting a GJR.* to 300 returns"),
    "copula": (
        lambda: rk.montecarlo.StudentTCopula(RETURNS).df,
        "degrees of freedom of a copula of 2 assets to 300 returns",
    ),
}


class Timers:
    """Stands for threading.Timer: what would have been said, and whether it was cancelled in time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, waits: bool) -> None:
        self.lines: list[str] = []
        self.running: set[str] = set()
        monkeypatch.setattr(_bar, "waits", lambda: waits)
        monkeypatch.setattr(_bar.threading, "Timer", self.timer)

    def timer(self, seconds: float, say: object, line: list[str]) -> Timers:
        assert seconds == _bar.AT_ONCE and say is _bar.say
        self.lines += line
        return self

    def start(self) -> None:
        self.running.add(self.lines[-1])

    def cancel(self) -> None:
        self.running.clear()


@pytest.mark.parametrize("name", SLOW)
def test_what_may_take_long_says_what_it_does(monkeypatch, name):
    work, line = SLOW[name]
    timers = Timers(monkeypatch, waits=True)
    work()
    assert any(re.search(line, said) for said in timers.lines), timers.lines
    assert not timers.running
    timers = Timers(monkeypatch, waits=False)
    work()
    assert not timers.lines


def test_a_line_is_said_while_the_work_goes_on(monkeypatch):
    said = threading.Event()
    monkeypatch.setattr(_bar, "waits", lambda: True)
    monkeypatch.setattr(_bar, "AT_ONCE", 0.0)
    monkeypatch.setattr(_bar, "say", lambda line: said.set())
    with _bar.waiting("counting"):
        assert said.wait(60)


def test_a_sweep_shows_a_bar_to_whom_waits(monkeypatch):
    made = []

    class Bar:
        def __init__(self, steps: Iterable[object], **options: object) -> None:
            self.steps = steps
            made.append(options)

        def __iter__(self) -> Iterator[object]:
            return iter(self.steps)

    monkeypatch.setitem(sys.modules, "tqdm.auto", SimpleNamespace(tqdm=Bar))
    for waits, progress in itertools.product((True, False), (True, False, None)):
        monkeypatch.setattr(_bar, "waits", lambda waits=waits: waits)
        rk.sweep(log_of(3, 40), RULES, {"size.limit": [1, 2]}, compiled=False, progress=progress)
    assert [(one["total"], one["delay"]) for one in made] == [(2, 0), (2, _bar.AT_ONCE), (2, 0)]
