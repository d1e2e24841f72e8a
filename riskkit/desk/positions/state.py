"""The state of a `PositionTracker` as plain data that JSON takes, and back."""

from __future__ import annotations

import json
from typing import Any

from riskkit._check import InputError
from riskkit.desk.amounts import Holding
from riskkit.desk.canonical import id_of, plain_id
from riskkit.desk.positions.books import Entry, PositionBooks
from riskkit.desk.positions.prices import Price
from riskkit.desk.positions.seen_trades import SeenTrades
from riskkit.desk.positions.user_book import UserBook

__all__ = ["fill", "options_of", "plain_state", "sorted_state"]

FORMAT = 1
SUMS = ("realised", "fees", "traded", "profit", "gross")


def plain_state(mine: dict[str, Any], books: PositionBooks, seen: SeenTrades) -> dict[str, Any]:
    """A tracker's own fields, its books and the ids that it remembers; counts of lots and quanta as texts."""
    ids = [[plain_id(trade_id), stamp] for trade_id, stamp in seen.times.items()]
    remembered = {"remember": seen.most, "latest": seen.latest, "horizon": seen.horizon, "ids": ids}
    return {"format": FORMAT, **mine, "books": _plain_books(books), "seen": remembered}


def options_of(state: Any) -> dict[str, Any]:
    """What a tracker with this state is made with."""
    if state["format"] != FORMAT:
        raise InputError(f"the state has format {state['format']!r}; this riskkit reads format {FORMAT}")
    books = state["books"]
    return {name: books[name] for name in ("tokens", "quantum", "stale_after", "window")} | {
        "periods_per_year": state["periods_per_year"],
        "remember": state["seen"]["remember"],
    }


def fill(books: PositionBooks, seen: SeenTrades, state: Any) -> None:
    """Put a state into a new tracker's books and memory of ids."""
    for market, token, price, stamp, numerator, denominator in state["books"]["prices"]:
        books.board.unit(token)
        books.board.prices[market, token] = Price(price, stamp, int(numerator), int(denominator))
    for plain in state["books"]["users"]:
        books.users[plain["user"]] = _user_book(plain, books.window)
    for user, market, token, lots, cost, realised, opened, updated in state["books"]["positions"]:
        key, holding = (user, market, token), Holding(int(lots), int(cost), int(realised))
        books.board.unit(token)
        if holding.lots == 0 or key in books.entries or user not in books.users:
            raise InputError(f"the state is corrupt: position {key} is empty, there twice or of an unknown user")
        books.add(key, Entry(opened, updated, holding))
        books.users[user].cost += holding.cost
    seen.times.update((id_of(plain), stamp) for plain, stamp in state["seen"]["ids"])
    seen.latest, seen.horizon = state["seen"]["latest"], state["seen"]["horizon"]


def sorted_state(state: dict[str, Any]) -> dict[str, Any]:
    """The same state in the one order that its digest takes: which user or thread came first is no part of it."""
    books, seen = dict(state["books"]), dict(state["seen"])
    for name in ("prices", "positions"):
        books[name] = sorted(books[name], key=json.dumps)
    books["users"] = sorted(books["users"], key=lambda one: one["user"])
    seen["ids"] = sorted(seen["ids"], key=json.dumps)
    return {**state, "books": books, "seen": seen}


def _plain_books(books: PositionBooks) -> dict[str, Any]:
    """Units, prices, positions and users, each in the order in which it came."""
    return {
        "quantum": str(books.money),
        "stale_after": books.stale_after,
        "window": books.window,
        "tokens": {token: str(unit) for token, unit in books.board.lots.items()},
        "prices": [
            [market, token, price.price, price.timestamp, str(price.numerator), str(price.denominator)]
            for (market, token), price in books.board.prices.items()
        ],
        "positions": [
            [*key, str(one.holding.lots), str(one.holding.cost), str(one.holding.realised), one.opened, one.updated]
            for key, one in books.entries.items()
        ],
        "users": [
            {"user": user, **{name: str(getattr(book, name)) for name in SUMS}, "trades": book.trades}
            | {"closed": [str(one) for one in book.closed], "returns": list(book.returns)}
            for user, book in books.users.items()
        ],
    }


def _user_book(plain: Any, window: int) -> UserBook:
    book = UserBook(window)
    for name in SUMS:
        setattr(book, name, int(plain[name]))
    book.trades = plain["trades"]
    book.closed.extend(map(int, plain["closed"]))
    book.returns.extend(map(float, plain["returns"]))
    return book
