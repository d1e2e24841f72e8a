"""Books of options: position by position, as books of the stress tests, in a cube, reverse stress, and what is refused."""

import numpy as np
import pandas as pd
import pytest

import riskkit as rk
from riskkit._check import InputError
from riskkit.instruments import OptionBook, european_option
from riskkit.stress import ScenarioCube, reverse_stress

COLUMNS = ["underlying", "strike", "years", "volatility", "quantity", "option", "rate"]
ROWS = [
    ["X", 100.0, 0.5, 0.2, -10.0, "call", 0.02],
    ["X", 95.0, 0.5, 0.22, -10.0, "put", 0.02],
    ["Y", 50.0, 1.0, 0.3, 20.0, "put", 0.0],
]
TABLE = pd.DataFrame(ROWS, columns=COLUMNS, index=["a", "b", "c"])
BOOK = OptionBook(TABLE, {"X": 100.0, "Y": 52.0}, {"X": "vol"}, days=5.0)
MOVES = np.random.default_rng(1).normal(0.0, [0.05, 0.08, 0.02], (40, 3))


def test_positions_are_revalued_one_by_one():
    found = BOOK.pnl(pd.DataFrame(MOVES, columns=BOOK.factors))
    assert BOOK.factors == ("X", "Y", "vol") and list(found.columns) == ["a", "b", "c"]
    for row, move in zip(found.to_numpy(), MOVES, strict=True):
        for value, (name, strike, years, volatility, quantity, kind, rate) in zip(row, ROWS, strict=True):
            spot, shift = (100.0 * (1.0 + move[0]), move[2]) if name == "X" else (52.0 * (1.0 + move[1]), 0.0)
            now = european_option(
                100.0 if name == "X" else 52.0, strike, years, volatility, rate=rate, option=kind
            ).price
            then = european_option(spot, strike, years - 5.0 / 252.0, volatility + shift, rate=rate, option=kind).price
            assert value == pytest.approx(quantity * (then - now))
    assert BOOK(MOVES) == pytest.approx(found.to_numpy().sum(axis=1)) and "3 options on 2 underlyings" in repr(BOOK)
    by_name = BOOK.pnl(pd.DataFrame({"vol": MOVES[:, 2], "X": MOVES[:, 0]}))
    assert by_name[["a", "b"]].to_numpy() == pytest.approx(found[["a", "b"]].to_numpy())


def test_small_moves_are_those_of_the_sensitivities():
    book = OptionBook(TABLE, {"X": 100.0, "Y": 52.0})
    small = 0.01 * MOVES[:, :2]
    assert rk.pnl.scenario(book.delta_gamma(), small) == pytest.approx(book(small), abs=1e-4)


def test_a_book_in_a_cube_and_in_a_stress_test(tmp_path):
    cube = ScenarioCube.write(tmp_path, (BOOK.pnl(MOVES[i : i + 7]) for i in range(0, 40, 7)), TABLE.index)
    assert cube.aggregate({"book": ["a", "b", "c"]})["book"].to_numpy() == pytest.approx(BOOK(MOVES))
    table = pd.DataFrame({"X": [-0.2, 0.2], "vol": [0.1, -0.02]}, index=["crash", "rally"])
    assert rk.stress_test(BOOK, table).losses["loss"].tolist() == pytest.approx((-BOOK(table)).tolist())


@pytest.mark.lengthy
def test_reverse_stress_finds_the_nearest_loss_of_a_strangle():
    strangle = OptionBook(TABLE.loc[["a", "b"]], {"X": 100.0})
    worst = reverse_stress(strangle, 60.0, [[0.05**2]])
    assert strangle(np.array([worst.scenario]))[0] == pytest.approx(-60.0, rel=1e-6)
    grid = np.linspace(-0.6, 0.6, 24_001)[:, None]
    lost = grid[-strangle(grid) >= 60.0, 0]
    assert abs(worst.scenario[0]) == pytest.approx(np.abs(lost).min(), abs=1e-4)
    assert len(worst.alternatives) <= 1


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: OptionBook(TABLE.drop(columns="strike"), {"X": 1.0}), "options has no column 'strike'"),
        (lambda: OptionBook(TABLE, {"X": 100.0}), "spots is missing 'Y'"),
        (
            lambda: OptionBook(TABLE.assign(option="cal"), {"X": 1.0, "Y": 1.0}),
            "the option 'cal'; give 'call', 'put' or 'forward'",
        ),
        (lambda: OptionBook(TABLE, {"X": 1.0, "Y": 1.0}, days=200.0), "expires within 200 days"),
        (lambda: OptionBook(TABLE.assign(strike=-1.0), {"X": 1.0, "Y": 1.0}), "strike=-1 is not above zero"),
        (lambda: BOOK(MOVES[:, :2]), "scenarios has 2 columns for 3 factors"),
        (lambda: BOOK(pd.DataFrame({"Z": [0.1]})), "scenarios moves 'Z'"),
        (lambda: BOOK([[-1.0, 0.0, 0.0]]), "spot=0 is not above zero"),
    ],
)
def test_refusals(call, words):
    with pytest.raises(InputError, match=words):
        call()


def test_prices_and_factors_may_be_series():
    series = OptionBook(TABLE, pd.Series({"X": 100.0, "Y": 52.0}), pd.Series({"X": "vol"}), days=5.0)
    assert series.factors == BOOK.factors and series(MOVES).tolist() == BOOK(MOVES).tolist()
    assert series.delta_gamma().delta.equals(BOOK.delta_gamma().delta)
