"""Event logs on disk: what was written comes back, and a foreign, torn or altered file is refused by a sentence."""

from __future__ import annotations

import json
import os
import shutil

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from refusing import refusal
from streams import random_log

from riskkit import Account, EventLog, Instrument
from riskkit._folder_lock import FolderLock
from riskkit.replay.log import storage
from riskkit.replay.schema.digest import hash_plain


@pytest.fixture(scope="module")
def log() -> EventLog:
    return random_log(3, 150, opened=True)


@pytest.fixture(scope="module")
def lapsing() -> EventLog:
    """A log with an inserted row, a sorted frame and every kind of unit."""
    rows = [
        {"ts": 5, "kind": "price", "price": "10.25"},
        {"ts": 1, "kind": "order", "account": "A", "side": "B", "qty": "0.3", "price": "10.3", "order_id": 1},
    ]
    frame = pd.DataFrame(rows).assign(instrument="X", expires=pd.array([None, 4], "Int64"))
    instrument = Instrument("X", "0.25", "0.1", 50, product="P", negative_price=True)
    account = Account("A", {"USD": "10.5"}, {"X": 2}, "D", "F")
    return EventLog.from_frame(
        frame, [instrument], [account], ts_policy="sort", on_bad_order="flag", about={"title": "T"}
    )


def same(one: EventLog, two: EventLog) -> None:
    assert list(one.columns) == list(two.columns)
    for name, column in one.columns.items():
        assert column.dtype == two.columns[name].dtype and (column == two.columns[name]).all(), name
    assert one.universe.describe() == two.universe.describe()
    assert one.pair_account.tolist() == two.pair_account.tolist()
    assert one.pair_instrument.tolist() == two.pair_instrument.tolist()
    assert one.source_rows.tolist() == two.source_rows.tolist()
    assert one.about == two.about
    assert one.event_hash == two.event_hash and one.universe_hash == two.universe_hash


# ---------------------------------------------------------------------- round trips


@pytest.mark.parametrize("which", ["log", "lapsing"])
def test_parquet_gives_the_log_back(which, tmp_path, request):
    kept = request.getfixturevalue(which)
    kept.to_parquet(tmp_path / "log.parquet")
    again = EventLog.from_parquet(tmp_path / "log.parquet")
    same(kept, again)
    again.to_parquet(tmp_path / "again.parquet")
    same(kept, EventLog.from_parquet(tmp_path / "again.parquet"))


@pytest.mark.parametrize("which", ["log", "lapsing"])
def test_a_mapped_folder_gives_the_log_back(which, tmp_path, request):
    kept = request.getfixturevalue(which)
    kept.save(tmp_path / "folder")
    same(kept, EventLog.open(tmp_path / "folder"))
    same(kept, EventLog.open(tmp_path / "folder", check=True))


def test_source_rows_survive(lapsing, tmp_path):
    lapsing.to_parquet(tmp_path / "log.parquet")
    assert EventLog.from_parquet(tmp_path / "log.parquet").source_rows.tolist() == [1, -1, 0]


def test_an_empty_log_survives(tmp_path):
    empty = EventLog.from_frame(pd.DataFrame({"ts": np.zeros(0, np.int64), "kind": []}))
    empty.to_parquet(tmp_path / "log.parquet")
    empty.save(tmp_path / "folder")
    same(empty, EventLog.from_parquet(tmp_path / "log.parquet"))
    same(empty, EventLog.open(tmp_path / "folder"))


def test_columns_are_of_the_ordinary_kind_of_array(log, tmp_path):
    """A read-only array is another type to the compiler: every loop would be compiled a second time."""
    log.to_parquet(tmp_path / "log.parquet")
    log.save(tmp_path / "folder")
    for again in (EventLog.from_parquet(tmp_path / "log.parquet"), EventLog.open(tmp_path / "folder")):
        for column in again.columns.values():
            assert type(column) is np.ndarray and column.flags.writeable and column.flags.c_contiguous


def test_writing_to_a_mapped_log_leaves_the_file(log, tmp_path):
    log.save(tmp_path / "folder")
    EventLog.open(tmp_path / "folder").columns["qty"][0] += 1
    same(log, EventLog.open(tmp_path / "folder", check=True))


def test_saving_over_a_folder_leaves_nothing_of_the_old_log(log, lapsing, tmp_path):
    log.save(tmp_path / "folder")
    lapsing.save(tmp_path / "folder")
    same(lapsing, EventLog.open(tmp_path / "folder", check=True))


def test_parquet_is_small(tmp_path):
    rows = 100_000
    frame = pd.DataFrame(
        {"ts": 1_700_000_000_000_000_000 + np.arange(rows) * 1_000_003, "kind": "price", "instrument": "X"}
    )
    log = EventLog.from_frame(frame.assign(price=100 + np.sin(np.arange(rows) / 50).round(2)), [Instrument("X")])
    log.to_parquet(tmp_path / "log.parquet")
    held = sum(column.nbytes for column in log.columns.values())
    assert (tmp_path / "log.parquet").stat().st_size < held / 8


# ---------------------------------------------------------------------- Parquet that is none of ours


def rewrite(path, change) -> None:
    """Write the file again with its table changed."""
    pq.write_table(change(pq.read_table(path)), path)


@pytest.fixture
def file(log, tmp_path):
    log.to_parquet(tmp_path / "log.parquet")
    return tmp_path / "log.parquet"


def test_a_missing_file_is_refused(tmp_path):
    assert refusal(EventLog.from_parquet, tmp_path / "no.parquet") == (
        "no.parquet is not a file; give the path of a Parquet file that EventLog.to_parquet wrote"
    )


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "log.parquet").write_text("ts,kind\n1,order\n" * 10)
    assert refusal(EventLog.from_parquet, tmp_path / "log.parquet").startswith(
        "log.parquet cannot be read as Parquet: "
    )


def test_foreign_parquet_is_refused(tmp_path):
    pd.DataFrame({"ts": [1], "kind": ["order"]}).to_parquet(tmp_path / "log.parquet")
    assert refusal(EventLog.from_parquet, tmp_path / "log.parquet") == (
        "log.parquet is Parquet but not an event log; read it with pandas and use EventLog.from_frame"
    )


def test_a_torn_file_is_refused(file):
    whole = file.read_bytes()
    for part in (0, 10, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:part])
        assert refusal(EventLog.from_parquet, file).startswith("log.parquet cannot be read as Parquet: ")


@pytest.mark.parametrize("name", ["ts", "qty", "price", "flags", "pair"])
def test_an_altered_column_is_refused(file, name):
    def change(table: pa.Table) -> pa.Table:
        values = table[name].to_numpy().copy()
        values[7] += 1
        return table.set_column(table.column_names.index(name), name, pa.array(values))

    rewrite(file, change)
    assert refusal(EventLog.from_parquet, file) == (
        "log.parquet does not match its hash; it was changed after it was written"
    )


def test_altered_source_rows_are_refused(lapsing, tmp_path):
    lapsing.to_parquet(tmp_path / "log.parquet")

    def change(table: pa.Table) -> pa.Table:
        return table.set_column(table.column_names.index("source_row"), "source_row", pa.array([0, -1, 1]))

    rewrite(tmp_path / "log.parquet", change)
    assert refusal(EventLog.from_parquet, tmp_path / "log.parquet") == (
        "log.parquet does not match its hash; it was changed after it was written"
    )


def test_rows_that_were_cut_off_or_swapped_are_refused(file):
    whole = file.read_bytes()
    for change in (
        lambda table: table.slice(0, len(table) - 1),
        lambda table: table.take([1, 0, *range(2, len(table))]),
    ):
        file.write_bytes(whole)
        rewrite(file, change)
        assert refusal(EventLog.from_parquet, file).endswith("it was changed after it was written")


def header_changed(text: bytes, change) -> bytes:
    header = json.loads(text)
    change(header)
    return json.dumps(header).encode()


def test_an_altered_header_is_refused(file):
    def change(table: pa.Table) -> pa.Table:
        text = header_changed(table.schema.metadata[b"riskkit"], lambda header: header.update(about={"kind": "real"}))
        return table.replace_schema_metadata({b"riskkit": text})

    rewrite(file, change)
    assert refusal(EventLog.from_parquet, file) == "log.parquet was altered: its header does not match its hash"


def test_another_format_is_refused(file):
    def change(table: pa.Table) -> pa.Table:
        text = header_changed(table.schema.metadata[b"riskkit"], lambda header: header.update(format=9))
        return table.replace_schema_metadata({b"riskkit": text})

    rewrite(file, change)
    assert refusal(EventLog.from_parquet, file) == "log.parquet has format 9; this riskkit reads format 1"


def test_a_header_that_is_not_whole_is_refused(file):
    rewrite(file, lambda table: table.replace_schema_metadata({b"riskkit": b'{"format": 1, '}))
    assert refusal(EventLog.from_parquet, file) == "log.parquet is torn: its header is incomplete"


def test_columns_that_no_log_has_are_refused(file):
    whole = file.read_bytes()
    rewrite(file, lambda table: table.drop_columns(["price"]))
    assert refusal(EventLog.from_parquet, file) == "log.parquet has no column 'price'; it is not a complete event log"
    file.write_bytes(whole)
    rewrite(file, lambda table: table.append_column("mood", pa.array([1] * len(table))))
    assert (
        refusal(EventLog.from_parquet, file)
        == "log.parquet: column 'mood' has type int64, which is not that of an event log"
    )
    file.write_bytes(whole)
    rewrite(file, lambda table: table.set_column(0, "ts", pa.array([1.0] * len(table))))
    assert (
        refusal(EventLog.from_parquet, file)
        == "log.parquet: column 'ts' has type float64, which is not that of an event log"
    )
    file.write_bytes(whole)
    rewrite(file, lambda table: table.set_column(0, "ts", pa.array([None, *range(len(table) - 1)])))
    assert refusal(EventLog.from_parquet, file) == "log.parquet: column 'ts' has missing values; an event log has none"


# ---------------------------------------------------------------------- folders


@pytest.fixture
def folder(log, tmp_path):
    log.save(tmp_path / "folder")
    return tmp_path / "folder"


def test_a_folder_of_something_else_is_refused(tmp_path):
    assert refusal(EventLog.open, tmp_path) == (
        f"{tmp_path.name} is not a folder of mapped columns: it has no header.json to read"
    )


def test_an_unfinished_folder_is_refused(folder):
    (folder / "header.json").unlink()
    assert refusal(EventLog.open, folder) == "folder is not a folder of mapped columns: it has no header.json to read"


def test_a_torn_folder_is_refused(folder):
    shutil.copytree(folder, folder.parent / "whole")
    file = folder / "qty.npy"
    file.write_bytes(file.read_bytes()[:-8])
    assert refusal(EventLog.open, folder).startswith("folder: qty.npy cannot be read as an array: mmap length")
    np.save(file, np.load(folder.parent / "whole" / "qty.npy")[:-1])
    rows = len(np.load(folder / "ts.npy"))
    assert refusal(EventLog.open, folder) == f"folder is torn: its columns have {rows - 1}, {rows} rows"
    file.unlink()
    assert refusal(EventLog.open, folder) == "folder has no column 'qty'; it is not a complete event log"


def test_an_altered_folder_is_found_by_a_check(folder, log):
    qty = np.load(folder / "qty.npy")
    qty[3] += 1
    np.save(folder / "qty.npy", qty)
    assert refusal(EventLog.open, folder, check=True) == (
        "folder does not match its hash; it was changed after it was written"
    )
    assert len(EventLog.open(folder)) == len(log), "without a check the columns are trusted"


def test_an_altered_header_of_a_folder_is_refused(folder):
    file = folder / "header.json"
    file.write_bytes(header_changed(file.read_bytes(), lambda header: header["universe"][0][0].__setitem__(1, "1")))
    assert refusal(EventLog.open, folder) == "folder was altered: its header does not match its hash"
    file.write_text("{")
    assert refusal(EventLog.open, folder) == "folder is torn: its header is incomplete"


def test_a_mapped_log_stays_when_its_folder_is_written_again(folder, log):
    opened = EventLog.open(folder)
    EventLog.open(folder).save(folder)  # also from the files that are replaced
    random_log(4, 150, opened=True).save(folder)
    same(opened, log)


def test_one_process_writes_a_folder(folder, log):
    with FolderLock(folder):
        assert refusal(log.save, folder) == (
            f"folder 'folder' is held by process {os.getpid()}, which is running; one process writes a log"
        )
    same(EventLog.open(folder), log)


def test_a_folder_that_is_written_while_it_is_read_is_refused(folder, monkeypatch):
    def late(file):
        if file.name == "price.npy":
            random_log(4, 150, opened=True).save(folder)
        return mapped(file)

    mapped = storage._mapped
    monkeypatch.setattr(storage, "_mapped", late)
    assert refusal(EventLog.open, folder) == "folder was written anew while it was read; read it again"


def test_the_seal_is_over_plain_data():
    assert hash_plain({"b": [1, "x"], "a": None}) == hash_plain(json.loads('{"a": null, "b": [1, "x"]}'))
