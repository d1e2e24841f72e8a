"""The market: velocity of prices, bands around a mean, an index that falls, hours of a venue."""

from __future__ import annotations

import datetime as dt
import math
from fractions import Fraction
from zoneinfo import ZoneInfo

from naive.rules.base import BAD, NS, Missing, Rule


class OfTheMarket(Rule):
    """What knows the closes and trades of each instrument, as (time, price)."""

    makes_pauses = False  # it refuses as long as the breach lasts

    def begin(self):
        self.zone = ZoneInfo(self.params.get("tz", "America/New_York"))
        self.seen = {}  # closes
        self.trades = {}

    def closing(self, event):
        self.seen[event["instrument"]] = Fraction(event["price"])

    def price_came(self, event):
        if "price" in event:
            self.trades.setdefault(event["instrument"], []).append((self.replay.now, Fraction(event["price"])))
            self.traded(event["instrument"])

    def split(self, label, ratio):
        if label in self.seen:
            self.seen[label] /= ratio
        self.trades[label] = [(ts, price / ratio) for ts, price in self.trades.get(label, [])]

    def traded(self, label):
        """A trade came."""

    def clock(self):
        """Local time of the day, in nanoseconds."""
        moment = dt.datetime.fromtimestamp(self.replay.now // NS, dt.UTC).astimezone(self.zone)
        return (moment.hour * 3600 + moment.minute * 60 + moment.second) * NS + self.replay.now % NS

    def at(self, name, default):
        hour, minute = map(int, self.params.get(name, default).split(":"))
        return (hour * 60 + minute) * 60 * NS


class Velocity(OfTheMarket):
    makes_pauses = Rule.makes_pauses

    def begin(self):
        super().begin()
        self.until = {}  # of the auction of an instrument

    def heard(self, event, members, weight, stands, own):
        for member in members if event["kind"] != "cancel" and not own else ():
            if self.replay.now >= self.until.get(member.instrument, 0):
                self.until[member.instrument] = self.replay.now + self.params.get("pause_ns", 0)
        return False

    def objects(self, event, member, weight):
        if self.replay.now < self.until.get(member.instrument, 0):
            return True
        if member.price in (None, BAD) or member.stop is not None:
            return False
        for prefix in ("", "long_"):
            if f"{prefix}max_move" not in self.params:
                continue
            since = self.replay.now - self.params[f"{prefix}window_ns"]
            near = [price for ts, price in self.trades.get(member.instrument, []) if ts > since]
            if near and self.beyond(
                max(member.price - min(near), max(near) - member.price), self.limit(f"{prefix}max_move")
            ):
                return True
        return False


class MarketBreaker(OfTheMarket):
    def begin(self):
        super().begin()
        self.spent, self.until = 0, 0

    def new_day(self):
        self.spent, self.until = 0, 0

    def traded(self, label):
        close = self.seen.get(label)
        if label != self.params["index"] or close is None or self.clock() < self.at("opens", "09:30"):
            return
        levels = [
            Fraction(self.params.get(f"level_{n}", default)) for n, default in enumerate(("0.07", "0.13", "0.2"), 1)
        ]
        deepest = max(
            (n for n, level in enumerate(levels, 1) if close - self.trades[label][-1][1] >= level * close), default=0
        )
        if deepest > self.spent:
            self.spent = deepest
            if deepest == 3:
                self.until = math.inf
            elif self.clock() <= self.at("last_halt", "15:25"):
                self.until = self.replay.now + self.params.get("halt_ns", 900 * NS)

    def objects(self, event, member, weight):
        return self.replay.now < self.until


class Luld(OfTheMarket):
    def begin(self):
        super().begin()
        self.references, self.entered = {}, {}  # label -> (price, since); when it came to stand at a band

    def new_day(self):
        self.trades, self.references, self.entered = {}, {}, {}

    def split(self, label, ratio):
        super().split(label, ratio)
        if label in self.references:
            self.references[label] = self.references[label][0] / ratio, self.references[label][1]

    def is_open(self):
        return self.at("opens", "09:30") <= self.clock() < self.at("closes", "16:00")

    def price_came(self, event):
        if self.is_open():
            super().price_came(event)
            if "bid" in event or "ask" in event:
                self.quoted(event["instrument"])

    def traded(self, label):
        self.references.setdefault(label, (self.trades[label][-1][1], self.replay.now))
        self.ask_reference(label)

    def ask_reference(self, label):
        near = [price for ts, price in self.trades.get(label, []) if ts > self.replay.now - 300 * NS]
        if near and label in self.references:
            price, since = self.references[label]
            mean = sum(near) / len(near)
            if abs(mean - price) >= price / 100 and self.replay.now - since >= 30 * NS:
                self.references[label] = mean, self.replay.now

    def band(self, label, side):
        close, cent = self.seen[label], Fraction(self.params.get("cent", "0.01"))
        reference = self.references.get(label, (close, 0))[0]
        tier = self.replay.instruments[label].tier or self.params.get("tier", 1)
        late = self.clock() >= self.at("closes", "16:00") - 25 * 60 * NS
        early = self.params.get("double_open") and self.clock() < self.at("opens", "09:30") + 15 * 60 * NS
        twice = 2 if early or (late and (tier == 1 or reference <= 3)) else 1
        if close > 3:
            move = Fraction(5 if tier == 1 else 10, 100) * reference
        elif close >= Fraction("0.75"):
            move = reference / 5
        else:
            move = min(Fraction("0.15"), reference * 3 / 4)
        return math.floor((reference + side * twice * move) / cent + Fraction(1, 2)) * cent

    def pause(self, label):
        """Whether the instrument is paused now."""
        since = self.entered.get(label)
        return since is not None and since + 15 * NS <= self.replay.now < since + 315 * NS

    def quoted(self, label):
        if label not in self.seen or self.pause(label):
            return
        traded = self.replay.instruments[label]
        if not (traded.ask == self.band(label, -1) or traded.bid == self.band(label, 1)):
            self.entered.pop(label, None)
        elif label not in self.entered or self.replay.now >= self.entered[label] + 15 * NS:
            self.entered[label] = self.replay.now

    def objects(self, event, member, weight):
        label = member.instrument
        self.ask_reference(label)
        if not self.is_open():
            return False
        if self.pause(label):
            return True
        if member.price in (None, BAD) or member.stop is not None:
            return False
        if label not in self.seen:
            raise Missing
        return member.side * (member.price - self.band(label, member.side)) > 0


class SessionHours(OfTheMarket):
    """Sessions of exchanges, from their holiday and early-closing calendars as far as the scenarios go; or always."""

    HOURS = {"XNYS": ("America/New_York", "09:30", "16:00"), "XLON": ("Europe/London", "08:00", "16:30")}
    CLOSED = {
        "XNYS": "2023-01-02 2023-01-16 2023-02-20 2023-04-07 2023-05-29 2023-06-19 2023-07-04 2023-09-04 2023-11-23 2023-12-25 "
        "2024-03-29 2025-01-09",
        "XLON": "2024-12-25 2024-12-26",
    }
    TYPES = ("limit", "market", "stop", "stop_limit", "trailing")

    def allowed(self, phase):
        if "phases" in self.params:
            return self.params["phases"].get(phase, ())
        return self.params.get(phase, self.TYPES)

    def type_of(self, member):
        if member.stop is None:
            return "market" if member.price is None else "limit"
        if member.offset is not None:
            return "trailing"
        return "stop" if member.price is None else "stop_limit"

    EARLY = {"XNYS": {"2023-07-03": "13:00", "2023-11-24": "13:00"}, "XLON": {"2024-12-24": "12:30"}}

    def objects(self, event, member, weight):
        phase = self.replay.instruments[member.instrument].phase
        if phase == "closed" or self.type_of(member) not in self.allowed(phase):
            return True
        if (venue := self.params.get("calendar", "24/7")) == "24/7":
            return False
        zone, opens, closes = self.HOURS[venue]
        local = dt.datetime.fromtimestamp(self.replay.now // NS, dt.UTC).astimezone(ZoneInfo(zone))
        day = f"{local:%Y-%m-%d}"
        if local.weekday() > 4 or day in self.CLOSED[venue].split():
            return True
        return not opens <= f"{local:%H:%M}" < self.EARLY[venue].get(day, closes)
