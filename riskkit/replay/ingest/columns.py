"""The columns of a frame of events, one row of `COLUMNS` each.

To add a column: a row here, the log's column in `riskkit.replay.schema.columns` (``OPTIONAL``, ``Event``), its conversion
beside its likes (`labels`, `money`, `prices`, `references`, `times`), and the argument of a live event in
`riskkit.replay.ingest.event`.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any, NamedTuple

from riskkit._check import InputError, shown
from riskkit.replay.schema.columns import FACTS, OPTIONAL, REQUIRED, EventKind
from riskkit.replay.schema.universe import GROUPS


class FrameColumn(NamedTuple):
    """A column that a frame may have.

    ``meaning`` is the text of error messages, ``fills`` the log's column that the values go to (empty: none),
    ``headings`` other headings with the same meaning, in lower case with underscores. The kinds of event that need a
    value are those whose facts name the column (`riskkit.replay.schema.columns.FACTS`).
    """

    meaning: str
    fills: str = ""
    headings: tuple[str, ...] = ()

    @property
    def dtype(self) -> str:
        """Type of the log's column."""
        return {**REQUIRED, **{name: dtype for name, (dtype, _) in OPTIONAL.items()}}.get(self.fills, "")


COLUMNS: dict[str, FrameColumn] = {
    "ts": FrameColumn("time: Timestamp, or int64 nanoseconds since the epoch", "ts", ("time", "timestamp")),
    "kind": FrameColumn(
        "order, modify, cancel, fill, price, ack, error, cash, equity, trade, execution, clock, session, control; of the "
        "venue: reject, expire, cancel_reject, modify_reject of an order, bust, correct of a fill; fx (an exchange rate); close (a "
        "previous close or settlement), dividend (in cash), funding, split, expiry, multiplier, phase (of trading) of an "
        "instrument; roll (of its positions into another one); snapshot (of an account: its positions and orders, a row each); "
        "adjust (lots come or go without a fill); credit (an amount is reserved, or a reservation finished)",
        "kind",
        ("event",),
    ),
    "account": FrameColumn("label of the account", "account"),
    "instrument": FrameColumn("label of the instrument", "instrument", ("symbol", "ticker")),
    "side": FrameColumn("B or S (buy, sell, +1, -1); long or short of a trade", "side"),
    "qty": FrameColumn(
        "quantity, above zero; of a modify the new quantity in all, 0 or empty to leave it",
        "qty",
        ("quantity", "size", "volume"),
    ),
    "quote_qty": FrameColumn(
        "money that an order is for, in place of a quantity: lots of it at its limit, else at its stop, the ask (buy), the bid (sell) "
        "or the last trade",
        "qty",
        ("quote_quantity", "quoteorderqty", "quote_order_qty"),
    ),
    "price": FrameColumn(
        "limit price, fill price, last price; of a modify the new price, empty to leave it", "price", ("last",)
    ),
    "type": FrameColumn(
        "limit (default), market (without a price), stop (a market order from a trade at its stop on), stop_limit, or trailing "
        "(a stop that follows the best trade); peg (priced at its reference; a price is as far as it goes)"
    ),
    "reference": FrameColumn(
        "reference of a pegged order: touch (the ask of a buy, the bid of a sell; default), primary (the bid of a buy, the ask of a "
        "sell), mid or last",
        "price",
    ),
    "stop": FrameColumn("price of a trade that triggers a stop or stop_limit order; of a modify the new one", "stop"),
    "offset": FrameColumn(
        "distance of the stop of a trailing order from the best trade, of a modify the new one; what is added to the reference of a "
        "pegged order",
        "stop",
    ),
    "order_id": FrameColumn(
        "id of an order; on another event (fill, modify, cancel, error, reject, ...) the order that it belongs to",
        "order",
    ),
    "reserve_id": FrameColumn("id of a reservation of credit, within its account", "order"),
    "step": FrameColumn("step of a reservation of credit: reserve, commit, rollback or release", "side"),
    "trade_id": FrameColumn(
        "id of a fill; a fill with the id, account, instrument, side and day (UTC) of an earlier one is a duplicate; "
        "on a bust or correct the fill that it undoes or changes",
        "trade_id",
    ),
    "fee": FrameColumn("fee of a fill, in money", "fee", ("commission", "fees")),
    "bid": FrameColumn("best bid of a price event or an exchange rate", "bid"),
    "ask": FrameColumn("best ask of a price event or an exchange rate", "ask"),
    "strategy": FrameColumn(
        "label of the strategy; a fill, modify or cancel without one takes that of its order", "strategy"
    ),
    "connection": FrameColumn(
        "label of the login that sent a message; a modify or cancel without one takes that of its order",
        "connection",
        ("session",),
    ),
    "parent_id": FrameColumn("order_id of the parent order, an earlier row", "parent"),
    "batch": FrameColumn(
        "orders with one batch id are one list, decided together: one account, one time, adjacent rows; so are the rows of a "
        "snapshot, the two of a transfer (adjust) and those of a roll",
        "batch",
    ),
    "children": FrameColumn("number of messages that a modify, or a list (on its first order), counts for", "weight"),
    "reduce_only": FrameColumn("True: the order or modify may only reduce a position", "flags"),
    "close_position": FrameColumn(
        "True: the order is for all that its account holds, in place of a quantity", "flags", ("closeposition",)
    ),
    "display": FrameColumn("quantity that an iceberg order shows; rules judge the whole quantity", "flags"),
    "dnr": FrameColumn("True: a dividend does not reduce the prices of the order", "flags"),
    "external": FrameColumn(
        "True: somebody else has sent the order; it works and counts, and nothing judges it", "flags"
    ),
    "mmp": FrameColumn(
        "True: a market-maker protection that looks at tagged orders alone counts and freezes it", "flags"
    ),
    "cancel_frees": FrameColumn(
        "when a cancel frees what its order holds of limits: request (at once; default), or confirmed (at the venue's expire)",
        "flags",
    ),
    "smp_id": FrameColumn(
        "self-match prevention id of an order: at the scope smp_id, orders meet only those of the same id", "smp_id"
    ),
    "reserve": FrameColumn("the highest price that a buy may be moved to", "reserve"),
    "expires": FrameColumn(
        "time at which an order lapses, or 'session'; it no longer works for events at that time", "expires"
    ),
    "tif": FrameColumn(
        "time in force: GTC (default), DAY (to the end of the session), IOC or FOK (it works for no event after its own time)",
        "expires",
        ("time_in_force",),
    ),
    "amount": FrameColumn(
        "money of a cash event, negative for a withdrawal; of a dividend on one unit; of a reserve or release of credit",
        "qty",
    ),
    "currency": FrameColumn(
        "currency of a cash event or a reserve; by default the first that the account declares", "price", ("ccy",)
    ),
    "rate": FrameColumn("part of the value of a position that longs pay at a funding, below zero if shorts do", "qty"),
    "ratio": FrameColumn("new units for old ones of a split, as 3/2", "qty"),
    "orders": FrameColumn(
        "what becomes of open orders at a split: finra (buys and stops to sell; default), all, cancel or none", "side"
    ),
    "multiplier": FrameColumn("multiplier of an instrument from the event on", "qty"),
    "phase": FrameColumn("phase of trading of an instrument: continuous, preopen, auction or closed", "side"),
    "pair": FrameColumn(
        "pair of an exchange rate, as EURUSD or EUR/USD: price, or bid and ask, are units of the second for one of the first",
        "qty",
    ),
    "flow": FrameColumn("kind of cash event: deposit (default), fee, funding or dividend", "side"),
    "equity": FrameColumn("equity of an account, given from outside", "qty"),
    "pnl": FrameColumn("profit of a closed trade, in money", "qty"),
    "ret": FrameColumn("return of a closed trade, as a fraction", "price"),
    "exit": FrameColumn("reason for which a trade was closed: stop_loss or another word", "flags"),
    "cmd": FrameColumn(
        "ACTIVE, REDUCING, HALTED, PAUSE, RESUME, RESET, STOP, RESTART, LIMITS or KILL (cancels every working order, then "
        "HALTED)",
        "side",
    ),
    **{group: FrameColumn(f"the {group} that a command is for, in place of an account", "price") for group in GROUPS},
}

FRAME_COLUMNS: dict[str, str] = {name: column.meaning for name, column in COLUMNS.items()}
NEEDED_BY = {name: tuple(kind for kind in EventKind if name in FACTS[kind].needs) for name in COLUMNS}
OTHER_NAMES: dict[str, str] = {heading: name for name, column in COLUMNS.items() for heading in column.headings}


def name_columns(
    headings: Sequence[Hashable], columns: Mapping[Any, str] | None = None, ignore: Collection[Any] = ()
) -> dict[Hashable, str]:
    """Find the column that each heading of a frame means, leaving out those to ignore.

    Parameters
    ----------
    headings : sequence of hashable
        As in the frame.
    columns : mapping of heading to column, optional
        Headings with another name than those of `COLUMNS`.
    ignore : collection of hashable
        Headings to leave out.

    Raises
    ------
    InputError
        If a heading is unknown, occurs twice, or means a column that another heading means.

    Examples
    --------
    >>> name_columns(["Time", "event", "Order ID", "Venue"], ignore=["Venue"])
    {'Time': 'ts', 'event': 'kind', 'Order ID': 'order_id'}
    """
    given = dict(columns or {})
    if isinstance(ignore, str):
        raise InputError(f"ignore={shown(ignore)} is a text; give a list of headings, as [{ignore!r}]")
    for argument, names in (("columns", given), ("ignore", ignore)):
        for heading in names:
            if heading not in headings:
                known = ", ".join(map(str, headings))
                raise InputError(f"{argument}: {heading!r} is not a column of the frame; it has {known}")
    found: dict[Hashable, str] = {}
    for index, heading in enumerate(headings):
        if heading in headings[:index]:
            raise InputError(f"column {heading!r} occurs twice; give each column once")
        if heading in ignore:
            continue
        name = given[heading] if heading in given else _meant(heading)
        if name not in COLUMNS:
            column = f"columns[{heading!r}]={shown(name)}" if heading in given else f"column {str(heading)!r}"
            close = difflib.get_close_matches(str(name).lower(), [*COLUMNS, *OTHER_NAMES], 1)
            hint = (
                f"did you mean {OTHER_NAMES.get(close[0], close[0])!r}? Or"
                if close
                else f"known columns are {', '.join(COLUMNS)};"
            )
            raise InputError(f"{column} is not known; {hint} map it with columns=, or leave it out with ignore=")
        if name in found.values():
            other = next(key for key, value in found.items() if value == name)
            raise InputError(f"columns {other!r} and {heading!r} both mean {name!r}; leave one out with ignore=")
        found[heading] = name
    return found


def _meant(heading: Hashable) -> str:
    """The column of a heading, by its own name or another, in any case and with spaces for underscores."""
    plain = str(heading).strip().lower().replace(" ", "_")
    return OTHER_NAMES.get(plain, plain if plain in COLUMNS else str(heading))
