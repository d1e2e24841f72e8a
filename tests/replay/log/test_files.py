"""A log from a file of one's own: stored logs, tables in text and Parquet, units in TOML, and what is refused."""

from __future__ import annotations

import pandas as pd
import pytest

from riskkit._check import InputError
from riskkit.read.read_log import read_log
from riskkit.replay.log.event_log import EventLog

ROWS = """\
ts,kind,account,instrument,side,qty,price,order_id
2024-03-05 14:30:00,order,desk-1,ESH4,B,2,5100.10,a1
2024-03-05 14:30:00.2,fill,desk-1,ESH4,B,2,5100.10,a1
2024-03-05 14:31:00,price,,ESH4,,,5098.00,
"""
UNITS = """\
[[instruments]]
id = "ESH4"
tick = "0.05"
multiplier = 50
[[accounts]]
id = "desk-1"
cash = { USD = 1000 }
"""


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text(ROWS)
    return path


def test_numbers_of_a_text_are_exact_and_times_may_have_fractions(table):
    log = read_log(table)
    assert log.columns["price"].tolist() == [51001, 51001, 50980]
    assert log.columns["ts"][1] - log.columns["ts"][0] == 200_000_000
    assert log.about == {"title": "orders.csv"}


def test_a_zone_is_taken_for_times_without_one(table):
    assert (
        int(read_log(table, tz="America/New_York").columns["ts"][0] - read_log(table).columns["ts"][0])
        == 5 * 3_600 * 10**9
    )


def test_whole_numbers_as_times_are_nanoseconds(tmp_path):
    path = tmp_path / "n.tsv"
    path.write_text("ts\tkind\tinstrument\tprice\n1709649000000000001\tprice\tX\t1.5\n")
    assert read_log(path).columns["ts"].tolist() == [1709649000000000001]


def test_units_give_money_its_meaning(table, tmp_path):
    units = tmp_path / "units.toml"
    units.write_text(UNITS)
    log = read_log(table, units=units)
    (instrument,) = log.universe.instruments
    assert (float(instrument.tick), instrument.multiplier) == (0.05, 50)
    assert log.universe.accounts[0].cash == {"USD": 1000}


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "tsv", "parquet"])
def test_every_kind_of_table_is_the_same_log(table, tmp_path, ending):
    frame = pd.read_csv(table, dtype=str)
    path = tmp_path / f"copy.{ending}"
    if ending == "parquet":
        frame.to_parquet(path)
        frame["ts"] = pd.to_datetime(frame["ts"], format="ISO8601")
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="\t" if ending == "tsv" else ",")
    assert read_log(path).event_hash == read_log(table).event_hash


def test_stored_logs_come_back_with_what_is_added_to_them(table, tmp_path):
    log = read_log(table)
    log.to_parquet(tmp_path / "log.parquet")
    log.save(tmp_path / "folder")
    for name in ("log.parquet", "folder"):
        again = read_log(tmp_path / name, about={"kind": "synthetic"})
        assert again.event_hash == log.event_hash
        assert again.about == {"title": "orders.csv", "kind": "synthetic"}
    assert "kind" not in EventLog.from_parquet(tmp_path / "log.parquet").about


def refusal(*args, **options) -> str:
    with pytest.raises(InputError) as refused:
        read_log(*args, **options)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_what_is_no_log_is_refused_in_one_sentence(table, tmp_path):
    assert "does not exist" in refusal(tmp_path / "nothing.csv")
    (tmp_path / "text.parquet").write_text("not parquet")
    assert "text.parquet cannot be read as Parquet" in refusal(tmp_path / "text.parquet")
    (tmp_path / "empty.csv").write_text("")
    assert "empty.csv is empty" in refusal(tmp_path / "empty.csv")
    (tmp_path / "bytes.csv").write_bytes(b"ts,kind\n\xff\xfe,price\n")
    assert "bytes.csv cannot be read as a table" in refusal(tmp_path / "bytes.csv")
    (tmp_path / "ragged.csv").write_text("ts,kind\n1,price,3,4\n2,price,4,5,6\n")
    assert "ragged.csv" in refusal(tmp_path / "ragged.csv")
    table.write_text(ROWS.replace("2024-03-05 14:31:00", "soon"))
    assert "column 'ts'" in refusal(table)
    assert "header.json" in refusal(tmp_path)


@pytest.mark.parametrize("ending", ["json", "xlsx", "txt", "zip", "feather"])
def test_a_type_that_is_not_read_is_refused_by_the_types_that_are(table, tmp_path, ending):
    path = tmp_path / f"orders.{ending}"
    path.write_text(ROWS)
    assert refusal(path) == (
        f"orders.{ending} is of no type that is read: .csv, .tsv, .parquet, .pq, also packed, or a folder of EventLog.save, "
        "and no reader of riskkit.read knows it; "
        "read it with pandas and give the frame to EventLog.from_frame"
    )


def test_parquet_is_known_by_its_first_bytes(table, tmp_path):
    read_log(table).to_parquet(tmp_path / "log")
    assert read_log(tmp_path / "log").event_hash == read_log(table).event_hash


def test_files_with_a_byte_order_mark_are_read(table, tmp_path):
    marked, units = tmp_path / "marked.csv", tmp_path / "units.toml"
    marked.write_text(ROWS, encoding="utf-8-sig")
    units.write_text(UNITS, encoding="utf-8-sig")
    assert read_log(marked, units=units).event_hash == read_log(table, units=units).event_hash


def test_units_that_do_not_fit_are_refused_in_one_sentence(table, tmp_path):
    units = tmp_path / "units.toml"
    assert "cannot be read" in refusal(table, units=units)
    for text, sentence in (
        ("[[", "is not TOML"),
        ("[[instrument]]\nid = 'X'", "key 'instrument' is not known; keys are instruments, accounts"),
        ("[[instruments]]\ntick = 1", "is not a table with an id"),
        ("[[instruments]]\nid = 'ESH4'\nticks = 1", "'ESH4' has no 'ticks'; it has id, tick, lot"),
        ("[[instruments]]\nid = 'ESH4'\ntick = -1", "tick=-1 is not above zero"),
        ("[[instruments]]\nid = 'NQ'\ntick = 1", "'ESH4' is not declared"),
    ):
        units.write_text(text)
        assert sentence in refusal(table, units=units)
    units.write_text(UNITS)
    read_log(table, units=units).to_parquet(tmp_path / "log.parquet")
    assert "a stored event log with its own units" in refusal(tmp_path / "log.parquet", units=units)
