"""The three views of a log of trades, worked out from the trades alone, in fractions; no row of a log is looked at."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from naive.desk import Tracker

DAY = 86_400 * 10**9


def legs(trade: dict) -> list[tuple[str, str, Fraction, str]]:
    """(role, token, amount, price) of each leg: signed tokens, and what a token cost."""
    if trade["kind"] == "update":
        return [("trade", trade["token"], Fraction(trade["amount"]), trade["price"])]
    sold, bought, value = (Fraction(trade[name]) for name in ("sell_amount", "buy_amount", "value"))
    found = [("sell", trade["sell_token"], -sold, value / sold), ("buy", trade["buy_token"], bought, value / bought)]
    if trade.get("gas_token"):
        found.append(("gas", trade["gas_token"], -Fraction(trade["gas_amount"]), Fraction(trade["gas_price"])))
    return found


def views(trades: Iterable[dict], quantum: str) -> tuple[list, dict, dict]:
    """(legs in their order, {(user, day): [sum, count]}, {(user, market, token): (amount, cost)})."""
    book = Tracker(quantum)
    told, days = [], {}
    for trade in trades:
        total = days.setdefault((trade["user"], trade["timestamp"] // DAY), [Fraction(0), 0])
        total[1] += 1
        for role, token, amount, price in legs(trade):
            money = book.money(amount, price)
            before = book.realized.get(trade["user"], 0)
            book.fill((trade["user"], trade["market"], token), amount, money)
            realized = book.realized.get(trade["user"], 0) - before
            total[0] += realized
            told.append((role, trade["user"], trade["market"], token, amount, money, realized))
    return told, days, dict(book.held)
