"""Packed files are read as the files in them, by every door for text tables; an archive of several is refused by name."""

import bz2
import gzip
import io
import lzma
import tracemalloc
import zipfile

import pyarrow as pa
import pytest

import riskkit as rk
from riskkit import InputError
from riskkit.replay.log.packed import unpacked

TRADES = "Time,Market,Action,Quantity,Price\n2024-03-05 14:30:00,ES,Buy,5,5100.25\n2024-03-05 14:31:00,ES,Sell,5,5101\n"
EVENTS = "ts,kind,account,instrument,side,qty,price\n0,order,A,X,B,5,10.5\n"


def zipped(*files, junk=False):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
        if junk:
            archive.writestr("__MACOSX/._a.csv", b"\0")
            archive.writestr("folder/", b"")
    return data.getvalue()


def zstd(data):
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as file:
        file.write(data)
    return sink.getvalue().to_pybytes()


PACK = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstd,
    "zip": lambda data: zipped(("folder/table.csv", data), junk=True),
}


@pytest.mark.parametrize("ending", PACK)
@pytest.mark.parametrize(("name", "text"), [("trades", TRADES), ("events", EVENTS)])
def test_a_packed_table_is_read_as_the_table(tmp_path, ending, name, text):
    plain, packed = tmp_path / f"{name}.csv", tmp_path / f"{name}.csv.{ending}"
    plain.write_text(text)
    packed.write_bytes(PACK[ending](text.encode()))
    assert rk.read_log(packed).event_hash == rk.read_log(plain).event_hash


def test_an_archive_may_have_any_name(tmp_path):
    for name, text in (("export", TRADES), ("log", EVENTS)):
        (tmp_path / f"{name}.zip").write_bytes(PACK["zip"](text.encode()))
        assert sum(rk.read_log(tmp_path / f"{name}.zip").counts().values())


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (zipped(("a.csv", TRADES), ("b/b.csv", TRADES)), r"x.zip is an archive of 2 files \(a.csv, b.csv\); unpack it"),
        (zipped(junk=True), "x.zip is an archive without a file"),
        (zipped(("a.csv", TRADES))[:-30], "x.zip is not a whole zip file"),
        (gzip.compress(TRADES.encode())[:-9], "x.zip is not a whole gzip file"),
        (bz2.compress(TRADES.encode())[:-9], "x.zip is not a whole bzip2 file"),
        (lzma.compress(TRADES.encode())[:-9], "x.zip is not a whole xz file"),
        (zstd(TRADES.encode())[:-9], "x.zip is not a whole Zstandard file"),
    ],
    ids=["several", "none", "zip", "gzip", "bzip2", "xz", "Zstandard"],  # packed bytes hold the time
)
def test_what_cannot_be_unpacked_is_refused_in_a_sentence(tmp_path, data, why):
    with pytest.raises(InputError, match=why):
        unpacked(data, "x.zip")
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(InputError, match=why):
        rk.read.generic_csv(tmp_path / "x.zip")


def test_what_unpacks_to_too_much_is_refused(monkeypatch):
    monkeypatch.setattr("riskkit.replay.log.packed.LARGEST", 100)
    with pytest.raises(InputError, match="unpacks to more than"):
        unpacked(gzip.compress(bytes(101)), "zeros.gz")
    assert len(unpacked(gzip.compress(bytes(100)), "zeros.gz")) == 100


def test_a_small_file_that_unpacks_to_much_is_refused_before_all_of_it_is_there():
    zeros = gzip.compress(bytes(2**27), 9)
    tracemalloc.start()
    with pytest.raises(InputError, match="^zeros.gz unpacks to more than 64 MiB; no table of its size does$"):
        unpacked(zeros, "zeros.gz")
    assert tracemalloc.get_traced_memory()[1] < 2**28
    tracemalloc.stop()


def test_a_workbook_stays_packed():
    workbook = zipped(("[Content_Types].xml", "<x/>"), ("xl/workbook.xml", "<x/>"))
    assert unpacked(workbook, "a.xlsx") == workbook
    assert unpacked(zipped(("a.xlsx", workbook)), "a.zip") == workbook
    assert unpacked(workbook[:-20], "torn.xlsx") == workbook[:-20]
