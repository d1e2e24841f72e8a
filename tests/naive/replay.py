"""The slow plain twin of the replay: a scenario interpreted by its README, with dicts, lists and fractions.

Written from tests/scenarios/README.md; nothing of riskkit is imported. Beyond that page an order may name its ``parent``
(an order_id of its account), in whose quantity `order_to_parent` counts it. `interpret(scenario)` gives the
decisions by event number, the states, the positions and the number of vanished fills.
"""

from __future__ import annotations

from fractions import Fraction

from naive.currencies import Rates
from naive.rules import BAD, TYPES
from naive.rules.base import Missing
from naive.rules.credit import Reservation

DAY = 86_400 * 10**9

BUY, SELL = 1, -1
UNSET = "by the first trade"  # the stop of an order that follows trades, before there is one


def interpret(scenario):
    """Replay a scenario; look at `decisions`, `states()`, `accounts`, `fills_vanished`."""
    replay = Replay(scenario)
    number = 0
    for written in scenario["events"]:
        repeat = written.get("repeat", {"n": 1})
        for turn in range(repeat["n"]):
            number += 1
            replay.take(number, {**written, "ts": written["ts"] + turn * repeat.get("dt_ns", 0)})
    return replay


class Instrument:
    def __init__(self, label, given):
        given = given or {}
        self.label = label
        self.product = given.get("product", label)
        self.tick = Fraction(given.get("tick", "0.01"))
        self.lot = Fraction(given.get("lot", "1"))
        self.multiplier = Fraction(given.get("multiplier", "1"))
        self.quote = given.get("quote", "USD")
        self.delta = Fraction(given.get("delta", "1"))
        self.vega = Fraction(given.get("vega", "0"))
        self.stop_slippage = Fraction(given.get("stop_slippage", "0"))
        self.tier, self.venue, self.phase = given.get("luld_tier"), given.get("venue"), "continuous"
        self.negative = given.get("negative_price", False)
        self.bid = self.ask = self.last = self.last_fill = None

    @property
    def mark(self):
        return self.last if self.last is not None else self.last_fill


class Account:
    def __init__(self, given):
        given = given or {}
        self.cash = {currency: Fraction(amount) for currency, amount in given.get("cash", {}).items()}
        self.positions = {label: Fraction(qty) for label, qty in given.get("positions", {}).items()}
        self.opened = dict(self.positions)
        self.unmarked = dict(self.positions)  # opening positions that no mark has valued yet
        self.trader, self.desk, self.firm = (given.get(group, "") for group in ("trader", "desk", "firm"))
        self.paid_in = sum(self.cash.values(), Fraction(0))
        self.paid = dict(self.cash)  # by currency
        self.known = self.unknown = Fraction(0)  # what was paid in at the last equity given, and before the first one
        self.cost = {}  # of each position, at what it was bought for or first marked at
        self.realised = Fraction(0)
        self.given = None
        self.state = "ACTIVE"
        self.paused = self.stopped = False
        self.trades = {}


class Order:
    """A named order; its quantity is in all, with what is filled."""

    def __init__(self, member, at_price):
        self.account, self.instrument, self.side = member.account, member.instrument, member.side
        self.strategy, self.session = member.strategy, member.session
        self.qty, self.price, self.reserve = member.qty, member.price, member.reserve
        self.reduce_only, self.closes = member.reduce_only, member.closes
        self.stop, self.offset = member.stop, member.offset
        self.dnr = member.dnr
        self.smp_id = member.smp_id
        self.mmp = member.mmp
        self.aimed = None, None  # its stop and offset before its last modify
        self.first_price = member.price
        self.at_price = at_price  # at which it was valued when it came
        self.worth_at = at_price  # and when it was changed
        self.filled = Fraction(0)
        self.working = True
        self.refused = False
        self.parent, self.heirs, self.unnamed = member.parent, [], Fraction(0)
        self.capped = member.capped  # it lost lots: fills stand up to what is left
        self.limited = False  # a modify was refused: fills stand up to what the order still is
        self.until = None  # when it goes, if it waits its turn
        self.lapses = None  # when it works no longer by itself
        self.believed = None  # why it does not work, if the venue may still say otherwise: cancelled, reduced
        self.former = None  # what it was before its last modify

    @property
    def rest(self):
        return max(self.qty - self.filled, Fraction(0)) if self.working else Fraction(0)

    def children(self):
        """Quantity that this order's children have taken: filled, and what works."""
        return self.unnamed + sum(max(one.qty, one.filled) if one.working else one.filled for one in self.heirs)

    def held(self):
        """What a working buy holds of its account's cash, but for the multiplier."""
        price = self.reserve if self.reserve is not None else self.price
        price = self.at_price if price in (None, BAD) else price
        return self.rest * price if self.side == BUY and price is not None else Fraction(0)


class Member:
    """One order, one order of a list, or what a modify would make of its order."""

    reducing = False
    stop = offset = None  # the trade that it waits for, and how far that stays from the best one
    capped = False  # it has lost lots to self-match prevention

    def __init__(self, event, fields, order=None):
        self.account, self.instrument = event["account"], fields.get("instrument", event.get("instrument"))
        self.strategy, self.session = event.get("strategy"), event.get("session")
        self.mmp = order.mmp if order is not None else bool(event.get("mmp"))
        self.smp_id = order.smp_id if order is not None else fields.get("smp_id", event.get("smp_id"))
        self.order = order
        self.parent = order.parent if order is not None else None
        self.side = {"B": BUY, "S": SELL}.get(fields.get("side"), order.side if order else 0)
        written = Fraction(fields.get("qty", "0"))
        self.closes = bool(fields.get("close_position"))  # it is for what is held
        self.bad_qty = written < 0 or (written == 0 and event["kind"] != "modify" and not self.closes)
        self.display = fields.get("display")
        self.qty = max(written, Fraction(0))
        price = fields.get("price")
        self.price = price if price in (None, BAD) else Fraction(price)
        self.reserve = Fraction(event["reserve"]) if "reserve" in event else None
        self.reduce_only = bool(event.get("reduce_only")) or self.closes
        self.dnr = bool(event.get("dnr"))
        self.at_price = None
        if order is not None:
            self.qty = self.qty or order.qty
            self.price = order.price if self.price is None else self.price
            self.reduce_only |= order.reduce_only
            self.strategy = self.strategy if self.strategy is not None else order.strategy
            self.session = self.session if self.session is not None else order.session

    @property
    def rest(self):
        return max(self.qty - (self.order.filled if self.order else 0), Fraction(0))

    held = Order.held


class Fill:
    """A fill: its quantity as booked and as recorded, and its place among those that are booked."""

    def __init__(self, event, member, side, recorded, price):
        self.event, self.member, self.side, self.price, self.ts = event, member, side, price, event["ts"]
        self.qty, self.recorded, self.whose, self.place = Fraction(0), recorded, None, None
        self.adjusts = False  # lots that came or went without a fill


class Replay:
    def __init__(self, scenario):
        self.enforce = scenario.get("mode", "shadow") == "enforce"
        self.tags = any(event.get("mmp") for event in scenario["events"])  # a protection looks at tagged orders alone
        self.cancel_frees = scenario.get("cancel_frees", "request")
        self.until = None  # when the message that is judged goes
        listed = {one["id"]: one for one in scenario.get("instruments", [])}
        self.listed = set(listed)
        self.instruments = {label: Instrument(label, one) for label, one in listed.items()}
        self.accounts = {one["id"]: Account(one) for one in scenario.get("accounts", [])}
        for event in scenario["events"]:
            orders = event.get("orders", []) if event["kind"] != "split" else []
            stated = [*event.get("positions", {}), *(one.get("instrument") for one in orders)]
            stated += [event["from"], event["to"]] if event["kind"] == "roll" else []
            stated += [leg["instrument"] for leg in event.get("legs", [])]
            for label in [event["instrument"]] if "instrument" in event and "legs" not in event else stated:
                self.instruments.setdefault(label, Instrument(label, None))
            both = [event["from"], event["to"]] if event["kind"] == "transfer" else []
            for label in [event["account"]] if "account" in event else both:
                self.accounts.setdefault(label, Account(None))
        self.holdings = {  # (account, instrument, strategy) -> quantity
            (label, name, "of nobody"): qty
            for label, one in self.accounts.items()
            for name, qty in one.positions.items()
        }
        # fills: account, instrument, strategy, signed quantity, money of one unit, what the account realised; without a quantity: money
        # by which another multiplier moves the cost
        self.booked = []
        self.fills = []  # every one that is no duplicate
        self.received = {}  # (account, instrument, strategy) -> dividends
        self.first_worth = {}  # (account, instrument) of an opening position -> its value at the first mark
        self.estimates = {}  # instrument -> highest price of an order before the first mark
        self.orders = {}
        self.every_order = []
        self.combinations = {}  # (account, id of an order) -> the instruments of its legs
        self.phantoms = []  # the orders of a list that stand before the one being judged
        self.logins = {}  # the account that last sent through a session
        self.rates = Rates(scenario.get("quantum"))
        self.first_currency = next((one.quote for one in self.instruments.values()), "USD")
        self.now = None
        self.decisions = {}
        self.fills_vanished = 0
        self.cancelled = {}  # event -> ids of orders
        self.releases = {}  # message that waits -> when it goes
        self.alerts = {}  # event -> ids of rules
        self.volumes = []  # fills that were booked: instrument, quantity
        self.reservations = []
        self.differences = []  # of snapshots: event, what, id, ours, theirs
        self.unbooked = {}  # (account, instrument) -> lots of the record that no fill and no opening position has
        self.base_cost = {}  # (account, instrument) -> cost after its last settlement
        self.expired = set()  # instruments
        self.taken = None  # the working order that a cancel ends
        self.pricings = 0  # marks that have come
        self.rules = []
        versions = [scenario["rules"], *(event["rules"] for event in scenario["events"] if event["kind"] == "rules")]
        self.numbers = list(dict.fromkeys(rule["id"] for rules in versions for rule in rules))
        self.dated = (
            scenario["rules"] if any({"valid_from", "valid_to"} & rule.keys() for rule in scenario["rules"]) else []
        )
        for rule in {rule["id"]: rule for rules in reversed(versions) for rule in rules}.values():
            if rule["id"] not in {one["id"] for one in scenario["rules"]} and TYPES[rule["type"]].of_the_record:
                self.rules.append(TYPES[rule["type"]](self, rule))
                self.rules[-1].asleep = True
        self.rules += [TYPES[rule["type"]](self, rule) for rule in scenario["rules"]]
        self.rules.sort(key=lambda rule: self.numbers.index(rule.id))

    # ------------------------------------------------------------------ books

    def position(self, account, instrument):
        return self.accounts[account].positions.get(instrument, Fraction(0))

    def equity(self, account):
        one = self.accounts[account]
        if one.given is not None:
            return one.given
        worth = sum(one.cash.values(), Fraction(0))
        for label, qty in one.positions.items():
            traded = self.instruments[label]
            if traded.mark is not None:
                worth += qty * traded.mark * traded.multiplier
        return worth

    def profit(self, account):
        """Equity without what was paid in: deposits and opening positions at their first mark."""
        return self.equity(account) - self.deposits(account)

    def deposits(self, account):
        """What was paid in, as far as the equity has it."""
        one = self.accounts[account]
        return one.paid_in if one.given is None else one.known

    def working(self):
        return [order for order in self.every_order if order.working] + self.phantoms

    def working_qty(self, member, side=None):
        """What works on the member's side of its instrument, without the order that it changes."""
        side = member.side if side is None else side
        return sum(
            order.rest
            for order in self.working()
            if (order.account, order.instrument, order.side) == (member.account, member.instrument, side)
            and order is not member.order
        )

    def only_reduces(self, member):
        held = self.position(member.account, member.instrument)
        if member.closes:
            return member.qty > 0
        return held * member.side < 0 and member.rest + self.working_qty(member) <= abs(held)

    def price_of(self, member):
        """The price at which an order is valued, None if none is known; a bad price is none."""
        if member.price == BAD:
            return None
        if member.stop is not None:
            slippage = self.instruments[member.instrument].stop_slippage
            return member.price if member.price is not None or member.stop == UNSET else member.stop + slippage
        traded = self.instruments[member.instrument]
        first = traded.ask if member.side == BUY else traded.bid
        market = first if first is not None else traded.mark
        if member.price is None or (member.side != BUY and market is not None and abs(market) > abs(member.price)):
            return market
        return member.price

    # ------------------------------------------------------------------ events

    def take(self, number, event):
        if self.now is not None and event["ts"] < self.now:
            self.decisions[number] = ("ERROR_TS", None)
            return
        self.now, self.number = event["ts"], number
        for order in self.every_order:
            if order.lapses is not None and self.now >= order.lapses and (order.working or order.believed):
                self.stop(order, None)
                order.lapses = None  # once: a snapshot may say that the venue has it all the same
        if event["kind"] == "rules":
            self.change(event["rules"])
        if self.dated:
            self.change([rule for rule in self.dated if self.is_valid(rule, event["ts"])])
        for rule in self.rules:
            rule.turn_day()
            rule.end_pauses()
            if event["kind"] == "limit" and rule.id == event["rule"] and event.get("approver"):
                rule.own.setdefault(event["key"], []).append(({"limit": event["limit"]}, event["until"]))
        if event["kind"] == "limit":
            return
        for one in self.by_leg(event):
            if one.get("external"):
                self.external(one)
            elif event["kind"] in ("order", "order_list", "modify"):
                self.message(number, one)
            else:
                getattr(self, "take_" + event["kind"])(number, one)

    def by_leg(self, event):
        """An event of the order of a combination is one of its leg in that instrument, else of each."""
        of = (event.get("account"), event.get("order_id"))
        if event["kind"] == "order" and "legs" not in event:
            self.combinations.pop(of, None)
        legs = self.combinations.get(of, []) if event["kind"] != "order" else []
        own = [leg for leg in legs if leg == event.get("instrument")] or legs
        return [{**event, "instrument": leg, "order_id": f"{of[1]}/{leg}"} for leg in own] or [event]

    def change(self, rules):
        """Judge by other rules from here on: with the same memory where only amounts differ, else from the start."""
        wanted = {rule["id"]: rule for rule in rules}
        known = {rule.id: rule for rule in self.rules}
        self.rules = []
        for name in self.numbers:
            old, given = known.get(name), wanted.get(name)
            if given is None and old is not None and old.of_the_record:
                old.asleep, old.pauses = True, {}
                self.rules.append(old)
            if given is None:
                continue
            if old is None or old.asleep or not old.retune(given):
                new = TYPES[given["type"]](self, given)
                if old is not None and old.of_the_record:
                    new.seen = old.seen
                new.join()
                old = new
            self.rules.append(old)

    def is_valid(self, rule, ts):
        """Whether a rule is in force at a time: from its first one to before its last one."""
        return rule.get("valid_from", ts) <= ts and ("valid_to" not in rule or ts < rule["valid_to"])

    def take_rules(self, number, event):
        """The rules are others already."""

    def message(self, number, event):
        named, whole = None, event
        if "legs" in event:
            legs = [{**leg, "side": "B" if leg["side"] == event.get("side", "B") else "S"} for leg in event["legs"]]
            legs = [{**leg, "qty": str(Fraction(leg["ratio"]) * Fraction(event["qty"]))} for leg in legs]
            event = {
                n: v for n, v in event.items() if n not in ("legs", "order_id", "price", "instrument", "side", "qty")
            }
            event |= {"kind": "order_list", "orders": legs, "children": 1}
        if event["kind"] == "modify":
            named = self.orders.get((event["account"], event["order_id"]))
            if named is not None and named.refused:
                self.decisions[number] = ("VANISH", None)
                return
        members = [Member(event, fields, named) for fields in event.get("orders", [event])]
        if "parent" in event:
            members[0].parent = self.orders.get((event["account"], event["parent"]))
            if members[0].parent is not None and members[0].parent.refused:
                self.decisions[number] = ("VANISH", None)
                self.write(event, members[0], named, False)
                return
        self.logins[members[0].session or ""] = event["account"]
        for place, member in enumerate(members):
            self.phantoms = members[:place]
            self.size_up(member, event.get("orders", [event])[place])
            member.reducing = self.only_reduces(member)
        self.phantoms = []
        weight = event.get("children", len(members))
        verdicts = [rule.judge(event, members, weight) for rule in self.rules]
        stopping = [verdict.rule.id for verdict in verdicts if verdict.stops]
        for verdict in verdicts:
            if verdict.breach or verdict.unpriced or verdict.noticed:
                self.alert(verdict.rule)
        accounts = [(self.accounts[member.account], member) for member in members]
        paused = any(one.stopped or (one.paused and not member.reducing) for one, member in accounts)
        decision = ("REJECT", stopping[0]) if stopping else ("ALLOW", None)
        if paused or any(verdict.held for verdict in verdicts):
            decision = ("REJECT", "PAUSED")
        waiting = [rule for rule in self.rules if rule.release is not None] if decision[0] == "ALLOW" else []
        self.until = max((rule.release for rule in waiting), default=None)
        if waiting:
            self.releases[number] = self.until
        self.decisions[number] = ("QUEUE", waiting[0].id) if waiting else decision
        for verdict in verdicts:
            own = not verdict.stops and not verdict.held
            stands = decision[0] == "ALLOW" if self.enforce else own
            heard = verdict.rule.heard(event, members, weight, stands, own)
            if heard or verdict.trips:
                verdict.rule.trip(verdict.rule.key(members[0]))
        if self.enforce and event["kind"] != "modify" and not paused and not any(one.held for one in verdicts):
            for rule in self.rules:
                others = any(verdict.stops for verdict in verdicts if verdict.rule is not rule)
                for member in members if rule.action != "ALERT" and not others else ():
                    lost = rule.prevent(number, member, decision[0] == "ALLOW")
                    member.qty, member.capped = member.qty - lost, member.capped or lost > 0
        for member in members if "legs" in whole and "order_id" in whole else []:
            label = f"{whole['order_id']}/{member.instrument}"
            self.write({**whole, "order_id": label}, member, None, decision[0] == "ALLOW")
            self.combinations.setdefault((whole["account"], whole["order_id"]), []).append(member.instrument)
        self.write(event, members[0], named, decision[0] == "ALLOW")

    def size_up(self, member, fields):
        """Find what an order waits for, its limit, its quantity and the price at which it is valued."""
        self.aim(member, fields)
        if fields.get("type") == "peg":
            self.peg(member, fields)
        if member.closes:
            member.qty = self.closable(member)
        if "quote_qty" in fields:
            self.spend(member, fields["quote_qty"])
        member.at_price = self.price_of(member)

    def aim(self, member, fields):
        """Find the trade that an order waits for; a modify moves it, while no trade has met it."""
        if member.order is not None:
            member.stop, member.offset = member.order.stop, member.order.offset
            if member.stop is None:
                return
        if "stop" in fields:
            member.stop, member.offset = Fraction(fields["stop"]), None
        if "offset" in fields and fields.get("type") != "peg":
            member.offset, last = Fraction(fields["offset"]), self.instruments[member.instrument].last
            member.stop = UNSET if last is None else last + member.side * member.offset

    def closable(self, member):
        """What an order that closes a position would close now."""
        return max(-member.side * self.position(member.account, member.instrument), Fraction(0))

    def close_held(self, order, more):
        """A trade has triggered an order, which is for what is held now if it closes a position."""
        if order.closes:
            order.qty, order.limited, order.capped = order.filled + more + self.closable(order), False, False
            if order.qty <= order.filled:
                order.working = False

    def peg(self, member, fields):
        """A limit that is a reference with an offset, on the passive tick, no further than the price that is given."""
        traded, cap, way = self.instruments[member.instrument], member.price, member.side
        other, own = (traded.ask, traded.bid) if way == BUY else (traded.bid, traded.ask)
        middle = (traded.bid + traded.ask) / 2 if None not in (traded.bid, traded.ask) else None
        touch, primary = (one if one is not None else traded.last for one in (other, own))
        named = {"touch": touch, "primary": primary, "mid": middle, "last": traded.last}
        found = named[fields.get("reference", "touch")]
        member.price = BAD
        if found is not None:
            ticks = way * (way * (found + Fraction(fields.get("offset", "0"))) // traded.tick)
            price = ticks * traded.tick
            price = price if cap is None else way * min(way * price, way * cap)
            member.price = price if price > 0 or traded.negative else BAD
        if way == BUY and member.reserve is None:
            member.reserve = cap

    def spend(self, member, amount):
        """The whole lots that an amount of money is for, at the limit, a fixed stop, the other side's quote or the last trade."""
        traded = self.instruments[member.instrument]
        touch = traded.ask if member.side == BUY else traded.bid
        prices = [member.price, member.stop if member.offset is None else None, touch, traded.last]
        price = next((one for one in prices if one is not None), None)
        unit = Fraction(0) if price in (None, BAD) else price * traded.multiplier * traded.lot
        lots = 0 if unit <= 0 or Fraction(amount) <= 0 else Fraction(amount) // unit
        member.qty, member.bad_qty = lots * traded.lot, lots == 0

    def trade(self, instrument, price):
        """Orders that wait for this trade wait no longer; stops that follow the trades follow."""
        for order in self.every_order:
            if order.instrument != instrument or not order.working or order.stop is None:
                continue
            if order.stop != UNSET and order.side * price >= order.side * order.stop:
                order.stop = None
                self.close_held(order, Fraction(0))
            elif order.offset is not None:
                behind = price + order.side * order.offset
                nearer = order.stop == UNSET or order.side * behind < order.side * order.stop
                order.stop = behind if nearer else order.stop

    def write(self, event, member, named, allowed):
        """Let an order work, or change one."""
        parent = member.parent
        if (
            event["kind"] == "order"
            and "order_id" not in event
            and parent is not None
            and (allowed or not self.enforce)
        ):
            parent.unnamed += member.qty
        if event["kind"] == "order" and "order_id" in event:
            order = Order(member, member.at_price)
            order.label, order.since = event["order_id"], self.now
            order.refused = self.enforce and not allowed
            order.until = self.until
            if event.get("tif") in ("IOC", "FOK"):
                order.lapses = event["ts"] + 1
            elif event.get("tif") == "DAY":
                order.lapses = (event["ts"] // DAY + 1) * DAY
            order.working = not order.refused
            self.orders[event["account"], event["order_id"]] = order
            for rule in self.rules:
                rule.named(member, order)
            self.every_order.append(order)
            if order.working:
                self.estimate(order)
            if parent is not None and not order.refused:
                parent.heirs.append(order)
        elif event["kind"] == "modify" and named is not None:
            named.former = named.qty, named.price, named.limited, named.capped, named.worth_at
            named.aimed = named.stop, named.offset
            if allowed or not self.enforce:
                named.qty, named.price, named.limited, named.capped = member.qty, member.price, False, False
                named.stop, named.offset = member.stop, member.offset
                named.worth_at = self.price_of(named)
                named.at_price = named.worth_at if named.stop is not None else named.at_price
                self.estimate(named)
                if named.working and named.filled >= named.qty:
                    named.working, named.believed = False, "reduced"
            else:
                named.limited = True

    def reference_of(self, label):
        """The highest price of an order so far, of the list that is being judged too; 0 without one."""
        prices = [self.price_of(one) for one in self.phantoms if one.instrument == label]
        return max((abs(price) for price in [self.estimates.get(label), *prices] if price is not None), default=0)

    def estimate(self, order):
        """Before the first mark, the highest price of an order values its instrument."""
        if self.instruments[order.instrument].mark is None and order.worth_at is not None:
            highest = max(self.estimates.get(order.instrument, 0), abs(order.worth_at))
            self.estimates[order.instrument] = highest

    def end(self, event):
        """The order of an event ends, whatever it is believed to be; whether it was ever sent."""
        named = self.orders.get((event["account"], event["order_id"]))
        if named is not None and named.refused:
            return False
        if named is not None:
            self.stop(named, None)
        return True

    def waits(self, order):
        """Whether an order has not been sent yet, as it waits its turn."""
        return order.working and order.until is not None and order.until > self.now

    def stop(self, order, believed):
        """An order works no longer, and is believed to have ended so."""
        if order.working:
            for rule in self.rules:
                rule.ended(order)
        order.working, order.believed = False, believed

    def take_reject(self, number, event):
        self.end(event)

    take_expire = take_reject

    def take_cancel_reject(self, number, event):
        named = self.orders.get((event["account"], event["order_id"]))
        if named is not None and named.believed == "cancelled" and named.filled < named.qty:
            named.working, named.believed = True, None

    def take_modify_reject(self, number, event):
        named = self.orders.get((event["account"], event["order_id"]))
        if named is None or named.former is None or named.refused:
            return
        named.qty, named.price, named.limited, named.capped, named.worth_at = named.former
        named.former = None
        if named.stop is not None:
            named.stop, named.offset = named.aimed
        if named.working or named.believed == "reduced":
            named.working = named.filled < named.qty
            named.believed = None if named.working else named.believed

    def take_cancel(self, number, event):
        named = self.orders.get((event["account"], event["order_id"]))
        if named is not None and named.refused:
            self.decisions[number] = ("VANISH", None)
            return
        self.decisions[number] = ("ALLOW", None)
        self.taken = named if named is not None and named.working else None
        frees = event.get("cancel_frees", self.cancel_frees)
        if frees == "confirmed" and named is not None and not self.waits(named):
            pass  # the venue says when it ends
        elif named is not None and named.working:
            self.stop(named, "cancelled")
        elif named is not None and named.believed != "cancelled":
            named.believed = None
        member = Member(event, {}, named)
        for rule in self.rules:
            if rule.heard(event, [member], 1, True, True):
                rule.trip(rule.key(member))
                self.alert(rule)

    def alert(self, rule):
        """A rule that only alerts has something to say of the present event."""
        if rule.action == "ALERT":
            self.alerts.setdefault(self.number, []).append(rule.id)

    def fill_key(self, event):
        """A fill as its key is found: strategy and session are its order's."""
        named = self.orders.get((event["account"], event.get("order_id")))
        return Member(event, {}, named)

    def take_fill(self, number, event):
        account, traded = self.accounts[event["account"]], self.instruments[event["instrument"]]
        if "trade_id" in event:
            key = (event["trade_id"], event["instrument"], event["side"], event["ts"] // DAY)
            contents = (Fraction(event["qty"]), Fraction(event["price"]))
            if key in account.trades:
                stands = account.trades[key]
                assert not stands or contents in stands, "the door refuses another fill with the id of an earlier one"
                self.decisions[number] = ("DUP", None)
                return
            account.trades[key] = {contents}
        named = self.orders.get((event["account"], event.get("order_id")))
        qty, price = Fraction(event["qty"]), Fraction(event["price"])
        side = BUY if event["side"] == "B" else SELL
        noted = Fill(event, self.fill_key(event), side, qty, price)
        self.fills.append(noted)
        if named is not None and named.refused:
            self.decisions[number] = ("VANISH", None)
            self.fills_vanished += 1
            return
        if named is not None and (named.limited or named.capped):
            worse = named.limited and isinstance(named.price, Fraction) and side * price > side * named.price
            qty = Fraction(0) if worse else min(qty, max(named.qty - named.filled, Fraction(0)))
            if qty == 0:
                self.decisions[number] = ("VANISH", None)
                self.fills_vanished += 1
                return
        self.pricings += traded.last is None
        if traded.last is None and traded.mark != price:
            traded.last_fill = price
            self.value_openings(event["instrument"])
            self.moved(event["instrument"])
        held = self.position(event["account"], traded.label)
        realised = self.book_cost(account, traded, held, side * qty, price)
        opened = (held == 0) - (held + side * qty == 0)
        key = self.fill_key(event)
        whose = (event["account"], traded.label, key.strategy or None)
        self.holdings[whose] = self.holdings.get(whose, Fraction(0)) + side * qty
        self.booked.append((*whose, side * qty, price * traded.multiplier, realised))
        noted.qty, noted.whose, noted.place = qty, whose, len(self.booked) - 1
        self.volumes.append((traded.label, qty))
        account.positions[traded.label] = held + side * qty
        account.cash[traded.quote] = account.cash.get(traded.quote, 0) - side * qty * price * traded.multiplier
        if named is not None:
            if named.stop is not None and named.working:
                self.close_held(named, qty)
            named.stop = None
            named.filled += qty
            named.working &= named.filled < named.qty
        for rule in self.rules:
            rule.filled(event, qty, realised, opened)
            rule.equity_moved(event["account"])
            rule.groups_moved(key, traded.label if traded.last is None else None)

    def take_bust(self, number, event):
        self.amend(event, Fraction(0), None)

    def take_correct(self, number, event):
        self.amend(event, Fraction(event["qty"]), Fraction(event["price"]))

    def amend(self, event, qty, price):
        """Books, fees and counts of rules as if a fill had had another quantity and price; none (0) undoes it."""
        same = ("account", "instrument", "trade_id", "side")
        fill = next(
            (
                one
                for one in reversed(self.fills)
                if all(one.event.get(name) == event[name] for name in same if name in event)
            ),
            None,
        )
        if fill is None or fill.recorded == 0:
            return
        account, traded = self.accounts[event["account"]], self.instruments[event["instrument"]]
        stands = account.trades[event["trade_id"], traded.label, fill.event["side"], fill.ts // DAY]
        stands.clear() if qty == 0 else stands.add((qty, price))
        if fill.qty == 0:
            fill.recorded = qty
            return
        former, held = (fill.qty, fill.price), account.positions[traded.label]
        before = account.realised
        fill.qty = qty if fill.qty == fill.recorded else min(qty, fill.qty)
        fill.recorded, fill.price = qty, price if qty else fill.price
        change = fill.side * (fill.qty - former[0])
        account.positions[traded.label] += change
        self.holdings[fill.whose] += change
        money = fill.side * (fill.qty * fill.price - former[0] * former[1]) * traded.multiplier
        account.cash[traded.quote] -= money
        self.book_anew(account, traded, fill)
        last = [one for one in self.fills if one.event["instrument"] == traded.label and one.qty and not one.adjusts]
        if traded.last is None and last and last[-1].price != traded.mark:
            traded.last_fill = last[-1].price
            self.moved(traded.label)
        opened = (held == 0) - (held + change == 0)
        for rule in self.rules:
            rule.amended(fill, former, account.realised - before, opened)
            rule.equity_moved(event["account"])
            rule.groups_moved(fill.member, traded.label if traded.last is None else None)

    def book_anew(self, account, traded, fill):
        """Cost and profit of a position from its opening on."""
        who, label = fill.whose[:2]
        account.cost[label] = self.base_cost.get((who, label), self.first_worth.get((who, label), Fraction(0)))
        fills = [one for one in self.fills if one.place is not None and one.whose[:2] == (who, label)]
        held = account.positions[label] - sum(one.side * one.qty for one in fills)
        account.realised -= sum(self.booked[one.place][5] for one in fills)
        for one in fills:
            moved = one.side * one.qty
            realised = self.book_cost(account, traded, held, moved, one.price) if moved else Fraction(0)
            self.booked[one.place] = (*one.whose, moved, one.price * traded.multiplier, realised)
            held += moved

    def book_cost(self, account, traded, held, change, price):
        """Move the cost of a position by a fill; return the profit that it realises, at average cost."""
        cost = account.cost.get(traded.label, Fraction(0))
        closing = min(abs(change), abs(held)) if held * change < 0 else Fraction(0)
        released = cost * closing / abs(held) if closing else Fraction(0)
        side = 1 if change > 0 else -1
        realised = -side * closing * price * traded.multiplier - released
        account.cost[traded.label] = cost - released + side * (abs(change) - closing) * price * traded.multiplier
        account.realised += realised
        return realised

    def take_multiplier(self, number, event):
        """What is held goes on at its mark: cost and cash move by as much as the value; what was filled before is final."""
        traded, new = self.instruments[event["instrument"]], Fraction(event["multiplier"])
        more, traded.multiplier = new - traded.multiplier, new
        recorded = {who: self.believed(who, traded.label) for who in self.accounts}
        for fill in self.fills:
            if fill.event["instrument"] == traded.label:
                fill.qty, fill.recorded, fill.place = Fraction(0), Fraction(0), None
        for whose, qty in self.holdings.items() if traded.mark is not None else ():
            if whose[1] == traded.label:
                money = qty * traded.mark * more
                self.booked.append((*whose, Fraction(0), money, Fraction(0)))
                account = self.accounts[whose[0]]
                account.cash[traded.quote] = account.cash.get(traded.quote, 0) - money
                account.cost[traded.label] = account.cost.get(traded.label, 0) + money
        for who, account in self.accounts.items():
            account.opened[traded.label] = Fraction(0)
            self.base_cost[who, traded.label] = account.cost.get(traded.label, Fraction(0))
            self.unbooked[who, traded.label] = recorded[who]
        self.moved(traded.label)
        for rule in self.rules:
            rule.groups_moved(None, traded.label)

    def take_phase(self, number, event):
        for traded in self.instruments.values():
            if event.get("instrument") == traded.label or ("venue" in event and event["venue"] == traded.venue):
                traded.phase = event["phase"]

    def external(self, event):
        """Somebody else has sent an order: it works, and nothing judges it."""
        member = Member(event, event)
        if "parent" in event:
            member.parent = self.orders.get((event["account"], event["parent"]))
        self.size_up(member, event)
        self.until = None
        self.write(event, member, None, True)

    def take_price(self, number, event):
        traded = self.instruments[event["instrument"]]
        traded.bid = Fraction(event["bid"]) if "bid" in event else traded.bid
        traded.ask = Fraction(event["ask"]) if "ask" in event else traded.ask
        for rule in self.rules:
            rule.price_came(event)
        if "price" in event:
            self.pricings += 1
            traded.last = Fraction(event["price"])
            self.trade(traded.label, traded.last)
            self.value_openings(event["instrument"])
            self.moved(event["instrument"])
            for rule in self.rules:
                rule.groups_moved(None, event["instrument"])

    # ------------------------------------------------------------------ credit

    def credit_rules(self):
        return [rule for rule in self.rules if rule.type == "credit"]

    def lapse(self):
        for one in self.reservations:
            for rule in self.credit_rules():
                if one.step == "reserved" and rule.lives() and self.now - one.ts >= rule.lives():
                    one.step = "lapsed"

    def take_reserve(self, number, event):
        self.lapse()
        cash = self.accounts[event["account"]].cash
        one = Reservation(event, next(iter(cash), self.first_currency))
        verdicts = [rule.asked(one) for rule in self.credit_rules() if not rule.asleep]
        for verdict in verdicts:
            if verdict.breach or verdict.unpriced or verdict.noticed:
                self.alert(verdict.rule)
        stopping = [verdict.rule.id for verdict in verdicts if verdict.stops]
        self.decisions[number] = ("REJECT", stopping[0]) if stopping else ("ALLOW", None)
        if any(verdict.held for verdict in verdicts):
            self.decisions[number] = ("REJECT", "PAUSED")
        if not self.enforce or self.decisions[number][0] == "ALLOW":
            one.step, one.worth = "reserved", one.amount
            for rule in self.credit_rules():
                try:
                    one.worth = rule.worth(one)
                except Missing:
                    one.worth = Fraction(0)
        self.reservations.append(one)
        for verdict in verdicts:
            if verdict.trips:
                verdict.rule.trip(verdict.rule.key_of(one))

    def named_reservation(self, event, step):
        """The last reservation of an id, if it is at a step."""
        self.lapse()
        of_id = [
            one for one in self.reservations if (one.account, one.label) == (event["account"], event["reserve_id"])
        ]
        return of_id[-1] if of_id and of_id[-1].step == step else None

    def take_commit(self, number, event):
        one = self.named_reservation(event, "reserved")
        self.decisions[number] = ("ERROR_STATE", None) if one is None else ("ALLOW", None)
        if one is not None:
            one.step = {"commit": "used", "rollback": "given back"}[event["kind"]]

    take_rollback = take_commit

    def take_release(self, number, event):
        one = self.named_reservation(event, "used")
        if one is not None and one.back + Fraction(event["amount"]) <= one.amount:
            one.back += Fraction(event["amount"])

    def take_close(self, number, event):
        for rule in self.rules:
            rule.closing(event)

    def value_openings(self, instrument):
        traded = self.instruments[instrument]
        for label, account in self.accounts.items():
            worth = account.unmarked.pop(instrument, 0) * traded.mark * traded.multiplier
            self.first_worth.setdefault((label, instrument), worth)
            account.paid_in += worth
            account.paid[traded.quote] = account.paid.get(traded.quote, 0) + worth
            account.cost[instrument] = account.cost.get(instrument, 0) + worth

    def moved(self, instrument):
        """Every account that holds the instrument has another equity."""
        for label, account in self.accounts.items():
            if account.positions.get(instrument, 0) != 0:
                for rule in self.rules:
                    rule.equity_moved(label)

    def take_fx(self, number, event):
        self.rates.take(event)
        for rule in self.rules:
            rule.rates_moved()

    def take_cash(self, number, event):
        account, amount = self.accounts[event["account"]], Fraction(event["amount"])
        account.cash[event["ccy"]] = account.cash.get(event["ccy"], 0) + amount
        account.paid_in += amount
        account.paid[event["ccy"]] = account.paid.get(event["ccy"], 0) + amount
        for rule in self.rules:
            rule.equity_moved(event["account"])
            rule.groups_moved({"account": event["account"]}, None)

    def take_dividend(self, number, event):
        label, amount = event["instrument"], Fraction(event["amount"])
        traded = self.instruments[label]
        for order in self.every_order if amount >= Fraction("0.01") else ():
            is_open = order.working or order.believed is not None
            if order.instrument == label and is_open and not order.dnr and (order.side == BUY) == (order.stop is None):
                self.reduce(order, amount, traded.tick)
        for account in self.accounts.values():
            money = account.positions.get(label, 0) * amount * traded.multiplier
            account.cash[traded.quote] = account.cash.get(traded.quote, 0) + money
        for whose, qty in self.holdings.items():
            if whose[1] == label:
                self.received[whose] = self.received.get(whose, 0) + qty * amount * traded.multiplier
        self.moved(label)
        for rule in self.rules:
            rule.groups_moved(None, label)

    def take_funding(self, number, event):
        label, rate = event["instrument"], Fraction(event["rate"])
        traded = self.instruments[label]
        one = -rate * (traded.mark or 0) * traded.multiplier
        for account in self.accounts.values():
            account.cash[traded.quote] = account.cash.get(traded.quote, 0) + account.positions.get(label, 0) * one
        for whose, qty in self.holdings.items():
            if whose[1] == label:
                self.received[whose] = self.received.get(whose, 0) + qty * one
        self.moved(label)
        for rule in self.rules:
            rule.groups_moved(None, label)

    def reduce(self, order, amount, tick):
        """Take a dividend off the prices of an order, down to the next tick, and never below one."""

        def less(price):
            if not isinstance(price, Fraction) or price <= tick:
                return price
            return max((price - amount) // tick * tick, tick)

        if order.price is not None or order.stop is not None:
            order.at_price, order.worth_at = less(order.at_price), less(order.worth_at)
        order.price, order.stop = less(order.price), less(order.stop)
        if order.former is not None:
            qty, price, limited, capped, worth_at = order.former
            stop, offset = order.aimed
            worth_at = less(worth_at) if price is not None or stop is not None else worth_at
            order.former, order.aimed = (qty, less(price), limited, capped, worth_at), (less(stop), offset)

    # ------------------------------------------------------------------ snapshots

    def take_snapshot(self, number, event):
        """Afterwards the book of an account is what the venue says."""
        who = event["account"]
        held = {label: Fraction(qty) for label, qty in event.get("positions", {}).items()}
        stated = {one["order_id"]: one for one in event.get("orders", [])}
        orders = [one for one in self.every_order if one.account == who and not one.refused]
        rests = {one: Fraction(stated[one.label]["qty"]) for one in orders if self.is_stated(one, stated)}
        labels = {*held, *self.accounts[who].positions, *(fill.event["instrument"] for fill in self.fills)}
        self.compare(number, who, held, labels, orders, rests, stated)
        while (found := self.implied(who, held, orders, rests)) is not None:
            order, qty = found
            price = order.price if isinstance(order.price, Fraction) else self.market(order)
            side = "B" if order.side == BUY else "S"
            fill = {"ts": event["ts"], "kind": "fill", "account": who, "instrument": order.instrument, "side": side}
            self.take_fill(number, {**fill, "order_id": order.label, "qty": str(qty), "price": str(price)})
        for label in sorted(labels):
            gap = held.get(label, 0) - self.believed(who, label)
            if gap:
                self.adjust(event, label, gap)
        for order in orders:
            if order not in rests and order.working:
                self.stop(order, None)
            elif order not in rests:
                order.believed = None
        for label, one in stated.items():
            self.state(event, label, one)

    def is_stated(self, order, stated):
        return order.label in stated and self.orders[order.account, order.label] is order

    def believed(self, who, label):
        """What the record has: the venue knows nothing of what is refused here."""
        account = self.accounts[who]
        if not self.enforce:
            return account.positions.get(label, Fraction(0))
        fills = [one for one in self.fills if (one.event["account"], one.event["instrument"]) == (who, label)]
        booked = sum(one.side * one.recorded for one in fills)
        return account.opened.get(label, 0) + booked + self.unbooked.get((who, label), 0)

    def compare(self, number, who, held, labels, orders, rests, stated):
        found = []
        for label in labels:
            ours, theirs = self.believed(who, label), held.get(label, Fraction(0))
            if ours != theirs:
                found.append(("position", f"{who}|{label}", label, ours, theirs))
        for order in orders:
            if order.rest != rests.get(order, 0):
                found.append(("order", order.label, "", order.rest, rests.get(order)))
        for label, one in stated.items():
            if (who, label) not in self.orders:
                found.append(("order", label, "", None, Fraction(one["qty"])))
        found.sort(key=lambda one: (one[0] == "order", one[1:3]))
        self.differences += [(number, what, name, ours, theirs) for what, name, _, ours, theirs in found]

    def market(self, order):
        """The market's price of an order."""
        traded = self.instruments[order.instrument]
        first = traded.ask if order.side == BUY else traded.bid
        return first if first is not None else traded.mark

    def implied(self, who, held, orders, rests):
        """The next fill that explains how a position has moved: of an order that has shrunk, then of one that is gone."""
        for gone in (False, True):
            for order in orders:
                gap = held.get(order.instrument, 0) - self.believed(who, order.instrument)
                lots = min(order.side * gap, order.rest - rests.get(order, 0))
                priced = isinstance(order.price, Fraction) or self.market(order) is not None
                if order.working and (order not in rests) == gone and lots > 0 and priced:
                    return order, lots
        return None

    def adjust(self, event, label, lots):
        """Lots come or go at the mark, unpaid and untraded, and the rules hear of it."""
        self.book_unpaid(event, event["account"], label, lots, self.instruments[label].mark)
        self.tell_moved([(event["account"], label)])

    def tell_moved(self, moved):
        """The profit of accounts, and then of the groups, may have moved by what they hold."""
        for who, _ in moved:
            for rule in self.rules:
                rule.equity_moved(who)
        for who, label in moved:
            member = self.fill_key({"kind": "fill", "account": who, "instrument": label, "strategy": "of nobody"})
            for rule in self.rules:
                rule.groups_moved(member, None)

    def book_unpaid(self, event, who, label, lots, mark):
        """Lots come or go at a price, unpaid."""
        traded, account = self.instruments[label], self.accounts[who]
        held = account.positions.get(label, Fraction(0))
        account.positions[label] = held + lots
        moved = {"ts": event["ts"], "kind": "fill", "account": who, "instrument": label}
        whose = (who, label, "of nobody")
        self.holdings[whose] = self.holdings.get(whose, Fraction(0)) + lots
        if mark is None:
            account.unmarked[label] = account.unmarked.get(label, 0) + lots
            self.unbooked[who, label] = self.unbooked.get((who, label), 0) + lots
        else:
            worth = lots * mark * traded.multiplier
            account.paid_in += worth
            account.paid[traded.quote] = account.paid.get(traded.quote, 0) + worth
            realised = self.book_cost(account, traded, held, lots, mark)
            self.booked.append((*whose, lots, mark * traded.multiplier, realised))
            noted = Fill(moved, self.fill_key(moved), 1 if lots > 0 else -1, abs(lots), mark)
            noted.qty, noted.whose, noted.place, noted.adjusts = abs(lots), whose, len(self.booked) - 1, True
            self.fills.append(noted)
        self.tell_adjusted(who, label, (held == 0) - (held + lots == 0))

    def tell_adjusted(self, who, label, opened):
        member = self.fill_key({"kind": "fill", "account": who, "instrument": label, "strategy": "of nobody"})
        for rule in self.rules:
            rule.adjusted(member, opened)

    def take_adjust(self, number, event):
        self.give(event, [(event["account"], Fraction(event["qty"]))])

    def take_transfer(self, number, event):
        self.give(event, [(event["from"], -Fraction(event["qty"])), (event["to"], Fraction(event["qty"]))])

    def give(self, event, shares):
        label, traded = event["instrument"], self.instruments[event["instrument"]]
        for who, lots in shares:
            if traded.mark is None and "price" in event:
                self.first_mark(traded, Fraction(event["price"]))
            price = Fraction(event["price"]) if "price" in event else traded.mark
            self.book_unpaid(event, who, label, lots, price)
        self.tell_moved([(who, label) for who, _ in shares])

    def take_split(self, number, event):
        """Prices and positions of an instrument in new units; what is less than a lot becomes cash."""
        label, ratio, mode = event["instrument"], Fraction(event["ratio"]), event.get("orders", "finra")
        traded = self.instruments[label]
        for order in self.every_order:
            if order.instrument == label and (order.working or order.believed is not None):
                self.split_order(number, order, ratio, mode, traded)
        recorded = {who: self.believed(who, label) for who in self.accounts}
        for fill in self.fills:
            if fill.event["instrument"] == label:
                fill.qty, fill.recorded, fill.place = Fraction(0), Fraction(0), None
        for name in ("bid", "ask", "last", "last_fill"):
            price = getattr(traded, name)
            setattr(traded, name, None if price is None else price / ratio)
        if label in self.estimates:
            self.estimates[label] /= ratio
        for rule in self.rules:
            rule.split(label, ratio)
        self.booked = [
            (who, name, strategy, qty * ratio, worth / ratio, realised)
            if name == label and qty
            else (who, name, strategy, qty, worth, realised)
            for who, name, strategy, qty, worth, realised in self.booked
        ]
        moved, strategies = [], []
        for who in self.accounts:
            if self.position(who, label):
                moved.append((who, label))
            strategies += self.split_holder(who, traded, ratio)
            account = self.accounts[who]
            account.opened[label] = Fraction(0)
            self.base_cost[who, label] = account.cost.get(label, Fraction(0))
            self.unbooked[who, label] = self.whole(recorded[who] * ratio, traded.lot)
        self.tell_moved(moved)
        self.tell_strategies(strategies, [label])

    def split_holder(self, who, traded, ratio):
        """New lots of an account and of its strategies, and cash for the rest; the strategies that held some."""
        account, label, price = self.accounts[who], traded.label, traded.mark or Fraction(0)
        held = self.position(who, label)
        new = self.whole(held * ratio, traded.lot)
        left = held * ratio - new
        parts = {
            key: qty for key, qty in self.holdings.items() if key[:2] == (who, label) and key[2] != "of nobody" and qty
        }
        rests = {key: qty * ratio - self.whole(qty * ratio, traded.lot) for key, qty in parts.items()}
        nobody = (who, label, "of nobody")
        rests[nobody] = left - sum(rests.values())
        released = account.cost.get(label, Fraction(0)) * left / (held * ratio) if held else Fraction(0)
        realised = left * price * traded.multiplier - released
        if held:
            account.cost[label] = account.cost.get(label, Fraction(0)) - released
            account.realised += realised
            account.cash[traded.quote] = account.cash.get(traded.quote, 0) + left * price * traded.multiplier
            account.positions[label] = new
            if account.unmarked.get(label):
                account.unmarked[label] = new
        for key, rest in rests.items():
            self.holdings[key] = self.holdings.get(key, Fraction(0)) * ratio - rest
            self.booked.append((*key, -rest, price * traded.multiplier, realised if key == nobody else Fraction(0)))
        if new != held:
            self.tell_adjusted(who, label, (held == 0) - (new == 0))
        return list(parts)

    def split_order(self, number, order, ratio, mode, traded):
        """FINRA: open buys and stops to sell are scaled, in a reverse split cancelled; or all are, or none."""
        falls = (order.side == BUY) == (order.stop is None)
        if mode == "cancel" or (mode == "finra" and falls and ratio < 1):
            if order.working:
                self.stop(order, None)
                self.cancelled.setdefault(number, []).append(order.label)
            order.believed = None
        elif mode == "all" or (mode == "finra" and falls):

            def less(price, tick=traded.tick):
                if not isinstance(price, Fraction):
                    return price
                exact = price / ratio
                found = (
                    price - -((exact - price) // tick) * tick
                    if mode == "finra"
                    else (2 * exact + tick) // (2 * tick) * tick
                )
                return max(found, tick) if price > 0 else found

            def near(price, step):
                return price if not isinstance(price, Fraction) else (2 * price / ratio + step) // (2 * step) * step

            def size(qty):
                return order.filled + self.whole(max(qty - order.filled, Fraction(0)) * ratio, traded.lot)

            order.price, order.stop = less(order.price), less(order.stop)
            order.at_price, order.worth_at = less(order.at_price), less(order.worth_at)
            order.reserve = order.reserve / ratio if order.reserve is not None else None
            order.offset = near(order.offset, traded.tick)
            order.qty = size(order.qty)
            if order.former is not None:
                qty, price, limited, capped, worth_at = order.former
                stop, offset = order.aimed
                order.former = (size(qty), less(price), limited, capped, less(worth_at))
                order.aimed = less(stop), near(offset, traded.tick)
            if order.working and order.filled >= order.qty:
                order.working = False
                self.cancelled.setdefault(number, []).append(order.label)

    @staticmethod
    def whole(qty, lot):
        size = abs(qty) // lot * lot
        return size if qty > 0 else -size

    def first_mark(self, traded, price):
        for rule in self.rules:
            rule.first_marked(traded.label, price)
        self.pricings += 1
        traded.last_fill = price
        self.value_openings(traded.label)
        self.moved(traded.label)

    def take_expiry(self, number, event):
        label = event["instrument"]
        self.expired.add(label)
        for order in self.every_order:
            if order.instrument == label and order.working:
                self.stop(order, None)
                self.cancelled.setdefault(number, []).append(order.label)
            elif order.instrument == label:
                order.believed = None
        self.settle(label, Fraction(event["price"]), None, None)

    def take_roll(self, number, event):
        self.settle(event["from"], Fraction(event["from_price"]), event["to"], Fraction(event["to_price"]))

    def settle(self, label, price, other, other_price):
        """Positions become cash, or positions in another instrument; what was filled before is final."""
        names = {label: price} | ({other: other_price} if other else {})
        recorded = {(who, name): self.believed(who, name) for who in self.accounts for name in names}
        for name, at in reversed(names.items()):
            if self.instruments[name].mark is None:
                self.first_mark(self.instruments[name], at)
            for fill in self.fills:
                if fill.event["instrument"] == name:
                    fill.qty, fill.recorded, fill.place = Fraction(0), Fraction(0), None
        moved, strategies = [], []
        for who, account in self.accounts.items():
            lots = self.position(who, label)
            parts = {key: qty for key, qty in self.holdings.items() if key[:2] == (who, label) and qty}
            strategies += [key for key in parts if key[2] != "of nobody"]
            moved += [(who, name) for name in names if lots]
            self.pay(who, label, -lots, price, {key: -qty for key, qty in parts.items()})
            if other:
                self.pay(who, other, lots, other_price, {(who, other, key[2]): qty for key, qty in parts.items()})
            for name in names:
                account.opened[name] = Fraction(0)
                self.base_cost[who, name] = account.cost.get(name, Fraction(0))
                self.unbooked[who, name] = recorded[who, label] + recorded[who, name] if name == other else Fraction(0)
        self.tell_moved(moved)
        self.tell_strategies(strategies, names)

    def tell_strategies(self, strategies, labels):
        for who, _, strategy in strategies:
            for one in labels:
                member = self.fill_key({"kind": "fill", "account": who, "instrument": one, "strategy": strategy})
                for rule in self.rules:
                    rule.groups_moved(member, None)

    def pay(self, who, label, lots, price, parts):
        """An account gets lots for cash and without a fill, in parts of its strategies."""
        account, traded = self.accounts[who], self.instruments[label]
        held = account.positions.get(label, Fraction(0))
        realised = self.book_cost(account, traded, held, lots, price) if lots else Fraction(0)
        account.positions[label] = held + lots
        account.cash[traded.quote] = account.cash.get(traded.quote, 0) - lots * price * traded.multiplier
        for key, qty in parts.items():
            self.holdings[key] = self.holdings.get(key, Fraction(0)) + qty
            self.booked.append((*key, qty, price * traded.multiplier, realised))
            realised = Fraction(0)
        if lots:
            self.tell_adjusted(who, label, (held == 0) - (held + lots == 0))

    def state(self, event, label, fields):
        """An order is what the venue says; one that nobody knew works from now on."""
        who = event["account"]
        order = self.orders.get((who, label))
        if order is None:
            member = Member({"account": who, "instrument": fields["instrument"], "kind": "order"}, fields)
            order = self.orders[who, label] = Order(member, self.price_of(member))
            order.label, order.since = label, self.now
            self.every_order.append(order)
            self.estimate(order)
        elif not order.refused:
            rest = Fraction(fields["qty"])
            rest = min(rest, order.rest) if self.enforce and (order.limited or order.capped) else rest
            order.qty, order.former = order.filled + rest, None
            order.working = rest > 0
            order.believed = None if rest > 0 else order.believed
            if "price" in fields:
                order.price = Fraction(fields["price"])
                order.worth_at = self.price_of(order)
                order.at_price = order.worth_at if order.stop is not None else order.at_price
                self.estimate(order)

    def take_equity(self, number, event):
        one, given = self.accounts[event["account"]], Fraction(event["equity"])
        if one.given is None and one.paid_in == 0:
            one.unknown = given - self.equity(event["account"])
        one.given, one.known = given, one.paid_in + one.unknown
        for rule in self.rules:
            rule.equity_moved(event["account"])
            rule.groups_moved({"account": event["account"]}, None)

    def take_closed_trade(self, number, event):
        for rule in self.rules:
            rule.closed(event)

    def take_order_error(self, number, event):
        if "order_id" in event and not self.end(event):
            return
        if "order_id" in event and (named := self.orders.get((event["account"], event["order_id"]))) is not None:
            event = {**event, "strategy": named.strategy, "session": named.session}
        for rule in self.rules:
            rule.errored(event)

    def take_order_ack(self, number, event):
        if (named := self.orders.get((event["account"], event.get("order_id")))) is not None:
            event = {**event, "strategy": named.strategy, "session": named.session}
        for rule in self.rules:
            rule.succeeded(event)

    def take_strategy_exec(self, number, event):
        for rule in self.rules:
            rule.executed(event)

    def take_cmd(self, number, event):
        who = event.get("account")
        groups = {name: event[name] for name in ("trader", "desk", "firm") if name in event}
        addressed = [
            label
            for label, account in self.accounts.items()
            if who in (None, label) and all(getattr(account, name) == one for name, one in groups.items())
        ]
        if event["cmd"] == "KILL":
            self.kill(number, addressed)
        for label in addressed:
            account = self.accounts[label]
            if event["cmd"] == "KILL":
                account.state = "HALTED"
            elif event["cmd"] == "STOP":
                account.stopped = True
            elif event["cmd"] == "RESTART":
                account.paused = account.paused and not account.stopped
                account.stopped = False
            elif event["cmd"] in ("PAUSE", "RESUME", "RESET"):
                account.paused = event["cmd"] == "PAUSE" if not account.stopped else account.paused
            else:
                account.state = event["cmd"]
        if event["cmd"] in ("RESUME", "RESET"):
            for rule in self.rules:
                rule.command(who, groups)

    def kill(self, number, accounts):
        """Every working order of some accounts is cancelled, the first one first, and no rule hears of it."""
        for order in self.every_order:
            if order.account in accounts and order.working:
                self.stop(order, "cancelled")
                self.cancelled.setdefault(number, []).append(order.label)

    # ------------------------------------------------------------------ the end

    def states(self):
        found = {}
        gated = any(rule.type == "trading_state" for rule in self.rules)
        for label, account in self.accounts.items():
            by_rules = {rule.action for rule in self.rules if rule.pauses_account(label)}
            paused = (
                "HALTED" if "HALT" in by_rules or account.stopped else "PAUSED" if by_rules or account.paused else ""
            )
            found[label] = paused or (account.state if gated else "ACTIVE")
        return found
