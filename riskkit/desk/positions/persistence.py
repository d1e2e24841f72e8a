"""State of a `PositionTracker` as plain data for JSON, and back; events of its journal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from riskkit._check import InputError, shown
from riskkit._plain import LARGEST, exact, fields, integer, maybe, number, row, rows, table, text
from riskkit.desk.core.exact import CostBasis, ExactPrice
from riskkit.desk.core.journal import TRADES, JournalRow
from riskkit.desk.core.records import LARGEST_TIME
from riskkit.desk.core.state_digest import id_of, plain_id, trade_id
from riskkit.desk.positions.books import Books, OpenPosition, UserAccount

SUMS = ("realized", "fees", "traded", "profit", "gross")
COUNT, TIME = integer(0), integer(1 - LARGEST_TIME, LARGEST_TIME)
SHAPE = fields(
    format=COUNT,
    periods_per_year=number(),
    max_ahead=COUNT,
    latest=maybe(TIME),
    books=fields(
        quantum=text,
        stale_after=COUNT,
        window=COUNT,
        tokens=table(text),
        prices=rows(row(maybe(text), text, number(0.0), TIME, exact, exact)),
        positions=rows(row(text, text, text, exact, exact, exact, TIME, TIME)),
        users=rows(
            fields(user=text, trades=COUNT, closed=rows(exact), returns=rows(number()), **dict.fromkeys(SUMS, exact))
        ),
    ),
    trade_ids=fields(
        remember=COUNT, latest=integer(-LARGEST), horizon=integer(-LARGEST), ids=rows(row(text, text, trade_id, TIME))
    ),
)
"""Check of a state."""


def plain_state(tracker: Any) -> dict[str, Any]:
    """Counts of lots and quanta as texts, times in nanoseconds."""
    cache = tracker._trade_ids
    ids = [[user, market, plain_id(known), timestamp] for (user, market, known), timestamp in cache.times.items()]
    return {
        "periods_per_year": tracker._periods_per_year,
        "max_ahead": tracker._max_ahead,
        "latest": tracker._latest,
        "books": _plain_books(tracker._books),
        "trade_ids": {"remember": cache.size, "latest": cache.latest, "horizon": cache.horizon, "ids": ids},
    }


def options_of(state: Any) -> dict[str, Any]:
    """Arguments with which a tracker of this state is made."""
    return {name: state["books"][name] for name in ("tokens", "quantum", "stale_after", "window")} | {
        "periods_per_year": state["periods_per_year"],
        "max_ahead": state["max_ahead"],
        "remember": state["trade_ids"]["remember"],
    }


def fill(tracker: Any, state: Any) -> None:
    """Put a state into a new tracker; an inconsistent one is refused."""
    books, cache = tracker._books, tracker._trade_ids
    for market, token, price, timestamp, numerator, denominator in state["books"]["prices"]:
        books.prices.lot(token)
        books.prices.prices[market, token] = ExactPrice(price, timestamp, int(numerator), int(denominator))
        if int(numerator) < 0 or int(denominator) <= 0:
            raise InputError(f"the state is corrupt: the price of {shown(token)} is not above zero")
    for plain in state["books"]["users"]:
        if plain["user"] in books.users:
            raise InputError(f"the state is corrupt: user {shown(plain['user'])} is there twice")
        books.users[plain["user"]] = _account(plain, books.window)
    for user, market, token, lots, cost, realized, opened, updated in state["books"]["positions"]:
        key, basis = (user, market, token), CostBasis(int(lots), int(cost), int(realized))
        books.prices.lot(token)
        if basis.lots == 0 or key in books.positions or user not in books.users:
            raise InputError(f"the state is corrupt: position {shown(key)} is empty, duplicate or of an unknown user")
        books.add(key, OpenPosition(opened, updated, basis))
        books.users[user].cost += basis.cost
    for user, market, plain, timestamp in state["trade_ids"]["ids"]:
        cache.times[user, market, id_of(plain)] = timestamp
    cache.latest, cache.horizon = state["trade_ids"]["latest"], state["trade_ids"]["horizon"]
    tracker._latest = state["latest"]


def sorted_state(state: dict[str, Any]) -> dict[str, Any]:
    """The state in the order that its digest uses, whatever order of users or threads led to it."""
    books, trade_ids = dict(state["books"]), dict(state["trade_ids"])
    for name in ("prices", "positions"):
        books[name] = sorted(books[name], key=json.dumps)
    books["users"] = sorted(books["users"], key=lambda user: user["user"])
    trade_ids["ids"] = sorted(trade_ids["ids"], key=json.dumps)
    return {**state, "books": books, "trade_ids": trade_ids}


def _plain_books(books: Books) -> dict[str, Any]:
    """Lots, prices, positions and users, each in order of arrival."""
    return {
        "quantum": str(books.quantum),
        "stale_after": books.stale_after,
        "window": books.window,
        "tokens": {token: str(lot) for token, lot in books.prices.lots.items()},
        "prices": [
            [market, token, price.price, price.timestamp, str(price.numerator), str(price.denominator)]
            for (market, token), price in books.prices.prices.items()
        ],
        "positions": [
            [*key, *_counts(position.basis), position.opened, position.updated]
            for key, position in books.positions.items()
        ],
        "users": [
            {"user": user, **{name: str(getattr(account, name)) for name in SUMS}, "trades": account.trades}
            | {"closed": [str(profit) for profit in account.closed], "returns": list(account.returns)}
            for user, account in books.users.items()
        ],
    }


def _counts(basis: CostBasis) -> list[str]:
    return [str(basis.lots), str(basis.cost), str(basis.realized)]


def _account(plain: Any, window: int) -> UserAccount:
    account = UserAccount(window)
    for name in SUMS:
        setattr(account, name, int(plain[name]))
    account.trades = plain["trades"]
    account.closed.extend(map(int, plain["closed"]))
    account.returns.extend(map(float, plain["returns"]))
    return account


# ---------------------------------------------------------------------- events


def _trade(tracker: Any, rows: Sequence[JournalRow], body: Any) -> None:
    first, books = rows[0], tracker._books
    legs = [
        (row.role, row.token, books.prices.lot(row.token).count_of(row.amount), books.quantum.count_of(row.money))
        for row in rows
    ]
    booked = id_of(body.get("trade_id", first.trade_id))
    tracker._trade(first.kind, first.user, first.market, first.timestamp, legs, booked)


def _price(tracker: Any, rows: Sequence[JournalRow], body: Any) -> None:
    tracker.set_price(rows[0].token, Fraction(body["price"]), rows[0].timestamp, rows[0].market)


EVENTS = {
    **dict.fromkeys(TRADES, _trade),
    "price": _price,
    "token": lambda tracker, rows, body: tracker.add_token(rows[0].token, body["lot"]),
    "period": lambda tracker, rows, body: tracker.close_period(rows[0].timestamp),
    "remove": lambda tracker, rows, body: tracker.remove(rows[0].user, rows[0].market, rows[0].token),
    "clear": lambda tracker, rows, body: tracker.clear(body["user"]),
    "state": lambda tracker, rows, body: tracker.write_state(),
}
"""Kind of event -> function that applies it to a tracker."""
