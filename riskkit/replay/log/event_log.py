"""The event log: recorded orders, fills and prices in one total order, as integer columns."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit._check import InputError
from riskkit._docs import counted
from riskkit._files import path_of
from riskkit._show import Row, Shown
from riskkit.replay.ingest.convert import columns_from_frame
from riskkit.replay.ingest.from_vectorbt import frame_from_portfolio
from riskkit.replay.ingest.infer import infer_instruments
from riskkit.replay.ingest.order_ids import OrderPolicy
from riskkit.replay.ingest.order_labels import OrderLabels
from riskkit.replay.ingest.times import DATES, UNITS
from riskkit.replay.ingest.vectorbt_steps import FEWER_DIGITS
from riskkit.replay.log.codes import checked_header, refuse_unknown_codes
from riskkit.replay.log.contents import add_contents, content_words, quantity_text
from riskkit.replay.log.evidence import Evidence
from riskkit.replay.log.storage import ORDER_ID, SOURCE_ROW, open_mapped, read_parquet, write_mapped, write_parquet
from riskkit.replay.schema.columns import FACTS, FIRST_EXTERNAL, MISSING, PRICED, RATE_UNIT, EventKind, RowFlag
from riskkit.replay.schema.digest import hash_columns, hash_plain, hash_rows
from riskkit.replay.schema.pairs import pair_text
from riskkit.replay.schema.universe import Account, Instrument, OutOfRange, Universe, decimal_text

if TYPE_CHECKING:
    import pandas as pd

TRADED = tuple(kind for kind in EventKind if FACTS[kind].traded)
FIRST_DATE = DATES[0] * 10**9


class EventLog(Shown):
    """Events in the total order (ts, seq), as integer columns with their universe.

    Create one with `from_frame`, `from_vectorbt`, `from_parquet` or `open`. ``seq`` is the row. ``columns`` maps a name
    to an array of shape (n_events,); see `riskkit.replay.schema.columns`.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"ts": range(3), "kind": "order", "account": "A", "instrument": "X", "side": "B",
    ...                       "qty": [1, 9, 2], "price": 10})
    >>> log = EventLog.from_frame(frame)
    >>> len(log), log.counts()["ORDER"]
    (3, 3)
    >>> log.to_frame()[["account", "qty", "price"]].values.tolist()
    [['A', 1.0, 10.0], ['A', 9.0, 10.0], ['A', 2.0, 10.0]]
    """

    def __init__(
        self,
        columns: dict[str, np.ndarray],
        pair_account: np.ndarray,
        pair_instrument: np.ndarray,
        universe: Universe,
        about: Mapping[str, Any] | None = None,
        *,
        source_rows: np.ndarray | None = None,
        order_ids: Sequence[Any] = (),
        known_hash: bytes | None = None,
    ) -> None:
        self.columns = columns
        self.pair_account = np.asarray(pair_account, np.int32)
        self.pair_instrument = np.asarray(pair_instrument, np.int32)
        self.universe = universe
        self.about = dict(about or {})
        self._source_rows = source_rows
        self._order_ids = order_ids
        self._known_hash = known_hash
        self._known_derived = ""

    # ------------------------------------------------------------------ constructors

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        instruments: Sequence[Instrument] | None = None,
        accounts: Sequence[Account | str] | None = (),
        *,
        quanta: Mapping[str, Any] | None = None,
        rounding: str = "refuse",
        tz: str = "UTC",
        unit: str | None = None,
        time_format: str | None = None,
        on_bad_order: str = "raise",
        order_ids: str = "unique",
        unknown_orders: str = "refuse",
        ts_policy: str = "raise",
        currencies: str = "one",
        columns: Mapping[Any, str] | None = None,
        ignore: Collection[Any] = (),
        about: Mapping[str, Any] | None = None,
    ) -> EventLog:
        """Convert a frame with one event per row, completely or not at all.

        An order with ``expires`` (a time, "session" for midnight in `tz`, or "session 17:00 America/New_York" for another
        end of the trading day) gets an EXPIRE row at that time, before the events of that time. So the ``seq`` of
        results is the row of the log; `source_rows` gives the row of the frame.

        Parameters
        ----------
        frame : DataFrame
            Of pandas, polars, pyarrow or DuckDB. Columns as in ``riskkit.replay.ingest.columns.FRAME_COLUMNS``: ts, kind,
            account, instrument, side, qty, price, order_id, ..., in any case, or under another known heading (time, event,
            symbol, quantity, commission, ...; all in ``riskkit.replay.ingest.columns``). Numbers may be floats, ints,
            strings or Decimals.
        instruments : sequence of Instrument, optional
            Ticks, lots, multipliers, currencies; by default those that `infer_instruments` proposes.
        accounts : sequence of Account or str, optional
            Opening cash and positions; accounts that only occur in the frame start empty.
        quanta : mapping of currency to amount, optional
            Money of the integer 1; by default the largest power of ten that needs no rounding. Give it if prices or
            lots have many decimals: a fill's notional is rounded to it, once.
        rounding : {"refuse", "nearest"}
            Treatment of a price, a quantity or an amount of money between two ticks, lots or units of money: an error,
            or the nearest one (half to even), orders of ``on_bad_order="flag"`` included. With "nearest", units that are
            not given have at most nine decimals, and are the finest that 64 bits can hold; what would be rounded to 0 is
            refused.
        tz : str
            Time zone of times without one. An hour that its clocks skip or repeat is refused: write the offset.
        unit : {"s", "ms", "us", "ns"}, optional
            Unit of times that are numbers since the epoch. By default the unit in which all of them are dates from 1980
            to 2099, which ``about["times"]`` then names. Numbers that begin below 315,532,800, which is no date in any
            unit, are the time of a simulation in nanoseconds, unless all after a 0 are dates in another unit and not
            round. Any others are refused.
        time_format : str, optional
            Form of times that are texts, as "%d.%m.%Y %H:%M:%S"; by default ISO 8601, and nothing else is guessed.
        on_bad_order : {"raise", "flag"}
            Treatment of an *order* with a bad or off-grid price or quantity: an error, or a flag for the rule
            ``lot_tick`` to check. An off-grid number is kept for the other rules, to a millionth of its tick or lot; a
            bad quantity counts as 0, a bad price as missing. Modifies are treated alike. A bad fill or price event is
            always an error.
        order_ids : {"unique", "account", "day", "account_day"}
            Within what an ``order_id`` is that of one order: the log, an account, a day (UTC), a day of an account. An
            event names the last earlier order of its id (of its account), also one of an earlier day.
        unknown_orders : {"refuse", "external"}
            Treatment of an event with an ``order_id`` that no earlier order has: an error, or an event of an order from
            before the log. Such a fill is booked; another message is judged and counted as any other, but there is no
            order that it could change. Log and results say how many there are.
        ts_policy : {"raise", "reject", "clamp", "sort"}
            Treatment of a time below the previous one: an error, an event that is counted and changes nothing, the
            previous time, or a stable sort of the frame.
        currencies : {"one", "many"}
            "one" refuses an account that mixes currencies: its balance is undefined without exchange rates. A frame with
            rates (rows of the kind fx) may mix them.
        columns : mapping of heading to column, optional
            Other headings of the frame, as ``{"Filled Qty": "qty"}``.
        ignore : collection of headings
            Columns of the frame to leave out.
        about : mapping, optional
            Facts about the data for reports: title, kind (real, simulated, synthetic), adjusted, survivors_only.

        Raises
        ------
        InputError
            If a value does not fit; the message names the row (counted from 0), the column and the value.

        Examples
        --------
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"ts": [1, 2], "kind": ["order", "fill"], "account": "A", "instrument": "X",
        ...                       "side": "B", "qty": [2, 2], "price": [10.5, 10.5], "order_id": "a"})
        >>> log = EventLog.from_frame(frame)
        >>> len(log), log.columns["price"].tolist()
        (2, [105, 105])
        >>> ours = frame.rename(columns={"qty": "Filled Qty", "instrument": "Symbol"}).assign(venue="V")
        >>> EventLog.from_frame(ours, columns={"Filled Qty": "qty"}, ignore=["venue"]).event_hash == log.event_hash
        True
        """
        made = columns_from_frame(
            frame,
            instruments,
            accounts,
            quanta,
            tz,
            on_bad_order,
            ts_policy,
            currencies,
            columns,
            ignore,
            unit,
            time_format,
            rounding,
            OrderPolicy(order_ids, unknown_orders),
        )
        pairs = made.pair_account, made.pair_instrument
        if made.unit and unit is None and len(frame) and made.columns["ts"].max() >= FIRST_DATE:
            about = {"times": f"read as {UNITS[made.unit]} since the epoch, by their size", **(about or {})}
        ids = made.order_ids
        return cls(made.columns, *pairs, made.universe, about, source_rows=made.source_rows, order_ids=ids)

    @classmethod
    def from_vectorbt(
        cls,
        portfolio: Any,
        *,
        tick: Any = None,
        lot: Any = None,
        quantum: Any = None,
        about: Mapping[str, Any] | None = None,
    ) -> EventLog:
        """Read a vectorbt portfolio: one account per column, its orders with their fills, its closes as prices.

        Columns that share their cash are one account, named after their group. vectorbt counts in floats; prices are
        rounded to a given ``tick``, fees and opening cash to the quantum, and positions to a given ``lot`` of at most a
        millionth of a column's largest size. A column whose prices or sizes need more than nine decimals is rounded to
        a tick or lot that keeps eight digits of its largest number; ``about["units"]`` names it.

        Parameters
        ----------
        portfolio : vectorbt.Portfolio
            From signals, orders or an order function; a DatetimeIndex gives the times (UTC without a zone).
        tick, lot : str, Decimal or float, optional
            Steps of price and size; by default the fewest decimals that hold the values, or those that are chosen.
        quantum : str, Decimal or float, optional
            Money of the integer 1; by default that of one lot at one tick but at least a millionth, and a millionth
            with fees.
        about : mapping, optional
            Facts about the data for reports.

        Raises
        ------
        InputError
            If the index has no times, two columns have one name, opening cash is not finite, or sizes need more
            decimals than a given lot has: use integer sizes (``size_granularity=1``) or give a finer ``lot``.
        """
        for digits in FEWER_DIGITS:
            made = frame_from_portfolio(portfolio, tick, lot, quantum, digits)
            noted = {**made.about, **(about or {})}
            try:
                return cls.from_frame(made.frame, made.instruments, made.accounts, quanta=made.quanta, about=noted)
            except OutOfRange:
                if digits == FEWER_DIGITS[-1] or None not in (tick, lot):
                    raise
        raise AssertionError("the last number of digits returns or raises")

    @staticmethod
    def infer_instruments(
        frame: pd.DataFrame, *, columns: Mapping[Any, str] | None = None, ignore: Collection[Any] = ()
    ) -> list[Instrument]:
        """Propose instruments for a frame; see `riskkit.replay.ingest.infer.infer_instruments`."""
        return infer_instruments(frame, columns=columns, ignore=ignore)

    # ------------------------------------------------------------------ storage

    def to_parquet(self, path: str | Path) -> None:
        """Write the log as one Parquet file (zstd; about an eighth of its size in memory)."""
        write_parquet(path, self._stored(), self._header())

    @classmethod
    def from_parquet(cls, path: str | Path) -> EventLog:
        """Read a file of `to_parquet`.

        Raises
        ------
        InputError
            If the file is no event log, of another format, or does not match its hash.
        """
        log = cls._with_header(path_of(path).name, *read_parquet(path))
        log._check_hash(Path(path).name)
        return log

    def save(self, path: str | Path) -> None:
        """Write the log as a folder of arrays for `open`."""
        write_mapped(path, self._stored(), self._header())

    @classmethod
    def open(cls, path: str | Path, *, check: bool = False) -> EventLog:
        """Map a folder of `save` into memory; a log larger than memory can be replayed from it.

        Parameters
        ----------
        path : str or Path
            The folder.
        check : bool
            Read everything once and compare it with its hash. Without a check the columns are trusted: use it for your
            own files only.

        Raises
        ------
        InputError
            If the folder is no event log, of another format, incomplete, or (with `check`) altered.
        """
        log = cls._with_header(path_of(path).name, *open_mapped(path))
        if check:
            log._check_hash(Path(path).name)
        return log

    def _stored(self) -> dict[str, np.ndarray]:
        return {**self.columns, **self._labels_of_rows()}

    def _labels_of_rows(self) -> dict[str, np.ndarray]:
        """The stored columns that decide nothing: source rows and ids of orders."""
        rows = {} if self._source_rows is None else {SOURCE_ROW: self._source_rows}
        ids = {ORDER_ID: self.order_labels.column(len(self))} if len(self.order_labels.rows) else {}
        return {**rows, **ids}

    def _header(self) -> dict[str, Any]:
        return {
            "universe": self.universe.describe(),
            "pairs": [self.pair_account.tolist(), self.pair_instrument.tolist()],
            "about": self.about,
            "hash": self.event_hash.hex(),
            "derived": self._derived_hash(),
        }

    def _derived_hash(self) -> str:
        """Hash of the derived columns: pairs, source rows and ids of orders."""
        found = self._labels_of_rows()
        if ORDER_ID in found:
            found[ORDER_ID] = found[ORDER_ID].view(np.uint8).reshape(len(self), -1)
        return hash_rows([self.columns["pair"], *found.values()]).hex()

    @classmethod
    def _with_header(cls, name: str, columns: dict[str, np.ndarray], header: dict[str, Any]) -> EventLog:
        facts, known, derived = checked_header(name, header)
        rows, ids = columns.pop(SOURCE_ROW, None), columns.pop(ORDER_ID, None)
        log = cls(columns, *facts, source_rows=rows, known_hash=known)
        log._known_derived = derived
        if ids is not None:
            log.order_labels = OrderLabels.stored(ids)
        return log

    def _check_hash(self, name: str) -> None:
        if hash_columns(self.columns) != self._known_hash or self._derived_hash() != self._known_derived:
            raise InputError(f"{name} does not match its hash; it was changed after it was written")
        refuse_unknown_codes(name, self.columns, self.pair_account, self.pair_instrument, self.universe)

    # ------------------------------------------------------------------ access

    def __len__(self) -> int:
        """The number of events."""
        return len(self.columns["ts"])

    @cached_property
    def event_hash(self) -> bytes:
        """Hash of the events, the same for every source."""
        return self._known_hash or hash_columns(self.columns)

    @cached_property
    def universe_hash(self) -> bytes:
        """Hash of the labels and units."""
        return hash_plain(self.universe.describe())

    @property
    def source_rows(self) -> np.ndarray:
        """Each event's row in the frame that the log was made from, counted from 0; -1 for an inserted EXPIRE."""
        return np.arange(len(self)) if self._source_rows is None else self._source_rows

    @cached_property
    def order_labels(self) -> OrderLabels:
        """The ids of the orders as they were given; outside the hash of the events."""
        if not len(self._order_ids):
            return OrderLabels(np.empty(0, np.int64), ())
        named = self.columns["order"] == np.arange(len(self))
        return OrderLabels(np.flatnonzero(named), self._order_ids)

    @cached_property
    def evidence(self) -> Evidence:
        """What the log contains, for rules that need it."""
        return Evidence(self.columns, self.universe)

    def counts(self) -> dict[str, int]:
        """Number of events of each kind that occurs."""
        found = np.bincount(self.columns["kind"], minlength=len(EventKind))
        return {EventKind(code).name: int(count) for code, count in enumerate(found) if count}

    @cached_property
    def external(self) -> tuple[int, int]:
        """Number of events of orders from before the log, and of these orders."""
        numbers = self.columns["order"][self.columns["order"] <= FIRST_EXTERNAL]
        return len(numbers), len(np.unique(numbers))

    @cached_property
    def account_currencies(self) -> list[tuple[str, ...]]:
        """Currencies of each account; see `riskkit.replay.log.currencies`.

        >>> from riskkit.replay import tiny_log
        >>> tiny_log([1, 2]).account_currencies
        [('USD',)]
        """
        from riskkit.replay.log.currencies import account_currencies

        return account_currencies(self)

    @cached_property
    def order_faults(self) -> dict[str, int]:
        """Number of overfills, and of events of orders that are done; see `riskkit.replay.kernels.order_faults`."""
        from riskkit.replay.kernels.order_faults import order_faults

        return order_faults(self.columns)

    def to_frame(self) -> pd.DataFrame:
        """Events as a frame with labels, times, quantities and prices."""
        import pandas as pd

        def labelled(codes: np.ndarray, labels: list[str]) -> Any:
            return pd.Categorical.from_codes(codes, dtype=pd.CategoricalDtype(labels))

        columns, universe = self.columns, self.universe
        code = columns["instrument"]
        priced = np.isin(columns["kind"], PRICED) & (columns["price"] != MISSING)
        frame = pd.DataFrame(
            {
                "ts": pd.to_datetime(columns["ts"], utc=True),
                "kind": labelled(columns["kind"], [kind.name for kind in EventKind]),
                "account": labelled(columns["account"], [a.id for a in universe.accounts]),
                "instrument": labelled(code, [i.id for i in universe.instruments]),
                "side": columns["side"],
                "qty": universe.quantities(columns["qty"], code),
                "price": np.where(priced, universe.prices(np.where(priced, columns["price"], 0), code), np.nan),
                "order": columns["order"],
            }
        )
        if (rated := columns["kind"] == EventKind.FX).any():
            frame["pair"] = None
            frame.loc[rated, "pair"] = [pair_text(code, universe.currencies) for code in columns["qty"][rated].tolist()]
            frame.loc[rated, ["qty", "price"]] = np.nan
            for name in [name for name in ("price", "bid", "ask") if name in columns]:
                frame.loc[rated, name] = np.where((rates := columns[name][rated]) != MISSING, rates / RATE_UNIT, np.nan)
        add_contents(frame, columns, universe)
        return frame.rename_axis("seq")

    def to_frame_row(self, seq: int) -> str:
        """Describe one event in a line."""
        import pandas as pd

        row = {name: int(column[seq]) for name, column in self.columns.items()}
        kind, universe = EventKind(row["kind"]), self.universe
        words = [f"event {seq}", str(pd.Timestamp(row["ts"], tz="UTC")), kind.name]
        words += [universe.accounts[row["account"]].id] if row["account"] >= 0 else []
        if row["instrument"] >= 0:
            instrument = universe.instruments[row["instrument"]]
            words.append(instrument.id)
            if kind in TRADED:
                words.append("buy" if row["side"] > 0 else "sell")
                words += [quantity_text(row, instrument)] if row["qty"] or kind != EventKind.MODIFY else []
            if kind in PRICED and row["price"] != MISSING:
                words.append(f"at {decimal_text(row['price'] * instrument.price_step)}")
            elif kind == EventKind.ORDER:
                words.append("at market")
        words += content_words(row, universe)
        if kind is EventKind.FX:
            given = [row[name] for name in ("price", "bid", "ask") if row.get(name, MISSING) != MISSING]
            words += [pair_text(row["qty"], universe.currencies), "at"]
            words.append(" / ".join(decimal_text(Fraction(rate, RATE_UNIT)) for rate in given[-2:]))
        return " ".join(words)

    def _title(self) -> str:
        return str(self.about.get("title", "Event log"))

    def _rows(self) -> list[Row]:
        import pandas as pd

        rows: list[Row] = [("events", len(self), "")]
        rows += [(f"  {name.lower()}", count, "") for name, count in self.counts().items()]
        rows += external_row(self)
        rows += [("accounts", len(self.universe.accounts), ""), ("instruments", len(self.universe.instruments), "")]
        if len(self):
            ts = self.columns["ts"]
            rows += [("from", str(pd.Timestamp(int(ts.min()))), "UTC"), ("to", str(pd.Timestamp(int(ts.max()))), "UTC")]
        rows.append(("money in units of", decimal_text(self.universe.quantum), self.universe.currency))
        flags = self.columns.get("flags")
        if flags is not None:
            rows += [
                (f"flagged {f.name}", int(((flags & f) != 0).sum()), "") for f in RowFlag if ((flags & f) != 0).any()
            ]
        rows += [(str(key), _brief(value), "") for key, value in self.about.items() if key not in ("title", "orphans")]
        return rows


def external_text(log: EventLog) -> str:
    """The number of events of orders from before the log in words; empty if there are none."""
    return "{} of {}".format(*map(counted, log.external, ("event", "order"))) if log.external[0] else ""


def external_row(log: EventLog) -> list[Row]:
    """The line of a table on events of orders from before the log, if there are any."""
    return [("from before the log", text, "")] if (text := external_text(log)) else []


def _brief(value: Any) -> str:
    """A fact about the data, short enough for a table; `EventLog.about` has the full text."""
    if isinstance(value, (list, tuple)):
        return f"{len(value)} noted"
    return textwrap.shorten(str(value), 60, placeholder=" ...")
