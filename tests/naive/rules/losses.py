"""Losses, runs of bad events, and the breaker."""

from __future__ import annotations

from fractions import Fraction

from naive.rules.base import HOLDING, Rule


class Drawdown(Rule):
    passes_reducing = speaks_by_pausing = True

    def begin(self):
        self.base = {}  # account -> (base, what was paid in then)
        for label in self.replay.accounts:
            self.look(label)

    def look(self, account):
        now, paid_in = self.replay.equity(account), self.replay.accounts[account].paid_in
        if account not in self.base:
            if now > 0:
                self.base[account] = (now, paid_in)
            return
        base = self.base[account][0] + paid_in - self.base[account][1]
        self.base[account] = (max(base, now) if self.params.get("trailing", True) else base, paid_in)

    def fallen(self, account):
        if account not in self.base or self.base[account][0] <= 0:
            return False
        base = self.base[account][0]
        fall = base - self.replay.equity(account)
        far = "pct" in self.params and self.beyond(fall, self.limit("pct") * base)
        return far or ("money" in self.params and self.beyond(fall, self.limit("money")))

    def objects(self, event, member, weight):
        return self.fallen(member.account)

    def equity_moved(self, account):
        self.look(account)
        if self.fallen(account):
            self.trip(account)

    def reset(self, mine):
        for account in filter(mine, self.replay.accounts):
            self.base.pop(account, None)
            self.look(account)


class DailyLoss(Rule):
    passes_reducing = speaks_by_pausing = reach = True
    ends = "day"

    def begin(self):
        self.new_day()

    def result(self, account):
        if self.params.get("measure", "total") == "realised":
            return self.replay.accounts[account].realised
        return self.replay.profit(account)

    def new_day(self):
        self.base = {label: self.result(label) for label in self.replay.accounts}

    def loss(self, account):
        return self.base[account] - self.result(account)

    def objects(self, event, member, weight):
        return self.beyond(self.loss(member.account), self.limit())

    def equity_moved(self, account):
        if self.beyond(self.loss(account), self.limit()):
            self.trip(account)


class Breaker(Rule):
    ends = "day"

    def begin(self):
        self.loss, self.errors, self.open = {}, {}, {}
        for label, account in self.replay.accounts.items():
            for instrument, qty in account.positions.items():
                if qty != 0 and self.scope != "strategy":
                    self.count(self.key({"account": label, "instrument": instrument}), 1)

    def count(self, key, change):
        self.open[key] = self.open.get(key, 0) + change

    def objects(self, event, member, weight):
        if event["kind"] == "modify" or self.replay.position(member.account, member.instrument) != 0:
            return False
        return "open_positions" in self.params and self.open.get(self.key(member), 0) >= self.params["open_positions"]

    def took(self, key, profit):
        self.loss[key] = max(self.loss.get(key, 0) - profit, Fraction(0))
        if "daily_loss" in self.params and self.loss[key] >= self.limit("daily_loss"):
            self.trip(key)

    def filled(self, event, qty, realised, opened):
        key = self.key(self.replay.fill_key(event))
        self.count(key, opened)
        self.took(key, realised)

    def closed(self, event):
        self.took(self.key(event), Fraction(event.get("pnl", "0")))

    def trip(self, key, until=None):
        if self.action in HOLDING:
            super().trip(key, until)

    def errored(self, event):
        key = self.key(event)
        self.errors[key] = self.errors.get(key, 0) + 1
        if self.errors[key] >= self.params.get("consecutive_errors", float("inf")):
            self.trip(key)

    def succeeded(self, event):
        self.errors[self.key(event)] = 0

    def new_day(self):
        self.loss.clear()
        self.errors.clear()

    def reset(self, mine):
        for kept in (self.loss, self.errors):
            for key in [key for key in kept if mine(key)]:
                del kept[key]


class Run(Rule):
    """A run of bad events in a row."""

    passes_reducing = speaks_by_pausing = reach = True

    def begin(self):
        self.run = {}

    def worse(self, event):
        key = self.key(event)
        self.run[key] = self.run.get(key, 0) + 1
        if self.beyond(self.run[key], self.limit()):
            self.trip(key)

    def better(self, event):
        self.run[self.key(event)] = 0

    def objects(self, event, member, weight):
        return self.beyond(self.run.get(self.key(member), 0), self.limit())

    def lifted(self, key):
        self.run[key] = 0

    def reset(self, mine):
        self.run = {key: 0 if mine(key) else run for key, run in self.run.items()}


class ConsecutiveLosses(Run):
    def took(self, event, profit):
        if profit < 0:
            self.worse(event)
        elif profit > 0:
            self.better(event)

    def closed(self, event):
        if self.params.get("of", "closed_trades") != "closing_fills":
            self.took(event, Fraction(event.get("pnl", "0")))

    def filled(self, event, qty, realised, opened):
        if self.params.get("of", "closed_trades") != "closed_trades":
            self.took(self.replay.fill_key(event), realised)


class ConsecutiveErrors(Run):
    def ends_at(self):
        return self.replay.now + self.params["open_ns"] if self.params.get("open_ns") else None

    def errored(self, event):
        self.worse(event)

    def succeeded(self, event):
        self.better(event)


class RepeatExecThrottle(Run):
    speaks_by_pausing = trips_by_breach = False

    def executed(self, event):
        key = self.key(event)
        self.run[key] = self.run.get(key, 0) + 1


class Mmp(Rule):
    passes_reducing = speaks_by_pausing = True

    def begin(self):
        self.fills = {}

    def ends_at(self):
        return self.replay.now + self.params["freeze_ns"] if self.params.get("freeze_ns") else None

    def traded(self, key):
        start = self.replay.now - self.params["window_ns"]
        return sum((qty for ts, qty in self.fills.get(key, []) if ts > start), Fraction(0))

    def objects(self, event, member, weight):
        return self.beyond(self.traded(self.key(member)), self.limit("qty_limit"))

    def filled(self, event, qty, realised, opened):
        key = self.key(self.replay.fill_key(event))
        self.fills.setdefault(key, []).append((self.replay.now, qty))
        if self.beyond(self.traded(key), self.limit("qty_limit")):
            self.trip(key)

    def lifted(self, key):
        self.fills.pop(key, None)
