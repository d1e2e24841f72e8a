"""One order: its size, its price, what it meets."""

from __future__ import annotations

from fractions import Fraction

from naive.rules.base import BAD, Missing, Rule


class MaxOrderQty(Rule):
    def objects(self, event, member, weight):
        return self.beyond(member.qty, self.limit())


class MinOrderQty(Rule):
    def objects(self, event, member, weight):
        return self.beyond(-member.qty, -self.limit())


class MaxOrderNotional(Rule):
    def money(self, member, price):
        return abs(member.qty * price * self.replay.instruments[member.instrument].multiplier)

    def objects(self, event, member, weight):
        money = self.money(member, self.price(member))
        return self.beyond(self.up(money, self.quote(member)), self.limit())


class MinOrderNotional(MaxOrderNotional):
    def objects(self, event, member, weight):
        if self.params.get("exempt_reduce_only") and member.reduce_only:
            return False
        return self.beyond(-self.down(self.money(member, self.price(member)), self.quote(member)), -self.limit())


class LotTick(Rule):
    def objects(self, event, member, weight):
        traded = self.replay.instruments[member.instrument]
        if not member.closes and (member.bad_qty or member.qty <= 0 or member.qty % traded.lot != 0):
            return True
        if member.display is not None:  # of an iceberg
            if member.display == "x" or not 0 < Fraction(member.display) <= member.qty:
                return True
            if Fraction(member.display) % traded.lot != 0:
                return True
        if member.price is None:
            return False
        return member.price == BAD or member.price % traded.tick != 0 or (member.price <= 0 and not traded.negative)


class KnownInstrument(Rule):
    def objects(self, event, member, weight):
        known = member.instrument in self.params.get("instruments", self.replay.listed)
        known = known and member.instrument not in self.replay.expired
        return not known or member.instrument in self.params.get("restricted", ())


class Dated(Rule):
    """A rule that knows when each price came."""

    of_the_record = True

    def begin(self):
        self.seen = {}  # name of a price, instrument or fill -> the price and its time

    def price_came(self, event):
        for name in ("price", "bid", "ask"):
            if name in event:
                self.seen[name, event["instrument"]] = (Fraction(event[name]), self.replay.now)

    def closing(self, event):
        self.seen["close", event["instrument"]] = (Fraction(event["price"]), self.replay.now)

    def filled(self, event, qty, realised, opened):
        price = (Fraction(event["price"]), self.replay.now)
        self.seen["own_fill", event["account"], event["instrument"]] = self.seen["fill", event["instrument"]] = price

    def amended(self, fill, former, realised, opened):
        who, label = fill.event["account"], fill.event["instrument"]
        stand = [one for one in self.replay.fills if one.qty and not one.adjusts and one.event["instrument"] == label]
        own = [one for one in stand if one.event["account"] == who]
        self.seen["own_fill", who, label] = (own[-1].price, own[-1].ts) if own else (None, 0)
        if stand:
            self.seen["fill", label] = stand[-1].price, stand[-1].ts

    def first_marked(self, label, price):
        self.seen["fill", label] = price, self.replay.now

    def split(self, label, ratio):
        for name, (price, ts) in self.seen.items():
            if name[-1] == label and price is not None:
                self.seen[name] = price / ratio, ts

    def fresh(self, *name, age="max_age_ns"):
        price, ts = self.seen.get(name, (None, 0))
        return None if price is None or self.replay.now - ts > self.params.get(age, 10**30) else price


class PriceCollar(Dated):
    def reference(self, member):
        label, kind = member.instrument, self.params.get("reference", "last")
        if kind == "last":
            return self.fresh("price" if ("price", label) in self.seen else "fill", label)
        if kind == "own_fill":
            return self.fresh("own_fill", member.account, label)
        if kind == "close":
            return self.fresh("close", label)
        bid, ask = self.fresh("bid", label), self.fresh("ask", label)
        if kind == "touch":
            return ask if member.side == 1 else bid
        return None if bid is None or ask is None else (bid + ask) / 2

    def objects(self, event, member, weight):
        if member.price is None:
            return False
        reference = member.stop if isinstance(member.stop, Fraction) else self.reference(member)
        if reference is None or member.price == BAD:
            raise Missing
        distance = abs(member.price - reference)
        tick = self.replay.instruments[member.instrument].tick
        far = "pct" in self.params and self.beyond(distance, self.limit("pct") * abs(reference))
        return far or ("ticks" in self.params and self.beyond(distance, self.limit("ticks") * tick))


class PriceBand(PriceCollar):
    """Bounds on one side or both."""

    def begin(self):
        super().begin()
        self.trades = {}  # instrument -> (time, price) of each trade since it is in force
        self.bought = {}  # instrument -> [time, price, quantity] of each fill since then

    def price_came(self, event):
        super().price_came(event)
        if "price" in event:
            self.trades.setdefault(event["instrument"], []).append((self.replay.now, Fraction(event["price"])))

    def split(self, label, ratio):
        super().split(label, ratio)
        self.trades[label] = [(ts, price / ratio) for ts, price in self.trades.get(label, [])]
        self.bought[label] = []

    def filled(self, event, qty, realised, opened):
        super().filled(event, qty, realised, opened)
        self.bought.setdefault(event["instrument"], []).append([self.replay.now, Fraction(event["price"]), qty])

    def amended(self, fill, former, realised, opened):
        super().amended(fill, former, realised, opened)
        noted = [one for one in self.bought.get(fill.event["instrument"], []) if one[0] == fill.ts]
        if noted:
            noted[0].extend([fill.price, fill.qty, former[1], -former[0]])

    def reference(self, member):
        if self.params.get("reference") == "mean":
            oldest = self.replay.now - self.params["window_ns"]
            prices = [price for ts, price in self.trades.get(member.instrument, []) if ts > oldest]
            return sum(prices) / len(prices) if prices else None
        if self.params.get("reference") == "vwap":
            oldest = self.replay.now - self.params["window_ns"]
            fills = [one for one in self.bought.get(member.instrument, []) if one[0] > oldest]
            pairs = [pair for one in fills for pair in zip(one[1::2], one[2::2], strict=True)]
            lots = sum(qty for _, qty in pairs)
            return sum(price * qty for price, qty in pairs) / lots if lots else None
        return super().reference(member)

    def objects(self, event, member, weight):
        if member.price is None:
            return False
        reference = member.stop if isinstance(member.stop, Fraction) else self.reference(member)
        if reference is None or member.price == BAD:
            raise Missing
        sides = self.params.get("sides", "both")
        names = ("ask_up", "ask_down") if sides == "by_side" and member.side == -1 else ("up", "down")
        for way, name in zip((1, -1), names, strict=True):
            if sides == "aggressive" and way != member.side:
                continue
            far = way * (member.price - reference)
            widths = [self.limit("variation")] if "variation" in self.params else []
            widths += [self.limit("pct") * abs(reference)] if "pct" in self.params else []
            if far > 0 and any(self.beyond(far, width) for width in widths):
                return True
            if name in self.params:
                bound = Fraction(self.params[name]) * max(reference, 0)
                if self.beyond(way * member.price, way * bound):
                    return True
        return False


class Meeting(Rule):
    def mates(self, member):
        """The working orders that a rule keeps an order from meeting; by smp_id, no others of its list."""
        if self.scope == "smp_id":
            own = [order for order in self.replay.every_order if order.working]
            return [order for order in own if member.smp_id is not None and order.smp_id == member.smp_id]
        return [order for order in self.replay.working() if self.key(order) == self.key(member)]

    def apart(self, member):
        """Whether the phase of its instrument matches no orders as they come."""
        return self.replay.instruments[member.instrument].phase in ("preopen", "auction")


class SelfTrade(Meeting):
    def objects(self, event, member, weight):
        for order in self.mates(member):
            if order.instrument != member.instrument:
                continue
            if order.side != -member.side or order.stop is not None or member.stop is not None or self.apart(member):
                continue
            if not isinstance(order.price, Fraction) or not isinstance(member.price, Fraction):
                return True
            if member.side * member.price >= member.side * order.price:
                return True
        return False


class SelfMatch(Meeting):
    def met(self, member):
        """Working orders that an order meets, the best price first, then the first to come."""
        found = []
        for place, order in enumerate(self.replay.every_order):
            if order not in self.mates(member) or order.instrument != member.instrument:
                continue
            if order.side != -member.side or order.stop is not None or member.stop is not None or self.apart(member):
                continue
            priced = isinstance(order.price, Fraction) and isinstance(member.price, Fraction)
            if not priced or member.side * member.price >= member.side * order.price:
                limited = isinstance(order.price, Fraction)
                found.append((limited, member.side * order.price if limited else 0, place, order))
        return [one[-1] for one in sorted(found, key=lambda one: one[:3])]

    def objects(self, event, member, weight):
        met = self.met(member)
        mode = self.params.get("mode", "cancel_resting")
        if not sum(order.rest for order in met) or (mode == "cancel_resting" and event["kind"] != "modify"):
            return False
        return mode != "decrement" or event["kind"] == "modify" or sum(order.rest for order in met) >= member.qty

    def prevent(self, number, member, allowed):
        """Let the orders give way; return what the order that came loses."""
        mode, met = self.params.get("mode", "cancel_resting"), self.met(member)
        lost, left = sum(order.rest for order in met), member.qty
        if mode == "cancel_aggressing" or not lost:
            return Fraction(0)
        for order in met[:1] if mode == "cancel_both" else met:
            if left <= 0:
                break
            rest = order.rest
            if mode == "decrement" and rest > left:
                order.qty, order.capped, order.limited = order.qty - left, True, False
            else:
                self.replay.stop(order, None)
                order.refused = True
                self.replay.cancelled.setdefault(number, []).append(order.label)
            left -= rest if mode == "decrement" else 0
        return lost if mode == "decrement" and allowed else Fraction(0)


class ReservePrice(Rule):
    def objects(self, event, member, weight):
        order = member.order
        if order is None or order.side < 0:
            return False
        highest = order.reserve if order.reserve is not None else order.first_price
        if not isinstance(highest, Fraction) or not isinstance(member.price, Fraction):
            return False
        return self.beyond(member.price, highest)
