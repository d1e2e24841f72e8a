"""Ctrl-C or no memory at any instant: a change of a live object is made, or it is not, and the object goes on.

An exception is raised at every so many instructions of a call (`tests/interrupts.py`); with ``--long`` at every one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from interrupts import interruptions

from riskkit.desk import DuckDBStore, ParquetStore, PositionTracker, RiskManager

COARSE = 37  # prime, so that no instruction of a loop is always left out
ERRORS = {"Ctrl-C": KeyboardInterrupt, "no memory": MemoryError}
CLOSES = pd.DataFrame({"A": [10.0, 10.5, 10.1, 10.4], "B": [20.0, 20.5, 20.0, 19.0]})


def tracker() -> PositionTracker:
    made = PositionTracker({"A": 1, "B": 1, "G": 1}, remember=2)
    for token in "ABG":
        made.set_price(token, 2, 1)
    made.update("u", "m", "A", 100, 2, timestamp=2, trade_id="a")
    made.update("v", "n", "B", 100, 2, timestamp=3, trade_id="b")
    return made


def manager() -> RiskManager:
    made = RiskManager(10_000, bars_per_day=1)
    made.warm_up(CLOSES, timestamp=1)
    made.execute_trade("A", 10, "buy", timestamp=2)
    return made


def swap(made: Any) -> None:
    gas = {"gas_token": "G", "gas_amount": 3}
    made.swap("u", "m", "A", 100, "B", 20, **gas, timestamp=4, trade_id="swap")


CHANGES: dict[str, tuple[Any, Any]] = {
    "swap": (tracker, swap),
    "update": (tracker, lambda made: made.update("u", "m", "A", -100, 3, timestamp=4, trade_id="c")),
    "price": (tracker, lambda made: made.set_price("A", 3, 4)),
    "token": (tracker, lambda made: made.add_token("Z", "0.1")),
    "period": (tracker, lambda made: made.close_period(4)),
    "remove": (tracker, lambda made: made.remove("u", "m", "A")),
    "clear": (tracker, lambda made: made.clear()),
    "trade": (manager, lambda made: made.execute_trade("B", 5, "buy", timestamp=3)),
    "bar": (manager, lambda made: made.on_bar({"A": 11.0, "C": 5.0}, timestamp=3)),
    "mark": (manager, lambda made: made.set_price("A", 11.0, timestamp=3)),
    "ticker": (manager, lambda made: made.add_ticker("C", price=5.0, volatility=0.1, timestamp=3)),
    "limits": (manager, lambda made: made.set_limits("ann", "why", timestamp=3, var_limit=50.0)),
    "warm-up": (manager, lambda made: made.warm_up(CLOSES * 2, timestamp=3)),
}


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("name", CHANGES)
def test_an_interrupted_change_is_made_or_not(name, error, long):
    make, change = CHANGES[name]
    made = make()
    before = made.digest
    change(made)
    after = made.digest
    assert before != after
    torn = 0
    for made in interruptions(make, change, 1 if long else COARSE, ERRORS[error]):
        torn += made.digest not in (before, after)
        made.add_token("new", 1) if isinstance(made, PositionTracker) else made.verify()  # it goes on
    assert torn == 0


STORES = {
    "Parquet": lambda path: ParquetStore(path, part_rows=4),
    "DuckDB": lambda path: DuckDBStore(path, part_rows=4),
}


@pytest.mark.lengthy
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a file opened and not yet in its block
@pytest.mark.parametrize("kind", STORES)
@pytest.mark.parametrize("what", ["trade", "flush"])
def test_book_and_log_agree_after_an_interruption(kind, what, tmp_path, long):
    paths = iter(range(10**9))

    def make() -> tuple[Any, Any, Path]:
        path = tmp_path / str(next(paths))
        store, book = STORES[kind](path), tracker()
        store.follow(book)
        book.update("u", "m", "A", 1, 2, timestamp=4)
        return store, book, path

    def call(made: tuple[Any, Any, Path]) -> None:
        store, book, _ = made
        swap(book)
        if what == "flush":
            store.flush()

    for store, book, path in interruptions(make, call, (3 if what == "trade" else 11) if long else 10 * COARSE):
        book.update("w", "m", "B", 5, 2, timestamp=5, trade_id="after")
        assert store.rebuild().digest == book.digest
        store.close()
        again = STORES[kind](path)
        resumed = again.resume()
        assert resumed.digest == book.digest
        again.close()
