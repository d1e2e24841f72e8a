"""The desk in plain Python, slow and exact: written from the definitions, not from the code."""

from __future__ import annotations

import math
from fractions import Fraction


def written(number: float) -> Fraction:
    """The decimal that a person wrote."""
    return Fraction(repr(float(number)))


def drawdown(values: list[float]) -> tuple[float, float]:
    """(current, deepest) fall from the running peak, as fractions of it."""
    peak, deepest, now = written(values[0]), Fraction(0), Fraction(0)
    for value in map(written, values):
        peak = max(peak, value)
        now = (peak - value) / peak
        deepest = max(deepest, now)
    return float(now), float(deepest)


def historical(returns: list[float], confidence: str) -> tuple[float, float]:
    """(VaR, ES): the ceil(n p)-th worst loss, and the mean of exactly n p observations of mass."""
    losses = sorted((-one for one in returns), reverse=True)
    mass = len(losses) * (1 - Fraction(confidence))
    rank = math.ceil(mass)
    whole = [losses[place] * min(Fraction(1), mass - place) for place in range(rank)]
    return losses[rank - 1], float(sum(whole) / mass)


def may_trade(trade: dict, held: dict, value: float, size: float, limit: float, fall: float) -> tuple[bool, float]:
    """(approved, size of the position as a fraction): limits pass what equals them, and reducing always passes."""
    money = written(trade["quantity"]) * written(trade["price"]) * (1 if trade["side"] == "buy" else -1)
    before = written(held.get(trade["ticker"], 0.0))
    after = before + money
    reduces = before * money < 0 and abs(money) <= abs(before)
    fits = abs(after) <= written(size) * written(value) and fall <= limit
    return reduces or fits, float(abs(after) / written(value))


def ewma(returns: list[list[float]], start: list[list[float]], decay: float) -> list[list[float]]:
    """S_t = decay × S + (1 - decay) × r r', entry by entry."""
    matrix = [list(row) for row in start]
    for row in returns:
        for i, one in enumerate(row):
            for j, other in enumerate(row):
                matrix[i][j] = decay * matrix[i][j] + (1.0 - decay) * one * other
    return matrix


def weighted(returns: list[list[float]], decay: float) -> list[list[float]]:
    """Sum of decay^age × r r' over the sum of the weights, entry by entry; the last row has age 0."""
    ages = range(len(returns) - 1, -1, -1)
    total = math.fsum(decay**age for age in ages)
    size = range(len(returns[0]))
    return [
        [math.fsum(decay**age * row[i] * row[j] for age, row in zip(ages, returns, strict=True)) / total for j in size]
        for i in size
    ]


def variance(positions: list[float], matrix: list[list[float]]) -> float:
    """w'Sw, term by term."""
    size = range(len(positions))
    return sum(positions[i] * matrix[i][j] * positions[j] for i in size for j in size)


def minute_bars(ticks: list[tuple[int, str, float]], length: int) -> list[dict]:
    """Open, high, low, close of every ticker in every stretch that has a tick, the last close where it has none."""
    bars, known = [], {}
    for start in sorted({stamp - stamp % length for stamp, _, _ in ticks}):
        inside = [tick for tick in ticks if start <= tick[0] < start + length]
        bar = {"timestamp": start + length, "rows": {}}
        for ticker in [*known, *dict.fromkeys(name for _, name, _ in inside if name not in known)]:
            prices = [price for _, name, price in sorted(inside, key=lambda tick: tick[0]) if name == ticker]
            if prices:
                bar["rows"][ticker] = (prices[0], max(prices), min(prices), prices[-1], len(prices))
                known[ticker] = prices[-1]
            else:
                bar["rows"][ticker] = (known[ticker],) * 4 + (0,)
        bars.append(bar)
    return bars


class Tracker:
    """PositionValues by average cost, in fractions and whole quanta: every rule of the definition once, slowly."""

    def __init__(self, quantum: str = "0.000001") -> None:
        self.quantum = Fraction(quantum)
        self.held: dict = {}
        self.realized: dict = {}
        self.paid_in: dict = {}

    def money(self, amount: str, price: str) -> int:
        """Whole quanta, half to even."""
        return round(abs(Fraction(amount)) * Fraction(price) / self.quantum)

    def fill(self, key: tuple, amount: str, money: int) -> None:
        """Signed tokens for so many quanta."""
        quantity, cost = self.held.get(key, (Fraction(0), 0))
        traded = Fraction(amount)
        user = key[0]
        self.paid_in[user] = self.paid_in.get(user, 0) + (money if traded > 0 else -money)
        if quantity * traded < 0:  # closes first, then opens what is left
            closing = min(abs(quantity), abs(traded))
            part = money if abs(traded) <= abs(quantity) else math.floor(money * closing / abs(traded))
            released = math.floor(cost * closing / abs(quantity))
            profit = (part if traded < 0 else -part) - released
            self.realized[user] = self.realized.get(user, 0) + profit
            cost, money = cost - released, money - part
            quantity, traded = (
                quantity + (closing if traded > 0 else -closing),
                traded - (closing if traded > 0 else -closing),
            )
        if traded:
            cost += money if traded > 0 else -money
        self.held[key] = (quantity + traded, cost)
        if quantity + traded == 0:
            del self.held[key]
