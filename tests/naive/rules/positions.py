"""Positions, exposure, cash and states."""

from __future__ import annotations

from fractions import Fraction

from naive.rules.base import Rule


class PositionLimit(Rule):
    def after(self, member):
        held = self.replay.position(member.account, member.instrument)
        counted = self.params.get("include_open", True)
        if self.params.get("measure", "net") == "net":
            return member.side * held + member.rest + (self.replay.working_qty(member) if counted else 0)
        both = self.replay.working_qty(member) + self.replay.working_qty(member, -member.side)
        return abs(held) + member.rest + (both if counted else 0)

    def objects(self, event, member, weight):
        after = self.after(member)
        if "limit" in self.params and self.beyond(after, self.limit()):
            return True
        if "notional" not in self.params or after <= 0:
            return False
        multiplier = self.replay.instruments[member.instrument].multiplier
        return self.beyond(abs(after * self.price(member) * multiplier), self.limit("notional"))


class Exposure(Rule):
    """Exposure of the account at marks once the order is filled; working orders are not counted."""

    passes_reducing = True

    def values(self, member):
        """Value of each position of the account after the order."""
        account, traded = self.replay.accounts[member.account], self.replay.instruments[member.instrument]
        mark = traded.mark if traded.mark is not None else self.price(member)
        found = {}
        for label, qty in account.positions.items():
            other = self.replay.instruments[label]
            found[label] = qty * (other.mark if other.mark is not None else 0) * other.multiplier
        held = account.positions.get(member.instrument, 0)
        found[member.instrument] = (held + member.side * member.rest) * mark * traded.multiplier
        return found

    def gross(self, values):
        return sum(map(abs, values.values()), Fraction(0))


class MaxExposure(Exposure):
    def objects(self, event, member, weight):
        values = self.values(member)
        net = abs(sum(values.values(), Fraction(0)))
        return self.beyond(self.gross(values) if self.params.get("measure", "gross") == "gross" else net, self.limit())


class Concentration(Exposure):
    def objects(self, event, member, weight):
        values = self.values(member)
        gross = self.gross(values)
        largest = max(map(abs, values.values()))
        return gross > Fraction(self.params.get("above", 0)) and self.beyond(largest, self.limit() * gross)


class Leverage(Exposure):
    def objects(self, event, member, weight):
        gross, equity = self.gross(self.values(member)), self.replay.equity(member.account)
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
        cost += max(cost, Fraction(0)) * Fraction(self.params.get("fee", 0))
        free = self.replay.accounts[member.account].cash.get(traded.quote, Fraction(0))
        for order in self.replay.working():
            other = self.replay.instruments[order.instrument]
            if order.account == member.account and other.quote == traded.quote and order is not member.order:
                free -= order.held() * other.multiplier
        return self.beyond(cost, free)


class LongOnly(Rule):
    def objects(self, event, member, weight):
        held = self.replay.position(member.account, member.instrument)
        working = self.replay.working_qty(member) if self.params.get("include_open") else 0
        return member.side < 0 and member.rest + working > max(held, Fraction(0))


class ReduceOnly(Rule):
    def objects(self, event, member, weight):
        return member.reduce_only and not member.reducing


class TradingState(Rule):
    trips_by_breach = False

    def objects(self, event, member, weight):
        state = self.replay.accounts[member.account].state
        return state == "HALTED" or (state == "REDUCING" and not member.reducing)
