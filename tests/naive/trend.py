"""The demo's strategy for one stock, day by day: what it buys and sells. No pandas, no vectorbt."""

from __future__ import annotations

from fractions import Fraction


def trend_orders(closes, order_value=50_000, fast=50, slow=200, again=63):
    """Orders as (day, "B" or "S", shares, price), decided at one close and traded at the next."""
    exact = [Fraction(str(close)) for close in closes]
    orders, held, days_up, decided = [], 0, 0, None
    for day, price in enumerate(exact):
        if decided == "B":
            shares = int(Fraction(order_value) / price)
            orders.append((day, "B", shares, price))
            held += shares
        elif decided == "S" and held:
            orders.append((day, "S", held, price))
            held = 0
        decided = None
        if day + 1 >= slow:
            rising = sum(exact[day + 1 - fast : day + 1]) * slow > sum(exact[day + 1 - slow : day + 1]) * fast
            if rising:
                days_up += 1
                decided = "B" if days_up % again == 1 else None
            else:
                decided = "S" if days_up else None
                days_up = 0
    return orders
