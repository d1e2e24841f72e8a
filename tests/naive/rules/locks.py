"""Locks after closed trades."""

from __future__ import annotations

from fractions import Fraction

from naive.rules.base import DAY, NS, Rule
from naive.rules.losses import OfProfit


class Lock(Rule):
    passes_reducing = reach = True
    trips_by_breach = False

    def begin(self):
        self.trades = {}  # (key, side) -> closed trades
        self.locked = {}  # (key, side) -> end

    def place(self, one):
        side = one["side"] if isinstance(one, dict) else {1: "long", -1: "short"}[one.side]
        return self.key(one), side if self.params.get("per_side") else None

    def objects(self, event, member, weight):
        return self.replay.now < self.locked.get(self.place(member), self.replay.now)

    def closed(self, event):
        place, now = self.place(event), self.replay.now
        money = Fraction(event.get("pnl", "0"))
        self.trades.setdefault(place, []).append((now, Fraction(event.get("ret", "0")), event.get("exit"), money))
        start = now - self.params.get("lookback_ns", 0)
        counted = self.counted([trade for trade in self.trades[place] if trade[0] > start])
        if counted:
            end = self.end(counted[-1][0])
            self.locked[place] = max(end, self.locked.get(place, end))

    def counted(self, trades):
        """The trades that lock, none if they do not."""
        raise NotImplementedError

    def enough(self, trades):
        return self.beyond(len(trades), Fraction(self.params.get("trade_limit", 1)))

    def end(self, last):
        if "unlock_at" in self.params:
            hour, minute = map(int, self.params["unlock_at"].split(":"))
            at = (hour * 60 + minute) * 60 * NS
            end = last - last % DAY + at
            end += DAY if end < last else 0
        else:
            end = last + self.params["stop_ns"]
        candle = self.params.get("candle_ns")
        return (end // candle + 1) * candle if candle else end


class StoplossGuard(Lock):
    def counted(self, trades):
        bad = [trade for trade in trades if trade[2] == "stop_loss" and trade[1] < 0]
        return bad if self.enough(bad) else []


class Cooldown(Lock):
    def begin(self):
        super().begin()
        self.params = {**self.params, "lookback_ns": 1}  # the close just seen is enough

    def counted(self, trades):
        return trades


class LowProfit(Lock):
    def counted(self, trades):
        total = sum((ret for _, ret, *_ in trades), Fraction(0))
        return trades if self.enough(trades) and total < self.limit("required") else []


class DdTrades(Lock, OfProfit):
    speaks_by_pausing = False

    def begin(self):
        super().begin()
        self.start = {}  # key -> the first equity above zero
        for key in self.keys() if self.of_accounts() else ():
            self.look(key)

    def look(self, key):
        if self.of_accounts() and self.start.get(key, 0) <= 0:
            self.start[key] = sum(self.replay.equity(label) for label in self.members(key))

    def counted(self, trades):
        if self.params.get("calculation", "ratios") == "equity":
            return trades if self.enough(trades) and self.falls(trades) else []
        total = peak = fall = Fraction(0)
        for _, ret, *_ in trades:
            total += ret
            peak = max(peak, total)
            fall = max(fall, peak - total)
        return trades if self.enough(trades) and fall > self.limit("max_dd") else []

    def falls(self, trades):
        """Whether the equity falls by more than the limit from its peak, which begins before the first trade."""
        place = next(place for place, known in self.trades.items() if trades[-1] in known[-1:])
        before = self.trades[place][: -len(trades)]
        running = peak = max(self.start[place[0]], 0) + sum(money for *_, money in before)
        for *_, money in trades:
            running += money
            peak = max(peak, running)
            if peak > 0 and (peak - running) / peak > self.limit("max_dd"):
                return True
        return False


class DdEquity(DdTrades):
    """The same, of the equity that the trades leave."""

    def begin(self):
        super().begin()
        self.params = {**self.params, "calculation": "equity"}
