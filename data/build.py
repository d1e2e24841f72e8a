"""Make the Parquet files of this folder from the packages' files, and the list in README.md from samples.toml.

python data/build.py FOLDER              make every file beside this script from the source files in FOLDER
python data/build.py FOLDER --out OTHER  make them elsewhere, to compare
python data/build.py --readme            only write the list in README.md

Every source is checked against its checksum in samples.toml before it is read, and every file is named with its own
checksum and whether samples.toml agrees. The same pyarrow version makes the same bytes; the version that made the
shipped files is in README.md.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).resolve().parent
MARK = "<!-- Below this line: written by build.py from samples.toml. -->\n"
TAPE_CODES = ("buyer", "seller", "symbol", "currency")


def closes(content: bytes, names: dict[str, str]) -> pa.Table:
    """ISO dates and one column of numbers a series; `names` renames columns."""
    return table(dated(read_csv(content), "%Y-%m-%d").rename(columns=names))


def bars(content: bytes) -> pa.Table:
    """US dates; open, high, low, close and volume. The adjusted close must be the close, and is left out."""
    frame = dated(read_csv(content), "%m/%d/%Y").rename(columns=str.lower)
    if not frame["adj close"].equals(frame["close"]):
        raise SystemExit("Adj Close differs from Close, so it may not be left out")
    return table(frame.drop(columns="adj close").astype({"volume": "int64"}))


def fred(content: bytes, names: dict[str, str]) -> pa.Table:
    """US dates and a column in which a point stands for a missing value."""
    return table(dated(read_csv(content).replace(".", "nan"), "%m/%d/%Y").rename(columns=names))


def tape(content: bytes) -> pa.Table:
    """Rows as they come; integers in the smallest type that holds them."""
    frame = pd.read_parquet(io.BytesIO(content))
    return table(frame.astype({"day": "int8", "timestamp": "int32", "quantity": "int16"}), codes=TAPE_CODES)


def top_of_book(content: bytes) -> pa.Table:
    """Level 1 of the book, in one fixed order; an absent quote keeps its missing price and has volume 0."""
    frame = pd.read_parquet(io.BytesIO(content))
    frame = pd.DataFrame(
        {
            "day": frame["day"].astype("int8"),
            "timestamp": frame["timestamp"],
            "symbol": frame["product"].astype(str),
            "bid": frame["bid_price_1"].astype("Int32"),
            "bid_volume": frame["bid_volume_1"].fillna(0).astype("int16"),
            "ask": frame["ask_price_1"].astype("Int32"),
            "ask_volume": frame["ask_volume_1"].fillna(0).astype("int16"),
            "mid_price": frame["mid_price"],
        }
    )
    return table(frame.sort_values(["day", "timestamp", "symbol"], ignore_index=True), codes=("symbol",))


MAKERS: dict[str, Callable[[bytes], pa.Table]] = {
    "stocks": lambda content: closes(content, {}),
    "index": lambda content: closes(content, {"SP500": "sp500"}),
    "factors": lambda content: closes(content, {}),
    "sp500": bars,
    "nasdaq": bars,
    "wti": lambda content: fred(content, {"DCOILWTICO": "wti"}),
    "vix": lambda content: fred(content, {}),
    "tape": tape,
    "top_of_book": top_of_book,
}


def read_csv(content: bytes) -> pd.DataFrame:
    """Read every cell as the text that it is."""
    return pd.read_csv(io.BytesIO(content), compression="gzip", dtype=str, keep_default_na=False)


def dated(text: pd.DataFrame, date_format: str) -> pd.DataFrame:
    """Text to dates and to the nearest floats (pandas' own parsing of numbers may be one bit off)."""
    numbers = {name: [float(cell) for cell in text[name]] for name in text.columns.drop("Date")}
    return pd.DataFrame({"date": pd.to_datetime(text["Date"], format=date_format), **numbers})


def table(frame: pd.DataFrame, codes: tuple[str, ...] = ()) -> pa.Table:
    """Arrow table without pandas' notes (they name versions); `codes` become dictionaries in alphabetical order."""
    for name in codes:
        frame[name] = pd.Categorical(frame[name], categories=sorted(frame[name].astype(str).unique()))
    made = pa.Table.from_pandas(frame, preserve_index=False)
    fields = [f.with_type(pa.timestamp("us")) if pa.types.is_timestamp(f.type) else f for f in made.schema]
    return made.cast(pa.schema(fields)).replace_schema_metadata(None)


def write(made: pa.Table, path: Path) -> None:
    """Write one row group with everything that could vary fixed."""
    repeats = [f.name for f in made.schema if not pa.types.is_floating(f.type) or f.name == "mid_price"]
    pq.write_table(
        made, path, compression="zstd", compression_level=19, use_dictionary=repeats, row_group_size=1 << 20,
        version="2.6", data_page_version="1.0",
    )  # fmt: skip


def read_samples() -> dict[str, dict[str, Any]]:
    """Read the description of every sample."""
    return tomllib.loads((HERE / "samples.toml").read_text(encoding="utf-8"))


def build(folder: Path, out: Path) -> bool:
    """Make every file; True if each has the checksum that samples.toml names."""
    agrees = True
    for name, sample in read_samples().items():
        content = (folder / sample["source_file"]).read_bytes()
        if hashlib.sha256(content).hexdigest() != sample["source_sha256"]:
            raise SystemExit(f"{sample['source_file']} is not the file that samples.toml names as the source of {name}")
        path = out / sample["file"]
        write(MAKERS[name](content), path)
        made = path.read_bytes()
        digest = hashlib.sha256(made).hexdigest()
        agrees &= digest == sample["sha256"]
        verdict = "as in samples.toml" if digest == sample["sha256"] else "NOT as in samples.toml"
        print(f"{digest}  {sample['file']:<20} {len(made):>9,} bytes  {verdict}")
    return agrees


def describe(name: str, sample: dict[str, Any]) -> str:
    """One sample as a section of README.md."""
    licence = sample["licence_file"]
    facts = {
        "loader": f"`riskkit.datasets.load_{name}()`",
        "range": f"{sample['rows']:,} rows, {sample['range']}",
        "unit": sample["unit"],
        "kind": sample["kind"],
        "adjusted": sample["adjusted"],
        "survivors only": "yes" if sample["survivors_only"] else "no",
        "source": f"{sample['source']}, `{sample['source_file']}`, sha256 `{sample['source_sha256']}`",
        "licence": f"{sample['licence']} (of the package), text in [{licence}]({licence})",
        "rights": sample["rights"],
        "made": sample["made"],
        "sha256": f"`{sample['sha256']}`",
    }
    rows = "".join(f"| {label} | {value} |\n" for label, value in facts.items())
    defects = "".join(f"- {defect}\n" for defect in sample["defects"])
    return f"\n## {sample['file']}\n\n{sample['title']}.\n\n| | |\n|---|---|\n{rows}\nDefects:\n\n{defects}"


def readme(text: str) -> str:
    """`text` with the list of samples written anew."""
    head, mark, _ = text.partition(MARK)
    if not mark:
        raise SystemExit("README.md has lost the line below which the list is written")
    return head + mark + "".join(describe(name, sample) for name, sample in read_samples().items())


def main() -> int:
    """Read the command line; 1 if a file differs from samples.toml."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, help="folder with the source files")
    parser.add_argument("--out", type=Path, default=HERE, help="where the Parquet files go (default: this folder)")
    parser.add_argument("--readme", action="store_true", help="write the list in README.md")
    choice = parser.parse_args()
    if choice.folder is None and not choice.readme:
        parser.error("give the folder of the source files, or --readme")
    agrees = build(choice.folder, choice.out) if choice.folder else True
    if choice.readme:
        path = HERE / "README.md"
        path.write_text(readme(path.read_text(encoding="utf-8")), encoding="utf-8")
    return 0 if agrees else 1


if __name__ == "__main__":
    sys.exit(main())
