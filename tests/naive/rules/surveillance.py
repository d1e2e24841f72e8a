"""Shapes in the flow of messages and fills of an account in an instrument."""

from __future__ import annotations

import statistics
from fractions import Fraction

from naive.rules.base import NS, Rule

BUY, SELL = 1, -1


class Layering(Rule):
    """Orders at several prices of one side, a fill on the other, the orders cancelled right after it."""

    speaks_by_pausing = True

    def begin(self):
        self.shapes = {}  # key -> side, time of the fill, orders that worked, their rests, what was cancelled

    def heard(self, event, members, weight, stands, own):
        key, order = self.key(members[0]), self.replay.taken
        shape = self.shapes.get(key)
        if event["kind"] != "cancel" or shape is None or order is None or order not in shape["orders"]:
            return False
        if self.replay.now >= shape["since"] + self.params.get("window_ns", NS):
            return False
        rest = max(order.qty - order.filled, Fraction(0))
        shape["gone"] += rest
        whole = Fraction(self.params.get("share", "0.8")) * shape["layered"]
        if rest == 0 or shape["gone"] < whole:
            return False
        del self.shapes[key]
        return True

    def filled(self, event, qty, realised, opened):
        key, side = self.key(self.replay.fill_key(event)), -1 if event["side"] == "B" else 1
        shape = self.shapes.get(key)
        if shape is not None and self.replay.now < shape["since"] + self.params.get("window_ns", NS):
            return
        self.shapes.pop(key, None)
        standing = [one for one in self.replay.every_order if one.working and one.stop is None]
        layers = [one for one in standing if one.side == side and self.key(one) == key]
        layered = sum((one.rest for one in layers), Fraction(0))
        if self.shaped(layers, qty) and layered > 0:
            self.shapes[key] = {"side": side, "since": self.replay.now, "orders": layers, "layered": layered,
                                "gone": Fraction(0)}  # fmt: skip

    def split(self, label, ratio):
        self.shapes = {key: shape for key, shape in self.shapes.items() if key[1] != label}

    def shaped(self, layers, qty):
        return len({one.price for one in layers}) >= self.params.get("prices", 3)


class Spoofing(Layering):
    """The same with one order of `multiple` times the fill."""

    def shaped(self, layers, qty):
        return any(one.rest >= Fraction(self.params.get("multiple", 5)) * qty for one in layers)


class Window:
    """What came in (t - w, t], by key: (time, what)."""

    def __init__(self, rule):
        self.rule, self.entries = rule, {}

    def add(self, key, what):
        self.entries.setdefault(key, []).append((self.rule.replay.now, what))

    def all(self, key):
        oldest = self.rule.replay.now - self.rule.params.get("window_ns", self.rule.width)
        self.entries[key] = [one for one in self.entries.get(key, []) if one[0] > oldest]
        return [what for _, what in self.entries[key]]


class CancelBurst(Rule):
    """As many cancels in the window as the limit; a burst lasts as long as each cancel finds so many."""

    speaks_by_pausing, reach, width = True, True, NS

    def begin(self):
        self.cancels, self.bursting = Window(self), {}

    def heard(self, event, members, weight, stands, own):
        if event["kind"] != "cancel":
            return False
        key = self.key(members[0])
        self.cancels.add(key, 1)
        before, self.bursting[key] = self.bursting.get(key), self.beyond(len(self.cancels.all(key)), self.limit())
        return self.bursting[key] and not before


class QuoteStuffing(Rule):
    """Many messages, few fills, nearly as many cancels as orders, which lived for a short time."""

    speaks_by_pausing, width = True, NS

    def begin(self):
        self.sent, self.fills, self.stuffing = Window(self), Window(self), {}

    def shape(self, key, more):
        sent = self.sent.all(key) + more
        count = {kind: sum(weight for one, weight, _ in sent if one == kind) for kind in ("order", "modify", "cancel")}
        messages, lives = sum(count.values()), [life for _, _, life in sent if life is not None]
        fills = sum(self.fills.all(key))
        return (
            messages >= self.params.get("messages", 500)
            and fills <= Fraction(self.params.get("fills", "0.01")) * messages
            and count["cancel"] >= Fraction(self.params.get("cancels", "0.9")) * count["order"]
            and len(lives) > 0
            and statistics.median(lives) <= self.params.get("lifetime_ns", NS // 10)
        )

    def one(self, event, weight):
        kind = "order" if event["kind"] == "order_list" else event["kind"]
        taken = self.replay.taken if kind == "cancel" else None
        alive = taken is not None and taken.filled < taken.qty
        return [(kind, weight, self.replay.now - taken.since if alive else None)]

    def objects(self, event, member, weight):
        key = self.key(member)
        return weight > 0 and not self.stuffing.get(key) and self.shape(key, self.one(event, weight))

    def heard(self, event, members, weight, stands, own):
        if not stands or weight == 0:
            return False
        key = self.key(members[0])
        self.sent.add(key, self.one(event, weight)[0])
        before, self.stuffing[key] = self.stuffing.get(key), self.shape(key, [])
        return self.stuffing[key] and not before

    def filled(self, event, qty, realised, opened):
        self.fills.add(self.key(self.replay.fill_key(event)), 1)

    def amended(self, fill, former, realised, opened):
        entries = self.fills.entries.get(self.key(fill.member), [])
        if fill.qty == 0 and (fill.ts, 1) in entries:
            entries.remove((fill.ts, 1))


class MomentumIgnition(Rule):
    """Own aggressive fills make much of a move, and then own fills go against it."""

    speaks_by_pausing, width = True, 10 * NS

    def begin(self):
        self.taking, self.moves = {BUY: Window(self), SELL: Window(self)}, {}

    def volume(self, instrument, since):
        return sum(qty for label, qty in self.replay.volumes[since:] if label == instrument)

    def find(self, key, side, price):
        """A move to a price that own fills of a side have made."""
        fills = self.taking[side].all(key)
        if not fills:
            return
        traded, own = self.volume(key[1], fills[0]["place"]), sum(one["qty"] for one in fills)
        tick = self.replay.instruments[key[1]].tick
        far = side * (price - fills[0]["start"]) >= self.params.get("move", 10) * tick
        if far and own >= Fraction(self.params.get("share", "0.5")) * traded:
            move = self.moves.get(key)
            goes_on = move is not None and move["side"] == side and self.in_time(move)
            against = move["against"] if goes_on else Fraction(0)
            self.moves[key] = {"side": side, "own": own, "since": self.replay.now, "against": against}

    def in_time(self, move):
        return self.replay.now < move["since"] + self.params.get("reversal_ns", 10 * NS)

    def aggressive(self, event, traded, side, price):
        named = self.replay.orders.get((event["account"], event.get("order_id")))
        if named is not None and named.price is None:
            return True
        quote = traded.ask if side == BUY else traded.bid
        if quote is not None:
            return side * price >= side * quote
        return traded.last is not None and side * price > side * traded.last

    def filled(self, event, qty, realised, opened):
        key, side, price = self.key(self.replay.fill_key(event)), BUY if event["side"] == "B" else SELL, event["price"]
        traded, price, move = self.replay.instruments[event["instrument"]], Fraction(price), self.moves.get(key)
        if move is not None and side == -move["side"] and self.in_time(move):
            move["against"] += qty
            if move["against"] >= Fraction(self.params.get("reversal", "0.5")) * move["own"]:
                for one in (self.moves, self.taking[BUY].entries, self.taking[SELL].entries):
                    one.pop(key, None)
                self.replay.alert(self)
                self.trip(key)
                return
        if self.aggressive(event, traded, side, price):
            start = traded.last if traded.last is not None else price
            self.taking[side].add(key, {"qty": qty, "start": start, "place": len(self.replay.volumes) - 1})
            self.find(key, side, price)

    def split(self, label, ratio):
        for kept in (self.moves, self.taking[BUY].entries, self.taking[SELL].entries):
            for key in [key for key in kept if key[1] == label]:
                del kept[key]

    def price_came(self, event):
        if "price" in event:
            for key in {key for one in self.taking.values() for key in one.entries if key[1] == event["instrument"]}:
                for side in (BUY, SELL):
                    self.find(key, side, Fraction(event["price"]))
