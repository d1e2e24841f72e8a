"""Compiled code is kept where nobody else can write, and its absence stops nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numba
import pytest
from marks import needs_compiling

from riskkit import InputError, _cache
from riskkit._cache import alone, cache_folder, kernels_of, load_module, lock

SCRIPT = """
import os, pathlib
import pandas as pd
import riskkit as rk
from riskkit import _cache
package, access = str(pathlib.Path(rk.__file__).parent), os.access
os.access = lambda path, mode: not str(path).startswith(package) and access(path, mode)
rk.ewma_volatility([0.01, -0.02, 0.03])
row = {"ts": [0], "kind": "order", "account": "A", "instrument": "X", "side": "B", "qty": 9, "price": 1.0}
log = rk.EventLog.from_frame(pd.DataFrame(row))
rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=5))])
assert len(rk.replay_log(log, rules, compiled=True).to_frame()) == 1
print(_cache.cache_folder())
"""


def test_a_new_folder_is_the_users_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("RISKKIT_CACHE", str(tmp_path / "new" / "cache"))
    before = os.umask(0)
    try:
        assert cache_folder().stat().st_mode & 0o777 == 0o700
    finally:
        os.umask(before)


def test_a_folder_that_others_can_write_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("RISKKIT_CACHE", str(tmp_path))
    tmp_path.chmod(0o777)
    with pytest.raises(InputError, match="can be written by other users, whose code would run here"):
        cache_folder()
    tmp_path.chmod(0o755)
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.raises(InputError, match="belongs to another user"):
        cache_folder()


@pytest.mark.parametrize("inner", ["kernels", "__pycache__"])
def test_kernels_that_another_user_has_put_there_are_refused(inner, tmp_path, monkeypatch):
    monkeypatch.setenv("RISKKIT_CACHE", str(tmp_path))
    tmp_path.chmod(0o700)
    (tmp_path / inner).mkdir()
    assert cache_folder() == tmp_path
    whose = Path.stat

    def stat(path, **options):
        found = whose(path, **options)
        return os.stat_result((*found[:4], found.st_uid + (path.name == inner), *found[5:]))

    monkeypatch.setattr(Path, "stat", stat)
    with pytest.raises(InputError, match="belongs to another user"):
        cache_folder()


def test_riskkits_variable_governs_that_of_numba(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "numba"))
    monkeypatch.setenv("RISKKIT_CACHE", str(tmp_path / "riskkit"))
    source = str(tmp_path / "package" / "file.py")
    with kernels_of(source):
        assert numba.config.CACHE_DIR == str(tmp_path / "riskkit" / "kernels")
    monkeypatch.delenv("RISKKIT_CACHE")
    with kernels_of(source):
        assert numba.config.CACHE_DIR == str(tmp_path / "numba")
    (tmp_path / "numba").chmod(0o777)
    with pytest.raises(InputError, match="numba can be written by other users"), kernels_of(source):
        pass


def test_without_a_disk_the_folder_is_in_memory(monkeypatch):
    made = []

    def full(prefix, dir):
        made.append(dir)
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    with pytest.raises(InputError, match="no folder can be written that would keep compiled code; set RISKKIT_CACHE"):
        _cache._of_process.__wrapped__()
    assert made == [None, "/dev/shm"]


def test_planted_bytecode_is_not_run(tmp_path, monkeypatch):
    monkeypatch.setenv("RISKKIT_CACHE", str(tmp_path))
    tmp_path.chmod(0o700)
    text = "answer = 1\n"
    assert load_module("riskkit_loop_test", text).answer == 1
    import importlib.util
    import py_compile

    path = tmp_path / "riskkit_loop_test.py"
    planted = tmp_path / "planted.py"
    planted.write_text("answer = 2\n", encoding="utf-8")
    os.utime(planted, (path.stat().st_atime, path.stat().st_mtime))  # the same size and time
    py_compile.compile(str(planted), cfile=importlib.util.cache_from_source(str(path)), doraise=True)
    assert load_module("riskkit_loop_test", text).answer == 1


@pytest.mark.parametrize("given", ["", None])
def test_without_a_home_the_folder_is_of_the_process(given, monkeypatch, tmp_path):
    monkeypatch.delenv("RISKKIT_CACHE", raising=False)
    if given is not None:
        monkeypatch.setenv("RISKKIT_CACHE", given)  # an empty name is none
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file" / "below"))
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    assert cache_folder().stat().st_mode & 0o777 == 0o700


TINY = """
import sys
import numba
from riskkit._cache import load_module
from riskkit.replay.engine.compiler import _compiled_once
module = load_module("riskkit_loop_tiny", "def run(first, second):\\n    return first + second\\n")
run = _compiled_once(numba.njit(cache=True)(module.run), "riskkit_loop_tiny")
print("ready", flush=True)
assert run(1, 2) == 3
print(sum(run.stats.cache_misses.values()), sum(run.stats.cache_hits.values()))
"""
HOLD = "import sys; from riskkit._cache import alone\nwith alone('riskkit_loop_tiny'): print('held', flush=True), sys.stdin.read()"


@pytest.mark.slow
@needs_compiling
def test_of_two_cold_processes_one_compiles_and_the_other_loads(tmp_path, monkeypatch):
    monkeypatch.setenv("RISKKIT_CACHE", str(tmp_path))
    with alone("riskkit_loop_tiny"):  # both wait until this block ends
        both = [started(TINY) for _ in range(2)]
        assert [child.stdout.readline() for child in both] == ["ready\n"] * 2
    counts = sorted(child.communicate()[0].split() for child in both)
    assert counts == [["0", "1"], ["1", "0"]]


def test_nobody_waits_for_a_process_that_was_killed(tmp_path, monkeypatch):
    monkeypatch.setenv("RISKKIT_CACHE", str(tmp_path))
    with started(HOLD) as child:
        assert child.stdout.readline() == "held\n"
        file = os.open(tmp_path / "riskkit_loop_tiny.lock", os.O_RDWR)
        with pytest.raises(OSError):
            lock(file, wait=False)
        child.kill()
        child.wait()
        lock(file, wait=False)
        os.close(file)


def started(script: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
@pytest.mark.parametrize("cache", ["named", "none"])
def test_without_a_home_and_with_a_package_that_cannot_be_written_it_runs(cache, tmp_path):
    folder, home = tmp_path / "cache", tmp_path / "file"
    home.write_text("no folder", encoding="utf-8")
    names = {name: value for name, value in os.environ.items() if name not in ("RISKKIT_CACHE", "XDG_CACHE_HOME")}
    named = {"RISKKIT_CACHE": str(folder)} if cache == "named" else {}
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**names, **named, "HOME": str(home / "below"), "RISKKIT_QUIET": "1"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    kept = ran.stdout.split()[-1]
    assert not os.path.exists(kept) if cache == "none" else kept == str(folder)
    if cache == "named":
        assert list(folder.glob("riskkit_loop_*.py")) and list((folder / "kernels").rglob("*.nbi"))
