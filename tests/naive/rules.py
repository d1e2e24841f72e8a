"""The rules of a scenario in plain Python, with dicts, lists and fractions, written from tests/scenarios/README.md.

Nothing of riskkit is imported. A `Rule` is told of every event by `naive.replay.Replay`, which keeps the books.
"""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from zoneinfo import ZoneInfo

NS = 10**9
DAY = 86_400 * NS
BAD = "NaN"
HOLDING = ("PAUSE", "HALT", "REDUCE_ONLY")


class Missing(Exception):
    """No price is known of an order that needs one."""


class Verdict:
    """What one rule says of one message: held by its own pause, a breach, or a price that is missing."""

    def __init__(self, rule):
        self.rule = rule
        self.held = self.breach = self.unpriced = False

    @property
    def stops(self):
        """Whether the rule refuses the message itself, not only by a pause."""
        if self.rule.action == "ALERT":
            return False
        return self.unpriced or (self.breach and (self.rule.action == "REJECT" or self.rule.refuses_too))

    @property
    def trips(self):
        """Whether the message pauses the rule's key from the next one on."""
        return self.breach and self.rule.action in HOLDING and self.rule.trips_by_breach


class Rule:
    """What all rules share: a record by key, pauses, the trading day."""

    passes_reducing = False  # orders that only reduce are free of it
    refuses_too = False  # it refuses under its own id, with PAUSE as with REJECT
    trips_by_breach = True
    speaks_by_pausing = False  # with PAUSE it judges no message, it only pauses
    reach = False
    ends = "command"

    def __init__(self, replay, given):
        self.replay, self.id, self.type = replay, given["id"], given["type"]
        self.params = given.get("params", {})
        self.action = given.get("action", "REJECT")
        self.scope = given.get("scope", self.params.get("scope", "account"))
        self.reaches = self.params.get("breach", "reach" if self.reach else "exceed") == "reach"
        self.pauses = {}  # key -> when it ends: a time, "day", or None (by command)
        self.zone = ZoneInfo(self.params.get("tz", "UTC"))
        self.day = None
        self.begin()

    def begin(self):
        """Start empty."""

    def limit(self, name="limit"):
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
            "global": "everything",
        }[self.scope]

    def belongs(self, key, who):
        """Whether a key is one of an account's own: the account, its strategies, its sessions."""
        if self.scope == "account":
            return key == who
        if self.scope in ("account_instrument", "account_product", "strategy"):
            return key[0] == who
        return self.scope == "session" and self.replay.logins.get(key) == who

    # ------------------------------------------------------------------ judging

    def judge(self, event, members, weight):
        """The verdict on a message: on each of its members, with the ones before it as if they worked."""
        verdict = Verdict(self)
        for place, member in enumerate(members):
            self.replay.phantoms = members[:place]
            free = member.reducing and self.action != "HALT"
            if self.key(member) in self.pauses and not free:
                verdict.held = True
            elif not (self.speaks_by_pausing and self.action in HOLDING):
                self.ask(event, member, weight if place == 0 else 0, verdict)
        self.replay.phantoms = []
        return verdict

    def ask(self, event, member, weight, verdict):
        if self.passes_reducing and member.reducing:
            return
        try:
            verdict.breach |= bool(self.objects(event, member, weight))
        except Missing:
            verdict.unpriced |= self.params.get("on_missing_price", "reject") == "reject"

    def objects(self, event, member, weight):
        return False

    def price(self, member):
        price = self.replay.price_of(member)
        if price is None:
            raise Missing
        return price

    # ------------------------------------------------------------------ pauses and days

    def trip(self, key, until=None):
        if self.action != "ALERT" and (self.action in HOLDING or self.refuses_too):
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

    def command(self, who):
        """RESUME or RESET of one account, or of every one (None)."""
        for key in list(self.pauses):
            if who is None or self.belongs(key, who):
                del self.pauses[key]
                self.lifted(key)
        self.reset(lambda key: who is None or self.belongs(key, who))

    def reset(self, mine):
        """Set runs and counts of the keys that are `mine` to 0."""

    def pauses_account(self, label):
        return "everything" in self.pauses or (self.scope == "account" and label in self.pauses)

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

    def filled(self, event, qty):
        """A fill was booked."""

    def equity_moved(self, account):
        """An account's equity may have moved."""

    def closed(self, event):
        """A trade was closed."""

    def errored(self, event):
        """A failure."""

    def succeeded(self, event):
        """A success."""

    def executed(self, event):
        """One automated execution."""


# ---------------------------------------------------------------------- rates


class OrderRate(Rule):
    def begin(self):
        self.window = self.params.get("window", "sliding")
        self.width = self.params.get("window_ns", 0)
        self.kinds = self.params.get("kinds", ["order", "order_list"])
        self.log = {}  # key -> [(time, weight)] of what counts
        self.opened = {}  # key -> when its fixed window opened

    def expire(self, key):
        now = self.replay.now
        if self.window == "sliding":
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


class MessageLevel(Rule):
    refuses_too = True
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
    def begin(self):
        self.seen = {}  # identity -> times

    def identity(self, member):
        return member.account, member.instrument, member.side, member.qty, member.price

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

    def asked(self, member):
        if member.order is None:
            return member.qty
        more = member.qty - member.order.qty
        if more <= 0:
            return Fraction(0)
        return more if self.ordered else member.rest

    def objects(self, event, member, weight):
        before = sum(self.asked(one) for one in self.replay.phantoms if self.key(one) == self.key(member))
        lots = self.asked(member)
        return lots > 0 and self.beyond(self.used.get(self.key(member), 0) + before + lots, self.limit())

    def heard(self, event, members, weight, stands, own):
        if self.ordered and own and event["kind"] != "cancel":
            for member in members:
                self.used[self.key(member)] = self.used.get(self.key(member), 0) + self.asked(member)

    def filled(self, event, qty):
        if not self.ordered:
            key = self.key(self.replay.fill_key(event))
            self.used[key] = self.used.get(key, 0) + qty

    def new_day(self):
        self.used.clear()


# ---------------------------------------------------------------------- one order


class MaxOrderQty(Rule):
    def objects(self, event, member, weight):
        return self.beyond(member.qty, self.limit())


class MinOrderQty(Rule):
    def objects(self, event, member, weight):
        return self.beyond(-member.qty, -self.limit())


class MaxOrderNotional(Rule):
    def money(self, member):
        return abs(member.qty * self.price(member) * self.replay.instruments[member.instrument].multiplier)

    def objects(self, event, member, weight):
        return self.beyond(self.money(member), self.limit())


class MinOrderNotional(MaxOrderNotional):
    def objects(self, event, member, weight):
        if self.params.get("exempt_reduce_only") and member.reduce_only:
            return False
        return self.beyond(-self.money(member), -self.limit())


class LotTick(Rule):
    def objects(self, event, member, weight):
        traded = self.replay.instruments[member.instrument]
        if member.bad_qty or member.qty <= 0 or member.qty % traded.lot != 0:
            return True
        if member.price is None:
            return False
        return member.price == BAD or member.price % traded.tick != 0 or (member.price <= 0 and not traded.negative)


class KnownInstrument(Rule):
    def objects(self, event, member, weight):
        return member.instrument not in self.replay.listed


class PriceCollar(Rule):
    def objects(self, event, member, weight):
        if member.price is None:
            return False
        reference = self.replay.instruments[member.instrument].last
        if reference is None or member.price == BAD:
            raise Missing
        return self.beyond(abs(member.price - reference), self.limit("pct") * abs(reference))


class SelfTrade(Rule):
    def objects(self, event, member, weight):
        for order in self.replay.working():
            if (order.account, order.instrument) != (member.account, member.instrument):
                continue
            if order.side != -member.side:
                continue
            if not isinstance(order.price, Fraction) or not isinstance(member.price, Fraction):
                return True
            if member.side * member.price >= member.side * order.price:
                return True
        return False


class ReservePrice(Rule):
    def objects(self, event, member, weight):
        order = member.order
        if order is None or order.side < 0:
            return False
        highest = order.reserve if order.reserve is not None else order.first_price
        if not isinstance(highest, Fraction) or not isinstance(member.price, Fraction):
            return False
        return self.beyond(member.price, highest)


# ---------------------------------------------------------------------- positions and money


class PositionLimit(Rule):
    def objects(self, event, member, weight):
        after = member.side * self.replay.position(member.account, member.instrument) + member.rest
        if self.params.get("include_open", True):
            after += self.replay.working_qty(member)
        return self.beyond(after, self.limit())


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
        free = self.replay.accounts[member.account].cash.get(traded.quote, Fraction(0))
        for order in self.replay.working():
            other = self.replay.instruments[order.instrument]
            if order.account == member.account and other.quote == traded.quote and order is not member.order:
                free -= order.held() * other.multiplier
        return self.beyond(cost, free)


class LongOnly(Rule):
    def objects(self, event, member, weight):
        held = self.replay.position(member.account, member.instrument)
        return member.side < 0 and member.rest > max(held, Fraction(0))


class ReduceOnly(Rule):
    def objects(self, event, member, weight):
        return member.reduce_only and not member.reducing


class TradingState(Rule):
    refuses_too = True
    trips_by_breach = False

    def objects(self, event, member, weight):
        state = self.replay.accounts[member.account].state
        return state == "HALTED" or (state == "REDUCING" and not member.reducing)


# ---------------------------------------------------------------------- losses and runs


class Drawdown(Rule):
    passes_reducing = speaks_by_pausing = True

    def begin(self):
        self.base = {}  # account -> (base, what was paid in then)
        for label in self.replay.accounts:
            self.look(label)

    def look(self, account):
        now, paid_in = self.replay.equity(account), self.replay.accounts[account].paid_in
        if account not in self.base:
            if now > 0:
                self.base[account] = (now, paid_in)
            return
        base = self.base[account][0] + paid_in - self.base[account][1]
        self.base[account] = (max(base, now) if self.params.get("trailing", True) else base, paid_in)

    def fallen(self, account):
        if account not in self.base or self.base[account][0] <= 0:
            return False
        base = self.base[account][0]
        return self.beyond(base - self.replay.equity(account), self.limit("pct") * base)

    def objects(self, event, member, weight):
        return self.fallen(member.account)

    def equity_moved(self, account):
        self.look(account)
        if self.fallen(account):
            self.trip(account)

    def reset(self, mine):
        for account in filter(mine, self.replay.accounts):
            self.base.pop(account, None)
            self.look(account)


class DailyLoss(Rule):
    passes_reducing = speaks_by_pausing = reach = True
    ends = "day"

    def begin(self):
        self.new_day()

    def new_day(self):
        self.base = {label: self.replay.profit(label) for label in self.replay.accounts}

    def objects(self, event, member, weight):
        return self.beyond(self.base[member.account] - self.replay.profit(member.account), self.limit())

    def equity_moved(self, account):
        if self.beyond(self.base[account] - self.replay.profit(account), self.limit()):
            self.trip(account)


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
    def closed(self, event):
        pnl = Fraction(event.get("pnl", "0"))
        if pnl < 0:
            self.worse(event)
        elif pnl > 0:
            self.better(event)


class ConsecutiveErrors(Run):
    def ends_at(self):
        return self.replay.now + self.params["open_ns"] if self.params.get("open_ns") else None

    def errored(self, event):
        self.worse(event)

    def succeeded(self, event):
        self.better(event)


class RepeatExecThrottle(Run):
    speaks_by_pausing = trips_by_breach = False
    refuses_too = True

    def executed(self, event):
        key = self.key(event)
        self.run[key] = self.run.get(key, 0) + 1


class Mmp(Rule):
    passes_reducing = speaks_by_pausing = True

    def begin(self):
        self.fills = {}

    def ends_at(self):
        return self.replay.now + self.params["freeze_ns"] if self.params.get("freeze_ns") else None

    def traded(self, key):
        start = self.replay.now - self.params["window_ns"]
        return sum((qty for ts, qty in self.fills.get(key, []) if ts > start), Fraction(0))

    def objects(self, event, member, weight):
        return self.beyond(self.traded(self.key(member)), self.limit("qty_limit"))

    def filled(self, event, qty):
        key = self.key(self.replay.fill_key(event))
        self.fills.setdefault(key, []).append((self.replay.now, qty))
        if self.beyond(self.traded(key), self.limit("qty_limit")):
            self.trip(key)

    def lifted(self, key):
        self.fills.pop(key, None)


# ---------------------------------------------------------------------- locks after trades


class Lock(Rule):
    passes_reducing = refuses_too = reach = True
    trips_by_breach = False

    def begin(self):
        self.trades = {}  # (key, side) -> closed trades
        self.locked = {}  # (key, side) -> end

    def place(self, one):
        side = one["side"] if isinstance(one, dict) else {1: "long", -1: "short"}[one.side]
        return self.key(one), side if self.params.get("per_side") else None

    def objects(self, event, member, weight):
        return self.replay.now < self.locked.get(self.place(member), self.replay.now)

    def closed(self, event):
        place, now = self.place(event), self.replay.now
        self.trades.setdefault(place, []).append((now, Fraction(event.get("ret", "0")), event.get("exit")))
        start = now - self.params.get("lookback_ns", 0)
        counted = self.counted([trade for trade in self.trades[place] if trade[0] > start])
        if counted:
            end = self.end(counted[-1][0])
            self.locked[place] = max(end, self.locked.get(place, end))

    def counted(self, trades):
        """The trades that lock, none if they do not."""
        raise NotImplementedError

    def enough(self, trades):
        return self.beyond(len(trades), Fraction(self.params.get("trade_limit", 1)))

    def end(self, last):
        if "unlock_at" in self.params:
            hour, minute = map(int, self.params["unlock_at"].split(":"))
            at = (hour * 60 + minute) * 60 * NS
            end = last - last % DAY + at
            end += DAY if end < last else 0
        else:
            end = last + self.params["stop_ns"]
        candle = self.params.get("candle_ns")
        return (end // candle + 1) * candle if candle else end


class StoplossGuard(Lock):
    def counted(self, trades):
        bad = [trade for trade in trades if trade[2] == "stop_loss" and trade[1] < 0]
        return bad if self.enough(bad) else []


class Cooldown(Lock):
    def begin(self):
        super().begin()
        self.params = {**self.params, "lookback_ns": 1}  # the close just seen is enough

    def counted(self, trades):
        return trades


class LowProfit(Lock):
    def counted(self, trades):
        total = sum((ret for _, ret, _ in trades), Fraction(0))
        return trades if self.enough(trades) and total < self.limit("required") else []


class DdTrades(Lock):
    def counted(self, trades):
        total = peak = fall = Fraction(0)
        for _, ret, _ in trades:
            total += ret
            peak = max(peak, total)
            fall = max(fall, peak - total)
        return trades if self.enough(trades) and fall > self.limit("max_dd") else []


TYPES = {
    "order_rate": OrderRate,
    "message_level": MessageLevel,
    "duplicate": Duplicate,
    "volume_cap": VolumeCap,
    "max_order_qty": MaxOrderQty,
    "min_order_qty": MinOrderQty,
    "max_order_notional": MaxOrderNotional,
    "min_order_notional": MinOrderNotional,
    "lot_tick": LotTick,
    "known_instrument": KnownInstrument,
    "price_collar": PriceCollar,
    "self_trade": SelfTrade,
    "reserve_price": ReservePrice,
    "position_limit": PositionLimit,
    "active_orders": ActiveOrders,
    "cash": Cash,
    "long_only": LongOnly,
    "reduce_only": ReduceOnly,
    "trading_state": TradingState,
    "drawdown": Drawdown,
    "daily_loss": DailyLoss,
    "consecutive_losses": ConsecutiveLosses,
    "consecutive_errors": ConsecutiveErrors,
    "repeat_exec_throttle": RepeatExecThrottle,
    "mmp": Mmp,
    "stoploss_guard": StoplossGuard,
    "cooldown": Cooldown,
    "low_profit": LowProfit,
    "dd_trades": DdTrades,
}
