"""Value at risk: what is judged by a covariance of the prices so far, added up from scratch at every order."""

from __future__ import annotations

from fractions import Fraction
from statistics import NormalDist

import numpy as np
from naive.rules.base import Rule
from naive.var_limit import covariance, exposures

CENT = 100


class VarLimit(Rule):
    passes_reducing = True

    def begin(self):
        self.closes, self.end, self.priced = [], None, 0

    def turn_day(self):
        """Close the bar that is over, if a price came in it."""
        super().turn_day()
        width = self.params["bar_ns"]
        if self.end is not None and self.replay.now >= self.end and self.replay.pricings > self.priced:
            marks = [one.mark for one in self.replay.instruments.values()]
            self.closes.append([float(mark) if mark is not None and mark > 0 else np.nan for mark in marks])
            self.priced = self.replay.pricings
        self.end = (self.replay.now // width + 1) * width

    def lots(self, member, more):
        """Quantity that the member's account (or everybody) would hold of each instrument."""
        whose = [member.account] if self.scope == "account" else list(self.replay.accounts)
        labels = list(self.replay.instruments)
        held = [sum((self.replay.position(who, label) for who in whose), Fraction(0)) for label in labels]
        held[labels.index(member.instrument)] += member.side * more
        return np.array(held, float)

    def cents(self, lots):
        """VaR of quantities, in whole cents."""
        if len(self.closes) < 2:
            return 0
        matrix, counts = covariance(self.closes, float(self.params.get("decay", "0.94")))
        worth = np.array([float(one.multiplier) for one in self.replay.instruments.values()])
        money = exposures(lots, self.closes, counts, worth)
        z = float(self.params["z"]) if "z" in self.params else NormalDist().inv_cdf(self.params.get("confidence", 0.99))
        return round(CENT * z * float(self.params.get("horizon", 1) * max(money @ matrix @ money, 0.0)) ** 0.5)

    def policy(self, member):
        """What is to be done with an order that cannot be judged yet, None of one that can."""
        mark = self.replay.instruments[member.instrument].mark
        if mark is None or mark <= 0:
            return self.params.get("on_missing_price", "reject")
        concerned = self.lots(member, 0) != 0
        concerned[list(self.replay.instruments).index(member.instrument)] = True
        closes = np.array(self.closes) if self.closes else np.full((1, len(concerned)), np.nan)
        returns = (~np.isnan(closes[1:] / closes[:-1])).sum(axis=0)
        young = (returns < self.params.get("warmup", 30)) | np.isnan(closes[-1])
        return self.params.get("on_warmup", "reject") if (young & concerned).any() else None

    def ask(self, event, member, weight, verdict):
        if member.reducing and self.action != "HALT":
            return
        if self.policy(member) == "reject":
            verdict.unpriced = True
            return
        works = self.replay.working_qty(member) if self.params.get("include_open", True) else 0
        now = self.cents(self.lots(member, 0))
        after = max(self.cents(self.lots(member, member.rest + more)) for more in (0, works))
        hedge = self.params.get("hedges", True) and after <= now
        verdict.breach |= self.beyond(Fraction(after, CENT), self.limit()) and not hedge
