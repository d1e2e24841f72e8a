"""What all naive rules share: a record by key, pauses, the trading day, and a verdict."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from zoneinfo import ZoneInfo

from naive.currencies import Missing

NS = 10**9
DAY = 86_400 * NS
BAD = "NaN"
HOLDING = ("PAUSE", "HALT", "REDUCE_ONLY")
AMOUNTS = {
    "limit",
    "notional",
    "breach",
    "pct",
    "money",
    "ticks",
    "fee",
    "qty_limit",
    "delta_limit",
    "trade_limit",
    "required",
    "max_dd",
}
AMOUNTS |= {
    "least",
    "above",
    "daily_loss",
    "open_positions",
    "consecutive_errors",
    "reject_mps",
    "logout_mps",
    "probes",
    "max_queue",
    "max_move",
    "long_max_move",
}
AMOUNTS |= {
    "share",
    "prices",
    "multiple",
    "messages",
    "fills",
    "cancels",
    "reversal",
    "move",
    "variation",
    "up",
    "down",
    "ask_up",
    "ask_down",
    "exposure",
}


class Verdict:
    """What one rule says of one message: held by its own pause, a breach, or a price that is missing."""

    def __init__(self, rule):
        self.rule = rule
        self.held = self.breach = self.unpriced = self.noticed = False

    @property
    def stops(self):
        """Whether the rule refuses the message itself, not only by a pause."""
        return self.rule.action != "ALERT" and (self.unpriced or self.breach)

    @property
    def trips(self):
        """Whether the message pauses the rule's key from the next one on."""
        return self.breach and self.rule.action in HOLDING and self.rule.trips_by_breach


class Rule:
    """What all rules share: a record by key, pauses, the trading day."""

    passes_reducing = False  # orders that only reduce are free of it
    pauses_with_reject = False
    trips_by_breach = True
    speaks_by_pausing = False  # with PAUSE it judges no message, it only pauses
    reach = False
    ends = "command"
    of_the_record = False  # it looks at orders and prices that were there before it
    asleep = False  # not in force
    release = None  # when the message that it judged last may go, if that waits

    def __init__(self, replay, given):
        self.replay, self.id, self.type = replay, given["id"], given["type"]
        self.params = self.given = given.get("params", {})
        self.netting = given.get("netting", "net")
        self.judged_key = None  # the key that a message is judged for
        self.own = {key: [(limits, None)] for key, limits in given.get("overrides", {}).items()}  # with their ends
        self.action = given.get("action", "REJECT")
        self.scope = given.get("scope", self.params.get("scope", "account"))
        self.reaches = self.params.get("breach", "reach" if self.reach else "exceed") == "reach"
        self.pauses = {}  # key -> when it ends: a time, "day", or None (by command)
        self.currency, self.via = given.get("currency", ""), given.get("via", "USD")
        self.max_age = given.get("max_age_ns", None if self.type == "price_collar" else self.params.get("max_age_ns"))
        self.zone = ZoneInfo(self.params.get("tz", "UTC"))
        self.day = None
        self.begin()

    def begin(self):
        """Start empty."""

    def join(self):
        """Come into force with the present book."""

    def retune(self, given):
        """Take other numbers; False if they change what is counted."""
        before, after = self.given, given["params"]
        if not {name for name in {*before, *after} if before.get(name) != after.get(name)} <= AMOUNTS:
            return False
        own = {name: value for name, value in self.params.items() if name not in before}
        self.params, self.given, self.action = {**own, **after}, after, given.get("action", "REJECT")
        self.reaches = self.params.get("breach", "reach" if self.reach else "exceed") == "reach"
        if not self.makes_pauses:
            self.pauses = {}
        return True

    def limit(self, name="limit"):
        for limits, until in self.own.get(self.judged_key, [])[-1:]:
            if name in limits and (until is None or self.replay.now < until):
                return Fraction(limits[name])
        return Fraction(self.params[name])

    def beyond(self, value, limit):
        return value >= limit if self.reaches else value > limit

    # ------------------------------------------------------------------ whose record

    def key(self, one):
        """The key of a member or an order, or of an event's fields."""

        def get(name):
            return one.get(name) if isinstance(one, dict) else getattr(one, name, None)

        account, instrument = get("account"), get("instrument")
        product = self.replay.instruments[instrument].product if instrument is not None else None
        return {
            "account": account,
            "instrument": instrument,
            "product": product,
            "account_instrument": (account, instrument),
            "account_product": (account, product),
            "strategy": (account, get("strategy") or ""),
            "session": get("session") or "",
            "trader": self.replay.accounts[account].trader if account is not None else None,
            "desk": self.replay.accounts[account].desk if account is not None else None,
            "firm": self.replay.accounts[account].firm if account is not None else None,
            "smp_id": get("smp_id"),
            "global": "everything",
        }[self.scope]

    def belongs(self, key, who):
        """Whether a key is one of an account's own: the account, its strategies, its sessions."""
        if self.scope == "account":
            return key == who
        if self.scope in ("account_instrument", "account_product", "strategy"):
            return key[0] == who
        return self.scope == "session" and self.replay.logins.get(key) == who

    # ------------------------------------------------------------------ books of a key

    def members(self, key):
        """The accounts of a key of accounts: one, those of a trader, a desk, a firm or all."""
        return [label for label in self.replay.accounts if self.key({"account": label}) == key]

    def net(self, key, instrument, who=None):
        """What the accounts or strategies of a key, or one account, hold of an instrument, netted."""
        return sum(
            (qty for (account, label, strategy), qty in self.replay.holdings.items()
             if label == instrument and who in (None, account)
             and self.key({"account": account, "instrument": label, "strategy": strategy}) == key),
            Fraction(0),
        )  # fmt: skip

    def queued(self, member, side, orders=None):
        """What works on a side of the member's instrument for its key, without the order that it changes."""
        orders = self.replay.working() if orders is None else orders
        return sum(
            (order.rest for order in orders
             if (order.instrument, order.side) == (member.instrument, side)
             and self.key(order) == self.key(member) and order is not member.order),
            Fraction(0),
        )  # fmt: skip

    # ------------------------------------------------------------------ judging

    def judge(self, event, members, weight):
        """The verdict on a message: on each of its members, with the ones before it as if they worked."""
        verdict = Verdict(self)
        for place, member in enumerate(members if not self.asleep else ()):
            self.replay.phantoms = members[:place]
            self.judged_key = self.key(member)
            self.later = place + 1 < len(members)
            self.listed = len(members) > 1 or event["kind"] == "order_list"
            free = member.reducing and self.action != "HALT"
            if (self.key(member) in self.pauses or self.holds_back(self.key(member), place)) and not free:
                verdict.held = True
            elif not (self.speaks_by_pausing and self.action in HOLDING):
                self.ask(event, member, weight if place == 0 else 0, verdict)
            elif self.currency and not free:
                try:
                    self.rated(member)
                except Missing:
                    verdict.unpriced = True
        self.replay.phantoms = []
        return verdict

    def ask(self, event, member, weight, verdict):
        if self.passes_reducing and member.reducing and self.action != "HALT":
            return
        try:
            verdict.breach |= bool(self.objects(event, member, weight))
        except Missing:
            policy = self.params.get("on_missing_price", "reject")
            verdict.unpriced |= policy == "reject"
            verdict.noticed |= policy == "alert"

    def objects(self, event, member, weight):
        return False

    # ------------------------------------------------------------------ money of several currencies

    def up(self, amount, currency, any_age=False):
        """An amount that harms the trader as it grows, in the currency of the limit."""
        if not self.currency:
            return amount
        oldest = None if any_age or self.max_age is None else self.replay.now - self.max_age
        return self.replay.rates.up(amount, currency, self.currency, self.via, oldest)

    def down(self, amount, currency, any_age=False):
        """One that harms the trader as it falls."""
        return -self.up(-amount, currency, any_age)

    def quote(self, member):
        return self.replay.instruments[member.instrument].quote

    def rated(self, member):
        """Raise if the money of a message, or of its key, has no rate."""
        self.up(Fraction(0), self.quote(member))

    def price(self, member):
        price = self.replay.price_of(member)
        if price is None:
            raise Missing
        return price

    # ------------------------------------------------------------------ pauses and days

    @property
    def makes_pauses(self):
        return self.action != "ALERT" and (self.action in HOLDING or self.pauses_with_reject)

    def trip(self, key, until=None):
        if self.makes_pauses:
            self.pauses.setdefault(key, until or ("day" if self.ends == "day" else self.ends_at()))

    def ends_at(self):
        return None

    def end_pauses(self):
        for key, until in list(self.pauses.items()):
            if isinstance(until, int) and self.replay.now >= until:
                del self.pauses[key]
                self.lifted(key)

    def lifted(self, key):
        """A pause has ended by itself or was lifted."""

    def holds_back(self, key, before):
        """Whether a key is refused as in a pause, with so many orders of the same list before."""
        return False

    def command(self, who, groups):
        """RESUME or RESET of one account, of a trader, desk or firm, or of every one (None)."""

        def mine(key):
            return key == groups.get(self.scope) if groups else who is None or self.belongs(key, who)

        for key in [key for key in self.pauses if mine(key)]:
            del self.pauses[key]
            self.lifted(key)
        self.reset(mine)

    def reset(self, mine):
        """Set runs and counts of the keys that are `mine` to 0."""

    def pauses_account(self, label):
        account = self.replay.accounts[label]
        key = label if self.scope == "account" else getattr(account, self.scope, None)
        return "everything" in self.pauses or key in self.pauses

    def turn_day(self):
        moment = dt.datetime.fromtimestamp(self.replay.now // NS, dt.UTC).astimezone(self.zone)
        day = (moment.replace(tzinfo=None) - dt.timedelta(hours=self.params.get("roll_hour", 0))).date()
        if self.day is not None and day > self.day:
            self.new_day()
            for key in [key for key, until in self.pauses.items() if until == "day"]:
                del self.pauses[key]
                self.lifted(key)
        self.day = day if self.day is None else max(day, self.day)

    def new_day(self):
        """The trading day has turned."""

    # ------------------------------------------------------------------ what it hears of

    def heard(self, event, members, weight, stands, own):
        """A message and what became of it; `own`: this rule let it through. True trips."""
        return False

    def filled(self, event, qty, realised, opened):
        """A fill was booked: what it realised, and +1 where it opened a position from flat, -1 where it closed one."""

    def amended(self, fill, former, realised, opened):
        """A fill was busted or corrected from `former` quantity and price; what it changes in profit and open positions."""

    def adjusted(self, member, opened):
        """Lots came or went without a fill, which opened a position from flat (+1) or closed one (-1)."""

    def first_marked(self, label, price):
        """An instrument without a mark is valued by what is no trade."""

    def split(self, label, ratio):
        """Prices and quantities of an instrument are counted in new units."""

    def today(self, ts):
        """Whether a time is in the present trading day."""
        moment = dt.datetime.fromtimestamp(ts // NS, dt.UTC).astimezone(self.zone)
        return (moment.replace(tzinfo=None) - dt.timedelta(hours=self.params.get("roll_hour", 0))).date() >= self.day

    def price_came(self, event):
        """A last price, a bid or an ask came."""

    def named(self, member, order):
        """A message of an order with a name became that order."""

    def ended(self, order):
        """A working order was cancelled, expired or was taken away."""

    def prevent(self, number, member, allowed):
        """An order comes that nothing else refuses; what it loses."""
        return Fraction(0)

    def closing(self, event):
        """The previous close or settlement of an instrument came."""

    def equity_moved(self, account):
        """An account's equity may have moved."""

    def groups_moved(self, one, instrument):
        """The profit of the keys that hold an instrument (None: no one), and of a fill's or an account's, may have moved."""

    def rates_moved(self):
        """An exchange rate came."""

    def closed(self, event):
        """A trade was closed."""

    def errored(self, event):
        """A failure."""

    def succeeded(self, event):
        """A success."""

    def executed(self, event):
        """One automated execution."""
