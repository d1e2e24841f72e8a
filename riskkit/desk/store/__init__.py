"""Stores: the log of a tracker in a folder of Parquet files or in DuckDB, its views, and the tracker made anew."""

from riskkit.desk.store.duck import DuckDBStore
from riskkit.desk.store.parquet import ParquetStore
from riskkit.desk.store.store import Store

__all__ = ["DuckDBStore", "ParquetStore", "Store"]
