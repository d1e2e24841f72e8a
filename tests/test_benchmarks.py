"""Every benchmark runs, and its answers agree with those of the other way; sizes are small, and times are not looked at."""

import importlib
import inspect
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
from public_names import public_names
from unmeasured import FORMULAS, REASONS

import benchmarks
import benchmarks.first
import benchmarks.models

HERE = Path(__file__).parent
PARTS = [
    "desk", "growth", "journal", "latency", "live labels", "live engine", "live batches", "replay speed",
    "rules loop", "rules whole", "rules live", "service http", "service workers", "service sockets",
    "service_stores redis", "service_stores postgres", "service_stream messages", "sweep thresholds", "sweep setting",
]  # fmt: skip
MODELS = [f"models.{module.name}" for module in pkgutil.iter_modules(benchmarks.models.__path__)]


@pytest.mark.lengthy
@pytest.mark.parametrize("part", [*PARTS, *MODELS])
def test_a_benchmark_agrees_with_what_it_is_held_against(part):
    # loops would compile for minutes: they are compared as plain Python; the models are what people compare them with
    plain = {} if part in MODELS else {"NUMBA_DISABLE_JIT": "1"}
    command = [sys.executable, str(HERE / "small_benchmarks.py"), *part.split()]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **plain}, timeout=300)
    absent = re.search("ModuleNotFoundError: No module named '([^']*)", done.stderr)
    if absent:
        pytest.skip(f"{absent[1]} is not installed; it comes with `make .venv/bench`")
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip()


@pytest.mark.parametrize("program", [benchmarks.first.DECISION, benchmarks.first.REPLAY.format(events=10_000, rules=3)])
def test_a_program_of_the_first_answer_runs(program):
    command = [sys.executable, "-c", benchmarks.first.WORLD + program]
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(HERE.parent)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert float(done.stdout) > 0


AREAS = {"returns", "covariance", "var", "performance", "stress", "attribution", "pnl", "learn"} | {
    "liquidity",
    "instruments",
    "frtb",
    "montecarlo",
}  # the tests of `var_backtest` are timed together, and those that simulate by themselves


def test_every_model_is_named_in_a_row_or_there_is_a_reason():
    files = [Path(str(path)) for path in (HERE.parent / "benchmarks" / "models").glob("*.py")]
    words = set(re.findall(r"\w+", "\n".join(path.read_text(encoding="utf-8") for path in files)))
    reasons = {name for names in REASONS.values() for name in names.split()}
    functions = {
        f"{public.area}.{public.name}"
        for public in public_names()
        if public.area.partition(".")[0] in AREAS
        and inspect.isfunction(getattr(importlib.import_module(public.module), public.name))
    }
    timed = {name for name in functions if name.rpartition(".")[2] in words}
    assert sorted(name for name in functions - timed - reasons if not name.startswith(FORMULAS)) == []
    assert sorted(reasons & timed | reasons - functions) == []


def test_no_benchmark_is_left_out():
    named = {part.partition(" ")[0] for part in PARTS} | {"first", "models"}
    assert named == {m.name for m in pkgutil.iter_modules(benchmarks.__path__) if not m.name.startswith("_")}
