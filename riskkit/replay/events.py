"""The event log: recorded orders, fills and prices in one total order, as integer columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit._check import InputError
from riskkit._show import Row, Shown
from riskkit.replay.columns import MISSING, Flag, Kind
from riskkit.replay.digest import hash_columns, hash_plain
from riskkit.replay.door import columns_from_frame, infer_instruments
from riskkit.replay.storage import open_mapped, read_parquet, write_mapped, write_parquet
from riskkit.replay.universe import Account, Instrument, Universe
from riskkit.replay.vectorbt import frame_from_portfolio

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["EventLog"]


class EventLog(Shown):
    """Events in the total order (ts, seq), as integer columns with the universe that gives them meaning.

    Make one with `from_frame`, `from_vectorbt`, `from_parquet` or `open`. ``seq`` is the row; nothing else ever
    decides an order. ``columns`` maps a name to an array of shape (n_events,); see `riskkit.replay.columns`.
    """

    def __init__(
        self,
        columns: dict[str, np.ndarray],
        pair_account: np.ndarray,
        pair_instrument: np.ndarray,
        universe: Universe,
        about: Mapping[str, Any] | None = None,
        *,
        known_hash: bytes | None = None,
    ) -> None:
        self.columns = columns
        self.pair_account = np.asarray(pair_account, np.int32)
        self.pair_instrument = np.asarray(pair_instrument, np.int32)
        self.universe = universe
        self.about = dict(about or {})
        self._known_hash = known_hash

    # ------------------------------------------------------------------ making one

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        instruments: Sequence[Instrument] | None = None,
        accounts: Sequence[Account | str] = (),
        *,
        quanta: Mapping[str, Any] | None = None,
        tz: str = "UTC",
        on_bad_order: str = "raise",
        ts_policy: str = "raise",
        about: Mapping[str, Any] | None = None,
    ) -> EventLog:
        """Convert a frame with one event a row; it is taken whole or refused whole.

        Parameters
        ----------
        frame : DataFrame
            Columns as in ``riskkit.replay.door.FRAME_COLUMNS``: ts, kind, account, instrument, side, qty, price,
            order_id, ... Numbers may be floats, ints, strings or Decimals.
        instruments : sequence of Instrument, optional
            Ticks, lots, multipliers, currencies; by default what `infer_instruments` proposes.
        accounts : sequence of Account or str
            Opening cash and positions; accounts that only occur in the frame start empty.
        quanta : mapping of currency to amount, optional
            Money that the integer 1 stands for; by default the largest in which nothing needs rounding.
        tz : str
            Time zone of times that carry none.
        on_bad_order : {"raise", "flag"}
            What happens to an *order* with a bad or off-grid price or quantity: refusal, or a flag for the rule
            ``lot_tick`` to judge. A bad fill or price is always refused.
        ts_policy : {"raise", "reject", "clamp", "sort"}
            What happens to a time below the one before: refusal, an event that is counted and touches nothing,
            the time before it, or a stable sort of the frame.
        about : mapping, optional
            What a reader of a report should know of the data: title, kind (real, simulated, synthetic), adjusted,
            survivors_only.

        Raises
        ------
        InputError
            One sentence with the row and the column, what came and what fits.

        Examples
        --------
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"ts": [1, 2], "kind": ["order", "fill"], "account": "A", "instrument": "X",
        ...                       "side": "B", "qty": [2, 2], "price": [10.5, 10.5], "order_id": "a"})
        >>> log = EventLog.from_frame(frame)
        >>> len(log), log.columns["price"].tolist()
        (2, [105, 105])
        """
        columns, pair_account, pair_instrument, universe = columns_from_frame(
            frame, instruments, accounts, quanta, tz, on_bad_order, ts_policy
        )
        return cls(columns, pair_account, pair_instrument, universe, about)

    @classmethod
    def from_vectorbt(
        cls, portfolio: Any, *, tick: Any = None, lot: Any = None, about: Mapping[str, Any] | None = None
    ) -> EventLog:
        """Read a vectorbt portfolio: one account a column, its orders with their fills, its closes as prices.

        Parameters
        ----------
        portfolio : vectorbt.Portfolio
            From signals, orders or an order function; a DatetimeIndex gives the times.
        tick, lot : str, Decimal or float, optional
            Steps of price and size; by default the fewest decimals that hold what occurred.
        about : mapping, optional
            What a reader of a report should know of the data.

        Raises
        ------
        InputError
            Where the index has no times, or sizes need more decimals than the lot has: use integer sizes
            (``size_granularity=1``) or give ``lot``.
        """
        frame, instruments, accounts = frame_from_portfolio(portfolio, tick, lot)
        return cls.from_frame(frame, instruments, accounts, about=about)

    @staticmethod
    def infer_instruments(frame: pd.DataFrame) -> list[Instrument]:
        """Propose instruments for a frame; see `riskkit.replay.door.infer_instruments`."""
        return infer_instruments(frame)

    # ------------------------------------------------------------------ storage

    def to_parquet(self, path: str | Path) -> None:
        """Write the log as one Parquet file (zstd; about an eighth of its size in memory)."""
        write_parquet(path, self.columns, self._header())

    @classmethod
    def from_parquet(cls, path: str | Path) -> EventLog:
        """Read what `to_parquet` wrote.

        Raises
        ------
        InputError
            Where the file is no event log, of another format, or its content does not match its hash.
        """
        columns, header = read_parquet(path)
        log = cls._with_header(columns, header)
        if hash_columns(columns).hex() != header["hash"]:
            raise InputError(f"{Path(path).name} does not match its own hash; it was changed after it was written")
        return log

    def save(self, path: str | Path) -> None:
        """Write the log as a folder of arrays that `open` maps without reading."""
        write_mapped(path, self.columns, self._header())

    @classmethod
    def open(cls, path: str | Path) -> EventLog:
        """Map a folder that `save` wrote; a log larger than memory replays from it.

        The hash in the header is trusted: checking it would read everything.
        """
        columns, header = open_mapped(path)
        return cls._with_header(columns, header)

    def _header(self) -> dict[str, Any]:
        return {
            "universe": self.universe.describe(),
            "pairs": [self.pair_account.tolist(), self.pair_instrument.tolist()],
            "about": self.about,
            "hash": self.event_hash.hex(),
        }

    @classmethod
    def _with_header(cls, columns: dict[str, np.ndarray], header: dict[str, Any]) -> EventLog:
        universe = Universe.from_description(header["universe"])
        return cls(columns, *header["pairs"], universe, header["about"], known_hash=bytes.fromhex(header["hash"]))

    # ------------------------------------------------------------------ looking at one

    def __len__(self) -> int:
        """The number of events."""
        return len(self.columns["ts"])

    @cached_property
    def event_hash(self) -> bytes:
        """Hash of the events, whatever they were read from."""
        return self._known_hash or hash_columns(self.columns)

    @cached_property
    def universe_hash(self) -> bytes:
        """Hash of the labels and units."""
        return hash_plain(self.universe.describe())

    def counts(self) -> dict[str, int]:
        """Number of events of each kind that occurs."""
        found = np.bincount(self.columns["kind"], minlength=len(Kind))
        return {Kind(code).name: int(count) for code, count in enumerate(found) if count}

    def to_frame(self) -> pd.DataFrame:
        """The events with labels, times, quantities and prices as people read them."""
        import pandas as pd

        columns, universe = self.columns, self.universe
        code = columns["instrument"]
        tick = np.array([float(i.tick) for i in universe.instruments] + [np.nan])
        lot = np.array([float(i.lot) for i in universe.instruments] + [np.nan])
        priced = np.isin(columns["kind"], (Kind.ORDER, Kind.MODIFY, Kind.FILL, Kind.PRICE)) & (
            columns["price"] != MISSING
        )
        frame = pd.DataFrame(
            {
                "ts": pd.to_datetime(columns["ts"], utc=True),
                "kind": pd.Categorical.from_codes(columns["kind"], [kind.name for kind in Kind]),
                "account": pd.Categorical.from_codes(columns["account"], [a.id for a in universe.accounts]),
                "instrument": pd.Categorical.from_codes(code, [i.id for i in universe.instruments]),
                "side": columns["side"],
                "qty": np.where(code >= 0, columns["qty"] * lot[code], np.nan),
                "price": np.where(priced, np.where(priced, columns["price"], 0) * tick[code], np.nan),
                "order": columns["order"],
            }
        )
        frame.index.name = "seq"
        return frame

    def to_frame_row(self, seq: int) -> str:
        """One event in words."""
        import pandas as pd

        columns, universe = self.columns, self.universe
        kind = Kind(int(columns["kind"][seq]))
        words = [f"event {seq}", str(pd.Timestamp(int(columns["ts"][seq]), tz="UTC")), kind.name]
        account, code = int(columns["account"][seq]), int(columns["instrument"][seq])
        words += [universe.accounts[account].id] if account >= 0 else []
        if code >= 0:
            instrument = universe.instruments[code]
            words += [instrument.id]
            if kind in (Kind.ORDER, Kind.FILL, Kind.MODIFY):
                words += [
                    "buy" if columns["side"][seq] > 0 else "sell",
                    f"{float(columns['qty'][seq] * instrument.lot):,g}",
                ]
            price = int(columns["price"][seq])
            words += [f"at {float(price * instrument.tick):,g}" if price != MISSING else "at market"]
        return " ".join(words)

    def _title(self) -> str:
        return str(self.about.get("title", "Event log"))

    def _rows(self) -> list[Row]:
        import pandas as pd

        rows: list[Row] = [("events", len(self), "")]
        rows += [(f"  {name.lower()}", count, "") for name, count in self.counts().items()]
        rows += [("accounts", len(self.universe.accounts), ""), ("instruments", len(self.universe.instruments), "")]
        if len(self):
            ts = self.columns["ts"]
            rows += [("from", str(pd.Timestamp(int(ts.min()))), "UTC"), ("to", str(pd.Timestamp(int(ts.max()))), "UTC")]
        rows.append(("money in units of", str(self.universe.quantum), self.universe.currency))
        flags = self.columns.get("flags")
        if flags is not None:
            rows += [(f"flagged {f.name}", int(((flags & f) != 0).sum()), "") for f in Flag if ((flags & f) != 0).any()]
        rows += [(str(key), str(value), "") for key, value in self.about.items() if key != "title"]
        return rows
