"""What limits are worth, event by event in whole numbers: enforced outcomes, orphan policies, attribution. No riskkit inside.

Written from the documents of `replay_log`, `sweep`, `calibrate` and `effectiveness`, for logs of plain orders that are filled
whole or not at all, prices, and three kinds of rules: a largest order, a largest position, and a latch on the fall of an
account's profit.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from math import factorial
from zoneinfo import ZoneInfo

POLICIES = ("keep", "clip", "drop")


class Book:
    """Cash and positions of every account, valued at last prices, at the last fill before the first price."""

    def __init__(self, events):
        self.names = sorted({event["account"] for event in events if event.get("account")})
        self.cash = dict.fromkeys(self.names, 0)
        self.held: Counter = Counter()
        self.mark, self.priced = {}, set()
        self.high = dict.fromkeys(self.names, 0)
        self.fall = dict.fromkeys(self.names, 0)
        self.path = []  # total profit after every event

    def profit(self, name):
        worth = sum(qty * self.mark[i] for (a, i), qty in self.held.items() if a == name and qty)
        return self.cash[name] + worth

    def take(self, event, qty=None):
        """Book a price or a fill."""
        if event["kind"] == "price":
            self.mark[event["instrument"]] = event["price"]
            self.priced.add(event["instrument"])
        elif event["kind"] == "fill" and qty:
            price = event["price"]
            if event["instrument"] not in self.priced:
                self.mark[event["instrument"]] = price
                self.see()  # who holds it already is valued at the new price before the fill is booked
            self.held[event["account"], event["instrument"]] += sign(event) * qty
            self.cash[event["account"]] -= sign(event) * qty * price
        self.see()
        self.path.append(sum(self.profit(name) for name in self.names))

    def see(self):
        for name in self.names:
            now = self.profit(name)
            self.high[name] = max(self.high[name], now)
            self.fall[name] = max(self.fall[name], self.high[name] - now)


def sign(event):
    return 1 if event["side"] == "B" else -1


def objects(rule, event, qty, book, tripped):
    """True if a rule refuses an order of `qty`."""
    held = book.held[event["account"], event["instrument"]]
    if rule["type"] == "size":
        return qty > rule["limit"]
    if rule["type"] == "position":
        return sign(event) * held + qty > rule["limit"]
    reduces = held * sign(event) < 0 and qty <= abs(held)
    return (rule["id"], event["account"]) in tripped and not reduces


def enforced(events, rules, policy="clip", on=None):
    """Replay events under those rules that are on; the book, refused rows, orphans, trips."""
    rules = [rule for rule in rules if on is None or rule["id"] in on]
    book, record, gone, caps = Book(events), Counter(), set(), {}
    tripped: dict = {}
    refused, orphans = [], 0
    for row, event in enumerate(events):
        if event["kind"] == "order":
            place, qty = (event["account"], event["instrument"]), event["qty"]
            recorded, held = record[place], book.held[place]
            reduced = recorded * sign(event) < 0 and qty <= abs(recorded)
            if reduced and not (held * sign(event) < 0 and qty <= abs(held)):
                orphans += 1
                free = abs(held) if held * sign(event) < 0 else 0
                if policy == "drop" or (policy == "clip" and free == 0):
                    gone.add(event["order_id"])
                    qty = 0
                elif policy == "clip":
                    qty = caps[event["order_id"]] = free
            if event["order_id"] not in gone and any(objects(rule, event, qty, book, tripped) for rule in rules):
                refused.append(row)
                gone.add(event["order_id"])
            book.take({"kind": "nothing"})
        elif event["kind"] == "fill":
            record[event["account"], event["instrument"]] += sign(event) * event["qty"]
            booked = 0 if event["order_id"] in gone else min(event["qty"], caps.get(event["order_id"], event["qty"]))
            book.take(event, booked)
        else:
            book.take(event)
        for rule, name in itertools.product(rules, book.names):
            key = rule["id"], name
            deepest = book.high[name] - book.profit(name)
            if rule["type"] == "fall" and key not in tripped and deepest > rule["limit"]:
                tripped[key] = event["ts"]
    return {"book": book, "refused": refused, "orphans": orphans, "trips": tripped}


def fall_of(path: Iterable[int]) -> int:
    """The deepest fall from the highest value so far, zero at the start included."""
    high = deepest = 0
    for value in path:
        high = max(high, value)
        deepest = max(deepest, high - value)
    return deepest


def date_of(ns, tz, roll_hour):
    """Trading date: the local date, from the roll hour on the next one."""
    local = dt.datetime.fromtimestamp(ns / 1e9, ZoneInfo(tz)) - dt.timedelta(hours=roll_hour)
    return local.date()


def gains(events, path, day):
    """Profit of each trading date that has an event."""
    last = {}
    for event, value in zip(events, path, strict=True):
        last[date_of(event["ts"], *day)] = value
    values = list(last.values())
    return [after - before for before, after in zip([0, *values], values, strict=False)]


def shortfall(days):
    """Mean loss of the worst twentieth of the days, of at least one."""
    size = max(Fraction(len(days), 20), Fraction(1))
    total, left = Fraction(0), size
    for gain in sorted(days):
        part = min(left, Fraction(1))
        total -= gain * part
        left -= part
        if not left:
            break
    return total / size


def outcome(events, rules, policy, day):
    """The enforced figures of one setting under one policy."""
    without, found = enforced(events, [], policy), enforced(events, rules, policy)
    path, base = found["book"].path, without["book"].path
    days = gains(events, path, day)
    earned = hindsight(events)
    good = sum(abs(e["qty"] * e["price"]) for row, e in enumerate(events) if earned.get(row, 0) > 0)
    blocked = sum(abs(events[row]["qty"] * events[row]["price"]) for row in found["refused"] if earned[row] > 0)
    orders = sum(event["kind"] == "order" for event in events)
    halted = sum(events[-1]["ts"] - since for since in found["trips"].values())
    return {
        "profit": path[-1],
        "profit_change": path[-1] - base[-1],
        "drawdown": fall_of(path),
        "drawdown_change": fall_of(path) - fall_of(base),
        "worst_day": min(days),
        "expected_shortfall": shortfall(days),
        "trips": len(found["trips"]),
        "hours_halted_calendar": Fraction(halted, 3_600 * 10**9),
        "orders_rejected": len(found["refused"]),
        "notional_rejected": sum(abs(events[row]["qty"] * events[row]["price"]) for row in found["refused"]),
        "rejected_share": Fraction(len(found["refused"]), orders) if orders else Fraction(0),
        "account_drawdown": max(found["book"].fall.values()),
        "orphan_exits": found["orphans"],
        "good_flow_blocked": Fraction(blocked, good) if good else Fraction(0),
        "good_rejections": sum(earned[row] < 0 for row in found["refused"]),
        "bad_rejections": sum(earned[row] > 0 for row in found["refused"]),
        "loss_avoided": sum(max(-earned[row], 0) for row in found["refused"]),
        "profit_forgone": sum(max(earned[row], 0) for row in found["refused"]),
    }


def hindsight(events):
    """Profit of the recorded fills of each order at the last marks."""
    book = Book(events)
    for event in events:
        book.take(event, event.get("qty"))
    filled = {e["order_id"]: e for e in events if e["kind"] == "fill"}
    found = {}
    for row, event in enumerate(events):
        if event["kind"] == "order":
            fill = filled.get(event["order_id"])
            found[row] = (
                0 if fill is None else sign(fill) * fill["qty"] * (book.mark[fill["instrument"]] - fill["price"])
            )
    return found


def attribution(events, rules, policy):
    """Worth of every subset; alone, left out and Shapley value of each rule, for profit and for drawdown."""
    ids = [rule["id"] for rule in rules]
    worth = {}
    for size in range(len(ids) + 1):
        for some in itertools.combinations(ids, size):
            path = enforced(events, rules, policy, on=set(some))["book"].path
            worth[frozenset(some)] = (path[-1], fall_of(path))
    everyone = frozenset(ids)
    found = {}
    for one in ids:
        for place, name in enumerate(("profit", "drawdown")):
            value = {subset: both[place] for subset, both in worth.items()}
            found[one, f"alone_{name}_change"] = value[frozenset([one])] - value[frozenset()]
            found[one, f"leave_one_out_{name}_change"] = value[everyone] - value[everyone - {one}]
            mean = Fraction(0)
            for order in itertools.permutations(ids):
                before = frozenset(order[: order.index(one)])
                mean += value[before | {one}] - value[before]
            found[one, f"shapley_{name}_change"] = mean / factorial(len(ids))
    return found
