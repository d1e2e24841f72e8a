"""Every kind of file that riskkit reads, as it is written and read, and what can be wrong with one, for tests/house/test_fuzz_files.py."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pandas as pd

import riskkit as rk
from riskkit import desk

DAY = 86_400_000_000_000
RULES = rk.RuleSet(
    [rk.Rule("size", rk.rules.MaxOrderQty(limit=5)), rk.Rule("rate", rk.rules.OrderRate(limit=3, window_ns="1s"))]
)
INSTRUMENTS = [rk.Instrument("X", tick="0.5")]
ROW = {"account": "A", "instrument": "X", "side": "B"}
TABLE = "ts,kind,account,instrument,side,qty,price,order_id\n" + "".join(
    f"{n},order,A,X,B,{n % 7 + 1},{100 + n}.5,o{n}\n{n},fill,A,X,B,1,{100 + n}.5,o{n}\n" for n in range(12)
)
RULES_TEXT = """
[[rules]]
id = "size"
type = "max_order_qty"
params = { limit = "5" }
[[rules]]
id = "rate"
type = "order_rate"
params = { limit = 3, window_ns = "1s" }
"""
UNITS = '[[instruments]]\nid = "X"\ntick = "0.5"\nlot = "1"\n\n[[accounts]]\nid = "A"\ncash = { USD = "100.00" }\n'


class Kind(NamedTuple):
    """A kind of file: how it is written into a folder, and how it is read to something that is equal for equal contents."""

    write: Callable[[Path], Any]
    read: Callable[[Path], Any]
    sealed: bool = True
    """Whether a file that is not as it was written gives the same, or is refused; of a table without a checksum nobody can tell."""


def log() -> rk.EventLog:
    frame = pd.DataFrame(
        {"ts": range(40), "kind": "order", **ROW, "qty": [n % 7 + 1 for n in range(40)], "price": 100.5}
    )
    return rk.EventLog.from_frame(frame.assign(order_id=[f"o{n}" for n in range(40)]), INSTRUMENTS)


def meaning(read: rk.EventLog) -> Any:
    repr(read), read.to_frame(), read.order_labels.rows.sum()
    return read.event_hash, read.universe_hash, rk.replay_log(read, RULES, compiled=False).digest


def table(name: str, write: Callable[[Path], Any]) -> Kind:
    return Kind(lambda folder: write(folder / name), lambda folder: meaning(rk.read_log(folder / name)), sealed=False)


def parquet_table(path: Path) -> None:
    pd.DataFrame({"ts": range(40), "kind": "order", **ROW, "qty": 1.0, "price": 100.5}).to_parquet(path)


def with_units(folder: Path) -> None:
    (folder / "table.csv").write_text(TABLE)
    (folder / "units.toml").write_text(UNITS)


def session(folder: Path | None = None) -> Any:
    if folder is None:
        return rk.Session.create(RULES, INSTRUMENTS, [rk.Account("A")], compiled=False)
    declared = () if any(folder.iterdir()) else (INSTRUMENTS, [rk.Account("A")])
    return rk.Session.open(folder, RULES, *declared, compiled=False, segment_events=16, durability="each")


def order(made: Any, n: int) -> None:
    made.process_order(ts=n * DAY // 16, order_id=f"o{n}", qty=n % 7 + 1, price=100.5, **ROW)


def snapshot(folder: Path) -> None:
    made = session()
    for n in range(20):
        order(made, n)
    (folder / "session.state").write_bytes(made.snapshot())


def restored(folder: Path) -> Any:
    path = folder / "session.state"
    made = rk.Session.restore(path.read_bytes() if path.is_file() else b"", RULES, compiled=False)
    order(made, 99)
    return made.digest


def journal(folder: Path) -> None:
    with session(folder) as made:
        for n in range(40):
            order(made, n)


def journaled(folder: Path) -> Any:
    """The events that a torn end leaves: each has its own digest."""
    opened = rk.open_journal(folder)
    opened.to_frame(), repr(opened.log)
    return (len(opened.log), opened.digest) if len(opened.log) < 32 else opened.digest


def recovered(folder: Path) -> Any:
    with session(folder) as made:
        made.result().to_frame()
        return made.digest


def tracker() -> desk.PositionTracker:
    made = desk.PositionTracker({"A": 1, "B": "0.1"}, remember=20)
    made.set_price("A", 10, 1)
    for n in range(12):
        made.update(f"u{n % 2}", "m", "AB"[n % 2], n % 5 - 2 or 3, 10 + n, timestamp=n, trade_id=f"t{n}")
    made.close_period(20)
    return made


def manager() -> desk.RiskManager:
    made = desk.RiskManager(10_000, bars_per_day=1)
    made.warm_up(pd.DataFrame({"A": [10.0, 10.5, 10.1, 10.4], "B": [20.0, 20.5, 20.0, 19.0]}), timestamp=1)
    made.execute_trade("A", 10, "buy", timestamp=2)
    made.set_limits("ann", "why", timestamp=3, var_limit=50.0)
    return made


def risk_state() -> desk.RiskState:
    made = desk.RiskState()
    made.update(100.0, timestamp=1)
    made.update(90.0, timestamp=2)
    return made


heads: dict[str, str] = {}  # of stores, as somebody notes them elsewhere


def store(kind: Any, name: str) -> Kind:
    def write(folder: Path) -> None:
        with kind(folder / name, part_rows=8) as made:
            made.follow(book := tracker())
            for n in range(12, 24):
                book.update("u0", "m", "A", 1, 10 + n, timestamp=n, trade_id=f"t{n}")
            heads[name] = made.head

    def read(folder: Path) -> Any:
        with kind(folder / name) as made:
            made.verify(heads[name])
            frames = made.user_daily_pnl(), made.current_positions(), made.trade_events()
            return made.rebuild().digest, *(frame.to_csv() for frame in frames)

    return Kind(write, read)


KINDS: dict[str, Kind] = {
    "log.parquet": Kind(
        lambda folder: log().to_parquet(folder / "log.parquet"), lambda folder: meaning(rk.read_log(folder / "log.parquet"))
    ),
    "log folder": Kind(lambda folder: log().save(folder / "log"), lambda folder: meaning(rk.read_log(folder / "log"))),
    "CSV": table("table.csv", lambda path: path.write_text(TABLE)),
    "TSV": table("table.tsv", lambda path: path.write_text(TABLE.replace(",", "\t"))),
    "CSV, gzip": table("table.csv.gz", lambda path: path.write_bytes(gzip.compress(TABLE.encode()))),
    "Parquet": table("table.parquet", parquet_table),
    "units.toml": Kind(
        with_units,
        lambda folder: meaning(rk.read_log(folder / "table.csv", units=folder / "units.toml")),
        sealed=False,
    ),
    "rules.toml": Kind(
        lambda folder: (folder / "rules.toml").write_text(RULES_TEXT),
        lambda folder: rk.RuleSet.from_toml(folder / "rules.toml").hash,
        sealed=False,
    ),
    "snapshot": Kind(snapshot, restored),
    "journal": Kind(journal, journaled),
    "session": Kind(journal, recovered),
    "Parquet store": store(desk.ParquetStore, "store"),
    "DuckDB store": store(desk.DuckDBStore, "store.duckdb"),
}  # fmt: skip
OTHERS = [
    b"",
    b"\x00" * 4096,
    b"PAR1",
    b"PK\x03\x04",
    b"\x93NUMPY\x01\x00",
    b"SQLite format 3\x00",
    b"{}",
    b"[" * 5000,
    b"\xff" * 99,
    b"ts\n",
]
CELLS = [b"9" * 6_000, b"x y" * 3_000, b"1e99999999", b"[" * 3_000, b"-1", b"nan", b"null", b"[]", b"{}", b'"x"', b""]
"""What a word of a file is not."""


def spoilt(data: bytes, draw: Random) -> bytes:
    """The bytes of a file with a bit flipped, a piece lost, doubled, moved or replaced, another word, cut, or all other ones."""
    if not data:
        return b"\x00"
    place, size = draw.randrange(len(data)), draw.choice([1, 2, 8, 64, 512])
    kind = draw.choice(
        ["flip"] * 4 + ["cut", "lose", "double", "zero", "noise", "swap", "other", "longer"] + ["word"] * 4
    )
    if kind == "flip":
        return data[:place] + bytes([data[place] ^ 1 << draw.randrange(8)]) + data[place + 1 :]
    if kind == "word":
        begin, end = draw.choice([word.span() for word in re.finditer(rb"[\w.+-]+", data)] or [(0, 0)])
        return data[:begin] + draw.choice(CELLS) + data[end:]
    if kind == "swap":
        other = draw.randrange(len(data))
        low, high = sorted((place, other))
        return (
            data[:low]
            + data[high : high + size]
            + data[low + size : high]
            + data[low : low + size]
            + data[high + size :]
        )
    return {
        "cut": data[:place],
        "lose": data[:place] + data[place + size :],
        "double": data[:place] + data[place : place + size] + data[place:],
        "zero": data[:place] + bytes(size) + data[place + size :],
        "noise": data[:place] + draw.randbytes(size) + data[place + size :],
        "other": draw.choice(OTHERS),
        "longer": data + draw.choice(OTHERS),
    }[kind]


def spoil(folder: Path, draw: Random) -> str:
    """Spoil one file of a folder, or put another in its place; say what was done."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    path = draw.choice(files)
    kind = draw.choice(["bytes"] * 8 + ["gone", "folder", "other file"])
    if kind == "gone":
        path.unlink()
    elif kind == "folder":
        path.unlink()
        path.mkdir()
    elif kind == "other file":
        path.write_bytes(draw.choice(files).read_bytes())
    else:
        path.write_bytes(spoilt(path.read_bytes(), draw))
    return f"{kind} of {path.name}"


WRONG = [None, -1, 1.5, True, "x", "", [], {}, 10**30, -(2**63), [[1]], "9" * 5_000]
"""What a leaf of plain data is not."""


def leaves(plain: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths to every leaf of plain data, and to every list and table that holds some."""
    inner = plain.items() if isinstance(plain, dict) else enumerate(plain) if isinstance(plain, list) else ()
    return [path] * bool(path) + [leaf for key, value in inner for leaf in leaves(value, (*path, key))]


def with_leaf(plain: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy with another value at a path; without it, if the value is `GONE`."""
    copied = json.loads(json.dumps(plain))
    inner = copied
    for key in path[:-1]:
        inner = inner[key]
    if value is GONE:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return copied


GONE = object()
