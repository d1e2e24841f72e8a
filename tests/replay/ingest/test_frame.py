"""Tables of other libraries at the doors of a frame: the same log as from pandas, with exact integers and decimals."""

from __future__ import annotations

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from refusing import refusal

from riskkit import EventLog

LARGE = 2**60 + 1  # an integer that no float holds


def events() -> pd.DataFrame:
    """An order, its fill and a price, with gaps in every type of column."""
    return pd.DataFrame(
        {
            "ts": pd.to_datetime(["2024-01-01 09:30", "2024-01-01 09:30:00.000000001", "2024-01-02"], format="ISO8601"),
            "kind": ["order", "fill", "price"],
            "account": ["A", "A", None],
            "instrument": "X",
            "side": ["B", "B", None],
            "qty": [1.5, 1.5, None],
            "price": [10.25, 10.25, 10.5],
            "order_id": pd.array([LARGE, LARGE, None], dtype="Int64"),
            "reduce_only": [True, None, None],
        }
    )


def in_decimals(table: pl.DataFrame) -> pl.DataFrame:
    return table.with_columns(pl.col("kind").cast(pl.Categorical), pl.col("price").cast(pl.Decimal(20, 8)))


def of_duckdb(frame: pd.DataFrame) -> duckdb.DuckDBPyRelation:
    return duckdb.from_df(frame)


TABLES = {
    "polars": pl.from_pandas,
    "polars with categories and decimals": lambda frame: in_decimals(pl.from_pandas(frame)),
    "pyarrow": pa.Table.from_pandas,
    "pyarrow in batches": lambda frame: pa.RecordBatchReader.from_batches(
        pa.Table.from_pandas(frame).schema, pa.Table.from_pandas(frame).to_batches(1)
    ).read_all(),
    "duckdb": of_duckdb,
}


@pytest.mark.parametrize("library", TABLES)
def test_a_table_of_another_library_is_the_same_log(library):
    table = TABLES[library](events())
    log, expected = EventLog.from_frame(table), EventLog.from_frame(events())
    assert log.event_hash == expected.event_hash
    assert EventLog.infer_instruments(table) == EventLog.infer_instruments(events())


def test_an_integer_beside_a_gap_stays_exact():
    rows = {"ts": [1, 2], "kind": "price", "instrument": "X", "price": [2**53 + 1, 2**53 + 2]}
    frame = pd.DataFrame(rows)
    with_gap = pl.from_pandas(frame).with_columns(qty=pl.Series([None, None], dtype=pl.Int64))
    assert EventLog.from_frame(with_gap).columns["price"].tolist() == rows["price"]


def test_a_lazy_table_is_told_to_be_collected():
    assert refusal(EventLog.from_frame, pl.from_pandas(events()).lazy()) == (
        "frame is a LazyFrame; collect it first; give a table of pandas, polars, pyarrow or DuckDB with one row per event"
    )
