"""Credit: what is reserved and used by the accounts of a key."""

from __future__ import annotations

from fractions import Fraction

from naive.rules.base import Missing, Rule, Verdict


class Credit(Rule):
    of_the_record = True  # it counts what was reserved before it
    seen = ()

    def lives(self):
        """How long a reservation lives, in nanoseconds; 0: for ever."""
        return self.params.get("ttl_ns", 0)

    def worth(self, one):
        """What a reservation counts, now and for good."""
        return self.up(one.amount, one.currency)

    def asked(self, one):
        """The verdict on a reservation."""
        verdict, key = Verdict(self), self.key({"account": one.account})
        self.judged_key = key
        if key in self.pauses:
            verdict.held = True
            return verdict
        try:
            counted = sum(
                (other.counted() for other in self.replay.reservations if self.key_of(other) == key), Fraction(0)
            )
            verdict.breach = self.beyond(counted + self.worth(one), self.limit())
        except Missing:
            policy = self.params.get("on_missing_price", "reject")
            verdict.unpriced, verdict.noticed = policy == "reject", policy == "alert"
        return verdict

    def key_of(self, one):
        return self.key({"account": one.account})


class Reservation:
    """An amount that is reserved, used or given back; `worth` is what limits count of all of it."""

    def __init__(self, event, currency):
        self.account, self.label, self.ts = event["account"], event["reserve_id"], event["ts"]
        self.amount, self.currency = Fraction(event["amount"]), event.get("ccy", currency)
        self.back = Fraction(0)
        self.step, self.worth = "refused", Fraction(0)

    def counted(self):
        if self.step not in ("reserved", "used"):
            return Fraction(0)
        return self.worth - self.worth * self.back / self.amount
