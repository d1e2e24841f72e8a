"""Scenario cubes: sums as in memory, bounded memory, files whole or not at all, and what is refused."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest

import riskkit as rk
from riskkit._check import InputError
from riskkit.stress import ScenarioCube

RNG = np.random.default_rng(2)
NAMES = [f"p{i}" for i in range(12)]
PNL = RNG.standard_normal((1000, 12))
TREE = {"firm": {"rates": {"swaps": NAMES[:3], "bonds": NAMES[3:5]}, "fx": NAMES[5:]}}


def blocks(size):
    return (PNL[start : start + size] for start in range(0, len(PNL), size))


@pytest.fixture
def cube(tmp_path):
    return ScenarioCube.write(tmp_path / "cube", blocks(300), NAMES)


@pytest.mark.parametrize("block", [None, 1, 7, 1000])
def test_sums_are_those_of_memory_whatever_the_blocks(cube, block):
    found = ScenarioCube.open(cube.folder).aggregate(TREE, n_rows=block)
    expected = rk.pnl.aggregate(pd.DataFrame(PNL, columns=NAMES), TREE)
    assert list(found.columns) == ["firm", "rates", "swaps", "bonds", "fx"]
    assert found.to_numpy() == pytest.approx(expected[found.columns].to_numpy())
    assert np.concatenate(list(cube.blocks(block))) == pytest.approx(PNL)
    worst = found["firm"].nsmallest(10).index
    tail = cube.scenarios(worst.to_numpy())
    assert -tail.mean().sum() == pytest.approx(rk.var.historical(found["firm"], 0.99).es)  # contributions add up to ES
    assert "1,000 scenarios and 12 positions" in repr(cube)


def test_32_bits_take_half_of_the_space(tmp_path):
    cube = ScenarioCube.write(tmp_path, blocks(400), NAMES, dtype="float32")
    assert (tmp_path / "pnl.bin").stat().st_size == 1000 * 12 * 4
    assert cube.aggregate(TREE)["firm"].to_numpy() == pytest.approx(PNL.sum(axis=1), abs=1e-5)


def test_memory_is_that_of_a_block(tmp_path):
    names = [str(i) for i in range(500)]
    tracemalloc.start()
    cube = ScenarioCube.write(tmp_path, (np.full((100, 500), i) for i in range(100)), names)  # 40 MB
    total = cube.aggregate({"all": names}, n_rows=100)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total["all"].iloc[[0, -1]].tolist() == [0.0, 500.0 * 99.0] and peak < 5_000_000


def test_a_write_that_fails_leaves_the_old_cube(cube):
    with pytest.raises(InputError, match="pnl holds nan"):
        ScenarioCube.write(cube.folder, [PNL, np.full((2, 12), np.nan)], NAMES)
    assert ScenarioCube.open(cube.folder).aggregate(TREE)["firm"].to_numpy() == pytest.approx(PNL.sum(axis=1))
    assert sorted(path.name for path in cube.folder.iterdir()) == ["labels.json", "lock", "pnl.bin"]
    with (cube.folder / "pnl.bin").open("r+b") as file:
        file.truncate(100)
    with pytest.raises(InputError, match="has 100 bytes and its labels ask for 96,000"):
        ScenarioCube.open(cube.folder)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda folder: ScenarioCube.write(folder, [PNL], NAMES[:3]), "for 3 positions"),
        (lambda folder: ScenarioCube.write(folder, [PNL[:, :2]], ["a", "a"]), "names a position twice"),
        (lambda folder: ScenarioCube.write(folder, [], ["a"]), "pnl is empty"),
        (lambda folder: ScenarioCube.write(folder, [[[1e300]]], ["a"], dtype="float32"), "beyond float32"),
        (lambda folder: ScenarioCube.open(folder / "none"), "cannot be read as a scenario cube"),
        (lambda folder: ScenarioCube.write(__file__, [[[1.0]]], ["a"]), "cannot be used"),
        (lambda folder: ScenarioCube.write(folder, [[[1.0]]], ["a"]).scenarios([1]), "numbers of the 1 scenario"),
        (lambda folder: ScenarioCube.write(folder, [[[1.0]]], ["a"]).aggregate({"x": ["b"]}), "without P&L: 'b'"),
    ],
)
def test_refusals(call, words, tmp_path):
    with np.errstate(over="ignore"), pytest.raises(InputError, match=words):
        call(tmp_path)
