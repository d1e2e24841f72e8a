"""Positions, exposure, cash and states."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

from naive.rules.base import Missing, Rule
from naive.rules.money import equity_of, needs_rates
from naive.rules.orders import Dated


class PositionLimit(Rule):
    def after(self, member):
        held = self.net(self.key(member), member.instrument)
        orders = None if self.params.get("include_open", True) else self.replay.phantoms
        if self.params.get("measure", "net") == "net":
            return member.side * held + member.rest + self.queued(member, member.side, orders)
        both = self.queued(member, member.side, orders) + self.queued(member, -member.side, orders)
        return abs(held) + member.rest + both

    def objects(self, event, member, weight):
        after = self.after(member)
        if "limit" in self.params and self.beyond(after, self.limit()):
            return True
        if "notional" not in self.params or after <= 0:
            return False
        multiplier = self.replay.instruments[member.instrument].multiplier
        money = self.up(abs(after * self.price(member) * multiplier), self.quote(member))
        return self.beyond(money, self.limit("notional"))


class Exposure(Dated):
    """Exposure of the key at marks; of the orders at work those of one side are filled, of the side that is worse."""

    passes_reducing = True
    reads = ("exposure",)

    def ask(self, event, member, weight, verdict):
        if not self.reduces(member) or self.action == "HALT":
            self.passes_reducing = False
            super().ask(event, member, weight, verdict)

    def reduces(self, member):
        if member.closes and self.scope == "account":  # all that the account holds
            return member.reducing
        held = self.net(self.key(member), member.instrument, self.whose(member))
        mine = [one for one in self.replay.working() if self.whose(member) in (None, one.account)]
        return held * member.side < 0 and member.rest + self.queued(member, member.side, mine) <= abs(held)

    def whose(self, member):
        """The account alone whose exposure is added, without netting, to that of the others of its key."""
        return member.account if self.netting == "none" else None

    def reference(self, label, member=None):
        """The mark; without one the highest price of an order so far."""
        traded = self.replay.instruments[label]
        if traded.mark is not None:
            return traded.mark
        prices = [self.replay.price_of(one) for one in self.replay.phantoms if one.instrument == label]
        prices += [self.price(member)] if member is not None else []
        return max(
            (abs(price) for price in [self.replay.estimates.get(label), *prices] if price is not None), default=0
        )

    def values(self, member, after):
        """By instrument of the key: its value with all buys filled, and with all sells; before or after the message."""
        key, found = self.key(member), {}
        books = self.members(key) if self.netting == "none" else [None]
        for (label, traded), who in product(self.replay.instruments.items(), books):
            orders = self.replay.working() if self.params.get("working", True) else self.replay.phantoms
            mine = [
                one for one in orders if one.instrument == label and self.key(one) == key and who in (None, one.account)
            ]
            if after:
                mine = [one for one in mine if one is not member.order]
            buys = sum((one.rest for one in mine if one.side > 0), Fraction(0))
            sells = sum((one.rest for one in mine if one.side < 0), Fraction(0))
            held = self.net(key, label, who)
            price = self.reference(label, member if label == member.instrument and after else None)
            if who not in (None, member.account) and traded.mark is None:  # as before the message
                price = self.replay.estimates.get(label) or 0
            if after and (label == member.instrument or held or buys or sells):
                self.refuse_old(label, traded)
            if label == member.instrument and after and who == self.whose(member):
                buys += member.rest if member.side > 0 else 0
                sells += member.rest if member.side < 0 else 0
                if not self.params.get("working", True) and held * member.side < 0:
                    held, buys, sells = held + buys - sells, 0, 0
            found[label, who] = [(held + buys) * price * traded.multiplier, (held - sells) * price * traded.multiplier]
        return found

    def refuse_old(self, label, traded):
        """Raise if the mark of an instrument is older than `max_mark_age_ns`."""
        name = "price" if ("price", label) in self.seen else "fill"
        if traded.mark is not None and self.fresh(name, label, age="max_mark_age_ns") is None:
            raise Missing

    def sizes(self, values):
        return [max(abs(high), abs(low)) for high, low in values.values()]

    def total(self, values, size):
        """What `size` gives of a high and a low, summed by currency and converted."""
        found = {}
        for (label, _), both in values.items():
            quote = self.replay.instruments[label].quote
            found[quote] = found.get(quote, Fraction(0)) + size(*both)
        return sum((self.up(amount, quote) for quote, amount in found.items() if amount), Fraction(0))

    def gross(self, member):
        return self.total(self.values(member, True), lambda high, low: max(abs(high), abs(low)))

    def rated(self, member):
        """Raise if the message, or money of the key in any currency, has no rate."""
        if self.currency:
            super().rated(member)
            needs_rates(self, self.key(member), of=self.reads)


class MaxExposure(Exposure):
    def objects(self, event, member, weight):
        self.rated(member)
        if self.params.get("measure", "gross") == "gross":
            return self.beyond(self.gross(member), self.limit())
        net = self.total(self.values(member, True), lambda high, low: high if member.side > 0 else -low)
        return self.beyond(net, self.limit())


class NettingSet(Exposure):
    """Instruments of a set are one position, by ratio; those of none are alone."""

    ask = Rule.ask
    passes_reducing = False

    def sets(self):
        """The ratios of each set: the declared ones, and each other instrument by itself."""
        declared = [
            {label: Fraction(ratio) for label, ratio in ratios.items() if label in self.replay.instruments}
            for ratios in self.params["netting_set"].values()
        ]
        known = {label for ratios in declared for label in ratios}
        return [ratios for ratios in declared if ratios] + [
            {label: Fraction(1)} for label in self.replay.instruments if label not in known
        ]

    def both(self, key, ratios, member, orders):
        """What a set holds, and what its buys and its sells add, after the message."""
        held, buys, sells = Fraction(0), Fraction(0), Fraction(0)
        for label, ratio in ratios.items():
            held += ratio * self.net(key, label)
            mine = [
                one for one in orders if one.instrument == label and self.key(one) == key and one is not member.order
            ]
            for one in [*mine, *([member] if member.instrument == label else [])]:
                if one.side * ratio > 0:
                    buys += one.rest * abs(ratio)
                else:
                    sells += one.rest * abs(ratio)
        return held, buys, sells

    def counted(self):
        return self.replay.working() if self.params.get("working", True) else self.replay.phantoms

    def objects(self, event, member, weight):
        key = self.key(member)
        own = next(ratios for ratios in self.sets() if member.instrument in ratios)
        side = member.side if own[member.instrument] > 0 else -member.side
        held, buys, sells = self.both(key, own, member, self.counted())
        adds = buys if side > 0 else sells
        if "limit" in self.params and self.beyond(side * held + adds, self.limit()):
            return True
        held, buys, sells = self.both(key, own, member, self.replay.working())
        if "exposure" not in self.params or (side * held < 0 and (buys if side > 0 else sells) <= abs(held)):
            return False
        self.worth(own, member, needed=True)
        self.rated(member)
        money = sum(
            self.size(key, ratios, member, ratios == own, side) * self.worth(ratios, member) for ratios in self.sets()
        )
        return self.beyond(self.up(money, self.quote(member)), self.limit("exposure"))

    def size(self, key, ratios, member, mine, side):
        held, buys, sells = self.both(key, ratios, member, self.counted())
        if mine and not self.params.get("working", True) and held * side < 0:
            return abs(held + buys - sells)
        return max(abs(held + buys), abs(held - sells))

    def worth(self, ratios, member, needed=False):
        """Money of one of a set: by the instrument with the largest ratio."""
        label = min(ratios, key=lambda one: (-abs(ratios[one]), one))
        price = self.reference(label, member if label == member.instrument else None)
        unknown = self.replay.instruments[label].mark is None and self.replay.estimates.get(label) is None
        if needed and unknown and not price and label != member.instrument:
            raise Missing
        return abs(price * self.replay.instruments[label].multiplier / ratios[label])


class Concentration(Exposure):
    def reduces(self, member):
        return not self.listed and super().reduces(member)

    def objects(self, event, member, weight):
        sizes = self.sizes(self.values(member, True))
        if self.later or sum(sizes) <= Fraction(self.params.get("above", 0)):
            return False
        if not self.beyond(max(sizes), self.limit() * sum(sizes)):
            return False
        before = self.sizes(self.values(member, False))
        if self.listed or sum(before) == 0:
            return True
        whole = max(sizes) == sum(sizes) and max(sizes) > max(before)
        return whole or max(sizes) * sum(before) > max(before) * sum(sizes)


class Leverage(Exposure):
    reads = ("exposure", "money")

    def objects(self, event, member, weight):
        self.rated(member)
        gross = self.gross(member)
        equity = equity_of(self, self.key(member))
        return gross > 0 if equity <= 0 else self.beyond(gross, self.limit() * equity)


class OrderToParent(Rule):
    def objects(self, event, member, weight):
        parent = member.parent
        if parent is None:
            return False
        own = member.order.rest if member.order is not None else 0
        return self.beyond(parent.children() + member.rest - own, Fraction(self.params.get("limit", 1)) * parent.qty)


class ActiveOrders(Rule):
    def objects(self, event, member, weight):
        if member.order is not None or event["kind"] == "modify":
            return False
        working = sum(self.key(order) == self.key(member) for order in self.replay.working())
        return self.beyond(working + 1, self.limit())


class Cash(Rule):
    def hold_price(self, member):
        order = member.order
        reserve = member.reserve if order is None else order.reserve
        return reserve if reserve is not None else self.price(member)

    def objects(self, event, member, weight):
        if member.side < 0:
            return False
        traded = self.replay.instruments[member.instrument]
        cost = member.rest * self.hold_price(member) * traded.multiplier
        fee = 1 + Fraction(self.params.get("fee", 0))
        mine = self.members(self.key(member))
        cash = sum(self.replay.accounts[label].cash.get(traded.quote, Fraction(0)) for label in mine)
        held = Fraction(0)
        for order in self.replay.working():
            other = self.replay.instruments[order.instrument]
            if order.account in mine and other.quote == traded.quote and order is not member.order:
                held += order.held() * other.multiplier
        return self.beyond(max(cost + held, 0) * fee + min(cost + held, 0), cash)


class LongOnly(Rule):
    def objects(self, event, member, weight):
        held = self.net(self.key(member), member.instrument)
        orders = None if self.params.get("working", True) else self.replay.phantoms
        return member.side < 0 and member.rest + self.queued(member, member.side, orders) > max(held, Fraction(0))


class ReduceOnly(Rule):
    def objects(self, event, member, weight):
        return member.reduce_only and not member.reducing


class TradingState(Rule):
    trips_by_breach = False

    def objects(self, event, member, weight):
        state = self.replay.accounts[member.account].state
        return state == "HALTED" or (state == "REDUCING" and not member.reducing)
