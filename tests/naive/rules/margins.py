"""Margin: what positions require, by the documents that the models come from."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise, product
from math import ceil

from naive.currencies import Missing
from naive.rules.base import Rule
from naive.rules.losses import OfProfit
from naive.rules.money import equity_of
from naive.rules.positions import Exposure


def regulation_t(traded, qty, price, initial):
    """12 CFR 220.12(a), (c); FINRA Rule 4210(c)."""
    value, shares = abs(qty * price * traded.multiplier), abs(qty * traded.multiplier)
    if initial:
        return value / 2
    if qty >= 0:
        return value / 4
    return max(5 * shares, value * 3 / 10) if price >= 5 else max(Fraction(5, 2) * shares, value)


def cumulative(table):
    """(up to, rate, amount taken off): floor × (rate - rate before) + the amount before."""
    rows, taken = [], Fraction(0)
    for (lower, rate_before), (upper, rate) in pairwise([("0", "0"), *table]):
        taken += Fraction(lower) * (Fraction(rate) - Fraction(rate_before))
        rows.append((Fraction(upper), Fraction(rate), taken))
    return rows


class Margin(Exposure):
    """What the positions of a key require: each at the worse of its buys filled and its sells filled."""

    initial = True

    def legs(self, key, member=None, only=False):
        """By instrument (and account, without netting): quantities with the buys and with the sells filled, and the price."""
        books = self.members(key) if self.netting == "none" else [None]
        for (label, traded), who in product(self.replay.instruments.items(), books):
            mine = [
                one
                for one in self.replay.working()
                if one.instrument == label and self.key(one) == key and who in (None, one.account)
                if member is None or one is not member.order
            ]
            own = member is not None and label == member.instrument and who == self.whose(member)
            if only and not own:
                continue
            held = self.net(key, label, who) + (member.side * member.rest if own else 0)
            buys = sum((one.rest for one in mine if one.side > 0), Fraction(0)) if self.initial else 0
            sells = sum((one.rest for one in mine if one.side < 0), Fraction(0)) if self.initial else 0
            yield label, traded, (held + buys, held - sells), self.reference(label, member if own else None)

    def required(self, key, member=None):
        legs = list(self.legs(key, member))
        if self.params["model"] == "scan":
            return self.scanned(legs)
        if self.params["model"] == "portfolio":
            return self.tims(legs) if self.params.get("method", "tims") == "tims" else self.house(legs)
        return sum(max(self.alone(label, traded, qty, price) for qty in both) for label, traded, both, price in legs)

    def scanned(self, legs):
        """By combined commodity the worst scenario with spread charges less credits, at least the short option minimum."""
        groups = {label: name for name, labels in self.params.get("commodities", {}).items() for label in labels}
        charges = self.spreads(legs, "intra_spread", as_many=True)
        credits = self.spreads(legs, "inter_spread", as_many=False)
        total = Fraction(0)
        for name in {groups.get(label) for label, *_ in legs}:
            own = [leg for leg in legs if groups.get(leg[0]) == name]
            risk = self.worst(own) + sum(money for label, money in charges if groups.get(label) == name)
            risk -= sum(money for label, money in credits if groups.get(label) == name)
            least = sum(
                Fraction(self.params.get("short_option_minimum", {}).get(label, 0)) * max(-both[1], 0)
                for label, _, both, _ in own
            )
            total += max(risk, least, 0)
        return total

    def tims(self, legs):
        """Each class at ten points of its prices, at least 0.375 x multiplier for each option."""
        groups = {label: name for name, labels in self.params.get("commodities", {}).items() for label in labels}
        total = Fraction(0)
        for name in {groups.get(label, ("alone", label)) for label, *_ in legs}:
            own = [leg for leg in legs if groups.get(leg[0], ("alone", leg[0])) == name]
            worst = max(
                sum(
                    max(qty * self.loss_of_one(label, traded, price, point) for qty in both)
                    for label, traded, both, price in own
                )
                for point in range(10)
            )
            least = sum(
                Fraction("0.375") * traded.multiplier * max(map(abs, both))
                for label, traded, both, _ in own
                if label in self.params.get("arrays", {})
            )
            total += max(worst, least, 0)
        return total

    def loss_of_one(self, label, traded, price, point):
        if label in self.params.get("arrays", {}):
            return self.losses(label)[point]
        ranges = self.params.get("ranges", {})
        down, up = map(Fraction, ranges.get(label, ranges.get("*", ["-0.15", "0.15"])))
        move = (5 - point) * down / 5 if point < 5 else (point - 4) * up / 5
        return -move * price * traded.multiplier

    def house(self, legs):
        """VaR or expected shortfall, concentration and liquidity."""
        width = len(next(iter(self.params["arrays"].values())))
        losses = sorted(
            (sum(max(qty * self.losses(label)[k] for qty in both) for label, _, both, _ in legs) for k in range(width)),
            reverse=True,
        )
        tail = losses[: int(width * (1 - Fraction(self.params.get("confidence", "0.99")))) + 1]
        measure = tail[-1] if self.params["method"] == "var" else sum(tail) / len(tail)
        sizes = [max(map(abs, both)) for _, _, both, _ in legs]
        values = [
            abs(size * price * traded.multiplier) for size, (_, traded, _, price) in zip(sizes, legs, strict=True)
        ]
        beyond = max(max(values, default=0) - Fraction(self.params.get("above", 0)) * sum(values), 0)
        slow = sum(
            max(size - Fraction(self.params.get("x", 0)) * Fraction(self.params["adv"].get(label, 0)), 0)
            * Fraction(self.params["half_spread"].get(label, 0))
            * traded.multiplier
            for size, (label, traded, _, _) in zip(sizes, legs, strict=True)
            if "half_spread" in self.params
        )
        return (
            max(measure, 0) * Fraction(self.params.get("factor", 1))
            + Fraction(self.params.get("rate", 0)) * beyond
            + slow
        )

    def losses(self, label):
        sign = {"gain": -1, "loss": 1}[self.params.get("sign", "gain")]
        width = len(next(iter(self.params["arrays"].values())))
        return [sign * Fraction(amount) for amount in self.params["arrays"].get(label, [0] * width)]

    def worst(self, legs):
        width = len(next(iter(self.params["arrays"].values())))
        sums = (
            sum(max(qty * self.losses(label)[k] for qty in both) for label, _, both, _ in legs) for k in range(width)
        )
        return max(0, *sums)

    def spreads(self, legs, table, as_many):
        """Money of the spreads of a table, by instrument: each takes what those before it have left, in whole spreads."""
        long, short = {}, {}
        for label, _, (high, low), _ in legs:
            long[label] = long.get(label, 0) + max(high if as_many else low, 0)
            short[label] = short.get(label, 0) + max(-low if as_many else -high, 0)
        found = []
        for row in self.params.get(table, []):
            ratios = {label: Fraction(ratio) for label, ratio in row["legs"].items()}
            if all(ratio > 0 for ratio in ratios.values()) or all(ratio < 0 for ratio in ratios.values()):
                first, last = ratios
                ratios[last] = -ratios[last]
            if not ratios.keys() <= self.replay.instruments.keys():
                continue
            ways = []
            for turn in (1, -1):
                ways.append(
                    min(
                        (long if ratio * turn > 0 else short).get(label, 0) // abs(ratio)
                        for label, ratio in ratios.items()
                    )
                )
            turn, count = (-1, ways[1]) if ways[1] > ways[0] else (1, ways[0])
            for place, (label, ratio) in enumerate(ratios.items()):
                side = 1 if ratio * turn > 0 else -1
                (long if side > 0 else short)[label] = (long if side > 0 else short).get(label, 0) - count * abs(ratio)
                if "charge" in row:
                    money = Fraction(row["charge"]) if place == 0 else Fraction(0)
                else:
                    money = Fraction(row["credit"]) * abs(ratio) * max(0, *(side * loss for loss in self.losses(label)))
                found.append((label, count * money))
        return found

    def rows(self, label):
        table = self.params["table"]
        return table.get(label, table.get("*")) if isinstance(table, dict) else table

    def alone(self, label, traded, qty, price):
        if not price or not qty:
            return Fraction(0)
        if self.params["model"] == "reg_t":
            return regulation_t(traded, qty, price, self.initial)
        value = abs(qty * price * traded.multiplier)
        if self.params["model"] == "linear_tier":
            rate = Fraction(self.params.get("base", 0)) + Fraction(self.params.get("per_unit", 0)) * abs(qty)
            return value * Fraction(ceil(rate * 10**9), 10**9)
        if self.rows(label) is None:
            return Fraction(0)
        rows = cumulative(self.rows(label))
        _, rate, taken = next((row for row in rows if value <= row[0]), rows[-1])
        return value * rate - taken


class InitialMargin(Margin):
    ask = Rule.ask
    passes_reducing = False

    def objects(self, event, member, weight):
        key = self.key(member)
        before = self.required(key)
        by_arrays = self.params["model"] == "scan" or self.params.get("method", "tims") != "tims"
        if by_arrays and member.instrument not in self.params["arrays"]:
            raise Missing
        if self.params["model"] == "brackets" and self.rows(member.instrument) is None:
            raise Missing
        self.reference(member.instrument, member)
        then = self.required(key, member)
        beyond = self.params["model"] == "brackets" and any(
            abs(qty * price * traded.multiplier) > Fraction(self.rows(label)[-1][0])
            for label, traded, both, price in self.legs(key, member, only=True)
            for qty in both
        )
        return (then > equity_of(self, key) or beyond) and then >= before


class MaintenanceMargin(Margin, OfProfit):
    initial = False
    speaks_by_pausing = True

    def fallen(self, key):
        return equity_of(self, key) < self.required(key)

    def objects(self, event, member, weight):
        return self.fallen(self.key(member))

    def look(self, key):
        if self.fallen(key):
            self.trip(key)
        else:
            self.pauses.pop(key, None)


class ScenarioLimit(Margin):
    """The loss in each scenario against its limit; what lowers the largest excess passes."""

    ask = Rule.ask
    passes_reducing = False

    def reference(self, label, member=None):
        return Fraction(0)  # no price is needed

    def gains(self, label):
        """What one long gains in each scenario."""
        if "arrays" in self.params:
            return [Fraction(gain) for gain in self.params["arrays"].get(label, [])]
        if label not in self.params["sensitivities"]:
            return []
        delta, gamma, vega = map(Fraction, self.params["sensitivities"][label])
        moves = product(map(Fraction, self.params["spot_moves"]), map(Fraction, self.params["vol_moves"]))
        size = self.replay.instruments[label].multiplier
        return [size * (delta * spot + gamma / 2 * spot**2 + vega * vol) for spot, vol in moves]

    def excess(self, key, member=None):
        """The largest excess of a loss over the limit of its scenario."""
        legs = [(both, self.gains(label)) for label, _, both, _ in self.legs(key, member) if self.gains(label)]
        width = len(next(gains for label in self.replay.instruments if (gains := self.gains(label))))
        losses = [sum(max(-qty * gains[place] for qty in both) for both, gains in legs) for place in range(width)]
        limits = [Fraction(limit) for limit in self.params.get("cell_limits", [])]
        if "limit" in self.params:
            limits = [min(self.limit(), limit) for limit in limits or [self.limit()] * width]
        return max(loss - limit for loss, limit in zip(losses, limits, strict=True))

    def objects(self, event, member, weight):
        age = self.params.get("max_age_ns")
        if not self.gains(member.instrument) or (age is not None and self.replay.now - self.params["as_of"] > age):
            raise Missing
        key = self.key(member)
        then = self.excess(key, member)
        return then > 0 and then >= self.excess(key)
