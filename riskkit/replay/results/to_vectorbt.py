"""Convert the booked fills of a replay to a vectorbt portfolio, for its statistics and plots.

Nothing is simulated again. The booked fills become the portfolio's order records, any number per bar, with their
recorded prices and fees; so cash, positions and value are those of the replay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from riskkit._check import InputError, optional
from riskkit.replay.kernels.integers import share
from riskkit.replay.schema.columns import MISSING, DecisionCode, EventKind, RowFlag

if TYPE_CHECKING:
    import pandas as pd

GONE = (DecisionCode.VANISH, DecisionCode.DUP, DecisionCode.ERROR_TS)
NOT_HELD = {
    EventKind.CASH: "money paid in or out", EventKind.DIVIDEND: "dividends", EventKind.EQUITY: "equity given from outside",
    EventKind.SNAPSHOT: "snapshots of the venue", EventKind.ADJUST: "adjusted positions", EventKind.FUNDING: "fundings",
    EventKind.EXPIRY: "expiries", EventKind.ROLL: "rolls", EventKind.SPLIT: "splits", EventKind.MULTIPLIER: "changes of multipliers",
}  # fmt: skip
MOST_CELLS = 50_000_000


class Fills(NamedTuple):
    """The fills that a replay booked: rows of the log, with booked lots and fees."""

    seq: np.ndarray
    lots: np.ndarray
    fee: np.ndarray


def portfolio_of(result: Any, bars: str | None = None, freq: Any = None, tz: str | None = "UTC") -> Any:
    """Build the portfolio; see `riskkit.replay.results.result.ReplayResult.to_vectorbt`."""
    vbt = optional("vectorbt", "notebooks")
    from vectorbt.portfolio.enums import log_dt

    log = result.log
    _check_representable(log)
    columns = _columns(log)
    account, instrument = columns.T
    shared = len(set(account.tolist())) < len(account)
    fills, index, bar = booked_fills(result), *_bars(log, bars, tz)
    if len(index) * len(columns) > MOST_CELLS:
        raise InputError(
            f"{len(index):,} bars of {len(columns):,} columns are too many for a portfolio in memory; give wider bars, "
            "as bars='1D'"
        )
    close = _closes(log, fills, bar, len(index))[:, instrument]
    names, cash = _names(log, columns, shared), _opening_cash(log, account)
    width = freq or bars or _usual_distance(index)
    wrapper = vbt.ArrayWrapper(index, names, 2, freq=width, group_by="account" if shared else None)
    records, no_logs = _order_records(log, fills, bar, columns), np.empty(0, log_dt)
    return vbt.Portfolio(wrapper, wrapper.wrap(close, group_by=False), records, no_logs, cash, shared)


def booked_fills(result: Any) -> Fills:
    """The booked part of the log's fills: in enforce mode without dropped and cut lots."""
    columns, rows = result.log.columns, result.rows
    left = columns["qty"].copy()
    left[rows["seq"][np.isin(rows["code"], GONE)]] = 0
    cut = rows[rows["code"] == DecisionCode.CUT]
    left[cut["seq"]] = cut["limit"]
    seq = np.flatnonzero((columns["kind"] == EventKind.FILL) & (left > 0))
    fee = columns["fee"][seq].copy() if "fee" in columns else np.zeros(len(seq), np.int64)
    for index in np.flatnonzero(left[seq] < columns["qty"][seq]):
        fee[index] = share(int(fee[index]), int(left[seq[index]]), int(columns["qty"][seq[index]]))
    return Fills(seq, left[seq], fee)


# ---------------------------------------------------------------------- checks and columns


def _check_representable(log: Any) -> None:
    """Refuse a log that a vectorbt portfolio cannot represent."""
    for kind, what in NOT_HELD.items():
        found = np.flatnonzero(log.columns["kind"] == kind)
        if len(found):
            raise InputError(f"event {found[0]} is {what} ({kind.name}), which a vectorbt portfolio cannot hold")
    universe = log.universe
    held = [account.id for account in universe.accounts if account.positions]
    if held:
        raise InputError(f"account {held[0]!r} opens with positions; a vectorbt portfolio opens with cash only")
    currencies = sorted({instrument.currency for instrument in universe.instruments})
    if len(currencies) > 1:
        raise InputError(f"the log trades in {' and '.join(currencies)}; a vectorbt portfolio has one currency")
    if not len(universe.accounts) or not len(universe.instruments):
        raise InputError("the log has no account or no instrument; a vectorbt portfolio has columns of both")


def _columns(log: Any) -> np.ndarray:
    """The (account, instrument) codes of the portfolio's columns, shape (n_columns, 2).

    An account without trades has a column for its cash: in the instrument of the same name, else in the first.
    """
    universe = log.universe
    pairs = set(zip(log.pair_account.tolist(), log.pair_instrument.tolist(), strict=True))
    trading = {account for account, _ in pairs}
    for code, account in enumerate(universe.accounts):
        if code not in trading:
            pairs.add((code, universe.instrument_codes.get(account.id, 0)))
    return np.array(sorted(pairs), np.int64)


def _names(log: Any, columns: np.ndarray, shared: bool) -> pd.Index:
    """Accounts, if each has one instrument; else accounts and instruments."""
    import pandas as pd

    universe = log.universe
    accounts = [universe.accounts[code].id for code in columns[:, 0]]
    if not shared:
        return pd.Index(accounts, name="account")
    instruments = [universe.instruments[code].id for code in columns[:, 1]]
    return pd.MultiIndex.from_arrays([accounts, instruments], names=["account", "instrument"])


def _opening_cash(log: Any, account: np.ndarray) -> np.ndarray:
    """Opening cash by account, in the order of the columns."""
    universe = log.universe
    return np.array([universe.money(universe.opening_cash(universe.accounts[code])) for code in np.unique(account)])


# ---------------------------------------------------------------------- bars and closes


def _timely(log: Any, kinds: tuple[EventKind, ...]) -> np.ndarray:
    """Rows of these kinds, except late ones."""
    columns = log.columns
    rows = np.flatnonzero(np.isin(columns["kind"], kinds))
    return rows[columns["flags"][rows] & RowFlag.BAD_TS == 0] if "flags" in columns else rows


def _bars(log: Any, width: str | None, tz: str | None) -> tuple[pd.DatetimeIndex, np.ndarray]:
    """The times of the bars, and the bar of each row of the log (-1: of none).

    Each time with a recorded fill or price has a bar, so all replays of a log have the same bars.
    """
    import pandas as pd

    rows = _timely(log, (EventKind.FILL, EventKind.PRICE))
    if not len(rows):
        raise InputError("the log has neither fills nor prices; there is nothing to build a portfolio of")
    times = pd.DatetimeIndex(pd.to_datetime(log.columns["ts"][rows], utc=True))
    try:
        times = times.tz_convert(tz)
        times = times if width is None else times.floor(width)
    except (ValueError, KeyError) as error:
        raise InputError(f"bars={width!r}, tz={tz!r} make no bars: {error}") from None
    codes, index = pd.factorize(times)
    bar = np.full(len(log), -1)
    bar[rows] = codes
    return pd.DatetimeIndex(index), bar


def _usual_distance(index: pd.DatetimeIndex) -> Any:
    """The most frequent distance of two bars: a day if there are no bars at weekends."""
    import pandas as pd

    if len(index) < 2:
        return None
    distances, counts = np.unique(np.diff(index.as_unit("ns").asi8), return_counts=True)
    return pd.Timedelta(int(distances[np.argmax(counts)]))


def _closes(log: Any, fills: Fills, bar: np.ndarray, count: int) -> np.ndarray:
    """The mark of every instrument at the end of every bar, NaN before its first, shape (count, n_instruments).

    A mark is the last price; before the first price, the last fill that was booked.
    """
    columns, universe = log.columns, log.universe
    quoted = _timely(log, (EventKind.PRICE,))
    quoted = quoted[columns["price"][quoted] != MISSING]
    code = columns["instrument"]
    first = np.full(len(universe.instruments), len(log))
    np.minimum.at(first, code[quoted], quoted)
    early = fills.seq[fills.seq < first[code[fills.seq]]]
    rows = np.sort(np.concatenate([quoted, early]))
    found = np.full((count, len(universe.instruments)), np.nan)
    found[bar[rows], code[rows]] = universe.prices(columns["price"][rows], code[rows])  # the last price of a bar
    last = np.where(np.isfinite(found), np.arange(count)[:, None], 0)
    return np.take_along_axis(found, np.maximum.accumulate(last, axis=0), axis=0)


def _order_records(log: Any, fills: Fills, bar: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """The booked fills as vectorbt order records; a size includes the multiplier."""
    from vectorbt.portfolio.enums import order_dt

    events, universe = log.columns, log.universe
    seq, code = fills.seq, events["instrument"][fills.seq]
    column_of = {pair: column for column, pair in enumerate(map(tuple, columns.tolist()))}
    pairs = zip(events["account"][seq].tolist(), code.tolist(), strict=True)
    worth = np.array([float(instrument.multiplier) for instrument in universe.instruments])
    records = np.zeros(len(seq), order_dt)
    records["id"] = np.arange(len(seq))
    records["col"] = [column_of[pair] for pair in pairs]
    records["idx"] = bar[seq]
    records["size"] = universe.quantities(fills.lots, code) * worth[code]
    records["price"] = universe.prices(events["price"][seq], code)
    records["fees"] = fills.fee * float(universe.quantum)
    records["side"] = np.where(events["side"][seq] > 0, 0, 1)
    return records
