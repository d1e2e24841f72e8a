"""The shipped samples: what they are, that a changed file is refused, and that a wheel holds them too."""

import hashlib
import importlib.util
import json
import logging
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskkit import InputError, datasets

ROOT = Path(__file__).parents[1]
DATA = ROOT / "data"
SOURCES = ROOT.parent / "shared" / "data" / "publishable"

needs_sources = pytest.mark.skipif(
    not SOURCES.is_dir(), reason="the source files of data/ are not beside this checkout"
)

SHAPES = {
    "stocks": (8313, 20),
    "index": (8313, 1),
    "factors": (2264, 5),
    "sp500": (5031, 5),
    "nasdaq": (5031, 5),
    "wti": (8611, 1),
    "vix": (1305, 1),
    "tape": (53477, 12),
    "top_of_book": (450000, 9),
}
DATED = [name for name in SHAPES if name not in ("tape", "top_of_book")]
TICKERS = "AAPL AMD BAC BBY CVX GE HD JNJ JPM KO LLY MRK MSFT PEP PFE PG RRC UNH WMT XOM".split()
BARS = ["open", "high", "low", "close", "volume"]


def load(name, **options):
    return getattr(datasets, f"load_{name}")(**options)


@pytest.fixture(scope="module")
def frames():
    return {name: load(name) for name in SHAPES}


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A copy of data/ that the loaders read instead, to be spoilt."""
    folder = tmp_path / "data"
    shutil.copytree(DATA, folder)
    monkeypatch.setattr(datasets, "folder", lambda: folder)
    return folder


def build_script():
    spec = importlib.util.spec_from_file_location("data_build", DATA / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# What is loaded


@pytest.mark.parametrize("name", SHAPES)
def test_shape_and_range(frames, name):
    frame = frames[name]
    assert frame.shape == SHAPES[name]
    assert len(frame) == frame.attrs["rows"] == datasets.catalogue().loc[name, "rows"]
    if name in DATED:
        assert frame.index.name == "date" and frame.index.dtype == "datetime64[us]"
        assert frame.index.is_monotonic_increasing and frame.index.is_unique
        first, last = frame.index[[0, -1]].strftime("%Y-%m-%d")
        assert frame.attrs["range"] == f"{first} to {last}"
    else:
        assert frame.index.equals(pd.RangeIndex(len(frame)))
        days, ticks = frame["day"], frame["timestamp"]
        assert frame.attrs["range"] == f"days {days.min()} to {days.max()}, ticks {ticks.min()} to {ticks.max():,}"


def test_columns_and_types(frames):
    assert frames["stocks"].columns.to_list() == TICKERS and frames["stocks"].columns.name == "ticker"
    assert frames["factors"].columns.to_list() == ["MTUM", "QUAL", "SIZE", "USMV", "VLUE"]
    for name in ("index", "wti", "vix"):
        assert frames[name].columns.to_list() == [{"index": "sp500"}.get(name, name)]
    for name in ("sp500", "nasdaq"):
        assert frames[name].columns.to_list() == BARS
        assert frames[name].dtypes.astype(str).to_list() == ["float64"] * 4 + ["int64"]
    for name in ("stocks", "index", "factors", "wti", "vix"):
        assert (frames[name].dtypes == "float64").all()


def test_whole_numbers_cannot_wrap_round(frames):
    whole = {"tape": ["day", "timestamp", "quantity"], "top_of_book": ["day", "timestamp", "bid_volume", "ask_volume"]}
    for name, columns in whole.items():
        assert (frames[name][columns].dtypes == "int64").all()


@pytest.mark.parametrize("name", ["stocks", "index", "factors", "sp500", "nasdaq"])
def test_nothing_is_missing_and_prices_are_positive(frames, name):
    prices = frames[name].drop(columns="volume", errors="ignore")
    assert np.isfinite(prices).all(axis=None) and (prices > 0).all(axis=None)


@pytest.mark.parametrize("name", ["sp500", "nasdaq"])
def test_bars_are_consistent(frames, name):
    bars = frames[name]
    assert (bars["high"] >= bars[["open", "low", "close"]].max(axis=1)).all()
    assert (bars["low"] <= bars[["open", "close"]].min(axis=1)).all()


def test_the_two_records_of_the_sp500_agree(frames):
    """They come from different packages: neither was spoilt on the way here."""
    both = frames["sp500"].join(frames["index"], how="inner")
    assert len(both) == 5031
    assert (both["close"] - both["sp500"]).abs().max() < 1.2e-4


def test_stocks_index_and_factors_share_their_dates(frames):
    assert frames["stocks"].index.equals(frames["index"].index)
    assert frames["factors"].index.equals(frames["index"].loc["2014":].index)


def test_time_of_the_simulation(frames):
    for name in ("tape", "top_of_book"):
        frame = frames[name]
        assert str(frame["ts"].dtype) == "datetime64[ns, UTC]"
        assert frame["ts"].is_monotonic_increasing
        nanoseconds = frame["ts"].astype("int64")
        assert (nanoseconds == frame["day"] * 86_400 * 10**9 + frame["timestamp"] * 10**6).all()
        assert (frame["timestamp"] % 100 == 0).all()
    assert frames["tape"].loc[0, "ts"] == pd.Timestamp("1970-01-03", tz="UTC")


def test_tape_and_book_join(frames):
    keys = ["day", "timestamp", "symbol"]
    book = frames["top_of_book"]
    assert not book.duplicated(keys).any()
    assert book[keys].equals(book[keys].sort_values(keys, key=lambda c: c.astype(str) if c.name == "symbol" else c))
    joined = frames["tape"].merge(book, on=keys)
    assert len(joined) == len(frames["tape"])
    outside = (joined["price"] < joined["bid"]) | (joined["price"] > joined["ask"])
    assert said(frames["tape"], f"{outside.sum()} trades lie outside the best bid and ask")


# What is wrong with it


def said(frame, text):
    """True if the sample's own list of defects says so."""
    return text in " ".join(frame.attrs["defects"])


def test_defects_of_the_stocks_are_as_said(frames):
    stocks = frames["stocks"]
    returns = stocks.pct_change()
    still = returns == 0
    assert said(stocks, f"{still.to_numpy().mean():.1%} of all returns".replace("%", " %"))
    for ticker in ("AAPL", "RRC"):
        whole, early = still[ticker].mean(), still.loc["1990", ticker].mean()
        assert said(stocks, f"{ticker} {whole:.1%} ({early:.1%} in 1990)".replace("%", " %"))
    assert said(stocks, f"falls {-returns.loc['1990-04-10', 'RRC']:.1%} on 1990-04-10".replace("%", " %"))
    assert said(stocks, f"{(returns.abs() > 0.25).sum().sum()} daily moves exceed 25 %")
    assert stocks.round(3).equals(stocks)
    assert stocks.attrs["survivors_only"] is True


def test_defects_of_the_funds_are_as_said(frames):
    still = (frames["factors"].pct_change() == 0).mean().sort_values()
    assert still.index[-1] == "SIZE"
    text = f"{still.iloc[-1]:.1%} of its returns are exactly 0, of the others at most {still.iloc[-2]:.1%}"
    assert said(frames["factors"], text.replace("%", " %"))


def test_defects_of_the_bars_are_as_said(frames):
    bars = frames["sp500"]
    stale = bars["open"] == bars["close"].shift()
    early = stale.loc[:"2005"]
    assert said(
        bars, f"{stale.sum():,} of {len(bars):,} days, {early.sum():,} of them among the {len(early):,} of 1999"
    )
    assert said(bars, f"Volume repeats the day before on {(bars['volume'].diff() == 0).sum()} days")
    assert (frames["nasdaq"]["open"] == frames["nasdaq"]["close"].shift()).sum() == 8
    for day in frames["nasdaq"].index[frames["nasdaq"]["volume"] == 0]:
        assert said(frames["nasdaq"], day.strftime("%Y-%m-%d"))


def test_defects_of_oil_and_vix_are_as_said(frames):
    traded = frames["index"].index
    for name in ("wti", "vix"):
        frame = frames[name]
        assert frame.index.equals(pd.bdate_range(frame.index[0], frame.index[-1]).as_unit("us"))
        assert said(frame, f"and {frame[name].isna().sum()} have no")
    wti, vix = (frames[name][name] for name in ("wti", "vix"))
    assert said(frames["wti"], f"{wti.index[wti.isna()].isin(traded).sum()} days since 1990 on which")
    assert not vix.index[vix.isna()].isin(traded).any()
    assert wti.min() > 0


def test_defects_of_the_tape_are_as_said(frames):
    tape = frames["tape"]
    marks = tape[["zero_price", "zero_quantity", "same_name"]]
    assert tape.attrs["found"] == {"zero_price": 177, "zero_quantity": 35, "same_name": 3912} == marks.sum().to_dict()
    assert (tape["zero_price"] == (tape["price"] == 0)).all()
    assert (tape["zero_quantity"] == (tape["quantity"] == 0)).all()
    assert (tape["same_name"] == (tape["buyer"].astype(str) == tape["seller"].astype(str))).all()
    assert (tape["price"] >= 0).all() and (tape["quantity"] >= 0).all()
    for count in tape.attrs["found"].values():
        assert said(tape, f"{count:,} trades ")
    assert marks.sum(axis=1).max() == 1
    assert said(tape, f"{marks.any(axis=1).sum():,} of {len(tape):,} rows are marked")
    worthless = tape[tape["zero_price"]]
    assert set(worthless["symbol"]) == {"VOLCANIC_ROCK_VOUCHER_10500"} and set(worthless["day"]) == {3, 4}
    joined = worthless.merge(frames["top_of_book"], on=["day", "timestamp", "symbol"])
    assert ((joined["bid"] == 0) | joined["bid"].isna()).all()
    recorded = ["day", "timestamp", "buyer", "seller", "symbol", "currency", "price", "quantity"]
    assert said(tape, f"{tape.duplicated(recorded).sum()} rows equal an earlier row")


def test_defects_of_the_book_are_as_said(frames):
    book = frames["top_of_book"]
    no_bid, no_ask = book["bid"].isna(), book["ask"].isna()
    assert said(book, f"{no_bid.sum():,} rows have no bid and {no_ask.sum()} has no ask")
    assert book.loc[no_bid | no_ask, "symbol"].astype(str).str.contains("VOUCHER").all()
    assert (book.loc[no_bid, "bid_volume"] == 0).all() and (book.loc[no_ask, "ask_volume"] == 0).all()
    assert said(
        book, f"{(book['bid'].notna() & (book['bid_volume'] == 0)).sum()} best bids and 1 best ask have a price"
    )
    assert (book["ask"].notna() & (book["ask_volume"] == 0)).sum() == 1
    at_zero = (book["bid"] == 0) | (book["ask"] == 0)
    assert said(book, f"{(book['bid'] == 0).sum():,} bids and {(book['ask'] == 0).sum()} asks stand at price 0")
    assert set(book.loc[at_zero, "symbol"]) == {"VOLCANIC_ROCK_VOUCHER_10500"}
    assert (book["mid_price"] == book[["bid", "ask"]].mean(axis=1)).all()
    assert not (book["bid"] >= book["ask"]).any()


# What the reader chooses


@pytest.mark.slow
@pytest.mark.parametrize(("name", "count"), [("wti", 290), ("vix", 46), ("top_of_book", 3021)])
def test_missing(frames, name, count, caplog):
    with caplog.at_level(logging.WARNING, logger="riskkit"):
        dropped = load(name, missing="drop")
    assert caplog.messages == [f"sample {name!r}: {count:,} missing of {len(frames[name]):,} rows, dropped"]
    whole = frames[name]
    assert whole.isna().any(axis=1).sum() == count == whole.attrs["found"]["missing"]
    assert whole.attrs["dropped"] == 0 and dropped.attrs["dropped"] == count
    expected = whole.dropna()
    if name == "top_of_book":
        expected = expected.reset_index(drop=True)
    pd.testing.assert_frame_equal(dropped, expected)
    with pytest.raises(InputError, match=rf"missing='raise': .*{name}.* {count:,} missing; use missing='keep'"):
        load(name, missing="raise")
    with pytest.raises(InputError, match="missing='fill' is not one of 'keep', 'drop', 'raise'"):
        load(name, missing="fill")


@pytest.mark.slow
def test_defects_of_the_tape_are_a_choice(frames, caplog):
    with caplog.at_level(logging.WARNING, logger="riskkit"):
        dropped = datasets.load_tape(defects="drop")
        datasets.load_tape()
    counts = "177 zero_price, 35 zero_quantity, 3,912 same_name of 53,477 rows"
    assert caplog.messages == [f"sample 'tape': {counts}, dropped", f"sample 'tape': {counts}, kept and marked"]
    marks = ["zero_price", "zero_quantity", "same_name"]
    tape = frames["tape"]
    expected = tape[~tape[marks].any(axis=1)].drop(columns=marks).reset_index(drop=True)
    pd.testing.assert_frame_equal(dropped, expected)
    assert dropped.attrs["dropped"] == 4124 and dropped.attrs["found"] == tape.attrs["found"]
    with pytest.raises(InputError, match="defects='raise': .* 177 zero_price, .*; use defects='flag'"):
        datasets.load_tape(defects="raise")
    with pytest.raises(InputError, match="defects='keep' is not one of 'flag', 'drop', 'raise'"):
        datasets.load_tape(defects="keep")


# What is said about it


@pytest.mark.parametrize("name", SHAPES)
def test_attrs_are_plain_and_survive(frames, name):
    attrs = frames[name].attrs
    assert json.loads(json.dumps(attrs)) == attrs
    assert attrs["name"] == name
    assert set(datasets.FACTS) < set(attrs)
    assert attrs["kind"] == ("simulated" if name in ("tape", "top_of_book") else "real")
    assert attrs["rights"].startswith("The licence is the package's; the rights in the ")
    assert frames[name].iloc[:5].attrs == attrs


def test_a_frame_can_be_changed_without_changing_the_next(frames):
    first = datasets.load_index()
    first.iloc[0] = -1.0
    first.attrs["defects"].append("spoilt")
    second = datasets.load_index()
    pd.testing.assert_frame_equal(second, frames["index"])
    assert second.attrs == frames["index"].attrs


def test_catalogue():
    table = datasets.catalogue()
    assert table.index.to_list() == list(SHAPES) and table.index.name == "sample"
    assert table.columns.to_list() == list(datasets.FACTS)
    assert not table.isna().any(axis=None)


def test_every_file_is_accounted_for():
    table = datasets.catalogue()
    assert sorted(path.name for path in DATA.glob("*.parquet")) == sorted(table["file"])
    for name, row in table.iterrows():
        content = (DATA / row["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == row["sha256"], name
    assert sum(path.stat().st_size for path in DATA.rglob("*") if path.is_file()) < 5_000_000


def test_readme_says_what_samples_toml_says():
    build = build_script()
    text = (DATA / "README.md").read_text(encoding="utf-8")
    assert text == build.readme(text)
    samples = build.read_samples()
    for name, sample in samples.items():
        section = text.partition(f"## {sample['file']}\n")[2].partition("\n## ")[0]
        for fact in (
            "title",
            "sha256",
            "licence",
            "licence_file",
            "rights",
            "made",
            "source",
            "range",
            "source_sha256",
        ):
            assert sample[fact] in section, (name, fact)
        for defect in sample["defects"]:
            assert f"- {defect}\n" in section
        assert f"load_{name}()" in section
        assert "Copyright" in (DATA / sample["licence_file"]).read_text(encoding="utf-8")


def test_readme_names_the_version_that_made_the_files():
    version = created_by().removeprefix("parquet-cpp-arrow version ")
    assert f"made with pyarrow {version}:" in (DATA / "README.md").read_text(encoding="utf-8")


# A file that is not the one that was shipped


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("place", [0.0, 0.5, 1.0])
def test_one_changed_byte_is_refused(copied, name, place):
    path = copied / datasets.catalogue().loc[name, "file"]
    content = bytearray(path.read_bytes())
    content[int(place * (len(content) - 1))] ^= 1
    path.write_bytes(content)
    with pytest.raises(
        datasets.SampleError, match=rf"'{name}' is not the file that was shipped: .*{path.name} has SHA-256"
    ):
        load(name)


@pytest.mark.parametrize("name", SHAPES)
def test_a_file_cut_short_or_absent_is_refused(copied, name):
    path = copied / datasets.catalogue().loc[name, "file"]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(datasets.SampleError, match="is not the file that was shipped"):
        load(name)
    path.unlink()
    with pytest.raises(datasets.SampleError, match=rf"'{name}' cannot be read: .*{path.name} \(No such file"):
        load(name)


def test_a_broken_description_is_refused(copied):
    (copied / "samples.toml").write_text("[stocks\n", encoding="utf-8")
    with pytest.raises(datasets.SampleError, match=r"samples\.toml cannot be read"):
        datasets.catalogue()


def test_no_samples_at_all(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "__file__", str(tmp_path / "riskkit" / "datasets.py"))
    with pytest.raises(datasets.SampleError, match="the samples are not installed"):
        datasets.load_index()


def test_the_samples_inside_the_package_come_first(tmp_path, monkeypatch):
    """Beside an installed package, a folder named data is somebody else's."""
    monkeypatch.setattr(datasets, "__file__", str(tmp_path / "riskkit" / "datasets.py"))
    for place in ("data", "riskkit/_data"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "samples.toml").touch()
    assert datasets.folder() == tmp_path.resolve() / "riskkit" / "_data"


# Where it comes from


def source(name, **options):
    return pd.read_csv(SOURCES / f"{name}.csv.gz", index_col="Date", **options)


@needs_sources
@pytest.mark.parametrize(
    ("name", "file"),
    [("stocks", "skfolio_sp500_dataset"), ("index", "skfolio_sp500_index"), ("factors", "skfolio_factors_dataset")],
)
def test_closes_equal_their_source(frames, name, file):
    text = source(file, dtype=str)
    assert frames[name].index.strftime("%Y-%m-%d").to_list() == text.index.to_list()
    assert (frames[name].to_numpy() == [[float(cell) for cell in row] for row in text.to_numpy()]).all()


@needs_sources
@pytest.mark.parametrize("name", ["sp500", "nasdaq"])
def test_bars_equal_their_source(frames, name):
    text = source(f"arch_{name}", dtype=str)
    assert (text["Adj Close"] == text["Close"]).all()
    kept = text[["Open", "High", "Low", "Close", "Volume"]].to_numpy()
    assert (frames[name].to_numpy() == [[float(cell) for cell in row] for row in kept]).all()
    assert [f"{day.month}/{day.day}/{day.year}" for day in frames[name].index] == text.index.to_list()


@needs_sources
@pytest.mark.parametrize("name", ["wti", "vix"])
def test_missing_values_are_the_points_of_the_source(frames, name):
    text = source(f"arch_{name}", dtype=str, keep_default_na=False).iloc[:, 0]
    values = frames[name][name].to_list()
    for cell, value in zip(text, values, strict=True):
        assert np.isnan(value) if cell == "." else value == float(cell)
    assert [f"{day.month}/{day.day}/{day.year}" for day in frames[name].index] == text.index.to_list()


@needs_sources
def test_tape_equals_its_source(frames):
    theirs = pd.read_parquet(SOURCES / "imc_prosperity3_round5_trades.parquet")
    for column in theirs:
        assert (frames["tape"][column].astype(theirs[column].dtype) == theirs[column]).all(), column


@needs_sources
def test_book_equals_its_source(frames):
    names = {
        "day": "day", "timestamp": "timestamp", "product": "symbol", "bid_price_1": "bid", "bid_volume_1": "bid_volume",
        "ask_price_1": "ask", "ask_volume_1": "ask_volume", "mid_price": "mid_price",
    }  # fmt: skip
    theirs = pd.read_parquet(SOURCES / "imc_prosperity3_round5_book3.parquet")[list(names)].rename(columns=names)
    theirs = theirs.astype({"symbol": str}).set_index(["day", "timestamp", "symbol"]).astype("float64")
    ours = frames["top_of_book"].drop(columns="ts").astype({"symbol": str}).set_index(["day", "timestamp", "symbol"])
    theirs = theirs.reindex(ours.index)
    for side in ("bid", "ask"):
        assert (theirs[f"{side}_volume"].isna() == theirs[side].isna()).all()
        theirs[f"{side}_volume"] = theirs[f"{side}_volume"].fillna(0.0)
    pd.testing.assert_frame_equal(ours.astype("float64"), theirs, check_exact=True)


def created_by():
    return pq.read_metadata(DATA / "stocks.parquet").created_by


def run(arguments, **options):
    return subprocess.run([sys.executable, *map(str, arguments)], capture_output=True, text=True, **options)


@needs_sources
def test_build_makes_the_shipped_files_again(tmp_path):
    done = run([DATA / "build.py", SOURCES, "--out", tmp_path], cwd=tmp_path)
    files = datasets.catalogue()["file"]
    for file in files:
        assert pq.read_table(tmp_path / file).equals(pq.read_table(DATA / file)), file
    if created_by() == f"parquet-cpp-arrow version {pa.__version__}":
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.count(" as in samples.toml") == len(files)
        for file in files:
            assert (tmp_path / file).read_bytes() == (DATA / file).read_bytes(), file


def test_build_refuses_another_source(tmp_path):
    (tmp_path / "skfolio_sp500_dataset.csv.gz").write_bytes(b"something else")
    done = run([DATA / "build.py", tmp_path, "--out", tmp_path])
    assert done.returncode == 1
    assert "skfolio_sp500_dataset.csv.gz is not the file that samples.toml names as the source of stocks" in done.stderr
    assert not list(tmp_path.glob("*.parquet"))


# From an installed wheel


def test_an_installed_wheel_holds_the_samples(tmp_path):
    """The wheel is unpacked as an installer would, and loaded from a folder with no checkout around it."""
    built = run(["-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path / "dist"], cwd=ROOT)
    assert built.returncode == 0, built.stderr
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    shipped = {path.relative_to(DATA) for path in DATA.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    packed = {
        path.relative_to(site / "riskkit/_data") for path in (site / "riskkit/_data").rglob("*") if path.is_file()
    }
    assert packed == shipped - {Path("build.py")}
    script = (
        "from riskkit import datasets\n"
        "print(datasets.folder())\n"
        "for name in datasets.catalogue().index:\n"
        "    print(name, len(getattr(datasets, f'load_{name}')()))\n"
    )
    done = run(["-W", "error", "-c", script], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(site)})
    assert done.returncode == 0, done.stderr
    place, *lines = done.stdout.splitlines()
    assert Path(place) == (site / "riskkit" / "_data").resolve()
    assert lines == [f"{name} {shape[0]}" for name, shape in SHAPES.items()]
