"""Sample data: loaders, checksums and licences of the files in ``data/``, and a tiny event log for examples.

Each loader reads one Parquet file, raises `SampleError` if it is absent or its SHA-256 differs from the shipped one,
and returns a tidy frame. ``frame.attrs`` holds source, licence, rights and known defects, as ``samples.toml`` beside
the files declares them.

Prices are never filled, corrected or dropped unless asked. Missing values are NaN (``missing="keep"``), which every
model of riskkit rejects, and doubtful trades are marked (``defects="flag"``); their number is logged and stored in
``frame.attrs["found"]``.
"""

from __future__ import annotations

import hashlib
import logging
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from riskkit._check import InputError, one_of
from riskkit._names import suggest_names

if TYPE_CHECKING:
    pass

__all__ = [
    "SampleError",
    "catalogue",
    "folder",
    "load_factors",
    "load_index",
    "load_nasdaq",
    "load_sp500",
    "load_stocks",
    "load_tape",
    "load_top_of_book",
    "load_vix",
    "load_wti",
]

FACTS = (
    "title", "kind", "rows", "range", "unit", "adjusted", "survivors_only", "source", "licence", "rights", "made",
    "defects", "file", "sha256",
)  # fmt: skip
DONE = {"keep": "kept as NaN", "flag": "kept and marked", "drop": "dropped"}

Missing = Literal["keep", "drop", "raise"]
logger = logging.getLogger(__name__)


class SampleError(RuntimeError):
    """A sample file is absent or differs from the shipped one.

    Examples
    --------
    >>> issubclass(SampleError, RuntimeError)
    True
    """


def folder() -> Path:
    """Return the folder of the samples: inside an installed package, or ``data/`` of a checkout.

    Raises
    ------
    SampleError
        If neither exists.

    Examples
    --------
    >>> (folder() / "README.md").is_file()
    True
    """
    package = Path(__file__).resolve().parent
    for path in (package / "_data", package.parent / "data"):
        if (path / "samples.toml").is_file():
            return path
    raise SampleError("the samples are not installed: neither riskkit/_data nor data/ contains samples.toml")


def catalogue() -> pd.DataFrame:
    """Return the table of samples: title, kind, rows, range, unit, source, licence, rights, defects and checksum.

    ``load_<name>()`` loads a sample and stores the same facts in ``frame.attrs``.

    Examples
    --------
    >>> catalogue()[["kind", "rows", "licence"]]
                      kind    rows       licence
    sample
    stocks            real    8313  BSD-3-Clause
    index             real    8313  BSD-3-Clause
    factors           real    2264  BSD-3-Clause
    sp500             real    5031          NCSA
    nasdaq            real    5031          NCSA
    wti               real    8611          NCSA
    vix               real    1305          NCSA
    tape         simulated   53477           MIT
    top_of_book  simulated  450000           MIT
    """
    rows = {name: {fact: sample[fact] for fact in FACTS} for name, sample in _samples().items()}
    frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("sample")
    return frame.assign(defects=frame["defects"].map(" ".join))


def load_stocks() -> pd.DataFrame:
    """Return daily adjusted closes of 20 US stocks, 1990-01-02 to 2022-12-28, in dollars a share.

    Returns
    -------
    DataFrame of shape (8313, 20)
        Index `date`, one column per ticker, no missing value. Survivors only: see ``attrs["defects"]``.

    Examples
    --------
    >>> stocks = load_stocks()
    >>> stocks.loc["2022-12-28", ["AAPL", "KO"]].to_list()
    [125.674, 62.609]
    >>> stocks.attrs["licence"], stocks.attrs["adjusted"]
    ('BSD-3-Clause', 'for dividends and splits')
    """
    return _daily("stocks").rename_axis(columns="ticker")


def load_index() -> pd.DataFrame:
    """Return daily closes of the S&P 500 on the dates of `load_stocks`, in index points without dividends.

    Returns
    -------
    DataFrame of shape (8313, 1)
        Index `date`, column `sp500`, no missing value.

    Examples
    --------
    >>> load_index().loc["1990-01-02", "sp500"].item()
    359.69
    """
    return _daily("index")


def load_factors() -> pd.DataFrame:
    """Return daily adjusted closes of five factor funds, 2014-01-02 to 2022-12-28, in dollars a share.

    Returns
    -------
    DataFrame of shape (2264, 5)
        Index `date` (the dates of `load_stocks` since 2014), columns MTUM, QUAL, SIZE, USMV and VLUE, no missing
        value.

    Examples
    --------
    >>> load_factors().columns.to_list()
    ['MTUM', 'QUAL', 'SIZE', 'USMV', 'VLUE']
    """
    return _daily("factors").rename_axis(columns="fund")


def load_sp500() -> pd.DataFrame:
    """Return daily bars of the S&P 500, 1999-01-04 to 2018-12-31, in index points and shares.

    Returns
    -------
    DataFrame of shape (5031, 5)
        Index `date`, columns open, high, low, close and volume, no missing value. Until 2009 the open is often the
        close before: see ``attrs["defects"]``.

    Examples
    --------
    >>> load_sp500().loc["2008-10-13", "close"].item()
    1003.349976
    """
    return _daily("sp500")


def load_nasdaq() -> pd.DataFrame:
    """Return daily bars of the NASDAQ Composite, 1999-01-04 to 2018-12-31, in index points and shares.

    Returns
    -------
    DataFrame of shape (5031, 5)
        Index `date`, columns open, high, low, close and volume. The volume 0 of two days means not recorded.

    Examples
    --------
    >>> nasdaq = load_nasdaq()
    >>> nasdaq.index[nasdaq["volume"] == 0].strftime("%Y-%m-%d").to_list()
    ['2015-05-12', '2018-01-09']
    """
    return _daily("nasdaq")


def load_wti(*, missing: Missing = "keep") -> pd.DataFrame:
    """Return the daily spot price of West Texas Intermediate, 1986-01-02 to 2019-01-03, in dollars a barrel.

    Parameters
    ----------
    missing : {'keep', 'drop', 'raise'}
        Treatment of the 290 weekdays without a price: keep them as NaN, drop the rows, or raise.

    Returns
    -------
    DataFrame of shape (8611, 1), or (8321, 1) with ``missing="drop"``
        Index `date`, column `wti`. A return over a dropped row spans more than one weekday.

    Raises
    ------
    InputError
        If ``missing="raise"`` and a value is missing.

    Examples
    --------
    >>> load_wti().attrs["found"], len(load_wti(missing="drop"))
    ({'missing': 290}, 8321)
    """
    return _without_missing(_daily("wti"), missing)


def load_vix(*, missing: Missing = "keep") -> pd.DataFrame:
    """Return the daily close of the VIX, 2014-01-03 to 2019-01-03, in percent a year.

    Parameters
    ----------
    missing : {'keep', 'drop', 'raise'}
        Treatment of the 46 weekdays without a value (days without trading): keep them as NaN, drop the
        rows, or raise.

    Returns
    -------
    DataFrame of shape (1305, 1), or (1259, 1) with ``missing="drop"``
        Index `date`, column `vix`.

    Raises
    ------
    InputError
        If ``missing="raise"`` and a value is missing.

    Examples
    --------
    >>> load_vix(missing="drop").max().item()
    40.74
    """
    return _without_missing(_daily("vix"), missing)


def load_tape(*, defects: Literal["flag", "drop", "raise"] = "flag") -> pd.DataFrame:
    """Return the trades of a simulated exchange, with the names of buyer and seller, in the order of the record.

    Parameters
    ----------
    defects : {'flag', 'drop', 'raise'}
        Treatment of the trades at price 0 (177), of quantity 0 (35) and with the same name on both sides (3,912):
        keep and mark them in the columns `zero_price`, `zero_quantity` and `same_name`; drop them and these columns;
        or raise. A price of 0 is the price of a worthless option, not a missing price.

    Returns
    -------
    DataFrame of shape (53477, 12), or (49353, 9) with ``defects="drop"``
        Columns `ts`, `day`, `timestamp`, `buyer`, `seller`, `symbol`, `currency`, `price`, `quantity` and the marks.
        `day` (2 to 4) and `timestamp` (0 to 999,900 in steps of 100) are the simulation's. `ts` is riskkit's
        convention, for models that need a time: 1970-01-01 UTC + `day` days + `timestamp` milliseconds.

    Raises
    ------
    InputError
        If ``defects="raise"``.

    Examples
    --------
    >>> tape = load_tape()
    >>> tape.attrs["found"]
    {'zero_price': 177, 'zero_quantity': 35, 'same_name': 3912}
    >>> len(load_tape(defects="drop"))
    49353
    """
    one_of(defects, ("flag", "drop", "raise"), "defects")
    frame = _simulated("tape")
    names = sorted({*frame["buyer"].cat.categories, *frame["seller"].cat.categories})
    # Shared categories, so that buyer and seller can be compared directly.
    frame = frame.assign(
        buyer=frame["buyer"].cat.set_categories(names), seller=frame["seller"].cat.set_categories(names)
    )
    marks = pd.DataFrame(
        {
            "zero_price": frame["price"] == 0,
            "zero_quantity": frame["quantity"] == 0,
            "same_name": frame["buyer"] == frame["seller"],
        }
    )
    if defects == "flag":
        frame = frame.assign(**marks)
    return _handle_marked(frame, marks, defects, "defects", "flag")


def load_top_of_book(*, missing: Missing = "keep") -> pd.DataFrame:
    """Return best bid and ask of the 15 products of `load_tape`, every 100 ticks, by day, timestamp and symbol.

    Parameters
    ----------
    missing : {'keep', 'drop', 'raise'}
        Treatment of the 3,021 rows in which one side has no quote: keep them with NaN as price and 0 as volume,
        drop the rows, or raise.

    Returns
    -------
    DataFrame of shape (450000, 9), or (446979, 9) with ``missing="drop"``
        Columns `ts`, `day`, `timestamp`, `symbol`, `bid`, `bid_volume`, `ask`, `ask_volume` and `mid_price`, which
        is the quoted side where the other has no quote. `ts` as in `load_tape`.

    Raises
    ------
    InputError
        If ``missing="raise"`` and a value is missing.

    Examples
    --------
    >>> book = load_top_of_book()
    >>> book.loc[0, "symbol"], *book.loc[0, ["bid", "ask"]].astype(float).to_list()
    ('CROISSANTS', 4265.0, 4266.0)
    """
    frame = _simulated("top_of_book")
    return _without_missing(frame.astype({"bid": "float64", "ask": "float64"}), missing)


def _samples() -> dict[str, dict[str, Any]]:
    """Facts of every sample, in file order."""
    path = folder() / "samples.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SampleError(f"{path} cannot be read ({error}); reinstall riskkit") from None


def _read(name: str) -> pd.DataFrame:
    """Read one file; the bytes whose checksum was verified are the bytes that are parsed."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sample = _samples()[name]
    path = folder() / sample["file"]
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SampleError(f"the sample {name!r} cannot be read: {path} ({error.strerror}); reinstall riskkit") from None
    digest = hashlib.sha256(content).hexdigest()
    if digest != sample["sha256"]:
        raise SampleError(
            f"the sample {name!r} is not the file that was shipped: {path} has SHA-256 {digest[:12]}..., "
            f"not {sample['sha256'][:12]}...; reinstall riskkit"
        )
    frame: pd.DataFrame = pq.read_table(pa.BufferReader(content)).to_pandas()
    frame.attrs = {"name": name, **{fact: sample[fact] for fact in FACTS}, "found": {}, "dropped": 0}
    return frame


def _daily(name: str) -> pd.DataFrame:
    """A daily sample, indexed by date."""
    return _read(name).set_index("date")


def _simulated(name: str) -> pd.DataFrame:
    """A sample of the simulated exchange: integers as int64, since small types overflow, and a time column."""
    frame = _read(name)
    small = frame.select_dtypes("integer").columns
    frame = frame.astype(dict.fromkeys(small, "int64"))
    nanoseconds = (frame["day"] * 86_400_000 + frame["timestamp"]) * 1_000_000
    frame.insert(0, "ts", pd.to_datetime(nanoseconds, unit="ns", utc=True))
    return frame


def _without_missing(frame: pd.DataFrame, missing: Missing) -> pd.DataFrame:
    one_of(missing, ("keep", "drop", "raise"), "missing")
    return _handle_marked(frame, frame.isna().any(axis=1).to_frame("missing"), missing, "missing", "keep")


def _handle_marked(frame: pd.DataFrame, marks: pd.DataFrame, choice: str, argument: str, keeping: str) -> pd.DataFrame:
    """Keep, drop or reject the marked rows; log and store their number."""
    found = {mark: int(count) for mark, count in marks.sum().items()}
    bad = marks.any(axis=1)
    counts = ", ".join(f"{count:,} {mark}" for mark, count in found.items())
    name = frame.attrs["name"]
    if choice == "raise" and bad.any():
        raise InputError(
            f"{argument}='raise': the sample {name!r} contains {counts}; "
            f"use {argument}={keeping!r} to keep them, or 'drop' to remove them"
        )
    logger.warning("sample %r: %s of %s rows, %s", name, counts, f"{len(frame):,}", DONE[choice])
    if choice == "drop":
        frame = frame[~bad].reset_index(drop=True) if isinstance(frame.index, pd.RangeIndex) else frame[~bad]
    frame.attrs["found"] = found
    frame.attrs["dropped"] = int(bad.sum()) if choice == "drop" else 0
    return frame


suggest_names(__name__)
