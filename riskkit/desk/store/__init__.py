"""Stores: journals of a tracker or manager in Parquet files or DuckDB, queries of them, and restored books."""

from riskkit.desk.store.duck import DuckDBStore
from riskkit.desk.store.parquet import ParquetStore
from riskkit.desk.store.store import Store

__all__ = ["DuckDBStore", "ParquetStore", "Store"]
