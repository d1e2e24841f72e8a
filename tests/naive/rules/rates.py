"""How many messages, how much volume, in how much time."""

from __future__ import annotations

from fractions import Fraction

from naive.rules.base import NS, Missing, Rule


class OrderRate(Rule):
    def begin(self):
        self.window = self.params.get("window", "sliding")
        self.width = self.params.get("window_ns", 0)
        self.bucket = self.params.get("bucket_ns", 0)
        self.kinds = self.params.get("kinds", ["order", "order_list"])
        self.log = {}  # key -> [(time, weight)] of what counts
        self.opened = {}  # key -> when its fixed window opened

    def retune(self, given):
        before = self.most()
        if not super().retune(given):
            return False
        if self.window == "sliding" and not self.bucket:
            for key, log in self.log.items():
                self.log[key] = [(ts, 1) for ts, weight in log for _ in range(weight)][-min(before, self.most()) :]
        return True

    def most(self):
        """How many of the newest messages are remembered: enough to know that the limit is exceeded."""
        return int(self.limit()) + (1 if self.reaches else 2)

    def expire(self, key):
        now = self.replay.now
        if self.window == "sliding" and self.bucket:
            oldest = now // self.bucket - -(-self.width // self.bucket)
            self.log[key] = [entry for entry in self.log.get(key, []) if entry[0] // self.bucket > oldest]
        elif self.window == "sliding":
            self.log[key] = [entry for entry in self.log.get(key, []) if entry[0] > now - self.width]
        elif self.window == "fixed_from_first" and key in self.opened and now >= self.opened[key] + self.width:
            self.close(key)

    def close(self, key):
        self.opened.pop(key, None)
        self.log.pop(key, None)

    def breached(self, key, weight):
        self.expire(key)
        return self.beyond(sum(one for _, one in self.log.get(key, [])) + weight, self.limit())

    def objects(self, event, member, weight):
        return weight > 0 and event["kind"] in self.kinds and self.breached(self.key(member), weight)

    def heard(self, event, members, weight, stands, own):
        if event["kind"] not in self.kinds:
            return False
        key = self.key(members[0])
        breached = self.breached(key, weight)
        if stands or self.params.get("count", "accepted") == "attempted":
            self.opened.setdefault(key, self.replay.now)
            self.log.setdefault(key, []).append((self.replay.now, weight))
        if not own and self.params.get("reset_on_trip") and self.window == "fixed_from_first":
            self.close(key)
        return breached and event["kind"] == "cancel"

    def new_day(self):
        if self.window == "calendar_day":
            self.log.clear()


class Pace(Rule):
    """Every message that was let through, by key: (when it goes, how many it is, the order that it is of)."""

    def begin(self):
        self.gone = {}
        if self.params.get("kind") == "token_bucket":
            every = NS / Fraction(self.params["rate"])
            self.params = {**self.params, "limit": self.params["burst"], "refill_ns": every}
        self.kinds = self.params.get("kinds", ["order", "order_list"])

    def judge(self, event, members, weight):
        self.release = None
        return super().judge(event, members, weight)

    def due(self, key, weight):
        """The earliest time for so many more messages at once; None if there is none."""
        now, gone, most = self.replay.now, self.gone.get(key, []), int(self.limit())
        times = [ts for ts, count, _ in gone for _ in range(count)]
        if weight > most:
            return None
        if self.params.get("refill_ns"):
            full_at = None
            for ts, count, _ in gone:
                full_at = (ts if full_at is None else max(full_at, ts)) + count * self.params["refill_ns"]
            due = now if full_at is None else full_at - (most - weight) * self.params["refill_ns"]
        else:
            due = times[-(most - weight + 1)] + self.params["window_ns"] if len(times) > most - weight else now
        return max([now, due, *times[-1:]])

    def objects(self, event, member, weight):
        if weight == 0 or event["kind"] not in self.kinds:
            return False
        key = self.key(member)
        due = self.due(key, weight)
        if due is None:
            return True
        waiting = sum(count for ts, count, _ in self.gone.get(key, []) if ts > self.replay.now)
        if due > self.replay.now and "max_queue" in self.params and waiting + weight > self.limit("max_queue"):
            return True
        self.release = due if due > self.replay.now else None
        return False

    def heard(self, event, members, weight, stands, own):
        if event["kind"] in self.kinds and stands and weight:
            due = max(self.due(self.key(members[0]), weight), self.replay.until or 0)
            waits = event["kind"] == "order" and self.replay.until is not None
            self.gone.setdefault(self.key(members[0]), []).append([due, weight, members[0] if waits else None])
        return False

    def named(self, member, order):
        """A message has become an order."""
        for gone in self.gone.values():
            for one in gone:
                one[2] = order if one[2] is member else one[2]

    def ended(self, order):
        for key, gone in self.gone.items():
            self.gone[key] = [one for one in gone if one[0] <= self.replay.now or one[2] is not order]


class MessageLevel(Rule):
    pauses_with_reject = True
    trips_by_breach = False

    def begin(self):
        self.open = {}  # key -> [start, count]

    def count(self, key):
        start, count = self.open.get(key, (0, 0))
        return count if key in self.open and self.replay.now < start + self.params["window_ns"] else None

    def over(self, count, level):
        return self.beyond(count * NS, Fraction(self.params[level]) * self.params["window_ns"])

    def objects(self, event, member, weight):
        return weight > 0 and self.over((self.count(self.key(member)) or 0) + weight, "reject_mps")

    def heard(self, event, members, weight, stands, own):
        key = self.key(members[0])
        count = self.count(key)
        start = self.replay.now if count is None else self.open[key][0]
        self.open[key] = (start, (count or 0) + weight)
        return self.over(self.open[key][1], "logout_mps")


class Duplicate(Rule):
    of_the_record = True

    def begin(self):
        self.seen = {}  # identity -> times

    def identity(self, member):
        at_once = member.account, member.instrument, member.side, member.qty, member.price, member.closes
        return (*at_once, *((member.offset,) if member.offset is not None else (member.stop, "fixed")))

    def objects(self, event, member, weight):
        if event["kind"] == "modify":
            return False
        width = self.params.get("window_ns")
        times = self.seen.get(self.identity(member), [])
        before = sum(width is None or ts > self.replay.now - width for ts in times)
        twins = sum(self.identity(one) == self.identity(member) for one in self.replay.phantoms)
        return self.beyond(before + twins + 1, self.limit())

    def heard(self, event, members, weight, stands, own):
        if event["kind"] in ("order", "order_list"):
            for member in members:
                self.seen.setdefault(self.identity(member), []).append(self.replay.now)


class VolumeCap(Rule):
    ends = "day"

    def begin(self):
        self.used = {}
        self.ordered = self.params.get("measure", "traded") == "ordered"

    def split(self, label, ratio):
        for key, (lots, money) in self.used.items():
            if key == label or (isinstance(key, tuple) and key[1] == label):
                self.used[key] = lots * ratio, money

    def asked(self, member):
        if member.order is None:
            return member.qty
        more = member.qty - member.order.qty
        if more <= 0:
            return Fraction(0)
        return more if self.ordered else member.rest

    def worth(self, member):
        """Money of what a message asks, None where nobody knows a price."""
        price = self.replay.price_of(member)
        multiplier = self.replay.instruments[member.instrument].multiplier
        return None if price is None else abs(self.asked(member) * price * multiplier)

    def add(self, key, lots, money):
        used, spent = self.used.get(key, (0, 0))
        self.used[key] = (used + lots, spent + (money or 0))

    def objects(self, event, member, weight):
        key, lots = self.key(member), self.asked(member)
        before = [one for one in self.replay.phantoms if self.key(one) == key]
        used, spent = self.used.get(key, (0, 0))
        if lots == 0:
            return False
        if not self.ordered and self.params.get("working", True):
            for order in self.replay.every_order:
                if order.working and self.key(order) == key and order is not member.order:
                    worth = abs(order.worth_at) if order.worth_at is not None else 0
                    used += order.rest
                    spent += order.rest * worth * self.replay.instruments[order.instrument].multiplier
        if "limit" in self.params and self.beyond(used + sum(map(self.asked, before)) + lots, self.limit()):
            return True
        if "notional" not in self.params:
            return False
        if self.worth(member) is None:
            raise Missing
        spent += sum(self.worth(one) or 0 for one in before) + self.worth(member)
        return self.beyond(self.up(spent, self.quote(member)), self.limit("notional"))

    def heard(self, event, members, weight, stands, own):
        if self.ordered and own and event["kind"] != "cancel":
            for member in members:
                self.add(self.key(member), self.asked(member), self.worth(member))

    def filled(self, event, qty, realised, opened):
        if not self.ordered:
            money = abs(qty * Fraction(event["price"]) * self.replay.instruments[event["instrument"]].multiplier)
            self.add(self.key(self.replay.fill_key(event)), qty, money)

    def amended(self, fill, former, realised, opened):
        if not self.ordered and self.today(fill.ts):
            multiplier = self.replay.instruments[fill.event["instrument"]].multiplier
            worth = abs(fill.qty * fill.price * multiplier) - abs(former[0] * former[1] * multiplier)
            self.add(self.key(fill.member), fill.qty - former[0], worth)

    def new_day(self):
        self.used.clear()


class OrderToTrade(Rule):
    def begin(self):
        self.sent, self.fills = {}, {}  # key -> [(time, weight)], key -> [time]

    def recent(self, entries):
        return [entry for entry in entries if entry[0] > self.replay.now - self.params["window_ns"]]

    def breached(self, key, weight):
        sent = sum(one for _, one in self.recent(self.sent.get(key, []))) + weight
        fills = len(self.recent(self.fills.get(key, [])))
        return sent > self.params.get("least", 0) and self.beyond(sent, self.limit() * max(fills, 1))

    @property
    def only_cancels(self):
        return self.params.get("of", "messages") == "cancels"

    def objects(self, event, member, weight):
        return self.breached(self.key(member), 0 if self.only_cancels else weight)

    def heard(self, event, members, weight, stands, own):
        key = self.key(members[0])
        if event["kind"] == "cancel" or not self.only_cancels:
            self.sent.setdefault(key, []).append((self.replay.now, weight))
        return event["kind"] == "cancel" and self.breached(key, 0)

    def filled(self, event, qty, realised, opened):
        self.fills.setdefault(self.key(self.replay.fill_key(event)), []).append((self.replay.now, 1))

    def amended(self, fill, former, realised, opened):
        entries = self.fills.get(self.key(fill.member), [])
        if fill.qty == 0 and (fill.ts, 1) in entries:
            entries.remove((fill.ts, 1))


class UnexecutedOrders(Rule):
    """RTS 9: orders of the day, of which a modification counts 2, over its fills (at least 1), less 1."""

    def begin(self):
        self.orders, self.fills = {}, {}  # of each key

    def ratio(self, key, more):
        return Fraction(self.orders.get(key, 0) + more, max(self.fills.get(key, 0), 1)) - 1

    def objects(self, event, member, weight):
        return self.beyond(self.ratio(self.key(member), weight * (2 if event["kind"] == "modify" else 1)), self.limit())

    def heard(self, event, members, weight, stands, own):
        key = self.key(members[0])
        if stands or event["kind"] == "cancel":
            self.orders[key] = self.orders.get(key, 0) + weight * (2 if event["kind"] == "modify" else 1)
        return event["kind"] == "cancel" and self.beyond(self.ratio(key, 0), self.limit())

    def filled(self, event, qty, realised, opened):
        key = self.key(self.replay.fill_key(event))
        self.fills[key] = self.fills.get(key, 0) + 1

    def amended(self, fill, former, realised, opened):
        if fill.qty == 0 and self.today(fill.ts):
            self.fills[self.key(fill.member)] -= 1

    def new_day(self):
        self.begin()


class UnexecutedVolume(UnexecutedOrders):
    """The same in quantity: a cancel counts the rest it ends, a modification the rest before it and its quantity; no fill is one lot."""

    def size(self, event, member):
        if event["kind"] == "cancel":
            one = self.replay.taken
            return max(one.qty - one.filled, Fraction(0)) if one is not None else Fraction(0)
        return member.qty + (member.order.rest if member.order is not None else 0)

    def ratio(self, key, more, label=None):
        lot = self.replay.instruments[label].lot
        return (self.orders.get(key, 0) + more) / max(self.fills.get(key, Fraction(0)), lot) - 1

    def objects(self, event, member, weight):
        before = sum((one.qty for one in self.replay.phantoms if self.key(one) == self.key(member)), Fraction(0))
        more = before + self.size(event, member)
        return self.beyond(self.ratio(self.key(member), more, member.instrument), self.limit())

    def heard(self, event, members, weight, stands, own):
        for member in members if stands or event["kind"] == "cancel" else ():
            self.orders[self.key(member)] = self.orders.get(self.key(member), 0) + self.size(event, member)
        one = members[0]
        return event["kind"] == "cancel" and self.beyond(self.ratio(self.key(one), 0, one.instrument), self.limit())

    def filled(self, event, qty, realised, opened):
        key = self.key(self.replay.fill_key(event))
        self.fills[key] = self.fills.get(key, Fraction(0)) + qty

    def amended(self, fill, former, realised, opened):
        if self.today(fill.ts):
            self.fills[self.key(fill.member)] = self.fills.get(self.key(fill.member), 0) + fill.qty - former[0]

    def split(self, label, ratio):
        for counted in (self.orders, self.fills):
            for key in [one for one in counted if one == label or (isinstance(one, tuple) and one[1] == label)]:
                counted[key] *= ratio
