"""Losses, runs of bad events, and the breaker."""

from __future__ import annotations

import contextlib
from fractions import Fraction

from naive.currencies import Missing
from naive.rules.base import HOLDING, Rule, Verdict
from naive.rules.money import deposits_of, needs_rates, profit_of, realised_of


class OfProfit(Rule):
    """A rule on the profit of an account, of accounts together, of instruments, or of a strategy."""

    passes_reducing = speaks_by_pausing = True

    def of_accounts(self):
        return self.scope in ("account", "trader", "desk", "firm", "global")

    def keys(self):
        if self.of_accounts():
            return {self.key({"account": label}) for label in self.replay.accounts}
        entries = [*self.replay.holdings, *(booked[:3] for booked in self.replay.booked)]
        return {self.key(dict(zip(("account", "instrument", "strategy"), entry, strict=True))) for entry in entries}

    def mine(self, account, instrument, strategy, key):
        return self.key({"account": account, "instrument": instrument, "strategy": strategy}) == key

    def rated(self, member):
        if self.currency:
            super().rated(member)
            needs_rates(self, self.key(member))

    def told(self, key):
        """A key's profit may have moved; without a rate nothing is known of it."""
        with contextlib.suppress(Missing):
            self.look(key)

    def rates_moved(self):
        for key in self.keys() if self.currency else ():
            self.told(key)

    def profit(self, key, any_age=False):
        if self.of_accounts():
            return profit_of(self, key, any_age)
        total = self.received(key)
        for account, label, strategy, qty, worth, _ in self.replay.booked:
            if self.mine(account, label, strategy, key):
                total -= qty * worth if qty else worth
        for (account, label, strategy), qty in self.replay.holdings.items():
            traded = self.replay.instruments[label]
            if traded.mark is not None and self.mine(account, label, strategy, key):
                total += qty * traded.mark * traded.multiplier
        for (account, label), worth in self.replay.first_worth.items():
            total -= worth if self.mine(account, label, "of nobody", key) else 0
        return total

    def received(self, key):
        """Dividends."""
        return sum((money for whose, money in self.replay.received.items() if self.mine(*whose, key)), Fraction(0))

    def realised(self, key):
        if self.scope != "strategy":
            return self.received(key) + sum(entry[5] for entry in self.replay.booked if self.mine(*entry[:3], key))
        books, total = {}, self.received(key)
        for account, label, strategy, qty, worth, _ in self.replay.booked:
            if self.mine(account, label, strategy, key):
                held, cost = books.get(label, (Fraction(0), Fraction(0)))
                closing = min(abs(qty), abs(held)) if held * qty < 0 else Fraction(0)
                way = 1 if qty > 0 else -1
                released = cost * closing / abs(held) if closing else Fraction(0)
                total += -way * closing * worth - released
                cost += way * (abs(qty) - closing) * worth - released if qty else worth
                books[label] = (held + qty, cost)
        return total

    def equity_moved(self, account):
        if self.scope == "account" and not self.currency:
            self.look(account)

    def groups_moved(self, one, instrument):
        if self.scope == "account" and not self.currency:
            return
        moved = {key for key in self.keys() if instrument is not None and self.holds(key, instrument)}
        if one is not None and (self.of_accounts() or not isinstance(one, dict)):
            moved.add(self.key(one))
        for key in moved:
            self.told(key)

    def holds(self, key, instrument):
        return self.net(key, instrument) != 0


class Drawdown(OfProfit):
    def begin(self):
        self.peak, self.known = {}, set()

    def join(self):
        self.reset(lambda key: True)

    def top(self, key):
        peak = self.peak.get(key, Fraction(0))
        return max(peak, self.profit(key)) if self.params.get("trailing", True) else peak

    def fallen(self, key):
        fall = self.top(key) - self.profit(key)
        if "pct" in self.params:
            paid_in = deposits_of(self, key)
            base = self.top(key) + paid_in
            if (key in self.known or paid_in != 0) and base > 0 and self.beyond(fall, self.limit("pct") * base):
                return True
        return "money" in self.params and self.beyond(fall, self.limit("money"))

    def objects(self, event, member, weight):
        self.rated(member)
        return self.fallen(self.key(member))

    def look(self, key):
        fallen = self.fallen(key)
        self.peak[key] = self.top(key)
        if self.of_accounts() and deposits_of(self, key) != 0:
            self.known.add(key)
        if fallen:
            self.trip(key)

    def reset(self, mine):
        for key in filter(mine, self.keys()):
            with contextlib.suppress(Missing):
                self.peak[key] = self.profit(key, any_age=True)


class DailyLoss(OfProfit):
    reach = True
    ends = "day"

    def begin(self):
        self.base = {}

    def join(self):
        self.new_day()

    def result(self, key, any_age=False):
        if self.params.get("measure", "total") == "realised":
            return realised_of(self, key, any_age) if self.of_accounts() else self.realised(key)
        return self.profit(key, any_age)

    def new_day(self):
        for key in self.keys():
            with contextlib.suppress(Missing):
                self.base[key] = self.result(key, any_age=True)

    def loss(self, key):
        return self.base.get(key, Fraction(0)) - self.result(key)

    def objects(self, event, member, weight):
        self.rated(member)
        return self.beyond(self.loss(self.key(member)), self.limit())

    def look(self, key):
        if self.beyond(self.loss(key), self.limit()):
            self.trip(key)


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
        first, pair = (
            {},
            (member.account, member.instrument),
        )  # the first order of each flat position that it would open
        for order in self.replay.working() if self.params.get("working", True) else self.replay.phantoms:
            if order.rest > 0 and self.replay.position(order.account, order.instrument) == 0:
                first.setdefault((order.account, order.instrument), self.key(order))
        key = self.key(member)
        after = self.open.get(key, 0) + list(first.values()).count(key) + (pair not in first)
        return after > self.params.get("open_positions", float("inf"))

    def took(self, key, profit):
        self.loss[key] = max(self.loss.get(key, 0) - profit, Fraction(0))
        if "daily_loss" in self.params and self.loss[key] >= self.limit("daily_loss"):
            self.trip(key)

    def filled(self, event, qty, realised, opened):
        key = self.key(self.replay.fill_key(event))
        self.count(key, opened)
        self.took(key, realised)

    def amended(self, fill, former, realised, opened):
        key = self.key(fill.member)
        self.count(key, opened)
        self.loss[key] = max(self.loss.get(key, 0) - realised, Fraction(0))

    def adjusted(self, member, opened):
        self.count(self.key(member), opened)

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

    def begin(self):
        super().begin()
        self.probes = {}  # half-open key -> the messages admitted, and the successes
        self.asked = {}  # key -> since when a probe waits for an answer
        self.before = {}  # key -> how many orders there were when its present state began

    def end_pauses(self):
        late = self.params.get("probe_timeout_ns")
        for key, (admitted, answered) in list(self.probes.items()) if late else ():
            if admitted > answered and self.replay.now >= self.asked[key] + late:
                del self.probes[key]
                self.pauses[key] = self.asked[key] + late + self.params["open_ns"]
        over = [key for key, until in self.pauses.items() if until is not None and self.replay.now >= until]
        super().end_pauses()
        if self.params.get("half_open"):
            self.probes |= {key: [0, 0] for key in over}
            self.before |= dict.fromkeys(over, len(self.replay.every_order))

    def holds_back(self, key, before):
        return key in self.probes and self.probes[key][0] + before >= self.params.get("probes", 1)

    def heard(self, event, members, weight, stands, own):
        key = self.key(members[0])
        if event["kind"] != "cancel" and stands and key in self.probes:
            if self.probes[key][0] == self.probes[key][1]:
                self.asked[key] = self.replay.now
            self.probes[key][0] += len(members)
        return False

    def is_stale(self, event):
        """Whether an answer names an order from before the present state."""
        named = self.replay.orders.get((event["account"], event.get("order_id")))
        return named is not None and named in self.replay.every_order[: self.before.get(self.key(event), 0)]

    def errored(self, event):
        if self.is_stale(event):
            return
        if self.probes.pop(self.key(event), None):
            self.trip(self.key(event))
        self.worse(event)

    def succeeded(self, event):
        key = self.key(event)
        if self.is_stale(event):
            return
        if key not in self.probes:
            self.better(event)
        elif self.probes[key][1] < self.probes[key][0]:
            self.probes[key][1] += 1
            self.asked[key] = self.replay.now
            if self.probes[key][1] >= self.params.get("probes", 1):
                self.lifted(key)
                self.before[key] = len(self.replay.every_order)

    def lifted(self, key):
        super().lifted(key)
        self.probes.pop(key, None)

    def reset(self, mine):
        super().reset(mine)
        self.probes = {key: counts for key, counts in self.probes.items() if not mine(key)}


class RepeatExecThrottle(Run):
    speaks_by_pausing = trips_by_breach = False

    def executed(self, event):
        key = self.key(event)
        self.run[key] = self.run.get(key, 0) + 1


class Mmp(Rule):
    passes_reducing = speaks_by_pausing = True

    def begin(self):
        self.fills, self.starts = {}, {}
        self.tagged = self.params.get("tagged", self.replay.tags)

    def ends_at(self):
        return self.replay.now + self.params["freeze_ns"] if self.params.get("freeze_ns") else None

    def window(self, key):
        """Times, quantities, net deltas and vegas of the fills that count: the last ones, or since the first of a window."""
        span, fixed = self.params["window_ns"], self.params.get("window", "sliding") != "sliding"
        entries = self.fills.get(key, [])
        start = self.starts.get(key)
        if fixed and (start is None or self.replay.now >= start + span):
            return []
        return [entry for entry in entries if (entry[0] >= start if fixed else entry[0] > self.replay.now - span)]

    def breached(self, key):
        entries = self.window(key)
        sums = [sum(one[place] for one in entries) for place in (1, 2, 3)]
        return any(
            name in self.params and self.beyond(abs(value), self.limit(name))
            for name, value in zip(("qty_limit", "delta_limit", "vega_limit"), sums, strict=True)
        )

    def objects(self, event, member, weight):
        return self.breached(self.key(member))

    def judge(self, event, members, weight):
        if self.tagged and not any(member.mmp for member in members):
            return Verdict(self)
        return super().judge(event, members, weight)

    def counts(self, event):
        """Whether a fill is of an order that the protection looks at."""
        named = self.replay.orders.get((event["account"], event.get("order_id")))
        return not self.tagged or (named is not None and named.mmp)

    def entry(self, event, side, qty):
        traded = self.replay.instruments[event["instrument"]]
        return qty, side * traded.delta * qty, side * traded.vega * qty

    def filled(self, event, qty, realised, opened):
        if not self.counts(event):
            return
        key = self.key(self.replay.fill_key(event))
        if not self.window(key):
            self.starts[key] = self.replay.now
            self.fills[key] = []
        self.fills[key].append((self.replay.now, *self.entry(event, {"B": 1, "S": -1}[event["side"]], qty)))
        if self.breached(key):
            self.trip(key)

    def split(self, label, ratio):
        for key in [key for key in self.fills if key == label or (isinstance(key, tuple) and key[1] == label)]:
            del self.fills[key]

    def amended(self, fill, former, realised, opened):
        entries = self.fills.get(self.key(fill.member), [])
        place = next((place for place, (ts, *_) in enumerate(entries) if ts == fill.ts), None)
        if place is not None and self.counts(fill.event):
            more = self.entry(fill.event, fill.side, fill.qty - former[0])
            entries[place] = fill.ts, *(had + one for had, one in zip(entries[place][1:], more, strict=True))

    def lifted(self, key):
        self.fills.pop(key, None)
        self.starts.pop(key, None)
