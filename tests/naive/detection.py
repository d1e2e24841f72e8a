"""Detection by plain loops over events: what one limit refuses of an incident's orders, and whether that is a stop.

Written from the documents of `detection`: a stop is the first refusal after which no order that opens or adds passes for a
declared time; if the incident ends before that, a buy and a sell of its smallest quantity ask what would have come.
"""

from fractions import Fraction

DAY = 86_400 * 10**9


class RateLimit:
    """At most `limit` accepted orders of an account, or of all, in any window."""

    def __init__(self, limit, window_ns, shared=False):
        self.limit, self.window, self.shared, self.accepted = limit, window_ns, shared, {}

    def refuses(self, event, reduces):
        times = self.accepted.setdefault("" if self.shared else event["account"], [])
        if sum(event["ts"] - self.window < ts for ts in times) >= self.limit:
            return True
        times.append(event["ts"])
        return False

    def valued(self, ts, losses):
        pass


class SizeLatch:
    """An order above `limit` halts its account for good."""

    def __init__(self, limit):
        self.limit, self.halted = limit, set()

    def refuses(self, event, reduces):
        if event["account"] in self.halted:
            return True
        if event["qty"] > self.limit:
            self.halted.add(event["account"])
            return True
        return False

    def valued(self, ts, losses):
        pass


class LossLatch:
    """An account that has lost `limit` on a day (UTC) opens nothing any more."""

    def __init__(self, limit):
        self.limit, self.paused, self.day, self.base, self.last = limit, set(), None, {}, {}

    def refuses(self, event, reduces):
        return event["account"] in self.paused and not reduces

    def valued(self, ts, losses):
        if ts // DAY != self.day:
            self.day, self.base = ts // DAY, self.last
        self.last = losses
        for account, loss in losses.items():
            if loss - self.base.get(account, 0) >= self.limit:
                self.paused.add(account)


def naive_replay(events, limit, units):
    """Judge the orders one by one; each event gets "refused", "opens" and "losses" (of every account, in money).

    Events: dicts with ts, kind, account, instrument, side, qty, price, order (row of the order of a fill). Positions are
    kept as the record has them where a refused order has no fills; an exit of what is not held is cut to flat.
    """
    held, recorded, cash, marks, quoted, allowed = {}, {}, {}, {}, set(), {}
    for row, event in enumerate(events):
        key = event["account"], event["instrument"]
        mine, side, qty = held.get(key, 0), event["side"], event["qty"]
        event["refused"] = event["opens"] = False
        if event["kind"] == "ORDER":
            factual = recorded.get(key, 0)
            if side * factual < 0 and qty <= abs(factual) and (side * mine >= 0 or qty > abs(mine)):
                qty = abs(mine) if side * mine < 0 else 0
            allowed[row] = qty
            if qty:
                reduces = side * mine < 0 and qty <= abs(mine)
                event["refused"] = limit.refuses({**event, "qty": qty}, reduces)
                event["opens"] = not reduces and not event["refused"]
                allowed[row] = 0 if event["refused"] else qty
        elif event["kind"] == "FILL":
            recorded[key] = recorded.get(key, 0) + side * qty
            qty = min(qty, allowed[event["order"]])
            held[key] = mine + side * qty
            cash[key] = cash.get(key, 0) - side * qty * event["price"]
            if event["instrument"] not in quoted and qty:
                marks[event["instrument"]] = event["price"]
        elif event["kind"] == "PRICE":
            marks[event["instrument"]] = event["price"]
            quoted.add(event["instrument"])
        losses = {}
        for account, name in cash:
            value = cash[account, name] + held[account, name] * marks.get(name, 0)
            losses[account] = losses.get(account, 0) - value * units[name]
        event["losses"] = losses
        limit.valued(event["ts"], losses)
    return events


def with_probes(events, incident, lasting_ns):
    """The events with the two orders that ask what would have come after the incident's last one."""
    own = [event for event in events if event["kind"] == "ORDER" and event["instrument"] in incident]
    until = own[-1]["ts"]
    small = {**own[-1], "ts": until + lasting_ns, "qty": min(event["qty"] for event in own), "probe": True}
    at = sum(event["ts"] <= small["ts"] for event in events)
    found = [dict(event) for event in events]
    for event in found:
        event["order"] += 2 if event["order"] >= at else 0
    return found[:at] + [{**small, "side": 1}, {**small, "side": -1}] + found[at:]


def naive_outcome(events, incident, lasting_ns, end):
    """(stopped, time to stop, loss at stop, passed, loss at the end) of judged events with probes."""
    own = [event for event in events if event["kind"] == "ORDER" and event["instrument"] in incident]
    orders = [event for event in own if not event.get("probe")]
    probes = [event for event in own if event.get("probe")]
    until, account = orders[-1]["ts"], orders[0]["account"]
    passed = Fraction(sum(not event["refused"] for event in orders), len(orders))
    last = [event for event in events if event["ts"] <= max(end, until + lasting_ns)][-1]
    stop = None
    for place, event in enumerate(orders):
        if not event["refused"]:
            continue
        later = [other for other in orders[place + 1 :] if other["opens"] and other["ts"] <= event["ts"] + lasting_ns]
        unsure = event["ts"] + lasting_ns > until and any(probe["opens"] for probe in probes)
        if not later and not unsure:
            stop = event
            break
    return (
        stop is not None,
        None if stop is None else (stop["ts"] - orders[0]["ts"]) / 1e9,
        None if stop is None else float(stop["losses"].get(account, 0)),
        float(passed),
        float(last["losses"].get(account, 0)),
    )
