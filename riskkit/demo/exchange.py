"""Second example: trades of a simulated exchange, eleven accounts in fifteen products over three short days.

The sample has trades, not orders: each trade becomes two orders filled at once, the buyer's and the seller's, and each
pair of quotes a price. An order that swept several price levels counts as several orders. Time is simulated; one step
is read as one millisecond.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from riskkit.datasets import load_tape, load_top_of_book
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.schema.universe import Instrument

if TYPE_CHECKING:
    import pandas as pd

SAMPLE_NS = 10_000_000_000  # ten seconds: 100 steps of the exchange
TITLE = "A simulated exchange: 11 names, 15 products, 3 days"
ORDERS = "two for each trade of the tape, filled at once"


def event_log() -> EventLog:
    """Event log of the three days: quotes, orders and fills, with the metadata of the samples."""
    trades, quotes = load_tape(), load_top_of_book()
    facts = ("kind", "adjusted", "survivors_only", "source", "licence", "rights")
    about = {"title": TITLE, "orders": ORDERS, **{fact: trades.attrs[fact] for fact in facts}}
    about["defects"] = [*defects_of(trades, quotes), *trades.attrs["defects"], *quotes.attrs["defects"]]
    return EventLog.from_frame(exchange_frame(trades, quotes), exchange_instruments(quotes), about=about)


def exchange_frame(trades: pd.DataFrame, quotes: pd.DataFrame) -> pd.DataFrame:
    """Frame of events for `EventLog.from_frame`: at each step first the quotes, then the trades.

    Parameters
    ----------
    trades : DataFrame
        From `riskkit.datasets.load_tape`, with its marked defects.
    quotes : DataFrame
        From `riskkit.datasets.load_top_of_book`.
    """
    import pandas as pd

    traded = trades[~trades["zero_quantity"]].reset_index(drop=True)
    sides = [_events(traded, kind, turn, side) for turn, (kind, side) in enumerate(TURNS, 1)]
    frame = pd.concat([_quotes(quotes), *sides], ignore_index=True)
    frame = frame.sort_values(["ts", "part", "trade", "turn"], kind="stable", ignore_index=True)
    return frame.drop(columns=["part", "trade", "turn"])


def exchange_instruments(quotes: pd.DataFrame) -> list[Instrument]:
    """The products: the tick is one half, the resolution of mid prices; an option may trade at 0."""
    labels = sorted(quotes["symbol"].astype(str).unique())
    return [Instrument(label, "0.5", 1, currency="SEASHELLS", negative_price="VOUCHER" in label) for label in labels]


def defects_of(trades: pd.DataFrame, quotes: pd.DataFrame) -> list[str]:
    """Treatment of the doubtful rows, with their number."""
    one_sided = int((quotes["bid"].isna() | quotes["ask"].isna()).sum())
    rare = min(trades["buyer"].cat.categories, key=lambda name: _trades_of(trades, name))
    return [
        f"Left out: {int(trades['zero_quantity'].sum()):,} trades of quantity 0.",
        f"Kept: {int(trades['zero_price'].sum()):,} trades at price 0 (a worthless option has that price).",
        f"Kept: {int(trades['same_name'].sum()):,} trades with the same name on both sides; the two orders cancel out.",
        f"{one_sided:,} quotes with one side only give that side and no mark: the previous mark stays.",
        f"{rare} occurs in {_trades_of(trades, rare)} trade only and was not merged with any other name.",
    ]


TURNS = (("order", "buyer"), ("order", "seller"), ("fill", "buyer"), ("fill", "seller"))


def _trades_of(trades: pd.DataFrame, name: str) -> int:
    return int(((trades["buyer"] == name) | (trades["seller"] == name)).sum())


def _events(traded: pd.DataFrame, kind: str, turn: int, side: str) -> pd.DataFrame:
    """One event per trade: the order or the fill of one side."""
    import pandas as pd

    number = np.arange(len(traded))
    # an account that trades with itself would have one id twice, which means a duplicate fill
    trade = pd.Series(number, dtype="Int64").mask((kind == "order") | traded["same_name"])
    return traded[["ts", "quantity", "price"]].rename(columns={"quantity": "qty"}).assign(
        kind=kind,
        account=traded[side].astype(str),
        instrument=traded["symbol"].astype(str),
        side="B" if side == "buyer" else "S",
        order_id=2 * number + (side == "seller"),
        trade_id=trade,
        part=1,
        trade=number,
        turn=turn,
    )  # fmt: skip


def _quotes(quotes: pd.DataFrame) -> pd.DataFrame:
    """A price event for each pair of quotes; the mark is the mid price if both sides are quoted."""
    both = quotes["bid"].notna() & quotes["ask"].notna()
    return quotes[["ts", "bid", "ask"]].assign(
        kind="price",
        instrument=quotes["symbol"].astype(str),
        price=quotes["mid_price"].where(both),
        part=0,
        trade=np.arange(len(quotes)),
        turn=0,
    )
