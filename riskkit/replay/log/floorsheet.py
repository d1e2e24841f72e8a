"""Floorsheets: trades with the names of both sides, converted to orders and fills.

A floorsheet has trades, not orders. Each trade becomes two orders that are filled at once, the buyer's and the
seller's; an order that was filled at several price levels becomes several orders. The opening positions of the names
are *given*, *inferred* as the smallest that avoid a short position, or *unknown*; rules that depend on unknown positions
are refused.

Example for an exchange's floorsheet (columns time, symbol, buyer_broker, seller_broker, qty, price; local time)::

    trades = pd.read_parquet(path)
    log = log_from_trades(trades, ts="time", buyer="buyer_broker", seller="seller_broker", quantity="qty",
                          tz="Asia/Kathmandu", openings="inferred")

and for trades against one pool (columns time, market, outcome, account, side, shares, price), without the rows that
have no price (or one rounded to 0) or no shares::

    trades = trades[(trades["price"] > 0) & (trades["shares"] > 0)]
    account, bought = trades["account"].astype(str), trades["side"] == "Buy"
    trades = trades.assign(buyer=account.where(bought, "pool"), seller=account.where(~bought, "pool"),
                           symbol=trades["market"].astype(str) + " " + trades["outcome"].astype(str))
    log = log_from_trades(trades, ts="time", quantity="shares", openings="inferred")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit._check import InputError, one_of, shown
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.schema.universe import Account, Instrument, decimal_text

if TYPE_CHECKING:
    import pandas as pd

ROWS = 4  # per trade: the buyer's order, the seller's, the buyer's fill, the seller's


def log_from_trades(
    trades: pd.DataFrame,
    *,
    ts: str = "ts",
    buyer: str = "buyer",
    seller: str = "seller",
    symbol: str = "symbol",
    quantity: str = "quantity",
    price: str = "price",
    openings: str | Sequence[Account] = "unknown",
    instruments: Sequence[Instrument] | None = None,
    quanta: Mapping[str, Any] | None = None,
    tz: str = "UTC",
    ts_policy: str = "sort",
    about: Mapping[str, Any] | None = None,
) -> EventLog:
    """Convert trades with a buyer and a seller to an event log.

    If one name is on both sides, its two orders and fills cancel out.

    Parameters
    ----------
    trades : DataFrame
        One trade per row, in recorded order.
    ts, buyer, seller, symbol, quantity, price : str
        Their columns.
    openings : {"unknown", "inferred"} or sequence of Account
        Opening positions: accounts with positions and cash; ``inferred``, the smallest positions that avoid a short one
        (a lower bound, noted in ``log.about["openings"]``); or ``unknown``. The replay refuses rules that depend on
        unknown facts, listed in ``log.about["unknown"]``.
    instruments : sequence of Instrument, optional
        Ticks, lots and currencies; by default those of `EventLog.infer_instruments`.
    quanta : mapping of currency to amount, optional
        As in `EventLog.from_frame`.
    tz : str
        Time zone of times without one.
    ts_policy : {"sort", "raise", "reject", "clamp"}
        As in `EventLog.from_frame`: the sort is stable.
    about : mapping, optional
        Facts about the data for reports.

    Returns
    -------
    EventLog
        Four events per trade.

    Raises
    ------
    InputError
        If a column is absent, a name is missing, or a number does not fit.

    Examples
    --------
    >>> log = log_from_trades(synthetic_floorsheet(7, trades=100), openings="inferred")
    >>> log.counts(), log.about["openings"]
    ({'ORDER': 200, 'FILL': 200}, 'inferred: the smallest that avoid short positions')
    """
    columns = {"ts": ts, "buyer": buyer, "seller": seller, "symbol": symbol, "quantity": quantity, "price": price}
    for argument, column in columns.items():
        if column not in trades.columns:
            raise InputError(
                f"{argument}={shown(column)} is not a column of the trades; they have {', '.join(map(str, trades))}"
            )
    events = _events(trades, columns)
    declared = list(EventLog.infer_instruments(events) if instruments is None else instruments)
    accounts, facts = _openings(openings, events, declared)
    return EventLog.from_frame(
        events,
        declared,
        accounts,
        quanta=quanta,
        tz=tz,
        ts_policy=ts_policy,
        about={"orders": "two for each trade, filled at once", **facts, **(about or {})},
    )


def synthetic_floorsheet(
    seed: int,
    trades: int = 5_000,
    *,
    brokers: int = 90,
    symbols: int = 40,
    crossed: float = 0.026,
) -> pd.DataFrame:
    """Generate a random floorsheet like a real one: brokers and symbols of Zipf activity, ties in time, crosses.

    Parameters
    ----------
    seed : int
        Seed of the generator.
    trades, brokers, symbols : int
        Number of each, above zero (at least two brokers).
    crossed : float
        Fraction of the trades with one broker on both sides.

    Returns
    -------
    DataFrame of shape (trades, 6)
        ts, symbol, buyer, seller, quantity and price (ticks of 0.1).

    Raises
    ------
    InputError
        If a number is too small, or `crossed` is not a fraction.

    Examples
    --------
    >>> synthetic_floorsheet(1, trades=3).columns.to_list()
    ['ts', 'symbol', 'buyer', 'seller', 'quantity', 'price']
    """
    import pandas as pd

    for name, number, minimum in (("trades", trades, 1), ("brokers", brokers, 2), ("symbols", symbols, 1)):
        if number < minimum:
            raise InputError(f"{name}={shown(number)} is below {minimum}")
    if not 0 <= crossed <= 1:
        raise InputError(f"crossed={shown(crossed)} is not a fraction between 0 and 1")
    draw = np.random.default_rng(seed)
    symbol = draw.choice(symbols, trades, p=_zipf(symbols))
    buyer = draw.choice(brokers, trades, p=_zipf(brokers))
    seller = draw.choice(brokers, trades, p=_zipf(brokers))
    seller = np.where(seller == buyer, (seller + 1) % brokers, seller)
    seller = np.where(draw.random(trades) < crossed, buyer, seller)
    ticks = np.round(draw.uniform(1_000, 20_000, symbols))[symbol] + draw.integers(-20, 21, trades)
    start = pd.Timestamp("2024-06-16 11:00").as_unit("us")
    steps = np.where(draw.random(trades) < 0.3, 0, draw.integers(1, 8_000_000, trades))
    return pd.DataFrame(
        {
            "ts": start + pd.to_timedelta(np.cumsum(steps), unit="us"),
            "symbol": np.char.add("S", symbol.astype(str)),
            "buyer": buyer + 1,
            "seller": seller + 1,
            "quantity": 10 * draw.zipf(1.8, trades).clip(max=500),
            "price": ticks / 10,
        }
    )


def _zipf(count: int) -> np.ndarray:
    """Probabilities proportional to 1, 1/2, 1/3, ..."""
    weights = 1 / np.arange(1, count + 1)
    return weights / weights.sum()


def _events(trades: pd.DataFrame, columns: Mapping[str, str]) -> pd.DataFrame:
    """Four adjacent rows per trade."""
    import pandas as pd

    number = np.arange(len(trades))
    names = [_labels(trades, columns[side]) for side in ("buyer", "seller")]
    labels = sorted({*names[0].unique(), *names[1].unique()}, key=lambda name: (len(name), name))
    codes = np.stack([pd.Categorical(side, labels).codes for side in names], axis=1)
    repeated = {name: np.repeat(trades[columns[name]].to_numpy(), ROWS) for name in ("quantity", "price")}
    same = np.repeat(codes[:, 0] == codes[:, 1], ROWS)
    kinds = np.tile(np.array([0, 0, 1, 1]), len(trades))
    # one name on both sides has no trade id: two fills with one id would be duplicates
    trade = pd.arrays.IntegerArray(np.repeat(number, ROWS), (kinds == 0) | same)
    return pd.DataFrame(
        {
            "ts": trades[columns["ts"]].repeat(ROWS).array,
            "kind": pd.Categorical.from_codes(kinds, pd.Index(["order", "fill"])),
            "account": pd.Categorical.from_codes(np.tile(codes, 2).ravel(), pd.Index(labels)),
            "instrument": pd.Categorical(_labels(trades, columns["symbol"]).repeat(ROWS)),
            "side": np.tile(np.array([1, -1, 1, -1]), len(trades)),
            "qty": repeated["quantity"],
            "price": repeated["price"],
            "order_id": np.tile((2 * number[:, None] + [0, 1]), 2).ravel(),
            "trade_id": trade,
        }
    )


def _labels(trades: pd.DataFrame, column: str) -> pd.Series:
    """A column of names as text, without gaps."""
    found = trades[column]
    if found.isna().any():
        row = int(np.argmax(found.isna().to_numpy()))
        raise InputError(f"row {row}: {column} is missing; a trade needs both names and its symbol")
    return found.astype(str)


def _openings(
    openings: str | Sequence[Account], events: pd.DataFrame, instruments: Sequence[Instrument]
) -> tuple[list[Account], dict[str, Any]]:
    """Accounts with their opening positions, and the facts about them for ``about``."""
    if not isinstance(openings, str):
        return list(openings), {"openings": "given"}
    one_of(openings, ("unknown", "inferred"), "openings")
    if openings == "unknown":
        return [], {"openings": "unknown", "unknown": ["positions", "cash"]}
    how = "inferred: the smallest that avoid short positions"
    return _smallest(events, instruments), {"openings": how, "unknown": ["cash"]}


def _smallest(events: pd.DataFrame, instruments: Sequence[Instrument]) -> list[Account]:
    """Smallest opening position of each name that covers each of its sell orders, counted in lots."""
    fills = events[events["kind"] == "fill"]
    sells_first = np.arange(len(fills)) ^ 1  # a name on both sides sells before its purchase is filled
    fills = fills.iloc[sells_first].sort_values("ts", kind="stable")
    lots = {instrument.id: instrument.lot for instrument in instruments}
    unit = fills["instrument"].map({label: float(lot) for label, lot in lots.items()}).astype(float)
    moved = np.rint(fills["qty"].astype(float) / unit).astype("int64") * fills["side"]
    pairs = [fills["account"], fills["instrument"]]
    held = moved.groupby(pairs, observed=True).cumsum()
    lowest = held.groupby(pairs, observed=True).min()
    short = -lowest[lowest < 0]
    opened: dict[str, dict[str, Any]] = {name: {} for name in events["account"].cat.categories}
    for (name, label), count in short.items():
        opened[str(name)][str(label)] = decimal_text(int(count) * lots[str(label)])
    return [Account(name, positions=positions) for name, positions in opened.items()]
